-- The tables of extensions that may hold rows of the database's own, and what tells these from the
-- extension's (pg_extension_config_dump); whether the account may read them; the columns that are not
-- computed; the keys of tables that are no extension's, and hold, which refer to each.
SELECT n.nspname, c.relname, coalesce(k.condition, ''),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
       ARRAY(SELECT fn.nspname || '.' || fc.relname || '.' || f.conname
             FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class fc ON fc.oid = f.conrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
             WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.convalidated AND f.conparentid = 0 AND NOT EXISTS (
                 SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = f.conrelid AND e.deptype = 'e')
             ORDER BY 1)
FROM pg_catalog.pg_extension x CROSS JOIN LATERAL unnest(x.extconfig, x.extcondition) AS k(oid, condition)
JOIN pg_catalog.pg_class c ON c.oid = k.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
ORDER BY 1, 2
