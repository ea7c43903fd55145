-- The largest tables of a database, as SQL names them; $1 is how many.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY pg_catalog.pg_total_relation_size(c.oid) DESC, c.oid
LIMIT $1
