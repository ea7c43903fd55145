package catalog_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// shop is a catalog with something in every field.
func shop() *catalog.Catalog {
	root := table("p", "a")
	root.Kind, root.PartitionKey = catalog.Partitioned, []string{"id"}
	part := table("p1")
	part.Parents, part.IsPartition = []catalog.TableID{id("p")}, true
	a := table("a", "a", "b")
	a.Columns[2].Computation = `upper("Mood")`
	a.Columns = append(a.Columns, catalog.Column{Name: "tags", Type: catalog.Type{Name: "text[]", Kind: catalog.Array, Element: &catalog.Type{Name: "text", Kind: catalog.Text, Equality: catalog.FoldCase}}})
	a.Checks = []catalog.Definition{{Name: "sane", Text: "CHECK (id > 0)", Reads: []string{"id"}}}
	a.Indexes = []catalog.Definition{{Name: "folded", Text: "CREATE INDEX …", Reads: []string{"Mood"}}}
	a.Triggers = []catalog.Definition{{Name: "audit", Text: "CREATE TRIGGER …", Function: "public.audit()"}}
	a.Rules = []catalog.Rule{{Name: "r", Parts: []catalog.Part{{Column: "Mood", Equality: catalog.FoldCase}}}}
	dangling := table("b")
	dangling.ForeignKeys = []catalog.ForeignKey{{Name: "to nothing", References: id("gone"), Pairs: []catalog.Pair{{Column: "id"}}}}
	c := catalog.New("postgres", "17.5", "public", []*catalog.Table{root, part, a, dangling}, []catalog.Object{
		{Kind: "view", Name: "public.v", Definition: "SELECT <a> & \u2028 \ufffd \\ufffd", Reads: []catalog.ColumnID{{Table: id("a"), Column: "id"}}, Comment: "c"},
		{Kind: "role", Name: "ann"},
	})
	c.Encoding, c.Charset = "LATIN1", catalog.Latin1
	return c
}

func written(t testing.TB, c *catalog.Catalog) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFileEqualsTheCatalog(t *testing.T) {
	c := shop()
	text := written(t, c)
	again, err := catalog.Read(strings.NewReader("\ufeff" + text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("another catalog came back:\n%s\n%s", text, written(t, again))
	}
	if c.Fingerprint() != again.Fingerprint() || c.DefinitionsFingerprint() != again.DefinitionsFingerprint() {
		t.Error("another fingerprint")
	}
	if again.Table(id("a")) == nil || again.Find("A") == nil {
		t.Error("a table is not found")
	}
	if written(t, again) != text {
		t.Error("another file")
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	c := of(table("a"))
	c.Tables[0].Columns[0].Name = "caf\xe9"
	var b bytes.Buffer
	if err := c.Write(&b); err == nil || b.Len() > 0 {
		t.Errorf("a name that is not UTF-8: %v, %d bytes", err, b.Len())
	}
	broken := errors.New("no room")
	if err := shop().Write(failing{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFileIsReadStrictly(t *testing.T) {
	good := written(t, shop())
	swap := func(old, now string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in the file", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for _, tt := range []struct{ what, text, want string }{
		{"nothing", "", ":1: the file ends too early"},
		{"no JSON", "hello", ":1: it is not JSON"},
		{"a list", "[]", ":1: it is not an object"},
		{"cut short", good[:len(good)/2], "the file ends too early"},
		{"no version", `{}`, ": version: it is missing"},
		{"another version", swap(`"version": 1`, `"version": 2`), ":2: version: it is 2; this program reads 1"},
		{"a version of another sort", swap(`"version": 1`, `"version": "1"`), ":2: version: it is not a whole number"},
		{"something behind it", good + "{}", "something follows the catalog"},
		{"an unknown field", swap(`"not_null": true`, `"nicht_null": true`), `: tables[0].columns[0]: there is no field "nicht_null"`},
		{"a field in another case", swap(`"tables"`, `"Tables"`), `there is no field "Tables"`},
		{"a field twice", swap(`"encoding": "LATIN1"`, `"encoding": "LATIN1", "encoding": "UTF8"`), `the field "encoding" stands twice`},
		{"null for a table", swap(`"tables": [`, `"tables": [null,`), "tables[0]: it is not an object"},
		{"null for a text", swap(`"encoding": "LATIN1"`, `"encoding": null`), "encoding: it is not a text"},
		{"an unknown kind", swap(`"kind": "int"`, `"kind": "weather"`), `unknown kind "weather"`},
		{"a fraction", swap(`"bits": 64`, `"bits": 6.4`), "bits"},
		{"too many bits", swap(`"bits": 64`, `"bits": 640`), "a number of 640 bits"},
		{"an unknown kind of table", swap(`"kind": "table"`, `"kind": "stool"`), `there is no kind of table "stool"`},
		{"an unknown generation", swap(`"generation": "stored"`, `"generation": "spontaneous"`), `there is no generation "spontaneous"`},
		{"a table twice", swap(`"name": "p1"`, `"name": "p"`), "a second table public.p"},
		{"a column twice", swap(`"name": "tags"`, `"name": "id"`), "a second column id"},
		{"no connector", swap(`"connector": "postgres"`, `"connector": ""`), "connector: it is missing"},
		{"an array of nothing", swap(`"element": {`, `"fields": [], "element": null, "length": {`), "it is not"},
		{"a partition of nothing", swap(`"parents": [`, `"comment2": [`), `"comment2"`},
		{"an object without a name", swap(`"name": "ann"`, `"name": ""`), "objects[1]: an object without kind or name"},
		{"a deep nest", swap(`"element": {`, strings.Repeat(`"element": {`, 100)), "it nests deeper than 64 levels"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "it is UTF-16"},
		{"no UTF-8", "{\"connector\": \"\xe9\"}", "it is not UTF-8"},
	} {
		_, err := catalog.Read(strings.NewReader(tt.text))
		var fe *catalog.FileError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.what, err, tt.want)
		}
	}
	if _, err := catalog.Read(io.MultiReader(strings.NewReader("{"), failingReader{})); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Error(err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("no disk") }

// What a server cannot say, a file may: each of these would lead its readers astray.
func TestFileOfNoDatabase(t *testing.T) {
	for _, tt := range []struct {
		what   string
		change func(*catalog.Table)
		want   string
	}{
		{"a circle of partitions", func(a *catalog.Table) { a.IsPartition, a.Parents = true, []catalog.TableID{a.ID} }, "a partition of itself"},
		{"a partition without a parent", func(a *catalog.Table) { a.IsPartition = true }, "a partition of nothing"},
		{"a parent that is not there", func(a *catalog.Table) { a.Parents = []catalog.TableID{id("gone")} }, "public.gone is not in the file"},
		{"a key to nothing", func(a *catalog.Table) { a.ForeignKeys[0].References = id("gone") }, "it points to public.gone, which is not in the file"},
		{"a key to no column", func(a *catalog.Table) { a.ForeignKeys[0].Pairs[0].References = "gone" }, "it points to public.b.gone, which is not in the file"},
		{"a key of no column", func(a *catalog.Table) { a.ForeignKeys[0].Pairs[0].Column = "gone" }, "foreign_keys[0] (public.a): there is no column gone"},
		{"a key without columns", func(a *catalog.Table) { a.PrimaryKey.Columns = nil }, "primary_key (public.a): a key without columns"},
		{"a unique key of no column", func(a *catalog.Table) { a.Unique[1].Columns = []string{"gone"} }, "unique[1] (public.a): there is no column gone"},
		{"a rule of no column", func(a *catalog.Table) { a.Rules = []catalog.Rule{{Parts: []catalog.Part{{Column: "gone"}}}} }, "there is no column gone"},
		{"routed by no column", func(a *catalog.Table) { a.PartitionKey = []string{"gone"} }, "there is no column gone"},
		{"an array of nothing", func(a *catalog.Table) { a.Columns[0].Type.Kind = catalog.Array }, "of kind array, without its element"},
		{"a field of nothing", func(a *catalog.Table) {
			a.Columns[0].Type.Fields = []catalog.Field{{Type: catalog.Type{Kind: catalog.Range}}}
		}, "of kind range, without its element"},
		{"a length below 0", func(a *catalog.Table) { a.Columns[0].Type.Length = -1 }, "a length below 0"},
		{"a size below 0", func(a *catalog.Table) { a.Rows = -1 }, "a size below 0"},
		{"a column without a name", func(a *catalog.Table) { a.Columns[0].Name = "" }, "a column without a name"},
		{"a table without a name", func(a *catalog.Table) { a.ID.Name = "" }, "a table without a name"},
	} {
		a := table("a", "b")
		tt.change(a)
		_, err := catalog.Read(strings.NewReader(written(t, of(a, table("b")))))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.what, err, tt.want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.catalog.json")
	if _, err := catalog.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("{\n\"versio\": 1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.Load(path); err == nil || !strings.Contains(err.Error(), path+`:2: there is no field "versio"`) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(written(t, shop())), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := catalog.Load(path); err != nil || c.Fingerprint() != shop().Fingerprint() {
		t.Error(err)
	}
}

func TestDiffOfDefinitions(t *testing.T) {
	for _, tt := range []struct {
		want   string
		change func(*catalog.Catalog)
	}{
		{"public.a: check sane changed", func(c *catalog.Catalog) { c.Table(id("a")).Checks[0].Text = "CHECK (id > 1)" }},
		{"public.a: index folded removed", func(c *catalog.Catalog) { c.Table(id("a")).Indexes = nil }},
		{"public.a: trigger audit changed", func(c *catalog.Catalog) { c.Table(id("a")).Triggers[0].Function = "public.other()" }},
		{"public.a.loud: computation changed", func(c *catalog.Catalog) { c.Table(id("a")).Columns[2].Computation = "1" }},
		{"view public.v: definition changed", func(c *catalog.Catalog) { c.Objects[0].Definition = "SELECT 2" }},
		{"function public.f(): added", func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "function", Name: "public.f()"})
		}},
		{"view public.v: removed", func(c *catalog.Catalog) { c.Objects = c.Objects[1:] }},
	} {
		a, b := shop(), shop()
		tt.change(b)
		changes := catalog.Diff(a, b)
		if len(changes) != 1 || changes[0].String() != tt.want || !changes[0].Definition {
			t.Errorf("changes %v, want %s", changes, tt.want)
		}
		if a.Fingerprint() != b.Fingerprint() || a.DefinitionsFingerprint() == b.DefinitionsFingerprint() {
			t.Errorf("%s: the fingerprints do not tell", tt.want)
		}
	}
}

// Whatever the bytes are, Read ends without a panic, and what it takes it takes again.
func FuzzRead(f *testing.F) {
	f.Add(written(f, shop()))
	f.Add(`{"version":1,"connector":"sqlite","tables":null}`)
	f.Add(`{"version":1,"connector":"sqlite","tables":[{"id":{"name":"t"},"kind":"table","columns":[]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := catalog.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		again, err := catalog.Read(strings.NewReader(written(t, c)))
		if err != nil || again.Fingerprint() != c.Fingerprint() {
			t.Fatalf("it does not come back: %v", err)
		}
		for _, table := range c.Tables {
			c.Root(table)
		}
		c.LoadOrder()
	})
}
