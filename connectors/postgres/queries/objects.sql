-- What a database holds beside tables, without what belongs to the system or to
-- an extension.
WITH ours AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), extended AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
)
SELECT kind, name FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'extension table' END AS kind,
           n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_class c JOIN ours n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm', 'S', 'r', 'p')
      AND (c.relkind IN ('r', 'p')) = EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid)
  UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
    FROM pg_catalog.pg_proc p JOIN ours n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid)
  UNION ALL
    SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite type' ELSE 'type' END,
           n.nspname || '.' || t.typname
    FROM pg_catalog.pg_type t JOIN ours n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('e', 'd', 'r', 'b', 'c') AND (t.typrelid = 0 OR c.relkind = 'c')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type el WHERE el.typarray = t.oid)
      AND NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid)
  UNION ALL
    SELECT 'trigger', n.nspname || '.' || c.relname || '.' || t.tgname
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal
  UNION ALL
    SELECT 'rule', n.nspname || '.' || c.relname || '.' || r.rulename
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN ours n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN'
  UNION ALL
    SELECT 'policy', n.nspname || '.' || c.relname || '.' || p.polname
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN ours n ON n.oid = c.relnamespace
  UNION ALL
    SELECT 'extended statistics', n.nspname || '.' || s.stxname
    FROM pg_catalog.pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
  UNION ALL
    SELECT 'collation', n.nspname || '.' || c.collname
    FROM pg_catalog.pg_collation c JOIN ours n ON n.oid = c.collnamespace
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_collation'::regclass AND e.objid = c.oid)
  UNION ALL
    SELECT 'schema', n.nspname FROM ours n
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_namespace'::regclass AND e.objid = n.oid)
  UNION ALL SELECT 'extension', extname FROM pg_catalog.pg_extension
  UNION ALL SELECT 'event trigger', evtname FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT 'publication', pubname FROM pg_catalog.pg_publication
  UNION ALL SELECT 'subscription', subname FROM pg_catalog.pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  UNION ALL SELECT 'foreign data wrapper', fdwname FROM pg_catalog.pg_foreign_data_wrapper f
            WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND e.objid = f.oid)
  UNION ALL SELECT 'foreign server', srvname FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'user mapping', usename || ' on ' || srvname FROM pg_catalog.pg_user_mappings
  UNION ALL SELECT 'large objects', count(*)::text FROM pg_catalog.pg_largeobject_metadata HAVING count(*) > 0
) o
ORDER BY kind, name
