-- Indexes of a build that are not valid.
SELECT 'index ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND NOT (i.indisvalid AND i.indisready)
ORDER BY 1
