package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

func catalogOf(t *testing.T, dsn string) *catalog.Catalog {
	t.Helper()
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	c, err := src.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lettered makes a database that knows the cases of all letters.
func lettered(t *testing.T, s *connectortest.PostgresServer) (dsn string) {
	t.Helper()
	name := s.Name(t)
	s.CreateDatabase(t, name, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
	return s.DSN(name)
}

// TestCatalogOfTypes reads what types are made of and what they call equal.
func TestCatalogOfTypes(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := lettered(t, a)
	a.Exec(t, dsn, `CREATE EXTENSION citext`, `CREATE EXTENSION hstore`,
		`CREATE COLLATION nobody (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
		`CREATE COLLATION loud (provider = icu, locale = 'und@colStrength=secondary', deterministic = false)`,
		`CREATE COLLATION kana (provider = icu, locale = 'ja-u-ks-level1', deterministic = false)`,
		`CREATE COLLATION digits (provider = icu, locale = 'und-u-kn-true', deterministic = true)`,
		`CREATE DOMAIN price AS numeric(8,3)`,
		`CREATE DOMAIN codes AS varchar(4)[]`,
		`CREATE TYPE inner_pair AS (a varchar(5) COLLATE nobody, b price)`,
		`CREATE TYPE outer_pair AS ("the first" inner_pair, rest inner_pair[])`,
		`CREATE TYPE words AS RANGE (subtype = text, collation = "C")`,
		`CREATE TABLE t (x xml, i inet, c cidr, m macaddr, m8 macaddr8, p point, n numeric(8,3), ns price, v varchar(7)[], d codes, na numeric(6,2)[][],
			o outer_pair, r int4range, mr int8multirange, w words, h hstore, ci citext, cia citext[], nb text COLLATE nobody, ld varchar(9) COLLATE loud, kn text COLLATE kana,
			dg text COLLATE digits, ch character(3), nm name, bx box[], iv int2vector, money money, pr price[])`)
	c := catalogOf(t, dsn)
	if c.Encoding != "UTF8" || c.Charset != catalog.Unicode {
		t.Errorf("encoding %s, %s", c.Encoding, c.Charset)
	}
	text := func(length int, e catalog.Equality) *catalog.Type {
		return &catalog.Type{Kind: catalog.Text, Length: length, Equality: e}
	}
	number := func(precision, scale int) *catalog.Type {
		return &catalog.Type{Kind: catalog.Numeric, Precision: precision, Scale: scale}
	}
	both := catalog.FoldForms | catalog.FoldCase | catalog.FoldAccents
	pair := catalog.Type{Kind: catalog.Composite, Fields: []catalog.Field{{Name: "a", Type: *text(5, both)}, {Name: "b", Type: *number(8, 3)}}}
	for name, want := range map[string]catalog.Type{
		"x": {Kind: catalog.XML}, "i": {Kind: catalog.IP}, "c": {Kind: catalog.IP}, "m": {Kind: catalog.MAC}, "m8": {Kind: catalog.MAC}, "p": {Kind: catalog.Point},
		"n": *number(8, 3), "ns": *number(8, 3),
		"v": {Kind: catalog.Array, Element: text(7, 0)}, "d": {Kind: catalog.Array, Element: text(4, 0)}, "na": {Kind: catalog.Array, Element: number(6, 2)},
		"pr": {Kind: catalog.Array, Element: number(8, 3)},
		"o":  {Kind: catalog.Composite, Fields: []catalog.Field{{Name: "the first", Type: pair}, {Name: "rest", Type: catalog.Type{Kind: catalog.Array, Element: &pair}}}},
		"r":  {Kind: catalog.Range, Element: &catalog.Type{Kind: catalog.Int, Bits: 32}}, "mr": {Kind: catalog.Range, Element: &catalog.Type{Kind: catalog.Int, Bits: 64}},
		"w": {Kind: catalog.Range, Element: text(0, 0)}, "h": {Kind: catalog.Hstore, Element: text(0, 0)},
		"ci": *text(0, catalog.FoldCase), "cia": {Kind: catalog.Array, Element: text(0, catalog.FoldCase)},
		"nb": *text(0, both), "ld": *text(9, catalog.FoldForms|catalog.FoldCase), "kn": *text(0, catalog.FoldUnknown), "dg": *text(0, 0), "ch": *text(3, catalog.PadSpace),
		"nm": {Kind: catalog.Text, Length: 63, MaxBytes: 63}, "bx": {}, "iv": {TextOnly: true}, "money": {},
	} {
		if got := meaningOnly(c.Find("t").Column(name).Type); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s, want %s", name, spelled(got), spelled(want))
		}
	}
	// What is read comes back from JSON, and is no change.
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again catalog.Catalog
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if changes := catalog.Diff(c, &again); len(changes) > 0 || c.Fingerprint() != again.Fingerprint() {
		t.Errorf("through JSON: %v", changes)
	}
	a.Exec(t, dsn, `ALTER TYPE inner_pair RENAME ATTRIBUTE a TO z`)
	changes := catalog.Diff(c, catalogOf(t, dsn))
	if len(changes) != 1 || changes[0].String() != "public.t.o: definition of type public.outer_pair changed" {
		t.Errorf("an attribute deep within a type has changed: %v", changes)
	}
}

// meaningOnly leaves out the names and ids.
func meaningOnly(t catalog.Type) catalog.Type {
	t.Name, t.OID = "", 0
	if t.Element != nil {
		e := meaningOnly(*t.Element)
		t.Element = &e
	}
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Type = meaningOnly(t.Fields[i].Type)
	}
	return t
}

func spelled(t catalog.Type) string {
	b, err := json.Marshal(t)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// A database whose letters have no cases but a to z folds those alone.
func TestCatalogOfPlainCase(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	name := a.Name(t)
	a.CreateDatabase(t, name, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	dsn := a.DSN(name)
	a.Exec(t, dsn, `CREATE EXTENSION citext`, `CREATE TABLE t (ci citext, n text)`, `CREATE UNIQUE INDEX t_n ON t (lower(n))`)
	c := catalogOf(t, dsn)
	if c.Encoding != "LATIN1" || c.Charset != catalog.Latin1 {
		t.Errorf("encoding %s, %s", c.Encoding, c.Charset)
	}
	if e := c.Find("t").Column("ci").Type.Equality; e != catalog.FoldASCII {
		t.Errorf("citext: %s", e)
	}
	if r := c.Find("t").Rules; len(r) != 1 || len(r[0].Parts) != 1 || r[0].Parts[0].Column != "n" || r[0].Parts[0].Equality != catalog.FoldASCII {
		t.Errorf("rules: %+v", r)
	}
}

func TestCatalogOfRules(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := lettered(t, a)
	a.Exec(t, dsn, `CREATE EXTENSION citext`, `CREATE EXTENSION btree_gist`,
		`CREATE COLLATION nobody (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
		`CREATE TABLE t (id integer, "E mail" varchar(40), a text, b text, gone boolean, room integer, during tsrange,
			CONSTRAINT t_stays EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (gone))`,
		`CREATE UNIQUE INDEX t_email ON t (lower("E mail")) WHERE NOT gone`,
		`CREATE UNIQUE INDEX t_upper ON t (id, upper(a))`,
		`CREATE UNIQUE INDEX t_cast ON t ((a::citext))`,
		`CREATE UNIQUE INDEX t_both ON t ((a || b))`,
		`CREATE UNIQUE INDEX t_begins ON t (room, lower(during))`,
		`CREATE FUNCTION whole(t) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.a'`,
		`CREATE UNIQUE INDEX t_row ON t (whole(t.*))`,
		`CREATE UNIQUE INDEX t_coll ON t (b COLLATE nobody)`,
		`CREATE UNIQUE INDEX t_plain ON t (b COLLATE "C")`,
		`CREATE INDEX t_none ON t (lower(b))`)
	got := catalogOf(t, dsn).Find("t").Rules
	all := []string{"id", "E mail", "a", "b", "gone", "room", "during"}
	want := []catalog.Rule{
		{Name: "t_begins", Parts: []catalog.Part{{Column: "room"}, {Expression: "lower(during)", Reads: []string{"during"}}}},
		{Name: "t_both", Parts: []catalog.Part{{Expression: "(a || b)", Reads: []string{"a", "b"}}}},
		{Name: "t_cast", Parts: []catalog.Part{{Column: "a", Equality: catalog.FoldCase}}},
		{Name: "t_coll", Parts: []catalog.Part{{Column: "b", Equality: catalog.FoldForms | catalog.FoldCase | catalog.FoldAccents}}},
		{Name: "t_email", Parts: []catalog.Part{{Column: "E mail", Equality: catalog.FoldCase}}, Condition: []string{"gone"}},
		{Name: "t_row", Parts: []catalog.Part{{Expression: "public.whole(t.*)", Reads: all}}},
		{Name: "t_stays", Parts: []catalog.Part{{Column: "room"}, {Column: "during", Operator: "&&"}}, Condition: []string{"gone"}, Exclusion: true},
		{Name: "t_upper", Parts: []catalog.Part{{Column: "id"}, {Column: "a", Equality: catalog.FoldCase}}},
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("rule %d\ngot  %+v\nwant %+v", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

func TestEqualityOf(t *testing.T) {
	forms := catalog.FoldForms
	cases := forms | catalog.FoldCase
	both := cases | catalog.FoldAccents
	for locale, want := range map[string]catalog.Equality{
		"und-u-ks-level1": both, "en-US-u-ks-level1": both, "@colStrength=primary": both, "de@colStrength=primary": both,
		"und-u-ks-level2": cases, "sv-u-ks-level2": cases, "@colStrength=secondary": cases,
		"und": forms, "cs-CZ": forms, "tr-u-ks-level3": forms, "@colStrength=tertiary": forms, "und-u-ks-level4": forms,
		"sv-u-ks-level1": catalog.FoldUnknown, "tr-u-ks-level2": catalog.FoldUnknown, "und-u-ks-identic": catalog.FoldUnknown, "und-u-kn-true": catalog.FoldUnknown,
		"ja": catalog.FoldUnknown, "ja-u-ks-level2": catalog.FoldUnknown, "th-TH": catalog.FoldUnknown, "th-u-ks-level2": catalog.FoldUnknown, "@colNumeric=yes": catalog.FoldUnknown, "": catalog.FoldUnknown,
		"und-u-ks-level1-kc-true": catalog.FoldUnknown, "und-u-kn-true-ks-level2": catalog.FoldUnknown, "de-u-co-phonebk-ks-level1": catalog.FoldUnknown,
		"und@colStrength=secondary;colNumeric=yes": catalog.FoldUnknown,
	} {
		if got := equalityOf(locale); got != want {
			t.Errorf("%q: %s, want %s", locale, got, want)
		}
	}
}

// What FoldForms stands for is equal to a nondeterministic collation of every strength but
// the last, and what is known of the languages apart is so.
func TestFormsAreEqual(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := lettered(t, a)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, c := range []struct {
		locale string
		equal  string // as SQL
		want   bool
	}{
		{"und-u-ks-level1", `E'\u00e9' = E'e\u0301'`, true},
		{"und-u-ks-level2", `E'\u00e9' = E'e\u0301'`, true},
		{"und", `E'\u00e9' = E'e\u0301'`, true},
		{"und-u-ks-level2", `E'a\u00ad\u200db' = 'ab'`, true},
		{"und", `E'a\u00ad\u200db' = 'ab'`, true},
		{"und", `E'\u0661' = '1'`, true},
		{"und-u-ks-level2", `E'\uff11' = '1'`, true},
		{"und", `E'\uff11' = '1'`, false},
		{"und-u-ks-identic", `E'a\u00adb' = 'ab'`, false},
		{"th-u-ks-level2", `'a b' = 'ab'`, true},
		{"ja-u-ks-level2", `'カー' = 'カア'`, true},
	} {
		a.Exec(t, dsn, fmt.Sprintf(`CREATE COLLATION IF NOT EXISTS "%[1]s" (provider = icu, locale = '%[1]s', deterministic = false)`, c.locale))
		var got bool
		if err := conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT %s COLLATE "%s"`, c.equal, c.locale)).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s: %s is %t", c.locale, c.equal, got)
		}
	}
}

// A fold of the case is known by the collation of its column: where ß is folded to ss, or to nothing
// but itself, other texts are one. What stands beside it in the index, or what that compares by, has no say.
func TestFoldsByCollation(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, `CREATE COLLATION icu (provider = icu, locale = 'und')`, `CREATE TABLE t (plain text COLLATE "C", by_icu text COLLATE icu)`,
		"CREATE UNIQUE INDEX t_plain ON t (lower(plain))", "CREATE UNIQUE INDEX t_icu ON t (lower(by_icu))",
		"CREATE UNIQUE INDEX a_both ON t (lower(plain), lower(by_icu))", "CREATE UNIQUE INDEX a_compared ON t (lower(plain) COLLATE icu)")
	folded := []catalog.Part{{Column: "plain", Equality: catalog.FoldASCII}, {Column: "by_icu", Equality: catalog.FoldCase}}
	want := []catalog.Rule{
		{Name: "a_both", Parts: folded}, {Name: "a_compared", Parts: folded[:1]},
		{Name: "t_icu", Parts: []catalog.Part{{Column: "by_icu", Equality: catalog.FoldCase}}},
		{Name: "t_plain", Parts: []catalog.Part{{Column: "plain", Equality: catalog.FoldASCII}}},
	}
	if majorOf(t, a) >= 18 {
		a.Exec(t, dsn, `ALTER TABLE t ADD letters text COLLATE pg_c_utf8, ADD words text COLLATE pg_unicode_fast`, "CREATE UNIQUE INDEX t_plain_2 ON t (casefold(plain))",
			"CREATE UNIQUE INDEX t_icu_2 ON t (casefold(by_icu))", "CREATE UNIQUE INDEX t_letters ON t (casefold((letters)::varchar))", "CREATE UNIQUE INDEX t_words ON t (casefold(words))")
		want = append(want[:3:3], catalog.Rule{Name: "t_icu_2", Parts: []catalog.Part{{Expression: "casefold(by_icu)", Reads: []string{"by_icu"}}}},
			catalog.Rule{Name: "t_letters", Parts: []catalog.Part{{Column: "letters", Equality: catalog.FoldCase}}}, want[3],
			catalog.Rule{Name: "t_plain_2", Parts: []catalog.Part{{Column: "plain", Equality: catalog.FoldASCII}}},
			catalog.Rule{Name: "t_words", Parts: []catalog.Part{{Expression: "casefold(words)", Reads: []string{"words"}}}})
	}
	c, err := catalogKeeping(t, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Find("t").Rules; !reflect.DeepEqual(got, want) {
		t.Errorf("rules\n%+v, want\n%+v", got, want)
	}
}
