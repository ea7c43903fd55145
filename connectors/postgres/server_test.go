package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// wants fails unless err has the kind and side, and all the words.
func wants(t *testing.T, err error, kind connectors.Kind, side connectors.Side, words ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	if k, s := connectors.KindOf(err); k != kind || s != side {
		t.Errorf("kind %d of side %d, want %d of %d: %v", k, s, kind, side, err)
	}
	text := err.Error() + "\nhint: " + connectors.Hint(err)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in:\n%s", w, text)
		}
	}
}

func openSnapshot(t *testing.T, dsn string, opts connectors.Options) (connectors.Snapshot, error) {
	t.Helper()
	src, err := Connector{}.OpenSource(t.Context(), dsn, opts)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { src.Close() })
	return src.Open(t.Context())
}

func TestCannotConnect(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	u, _ := url.Parse(dsn)
	for name, c := range map[string]struct {
		dsn   string
		kind  connectors.Kind
		words []string
	}{
		"wrong password":    {a.DSNAs(strings.TrimPrefix(u.Path, "/"), "postgres", "s3cret-word"), connectors.KindUnavailable, []string{"password authentication failed", "PGPASSFILE"}},
		"no such database":  {a.DSN("no_such_database"), connectors.KindUnavailable, []string{"no_such_database", "does not exist"}},
		"nobody listens":    {"postgres://u:s3cret-word@127.0.0.1:1/db?connect_timeout=5", connectors.KindUnavailable, []string{"127.0.0.1:1", "running"}},
		"malformed URL":     {"postgres://u:s3cret-word@[::1/db", connectors.KindUsage, []string{"postgres://user@host"}},
		"malformed port":    {"postgres://u:s3cret-word@h:s3cret-word/db", connectors.KindUsage, nil},
		"malformed keyword": {"host=h password='s3cret-word", connectors.KindUsage, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Connector{}.OpenSource(t.Context(), c.dsn, connectors.Options{})
			wants(t, err, c.kind, connectors.SourceSide, c.words...)
			if err != nil && strings.Contains(err.Error()+connectors.Hint(err), "s3cret-word") {
				t.Errorf("the password is in the error: %v", err)
			}
			if name == "no such database" {
				return // for a sink it is as it should be
			}
			_, err = Connector{}.OpenSink(t.Context(), c.dsn, connectors.Options{})
			wants(t, err, c.kind, connectors.SinkSide)
		})
	}
	_, err := Connector{}.OpenSink(t.Context(), strings.Replace(dsn, u.Path, "/", 1), connectors.Options{})
	wants(t, err, connectors.KindUsage, connectors.SinkSide, "names no database")
}

// role makes an account that may connect, and returns the DSN by which it reads.
func role(t *testing.T, s *connectortest.PostgresServer, dsn, name string) string {
	t.Helper()
	s.Exec(t, dsn, "DROP ROLE IF EXISTS "+ident(name), "CREATE ROLE "+ident(name)+" LOGIN PASSWORD 'pw'")
	t.Cleanup(func() { s.Exec(t, dsn, "DROP OWNED BY "+ident(name), "DROP ROLE "+ident(name)) })
	u, _ := url.Parse(dsn)
	return s.DSNAs(strings.TrimPrefix(u.Path, "/"), name, "pw")
}

func TestRights(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE SCHEMA s", "CREATE TABLE s.open (id serial)", "CREATE TABLE s.closed (id integer)", "INSERT INTO s.closed VALUES (1)")
	reader := role(t, a, dsn, "reader")
	_, err := openSnapshot(t, reader, connectors.Options{})
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "s.closed", "s.open", "GRANT USAGE ON SCHEMA s TO reader")
	a.Exec(t, dsn, "CREATE ROLE nobody_much", "GRANT nobody_much TO reader", "ALTER ROLE reader SET role = nobody_much", "GRANT USAGE ON SCHEMA s TO reader", "GRANT SELECT ON ALL TABLES IN SCHEMA s TO reader")
	_, err = openSnapshot(t, reader, connectors.Options{}) // who works under a role has its rights alone
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "nobody_much may not read s.closed", "GRANT USAGE ON SCHEMA s TO nobody_much")
	a.Exec(t, dsn, "ALTER ROLE reader RESET role", "DROP ROLE nobody_much", "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM reader")
	a.Exec(t, dsn, "GRANT USAGE ON SCHEMA s TO reader", "GRANT SELECT ON s.open TO reader")
	_, err = openSnapshot(t, reader, connectors.Options{})
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "GRANT SELECT ON s.closed TO reader")
	a.Exec(t, dsn, "GRANT SELECT ON s.closed TO reader")
	_, err = openSnapshot(t, reader, connectors.Options{})
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "GRANT SELECT ON SEQUENCE s.open_id_seq TO reader")
	a.Exec(t, dsn, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA s TO reader", "ALTER TABLE s.closed ENABLE ROW LEVEL SECURITY")
	_, err = openSnapshot(t, reader, connectors.Options{})
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "row security", "s.closed", "BYPASSRLS")
	a.Exec(t, dsn, "ALTER TABLE s.closed DISABLE ROW LEVEL SECURITY")
	to := a.DSN(a.Name(t))
	if err := copyAll(t, reader, to, "r1", nil); err != nil {
		t.Errorf("an account with no more than SELECT: %v", err)
	}
	// The other end: an account that may not create databases.
	u, _ := url.Parse(to)
	name := strings.TrimPrefix(u.Path, "/") + "b"
	err = copyAll(t, dsn, a.DSNAs(name, "reader", "pw"), "r1", nil)
	wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "permission denied", "ALTER ROLE reader CREATEDB")
	a.Exec(t, dsn, "ALTER ROLE reader CREATEDB")
	for _, run := range []string{"r1", "r2"} {
		if err := copyAll(t, dsn, a.DSNAs(name, "reader", "pw"), run, nil); err != nil {
			t.Errorf("an account with no more than CREATEDB: %v", err)
		}
	}
	a.Exec(t, a.DSN("postgres"), "DROP DATABASE "+ident(name)) // before its owner goes
}

// TestMissingAtTarget builds what needs more than the target's server has.
func TestMissingAtTarget(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (id integer)", "CREATE POLICY p ON t", "CREATE INDEX i ON t (id)")
	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*definitions)
		kind   connectors.Kind
		words  []string
	}{
		"locale": {func(d *definitions) { d.Collate = "xx_YY.UTF-8" }, connectors.KindUnsupported, []string{"xx_YY.UTF-8", "install that locale"}},
		"extension": {func(d *definitions) {
			d.Before = append(d.Before, entry{Kind: "EXTENSION", Name: "nosuch", SQL: "CREATE EXTENSION nosuch"})
		}, connectors.KindUnavailable, []string{"make extension nosuch", "install the extension"}},
		"role": {func(d *definitions) {
			for i, e := range d.After {
				if e.Kind == "POLICY" {
					d.After[i].SQL = "CREATE POLICY p ON public.t TO nosuch"
				}
			}
		}, connectors.KindOther, []string{"make policy public.t p", `role "nosuch" does not exist`, "CREATE ROLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			var d definitions
			if err := json.Unmarshal(defs.Data, &d); err != nil {
				t.Fatal(err)
			}
			c.change(&d)
			data, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			changed := *defs
			changed.Data = data
			to := a.Name(t)
			sink, err := Connector{}.OpenSink(t.Context(), a.DSN(to), connectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer sink.Close()
			b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: &changed})
			if err == nil {
				err = b.Finish(t.Context())
				if e := b.Abort(); e != nil {
					t.Error(e)
				}
			}
			wants(t, err, c.kind, connectors.SinkSide, c.words...)
			if n := a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, "+literal(to)+")"); n != "0" {
				t.Errorf("%s databases are left", n)
			}
		})
	}
}

func TestLocked(t *testing.T) {
	a := connectortest.Postgres(t)
	for _, table := range []string{
		"busy (id integer)",
		"busy (id integer DEFAULT 1 + 1)", // reading the default waits before we lock anything
	} {
		dsn := a.Database(t)
		a.Exec(t, dsn, "CREATE TABLE "+table)
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE busy"); err != nil {
			t.Fatal(err)
		}
		_, err = openSnapshot(t, dsn, connectors.Options{LockTimeout: 100})
		wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "public.busy", "100ms", "lock")
		if !connectors.Retryable(err) {
			t.Error("a lock that is held may be waited for again")
		}
	}
}

// The target is free as soon as it has been given back, and not a moment later.
func TestGivenBack(t *testing.T) {
	a := connectortest.Postgres(t)
	opened, err := Connector{}.OpenSink(t.Context(), a.DSN(a.Name(t)), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	s := opened.(*sink)
	open := func() *pgx.Conn {
		conn, err := s.admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for i := range 100 {
		for _, conn := range []*pgx.Conn{open(), open()} {
			if err := s.take(t.Context(), conn); err != nil {
				t.Fatalf("the %d. time: %v", i+1, err)
			}
			s.giveBack(conn)
		}
	}
}

func TestHolderLost(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT generate_series(1, 10) AS id")
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap := s.(*snapshot)
	holders := " FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = " + literal(snap.conn.Database)
	a.Exec(t, a.DSN("postgres"), "SELECT pg_terminate_backend(pid)"+holders)
	for a.Value(t, a.DSN("postgres"), "SELECT count(*)"+holders) != "0" { // the server ends it a moment later
		time.Sleep(time.Millisecond)
	}
	id := catalog.TableID{Schema: "public", Name: "t"}
	layout, err := snap.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snap.Split(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	// A reader that joins late notices first; then everybody knows.
	_, err = snap.Read(t.Context(), chunks[0], layout)
	wants(t, err, connectors.KindSnapshot, connectors.SourceSide, "lost", "run again")
	snap.ask(t.Context())
	_, err = snap.Split(t.Context(), id, 0)
	wants(t, err, connectors.KindSnapshot, connectors.SourceSide, "lost")
}

// Readers that are there already read on when the holder is lost, and its locks with it: what
// somebody empties then they see empty, and nobody vouches for it.
func TestHolderLostBehindReaders(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE late AS SELECT generate_series(1, 10) AS id")
	s, err := openSnapshot(t, dsn, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	snap := s.(*snapshot)
	held, err := snap.reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap.release(held)
	if err := snap.Vouch(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Exec(t, a.DSN("postgres"), fmt.Sprintf("SELECT pg_terminate_backend(%d)", peerOf(snap.holder).pid))
	a.Exec(t, dsn, "TRUNCATE late")
	id := catalog.TableID{Schema: "public", Name: "late"}
	layout, _ := snap.Layout(id, nil)
	chunks, _ := snap.Split(t.Context(), id, 0)
	in, err := snap.Read(t.Context(), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if b, err := in.Next(t.Context()); err != io.EOF {
		t.Errorf("the emptied table gives %v, %v", b, err)
	}
	wants(t, snap.Vouch(t.Context()), connectors.KindSnapshot, connectors.SourceSide, "lost", "run again")
}

// A server that stands still for a while, as one that is moved to another machine does, has the
// snapshot still when it goes on.
func TestHolderStandsStill(t *testing.T) {
	defer func(was time.Duration) { pulse = was }(pulse)
	pulse = 50 * time.Millisecond
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	p, from := newProxy(t, dsn)
	s, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap := s.(*snapshot)
	p.still.Lock()
	time.Sleep(5 * pulse)
	// Meanwhile whoever gives up waiting is let go.
	soon, cancel := context.WithTimeout(t.Context(), 5*pulse)
	defer cancel()
	if err := snap.Vouch(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("asked for a moment it says %v", err)
	}
	p.still.Unlock()
	if err := snap.Vouch(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whoever waits to change a table holds up the readers of a run for which it waits itself: the
// error says who.
func TestReadersBehindWhoWaitsForTheRun(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE late AS SELECT 1 AS id")
	s, err := openSnapshot(t, dsn, connectors.Options{Workers: 1, LockTimeout: 200})
	if err != nil {
		t.Fatal(err)
	}
	other, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	pid := other.PgConn().PID()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		other.Exec(ctx, "ALTER TABLE late ADD x int")
		other.Close(context.Background())
	}()
	defer func() { cancel(); <-over }()
	waits := fmt.Sprintf("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %d", pid)
	for a.Value(t, a.DSN("postgres"), waits) == "0" {
		time.Sleep(10 * time.Millisecond)
	}
	snap := s.(*snapshot)
	id := catalog.TableID{Schema: "public", Name: "late"}
	layout, _ := snap.Layout(id, nil)
	chunks, _ := snap.Split(t.Context(), id, 0)
	_, err = snap.Read(t.Context(), chunks[0], layout)
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, fmt.Sprintf("process %d waits to have public.late for itself", pid), fmt.Sprintf("pg_cancel_backend(%d)", pid))
	if !connectors.Retryable(err) {
		t.Error("it is not tried again")
	}
	// So does another run, which would join or open a snapshot.
	_, err = openSnapshot(t, dsn, connectors.Options{LockTimeout: 200})
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, fmt.Sprintf("process %d waits for more than 200ms to have public.late for itself", pid), "a snapshot that is held", fmt.Sprintf("pg_cancel_backend(%d)", pid))
}

func TestReaderLost(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT i AS id, repeat('x', 1000) AS pad FROM generate_series(1, 50000) i")
	s, err := openSnapshot(t, dsn, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	snap := s.(*snapshot)
	id := catalog.TableID{Schema: "public", Name: "t"}
	layout, _ := snap.Layout(id, nil)
	chunks, _ := snap.Split(t.Context(), id, 1<<40)
	in, err := snap.Read(t.Context(), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	a.Exec(t, a.DSN("postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = "+literal(snap.conn.Database))
	for err == nil {
		var b *connectors.Batch
		if b, err = in.Next(t.Context()); err == nil {
			b.Release()
		}
	}
	if err == io.EOF || !connectors.Retryable(err) {
		t.Fatalf("a reader whose session was ended: %v", err)
	}
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide)
	in.Close()
	// The snapshot lives: the chunk is read again, on another session.
	in, err = snap.Read(t.Context(), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows := 0
	for {
		b, err := in.Next(t.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows
		b.Release()
	}
	if rows != 50000 {
		t.Errorf("%d rows", rows)
	}
}

func TestPgDump(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (id integer)")
	dir := t.TempDir()
	define := func(t *testing.T) error {
		snap, err := openSnapshot(t, dsn, connectors.Options{BinDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		_, err = snap.Definitions(t.Context())
		return err
	}
	wants(t, define(t), connectors.KindUnavailable, connectors.SourceSide, "find pg_dump", dir, "postgresql-client-")
	script := func(body string) {
		if err := os.WriteFile(filepath.Join(dir, "pg_dump"), []byte("#!/bin/sh\n"+body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script(`echo "pg_dump (PostgreSQL) 9.6.24"`)
	wants(t, define(t), connectors.KindUnavailable, connectors.SourceSide, "must not be older", "version 9", "postgresql-client-")
	script(`echo "pg_dump (PostgreSQL) 99.1"`)
	wants(t, define(t), connectors.KindUnavailable, connectors.SourceSide, "find pg_restore", "not beside "+dir, "--pg-bin")
	if err := os.WriteFile(filepath.Join(dir, "pg_restore"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	script(`[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) 99.1"; exit 0; }
case "$*" in *only-for-tests*) echo "pg_dump: error: the password is in the arguments" >&2; exit 1;; esac
[ -n "$PGPASSWORD" ] || { echo "pg_dump: error: no password in the environment" >&2; exit 1; }
echo "pg_dump: detail: noise" >&2; echo "pg_dump: error: broke in the middle" >&2; exit 1`)
	if err := define(t); err == nil || !strings.Contains(err.Error(), "pg_dump: broke in the middle") {
		t.Errorf("%v", err)
	}
}

// TestLeftovers proves what becomes of a killed run, at the stages at which a kill
// leaves something, and that nobody else's databases are taken for leftovers.
func TestLeftovers(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	name := a.Name(t)
	to := a.DSN(name)
	if err := copyAll(t, dsn, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	admin := a.DSN("postgres")
	mark := func(db, state, target string) string {
		return "COMMENT ON DATABASE " + ident(db) + " IS " + literal(mark{Target: target, Run: "x", State: state}.String())
	}
	create := func(db string) string { return "CREATE DATABASE " + ident(db) + " TEMPLATE template0" }
	a.Exec(t, admin,
		// Killed between CREATE DATABASE and its mark; killed while loading;
		// killed between the promotion and the end of the former copy.
		create(name+"__building_k1")+" ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571",
		create(name+"__building_k2"), mark(name+"__building_k2", "building", name),
		create(name+"__former_k3"), mark(name+"__former_k3", "ready", name),
		// Not ours, or not of this target.
		create(name+"__building_mine"),
		create(name+"__building_k4"), mark(name+"__building_k4", "building", "another"),
		create(name+"__former_of_ann"), mark(name+"__former_of_ann", "ready", name),
		create(name+"_kept"), mark(name+"_kept", "ready", name),
	)
	databases := func() string {
		return a.Value(t, admin, "SELECT string_agg(substr(datname, "+
			"length("+literal(name)+") + 1), ' ' ORDER BY datname) FROM pg_database WHERE starts_with(datname, "+literal(name)+")")
	}
	if err := copyAll(t, dsn, to, "r2", nil); err != nil {
		t.Fatal(err)
	}
	if got, want := databases(), " __building_k4 __building_mine __former_of_ann _kept"; got != want {
		t.Errorf("databases %q, want %q", got, want)
	}
	// A former copy without a target gets its name back, and is then replaced.
	a.Exec(t, admin, "ALTER DATABASE "+ident(name)+" RENAME TO "+ident(name+"__former_k5"))
	sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{Warn: func(m string) { t.Log(m) }})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r3", Catalog: snap.Catalog(), Definitions: defs})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}
	if got, want := databases(), " __building_k4 __building_mine __former_of_ann _kept"; got != want {
		t.Errorf("databases %q, want %q", got, want)
	}
}

// A copy that another account has made is refused before a row is read, not at
// the promotion.
func TestOwnerOfTarget(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn, name := a.Database(t), a.Name(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	if err := copyAll(t, dsn, a.DSN(name), "r1", nil); err != nil {
		t.Fatal(err)
	}
	account := a.Name(t) + "_maker"
	a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+ident(account)+" LOGIN CREATEDB PASSWORD 'maker'")
	t.Cleanup(func() {
		a.Exec(t, a.DSN("postgres"), "DROP DATABASE IF EXISTS "+ident(name), "DROP ROLE "+ident(account))
	})
	to := a.DSNAs(name, account, "maker")
	wants(t, copyAll(t, dsn, to, "r2", nil), connectors.KindGuard, connectors.SinkSide, "belongs to ", account, "OWNER TO")
	if n := a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, "+literal(name+"__")+")"); n != "0" {
		t.Errorf("%s databases are left", n)
	}
	a.Exec(t, a.DSN("postgres"), "ALTER DATABASE "+ident(name)+" OWNER TO "+ident(account))
	if err := copyAll(t, dsn, to, "r3", nil); err != nil {
		t.Error(err)
	}
}

func TestLongNames(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	name := a.Name(t)
	name += strings.Repeat("é", (nameLimit-len(name))/2)
	to := a.DSN(url.PathEscape(name))
	to = strings.ReplaceAll(to, "%25", "%")
	for _, run := range []string{"0123456789abcdef", "r2"} {
		if err := copyAll(t, dsn, to, run, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.Value(t, to, "SELECT current_database() || (SELECT count(*) FROM t)"); got != name+"1" {
		t.Errorf("%q, want %q", got, name+"1")
	}
	for _, target := range []string{name, strings.Repeat("x", 37), strings.Repeat("😀", 15)} {
		for _, infix := range []string{building, former} {
			if n := len(stem(target) + infix + "0123456789abcdef"); n > nameLimit {
				t.Errorf("%s: %d bytes", target, n)
			}
		}
	}
}

// TestSessionsInTarget promotes over a target whose users do not leave.
func TestSessionsInTarget(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	to := a.DSN(a.Name(t))
	if err := copyAll(t, dsn, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	quit := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if conn, err := pgx.Connect(ctx, to); err == nil {
				conn.Exec(ctx, "SELECT pg_sleep(0.05)")
				conn.Close(ctx)
			}
			cancel()
		}
	}()
	err := copyAll(t, dsn, to, "r2", nil)
	close(quit)
	<-done
	if err != nil {
		t.Fatal(err)
	}
}
