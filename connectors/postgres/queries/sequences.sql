-- Every sequence, once for each column that it fills: the one that owns it comes first, then
-- columns whose defaults draw from it. A column of a parent stands for those of its children.
-- Number types of extensions have no cast that is known.
WITH drawn AS (
    SELECT d.seq, d.relid, d.num, min(d.rank) AS rank
    FROM (
        SELECT d.objid AS seq, d.refobjid AS relid, d.refobjsubid AS num, 0 AS rank
        FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
      UNION ALL
        SELECT d.refobjid, e.adrelid, e.adnum, 1
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_attrdef e ON e.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
          AND d.refclassid = 'pg_catalog.pg_class'::regclass
    ) d
    JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.seq
    GROUP BY d.seq, d.relid, d.num
), filled AS (
    SELECT d.seq, d.relid, d.rank, tn.nspname, t.relname, a.attname, a.attnum
    FROM drawn d
    JOIN pg_catalog.pg_class t ON t.oid = d.relid AND t.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.relid AND a.attnum = d.num
    JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid AND ty.typcategory = 'N' AND (ty.oid < 16384 OR ty.typtype = 'd')
)
SELECT n.nspname, c.relname, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, s.seqstart,
       coalesce(f.nspname, ''), coalesce(f.relname, ''), coalesce(f.attname, '')
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN filled f ON f.seq = s.seqrelid
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                  JOIN filled p ON p.relid = i.inhparent AND p.seq = f.seq AND p.attname = f.attname
                  WHERE i.inhrelid = f.relid)
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname, f.rank, f.nspname, f.relname, f.attnum
