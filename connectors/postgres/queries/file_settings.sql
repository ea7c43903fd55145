-- What the settings named in $1 are in the server's files.
SELECT s.name, f.setting
FROM pg_catalog.pg_settings s JOIN pg_catalog.pg_file_settings f ON pg_catalog.lower(f.name) = pg_catalog.lower(s.name)
WHERE f.applied AND s.name = ANY ($1::text[])
