-- What is said of database $1 itself: how many may connect, or nobody; that it is a template; the
-- rights that are not its owner's, if there are others than a new database has; its settings, and
-- those of roles in it.
WITH d AS (SELECT * FROM pg_catalog.pg_database WHERE datname = $1)
SELECT 'limit', '', datconnlimit::text, false FROM d WHERE datconnlimit >= 0
UNION ALL SELECT 'template', '', '', false FROM d WHERE datistemplate
UNION ALL SELECT 'closed', '', '', false FROM d WHERE NOT datallowconn
UNION ALL SELECT 'rights', '', '', false FROM d WHERE datacl IS NOT NULL
UNION ALL
SELECT 'right', coalesce(r.rolname, ''), x.privilege_type, x.is_grantable
FROM d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) x LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
WHERE d.datacl IS NOT NULL AND x.grantee <> d.datdba AND (x.grantee = 0 OR r.oid IS NOT NULL)
UNION ALL
SELECT 'setting', coalesce(r.rolname, ''), c.kv, false
FROM d JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid CROSS JOIN LATERAL unnest(s.setconfig) AS c(kv) LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
WHERE s.setrole = 0 OR r.oid IS NOT NULL
ORDER BY 1, 2, 3
