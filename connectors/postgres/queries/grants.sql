-- The rights that roles have been given, as what GRANT and REVOKE say: first those that
-- PUBLIC has lost, then those that somebody has got. Rights that an extension gives come
-- with it, and those of an owner with the object. The database gets its name, for %I, where it is made.
-- What closes a function that runs with the rights of its owner is told from the rest.
WITH ours AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), found AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || format('%I.%I', n.nspname, c.relname) AS what, '' AS part, c.relacl AS acl, c.relowner AS owner,
           'pg_catalog.pg_class'::regclass AS class, c.oid, false AS open, false AS definer
    FROM pg_catalog.pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
    SELECT 'TABLE ' || format('%I.%I', n.nspname, c.relname), format('(%I)', a.attname), a.attacl, c.relowner, 'pg_catalog.pg_class'::regclass, c.oid, false, false
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN ours n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
  UNION ALL
    SELECT 'SCHEMA ' || format('%I', n.nspname), '', CASE WHEN n.nspname = 'public' THEN coalesce(s.nspacl, acldefault('n', s.nspowner)) ELSE s.nspacl END, s.nspowner,
           'pg_catalog.pg_namespace'::regclass, n.oid, n.nspname = 'public', false
    FROM ours n JOIN pg_catalog.pg_namespace s ON s.oid = n.oid
  UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || format('%I.%I(%s)', n.nspname, p.proname,
               -- By its types alone: GRANT knows neither ORDER BY nor VARIADIC.
               (SELECT string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.pos) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(type, pos))),
           '', p.proacl, p.proowner, 'pg_catalog.pg_proc'::regclass, p.oid, true, p.prosecdef
    FROM pg_catalog.pg_proc p JOIN ours n ON n.oid = p.pronamespace
  UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || format('%I.%I', n.nspname, t.typname), '', t.typacl, t.typowner, 'pg_catalog.pg_type'::regclass, t.oid, true, false
    FROM pg_catalog.pg_type t JOIN ours n ON n.oid = t.typnamespace
  UNION ALL
    SELECT 'DATABASE %I', '', datacl, datdba, 'pg_catalog.pg_database'::regclass, oid, true, false FROM pg_catalog.pg_database WHERE datname = current_database()
), told AS (
    SELECT * FROM found f
    WHERE acl IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = f.class AND e.objid = f.oid AND e.deptype = 'e')
), said AS (
    SELECT t.class, t.oid, '' AS role, 'REVOKE ALL ON ' || t.what || ' FROM PUBLIC' AS sql, 0 AS step,
           t.definer AND NOT EXISTS (SELECT FROM aclexplode(t.acl) x WHERE x.grantee = 0) AS closes
    FROM told t WHERE t.open AND t.part = ''
  UNION ALL
    SELECT t.class, t.oid, coalesce(r.rolname, ''),
           'GRANT ' || x.privilege_type || t.part || ' ON ' || t.what || ' TO ' || coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC')
           || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, 1, false
    FROM told t CROSS JOIN LATERAL aclexplode(t.acl) x LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
    WHERE x.grantee <> t.owner AND (x.grantee = 0 OR r.oid IS NOT NULL)
)
SELECT s.class::oid, s.oid, s.role, s.sql, s.step, s.closes
FROM said s
ORDER BY 5, 4
