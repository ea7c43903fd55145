package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// session is a connection whose COPY traffic we drive ourselves: straight from
// the socket into a batch and back, without the driver's buffer and its goroutine
// between. While no COPY runs, the driver has the connection.
//
// That is sound because the driver has read every byte of an answer when it
// returns, and no byte comes before the next question but notices, which the
// settings turn off. But a driver whose write took long reads in the background, and
// may still wait for bytes that are then ours: startCopy makes it stop first.
type session struct {
	conn    *pgx.Conn
	in      []byte // of the socket; [r:w] is not consumed
	r, w    int
	cuts    int      // of a snapshot's: how many of its sessions had been lost when this one last answered
	bad     bool     // in the middle of a COPY, or broken: not to be used again
	charset *charset // of the rows that are copied, and of what the server says meanwhile
	// tuned is what build.tune has set last; empty before.
	tuned string
}

const (
	readBytes   = 256 << 10
	maxFrame    = 256 << 10 // of a CopyData message that we send
	peekEvery   = 4 << 20
	peekTimeout = 50 * time.Microsecond
)

func newSession(conn *pgx.Conn) *session { return &session{conn: conn} }

func (s *session) net() net.Conn { return s.conn.PgConn().Conn() }

// exec runs statements that give no rows of interest.
func (s *session) exec(ctx context.Context, sql string) error {
	_, err := s.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil && (s.conn.IsClosed() || broken(err)) {
		s.bad = true
	}
	return err
}

// close ends the session. In the middle of a COPY it cuts the connection, which
// the server answers by rolling back.
func (s *session) close() {
	if s.bad {
		s.net().Close()
	}
	closeConn(s.conn)
}

// watch makes the socket fail when ctx ends. The function that it returns stops
// the watch and reports what the context says.
func (s *session) watch(ctx context.Context) (done func() error) {
	if ctx.Done() == nil {
		return func() error { return nil }
	}
	conn := s.net()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() error {
		if !stop() {
			s.bad = true
			return ctx.Err()
		}
		return nil
	}
}

// coming returns the kind of the next message and how long its body is. It consumes nothing.
func (s *session) coming() (kind byte, n int, err error) {
	if err := s.need(5); err != nil {
		return 0, 0, err
	}
	n = int(binary.BigEndian.Uint32(s.in[s.r+1:])) - 4
	if n < 0 || n > 1<<30 {
		return 0, 0, errors.New("message has no sensible length")
	}
	return s.in[s.r], n, nil
}

// next returns the next message. The body is valid until the next call.
func (s *session) next() (kind byte, body []byte, err error) {
	for {
		var n int
		if kind, n, err = s.coming(); err != nil {
			return 0, nil, err
		}
		s.r += 5
		if err := s.need(n); err != nil {
			return 0, nil, err
		}
		body = s.in[s.r : s.r+n]
		s.r += n
		switch kind {
		case 'N', 'S', 'A': // notice, parameter, notification: may come at any time
			continue
		}
		return kind, body, nil
	}
}

// need reads until n bytes are there.
func (s *session) need(n int) error {
	if s.w-s.r >= n {
		return nil
	}
	if s.r == s.w && cap(s.in) > 4*readBytes {
		s.in = nil // a wide row has passed
		s.r, s.w = 0, 0
	}
	if len(s.in)-s.r < max(n, 4096) {
		if len(s.in) < max(n, readBytes) {
			grown := make([]byte, max(n, readBytes))
			s.w = copy(grown, s.in[s.r:s.w])
			s.in = grown
		} else {
			s.w = copy(s.in, s.in[s.r:s.w])
		}
		s.r = 0
	}
	got, err := io.ReadAtLeast(s.net(), s.in[s.w:], n-(s.w-s.r))
	s.w += got
	if err == io.EOF {
		// A server that hangs up has not come to an end: io.EOF is the word of
		// Batches for rows that are complete.
		err = io.ErrUnexpectedEOF
	}
	return err
}

// startCopy sends a query and waits until the server says that it copies.
func (s *session) startCopy(sql string, want byte) error {
	s.bad, s.r, s.w = true, 0, 0
	if err := s.conn.PgConn().SyncConn(context.Background()); err != nil { // a watch bounds it
		return err
	}
	msg, err := (&pgproto3.Query{String: sql}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := s.net().Write(msg); err != nil {
		return s.reason(err)
	}
	for {
		kind, body, err := s.next()
		if err != nil {
			return err
		}
		switch kind {
		case want:
			return nil
		case 'C': // of the statement before: BEGIN
		case 'E':
			return s.drain(s.serverError(body))
		case 'Z':
			s.bad = false
			return errors.New("the server does not start to copy")
		default:
			return fmt.Errorf("message %q is out of place", kind)
		}
	}
}

// endCopy waits until the server is ready again and returns its count of rows.
func (s *session) endCopy() (rows int64, err error) {
	for {
		kind, body, err := s.next()
		if err != nil {
			return 0, err
		}
		switch kind {
		case 'c':
		case 'C':
			if tag := string(body[:max(len(body)-1, 0)]); strings.HasPrefix(tag, "COPY ") { // and not SET
				rows = pgconn.NewCommandTag(tag).RowsAffected()
			}
		case 'E':
			return 0, s.drain(s.serverError(body))
		case 'Z':
			s.bad = false
			return rows, nil
		default:
			return 0, fmt.Errorf("message %q is out of place", kind)
		}
	}
}

// drain waits for the server to be ready after an error, and returns that error.
func (s *session) drain(cause error) error {
	for {
		kind, _, err := s.next()
		if err != nil {
			return cause // a fatal error ends the connection
		}
		if kind == 'Z' {
			s.bad = false
			return cause
		}
	}
}

// serverError reads an error of the server.
func (s *session) serverError(body []byte) error {
	var msg pgproto3.ErrorResponse
	if err := msg.Decode(body); err != nil {
		return errors.New("the server's error cannot be read")
	}
	for _, text := range []*string{&msg.Message, &msg.Detail, &msg.Hint, &msg.Where, &msg.SchemaName, &msg.TableName, &msg.ColumnName, &msg.DataTypeName, &msg.ConstraintName} {
		*text = s.charset.words(*text)
	}
	return pgconn.ErrorResponseToPgError(&msg)
}

// reason returns why a write failed: what the server said before it hung up, if
// it said anything, else the error of the write.
func (s *session) reason(err error) error {
	s.net().SetReadDeadline(time.Now().Add(time.Second))
	for {
		kind, body, e := s.next()
		if e != nil {
			return err
		}
		if kind == 'E' {
			return s.serverError(body)
		}
	}
}

// copyWriter frames what is written as CopyData messages.
type copyWriter struct {
	s      *session
	head   [5]byte
	parts  [2][]byte
	unseen int // bytes sent since the last look for an answer
}

// Write sends p. While rows are sent the server says nothing unless it refuses
// them; so we look now and then rather than all the time.
func (w *copyWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), maxFrame)
		w.head[0] = 'd'
		binary.BigEndian.PutUint32(w.head[1:], uint32(n+4))
		w.parts = [2][]byte{w.head[:], p[:n]}
		buffers := net.Buffers(w.parts[:])
		if _, err := buffers.WriteTo(w.s.net()); err != nil {
			return written, w.s.reason(err)
		}
		written += n
		p = p[n:]
		if w.unseen += n; w.unseen >= peekEvery {
			w.unseen = 0
			if err := w.refused(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// refused returns the server's error if it has sent one in the middle of the copy.
func (w *copyWriter) refused() error {
	s := w.s
	s.net().SetReadDeadline(time.Now().Add(peekTimeout))
	err := s.need(1)
	// The watch of the context may have set a deadline meanwhile, which this
	// takes away again; the caller asks the context after each batch.
	s.net().SetReadDeadline(time.Time{})
	if err != nil {
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			return nil
		}
		return err
	}
	kind, body, err := s.next()
	if err != nil {
		return err
	}
	if kind == 'E' {
		// The rest of the stream is dropped by the server; it is ready for the
		// next statement only after it has seen the stream's end.
		return s.drain(s.serverError(body))
	}
	return fmt.Errorf("message %q is out of place", kind)
}

// finish ends the stream and returns the server's count of rows.
func (w *copyWriter) finish() (int64, error) {
	if _, err := w.s.net().Write([]byte{'c', 0, 0, 0, 4}); err != nil {
		return 0, w.s.reason(err)
	}
	return w.s.endCopy()
}

// cancel ends the stream so that the server drops it.
func (w *copyWriter) cancel() error {
	msg, err := (&pgproto3.CopyFail{Message: "aborted"}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := w.s.net().Write(msg); err != nil {
		return err
	}
	if _, err := w.s.endCopy(); err != nil && w.s.bad {
		return err
	}
	return nil
}
