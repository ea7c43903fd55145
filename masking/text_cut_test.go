package masking

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func cutSpec(name string, n int64) Spec { return Spec{Name: name, Variant: n} }

var _ = addLawCases(
	lawCase{name: "prefix", spec: cutSpec("prefix", 3), col: Column{Kind: Text, MaxChars: 40}, value: wordsOf, fixed: true, fits: shorter(3)},
	lawCase{name: "truncate", spec: cutSpec("truncate", 8), col: Column{Kind: Text, MaxChars: 40, MaxBytes: 160}, value: wordsOf, fixed: true, fits: shorter(8)},
)

func shorter(most int) func(in, out any) string {
	return func(in, out any) string {
		a, b := in.(string), out.(string)
		if !strings.HasPrefix(a, b) || len([]rune(b)) > most {
			return "is no beginning of the value"
		}
		return ""
	}
}

var _ = addVectors(vectorSet{"cut", []vector{
	{"d", Column{Kind: Text}, cutSpec("prefix", 3), []any{"10115", "SW1A 1AA", "101", "é", "", "  ", nil}, nil},
	{"d", Column{Kind: Text}, cutSpec("truncate", 8), []any{"INV-2024-000171", "INV-2024", "Zoë", "", nil}, nil},
}})

func TestCut(t *testing.T) {
	const family, flagDE, flagFR, wave = "👩\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "👋🏽"
	for _, c := range []struct {
		name     string
		n        int64
		in       string
		prefix   string
		truncate string
	}{
		{"longer", 3, "10115", "101", "101"},
		{"as long", 3, "101", "10", "101"},
		{"shorter", 3, "10", "1", "10"},
		{"one", 3, "1", "", "1"},
		{"empty", 3, "", "", ""},
		{"blank", 3, "     ", "     ", "     "},
		{"a blank at the cut", 3, "SW 1A", "SW", "SW"},
		{"characters, not bytes", 2, "Łódź", "Łó", "Łó"},
		{"marks stay with their letter", 2, "xe\u0301\u0323y", "x", "x"},
		{"marks that fit", 4, "xe\u0301\u0323y", "xe\u0301\u0323", "xe\u0301\u0323"},
		{"nothing but one grapheme", 1, "e\u0301", "", ""},
		{"joined emoji", 3, "a" + family, "a", "a"},
		{"flags", 3, flagDE + flagFR, flagDE, flagDE},
		{"skin", 2, "a" + wave, "a", "a"},
		{"jamo", 2, "\u1100\u1161\u11a8\u1102", "", ""},
		{"syllables", 2, "김민준", "김민", "김민"},
		{"devanagari", 3, "किताब", "कि", "कि"},
		{"line end", 2, "a\r\nb", "a", "a"},
		{"not UTF-8", 2, "\xff\xfe\xfd", "\xff\xfe", "\xff\xfe"},
	} {
		for name, want := range map[string]string{"prefix": c.prefix, "truncate": c.truncate} {
			b := bindTextual(t, Column{Kind: Text}, cutSpec(name, c.n), prefixFactory{}, cutFactory{})
			if got := applyTextual(t, b.Transform, c.in)[0]; got != want {
				t.Errorf("%s, %s: %q became %q, want %q", c.name, name, c.in, got, want)
			}
		}
	}
}

// Blanks that make no difference do not count.
func TestCutOfPaddedColumns(t *testing.T) {
	b := bindTextual(t, Column{Kind: Text, MaxChars: 10, Equality: PadSpace}, cutSpec("prefix", 3), prefixFactory{})
	if out := applyTextual(t, b.Transform, "101       ", "101", "10115     "); fmt.Sprint(out) != "[10 10 101]" {
		t.Errorf("%q", out)
	}
}

func TestCutRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		col  Column
		spec Spec
	}{
		{"no number", Column{Kind: Text}, Spec{Name: "prefix"}},
		{"a text", Column{Kind: Text}, Spec{Name: "truncate", Variant: "3"}},
		{"zero", Column{Kind: Text}, cutSpec("prefix", 0)},
		{"negative", Column{Kind: Text}, cutSpec("truncate", -1)},
		{"all of the column", Column{Kind: Text, MaxChars: 8}, cutSpec("truncate", 8)},
		{"unique", Column{Kind: Text, Unique: true}, cutSpec("prefix", 3)},
		{"labels", Column{Kind: Text, Labels: []string{"a"}}, cutSpec("prefix", 3)},
		{"integers", Column{Kind: Int}, cutSpec("prefix", 3)},
		{"unknown equality", Column{Kind: Text, Equality: FoldUnknown}, cutSpec("prefix", 3)},
	} {
		_, err := Standard().Bind(textKey, c.col, c.spec, nil)
		var be *BindError
		if !errors.As(err, &be) || be.Help == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
