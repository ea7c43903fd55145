-- The roles that policies of row security are for, as a policy spells them; PUBLIC is none.
SELECT p.oid, array_agg(r.rolname::text ORDER BY r.rolname), array_agg(pg_catalog.quote_ident(r.rolname) ORDER BY r.rolname)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles r ON r.oid = ANY (p.polroles)
GROUP BY p.oid
