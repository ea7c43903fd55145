package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// form is what a value is taken for that the server tells.
type form uint8

const (
	asText   form = iota // of whatever type it is: nobody looks at it, or as a text
	asLatin1             // a text in the server's latin1
	asBlob
	asInt
	asFloat
)

// expressionOf returns the expression by which a column is read, and what its values are.
// decoded tells whether somebody looks at them.
func expressionOf(name string, facts columnFacts, kind catalog.Kind, decoded bool) (expression string, f form) {
	column := ident(name)
	look := func(f form) form {
		if decoded {
			return f
		}
		return asText
	}
	switch facts.dataType {
	case "float":
		// A float is printed with six digits; as a double it keeps them all.
		return column + " * 1e0", look(asFloat)
	case "enum":
		if !decoded {
			return "CAST(" + column + " AS UNSIGNED)", asInt // a label may be empty, and so is what is none of them
		}
	case "year":
		if decoded {
			return column + " + 0", asInt
		}
		return "CONCAT(" + column + ")", asText // 0000, not 0: a load takes 0 for the year 2000
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		return column, look(asInt)
	case "double", "real":
		return column, look(asFloat)
	case "bit":
		if decoded && kind == catalog.Bool {
			return column + " + 0", asInt
		}
		return column, asBlob
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return column, asBlob
	}
	if decoded && facts.latin1() {
		return column, asLatin1
	}
	decoded = decoded || facts.dataType == "set" // a label is found by its characters
	if decoded && facts.converts() {
		return "CONVERT(" + column + " USING utf8mb4)", asText
	}
	return column, asText
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
func (s *snapshot) readSQL(layout *connectors.Layout, where, index string, chosen *rows.Choice) (sql string, forms []form) {
	var list []string
	for i, c := range layout.Columns {
		expression, f := expressionOf(c.Name, s.facts[layout.Table.ID.Name][c.Name], c.Type.Kind, slices.Contains(layout.Decoded, i))
		list, forms = append(list, expression), append(forms, f)
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
	return b.String(), forms
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
	sql, forms := s.readSQL(layout, part.Where, part.Index, chosen)
	reader, err := s.take(ctx, op)
	if err != nil {
		return nil, err
	}
	b := &batches{snapshot: s, session: reader, turn: reader.turn, op: op, forms: forms, builder: rows.NewBuilder(layout)}
	b.columns, b.keeps = len(layout.Columns), chosen.Keeper()
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
		b.rows, err = reader.asker.ask(own, sql)
	}
	if err != nil {
		err = fail(ctx, connectors.SourceSide, op, err)
		b.finish(!broken(err) && own.Err() == nil)
		return nil, err
	}
	b.values = make([][]byte, len(b.rows.columns()))
	return b, nil
}

type batches struct {
	snapshot *snapshot
	session  *session // nil when given back
	turn     *turn    // the session's
	op       string
	rows     texts
	forms    []form // of columns
	builder  *rows.Builder
	values   [][]byte
	columns  int                      // of values; keys stand behind them
	keeps    func(key ...[]byte) bool // whether a row stays; nil if all do
	scratch  []byte
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
		if err := b.rows.next(b.values); err != nil {
			if errors.Is(err, io.EOF) {
				b.done = true
				return b.ended(ctx)
			}
			return b.failed(ctx, err)
		}
		if b.turn.held {
			if err := b.wide(); err != nil {
				return err
			}
			continue
		}
		if b.keeps != nil && !b.keeps(b.values[b.columns:]...) {
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
	if b.keeps != nil && !b.keeps(b.values[b.columns:]...) {
		clear(b.values)
		b.turn.end()
		return nil
	}
	const ofOthers = 16 // at most, and of the head of a text
	n := 0
	for i, v := range b.values[:b.columns] {
		n += ofOthers + len(v)
		if b.forms[i] == asLatin1 {
			n += 2 * len(v) // a character of one byte may need three
		}
	}
	b.builder.Wide(n, b.turn.pass(n))
	defer func() {
		clear(b.values) // they would be held until the next row
		b.turn.let()
	}()
	for i, v := range b.values[:b.columns] {
		if err := b.add(i, v); err != nil {
			return err
		}
	}
	b.builder.EndRow()
	return nil
}

// add adds a value to the row, of which it makes a copy.
func (b *batches) add(i int, v []byte) error {
	if v == nil {
		b.builder.Null()
		return nil
	}
	text := unsafe.String(unsafe.SliceData(v), len(v))
	switch b.forms[i] {
	case asBlob:
		b.builder.Blob(v)
	case asLatin1:
		if b.scratch = appendUTF8(b.scratch[:0], v); len(b.scratch) > 0 {
			text = unsafe.String(unsafe.SliceData(b.scratch), len(b.scratch))
		}
		b.builder.Text(text)
	case asInt:
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err == nil:
			b.builder.Int(n)
		case errors.Is(err, strconv.ErrRange): // of a BIGINT UNSIGNED
			b.builder.Text(text)
		default:
			return b.noNumber(i)
		}
	case asFloat:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return b.noNumber(i)
		}
		b.builder.Float(n)
	default:
		b.builder.Text(text)
	}
	return nil
}

func (b *batches) noNumber(i int) error {
	return &connectors.Error{Side: connectors.SourceSide, Op: b.op, Err: fmt.Errorf("the server tells column %d as something else than a number", i+1)}
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
	err := b.rows.close()
	b.rows = nil
	if err != nil {
		return b.failed(ctx, err)
	}
	n := int64(0)
	err = b.session.query(ctx, "SHOW COUNT(*) WARNINGS", func(r row) error {
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
			b.turn.end()
			ok = b.rows.close() == nil
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
