-- The steps of pgAgent's jobs, with the connections that they open.
SELECT 'pgagent ' || j.jobname || '.' || s.jstname,
       CASE WHEN j.jobenabled AND s.jstenabled THEN '' ELSE '(disabled) ' END
       || 'in ' || coalesce(nullif(s.jstdbname, ''), s.jstconnstr, '') || E'\n' || s.jstcode
FROM pgagent.pga_job j JOIN pgagent.pga_jobstep s ON s.jstjobid = j.jobid
ORDER BY j.jobname, s.jstname
