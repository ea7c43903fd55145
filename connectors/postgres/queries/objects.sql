-- What a database holds beside tables, without what belongs to the system or to
-- an extension: the words of each, its comment with those of its columns and indexes, and what is said
-- beside a view: its columns' defaults and its indexes. Options that may hold a password are named, and never read.
WITH ours AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), extended AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), found AS (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'extension table' END AS kind,
           n.nspname || '.' || c.relname AS name,
           CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) ELSE '' END AS words,
           'pg_catalog.pg_class'::regclass AS classid, c.oid AS objid
    FROM pg_catalog.pg_class c JOIN ours n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm', 'S', 'r', 'p')
      AND (c.relkind IN ('r', 'p')) = EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid)
  UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
           CASE WHEN p.prokind = 'a' THEN (SELECT concat_ws(' ', 'INITCOND ' || quote_literal(g.agginitval), 'MINITCOND ' || quote_literal(g.aggminitval))
                                            FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid = p.oid)
                ELSE pg_catalog.pg_get_functiondef(p.oid) END,
           'pg_catalog.pg_proc'::regclass, p.oid
    FROM pg_catalog.pg_proc p JOIN ours n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid)
  UNION ALL
    SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite type' ELSE 'type' END,
           n.nspname || '.' || t.typname,
           coalesce(CASE t.typtype
             WHEN 'e' THEN (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid)
             WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(t.typdefaultbin, 0), '')
                  || coalesce((SELECT string_agg(' ' || pg_catalog.pg_get_constraintdef(o.oid, true), '' ORDER BY o.conname) FROM pg_catalog.pg_constraint o WHERE o.contypid = t.oid), '')
           END, ''),
           'pg_catalog.pg_type'::regclass, t.oid
    FROM pg_catalog.pg_type t JOIN ours n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('e', 'd', 'r', 'b', 'c') AND (t.typrelid = 0 OR c.relkind = 'c')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type el WHERE el.typarray = t.oid)
      AND NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid)
  UNION ALL
    SELECT 'trigger', n.nspname || '.' || c.relname || '.' || t.tgname,
           -- Those of tables stand there.
           CASE WHEN c.relkind IN ('r', 'p', 'f') THEN '' ELSE pg_catalog.pg_get_triggerdef(t.oid, true) END,
           'pg_catalog.pg_trigger'::regclass, t.oid
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal
  UNION ALL
    SELECT 'rule', n.nspname || '.' || c.relname || '.' || r.rulename, pg_catalog.pg_get_ruledef(r.oid),
           'pg_catalog.pg_rewrite'::regclass, r.oid
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN ours n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN'
  UNION ALL
    SELECT 'policy', n.nspname || '.' || c.relname || '.' || p.polname,
           concat_ws(' ', 'USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
           'pg_catalog.pg_policy'::regclass, p.oid
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN ours n ON n.oid = c.relnamespace
  UNION ALL
    SELECT 'extended statistics', n.nspname || '.' || s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid), 'pg_catalog.pg_statistic_ext'::regclass, s.oid
    FROM pg_catalog.pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
  UNION ALL
    SELECT 'collation', n.nspname || '.' || c.collname, '', 'pg_catalog.pg_collation'::regclass, c.oid
    FROM pg_catalog.pg_collation c JOIN ours n ON n.oid = c.collnamespace
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_collation'::regclass AND e.objid = c.oid)
  UNION ALL
    SELECT 'schema', n.nspname, '', 'pg_catalog.pg_namespace'::regclass, n.oid FROM ours n
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_namespace'::regclass AND e.objid = n.oid)
  UNION ALL SELECT 'extension', extname, 'version ' || extversion, 'pg_catalog.pg_extension'::regclass, oid FROM pg_catalog.pg_extension
  UNION ALL
    SELECT 'event trigger', e.evtname, 'ON ' || e.evtevent || ' EXECUTE FUNCTION ' || n.nspname || '.' || p.proname || '()',
           'pg_catalog.pg_event_trigger'::regclass, e.oid
    FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  UNION ALL
    SELECT 'publication', p.pubname,
           CASE WHEN p.puballtables THEN 'FOR ALL TABLES'
                ELSE coalesce((SELECT 'FOR TABLE ' || string_agg(t.schemaname || '.' || t.tablename, ', ' ORDER BY t.schemaname, t.tablename) FROM pg_catalog.pg_publication_tables t
                               WHERE t.pubname = p.pubname), '') END,
           'pg_catalog.pg_publication'::regclass, p.oid
    FROM pg_catalog.pg_publication p
  UNION ALL
    -- Its connection string is not for every account, and not for us.
    SELECT 'subscription', subname, 'PUBLICATION ' || array_to_string(subpublications, ', ') || CASE WHEN subenabled THEN '' ELSE ' (disabled)' END,
           'pg_catalog.pg_subscription'::regclass, 0::oid
    FROM pg_catalog.pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  UNION ALL
    SELECT 'foreign data wrapper', fdwname, '', 'pg_catalog.pg_foreign_data_wrapper'::regclass, f.oid
    FROM pg_catalog.pg_foreign_data_wrapper f
    WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND e.objid = f.oid)
  UNION ALL
    SELECT 'foreign server', s.srvname,
           'FOREIGN DATA WRAPPER ' || w.fdwname || coalesce(' OPTIONS (' || (
               SELECT string_agg(o.option_name || ' ' || CASE WHEN o.option_name IN ('host', 'hostaddr', 'port', 'dbname', 'servername', 'database')
                                                              THEN quote_literal(o.option_value) ELSE 'xxxxx' END, ', ')
               FROM pg_catalog.pg_options_to_table(s.srvoptions) o) || ')', ''),
           'pg_catalog.pg_foreign_server'::regclass, s.oid
    FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
  UNION ALL
    SELECT 'user mapping', m.usename || ' on ' || m.srvname,
           coalesce('OPTIONS (' || (SELECT string_agg(o.option_name || ' xxxxx', ', ') FROM pg_catalog.pg_options_to_table(m.umoptions) o) || ')', ''),
           'pg_catalog.pg_user_mapping'::regclass, m.umid
    FROM pg_catalog.pg_user_mappings m
  UNION ALL SELECT 'large objects', count(*)::text, '', 0::regclass, 0::oid FROM pg_catalog.pg_largeobject_metadata HAVING count(*) > 0
  UNION ALL
    -- Who owns something here or is granted something. The server notes neither
    -- for the account that it was made with.
    SELECT 'role', r.rolname, CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END || CASE WHEN r.rolsuper THEN ' SUPERUSER' ELSE '' END,
           'pg_catalog.pg_authid'::regclass, r.oid
    FROM pg_catalog.pg_roles r
    WHERE r.oid IN (SELECT d.refobjid FROM pg_catalog.pg_shdepend d
                    WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
                      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
       OR r.oid IN (SELECT c.relowner FROM pg_catalog.pg_class c JOIN ours n ON n.oid = c.relnamespace)
)
SELECT f.kind, f.name, f.words,
       coalesce((SELECT string_agg(d.description, E'\n' ORDER BY d.objsubid) FROM pg_catalog.pg_description d
                 WHERE d.classoid = f.classid AND f.objid <> 0
                   AND (d.objoid = f.objid OR d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid IN (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid = f.objid))), ''),
       coalesce((SELECT string_agg(w.words, E'\n' ORDER BY w.words)
                 FROM (SELECT 'DEFAULT ' || pg_catalog.pg_get_expr(e.adbin, e.adrelid) AS words FROM pg_catalog.pg_attrdef e WHERE e.adrelid = f.objid
                       UNION ALL SELECT pg_catalog.pg_get_indexdef(x.indexrelid) FROM pg_catalog.pg_index x WHERE x.indrelid = f.objid) w
                 WHERE f.kind IN ('view', 'materialized view')), ''),
       f.classid::oid, f.objid
FROM found f
ORDER BY f.kind, f.name
