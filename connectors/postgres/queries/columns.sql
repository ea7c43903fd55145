-- Every column of the tables in $1, in order.
SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
       -- Since version 18 one that is not validated is as good as none: the rows may have NULLs.
       a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint n
                                    WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated),
       a.attidentity::text, a.attgenerated::text,
       coalesce(pg_catalog.pg_get_expr(f.adbin, f.adrelid), ''),
       CASE WHEN a.attcollation IN (0, 100) THEN ''
            WHEN cn.nspname = 'pg_catalog' THEN co.collname
            ELSE cn.nspname || '.' || co.collname END,
       a.attcollation,
       coalesce(d.description, '')
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
LEFT JOIN pg_catalog.pg_description d ON d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
