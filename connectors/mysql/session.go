package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
)

// session is one connection to a server. Its methods may be called by several
// goroutines, one after the other: the protocol answers one statement at a time.
type session struct {
	side   connectors.Side
	server server
	rows   bool  // its statements have rows in reach: errors say nothing of the server's message
	infile bool  // of a sink: the server takes LOAD DATA LOCAL
	packet int64 // and statements of so many bytes: max_allowed_packet
	alone  bool  // sees an instant that no other session can take its place in
	id     int64 // of a reader that was lent, at the server; 0 if nobody has asked
	asker  asker // of a reader, for the rows that it is there for
	turn   *turn // and for wide ones

	mu     sync.Mutex
	conn   driver.Conn
	closed bool
}

var errClosed = errors.New("the session is closed")

func (s *session) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.conn.Close() // tells the server; that it may be gone already is no error
	return nil
}

// run sends a statement and returns how many rows it has changed.
func (s *session) run(ctx context.Context, statement string) (affected int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	result, err := s.conn.(driver.ExecerContext).ExecContext(ctx, statement, nil)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// exec runs a statement that no row is in reach of: its errors may say what the server says.
func (s *session) exec(ctx context.Context, statement string) error {
	_, err := s.run(ctx, statement)
	return s.fail(ctx, opOf(statement), err)
}

// transaction runs statements in one, of which no row is in reach.
func (s *session) transaction(ctx context.Context, statements ...string) error {
	for _, sql := range slices.Concat([]string{"START TRANSACTION"}, statements, []string{"COMMIT"}) {
		if err := s.exec(ctx, sql); err != nil {
			if ctx.Err() == nil {
				s.exec(ctx, "ROLLBACK") // if it fails the session is lost, and the transaction with it
			}
			return err
		}
	}
	return nil
}

// fail wraps the error of a statement that the session has run.
func (s *session) fail(ctx context.Context, op string, err error) error {
	if s.rows {
		err = fail(ctx, s.side, op, err)
	} else {
		err = failDefinition(ctx, s.side, op, err)
	}
	var e *connectors.Error
	if s.alone && ctx.Err() == nil && lost(err) && errors.As(err, &e) {
		e.Kind, e.Retry = connectors.KindSnapshot, false
		e.Err = fmt.Errorf("the snapshot is lost: %w", e.Err)
		e.Hint = "run again; here a lost session cannot join the instant of the others"
	}
	return err
}

// query runs a statement about definitions and calls each for every row, which is good
// until each returns.
func (s *session) query(ctx context.Context, statement string, each func(row) error) error {
	return s.table(ctx, statement, func(_ []string, r row) error { return each(r) })
}

// table is like query, and tells each the names of the columns too.
func (s *session) table(ctx context.Context, statement string, each func(columns []string, r row) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := func(err error) error { return s.fail(ctx, opOf(statement), err) }
	if s.closed {
		return fail(errClosed)
	}
	found, err := s.conn.(driver.QueryerContext).QueryContext(ctx, statement, nil)
	if err != nil {
		return fail(err)
	}
	columns := found.Columns()
	values := make(row, len(columns))
	for {
		err := found.Next(values)
		if errors.Is(err, io.EOF) {
			return fail(found.Close())
		}
		if err != nil {
			found.Close()
			return fail(err)
		}
		if err := each(columns, values); err != nil {
			found.Close()
			return err
		}
	}
}

// unlocked runs do in a transaction that has begun, and gives back the locks on tables'
// definitions that it took: production may alter a table that nobody reads just now.
func (s *session) unlocked(ctx context.Context, do func() error) error {
	if err := s.exec(ctx, "SAVEPOINT question"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return s.exec(ctx, "ROLLBACK TO SAVEPOINT question")
}

// word returns the first column of a query's only row, as text; "" for NULL or no row.
func (s *session) word(ctx context.Context, statement string) (text string, err error) {
	err = s.query(ctx, statement, func(r row) error {
		text = r.text(0)
		return nil
	})
	return text, err
}

// number returns the first column of a query's only row, as an integer; 0 for NULL or no row.
func (s *session) number(ctx context.Context, statement string) (n int64, err error) {
	err = s.query(ctx, statement, func(r row) error {
		n = r.number(0)
		return nil
	})
	return n, err
}

// row is a row of an answer, in the driver's values.
type row []driver.Value

// null reports whether a value is NULL.
func (r row) null(i int) bool { return r[i] == nil }

// text returns a value as text, "" for NULL.
func (r row) text(i int) string {
	switch v := r[i].(type) {
	case []byte:
		return string(v)
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	}
	return ""
}

// number returns a value as an integer, 0 for NULL and for what is none. What is larger
// than an int64 is the largest.
func (r row) number(i int) int64 {
	switch v := r[i].(type) {
	case int64:
		return v
	case uint64:
		return int64(min(v, 1<<63-1))
	}
	n, _ := strconv.ParseInt(r.text(i), 10, 64)
	return n
}

// opOf names a statement by its first words: what follows may be anything.
func opOf(statement string) string {
	end, words := 0, 0
	for end < len(statement) && end < 60 {
		b := statement[end]
		if b == ' ' || b == '\n' {
			if words++; words == 2 {
				break
			}
		} else if (b < 'A' || b > 'Z') && b != '_' {
			break
		}
		end++
	}
	return lowerTrim(statement[:end])
}
