package sqlite

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sqlitedriver "modernc.org/sqlite"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGoldenSQL(t *testing.T) {
	columns := []catalog.Column{{Name: "id"}, {Name: `say "hi"`}, {Name: "naïve 🙂"}, {Name: "select"}}
	chosen := &rows.Choice{Filter: connectors.Filter{Where: "a > 1 OR b", Key: []string{`a "b"`, "c"}, Limit: 3, Seed: [32]byte{7}}}
	var b strings.Builder
	for _, s := range []struct{ what, sql string }{
		{"read a range", readSQL(`the "table"`, columns, "rowid", false)},
		{"read the last range", readSQL(`the "table"`, columns, "_rowid_", true)},
		{"read all rows", readSQL(`the "table"`, columns, "", true)},
		{"read the chosen rows of a range", readChosenSQL(`the "table"`, columns, "rowid", false, chosen)},
		{"read the keys of all rows", readChosenSQL(`the "table"`, nil, "", true, chosen)},
		{"sample rows", sampleSQL(&catalog.Table{ID: catalog.TableID{Name: `the "table"`}, Columns: append(columns, catalog.Column{Name: "v", Generation: catalog.Virtual})}, "rowid", 10)},
		{"step over rowids", stepSQL(`the "table"`, "oid")},
		{"insert three rows", insertSQL(`the "table"`, columns, 3)},
		{"quote text", quoteText(`it's`)},
	} {
		fmt.Fprintf(&b, "-- %s\n%s\n", s.what, s.sql)
	}
	path := filepath.Join("testdata", "statements.golden.sql")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the SQL has changed; see with: go test -run GoldenSQL -update\n%s", b.String())
	}
}

func TestParseTable(t *testing.T) {
	for sql, want := range map[string]string{
		"CREATE TABLE t (a INTEGER CONSTRAINT k PRIMARY KEY AUTOINCREMENT)":                                          "{[{k true [a]}] [] map[] true}",
		"CREATE TABLE t (a TEXT COLLATE NOCASE, b, UNIQUE (a COLLATE BINARY DESC, b))":                               "{[{ false [a b]}] [] map[a:NOCASE] false}",
		"CREATE TABLE t (a REFERENCES u DEFERRABLE, b CONSTRAINT f REFERENCES u (x) NOT DEFERRABLE)":                 "{[] [{ true} {f false}] map[] false}",
		"CREATE TABLE t (a, CONSTRAINT f FOREIGN KEY (a) REFERENCES u(b) ON DELETE SET NULL CONSTRAINT g UNIQUE(a))": "{[{g false [a]}] [{f false}] map[] false}",
		"CREATE TABLE t (\"unique\" TEXT, `primary` TEXT DEFAULT 'UNIQUE', [a b] CHECK ([a b] IN ('UNIQUE', ')')))":  "{[] [] map[] false}",
		"CREATE TABLE t (a -- PRIMARY KEY (\n, /* UNIQUE ( */ b)":                                                    "{[] [] map[] false}",
		"CREATE TABLE t":                     "{[] [] map[] false}",
		"CREATE TABLE t (a 'unterminated /*": "{[] [] map[] false}",
	} {
		p := parseTable(sql)
		if got := fmt.Sprintf("{%v %v %v %t}", p.keys, p.foreign, p.collations, p.autoincrement); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

func TestParseDefinitions(t *testing.T) {
	p := parseTable(`CREATE TABLE t (a INTEGER CHECK (a > 0) CONSTRAINT "big one" CHECK(a < ')('), -- CHECK (no)
		b GENERATED ALWAYS AS (a || ',' || 'CHECK (x)') STORED CHECK (b <> 1), "as" AS (a * 2), CONSTRAINT c CHECK ((a) IN (1, 2)), UNIQUE (a))`)
	var got []string
	for _, c := range p.checks {
		got = append(got, c.name+" "+c.text)
	}
	if want := []string{" (a > 0)", "big one (a < ')(')", " (b <> 1)", "c ((a) IN (1, 2))"}; !slices.Equal(got, want) {
		t.Errorf("checks %q", got)
	}
	if want := map[string]string{"b": "(a || ',' || 'CHECK (x)')", "as": "(a * 2)"}; !maps.Equal(p.computations, want) {
		t.Errorf("computations %q", p.computations)
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add("CREATE TABLE t (a INTEGER CONSTRAINT \"k\"\" PRIMARY KEY, b CHECK (b <> ')'), FOREIGN KEY (a) REFERENCES u -- x\n)")
	f.Add("((([`'\"/*--")
	f.Fuzz(func(t *testing.T, sql string) {
		parseTable(sql) // must not panic, whatever a file holds
		typeOf(sql)
		mentions(sql, []string{"t"})
		indexesTable(sql)
	})
}

// SQLite's messages may quote what they choke on: a value, or part of one.
func TestMessagesHoldNoValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, readWrite, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, setup := range []string{
		"CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INT CHECK (n > 0), j)", "INSERT INTO t VALUES (1, 's3cret', 1, '{')",
		"CREATE TABLE strict_one (n INT) STRICT",
	} {
		if err := s.exec(t.Context(), setup); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"INSERT INTO t (v) VALUES ('s3cret')":                 "UNIQUE constraint failed: t.v",
		"INSERT INTO t (n) VALUES (-1)":                       "CHECK constraint failed: n > 0",
		"INSERT INTO strict_one VALUES ('s3cret')":            "cannot store TEXT value in INT column strict_one.n",
		"SELECT json_extract(v, '$.a') FROM t":                "error",
		"CREATE INDEX bad ON t (json_extract(v, '$.s3cret'))": "error",
		"SELECT 's3cret' FROM 's3cret":                        "error",
		"SELECT nothing_like_this('s3cret')":                  "no such function: nothing_like_this",
	} {
		_, err := s.number(t.Context(), query)
		if err == nil {
			t.Errorf("%s: no error", query)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

// Every code that the driver can name has words of its own, none a message.
func TestMessageOfEveryCode(t *testing.T) {
	if len(sqlitedriver.ErrorCodeString) == 0 {
		t.Fatal("the driver names no codes")
	}
	if got := message(&sqlitedriver.Error{}); !strings.Contains(got, "error 0") {
		t.Errorf("message %q", got)
	}
}
