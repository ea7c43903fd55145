package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// testKey returns a key that is the same in every test.
func testKey(t testing.TB) *masking.Key {
	t.Helper()
	k, err := masking.KeyFromBytes([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sections cuts a test file into its parts, each under a line `== name`.
func sections(t testing.TB, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, part := range strings.Split("\n"+text, "\n== ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		out[name] = strings.TrimRight(body, "\n") + "\n"
	}
	return out
}

// render writes what was decided as text, a line for each column.
func render(c *Compiled) string {
	var b strings.Builder
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "%s: %s, %s", t.Table, t.Action, t.Why)
		if t.Where != "" {
			fmt.Fprintf(&b, " (%s)", t.Where)
		}
		b.WriteString("\n")
		if t.Rows != "" {
			fmt.Fprintf(&b, "  rows: %s\n", t.Rows)
		}
		for _, col := range t.Columns {
			fmt.Fprintf(&b, "  %s %s: %s", col.Column, col.Type, col.Action)
			if col.Class != "" {
				fmt.Fprintf(&b, " as %s", col.Class)
			}
			if col.Action == "mask" {
				fmt.Fprintf(&b, " by %s in %s", col.Do, col.Domain)
			}
			fmt.Fprintf(&b, ", %s", col.Why)
			if col.Where != "" {
				fmt.Fprintf(&b, " (%s)", col.Where)
			}
			b.WriteString("\n")
		}
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// TestCompile compiles every situation in testdata/compile.
func TestCompile(t *testing.T) {
	files, err := filepath.Glob("testdata/compile/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := sections(t, string(text))
			c := parseCatalog(t, parts["catalog"])
			p, err := Parse("shop.yaml", []byte(parts["policy"]))
			if err != nil {
				t.Fatal(err)
			}
			compiled, err := Compile(p, c, testKey(t), masking.Standard())
			var got string
			var errs Errors
			switch {
			case errors.As(err, &errs):
				got = fmt.Sprintf("exit %d\n%v\n", map[bool]int{true: 4, false: 3}[errs.Drift()], err)
			case err != nil:
				t.Fatal(err)
			default:
				got = render(compiled)
				checkPlan(t, compiled)
			}
			before, _, found := strings.Cut(string(text), "\n== want\n")
			if !found {
				t.Fatal("no section want")
			}
			golden(t, file, []byte(before+"\n== want\n"+got))
		})
	}
}

// checkPlan compares the plan with what is said of it.
func checkPlan(t *testing.T, c *Compiled) {
	t.Helper()
	actions := map[masking.Action]string{masking.Keep: "keep", masking.Mask: "mask", masking.Computed: "computed", masking.Undecided: "drop"}
	for _, td := range c.Tables {
		p := c.Plan.Table(td.Table.Schema, td.Table.Name)
		if p == nil {
			t.Errorf("no plan of %s", td.Table)
			continue
		}
		if len(p.Columns()) != len(td.Columns) {
			t.Errorf("plan of %s has %d columns of %d", td.Table, len(p.Columns()), len(td.Columns))
			continue
		}
		for i, col := range p.Columns() {
			if col.By != "" && td.Columns[i].Action == "derive" {
				continue
			}
			if col.Name != td.Columns[i].Column || actions[col.Action] != td.Columns[i].Action {
				t.Errorf("plan of %s.%s: %v, said to be %s", td.Table, col.Name, col.Action, td.Columns[i].Action)
			}
		}
	}
}

// Everything that shapes the output shows in the fingerprint, part by part.
func TestFingerprint(t *testing.T) {
	c := readCatalog(t, "shop")
	parse := func(text string) *Policy {
		p, err := Parse("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const text = "version: 1\nkeys: {k: {from: ephemeral}}\ndefaults: {unlisted_table: skip}\n" +
		"classes: {id: {kind: pseudonym, do: {pseudonym: id}}}\ntables: {newsletter: {keep: [address, confirmed_at]}}\n"
	base, err := Compile(parse(text), c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	same, err := Compile(parse(text), c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(base.Fingerprint) != fmt.Sprint(same.Fingerprint) {
		t.Error("the same policy, catalog and key, and another fingerprint")
	}
	differs := func(part string, other *Compiled, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for name := range base.Fingerprint {
			if equal := base.Fingerprint[name] == other.Fingerprint[name]; equal == (name == part) {
				t.Errorf("part %s: equal %t when %s differs", name, equal, part)
			}
		}
	}
	other, err := Compile(parse(text+"# a comment\n"), c, testKey(t), masking.Standard())
	differs("policy", other, err)
	other, err = Compile(parse(text), c, masking.NewKey(), masking.Standard())
	differs("key", other, err)
	changed := readCatalog(t, "shop")
	changed.Tables[0].Columns[0].NotNull = !changed.Tables[0].Columns[0].NotNull
	other, err = Compile(parse(text), changed, testKey(t), masking.Standard())
	differs("catalog", other, err)

	masked := strings.Replace(text, "keep: [address, confirmed_at]", "columns: {address: t}, keep: [confirmed_at]", 1)
	masked = strings.Replace(masked, "classes: {", "classes: {t: {kind: direct, do: {token: hex}}, ", 1)
	other, err = Compile(parse(masked), c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if other.Fingerprint["masking"] != "token v1" || other.Fingerprint["pinned k/t token"] == "" {
		t.Errorf("fingerprint of a masked column: %v", other.Fingerprint)
	}
}

func TestCompileWithoutKey(t *testing.T) {
	p, err := Parse("p.yaml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(p, readCatalog(t, "shop"), nil, masking.Standard())
	var errs Errors
	if !errors.As(err, &errs) || errs[0].Code != KeyProblem {
		t.Errorf("got %v", err)
	}
}

// A document holds ids of several classes, and each joins with the columns of its class,
// however wide those of another are.
func TestDocumentsJoin(t *testing.T) {
	c := parseCatalog(t, "schema public\ntable t\nid int4 notnull pk\nsize int2\ndoc json\n")
	p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: ephemeral}}
classes:
  id: {kind: pseudonym, do: {pseudonym: id}}
  size: {kind: quasi, do: {pseudonym: id}}
tables:
  t: {columns: {id: id, size: size, doc: {json: {$.id: id, $.size: size, "*": drop}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewGoAllocator()
	integers := func(v int64) arrow.Array {
		b := array.NewInt64Builder(mem)
		b.Append(v)
		return b.NewArray()
	}
	doc := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	doc.AppendString(`{"id":70000,"size":7}`)
	out, err := compiled.Plan.Table("public", "t").Apply(mem, []arrow.Array{integers(70000), integers(7), doc.NewArray()})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"id":%d,"size":%d}`, out[0].(*array.Int64).Value(0), out[1].(*array.Int64).Value(0))
	if got := out[2].(*array.Binary).ValueString(0); got != want {
		t.Errorf("the document has %s, the columns %s", got, want)
	}
}

// A text in a document is masked as the column of its class that folds the case masks it,
// and as before where none folds it.
func TestDocumentsFold(t *testing.T) {
	mask := func(email, mail, doc string) (column, path string) {
		c := parseCatalog(t, "schema public\ntable users\n"+email+"\ntable logs\ndoc json\n")
		p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: ephemeral}}
classes:
  mail: {kind: direct, do: {token: base32}}
tables:
  users: {columns: {email: mail}}
  logs: {columns: {doc: {json: {$.email: mail, "*": drop}}}}
`))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, testKey(t), masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		mem := memory.NewGoAllocator()
		masked := func(table, v string) string {
			b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
			b.AppendString(v)
			out, err := compiled.Plan.Table("public", table).Apply(mem, []arrow.Array{b.NewArray()})
			if err != nil {
				t.Fatal(err)
			}
			return out[0].(*array.Binary).ValueString(0)
		}
		return fmt.Sprintf(`{"email":%q}`, masked("users", mail)), masked("logs", doc)
	}
	for _, folds := range []string{"email citext notnull", "email text notnull\nrule lower(email)"} {
		if column, path := mask(folds, "bob@x", `{"email":"Bob@X"}`); column != path {
			t.Errorf("%s: the document has %s, the column %s", folds, path, column)
		}
	}
	if column, path := mask("email text", "Bob@X", `{"email":"Bob@X"}`); column != path {
		t.Errorf("the document has %s, the column %s", path, column)
	}
	if column, path := mask("email text", "bob@x", `{"email":"Bob@X"}`); column == path {
		t.Error("the case makes a difference to the column, and none to the document")
	}
}

// A key that another one carries asks nothing of its members: they take what they took.
func TestCarriedKeysAskNothing(t *testing.T) {
	bound := func(keys string) masking.Guarantees {
		c := parseCatalog(t, "schema public\ntable t\nid int4 notnull pk\nbank text\naccount text notnull\n"+keys)
		p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: ephemeral}}
classes:
  account: {kind: direct, do: {fake: account}}
tables:
  t: {columns: {account: account}, keep: [id, bank]}
`))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, testKey(t), masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Tables[0].Columns[2].Guarantees
	}
	if bound("unique (id, account)\n").Injective {
		t.Error("a key that the primary key carries makes the mask strict")
	}
	if !bound("unique (bank, account)\n").Injective {
		t.Error("a key that nothing carries leaves the mask as it is")
	}
}
