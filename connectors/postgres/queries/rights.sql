-- What keeps this account from reading all rows of the tables in $1 and all
-- sequences: a missing right, or row security that would hide rows.
SELECT n.nspname, c.relname,
       CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE ON SCHEMA'
            WHEN c.relkind = 'S' THEN 'SELECT ON SEQUENCE'
            WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'SELECT ON TABLE'
            ELSE '' END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p')
         AND (NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
              OR pg_catalog.row_security_active(c.oid))
       OR c.relkind = 'S' AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT'))
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'))
ORDER BY 1, 2
