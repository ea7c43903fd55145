-- What uses the objects in $1 (catalogs) and $2 (ids there) by their ids and not by words, by one
-- step: the rule of a view stands for the view, and what an operator class is made of for the
-- class. What is no object by itself has a kind, and a name: of a table or a domain, a part.
SELECT d.refclassid, d.refobjid,
       CASE WHEN r.oid IS NOT NULL THEN 'pg_catalog.pg_class'::regclass::oid ELSE coalesce(o.refclassid, d.classid) END,
       coalesce(r.ev_class, o.refobjid, d.objid),
       CASE WHEN a.attgenerated = 's' THEN 'column' WHEN a.attgenerated = '' THEN 'default'
            WHEN k.contype IN ('c', 'x') OR e.contype = 'x' THEN 'constraint' WHEN e.contype IN ('p', 'u') THEN 'key'
            WHEN i.indexrelid IS NOT NULL THEN 'index' WHEN p.partrelid IS NOT NULL THEN 'partition key'
            WHEN t.typtype = 'd' THEN 'domain default' ELSE '' END,
       coalesce(n.nspname, ''), coalesce(c.relname, t.typname, ''), coalesce(a.attname, k.conname, x.relname, '')
FROM unnest($1::oid[], $2::oid[]) AS asked(class, id)
-- What is a part of a table or view, as a trigger, a rule or an index is, is not computed by it.
JOIN pg_catalog.pg_depend d ON d.refclassid = asked.class AND d.refobjid = asked.id
     AND CASE WHEN d.refclassid = 'pg_catalog.pg_class'::regclass THEN d.deptype = 'n' ELSE d.deptype <> 'p' END
LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
LEFT JOIN pg_catalog.pg_depend o ON d.classid IN ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass) AND o.classid = d.classid AND o.objid = d.objid AND o.deptype = 'i'
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
-- Before PostgreSQL 15 what a computed column is made of belongs to the column itself.
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
     OR d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0 AND a.attrelid = d.objid AND a.attnum = d.objsubid AND a.attgenerated <> ''
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = d.objid
LEFT JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint e ON e.conindid = i.indexrelid AND e.conrelid = i.indrelid AND e.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_partitioned_table p ON d.classid = 'pg_catalog.pg_class'::regclass AND p.partrelid = d.objid AND d.objsubid = 0
LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(a.attrelid, f.adrelid, k.conrelid, i.indrelid, p.partrelid)
LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid OR d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend m WHERE m.classid = d.classid AND m.objid = d.objid AND m.deptype = 'e')
ORDER BY 1, 2, 5, 6, 7, 8, 3, 4
