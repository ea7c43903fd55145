package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// expressionOf returns the expression by which a column is read, and whether its values are
// bytes that are no text. decoded tells whether somebody looks at them.
func expressionOf(name string, facts columnFacts, kind catalog.Kind, decoded bool) (expression string, blob bool) {
	column := ident(name)
	switch facts.dataType {
	case "float":
		// A float is printed with six digits; as a double it keeps them all.
		return column + " * 1e0", false
	case "enum":
		if !decoded {
			return "CAST(" + column + " AS UNSIGNED)", false // a label may be empty, and so is what is none of them
		}
	case "year":
		if decoded {
			return column + " + 0", false
		}
		return "CONCAT(" + column + ")", false // 0000, not 0: a load takes 0 for the year 2000
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "double", "real":
		return column, false
	case "bit":
		if decoded && kind == catalog.Bool {
			return column + " + 0", false
		}
		return column, true
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return column, true
	}
	decoded = decoded || facts.dataType == "set" // a label is found by its characters
	if decoded && facts.converts() {
		return "CONVERT(" + column + " USING utf8mb4)", false
	}
	return column, false
}

// converts reports whether the column's bytes are not UTF-8.
func (f columnFacts) converts() bool {
	switch f.charset {
	case "", "utf8mb4", "utf8mb3", "utf8", "ascii", "binary":
		return false
	}
	return true
}

// readSQL returns the query for a chunk's rows, with the texts of a choice's keys behind
// the columns.
func (s *snapshot) readSQL(layout *connectors.Layout, where, index string, chosen *rows.Choice) (sql string, blobs []bool) {
	var list []string
	for i, c := range layout.Columns {
		expression, blob := expressionOf(c.Name, s.facts[layout.Table.ID.Name][c.Name], c.Type.Kind, slices.Contains(layout.Decoded, i))
		list, blobs = append(list, expression), append(blobs, blob)
	}
	for _, k := range chosen.Keys() {
		list = append(list, hashed(k))
	}
	if len(list) == 0 {
		list = []string{"1"}
	}
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(list, ", ") + " FROM " + table(s.source.database, layout.Table.ID))
	if index != "" {
		b.WriteString(" FORCE INDEX (" + ident(index) + ")")
	}
	condition := chosen.Condition()
	switch {
	case where != "" && condition != "":
		b.WriteString(" WHERE " + where + " AND " + condition)
	case where != "" || condition != "":
		b.WriteString(" WHERE " + where + condition)
	}
	return b.String(), blobs
}

// Read opens a reader on one chunk. It waits for a free session.
func (s *snapshot) Read(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Batches, error) {
	op := "read " + chunk.ID
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if layout.Table.ID != chunk.Table || layout.Format != rows.Format {
		return nil, &connectors.Error{Side: connectors.SourceSide, Op: op, Err: errors.New("the layout is of another table or format")}
	}
	part, err := s.rangeOf(ctx, op, chunk)
	if err != nil {
		return nil, err
	}
	chosen, _ := layout.Rows.(*rows.Choice)
	sql, blobs := s.readSQL(layout, part.Where, part.Index, chosen)
	reader, err := s.take(ctx, op)
	if err != nil {
		return nil, err
	}
	b := &batches{snapshot: s, session: reader, turn: reader.turn, op: op, blobs: blobs, builder: rows.NewBuilder(layout)}
	b.columns, b.keeps = len(layout.Columns), chosen.Keeper(len(layout.Columns))
	// Not the caller's context: the statement lives as long as the reader does, and who
	// calls Next brings a context of their own.
	var own context.Context
	own, b.cancel = context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, b.cancel)
	defer stop()
	s.mu.Lock()
	s.reading[b] = true
	s.mu.Unlock()
	// What is read behind a savepoint holds no lock on the table's definition when the
	// savepoint is gone: production may alter tables that nobody reads just now.
	if _, err = reader.run(own, "SAVEPOINT chunk"); err == nil {
		b.rows, err = reader.conn.(driver.QueryerContext).QueryContext(own, sql, nil)
	}
	if err != nil {
		err = fail(ctx, connectors.SourceSide, op, err)
		b.finish(!broken(err) && own.Err() == nil)
		return nil, err
	}
	b.values = make([]driver.Value, len(b.rows.Columns()))
	b.turn.expect(len(b.values))
	return b, nil
}

type batches struct {
	snapshot *snapshot
	session  *session // nil when given back
	turn     *turn    // the session's; nil if it has none
	op       string
	rows     driver.Rows
	blobs    []bool // of columns
	builder  *rows.Builder
	values   []driver.Value
	columns  int                       // of values; keys stand behind them
	keeps    func([]driver.Value) bool // whether a row stays; nil if all do
	cancel   context.CancelFunc
	done     bool
	err      error
}

func (b *batches) Next(ctx context.Context) (*connectors.Batch, error) {
	if b.err != nil {
		return nil, b.err
	}
	batch, err := b.next(ctx)
	if err != nil {
		b.err = err
		if !errors.Is(err, io.EOF) {
			b.Close()
		}
	}
	return batch, err
}

func (b *batches) next(ctx context.Context) (*connectors.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", b.op, err)
	}
	if !b.done {
		stop := context.AfterFunc(ctx, b.cancel)
		err := b.fill(ctx)
		stop()
		if err != nil {
			return nil, err
		}
	}
	if b.builder.Rows() == 0 {
		return nil, io.EOF
	}
	batch, err := b.builder.Batch(nil)
	if err != nil {
		return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: b.op, Err: err}
	}
	return batch, nil
}

// fill reads up to a batch of rows.
func (b *batches) fill(ctx context.Context) error {
	for !b.builder.Full() {
		if err := b.rows.Next(b.values); err != nil {
			if errors.Is(err, io.EOF) {
				b.done = true
				return b.ended(ctx)
			}
			return b.failed(ctx, err)
		}
		if b.turn != nil && b.turn.held {
			if err := b.wide(); err != nil {
				return err
			}
			continue
		}
		if b.keeps != nil && !b.keeps(b.values) {
			continue
		}
		for i, v := range b.values[:b.columns] {
			if err := b.add(i, v); err != nil {
				return err
			}
		}
		b.builder.EndRow()
	}
	return nil
}

// wide takes a wide row. The batch that it comes to has the turn until it is released, and
// is full.
func (b *batches) wide() error {
	b.turn.put(b.values)
	if b.keeps != nil && !b.keeps(b.values) {
		clear(b.values)
		b.turn.end()
		return nil
	}
	const ofOthers = 16 // at most, and of the head of a text
	n := 0
	for _, v := range b.values[:b.columns] {
		n += ofOthers + textLength(v)
	}
	b.builder.Wide(n, b.turn.pass(n))
	for i, v := range b.values[:b.columns] {
		if err := b.add(i, v); err != nil {
			return err
		}
	}
	b.builder.EndRow()
	clear(b.values) // they would be held until the next row
	b.turn.let()
	return nil
}

// add adds a value to the row. It copies what the driver lends.
func (b *batches) add(i int, v driver.Value) error {
	switch v := v.(type) {
	case nil:
		b.builder.Null()
	case []byte:
		if b.blobs[i] {
			b.builder.Blob(v)
		} else {
			b.builder.Text(unsafe.String(unsafe.SliceData(v), len(v)))
		}
	case int64:
		b.builder.Int(v)
	case uint64:
		if v > math.MaxInt64 {
			b.builder.Text(strconv.FormatUint(v, 10))
		} else {
			b.builder.Int(int64(v))
		}
	case float64:
		b.builder.Float(v)
	default:
		return &connectors.Error{Side: connectors.SourceSide, Op: b.op, Err: fmt.Errorf("the driver gives a %T", v)}
	}
	return nil
}

func (b *batches) failed(ctx context.Context, err error) error {
	b.snapshot.mu.Lock()
	closed := b.snapshot.closed
	b.snapshot.mu.Unlock()
	if closed && ctx.Err() == nil {
		return &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: b.op, Err: errors.New("the snapshot is closed")}
	}
	return fail(ctx, connectors.SourceSide, b.op, err)
}

// ended looks, after the last row, whether the server has left something out: the result
// of a function that is larger than max_allowed_packet is NULL and a warning.
func (b *batches) ended(ctx context.Context) error {
	b.rows.Close()
	b.rows = nil
	n := int64(0)
	err := b.session.query(ctx, "SHOW COUNT(*) WARNINGS", func(r row) error {
		n = r.number(0)
		return nil
	})
	if err != nil {
		return b.failed(ctx, err)
	}
	if n > 0 {
		code := int64(0)
		if err := b.session.query(ctx, "SHOW WARNINGS LIMIT 1", func(r row) error {
			code = r.number(1)
			return nil
		}); err != nil {
			return b.failed(ctx, err)
		}
		e := &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: b.op, Err: &condition{number: uint16(code), text: "the server warns: " + conditions[uint16(code)]}}
		if code == 1301 {
			e.Hint = "raise max_allowed_packet at the source, or keep the column: a value of it cannot be converted to UTF-8 otherwise"
		}
		return e
	}
	b.finish(true)
	return nil
}

// finish gives the session back.
func (b *batches) finish(ok bool) {
	r := b.session
	if r == nil {
		return
	}
	b.session = nil
	b.turn.expect(0)
	b.turn.end()
	s := b.snapshot
	if ok {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		_, err := r.run(ctx, "ROLLBACK TO SAVEPOINT chunk")
		cancel()
		ok = err == nil
	}
	s.mu.Lock()
	delete(s.reading, b)
	s.mu.Unlock()
	s.give(r, ok)
	b.cancel()
}

// Close gives the session back. What has not been read yet is read and dropped, since
// the session would be lost to the snapshot otherwise.
func (b *batches) Close() error {
	if b.session != nil {
		ok := b.rows == nil
		if b.rows != nil {
			b.turn.expect(-1)
			b.turn.end()
			ok = b.rows.Close() == nil
			b.rows = nil
		}
		b.finish(ok)
	}
	b.builder.Drop()
	if b.err == nil {
		b.err = errors.New(b.op + ": the reader is closed")
	}
	return nil
}
