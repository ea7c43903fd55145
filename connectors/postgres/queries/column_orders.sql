-- The columns, in order, of each table that inherits and would have them in another order if it were
-- made as a dump says it: those of its parents first, then its own. With what a parent has of each:
-- how it is generated and stored.
WITH children AS (
    SELECT DISTINCT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
), columns AS (
    SELECT h.oid, h.nspname, h.relname, a.attname, a.attnum, a.atttypid, a.atttypmod, a.attcollation, a.attgenerated, p.from_parent, p.attstorage, p.attgenerated AS generated_above,
           coalesce(p.expression, pg_catalog.pg_get_expr(f.adbin, f.adrelid), '') AS expression,
           row_number() OVER (PARTITION BY h.oid ORDER BY a.attnum) AS here,
           row_number() OVER (PARTITION BY h.oid ORDER BY p.inhseqno NULLS LAST, p.attnum, a.attnum) AS there
    FROM children h
    JOIN pg_catalog.pg_attribute a ON a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum AND a.attgenerated <> ''
    LEFT JOIN LATERAL (
        SELECT true AS from_parent, i.inhseqno, pa.attnum, pa.attstorage, pa.attgenerated, pg_catalog.pg_get_expr(pf.adbin, pf.adrelid) AS expression
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname AND pa.attnum > 0 AND NOT pa.attisdropped
        LEFT JOIN pg_catalog.pg_attrdef pf ON pf.adrelid = pa.attrelid AND pf.adnum = pa.attnum AND pa.attgenerated <> ''
        WHERE i.inhrelid = h.oid
        ORDER BY i.inhseqno LIMIT 1) p ON true
)
SELECT c.nspname, c.relname, pg_catalog.quote_ident(c.attname),
       pg_catalog.format_type(c.atttypid, c.atttypmod)
         || CASE WHEN c.attcollation IN (0, t.typcollation) THEN '' ELSE ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END,
       c.from_parent IS NOT NULL,
       coalesce(c.generated_above, c.attgenerated)::text, c.expression,
       CASE WHEN c.attstorage IS NULL OR c.attstorage = t.typstorage THEN ''
            ELSE CASE c.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END
FROM columns c
JOIN pg_catalog.pg_type t ON t.oid = c.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = c.attcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
WHERE c.oid IN (SELECT d.oid FROM columns d WHERE d.here <> d.there)
ORDER BY c.oid, c.attnum
