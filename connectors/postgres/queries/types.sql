-- Every type that a column of the tables in $1 uses, and every type that such a
-- type is made of: base of a domain, element, attribute, bound of a range.
WITH RECURSIVE used(id) AS (
    SELECT DISTINCT a.atttypid FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
    SELECT part.id FROM used JOIN pg_catalog.pg_type t ON t.oid = used.id
    CROSS JOIN LATERAL (
        SELECT t.typbasetype AS id WHERE t.typbasetype <> 0
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r
                  WHERE t.oid = r.rngtypid OR t.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
        UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                  WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) part
)
SELECT t.oid, t.typname, t.typtype::text, t.typbasetype, t.typtypmod, t.typnotnull,
       t.typsend = 0 OR t.typreceive = 0,
       -- What a value consists of: the element of an array whose elements are set
       -- apart by commas, the bound of a range or of a multirange.
       coalesce((SELECT e.oid FROM pg_catalog.pg_type e
                 WHERE t.typinput = 'pg_catalog.array_in'::regproc AND e.oid = t.typelem AND e.typdelim = ','),
                (SELECT r.rngsubtype FROM pg_catalog.pg_range r
                 WHERE t.oid = r.rngtypid OR t.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid), 0),
       coalesce((SELECT r.rngcollation FROM pg_catalog.pg_range r
                 WHERE t.oid = r.rngtypid OR t.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid), 0),
       coalesce((SELECT array_agg(part.id::bigint) FROM (
           SELECT t.typbasetype AS id WHERE t.typbasetype <> 0
           UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
           UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r
                     WHERE t.oid = r.rngtypid OR t.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
           UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                     WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
       ) part), '{}'::bigint[]),
       coalesce((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '{}'::text[])
FROM used JOIN pg_catalog.pg_type t ON t.oid = used.id
