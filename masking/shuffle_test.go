package masking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func shuffled(kv ...any) Spec {
	return Spec{Name: "shuffle", Variant: "column", Params: params(append(kv, "by", "subject")...)}
}

// countOf counts texts as a snapshot does.
func countOf(texts ...string) *Values {
	slices.Sort(texts)
	v := &Values{}
	for _, t := range texts {
		if n := len(v.Texts); n > 0 && v.Texts[n-1] == t {
			v.Counts[n-1]++
			continue
		}
		v.Texts, v.Counts = append(v.Texts, t), append(v.Counts, 1)
	}
	return v
}

func manyOf(form string, n int) *Values {
	var texts []string
	for i := range n {
		texts = append(texts, fmt.Sprintf(form, i))
	}
	return countOf(texts...)
}

var countedVector = map[Kind]*Values{
	Text: {Texts: []string{"", "blue", "green", "red"}, Counts: []int64{5, 1, 10, 100}},
	Int:  {Texts: []string{"-5", "0", "7"}, Counts: []int64{1, 1, 2}, Nulls: 3},
	Date: {Texts: []string{"2000-01-01", "2024-02-29", "infinity"}, Counts: []int64{1, 1, 1}},
}

var _ = addLawCases(
	lawCase{name: "shuffle text", spec: shuffled(), col: Column{Kind: Text, MaxChars: 40}, value: wordsOf, counted: manyOf("w%d", 5000), by: uniqueSubject, subject: eachSubject},
	lawCase{name: "shuffle int", spec: shuffled(), col: Column{Kind: Int, Bits: 32}, value: func(i int) any { return int64(i % 9) }, counted: manyOf("%d", 9), by: &Column{Kind: UUID}, subject: uuidBytes, few: true},
	lawCase{name: "shuffle float", spec: shuffled(), col: Column{Kind: Float}, value: func(i int) any { return float64(i) / 2 }, counted: manyOf("%d.5", 500), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle numeric", spec: shuffled(), col: Column{Kind: Numeric}, value: func(i int) any { return fmt.Sprintf("%d.00", i) }, counted: manyOf("%d.00", 5000), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle bool", spec: shuffled(), col: Column{Kind: Bool}, value: anyOf(true, false), counted: countOf("t", "f", "t"), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle date", spec: shuffled(), col: Column{Kind: Date}, value: asDate, counted: manyOf("20%02d-01-31", 90), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle timestamp", spec: shuffled(), col: Column{Kind: Timestamp}, value: asTimestamp, counted: manyOf("20%02d-01-31 12:00:00", 90), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle uuid", spec: shuffled(), col: Column{Kind: UUID}, value: uuidBytes, counted: countOf(uuidText(1), uuidText(2), uuidText(3)), by: uniqueSubject, subject: eachSubject, few: true},
	lawCase{name: "shuffle bytes", spec: shuffled(), col: Column{Kind: Bytes}, value: wordsOf, counted: countOf(`\x00`, `\xff01`), by: uniqueSubject, subject: eachSubject, few: true},
)

var _ = addVectors(vectorSet{"shuffle", []vector{
	{"customers", Column{Kind: Text}, shuffled(), []any{"red", "green", "", nil}, int64(1)},
	{"customers", Column{Kind: Text}, shuffled(), []any{"red"}, int64(2)},
	{"customers", Column{Kind: Text}, shuffled(), []any{"red"}, "ann"},
	{"customers", Column{Kind: Int, Bits: 32}, shuffled(), []any{int64(7), nil}, int64(1)},
	{"customers", Column{Kind: Date}, shuffled(), []any{int32(11016)}, int64(1)},
}})

// The distribution of the column is that of its values.
func TestShuffleKeepsTheDistribution(t *testing.T) {
	c := &lawCase{spec: shuffled(), col: Column{Kind: Text}, by: uniqueSubject, counted: &Values{
		Texts: []string{"", " ", "a", "b", "c", "d", "gone"}, Counts: []int64{1000, 1000, 1, 10, 100, 889, 0},
	}}
	b := c.bind(t, fixedKey(t), "d")
	const n = 100_000
	in, subjects := make([]any, n), make([]any, n)
	for i := range in {
		in[i], subjects[i] = "x", int64(i)
	}
	counts := map[any]int{}
	for _, v := range c.mask(t, b, true, in, subjects) {
		counts[v]++
	}
	if len(counts) != 4 {
		t.Errorf("%d different values came out of 4", len(counts))
	}
	chi := 0.0
	for text, weight := range map[string]float64{"a": 1, "b": 10, "c": 100, "d": 889} {
		want := n * weight / 1000
		chi += (float64(counts[text]) - want) * (float64(counts[text]) - want) / want
	}
	if chi > 25 { // three degrees of freedom: one in 65,000
		t.Errorf("chi-square %.1f", chi)
	}
}

func TestShuffleByTheSubject(t *testing.T) {
	c := &lawCase{spec: shuffled(), col: Column{Kind: Text, Equality: FoldCase}, by: &Column{Kind: Text, Equality: FoldCase}, counted: manyOf("w%d", 5000)}
	b := c.bind(t, fixedKey(t), "d")
	out := c.mask(t, b, true, []any{"a", "b", "c", "d", "D", "e", "", nil}, []any{"Ann", "ANN", "bob", nil, nil, nil, "x", "x"})
	if out[0] != out[1] || out[0] == out[2] || out[3] != out[4] || out[3] == out[5] {
		t.Errorf("drawn by another thing than the subject: %q", out)
	}
	if out[6] != "" || out[7] != nil {
		t.Error("an empty text or a NULL was drawn for")
	}
}

func TestShuffleBindings(t *testing.T) {
	row := func(col Column, counted *Values, err error) *Row {
		return &Row{
			Column: func(name string) (Column, bool) { return col, name == col.Name },
			Peers:  []Peer{{Column: Column{Name: "note", Kind: Text}}, {Column: col}},
			Values: func(string) (*Values, error) { return counted, err },
		}
	}
	id := Column{Name: "id", Kind: Int, Unique: true}
	plain := Spec{Name: "shuffle", Variant: "column", Domain: "d"}
	bind := func(col Column, spec Spec, r *Row) (Binding, error) {
		col.Name = "c"
		return Standard().Bind(fixedKey(t), col, spec, r)
	}
	a, err := bind(Column{Kind: Text}, plain, row(id, countOf("x", "y"), nil))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Inputs, []string{"id", "c"}) || len(a.Warnings) != 2 {
		t.Errorf("inputs %q, warnings %q", a.Inputs, a.Warnings)
	}
	b, err := bind(Column{Kind: Text}, plain, row(id, countOf("x", "y", "y"), nil))
	if err != nil || a.Pinned == b.Pinned {
		t.Errorf("other values have the same fingerprint (%v)", err)
	}
	if again, err := bind(Column{Kind: Text}, plain, row(id, countOf("x", "y"), nil)); err != nil || again.Pinned != a.Pinned {
		t.Errorf("the same values have another fingerprint (%v)", err)
	}
	// Whoever reads a report must not find out by trial what the column holds.
	other, err := Standard().Bind(NewKey(), Column{Name: "c", Kind: Text}, plain, row(id, countOf("x", "y"), nil))
	if err != nil || other.Pinned == a.Pinned {
		t.Errorf("the fingerprint of values goes without the key (%v)", err)
	}
	for _, c := range []struct {
		col  Column
		spec Spec
		row  *Row
		want string
	}{
		{Column{Kind: Text, Unique: true}, plain, row(id, countOf("x"), nil), "unique"},
		{Column{Kind: Text}, plain, row(Column{Name: "id", Kind: Int}, countOf("x"), nil), "no column to go by"},
		{Column{Kind: Text}, plain, &Row{}, "none at hand"},
		{Column{Kind: Text}, plain, nil, "none at hand"},
		{Column{Kind: Int}, plain, row(id, countOf("x"), nil), "none of kind int"},
		{Column{Kind: Text}, plain, row(id, nil, errors.New("the server is gone")), "the server is gone"},
		{Column{Kind: Text}, shuffled(), row(id, countOf("x"), nil), `no column "subject" to go by`},
		{Column{Kind: JSON}, plain, row(id, countOf("{}"), nil), "kind json"},
	} {
		if _, err := bind(c.col, c.spec, c.row); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.col, err, c.want)
		}
	}
}

func TestShuffleOfNothing(t *testing.T) {
	c := &lawCase{spec: shuffled(), col: Column{Kind: Text}, by: uniqueSubject, counted: countOf("", "")}
	b := c.bind(t, fixedKey(t), "d")
	if out := c.mask(t, b, true, []any{"", nil}, []any{int64(1), int64(2)}); out[0] != "" || out[1] != nil {
		t.Errorf("%q", out)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	ids, texts := arrayOf(mem, Int, true, []any{int64(1), int64(2)}), arrayOf(mem, Text, true, []any{"", "secret"})
	defer ids.Release()
	defer texts.Release()
	_, err := b.Group.ApplyGroup(mem, []arrow.Array{ids, texts})
	var ve *ValueError
	if !errors.As(err, &ve) || ve.Row != 1 || strings.Contains(err.Error(), "secret") {
		t.Errorf("a value that was not counted: %v", err)
	}
}
