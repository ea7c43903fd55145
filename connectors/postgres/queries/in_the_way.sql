-- What keeps a database of $1 from being renamed, and this account from ending it, by the role that it
-- works under or by itself: transactions that are prepared in it, and sessions of others. Only a superuser
-- may end those of a superuser.
SELECT 'transaction', x.gid, false FROM pg_catalog.pg_prepared_xacts x WHERE x.database = ANY ($1::text[])
UNION
SELECT 'session', r.rolname::text, r.rolsuper
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.datname = ANY ($1::text[]) AND a.pid <> pg_catalog.pg_backend_pid()
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_roles me WHERE me.rolname IN (current_user, session_user)
    AND (me.rolsuper OR NOT r.rolsuper AND (pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') OR pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE'))))
ORDER BY 1, 2
