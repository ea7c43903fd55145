package masking

import (
	"math"
	"slices"
	"testing"
)

func groups(kv ...any) Spec { return Spec{Name: "generalize", Variant: params(kv...)} }

func groupsElse(other string, kv ...any) Spec {
	s := groups(kv...)
	s.Params = params("else", other)
	return s
}

var _ = addLawCases(
	lawCase{name: "generalize text", spec: groupsElse("other", "Anna*", "A", "É*", "E", "x*", "x"), col: Column{Kind: Text, MaxChars: 5}, value: wordsOf, fixed: true},
	lawCase{name: "generalize folded", spec: groupsElse("other", "anna*", "A", "ém*", "E"), col: Column{Kind: Text, Equality: FoldCase | FoldAccents}, value: wordsOf, fixed: true},
	lawCase{name: "generalize int", spec: groups("0..17", int64(0), "18..64", int64(18), "65..150", int64(65)), col: Column{Kind: Int, Bits: 16}, value: func(i int) any { return int64(i % 151) }, fixed: true},
)

var _ = addVectors(vectorSet{"generalize", []vector{
	{"d", Column{Kind: Text}, groupsElse("other", "E1*", "diabetes", "E10", "type 1", "E10.*", "type 1", "C*", "cancer"), []any{"E11.9", "E10", "E10.1", "C50", "J45", "e11", "", " ", nil}, nil},
	{"d", Column{Kind: Text, Equality: FoldCase | PadSpace}, groupsElse("other", "e1*", "diabetes", "Cat", "pet"), []any{"E11.9", "CAT  ", "cats"}, nil},
	{"d", Column{Kind: Int, Bits: 16}, groups("0..17", int64(0), "18..64", int64(18), "-1", int64(-1), "*", int64(99)), []any{int64(0), int64(17), int64(18), int64(-1), int64(-2), int64(65), nil}, nil},
}})

func TestGroups(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, groups("a*", "one", "ab*", "two", "abc", "three", "**", "stars"))
	if out := mask("a", "ab", "abc", "abcd", "ax", "*", "*x"); !slices.Equal(out, []any{"one", "two", "three", "two", "one", "stars", "stars"}) {
		t.Errorf("became %v", out)
	}
	all := situation(t, Column{Kind: Int, Bits: 64}, groupsElse("7", "-9223372036854775808..-1", int64(-1)))
	if out := all(int64(math.MinInt64), int64(math.MaxInt64), int64(-1), int64(0)); !slices.Equal(out, []any{int64(-1), int64(7), int64(-1), int64(7)}) {
		t.Errorf("became %v", out)
	}
	labels := Column{Kind: Text, Labels: []string{"low", "middle", "high"}}
	if out := situation(t, labels, groups("middle", "high", "*", "low"))("middle", "high"); !slices.Equal(out, []any{"high", "low"}) {
		t.Errorf("became %v", out)
	}
}

func TestGroupsThatCannotBe(t *testing.T) {
	text, number := Column{Kind: Text, MaxChars: 5}, Column{Kind: Int, Bits: 16}
	refused(t, text, Spec{Name: "generalize"}, "not a mapping")
	refused(t, text, Spec{Name: "generalize", Variant: "x"}, "not a mapping")
	refused(t, text, groups(), "not a mapping")
	refused(t, text, groups("a", int64(1)), `the group of "a"`)
	refused(t, text, groups("a", "too long"), "holds 5")
	refused(t, Column{Kind: Text, Charset: Latin1}, groups("a", "Łódź"), "Latin-1")
	refused(t, text, groupsElse("x", "*", "y"), "both")
	refused(t, Column{Kind: Text, Unique: true}, groups("a", "b"), "unique")
	refused(t, Column{Kind: Text, Equality: FoldUnknown}, groups("a", "b"), "only the database knows")
	refused(t, Column{Kind: Text, Equality: FoldCase}, groups("a", "b", "A", "c"), "calls equal")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, groups("a", "b"), "labels")
	refused(t, number, groups("1", "x"), `the group of "1"`)
	refused(t, number, groups("1", int64(1<<20)), "16 bits")
	refused(t, number, groups("x", int64(1)), "no integer")
	refused(t, number, groups("5..1", int64(1)), "no integer")
	refused(t, number, groups("1..5", int64(1), "5..9", int64(2)), "two ranges")
	refused(t, number, groupsElse("many", "1..5", int64(1)), `the group of "*"`)
	refused(t, Column{Kind: Float}, groups("1", int64(1)), "kind float")
	rejected(t, text, groups("a", "b"), []any{"a", "c"}, 1, "no group")
	rejected(t, number, groups("1", int64(1)), []any{int64(1), int64(2)}, 1, "no group")
}
