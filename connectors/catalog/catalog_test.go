package catalog_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func id(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }

// table makes a table with foreign keys to the named ones.
func table(name string, to ...string) *catalog.Table {
	t := &catalog.Table{
		ID: id(name), Kind: catalog.Ordinary,
		Columns: []catalog.Column{
			{Name: "id", Type: catalog.Type{Name: "bigint", Kind: catalog.Int, Bits: 64, OID: 20}, NotNull: true},
			{Name: "Mood", Type: catalog.Type{Name: "mood", Kind: catalog.Text, Labels: []string{"sad", "glad"}, OID: 4711}, Collation: "C", Default: "'sad'", Comment: "c"},
			{Name: "loud", Type: catalog.Type{Name: "numeric(10,2)", Kind: catalog.Numeric, Scale: 2, TextOnly: true}, Generation: catalog.Stored},
		},
		PrimaryKey: &catalog.Key{Name: name + "_pkey", Columns: []string{"id"}},
		Unique:     []catalog.Key{{Name: "once", Columns: []string{"Mood", "id"}, NullsEqual: true}, {Name: "some", Columns: []string{"id"}, Partial: true}},
		Rows:       10, Bytes: 1000, Comment: "a table",
	}
	for i, ref := range to {
		t.ForeignKeys = append(t.ForeignKeys, catalog.ForeignKey{
			Name: fmt.Sprintf("fk%d", i), References: id(ref), Pairs: []catalog.Pair{{Column: "id", References: "id"}}, Deferrable: i > 0, Validated: true,
		})
	}
	return t
}

func of(tables ...*catalog.Table) *catalog.Catalog {
	return catalog.New("postgres", "17.5", "public", tables, []catalog.Object{{Kind: "view", Name: "v"}})
}

func names(tables []*catalog.Table) string {
	var all []string
	for _, t := range tables {
		all = append(all, t.ID.Name)
	}
	return strings.Join(all, " ")
}

func TestLoadOrderPutsWhatIsReferencedFirst(t *testing.T) {
	for _, tt := range []struct {
		what   string
		tables []*catalog.Table
		order  string
		cycles []string
	}{
		{"nothing", nil, "", nil},
		{"a chain", []*catalog.Table{table("a", "b"), table("b", "c"), table("c")}, "c b a", nil},
		{"itself", []*catalog.Table{table("a", "a"), table("b", "a", "b")}, "a b", nil},
		{"a cycle and its neighbours", []*catalog.Table{table("after", "x"), table("before"), table("x", "y"), table("y", "z", "before"), table("z", "x")}, "before x y z after", []string{"x y z"}},
		{"two cycles", []*catalog.Table{table("a", "b"), table("b", "a", "c"), table("c", "d"), table("d", "c")}, "c d a b", []string{"c d", "a b"}},
		{"a diamond", []*catalog.Table{table("a", "b", "c"), table("b", "d"), table("c", "d"), table("d")}, "d b c a", nil},
		{"a table that is not there", []*catalog.Table{table("a", "gone")}, "a", nil},
	} {
		order, cycles := of(tt.tables...).LoadOrder()
		if got := names(order); got != tt.order {
			t.Errorf("%s: order %q, want %q", tt.what, got, tt.order)
		}
		var got []string
		for _, c := range cycles {
			got = append(got, names(c))
		}
		if !slices.Equal(got, tt.cycles) {
			t.Errorf("%s: cycles %q, want %q", tt.what, got, tt.cycles)
		}
	}
}

func TestLoadOrderOfAChainAsLongAsTheCatalog(t *testing.T) {
	const n = 100_000
	var tables []*catalog.Table
	for i := range n {
		tt := &catalog.Table{ID: id(fmt.Sprintf("t%06d", i))}
		if i+1 < n {
			tt.ForeignKeys = []catalog.ForeignKey{{References: id(fmt.Sprintf("t%06d", i+1))}}
		}
		tables = append(tables, tt)
	}
	order, cycles := of(tables...).LoadOrder()
	if len(order) != n || len(cycles) != 0 || order[0].ID.Name != "t099999" || order[n-1].ID.Name != "t000000" {
		t.Errorf("%d tables, %d cycles, from %s to %s", len(order), len(cycles), order[0].ID, order[len(order)-1].ID)
	}
}

func TestDiffNamesEveryChange(t *testing.T) {
	for want, change := range map[string]func(*catalog.Table){
		"public.a: was a table, is a foreign": func(t *catalog.Table) { t.Kind = catalog.Foreign },
		"public.a.Mood: column removed":       func(t *catalog.Table) { t.Columns = slices.Delete(t.Columns, 1, 2) },
		"public.a.new: column added, text": func(t *catalog.Table) {
			t.Columns = append(t.Columns, catalog.Column{Name: "new", Type: catalog.Type{Name: "text"}})
		},
		"public.a.id: type was bigint, is integer":                func(t *catalog.Table) { t.Columns[0].Type = catalog.Type{Name: "integer", Kind: catalog.Int, Bits: 32} },
		"public.a.Mood: definition of type mood changed":          func(t *catalog.Table) { t.Columns[1].Type.Labels = []string{"sad"} },
		"public.a.id: not null was true, is false":                func(t *catalog.Table) { t.Columns[0].NotNull = false },
		`public.a.loud: generation was "stored", is ""`:           func(t *catalog.Table) { t.Columns[2].Generation = catalog.Plain },
		`public.a.Mood: collation was "C", is "de"`:               func(t *catalog.Table) { t.Columns[1].Collation = "de" },
		"public.a.loud: definition of type numeric(10,2) changed": func(t *catalog.Table) { t.Columns[2].Type.Precision = 12 },
		"public.a.id: definition of type bigint changed": func(t *catalog.Table) {
			t.Columns[0].Type.Element = &catalog.Type{Kind: catalog.Text, Length: 7}
		},
		"public.a: unique rule lower added": func(t *catalog.Table) {
			t.Rules = []catalog.Rule{{Name: "lower", Parts: []catalog.Part{{Column: "Mood", Equality: catalog.FoldCase}}}}
		},
		"public.a: primary key changed":                                 func(t *catalog.Table) { t.PrimaryKey = nil },
		"public.a: unique key once changed":                             func(t *catalog.Table) { t.Unique[0].NullsEqual = false },
		"public.a: unique key some changed":                             func(t *catalog.Table) { t.Unique[1].Partial = false },
		"public.a: unique key other added":                              func(t *catalog.Table) { t.Unique = append(t.Unique, catalog.Key{Name: "other"}) },
		"public.a: foreign key fk0 removed":                             func(t *catalog.Table) { t.ForeignKeys = t.ForeignKeys[1:] },
		"public.a: foreign key fk0 changed":                             func(t *catalog.Table) { t.ForeignKeys[0].Pairs[0].References = "Mood" },
		"public.a: foreign key fk1 changed":                             func(t *catalog.Table) { t.ForeignKeys[1].Validated = false },
		"public.a: foreign key fk2 changed":                             func(t *catalog.Table) { t.ForeignKeys[2].MatchFull = true },
		"public.a: parents or partition key changed":                    func(t *catalog.Table) { t.PartitionKey = []string{"id"} },
		"public.a: table removed\npublic.z: table added":                func(t *catalog.Table) { t.ID = id("z") },
		"public.a.Id: column added, bigint|public.a.id: column removed": func(t *catalog.Table) { t.Columns[0].Name = "Id" },
	} {
		was, now := table("a", "b", "b", "b"), table("a", "b", "b", "b")
		change(now)
		a, b := of(was, table("b")), of(now, table("b"))
		var got []string
		for _, c := range catalog.Diff(a, b) {
			got = append(got, c.String())
		}
		sep := "\n"
		if strings.Contains(want, "|") {
			slices.Sort(got)
			sep = "|"
		}
		if strings.Join(got, sep) != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if a.Fingerprint() == b.Fingerprint() {
			t.Errorf("%s: the fingerprint is the same", want)
		}
	}
}

func TestDiffSeesEqualityAndEncoding(t *testing.T) {
	a := of(table("a"))
	now := table("a")
	now.Columns[1].Type.Equality = catalog.FoldCase | catalog.PadSpace
	b := of(now)
	b.Encoding, b.Charset = "LATIN1", catalog.Latin1
	var got []string
	for _, c := range catalog.Diff(a, b) {
		got = append(got, c.String())
	}
	want := []string{"database: encoding was unicode, is LATIN1", "public.a.Mood: definition of type mood changed"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("the fingerprint is the same")
	}
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	again := new(catalog.Catalog)
	if err := json.Unmarshal(raw, again); err != nil {
		t.Fatal(err)
	}
	if changes := catalog.Diff(b, again); len(changes) > 0 {
		t.Errorf("through JSON: %v", changes)
	}
	for _, text := range []string{`{"equality": "weather"}`, `{"kind": "weather"}`} {
		if json.Unmarshal([]byte(text), new(catalog.Type)) == nil {
			t.Errorf("%s is taken for a type", text)
		}
	}
	if new(catalog.Charset).UnmarshalText([]byte("weather")) == nil {
		t.Error("a character set that does not exist")
	}
}

func TestDiffSeesKeysThatShareAName(t *testing.T) {
	a, b := table("a", "b", "c"), table("a", "b", "d")
	for _, tt := range []*catalog.Table{a, b} {
		tt.ForeignKeys[0].Name, tt.ForeignKeys[1].Name = "same", "same"
	}
	if got := catalog.Diff(of(a), of(b)); len(got) != 1 {
		t.Errorf("changes %v", got)
	}
	b.ForeignKeys[0], b.ForeignKeys[1] = a.ForeignKeys[0], a.ForeignKeys[1]
	a.ForeignKeys = a.ForeignKeys[:1]
	if got := catalog.Diff(of(a), of(b)); len(got) != 1 {
		t.Errorf("changes %v", got)
	}
}

// Estimates, comments, defaults, OIDs and objects that tie a database to others
// change from server to server, or every day.
func TestWhatIsNoChange(t *testing.T) {
	was, now := table("a", "b"), table("a", "b")
	now.Rows, now.Bytes, now.Comment = 1, 2, "another"
	for i := range now.Columns {
		now.Columns[i].Type.OID += 1000
		now.Columns[i].Comment, now.Columns[i].Default = "another", "another"
	}
	a, b := of(was), catalog.New("postgres", "18.0", "public", []*catalog.Table{now},
		[]catalog.Object{{Kind: "view", Name: "v", Comment: "another"}, {Kind: "subscription", Name: "s"}})
	if changes := catalog.Diff(a, b); len(changes) > 0 {
		t.Errorf("changes %v", changes)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("the fingerprint differs")
	}
	if other := catalog.New("mysql", "", "public", []*catalog.Table{was}, nil); other.Fingerprint() == a.Fingerprint() {
		t.Error("two connectors have one fingerprint")
	}
}

func TestJSONRoundTrip(t *testing.T) {
	partitioned := table("p")
	partitioned.Kind, partitioned.PartitionKey = catalog.Partitioned, []string{"id"}
	part := table("p1")
	part.Parents, part.IsPartition = []catalog.TableID{id("p")}, true
	bare := &catalog.Table{ID: id("bare"), Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "e", Type: catalog.Type{Labels: []string{}}}}}
	a := of(table("a", "p"), partitioned, part, bare)
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	b := new(catalog.Catalog)
	if err := json.Unmarshal(raw, b); err != nil {
		t.Fatal(err)
	}
	if changes := catalog.Diff(a, b); len(changes) > 0 || a.Fingerprint() != b.Fingerprint() {
		t.Errorf("changes %v", changes)
	}
	if !reflect.DeepEqual(a.Table(id("a")), b.Table(id("a"))) || !reflect.DeepEqual(a.Objects, b.Objects) || a.Server != b.Server || a.DefaultSchema != b.DefaultSchema {
		t.Error("another catalog")
	}
	if b.Root(b.Table(id("p1"))) != b.Table(id("p")) {
		t.Error("the parent is lost")
	}
	var k catalog.Kind
	if err := json.Unmarshal([]byte(`"nonsense"`), &k); err == nil {
		t.Error("an unknown kind is taken")
	}
	for k := catalog.Opaque; k <= catalog.JSON; k++ {
		raw, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var again catalog.Kind
		if err := json.Unmarshal(raw, &again); err != nil || again != k {
			t.Errorf("kind %s becomes %s: %v", k, again, err)
		}
	}
}

func TestFindTakesPeoplesNames(t *testing.T) {
	c := catalog.New("postgres", "", "public", []*catalog.Table{
		{ID: id("Users")}, {ID: id("orders")}, {ID: id("ORDERS")}, {ID: catalog.TableID{Schema: "app", Name: "logs"}},
	}, nil)
	for name, want := range map[string]string{
		"Users": "public.Users", "users": "public.Users", "PUBLIC.USERS": "public.Users", "public.Users": "public.Users",
		"orders": "public.orders", "ORDERS": "public.ORDERS", "Orders": "", "app.logs": "app.logs", "App.Logs": "app.logs", "logs": "", "": "",
	} {
		got := ""
		if table := c.Find(name); table != nil {
			got = table.ID.String()
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	for _, table := range c.Tables {
		if c.Find(c.Display(table.ID)) != table {
			t.Errorf("%s is not found by %s", table.ID, c.Display(table.ID))
		}
	}
	if got := c.Display(id("Users")); got != "Users" {
		t.Errorf("display %s", got)
	}
	flat := catalog.New("sqlite", "", "", []*catalog.Table{{ID: catalog.TableID{Name: "t"}}}, nil)
	if table := flat.Find("T"); table == nil || flat.Display(table.ID) != "t" {
		t.Error("a table without a schema is not found")
	}
}

func TestKeys(t *testing.T) {
	a := table("a")
	if got := a.UniqueKeys(); len(got) != 3 || got[0].Name != "a_pkey" {
		t.Errorf("keys %v", got)
	}
	a.PrimaryKey = nil
	if got := a.UniqueKeys(); len(got) != 2 {
		t.Errorf("keys %v", got)
	}
	k := catalog.ForeignKey{Pairs: []catalog.Pair{{Column: "b", References: "y"}, {Column: "a", References: "x"}}}
	if !slices.Equal(k.Columns(), []string{"b", "a"}) {
		t.Errorf("columns %q", k.Columns())
	}
	if a.Column("mood") != nil || a.Column("Mood") == nil {
		t.Error("a column is found by another spelling")
	}
	at := catalog.ColumnID{Table: id("a"), Column: "Mood"}
	if at.String() != "public.a.Mood" || (catalog.TableID{Name: "a"}).String() != "a" {
		t.Errorf("spelled %s", at)
	}
	for _, tt := range []struct {
		kind   catalog.TableKind
		stores bool
	}{{catalog.Ordinary, true}, {catalog.Partitioned, false}, {catalog.Foreign, false}} {
		if a.Kind = tt.kind; a.StoresRows() != tt.stores {
			t.Errorf("%s stores rows: %t", tt.kind, !tt.stores)
		}
	}
}

// A table whose name has a dot, and a table of that schema and name.
func TestDisplayTellsDotsApart(t *testing.T) {
	inside, across := table("a.b"), table("b")
	across.ID.Schema = "a"
	c := of(inside, across, table("c.d"))
	for _, table := range c.Tables {
		if c.Find(c.Display(table.ID)) != table {
			t.Errorf("%q is not found by %q", table.ID, c.Display(table.ID))
		}
	}
	if got := c.Display(id("c.d")); got != "c.d" {
		t.Errorf("got %q", got)
	}
}
