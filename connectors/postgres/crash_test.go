package postgres

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// crashing is a database with keys and indexes, and a build of it on a server that may crash.
type crashing struct {
	t      *testing.T
	server *connectortest.PrivatePostgres
	from   string
	to     string
	snap   connectors.Snapshot
	defs   *connectors.Definitions
	sink   connectors.Sink
	build  *build
	rows   map[catalog.TableID]int64
}

func newCrashing(t *testing.T, server *connectortest.PrivatePostgres, target string, more ...string) *crashing {
	a := connectortest.Postgres(t)
	c := &crashing{t: t, from: a.Database(t), rows: map[catalog.TableID]int64{}, server: server, to: server.DSN(target)}
	a.Exec(t, c.from, "CREATE TABLE hub (id bigint PRIMARY KEY, name text UNIQUE)", "CREATE TABLE spoke (id bigint PRIMARY KEY, hub_id bigint REFERENCES hub)",
		"CREATE INDEX ON spoke (hub_id)", "INSERT INTO hub SELECT i, 'n' || i FROM generate_series(1, 500) i", "INSERT INTO spoke SELECT i, i FROM generate_series(1, 500) i")
	a.Exec(t, c.from, more...)
	var err error
	if c.snap, err = openSnapshot(t, c.from, connectors.Options{}); err != nil {
		t.Fatal(err)
	}
	if c.defs, err = c.snap.Definitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.open()
	c.begun(c.sink.Begin(t.Context(), c.spec()))
	return c
}

func (c *crashing) spec() connectors.BuildSpec {
	return connectors.BuildSpec{Run: "crash", Catalog: c.snap.Catalog(), Definitions: c.defs}
}

// open opens a sink, as a new process would.
func (c *crashing) open() {
	c.t.Helper()
	sink, err := Connector{}.OpenSink(c.t.Context(), c.to, connectors.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { sink.Close() })
	c.sink = sink
}

func (c *crashing) begun(b connectors.Build, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { b.Abort() })
	c.build = b.(*build)
}

// load loads every table, and waits for the disk: what follows is what a crash may cost.
func (c *crashing) load() {
	c.t.Helper()
	for _, tab := range c.snap.Catalog().Tables {
		n, err := copyTable(c.t.Context(), c.snap, c.build, tab, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		c.rows[tab.ID] = n
	}
	c.server.Exec(c.t, c.server.DSN(c.build.name), "CREATE TABLE disk ()", "DROP TABLE disk")
}

// anew makes another build, up to its seal.
func (c *crashing) anew() {
	c.t.Helper()
	c.open()
	c.begun(c.sink.Begin(c.t.Context(), c.spec()))
	c.load()
	if err := c.build.Finish(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	if err := c.build.Seal(c.t.Context(), c.rows); err != nil {
		c.t.Fatal(err)
	}
}

// seal seals, promotes, and compares.
func (c *crashing) seal() {
	c.t.Helper()
	if err := c.build.Seal(c.t.Context(), c.rows); err != nil {
		c.t.Fatal(err)
	}
	if err := c.build.Promote(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	sameDatabases(c.t, c.from, c.to)
}

const builtSQL = `SELECT concat_ws(', ', (SELECT count(*) || ' indexes' FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace),
	(SELECT count(*) || ' keys' FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')))`

// A crash of the target costs what need not wait for its disk: here that stays in memory for
// ten seconds.
func TestCrash(t *testing.T) {
	server := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{Settings: []string{"wal_writer_delay=10s", "wal_writer_flush_after=0"}})
	t.Run("behind Finish", func(t *testing.T) { crashBehindFinish(t, newCrashing(t, server, "behind")) })
	t.Run("within Finish", func(t *testing.T) { crashWithinFinish(t, newCrashing(t, server, "within")) })
	t.Run("before a key", func(t *testing.T) { crashBeforeKey(t, newCrashing(t, server, "before")) })
	t.Run("unlogged", func(t *testing.T) {
		crashOfUnlogged(t, newCrashing(t, server, "unlogged", "ALTER TABLE spoke SET UNLOGGED"))
	})
	t.Run("connections", func(t *testing.T) {
		lostBehindFinish(t, newCrashing(t, server, "lost", "ALTER TABLE spoke SET UNLOGGED"))
	})
	t.Run("closed", func(t *testing.T) {
		lostWhilePromoted(t, newCrashing(t, server, "closed"))
		lostWhilePromoted(t, newCrashing(t, server, "closed_unlogged", "ALTER TABLE spoke SET UNLOGGED"))
	})
	t.Run("answers", func(t *testing.T) { answersLost(t, newCrashing(t, server, "answers")) })
}

// What Finish has made is on the disk when it returns: a crash right behind it costs
// nothing, and the build is gone on with to its end.
func crashBehindFinish(t *testing.T, c *crashing) {
	c.load()
	if err := c.build.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := "4 indexes, 4 keys"
	if got := c.server.Value(t, c.server.DSN(c.build.name), builtSQL); got != want {
		t.Fatalf("finished: %s, want %s", got, want)
	}
	c.server.Restart(t) // as a crash would
	if got := c.server.Value(t, c.server.DSN(c.build.name), builtSQL); got != want {
		t.Errorf("after the crash: %s, want %s", got, want)
	}
	// Nor does one before it is sealed, nor before it is promoted.
	if err := c.build.Seal(t.Context(), c.rows); err != nil {
		t.Fatal(err)
	}
	c.server.Restart(t)
	if err := c.build.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	sameDatabases(t, c.from, c.to)
}

// Rows of unlogged tables go with a crash, wherever the run is: it does not promote without them,
// and who resumes it gets them again.
func crashOfUnlogged(t *testing.T, c *crashing) {
	c.load()
	if err := c.build.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if safe, err := c.build.Settle(t.Context()); safe || err != nil {
		t.Errorf("a crash may cost rows: safe %t, %v", safe, err)
	}
	c.server.Restart(t)
	empty := func(err error) {
		t.Helper()
		if kind, side := connectors.KindOf(err); kind != connectors.KindUnavailable || side != connectors.SinkSide || connectors.Retryable(err) {
			t.Errorf("gone on with behind a crash: kind %d, side %d, %v", kind, side, err)
		}
	}
	empty(c.build.Seal(t.Context(), c.rows))
	if err := c.build.Abort(); err != nil {
		t.Fatal(err)
	}
	c.anew()
	c.server.Restart(t)
	empty(c.build.Promote(t.Context()))
	if err := c.build.Abort(); err != nil {
		t.Fatal(err)
	}
	// Behind the renaming the copy is there; who runs it is told that rows are not.
	c.anew()
	c.build.closePool()
	c.server.Exec(t, c.server.DSN("postgres"), "ALTER DATABASE "+ident(c.build.name)+" RENAME TO unlogged")
	c.server.Restart(t)
	closeConn(c.build.admin)
	c.build.state = promoted
	for range 2 {
		if err := c.build.stillThere(t.Context(), "promote"); !connectors.Changed(err) || !strings.Contains(err.Error(), "public.spoke") {
			t.Errorf("rows of the promoted copy are gone: %v", err)
		}
		// So is who has a new session since, to drop the former copy by.
		conn, err := c.build.sink.admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.build.admin, c.build.made.doubt = conn, true
	}
}

// cut ends all sessions at the server but the one that asks.
func (c *crashing) cut() {
	c.t.Helper()
	c.server.Exec(c.t, c.server.DSN("postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
}

// Connections that are lost behind Finish cost neither the run nor, where the server has not
// crashed, the rows of unlogged tables.
func lostBehindFinish(t *testing.T, c *crashing) {
	c.load()
	if err := c.build.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.cut()
	if err := c.build.Seal(t.Context(), c.rows); err != nil {
		t.Fatal(err)
	}
	c.cut()
	if err := c.build.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	sameDatabases(t, c.from, c.to)
}

// A session that is lost while a target is replaced to which nobody may connect does not cost the
// run: the build is closed in the step that puts it in its place.
func lostWhilePromoted(t *testing.T, c *crashing) {
	ctx, postgres := t.Context(), c.server.DSN("postgres")
	c.load()
	if err := c.build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	c.seal()
	if err := c.build.Abort(); err != nil {
		t.Fatal(err)
	}
	db := ident(c.build.target)
	c.server.Exec(t, postgres, "ALTER DATABASE "+db+" ALLOW_CONNECTIONS false")
	c.anew()
	held, err := pgx.Connect(ctx, postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(held)
	if _, err := held.Exec(ctx, "BEGIN; COMMENT ON DATABASE "+db+" IS 'changed, and changed back'"); err != nil {
		t.Fatal(err)
	}
	promoted := make(chan error, 1)
	go func() { promoted <- c.build.Promote(ctx) }()
	for c.server.Value(t, postgres, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%RENAME TO%'") == "0" {
		runtime.Gosched()
	}
	if _, err := held.Exec(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-promoted; err != nil {
		t.Fatal(err)
	}
	if got := c.server.Value(t, postgres, "SELECT datallowconn FROM pg_database WHERE datname = "+literal(c.build.target)); got != "f" {
		t.Error("the copy lets everybody in again")
	}
	_, err = c.sink.(*sink).connect(ctx, c.build.target)
	if kind, side := connectors.KindOf(err); kind != connectors.KindUnavailable || side != connectors.SinkSide || !strings.Contains(connectors.Hint(err), "ALLOW_CONNECTIONS true") {
		t.Errorf("a database that takes no connections: kind %d, side %d, %v", kind, side, err)
	}
	c.server.Exec(t, postgres, "ALTER DATABASE "+db+" ALLOW_CONNECTIONS true")
	sameDatabases(t, c.from, c.to)
}

// A step that was done, and nobody was told, is done.
func answersLost(t *testing.T, c *crashing) {
	ctx := t.Context()
	c.server.Exec(t, c.server.DSN("postgres"), "CREATE DATABASE answers_stranger")
	c.load()
	if err := c.build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	// Seal has dropped the ledger, and tries again.
	last := true
	c.server.Exec(t, c.server.DSN(c.build.name), c.build.lastSQL())
	if err := c.build.seal(ctx, "seal", c.rows, &last); err != nil {
		t.Fatal(err)
	}
	// The renaming got through; whoever asked for it has lost the connection.
	c.server.Exec(t, c.server.DSN("postgres"), "COMMENT ON DATABASE "+ident(c.build.name)+" IS "+literal(c.build.mark(stateReady).String()))
	c.build.closePool()
	c.server.Exec(t, c.server.DSN("postgres"), "ALTER DATABASE "+ident(c.build.name)+" RENAME TO answers",
		"CREATE DATABASE "+c.build.formerName())
	c.cut()
	if err := c.build.Promote(ctx); err != nil {
		t.Errorf("what has been promoted is said to have failed: %v", err)
	}
	if got := c.server.Value(t, c.server.DSN("postgres"), "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'answers%'"); got != "answers answers_stranger" {
		t.Errorf("databases: %s", got)
	}
	sameDatabases(t, c.from, c.to)
}

// A crash between the last key and the end of Finish has cost that key, and none of its
// statements failed by it: Finish asks, and is done again.
func crashWithinFinish(t *testing.T, c *crashing) {
	c.load()
	ctx := t.Context()
	for _, tab := range c.snap.Catalog().Tables {
		if err := c.build.TableLoaded(ctx, tab.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.build.keys(ctx); err != nil {
		t.Fatal(err)
	}
	c.server.Restart(t)
	// The sessions of the pool are gone: the first that is used says so.
	err := c.build.settle(ctx)
	for tries := 0; err != nil && connectors.Retryable(err) && !strings.Contains(err.Error(), "may have crashed"); tries++ {
		if tries == 10 {
			t.Fatal(err)
		}
		err = c.build.settle(ctx)
	}
	if err == nil || !connectors.Retryable(err) {
		t.Fatalf("settled behind a crash: %v", err)
	}
	// The next round begins with what the server still has.
	receipts, err := c.build.Receipts(ctx)
	if err != nil || len(receipts) != len(c.rows) {
		t.Fatalf("%d receipts, %v", len(receipts), err)
	}
	if err := c.build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	c.seal()
}

// A crash may cost what a key points to, rows or their own key, and nobody has heard of it when the
// key is made: it fails, and is made when they are there again.
func crashBeforeKey(t *testing.T, c *crashing) {
	ctx := t.Context()
	for _, name := range []string{"spoke", "hub"} {
		tab := c.snap.Catalog().Table(catalog.TableID{Schema: "public", Name: name})
		n, err := copyTable(ctx, c.snap, c.build, tab, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.rows[tab.ID] = n
		if name == "spoke" {
			c.server.Exec(t, c.server.DSN(c.build.name), "CREATE TABLE disk ()", "DROP TABLE disk")
		}
	}
	c.server.Restart(t)
	var err error
	for tries := 0; ; tries++ {
		if err = c.build.Finish(ctx); err == nil || !connectors.Retryable(err) || tries == 10 {
			t.Fatalf("finished behind a crash: %v", err)
		}
		if strings.Contains(err.Error(), "lost its last commits") {
			break
		}
	}
	receipts, err := c.build.Receipts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for id := range c.rows { // what the crash has cost depends on what else went to the disk
		if !slices.ContainsFunc(receipts, func(r connectors.Receipt) bool { return r.Table == id }) {
			if _, err := copyTable(ctx, c.snap, c.build, c.snap.Catalog().Table(id), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	c.seal()
}

// The target's lock is taken again from our own session, if the server has not noticed that it is
// gone; and from nobody else, though he has its number now.
func TestRetake(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t (i int)")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	s, err := Connector{}.OpenSink(ctx, a.DSN(a.Name(t)), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	begun, err := s.Begin(ctx, connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs})
	if err != nil {
		t.Fatal(err)
	}
	defer begun.Abort()
	b := begun.(*build)

	// Whoever has the lock now: our session of before, or another with its number.
	lose := func(number func(theirs backend) backend) *pgx.Conn {
		t.Helper()
		other, err := b.sink.admin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeConn(other) })
		b.adminMu.Lock()
		defer b.adminMu.Unlock()
		closeConn(b.admin)
		for until := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if err = b.take(ctx, other); err == nil {
				break
			}
			if time.Now().After(until) {
				t.Fatal(err)
			}
		}
		theirs, err := b.backend(ctx, other)
		if err != nil {
			t.Fatal(err)
		}
		b.taken = number(theirs)
		return other
	}
	other := lose(func(theirs backend) backend { return backend{theirs.pid, theirs.since.Add(-time.Microsecond)} })
	err = b.hold(ctx)
	if kind, _ := connectors.KindOf(err); kind != connectors.KindBusy {
		t.Errorf("another run holds the target: kind %d, %v", kind, err)
	}
	if _, err := other.Exec(ctx, "SELECT"); err != nil {
		t.Errorf("a session of somebody else was ended: %v", err)
	}
	closeConn(other)

	other = lose(func(theirs backend) backend { return theirs })
	if err := b.hold(ctx); err != nil {
		t.Errorf("our own session has the target: %v", err)
	}
	if _, err := other.Exec(ctx, "SELECT"); err == nil {
		t.Error("our own session, of which nobody knows, goes on")
	}
	if now, err := b.backend(ctx, b.admin); err != nil || now != b.taken {
		t.Errorf("taken by %+v, noted %+v, %v", now, b.taken, err)
	}
}

// Two accounts that cannot enter the same database for their locks do not take one target both.
func TestTargetIsTakenFromElsewhere(t *testing.T) {
	a := connectortest.Postgres(t)
	ctx := t.Context()
	to := a.DSN(a.Name(t))
	var taken []*pgx.Conn
	for i, database := range []string{"template1", "postgres", "template1"} {
		opened, err := Connector{}.OpenSink(ctx, to, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		s := opened.(*sink)
		s.maintenance = database
		conn, err := s.admin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer closeConn(conn)
		err = s.take(ctx, conn)
		if kind, _ := connectors.KindOf(err); (err == nil) != (i == 0) || i > 0 && kind != connectors.KindBusy {
			t.Errorf("session %d in %s: kind %d, %v", i, database, kind, err)
		}
		taken = append(taken, conn)
	}
	for _, conn := range taken {
		closeConn(conn)
	}
}
