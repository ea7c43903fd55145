package mysql

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// No session of MySQL or MariaDB can see the instant of another's transaction. So the
// process that holds a snapshot lends its sessions: a connection of another process gets a
// reader to itself, sends it statements, and gives it back by closing. Readers are in
// transactions that only read, and a lease is between two savepoints: going back to the
// first one proves that the transaction, and its snapshot, still live.

var (
	_ connectors.Lender = (*snapshot)(nil)
	_ connectors.Held   = (*snapshot)(nil)
)

// about is what who joins a snapshot has to know.
type about struct {
	Catalog *catalog.Catalog
	Facts   map[string]map[string]wireFacts
	Opened  time.Time
	Taken   time.Time
	Instant connectors.Instant
}

// wireFacts are columnFacts.
type wireFacts struct {
	Charset   string `json:",omitempty"`
	DataType  string
	Unsigned  bool   `json:",omitempty"`
	Collation string `json:",omitempty"`
}

// pong says how many readers live.
type pong struct{ Readers int }

// splitQuestion asks for the chunks of a table.
type splitQuestion struct {
	Table  catalog.TableID
	Target int64 // bytes of a chunk
}

// loan is one connection of another process.
type loan struct {
	*snapshot
	frames *frames
	reader *session // nil where it has none
	lost   bool     // it is of no use any more
	values [][]byte
}

// question is a frame of who asks.
type question struct {
	kind    frameKind
	content []byte
}

// errGone ends a loan: the other process is gone, or speaks something else.
var errGone = errors.New("the other process is gone")

// Lend implements connectors.Lender.
func (s *snapshot) Lend(conn net.Conn) {
	defer conn.Close()
	s.mu.Lock()
	if s.closed || s.borrows {
		s.mu.Unlock()
		return
	}
	s.loans[conn] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.loans, conn)
		s.mu.Unlock()
	}()
	l := &loan{snapshot: s, frames: newFrames(conn)}
	// Somebody listens all the time: a statement is of no use to who is gone.
	there, gone := context.WithCancel(s.life)
	asked := make(chan question)
	var listening sync.WaitGroup
	listening.Go(func() {
		defer gone()
		for {
			kind, content, err := l.frames.read(nil)
			if err != nil {
				return
			}
			select {
			case asked <- question{kind, bytes.Clone(content)}:
			case <-there.Done():
				return
			}
		}
	})
	defer listening.Wait()
	defer conn.Close() // ends the listening
	defer l.end()
	for {
		select {
		case q := <-asked:
			if err := l.answer(there, q); err != nil {
				gone() // who cannot be written to may still be read from
				return
			}
		case <-there.Done():
			return
		}
	}
}

// answer answers a question. An error of its own ends the loan: nobody is there to hear it.
func (l *loan) answer(ctx context.Context, q question) error {
	told := func(v any, err error) error {
		if err != nil {
			return l.frames.writeFailure(err)
		}
		return l.frames.writeJSON(answerJSON, v)
	}
	read := func(v any) bool { return json.Unmarshal(q.content, v) == nil }
	switch q.kind {
	case askAbout:
		var version int
		if !read(&version) {
			return errGone
		}
		if version != framesVersion {
			return told(nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SourceSide, Op: "join a snapshot", Err: errors.New("another version of sanitize holds it"),
				Hint: "use the program that opened the snapshot, or open another"})
		}
		a := about{Catalog: l.catalog, Facts: map[string]map[string]wireFacts{}, Opened: l.opened, Taken: l.taken, Instant: l.instant}
		for name, columns := range l.facts {
			a.Facts[name] = make(map[string]wireFacts, len(columns))
			for c, f := range columns {
				a.Facts[name][c] = wireFacts{f.charset, f.dataType, f.unsigned, f.collation}
			}
		}
		return told(a, nil)
	case askPing:
		l.mu.Lock()
		left := l.left
		l.mu.Unlock()
		return told(pong{left}, nil)
	case askDefinitions:
		var names []string
		if !read(&names) {
			return errGone
		}
		c, err := keep(l.catalog, names)
		if err != nil {
			return told(nil, err)
		}
		return told(readDefinitions(l.schema, c), nil)
	case askSplit:
		var ask splitQuestion
		if !read(&ask) {
			return errGone
		}
		// Not the context of who asks: cancelling a statement would end the session, and
		// with it the snapshot. What was found waits for the next one.
		chunks, err := l.Split(l.life, ask.Table, ask.Target)
		return told(chunks, err)
	case askRange:
		var chunk connectors.Chunk
		if !read(&chunk) {
			return errGone
		}
		part, err := l.rangeOf(ctx, "read "+chunk.ID, chunk)
		return told(part, err)
	case askLease:
		return told(nil, l.lease(ctx))
	case askExec, askQuery:
		if l.reader == nil {
			return errGone
		}
		if l.lost {
			return l.frames.writeFailure(driver.ErrBadConn)
		}
		return l.run(ctx, q.kind, string(q.content))
	}
	return errGone
}

// lease gives the connection a reader, once one is free.
func (l *loan) lease(ctx context.Context) error {
	for l.reader == nil {
		r, err := l.take(ctx, "take a reader of the snapshot")
		if err != nil {
			return err
		}
		if r.id == 0 {
			r.id, err = r.number(l.life, "SELECT CONNECTION_ID()")
		}
		if err == nil {
			_, err = r.run(l.life, "SAVEPOINT lease")
		}
		if err != nil {
			l.give(r, false)
			continue // another may live
		}
		if r.turn != nil {
			r.turn.gate = newGate() // its own: see gate
		}
		l.reader, l.lost = r, false
	}
	return nil
}

// end gives the reader back, as it was.
func (l *loan) end() {
	if l.reader == nil {
		return
	}
	l.give(l.reader, !l.lost && restored(l.life, l.reader))
	l.reader = nil
}

// restored takes a reader back to where its lease began. It reports whether it still sees
// its snapshot: the savepoint is of the transaction, and would be gone with it.
func restored(life context.Context, r *session) bool {
	ctx, cancel := context.WithTimeout(life, cleanupTimeout)
	defer cancel()
	for range 3 {
		_, err := r.run(ctx, "ROLLBACK TO SAVEPOINT lease")
		if numberOf(err) != 1317 { // of a KILL QUERY that came when its statement was over
			return err == nil
		}
	}
	return false
}

// run runs a statement for the other process and tells what comes of it.
func (l *loan) run(ctx context.Context, kind frameKind, statement string) error {
	// If the other process goes away meanwhile, the statement ends and the session does not.
	r := l.reader
	kill := sync.OnceFunc(func() { l.kill(r) })
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		kill()
	})
	defer func() {
		if !stop() {
			<-killed
		}
	}()
	failed := func(err error) error {
		l.lost = l.lost || broken(err)
		return l.frames.writeFailure(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return failed(driver.ErrBadConn)
	}
	if kind == askExec {
		result, err := r.conn.(driver.ExecerContext).ExecContext(l.life, statement, nil)
		if err != nil {
			return failed(err)
		}
		rows, _ := result.RowsAffected()
		id, _ := result.LastInsertId()
		return l.frames.writeAffected(rows, id)
	}
	rows, err := r.asker.ask(l.life, statement)
	if err != nil {
		return failed(err)
	}
	if err := l.pass(rows); err != nil {
		if !errors.Is(err, errGone) {
			return failed(err)
		}
		// Behind a KILL QUERY not much is left; and what is left has to be read, or the
		// session would be lost.
		kill()
		l.lost = broken(rows.close())
		return errGone
	}
	return nil
}

// pass passes the rows of an answer on. Its error is one of the server's, or errGone.
func (l *loan) pass(rows texts) error {
	gone := func(err error) error {
		if err != nil {
			return errGone
		}
		return nil
	}
	columns := rows.columns()
	if err := l.frames.writeColumns(columns); err != nil {
		return errGone
	}
	l.values = append(l.values[:0], make([][]byte, len(columns))...)
	turn := l.reader.turn
	l.frames.begin(answerRows)
	for {
		err := rows.next(l.values)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			rows.close()
			if ferr := l.frames.flushRows(); ferr != nil {
				return errGone
			}
			return err
		}
		if err := l.frames.addRow(l.values); err != nil {
			return errGone
		}
		if turn.held {
			clear(l.values)
			turn.end()
		}
	}
	if err := rows.close(); err != nil {
		return err
	}
	if err := l.frames.flushRows(); err != nil {
		return errGone
	}
	return gone(l.frames.write(answerEnd, nil))
}

// kill ends the statement that a reader is in the middle of, and leaves the session. Whoever
// cannot be ended runs to its end.
func (s *snapshot) kill(r *session) {
	ctx, cancel := context.WithTimeout(s.life, cleanupTimeout)
	defer cancel()
	k, err := s.source.session(ctx)
	if err != nil {
		return
	}
	defer k.close()
	k.exec(ctx, fmt.Sprintf("KILL QUERY %d", r.id))
}

// Alive implements connectors.Held. Those of its own sessions that are free just now are
// asked, which also keeps what stands between from forgetting them.
func (s *snapshot) Alive(ctx context.Context) error {
	op := "ask whether the snapshot lives"
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return closedSnapshot(op)
	}
	if s.borrows {
		var p pong
		if err := s.askHolder(ctx, op, askPing, nil, &p); err != nil || p.Readers > 0 {
			return err
		}
		return lostSnapshot(op)
	}
	if s.main.mu.TryLock() { // else it is asked something, and answers
		s.main.mu.Unlock()
		if _, err := s.main.run(ctx, "DO 1"); err != nil {
			return s.main.fail(ctx, op, err)
		}
	}
	for range len(s.free) {
		r := s.idle()
		if r == nil {
			break
		}
		_, err := r.run(ctx, "DO 1")
		s.give(r, err == nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return lostSnapshot(op)
	}
	return ctx.Err()
}

// idle takes a reader if one is free.
func (s *snapshot) idle() *session {
	select {
	case r := <-s.free:
		if r == nil { // the last one was lost
			s.free <- nil
		}
		return r
	default:
		return nil
	}
}
