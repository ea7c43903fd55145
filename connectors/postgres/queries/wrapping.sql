-- The extensions that bring a foreign data wrapper.
SELECT DISTINCT x.extname
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
WHERE d.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
