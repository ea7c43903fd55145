-- What a standby cannot read: relations that are not in the log.
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.pg_is_in_recovery() AND c.relpersistence = 'u' AND c.relkind IN ('r', 'S') AND n.nspname !~ '^pg_'
ORDER BY 1, 2
