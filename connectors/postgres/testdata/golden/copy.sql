-- a whole table, postgres binary
COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") TO STDOUT (FORMAT binary);

-- the first range, postgres binary
COPY (SELECT "from", "a""b", "naïve 🙂" FROM ONLY "select"."Two Words; DROP TABLE ""x""" WHERE ctid >= '(0,0)' AND ctid < '(6144,0)') TO STDOUT (FORMAT binary);

-- the last range, postgres binary
COPY (SELECT "from", "a""b", "naïve 🙂" FROM ONLY "select"."Two Words; DROP TABLE ""x""" WHERE ctid >= '(6144,0)') TO STDOUT (FORMAT binary);

-- a table without columns, postgres binary
COPY (SELECT  FROM ONLY "public"."bare") TO STDOUT (FORMAT binary);

-- into a table, postgres binary
COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") FROM STDIN (FORMAT binary);

-- into an emptied table, postgres binary
TRUNCATE ONLY "select"."Two Words; DROP TABLE ""x"""; COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") FROM STDIN (FORMAT binary, FREEZE);

-- into a table without columns, postgres binary
COPY "public"."bare" FROM STDIN (FORMAT binary);

-- a whole table, postgres text
COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") TO STDOUT (FORMAT text);

-- the first range, postgres text
COPY (SELECT "from", "a""b", "naïve 🙂" FROM ONLY "select"."Two Words; DROP TABLE ""x""" WHERE ctid >= '(0,0)' AND ctid < '(6144,0)') TO STDOUT (FORMAT text);

-- the last range, postgres text
COPY (SELECT "from", "a""b", "naïve 🙂" FROM ONLY "select"."Two Words; DROP TABLE ""x""" WHERE ctid >= '(6144,0)') TO STDOUT (FORMAT text);

-- a table without columns, postgres text
COPY (SELECT  FROM ONLY "public"."bare") TO STDOUT (FORMAT text);

-- into a table, postgres text
COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") FROM STDIN (FORMAT text);

-- into an emptied table, postgres text
TRUNCATE ONLY "select"."Two Words; DROP TABLE ""x"""; COPY "select"."Two Words; DROP TABLE ""x""" ("from", "a""b", "naïve 🙂") FROM STDIN (FORMAT text, FREEZE);

-- into a table without columns, postgres text
COPY "public"."bare" FROM STDIN (FORMAT text);

-- the values of a column
SELECT v, count(*) FROM (SELECT CASE WHEN pg_catalog.num_nulls("a""b") = 0 THEN pg_catalog.format('%s', "a""b") END COLLATE "C" AS v FROM ONLY "select"."Two Words; DROP TABLE ""x""") x GROUP BY v LIMIT 12;

-- the values of a column in some rows
SELECT v, count(*) FROM (SELECT CASE WHEN pg_catalog.num_nulls("from") = 0 THEN pg_catalog.format('%s', "from") END COLLATE "C" AS v FROM ONLY "select"."Two Words; DROP TABLE ""x""" AS "t" WHERE (
id > 1
)) x GROUP BY v LIMIT 12;

