package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// whileOpening opens a snapshot, or whatever it is told, while another session, which holds a lock
// that this waits for, changes tables and commits.
func whileOpening(t *testing.T, a *connectortest.PostgresServer, dsn string, open func(connectors.Source) error, changes ...string) error {
	t.Helper()
	other, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "BEGIN; "+strings.Join(changes, "; ")); err != nil {
		t.Fatal(err)
	}
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	opened := make(chan error, 1)
	go func() { opened <- open(src) }()
	waits := fmt.Sprintf("SELECT count(*) FROM pg_locks WHERE NOT granted AND %d = ANY (pg_blocking_pids(pid))", other.PgConn().PID())
	for a.Value(t, a.DSN("postgres"), waits) == "0" {
		select {
		case err := <-opened:
			t.Fatalf("it was opened before the change was there: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	return <-opened
}

// A name that means another column when the tables are locked than it meant to the snapshot would
// be read by a rule that was made for the one before. The snapshot is opened anew.
func TestColumnsMovedWhileOpening(t *testing.T) {
	a := connectortest.Postgres(t)
	for name, c := range map[string]struct {
		changes []string
		columns string
	}{
		"swapped":     {[]string{"ALTER TABLE c RENAME full_name TO t", "ALTER TABLE c RENAME code TO full_name", "ALTER TABLE c RENAME t TO code"}, "id code full_name email"},
		"another":     {[]string{"ALTER TABLE c RENAME email TO email_old", "ALTER TABLE c ADD email text"}, "id full_name code email_old email"},
		"of a parent": {[]string{"ALTER TABLE parts RENAME secret TO kept"}, "id full_name code email"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := a.Database(t)
			a.Exec(t, dsn, "CREATE TABLE c (id int, full_name text, code text, email text)", "INSERT INTO c VALUES (1, 'Ada Lovelace', 'A1', 'ada@x.example')",
				"CREATE TABLE parts (id int, secret text) PARTITION BY LIST (id)", "CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)")
			var snap connectors.Snapshot
			err := whileOpening(t, a, dsn, func(src connectors.Source) (err error) {
				snap, err = src.Open(t.Context())
				return err
			}, c.changes...)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, col := range snap.Catalog().Find("c").Columns {
				names = append(names, col.Name)
			}
			if got := strings.Join(names, " "); got != c.columns {
				t.Errorf("the snapshot knows %s, want %s", got, c.columns)
			}
			if name == "of a parent" && snap.Catalog().Find("part").Column("kept") == nil {
				t.Error("the snapshot knows the partition's column by its former name")
			}
		})
	}
}

// TestRewritten proves the check that a table was not rewritten between the
// snapshot and its lock: the snapshot would see it empty.
func TestRewritten(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE one AS SELECT 1 AS id", "CREATE TABLE other AS SELECT 1 AS id", "CREATE TABLE swapped AS SELECT 1 AS id", `CREATE TABLE again AS SELECT 1 AS "id %I", 2 AS x`, "CREATE TABLE wider AS SELECT 1 AS id")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ"); err != nil {
		t.Fatal(err)
	}
	p, err := readPicture(t.Context(), conn, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.Exec(t, dsn, "TRUNCATE other", "ALTER TABLE wider ADD x int", "ALTER TABLE again DROP x", "ALTER TABLE again ADD x int", "CREATE TABLE next AS TABLE swapped", "ALTER TABLE swapped RENAME TO former", "ALTER TABLE next RENAME TO swapped")
	var names []string
	err = each(t.Context(), conn, "rewritten", []any{p.stored}, func(row pgx.CollectableRow) error {
		var schema, name string
		err := row.Scan(&schema, &name)
		names = append(names, name)
		return err
	})
	if err != nil || !slices.Equal(names, []string{"again", "other", "swapped"}) {
		t.Errorf("%q, %v", names, err)
	}
}

// A table that is dropped or swapped while a snapshot is opened costs another try.
func TestSwappedWhileOpening(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE parts AS SELECT 1 AS id", "CREATE TABLE gone (id int)")
	other, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "BEGIN; CREATE TABLE next AS SELECT generate_series(1, 7) AS id; DROP TABLE gone; ALTER TABLE parts RENAME TO former; ALTER TABLE next RENAME TO parts"); err != nil {
		t.Fatal(err)
	}
	waits := "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = " + literal(other.Config().Database)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for a.Value(t, a.DSN("postgres"), waits) == "0" {
			time.Sleep(10 * time.Millisecond)
		}
		other.Exec(context.Background(), "COMMIT")
	}()
	s, err := openSnapshot(t, dsn, connectors.Options{})
	<-over
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range s.Catalog().Tables {
		names = append(names, table.ID.Name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"former", "parts"}) {
		t.Errorf("the tables are %q", names)
	}
}

// What is dropped while the catalog is read has no definition any more: it is read anew, by whoever
// opens a snapshot and by whoever asks for the catalog alone.
func TestDroppedWhileTheCatalogIsRead(t *testing.T) {
	a := connectortest.Postgres(t)
	for name, c := range map[string]struct{ make, drop string }{
		"function":            {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION f()"},
		"view":                {"CREATE VIEW v AS SELECT 1 AS x", "DROP VIEW v"},
		"rule":                {"CREATE RULE r AS ON DELETE TO other DO INSTEAD NOTHING", "DROP RULE r ON other"},
		"statistics":          {"CREATE STATISTICS s ON a, b FROM other", "DROP STATISTICS s"},
		"check":               {"ALTER TABLE other ADD CONSTRAINT positive CHECK (a > 0)", "ALTER TABLE other DROP CONSTRAINT positive"},
		"index":               {"CREATE INDEX i ON other ((a + b))", "DROP INDEX i"},
		"trigger":             {"CREATE TRIGGER t BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", "DROP TRIGGER t ON other"},
		"table under a view":  {"CREATE VIEW v AS SELECT a FROM other", "DROP TABLE other CASCADE"},
		"column under a view": {"CREATE VIEW v AS SELECT b FROM other", "ALTER TABLE other DROP b CASCADE"},
		"schema":              {"CREATE SCHEMA s; CREATE FUNCTION s.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP SCHEMA s CASCADE"},
		"type":                {"CREATE TYPE mood AS ENUM ('ok'); CREATE FUNCTION f(m mood) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE third (m mood DEFAULT 'ok')", "DROP TYPE mood CASCADE"},
	} {
		t.Run(name, func(t *testing.T) {
			for what, open := range map[string]func(connectors.Source) error{
				"snapshot": func(src connectors.Source) error { _, err := src.Open(t.Context()); return err },
				"catalog":  func(src connectors.Source) error { _, err := src.Catalog(t.Context()); return err },
			} {
				dsn := a.Database(t)
				a.Exec(t, dsn, "CREATE TABLE busy (id int DEFAULT 1 + 1)", "CREATE TABLE other (a int, b int)", c.make)
				// The catalog's reader waits for the default, before it reads what is dropped.
				if err := whileOpening(t, a, dsn, open, "LOCK TABLE busy", c.drop); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// A snapshot that is joined cannot be opened anew: that a column has another name is its end.
func TestColumnsMovedBeforeJoining(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE c (id int, full_name text, code text)")
	holder, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	var token string
	if _, err := holder.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ"); err != nil {
		t.Fatal(err)
	}
	if err := holder.QueryRow(t.Context(), "SELECT pg_export_snapshot()").Scan(&token); err != nil {
		t.Fatal(err)
	}
	a.Exec(t, dsn, "ALTER TABLE c RENAME full_name TO t", "ALTER TABLE c RENAME code TO full_name", "ALTER TABLE c RENAME t TO code")
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = src.(connectors.Joiner).Join(t.Context(), token)
	wants(t, err, connectors.KindSnapshot, connectors.SourceSide, "renamed", "public.c")
}

// What a server says of its catalog each time it is looked at is no change that goes by; what it says
// once is looked at again.
func TestWhatDoesNotChange(t *testing.T) {
	a := connectortest.Postgres(t)
	conn, err := pgx.Connect(t.Context(), a.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	said := func(text string) error {
		return &connectors.Error{Kind: connectors.KindSnapshot, Op: "read the catalog", Err: fmt.Errorf("changed: %w", &condition{state: "XX000", text: text}), Hint: "try again"}
	}
	looks := 0
	err = anew(t.Context(), conn, func() error { looks++; return said("cache lookup failed for relation 7") })
	if kind, _ := connectors.KindOf(err); kind == connectors.KindSnapshot || looks != opening || connectors.Hint(err) != "" {
		t.Errorf("after %d looks: kind %d, %v", looks, kind, err)
	}
	looks = 0
	err = anew(t.Context(), conn, func() error { looks++; return said(fmt.Sprint("cache lookup failed for relation ", looks)) })
	if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot || looks != opening {
		t.Errorf("after %d looks: kind %d, %v", looks, kind, err)
	}
	looks = 0
	err = anew(t.Context(), conn, func() error {
		if looks++; looks == 1 {
			return said("cache lookup failed for relation 7")
		}
		return errors.ErrUnsupported
	})
	if !errors.Is(err, errors.ErrUnsupported) || looks != 2 {
		t.Errorf("after %d looks: %v", looks, err)
	}
}
