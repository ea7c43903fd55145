package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"unsafe"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// pendingBytes is how much a loader holds back before it takes the writing
// session: about two chunks of the usual size, so that most chunks are masked
// while others are written, and a chunk of any size needs no more memory.
const pendingBytes = 8 << 20

// SQLite takes 32,766 parameters in a statement; more than 100 rows in one are
// no faster.
const (
	maxParameters = 32_766
	maxRows       = 100
)

func (b *build) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	op := "load " + chunk.ID
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := b.check(op, building); err != nil {
		return nil, err
	}
	if layout.Format != rows.Format || layout.Table.ID != chunk.Table || len(layout.Columns) == 0 {
		return nil, sinkError(connectors.KindUnsupported, op, errors.New("the layout is of another table or format"))
	}
	l := &loader{build: b, op: op, chunk: chunk, layout: layout, encoder: rows.NewEncoder(layout)}
	l.group = max(1, min(maxRows, maxParameters/len(layout.Columns)))
	return l, nil
}

type loader struct {
	build   *build
	op      string
	chunk   connectors.Chunk
	layout  *connectors.Layout
	encoder *rows.Encoder
	group   int // rows in one statement

	pending []byte // rows that wait to be written
	waiting int    // how many
	rows    int64
	bytes   int64

	writing bool        // the loader holds the session and a transaction
	many    driver.Stmt // inserts group rows
	args    []driver.NamedValue
	err     error // why nothing more can be done
}

var errEnded = errors.New("the loader has ended")

func (l *loader) Write(ctx context.Context, batch *connectors.Batch) error {
	if l.err != nil {
		return fmt.Errorf("%s: %w", l.op, l.err)
	}
	if err := ctx.Err(); err != nil {
		return l.fail(fmt.Errorf("%s: %w", l.op, err))
	}
	wire, err := l.encoder.Encode(batch)
	if err != nil {
		return l.fail(sinkError(connectors.KindOther, l.op, err))
	}
	l.pending = append(l.pending, wire...)
	l.waiting += batch.Rows
	l.bytes += int64(len(wire))
	if len(l.pending) < pendingBytes {
		return nil
	}
	if err := l.flush(ctx, false); err != nil {
		return l.fail(err)
	}
	return nil
}

// fail ends the loader: what it has written is dropped.
func (l *loader) fail(err error) error {
	l.end(false)
	l.err = err
	return err
}

// begin takes the session and opens the chunk's transaction.
func (l *loader) begin(ctx context.Context) error {
	if l.writing {
		return nil
	}
	if err := l.build.take(ctx, l.op); err != nil {
		return err
	}
	l.writing = true
	if err := l.build.check(l.op, building); err != nil {
		return err
	}
	return l.build.session.exec(ctx, "BEGIN")
}

// flush writes what waits: whole groups, and the rest too if all is asked for.
func (l *loader) flush(ctx context.Context, all bool) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	off := 0
	for l.waiting >= l.group || all && l.waiting > 0 {
		n := min(l.group, l.waiting)
		end, err := l.insert(ctx, off, n)
		if err != nil {
			return err
		}
		off = end
		l.waiting -= n
		l.rows += int64(n)
	}
	if l.waiting == 0 && off != len(l.pending) {
		return sinkError(connectors.KindOther, l.op, errors.New("a batch holds more bytes than rows"))
	}
	l.pending = l.pending[:copy(l.pending, l.pending[off:])]
	return nil
}

// insert writes n of the waiting rows, and returns where the next one begins.
func (l *loader) insert(ctx context.Context, off, n int) (int, error) {
	l.args = l.args[:0]
	for range n * len(l.layout.Columns) {
		v, end, err := rows.Parse(l.pending, off)
		if err != nil {
			return 0, sinkError(connectors.KindOther, l.op, err)
		}
		off = end
		l.args = append(l.args, driver.NamedValue{Ordinal: len(l.args) + 1, Value: valueOf(v)})
	}
	stmt := l.many
	s := l.build.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, failed(ctx, connectors.SinkSide, l.op, errClosed)
	}
	if stmt == nil || n != l.group {
		made, err := s.conn.Prepare(insertSQL(l.chunk.Table.Name, l.layout.Columns, n))
		if err != nil {
			return 0, failed(ctx, connectors.SinkSide, l.op, err)
		}
		stmt = made
		if n == l.group {
			l.many = made
		} else {
			defer made.Close()
		}
	}
	if _, err := stmt.(driver.StmtExecContext).ExecContext(ctx, l.args); err != nil {
		return 0, failed(ctx, connectors.SinkSide, l.op, err)
	}
	return off, nil
}

// valueOf returns what the driver binds as the same value. Text shares the
// wire's memory: the driver copies it before ExecContext returns.
func valueOf(v rows.Value) driver.Value {
	switch v.Tag {
	case rows.Int:
		return v.Int()
	case rows.Float:
		return v.Float()
	case rows.Text:
		return unsafe.String(unsafe.SliceData(v.Bytes), len(v.Bytes))
	case rows.Blob:
		if len(v.Bytes) == 0 {
			return []byte{} // the driver takes nil for NULL
		}
		return v.Bytes
	}
	return nil
}

func (l *loader) Commit(ctx context.Context) (connectors.Receipt, error) {
	if l.err != nil {
		return connectors.Receipt{}, fmt.Errorf("%s: %w", l.op, l.err)
	}
	r, err := l.commit(ctx)
	if err != nil {
		return connectors.Receipt{}, l.fail(err)
	}
	l.end(true)
	l.err = errEnded
	return r, nil
}

func (l *loader) commit(ctx context.Context) (connectors.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return connectors.Receipt{}, fmt.Errorf("%s: %w", l.op, err)
	}
	if err := l.flush(ctx, true); err != nil {
		return connectors.Receipt{}, err
	}
	s := l.build.session
	done, err := s.number(ctx, "SELECT count(*) FROM "+ledgerTable+" WHERE chunk = ?", bind(l.chunk.ID)...)
	if err != nil {
		return connectors.Receipt{}, err
	}
	if done > 0 {
		return connectors.Receipt{}, sinkError(connectors.KindIntegrity, l.op, errors.New("the ledger has this chunk already"))
	}
	r := connectors.Receipt{Chunk: l.chunk.ID, Table: l.chunk.Table, Rows: l.rows, Bytes: l.bytes}
	// In the chunk's own transaction: either both are there or none.
	if err := s.exec(ctx, "INSERT INTO "+ledgerTable+" VALUES (?, ?, ?, ?)", bind(r.Chunk, r.Table.Name, r.Rows, r.Bytes)...); err != nil {
		return connectors.Receipt{}, err
	}
	return r, s.exec(ctx, "COMMIT")
}

func (l *loader) Abort() error {
	l.end(false)
	l.err = errEnded
	return nil
}

// end gives the session back, without the transaction unless it is committed.
func (l *loader) end(committed bool) {
	l.pending, l.args = nil, nil
	if !l.writing {
		return
	}
	l.writing = false
	s := l.build.session
	if l.many != nil {
		s.mu.Lock()
		if !s.closed {
			l.many.Close()
		}
		s.mu.Unlock()
		l.many = nil
	}
	if !committed {
		// An error here means that SQLite has rolled back by itself.
		_ = s.exec(context.Background(), "ROLLBACK")
	}
	l.build.give()
}
