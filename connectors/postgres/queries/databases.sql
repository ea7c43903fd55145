-- Databases whose name begins with one of $1, with their comment, their owner,
-- and whether this account may do what the owner may.
SELECT d.datname, coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), ''), d.datconnlimit,
       pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_has_role(d.datdba, 'USAGE')
FROM pg_catalog.pg_database d
WHERE EXISTS (SELECT FROM unnest($1::text[]) p WHERE starts_with(d.datname, p))
ORDER BY 1
