-- Settings by which views, triggers and CHECKs compute what they do: as the database has them,
-- or else the server, whatever this session has made of them.
SELECT s.name, coalesce((SELECT pg_catalog.split_part(c.kv, '=', 2)
                         FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL unnest(r.setconfig) c(kv)
                         WHERE r.setrole = 0 AND r.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                           AND pg_catalog.lower(pg_catalog.split_part(c.kv, '=', 1)) = pg_catalog.lower(s.name)), s.reset_val)
FROM pg_catalog.pg_settings s
WHERE s.name IN ('TimeZone', 'default_text_search_config')
ORDER BY 1
