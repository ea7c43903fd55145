-- What calls the functions of the server in $1 without their names: operators, casts, aggregates,
-- and classes and families of operators, without those of extensions. The server notes for none that it depends
-- on a function of its own.
SELECT f.name, x.class, x.id, i.type, i.identity
FROM (SELECT p.oid, p.proname::text AS name FROM pg_catalog.pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1::text[])) f
CROSS JOIN LATERAL (
    SELECT 'pg_catalog.pg_operator'::regclass::oid AS class, o.oid AS id FROM pg_catalog.pg_operator o WHERE f.oid IN (o.oprcode, o.oprrest, o.oprjoin)
  UNION ALL
    SELECT 'pg_catalog.pg_cast'::regclass, c.oid FROM pg_catalog.pg_cast c WHERE c.castfunc = f.oid
  UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, a.aggfnoid FROM pg_catalog.pg_aggregate a
    WHERE f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
  UNION ALL
    SELECT d.refclassid, d.refobjid
    FROM pg_catalog.pg_amproc m
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_amproc'::regclass AND d.objid = m.oid AND d.deptype IN ('i', 'a')
         AND d.refclassid IN ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_opfamily'::regclass)
    WHERE m.amproc = f.oid) x
CROSS JOIN LATERAL pg_catalog.pg_identify_object(x.class, x.id, 0) i
WHERE x.id >= 16384 -- the server's own
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = x.class AND e.objid = x.id AND e.deptype = 'e')
ORDER BY i.type, i.identity, f.name
