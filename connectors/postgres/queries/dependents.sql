-- What depends on the objects in $1 (catalogs) and $2 (ids there), by one step: the rule of
-- a view stands for the view, and the default of a column for the column. Names are those
-- that people use.
SELECT d.refclassid, d.refobjid,
       CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::regclass::oid END,
       CASE WHEN r.oid IS NULL THEN d.objid ELSE r.ev_class END,
       d.objsubid,
       -- Part of what is asked about, or of an extension: it has no name of its own.
       d.deptype IN ('e', 'i') OR coalesce(i.schema, '') LIKE 'pg\_toast%' OR EXISTS (
           SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
           -- So are the parts of an operator class of an extension.
           OR d.classid IN ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass) AND EXISTS (
           SELECT FROM pg_catalog.pg_depend o JOIN pg_catalog.pg_depend e ON e.classid = o.refclassid AND e.objid = o.refobjid AND e.deptype = 'e'
           WHERE o.classid = d.classid AND o.objid = d.objid AND o.deptype IN ('i', 'a')),
       -- A function is tied by its signature to types, by its body to anything else.
       d.refclassid = 'pg_catalog.pg_type'::regclass,
       CASE WHEN f.oid IS NOT NULL THEN 'default' WHEN k.oid IS NOT NULL THEN 'constraint' ELSE i.type END,
       CASE WHEN f.oid IS NOT NULL THEN fn.nspname || '.' || fc.relname || '.' || a.attname
            WHEN k.oid IS NOT NULL THEN kn.nspname || '.' || coalesce(kc.relname, kt.typname) || '.' || k.conname
            WHEN i.type IN ('index', 'table', 'composite type') THEN i.schema || '.' || i.name
            ELSE coalesce(i.identity, '') END,
       coalesce(fn.nspname, ''), coalesce(fc.relname, ''), coalesce(a.attname, ''), coalesce(pg_catalog.pg_get_expr(f.adbin, f.adrelid), ''),
       coalesce(a.attgenerated, '') <> '',
       -- A CHECK, by what it is of.
       CASE WHEN k.contype <> 'c' OR k.oid IS NULL THEN 0::oid WHEN kc.oid IS NOT NULL THEN 'pg_catalog.pg_class'::regclass::oid ELSE 'pg_catalog.pg_type'::regclass::oid END,
       coalesce(kc.oid, kt.oid, 0::oid),
       -- A column, a default or a constraint of what an extension has made goes with that.
       (f.oid IS NOT NULL OR k.oid IS NOT NULL OR d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0) AND EXISTS (
           SELECT FROM pg_catalog.pg_depend e WHERE e.refclassid = 'pg_catalog.pg_extension'::regclass AND e.deptype = 'e'
           AND e.classid = CASE WHEN kt.oid IS NOT NULL THEN 'pg_catalog.pg_type'::regclass ELSE 'pg_catalog.pg_class'::regclass END
           AND e.objid = coalesce(fc.oid, kc.oid, kt.oid, d.objid))
FROM unnest($1::oid[], $2::oid[]) AS asked(class, id)
JOIN pg_catalog.pg_depend d ON d.refclassid = asked.class AND d.refobjid = asked.id AND d.deptype <> 'p'
LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_catalog.pg_class fc ON fc.oid = f.adrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid AND (k.conrelid <> 0 OR k.contypid <> 0)
LEFT JOIN pg_catalog.pg_class kc ON kc.oid = k.conrelid
LEFT JOIN pg_catalog.pg_type kt ON kt.oid = k.contypid
LEFT JOIN pg_catalog.pg_namespace kn ON kn.oid = coalesce(kc.relnamespace, kt.typnamespace)
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
WHERE (d.classid, d.objid) <> (d.refclassid, d.refobjid)
  -- What a publication lists goes with it.
  AND d.classid <> 'pg_catalog.pg_publication_rel'::regclass
ORDER BY 1, 2, 8, 9
