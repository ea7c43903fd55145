package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Read opens a reader. Readers share the snapshot's session and take turns,
// batch by batch.
func (s *snapshot) Read(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Batches, error) {
	op := "read " + chunk.ID
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if layout.Table.ID != chunk.Table || layout.Format != rows.Format {
		return nil, sourceError(connectors.KindOther, op, errors.New("the layout is of another table or format"))
	}
	t, err := s.table(op, chunk.Table)
	if err != nil {
		return nil, err
	}
	chosen, _ := layout.Rows.(*rows.Choice)
	rowid := rowIDName(t, s.schema)
	var args []driver.NamedValue
	switch {
	case rowid != "" && chunk.Last:
		args = bind(rowID(chunk.Lo))
	case rowid != "":
		args = bind(rowID(chunk.Lo), rowID(chunk.Hi))
	case !chunk.Last:
		return nil, sourceError(connectors.KindOther, op, errNoRange)
	}
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	if s.session.closed {
		return nil, sourceError(connectors.KindSnapshot, op, errors.New("the snapshot is closed"))
	}
	// Without the context: an interrupt would hit every statement of the session,
	// the other readers' too. A step is short, and Next looks at its own context.
	found, err := s.session.conn.(driver.QueryerContext).QueryContext(context.WithoutCancel(ctx), readChosenSQL(t.ID.Name, layout.Columns, rowid, chunk.Last, chosen), args)
	if err != nil {
		return nil, failed(ctx, connectors.SourceSide, op, err)
	}
	b := &batches{snapshot: s, op: op, rows: found, builder: rows.NewBuilder(layout), values: make([]driver.Value, len(layout.Columns)+len(chosen.Keys()))}
	b.columns, b.keeps = len(layout.Columns), chosen.Keeper()
	s.batches[b] = true
	return b, nil
}

type batches struct {
	snapshot *snapshot
	op       string
	rows     driver.Rows // nil when finished; the session's mu guards it
	done     bool        // all has been read
	builder  *rows.Builder
	values   []driver.Value
	columns  int                      // of values; keys stand behind them
	keeps    func(key ...[]byte) bool // whether a row stays; nil if all do
	err      error
}

func (b *batches) Next(ctx context.Context) (*connectors.Batch, error) {
	if b.err != nil {
		return nil, b.err
	}
	batch, err := b.next(ctx)
	if err != nil {
		b.err = err
		b.Close()
	}
	return batch, err
}

func (b *batches) next(ctx context.Context) (*connectors.Batch, error) {
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	if b.builder.Rows() == 0 {
		return nil, io.EOF
	}
	batch, err := b.builder.Batch(nil)
	if err != nil {
		return nil, sourceError(connectors.KindUnsupported, b.op, err)
	}
	return batch, nil
}

// fill reads up to a batch of rows. Only it holds the session: the values are
// decoded after the next reader has got its turn.
func (b *batches) fill(ctx context.Context) error {
	session := b.snapshot.session
	session.mu.Lock()
	defer session.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", b.op, err)
	}
	if b.rows == nil {
		if !b.done {
			return sourceError(connectors.KindSnapshot, b.op, errors.New("the snapshot is closed"))
		}
		return nil
	}
	for !b.builder.Full() {
		if err := b.rows.Next(b.values); err != nil {
			if errors.Is(err, io.EOF) {
				b.done = true
				b.finish()
				return nil
			}
			return failed(ctx, connectors.SourceSide, b.op, err)
		}
		row := b.values
		if b.keeps != nil {
			if !b.keeps(rows.KeyOf(row[b.columns:])...) {
				continue
			}
			row = row[:b.columns]
		}
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				b.builder.Null()
			case int64:
				b.builder.Int(v)
			case float64:
				b.builder.Float(v)
			case string:
				b.builder.Text(v)
			case []byte:
				b.builder.Blob(v)
			default:
				return sourceError(connectors.KindOther, b.op, fmt.Errorf("the driver gives a %T", v))
			}
		}
		b.builder.EndRow()
	}
	return nil
}

// finish ends the statement. The caller holds the session.
func (b *batches) finish() {
	if b.rows != nil {
		b.rows.Close()
		b.rows = nil
	}
	delete(b.snapshot.batches, b)
}

func (b *batches) Close() error {
	b.snapshot.session.mu.Lock()
	b.finish()
	b.snapshot.session.mu.Unlock()
	b.builder.Drop()
	if b.err == nil {
		b.err = errors.New(b.op + ": the reader is closed")
	}
	return nil
}
