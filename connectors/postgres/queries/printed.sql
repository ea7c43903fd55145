-- Columns of table $1.$2 whose text is asked of the output function of their type: a cast of that
-- type to text is somebody's, or may be by the next statement. Of the server's own types the casts are its own,
-- save one that somebody has added.
WITH RECURSIVE based(name, type) AS (
    SELECT a.attname, a.atttypid
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
    SELECT b.name, t.typbasetype FROM based b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT b.name
FROM based b JOIN pg_catalog.pg_type t ON t.oid = b.type
WHERE t.typtype <> 'd'
  AND (t.typnamespace <> 'pg_catalog'::regnamespace
       OR EXISTS (SELECT FROM pg_catalog.pg_cast x WHERE x.castsource = t.oid AND x.casttarget = 'pg_catalog.text'::regtype AND x.castfunc <> 0 AND x.oid >= 16384))
ORDER BY 1
