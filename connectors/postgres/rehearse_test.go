package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What the target's version refuses, and nobody foresaw, is said before the first row: indexes and
// keys are made on the empty tables, and unmade.
func TestRehearsal(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION btree_gist", "CREATE TABLE plain (id int PRIMARY KEY, email text UNIQUE)", "INSERT INTO plain VALUES (1, 'a')", "CREATE INDEX ON plain (lower(email)) INCLUDE (id) WHERE id > 0",
		"CREATE TABLE u (phone text, room int, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&))", "INSERT INTO u VALUES ('1-2')", "ALTER TABLE plain CLUSTER ON plain_pkey",
		"CREATE TABLE parts (id int, phone text) PARTITION BY LIST (id)", "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)", "CREATE INDEX ON parts (lower(phone))", "INSERT INTO parts VALUES (1, 'a')")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	if majorOf(t, a) < 15 || majorOf(t, b) >= 15 {
		return // nothing to refuse
	}
	for _, table := range []string{"u", "parts"} {
		a.Exec(t, from, "CREATE INDEX digits ON "+table+" (regexp_replace(phone, '\\D', '', 1, 0))")
		snap, err := openSnapshot(t, from, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defs, err := snap.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sink, err := Connector{}.OpenSink(t.Context(), b.DSN(b.Name(t)), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		_, err = sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: 2})
		if err == nil || !strings.Contains(err.Error(), "make index public.") || !strings.Contains(connectors.Hint(err), "use a target of version ") || strings.Contains(connectors.Hint(err), "search_path") {
			t.Errorf("%s: %v, hint %q", table, err, connectors.Hint(err))
		}
		snap.Close()
		a.Exec(t, from, "DROP INDEX digits")
	}
}

// Between servers of one version indexes are tried on the empty tables where an extension is another in the copy.
func TestRehearsalOfExtensions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) != majorOf(t, b) {
		return // they always are
	}
	for change, want := range map[string]bool{
		"SELECT 1": false,
		"ALTER FUNCTION similarity(text, text) COST 7":                                                         false, // it is so in the copy
		"COMMENT ON FUNCTION show_limit() IS 'mine'":                                                           false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER EXTENSION pg_trgm ADD FUNCTION f()": true,
		"CREATE EXTENSION hstore VERSION '1.4'":                                                                true,
		"CREATE OR REPLACE FUNCTION show_limit() RETURNS real LANGUAGE sql AS 'SELECT 1::real'":                true,
	} {
		from := a.Database(t)
		a.Exec(t, from, "CREATE EXTENSION pg_trgm", "CREATE TABLE t (id int PRIMARY KEY, name text)", "CREATE INDEX odd ON t USING gin (name gin_trgm_ops)")
		for _, sql := range strings.Split(change, "; ") {
			a.Exec(t, from, sql)
		}
		snap, err := openSnapshot(t, from, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = copyNoting(t, snap, b.DSN(b.Name(t)), func(d *definitions) {
			for i, e := range d.After {
				if e.Kind == "INDEX" {
					d.After[i].SQL = "SELECT nothing.here"
				}
			}
		})
		if err == nil {
			t.Fatalf("%s: it is taken", change)
		}
		// A rehearsal's error is one of a definition, which has the name of what is missing.
		if tried := strings.Contains(err.Error(), "nothing"); tried != want {
			t.Errorf("%s: %t, want %t: %v", change, tried, want, err)
		}
		snap.Close()
	}
}
