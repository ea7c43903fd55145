package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// feedBytes is how much is handed at once to the statement that loads. Two buffers of the
// size take turns, and a value of any size passes through them.
const feedBytes = 256 << 10

// emptyEnum reports whether a warning is that of an enum's empty value.
func (l *loader) emptyEnum(w *driverpkg.MySQLError) bool {
	if w.Number != 1265 {
		return false
	}
	m := names[1265].FindStringSubmatch(w.Message)
	return m != nil && slices.ContainsFunc(l.columns, func(c loadColumn) bool { return c.labels != nil && c.name == strings.ReplaceAll(m[2], "''", "'") })
}

// Load opens a loader for one chunk.
func (b *build) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	op := "load " + chunk.ID
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := b.check(op, open, finished); err != nil {
		return nil, err
	}
	if layout.Format != rows.Format || layout.Table.ID != chunk.Table || len(layout.Columns) == 0 {
		return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SinkSide, Op: op, Err: errors.New("the layout is of another table or format")}
	}
	b.reach(finished, open) // a chunk of it was lost
	if b.plain[chunk.Table.Name] {
		if err := b.hold(ctx); err != nil { // which notices that the server has crashed
			return nil, err
		}
	}
	if err := b.recover(ctx, true); err != nil {
		return nil, err
	}
	plain := b.plain[chunk.Table.Name]
	if plain {
		b.loading.RLock() // before the session: recover has the lock when it waits for one
	}
	s, err := b.take(ctx, op)
	if err != nil {
		if plain {
			b.loading.RUnlock()
		}
		return nil, err
	}
	l := &loader{build: b, op: op, chunk: chunk, layout: layout, session: s, plain: plain, encoder: rows.NewEncoder(layout), columns: loadColumns(layout, b.defs.Collation)}
	if err := l.clear(ctx); err != nil {
		return nil, l.fail(err)
	}
	if err := l.count(ctx); err != nil {
		return nil, l.fail(err)
	}
	if _, err := s.run(ctx, "START TRANSACTION"); err != nil {
		return nil, l.fail(fail(ctx, connectors.SinkSide, op, err))
	}
	return l, nil
}

// clear empties a table that no transaction covers: what a try before this one has written
// there is still there. All its rows are one chunk, so that nothing else goes.
func (l *loader) clear(ctx context.Context) error {
	d := l.build.defs.table(l.chunk.Table)
	if d == nil || d.Engine == "" {
		return nil
	}
	if l.chunk.Lo != 0 || !l.chunk.Last {
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SinkSide, Op: l.op, Err: errors.New("a table of " + d.Engine + ", which has no transactions, is loaded as a whole")}
	}
	loaded, err := l.session.number(ctx, "SELECT EXISTS (SELECT 1 FROM "+ident(ledgerTable)+" WHERE name = "+literal(d.Name)+")")
	if err != nil {
		return fail(ctx, connectors.SinkSide, l.op, err)
	}
	if loaded != 0 {
		return l.twice()
	}
	some, err := l.session.number(ctx, "SELECT EXISTS (SELECT 1 FROM "+ident(d.Name)+")")
	if err == nil && some != 0 || numberOf(err) == 1146 {
		err = l.build.empty(ctx, l.session, d)
	}
	return fail(ctx, connectors.SinkSide, l.op, err)
}

// typeWord returns the first word of a type.
func typeWord(name string) string {
	word, _, _ := strings.Cut(strings.ToLower(name), "(")
	word, _, _ = strings.Cut(word, " ")
	return word
}

// twice is the error of a chunk that has been loaded before.
func (l *loader) twice() error {
	return &connectors.Error{Kind: connectors.KindIntegrity, Side: connectors.SinkSide, Op: l.op, Err: errors.New("the ledger has this chunk already")}
}

// loadColumn is what loading has to know of a column.
type loadColumn struct {
	name    string
	convert bool // the value is UTF-8 whatever the column is
	latin1  bool // the same, and it is converted here
	asIs    bool // a text is stored as it is sent
	bit     bool // a number is stored as its byte
	year    bool // a number is stored as it is in four digits
	// labels are the numbers of an enum's labels, by which its values are stored; 0 is that
	// of the empty value, which stands for what is none of them.
	labels map[string]int64
}

// loadColumns returns what loading has to know. own is the database's collation, which a column
// has that names none.
func loadColumns(layout *connectors.Layout, own string) []loadColumn {
	all := make([]loadColumn, len(layout.Columns))
	decoded := map[int]bool{}
	for _, d := range layout.Decoded {
		decoded[d] = true
	}
	for i, c := range layout.Columns {
		word := typeWord(c.Type.Name)
		all[i] = loadColumn{name: c.Name, bit: word == "bit", year: word == "year"}
		switch word {
		case "enum":
			all[i].labels = map[string]int64{"": 0}
			for n, label := range c.Type.Labels {
				all[i].labels[label] = int64(n) + 1
			}
		case "json", "set", "uuid", "inet4", "inet6":
			// Of bytes without a character set they take something else, or nothing.
			all[i].convert = true
		default:
			collation := cmp.Or(c.Collation, own)
			all[i].convert = decoded[i] && c.Type.Kind == catalog.Text && !strings.HasPrefix(collation, "utf8")
			if all[i].convert && inLatin1(collation) && shortText(word) {
				all[i].convert, all[i].latin1 = false, true
			}
		}
		all[i].asIs = all[i].labels == nil && !all[i].latin1
	}
	return all
}

// sinkWriter takes rows as lines. It is for one goroutine.
type sinkWriter interface {
	// write takes whole or partial lines; it does not keep them.
	write(ctx context.Context, lines []byte) error
	// end ends the last statement.
	end(ctx context.Context) (outcome, error)
	// abort ends it, whatever comes of it.
	abort()
}

// outcome is what the server made of the rows.
type outcome struct {
	taken  int64                            // rows
	warned int64                            // warnings
	first  *driverpkg.MySQLError            // of them, the first that odd does not excuse
	odd    func(*driverpkg.MySQLError) bool // of which a load need not fail
}

// look adds what a statement came to.
func (o *outcome) look(ctx context.Context, s *session, taken int64) error {
	o.taken += taken
	n, err := s.number(ctx, "SHOW COUNT(*) WARNINGS")
	if err != nil || n == 0 {
		return err
	}
	o.warned += n
	return s.query(ctx, "SHOW WARNINGS", func(r row) error {
		if w := (&driverpkg.MySQLError{Number: uint16(r.number(1)), Message: r.text(2)}); o.first == nil && !o.odd(w) {
			o.first = w
		}
		return nil
	})
}

type loader struct {
	build   *build
	op      string
	chunk   connectors.Chunk
	layout  *connectors.Layout
	session *session // nil when given back
	plain   bool     // the table has no transactions
	counter gate     // held while others may not load the table; see count
	encoder *rows.Encoder
	columns []loadColumn

	out     sinkWriter // nil before the first row
	lines   []byte
	scratch []byte
	rows    int64
	bytes   int64
	empty   int64 // empty values of enums, for which the server may warn
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
	if l.out == nil {
		var err error
		if l.out, err = l.open(); err != nil {
			return l.fail(err)
		}
	}
	if len(batch.Wire) >= wideBytes {
		if err := l.wide(ctx, batch); err != nil {
			return l.fail(err)
		}
		return nil
	}
	wire, err := l.encoder.Encode(batch)
	if err != nil {
		return l.fail(&connectors.Error{Side: connectors.SinkSide, Op: l.op, Err: err})
	}
	if err := l.add(ctx, wire, batch.Rows); err != nil {
		return l.fail(err)
	}
	return nil
}

// add writes rows as lines.
func (l *loader) add(ctx context.Context, wire []byte, n int) error {
	off := 0
	for range n {
		for i := range l.columns {
			// Most values are short texts that nobody has to look at.
			if text, end, ok := rows.ParseText(wire, off); ok && l.columns[i].asIs && len(text) <= feedBytes && len(l.lines) < feedBytes {
				if i > 0 {
					l.lines = append(l.lines, '\t')
				}
				l.lines = appendEscaped(l.lines, text)
				off = end
				continue
			}
			v, end, err := rows.Parse(wire, off)
			if err != nil {
				return &connectors.Error{Side: connectors.SinkSide, Op: l.op, Err: err}
			}
			off = end
			if err := l.field(ctx, i, v); err != nil {
				return err
			}
		}
		if err := l.endRow(ctx); err != nil {
			return err
		}
	}
	if off != len(wire) {
		return &connectors.Error{Side: connectors.SinkSide, Op: l.op, Err: errors.New("a batch holds more bytes than rows")}
	}
	return nil
}

// wide is add for a batch with a wide row, of which no copy is made.
func (l *loader) wide(ctx context.Context, batch *connectors.Batch) error {
	var failed error
	err := l.encoder.Each(batch, func(i int, v rows.Value) error {
		if failed = l.field(ctx, i, v); failed == nil && i == len(l.columns)-1 {
			failed = l.endRow(ctx)
		}
		return failed
	})
	if failed == nil && err != nil {
		return &connectors.Error{Side: connectors.SinkSide, Op: l.op, Err: err}
	}
	return failed
}

// field writes a value of a row.
func (l *loader) field(ctx context.Context, i int, v rows.Value) error {
	if i > 0 {
		l.lines = append(l.lines, '\t')
	}
	switch v.Tag {
	case rows.Null:
		l.lines = append(l.lines, '\\', 'N')
	case rows.Text, rows.Blob:
		if c := &l.columns[i]; c.labels != nil {
			n, ok := c.labels[string(v.Bytes)]
			if !ok {
				return &connectors.Error{Kind: connectors.KindIntegrity, Side: connectors.SinkSide, Op: l.op, Err: fmt.Errorf("row %d, column %s: the value is none of the enum's labels", l.rows, c.name)}
			}
			l.number(c, n)
			return nil
		} else if c.latin1 {
			var ok bool
			if l.scratch, ok = appendLatin1(l.scratch[:0], v.Bytes); !ok {
				return &connectors.Error{Kind: connectors.KindIntegrity, Side: connectors.SinkSide, Op: l.op, Err: fmt.Errorf("row %d, column %s: the value has characters that the column's latin1 lacks", l.rows, c.name)}
			}
			if len(l.scratch) > 0 {
				v.Bytes = l.scratch
			}
		}
		for len(v.Bytes) > feedBytes {
			l.lines = appendEscaped(l.lines, v.Bytes[:feedBytes])
			v.Bytes = v.Bytes[feedBytes:]
			if err := l.flush(ctx); err != nil {
				return err
			}
		}
		if l.lines = appendEscaped(l.lines, v.Bytes); len(l.lines) >= feedBytes {
			return l.flush(ctx)
		}
	case rows.Float:
		l.lines = strconv.AppendFloat(l.lines, v.Float(), 'g', -1, 64) // all of its digits
	default:
		l.number(&l.columns[i], v.Int())
	}
	return nil
}

// endRow ends a row.
func (l *loader) endRow(ctx context.Context) error {
	l.lines = append(l.lines, '\n')
	l.rows++
	if len(l.lines) < feedBytes {
		return nil
	}
	return l.flush(ctx)
}

// number writes an integer as the column takes it.
func (l *loader) number(c *loadColumn, v int64) {
	switch {
	case c.bit:
		l.lines = appendEscaped(l.lines, []byte{byte(v)})
		return
	case c.year && v >= 0 && v < 1000:
		l.lines = fmt.Appendf(l.lines, "%04d", v)
		return
	case c.labels != nil && v == 0:
		l.empty++
	}
	l.lines = strconv.AppendInt(l.lines, v, 10)
}

func (l *loader) flush(ctx context.Context) error {
	l.bytes += int64(len(l.lines))
	err := l.out.write(ctx, l.lines)
	l.lines = l.lines[:0]
	return fail(ctx, connectors.SinkSide, l.op, err)
}

// open begins the statement: LOAD DATA, or INSERT where the server forbids that.
func (l *loader) open() (sinkWriter, error) {
	if l.lines == nil {
		l.lines = make([]byte, 0, feedBytes+feedBytes/4)
	}
	if l.infile() {
		return newInfile(l.session, l.loadSQL, l.emptyEnum), nil
	}
	return newInserter(l.session, l.insertSQL(), l.columns, l.emptyEnum), nil
}

// infile reports whether rows are loaded by LOAD DATA.
func (l *loader) infile() bool { return l.session.infile && !l.build.inserts.Load() }

// loadSQL returns the statement that reads what is registered under a name.
func (l *loader) loadSQL(reader string) string {
	targets := make([]string, len(l.columns))
	var set []string
	for i, c := range l.columns {
		targets[i] = ident(c.name)
		if c.convert {
			targets[i] = fmt.Sprintf("@v%d", i)
			set = append(set, fmt.Sprintf("%s = CONVERT(@v%d USING utf8mb4)", ident(c.name), i))
		}
		if c.labels != nil {
			targets[i] = fmt.Sprintf("@v%d", i)
			set = append(set, fmt.Sprintf("%s = CAST(@v%d AS UNSIGNED)", ident(c.name), i))
		}
	}
	sql := fmt.Sprintf(`LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (%s)`,
		reader, table(l.build.database, l.chunk.Table), strings.Join(targets, ", "))
	if set != nil {
		sql += " SET " + strings.Join(set, ", ")
	}
	return sql
}

func (l *loader) Commit(ctx context.Context) (connectors.Receipt, error) {
	if l.err != nil {
		return connectors.Receipt{}, fmt.Errorf("%s: %w", l.op, l.err)
	}
	r, err := l.commit(ctx)
	if err != nil {
		return connectors.Receipt{}, l.fail(err)
	}
	l.leave(true)
	l.err = errEnded
	return r, nil
}

func (l *loader) commit(ctx context.Context) (connectors.Receipt, error) {
	none := connectors.Receipt{}
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%s: %w", l.op, err)
	}
	if l.out != nil {
		if err := l.flush(ctx); err != nil {
			return none, err
		}
		out := l.out
		l.out = nil
		o, err := out.end(ctx)
		l.counted()
		if err != nil {
			return none, fail(ctx, connectors.SinkSide, l.op, err)
		}
		if err := l.accept(o); err != nil {
			return none, err
		}
	}
	r := connectors.Receipt{Chunk: l.chunk.ID, Table: l.chunk.Table, Rows: l.rows, Bytes: l.bytes}
	// In the chunk's own transaction: either both are there or none.
	if _, err := l.session.run(ctx, receiptSQL(r)); err != nil {
		if numberOf(err) == 1062 {
			return none, l.twice()
		}
		return none, fail(ctx, connectors.SinkSide, l.op, err)
	}
	if _, err := l.session.run(ctx, "COMMIT"); err != nil {
		return none, fail(ctx, connectors.SinkSide, l.op, err)
	}
	return r, nil
}

// accept looks what the server made of the rows. LOAD DATA LOCAL skips a row that it
// cannot store, and changes a value that does not fit, and only warns (MySQL's manual,
// "LOAD DATA Statement", on LOCAL). The empty value of an enum is what the source has for
// a value that is none of its labels: the server stores the same, and warns each time.
func (l *loader) accept(o outcome) error {
	if o.taken == l.rows && o.warned == l.empty && o.first == nil {
		return nil
	}
	if o.first == nil {
		return &connectors.Error{Kind: connectors.KindIntegrity, Side: connectors.SinkSide, Op: l.op, Err: fmt.Errorf("%d rows were sent, with %d empty values of enums; the server has taken %d, and warned of %d", l.rows, l.empty, o.taken, o.warned)}
	}
	err := fail(context.Background(), connectors.SinkSide, l.op, o.first)
	var e *connectors.Error
	if errors.As(err, &e) {
		e.Kind, e.Retry = connectors.KindIntegrity, false
		if e.Violation != nil {
			e.Violation.Table = l.chunk.Table
		}
	}
	return err
}

func (l *loader) Abort() error {
	l.leave(false)
	l.err = errEnded
	return nil
}

// fail ends the loader: what it has written is dropped.
func (l *loader) fail(err error) error {
	switch numberOf(err) {
	case 1148, 3948, 4166:
		l.build.inserts.Store(true)
	}
	l.leave(false)
	l.err = err
	return err
}

// leave gives the session back, without the transaction unless it is committed.
func (l *loader) leave(committed bool) {
	if l.session == nil {
		return
	}
	s := l.session
	l.session, l.lines = nil, nil
	if l.out != nil {
		l.out.abort()
		l.out = nil
	}
	ok := true
	if !committed {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		_, err := s.run(ctx, "ROLLBACK")
		cancel()
		ok = err == nil
	}
	l.counted()
	if l.plain {
		l.build.loading.RUnlock()
	}
	l.build.give(s, ok)
}
