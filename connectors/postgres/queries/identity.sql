-- When the server started, to the microsecond, and its version; whether it follows another,
-- whether the account may ask of which it is, and who that is: a role that the user works under, it may be.
SELECT 'PostgreSQL ' || current_setting('server_version') || ' started '
       || pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AND pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE'),
       current_user::text
