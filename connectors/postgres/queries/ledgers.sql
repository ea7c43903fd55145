-- The schema of the ledger: $1, with underscores behind it if the source has a schema
-- of that name.
SELECT n.nspname
FROM pg_catalog.pg_namespace n
WHERE pg_catalog.rtrim(n.nspname, '_') = $1
  AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'kept')
  AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'state')
ORDER BY pg_catalog.length(n.nspname) DESC LIMIT 1
