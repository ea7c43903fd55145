package masking

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

var loremSpec = Spec{Name: "lorem", Variant: "words"}

// longTextOf makes texts of several lines and scripts.
func longTextOf(i int) any {
	return strings.Repeat("Zoë sah 山田 Жанна! ", int(mix(i)%7)) + "\n  " + wordsOf(i).(string) + "\n\n" + wordsOf(i+1).(string) + " "
}

var _ = addLawCases(
	lawCase{name: "lorem", spec: loremSpec, col: Column{Kind: Text, MaxChars: 200, MaxBytes: 400}, value: longTextOf, fits: sameLines},
	lawCase{name: "lorem, short texts", spec: loremSpec, col: Column{Kind: Text, MaxChars: 30, Equality: FoldCase | FoldAccents}, value: wordsOf, fits: sameLines, few: true},
)

var _ = addVectors(vectorSet{"lorem", []vector{
	{"customers", Column{Kind: Text}, loremSpec, []any{
		"Customer called on 12 March about order 4711; refund agreed.", "Send to:\n12 Elm Street\n\n  Łódź ", "山田", "x", "ab", "\xff\xfe\xfd", "", " ", nil,
	}, nil},
	{"orders", Column{Kind: Text}, loremSpec, []any{"Customer called on 12 March about order 4711; refund agreed."}, nil},
}})

// sameLines says how the lines of two texts differ in length, or "".
func sameLines(in, out any) string {
	a, b := strings.Split(in.(string), "\n"), strings.Split(out.(string), "\n")
	if len(a) != len(b) {
		return "has another number of lines"
	}
	for i := range a {
		if utf8.RuneCountInString(a[i]) != utf8.RuneCountInString(b[i]) {
			return "has a line of another length"
		}
		if strings.TrimSpace(a[i]) == "" && a[i] != b[i] {
			return "has another blank line"
		}
		if strings.TrimRight(strings.TrimSpace(b[i]), ". abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return "has other characters than letters"
		}
	}
	return ""
}

func TestLoremOfEveryLength(t *testing.T) {
	b := bindTextual(t, Column{Kind: Text}, loremSpec, loremFactory{})
	var in []any
	for n := 1; n < 400; n++ {
		in = append(in, strings.Repeat("é", n), strings.Repeat("x y", n))
	}
	for i, out := range applyTextual(t, b.Transform, in...) {
		if wrong := sameLines(in[i], out); wrong != "" {
			t.Fatalf("%q %s: %q", in[i], wrong, out)
		}
		if text := out.(string); strings.Contains(text, "  ") || strings.Contains(text, " .") || strings.HasSuffix(text, " ") {
			t.Fatalf("%q is no sentence", text)
		}
	}
}

func TestLoremWords(t *testing.T) {
	for n := 1; n <= 12; n++ {
		if len(loremWords[n]) < 3 {
			t.Errorf("%d words of %d letters", len(loremWords[n]), n)
		}
	}
}

func TestLoremHidesTheWords(t *testing.T) {
	b := bindTextual(t, Column{Kind: Text}, loremSpec, loremFactory{})
	out := applyTextual(t, b.Transform, "a bb ccc dddd eeeee ffffff", "eeeee ffffff a bb ccc dddd")
	if strings.Index(out[0].(string), " ") == 1 && strings.Index(out[1].(string), " ") == 5 {
		t.Errorf("words stand where words stood: %q", out)
	}
}

func TestLoremEquality(t *testing.T) {
	b := bindTextual(t, Column{Kind: Text, Equality: FoldCase | FoldAccents | PadSpace}, loremSpec, loremFactory{})
	out := applyTextual(t, b.Transform, "José Müller", "jose muller", "JOSE MULLER  ")
	if out[0] != out[1] || out[2] != out[0].(string)+"  " {
		t.Errorf("equal values became %q", out)
	}
}

func TestLoremRefuses(t *testing.T) {
	for _, col := range []Column{{Kind: Text, Unique: true}, {Kind: Text, Labels: []string{"a"}}, {Kind: Int}, {Kind: Text, Equality: FoldUnknown}} {
		_, err := Standard().Bind(textKey, col, loremSpec, nil)
		var be *BindError
		if !errors.As(err, &be) || be.Help == "" {
			t.Errorf("%+v: %v", col, err)
		}
	}
}
