-- The columns that route rows: those of the key, and those that an expression in
-- the key reads. The server notes these as columns that depend on their own table.
SELECT DISTINCT p.partrelid, a.attname::text, a.attnum
FROM pg_catalog.pg_partitioned_table p
JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum > 0
WHERE p.partrelid = ANY ($1::oid[])
  AND (a.attnum = ANY (p.partattrs::int2[])
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = p.partrelid
                    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.partrelid
                    AND (d.objsubid = a.attnum AND d.refobjsubid = 0 OR d.objsubid = 0 AND d.refobjsubid = a.attnum)))
ORDER BY 1, 3
