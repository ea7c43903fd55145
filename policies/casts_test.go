package policies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// A text that is cast to a number or a date is named where its mask may be none.
func TestCasts(t *testing.T) {
	const policy = "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {hex: {kind: direct, do: {token: hex}}, like: {kind: direct, do: {shape: text}}}\ntables: {t: {columns: {nr: hex, other: like}, keep: [id]}}\n"
	for words, want := range map[string]string{
		"((nr)::integer)":                          "integer",
		"(nr::bigint)":                             "bigint",
		"(((nr)::text)::numeric)":                  "numeric",
		"(date_trunc('day', (t.nr)::timestamp))":   "timestamp",
		"lower(nr)":                                "",
		"((nr)::text)":                             "",
		"((other)::integer)":                       "",
		"((id)::integer), nr":                      "",
		"((xnr)::integer)":                         "",
		"('(nr)::integer'::text || lower(nr))":     "",
		"((nr)::character varying(9))::date > now": "date",
	} {
		c := parseCatalog(t, "schema public\ntable t\nid text\nnr text\nother text\nxnr int4 stored as 1")
		c.Tables[0].Indexes = []catalog.Definition{{Name: "i", Text: "CREATE INDEX i ON public.t USING btree (" + words + ")"}}
		p, err := Parse("p.yaml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, testKey(t), masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(compiled.Warnings, func(w string) bool { return strings.Contains(w, "casts it to ") })
		if want == "" && i >= 0 || want != "" && (i < 0 || !strings.HasPrefix(compiled.Warnings[i], "public.t.nr: is masked, and the index i casts it to "+want+":")) {
			t.Errorf("%s: %q", words, compiled.Warnings)
		}
	}
}

// What casts of a partition alone is named, and what it has as its table does is the table's; of
// many partitions it is said once.
func TestCastsOfPartitions(t *testing.T) {
	text := "schema public\npartitioned p\nzip text\nno text\nat date\nroute (at)\n"
	for i := range 9 {
		text += fmt.Sprintf("table p%d\nzip text\nno text\nat date\npartition p\n", i)
	}
	c := parseCatalog(t, text)
	for _, ts := range c.Tables {
		ts.Indexes = []catalog.Definition{{Name: ts.ID.Name + "_no", Text: "CREATE INDEX " + ts.ID.Name + "_no ON " + ts.ID.String() + " USING btree (((no)::integer))"}}
		ts.Checks = []catalog.Definition{{Name: "numbered", Text: "CHECK (((no)::numeric > 0))"}}
		if i := strings.TrimPrefix(ts.ID.Name, "p"); i != "" && i < "6" {
			ts.Indexes = append(ts.Indexes, catalog.Definition{Name: "z" + i, Text: "CREATE INDEX z" + i + " ON " + ts.ID.String() + " USING btree (((zip)::integer))"})
		}
		if ts.ID.Name == "p7" {
			ts.Checks = append(ts.Checks, catalog.Definition{Name: "dated", Text: "CHECK (((zip)::date > '2020-01-01'::date))"})
		}
	}
	p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {hex: {kind: direct, do: {token: hex}}}\ntables: {p: {columns: {zip: hex, no: hex}, keep: [at]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	const end = ": if a masked value is none, the run fails when that is computed"
	want := []string{
		"public.p.no: is masked, and the index p_no casts it to integer" + end,
		"public.p.no: is masked, and the constraint numbered casts it to numeric" + end,
		"public.p.zip, partitions p0, p1, p2 and 3 more: is masked, and the indexes z0, z1, z2 and 3 more cast it to integer" + end,
		"public.p7.zip: is masked, and the constraint dated casts it to date" + end,
	}
	if !slices.Equal(compiled.Warnings, want) {
		t.Errorf("%s", strings.Join(compiled.Warnings, "\n"))
	}
}

// BenchmarkManyTables compiles 2,000 tables of masked texts, with a view and statistics each.
func BenchmarkManyTables(b *testing.B) {
	var tables, lines strings.Builder
	var beside []catalog.Object
	for i := range 2000 {
		fmt.Fprintf(&tables, "table t%d\nid int4 notnull pk\na text\nb text\nc text\ncheck sane CHECK (((a)::text <> ''::text))\n", i)
		fmt.Fprintf(&lines, "  t%d: {columns: {a: tok, b: tok, c: tok}, keep: [id]}\n", i)
		of := catalog.TableID{Schema: "public", Name: fmt.Sprintf("t%d", i)}
		beside = append(beside,
			catalog.Object{Kind: "materialized view", Name: fmt.Sprintf("public.v%d", i), Definition: "SELECT lower(a) FROM public." + of.Name, Reads: []catalog.ColumnID{{Table: of, Column: "a"}}},
			catalog.Object{Kind: "extended statistics", Name: fmt.Sprintf("public.s%d", i), Definition: fmt.Sprintf("CREATE STATISTICS public.s%d ON a, b FROM %s", i, of)})
	}
	c := parseCatalog(b, "schema public\n"+tables.String())
	c = catalog.New("postgres", "17", "public", c.Tables, beside)
	p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {tok: {kind: direct, do: {token: base32}}}\ntables:\n"+lines.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(p, c, testKey(b), masking.Standard()); err != nil {
			b.Fatal(err)
		}
	}
}
