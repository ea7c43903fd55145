-- the keys of a range
SELECT ctid::text, "id"::text, "the year"::text FROM ONLY "public"."p 1" AS "events" WHERE ctid >= '(10,0)' AND ctid < '(20,0)' AND (
at > (timestamptz '2026-01-02 03:04:05+00') - interval '1 day' AND note <> 'now()' AND day < (timestamptz '2026-01-02 03:04:05+00')::date
);

-- the rows that stay
COPY (SELECT "id", "the year" FROM ONLY "public"."p 1" WHERE ctid = ANY ('{"(0,1)","(0,7)"}'::pg_catalog.tid[])) TO STDOUT (FORMAT binary);

-- a condition alone, a range
COPY (SELECT "id", "the year" FROM ONLY "public"."p 1" AS "events" WHERE ctid >= '(10,0)' AND ctid < '(20,0)' AND (
at > (timestamptz '2026-01-02 03:04:05+00') - interval '1 day' AND note <> 'now()' AND day < (timestamptz '2026-01-02 03:04:05+00')::date
)) TO STDOUT (FORMAT binary);

-- a condition alone, a whole table
COPY (SELECT "id", "the year" FROM ONLY "public"."p 1" AS "events" WHERE (
at > (timestamptz '2026-01-02 03:04:05+00') - interval '1 day' AND note <> 'now()' AND day < (timestamptz '2026-01-02 03:04:05+00')::date
)) TO STDOUT (FORMAT binary);

-- the keys of a whole table
SELECT ctid::text, "id"::text, "the year"::text FROM ONLY "public"."p 1" AS "events";

-- a sample of a small table
SELECT pg_catalog.left("id"::text, 4096), pg_catalog.left("the year"::text, 4096) FROM ONLY "public"."p 1" LIMIT 100;

-- a sample of a large table
SELECT pg_catalog.left("id"::text, 4096), NULL::text, NULL::text, pg_catalog.left(CASE WHEN pg_catalog.num_nulls("mood") = 0 THEN pg_catalog.format('%s', "mood") END, 4096) FROM ONLY "public"."p 1" TABLESAMPLE SYSTEM (0.125) REPEATABLE (1) LIMIT 100;

