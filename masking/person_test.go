package masking

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func person(part string, kv ...any) Spec {
	return Spec{Name: "person", Variant: part, Params: params(append(kv, "of", "subject")...), Domain: "d"}
}

func eachSubject(i int) any { return int64(i) }

var uniqueSubject = &Column{Kind: Int, Bits: 64, Unique: true}

var _ = addLawCases(
	lawCase{name: "person first name", spec: person("first_name"), col: Column{Kind: Text, MaxChars: 40}, value: wordsOf, by: uniqueSubject, subject: eachSubject},
	lawCase{name: "person last name, of text", spec: person("last_name", "script", "latin"), col: Column{Kind: Text, MaxChars: 5}, value: wordsOf, by: &Column{Kind: Text, Equality: FoldCase}, subject: func(i int) any { return uuidText(i) }},
	lawCase{name: "person whole name", spec: person("person_name"), col: Column{Kind: Text, MaxChars: 19}, value: wordsOf, by: &Column{Kind: UUID}, subject: uuidBytes},
	lawCase{name: "person name, short", spec: person("person_name"), col: Column{Kind: Text, MaxChars: 11}, value: wordsOf, by: uniqueSubject, subject: eachSubject},
	lawCase{name: "person initials", spec: person("initials"), col: Column{Kind: Text, MaxChars: 5}, value: func(i int) any { return []string{"MS", "m.s.", "M. S.", "X"}[i%4] }, by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "person email", spec: person("email"), col: Column{Kind: Text, MaxChars: 60, Unique: true}, value: func(i int) any { return fmt.Sprintf("user%d@corp.example", i) }, by: uniqueSubject, subject: eachSubject, fits: isEmail("example.com", 60)},
	lawCase{name: "person email, 20 characters", spec: person("email", "domain", "a.test"), col: Column{Kind: Text, MaxChars: 20}, value: wordsOf, by: uniqueSubject, subject: eachSubject, fits: isEmail("a.test", 20)},
	lawCase{name: "person user name", spec: person("user_name"), col: Column{Kind: Text, MaxChars: 40}, value: wordsOf, by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "person user name, unique", spec: person("user_name", "unique", true), col: Column{Kind: Text, MaxChars: 24, Unique: true}, value: wordsOf, by: uniqueSubject, subject: eachSubject},
	lawCase{name: "person in a row", spec: person("first_name"), col: Column{Kind: Text}, value: wordsOf,
		beside: []Peer{{Column: *subjectPeer(), Spec: Spec{}}, {Column: Column{Name: "a_name", Kind: Text}, Spec: person("person_name")}, {Column: Column{Name: "mail", Kind: Text}, Spec: person("email")}},
		subject: func(i int) any {
			return []any{int64(i), wordsOf(i), "x@y.example"}
		}},
)

func subjectPeer() *Column {
	c := *uniqueSubject
	c.Name = "subject"
	return &c
}

var _ = addVectors(vectorSet{"person", []vector{
	{"customers", Column{Kind: Text}, person("first_name"), []any{"Maria", "MARIA", "maria", "Иван", "明", "", " ", nil}, int64(1)},
	{"customers", Column{Kind: Text}, person("last_name"), []any{"Smith", "Петров", "王"}, int64(1)},
	{"customers", Column{Kind: Text}, person("person_name"), []any{"Maria Smith", "Smith, Maria", "Иван Петров", "王明"}, int64(1)},
	{"customers", Column{Kind: Text}, person("initials"), []any{"MS", "m.s."}, int64(1)},
	{"customers", Column{Kind: Text}, person("email"), []any{"maria@corp.example", "ivan@corp.example"}, int64(1)},
	{"customers", Column{Kind: Text}, person("email", "script", "cyrillic", "domain", "shop.test"), []any{"maria@corp.example"}, int64(1)},
	{"customers", Column{Kind: Text}, person("user_name"), []any{"maria"}, int64(1)},
	{"customers", Column{Kind: Text}, person("user_name", "unique", true), []any{"maria"}, int64(1)},
	{"customers", Column{Kind: Text}, person("email"), []any{"maria@corp.example"}, "ann"},
}})

// aTable is a table whose rows tests mask by several columns of one person or place.
type aTable struct {
	columns []Column
	specs   []Spec
}

func (a *aTable) add(col Column, spec Spec) {
	a.columns, a.specs = append(a.columns, col), append(a.specs, spec)
}

// mask binds each column as a compiler does, and masks the rows.
func (a *aTable) mask(t *testing.T, rows ...[]any) [][]any {
	t.Helper()
	var plans []ColumnPlan
	for i, col := range a.columns {
		plan := ColumnPlan{Name: col.Name, Action: Keep}
		if a.specs[i].Name != "" {
			row := &Row{Column: func(name string) (Column, bool) {
				for _, c := range a.columns {
					if c.Name == name {
						return c, true
					}
				}
				return Column{}, false
			}}
			for k, c := range a.columns {
				if k != i {
					row.Peers = append(row.Peers, Peer{c, a.specs[k]})
				}
			}
			b, err := Standard().Bind(fixedKey(t), col, a.specs[i], row)
			if err != nil {
				t.Fatal(err)
			}
			plan.Action, plan.Binding = Mask, b
		}
		plans = append(plans, plan)
	}
	plan, err := NewTablePlan("t", false, plans)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	var in []arrow.Array
	for _, name := range plan.Decoded() {
		for i, col := range a.columns {
			if col.Name == name {
				var values []any
				for _, r := range rows {
					values = append(values, r[i])
				}
				in = append(in, arrayOf(mem, col.Kind, true, values))
			}
		}
	}
	outs, err := plan.Apply(mem, in)
	if err != nil {
		t.Fatal(err)
	}
	masked := make([][]any, len(rows))
	for k, out := range outs {
		for i, v := range valuesOf(out) {
			masked[i] = append(masked[i], v)
		}
		out.Release()
		in[k].Release()
	}
	return masked
}

func personTable(kv ...any) *aTable {
	a := &aTable{}
	a.add(*subjectPeer(), Spec{})
	for _, part := range []string{"first_name", "last_name", "person_name", "initials", "email", "user_name"} {
		a.add(Column{Name: part, Kind: Text}, person(part, kv...))
	}
	return a
}

// coherent checks that the parts of a masked row are those of one person.
func coherent(row []any) string {
	first, last, whole, initials, mail, user := row[1].(string), row[2].(string), row[3].(string), row[4].(string), row[5].(string), row[6].(string)
	given, _ := dictionary.Romanized(first)
	family, _ := dictionary.Romanized(last)
	switch {
	case whole != first+" "+last && whole != last+first && whole != last+" "+first:
		return "the whole name"
	case !strings.HasPrefix(mail, given+"."+family+"."):
		return "the email"
	case !strings.HasPrefix(user, given[:1]+family) || len(user) != 1+len(family)+4:
		return "the user name"
	case []rune(initials)[0] != []rune(first)[0] && []rune(initials)[0] != []rune(last)[0]:
		return "the initials"
	}
	return ""
}

func TestPersonsAgree(t *testing.T) {
	a := personTable()
	var rows [][]any
	for i := range 3000 {
		names := [][3]string{{"Maria", "Smith", "Maria Smith"}, {"Иван", "Петров", "Иван Петров"}, {"明", "王", "王明"}, {"민준", "김", "김민준"}, {"Ελένη", "Παππά", "Ελένη Παππά"}, {"रमेश", "शर्मा", "रमेश शर्मा"}, {"タロウ", "ヤマダ", "ヤマダ タロウ"}}[i%7]
		rows = append(rows, []any{int64(i), names[0], names[1], names[2], "MS", "m@corp.example", "msmith"})
	}
	for i, row := range a.mask(t, rows...) {
		if wrong := coherent(row); wrong != "" {
			t.Fatalf("%s of row %d does not agree: %q", wrong, i, row)
		}
	}
}

// The same person is the same in other tables, with other columns, another length
// of them, and the row's order.
func TestPersonsAgreeAcrossTables(t *testing.T) {
	users := personTable()
	orders := &aTable{}
	orders.add(Column{Name: "mail", Kind: Text, MaxChars: 80}, person("email"))
	orders.add(Column{Name: "a_recipient", Kind: Text, MaxChars: 30}, person("person_name"))
	orders.add(*subjectPeer(), Spec{})
	var a, b [][]any
	for i := range 3000 {
		a = append(a, []any{int64(i), "Maria", "Smith", "Maria Smith", "MS", "m@corp.example", "msmith"})
		b = append(b, []any{"maria.smith@corp.example", "Smith, Maria", int64(i)})
	}
	there := orders.mask(t, b...)
	for i, row := range users.mask(t, a...) {
		if there[i][0] != row[5] || there[i][1] != fmt.Sprintf("%s, %s", row[2], row[1]) {
			t.Fatalf("row %d is another person elsewhere", i)
		}
	}
}

// No one keeps a name, and then all parts move together.
func TestPersonsNeverStay(t *testing.T) {
	a := personTable()
	var rows [][]any
	for i, given := range dictionary.GivenNames(dictionary.Latin) {
		rows = append(rows, []any{int64(7), given, "Smith", given + " Smith", "MS", "m@corp.example", "msmith"})
		_ = i
	}
	persons := map[any]bool{}
	for i, row := range a.mask(t, rows...) {
		if strings.EqualFold(row[1].(string), rows[i][1].(string)) || strings.EqualFold(row[2].(string), "smith") {
			t.Errorf("row %d keeps a name", i)
		}
		if wrong := coherent(row); wrong != "" {
			t.Errorf("%s of row %d does not agree", wrong, i)
		}
		persons[row[5]] = true
	}
	if len(persons) != 2 {
		t.Errorf("one subject is %d persons: want the one, and another where it meets the true name", len(persons))
	}
}

func TestPersonsOfOneEquality(t *testing.T) {
	c := &lawCase{spec: person("email"), col: Column{Kind: Text}, by: &Column{Kind: Text, Equality: FoldCase | PadSpace}}
	b := c.bind(t, fixedKey(t), "d")
	out := c.mask(t, b, true, []any{"a@b.c", "x@y.z", "a@b.c", "A@b.c", "q@b.c"}, []any{"Ann", "ANN  ", nil, nil, nil})
	if out[0] != out[1] {
		t.Error("two spellings of a subject are two persons")
	}
	if out[2] == out[0] || out[2] != out[3] || out[2] == out[4] {
		t.Error("without a subject the own value decides")
	}
}

func TestPersonsInShortColumns(t *testing.T) {
	for _, part := range personParts {
		for most := 1; most < 45; most++ {
			if part == "email" && most < 13 {
				continue
			}
			for _, col := range []Column{{Kind: Text, MaxChars: most}, {Kind: Text, MaxBytes: most}} {
				c := &lawCase{spec: person(part), col: col, by: uniqueSubject}
				b := c.bind(t, fixedKey(t), "d")
				for i, v := range c.mask(t, b, true, []any{"Maria", "Иван Петров", "MARIA SMITH"}, []any{int64(1), int64(2), int64(3)}) {
					if s := v.(string); !limitsOf(col).hold([]byte(s)) || s == "" && (most >= 3 || i == 0) {
						t.Errorf("%s in %d: %q", part, most, s)
					}
				}
			}
		}
	}
}

func TestPersonsThatDoNotFit(t *testing.T) {
	bind := func(col Column, spec Spec, of Column) error {
		col.Name = "c"
		_, err := Standard().Bind(fixedKey(t), col, spec, &Row{Column: func(name string) (Column, bool) { return of, name == "subject" }})
		return err
	}
	for _, c := range []struct {
		col  Column
		spec Spec
		of   Column
		want string
	}{
		{Column{Kind: Text, Unique: true}, person("email"), Column{Kind: Int}, "is not"},
		{Column{Kind: Text, Unique: true}, person("first_name"), *uniqueSubject, "unique"},
		{Column{Kind: Text, Unique: true}, person("user_name"), *uniqueSubject, "13 bits"},
		{Column{Kind: Text, Unique: true, MaxChars: 20}, person("email", "domain", "a.test"), *uniqueSubject, "65 bits"},
		{Column{Kind: Text, Unique: true, Rows: 1e9}, person("email"), *uniqueSubject, "bits"},
		{Column{Kind: Text}, person("email", "domain", "gmail.com"), *uniqueSubject, "reach somebody"},
		{Column{Kind: Text}, person("first_name", "domain", "a.test"), *uniqueSubject, "no parameter"},
		{Column{Kind: Text}, person("user_name", "domain", "a.test"), *uniqueSubject, "no parameter"},
		{Column{Kind: Text}, person("email"), Column{Kind: Date}, "names no subject"},
		{Column{Kind: Text}, person("email"), Column{Kind: Text, Equality: FoldUnknown}, "collation"},
		{Column{Kind: Text, MaxChars: 12}, person("email"), *uniqueSubject, "at least 13"},
		{Column{Kind: Text, Labels: []string{"x"}}, person("initials"), *uniqueSubject, "labels"},
		{Column{Kind: Text, Charset: ASCII}, person("first_name", "script", "greek"), *uniqueSubject, "ASCII"},
		{Column{Kind: Text}, Spec{Name: "person", Variant: "email", Params: params("of", "nobody")}, *uniqueSubject, "no column"},
		{Column{Kind: Text}, Spec{Name: "person", Variant: "email", Params: params("of", "c")}, *uniqueSubject, "itself"},
		{Column{Kind: Text}, Spec{Name: "person", Variant: "email"}, *uniqueSubject, "needs the parameter"},
	} {
		if err := bind(c.col, c.spec, c.of); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v on %+v: %v, want %q", c.spec.Variant, c.col, err, c.want)
		}
	}
	refused(t, Column{Kind: Text}, person("email"), "a column of a table")
}
