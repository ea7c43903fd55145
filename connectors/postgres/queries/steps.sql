-- How keys are made in two steps: the index of a primary or unique key and what turns it
-- into a key; what validates a foreign key. Only of tables that store rows, and not of
-- keys WITHOUT OVERLAPS.
SELECT 'pg_catalog.pg_constraint'::regclass::oid, o.oid, pg_catalog.pg_get_indexdef(o.conindid),
       pg_catalog.format('ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s%s', n.nspname, c.relname, o.conname,
              CASE o.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, i.relname,
              CASE WHEN o.condeferrable THEN ' DEFERRABLE' ELSE '' END, CASE WHEN o.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class i ON i.oid = o.conindid
WHERE o.contype IN ('p', 'u') AND c.relkind = 'r' AND i.relname = o.conname AND n.nspname !~ '^pg_'
  AND coalesce((pg_catalog.to_jsonb(o) ->> 'conperiod')::boolean, false) IS FALSE
UNION ALL
SELECT 'pg_catalog.pg_constraint'::regclass::oid, o.oid, '',
       pg_catalog.format('ALTER TABLE ONLY %I.%I VALIDATE CONSTRAINT %I', n.nspname, c.relname, o.conname)
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
-- What refers to a partitioned table has parts that validation does not reach.
JOIN pg_catalog.pg_class r ON r.oid = o.confrelid AND r.relkind = 'r'
WHERE o.contype = 'f' AND c.relkind = 'r' AND o.convalidated AND n.nspname !~ '^pg_'
