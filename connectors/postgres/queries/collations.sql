-- Collations under which texts may be equal whose bytes differ.
SELECT c.oid, c.collprovider::text, coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate, ''),
       coalesce(to_jsonb(c) ->> 'collicurules', '')
FROM pg_catalog.pg_collation c
WHERE NOT c.collisdeterministic
