-- From PostgreSQL 17 on: see torture.sql.
SET client_min_messages = error;
CREATE COLLATION built_in (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY (START 100), at date, t text COLLATE built_in) PARTITION BY RANGE (at);
CREATE TABLE numbered_1 PARTITION OF numbered FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE numbered_rest PARTITION OF numbered DEFAULT;
INSERT INTO numbered (at, t) SELECT '2020-12-30'::date + i, 'É' FROM generate_series(1, 5) i;
CREATE TABLE partitioned_exclusion (room integer, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&)) PARTITION BY LIST (room);
CREATE TABLE partitioned_exclusion_1 PARTITION OF partitioned_exclusion FOR VALUES IN (1);
INSERT INTO partitioned_exclusion VALUES (1, '[1,2)'), (1, '[2,3)');
CREATE TABLE other_parts (id integer, t text) PARTITION BY LIST (id) USING heap_too;
CREATE TABLE other_parts_1 PARTITION OF other_parts FOR VALUES IN (1);
INSERT INTO other_parts VALUES (1, 'x');
CREATE TABLE endless (i interval, ia interval[]);
INSERT INTO endless VALUES ('infinity', '{-infinity}'), ('-infinity', '{}');
CREATE VIEW json_tabled AS SELECT p.id, j.* FROM people p, JSON_TABLE(p.prefs, '$' COLUMNS (theme text PATH '$.theme', n integer PATH '$.n')) j;
ALTER STATISTICS "select"."most common" SET STATISTICS DEFAULT;
ALTER TABLE stored ALTER a SET STATISTICS DEFAULT;
