package mysql

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// plainEscaped is what appendEscaped has to give, byte by byte.
func plainEscaped(v []byte) (out []byte) {
	for _, b := range v {
		switch b {
		case '\t':
			out = append(out, `\t`...)
		case '\n':
			out = append(out, `\n`...)
		case '\\':
			out = append(out, `\\`...)
		default:
			out = append(out, b)
		}
	}
	return out
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", "\t", `C:\New`, "1234567\n", "12345678\\", "\x08\x09\x0a\x0b\x5b\x5c\x5d\x00\xff", strings.Repeat("ab\tc", 9), `\N`, "\x88\x89\x8a\xdc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		if got := appendEscaped([]byte("x"), v); string(got) != "x"+string(plainEscaped(v)) {
			t.Errorf("%q is escaped as %q", v, got[1:])
		}
	})
}

func TestEscapeFindsTheFirst(t *testing.T) {
	// Each special byte at each place of a word, beside bytes that differ from it by one.
	for _, b := range []byte{'\t', '\n', '\\'} {
		for at := range 8 {
			for _, near := range []byte{b - 1, b + 1, 0, 0x80 | b, 0xff} {
				v := bytes.Repeat([]byte{near}, 8)
				v[at] = b
				if got, want := appendEscaped(nil, v), plainEscaped(v); !bytes.Equal(got, want) {
					t.Errorf("%q is escaped as %q", v, got)
				}
			}
		}
	}
}

// statements is a server that takes everything and remembers it.
type statements struct{ sent []string }

func (s *statements) Prepare(string) (driver.Stmt, error) { panic("not used") }
func (s *statements) Begin() (driver.Tx, error)           { panic("not used") }
func (s *statements) Close() error                        { return nil }

func (s *statements) ExecContext(_ context.Context, sql string, _ []driver.NamedValue) (driver.Result, error) {
	s.sent = append(s.sent, sql)
	return driver.RowsAffected(1 + strings.Count(sql, "),(")), nil
}

func (s *statements) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &zero{}, nil
}

// zero answers 0.
type zero struct{ done bool }

func (*zero) Columns() []string { return []string{"@@warning_count"} }
func (*zero) Close() error      { return nil }
func (z *zero) Next(v []driver.Value) error {
	if z.done {
		return io.EOF
	}
	z.done = true
	v[0] = int64(0)
	return nil
}

func TestInsert(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines string // in pieces, divided by |
		most  int
		want  []string
	}{
		{"a row", "1\tx\n", 1000, []string{`I (_binary'1',_utf8mb4'x')`}},
		{"NULL, empty, the text N", `\N` + "\t\nN\tNULL\n", 1000, []string{`I (NULL,_utf8mb4''),(_binary'N',_utf8mb4'NULL')`}},
		{"quotes and escapes", `a'b\\` + "\t" + `\t\n"` + "\n", 1000, []string{`I (_binary'a\'b\\',_utf8mb4'\t\n"')`}},
		{"a NUL", "a\x00b\tc\n", 1000, []string{`I (_binary'a\0b',_utf8mb4'c')`}},
		{"in pieces", `\|N` + "\tab|c\n1|\t|\\|\\\n", 1000, []string{`I (NULL,_utf8mb4'abc'),(_binary'1',_utf8mb4'\\')`}},
		{"as many statements as it takes", "1\ta\n2\tb\n3\tc\n", 40, []string{`I (_binary'1',_utf8mb4'a')`, `I (_binary'2',_utf8mb4'b')`, `I (_binary'3',_utf8mb4'c')`}},
		{"a long value, sent before its row", "0\tx\n1\t012345678901234567890123456789|rest\n2\ty\n", 20, []string{
			`I (_binary'0',_utf8mb4'x')`, `SET @sanitize_0 = _binary'01234567890123456789'`, `SET @sanitize_1 = _binary'0123456789'`,
			`I (_binary'1',CONVERT(CONCAT(@sanitize_0,@sanitize_1,_binary'rest') USING utf8mb4))`, "SET @sanitize_0=NULL,@sanitize_1=NULL",
			`I (_binary'2',_utf8mb4'y')`}},
		{"no escape is divided", `0123456789012345678\\x|\t|y` + "\t" + `0123456789012345678'|\\` + "\n", 20, []string{
			`SET @sanitize_0 = _binary'0123456789012345678'`, `SET @sanitize_1 = _binary'\\x'`, `SET @sanitize_2 = _binary'0123456789012345678'`, `SET @sanitize_3 = _binary'\''`,
			`I (CONCAT(@sanitize_0,@sanitize_1,_binary'\ty'),CONVERT(CONCAT(@sanitize_2,@sanitize_3,_binary'\\') USING utf8mb4))`,
			"SET @sanitize_0=NULL,@sanitize_1=NULL,@sanitize_2=NULL,@sanitize_3=NULL"}},
		{"an underscore before a NULL", "_\t" + `\N` + "\n", 1000, []string{`I (_binary'_',NULL)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &statements{}
			w := newInserter(&session{conn: server, packet: 1 << 20}, "I ", []loadColumn{{name: "a"}, {name: "b", convert: true}}, nil)
			w.most = test.most
			for piece := range strings.SplitSeq(test.lines, "|") {
				if err := w.write(t.Context(), []byte(piece)); err != nil {
					t.Fatal(err)
				}
			}
			o, err := w.end(t.Context())
			if err != nil || o.taken != int64(strings.Count(test.lines, "\n")) {
				t.Errorf("%d rows taken, error %v", o.taken, err)
			}
			if strings.Join(server.sent, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(server.sent, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// longest remembers how long the longest of its pieces was.
type longest struct {
	dropped
	most int
}

func (l *longest) write(ctx context.Context, lines []byte) error {
	l.most = max(l.most, len(lines))
	return l.dropped.write(ctx, lines)
}

// A row of many long texts goes in pieces, each of which is short, whatever is escaped in it.
func TestRowInPieces(t *testing.T) {
	var columns []catalog.Column
	for i := range 30 {
		columns = append(columns, catalog.Column{Name: fmt.Sprint("c", i), Type: catalog.Type{Name: "mediumtext", Kind: catalog.Text}, Collation: "utf8mb4_bin"})
	}
	layout, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, rows.Format, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := rows.NewBuilder(layout)
	for range columns {
		b.Text(strings.Repeat("\t", feedBytes-1))
	}
	b.EndRow()
	batch, err := b.Batch(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	out := &longest{}
	l := &loader{layout: layout, encoder: rows.NewEncoder(layout), columns: loadColumns(layout, ""), out: out}
	if err := l.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := l.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.n != len(columns)*2*(feedBytes-1)+len(columns) || out.most > 4*feedBytes {
		t.Errorf("%d bytes are written, up to %d at once", out.n, out.most)
	}
}
