-- Settings by which views, triggers and CHECKs compute what they do: as the database has them,
-- or else as this session found them, whatever it has made of them. A configuration of text
-- search is named with its schema, since sessions have no search path.
WITH found AS (
    SELECT s.name, coalesce((SELECT pg_catalog.split_part(c.kv, '=', 2)
                             FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL unnest(r.setconfig) c(kv)
                             WHERE r.setrole = 0 AND r.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                               AND pg_catalog.lower(pg_catalog.split_part(c.kv, '=', 1)) = pg_catalog.lower(s.name)), s.reset_val) AS value
    FROM pg_catalog.pg_settings s
    WHERE s.name IN ('TimeZone', 'default_text_search_config')
)
SELECT f.name, coalesce((SELECT pg_catalog.format('%I.%I', n.nspname, t.cfgname)
                         FROM pg_catalog.pg_ts_config t JOIN pg_catalog.pg_namespace n ON n.oid = t.cfgnamespace
                         WHERE f.name = 'default_text_search_config' AND t.cfgname = f.value
                         ORDER BY n.nspname = 'pg_catalog' DESC, n.nspname = 'public' DESC, n.nspname LIMIT 1), f.value)
FROM found f
ORDER BY 1
