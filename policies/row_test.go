package policies

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// watcher is a factory that notes what it is bound to, and masks by nothing at all.
type watcher struct {
	name   string
	params []masking.Param
	bound  map[string]masking.Request
	counts bool // asks for the column's values
}

func (w *watcher) Describe() masking.Description {
	return masking.Description{Name: w.name, Version: 1, Params: w.params}
}

func (w *watcher) Bind(req masking.Request) (masking.Binding, error) {
	w.bound[req.Column.Coordinates()] = req
	b, err := masking.Standard().Bind(masking.NewKey(), masking.Column{Kind: masking.Text}, masking.Spec{Name: "null", Variant: true}, nil)
	if err != nil {
		return b, err
	}
	b.Guarantees.Injective = true
	if w.counts {
		v, err := req.Row.Values("")
		if err != nil {
			return b, err
		}
		b.Pinned = fmt.Sprintf("%d values", len(v.Texts))
	}
	return b, nil
}

// watched compiles a policy with transforms named drawn and counted beside the others.
func watched(t *testing.T, catalogText, policy string, options ...Option) (*Compiled, map[string]masking.Request, error) {
	t.Helper()
	bound := map[string]masking.Request{}
	of := []masking.Param{{Name: "of", Type: "column"}, {Name: "by", Type: "column"}}
	factories := []masking.Factory{&watcher{"drawn", of, bound, false}, &watcher{"counted", nil, bound, true}}
	for _, name := range masking.Standard().Names() {
		factories = append(factories, masking.Standard().Factory(name))
	}
	p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: ephemeral}}\n"+policy))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(p, parseCatalog(t, catalogText), testKey(t), masking.NewRegistry(factories...), options...)
	return c, bound, err
}

// A subject that is kept has one domain on every engine, whether it has schemas or not.
func TestSubjectsOfEngines(t *testing.T) {
	const table = "table customers\nid int4 notnull pk\nname text\n"
	const policy = "classes: {person: {kind: direct, do: {drawn: x, of: id}}}\ntables: {customers: {columns: {name: person}, keep: [id]}}\n"
	for column, text := range map[string]string{"public.customers.name": "schema public\n" + table, "customers.name": table} {
		_, bound, err := watched(t, text, policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := bound[column].Spec.Domain; got != "k/customers.id" {
			t.Errorf("%s is in domain %q", column, got)
		}
	}
}

// What is drawn for a subject is in the subject's domain: its class's if it is masked,
// that of the column at the end of its keys if it is kept.
func TestSubjects(t *testing.T) {
	c, bound, err := watched(t, `schema public
table customers
id int4 notnull pk
name text
table orders
customer_id int8
buyer text
place text
note text
fk (customer_id) -> customers (id)
table staff
Badge int4 notnull pk
name text
table newsletter
badge int4
name text
`, `classes:
  person: {kind: direct, do: {drawn: x, of: id}}
  staff_id: {kind: pseudonym, do: {pseudonym: id}}
tables:
  customers: {columns: {name: person}, keep: [id]}
  orders:
    columns: {buyer: {class: person, do: {drawn: x, of: customer_id}, because: b}, place: {class: person, do: {drawn: x, by: customer_id}, because: b}}
    keep: [note]
  staff: {columns: {Badge: staff_id, name: {class: person, do: {drawn: x, of: BADGE}, because: b}}}
  newsletter: {columns: {name: {class: person, do: {drawn: x, of: badge}, because: b}}}
links: [[staff.badge, newsletter.badge]]
`)
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"public.customers.name": "k/customers.id", "public.orders.buyer": "k/customers.id", "public.orders.place": "k/person",
		"public.staff.name": "k/staff_id", "public.newsletter.name": "k/staff_id",
	} {
		if got := bound[column].Spec.Domain; got != want {
			t.Errorf("%s is in domain %s, want %s", column, got, want)
		}
	}
	if got := bound["public.staff.name"].Spec.Params["of"]; got != "Badge" {
		t.Errorf("the subject is spelled %v", got)
	}
	if got := c.Tables[1].Columns; !slices.ContainsFunc(got, func(d ColumnDecision) bool { return d.Column == "name" && d.Domain == "k/staff_id" }) &&
		!slices.ContainsFunc(c.Tables, func(td TableDecision) bool {
			return slices.ContainsFunc(td.Columns, func(d ColumnDecision) bool { return d.Domain == "k/staff_id" && d.Column == "name" })
		}) {
		t.Errorf("the plan names other domains: %+v", got)
	}
	var peers []string
	for _, p := range bound["public.orders.buyer"].Row.Peers {
		peers = append(peers, p.Column.Name+" "+p.Spec.Name+" "+p.Spec.Domain)
	}
	if want := []string{"customer_id  ", "place drawn k/person", "note  "}; !slices.Equal(peers, want) {
		t.Errorf("peers %q, want %q", peers, want)
	}
	peers = nil
	for _, p := range bound["public.newsletter.name"].Row.Peers {
		peers = append(peers, p.Column.Coordinates()+" "+p.Spec.Name+" "+p.Spec.Domain)
	}
	if want := []string{"public.newsletter.badge pseudonym k/staff_id"}; !slices.Equal(peers, want) {
		t.Errorf("peers %q, want %q", peers, want)
	}
}

// redact masks each hit as the class of its pattern does.
func TestPatternClasses(t *testing.T) {
	p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: ephemeral}}
classes:
  email: {kind: direct, do: {fake: email}}
  card: {kind: pci, do: {shape: text}}
  note: {kind: free_text, do: {redact: [email, pan, ip], else: shape}}
tables: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := p.spec("note", p.Class("note").Do)
	if len(s.Classes) != 2 || s.Classes["email"].Domain != "k/email" || s.Classes["pan"].Domain != "k/card" || s.Classes["pan"].Name != "shape" {
		t.Errorf("classes %+v", s.Classes)
	}
}

// counts is a snapshot with one column.
type counts struct {
	asked []string
	texts []string // a and b, if there are none
	err   error
}

func (c *counts) Values(tables []catalog.TableID, column string, f *RowFilter, limit, bytes int) (*masking.Values, error) {
	var names []string
	for _, id := range tables {
		names = append(names, id.String())
	}
	of := strings.Join(names, " ") + ": " + column
	if f != nil {
		of += ", " + f.String()
	}
	c.asked = append(c.asked, of)
	if c.err != nil {
		return nil, c.err
	}
	if c.texts != nil {
		return &masking.Values{Texts: c.texts, Counts: make([]int64, len(c.texts))}, nil
	}
	return &masking.Values{Texts: []string{"a", "b"}, Counts: []int64{1, 2}}, nil
}

// A transform that is made of the column's values reads them if there are any at
// hand; partitions share those of their root.
func TestValuesOfColumns(t *testing.T) {
	const tables = `schema public
partitioned sales
region text
table sales_eu
partition sales
region text
`
	const policy = `classes: {region: {kind: quasi, do: {counted: column}}}
tables: {sales: {columns: {region: region}}}
`
	rows := &counts{}
	c, _, err := watched(t, tables, policy, WithRows(rows))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"public.sales_eu: region", "public.sales_eu: region"}; !slices.Equal(rows.asked, want) {
		t.Errorf("asked for %q, want %q", rows.asked, want)
	}
	if got := c.Fingerprint["pinned k/region counted"]; got != "2 values" {
		t.Errorf("pinned: %s", got)
	}
	broken := errors.New("the server is gone")
	if _, _, err = watched(t, tables, policy, WithRows(&counts{err: broken})); err != broken {
		t.Errorf("an error of the rows comes back as %v", err)
	}
	// A plan has no rows at hand, and says so.
	c, _, err = watched(t, tables, policy)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Fingerprint["pinned k/region counted"]; got != atRun {
		t.Errorf("pinned: %s", got)
	}
	if !c.Tables[1].Columns[0].AtRun || !strings.Contains(strings.Join(c.Warnings, "\n"), "a run makes the transform anew") {
		t.Errorf("decision %+v, warnings %q", c.Tables[1].Columns[0], c.Warnings)
	}
}

// Rows that the policy leaves behind lend nobody their values: neither those that a
// filter leaves out, nor those of a partition that is dropped.
func TestValuesOfWhatIsCopied(t *testing.T) {
	rows := &counts{}
	_, _, err := watched(t, `schema public
partitioned sales
region text
consent bool notnull
table sales_eu
partition sales
region text
consent bool notnull
table sales_us
partition sales
region text
consent bool notnull
table staff
id int4 notnull pk
region text
`, `classes: {region: {kind: quasi, do: {counted: column}}}
tables:
  sales: {rows: {where: consent}, columns: {region: region}, keep: [consent]}
  sales_us: drop
  staff: {rows: {where: "id > 1", sample: 10%}, columns: {region: region}, keep: [id]}
`, WithRows(rows))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"public.sales_eu: region, where consent", "public.sales_eu: region, where consent", "public.staff: region, where id > 1; sample 10% by id"}
	if !slices.Equal(rows.asked, want) {
		t.Errorf("asked for %q, want %q", rows.asked, want)
	}
}

// A key may tell apart what the masks of its column do not, as an index, or a linked column,
// folds more. A run looks whether there are values of which that is true before it copies a row.
func TestValuesThatOnlyAKeyTellsApart(t *testing.T) {
	const index = "schema public\ntable a\nid int4 notnull pk\nemail text unique\ngone bool\nrule lower(email) where gone\n"
	const link = "schema public\ntable b\nid int4 notnull pk\nemail citext unique\ngone bool\ntable a\nid int4 notnull pk\nemail text unique\ngone bool\nfk (email) -> b (email)\n"
	const several = "schema public\ntable a\nid int4 notnull pk\nemail text\ngone bool\nunique (gone, email)\nrule lower(email) where gone\n"
	const policy = `classes: {login: {kind: direct, do: {token: hex}}}
tables: {a: {columns: {email: login}, keep: [id, gone]}%s}
`
	for _, test := range []struct {
		name, tables, more string
		rows               *counts
		fails, warns       string
	}{
		{"none of an index", index, "", &counts{texts: []string{"Ann@x.com", "bob@x.com"}}, "", ""},
		{"two of an index", index, "", &counts{texts: []string{"Ann@x.com", "ann@x.com"}},
			"public.a.email has values that differ only in case: they stand in the unique key a_email_key, and have one mask, as the unique index a_rule1 of public.a calls them equal", ""},
		{"none of a key", link, ", b: {columns: {email: login}, keep: [id, gone]}", &counts{texts: []string{"Émile", "emile"}}, "", ""},
		{"two of a key", link, ", b: {columns: {email: login}, keep: [id, gone]}", &counts{texts: []string{"Émile", "émile"}},
			"have one mask, as public.b.email (citext) calls them equal", ""},
		{"two, and another column", several, "", &counts{texts: []string{"Ann@x.com", "ann@x.com"}}, "", "There are such values: if their rows differ in nothing else, the run fails"},
		{"too many", index, "", &counts{err: tooMany{}}, "", "There are too many values to look for such"},
		{"other rows of that many", strings.Replace(index, "table a\n", "table other\nid int4\nrows 5000000\ntable a\n", 1), ", other: {keep: [id]}", &counts{texts: []string{"Ann@x.com", "bob@x.com"}}, "", ""},
		{"too many rows", strings.Replace(index, "table a\n", "table a\nrows 5000000\n", 1), "", &counts{err: errors.New("nobody should ask")}, "", "There are too many values to look for such"},
		{"a server that is gone", index, "", &counts{err: errors.New("the server is gone")}, "the server is gone", ""},
	} {
		c, _, err := watched(t, test.tables, fmt.Sprintf(policy, test.more), WithRows(test.rows))
		switch {
		case test.fails != "":
			if err == nil || !strings.Contains(err.Error(), test.fails) || strings.Contains(err.Error(), "nn@x") {
				t.Errorf("%s: %v", test.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		default:
			said := strings.Join(c.Warnings, "\n")
			if test.warns == "" && strings.Contains(said, "one mask") || !strings.Contains(said, test.warns) {
				t.Errorf("%s: %s", test.name, said)
			}
		}
	}
}

// partitions is a snapshot that has values by table.
type partitions struct {
	texts map[string][]string
	asked []string
}

func (p *partitions) Values(tables []catalog.TableID, column string, _ *RowFilter, limit, bytes int) (*masking.Values, error) {
	if limit > 100_000 || bytes <= 0 || bytes > 32<<20 {
		return nil, fmt.Errorf("%d values, and %d bytes, are too many to hold", limit, bytes)
	}
	v := &masking.Values{}
	for _, id := range tables {
		p.asked = append(p.asked, id.Name)
		v.Texts = append(v.Texts, p.texts[id.Name]...)
	}
	v.Counts = make([]int64, len(v.Texts))
	return v, nil
}

// A key of one partition is asked of this one, unless rows move: then all are asked, once for all
// of their keys, and what is found may be no reason.
func TestValuesThatOnlyAKeyOfAPartitionTellsApart(t *testing.T) {
	tables := "schema public\ntable news\naddress citext\npartitioned people\ntenant int4\nemail text\nroute (tenant)\n"
	for i := range 5 {
		tables += fmt.Sprintf("table people_%d\ntenant int4\nemail text\nunique (email)\npartition people\nbounds FOR VALUES IN (%d)\n", i, i)
	}
	policy := `classes:
  login: {kind: direct, do: {token: hex}}
  id: {kind: pseudonym, do: {pseudonym: id}}
links:
  - [people.email, news.address]
tables:
  news: {columns: {address: login}}
  people: {columns: {email: login%s}%s}
`
	stays, moves := fmt.Sprintf(policy, "", ", keep: [tenant]"), fmt.Sprintf(policy, ", tenant: id", "")
	each := []string{"people_0", "people_1", "people_2", "people_3", "people_4"}
	const stand = "public.people.email, partitions people_0, people_1, people_2 and 2 more: stands in the unique keys people_0_key1, people_1_key1, people_2_key1 and 2 more, and values that differ only in case have one mask, as public.news.address (citext) calls them equal"
	for _, test := range []struct {
		name, policy string
		rows         int
		texts        map[string][]string
		fails, warns string
		asked        []string
	}{
		{"apart", stays, 0, map[string][]string{"people_1": {"Ann@x"}, "people_2": {"ann@x"}}, "", "", each},
		{"in one", stays, 0, map[string][]string{"people_1": {"Ann@x", "ann@x"}, "people_3": {"Ann@x", "ann@x"}}, "they stand in the unique key people_1_key1", "", each},
		{"none", moves, 0, map[string][]string{"people_1": {"Ann@x", "bob@x"}}, "", "", each},
		{"apart, and they move", moves, 0, map[string][]string{"people_1": {"Ann@x"}, "people_2": {"ann@x"}}, "", stand + ". There are such values, and rows move between partitions, since public.people.tenant is masked", each},
		{"many in all", stays, 60_000, nil, "", "", each},
		{"many, and they move", moves, 60_000, nil, "", stand + ". There are too many values to look for such", nil},
		{"many in each", stays, 600_000, nil, "", stand + ". There are too many values to look for such", nil},
	} {
		rows := &partitions{texts: test.texts}
		c, _, err := watched(t, strings.ReplaceAll(tables, "partition people", fmt.Sprintf("rows %d\npartition people", test.rows)), test.policy, WithRows(rows))
		if !slices.Equal(rows.asked, test.asked) {
			t.Errorf("%s: asked for %q", test.name, rows.asked)
		}
		if test.fails != "" {
			if err == nil || strings.Count(err.Error(), "have one mask") != 1 || !strings.Contains(err.Error(), test.fails) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		said := strings.Join(c.Warnings, "\n")
		if n := strings.Count(said, "one mask"); test.warns == "" && n > 0 || test.warns != "" && (n != 1 || !strings.Contains(said, test.warns)) {
			t.Errorf("%s: %s", test.name, said)
		}
	}
}

// At parts of values no run looks, and a plan promises no look that does not come.
func TestLooksThatDoNotCome(t *testing.T) {
	const inside = "schema public\ntable a\nid int4 notnull pk\ntags array text unique\ntable b\nid int4 notnull pk\ntags array citext unique\n"
	const large = "schema public\ntable a\nid int4 notnull pk\ntags text unique\nrows 100001\ntable b\nid int4 notnull pk\ntags citext unique\n"
	for _, options := range [][]Option{nil, {WithRows(&counts{err: errors.New("nobody should ask")})}} {
		for tables, want := range map[string]string{
			inside: "as public.b.tags (array citext) calls them equal. No run looks for such inside of values",
			large:  "as public.b.tags (citext) calls them equal. There are too many values to look for such",
		} {
			do := "{pseudonym: code}"
			if tables == inside {
				do = "{each: {pseudonym: code}}"
			}
			c, _, err := watched(t, tables, "classes: {tag: {kind: direct, do: "+do+"}}\nlinks: [[a.tags, b.tags]]\ntables: {a: {columns: {tags: tag}, keep: [id]}, b: {columns: {tags: tag}, keep: [id]}}\n", options...)
			if err != nil {
				t.Error(err)
			} else if said := strings.Join(c.Warnings, "\n"); !strings.Contains(said, want) {
				t.Error(said)
			}
		}
	}
}

// tooMany is the error of a snapshot with more values than are asked for.
type tooMany struct{}

func (tooMany) Error() string       { return "there are more than 1000000 different values" }
func (tooMany) TooManyValues() bool { return true }
