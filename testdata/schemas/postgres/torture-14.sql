-- From PostgreSQL 14 on: see torture.sql.
SET client_min_messages = error;
CREATE TYPE span AS RANGE (subtype = timestamptz, multirange_type_name = "many spans");
CREATE TABLE multiranges (id integer PRIMARY KEY, i int4multirange, n nummultirange, d datemultirange, s "many spans", ss "many spans"[], f floatmultirange, EXCLUDE USING gist (i WITH &&));
INSERT INTO multiranges VALUES (1, '{[1,5),[7,)}', '{[-0.10,1.50],(2,NaN]}', '{[2020-01-01,infinity)}', '{["2020-01-01 00:00+00","2021-01-01 00:00+00"),["2022-01-01 00:00+00",)}', ARRAY['{}', NULL]::"many spans"[], '{[-1.5,1.5]}'),
    (2, '{}', '{(,)}', '{}', '{}', '{}', '{}'), (3, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE infinite (n numeric, x xid8, s pg_snapshot, d date[]);
INSERT INTO infinite VALUES ('Infinity', '18446744073709551615', '10:20:10,14,15', '{-infinity}'), ('-Infinity', '0', '1:1:', NULL), ('NaN', NULL, NULL, '{}');
CREATE FUNCTION sql_body(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
CREATE PROCEDURE sql_body_too(IN word text, INOUT n bigint) LANGUAGE sql BEGIN ATOMIC
    INSERT INTO typed VALUES (7, word);
    SELECT count(*) FROM people;
END;
ALTER TABLE big_values ALTER t SET COMPRESSION pglz;
CREATE STATISTICS by_expression ON lower(name), (id % 7) FROM bookings;
CREATE STATISTICS one_expression ON (id * 2) FROM bookings;
CREATE VIEW searched AS WITH RECURSIVE t(id, boss) AS (SELECT id, boss FROM people WHERE boss IS NULL UNION ALL SELECT p.id, p.boss FROM people p JOIN t ON p.boss = t.id)
    SEARCH DEPTH FIRST BY id SET seen CYCLE id SET looped USING way SELECT id, boss, looped FROM t;
CREATE INDEX bloomed ON bookings USING brin (name text_bloom_ops (n_distinct_per_range = 50), id int4_minmax_multi_ops);
CREATE INDEX signed ON bookings USING gist (path ext.gist_ltree_ops (siglen = 100));
CREATE FUNCTION returns_many(anycompatible, anycompatiblerange) RETURNS anycompatiblemultirange LANGUAGE sql AS 'SELECT NULL';
CREATE TABLE detached PARTITION OF by_mood DEFAULT;
ALTER TABLE by_mood DETACH PARTITION detached;
CREATE TRIGGER cloned BEFORE UPDATE ON members FOR EACH ROW EXECUTE FUNCTION not_now();
ALTER TABLE members_1 DISABLE TRIGGER cloned;
