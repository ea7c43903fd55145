-- The exclusion constraints of partitioned tables and of their partitions, and keys WITHOUT OVERLAPS,
-- which are some as well: from the tables above to those beneath, each with that of the table above.
-- Options are of the index; one of a partitioned table takes none afterwards.
WITH RECURSIVE down AS (
    SELECT o.oid, 0::oid AS above, 0 AS depth FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
    JOIN pg_catalog.pg_index i ON i.indexrelid = o.conindid WHERE c.relkind = 'p' AND o.contype IN ('x', 'p', 'u') AND i.indisexclusion AND o.conparentid = 0
  UNION ALL
    SELECT o.oid, d.oid, d.depth + 1 FROM down d JOIN pg_catalog.pg_constraint o ON o.conparentid = d.oid AND o.contype IN ('x', 'p', 'u')
)
SELECT 'pg_catalog.pg_constraint'::regclass::oid, o.oid, d.above, n.nspname, c.relname, o.conname, c.relkind = 'p',
       ARRAY(SELECT option_name FROM pg_catalog.pg_options_to_table(x.reloptions)),
       ARRAY(SELECT pg_catalog.format('%I = %L', option_name, option_value) FROM pg_catalog.pg_options_to_table(x.reloptions))
FROM down d
JOIN pg_catalog.pg_constraint o ON o.oid = d.oid
JOIN pg_catalog.pg_class x ON x.oid = o.conindid
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY d.depth, o.oid
