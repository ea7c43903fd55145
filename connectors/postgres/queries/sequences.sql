-- Every sequence, and the column that it fills: the one that owns it, else a
-- column whose default draws from it. A parent comes before its partitions.
SELECT n.nspname, c.relname, s.seqincrement, s.seqmin, s.seqmax, s.seqstart,
       coalesce(f.nspname, ''), coalesce(f.relname, ''), coalesce(f.attname, '')
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT tn.nspname, t.relname, a.attname
    FROM (
        SELECT d.refobjid AS relid, d.refobjsubid AS num, 0 AS rank
        FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
      UNION ALL
        SELECT e.adrelid, e.adnum, 1
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_attrdef e ON e.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.seqrelid
    ) o
    JOIN pg_catalog.pg_class t ON t.oid = o.relid AND t.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = o.relid AND a.attnum = o.num
    JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid AND ty.typcategory = 'N'
    ORDER BY o.rank, t.relispartition, EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = t.oid), tn.nspname, t.relname, a.attnum
    LIMIT 1
) f ON true
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname
