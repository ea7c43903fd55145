package postgres

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// lending are the statements that give an extension a table, as PostGIS has spatial_ref_sys, in which
// rows above 100 are the database's own.
var lending = []string{"CREATE SCHEMA gis", "CREATE EXTENSION cube SCHEMA gis",
	`CREATE TABLE gis.systems (srid int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "the text" text, twice int GENERATED ALWAYS AS (srid * 2) STORED, raw bytea)`,
	"INSERT INTO gis.systems (srid, \"the text\", raw) OVERRIDING SYSTEM VALUE VALUES (1, 'a', NULL), (2, 'b', NULL)",
	"ALTER EXTENSION cube ADD TABLE gis.systems", "UPDATE pg_extension SET extconfig = ARRAY['gis.systems'::regclass::oid], extcondition = ARRAY['WHERE srid > 100'] WHERE extname = 'cube'"}

// bringing makes the same table at the target, as the extension would.
func bringing(rows string) func(*definitions) {
	return func(d *definitions) {
		i := slices.IndexFunc(d.Before, func(e entry) bool { return e.Kind == "EXTENSION" })
		d.Before = slices.Insert(d.Before, i+1, entry{Kind: "TABLE", Schema: "gis", Name: "systems", SQL: strings.Join([]string{lending[2], "INSERT INTO gis.systems (srid, \"the text\", raw) OVERRIDING SYSTEM VALUE VALUES " + rows, lending[4], lending[5]}, ";\n")})
	}
}

// Rows of one's own in a table of an extension stay behind, unless somebody keeps them. Where a key may
// need them, somebody has to: nothing is written before.
func TestRowsInTablesOfExtensions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, append(lending, "CREATE TABLE places (id int PRIMARY KEY, srid int REFERENCES gis.systems)", "CREATE TABLE looser (srid int)", "ALTER TABLE looser ADD FOREIGN KEY (srid) REFERENCES gis.systems NOT VALID",
		"INSERT INTO places VALUES (1, 1)")...)
	const brought = "(1, 'a', NULL), (2, 'b', NULL)"
	copies := func(rows string, keep ...string) (fates, to string, err error) {
		t.Helper()
		snap, err := openSnapshot(t, from, connectors.Options{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		if err := connectors.Stopped(snap.Catalog()); err != nil { // as a plan says it
			return "", "", err
		}
		to = b.DSN(b.Name(t))
		fates, err = copyNoting(t, snap, to, bringing(rows))
		return fates, to, err
	}
	if fates, _, err := copies(brought); err != nil || !strings.Contains(fates, "left behind: extension rows gis.systems: ") || strings.Contains(fates, "constraint") {
		t.Errorf("without rows of one's own: %v\n%s", err, fates)
	}

	a.Exec(t, from, `INSERT INTO gis.systems (srid, "the text", raw) OVERRIDING SYSTEM VALUE VALUES (101, E'it''s \\ own\n', '\x00ff'), (102, NULL, NULL)`, "INSERT INTO places VALUES (2, 101)")
	_, _, err := copies(brought)
	wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "constraint public.places.places_srid_fkey", "extension rows gis.systems", "--keep-object 'extension rows:gis.systems'")
	if err != nil && strings.Contains(err.Error(), "looser") {
		t.Errorf("a key that is not valid stops it: %v", err)
	}

	const state = `SELECT string_agg(concat_ws(',', srid, "the text", twice, raw), ';' ORDER BY srid) || (SELECT count(*) FROM pg_constraint WHERE contype = 'f') || (SELECT count(*) FROM places) FROM gis.systems`
	fates, to, err := copies(brought, "extension rows:gis.systems")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fates, "noted: extension rows gis.systems: are kept by name") {
		t.Errorf("it is not said:\n%s", fates)
	}
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("%s, want %s", got, want)
	}

	// The target's extension has such a row itself.
	_, _, err = copies(brought+", (101, 'c', NULL)", "extension rows:gis.systems")
	wants(t, err, connectors.KindIntegrity, connectors.SinkSide, "make extension rows gis.systems", "23505", "target's version of the extension")
	if err != nil && strings.Contains(err.Error(), "101") {
		t.Errorf("it says a value: %v", err)
	}

	mostExtensionRows = 1
	t.Cleanup(func() { mostExtensionRows = 10000 })
	snap, err := openSnapshot(t, from, connectors.Options{Keep: []string{"extension rows:gis.systems"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = snap.Definitions(t.Context())
	wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "gis.systems", "more than 1")

	// Those of timescaledb are jobs, and what it has made of tables.
	from = a.Database(t)
	a.Exec(t, from, append(lending, "UPDATE pg_extension SET extname = 'timescaledb' WHERE extname = 'cube'")...)
	if _, err := catalogKeeping(t, from, "extension rows:gis.systems"); err == nil || !strings.Contains(err.Error(), "extension rows:gis.systems") {
		t.Errorf("jobs come along: %v", err)
	}

	// The extension does not say which rows are whose.
	from = a.Database(t)
	a.Exec(t, from, append(lending[:5:5], "INSERT INTO gis.systems (srid) OVERRIDING SYSTEM VALUE VALUES (101)", "CREATE TABLE places (srid int REFERENCES gis.systems)", "INSERT INTO places VALUES (101)")...)
	_, _, err = copies(brought)
	wants(t, err, connectors.KindIntegrity, connectors.SinkSide, "places_srid_fkey", "23503", "gis.systems belongs to an extension")

	// Nothing refers to them: they stay.
	from = a.Database(t)
	a.Exec(t, from, append(lending, "INSERT INTO gis.systems (srid, \"the text\", raw) OVERRIDING SYSTEM VALUE VALUES (101, NULL, NULL)", "CREATE TABLE places (srid int)")...)
	if fates, _, err := copies(brought); err != nil || !strings.Contains(fates, string(catalog.Stays)+": extension rows gis.systems: ") {
		t.Errorf("%v\n%s", err, fates)
	}
}

// Rows that are kept come without the columns that the target's table does not have. Where they cannot come, it
// is said what to do.
func TestKeptRowsOfOtherTables(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, append(lending, "ALTER TABLE gis.systems ADD note text", "ALTER TABLE gis.systems ADD \"Odd One\" int", `INSERT INTO gis.systems (srid, "the text", raw, note) OVERRIDING SYSTEM VALUE VALUES (101, 'own', '\x01', 'secret')`,
		"CREATE TABLE places (srid int REFERENCES gis.systems)", "INSERT INTO places VALUES (101)")...)
	snap, err := openSnapshot(t, from, connectors.Options{Keep: []string{"extension rows:gis.systems"}})
	if err != nil {
		t.Fatal(err)
	}
	const brought = "(1, 'a', NULL), (2, 'b', NULL)"
	to := b.DSN(b.Name(t))
	fates, err := copyNoting(t, snap, to, bringing(brought))
	if err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	if want := `; and come without note, "Odd One", which the table does not have in the copy`; !strings.Contains(fates, want) {
		t.Errorf("no %q in\n%s", want, fates)
	}
	const state = `SELECT string_agg(concat_ws(',', srid, "the text", twice, raw), ';' ORDER BY srid) FROM gis.systems`
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("%s, want %s", got, want)
	}

	_, err = copyNoting(t, snap, b.DSN(b.Name(t)), nil)
	wants(t, err, connectors.KindUnsupported, connectors.SinkSide, "make extension rows gis.systems", "does not make this table", "ALTER EXTENSION cube DROP TABLE gis.systems")

	if majorOf(t, b) < 13 {
		return // before version 13 extensions are for superusers
	}
	closed := func(d *definitions) {
		bringing(brought)(d)
		for i, e := range d.Before {
			if e.Kind == "TABLE" && e.Name == "systems" {
				sql, _, _ := strings.Cut(e.SQL, "UPDATE pg_extension")
				d.Before[i].SQL = sql + "REVOKE INSERT ON gis.systems FROM CURRENT_USER"
			}
		}
	}
	_, err = copyNoting(t, snap, maker(t, b), closed)
	wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "make extension rows gis.systems", "42501", "connect as a superuser", "drop the keys")
	if err != nil && strings.Contains(connectors.Hint(err), "GRANT pg_write_all_data") != (majorOf(t, b) >= 14) {
		t.Errorf("hint %q", connectors.Hint(err))
	}
	if majorOf(t, b) < 14 {
		return
	}
	to = maker(t, b)
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	b.Exec(t, b.DSN("postgres"), "GRANT pg_write_all_data TO "+ident(u.User.Username()))
	if _, err := copyNoting(t, snap, to, closed); err != nil {
		t.Errorf("%v, hint %q", err, connectors.Hint(err))
	}
}
