-- Whether all the tables in $1 are there and this account may read them whole. A name is looked up in
-- the catalog: to_regclass fails, and gives no NULL, where the account may not use the schema.
SELECT coalesce(bool_and(coalesce(
         (SELECT CASE WHEN pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                      THEN pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid) END
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = pg_catalog.split_part(name, '.', 1) AND c.relname = pg_catalog.split_part(name, '.', 2)), false)), false)
FROM unnest($1::text[]) name
