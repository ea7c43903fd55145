-- What a table is a part of, or inherits from; and whether it is being detached, which versions
-- before 14 do not know.
SELECT i.inhrelid, i.inhparent, coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)
FROM pg_catalog.pg_inherits i
WHERE i.inhrelid = ANY ($1::oid[])
ORDER BY i.inhrelid, i.inhseqno
