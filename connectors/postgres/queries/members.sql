-- What the extensions in $1 have made, and what stands on their tables and views: each with its kind,
-- the name that people use, the one that SQL does, the table or view that it is a part of, and what
-- may be changed of it. An extension without any has one line all the same.
WITH members AS (
    SELECT x.extname, d.classid, d.objid, 0 AS part, '' AS of
    FROM pg_catalog.pg_extension x
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
    WHERE x.extname = ANY ($1::text[])
      -- Rows of tables and views, and arrays, have types of their own.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
                      WHERE d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid
                        AND (c.relkind <> 'c' OR EXISTS (SELECT FROM pg_catalog.pg_type el WHERE el.typarray = t.oid)))
), relations AS (
    SELECT m.extname, c.oid, c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS of
    FROM members m JOIN pg_catalog.pg_class c ON m.classid = 'pg_catalog.pg_class'::regclass AND c.oid = m.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), found AS (
    SELECT * FROM members
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_class'::regclass, r.oid, a.attnum, r.of
    FROM relations r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE r.relkind IN ('r', 'p')
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_trigger'::regclass, t.oid, 0, r.of FROM relations r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_rewrite'::regclass, w.oid, 0, r.of FROM relations r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid WHERE w.rulename <> '_RETURN'
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_constraint'::regclass, o.oid, 0, r.of FROM relations r JOIN pg_catalog.pg_constraint o ON o.conrelid = r.oid WHERE o.contype IN ('c', 'f', 'p', 'u', 'x')
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_statistic_ext'::regclass, e.oid, 0, r.of FROM relations r JOIN pg_catalog.pg_statistic_ext e ON e.stxrelid = r.oid
  UNION ALL
    SELECT r.extname, 'pg_catalog.pg_class'::regclass, i.indexrelid, 0, r.of FROM relations r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conindid = i.indexrelid AND o.conrelid = i.indrelid)
)
SELECT x.extname::text, x.extversion, coalesce(i.type, ''),
       CASE WHEN p.oid IS NOT NULL THEN pn.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
            WHEN coalesce(t.tgname, w.rulename, o.conname) IS NOT NULL THEN rn.nspname || '.' || rc.relname || '.' || coalesce(t.tgname, w.rulename, o.conname)
            ELSE coalesce(i.identity, '') END,
       coalesce(i.identity, ''), coalesce(f.of, ''),
       coalesce(jsonb_strip_nulls(jsonb_build_object('comment', md5(s.description))) || CASE
           WHEN p.oid IS NOT NULL AND p.prokind <> 'a' THEN jsonb_build_object('volatility', p.provolatile, 'strict', p.proisstrict::text, 'leakproof', p.proleakproof::text, 'parallel', p.proparallel,
                'cost', p.procost::text, 'rows', p.prorows::text, 'definer', p.prosecdef::text, 'settings', coalesce(to_jsonb(p.proconfig)::text, '[]'), 'body', md5(l.lanname || ' ' || p.prosrc))
           WHEN d.oid IS NOT NULL THEN jsonb_build_object('options', coalesce(d.dictinitoption, ''))
           WHEN g.oid IS NOT NULL THEN coalesce((SELECT jsonb_object_agg('token ' || m.alias, m.dictionaries) FROM (
                SELECT k.alias, string_agg(tm.mapdict::regdictionary::text, ', ' ORDER BY tm.mapseqno) AS dictionaries
                FROM pg_catalog.pg_ts_config_map tm JOIN pg_catalog.ts_token_type(g.cfgparser) k ON k.tokid = tm.maptokentype WHERE tm.mapcfg = g.oid GROUP BY k.alias) m), '{}')
           ELSE '{}' END, '{}')::text
FROM pg_catalog.pg_extension x
LEFT JOIN found f ON f.extname = x.extname
LEFT JOIN LATERAL pg_catalog.pg_identify_object(f.classid, f.objid, f.part) i ON f.classid IS NOT NULL
LEFT JOIN pg_catalog.pg_proc p ON f.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = f.objid
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_ts_dict d ON f.classid = 'pg_catalog.pg_ts_dict'::regclass AND d.oid = f.objid
LEFT JOIN pg_catalog.pg_ts_config g ON f.classid = 'pg_catalog.pg_ts_config'::regclass AND g.oid = f.objid
LEFT JOIN pg_catalog.pg_trigger t ON f.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = f.objid
LEFT JOIN pg_catalog.pg_rewrite w ON f.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = f.objid
LEFT JOIN pg_catalog.pg_constraint o ON f.classid = 'pg_catalog.pg_constraint'::regclass AND o.oid = f.objid
LEFT JOIN pg_catalog.pg_class rc ON rc.oid = coalesce(t.tgrelid, w.ev_class, o.conrelid)
LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
LEFT JOIN pg_catalog.pg_description s ON s.classoid = f.classid AND s.objoid = f.objid AND s.objsubid = f.part
WHERE x.extname = ANY ($1::text[])
ORDER BY 1, 3, 5
