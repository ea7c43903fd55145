package mysql

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

type source struct {
	*config
	server server

	told atomic.Bool // of locks that last

	mu        sync.Mutex
	closed    bool
	snapshots []*snapshot
}

func openSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	c, err := newConfig(connectors.SourceSide, dsn, opts)
	if err != nil {
		return nil, err
	}
	s := &source{config: c}
	session, err := c.connect(ctx, c.database)
	if err != nil {
		return nil, err
	}
	defer session.close()
	s.server = session.server
	return s, nil
}

func (s *source) Properties() connectors.Properties {
	p := properties(s.server)
	p.JoinableSnapshot = s.holder != nil
	return p
}

func (s *source) Identity(ctx context.Context) (connectors.Identity, error) {
	session, err := s.session(ctx)
	if err != nil {
		return connectors.Identity{}, err
	}
	defer session.close()
	return s.identity(ctx, session, s.database)
}

// session opens a session on the database.
func (s *source) session(ctx context.Context) (*session, error) { return s.sessionBy(ctx, nil) }

// sessionBy opens one whose wide rows go through a gate, if there is one.
func (s *source) sessionBy(ctx context.Context, g gate) (*session, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: "connect to " + s.display(s.database), Err: errors.New("the source is closed")}
	}
	return s.connectBy(ctx, s.database, g)
}

func (s *source) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	session, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	defer session.close()
	c, _, err := s.read(ctx, session)
	return c, err
}

// read reads the catalog, with the fates of objects as they were asked for.
func (s *source) read(ctx context.Context, session *session) (*catalog.Catalog, *schema, error) {
	c, sc, err := readCatalog(ctx, session, s.database)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range c.Tables {
		for _, col := range t.Columns {
			if strings.Contains(strings.Join(col.Type.Labels, ""), "?") && col.Type.Charset == catalog.Unicode {
				s.warn(fmt.Sprintf("%s.%s: a label of the enum or set holds a ?, as which the server tells every character above U+FFFF: if it was one, the copy has a ? in its place", t.ID, col.Name))
			}
		}
	}
	kept, err := keep(c, s.keep)
	return kept, sc, err
}

// Open opens as many readers as there are workers, on one instant.
func (s *source) Open(ctx context.Context) (connectors.Snapshot, error) {
	plain, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	main, err := s.session(ctx)
	if err == nil {
		if err = s.unlogged(ctx, main); err != nil {
			main.close()
		}
	}
	if err != nil {
		plain.close()
		return nil, err
	}
	main.rows = true
	view := newSnapshot(s)
	view.plain, view.main, view.opened = plain, main, time.Now()
	if err := view.open(ctx); err != nil {
		view.Close()
		return nil, err
	}
	return s.own(view)
}

// own has a snapshot end with its source.
func (s *source) own(view *snapshot) (connectors.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		view.Close()
		return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: "open a snapshot", Err: errors.New("the source is closed")}
	}
	s.snapshots = append(s.snapshots, view)
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

// readerMode is the sql_mode of readers. They write nothing; it is by this mode that the
// condition of a policy means here what it means elsewhere. NO_BACKSLASH_ESCAPES would be a
// part of that, but MySQL reads the expressions of a table's CHECKs, which it has written
// with backslashes, under the mode of whoever opens the table first.
const (
	readerMode = "ANSI_QUOTES,PIPES_AS_CONCAT,ALLOW_INVALID_DATES"
	readerSQL  = "SET character_set_results = NULL, sql_mode = '" + readerMode + "'"
)

// reader opens a session for reading rows: text comes as the bytes that are stored.
func (s *source) reader(ctx context.Context, g gate) (*session, error) {
	r, err := s.sessionBy(ctx, g)
	if numberOf(err) == 1045 {
		// The account was let in before. The driver, which does not know of TLS that a wire
		// has begun, may not know how to send sha256_password's password.
		if r, err = s.session(ctx); err == nil {
			r.asker, r.turn = driven{r.conn.(driver.QueryerContext)}, &turn{gate: g}
		}
	}
	if err != nil {
		return nil, err
	}
	err = r.exec(ctx, readerSQL)
	if err == nil {
		err = s.unlogged(ctx, r)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// unlogged tells MariaDB that the session writes nothing to its log, where the account may.
// Otherwise it keeps the lock on a table's definition when a savepoint is rolled back,
// since the log has a part in a consistent snapshot, and whoever alters a table that has
// been read waits for the end of the run.
func (s *source) unlogged(ctx context.Context, r *session) error {
	if !r.server.mariadb {
		return nil
	}
	err := r.exec(ctx, "SET sql_log_bin = 0")
	if !denied(err) {
		return err
	}
	on, err := r.number(ctx, "SELECT @@GLOBAL.log_bin")
	if err == nil && on == 1 && !s.told.Swap(true) {
		s.warn("who alters a table of the source while it is copied waits until the run has ended: GRANT BINLOG ADMIN to the account to prevent that")
	}
	return err
}

// checkRights asks for a row of no table: whoever may not read one is told before any row
// is read, and before anything is locked.
func checkRights(ctx context.Context, s *session, c *catalog.Catalog, database string) error {
	for _, t := range c.Tables {
		if !t.StoresRows() {
			continue
		}
		var columns []string
		for _, col := range t.Columns {
			if !col.Generation.Computed() {
				columns = append(columns, ident(col.Name))
			}
		}
		if len(columns) == 0 {
			columns = []string{"1"}
		}
		_, err := s.run(ctx, "DO (SELECT 1 FROM (SELECT "+strings.Join(columns, ", ")+" FROM "+table(database, t.ID)+" LIMIT 0) AS t)")
		if err = failDefinition(ctx, s.side, "read "+t.ID.String(), err); err != nil {
			var e *connectors.Error
			if errors.As(err, &e) && (numberOf(err) == 1142 || numberOf(err) == 1143) {
				e.Hint = fmt.Sprintf("GRANT SELECT ON %s.* TO the account", ident(database))
			}
			return err
		}
	}
	return nil
}

func newToken() string {
	var random [8]byte
	rand.Read(random[:])
	return "mysql-" + hex.EncodeToString(random[:])
}
