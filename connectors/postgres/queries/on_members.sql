-- What people have put on tables and views of extensions and no extension has made, since it needs what
-- somebody else has made: triggers, rules, indexes and constraints.
WITH members AS (
    SELECT d.classid, d.objid, x.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
), parts AS (
    SELECT 'trigger' AS kind, 'pg_catalog.pg_trigger'::regclass AS classid, t.oid, t.tgrelid AS relid, t.tgname AS name FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal
  UNION ALL
    SELECT 'rule', 'pg_catalog.pg_rewrite'::regclass, w.oid, w.ev_class, w.rulename FROM pg_catalog.pg_rewrite w WHERE w.rulename <> '_RETURN'
  UNION ALL
    SELECT 'constraint', 'pg_catalog.pg_constraint'::regclass, o.oid, o.conrelid, o.conname FROM pg_catalog.pg_constraint o WHERE o.contype IN ('c', 'f', 'x')
  UNION ALL
    SELECT 'index', 'pg_catalog.pg_class'::regclass, i.indexrelid, i.indrelid, c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
)
SELECT p.kind, n.nspname || '.' || CASE p.kind WHEN 'index' THEN '' ELSE c.relname || '.' END || p.name,
       pg_catalog.format('%I.%I', n.nspname, c.relname), m.extname, p.classid::oid, p.oid
FROM parts p
JOIN members m ON m.classid = 'pg_catalog.pg_class'::regclass AND m.objid = p.relid
JOIN pg_catalog.pg_class c ON c.oid = p.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = p.classid AND d.objid = p.oid AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a') AND d.refobjid <> p.relid
      AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)
      AND NOT EXISTS (SELECT FROM members o WHERE o.classid = d.refclassid AND o.objid = d.refobjid))
ORDER BY 1, 2
