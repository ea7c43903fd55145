-- Databases whose name begins with one of $1, with their comment.
SELECT d.datname, coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), ''), d.datconnlimit,
       pg_catalog.pg_get_userbyid(d.datdba) = current_user
FROM pg_catalog.pg_database d
WHERE EXISTS (SELECT FROM unnest($1::text[]) p WHERE starts_with(d.datname, p))
ORDER BY 1
