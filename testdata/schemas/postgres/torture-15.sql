-- From PostgreSQL 15 on: see torture.sql.
SET client_min_messages = error;
CREATE TABLE nulls_equal (id integer PRIMARY KEY, email text UNIQUE NULLS NOT DISTINCT, a integer, b integer);
INSERT INTO nulls_equal VALUES (1, NULL, 1, NULL), (2, 'ann@shop.example', 2, NULL);
CREATE UNIQUE INDEX nulls_equal_pair ON nulls_equal (a, b) NULLS NOT DISTINCT WHERE a > 0;
CREATE TABLE half_set (id integer PRIMARY KEY, y integer, x text, FOREIGN KEY (y, x) REFERENCES pairs (y, x) ON DELETE SET NULL (x));
INSERT INTO half_set VALUES (1, 1, 'a'), (2, NULL, NULL);
CREATE VIEW as_the_caller WITH (security_invoker = true, check_option = local) AS SELECT id, email FROM people WHERE id < 50;
CREATE TABLE scales (rounded numeric(3, -2), small numeric(2, 5));
INSERT INTO scales VALUES (12345, 0.00012), (NULL, -0.00099), (-99900, 0);
CREATE PUBLICATION filtered FOR TABLE people (id, email) WHERE (id > 10), pairs;
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA "select", a;
CREATE UNLOGGED SEQUENCE forgetful START 4;
SELECT nextval('forgetful'), nextval('forgetful');
CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
ALTER TABLE people CLUSTER ON natural_key_once;
