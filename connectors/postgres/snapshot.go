package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

const (
	// lockBatch is how many tables one LOCK statement names.
	lockBatch = 100
	// holderPatience is how long an answer of the holder may take. A server that stands still, as
	// one that is moved to another machine does, goes on with the snapshot afterwards; one
	// that is gone is found out by the socket.
	holderPatience = 5 * time.Minute
	// readerPatience is how long an idle reader may take to say that it is there: a new one is made
	// in less.
	readerPatience = 5 * time.Second
	// namesInError bounds the list of tables in an error.
	namesInError = 8
)

// pulse is how often the holder of the snapshot is asked whether it lives. It also keeps
// firewalls from forgetting an idle connection. Tests set it.
var pulse = 20 * time.Second

// snapshot is one exported snapshot. One session holds it open, and the locks;
// readers join it.
type snapshot struct {
	*source
	token   string
	joined  bool   // the token is of a snapshot that another process has exported
	export  string // by which readers join: the token, or what the holder of a joined snapshot has exported; under mu
	server  string // when it was started
	taken   time.Time
	picture *picture
	charset *charset // of the database; nil if its rows are UTF-8, or nobody knows what
	roomy   bool     // it is said that the server has little room for locks
	sizes   map[catalog.TableID]size
	without map[catalog.TableID]bool // tables and sequences that have nothing here to read

	asking  gate // one question to the holder at a time
	holder  *pgx.Conn
	beat    chan struct{} // closed by Close: ends the pulse
	beating sync.WaitGroup

	chosen limits
	keyed  keyRanges
	watch  watch

	slots chan *session // a token per reader allowed; nil where no session is open yet
	// wide lets one row through that takes much memory. Who holds it waits for nothing that
	// somebody who waits for it holds: the pipeline's budget lets a batch pass that asks for
	// more than its share while all others keep theirs.
	wide gate

	mu     sync.Mutex
	lost   error
	cuts   int // readers that were given back to be closed
	closed bool
}

// Open opens the snapshot, checks rights, and locks every table.
func (s *source) Open(ctx context.Context) (connectors.Snapshot, error) {
	return s.view(ctx, "open a snapshot of "+s.display(s.conn.Database), "")
}

// view opens a snapshot, or joins the one of a token.
func (s *source) view(ctx context.Context, op, token string) (connectors.Snapshot, error) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	snap := &snapshot{source: s, token: token, joined: token != "", holder: conn, server: peerOf(conn).started, beat: make(chan struct{}), slots: make(chan *session, s.workers),
		wide: make(gate, 1), asking: make(gate, 1)}
	if snap.joined {
		snap.taken = exportedAt(ctx, conn, token)
	}
	if snap.charset, err = s.readCharset(ctx, conn); err != nil {
		closeConn(conn)
		return nil, failDefinition(ctx, s.side, op, err)
	}
	if err := snap.begin(ctx); err != nil {
		closeConn(conn)
		if stateOf(err) == "55P03" {
			return nil, s.lockedError(ctx)
		}
		return nil, failDefinition(ctx, s.side, op, err)
	}
	for range s.workers {
		snap.slots <- nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		closeConn(conn)
		return nil, &connectors.Error{Side: s.side, Op: op, Err: errors.New("the source is closed")}
	}
	s.open[snap] = true
	snap.beating.Add(1)
	go snap.pulse(pulse)
	return snap, nil
}

// begin opens the snapshot: anew, where it would not fit its locks. One that is joined is as it is.
func (s *snapshot) begin(ctx context.Context) error {
	if s.joined {
		return s.attempt(ctx)
	}
	return anew(ctx, s.holder, func() error { return s.attempt(ctx) })
}

func (s *snapshot) attempt(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	p, err := s.look(ctx, s.holder)
	if err != nil {
		return err
	}
	s.picture = p
	if err := s.checkRights(ctx); err != nil {
		return err
	}
	if err := s.readUnreadable(ctx); err != nil {
		return err
	}
	if err := s.lockRoom(ctx); err != nil {
		return err
	}
	if err := s.secure(ctx); err != nil {
		return err
	}
	return s.readSizes(ctx)
}

// secure locks every table, and then asks whether each is still the one that the snapshot knows,
// with the columns that it knows.
func (s *snapshot) secure(ctx context.Context) error {
	op := "open a snapshot of " + s.display(s.conn.Database)
	err := s.lock(ctx)
	if state := stateOf(err); state == "42P01" || state == "3F000" {
		return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op,
			Err:  errors.New("a table was dropped or renamed while the snapshot was opened"),
			Hint: "try again"}
	}
	if err != nil {
		return err
	}
	rewritten, err := readTables(ctx, s.holder, "rewritten", s.picture.stored)
	if err != nil {
		return err
	}
	if len(rewritten) > 0 {
		return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op,
			Err:  fmt.Errorf("rewritten or renamed, as a whole or a column, while the snapshot was opened: %s", listTables(rewritten)),
			Hint: "a TRUNCATE, ALTER TABLE, CLUSTER or VACUUM FULL was running; try again"}
	}
	return nil
}

// take begins the transaction that holds the snapshot, and exports it. One that was
// joined is exported anew: then it lives on when the process that had it first ends.
func (s *snapshot) take(ctx context.Context) error {
	if _, err := s.holder.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	if s.joined {
		if _, err := s.holder.Exec(ctx, "SET TRANSACTION SNAPSHOT "+literal(s.token)); err != nil {
			return s.unknown(ctx, err)
		}
	}
	var export string
	var began time.Time
	if err := s.holder.QueryRow(ctx, "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.now()").Scan(&export, &began); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.export = export
	if !s.joined {
		s.token, s.taken = export, began
	}
	return nil
}

// lockedError says which tables were not to be had in time: reading a table's
// definition already waits for whoever holds it. It asks on another session,
// since that of the snapshot is spoilt; if it gets no answer it names none.
func (s *source) lockedError(ctx context.Context) error {
	op := "lock the tables of " + s.display(s.conn.Database)
	var held []catalog.TableID
	if conn, err := s.connect(ctx, ""); err == nil {
		held, _ = readTables(ctx, conn, "locked") // what is not known is not said
		closeConn(conn)
	}
	if waits := s.queued(ctx); len(held) == 0 && len(waits) > 0 {
		w := waits[0]
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Retry: true, Op: op,
			Err:  fmt.Errorf("process %d waits for more than %s to have %s for itself, and whoever would read the table waits for it", w.process, s.lockTimeout, words(w.table)),
			Hint: fmt.Sprintf("it may wait for a snapshot that is held, by another run or for this one, and has to wait as long; to go on before it: SELECT pg_cancel_backend(%d)", w.process)}
	}
	what := "a table"
	if len(held) > 0 {
		what = listTables(held)
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Retry: true, Op: op,
		Err:  fmt.Errorf("somebody else holds the lock of %s for more than %s", what, s.lockTimeout),
		Hint: "wait for the ALTER TABLE, TRUNCATE or VACUUM FULL that holds it, or raise the lock timeout"}
}

// checkRights fails before a row is read if any row could not be.
func (s *snapshot) checkRights(ctx context.Context) error {
	var missing, hidden, grants []string
	err := each(ctx, s.holder, "rights", []any{s.picture.stored}, func(row pgx.CollectableRow) error {
		var id catalog.TableID
		var right string
		if err := row.Scan(&id.Schema, &id.Name, &right); err != nil {
			return err
		}
		switch right {
		case "":
			hidden = append(hidden, words(id))
			return nil
		case "USAGE ON SCHEMA":
			grants = append(grants, "GRANT USAGE ON SCHEMA "+word(id.Schema))
		case "SELECT ON TABLE":
			grants = append(grants, "GRANT SELECT ON "+words(id))
		default:
			grants = append(grants, "GRANT "+strings.Replace(right, "ON SEQUENCE", "ON SEQUENCE "+words(id), 1))
		}
		missing = append(missing, words(id))
		return nil
	})
	if err != nil {
		return err
	}
	e := &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "check rights on " + s.display(s.conn.Database)}
	account := word(s.account)
	switch {
	case len(missing) > 0:
		e.Err = fmt.Errorf("%s may not read %s", account, list(missing))
		e.Hint = grants[0] + " TO " + account
		if len(missing) > 1 {
			e.Hint += ", and so on; since PostgreSQL 14: GRANT pg_read_all_data TO " + account
		}
		return e
	case len(hidden) > 0:
		e.Err = fmt.Errorf("row security would hide rows from %s in %s", account, list(hidden))
		e.Hint = "read as the owner of the tables, or: ALTER ROLE " + account + " BYPASSRLS"
		return e
	}
	return nil
}

// list joins names for an error, the first few of them.
func list(names []string) string {
	if n := len(names) - namesInError; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesInError], ", "), n)
	}
	return strings.Join(names, ", ")
}

// listTables is list for the names of tables.
func listTables(ids []catalog.TableID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = words(id)
	}
	return list(names)
}

// lock takes ACCESS SHARE on every table: from now on none can be dropped,
// truncated or rewritten while we read. Writers are not held up.
func (s *snapshot) lock(ctx context.Context) error {
	var batch []string
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := s.holder.Exec(ctx, "LOCK TABLE ONLY "+strings.Join(batch, ", ONLY ")+" IN ACCESS SHARE MODE")
		batch = batch[:0]
		return err
	}
	for _, t := range s.picture.Tables {
		if t.Kind == catalog.Foreign {
			continue
		}
		if batch = append(batch, table(t.ID)); len(batch) == lockBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// pulse asks the holder now and then whether it lives. Readers outlive it: they
// have the snapshot already; but nobody can join it any more, and its locks are gone.
func (s *snapshot) pulse(every time.Duration) {
	defer s.beating.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // Close does not wait for an answer
		<-s.beat
		cancel()
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.beat:
			return
		case <-tick.C:
			s.ask(ctx)
		}
	}
}

// ask asks the holder once, and notes its loss. Its error is that of a context that has ended
// before there was an answer.
func (s *snapshot) ask(ctx context.Context) error {
	if err := s.asking.enter(ctx); err != nil {
		return err
	}
	defer s.asking.leave()
	asked, cancel := context.WithTimeout(ctx, holderPatience)
	defer cancel()
	_, err := s.holder.Exec(asked, "SELECT")
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // the next question finds out what has become of it
	}
	// What has used up its time must not use up that of the next.
	again, stop := context.WithTimeout(ctx, holderPatience)
	defer stop()
	rerr := s.rejoin(again)
	if rerr == nil {
		return nil
	}
	if kind, _ := connectors.KindOf(rerr); kind == connectors.KindSnapshot {
		err = rerr // it says more: of a table that was rewritten, or of another server
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == nil && !s.closed {
		s.lost = s.lostError(err)
	}
	return nil
}

func (s *snapshot) lostError(err error) error {
	if gone(err) { // to a reader that would have joined it
		return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "hold the snapshot of " + s.display(s.conn.Database),
			Err:  errors.New("the server knows it no more: the session that held it is lost"),
			Hint: "the server was restarted or ended the session, as a standby does to go on: for a TRUNCATE, DROP or ALTER TABLE of its primary, and without hot_standby_feedback for any VACUUM; run again"}
	}
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "hold the snapshot of " + s.display(s.conn.Database),
		Err:  fmt.Errorf("the session that holds it is lost: %w", wrap(context.Background(), s.side, "ask it", err, spoken)),
		Hint: "the server was restarted or ended the session; run again"}
}

// alive returns why the snapshot cannot be read, or nil.
func (s *snapshot) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "read the snapshot of " + s.display(s.conn.Database),
			Err: errors.New("the snapshot is closed")}
	}
	return s.lost
}

func (s *snapshot) Token() string             { return s.token }
func (s *snapshot) Catalog() *catalog.Catalog { return s.picture.Catalog }

// Layout chooses binary unless a column of the table has no binary form, or none that the
// target takes, or takes for another value, or the value of one that is decoded is the text that the server prints.
func (s *snapshot) Layout(id catalog.TableID, decoded []string) (*connectors.Layout, error) {
	t := s.picture.Table(id)
	if t == nil {
		return nil, fmt.Errorf("layout of %s: no such table", words(id))
	}
	if !t.StoresRows() {
		return nil, fmt.Errorf("layout of %s: a %s table stores no rows", words(id), t.Kind)
	}
	format := Binary
	if s.older.Load() && s.picture.foreign[id] || s.finite.Load() && s.picture.spans[id] {
		format = Text
	}
	for _, c := range t.Columns {
		if c.Generation.Computed() {
			continue
		}
		if c.Type.TextOnly || c.Type.Kind.TravelsAsText() && slices.Contains(decoded, c.Name) {
			format = Text
		}
	}
	layout, err := connectors.NewLayout(t, format, decoded)
	if err == nil && s.charset != nil {
		layout.Charset = s.charset
	}
	return layout, err
}

// reader takes a session that has joined the snapshot; release gives it back.
func (s *snapshot) reader(ctx context.Context) (*session, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	var held *session
	select {
	case held = <-s.slots:
	case <-ctx.Done():
		return nil, &connectors.Error{Side: s.side, Op: "wait for a free session", Err: ctx.Err()}
	case <-s.beat:
		return nil, s.alive()
	}
	if held != nil && s.sound(ctx, held) {
		return held, nil
	}
	held, err := s.joining(ctx)
	if err == nil {
		return held, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots <- nil
	return nil, err
}

// sound reports whether a session that nobody has used may be read by. Where one connection was lost
// others may have been too, and each would cost a try of a chunk: since then they are asked first.
// One that does not answer is closed.
func (s *snapshot) sound(ctx context.Context, held *session) bool {
	s.mu.Lock()
	cuts := s.cuts
	s.mu.Unlock()
	if held.cuts == cuts {
		return true
	}
	asked, cancel := context.WithTimeout(ctx, readerPatience)
	defer cancel()
	if err := held.exec(asked, "SELECT"); err != nil {
		held.close()
		return false
	}
	held.cuts = cuts
	return true
}

// joining opens a session in the snapshot.
func (s *snapshot) joining(ctx context.Context) (*session, error) {
	for again := false; ; again = true {
		conn, err := s.connect(ctx, "")
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		export := s.export
		s.mu.Unlock()
		held := newSession(conn)
		if peerOf(conn).started != s.server {
			held.close()
			if err := s.Alive(ctx); err != nil {
				return nil, err
			}
			return nil, s.severalError()
		}
		err = held.exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT "+literal(export))
		if err == nil {
			return held, nil
		}
		held.close()
		if gone(err) {
			// It may be only our own holder that is gone: then there is another to join.
			if s.Alive(ctx) == nil && s.joined && !again {
				continue
			}
			if ctx.Err() != nil {
				return nil, failDefinition(ctx, s.side, "join the snapshot of "+s.display(s.conn.Database), err)
			}
			err = s.lostError(err)
			s.mu.Lock()
			s.lost = err
			s.mu.Unlock()
		}
		return nil, failDefinition(ctx, s.side, "join the snapshot of "+s.display(s.conn.Database), err)
	}
}

// release gives a session back; one that is of no use any more is closed, and
// the next reader opens another.
func (s *snapshot) release(held *session) {
	if held.bad || held.conn.IsClosed() {
		held.close()
		held = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		if held != nil {
			held.close()
		}
		return
	}
	if held == nil {
		s.cuts++
	} else {
		held.cuts = s.cuts // it has answered just now
	}
	s.slots <- held // never waits: there is a place for each session
}

// Close ends the readers' sessions, then the one that holds the snapshot.
func (s *snapshot) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.beat)
	s.beating.Wait()
	s.watch.close()
	// Sessions that are still being read are closed when they are released.
	for range cap(s.slots) {
		select {
		case held := <-s.slots:
			if held != nil {
				held.close()
			}
			continue
		default:
		}
		break
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if s.asking.enter(ctx) == nil { // else a question waits for a server that does not answer
		closeConn(s.holder)
		s.asking.leave()
	}
	s.source.mu.Lock()
	delete(s.source.open, s)
	s.source.mu.Unlock()
	return nil
}

// Close ends the snapshots that are still open.
func (s *source) Close() error {
	s.mu.Lock()
	s.closed = true
	var open []*snapshot
	for snap := range s.open {
		open = append(open, snap)
	}
	s.mu.Unlock()
	for _, snap := range open {
		snap.Close()
	}
	select {
	case conn := <-s.sampler:
		closeConn(conn)
		s.sampler <- nil
	default: // closed when it is given back
	}
	return nil
}
