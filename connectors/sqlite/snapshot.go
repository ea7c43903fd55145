package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

type source struct {
	config config
	server string

	mu        sync.Mutex
	closed    bool
	snapshots []*snapshot
}

func (s *source) Properties() connectors.Properties { return properties(s.server) }

func (s *source) Identity(context.Context) (connectors.Identity, error) {
	return identity(s.config.path)
}

// connect opens a read-only session.
func (s *source) connect(ctx context.Context) (*session, error) {
	op := "open " + s.config.path
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, sourceError(connectors.KindUnavailable, op, errors.New("the source is closed"))
	}
	info, err := os.Stat(s.config.path)
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err == nil && info.Size() == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		return nil, &connectors.Error{
			Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: op, Err: plain(err),
			Hint: "name the file of a SQLite database that this account may read",
		}
	}
	session, err := open(ctx, s.config.path, readOnly, connectors.SourceSide,
		fmt.Sprintf("busy_timeout = %d", s.config.lockTimeout), "query_only = 1")
	if err != nil {
		return nil, err
	}
	// The first read: SQLite opens a file without looking into it.
	if _, err := session.number(ctx, "SELECT count(*) FROM sqlite_schema"); err != nil {
		session.close()
		return nil, err
	}
	return session, nil
}

func (s *source) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	session, err := s.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer session.close()
	c, _, err := readCatalog(ctx, session, s.server)
	return c, err
}

// begun opens a session that sees one instant. The caller closes it.
func (s *source) begun(ctx context.Context) (*session, error) {
	session, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := session.exec(ctx, "BEGIN"); err != nil {
		session.close()
		return nil, err
	}
	return session, nil
}

func (s *source) Open(ctx context.Context) (connectors.Snapshot, error) {
	session, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	view, err := s.view(ctx, session)
	if err != nil {
		session.close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		session.close()
		return nil, sourceError(connectors.KindUnavailable, "open "+s.config.path, errors.New("the source is closed"))
	}
	s.snapshots = append(s.snapshots, view)
	return view, nil
}

func (s *source) view(ctx context.Context, session *session) (*snapshot, error) {
	if err := session.exec(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	journal, err := session.word(ctx, "PRAGMA journal_mode")
	if err != nil {
		return nil, err
	}
	view := &snapshot{session: session, server: s.server, batches: map[*batches]bool{}}
	// The transaction begins at its first read, which is here.
	view.taken = time.Now()
	if view.catalog, view.schema, err = readCatalog(ctx, session, s.server); err != nil {
		return nil, err
	}
	if journal != "wal" {
		s.config.warn(fmt.Sprintf("%s is in journal mode %s: its writers wait until the snapshot is closed (in mode wal they would not)", s.config.path, journal))
	}
	var random [8]byte
	rand.Read(random[:])
	view.token = "sqlite-" + hex.EncodeToString(random[:])
	return view, nil
}

func (s *source) Close() error {
	s.mu.Lock()
	s.closed = true
	open := s.snapshots
	s.snapshots = nil
	s.mu.Unlock()
	for _, view := range open {
		view.Close()
	}
	return nil
}

// snapshot is one session in one read transaction.
type snapshot struct {
	session *session
	taken   time.Time
	server  string
	token   string
	catalog *catalog.Catalog
	schema  schema

	// batches are the open readers; session.mu guards it, since their
	// statements have to be finished before the session is.
	batches map[*batches]bool
}

func (s *snapshot) Token() string { return s.token }

// Taken implements connectors.Timed.
func (s *snapshot) Taken() time.Time { return s.taken }

func (s *snapshot) Catalog() *catalog.Catalog { return s.catalog }

func (s *snapshot) Definitions(ctx context.Context) (*connectors.Definitions, error) {
	return readDefinitions(ctx, s.session, s.schema, s.catalog, s.server)
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
	if t == nil {
		return nil, sourceError(connectors.KindOther, op, errors.New("there is no such table"))
	}
	return t, nil
}

// Values implements connectors.Counter.
func (s *snapshot) Values(ctx context.Context, table catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	return rows.Values(ctx, s, table, column, f, limit, bytes)
}

// Close ends the transaction. Readers that are open fail from now on.
func (s *snapshot) Close() error {
	s.session.mu.Lock()
	for b := range s.batches {
		b.finish()
	}
	s.session.mu.Unlock()
	return s.session.close()
}

// plain returns an error without what it repeats of the path.
func plain(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return errors.New(strings.TrimSpace(err.Error()))
}
