package postgres

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
)

var (
	_ connectors.Resumer = (*sink)(nil)
	_ connectors.Keeper  = (*build)(nil)
	_ connectors.Settler = (*build)(nil)
)

// ledgerSQL returns what makes the tables of a build's ledger, in its schema:
//
//	ledger       the receipts
//	made         what was made after the rows: the SHA-256 of each entry's SQL
//	fingerprint  what shaped the output, part by part
//	kept         definitions and chunks, as JSON, compressed
//	state        one row, once all that rows need has been made: when that was
func ledgerSQL(l string) []string {
	return []string{
		"CREATE TABLE " + l + ".ledger (chunk text PRIMARY KEY, table_schema text NOT NULL, table_name text NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL, at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp())",
		"CREATE TABLE " + l + ".made (entry text PRIMARY KEY)",
		"CREATE TABLE " + l + ".fingerprint (part text PRIMARY KEY, digest text NOT NULL)",
		"CREATE TABLE " + l + ".kept (part text PRIMARY KEY, content bytea NOT NULL)",
		"CREATE TABLE " + l + ".state (defined timestamptz NOT NULL)",
	}
}

const (
	keptDefinitions = "definitions"
	keptChunks      = "chunks"
)

// keepSQL returns what puts the definitions and the chunks beside the ledger. A run that
// goes on takes both from there: the server prints a definition as it is now, even under
// a snapshot, and the size of a table is no part of one.
func (b *build) keepSQL() ([]string, error) {
	var all []string
	for _, part := range []struct {
		name    string
		content any
	}{{keptDefinitions, b.spec.Definitions}, {keptChunks, b.spec.Chunks}} {
		text, err := encodeJSON(part.content)
		if err != nil {
			return nil, err
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf(`INSERT INTO %s.kept VALUES (%s, '\x%x')`, ident(b.ledger), literal(part.name), packed.Bytes()))
	}
	return all, nil
}

func unpack(packed []byte, into any) error {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return decodeJSON(text, into)
}

// defined notes that all that rows need has been made. This commit waits for the disk,
// and so for all before it: only chunks and what is made behind them can be lost by a crash.
func (b *build) defined(ctx context.Context, held *session) error {
	sql := durable("INSERT INTO " + ident(b.ledger) + ".state VALUES (pg_catalog.clock_timestamp())")
	return failDefinition(ctx, b.side, "prepare database "+word(b.name), held.exec(ctx, sql))
}

// made is what of the entries behind the rows is there.
type made struct {
	// making is held for reading while an entry is made, for writing while the server is
	// asked what of them it still has.
	making sync.RWMutex
	mu     sync.Mutex
	keys   map[string]bool // by the SHA-256 of an entry's SQL
	// doubt is set when the server may have crashed since it was last asked: our own
	// session on it was lost. No crash spares a session.
	doubt bool
	lost  bool // doubt has been set since the build was opened
}

func (m *made) doubted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.doubt
}

func (m *made) has(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[key]
}

func (m *made) add(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil {
		m.keys = map[string]bool{}
	}
	m.keys[key] = true
}

// known returns what is known to be made.
func (m *made) known() map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.keys)
}

// make runs an entry, unless it has been made, and notes it in the same transaction.
func (b *build) make(ctx context.Context, held *session, e entry) error {
	sum := sha256.Sum256([]byte(e.SQL))
	key := hex.EncodeToString(sum[:])
	b.made.making.RLock()
	defer b.made.making.RUnlock()
	if b.made.has(key) {
		return nil
	}
	// Statements that are sent together are one transaction, if none of them says otherwise.
	if err := held.exec(ctx, e.SQL+"\n;INSERT INTO "+ident(b.ledger)+".made VALUES ('"+key+"')"); err != nil {
		return err
	}
	b.made.add(key)
	return nil
}

func (b *build) readMade(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, "SELECT entry FROM "+ident(b.ledger)+".made")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// recover brings what this run knows of the build in line with what the server has. A
// commit may have got through before its connection broke; and a server that crashed has
// lost the last commits, which need not wait for its disk, and the rows of unlogged tables.
func (b *build) recover(ctx context.Context, held *session) error {
	if !b.made.doubted() {
		keys, err := b.readMade(ctx, held.conn)
		for _, k := range keys {
			b.made.add(k)
		}
		return err
	}
	// Whatever was being made has lost its session, and fails.
	b.made.making.Lock()
	defer b.made.making.Unlock()
	keys, err := b.readMade(ctx, held.conn)
	if err != nil {
		return err
	}
	if err := b.emptyUnlogged(ctx, held); err != nil {
		return err
	}
	b.made.mu.Lock()
	b.made.keys, b.made.doubt = map[string]bool{}, false
	b.made.mu.Unlock()
	for _, k := range keys {
		b.made.add(k)
	}
	b.mu.Lock()
	clear(b.done)
	clear(b.indexed)
	clear(b.analyzed)
	clear(b.refreshed)
	clear(b.unfilled)
	b.mu.Unlock()
	return nil
}

// withAdmin runs f on the session that holds the target's lock. Where that was lost,
// another takes the lock again; if a run has it meanwhile, that is KindBusy.
func (b *build) withAdmin(ctx context.Context, f func(*pgx.Conn) error) error {
	b.adminMu.Lock()
	defer b.adminMu.Unlock()
	b.mu.Lock()
	closed := b.state == closedState
	b.mu.Unlock()
	if closed {
		return &connectors.Error{Side: b.side, Op: "use the build " + word(b.name), Err: errors.New("it is no longer open")}
	}
	if b.admin != nil && !b.admin.IsClosed() {
		_, err := b.admin.Exec(ctx, "SELECT")
		if err == nil {
			return f(b.admin)
		}
		if ctx.Err() != nil {
			return failDefinition(ctx, b.side, "hold "+b.display(b.target), err)
		}
	}
	conn, err := b.patiently(ctx, b.sink.admin)
	if err != nil {
		return err
	}
	taken, err := b.retake(ctx, conn)
	if err != nil {
		b.giveBack(conn)
		return err
	}
	closeConn(b.admin)
	b.admin, b.taken = conn, taken
	b.made.mu.Lock()
	b.made.doubt, b.made.lost = true, true
	b.made.mu.Unlock()
	return f(conn)
}

// hold sees to it that the target is held.
func (b *build) hold(ctx context.Context) error {
	return b.withAdmin(ctx, func(*pgx.Conn) error { return nil })
}

// backend is one process of a server. Its number alone is not one: numbers are given out
// again, soon after a container or a machine has started anew. The zero value is nobody.
type backend struct {
	pid   int32
	since time.Time // as the server's clock has it, to the microsecond
}

// backend says which process serves a session. The role that an account works under may not see since
// when, and the account may.
func (b *build) backend(ctx context.Context, conn *pgx.Conn) (p backend, err error) {
	err = b.byEach(ctx, conn, func(by queryer) error {
		return by.QueryRow(ctx, "SELECT pid, coalesce(backend_start, '0001-01-01Z') FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()").Scan(&p.pid, &p.since)
	})
	return p, failDefinition(ctx, b.side, "take "+b.display(b.target), err)
}

// takeAfter takes the target's lock, which our own session may still seem to have:
// the server has not noticed yet that it is gone. That one is ended, and nobody else.
func (b *build) takeAfter(ctx context.Context, conn *pgx.Conn) error {
	err := b.take(ctx, conn)
	if kind, _ := connectors.KindOf(err); kind != connectors.KindBusy || b.taken == (backend{}) {
		return err
	}
	const sql = "SELECT coalesce(pg_catalog.bool_or(pg_catalog.pg_terminate_backend(pid)), false) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start = $2"
	if ended, err := b.ends(ctx, conn, sql, b.taken.pid, b.taken.since); err == nil && ended {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return b.take(ctx, conn)
}

// retake takes the target's lock again, for what is being built.
func (b *build) retake(ctx context.Context, conn *pgx.Conn) (taken backend, err error) {
	if err := b.takeAfter(ctx, conn); err != nil {
		return backend{}, err
	}
	list, err := b.neighbours(ctx, conn)
	if err != nil {
		return backend{}, err
	}
	if !slices.ContainsFunc(list, func(n neighbour) bool { return n.name == b.name || b.landed(n) }) {
		return backend{}, b.removedError()
	}
	return b.backend(ctx, conn)
}

// landed reports whether a database is the target, and what a run of this id has built: where
// the build is there no more, a promotion got through, and the answer did not.
func (b *build) landed(n neighbour) bool {
	return n.name == b.target && n.ours && n.mark.State == stateReady && n.mark.Run == b.spec.Run
}

func (b *build) removedError() error {
	return &connectors.Error{Kind: connectors.KindBusy, Side: b.side, Op: "use the build " + word(b.name),
		Err: errors.New("it is not there any more"), Hint: "another run has taken the target meanwhile, and removed it"}
}

// pulse asks now and then whether the target is still held, until the build's life ends.
func (b *build) pulse() {
	defer b.beating.Done()
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		select {
		case <-b.life.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(b.life, pulse)
			// What is wrong is said by the next step that needs the lock.
			b.hold(ctx)
			cancel()
		}
	}
}

// stopPulse ends the pulse. It may be called more than once.
func (b *build) stopPulse() {
	b.die()
	b.beating.Wait()
}

// patience is how long a build waits for a server that does not take connections:
// longer than most need to start, shorter than a person would wait for an error. Tests
// set it.
var patience = 30 * time.Second

const (
	busyPatience = time.Second
	firstRetry   = 100 * time.Millisecond
	longestRetry = time.Second
)

// patiently connects, and tries again for a while if the server is not to be had: it
// was there when the build was begun.
func (b *build) patiently(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (*pgx.Conn, error) {
	until := time.Now().Add(patience)
	for wait := firstRetry; ; wait = min(2*wait, longestRetry) {
		conn, err := connect(ctx)
		if err == nil || !connectors.Retryable(err) || ctx.Err() != nil || time.Now().After(until) {
			return conn, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// enter opens a session in the build.
func (b *build) enter(ctx context.Context) (*pgx.Conn, error) {
	conn, err := b.patiently(ctx, func(ctx context.Context) (*pgx.Conn, error) { return b.connect(ctx, b.name) })
	if stateOf(err) == "3D000" {
		return nil, b.removedError()
	}
	if err == nil && b.whole.Load() {
		if err = b.compute(ctx, conn); err != nil {
			closeConn(conn)
			return nil, err
		}
	}
	return conn, err
}

// Keep leaves the build as it is.
func (b *build) Keep() error {
	b.closeSessions()
	return nil
}

// Unfinished finds what the last run has left of a build.
func (s *sink) Unfinished(ctx context.Context) (*connectors.Unfinished, error) {
	op := "look for a build of " + s.display(s.target)
	conn, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(conn)
	// Of a process that was killed a moment ago the server may not know yet.
	for until := time.Now().Add(busyPatience); ; {
		err := s.take(ctx, conn)
		if err == nil {
			break
		}
		if kind, _ := connectors.KindOf(err); kind != connectors.KindBusy || time.Now().After(until) {
			return nil, err
		}
		select {
		case <-time.After(firstRetry):
		case <-ctx.Done():
			return nil, err
		}
	}
	list, err := s.neighbours(ctx, conn)
	if err != nil {
		return nil, err
	}
	var last *neighbour
	for i, n := range list {
		if isFormer, ok := s.leftover(n); ok && !isFormer && n.ours && n.mark.State != stateLeft && (last == nil || n.mark.At.After(last.mark.At)) {
			last = &list[i]
		}
	}
	if last == nil {
		return nil, nil
	}
	inside, err := s.connect(ctx, last.name)
	if err != nil {
		return nil, err
	}
	defer closeConn(inside)
	u, err := readUnfinished(ctx, inside, last.mark)
	return u, failDefinition(ctx, s.side, op, err)
}

// readUnfinished reads the tables of a ledger. It returns nil if there is none, or one of
// a build that was cut before rows could be loaded, or after it was sealed.
func readUnfinished(ctx context.Context, conn *pgx.Conn, m mark) (*connectors.Unfinished, error) {
	u := &connectors.Unfinished{Run: m.Run, Fingerprint: map[string]string{}, Definitions: &connectors.Definitions{}}
	var schema string
	err := conn.QueryRow(ctx, query("ledgers"), "sanitize_"+strings.ToLower(m.Run)).Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := ident(schema)
	var last *time.Time
	err = conn.QueryRow(ctx, "SELECT defined, (SELECT pg_catalog.max(at) FROM "+l+".ledger) FROM "+l+".state").Scan(&u.Began, &last)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if last != nil {
		u.Last = *last
	}
	rows, err := conn.Query(ctx, "SELECT part, digest FROM "+l+".fingerprint")
	if err != nil {
		return nil, err
	}
	var part, digest string
	if _, err := pgx.ForEachRow(rows, []any{&part, &digest}, func() error { u.Fingerprint[part] = digest; return nil }); err != nil {
		return nil, err
	}
	for name, into := range map[string]any{keptDefinitions: u.Definitions, keptChunks: &u.Chunks} {
		var packed []byte
		if err := conn.QueryRow(ctx, "SELECT content FROM "+l+".kept WHERE part = "+literal(name)).Scan(&packed); err != nil {
			return nil, err
		}
		if err := unpack(packed, into); err != nil {
			return nil, fmt.Errorf("the %s beside the ledger cannot be read: %w", name, err)
		}
	}
	u.Receipts, err = readLedger(ctx, conn, schema)
	return u, err
}

// Resume takes the target and opens a build that was left.
func (s *sink) Resume(ctx context.Context, spec connectors.BuildSpec) (_ connectors.Build, err error) {
	op := "resume a build of " + s.display(s.target)
	if err := s.checkSpec(spec); err != nil {
		return nil, err
	}
	b, err := s.newBuild(spec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Keep() // it stays as it was found
		}
	}()
	if err := b.claim(ctx); err != nil {
		return nil, err
	}
	list, err := s.neighbours(ctx, b.admin)
	if err != nil {
		return nil, err
	}
	there := slices.ContainsFunc(list, func(n neighbour) bool {
		_, ok := s.leftover(n)
		return ok && n.name == b.name && n.mark.Run == spec.Run
	})
	if !there {
		return nil, &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op, Err: errors.New("it is not there any more"), Hint: "run again"}
	}
	if err := s.clear(ctx, b.admin, b.name, true); err != nil {
		return nil, err
	}
	if err := b.fit(ctx); err != nil {
		return nil, err
	}
	// A statement of the process that left it may still be running: an index that nobody
	// waits for is built to its end, and its commit counts.
	if err := b.emptied(ctx, b.admin, b.name, nil, true); err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	b.state, b.made.doubt = open, true
	b.whole.Store(true)
	err = b.with(ctx, func(held *session) error {
		if err := b.readUnlogged(ctx, held.conn); err != nil {
			return err
		}
		return b.recover(ctx, held)
	})
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	s.opened(b)
	return b, nil
}

// endLost ends the sessions that this run has lost: of one whose connection was cut the server
// may still run the last statement, and what that makes another would try to make beside it.
func (b *build) endLost(ctx context.Context, held *session) error {
	if !b.cut.Swap(false) {
		return nil
	}
	b.entering.Lock()
	defer b.entering.Unlock()
	b.mu.Lock()
	spared := slices.Collect(maps.Keys(b.ours))
	b.mu.Unlock()
	err := b.emptied(ctx, held.conn, b.name, spared, false)
	if err != nil {
		b.cut.Store(true)
	}
	return err
}
