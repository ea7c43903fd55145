package postgres

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// kinds makes a database of testdata/kinds.sql.
func kinds(t *testing.T, s *connectortest.PostgresServer) string {
	t.Helper()
	dsn := s.Database(t)
	s.Load(t, dsn, "testdata/kinds.sql")
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	s.Exec(t, dsn, `ALTER DATABASE `+name+` SET search_path = "select", public`, `ALTER DATABASE `+name+` SET app.secret = 'never-to-travel'`,
		`COMMENT ON DATABASE `+name+` IS 'a database''s own comment; it is in no script of its objects'`)
	return dsn
}

func TestCopyKinds(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	from := kinds(t, a)
	targets := map[string]string{}
	for name, decode := range map[string]func(*catalog.Table) []string{
		"kept": nil, "decoded": everything,
		"decoded in binary": func(t *catalog.Table) []string {
			return slices.DeleteFunc(everything(t), func(n string) bool { return t.Column(n).Type.Kind.TravelsAsText() })
		},
		"decoded but keys of partitions": func(t *catalog.Table) (names []string) {
			for _, n := range everything(t) {
				if n == "amount" || n == "id" {
					names = append(names, n)
				}
			}
			return names
		},
	} {
		to := b.DSN(b.Name(t))
		if err := copyAll(t, from, to, "r1", decode); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		targets[name] = to
	}
	// The same again without what must stay behind: now both are to be equal.
	a.Exec(t, from, "DROP FOREIGN DATA WRAPPER nowhere CASCADE", "DROP PUBLICATION everything", "DROP EVENT TRIGGER watcher", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
		"SELECT setval('public.tickets', 99990)") // where the target's stands, past the largest value
	for name, to := range targets {
		t.Run(name, func(t *testing.T) {
			sameDatabases(t, from, to)
			for what, query := range map[string]string{
				"databases' settings that stay behind": `SELECT count(*) FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND c LIKE 'app.%'`,
				"foreign servers":                      `SELECT count(*) FROM pg_foreign_server`,
				"traces of the ledger":                 `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'sanitize%'`,
				"tables without statistics":            `SELECT count(*) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples < 0`,
				"a connection limit":                   `SELECT count(*) FROM pg_database WHERE datname = current_database() AND datconnlimit <> -1`,
			} {
				if n := b.Value(t, to, query); n != "0" {
					t.Errorf("%s: %s", what, n)
				}
			}
			if got := b.Value(t, to, "SHOW search_path"); got != `"select", public` {
				t.Errorf("search_path: %s", got)
			}
			if got := b.Value(t, to, "SELECT nextval('public.tickets')"); got != "100000" {
				t.Errorf("the sequence of an unowned default gives %s, which is not past the largest value", got)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	for encoding, rows := range map[string][]string{
		"LATIN1":    {`convert_from('\xe9e8fc', 'LATIN1')`, `'plain'`},
		"SQL_ASCII": {`chr(233) || chr(255)`, `'plain'`},
		"EUC_JP":    {`convert_from('\xe6978ee69cac', 'UTF8')`},
		"WIN1251":   {`convert_from('\xcff0e8e2e5f2', 'WIN1251')`},
		"KOI8R":     {`convert_from('\xf0d2c9', 'KOI8R')`},
		"WIN1253":   {`convert_from('\xc1e2', 'WIN1253')`},
	} {
		t.Run(encoding, func(t *testing.T) {
			name := a.Name(t)
			a.CreateDatabase(t, name, "ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
			from := a.DSN(name)
			a.Exec(t, from, "CREATE TABLE t (v text, n text)", "CREATE TABLE g (v text, g aclitem)")
			for _, v := range rows {
				a.Exec(t, from, "INSERT INTO t VALUES ("+v+", 'x')", "INSERT INTO g VALUES ("+v+")")
			}
			want := rowsOf(t, from)
			to := a.DSN(a.Name(t))
			for run, decode := range map[string]func(*catalog.Table) []string{"r1": nil, "r2": everything} {
				if err := copyAll(t, from, to, run, decode); err != nil {
					t.Fatal(err)
				}
				if got := rowsOf(t, to); got != want {
					t.Errorf("rows differ:\n%s", firstDifference(want, got))
				}
			}
			if got := a.Value(t, to, "SHOW server_encoding"); got != encoding {
				t.Errorf("the target's encoding is %s", got)
			}
		})
	}
}

// What a server gives in a form that no server takes travels in another.
func TestEmptyValues(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TYPE search AS (q tsquery)", "CREATE DOMAIN sought AS tsquery")
	for i, column := range []string{"tsquery", "oidvector", "int2vector", "tsquery[]", "oidvector[]", "int2vector[]", "search", "sought", "tsvector", "lseg", "int[]", "bit varying", "path"} {
		name := "t" + strconv.Itoa(i)
		value := map[string]string{"tsquery": "plainto_tsquery('english', 'the')", "search": "'(\"\")'", "lseg": "'[(1,1),(1,1)]'", "int[]": "'{}'", "path": "'((1,1))'"}[column]
		switch {
		case strings.HasSuffix(column, "r[]") || column == "tsquery[]":
			value = "'{\"\",\"\"}'"
		case value == "":
			value = "''"
		}
		a.Exec(t, from, "CREATE TABLE "+name+" (id int, v "+column+")", "INSERT INTO "+name+" VALUES (1, "+value+"), (2, NULL)")
	}
	if err := copyAll(t, from, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	if want, got := rowsOf(t, from), rowsOf(t, to); got != want {
		t.Errorf("rows differ:\n%s", firstDifference(want, got))
	}
}

// TestLargeValue copies values of sizes at which buffers change hands; the
// largest is more than a batch leaves for the next one.
func TestLargeValue(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t (id integer, v text, w text)",
		"INSERT INTO t SELECT n, repeat('é', n / 2) || CASE n % 2 WHEN 1 THEN 'x' ELSE '' END, 'w' FROM unnest(ARRAY[0, 1, 12, 13, 65535, 65536, 65537, 131072, 262144, 1048576, 20000000, 3]) n")
	to := a.DSN(a.Name(t))
	for run, decode := range map[string]func(*catalog.Table) []string{"r1": nil, "r2": func(*catalog.Table) []string { return []string{"v"} }} {
		if err := copyAll(t, from, to, run, decode); err != nil {
			t.Fatal(err)
		}
		if x, y := rowsOf(t, from), rowsOf(t, to); x != y {
			t.Errorf("rows differ:\n%s", firstDifference(x, y))
		}
	}
}

func TestCatalogOfKinds(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	src, err := Connector{}.OpenSource(t.Context(), kinds(t, a), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	c, err := src.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	column := func(table, column string) catalog.Column {
		tab := c.Find(table)
		if tab == nil || tab.Column(column) == nil {
			t.Fatalf("no column %s of %s", column, table)
		}
		return *tab.Column(column)
	}
	for name, want := range map[string]catalog.Type{
		"b":  {Name: "boolean", Kind: catalog.Bool, OID: oidBool},
		"i2": {Name: "smallint", Kind: catalog.Int, Bits: 16, OID: oidInt2},
		"n2": {Name: "numeric(12,2)", Kind: catalog.Numeric, Scale: 2, OID: oidNumeric},
		"v":  {Name: "character varying(20)", Kind: catalog.Text, Length: 20, OID: oidVarchar},
		"c":  {Name: "character(8)", Kind: catalog.Text, Length: 8, OID: oidBPChar},
		"jb": {Name: "jsonb", Kind: catalog.JSON, OID: oidJSONB},
		"e":  {Name: "public.mood", Kind: catalog.Text, Labels: []string{"sad", `it's "ok"`, "happy"}},
		"sy": {Name: `public."strict year"`, Kind: catalog.Int, Bits: 32, OID: oidInt4},
		"ta": {Name: "text[]", Kind: catalog.Array, OID: 1009},
	} {
		if got := column("kinds", name).Type; !slices.Equal(got.Labels, want.Labels) || got.Name != want.Name || got.Kind != want.Kind || got.Bits != want.Bits ||
			got.Length != want.Length || got.Scale != want.Scale || got.OID != want.OID || got.TextOnly {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if !column("kinds", "sy").NotNull || column("kinds", "y").NotNull {
		t.Error("a domain's NOT NULL is not the column's")
	}
	for _, c := range []catalog.Column{column("text only", "grants"), column("text only", "all grants"), column("hidden text", "h")} {
		if !c.Type.TextOnly {
			t.Errorf("%s: taken for a type with a binary form", c.Name)
		}
	}
	if g := column("scarred", "loud").Generation; g != catalog.Stored {
		t.Errorf("generated: %q", g)
	}
	if g := column("kinds", "id").Generation; g != catalog.IdentityAlways {
		t.Errorf("identity: %q", g)
	}
	if g := column("tickets_sold", "who").Collation; g != "C" {
		t.Errorf("collation: %q", g)
	}
	if d := c.Find("bookings"); d.Comment != "who sleeps where\none live booking per room" || d.Column("during").Comment != "nights; half-open" {
		t.Errorf("comments: %q", d.Comment)
	}
	sales := c.Find("sales_2023_eu")
	if !sales.IsPartition || c.Root(sales).ID.Name != "sales" || c.Find("sales").Kind != catalog.Partitioned {
		t.Errorf("partitions: %+v", sales.Parents)
	}
	if k := c.Find("sales_2023").PartitionKey; !slices.Equal(k, []string{"region"}) {
		t.Errorf("partition key: %q", k)
	}
	if k := c.Find("events").PartitionKey; !slices.Equal(k, []string{"at"}) {
		t.Errorf("partition key of an expression: %q", k)
	}
	if dogs := c.Find("dogs"); dogs.IsPartition || len(dogs.Parents) != 1 {
		t.Errorf("inheritance: %+v", dogs)
	}
	keys := c.Find("bookings").UniqueKeys()
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
		if k.Partial != (k.Name == "bookings_live") {
			t.Errorf("key %s: partial %t", k.Name, k.Partial)
		}
		if k.Name == "bookings_room_id" && !slices.Equal(k.Columns, []string{"room", "id"}) {
			t.Errorf("key %s: %q", k.Name, k.Columns)
		}
	}
	if !slices.Equal(names, []string{"bookings_pkey", "bookings_live", "bookings_room_id"}) {
		t.Errorf("unique keys: %q", names)
	}
	f := c.Find("shelves").ForeignKeys
	if len(f) != 2 || f[0].Name != "shelf_store" || !f[0].MatchFull || f[1].MatchFull || f[0].Pairs[0] != (catalog.Pair{Column: "b", References: "b"}) || f[1].References.Name != "staff" {
		t.Errorf("foreign keys: %+v", f)
	}
	if f := c.Find("refunds").ForeignKeys; len(f) != 1 || f[0].References.Name != "sales" {
		t.Errorf("a key onto a partitioned table: %+v", f)
	}
	if f := c.Find("orphans").ForeignKeys; len(f) != 1 || f[0].Validated {
		t.Errorf("a key that is not validated: %+v", f)
	}
	var objects []string
	for _, o := range c.Objects {
		objects = append(objects, o.Kind+" "+o.Name)
	}
	for _, want := range []string{"foreign server production", "publication everything", "event trigger watcher", "large objects 1", "materialized view public.a_top",
		"sequence public.tickets", "trigger public.staff.touched", "rule public.nothing.no_delete", "policy public.orphans.everybody", "domain public.year", "enum public.mood",
		"function public.trap()", "aggregate public.together(text)", "extension plpgsql", "schema select", "user mapping public on production"} {
		if !slices.Contains(objects, want) {
			t.Errorf("no object %q", want)
		}
	}
}

func TestLeftBehind(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	src, err := Connector{}.OpenSource(t.Context(), kinds(t, a), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	snap, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := string(defs.Data); strings.Contains(text, "never-to-travel") {
		t.Error("a password or a secret setting travels")
	}
	var left []string
	for _, o := range defs.LeftBehind {
		if o.Kind == "column" && o.Fate == catalog.Noted { // their values name objects
			continue
		}
		if o.Reason == "" || o.Fate != catalog.Stays {
			t.Errorf("%s %s: %s %q", o.Kind, o.Name, o.Fate, o.Reason)
		}
		left = append(left, o.Kind+" "+o.Name)
	}
	slices.Sort(left)
	want := []string{"database setting app.secret", "event trigger watcher", "foreign data wrapper nowhere", "foreign server production", "foreign table public.remote",
		"large objects 1", "publication everything", "user mapping public on production", "view public.over remote"}
	if !slices.Equal(left, want) {
		t.Errorf("left behind %q\nwant %q", left, want)
	}
}

func TestMain(m *testing.M) {
	// The tests' own psql and pg_dump must not meet the developer's settings.
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS", "PGSERVICE"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
