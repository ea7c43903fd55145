-- What functions may do beside what their words say: the language if it is one that may do
-- anything, and whether they run with the rights of their owner.
SELECT p.oid, CASE WHEN l.lanpltrusted OR l.lanname IN ('internal', 'c') THEN '' ELSE l.lanname END, p.prosecdef
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE (p.prosecdef OR NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c'))
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
