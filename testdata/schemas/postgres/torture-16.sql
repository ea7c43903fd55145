-- From PostgreSQL 16 on: see torture.sql.
SET client_min_messages = error;
CREATE COLLATION ruled (PROVIDER = icu, LOCALE = 'und', RULES = '& V << w <<< W');
CREATE TABLE stored (a text STORAGE EXTERNAL, b text COMPRESSION pglz COLLATE ruled);
INSERT INTO stored VALUES (repeat('a', 5000), 'W');
CREATE VIEW json_ish AS SELECT JSON_ARRAY(1, 'x') AS a, JSON_OBJECT('k': id) AS o, prefs IS JSON OBJECT AS is_object FROM people;
CREATE INDEX ON stored USING hash (b);
