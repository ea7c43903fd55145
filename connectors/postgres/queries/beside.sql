-- What a database holds that is no object of its own: rights that roles have been given, or
-- PUBLIC has lost, also on what belongs to an extension or to every database, settings for a role, security labels, tablespaces, and tables of extensions, which may
-- hold rows of users. That a list of rights is not null goes without saying, save for the planner,
-- which would start workers for it.
WITH whole AS (
    SELECT 'database rights' AS kind, '' AS what, 'd'::"char" AS class, datacl AS acl, datdba AS owner
    FROM pg_catalog.pg_database WHERE datname = current_database() AND datacl IS NOT NULL
  UNION ALL
    SELECT 'language rights', ' on ' || lanname, 'l', lanacl, lanowner FROM pg_catalog.pg_language WHERE lanacl IS NOT NULL
), changed AS (
    SELECT w.kind, w.what, 'given to' AS how, x.grantee, x.privilege_type
    FROM whole w CROSS JOIN LATERAL aclexplode(w.acl) x
    WHERE x.grantee <> w.owner AND (x.grantee, x.privilege_type) NOT IN (SELECT d.grantee, d.privilege_type FROM aclexplode(acldefault(w.class, w.owner)) d)
  UNION ALL
    SELECT w.kind, w.what, 'taken from', d.grantee, d.privilege_type
    FROM whole w CROSS JOIN LATERAL aclexplode(acldefault(w.class, w.owner)) d
    WHERE d.grantee <> w.owner AND (d.grantee, d.privilege_type) NOT IN (SELECT x.grantee, x.privilege_type FROM aclexplode(w.acl) x)
), stated AS (
    SELECT c.kind, string_agg(c.privilege_type, ', ' ORDER BY c.privilege_type) || c.what || ' ' || c.how || ' ' || coalesce(r.rolname, 'PUBLIC') AS name
    FROM changed c LEFT JOIN pg_catalog.pg_roles r ON r.oid = c.grantee
    WHERE c.grantee = 0 OR r.oid IS NOT NULL
    GROUP BY c.kind, c.what, c.how, r.rolname
), of_public AS (
    SELECT x.grantee, x.privilege_type, x.is_grantable
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x WHERE n.nspname = 'public' AND x.grantee <> n.nspowner
), of_new AS ( -- what the server gives on the schema public of a new database
    SELECT 0::oid AS grantee, r AS privilege_type, false AS is_grantable
    FROM unnest(ARRAY['USAGE', CASE WHEN current_setting('server_version_num')::integer < 150000 THEN 'CREATE' END]) r
    WHERE r IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')
), public AS (
    (TABLE of_public EXCEPT TABLE of_new) UNION ALL (TABLE of_new EXCEPT TABLE of_public)
), made AS ( -- by an extension or by PostgreSQL itself, and given rights since by people
    SELECT 'pg_catalog.pg_class'::regclass AS class, oid, (CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char" AS kind, relnamespace AS schema, relacl AS acl, relowner AS owner FROM pg_catalog.pg_class
  UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, oid, 'f', pronamespace, proacl, proowner FROM pg_catalog.pg_proc
  UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, oid, 'T', typnamespace, typacl, typowner FROM pg_catalog.pg_type
), regiven AS (
    SELECT DISTINCT coalesce(x.extname, '') AS extension
    FROM made m
    LEFT JOIN pg_catalog.pg_depend e ON e.classid = m.class AND e.objid = m.oid AND e.deptype = 'e' AND e.refclassid = 'pg_catalog.pg_extension'::regclass
    LEFT JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
    LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = m.class AND i.objoid = m.oid AND i.objsubid = 0
    WHERE m.acl IS NOT NULL AND (x.oid IS NOT NULL OR m.schema = 'pg_catalog'::regnamespace) AND EXISTS (
        SELECT FROM (SELECT grantee, privilege_type FROM aclexplode(m.acl)) a
        FULL JOIN (SELECT grantee, privilege_type FROM aclexplode(coalesce(i.initprivs, acldefault(m.kind, m.owner)))) b USING (grantee, privilege_type)
        WHERE a IS NULL OR b IS NULL)
)
SELECT 'grants', count(*)::text, ''
FROM (
    SELECT x.grantee <> c.relowner AS given, c.oid, 'pg_catalog.pg_class'::regclass AS class, n.nspname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) x WHERE c.relacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> n.nspowner, n.oid, 'pg_catalog.pg_namespace'::regclass, n.nspname
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x WHERE n.nspacl IS NOT NULL AND n.nspname <> 'public'
  UNION ALL
    SELECT x.grantee <> p.proowner AND x.grantee <> 0, p.oid, 'pg_catalog.pg_proc'::regclass, n.nspname
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace CROSS JOIN LATERAL aclexplode(p.proacl) x WHERE p.proacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> t.typowner AND x.grantee <> 0, t.oid, 'pg_catalog.pg_type'::regclass, n.nspname
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace CROSS JOIN LATERAL aclexplode(t.typacl) x WHERE t.typacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> c.relowner, c.oid, 'pg_catalog.pg_attribute'::regclass, n.nspname
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(a.attacl) x WHERE a.attacl IS NOT NULL
  UNION ALL
    SELECT true, p.oid, 'pg_catalog.pg_proc'::regclass, n.nspname
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0)
  UNION ALL
    SELECT true, t.oid, 'pg_catalog.pg_type'::regclass, n.nspname
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(t.typacl) x WHERE x.grantee = 0)
  UNION ALL
    SELECT true, 0, NULL, 'public' FROM public
  UNION ALL
    SELECT true, 0, NULL, '' FROM stated WHERE kind = 'database rights'
) g
WHERE given AND nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_init_privs i WHERE i.classoid = g.class AND i.objoid = g.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = g.class AND e.objid = g.oid AND e.deptype = 'e')
HAVING count(*) > 0
UNION ALL SELECT kind, name, '' FROM stated
UNION ALL
SELECT 'rights', CASE extension WHEN '' THEN 'on objects of PostgreSQL itself' ELSE 'on objects of extension ' || extension END, extension
FROM regiven WHERE extension <> 'plpgsql'
UNION ALL
SELECT 'role setting', r.rolname || '.' || split_part(c.setting, '=', 1), ''
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS c(setting)
WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
UNION ALL
SELECT 'tablespace', t.spcname, ''
FROM pg_catalog.pg_tablespace t
WHERE t.oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_')
   OR t.spcname <> 'pg_default' AND t.oid = (SELECT d.dattablespace FROM pg_catalog.pg_database d WHERE d.datname = current_database())
UNION ALL SELECT 'default privileges', count(*)::text, '' FROM pg_catalog.pg_default_acl HAVING count(*) > 0
UNION ALL SELECT 'security labels', count(*)::text, '' FROM pg_catalog.pg_seclabel HAVING count(*) > 0
UNION ALL
SELECT 'extension rows', n.nspname || '.' || c.relname, x.extname
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_depend u ON u.refclassid = 'pg_catalog.pg_extension'::regclass AND u.refobjid = x.oid AND u.classid = 'pg_catalog.pg_class'::regclass AND u.deptype = 'e'
JOIN pg_catalog.pg_class c ON c.oid = u.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
UNION ALL -- What stands in a schema that is neither its extension's nor made by one, nor the system's: people may have added it.
SELECT 'extension member', i.type || ' ' || i.identity, x.extname
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
WHERE coalesce(p.pronamespace, c.relnamespace) NOT IN (x.extnamespace, 'pg_catalog'::regnamespace)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_namespace'::regclass AND e.objid = coalesce(p.pronamespace, c.relnamespace) AND e.deptype = 'e')
ORDER BY 1, 2
