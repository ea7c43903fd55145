-- What functions may do beside what their words say: the language if it is one that may do
-- anything, whether they run with the rights of their owner, and whether PUBLIC may not call such a one, the library of one in C and
-- the symbol of one of the server itself, and whether a type needs them for its values.
SELECT p.oid, CASE WHEN l.lanpltrusted OR l.lanname IN ('internal', 'c') THEN '' ELSE l.lanname END, p.prosecdef,
       p.prosecdef AND p.proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0),
       CASE WHEN l.lanname = 'c' THEN coalesce(p.probin::text, '') ELSE '' END, CASE WHEN l.lanname = 'internal' THEN p.prosrc ELSE '' END,
       EXISTS (SELECT FROM pg_catalog.pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout))
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE (p.prosecdef OR NOT l.lanpltrusted)
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
