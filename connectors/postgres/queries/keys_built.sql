-- Foreign keys of a build, as the catalog of the source lists them.
SELECT n.nspname, c.relname, f.conname, f.convalidated
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint p ON p.oid = f.conparentid
WHERE f.contype = 'f' AND (p.oid IS NULL OR p.conrelid <> f.conrelid) AND n.nspname !~ '^pg_'
