-- Whether all the tables in $1 are there and this account may read them whole.
SELECT coalesce(bool_and(coalesce(
         CASE WHEN pg_catalog.to_regclass(name) IS NULL OR NOT pg_catalog.has_schema_privilege(split_part(name, '.', 1), 'USAGE') THEN false
              ELSE pg_catalog.has_table_privilege(pg_catalog.to_regclass(name), 'SELECT')
                   AND NOT pg_catalog.row_security_active(pg_catalog.to_regclass(name)) END, false)), false)
FROM unnest($1::text[]) name
