-- From PostgreSQL 13 on: see torture.sql.
SET client_min_messages = error;
ALTER STATISTICS sales_stats SET STATISTICS 400;
CREATE PUBLICATION by_root FOR TABLE sales WITH (publish_via_partition_root = true);
CREATE TRIGGER before_too BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION not_now();
CREATE TABLE trusted (id integer PRIMARY KEY, expr integer GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO trusted VALUES (1);
ALTER TABLE trusted ALTER expr DROP EXPRESSION;
INSERT INTO trusted VALUES (2, 5);
CREATE TYPE inline_settings;
CREATE FUNCTION inline_in(cstring) RETURNS inline_settings LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION inline_out(inline_settings) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE inline_settings (INPUT = inline_in, OUTPUT = inline_out, STORAGE = plain);
ALTER TYPE inline_settings SET (STORAGE = extended);
