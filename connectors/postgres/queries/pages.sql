-- How many pages a table has, and whether they are a heap's.
SELECT pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint, coalesce(am.amname, '') = 'heap'
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'
