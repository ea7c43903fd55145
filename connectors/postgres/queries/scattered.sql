-- Partitioned tables whose rows may belong to another partition at another server.
-- By hash: of what is another at each server, as a label of an enum is: by the number under which
-- the server keeps it. Of types and classes that are not the server's own, and of expressions,
-- nothing is known. By range: of texts in an order that a library has, which may be of another
-- version there. By any of them: under a collation by whose library texts are equal that differ.
WITH ordered AS (
    SELECT co.oid, co.collisdeterministic,
           CASE co.collprovider
             WHEN 'c' THEN co.collcollate NOT IN ('C', 'POSIX')
             WHEN 'd' THEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') <> 'b' AND d.datcollate NOT IN ('C', 'POSIX')
                        OR to_jsonb(d) ->> 'datlocprovider' = 'i'
             ELSE co.collprovider <> 'b'
           END AS by_library
    FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
), keys AS (
    SELECT p.partrelid, p.partstrat, p.partclass, k.num, a.atttypid,
           EXISTS (SELECT FROM ordered o WHERE o.oid = ANY (p.partcollation::oid[]) AND o.by_library) AS by_library,
           EXISTS (SELECT FROM ordered o WHERE o.oid = ANY (p.partcollation::oid[]) AND NOT o.collisdeterministic) AS folded
    FROM pg_catalog.pg_partitioned_table p
    CROSS JOIN LATERAL unnest(p.partattrs::int2[]) k(num)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.num
)
SELECT DISTINCT n.nspname, c.relname
FROM keys k
JOIN pg_catalog.pg_class c ON c.oid = k.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_type t ON t.oid = k.atttypid
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE k.folded
   OR k.partstrat = 'r' AND k.by_library
   OR k.partstrat = 'h' AND (k.num = 0 OR t.oid >= 16384 OR t.typtype <> 'b' OR t.typname ~ '^reg'
      OR e.oid >= 16384 OR e.typtype <> 'b' OR e.typname ~ '^reg'
      OR EXISTS (SELECT FROM unnest(k.partclass::oid[]) o(id) WHERE o.id >= 16384))
ORDER BY 1, 2
