package mysql

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

var update = flag.Bool("update", false, "record the torture schemas anew from the servers, and write the golden files")

// recorded is what a server has told of its torture schema, so that what becomes of it can
// be compared on machines without that server.
type recorded struct {
	Server, Database, Charset, Collation string
	Tables                               []recordedTable
	Objects                              []recordedObject
}

type recordedTable struct {
	Name, Engine, Create, Comment, Collation string
	Versioned                                bool  `json:",omitempty"`
	Next                                     int64 `json:",omitempty"`
	Columns                                  []recordedColumn
}

type recordedColumn struct {
	Name, Type, Data         string
	Charset, Collation       string `json:",omitempty"`
	Extra, Comment           string `json:",omitempty"`
	NotNull                  bool   `json:",omitempty"`
	Length, Precision, Scale int64  `json:",omitempty"`
}

type recordedObject struct {
	object
	Comment  string               `json:",omitempty"`
	Invalid  bool                 `json:",omitempty"`
	Position *connectors.Sequence `json:",omitempty"`
}

func record(sc *schema) recorded {
	r := recorded{Server: sc.server.text, Database: sc.database, Charset: sc.charset, Collation: sc.collation}
	for _, n := range sc.names {
		t := sc.tables[n]
		rt := recordedTable{Name: n, Engine: t.engine, Create: t.create, Comment: t.comment, Collation: t.collation, Versioned: t.versioned, Next: t.next}
		for _, c := range t.described {
			rt.Columns = append(rt.Columns, recordedColumn{c.name, c.columnType, c.dataType, c.charset, c.collation, c.extra, c.comment, c.notNull, c.length, c.precision, c.scale})
		}
		r.Tables = append(r.Tables, rt)
	}
	for _, o := range sc.objects {
		ro := recordedObject{object: o.object, Comment: o.comment, Invalid: o.invalid}
		if o.Kind == "sequence" {
			ro.Position = &o.position
		}
		r.Objects = append(r.Objects, ro)
	}
	return r
}

func (r recorded) schema(t *testing.T) *schema {
	t.Helper()
	sc := &schema{database: r.Database, charset: r.Charset, collation: r.Collation, tables: map[string]*sourceTable{}}
	var err error
	if sc.server, err = parseServer(r.Server); err != nil {
		t.Fatal(err)
	}
	for _, rt := range r.Tables {
		from := &sourceTable{name: rt.Name, engine: rt.Engine, create: rt.Create, comment: rt.Comment, collation: rt.Collation, versioned: rt.Versioned, next: rt.Next, columns: map[string]columnFacts{}}
		var ok bool
		if from.text, ok = parseTable(rt.Create); !ok {
			t.Fatalf("%s is not understood", rt.Name)
		}
		for _, c := range rt.Columns {
			d := describedColumn{name: c.Name, comment: c.Comment, extra: c.Extra, notNull: c.NotNull, readable: true}
			d.columnType, d.dataType, d.charset, d.collation, d.length, d.precision, d.scale = c.Type, c.Data, c.Charset, c.Collation, c.Length, c.Precision, c.Scale
			d.unsigned = strings.Contains(c.Type, " unsigned")
			from.described = append(from.described, d)
			from.columns[c.Name] = d.columnFacts
		}
		sc.tables[rt.Name], sc.names = from, append(sc.names, rt.Name)
	}
	for _, o := range r.Objects {
		so := &sourceObject{object: o.object, comment: o.Comment, invalid: o.Invalid, definer: strings.Contains(o.Create, "DEFINER=")}
		if o.Position != nil {
			so.position = *o.Position
		}
		sc.objects = append(sc.objects, so)
	}
	return sc
}

// told writes definitions and fates for people.
func told(c *catalog.Catalog, out *connectors.Definitions, d definitions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- database: %s %s\n", d.Charset, d.Collation)
	object := func(o object) {
		fmt.Fprintf(&b, "\n-- %s %s [%s] %s %s %s\n%s;\n", o.Kind, o.Name, o.Mode, o.Charset, o.Collation, o.Zone, o.Create)
	}
	for _, o := range d.First {
		object(o)
	}
	for _, t := range d.Tables {
		fmt.Fprintf(&b, "\n%s;\n", t.Create)
		for _, list := range [][]string{t.Indexes, t.ForeignKeys} {
			if len(list) > 0 {
				fmt.Fprintf(&b, "ALTER TABLE %s\n  %s;\n", ident(t.Name), strings.Join(list, ",\n  "))
			}
		}
	}
	for _, o := range d.Rest {
		object(o)
	}
	b.WriteString("\n-- sequences\n")
	for _, q := range out.Sequences {
		fmt.Fprintf(&b, "-- %s: %d by %d, %d to %d, fills %s\n", q.ID, q.Last, q.Increment, q.Min, q.Max, filled(q))
	}
	b.WriteString("\n-- fates\n")
	for _, o := range c.Fates() {
		fmt.Fprintf(&b, "-- %s %s: %s, %s\n", o.Kind, o.Name, o.Fate, o.Reason)
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				t.Fatalf("%s, line %d is\n%s\nwant\n%s", path, i+1, a[i], strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
			}
		}
		t.Fatalf("%s has %d lines more", path, len(b)-len(a))
	}
}

// TestGolden shows what becomes of the torture schemas: the statements that a build runs,
// and what stays behind.
func TestGolden(t *testing.T) {
	if *update {
		for _, server := range connectortest.MySQLServers(t) {
			database := torture(t, server)
			_, sc, err := readCatalog(t.Context(), connected(t, connectors.SourceSide, server.DSN(database)), database)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.MarshalIndent(record(sc), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(b), database, "torture")
			if err := os.WriteFile(filepath.Join("testdata", "shown-"+server.Flavor()+".json"), []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, flavor := range []string{"mariadb", "mysql"} {
		t.Run(flavor, func(t *testing.T) {
			var r recorded
			if err := json.Unmarshal([]byte(read(t, "testdata", "shown-"+flavor+".json")), &r); err != nil {
				t.Fatal(err)
			}
			sc := r.schema(t)
			c := sc.catalog()
			out := readDefinitions(sc, c)
			d, err := parseDefinitions(out)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "made-"+flavor+".sql", told(c, out, d))
			var file strings.Builder
			if err := c.Write(&file); err != nil {
				t.Fatal(err)
			}
			golden(t, "catalog-"+flavor+".json", file.String())
		})
	}
}

// filled names the columns that a sequence fills.
func filled(q connectors.Sequence) string {
	if len(q.Fills) == 0 {
		return "nothing"
	}
	names := make([]string, len(q.Fills))
	for i, c := range q.Fills {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}
