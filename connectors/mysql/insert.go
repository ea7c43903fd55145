package mysql

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
)

// insertBytes is about how long an INSERT is, if the server takes so much: the server
// reads it into memory as a whole, and longer ones are no faster.
const insertBytes = 1 << 20

// insertSQL returns the beginning of an INSERT.
func (l *loader) insertSQL() string {
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = ident(c.name)
	}
	return "INSERT INTO " + table(l.build.database, l.chunk.Table) + " (" + strings.Join(names, ", ") + ") VALUES "
}

// inserter writes lines as INSERT statements of many rows, each shorter than
// max_allowed_packet. A long value goes to the server in pieces before its row, as variables
// of the session, which the row's statement puts together: neither end has to hold such a
// statement beside the value.
type inserter struct {
	session *session
	head    string
	columns []loadColumn
	most    int

	statement []byte
	row       []byte // the row that has begun
	column    int
	open      bool // a value has begun
	from      int  // where it stands
	escaped   bool // the last byte was a backslash
	null      bool // the value is \N
	pieces    int  // of the row, that the server has
	first     int  // of them, that of the value
	outcome   outcome
}

func newInserter(s *session, head string, columns []loadColumn, odd func(*driverpkg.MySQLError) bool) *inserter {
	return &inserter{outcome: outcome{odd: odd}, session: s, head: head, columns: columns, most: int(min(insertBytes, max(s.packet-1024, 1024)))}
}

// The escapes of a line are those of a literal too, but for \N and the quote.

func (w *inserter) begin() {
	if w.open {
		return
	}
	w.open = true
	if w.column == 0 {
		w.row = append(w.row, '(')
	} else {
		w.row = append(w.row, ',')
	}
	w.from, w.first = len(w.row), w.pieces
	switch c := &w.columns[w.column]; {
	case c.labels != nil:
		w.row = append(w.row, "0+_binary'"...) // a number, not a label
	case c.convert:
		w.row = append(w.row, "_utf8mb4'"...)
	default:
		w.row = append(w.row, "_binary'"...)
	}
}

// value ends a value.
func (w *inserter) value() {
	w.begin()
	if w.null {
		w.row = append(w.row[:w.from], "NULL"...)
		w.null = false
	} else {
		w.row = append(w.row, '\'')
	}
	if w.pieces > w.first {
		w.join()
	}
	w.open = false
	w.column++
}

func (w *inserter) write(ctx context.Context, lines []byte) error {
	for _, b := range lines {
		switch {
		case w.escaped:
			w.escaped = false
			if b == 'N' {
				w.null = true
				continue
			}
			w.row = append(w.row, '\\', b)
		case b == '\\':
			w.begin()
			w.escaped = true
		case b == '\t':
			w.value()
		case b == '\n':
			w.value()
			w.row = append(w.row, ')')
			w.column = 0
			if err := w.flush(ctx, len(w.statement)+len(w.row) > w.most); err != nil {
				return err
			}
			w.take()
			if err := w.forget(ctx); err != nil {
				return err
			}
		case b == '\'':
			w.begin()
			w.row = append(w.row, '\\', '\'')
		case b == 0:
			w.begin()
			w.row = append(w.row, '\\', '0')
		default:
			w.begin()
			w.row = append(w.row, b)
		}
	}
	if w.open && len(w.row) > w.most && len(w.row)-w.from > w.most/16 {
		return w.send(ctx)
	}
	return nil
}

const pieceBegin = "_binary'"

func pieceName(n int) string { return "@sanitize_" + strconv.Itoa(n) }

// send sends the value as far as it is there.
func (w *inserter) send(ctx context.Context) error {
	if err := w.flush(ctx, true); err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(w.row[w.from:], []byte{'\''})
	for len(rest) > 0 {
		// An escape is not divided: behind an odd number of backslashes stands what they escape.
		n := min(len(rest), w.most)
		if cut := rest[:n]; (n-len(bytes.TrimRight(cut, `\`)))%2 == 1 {
			n--
		}
		w.statement = append(w.statement, "SET "+pieceName(w.pieces)+" = "+pieceBegin...)
		w.statement = append(append(w.statement, rest[:n]...), '\'')
		if err := w.run(ctx); err != nil {
			return err
		}
		w.pieces++
		rest = rest[n:]
	}
	w.row = append(w.row[:w.from], pieceBegin...)
	return nil
}

// join puts the value together of the pieces that were sent and the rest, which is in the row.
func (w *inserter) join() {
	rest := bytes.Clone(w.row[w.from:])
	w.row = append(w.row[:w.from], "CONCAT("...)
	for n := w.first; n < w.pieces; n++ {
		w.row = append(append(w.row, pieceName(n)...), ',')
	}
	w.row = append(append(w.row, rest...), ')')
	if w.columns[w.column].convert {
		w.row = append(append(slices.Insert(w.row, w.from, []byte("CONVERT(")...), " USING utf8mb4"...), ')')
	}
}

// forget runs the statement of a row that is in pieces, and has the server forget them.
func (w *inserter) forget(ctx context.Context) error {
	if w.pieces == 0 {
		return nil
	}
	if err := w.flush(ctx, true); err != nil {
		return err
	}
	w.statement = append(w.statement, "SET "...)
	for n := range w.pieces {
		if n > 0 {
			w.statement = append(w.statement, ',')
		}
		w.statement = append(append(w.statement, pieceName(n)...), "=NULL"...)
	}
	w.pieces = 0
	return w.run(ctx)
}

// run runs a statement that changes no row.
func (w *inserter) run(ctx context.Context) error {
	_, err := w.session.run(ctx, string(w.statement))
	w.statement = w.statement[:0]
	return err
}

// take moves the row into the statement.
func (w *inserter) take() {
	if len(w.statement) == 0 {
		w.statement = append(w.statement, w.head...)
	} else {
		w.statement = append(w.statement, ',')
	}
	w.statement = append(w.statement, w.row...)
	w.row = w.row[:0]
}

// flush runs the statement, if now and if there is one.
func (w *inserter) flush(ctx context.Context, now bool) error {
	if !now || len(w.statement) == 0 {
		return nil
	}
	if int64(len(w.statement)) > w.session.packet {
		return tooLarge("row")
	}
	n, err := w.session.run(ctx, string(w.statement))
	w.statement = w.statement[:0]
	// CONCAT makes NULL of too long a value, with a warning, and the column may refuse it.
	if numberOf(err) == 1048 && w.pieces > 0 {
		o := outcome{odd: w.outcome.odd}
		if o.look(ctx, w.session, 0) == nil && o.tooLong() {
			err = tooLarge("value")
		}
	}
	if err != nil {
		return err
	}
	if err := w.outcome.look(ctx, w.session, n); err != nil {
		return err
	}
	if w.outcome.tooLong() {
		return tooLarge("value")
	}
	return nil
}

// tooLong reports whether CONCAT has warned that it made NULL.
func (o *outcome) tooLong() bool { return o.first != nil && o.first.Number == 1301 }

func tooLarge(what string) error {
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SinkSide, Op: "insert rows",
		Err: errors.New("a " + what + " is larger than the server's max_allowed_packet"), Hint: "raise max_allowed_packet, or set local_infile = 1, at the target"}
}

func (w *inserter) end(ctx context.Context) (outcome, error) {
	err := w.flush(ctx, true)
	return w.outcome, err
}

func (w *inserter) abort() {}
