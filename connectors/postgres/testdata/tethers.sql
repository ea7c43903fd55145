-- A database that holds on to production by every means that it has, beside things that
-- look like it and are none.
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
CREATE EXTENSION pgcrypto;
CREATE TABLE people (id integer PRIMARY KEY, email text, name text);
INSERT INTO people SELECT i, 'p' || i || '@source.example', 'Person ' || i FROM generate_series(1, 20) i;

CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'prod.internal', dbname 'crm');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'app', password 'never-to-travel');
CREATE FOREIGN TABLE accounts (id integer, owner text) SERVER elsewhere;
CREATE VIEW account_names AS SELECT owner FROM accounts;
CREATE VIEW shouted AS SELECT upper(owner) AS owner FROM account_names;
CREATE MATERIALIZED VIEW account_cache AS SELECT * FROM accounts WITH NO DATA;
CREATE FUNCTION of_account(a accounts) RETURNS text LANGUAGE sql AS 'SELECT ($1).owner';
CREATE PUBLICATION changes FOR TABLE people;

-- Code that reaches out.
CREATE FUNCTION ask(q text, quietly boolean DEFAULT false) RETURNS SETOF text LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER AS $$
BEGIN RETURN QUERY SELECT * FROM dblink('host=prod.internal password=never-to-travel', q) AS t(a text); END $$;
CREATE FUNCTION standard(n integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer); END;
CREATE FUNCTION hook() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM net.http_post('https://hooks.internal/', to_jsonb(NEW)); RETURN NEW; END$$;
CREATE TRIGGER tell AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION hook();
CREATE FUNCTION hidden(what text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SELECT dblink_' || 'exec(''x'')'; EXECUTE format('SELECT dblink_exec(%L, %L)', 'prod', what); END$$;
CREATE PROCEDURE dump_out() LANGUAGE plpgsql AS $$BEGIN COPY public.people TO PROGRAM 'curl -T - https://hooks.internal/'; END$$;
CREATE FUNCTION from_file(OUT a text, OUT b integer) LANGUAGE plpgsql AS $$BEGIN a := pg_read_file('/etc/hostname'); b := 1; END$$;
CREATE FUNCTION nightly() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM cron.schedule('0 3 * * *', 'VACUUM'); END$$;
CREATE FUNCTION new_login() RETURNS void LANGUAGE plpgsql AS $$BEGIN ALTER ROLE app WITH PASSWORD 'never-to-travel'; END$$;
CREATE FUNCTION asks_twice() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.ask(''x'')';
CREATE VIEW answers AS SELECT public.asks_twice() AS n;
CREATE MATERIALIZED VIEW answered AS SELECT n FROM answers WITH NO DATA;
CREATE MATERIALIZED VIEW answered_again AS SELECT n + 1 AS n FROM answered WITH NO DATA;
CREATE MATERIALIZED VIEW straight AS SELECT a FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer) WITH NO DATA;
CREATE FUNCTION graded(t text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF false THEN PERFORM http_get('https://hooks.internal/'); END IF; RETURN length(t); END$$;
CREATE TABLE lines (id integer DEFAULT length(dblink_current_query()), t text DEFAULT 'a', CONSTRAINT graded CHECK (graded(t) >= 0));
CREATE INDEX lines_graded ON lines (graded(t));
INSERT INTO lines VALUES (1, 'x'), (2, 'yy');

-- What only looks like it.
CREATE FUNCTION innocent() RETURNS text LANGUAGE plpgsql AS $$
BEGIN -- once upon a time: dblink('prod')
  /* and http_post( too */ RETURN 'call dblink(''x'') or COPY people TO PROGRAM ''x''';
END $$;
CREATE FUNCTION http_status(n integer) RETURNS text LANGUAGE sql AS 'SELECT n::text';
CREATE FUNCTION copy_email() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.email := lower(NEW.email); PERFORM pg_notify('people', NEW.id::text); RETURN NEW; END$$;
CREATE TRIGGER tidy BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION copy_email();
CREATE FUNCTION trusted() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';

CREATE FUNCTION audit_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.ddl_log VALUES (tg_tag); END$$;
CREATE TABLE ddl_log (tag text);
CREATE EVENT TRIGGER audit_ddl ON ddl_command_end EXECUTE FUNCTION audit_ddl();
TRUNCATE ddl_log;
SELECT lo_create(0);
