package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// stranger makes an account at a server that has nothing to do with a run.
func strangerTo(t *testing.T, s *connectortest.PostgresServer) (name string) {
	t.Helper()
	name = s.Name(t) + "_stranger"
	s.Exec(t, s.DSN("postgres"), "CREATE ROLE "+name+" LOGIN PASSWORD 'enters'")
	t.Cleanup(func() { s.Exec(t, s.DSN("postgres"), "DROP ROLE "+name) })
	return name
}

// enters connects as an account that may have to be let in.
func enters(t *testing.T, s *connectortest.PostgresServer, database, account string) (*pgx.Conn, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSNAs(database, account, "enters"))
	if err == nil {
		t.Cleanup(func() { conn.Close(context.Background()) })
	}
	return conn, err
}

// leaves ends the session of an account, and waits until its server knows.
func leaves(t *testing.T, s *connectortest.PostgresServer, conn *pgx.Conn, account string) {
	t.Helper()
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, s.DSN("postgres"), "DO $$BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE usename = "+literal(account)+") LOOP PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END$$")
}

// rightsOf returns the rights on a database, those that it has by itself included.
func rightsOf(t *testing.T, s *connectortest.PostgresServer, database string) string {
	t.Helper()
	return s.Value(t, s.DSN("postgres"), "SELECT string_agg(coalesce(r.rolname, 'PUBLIC') || ' ' || privilege_type, ', ' ORDER BY coalesce(r.rolname, ''), privilege_type) FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) x LEFT JOIN pg_roles r ON r.oid = grantee WHERE grantee <> datdba AND datname = "+literal(database))
}

// Nobody but the run's account gets into what is being built: not who may enter every new database, and
// not whom production lets into its own. The copy is as open as ever.
func TestBuildIsShut(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id")
	who := strangerTo(t, b)
	a.Exec(t, a.DSN("postgres"), "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "+literal(who)+") THEN CREATE ROLE "+who+"; END IF; END$$")
	if a != b {
		t.Cleanup(func() { a.Exec(t, a.DSN("postgres"), "DROP ROLE IF EXISTS "+who) })
	}
	to := maker(t, b)
	name := databaseOf(to)
	shut := func(of, when string) {
		t.Helper()
		if _, err := enters(t, b, of, who); stateOf(err) != "42501" {
			t.Errorf("%s a stranger is let in: %v", when, err)
		}
	}
	for night, tt := range []struct {
		keep []string
		said []string
		want string
	}{
		{nil, nil, "PUBLIC CONNECT, PUBLIC TEMPORARY"},
		{nil, nil, "PUBLIC CONNECT, PUBLIC TEMPORARY"},
		{[]string{catalog.Grants}, []string{"GRANT CREATE ON DATABASE DB TO " + who}, "PUBLIC CONNECT, PUBLIC TEMPORARY, WHO CREATE"},
		{[]string{catalog.Grants}, []string{"REVOKE ALL ON DATABASE DB FROM PUBLIC", "GRANT CONNECT ON DATABASE DB TO " + who}, "WHO CONNECT, WHO CREATE"},
		{nil, nil, "PUBLIC CONNECT, PUBLIC TEMPORARY"},
	} {
		for _, sql := range tt.said {
			a.Exec(t, from, strings.Replace(sql, "DB", ident(databaseOf(from)), 1))
		}
		snap, err := openSnapshot(t, from, connectors.Options{Keep: tt.keep})
		if err != nil {
			t.Fatal(err)
		}
		built := beginBuild(t, snap, to, 2).(*build)
		rows := map[catalog.TableID]int64{}
		for _, table := range snap.Catalog().Tables {
			shut(built.name, "while rows are loaded")
			if rows[table.ID], err = copyTable(t.Context(), snap, built, table, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := built.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		shut(built.name, "when all is made")
		if err := built.Seal(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		shut(built.name, "when it is sealed")
		if err := built.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(rightsOf(t, b, name), who, "WHO"); got != tt.want {
			t.Errorf("night %d: the copy's rights are %q, want %q", night, got, tt.want)
		}
		if conn, err := enters(t, b, name, who); err != nil {
			t.Errorf("night %d: nobody is let into the copy: %v", night, err)
		} else {
			leaves(t, b, conn, who)
		}
		built.Abort()
		snap.Close()
	}
	a.Exec(t, from, "REVOKE ALL ON DATABASE "+ident(databaseOf(from))+" FROM "+who)
	b.Exec(t, b.DSN("postgres"), "DROP DATABASE "+ident(name))
}

// An account that acts as another role builds and promotes, and that by which it is let in does not stay.
func TestBuildOfARole(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id")
	name, owner, account := a.Name(t), a.Name(t)+"_owner", a.Name(t)+"_login"
	admin := a.DSN("postgres")
	a.Exec(t, admin, "CREATE ROLE "+owner+" CREATEDB", "CREATE ROLE "+account+" LOGIN NOINHERIT PASSWORD 'enters' IN ROLE "+owner, "ALTER ROLE "+account+" SET role = "+owner, "GRANT pg_signal_backend, pg_read_all_stats TO "+owner)
	t.Cleanup(func() {
		a.Exec(t, admin, "DROP DATABASE IF EXISTS "+ident(name), "DROP ROLE "+account, "DROP ROLE "+owner)
	})
	for _, run := range []string{"r1", "r2"} {
		if err := copyAll(t, from, a.DSNAs(name, account, "enters"), run, nil); err != nil {
			t.Fatal(err)
		}
		if got := rightsOf(t, a, name); got != "PUBLIC CONNECT, PUBLIC TEMPORARY" {
			t.Errorf("the rights are %s", got)
		}
	}
}

// A session that sits in what a killed run has left, and that the account may not end, keeps no run from
// its work. Nobody goes on with such a build, and it goes when it can.
func TestStrangerInLeftover(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id")
	who, to := strangerTo(t, a), maker(t, a)
	name := databaseOf(to)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	left := beginBuild(t, snap, to, 1).(*build)
	if err := left.Keep(); err != nil {
		t.Fatal(err)
	}
	unfinished := func() bool {
		t.Helper()
		sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		u, err := sink.(connectors.Resumer).Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return u != nil
	}
	if !unfinished() {
		t.Error("what was left cannot be gone on with")
	}
	a.Exec(t, a.DSN("postgres"), "GRANT CONNECT ON DATABASE "+ident(left.name)+" TO PUBLIC") // as it was once
	sits, err := enters(t, a, left.name, who)
	if err != nil {
		t.Fatal(err)
	}
	builds := func() string {
		t.Helper()
		return a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, "+literal(name+building)+")")
	}
	if err := copyAll(t, from, to, "r2", nil); err != nil {
		t.Fatal(err)
	}
	if builds() != "1" || unfinished() {
		t.Errorf("there are %s builds, or the one that is left is gone on with", builds())
	}
	if _, err := enters(t, a, left.name, who); stateOf(err) != "42501" {
		t.Errorf("another stranger is let into what is left: %v", err)
	}
	leaves(t, a, sits, who)
	if err := copyAll(t, from, to, "r3", nil); err != nil {
		t.Fatal(err)
	}
	if builds() != "0" {
		t.Errorf("there are %s builds", builds())
	}
}
