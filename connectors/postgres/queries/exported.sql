-- When the transaction began that exported a snapshot; $1 is its virtual transaction. NULL where
-- the account may not see it.
SELECT max(a.xact_start)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.virtualxid = $1 AND l.mode = 'ExclusiveLock' AND l.granted
