SELECT i.inhrelid, i.inhparent
FROM pg_catalog.pg_inherits i
WHERE i.inhrelid = ANY ($1::oid[])
ORDER BY i.inhrelid, i.inhseqno
