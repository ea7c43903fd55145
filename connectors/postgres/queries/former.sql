-- What the owner of database $1 has said of it itself, as SQL for the database that takes its place:
-- %1$I is that one's name. A setting stands beside its SQL, to be made as it is stored. What $2,
-- which takes its place, has by itself already stays as it is: rights, or a setting.
WITH former AS (SELECT * FROM pg_catalog.pg_database WHERE datname = $1), next AS (SELECT * FROM pg_catalog.pg_database WHERE datname = $2),
rights AS (
    SELECT x.grantee, x.privilege_type, x.is_grantable
    FROM former f CROSS JOIN next n CROSS JOIN LATERAL pg_catalog.aclexplode(f.datacl) x
    WHERE f.datacl IS NOT NULL AND n.datacl IS NULL AND x.grantee <> f.datdba
), set AS (
    SELECT r.setrole, c.kv
    FROM former f JOIN pg_catalog.pg_db_role_setting r ON r.setdatabase = f.oid CROSS JOIN LATERAL unnest(r.setconfig) AS c(kv)
    WHERE NOT EXISTS (SELECT FROM next n JOIN pg_catalog.pg_db_role_setting o ON o.setdatabase = n.oid AND o.setrole = r.setrole CROSS JOIN LATERAL unnest(o.setconfig) AS d(kv)
                      WHERE pg_catalog.split_part(d.kv, '=', 1) = pg_catalog.split_part(c.kv, '=', 1))
)
SELECT 'connection limit', '', 'ALTER DATABASE %1$I CONNECTION LIMIT ' || datconnlimit, 0 FROM former WHERE datconnlimit >= 0
UNION ALL
SELECT 'being a template', '', 'ALTER DATABASE %1$I IS_TEMPLATE true', 0 FROM former WHERE datistemplate
UNION ALL
SELECT 'rights of PUBLIC', '', 'REVOKE ALL ON DATABASE %1$I FROM PUBLIC', 1 FROM former f CROSS JOIN next n WHERE f.datacl IS NOT NULL AND n.datacl IS NULL
UNION ALL
SELECT 'rights of ' || coalesce(o.rolname, 'PUBLIC'), '',
       'GRANT ' || r.privilege_type || ' ON DATABASE %1$I TO ' || coalesce(pg_catalog.quote_ident(o.rolname), 'PUBLIC') || CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, 2
FROM rights r LEFT JOIN pg_catalog.pg_roles o ON o.oid = r.grantee
WHERE r.grantee = 0 OR o.oid IS NOT NULL
UNION ALL
SELECT 'setting ' || pg_catalog.split_part(s.kv, '=', 1) || coalesce(' for ' || o.rolname, ''), s.kv,
       CASE WHEN s.setrole = 0 THEN 'ALTER DATABASE %1$I' ELSE 'ALTER ROLE ' || pg_catalog.quote_ident(o.rolname) || ' IN DATABASE %1$I' END, 3
FROM set s LEFT JOIN pg_catalog.pg_roles o ON o.oid = s.setrole
WHERE s.setrole = 0 OR o.oid IS NOT NULL
ORDER BY 4, 1, 3
