-- Who holds up the processes $2 of a run in its build $1, and is none of them, and whether they are
-- in it. 0 is a prepared transaction. What the account may not see of others is not said.
SELECT DISTINCT x.pid, coalesce(a.usename::text, ''), coalesce(a.backend_start::text, ''),
       coalesce(a.datname = $1 AND coalesce(a.backend_type, 'client backend') = 'client backend', false)
FROM pg_catalog.pg_stat_activity w
CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(w.pid)) AS x(pid)
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = x.pid
WHERE w.pid = ANY ($2::int[]) AND w.wait_event_type = 'Lock' AND x.pid <> ALL ($2::int[])
ORDER BY 1
