-- A database of everything that has broken a copy before. Every object is here
-- for a reason; names are hard on purpose.
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'happy');
CREATE DOMAIN year AS integer CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE DOMAIN "strict year" AS year NOT NULL;
CREATE TYPE pair AS (x integer, "the y" text);
CREATE SCHEMA "select";
CREATE SEQUENCE tickets START 1000 INCREMENT 10;
SELECT nextval('tickets'), nextval('tickets');
CREATE SEQUENCE untouched START 7;
CREATE SEQUENCE downwards INCREMENT -1;

-- Values of every kind, and NULL beside each.
CREATE TABLE kinds (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12,2), m money,
    t text, v varchar(20), c character(8), ch "char", nm name, by bytea, u uuid,
    d date, ts timestamp, tz timestamptz, tm time, ttz timetz, iv interval,
    j json, jb jsonb, x xml, ip inet, ci cidr, mac macaddr, bits bit(3), vb varbit, p point, bx box,
    ta text[], ia integer[][], r int4range, tv tsvector, tq tsquery, o oid, l pg_lsn, e mood, ea mood[], y year, sy "strict year", co pair, ca pair[]
);
INSERT INTO kinds (sy) VALUES (2000);
INSERT INTO kinds (b, i2, i4, i8, f4, f8, n, n2, m, t, v, c, ch, nm, by, u, d, ts, tz, tm, ttz, iv, j, jb, x, ip, ci, mac, bits, vb, p, bx, ta, ia, r, tv, tq, o, l, e, ea, y, sy, co, ca)
VALUES
(true, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', -0.01, '-92233720368547758.08', E'tab\tline\nreturn\resc\x1b\b\f\v\\N \\. back\\slash',
 '', 'ab', 'z', repeat('n', 63)::name, '\x00ff5c0a0d09', '123e4567-e89b-12d3-a456-426614174000', 'infinity', '-infinity', 'infinity', '24:00:00', '23:59:59.999999-15:59', '1 year -2 mons 3 days -04:05:06.789',
 '{"b": 1,  "a": "\u00e9\\", "a": 2}', '{"b": 1, "a": [null, "\u00e9\\", 1.0]}', '<a b="c">d</a>', '192.168.1.7/24', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'', '(1.5,-2)', '(2,2),(0,0)',
 ARRAY['a,b', '"', '\', NULL, '', 'NULL'], '{{1,2},{3,NULL}}', '[1,)', to_tsvector('simple', 'it''s a \ fat cat'), 'a & !b', 4294967295, '16/B374D848', 'it''s "ok"', '{sad,NULL}', 1999, 1901, '(1,"a ""b"" ,")', ARRAY['(1,)'::pair]),
(false, 32767, 2147483647, 9223372036854775807, '-0', 5e-324, ('1' || repeat('0', 400) || '.' || repeat('0', 300) || '1')::numeric, 1234567890.12, '12.34', repeat('😀é', 40000),
 'twenty characters ok', '        ', '', 'n', '\x', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '4713-01-01 BC', '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00+00 BC', '00:00', '00:00+15:59', '-178000000 years',
 'null', '"text"', 'plain', '::1', '::/0', 'ff:ff:ff:ff:ff:ff', B'000', B'1', '(0,0)', '(0,0),(0,0)',
 '{}', '{}', 'empty', '', 'b', 0, '0/0', 'happy', '{}', 2155, 2155, '(,)', '{}'),
(NULL, 0, 0, 0, 1e-45, 0.1, 1.00, 0, '0', 'NULL', E'\\N', E'\\', 'a', 'b', '\x5c', '00000000-0000-0000-0000-000000000000', '1999-12-31', '2000-01-01', '1999-12-31 23:59:59.999999+00', '12:00', '12:00+00', '0',
 '[]', '{}', '', '0.0.0.0', '0.0.0.0/32', '00:00:00:00:00:00', B'111', B'10110', '(1e300,-1e-300)', '(1,1),(1,1)',
 '[2:3]={x,y}', '{1}', '(,5)', 'a:1', 'a', 1, 'FFFFFFFF/FFFFFFFF', 'sad', '{happy,sad}', NULL, 2000, NULL, NULL);

-- The same kinds in a table that can only travel as text.
CREATE TABLE "text only" AS SELECT * FROM kinds;
ALTER TABLE "text only" ADD grants aclitem, ADD "all grants" aclitem[];
UPDATE "text only" SET grants = 'postgres=r*w/postgres', "all grants" = ARRAY['postgres=r/postgres'::aclitem, NULL] WHERE id > 1;
CREATE TYPE hidden AS (a integer, g aclitem);
CREATE DOMAIN hiddens AS hidden[];
CREATE TABLE "hidden text" (id integer, h hiddens);
INSERT INTO "hidden text" VALUES (1, ARRAY[(1, 'postgres=r/postgres')::hidden]), (2, NULL);

-- Ids of objects, which have other ids at the target.
CREATE TABLE ids (c regclass, t regtype[], f regprocedure, r regrole);
INSERT INTO ids VALUES ('kinds', ARRAY['mood', 'integer']::regtype[], 'length(text)', 'postgres'), (NULL, '{}', NULL, NULL);

-- Names.
CREATE TABLE "select"."Two Words; DROP TABLE ""x""" ("from" integer PRIMARY KEY, "FROM" text, "naïve 🙂" text, " " text, "a""b" text);
INSERT INTO "select"."Two Words; DROP TABLE ""x""" VALUES (1, 'a', NULL, '', 'c');
CREATE TABLE "select".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb integer);
INSERT INTO "select".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa VALUES (1);
CREATE TABLE "a.b" (c integer);
CREATE SCHEMA a;
CREATE TABLE a."b" (c integer);
INSERT INTO "a.b" VALUES (1);
INSERT INTO a."b" VALUES (2), (3);

-- No columns, no rows, no log; a dropped column in the middle; only computed ones.
CREATE TABLE bare ();
INSERT INTO bare DEFAULT VALUES;
INSERT INTO bare DEFAULT VALUES;
CREATE TABLE nothing (id integer);
CREATE UNLOGGED TABLE unlogged AS SELECT generate_series(1, 10) AS id;
CREATE TABLE scarred (a integer, gone text, b text DEFAULT 'x', loud text GENERATED ALWAYS AS (upper(b)) STORED, c integer);
INSERT INTO scarred (a, gone, b, c) VALUES (1, 'gone', 'one', 10), (2, 'gone', NULL, 20);
ALTER TABLE scarred DROP COLUMN gone;
CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO computed VALUES (1), (NULL);

-- Partitions: by range with sub-partitions by list; one whose columns stand in
-- another order; one with a dropped column; a default; keys on the parent.
CREATE TABLE sales (id bigint GENERATED BY DEFAULT AS IDENTITY, day date NOT NULL, region text NOT NULL, amount numeric, PRIMARY KEY (id, day, region)) PARTITION BY RANGE (day);
CREATE TABLE sales_2023 PARTITION OF sales FOR VALUES FROM ('2023-01-01') TO ('2024-01-01') PARTITION BY LIST (region);
CREATE TABLE sales_2023_eu PARTITION OF sales_2023 FOR VALUES IN ('eu');
CREATE TABLE sales_2023_other PARTITION OF sales_2023 DEFAULT;
CREATE TABLE sales_2024 (amount numeric, gone integer, region text NOT NULL, day date NOT NULL, id bigint NOT NULL);
ALTER TABLE sales_2024 DROP COLUMN gone;
ALTER TABLE sales ATTACH PARTITION sales_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
CREATE INDEX sales_amount ON sales (amount);
CREATE INDEX sales_2024_only ON sales_2024 (region);
INSERT INTO sales (day, region, amount) SELECT '2022-06-01'::date + i * 3, CASE i % 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' ELSE 'asia' END, i / 7.0 FROM generate_series(1, 500) i;
CREATE TABLE refunds (id integer PRIMARY KEY, sale bigint, day date, region text, FOREIGN KEY (region, sale, day) REFERENCES sales (region, id, day));
INSERT INTO refunds SELECT row_number() OVER (), id, day, region FROM sales WHERE id % 10 = 0;
CREATE TABLE events (id integer, at timestamptz) PARTITION BY RANGE ((extract(year FROM at AT TIME ZONE 'UTC')));
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO (2024);
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (2024) TO (MAXVALUE);
INSERT INTO events SELECT i, '2023-12-30 00:00+00'::timestamptz + i * interval '1 hour' FROM generate_series(1, 100) i;

-- Inheritance without partitions; a column of the child's own.
CREATE TABLE animals (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE dogs (breed text) INHERITS (animals);
INSERT INTO animals (name) VALUES ('cat');
INSERT INTO dogs (name, breed) VALUES ('rex', 'collie'), ('fido', NULL);

-- Keys: self reference, cycle, composite with reversed columns, onto a unique
-- index, not validated, deferrable; partial, expression and exclusion constraints.
CREATE TABLE staff (id integer PRIMARY KEY, boss integer REFERENCES staff, store integer NOT NULL, code text, CONSTRAINT code_once UNIQUE (code));
CREATE TABLE stores (id integer PRIMARY KEY, manager integer NOT NULL REFERENCES staff DEFERRABLE INITIALLY DEFERRED, a integer, b integer, UNIQUE (a, b));
ALTER TABLE staff ADD CONSTRAINT staff_store FOREIGN KEY (store) REFERENCES stores DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO staff VALUES (1, NULL, 1, 'x'), (2, 1, 1, NULL), (3, 3, 2, 'z');
INSERT INTO stores VALUES (1, 1, 10, 20), (2, 3, 20, 10);
COMMIT;
CREATE TABLE shelves (b integer, a integer, code text REFERENCES staff (code), CONSTRAINT shelf_store FOREIGN KEY (b, a) REFERENCES stores (b, a) MATCH FULL ON DELETE CASCADE);
INSERT INTO shelves VALUES (20, 10, 'x'), (NULL, NULL, NULL);
CREATE TABLE orphans (staff integer);
INSERT INTO orphans VALUES (1), (99);
ALTER TABLE orphans ADD CONSTRAINT orphans_later FOREIGN KEY (staff) REFERENCES staff NOT VALID;
ALTER TABLE orphans ADD CONSTRAINT small CHECK (staff < 50) NOT VALID;
CREATE TABLE bookings (id integer PRIMARY KEY, room integer, during int4range, live boolean, EXCLUDE USING gist (during WITH &&));
INSERT INTO bookings VALUES (1, 1, '[1,3)', true), (2, 1, '[3,5)', false);
CREATE UNIQUE INDEX bookings_live ON bookings (room) WHERE live;
CREATE UNIQUE INDEX bookings_room_id ON bookings (room, id) INCLUDE (live);
CREATE UNIQUE INDEX bookings_shift ON bookings ((id + 1));
ALTER TABLE bookings CLUSTER ON bookings_pkey;
ALTER TABLE stores REPLICA IDENTITY USING INDEX stores_pkey;
COMMENT ON INDEX bookings_live IS 'one live booking per room';
COMMENT ON TABLE bookings IS 'who sleeps where';
COMMENT ON COLUMN bookings.during IS 'nights; half-open';
COMMENT ON CONSTRAINT code_once ON staff IS 'nobody shares';
CREATE TABLE tickets_sold (id bigint DEFAULT nextval('tickets'), who text COLLATE "C");
INSERT INTO tickets_sold (who) VALUES ('a'), ('b');
INSERT INTO tickets_sold VALUES (99990, 'c');

-- Functions, one of which holds what looks like a heading of a dump.
CREATE FUNCTION trap() RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  RETURN '
--
-- Name: nobody; Type: TABLE; Schema: public; Owner: -
--

';
END $f$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger fired during the load''; END';
CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON staff FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER sold AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION touch();
CREATE AGGREGATE together (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE STATISTICS sales_stats (dependencies) ON day, region FROM sales_2024;

-- Views; materialised ones that build on each other, one of them without rows.
CREATE VIEW big_sales AS SELECT * FROM sales WHERE amount > 50;
CREATE RULE no_delete AS ON DELETE TO nothing DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW z_base AS SELECT region, sum(amount) AS total FROM sales GROUP BY region;
CREATE VIEW between_them AS SELECT * FROM z_base WHERE total > 0;
CREATE MATERIALIZED VIEW a_top AS SELECT max(total) AS most FROM between_them;
CREATE MATERIALIZED VIEW idle AS SELECT 1 AS one WITH NO DATA;
CREATE UNIQUE INDEX z_base_region ON z_base (region);
ALTER TABLE orphans ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON orphans USING (staff IS NOT NULL);

-- What must stay behind.
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER production FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR PUBLIC SERVER production OPTIONS (password 'never-to-travel');
CREATE FOREIGN TABLE remote (id integer) SERVER production;
CREATE VIEW "over remote" AS SELECT id FROM remote;
CREATE PUBLICATION everything FOR TABLE staff;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl();
SELECT lo_create(0) > 0;
ANALYZE;
