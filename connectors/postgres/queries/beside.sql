-- What a database holds that is no object of its own: rights that roles have been given,
-- security labels, and tables of extensions that hold rows of users. That a list of rights
-- is not null goes without saying, save for the planner, which would start workers for it.
SELECT 'grants', count(*)::text, ''
FROM (
    SELECT x.grantee <> c.relowner AS given, c.oid, 'pg_catalog.pg_class'::regclass AS class, x.grantee, x.privilege_type, n.nspname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) x WHERE c.relacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> n.nspowner, n.oid, 'pg_catalog.pg_namespace'::regclass, x.grantee, x.privilege_type, n.nspname
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x WHERE n.nspacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> p.proowner AND x.grantee <> 0, p.oid, 'pg_catalog.pg_proc'::regclass, x.grantee, x.privilege_type, n.nspname
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace CROSS JOIN LATERAL aclexplode(p.proacl) x WHERE p.proacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> t.typowner AND x.grantee <> 0, t.oid, 'pg_catalog.pg_type'::regclass, x.grantee, x.privilege_type, n.nspname
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace CROSS JOIN LATERAL aclexplode(t.typacl) x WHERE t.typacl IS NOT NULL
  UNION ALL
    SELECT x.grantee <> c.relowner, c.oid, 'pg_catalog.pg_attribute'::regclass, x.grantee, x.privilege_type, n.nspname
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(a.attacl) x WHERE a.attacl IS NOT NULL
) g
WHERE given AND nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_init_privs i WHERE i.classoid = g.class AND i.objoid = g.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = g.class AND e.objid = g.oid AND e.deptype = 'e')
HAVING count(*) > 0
UNION ALL SELECT 'default privileges', count(*)::text, '' FROM pg_catalog.pg_default_acl HAVING count(*) > 0
UNION ALL SELECT 'security labels', count(*)::text, '' FROM pg_catalog.pg_seclabel HAVING count(*) > 0
UNION ALL
SELECT 'extension rows', n.nspname || '.' || c.relname, x.extname
FROM pg_catalog.pg_extension x CROSS JOIN LATERAL unnest(x.extconfig) AS u(oid)
JOIN pg_catalog.pg_class c ON c.oid = u.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
ORDER BY 1, 2
