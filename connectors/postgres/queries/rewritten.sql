-- Tables whose file is another one than the snapshot knows: rewritten between
-- the snapshot and our locks, so that the snapshot would see them empty. Those
-- whose name belongs to another table now, which our locks are of. And those of which a
-- column has another name, or none: a statement, which goes by today's names, would read
-- another column. Functions that look an object up find it as it is today.
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[])
  AND (c.relkind = 'r' AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)
       OR c.oid IS DISTINCT FROM pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.nspname, c.relname))::oid
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname) IS DISTINCT FROM
                        (SELECT o.identity FROM pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, c.oid, a.attnum) o)))
ORDER BY 1, 2
