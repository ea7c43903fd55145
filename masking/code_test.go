package masking

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var codeSpec = Spec{Name: "pseudonym", Variant: "code"}

var _ = addLawCases(
	lawCase{name: "code", spec: codeSpec, col: Column{Kind: Text, Unique: true}, value: func(i int) any {
		return fmt.Sprintf("%c%c-%04d/%x", 'A'+i%26, 'a'+i/26%26, i%10_000, i)
	}, fits: sameClasses},
	lawCase{name: "code AA00", spec: codeSpec, col: Column{Kind: Text, MaxChars: 4, Unique: true}, value: func(i int) any {
		return fmt.Sprintf("%c%c%02d", 'A'+i/100%26, 'A'+i/2600, i%100)
	}, count: 67_600, fits: sameClasses},
	lawCase{name: "code aaaa", spec: codeSpec, col: Column{Kind: Text, MaxChars: 4, Unique: true, Equality: FoldCase}, value: func(i int) any {
		return string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676%26), 'a' + byte(i/17576)})
	}, count: 456_976, fits: sameClasses},
	lawCase{name: "code 000000", spec: codeSpec, col: Column{Kind: Text, MaxChars: 6, Unique: true}, value: func(i int) any { return fmt.Sprintf("%06d", i) }, count: 1_000_000, fits: sameClasses},
	lawCase{name: "code 20 letters", spec: codeSpec, col: Column{Kind: Text, Unique: true}, value: func(i int) any {
		return strings.Map(func(r rune) rune { return r&15 + 'a' }, fmt.Sprintf("%020x", mix(i)))
	}, fits: sameClasses},
	lawCase{name: "code int", spec: codeSpec, col: Column{Kind: Int, Bits: 16, Unique: true}, value: func(i int) any { return int64(i) }, count: 1 << 15, fits: sameDigitCount, few: true},
	lawCase{name: "code labels", spec: codeSpec, col: Column{Kind: Text, Labels: []string{"new", "paid", "sent", "closed", "lost"}, Unique: true}, value: anyOf("new", "paid", "sent", "closed", "lost"), count: 5, few: true},
)

var _ = addVectors(vectorSet{"code", []vector{
	{"customers", Column{Kind: Text}, codeSpec, []any{"A", "AB-12", "AB12", "ab12", "12AB", "7", "123456", "1234567", "SKU-000123-X", "٤٢", "", " ", "--", nil}, nil},
	{"orders", Column{Kind: Text}, codeSpec, []any{"AB-12"}, nil},
	{"customers", Column{Kind: Int, Bits: 32}, codeSpec, []any{int64(0), int64(7), int64(42), int64(4711)}, nil},
	{"customers", Column{Kind: Text, Labels: []string{"new", "paid", "sent", "closed"}}, codeSpec, []any{"new", "paid", "sent", "closed", "", nil}, nil},
}})

func TestCodes(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, codeSpec)
	// In capitals or not, with marks or without, a code masks alike.
	out := mask("ab-12", "AB-12", "Ab12", "aB.12")
	for _, v := range out {
		plain := strings.ToLower(strings.NewReplacer("-", "", ".", "").Replace(v.(string)))
		if plain != strings.ReplaceAll(out[0].(string), "-", "") {
			t.Errorf("spellings of one code became %v", out)
		}
	}
	for _, v := range []string{"Ä1", "東京", "é", "1²", strings.Repeat("9", 34), "\xff"} {
		rejected(t, Column{Kind: Text}, codeSpec, []any{"A1", v}, 1, "not a code")
	}
	rejected(t, Column{Kind: Int}, codeSpec, []any{int64(-5)}, 0, "negative")
	refused(t, Column{Kind: UUID}, codeSpec, "UUIDs")
	refused(t, Column{Kind: Text, Equality: FoldUnknown}, codeSpec, "only the database knows")
	refused(t, Column{Kind: Int, Bits: 32}, Spec{Name: "pseudonym", Variant: "code", Params: params("range", []any{int64(1), int64(2)})}, "no range")
	b, err := Standard().Bind(fixedKey(t), Column{Kind: Text, MaxChars: 3}, codeSpec, nil)
	if err != nil || len(b.Warnings) != 1 {
		t.Errorf("a short column: %v, %v", b.Warnings, err)
	}
}

func TestLabels(t *testing.T) {
	labels := []string{"New", "paid", "ÄRGER", "lost"}
	mask := situation(t, Column{Kind: Text, Labels: labels, Equality: FoldCase}, codeSpec)
	out := mask("New", "paid", "ÄRGER", "lost")
	var got []string
	for _, v := range out {
		got = append(got, v.(string))
	}
	slices.Sort(got)
	slices.Sort(labels)
	if !slices.Equal(got, labels) {
		t.Errorf("the labels became %q", got)
	}
	if folded := mask("NEW", "Paid", "ärger", "Lost"); !slices.Equal(folded, out) {
		t.Errorf("in another case: %q and %q", folded, out)
	}
	// The order of the labels makes no difference.
	again := situation(t, Column{Kind: Text, Labels: []string{"lost", "paid", "New", "ÄRGER"}, Equality: FoldCase}, codeSpec)
	if !slices.Equal(again("New", "paid", "ÄRGER", "lost"), out) {
		t.Error("in another order, other masks")
	}
	if blanks := mask("", " "); !slices.Equal(blanks, []any{"", " "}) {
		t.Errorf("blanks became %q", blanks)
	}
	rejected(t, Column{Kind: Text, Labels: labels}, codeSpec, []any{"New", nil, "other"}, 2, "labels")
	b, err := Standard().Bind(fixedKey(t), Column{Kind: Text, Labels: labels}, codeSpec, nil)
	if err != nil || len(b.Warnings) != 1 || !strings.Contains(b.Pinned, "paid") {
		t.Errorf("%+v, %v", b, err)
	}
}
