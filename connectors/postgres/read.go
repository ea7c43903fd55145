package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Read opens a COPY of the chunk. Rows are read from the socket as the caller
// asks for them, in its own goroutine: a caller that waits makes the server wait.
func (s *snapshot) Read(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Batches, error) {
	if layout == nil || layout.Table.ID != chunk.Table {
		return nil, fmt.Errorf("read %s: the layout is of another table", chunk.ID)
	}
	held, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	statements, err := s.copyOut(ctx, held, chunk, layout)
	if err != nil {
		held.bad = true // the transaction is aborted: its snapshot is of no use
		s.release(held)
		return nil, s.readError(ctx, chunk, layout, err)
	}
	b := &batches{snapshot: s, session: held, chunk: chunk, layout: layout, builder: newBuilder(layout), more: statements[1:]}
	held.charset = b.builder.charset
	done := held.watch(ctx)
	err = held.startCopy(held.charset.around(statements[0]), 'H')
	if e := done(); e != nil {
		err = e
	}
	if err != nil {
		held.bad = true // the transaction is aborted: its snapshot is of no use
		s.release(held)
		return nil, s.readError(ctx, chunk, layout, err)
	}
	return b, nil
}

// readError is the error of a chunk that is not read. Of a table that is not to be had in time it
// says who is in the way: it cannot be whoever holds a lock, for the snapshot has its own.
func (s *snapshot) readError(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout, err error) error {
	op := "read " + chunk.ID
	if stateOf(err) != "55P03" || ctx.Err() != nil {
		return s.rowError(ctx, op, layout, err)
	}
	for _, w := range s.queued(ctx) {
		if w.table == chunk.Table {
			return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: op, Retry: true,
				Err:  fmt.Errorf("process %d waits to have %s for itself: it waits for this run, and whoever would read the table waits for it", w.process, words(w.table)),
				Hint: fmt.Sprintf("change definitions while no run reads; to let this one go on: SELECT pg_cancel_backend(%d)", w.process)}
		}
	}
	return fail(ctx, s.side, op, err)
}

// rowError is the error of a statement that reads rows. What a row cannot have done to it is
// laid at the door of the condition that chooses rows, if there is one: rows are read as they are.
func (s *snapshot) rowError(ctx context.Context, op string, layout *connectors.Layout, err error) error {
	failed := fail(ctx, s.side, op, err)
	rows, _ := layout.Rows.(*choice)
	var cause *condition
	if rows == nil || rows.where == "" || !errors.As(failed, &cause) || ctx.Err() != nil {
		return failed
	}
	root := s.picture.Root(layout.Table).ID
	switch cause.state[:min(2, len(cause.state))] {
	case "21", "22", "P0":
		return connectors.FilterError(root, fmt.Errorf("its condition fails for a row: %w", cause),
			"let it leave out by CASE WHEN … THEN … END the rows that it cannot be asked of")
	case "42", "0A":
		var pg *pgconn.PgError
		if errors.As(err, &pg) && inCode(pg) {
			return hintPath(connectors.FilterError(root, fmt.Errorf("what its condition calls fails: %w", cause), ""), err)
		}
	}
	return failed
}

// queued is who waits to have a table for itself.
type queued struct {
	table   catalog.TableID
	process int32
}

// queued returns who waits to have a table for itself, as far as a session can be had to ask.
func (s *source) queued(ctx context.Context) (all []queued) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return nil
	}
	defer closeConn(conn)
	_ = each(ctx, conn, "queued", nil, func(row pgx.CollectableRow) error { // what is not known is not said
		var w queued
		err := row.Scan(&w.table.Schema, &w.table.Name, &w.process)
		all = append(all, w)
		return err
	})
	return all
}

type batches struct {
	snapshot *snapshot
	session  *session
	chunk    connectors.Chunk
	layout   *connectors.Layout
	builder  *builder
	more     []string // statements that read the rest of the chunk
	began    bool     // the header has been taken off
	rows     int64    // of the statement that is running
	end      error    // io.EOF, or what broke
	closed   bool
}

// Next reads until a batch is full.
func (b *batches) Next(ctx context.Context) (*connectors.Batch, error) {
	if b.end != nil {
		return nil, b.end
	}
	if b.closed {
		return nil, &connectors.Error{Side: b.snapshot.side, Op: "read " + b.chunk.ID, Err: errors.New("the reader is closed")}
	}
	done := b.session.watch(ctx)
	batch, err := b.fill(ctx)
	if e := done(); e != nil && err == nil {
		// The socket is of no use any more, and the batch must not be lost in
		// silence: the chunk is given up.
		if batch != nil {
			batch.Release()
		}
		batch, err = nil, e
	}
	switch {
	case err == io.EOF:
		b.end = io.EOF
	case err != nil:
		b.session.bad = true
		b.builder.drop()
		b.end = b.snapshot.rowError(ctx, "read "+b.chunk.ID, b.layout, err)
	default:
		return batch, nil
	}
	return nil, b.end
}

func (b *batches) fill(ctx context.Context) (*connectors.Batch, error) {
	b.builder.begin()
	for {
		if err := b.waiting(); err != nil {
			return nil, err
		}
		if b.builder.full() {
			break
		}
		kind, n, err := b.session.coming()
		if err != nil {
			return nil, err
		}
		if kind == 'd' && n >= wideBytes {
			if b.builder.rows > 0 {
				break // the wide row comes in a batch of its own
			}
			b.session.r += 5
			if err := b.head(&n); err != nil {
				return nil, err
			}
			if err := b.wide(ctx, n); err != nil {
				return nil, err
			}
			continue
		}
		kind, body, err := b.session.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case 'd':
			if err := b.row(body); err != nil {
				return nil, err
			}
			continue
		case 'E':
			return nil, b.session.drain(b.session.serverError(body))
		case 'c':
			server, err := b.session.endCopy()
			if err != nil {
				return nil, err
			}
			b.rows += int64(b.builder.rows)
			if server != b.rows {
				return nil, &connectors.Error{Kind: connectors.KindIntegrity, Side: b.snapshot.side, Op: "read " + b.chunk.ID,
					Err: fmt.Errorf("%d rows came, the server says it sent %d", b.rows, server)}
			}
			if len(b.more) > 0 {
				next := b.more[0]
				// The batch goes on; what is in it is no row of the next statement.
				b.more, b.began, b.rows = b.more[1:], false, -int64(b.builder.rows)
				if err := b.session.startCopy(b.session.charset.around(next), 'H'); err != nil {
					return nil, err
				}
				continue
			}
			if b.builder.rows == 0 {
				b.builder.drop()
				return nil, io.EOF
			}
			batch, err := b.builder.finish()
			b.end = io.EOF
			return batch, err
		default:
			return nil, fmt.Errorf("message %q is out of place", kind)
		}
	}
	b.rows += int64(b.builder.rows)
	return b.builder.finish()
}

// waiting takes the rows that the socket has given already, as many as there is room for and
// stand there whole: in one go, for a call or two for each row cost as much as the row itself.
// It leaves what is no row, and what row and wide have to look at.
func (b *batches) waiting() error {
	s, bl := b.session, b.builder
	if bl.text || !b.began {
		return nil
	}
	in, at, wire, rows := s.in[:s.w], s.r, bl.st.wire, 0
	for bl.rows+rows < connectors.BatchRows && len(wire) < connectors.BatchBytes && len(in)-at > 5 && in[at] == 'd' {
		n := int(binary.BigEndian.Uint32(in[at+1:])) - 4
		if n <= 2 || n > len(in)-at-5 { // the trailer, or a row without columns; or not whole
			break
		}
		wire = append(wire, in[at+5:at+5+n]...)
		at += 5 + n
		rows++
	}
	from := len(bl.st.wire)
	bl.st.wire, s.r = wire, at
	return bl.note(from, rows)
}

// head takes the header off the stream, if a message of n bytes begins with it.
func (b *batches) head(n *int) error {
	if b.builder.text || b.began {
		return nil
	}
	if err := b.session.need(headerSize); err != nil {
		return err
	}
	h := b.session.in[b.session.r : b.session.r+headerSize]
	if string(h[:len(signature)]) != signature || binary.BigEndian.Uint32(h[headerSize-4:]) != 0 {
		return errCopy
	}
	b.began = true
	b.session.r += headerSize
	*n -= headerSize
	return nil
}

// row takes one CopyData message: one row, since that is how the server sends
// them; before the first one stands the header, and after the last the trailer.
func (b *batches) row(body []byte) error {
	if b.builder.text {
		return b.builder.add(body)
	}
	if !b.began {
		if len(body) < headerSize || string(body[:len(signature)]) != signature {
			return errCopy
		}
		extra := int64(binary.BigEndian.Uint32(body[headerSize-4:]))
		if int64(len(body)-headerSize) < extra {
			return errCopy
		}
		b.began = true
		body = body[headerSize+int(extra):]
	}
	if len(body) == 0 || len(body) == 2 && body[0] == 0xff && body[1] == 0xff {
		return nil
	}
	return b.builder.add(body)
}

// Close gives the session back. Before the end the session goes with it: to
// read what is left, only to drop it, would take longer than a new one.
func (b *batches) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.builder.drop()
	b.snapshot.release(b.session)
	return nil
}
