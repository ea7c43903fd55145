package policies

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

// The seed of a sample is a key's: it depends on key and scope, and is not printed.
func TestFilter(t *testing.T) {
	c := parseCatalog(t, "schema public\ntable a\nid int4 notnull pk\ntable b\nid int4 notnull pk\ntable c\nid int4 notnull pk\n")
	compile := func(scope string, key *masking.Key) map[string]*RowFilter {
		t.Helper()
		p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: ephemeral, scope: "+scope+"}}\ntables:\n"+
			"  a: {rows: {sample: 20%, limit: 7, where: id > 1}, keep: [id]}\n  b: {rows: {limit: 3}, keep: [id]}\n  c: {rows: {where: id > 1}, keep: [id]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, key, masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		filters := map[string]*RowFilter{}
		for _, td := range compiled.Tables {
			filters[td.Table.Name] = td.Filter
			text, err := json.Marshal(td)
			if err != nil || strings.Contains(strings.ToLower(string(text)), "seed") {
				t.Errorf("%s, %v", text, err)
			}
		}
		return filters
	}
	one := compile("k", testKey(t))
	a := one["a"]
	if a.Sample != 0.2 || a.Limit != 7 || a.Where != "id > 1" || fmt.Sprint(a.Key) != "[id]" {
		t.Errorf("filter %+v", a)
	}
	if a.Seed == [32]byte{} || a.Seed != one["b"].Seed || one["c"].Seed != [32]byte{} || one["c"].Key != nil {
		t.Error("tables of one key are not sampled alike")
	}
	for name, other := range map[string]map[string]*RowFilter{"scope": compile("other", testKey(t)), "key": compile("k", masking.NewKey())} {
		if other["a"].Seed == a.Seed {
			t.Errorf("another %s, and the same sample", name)
		}
	}
	if again := compile("k", testKey(t)); again["a"].Seed != a.Seed {
		t.Error("the same key, and another sample")
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(format, *a); got != "where id > 1; sample 20% by id; at most 7 by the hash of id" {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// A table that inherits has its parent's filter until it has one of its own, whatever else
// the policy says of it.
func TestFilterOfChildren(t *testing.T) {
	const tables = `schema public
table people
id int4 notnull pk
consent bool notnull
table vips
parent people
id int4 notnull pk
consent bool notnull
extra text
table stars
parent vips
id int4 notnull pk
consent bool notnull
extra text
table staff
parent people
id int4 notnull pk
consent bool notnull
table interns
parent staff
id int4 notnull pk
consent bool notnull
table others
id int4 notnull pk
consent bool notnull
`
	const rest = `classes: {note: {kind: free_text, do: {"null": true}}}
tables:
  people: {rows: {where: consent}, keep: [id, consent]}
  vips: {columns: {extra: note}}
  staff: {rows: {where: id > 7}, keep: [id, consent]}
  others: {keep: [id, consent]}
`
	c, _, err := watched(t, tables, rest)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"people": "where consent", "vips": "where consent, as in public.people", "stars": "where consent, as in public.people", "staff": "where id > 7", "interns": "where id > 7, as in public.staff", "others": ""}
	for _, td := range c.Tables {
		if td.Rows != want[td.Table.Name] || (td.Filter != nil) != (td.Rows != "") {
			t.Errorf("%s: rows %q, filter %v, want %q", td.Table, td.Rows, td.Filter, want[td.Table.Name])
		}
	}
	for _, bad := range []struct{ tables, policy, want string }{
		{tables, strings.Replace(rest, "where: consent", "limit: 5", 1), "a limit holds for one table, and others inherit from this one (public.vips)"},
		{strings.Replace(tables, "parent vips", "parent vips\nparent staff", 1), rest, "rows of public.stars: it inherits from public.people and public.staff, of which other rows are copied"},
	} {
		if _, _, err := watched(t, bad.tables, bad.policy); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%v, want %q", err, bad.want)
		}
	}
	// Of a table that is dropped nothing is asked, but of those below it that are copied.
	const dropped = `schema public
table people
id int4 notnull pk
table staff
id int4 notnull pk
table logs
parent people
id int4 notnull
table both
parent people
parent staff
id int4 notnull
table copied
parent logs
id int4 notnull pk
`
	for _, d := range []struct{ rows, copied, rest, want string }{
		{"sample: 10%", "{keep: [id]}", "where: id > 7", "sample 10% by id, as in public.people"},
		{"limit: 5", "drop", "limit: 7", ""},
		{"limit: 5", "{keep: [id]}", "limit: 7", "a limit holds for one table, and others inherit from this one (public.copied)"},
	} {
		c, _, err := watched(t, dropped, "tables:\n  people: {rows: {"+d.rows+"}, keep: [id]}\n  staff: {rows: {"+d.rest+"}, keep: [id]}\n  logs: drop\n  both: drop\n  copied: "+d.copied+"\n")
		if err != nil {
			if d.want == "" || !strings.Contains(err.Error(), d.want) || strings.Count(err.Error(), "rows of public.") != 1 {
				t.Errorf("%s: %v, want %q", d.rows, err, d.want)
			}
			continue
		}
		for _, td := range c.Tables {
			if td.Table.Name == "copied" && td.Rows != d.want || td.Action == "drop" && td.Rows != "" {
				t.Errorf("%s: rows %q of %s, want %q", d.rows, td.Rows, td.Table, d.want)
			}
		}
	}
}
