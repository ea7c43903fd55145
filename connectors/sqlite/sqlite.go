// Package sqlite is the connector to SQLite database files: a source that reads
// one consistent view beside live writers, and a sink that builds a new file
// beside the target and renames it into place.
//
// # Source
//
// The file is opened read-only, and one read transaction is the snapshot: all
// readers share its session, so they see the same instant. In WAL mode writers
// go on; in the rollback modes they wait until the snapshot is closed.
//
// # Sink
//
// A run holds TARGET.lock (by a lock that ends with its process), builds
// TARGET.building-RUN, and renames it over TARGET when it is sealed. The mark
// of what we have built is the application id 0x534E5A31 ("SNZ1") in the
// file's header: a target without it is never replaced. Nobody but its owner
// reads what is built; promoted, it has the mode of the former copy, if there
// is one. It is in rollback-journal mode, whatever the source is: a file in WAL
// mode cannot be replaced safely under those who have it open.
package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	sqlitedriver "modernc.org/sqlite"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Connector opens SQLite files. The zero value is ready.
type Connector struct{}

// Name returns sqlite.
func (Connector) Name() string { return "sqlite" }

// Accepts reports whether dsn is sqlite:PATH, sqlite://PATH, or a bare path
// that ends in .db, .sqlite or .sqlite3.
func (Connector) Accepts(dsn string) bool { return accepts(dsn) }

// Redact returns dsn: a path holds no secret. What is no path of ours may.
func (Connector) Redact(dsn string) string {
	if accepts(dsn) {
		return dsn
	}
	return connectors.RedactURL(dsn)
}

// OpenSource opens the file that dsn names, read-only. It fails with
// KindUnavailable if there is no such file or it is no database.
func (Connector) OpenSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	c, err := configOf(dsn, connectors.SourceSide, opts)
	if err != nil {
		return nil, err
	}
	if len(opts.Keep) > 0 {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: "open " + dsn,
			Err: errors.New("an SQLite file has neither roles nor objects that could be kept"), Hint: "leave --keep-object and --grants out"}
	}
	s := &source{config: c}
	session, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer session.close()
	if err := session.query(ctx, "SELECT sqlite_version()", nil, func(v []driver.Value) error {
		s.server = "SQLite " + v[0].(string)
		return nil
	}); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenSink prepares to build the file that dsn names. Its folder has to exist.
func (Connector) OpenSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	c, err := configOf(dsn, connectors.SinkSide, opts)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", c.path, err)
	}
	if err := checkFolder(c.path); err != nil {
		return nil, err
	}
	if c.path, err = resolve(c.path); err != nil {
		return nil, sinkError(connectors.KindUnavailable, "open "+c.path, err)
	}
	return &sink{config: c}, nil
}

func properties(server string) connectors.Properties {
	return connectors.Properties{
		Connector: "sqlite", Server: server, Formats: []connectors.WireFormat{rows.Format},
		// One session reads and one writes; while it does, other chunks are masked.
		ParallelReads: true, ParallelLoads: true,
	}
}

// session is one connection to a file. The driver's connections are for one
// goroutine at a time; mu keeps it so.
type session struct {
	side connectors.Side
	path string

	mu     sync.Mutex
	conn   driver.Conn
	closed bool
}

// mode says how a file is opened.
type mode string

const (
	readOnly  mode = "ro"
	readWrite mode = "rw"
)

// open opens a file. Settings are pragmas, run in order.
func open(ctx context.Context, path string, how mode, side connectors.Side, settings ...string) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=" + string(how)}
	if !strings.HasPrefix(uri.Path, "/") {
		uri.Path = "/" + uri.Path // a drive letter
	}
	conn, err := new(sqlitedriver.Driver).Open(uri.String())
	if err != nil {
		return nil, failed(ctx, side, "open "+path, err)
	}
	s := &session{side: side, path: path, conn: conn}
	for _, p := range settings {
		if err := s.exec(ctx, "PRAGMA "+p); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.conn.Close()
}

var errClosed = errors.New("the session is closed")

// exec runs one statement.
func (s *session) exec(ctx context.Context, query string, args ...driver.NamedValue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return failed(ctx, s.side, s.op(query), errClosed)
	}
	if _, err := s.conn.(driver.ExecerContext).ExecContext(ctx, query, args); err != nil {
		return failed(ctx, s.side, s.op(query), err)
	}
	return nil
}

// op names a statement by its first word, a pragma by two: what follows may be
// anything.
func (s *session) op(query string) string {
	words := strings.Fields(query)
	if len(words) > 2 {
		words = words[:2]
	}
	if len(words) == 2 && words[0] != "PRAGMA" {
		words = words[:1]
	}
	return strings.ToLower(strings.Join(words, " ")) + " in " + s.path
}

// query runs a statement and calls each for every row.
func (s *session) query(ctx context.Context, query string, args []driver.NamedValue, each func([]driver.Value) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return failed(ctx, s.side, s.op(query), errClosed)
	}
	found, err := s.conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return failed(ctx, s.side, s.op(query), err)
	}
	defer found.Close()
	values := make([]driver.Value, len(found.Columns()))
	for {
		if err := found.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return failed(ctx, s.side, s.op(query), err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", s.op(query), err)
		}
		if err := each(values); err != nil {
			return err
		}
	}
}

// number returns the first column of a query's only row, as an integer.
func (s *session) number(ctx context.Context, query string, args ...driver.NamedValue) (n int64, err error) {
	err = s.query(ctx, query, args, func(v []driver.Value) error {
		n, _ = v[0].(int64)
		return nil
	})
	return n, err
}

// word returns the first column of a query's only row, as text.
func (s *session) word(ctx context.Context, query string) (text string, err error) {
	err = s.query(ctx, query, nil, func(v []driver.Value) error {
		text, _ = v[0].(string)
		return nil
	})
	return text, err
}

func bind(values ...driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}

// The result codes of SQLite (https://www.sqlite.org/rescode.html) that mean
// something to a caller; the lower eight bits of an extended code.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeInterrupt  = 9
	codeCorrupt    = 11
	codeFull       = 13
	codeCannotOpen = 14
	codeConstraint = 19
	codeNotADB     = 26
)

// failed makes an error of the contract out of one of the driver's. Of SQLite's
// messages only those are kept that name schema objects and can hold no value.
func failed(ctx context.Context, side connectors.Side, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	e := &connectors.Error{Kind: connectors.KindOther, Side: side, Op: op}
	var se *sqlitedriver.Error
	if !errors.As(err, &se) {
		e.Err = errors.New("the driver failed")
		if errors.Is(err, errClosed) {
			e.Err = err
		}
		return e
	}
	e.Err = errors.New(message(se))
	switch se.Code() & 0xff {
	case codeBusy, codeLocked:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "another program is writing to the file; try again when it has ended"
	case codeReadOnly, codeCannotOpen:
		e.Kind = connectors.KindUnavailable
		e.Hint = "check that the file and its folder may be read (a database in WAL mode also needs its -wal and -shm files, or the right to make them)"
	case codeNotADB, codeCorrupt:
		e.Kind = connectors.KindUnavailable
		e.Hint = "check the file by: PRAGMA integrity_check"
	case codeFull:
		e.Hint = "free some space on the disk"
	case codeConstraint:
		e.Kind = connectors.KindIntegrity
	}
	if strings.HasPrefix(e.Err.Error(), "no such") {
		e.Kind = connectors.KindUnsupported
		e.Hint = "the schema needs a function, collation or module that an application brings; the copy can do without only if the object is dropped"
	}
	return e
}

// message returns what may be told of an error.
func message(e *sqlitedriver.Error) string {
	text := e.Error()
	for _, known := range []string{
		"UNIQUE constraint failed: ", "NOT NULL constraint failed: ", "CHECK constraint failed: ", "FOREIGN KEY constraint failed",
		"no such function: ", "no such collation sequence: ", "no such module: ", "no such table: ", "no such column: ",
		"cannot store ", "foreign key mismatch - ", "database is locked", "database or disk is full", "unable to open database file",
		"file is not a database", "database disk image is malformed", "attempt to write a readonly database",
	} {
		if i := strings.Index(text, known); i >= 0 {
			text = text[i:]
			if end := strings.LastIndex(text, " ("); end > 0 {
				text = text[:end]
			}
			return text
		}
	}
	if name, ok := sqlitedriver.ErrorCodeString[e.Code()&0xff]; ok {
		return name
	}
	return fmt.Sprintf("SQLite's error %d", e.Code())
}

func sourceError(kind connectors.Kind, op string, err error) error {
	return &connectors.Error{Kind: kind, Side: connectors.SourceSide, Op: op, Err: err}
}

func sinkError(kind connectors.Kind, op string, err error) error {
	return &connectors.Error{Kind: kind, Side: connectors.SinkSide, Op: op, Err: err}
}
