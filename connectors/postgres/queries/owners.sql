-- To which tables the indexes, constraints and statistics objects belong, by the ids under
-- which an archive of pg_dump lists them.
SELECT 'pg_catalog.pg_class'::regclass::oid, i.indexrelid, n.nspname, c.relname, 0::oid, '', ''
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'pg_catalog.pg_constraint'::regclass::oid, o.oid, n.nspname, c.relname, o.confrelid, coalesce(fn.nspname, ''), coalesce(f.relname, '')
FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class f ON f.oid = o.confrelid LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'pg_catalog.pg_statistic_ext'::regclass::oid, s.oid, n.nspname, c.relname, 0::oid, '', ''
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
