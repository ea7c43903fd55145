-- How the database was made. Columns that a version lacks read as NULL.
SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
       coalesce(to_jsonb(d) ->> 'daticurules', ''),
       coalesce((SELECT array_agg(s) FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL unnest(r.setconfig) s
                 WHERE r.setdatabase = d.oid AND r.setrole = 0), '{}'::text[])
FROM pg_catalog.pg_database d
WHERE d.datname = current_database()
