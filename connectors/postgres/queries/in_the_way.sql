-- What keeps a database of $1 from being renamed, and this account from ending it: transactions that
-- are prepared in it, and sessions of others. Only a superuser may end those of a superuser.
SELECT 'transaction', x.gid, false FROM pg_catalog.pg_prepared_xacts x WHERE x.database = ANY ($1::text[])
UNION
SELECT 'session', r.rolname::text, r.rolsuper
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.datname = ANY ($1::text[]) AND a.pid <> pg_catalog.pg_backend_pid()
  AND NOT (SELECT me.rolsuper FROM pg_catalog.pg_roles me WHERE me.rolname = current_user)
  AND (r.rolsuper OR NOT pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE'))
ORDER BY 1, 2
