-- Ends the sessions in database $1 that this role may end, or its user's alone ($3), but those with the
-- ids of $2, and tells how many. A worker of autovacuum has no user, and makes way by itself.
SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid))
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
CROSS JOIN pg_catalog.pg_roles me
WHERE me.rolname = current_user AND a.datname = $1::text AND a.pid <> pg_catalog.pg_backend_pid() AND a.pid <> ALL ($2::bigint[])
  AND (NOT $3::boolean OR a.usename = session_user)
  AND (me.rolsuper OR NOT r.rolsuper AND (pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') OR pg_catalog.pg_has_role(r.oid, 'USAGE')))
