package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/sanitize-db/sanitize/connectors"
)

var _ connectors.Joiner = (*source)(nil)

// Join opens a view of the snapshot that another process lends; see lend.go. It is as that
// one has opened it: catalog and definitions are those of its instant.
func (s *source) Join(ctx context.Context, token string) (connectors.Snapshot, error) {
	op := "join the snapshot of " + s.display(s.database)
	if token == "" {
		return nil, &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op, Err: errors.New("it has no token")}
	}
	identity, err := s.Identity(ctx)
	if err != nil {
		return nil, err
	}
	view := newSnapshot(s)
	view.borrows, view.token, view.identity = true, token, identity
	var a about
	if err := view.askHolder(ctx, op, askAbout, framesVersion, &a); err != nil {
		return nil, err
	}
	if a.Catalog == nil {
		return nil, view.gone(op, errFrame)
	}
	if view.catalog, err = keep(a.Catalog, s.keep); err != nil {
		return nil, err
	}
	view.opened, view.taken, view.instant, view.facts = a.Opened, a.Taken, a.Instant, map[string]map[string]columnFacts{}
	for name, columns := range a.Facts {
		view.facts[name] = make(map[string]columnFacts, len(columns))
		for c, f := range columns {
			view.facts[name][c] = columnFacts{charset: f.Charset, dataType: f.DataType, unsigned: f.Unsigned, collation: f.Collation}
		}
	}
	return s.own(view)
}

// gone is the error of a snapshot whose holder cannot be reached.
func (s *snapshot) gone(op string, err error) error {
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: op, Err: fmt.Errorf("nobody on this machine holds the snapshot: %w", err),
		Hint: "the process that held it has ended, or runs elsewhere or under another account; begin anew, with a snapshot that is held"}
}

// dial reaches the holder.
func (s *snapshot) dial(ctx context.Context, op string) (*borrowed, error) {
	if s.source.holder == nil {
		return nil, s.gone(op, errors.New("it cannot be reached here"))
	}
	conn, err := s.source.holder(ctx, s.identity, s.token)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", op, ctx.Err())
		}
		return nil, s.gone(op, err)
	}
	return &borrowed{conn: conn, frames: newFrames(conn), turn: &turn{gate: s.wide}}, nil
}

// askHolder asks the holder a question, by a connection of its own. question and answer are
// JSON.
func (s *snapshot) askHolder(ctx context.Context, op string, kind frameKind, question, answer any) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return closedSnapshot(op)
	}
	c, err := s.dial(ctx, op)
	if err != nil {
		return err
	}
	defer c.Close()
	return s.asked(ctx, op, c, kind, question, answer)
}

func (s *snapshot) asked(ctx context.Context, op string, c *borrowed, kind frameKind, question, answer any) error {
	text, err := json.Marshal(question)
	if err != nil {
		panic("mysql: join: " + err.Error()) // plain data always encodes
	}
	got, content, err := c.exchange(ctx, kind, text)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case errors.Is(err, driver.ErrBadConn):
		return s.gone(op, errors.New("it has ended"))
	case err != nil:
		return failDefinition(ctx, connectors.SourceSide, op, err)
	case got != answerJSON || answer != nil && json.Unmarshal(content, answer) != nil:
		return s.gone(op, errFrame)
	}
	return nil
}

// borrow waits for a reader of the holder's. Closing the session gives it back.
func (s *snapshot) borrow(ctx context.Context, op string) (*session, error) {
	c, err := s.dial(ctx, op)
	if err != nil {
		return nil, err
	}
	if err := s.asked(ctx, op, c, askLease, nil, nil); err != nil {
		c.Close()
		return nil, err
	}
	return &session{side: connectors.SourceSide, server: s.source.server, conn: c, asker: c, turn: c.turn}, nil
}

// borrowed is a session of another process, as a driver has it. It is for one goroutine. After
// an error of the connection, and after an answer that was not read to its end, it is of no
// use any more: the holder makes good what was left in the middle.
type borrowed struct {
	conn   net.Conn
	frames *frames
	turn   *turn
}

var (
	_ driver.Conn           = (*borrowed)(nil)
	_ driver.ExecerContext  = (*borrowed)(nil)
	_ driver.QueryerContext = (*borrowed)(nil)
)

// Prepare is not needed, and fails.
func (c *borrowed) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

// Begin fails: the session is in a transaction, which nobody but its holder ends.
func (c *borrowed) Begin() (driver.Tx, error) { return nil, errors.ErrUnsupported }

// Close gives the session back.
func (c *borrowed) Close() error { return c.conn.Close() }

// exchange sends a frame and returns the answer. A connection that breaks is ErrBadConn.
func (c *borrowed) exchange(ctx context.Context, kind frameKind, content []byte) (frameKind, []byte, error) {
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	if err := c.frames.write(kind, content); err != nil {
		return 0, nil, c.broken(ctx)
	}
	return c.answer(ctx)
}

// answer reads a frame of an answer. One that tells a failure is that error.
func (c *borrowed) answer(ctx context.Context) (frameKind, []byte, error) {
	kind, content, err := c.frames.read(func(n int) error {
		if err := c.turn.enter(ctx.Done()); err != nil {
			return err
		}
		c.turn.bytes = n
		return nil
	})
	if err != nil {
		return 0, nil, c.broken(ctx)
	}
	if kind == answerFailed {
		return 0, nil, takeFailure(content)
	}
	return kind, content, nil
}

func (c *borrowed) broken(ctx context.Context) error {
	c.conn.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return driver.ErrBadConn
}

// ExecContext runs a statement without rows.
func (c *borrowed) ExecContext(ctx context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	kind, content, err := c.exchange(ctx, askExec, []byte(statement))
	if err != nil {
		return nil, err
	}
	if kind != answerAffected {
		return nil, c.broken(ctx)
	}
	return takeAffected(content)
}

// QueryContext runs a statement with rows. Cancelling the context ends them.
func (c *borrowed) QueryContext(ctx context.Context, statement string, _ []driver.NamedValue) (driver.Rows, error) {
	found, err := c.ask(ctx, statement)
	if err != nil {
		return nil, err
	}
	return &valued{texts: found, turn: c.turn}, nil
}

// ask implements asker.
func (c *borrowed) ask(ctx context.Context, statement string) (texts, error) {
	kind, content, err := c.exchange(ctx, askQuery, []byte(statement))
	if err != nil {
		return nil, err
	}
	if kind != answerColumns {
		return nil, c.broken(ctx)
	}
	names, err := takeColumns(content)
	if err != nil {
		return nil, c.broken(ctx)
	}
	r := &borrowedRows{borrowed: c, ctx: ctx, names: names}
	r.stop = context.AfterFunc(ctx, func() { c.conn.Close() })
	return r, nil
}

// affected is what a statement without rows came to.
type affected struct{ rows, id int64 }

// LastInsertId returns the id that was given out last.
func (a affected) LastInsertId() (int64, error) { return a.id, nil }

// RowsAffected returns how many rows were changed.
func (a affected) RowsAffected() (int64, error) { return a.rows, nil }

func (f *frames) writeAffected(rows, id int64) error {
	f.begin(answerAffected)
	f.out = binary.AppendVarint(binary.AppendVarint(f.out, rows), id)
	return f.flush()
}

func takeAffected(from []byte) (a affected, err error) {
	rows, used := binary.Varint(from)
	if used <= 0 {
		return a, errFrame
	}
	id, more := binary.Varint(from[used:])
	if more <= 0 || used+more != len(from) {
		return a, errFrame
	}
	return affected{rows, id}, nil
}

// borrowedRows are the rows of an answer. Their bytes are good until the next row is read.
type borrowedRows struct {
	*borrowed
	ctx   context.Context
	stop  func() bool
	names []string
	rest  []byte // of the frame that was read last
	err   error  // why there are no more
}

func (r *borrowedRows) columns() []string { return r.names }

func (r *borrowedRows) next(into [][]byte) error {
	for r.err == nil && len(r.rest) == 0 {
		kind, content, err := r.answer(r.ctx)
		switch {
		case err != nil:
			r.err = err
		case kind == answerEnd:
			r.err = io.EOF
		case kind == answerRows:
			r.rest = content
		default:
			r.err = r.broken(r.ctx)
		}
		if r.err != nil {
			r.stop()
		}
	}
	if r.err != nil {
		return r.err
	}
	if r.rest, r.err = takeRow(r.rest, into); r.err != nil {
		r.stop()
		r.err = r.broken(r.ctx)
		return r.err
	}
	if r.turn.held { // the row is all that the frame holds
		r.rest, r.frames.content = nil, nil
	}
	return r.err
}

// close drops what has not been read, and the session with it: its holder is the one to end
// the statement.
func (r *borrowedRows) close() error {
	r.stop()
	if r.err == nil {
		r.err = io.EOF
		r.conn.Close()
	}
	return nil
}
