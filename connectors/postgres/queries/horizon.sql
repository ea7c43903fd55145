-- Who holds the snapshot ($1 is the virtual transaction that exported it), what may end
-- it before its time, and how far it may hold back vacuum.
SELECT coalesce((SELECT max(l.pid) FROM pg_catalog.pg_locks l
                 WHERE l.locktype = 'virtualxid' AND l.virtualxid = $1 AND l.mode = 'ExclusiveLock' AND l.granted), 0),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('hot_standby_feedback')::bool,
       pg_catalog.current_setting('max_standby_streaming_delay'),
       pg_catalog.current_setting('autovacuum_freeze_max_age')::int8
