-- What databases of the encodings LATIN1 and SQL_ASCII hold: letters above ASCII wherever
-- a definition or a value may have them. The test writes each letter as one byte, which in
-- LATIN1 is that letter, and in SQL_ASCII a byte that is no UTF-8. Names of tables and
-- columns are in ASCII: a policy, which is in UTF-8, has to name them.
SET client_min_messages = error;
SET check_function_bodies = off;
CREATE SCHEMA "Köln";
COMMENT ON SCHEMA "Köln" IS 'Stadt am Rhein, 50° 56'' N';
CREATE TYPE "größe" AS ENUM ('klein', 'groß', 'ÿ');
COMMENT ON TYPE "größe" IS 'wie groß';
CREATE DOMAIN "straße" AS text DEFAULT 'Königsallee' CONSTRAINT "keine Gaße" CHECK (VALUE <> 'Gaße');
CREATE TYPE "zwölf" AS (a text, b "größe");
CREATE FUNCTION "grüße"(wen text DEFAULT 'Jörg') RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''Schöne Grüße, '' || $1 || ''\xE9''';
COMMENT ON FUNCTION "grüße"(text) IS 'grüßt';
CREATE FUNCTION "nichts_dä"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''nö''; END';
CREATE SEQUENCE "Zähler" START 5;
SELECT nextval('"Zähler"');
CREATE TABLE letters (
    id integer PRIMARY KEY, t text NOT NULL DEFAULT 'é', v varchar(5), c character(4), ch "char", nm name, by bytea, e "größe", s "straße", z "zwölf",
    a text[], ae "größe"[], j json, x xml, tv tsvector, r int4range, name text, note text,
    CONSTRAINT "geprüft" CHECK (t <> 'verböten'));
INSERT INTO letters VALUES
    (1, 'äöüßÿ', 'ééééé', 'ñ', 'x', 'Müller', '\xe9ff00', 'groß', 'Bäckerstraße', ROW('ä,"ö"', 'ÿ'), ARRAY['é', 'a,é', NULL, ''], '{klein,groß}', '{"ä": "ö\\ \u0041"}', '<a>b</a>', to_tsvector('simple', 'foo'), '[1,2)', 'José Müller', 'schrieb an josé@shop.example'),
    (2, 'a\xE9', '', '', '', '', '\x', 'klein', '', ROW(NULL, NULL), '{}', '{}', '[]', '', '', 'empty', 'Ann', 'à'),
    (3, repeat('é', 70000), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO letters (id, t, name, note) SELECT i, 'ü' || i, 'Françoise ' || i, 'à bientôt ' || i FROM generate_series(4, 200) i;
COMMENT ON TABLE letters IS 'Buchstaben über ASCII: ÄÖÜ';
COMMENT ON COLUMN letters.t IS 'é';
COMMENT ON CONSTRAINT "geprüft" ON letters IS 'ja, geprüft';
CREATE UNIQUE INDEX "schlüssel" ON letters (t) WHERE t < 'ÿÿ';
CREATE INDEX "ausdrück" ON letters ((t || 'é'), id);
CREATE STATISTICS "Häufung" (mcv) ON t, e FROM letters;
CREATE TRIGGER "auslöser" BEFORE INSERT ON letters FOR EACH ROW WHEN (NEW.t = 'ü') EXECUTE FUNCTION "nichts_dä"('ö');
CREATE RULE "régle" AS ON DELETE TO letters WHERE OLD.t = 'ê' DO INSTEAD NOTHING;
CREATE TABLE letter_parts (k text NOT NULL, n integer) PARTITION BY LIST (k);
CREATE TABLE letter_parts_1 PARTITION OF letter_parts FOR VALUES IN ('ä', 'ö');
CREATE TABLE letter_parts_rest PARTITION OF letter_parts DEFAULT;
INSERT INTO letter_parts VALUES ('ä', 1), ('ö', 2), ('ü', 3);
CREATE TABLE natural_keys (k text PRIMARY KEY);
CREATE TABLE natural_users (k text REFERENCES natural_keys);
INSERT INTO natural_keys VALUES ('São Paulo'), ('Zürich');
INSERT INTO natural_users VALUES ('Zürich'), ('Zürich'), (NULL);
ALTER TABLE natural_users RENAME CONSTRAINT natural_users_k_fkey TO "gehört_dazü";
CREATE VIEW "Köln"."überblick" AS SELECT id, t || 'ô' AS u FROM letters WHERE t <> 'õ';
CREATE MATERIALIZED VIEW overviews AS SELECT count(*), max(u) FROM "Köln"."überblick";
ALTER TABLE natural_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY "jeder für sich" ON natural_keys USING (k <> 'Ålesund');
ANALYZE letters;
