-- What domains check and give by default, with the names of the checks: those that belong
-- to no extension. typdefault has a default as the search path of its day spelled it: its
-- expression is read instead, and names what it calls with its schema.
SELECT n.nspname, t.typname, o.conname, pg_catalog.pg_get_constraintdef(o.oid, true)
FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_type t ON t.oid = o.contypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE o.contype = 'c' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT n.nspname, t.typname, '', pg_catalog.pg_get_expr(t.typdefaultbin, 0)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
