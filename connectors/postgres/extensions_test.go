package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// An extension that brings a foreign data wrapper stays behind whatever it is called, save one
// whose wrapper is for its own servers; so does what depends on it.
func TestExtensionsWithWrappers(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION citext", "CREATE EXTENSION cube", "CREATE FOREIGN DATA WRAPPER far_away", "ALTER EXTENSION cube ADD FOREIGN DATA WRAPPER far_away",
		"CREATE TABLE t (a citext)", "INSERT INTO t VALUES ('x')", "CREATE VIEW v AS SELECT cube(1, 2) AS c")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	const want = "left behind: extension cube: brings a foreign data wrapper, which is made to connect to other servers\nleft behind: view public.v: needs extension cube, which stays behind\n"
	if got := fateLines(c.Fates(), "nobody"); got != want {
		t.Errorf("fates\n%s, want\n%s", got, want)
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, to, "SELECT string_agg(extname, ' ' ORDER BY extname) || (SELECT a FROM t) FROM pg_extension"); got != "citext plpgsqlx" {
		t.Errorf("the copy holds %s", got)
	}
}

// The reasons for which extensions stay behind.
func TestExtensionsThatStay(t *testing.T) {
	for name, want := range map[string]string{
		"plluau": untrusted, "pllua": "", "pljava": untrusted, "amqp": reachesServer, "citus": reachesServer, "pg_duckdb": reachesFile, "log_fdw": reachesFile, "rds_tools": ofProvider,
		"postgis": "", "timescaledb": "", "pgcrypto": "",
	} {
		if got := extensionStays(name, strings.HasSuffix(name, "_fdw") || name == "timescaledb"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
