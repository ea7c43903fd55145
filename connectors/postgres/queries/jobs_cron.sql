-- The jobs of pg_cron. Columns that a version lacks read as NULL.
SELECT 'cron ' || j.jobid || coalesce(' ' || (to_jsonb(j) ->> 'jobname'), ''),
       j.schedule || ' in ' || j.database || ' as ' || j.username || CASE WHEN j.active THEN '' ELSE ' (disabled)' END || ': ' || j.command
FROM cron.job j
ORDER BY j.jobid
