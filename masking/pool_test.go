package masking

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func gofake(function any) Spec {
	return Spec{Name: "fake", Variant: map[string]any{"gofakeit": function}}
}

func ofPool(function string) func(in, out any) string {
	values, _, _ := dictionary.Pool(function)
	return func(in, out any) string {
		if !slices.Contains(values, fmt.Sprint(out)) {
			return "is none of the pool"
		}
		return ""
	}
}

var _ = addLawCases(
	lawCase{name: "gofakeit", spec: gofake("CarModel"), col: Column{Kind: Text}, value: wordsOf, fits: ofPool("carmodel")},
	lawCase{name: "gofakeit, 5 characters", spec: gofake("color"), col: Column{Kind: Text, MaxChars: 5}, value: wordsOf, fits: ofPool("color"), few: true},
	lawCase{name: "gofakeit int", spec: gofake("int16"), col: Column{Kind: Int, Bits: 16}, value: func(i int) any { return int64(i % 30000) }, fits: ofPool("int16")},
	lawCase{name: "gofakeit float", spec: gofake("float64"), col: Column{Kind: Float, Bits: 64}, value: func(i int) any { return float64(i) / 7 }},
	lawCase{name: "gofakeit numeric", spec: gofake("digit"), col: Column{Kind: Numeric, Precision: 3, Scale: 1}, value: func(i int) any { return fmt.Sprintf("%d.0", i%100) }, fits: ofPool("digit"), few: true},
)

var _ = addVectors(vectorSet{"gofakeit", []vector{
	{"customers", Column{Kind: Text}, gofake("color"), []any{"blue", " BLUE ", "red", "", nil}, nil},
	{"customers", Column{Kind: Text, MaxChars: 4}, gofake("color"), []any{"blue", "red"}, nil},
	{"customers", Column{Kind: Int, Bits: 32}, gofake("int16"), []any{int64(1), int64(-7), nil}, nil},
	{"customers", Column{Kind: Numeric}, gofake("digit"), []any{"1.0", "1.00", "2"}, nil},
}})

func TestPoolsNeverGiveTheValue(t *testing.T) {
	for _, function := range []string{"color", "flipacoin", "digit"} {
		values, _, _ := dictionary.Pool(function)
		mask := situation(t, Column{Kind: Text}, gofake(function))
		for _, v := range values {
			if got := mask(v)[0].(string); strings.EqualFold(got, v) {
				t.Errorf("%s: %q stays", function, v)
			}
		}
	}
	numbers := situation(t, Column{Kind: Numeric}, gofake("digit"))
	for i := range 10 {
		if got := numbers(fmt.Sprintf("%d.00", i))[0]; got == fmt.Sprint(i) {
			t.Errorf("%d.00 stays", i)
		}
	}
}

func TestPoolBindings(t *testing.T) {
	a, err := Standard().Bind(fixedKey(t), Column{Kind: Text}, gofake("color"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, hash, _ := dictionary.Pool("color"); !strings.Contains(a.Pinned, hash) {
		t.Errorf("pinned %q", a.Pinned)
	}
	refused(t, Column{Kind: Text}, gofake("colour"), `"colour"`)
	refused(t, Column{Kind: Text}, gofake(int64(1)), "no variant")
	refused(t, Column{Kind: Text}, fake("gofakeit"), "needs a name")
	refused(t, Column{Kind: Text}, Spec{Name: "fake", Variant: map[string]any{"email": "x"}}, "no variant")
	refused(t, Column{Kind: Text}, Spec{Name: "fake", Variant: map[string]any{"gofakeit": "color", "email": "x"}}, "no variant")
	refused(t, Column{Kind: Text, Unique: true}, gofake("color"), "unique")
	refused(t, Column{Kind: Int, Bits: 32}, gofake("color"), "not all values")
	refused(t, Column{Kind: Int, Bits: 8}, gofake("int16"), "not all values")
	refused(t, Column{Kind: Numeric, Precision: 1, Scale: 1}, gofake("digit"), "not all values")
	refused(t, Column{Kind: Text, MaxChars: 1}, gofake("carmodel"), "fits the column")
	refused(t, Column{Kind: Text, Charset: ASCII}, gofake("emojiface"), "fits the column")
	refused(t, Column{Kind: Int, Bits: 32}, fake("city"), "kind int")
	_, err = Standard().Bind(fixedKey(t), Column{Kind: Text}, gofake("colour"), nil)
	if hint := err.(*BindError).Hint(); !strings.Contains(hint, "color") {
		t.Errorf("hint %q", hint)
	}
}
