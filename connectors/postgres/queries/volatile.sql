-- Which of the functions named in $1 may answer otherwise the next time, or have effects.
SELECT DISTINCT n.nspname || '.' || p.proname
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.provolatile = 'v' AND n.nspname || '.' || p.proname = ANY ($1::text[])
ORDER BY 1
