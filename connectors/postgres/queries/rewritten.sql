-- Tables whose file is another one than the snapshot knows: rewritten between
-- the snapshot and our locks, so that the snapshot would see them empty. And those
-- whose name belongs to another table now, which our locks are of.
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[])
  AND (c.relkind = 'r' AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)
       OR c.oid IS DISTINCT FROM pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.nspname, c.relname))::oid)
ORDER BY 1, 2
