package mysql

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Every byte and every character is converted as the server does it.
func TestLatin1(t *testing.T) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	turned := appendUTF8(nil, all)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		want, err := hex.DecodeString(s.Value(t, "", fmt.Sprintf("SELECT HEX(CONVERT(_latin1 X'%x' USING utf8mb4))", all)))
		if err != nil || !bytes.Equal(turned, want) {
			t.Errorf("%x, the server has %x", turned, want)
		}
		// A ? is what a server has for what latin1 lacks.
		var some []rune
		for r := rune(1); r < 0x3000; r++ {
			some = append(some, r)
		}
		some = append(some, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff)
		back, err := hex.DecodeString(s.Value(t, "", fmt.Sprintf("SELECT HEX(CONVERT(_utf8mb4 X'%x' USING latin1))", string(some))))
		if err != nil || len(back) != len(some) {
			t.Fatalf("%d characters, want %d: %v", len(back), len(some), err)
		}
		for i, r := range some {
			text := utf8.AppendRune(nil, r)
			got, ok := appendLatin1(nil, text)
			if len(got) == 0 {
				got = text
			}
			if has := back[i] != '?' || r == '?'; ok != has || ok && !bytes.Equal(got, back[i:i+1]) {
				t.Errorf("%U: %x, %t; the server has %x", r, got, ok, back[i])
			}
		}
	})
}

func FuzzLatin1(f *testing.F) {
	for _, s := range []string{"", "plain", "caf\xe9", "\x80\x81\xff", "\xe9\xe9 and more"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		same := func(out, in []byte) []byte {
			if len(out) == 0 {
				return in
			}
			return out
		}
		turned := same(appendUTF8(nil, text), text)
		back, ok := appendLatin1(nil, turned)
		if !utf8.Valid(turned) || !ok || !bytes.Equal(same(back, turned), text) {
			t.Errorf("%x becomes %x and %x", text, turned, back)
		}
		if _, ok := appendLatin1(nil, append(bytes.Clone(turned), "→"...)); ok {
			t.Error("latin1 has an arrow")
		}
	})
}

// The server converts a masked text only where its column has another character set: a column
// that names none has the database's.
func TestLoadConverts(t *testing.T) {
	for own, want := range map[string]string{
		"utf8mb4_general_ci": "(`a`, `b`, @v2, `d`) SET `c` = CONVERT(@v2 USING utf8mb4)",
		"latin1_swedish_ci":  "(`a`, `b`, @v2, `d`) SET `c` = CONVERT(@v2 USING utf8mb4)",
		"koi8r_general_ci":   "(@v0, `b`, @v2, `d`) SET `a` = CONVERT(@v0 USING utf8mb4), `c` = CONVERT(@v2 USING utf8mb4)",
	} {
		text := catalog.Type{Name: "varchar(20)", Kind: catalog.Text}
		columns := []catalog.Column{{Name: "a", Type: text}, {Name: "b", Type: text, Collation: "utf8mb3_bin"}, {Name: "c", Type: text, Collation: "greek_bin"}, {Name: "d", Type: text, Collation: "greek_bin"}}
		layout, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, rows.Format, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		l := &loader{build: &build{}, layout: layout, columns: loadColumns(layout, own)}
		if sql := l.loadSQL("r"); !strings.HasSuffix(sql, want) {
			t.Errorf("%s: %s", own, sql)
		}
	}
}
