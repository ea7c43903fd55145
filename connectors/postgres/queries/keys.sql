-- Primary keys, unique constraints and unique indexes over plain columns. An
-- index that is not valid proves nothing; one on a partitioned table is not
-- valid until every partition has it, and proves nothing until then either.
SELECT i.indrelid, c.relname, i.indisprimary,
       i.indpred IS NOT NULL, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
       ARRAY(SELECT a.attname::text
             FROM generate_series(0, i.indnkeyatts - 1) k
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k]
             ORDER BY k)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indislive
  AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) k WHERE i.indkey[k] = 0)
ORDER BY i.indrelid, c.relname
