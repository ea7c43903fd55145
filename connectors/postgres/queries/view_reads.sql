-- The columns that views and rules read: the server notes them as what the rule of the
-- view depends on. What reads a row as a whole depends on no column, but on the table.
SELECT n.nspname || '.' || v.relname || CASE WHEN r.rulename = '_RETURN' THEN '' ELSE '.' || r.rulename END,
       tn.nspname, t.relname, a.attname
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
     AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.refobjid <> r.ev_class
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
GROUP BY 1, 2, 3, 4, a.attnum
ORDER BY 1, 2, 3, a.attnum
