-- Tables partitioned by the hash of what is another at each server, as a label of an enum is: by
-- the number under which the server keeps it, or a text under a collation by whose library texts
-- are equal that differ. Of types and classes that are not the server's own, and of expressions,
-- nothing is known.
WITH keys AS (
    SELECT p.partrelid, p.partclass, p.partcollation, k.num, a.atttypid
    FROM pg_catalog.pg_partitioned_table p
    CROSS JOIN LATERAL unnest(p.partattrs::int2[]) k(num)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.num
    WHERE p.partstrat = 'h'
)
SELECT DISTINCT n.nspname, c.relname
FROM keys k
JOIN pg_catalog.pg_class c ON c.oid = k.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_type t ON t.oid = k.atttypid
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE k.num = 0 OR t.oid >= 16384 OR t.typtype <> 'b' OR t.typname ~ '^reg'
   OR e.oid >= 16384 OR e.typtype <> 'b' OR e.typname ~ '^reg'
   OR EXISTS (SELECT FROM unnest(k.partclass::oid[]) o(id) WHERE o.id >= 16384)
   OR EXISTS (SELECT FROM unnest(k.partcollation::oid[]) o(id) JOIN pg_catalog.pg_collation co ON co.oid = o.id WHERE NOT co.collisdeterministic)
ORDER BY 1, 2
