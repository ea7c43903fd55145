-- What a standby cannot read: relations that are not in the log. A partitioned table has
-- no rows of its own, but may have a sequence, which is as it is.
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.pg_is_in_recovery() AND c.relpersistence = 'u' AND c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_'
ORDER BY 1, 2
