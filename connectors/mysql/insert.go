package mysql

import (
	"context"
	"errors"
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
// max_allowed_packet.
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
	w.from = len(w.row)
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
	return nil
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
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SinkSide, Op: "insert rows",
			Err: errors.New("a row is larger than the server's max_allowed_packet"), Hint: "raise max_allowed_packet, or set local_infile = 1, at the target"}
	}
	n, err := w.session.run(ctx, string(w.statement))
	w.statement = w.statement[:0]
	if err != nil {
		return err
	}
	return w.outcome.look(ctx, w.session, n)
}

func (w *inserter) end(ctx context.Context) (outcome, error) {
	err := w.flush(ctx, true)
	return w.outcome, err
}

func (w *inserter) abort() {}
