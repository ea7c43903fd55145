-- Every kind of object and type that a PostgreSQL from version 12 on can hold, each with
-- what has broken a copy before. What later versions add stands in torture-N.sql, to be
-- run after this file on servers of version N and newer. Run it by psql, as a superuser,
-- on an empty database in UTF-8; :owner and :reader name two roles that exist.
SET client_min_messages = error;
SET check_function_bodies = off;

CREATE SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION ltree SCHEMA ext;
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE EXTENSION pg_trgm SCHEMA ext;
COMMENT ON EXTENSION hstore IS 'ours, not the one it came with';
CREATE SCHEMA "select";
CREATE SCHEMA "schema with a name of exactly sixty-three bytes, the longest one";
COMMENT ON SCHEMA "select" IS 'it''s "select"; \ and $$';
CREATE SCHEMA owned AUTHORIZATION :"owner";
ALTER DEFAULT PRIVILEGES IN SCHEMA owned GRANT SELECT ON TABLES TO :"reader";

-- Types -----------------------------------------------------------------------------
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'happy');
ALTER TYPE mood ADD VALUE 'weiß 😀' BEFORE 'happy';
CREATE TYPE "select"."enum, quoted" AS ENUM ('', ' ', '{}', '\', 'NULL');
CREATE DOMAIN year AS integer CONSTRAINT plausible CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE DOMAIN "this century" AS year DEFAULT 2001 NOT NULL CONSTRAINT recent CHECK (VALUE > 2000);
CREATE DOMAIN mail AS ext.citext COLLATE "C" CHECK (VALUE OPERATOR(ext.~) '@'::ext.citext);
CREATE DOMAIN codes AS text[] CHECK (cardinality(VALUE) < 10);
CREATE TYPE pair AS (x integer, "the y" text COLLATE "C");
CREATE TYPE nest AS (p pair, ps pair[], y year, m mood, "select" text);
CREATE DOMAIN sane_pair AS pair CHECK ((VALUE).x IS NULL OR (VALUE).x < 1000);
CREATE DOMAIN sane_pairs AS sane_pair[];
CREATE TYPE empty AS ();
CREATE TYPE "text range" AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION float8_gap(double precision, double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8_gap);
-- A base type of our own, without C: the server's functions for text under other names;
-- and one that has no binary form.
CREATE TYPE label;
CREATE FUNCTION label_in(cstring) RETURNS label LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION label_out(label) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION label_recv(internal) RETURNS label LANGUAGE internal IMMUTABLE STRICT AS 'textrecv';
CREATE FUNCTION label_send(label) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'textsend';
CREATE TYPE label (INPUT = label_in, OUTPUT = label_out, RECEIVE = label_recv, SEND = label_send, LIKE = text, CATEGORY = 'S', DEFAULT = 'none', DELIMITER = ';');
CREATE TYPE mute;
CREATE FUNCTION mute_in(cstring) RETURNS mute LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION mute_out(mute) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE mute (INPUT = mute_in, OUTPUT = mute_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
CREATE TYPE shell_only;
COMMENT ON TYPE mood IS 'how it feels';
COMMENT ON DOMAIN year IS 'a year';
COMMENT ON CONSTRAINT plausible ON DOMAIN year IS 'as MySQL has it';
COMMENT ON COLUMN pair."the y" IS 'the other one';

-- Operators, casts, aggregates, languages, access methods -----------------------------
CREATE FUNCTION label_eq(label, label) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION label_lt(label, label) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
CREATE FUNCTION label_le(label, label) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
CREATE FUNCTION label_gt(label, label) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
CREATE FUNCTION label_ge(label, label) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
CREATE FUNCTION label_cmp(label, label) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
CREATE OPERATOR = (FUNCTION = label_eq, LEFTARG = label, RIGHTARG = label, COMMUTATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR < (FUNCTION = label_lt, LEFTARG = label, RIGHTARG = label, COMMUTATOR = >, NEGATOR = >=);
CREATE OPERATOR <= (FUNCTION = label_le, LEFTARG = label, RIGHTARG = label, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR > (FUNCTION = label_gt, LEFTARG = label, RIGHTARG = label, COMMUTATOR = <, NEGATOR = <=);
CREATE OPERATOR >= (FUNCTION = label_ge, LEFTARG = label, RIGHTARG = label, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR FAMILY labels USING btree;
CREATE OPERATOR CLASS label_ops DEFAULT FOR TYPE label USING btree FAMILY labels AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 label_cmp(label, label);
CREATE OPERATOR FAMILY "lonely family" USING hash;
COMMENT ON OPERATOR = (label, label) IS 'byte by byte';
COMMENT ON OPERATOR CLASS label_ops USING btree IS 'the order of bytes';
COMMENT ON OPERATOR FAMILY labels USING btree IS 'of labels';
CREATE CAST (label AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS label) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (mood AS text) WITH INOUT;
COMMENT ON CAST (label AS text) IS 'it is one';
CREATE FUNCTION plus_or_minus(numeric, numeric) RETURNS numrange LANGUAGE sql IMMUTABLE AS 'SELECT numrange($1 - $2, $1 + $2, ''[]'')';
CREATE OPERATOR "select".+#-# (FUNCTION = plus_or_minus, LEFTARG = numeric, RIGHTARG = numeric);
CREATE AGGREGATE together (text) (SFUNC = textcat, STYPE = text, INITCOND = '''', COMBINEFUNC = textcat, PARALLEL = safe);
CREATE AGGREGATE sum_of_squares (double precision) (SFUNC = float8pl, STYPE = double precision, INITCOND = '0', MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = double precision, MINITCOND = '0');
CREATE AGGREGATE half (float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE together (text) IS 'no comma';
CREATE FUNCTION nth() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';
CREATE FUNCTION mine_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION mine_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION mine_validator(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE plmine HANDLER mine_handler INLINE mine_inline VALIDATOR mine_validator;
COMMENT ON LANGUAGE plmine IS 'plpgsql under another name';
CREATE TRANSFORM FOR int LANGUAGE plmine (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_too TYPE INDEX HANDLER gisthandler;
CREATE OPERATOR CLASS box_too DEFAULT FOR TYPE box USING gist_too AS OPERATOR 3 &&, OPERATOR 6 ~=, OPERATOR 7 @>, OPERATOR 8 <@,
    FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
    FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
COMMENT ON ACCESS METHOD heap_too IS 'heap under another name';
CREATE CONVERSION back_and_forth FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION back_and_forth IS 'there is one already';

-- Text search and collations ----------------------------------------------------------
CREATE TEXT SEARCH DICTIONARY plain_words (TEMPLATE = pg_catalog.simple, stopwords = 'english', accept = 'false');
CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE own_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH CONFIGURATION own_config (PARSER = own_parser);
ALTER TEXT SEARCH CONFIGURATION own_config ADD MAPPING FOR asciiword, word WITH plain_words, pg_catalog.simple;
COMMENT ON TEXT SEARCH CONFIGURATION own_config IS 'simple';
COMMENT ON TEXT SEARCH DICTIONARY plain_words IS 'and plain';
CREATE COLLATION byte_order (LOCALE = 'C');
CREATE COLLATION caseless (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION "numbers in order" (PROVIDER = icu, LOCALE = 'en-u-kn-true');
COMMENT ON COLLATION caseless IS 'José is JOSÉ';

-- Functions and procedures ------------------------------------------------------------
CREATE FUNCTION trap(a integer DEFAULT 1, VARIADIC b text[] DEFAULT '{x,y}') RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = "select", pg_temp SET work_mem = '8MB' COST 7 AS $f$
BEGIN
  -- What looks like the heading of a dump, and is none.
  RETURN '
--
-- Name: nobody; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nobody (id integer);
\restrict x
\.
';
END $f$;
CREATE FUNCTION "select"."Ünïcode ""quoted"" 😀()"("in" integer, OUT "out" integer, INOUT "both" text) LANGUAGE sql STABLE LEAKPROOF PARALLEL RESTRICTED AS $_$SELECT $1 + 1, $2 || '$$;'''$_$;
CREATE FUNCTION anything(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION some_rows(n integer) RETURNS TABLE (a integer, b text) ROWS 3 LANGUAGE sql AS 'SELECT i, i::text FROM generate_series(1, n) i';
CREATE FUNCTION in_mine(n integer) RETURNS integer TRANSFORM FOR TYPE integer LANGUAGE plmine AS 'BEGIN RETURN n; END';
CREATE PROCEDURE tidy(INOUT n integer DEFAULT 0) LANGUAGE plpgsql AS 'BEGIN COMMIT; n := n + 1; END';
CREATE FUNCTION loud(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.upper($1)';
CREATE FUNCTION not_now() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger fired during the load''; END';
CREATE FUNCTION not_one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
COMMENT ON FUNCTION trap(integer, text[]) IS 'a trap';
COMMENT ON PROCEDURE tidy(integer) IS 'tidies nothing';

-- Sequences ---------------------------------------------------------------------------
CREATE SEQUENCE tickets START 1000 INCREMENT 10 CACHE 5;
SELECT nextval('tickets'), nextval('tickets');
CREATE SEQUENCE untouched START 7;
CREATE SEQUENCE called_once START 7;
SELECT nextval('called_once');
CREATE SEQUENCE downwards AS smallint INCREMENT -3 MINVALUE -32768 MAXVALUE 100 START 50;
SELECT nextval('downwards');
CREATE SEQUENCE round_and_round AS integer MINVALUE -2 MAXVALUE 3 START 3 CYCLE;
SELECT nextval('round_and_round'), nextval('round_and_round');
CREATE SEQUENCE "select"."the last" MAXVALUE 9223372036854775807 START 9223372036854775807;
SELECT nextval('"select"."the last"');
COMMENT ON SEQUENCE tickets IS 'by tens';

-- Values of every type, at their edges, and NULL beside each ---------------------------
CREATE TABLE every_type (
    id integer GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5) PRIMARY KEY,
    b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12,2), m money,
    t text, v varchar(20), c character(8), ch "char", nm name, by bytea, u uuid,
    d date, ts timestamp, ts0 timestamp(0), tz timestamptz, tm time, tm3 time(3), ttz timetz, iv interval, ivm interval year to month,
    j json, jb jsonb, jp jsonpath, x xml, ip inet, ci cidr, mac macaddr, mac8 macaddr8, bits bit(3), vb varbit,
    p point, ln line, sg lseg, bx box, pa path, po polygon, cr circle,
    r4 int4range, r8 int8range, rn numrange, rd daterange, rt tsrange, rz tstzrange, rtext "text range", rf floatrange,
    tv tsvector, tq tsquery, o oid, l pg_lsn, xs txid_snapshot, xi xid, ti tid,
    e mood, qe "select"."enum, quoted", y year, ty "this century", ma mail, co pair, ne nest, sp sane_pair, sps sane_pairs, cs codes, la label, mu mute, em empty,
    hs ext.hstore, ct ext.citext, lt ext.ltree, lq ext.lquery,
    ai integer[][], an numeric[], at_ text[], ad date[], aj jsonb[], ae mood[], ar int4range[], ap pair[], ane nest[], ab bytea[], ac ext.citext[], abx box[], ala label[],
    rc regclass, rp regprocedure, ry regtype, rl regrole, ac_ aclitem
);
INSERT INTO every_type (b) VALUES (NULL);
INSERT INTO every_type VALUES (DEFAULT,
    true, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', -0.01, '-92233720368547758.08',
    E'tab\tline\nreturn\resc\x1b\b\f\v\\N \\. back\\slash C:\\New', '', 'ab', 'z', repeat('n', 63)::name, '\x00ff5c0a0d09fffe', '123e4567-e89b-12d3-a456-426614174000',
    'infinity', '-infinity', '1999-12-31 23:59:60', 'infinity', '24:00:00', '23:59:59.999', '23:59:59.999999-15:59', '1 year -2 mons 3 days -04:05:06.789', '-3 years',
    '{"b": 1,  "a": "\u00e9\\ \ud83d\ude00", "a": 2}', '{"b": 1, "a": [null, "\u00e9\\ \ud83d\ude00", 1.0, -0.0, 1e300]}', '$.a[*] ? (@ > 1)', '<a b="c">d&amp;<!-- e --></a>', '192.168.1.7/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'101', B'',
    '(1.5,-2)', '{1,-1,0.5}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(1,2),3>',
    '[1,)', '(,)', '[-0.10,1.50]', '[2020-01-01,infinity)', '["2020-01-01 00:00:00.000001",]', 'empty', '["a, ""b""","c\\d")', '[-1.5,1.5]',
    to_tsvector('simple', 'it''s a \ fat cat'), 'a & !b:*A', 4294967295, '16/B374D848', '10:20:10,14,15', '4294967295', '(4294967295,65535)',
    'it''s "ok"', '', 1999, 2001, 'Ann@Shop.Example', '(1,"a ""b"" ,")', ROW((2, ' ')::pair, ARRAY['(,)', NULL, '(3,\\\\)']::pair[], 1901, 'weiß 😀', '')::nest, '(999,)', ARRAY['(1,x)', NULL]::sane_pair[], '{}', 'label; \', '7', ROW()::empty,
    '"a b"=>"Ann \\ Bee", "c"=>NULL, ""=>""', 'JOSÉ', 'Top.Science.Astronomy', '*.a|b.*{1,2}',
    '{{1,2},{3,NULL}}', '{1.50,NaN,NULL,-0.01}', ARRAY['a,b', '"', '\', NULL, '', 'NULL', E'\t'], '{infinity,NULL}', ARRAY['{"a": "\\"}', 'null']::jsonb[], '{sad,NULL,"weiß 😀"}', '{empty,"[1,2)",NULL}', ARRAY['(1,)', NULL]::pair[], ARRAY[ROW(NULL, '{}', NULL, NULL, '"')]::nest[], '{"\\x00ff","\\x"}', '{José,JOSÉ}', '{(1,1),(0,0);(2,2),(1,1)}', '{a;"b;c"}',
    'every_type', 'length(text)', 'mood[]', :'owner', (:'owner' || '=r*w/' || :'owner')::aclitem);
INSERT INTO every_type VALUES (DEFAULT,
    false, 32767, 2147483647, 9223372036854775807, '-0', 5e-324, ('1' || repeat('7', 600) || '.' || repeat('0', 398) || '1')::numeric, 9999999999.99, '92233720368547758.07',
    repeat('😀é', 16385) || 'x', 'twenty characters ok', '        ', '', 'n', '\x', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '4713-01-01 BC', '294276-12-31 23:59:59.999999', '0001-12-31 23:59:59 BC', '4713-01-01 00:00:00+00 BC', '00:00', '00:00:00.001', '00:00+15:59', '-178000000 years', '178000000 years',
    'null', '"text"', 'lax $', 'plain', '::1', '::/0', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', B'000', B'10110',
    '(-0,0)', '{0,1,0}', '[(0,0),(0,0)]', '(1e300,1e-300),(-1e300,-1)', '((0,0))', '((0,0))', '<(0,0),0>',
    'empty', '[-9223372036854775808,9223372036854775807)', '(,NaN)', '[4713-01-01 BC,5874897-12-31)', '[-infinity,infinity]', '[-infinity,"294276-12-31 23:59:59+00")', '[,)', '[NaN,NaN]',
    '', 'a <2> b', 0, '0/0', '1:1:', '0', '(0,0)',
    'weiß 😀', 'NULL', 2155, 2155, 'x@y', '(,)', NULL, '(,"")', '{}', '{NULL,""}', '', '-2147483648', NULL,
    '', '', '', '*',
    '[2:3][-1:0]={{1,2},{3,4}}', '{}', '{}', '{4713-01-01 BC}', '{}', '{}', '{"(,)"}', '{}', '{}', '{}', '{}', '{}', '{}',
    NULL, NULL, 'integer', NULL, NULL);
INSERT INTO every_type (n, t, j, jb, f4, tz, i4) VALUES
    (1.00, E'\\N', '[]', '{}', 1e-45, '1999-12-31 23:59:59.999999+00', 0), (1.0, E'\\', '" "', '[[[]]]', 3.4028235e38, '2000-02-29', 1),
    (-0.0, 'é e' || U&'\0301' || ' ' || U&'\202E' || 'سارة' || U&'\200D' || ' 👩‍👩‍👧 ' || U&'\FEFF', '0', '0', -1e-45, '-infinity', -1),
    (0.00000000000000000000000000000000000000001, 'NULL', '1', 'true', 0, 'epoch', NULL), (1e20, E'\\.', '{}', '"\\u0000"', 1, 'epoch', NULL);
CREATE TABLE big_values (id integer PRIMARY KEY, t text, b bytea, j jsonb, a integer[]);
INSERT INTO big_values SELECT 1, string_agg(md5(i::text), ''), convert_to(string_agg(md5(i::text), E'\\'), 'UTF8'), jsonb_agg(i), array_agg(i) FROM generate_series(1, 40000) i;
INSERT INTO big_values VALUES (2, repeat('x', 65536), decode(repeat('00', 65537), 'hex'), to_jsonb(repeat('\', 65537)), '{}'), (3, '', '', 'null', NULL);
ALTER TABLE big_values ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE MAIN, ALTER j SET STATISTICS 500, ALTER j SET (n_distinct = -0.5, n_distinct_inherited = 7);
ALTER TABLE big_values SET (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_vacuum_scale_factor = 0.4, parallel_workers = 2, toast_tuple_target = 4000);

-- Names ---------------------------------------------------------------------------------
CREATE TABLE "select"."Ünïcode ""quoted"" 😀" ("from" integer PRIMARY KEY, "FROM" text, "naïve 🙂" text NOT NULL DEFAULT 'x\', " " text, "a""b" text, "tab	here" text, "new
line" text, "$1" text, "%s" text, "back\slash" text, "semi;--" text,
    CONSTRAINT "check ""it"" 😀; --" CHECK ("FROM" <> '"'));
INSERT INTO "select"."Ünïcode ""quoted"" 😀" VALUES (1, 'a', 'b', '', 'c', 'd', 'e', 'f', 'g', 'h', 'i'), (2, NULL, E'\\', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
COMMENT ON COLUMN "select"."Ünïcode ""quoted"" 😀"."new
line" IS 'a comment
-- Name: nobody; Type: TABLE; Schema: public; Owner: -
over lines';
CREATE INDEX "index ""it"" 😀" ON "select"."Ünïcode ""quoted"" 😀" ("naïve 🙂", lower("a""b"));
CREATE TABLE "schema with a name of exactly sixty-three bytes, the longest one"."table with a name of exactly sixty-three bytes, longest there is" (
    "column with a name of exactly sixty-three bytes; longest there i" integer, "cölümn with 😀 of exactly sixty-three bytes; longest there isn" text);
INSERT INTO "schema with a name of exactly sixty-three bytes, the longest one"."table with a name of exactly sixty-three bytes, longest there is" VALUES (1, 'x');
CREATE TABLE "a.b" (c integer);
CREATE SCHEMA a;
CREATE TABLE a."b" (c integer);
CREATE TABLE a."B" ("C" integer);
INSERT INTO "a.b" VALUES (1);
INSERT INTO a."b" VALUES (2), (3);
INSERT INTO a."B" VALUES (4), (5), (6);
CREATE TABLE "case" (id integer, "Id" integer, "ID" integer, "table" integer, "user" text, "order" text, "null" text);
INSERT INTO "case" VALUES (1, 2, 3, 4, 'u', 'o', NULL);

-- Shapes of tables ------------------------------------------------------------------------
CREATE TABLE bare ();
INSERT INTO bare DEFAULT VALUES;
INSERT INTO bare DEFAULT VALUES;
CREATE TABLE bare_empty ();
CREATE TABLE nothing (id integer, t text);
SELECT format('CREATE TABLE wide (%s)', string_agg(format('c%s integer', i), ', ' ORDER BY i)) FROM generate_series(1, 1600) i \gexec
SELECT format('INSERT INTO wide SELECT %s FROM generate_series(1, 3) n', string_agg(format('CASE WHEN %s %% 7 = n THEN NULL ELSE %1$s * n END', i), ', ' ORDER BY i)) FROM generate_series(1, 1600) i \gexec
INSERT INTO wide (c1600) VALUES (1);
CREATE UNLOGGED TABLE unlogged (id serial PRIMARY KEY, t text);
INSERT INTO unlogged (t) SELECT i::text FROM generate_series(1, 100) i;
CREATE TABLE scarred (a integer, gone text, b text DEFAULT 'x', loud text GENERATED ALWAYS AS (loud(b)) STORED, gone2 mood, c integer, email text);
INSERT INTO scarred (a, gone, b, gone2, c, email) VALUES (1, 'gone', 'one', 'sad', 10, 'ann@shop.example'), (2, 'gone', NULL, NULL, 20, NULL);
ALTER TABLE scarred DROP COLUMN gone, DROP COLUMN gone2, ADD COLUMN later integer NOT NULL DEFAULT 42;
INSERT INTO scarred (a, later, email) VALUES (3, 43, 'Bob@shop.example');
CREATE TABLE all_gone (x integer);
INSERT INTO all_gone VALUES (1), (2);
ALTER TABLE all_gone DROP COLUMN x;
CREATE TABLE typed OF pair (x WITH OPTIONS PRIMARY KEY, "the y" DEFAULT 'y');
INSERT INTO typed VALUES (1, 'one'), (2, NULL);
CREATE TABLE other_heap (id integer PRIMARY KEY, t text) USING heap_too;
INSERT INTO other_heap SELECT i, repeat('x', 300) FROM generate_series(1, 200) i;
CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED, c text, d tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.simple', coalesce(c, ''))) STORED);
INSERT INTO computed (a, c) VALUES (1, 'a fat cat'), (NULL, NULL), (3, 'ann@shop.example wrote');
CREATE TABLE identities (id bigint GENERATED BY DEFAULT AS IDENTITY (START -5 INCREMENT -1 MINVALUE -100 MAXVALUE -1) PRIMARY KEY, s smallserial, other integer NOT NULL DEFAULT nextval('tickets'), b bigserial);
INSERT INTO identities DEFAULT VALUES;
INSERT INTO identities (id, s) VALUES (-50, 30000);
ALTER SEQUENCE untouched OWNED BY identities.other;
CREATE TABLE rows_of_tables (id integer PRIMARY KEY, t typed, ts typed[]);
INSERT INTO rows_of_tables VALUES (1, (1, 'x'), ARRAY[(2, NULL)::typed, NULL]), (2, NULL, '{}');
CREATE TABLE owned.by_somebody (id integer PRIMARY KEY, secret text);
ALTER TABLE owned.by_somebody OWNER TO :"owner";
GRANT SELECT (id), UPDATE (secret) ON owned.by_somebody TO :"reader" WITH GRANT OPTION;
INSERT INTO owned.by_somebody VALUES (1, 'x');
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE :"tablespace" LOCATION '';
CREATE TABLE elsewhere (id integer PRIMARY KEY USING INDEX TABLESPACE :"tablespace", t text) TABLESPACE :"tablespace";
INSERT INTO elsewhere VALUES (1, 'x');
CREATE INDEX elsewhere_t ON elsewhere (t) TABLESPACE :"tablespace";

-- Partitions ------------------------------------------------------------------------------
CREATE TABLE sales (id bigint NOT NULL, day date NOT NULL, region text NOT NULL, amount numeric, who text, PRIMARY KEY (id, day, region)) PARTITION BY RANGE (day);
CREATE TABLE sales_2023 PARTITION OF sales FOR VALUES FROM ('2023-01-01') TO ('2024-01-01') PARTITION BY LIST (region);
CREATE TABLE sales_2023_eu PARTITION OF sales_2023 FOR VALUES IN ('eu') WITH (fillfactor = 60);
CREATE TABLE sales_2023_other PARTITION OF sales_2023 DEFAULT PARTITION BY HASH (id);
CREATE TABLE sales_2023_other_0 PARTITION OF sales_2023_other FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sales_2023_other_1 (who text, region text NOT NULL, gone integer, amount numeric DEFAULT 7, id bigint NOT NULL, day date NOT NULL);
ALTER TABLE sales_2023_other_1 DROP COLUMN gone;
ALTER TABLE sales_2023_other ATTACH PARTITION sales_2023_other_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE sales_2024 (amount numeric, gone integer, region text NOT NULL, day date NOT NULL, id bigint NOT NULL, who text, CHECK (amount > -1));
ALTER TABLE sales_2024 DROP COLUMN gone;
ALTER TABLE sales ATTACH PARTITION sales_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
CREATE INDEX sales_amount ON sales (amount DESC NULLS LAST) INCLUDE (who);
CREATE INDEX sales_2024_only ON sales_2024 (region) WHERE amount > 5;
CREATE INDEX sales_half ON ONLY sales (who); -- no partition has it: not valid, and so it stays
CREATE INDEX sales_2024_half ON sales_2024 (who);
ALTER INDEX sales_half ATTACH PARTITION sales_2024_half;
INSERT INTO sales SELECT i, '2022-06-01'::date + i * 3, CASE i % 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' ELSE 'asia' END, i / 7.0, 'person ' || i FROM generate_series(1, 500) i;
CREATE TABLE refunds (id integer PRIMARY KEY, sale bigint, day date, region text, FOREIGN KEY (region, sale, day) REFERENCES sales (region, id, day) ON DELETE CASCADE);
INSERT INTO refunds SELECT row_number() OVER (), id, day, region FROM sales WHERE id % 10 = 0;
CREATE TABLE events (id integer, at timestamptz) PARTITION BY RANGE ((extract(year FROM at AT TIME ZONE 'UTC')));
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO (2024);
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (2024) TO (MAXVALUE);
INSERT INTO events SELECT i, '2023-12-30 00:00+00'::timestamptz + i * interval '1 hour' FROM generate_series(1, 100) i;
-- A partition key that is masked: rows change their partition.
CREATE TABLE members (email text NOT NULL, joined date, moody mood) PARTITION BY HASH (email);
CREATE TABLE members_0 PARTITION OF members FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE members_1 PARTITION OF members FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE members_2 (moody mood, email text NOT NULL, joined date);
ALTER TABLE members ATTACH PARTITION members_2 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
ALTER TABLE members ADD PRIMARY KEY (email);
INSERT INTO members SELECT 'member' || i || '@shop.example', '2020-01-01'::date + i, 'happy' FROM generate_series(1, 300) i;
CREATE TABLE logins (email text REFERENCES members (email) ON UPDATE CASCADE, at timestamptz);
INSERT INTO logins SELECT email, joined FROM members WHERE joined < '2020-04-01';
CREATE TABLE by_mood (m mood, n integer, UNIQUE (m, n)) PARTITION BY LIST (m);
CREATE TABLE by_mood_sad PARTITION OF by_mood FOR VALUES IN ('sad', 'it''s "ok"');
CREATE TABLE by_mood_null PARTITION OF by_mood FOR VALUES IN (NULL, 'happy', 'weiß 😀');
INSERT INTO by_mood VALUES ('sad', 1), (NULL, 2), ('weiß 😀', 3);
CREATE TABLE no_parts (a integer, b text) PARTITION BY RANGE (a, b COLLATE "C" text_pattern_ops);

-- Inheritance -------------------------------------------------------------------------------
CREATE TABLE animals (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'nameless', legs integer CONSTRAINT walks CHECK (legs > 0) NO INHERIT);
CREATE TABLE pets (owner_mail text, CHECK (owner_mail <> ''));
CREATE TABLE dogs (breed text, name text NOT NULL DEFAULT 'rex') INHERITS (animals, pets);
ALTER TABLE dogs ADD COLUMN only_here date;
CREATE TABLE puppies (weeks integer) INHERITS (dogs);
INSERT INTO animals (name) VALUES ('cat');
INSERT INTO pets VALUES ('owner@shop.example');
INSERT INTO dogs (name, breed, owner_mail, only_here) VALUES ('rex', 'collie', 'ann@shop.example', '2020-02-29'), ('fido', NULL, NULL, NULL);
INSERT INTO puppies (name, weeks, owner_mail, legs) VALUES ('tiny', 3, 'bob@shop.example', 0);

-- Keys --------------------------------------------------------------------------------------
CREATE TABLE people (
    id integer NOT NULL, email ext.citext, "full name" text, boss integer, nick text COLLATE caseless, natural_key text NOT NULL, phone text, born daterange,
    tags text[], prefs jsonb, notes text, fav "this century" DEFAULT 2005, addr nest,
    CONSTRAINT people_key PRIMARY KEY (id) INCLUDE (email), CONSTRAINT email_once UNIQUE (email) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT boss_exists FOREIGN KEY (boss) REFERENCES people ON DELETE SET NULL
);
INSERT INTO people SELECT i, 'Person' || i || '@Shop.Example', 'Ann Person' || i, nullif(i / 10, 0), 'nick' || i, 'K' || i, '+49 30 ' || 1000000 + i, daterange('1990-01-01'::date + i, '2020-01-01'::date + i),
    ARRAY['friend of person' || i || '@shop.example', 'x'], jsonb_build_object('theme', 'dark', 'email', 'person' || i || '@shop.example', 'n', i), 'wrote to person' || i || '@shop.example', 2001 + i % 50,
    ROW((i, 'street ' || i)::pair, NULL, 1950, 'sad', 'x')::nest FROM generate_series(1, 200) i;
INSERT INTO people (id, natural_key, nick) VALUES (1000, 'José', 'José'), (1001, '', '');
CREATE UNIQUE INDEX natural_key_once ON people (natural_key);
CREATE UNIQUE INDEX nick_once ON people (nick);
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person bigint REFERENCES people (id) ON UPDATE CASCADE ON DELETE RESTRICT, natural_key text REFERENCES people (natural_key), mail ext.citext, at timestamptz DEFAULT '2020-01-01');
INSERT INTO visits (person, natural_key, mail) SELECT id, natural_key, upper(email::text) FROM people;
CREATE TABLE visit_notes (visit bigint PRIMARY KEY REFERENCES visits ON DELETE NO ACTION, natural_key text REFERENCES people (natural_key) ON DELETE SET DEFAULT, body text);
INSERT INTO visit_notes SELECT id, natural_key, 'note' FROM visits WHERE id % 3 = 0;
CREATE TABLE pairs (y integer, x text, PRIMARY KEY (y, x));
INSERT INTO pairs VALUES (1, 'a'), (1, 'b'), (2, 'a');
CREATE TABLE pair_users (x text, y integer, z integer, CONSTRAINT reversed FOREIGN KEY (x, y) REFERENCES pairs (x, y) MATCH FULL);
INSERT INTO pair_users VALUES ('a', 1, 1), ('b', 1, 2), (NULL, NULL, 3);
CREATE TABLE once_by_slug (id integer PRIMARY KEY, name text, slug text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE);
INSERT INTO once_by_slug (id, name) VALUES (1, 'One'), (2, 'TWO');
CREATE TABLE slug_users (slug text REFERENCES once_by_slug (slug));
INSERT INTO slug_users VALUES ('one'), ('two'), (NULL);
CREATE TABLE own_slug (name text, slug text GENERATED ALWAYS AS (lower(name)) STORED REFERENCES once_by_slug (slug));
INSERT INTO own_slug VALUES ('ONE'), (NULL);
-- Cycles of NOT NULL keys that are not deferrable: two tables, three, and one table.
CREATE TABLE hens (id integer PRIMARY KEY, egg integer NOT NULL);
CREATE TABLE eggs (id integer PRIMARY KEY, hen integer NOT NULL REFERENCES hens);
INSERT INTO hens SELECT i, i + 1 FROM generate_series(1, 9) i;
INSERT INTO hens VALUES (10, 1);
INSERT INTO eggs SELECT i, i FROM generate_series(1, 10) i;
ALTER TABLE hens ADD CONSTRAINT hen_from_egg FOREIGN KEY (egg) REFERENCES eggs;
CREATE TABLE rock (name text PRIMARY KEY, beats text NOT NULL);
CREATE TABLE paper (name text PRIMARY KEY, beats text NOT NULL REFERENCES rock);
CREATE TABLE scissors (name text PRIMARY KEY, beats text NOT NULL REFERENCES paper);
INSERT INTO rock VALUES ('r1', 's1'), ('r2', 's2');
INSERT INTO paper VALUES ('p1', 'r1'), ('p2', 'r2');
INSERT INTO scissors VALUES ('s1', 'p2'), ('s2', 'p1');
ALTER TABLE rock ADD FOREIGN KEY (beats) REFERENCES scissors;
CREATE TABLE ouroboros (id integer PRIMARY KEY, tail integer NOT NULL REFERENCES ouroboros);
INSERT INTO ouroboros VALUES (1, 2), (2, 3), (3, 1);
CREATE TABLE late (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, other integer);
ALTER TABLE late ADD CONSTRAINT late_once UNIQUE (other) DEFERRABLE INITIALLY IMMEDIATE;
INSERT INTO late VALUES (1, 2), (2, 1);
CREATE TABLE orphans (person integer, small integer);
INSERT INTO orphans VALUES (1, 1), (99999, 1000);
ALTER TABLE orphans ADD CONSTRAINT orphans_later FOREIGN KEY (person) REFERENCES people NOT VALID;
ALTER TABLE orphans ADD CONSTRAINT small CHECK (small < 50) NOT VALID;
COMMENT ON CONSTRAINT small ON orphans IS 'not all are';
CREATE TABLE bookings (id integer PRIMARY KEY, room integer, during int4range, live boolean, label label, tags text[], doc jsonb, at point, path ext.ltree, words tsvector, name text, made timestamptz DEFAULT '2020-01-01',
    CONSTRAINT one_at_a_time EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (live) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT circles EXCLUDE USING gist_too (box(at, at) WITH &&));
INSERT INTO bookings SELECT i, i % 3, int4range(i * 2, i * 2 + 1), i % 2 = 0, 'l' || i, ARRAY['a' || i, 'b'], jsonb_build_object('k', i), point(i, i), ('top.n' || i)::ext.ltree, to_tsvector('simple', 'word' || i), 'name ' || i FROM generate_series(1, 60) i;
CREATE UNIQUE INDEX bookings_live ON bookings (room, id) WHERE live;
CREATE UNIQUE INDEX bookings_shift ON bookings ((id + 1), (made AT TIME ZONE 'UTC') DESC);
CREATE INDEX bookings_label ON bookings (label);
CREATE INDEX bookings_hash ON bookings USING hash (name);
CREATE INDEX bookings_brin ON bookings USING brin (id, made) WITH (pages_per_range = 4, autosummarize = true);
CREATE INDEX bookings_gin ON bookings USING gin (tags, doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX bookings_trgm ON bookings USING gin (name ext.gin_trgm_ops);
CREATE INDEX bookings_gist ON bookings USING gist (path, during) WITH (buffering = on, fillfactor = 80);
CREATE INDEX bookings_spgist ON bookings USING spgist (at);
CREATE INDEX bookings_words ON bookings USING gin (words);
CREATE INDEX bookings_name ON bookings (name COLLATE "C" text_pattern_ops ASC NULLS FIRST, loud(name) DESC) WITH (fillfactor = 50);
CREATE INDEX bookings_numbers ON bookings (name COLLATE "numbers in order");
ALTER INDEX bookings_shift ALTER COLUMN 1 SET STATISTICS 300;
ALTER TABLE bookings CLUSTER ON bookings_name;
ALTER TABLE bookings REPLICA IDENTITY FULL;
ALTER TABLE eggs REPLICA IDENTITY NOTHING;
ALTER TABLE people REPLICA IDENTITY USING INDEX natural_key_once;
ALTER TABLE bookings ALTER name SET STATISTICS 0, ALTER name SET STORAGE EXTERNAL;
COMMENT ON INDEX bookings_live IS 'one live booking per room';
COMMENT ON TABLE bookings IS 'who sleeps where';
COMMENT ON COLUMN bookings.during IS 'nights; half-open';
COMMENT ON CONSTRAINT one_at_a_time ON bookings IS 'nobody shares';
CREATE STATISTICS sales_stats (dependencies, ndistinct) ON day, region FROM sales_2024;
CREATE STATISTICS "select"."most common" (mcv) ON id, room FROM bookings;
COMMENT ON STATISTICS sales_stats IS 'day and region go together';
ANALYZE bookings;

-- Triggers and rules --------------------------------------------------------------------------
CREATE TRIGGER touched BEFORE INSERT OR UPDATE OF email, boss ON people FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION not_now('it''s', E'\\x', '');
CREATE TRIGGER "told ""after"" 😀" AFTER TRUNCATE ON people FOR EACH STATEMENT EXECUTE FUNCTION not_now();
CREATE TRIGGER many AFTER INSERT ON people REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION not_now();
CREATE TRIGGER many_more AFTER UPDATE ON people REFERENCING OLD TABLE AS was NEW TABLE AS fresh FOR EACH ROW EXECUTE FUNCTION not_now();
CREATE CONSTRAINT TRIGGER in_the_end AFTER INSERT OR DELETE ON people FROM visits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION not_now();
CREATE TRIGGER asleep BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION not_now();
CREATE TRIGGER replayed BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION not_now();
CREATE TRIGGER tireless BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION not_now();
ALTER TABLE people DISABLE TRIGGER asleep, ENABLE REPLICA TRIGGER replayed, ENABLE ALWAYS TRIGGER tireless;
CREATE TRIGGER sold AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION not_now();
ALTER TABLE sales_2024 DISABLE TRIGGER sold;
CREATE TRIGGER only_there BEFORE DELETE ON sales_2023_eu FOR EACH ROW EXECUTE FUNCTION not_one();
COMMENT ON TRIGGER touched ON people IS 'does not touch';
CREATE RULE no_delete AS ON DELETE TO nothing DO INSTEAD NOTHING;
CREATE RULE "and also" AS ON INSERT TO nothing WHERE NEW.id > 7 DO ALSO (INSERT INTO a."b" VALUES (NEW.id); DELETE FROM "a.b" WHERE c = NEW.id);
CREATE RULE resting AS ON UPDATE TO nothing DO INSTEAD SELECT 1;
ALTER TABLE nothing DISABLE RULE resting;
COMMENT ON RULE no_delete ON nothing IS 'nothing is kept';

-- Views -------------------------------------------------------------------------------------
CREATE VIEW big_sales WITH (security_barrier) AS SELECT s.*, s.amount * 2 AS "double" FROM sales s WHERE amount > 50;
CREATE VIEW checked AS SELECT id, email FROM people WHERE id > 10 WITH LOCAL CHECK OPTION;
CREATE VIEW checked_all AS SELECT * FROM checked WHERE id < 100 WITH CASCADED CHECK OPTION;
CREATE VIEW "select"."view 😀" (a, "b c") AS VALUES (1, 'x'), (2, E'\\');
ALTER VIEW checked ALTER COLUMN email SET DEFAULT 'nobody@shop.example';
CREATE RECURSIVE VIEW chain (id, depth) AS SELECT id, 0 FROM people WHERE boss IS NULL UNION ALL SELECT p.id, depth + 1 FROM people p JOIN chain ON p.boss = chain.id;
-- These two need a primary key, and so come late: grouped by it, and a view over that one.
CREATE VIEW grouped AS SELECT v.*, count(n.visit) AS notes FROM visits v LEFT JOIN visit_notes n ON n.visit = v.id GROUP BY v.id;
CREATE VIEW over_grouped AS SELECT natural_key, sum(notes) AS all_notes FROM grouped GROUP BY natural_key;
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON grouped FOR EACH ROW EXECUTE FUNCTION not_one();
CREATE RULE view_rule AS ON INSERT TO big_sales DO INSTEAD INSERT INTO sales VALUES (NEW.id, NEW.day, NEW.region) RETURNING *, 1::numeric;
-- A function that returns rows of a view, and a view that calls it.
CREATE FUNCTION from_view() RETURNS SETOF checked LANGUAGE sql STABLE AS 'SELECT * FROM public.checked';
CREATE VIEW by_function AS SELECT * FROM from_view() WHERE id % 2 = 0;
CREATE MATERIALIZED VIEW z_base WITH (fillfactor = 50) AS SELECT region, sum(amount) AS total FROM sales GROUP BY region;
CREATE VIEW between_them AS SELECT * FROM z_base WHERE total > 0;
CREATE MATERIALIZED VIEW a_top AS SELECT max(total) AS most FROM between_them;
CREATE MATERIALIZED VIEW mails AS SELECT email::text AS mail, count(*) FROM people GROUP BY 1;
CREATE MATERIALIZED VIEW late_one AS SELECT * FROM over_grouped;
CREATE MATERIALIZED VIEW idle AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW through_function AS SELECT (some_rows(3)).a, (SELECT count(*) FROM mails) AS n;
CREATE UNIQUE INDEX z_base_region ON z_base (region);
CREATE INDEX mails_mail ON mails (lower(mail));
ALTER MATERIALIZED VIEW mails CLUSTER ON mails_mail;
ALTER MATERIALIZED VIEW mails ALTER COLUMN mail SET STATISTICS 200;
COMMENT ON VIEW big_sales IS 'above fifty';
COMMENT ON MATERIALIZED VIEW z_base IS 'by region';
COMMENT ON COLUMN z_base.total IS 'in all';
COMMENT ON COLUMN big_sales."double" IS 'twice';

-- Row security ------------------------------------------------------------------------------
ALTER TABLE visits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON visits USING (person IS NOT NULL);
CREATE POLICY "reader only" ON visits AS RESTRICTIVE FOR UPDATE TO :"reader", CURRENT_USER USING (true) WITH CHECK (id IN (SELECT visit FROM visit_notes));
CREATE POLICY idle_policy ON orphans FOR INSERT WITH CHECK (false);
COMMENT ON POLICY everybody ON visits IS 'as it says';

-- What ties a database to others or acts by itself, and must stay behind -----------------------
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true');
CREATE SERVER production TYPE 't' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'prod.shop.example');
CREATE USER MAPPING FOR PUBLIC SERVER production OPTIONS (password 'hunter2-never-shown');
CREATE USER MAPPING FOR :"owner" SERVER production OPTIONS (password 'hunter2-never-shown');
CREATE FOREIGN TABLE remote (id integer OPTIONS (name 'x') NOT NULL, t text DEFAULT 'hunter2', CHECK (id > 0)) SERVER production OPTIONS (path '/x');
CREATE VIEW over_remote AS SELECT id FROM remote;
COMMENT ON FOREIGN TABLE remote IS 'far away';
COMMENT ON SERVER production IS 'the real one';
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION some_tables FOR TABLE people, sales_2024 WITH (publish = 'insert');
CREATE SUBSCRIPTION :"subscription" CONNECTION 'host=prod.shop.example password=hunter2-never-shown' PUBLICATION far WITH (connect = false, slot_name = NONE);
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''an event trigger fired''; END';
CREATE EVENT TRIGGER watcher ON ddl_command_end WHEN TAG IN ('CREATE CAST', 'DROP CAST') EXECUTE FUNCTION on_ddl();
CREATE EVENT TRIGGER sleeper ON sql_drop EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER sleeper DISABLE;
COMMENT ON EVENT TRIGGER watcher IS 'watches';
SELECT lo_from_bytea(0, 'a large object') > 0;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"reader";
GRANT EXECUTE ON FUNCTION trap(integer, text[]) TO :"reader";
GRANT USAGE ON TYPE mood TO :"reader";
REVOKE ALL ON FUNCTION loud(text) FROM PUBLIC;

SELECT format('ALTER DATABASE %I SET search_path = public, ext', current_database()) \gexec
SELECT format('ALTER DATABASE %I SET default_text_search_config = %L', current_database(), 'pg_catalog.simple') \gexec
SELECT format('ALTER DATABASE %I SET my.secret = %L', current_database(), 'hunter2-never-shown') \gexec
SELECT format('COMMENT ON DATABASE %I IS %L', current_database(), 'tortured') \gexec
ANALYZE;
