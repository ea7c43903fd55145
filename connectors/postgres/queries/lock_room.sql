-- How many objects the server has room to lock, and how many others have locked: but for what sessions lock
-- in room of their own, for reads of serializable transactions, which have their own, and for what a run locks as
-- well, tables and the catalog, which take no more for it. The manual's product leaves out the server's own processes, which count as well.
SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8
       * (pg_catalog.current_setting('max_connections')::int8 + pg_catalog.current_setting('max_prepared_transactions')::int8
          + coalesce(pg_catalog.current_setting('autovacuum_worker_slots', true), pg_catalog.current_setting('autovacuum_max_workers'))::int8 + 1
          + pg_catalog.current_setting('max_worker_processes')::int8 + pg_catalog.current_setting('max_wal_senders')::int8),
       (SELECT count(*) FROM (SELECT DISTINCT l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid::text, l.classid, l.objid, l.objsubid
                              FROM pg_catalog.pg_locks l WHERE NOT l.fastpath AND l.mode <> 'SIReadLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
                                AND NOT (l.locktype = 'relation' AND l.database IN (0, d.oid) AND l.relation IN (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') OR c.oid < 16384))) x)
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
