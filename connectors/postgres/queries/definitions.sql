-- The words of what the tables in $1 define beside columns and keys, with the columns
-- that each of them reads: CHECKs, indexes over expressions or for some rows, triggers
-- with the function that they call, and whether they fire for rows that are written there.
WITH found AS (
    SELECT 'check' AS kind, o.conrelid AS relid, o.conname AS name, pg_catalog.pg_get_constraintdef(o.oid, true) AS words, '' AS calls, false AS disabled,
           'pg_catalog.pg_constraint'::regclass AS classid, o.oid AS objid
    FROM pg_catalog.pg_constraint o
    WHERE o.contype = 'c' AND o.conrelid = ANY ($1::oid[])
  UNION ALL
    SELECT 'index', i.indrelid, c.relname, pg_catalog.pg_get_indexdef(i.indexrelid), '', false,
           'pg_catalog.pg_class'::regclass, i.indexrelid
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY ($1::oid[]) AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  UNION ALL
    SELECT 'trigger', t.tgrelid, t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true),
           n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', t.tgenabled IN ('D', 'R'),
           'pg_catalog.pg_trigger'::regclass, t.oid
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE NOT t.tgisinternal AND t.tgrelid = ANY ($1::oid[])
), reads AS (
    SELECT d.classid, d.objid, array_agg(DISTINCT d.refobjsubid ORDER BY d.refobjsubid) AS nums
    FROM pg_catalog.pg_depend d
    JOIN found f ON f.classid = d.classid AND f.objid = d.objid AND d.refobjid = f.relid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
    GROUP BY d.classid, d.objid
)
SELECT f.kind, f.relid, f.name, f.words, f.calls, f.disabled,
       ARRAY(SELECT a.attname::text FROM unnest(r.nums) WITH ORDINALITY x(num, pos)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.relid AND a.attnum = x.num ORDER BY x.pos)
FROM found f LEFT JOIN reads r ON r.classid = f.classid AND r.objid = f.objid
ORDER BY f.relid, f.kind, f.name
