-- When the server started, to the microsecond, and its version.
SELECT 'PostgreSQL ' || current_setting('server_version') || ' started '
       || pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
