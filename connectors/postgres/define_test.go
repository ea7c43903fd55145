package postgres

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

// makerUnderARole is a maker that works under a role, which alone may make databases.
func makerUnderARole(t *testing.T, s *connectortest.PostgresServer) (dsn, team string) {
	t.Helper()
	team = s.Name(t) + "_team"
	s.Exec(t, s.DSN("postgres"), "CREATE ROLE "+team+" CREATEDB")
	t.Cleanup(func() { s.Exec(t, s.DSN("postgres"), "DROP ROLE "+team) })
	dsn = maker(t, s)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, s.DSN("postgres"), "GRANT "+team+" TO "+u.User.Username(), "ALTER ROLE "+u.User.Username()+" SET role = "+team, "ALTER ROLE "+u.User.Username()+" NOCREATEDB")
	return dsn, team
}

// An account that works under a role owns nothing itself, and may not see its own session.
func TestMakerUnderARole(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	to, team := makerUnderARole(t, b)
	for range 2 {
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
			t.Fatal(err)
		}
	}
	// A session of the account's own in the former copy is its own to end, though not its role's.
	err := connectortest.PostgresSession(t.Context(), to, func(*pgx.Conn) error {
		return connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
	})
	if err != nil {
		t.Error(err)
	}
	if owner := b.Value(t, b.DSN("postgres"), "SELECT datdba::regrole FROM pg_database WHERE datname = '"+databaseOf(to)+"'"); owner != team {
		t.Errorf("the copy belongs to %s", owner)
	}
}

// Where the database postgres is not to be had, template1 is.
func TestMaintenance(t *testing.T) {
	source := connectortest.Postgres(t)
	from := source.Database(t)
	source.Exec(t, from, "CREATE TABLE t ()")
	s := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	for _, l := range []struct{ what, closes, opens string }{
		{"nobody may enter", "ALTER DATABASE postgres ALLOW_CONNECTIONS false", "ALTER DATABASE postgres ALLOW_CONNECTIONS true"},
		{"the account may not", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC", "GRANT CONNECT ON DATABASE postgres TO PUBLIC"},
	} {
		s.Exec(t, s.DSN("template1"), "DROP ROLE IF EXISTS owner", "CREATE ROLE owner LOGIN CREATEDB PASSWORD 'pw'", l.closes)
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, s.DSNAs("discovery", "owner", "pw")); err != nil {
			t.Errorf("%s: %v", l.what, err)
		}
		s.Exec(t, s.DSN("template1"), l.opens, "DROP DATABASE IF EXISTS discovery")
	}
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

// What keeps a target from being replaced is said before the copy, and by its name at the end.
func TestInTheWay(t *testing.T) {
	source := connectortest.Postgres(t)
	from := source.Database(t)
	source.Exec(t, from, "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	s := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{Settings: []string{"max_prepared_transactions=2"}})
	s.Exec(t, s.DSN("postgres"), "CREATE ROLE owner LOGIN CREATEDB PASSWORD 'pw'", "CREATE ROLE tester LOGIN PASSWORD 'pw'")
	to := s.DSNAs("discovery", "owner", "pw")
	var said []string
	copied := func() error {
		said = nil
		return connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1, Warn: func(text string) { said = append(said, text) }}, from, to)
	}
	if err := copied(); err != nil || len(said) > 0 {
		t.Fatal(err, said)
	}
	err := connectortest.PostgresSession(t.Context(), s.DSNAs("discovery", "tester", "pw"), func(conn *pgx.Conn) error {
		err := copied()
		wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "being accessed by other users", "a session of tester is in the way: GRANT pg_signal_backend TO owner")
		if want := "discovery cannot be replaced as long as a session of tester is there: GRANT pg_signal_backend TO owner"; len(said) != 1 || said[0] != want {
			t.Errorf("said %q, want %q", said, want)
		}
		s.Exec(t, s.DSN("postgres"), "GRANT pg_signal_backend TO owner")
		if err := copied(); err != nil || len(said) > 0 {
			t.Errorf("with the right: %v, %q", err, said)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, s.DSN("discovery"), "BEGIN; CREATE TABLE own (i integer); PREPARE TRANSACTION 'it''s one'")
	wants(t, copied(), connectors.KindUnavailable, connectors.SinkSide, `the prepared transaction "it's one" is in the way`, "ROLLBACK PREPARED 'it''s one'")
	if len(said) != 1 {
		t.Errorf("said %q", said)
	}
	s.Exec(t, s.DSN("discovery"), "ROLLBACK PREPARED 'it''s one'")
	if err := copied(); err != nil || len(said) > 0 {
		t.Errorf("afterwards: %v, %q", err, said)
	}
}

// A worker of autovacuum belongs to nobody who could end it, and makes way by itself.
func TestDropBesideAutovacuum(t *testing.T) {
	s := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{Settings: []string{"autovacuum=on", "autovacuum_naptime=1s", "autovacuum_vacuum_cost_delay=100ms", "autovacuum_vacuum_cost_limit=1"}})
	s.Exec(t, s.DSN("postgres"), "CREATE ROLE owner LOGIN CREATEDB PASSWORD 'pw'", "CREATE DATABASE busy OWNER owner")
	s.Exec(t, s.DSNAs("busy", "owner", "pw"), "CREATE TABLE t AS SELECT i, repeat('x', 500) AS pad FROM generate_series(1, 50000) i")
	working := "SELECT count(*) FROM pg_stat_activity WHERE datname = 'busy' AND backend_type = 'autovacuum worker'"
	for until := time.Now().Add(time.Minute); s.Value(t, s.DSN("postgres"), working) == "0"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no worker comes")
		}
	}
	to, err := openSink(t.Context(), s.DSNAs("discovery", "owner", "pw"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	out := to.(*sink)
	conn, err := out.admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if err := out.drop(t.Context(), conn, "busy"); err != nil {
		t.Error(err)
	}
}
