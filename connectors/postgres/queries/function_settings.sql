-- The settings that functions have of their own, by their names, without those of the server itself
-- that are a number, a switch or one word of a few: these can be nothing else.
SELECT s.oid, s.name
FROM (SELECT p.oid, pg_catalog.split_part(kv, '=', 1) AS name
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace CROSS JOIN LATERAL pg_catalog.unnest(p.proconfig) AS kv
      WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') s
WHERE pg_catalog.lower(s.name) NOT IN (SELECT pg_catalog.lower(k.name) FROM pg_catalog.pg_settings k WHERE k.vartype <> 'string' AND k.name !~ '\.')
ORDER BY s.oid, s.name
