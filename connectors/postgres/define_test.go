package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// maker makes an account at a server that may make databases, and returns the DSN of one of its own.
func maker(t *testing.T, s *connectortest.PostgresServer) (dsn string) {
	t.Helper()
	to, name := s.Name(t), "maker_"+s.Name(t)
	s.Exec(t, s.DSN("postgres"), "CREATE ROLE "+ident(name)+" LOGIN CREATEDB PASSWORD 'pw'")
	t.Cleanup(func() {
		s.Exec(t, s.DSN("postgres"), "DROP DATABASE IF EXISTS "+ident(to), "DROP ROLE "+ident(name))
	})
	return s.DSNAs(to, name, "pw")
}

// copyNoting copies what a snapshot holds, after a change of its definitions, and returns what is said of
// the fates of objects.
func copyNoting(t *testing.T, snap connectors.Snapshot, to string, change func(*definitions)) (fates string, err error) {
	t.Helper()
	return copyWarning(t, snap, to, nil, change)
}

// copyWarning is copyNoting that hands over what the sink warns of.
func copyWarning(t *testing.T, snap connectors.Snapshot, to string, warn func(string), change func(*definitions)) (fates string, err error) {
	t.Helper()
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var d definitions
	if err := decodeJSON(defs.Data, &d); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&d)
	}
	if defs.Data, err = encodeJSON(d); err != nil {
		t.Fatal(err)
	}
	sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{Workers: 2, Warn: warn})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: 2})
	if err != nil {
		return "", err
	}
	defer b.Abort()
	rows := map[catalog.TableID]int64{}
	for _, table := range snap.Catalog().Tables {
		if rows[table.ID], err = copyTable(t.Context(), snap, b, table, nil); err != nil {
			return "", err
		}
	}
	for _, step := range []func() error{func() error { return b.Finish(t.Context()) }, func() error { return b.Seal(t.Context(), rows) }, func() error { return b.Promote(t.Context()) }} {
		if err := step(); err != nil {
			return "", err
		}
	}
	return fateLines(defs.LeftBehind, "nobody"), nil
}

// Before PostgreSQL 15 the schema public belongs to a superuser, who alone may drop it or say anything
// of it.
func TestSchemaPublic(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	owned := major(t, b) >= 15
	for name, c := range map[string]struct {
		made  []string
		noted string
	}{
		"dropped":   {[]string{"CREATE SCHEMA s", "DROP SCHEMA public"}, "noted: schema public: is in the copy, for only its owner may drop it there"},
		"commented": {[]string{"COMMENT ON SCHEMA public IS 'of the shop'", "CREATE SCHEMA s"}, "left behind: comment SCHEMA public: is for the owner to make, which the target's account is not"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := a.Database(t), maker(t, b)
			a.Exec(t, from, append(c.made, "CREATE TABLE s.t AS SELECT 1 AS id")...)
			snap, err := openSnapshot(t, from, connectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			fates, err := copyNoting(t, snap, to, nil)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(fates, c.noted) == owned {
				t.Errorf("of a target that owns it (%t) is said\n%s", owned, fates)
			}
		})
	}
}

// A provider may make an extension as its own superuser: nobody else may say anything of it.
func TestCommentOnSomebodysExtension(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), maker(t, b)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	comment := entry{Kind: "COMMENT", Name: "EXTENSION plpgsql", SQL: "COMMENT ON EXTENSION plpgsql IS 'ours';"}
	fates, err := copyNoting(t, snap, to, func(d *definitions) { d.Before = slices.Insert(d.Before, 0, comment) })
	if err != nil {
		t.Fatal(err)
	}
	if want := "left behind: comment EXTENSION plpgsql: is for the owner to make, which the target's account is not"; !strings.Contains(fates, want) {
		t.Errorf("no %q in\n%s", want, fates)
	}
}

// Of an extension that an account may not create, or that the server has not loaded, both ways out are named.
func TestExtensionsThatCannotBeMade(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sql   string
		words []string
	}{
		"no superuser": {"CREATE EXTENSION pageinspect SCHEMA public", []string{"superuser", "--leave-extension odd"}},
		"not loaded":   {"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'odd can only be loaded via shared_preload_libraries'; END $$", []string{"shared_preload_libraries", "--leave-extension odd"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := copyNoting(t, snap, maker(t, a), func(d *definitions) {
				d.Before = append(d.Before, entry{Kind: "EXTENSION", Name: "odd", SQL: c.sql})
			})
			wants(t, err, connectors.KindUnavailable, connectors.SinkSide, append(c.words, "make extension odd")...)
			if strings.Count(connectors.Hint(err), "shared_preload") > 1 {
				t.Error(connectors.Hint(err))
			}
		})
	}
}
