-- Foreign keys with their column pairs. A key that points to a partitioned
-- table has a hidden twin for each partition, on the same table: left out here. A
-- partition's key is as valid as the topmost above it, which alone is made anew.
SELECT f.conrelid, f.conname, f.confrelid, f.condeferrable,
       CASE f.conparentid WHEN 0 THEN f.convalidated
            ELSE (WITH RECURSIVE up AS (
                    SELECT c.conparentid, c.convalidated FROM pg_catalog.pg_constraint c WHERE c.oid = f.conparentid
                  UNION ALL
                    SELECT c.conparentid, c.convalidated FROM up JOIN pg_catalog.pg_constraint c ON c.oid = up.conparentid)
                  SELECT convalidated FROM up WHERE conparentid = 0) END,
       f.confmatchtype = 'f',
       ARRAY(SELECT a.attname::text FROM unnest(f.conkey) WITH ORDINALITY k(num, pos)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num ORDER BY k.pos),
       ARRAY(SELECT a.attname::text FROM unnest(f.confkey) WITH ORDINALITY k(num, pos)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.num ORDER BY k.pos)
FROM pg_catalog.pg_constraint f
LEFT JOIN pg_catalog.pg_constraint p ON p.oid = f.conparentid
WHERE f.contype = 'f' AND f.conrelid = ANY ($1::oid[])
  AND (p.oid IS NULL OR p.conrelid <> f.conrelid)
ORDER BY f.conrelid, f.conname
