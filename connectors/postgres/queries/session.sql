-- Settings by which views, triggers and CHECKs compute what they do: as the database has them, or
-- all accounts, or else as this session found them, whatever it has made of them; which says
-- nothing where this account has a setting of its own. A configuration of text search is
-- named with its schema, since sessions have no search path.
WITH said AS (
    SELECT r.setrole = 0 AS of_all, r.setdatabase <> 0 AS here, pg_catalog.lower(pg_catalog.split_part(c.kv, '=', 1)) AS name,
           pg_catalog.substr(c.kv, pg_catalog.strpos(c.kv, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL unnest(r.setconfig) c(kv)
    WHERE r.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
      AND r.setrole IN (0, (SELECT u.oid FROM pg_catalog.pg_roles u WHERE u.rolname = session_user))
), found AS (
    SELECT s.name, (SELECT v.value FROM said v WHERE v.of_all AND v.name = pg_catalog.lower(s.name) ORDER BY v.here DESC LIMIT 1) AS said, s.reset_val,
           EXISTS (SELECT FROM said v WHERE NOT v.of_all AND v.name = pg_catalog.lower(s.name)) AS own
    FROM pg_catalog.pg_settings s
    WHERE s.name IN ('TimeZone', 'default_text_search_config', 'DateStyle', 'IntervalStyle', 'bytea_output', 'extra_float_digits', 'lc_monetary', 'lc_numeric', 'lc_time')
), named AS (
    SELECT f.name, coalesce(f.said, f.reset_val) AS value, f.said IS NULL AND f.own AS own FROM found f
)
SELECT f.name, coalesce((SELECT pg_catalog.format('%I.%I', n.nspname, t.cfgname)
                         FROM pg_catalog.pg_ts_config t JOIN pg_catalog.pg_namespace n ON n.oid = t.cfgnamespace
                         WHERE f.name = 'default_text_search_config' AND t.cfgname = f.value
                         ORDER BY n.nspname = 'pg_catalog' DESC, n.nspname = 'public' DESC, n.nspname LIMIT 1), f.value), f.own
FROM named f
ORDER BY 1
