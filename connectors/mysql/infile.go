package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	driverpkg "github.com/go-sql-driver/mysql"
)

// infile is a LOAD DATA statement that runs beside its writer, who hands it buffers.
type infile struct {
	odd     func(*driverpkg.MySQLError) bool
	session *session
	full    chan []byte // to the statement
	empty   chan []byte // back to the writer
	done    chan struct{}
	stop    context.CancelFunc

	taken int64 // when done is closed
	err   error
}

var infileNumber atomic.Int64

// errDropped ends a statement whose rows nobody wants any more.
var errDropped = errors.New("the rows are dropped")

func newInfile(s *session, sql func(reader string) string, odd func(*driverpkg.MySQLError) bool) *infile {
	f := &infile{session: s, odd: odd, full: make(chan []byte), empty: make(chan []byte, 2), done: make(chan struct{})}
	f.empty <- nil
	f.empty <- nil
	name := fmt.Sprintf("sanitize-%d", infileNumber.Add(1))
	driverpkg.RegisterReaderHandler(name, func() io.Reader { return &feed{infile: f} })
	var ctx context.Context
	ctx, f.stop = context.WithCancel(context.Background())
	go func() {
		defer close(f.done)
		defer driverpkg.DeregisterReaderHandler(name)
		f.taken, f.err = s.run(ctx, sql(name))
	}()
	return f
}

func (f *infile) write(ctx context.Context, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	var buffer []byte
	select {
	case buffer = <-f.empty:
	case <-f.done:
		return f.early()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case f.full <- append(buffer[:0], lines...):
		return nil
	case <-f.done:
		return f.early()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// early is the error of a statement that has ended before its rows have.
func (f *infile) early() error {
	if f.err == nil {
		return errors.New("the statement ended before its last row")
	}
	return f.err
}

func (f *infile) end(ctx context.Context) (o outcome, err error) {
	close(f.full)
	stop := context.AfterFunc(ctx, f.stop)
	<-f.done
	stop()
	f.stop()
	if f.err != nil {
		return o, f.err
	}
	o.odd = f.odd
	return o, o.look(ctx, f.session, f.taken)
}

func (f *infile) abort() {
	select {
	case <-f.done:
	case f.full <- nil: // errDropped
		<-f.done
	}
	f.stop()
}

// feed is the statement's end: what the driver reads from.
type feed struct {
	*infile
	held, rest []byte
}

func (r *feed) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.held != nil {
			r.empty <- r.held // has room for both
			r.held = nil
		}
		next, ok := <-r.full
		if !ok {
			return 0, io.EOF
		}
		if next == nil {
			return 0, errDropped
		}
		r.held, r.rest = next, next
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
