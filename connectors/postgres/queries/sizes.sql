-- Pages of each table, bytes with its out-of-line values, and how many rows the
-- statistics find on a page.
SELECT c.oid, pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint, pg_catalog.pg_table_size(c.oid),
       CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples::float8 / c.relpages ELSE 0 END
FROM pg_catalog.pg_class c
WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'r'
