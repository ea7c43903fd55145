package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// snapshot is one instant, seen by a session that asks questions and by readers.
type snapshot struct {
	source  *source
	plain   *session // asks for definitions, in no transaction: those are of no snapshot
	main    *session // asks for keys and sizes, within the snapshot
	opened  time.Time
	taken   time.Time // by the server's clock
	token   string
	instant connectors.Instant
	// unlogged tells of a replica whose log does not have what it applies.
	unlogged bool
	catalog  *catalog.Catalog
	schema   *schema // nil where the snapshot is another process's
	facts    map[string]map[string]columnFacts

	borrows  bool                // the sessions are another process's; see join.go
	identity connectors.Identity // by which that one is found

	free chan *session // readers that wait for a chunk
	wide gate          // one wide row at a time

	mu      sync.Mutex
	closed  bool
	left    int // readers that live
	reading map[*batches]bool
	all     []*session // every reader; not changed once the snapshot is open
	loans   map[net.Conn]bool
	life    context.Context // of statements that others have sent
	die     context.CancelFunc

	watch watch

	splitting sync.Mutex // guards split
	split     map[catalog.TableID][]*keyRange
}

// newSnapshot returns one that has no sessions yet.
func newSnapshot(s *source) *snapshot {
	view := &snapshot{source: s, split: map[catalog.TableID][]*keyRange{}, reading: map[*batches]bool{}, loans: map[net.Conn]bool{}, wide: newGate()}
	view.life, view.die = context.WithCancel(context.Background())
	return view
}

var (
	_ connectors.Filterer = (*snapshot)(nil)
	_ connectors.Counter  = (*snapshot)(nil)
	_ connectors.Dated    = (*snapshot)(nil)
	_ connectors.Timed    = (*snapshot)(nil)
)

func (s *snapshot) open(ctx context.Context) error {
	src := s.source
	// Before anything is locked: what fails here fails without having stopped anybody.
	c, _, err := src.read(ctx, s.plain)
	if err != nil {
		return err
	}
	if err := checkRights(ctx, s.plain, c, src.database); err != nil {
		return err
	}
	n := src.workers
	if src.sessions > 0 {
		// Two ask, and one holds the lock while the others open, or watches.
		n = max(1, min(n, src.sessions-3))
	}
	for range n {
		r, err := src.reader(ctx, s.wide)
		if err != nil {
			return err
		}
		s.all = append(s.all, r)
	}
	if err := s.agree(ctx, c); err != nil {
		return err
	}
	now, err := s.main.word(ctx, "SELECT UTC_TIMESTAMP(6)")
	if err != nil {
		return err
	}
	if s.taken, err = time.Parse(clockLayout, now); err != nil {
		return fmt.Errorf("the server's clock says what is no time: %w", err)
	}
	s.main.alone = true
	s.left = len(s.all)
	s.free = make(chan *session, len(s.all))
	for _, r := range s.all {
		s.free <- r
	}
	s.token = newToken()
	// information_schema is of no snapshot. What has changed since the instant answers a
	// reader with error 1412.
	if s.catalog, s.schema, err = src.read(ctx, s.plain); err != nil {
		return err
	}
	s.facts = s.schema.facts()
	return s.plain.close() // a place at the source for who watches
}

func (s *snapshot) Token() string { return s.token }

// Instant implements connectors.Dated.
func (s *snapshot) Instant() connectors.Instant { return s.instant }

// Taken implements connectors.Timed: within the moment that it takes to agree on an instant.
func (s *snapshot) Taken() time.Time { return s.taken }

func (s *snapshot) Catalog() *catalog.Catalog { return s.catalog }

func (s *snapshot) Definitions(ctx context.Context) (*connectors.Definitions, error) {
	if s.borrows {
		d := &connectors.Definitions{}
		return d, s.askHolder(ctx, "read the definitions", askDefinitions, s.source.keep, d)
	}
	return readDefinitions(s.schema, s.catalog), nil
}

func (s *snapshot) Layout(id catalog.TableID, decoded []string) (*connectors.Layout, error) {
	t, err := s.table("layout of "+id.String(), id)
	if err != nil {
		return nil, err
	}
	return connectors.NewLayout(t, rows.Format, decoded)
}

func (s *snapshot) table(op string, id catalog.TableID) (*catalog.Table, error) {
	t := s.catalog.Table(id)
	if t == nil || !t.StoresRows() {
		return nil, &connectors.Error{Side: connectors.SourceSide, Op: op, Err: errors.New("there is no such table, or none that stores rows")}
	}
	return t, nil
}

// Values implements connectors.Counter.
func (s *snapshot) Values(ctx context.Context, table catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	return rows.Values(ctx, s, table, column, f, limit, bytes)
}

// Close ends the view and all of its sessions. Readers that are open fail from now on.
func (s *snapshot) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for b := range s.reading {
		b.cancel() // its session is closed when it is given back
	}
	for conn := range s.loans {
		conn.Close()
	}
	s.mu.Unlock()
	s.die()
	s.watch.mu.Lock()
	s.watch.session.close()
	s.watch.session = nil
	s.watch.mu.Unlock()
	if s.free == nil { // never opened
		for _, r := range s.all {
			r.close()
		}
		return s.end()
	}
	for {
		select {
		case r := <-s.free:
			r.close()
			continue
		default:
		}
		return s.end()
	}
}

// end closes the sessions that ask.
func (s *snapshot) end() error {
	s.plain.close()
	return s.main.close()
}

// take waits for a reader.
func (s *snapshot) take(ctx context.Context, op string) (*session, error) {
	s.mu.Lock()
	closed, left := s.closed, s.left
	s.mu.Unlock()
	if closed {
		return nil, closedSnapshot(op)
	}
	if s.borrows {
		return s.borrow(ctx, op)
	}
	if left == 0 {
		return nil, lostSnapshot(op)
	}
	select {
	case r := <-s.free:
		if r == nil { // the last one was lost meanwhile
			s.free <- nil
			return nil, lostSnapshot(op)
		}
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", op, ctx.Err())
	}
}

// give gives a reader back, or counts it as lost.
func (s *snapshot) give(r *session, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed, s.borrows:
		r.close()
	case ok:
		s.free <- r // has room for all
	default:
		r.close()
		if s.left--; s.left == 0 {
			s.free <- nil // whoever waits is told
			return
		}
		s.source.warn(fmt.Sprintf("a reader of the snapshot was lost; %d of %d go on", s.left, len(s.all)))
	}
}

func closedSnapshot(op string) error {
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: op, Err: errors.New("the snapshot is closed")}
}

func lostSnapshot(op string) error {
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: op, Err: errors.New("the snapshot is lost: none of its readers is connected any more"),
		Hint: "run again; here a lost reader cannot join the instant of the others"}
}
