-- Every user table. What belongs to an extension comes with the extension. Behind its own
-- comment stand those of its constraints and indexes, which travel as well.
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition,
       CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE 0 END,
       -- An analysed partitioned table has -1 pages.
       (greatest(c.relpages, 0) + coalesce(t.relpages, 0))::bigint * current_setting('block_size')::bigint,
       concat_ws(E'\n', d.description,
         (SELECT string_agg(p.description, E'\n' ORDER BY o.conname) FROM pg_catalog.pg_constraint o
          JOIN pg_catalog.pg_description p ON p.classoid = 'pg_catalog.pg_constraint'::regclass AND p.objoid = o.oid WHERE o.conrelid = c.oid),
         (SELECT string_agg(p.description, E'\n' ORDER BY i.indexrelid::regclass::text) FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_description p ON p.classoid = 'pg_catalog.pg_class'::regclass AND p.objoid = i.indexrelid WHERE i.indrelid = c.oid)),
       coalesce(am.amname, '') = 'heap',
       coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid), '')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_description d ON d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'f')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname
