-- What has a line break in its name, its schema's or its table's: how a dump calls it, which puts
-- blanks in their place. A routine's parameters stand behind.
WITH found AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid AS class, c.oid, c.relnamespace AS schema, c.relname::text AS name FROM pg_catalog.pg_class c
  UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typnamespace, t.typname FROM pg_catalog.pg_type t
  UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.pronamespace, p.proname FROM pg_catalog.pg_proc p
  UNION ALL
    SELECT 'pg_catalog.pg_operator'::regclass, o.oid, o.oprnamespace, o.oprname FROM pg_catalog.pg_operator o
  UNION ALL
    SELECT 'pg_catalog.pg_opclass'::regclass, o.oid, o.opcnamespace, o.opcname FROM pg_catalog.pg_opclass o
  UNION ALL
    SELECT 'pg_catalog.pg_opfamily'::regclass, o.oid, o.opfnamespace, o.opfname FROM pg_catalog.pg_opfamily o
  UNION ALL
    SELECT 'pg_catalog.pg_collation'::regclass, c.oid, c.collnamespace, c.collname FROM pg_catalog.pg_collation c
  UNION ALL
    SELECT 'pg_catalog.pg_conversion'::regclass, c.oid, c.connamespace, c.conname FROM pg_catalog.pg_conversion c
  UNION ALL
    SELECT 'pg_catalog.pg_ts_config'::regclass, t.oid, t.cfgnamespace, t.cfgname FROM pg_catalog.pg_ts_config t
  UNION ALL
    SELECT 'pg_catalog.pg_ts_dict'::regclass, t.oid, t.dictnamespace, t.dictname FROM pg_catalog.pg_ts_dict t
  UNION ALL
    SELECT 'pg_catalog.pg_ts_parser'::regclass, t.oid, t.prsnamespace, t.prsname FROM pg_catalog.pg_ts_parser t
  UNION ALL
    SELECT 'pg_catalog.pg_ts_template'::regclass, t.oid, t.tmplnamespace, t.tmplname FROM pg_catalog.pg_ts_template t
  UNION ALL
    SELECT 'pg_catalog.pg_statistic_ext'::regclass, s.oid, s.stxnamespace, s.stxname FROM pg_catalog.pg_statistic_ext s
  UNION ALL
    SELECT 'pg_catalog.pg_namespace'::regclass, n.oid, 0, n.nspname FROM pg_catalog.pg_namespace n
  UNION ALL
    SELECT 'pg_catalog.pg_publication'::regclass, p.oid, 0, p.pubname FROM pg_catalog.pg_publication p
  UNION ALL
    SELECT 'pg_catalog.pg_event_trigger'::regclass, e.oid, 0, e.evtname FROM pg_catalog.pg_event_trigger e
  UNION ALL -- of tables: "table name"
    SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, c.relnamespace, c.relname || ' ' || a.attname
    FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = d.adrelid JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, o.oid, o.connamespace, coalesce(c.relname, t.typname) || ' ' || o.conname
    FROM pg_catalog.pg_constraint o LEFT JOIN pg_catalog.pg_class c ON c.oid = o.conrelid LEFT JOIN pg_catalog.pg_type t ON t.oid = o.contypid
  UNION ALL
    SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, c.relnamespace, c.relname || ' ' || t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, c.relnamespace, c.relname || ' ' || r.rulename FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  UNION ALL
    SELECT 'pg_catalog.pg_policy'::regclass, p.oid, c.relnamespace, c.relname || ' ' || p.polname FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
  UNION ALL
    SELECT 'pg_catalog.pg_publication_rel'::regclass, r.oid, c.relnamespace, p.pubname || ' ' || c.relname
    FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
)
SELECT f.class, f.oid, coalesce(n.nspname, ''), f.name
FROM found f LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.schema
WHERE f.name ~ '[\n\r]' OR n.nspname ~ '[\n\r]'
