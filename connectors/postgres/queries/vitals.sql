-- What the snapshot costs the server; $1 is the process that holds it. The functions
-- that fail during recovery, and those that mean nothing outside it, are asked only
-- where they answer. What the account may not see is NULL.
SELECT extract(epoch FROM pg_catalog.clock_timestamp() - h.xact_start)::float8,
       -- On a standby the horizon holds back the primary only if the primary is told of it.
       CASE WHEN NOT r.standby OR pg_catalog.current_setting('hot_standby_feedback')::bool
            THEN pg_catalog.age(h.backend_xmin)::int8 END,
       CASE WHEN NOT r.standby
            THEN (SELECT max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.replay_lsn))::int8
                  FROM pg_catalog.pg_stat_replication s WHERE s.state IN ('streaming', 'catchup')) END,
       CASE WHEN NOT r.standby
            THEN (SELECT extract(epoch FROM max(s.replay_lag))::float8
                  FROM pg_catalog.pg_stat_replication s WHERE s.state IN ('streaming', 'catchup')) END,
       CASE WHEN NOT r.standby THEN NULL
            WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())::float8 END
FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r
LEFT JOIN pg_catalog.pg_stat_activity h ON h.pid = $1
