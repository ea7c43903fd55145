package masking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const anyCase, anyMark = FoldCase, FoldCase | FoldAccents

var _ = addLawCases(
	lawCase{name: "shape, any case", spec: Spec{Name: "shape", Variant: "text"}, col: Column{Kind: Text, Equality: anyCase, MaxChars: 60}, value: wordsOf},
	lawCase{name: "shape, any mark", spec: Spec{Name: "shape", Variant: "text"}, col: Column{Kind: Text, Equality: anyMark | PadSpace, MaxChars: 60, MaxBytes: 60}, value: wordsOf},
	lawCase{name: "shape, ASCII", spec: Spec{Name: "shape", Variant: "text"}, col: Column{Kind: Text, Charset: ASCII}, value: wordsOf},
	lawCase{name: "token, any mark", spec: Spec{Name: "token", Variant: "hex"}, col: Column{Kind: Text, Equality: anyMark, MaxBytes: 26, Unique: true}, value: wordsOf, fits: onlyOf(hexDigits, 26)},
	lawCase{name: "person name, any mark", spec: Spec{Name: "fake", Variant: "person_name"}, col: Column{Kind: Text, Equality: anyMark, MaxBytes: 20}, value: wordsOf},
	lawCase{name: "first name, Latin-1", spec: Spec{Name: "fake", Variant: "first_name"}, col: Column{Kind: Text, Charset: Latin1, MaxChars: 40}, value: wordsOf},
)

// everyCodePoint returns each code point there is as a text.
func everyCodePoint() (all []any) {
	for r := rune(0); r <= unicode.MaxRune; r += rune(fewer) {
		if utf8.ValidRune(r) {
			all = append(all, string(r))
		}
	}
	return all
}

// What is compared letter by letter is what is compared as a whole.
func TestBasesAreTheCanonicalForm(t *testing.T) {
	noRaces(t)
	s := getScratch()
	defer s.free()
	for _, e := range []Equality{FoldASCII, FoldCase, FoldAccents, FoldForms, FoldForms | FoldCase, FoldForms | FoldCase | FoldAccents | FoldAstral, FoldCase | FoldAccents | FoldAstral | FoldSharpS, FoldCase | FoldAccents | FoldSharpS | FoldSwedish} {
		for _, text := range everyCodePoint() {
			raw := []byte(text.(string))
			r, _ := utf8.DecodeRune(raw)
			if unicode.Is(unicode.Hangul, r) && e&(FoldAccents|FoldForms) != 0 {
				continue // as decomposed as composed, but of other letters
			}
			s.text = s.text[:0]
			want := string(s.canonical(raw, e))
			if got := string(appendBasesUnder(nil, r, raw, e)); got != want {
				t.Fatalf("%v: %U is compared by %+q and by %+q", e, r, got, want)
			}
		}
	}
}

// equalSpellings are values that a database calls one, by its equality.
var equalSpellings = []struct {
	equality Equality
	values   []any
}{
	{FoldASCII, []any{"Anna Smith", "ANNA SMITH", "anna smith"}},
	{FoldASCII, []any{"Zoë", "ZOë", "zoë"}},
	{anyCase, []any{"José Müller", "JOSÉ MÜLLER", "josé müller"}},
	{anyCase, []any{"Жанна", "ЖАННА", "жанна"}},
	{anyCase, []any{"Ελένη", "ΕΛΈΝΗ"}},
	{anyCase, []any{"Ÿ Bob", "ÿ bob"}},
	{anyCase, []any{"Գոհար", "ԳՈՀԱՐ"}},
	{anyMark, []any{"José", "JOSE", "jose", "jose\u0301", "Jóse"}},
	{anyMark, []any{"Strauß", "STRAUSS", "strauss"}},
	{anyMark, []any{"Ærø Øster", "AERO OSTER"}},
	{anyMark, []any{"ＡＮＮＡ １", "anna 1"}},
	{anyMark, []any{"ﬁnn", "finn", "FINN"}},
	{anyMark, []any{"Nguyễn Thị", "NGUYEN THI"}},
	{anyMark, []any{"Αλέξης", "ΑΛΕΞΗΣ"}},
	{PadSpace, []any{"Anna", "Anna  "}},
	{anyMark | PadSpace, []any{"José", "JOSE   "}},
}

// What is one key in production is one key in the copy.
func TestEqualStaysEqual(t *testing.T) {
	specs := []Spec{
		{Name: "shape", Variant: "text"}, {Name: "token", Variant: "hex"}, {Name: "token", Variant: "base32"},
		{Name: "fake", Variant: "first_name"}, {Name: "fake", Variant: "last_name"}, {Name: "fake", Variant: "person_name"},
		{Name: "fake", Variant: "email"}, loremSpec,
	}
	s := getScratch()
	defer s.free()
	for _, c := range equalSpellings {
		for _, spec := range specs {
			spec.Domain = "d"
			for _, col := range []Column{{Kind: Text}, {Kind: Text, Charset: Latin1}, {Kind: Text, Charset: ASCII}, {Kind: Text, MaxBytes: 30}} {
				col.Equality = c.equality
				b, err := Standard().Bind(textKey, col, spec, nil)
				if err != nil {
					t.Fatal(err)
				}
				forms := map[string]bool{}
				out := applyTextual(t, b.Transform, c.values...)
				for _, o := range out {
					s.text = s.text[:0]
					forms[string(s.canonical([]byte(o.(string)), c.equality))] = true
				}
				if spec.Name == "lorem" && c.equality&FoldAccents != 0 {
					continue // as long as the value, and equal values may differ in length
				}
				if len(forms) != 1 {
					t.Errorf("%s %v, %v, %v: %q became %q", spec.Name, spec.Variant, c.equality, col.Charset, c.values, out)
				}
			}
		}
	}
}

// Without an equality nothing changes.
func TestBytesAreTheDefault(t *testing.T) {
	out := applyTextual(t, bindTextual(t, Column{Kind: Text}, Spec{Name: "token", Variant: "hex"}, tokenFactory{}).Transform, "José", "JOSE", "josé")
	if out[0] == out[1] || out[0] == out[2] {
		t.Error("different bytes became one token")
	}
}

func TestShapeKeepsTheCase(t *testing.T) {
	for _, e := range []Equality{FoldASCII, anyCase, anyMark} {
		b := bindTextual(t, Column{Kind: Text, Equality: e}, Spec{Name: "shape", Variant: "text", Domain: "d"}, shapeFactory{})
		for _, text := range []string{"McDonald-SMITH 12", "Пётр ИЛЬИЧ", "a", "Z", "7"} {
			out := applyTextual(t, b.Transform, text)[0].(string)
			a, z := []rune(text), []rune(out)
			if len(a) != len(z) || out == text {
				t.Fatalf("%v: %q became %q", e, text, out)
			}
			for i := range a {
				if unicode.IsUpper(a[i]) != unicode.IsUpper(z[i]) || unicode.IsLower(a[i]) != unicode.IsLower(z[i]) || unicode.IsDigit(a[i]) != unicode.IsDigit(z[i]) {
					t.Errorf("%v: %q became %q", e, text, out)
				}
			}
		}
	}
}

// No code point becomes one that is unassigned, leaves its script, or is not in
// form C though it was.
func TestShapeStaysAssigned(t *testing.T) {
	in := everyCodePoint()
	// A script with one letter of that length has no other to give.
	letters := map[string]int{}
	for _, v := range in {
		if r, size := utf8.DecodeRuneInString(v.(string)); unicode.IsLetter(r) {
			letters[fmt.Sprint(scriptOf(r), size)]++
		}
	}
	assigned := []*unicode.RangeTable{unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf}
	for i, got := range applyTextual(t, bindShape(t), in...) {
		r, _ := utf8.DecodeRuneInString(in[i].(string))
		out, _ := utf8.DecodeRuneInString(got.(string))
		if r == out {
			continue
		}
		if !unicode.In(out, assigned...) {
			t.Fatalf("%U became %U, which is unassigned", r, out)
		}
		if norm.NFC.IsNormalString(in[i].(string)) && !norm.NFC.IsNormalString(got.(string)) {
			t.Fatalf("%U became %U, which is not in form C", r, out)
		}
		if script := scriptOf(r); (unicode.IsLetter(r) || unicode.IsDigit(r)) && script != "Common" && script != scriptOf(out) && letters[fmt.Sprint(script, len(got.(string)))] > 1 {
			t.Fatalf("%U became %U, of another script", r, out)
		}
	}
}

func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}

// What a character set holds stays within it, every code point of it, under every equality.
func TestShapeStaysWithinTheCharset(t *testing.T) {
	for _, c := range []struct {
		set  Charset
		also string // what the set's databases hold beside
	}{{BMP, ""}, {Latin1, "ŒœŠšŽžŸƒ"}, {ASCII, "éЖ山"}} {
		var in []any
		for _, v := range everyCodePoint() {
			if r, _ := utf8.DecodeRuneInString(v.(string)); c.set.Holds(r) {
				in = append(in, v)
			}
		}
		for _, r := range c.also {
			in = append(in, string(r))
		}
		for _, e := range []Equality{0, FoldASCII, anyCase, anyMark} {
			b := bindTextual(t, Column{Kind: Text, Charset: c.set, Equality: e}, Spec{Name: "shape", Variant: "text", Domain: "d"}, shapeFactory{})
			for i, got := range applyTextual(t, b.Transform, in...) {
				for _, r := range got.(string) {
					if !c.set.Holds(r) && got != in[i] {
						t.Fatalf("%v, %v: %+q became %+q", c.set, e, in[i], got)
					}
				}
				if r, _ := utf8.DecodeRuneInString(in[i].(string)); unicode.IsLetter(r) && !unicode.Is(unicode.Lm, r) && got == in[i] {
					t.Fatalf("%v, %v: %+q stayed", c.set, e, in[i])
				}
			}
		}
	}
}

func TestNamesStayWithinTheCharset(t *testing.T) {
	in := []any{"Zoë Müller", "ZOË ŸVES", "Łukasz Žižek", "Пётр", "山田 太郎", "რუსთაველი", "Œdipe", "ÿ"}
	for _, set := range []Charset{Latin1, ASCII} {
		for _, variant := range []string{"first_name", "last_name", "person_name"} {
			b := bindTextual(t, Column{Kind: Text, Charset: set}, Spec{Name: "fake", Variant: variant, Domain: "d"}, fakeFactory{})
			var more []any
			for i := range 200 {
				more = append(more, fmt.Sprintf("ÉMILE Ñandú %d", i), fmt.Sprintf("ŸVES %d", i))
			}
			for i, out := range applyTextual(t, b.Transform, append(slices.Clone(in), more...)...) {
				if strings.ContainsFunc(out.(string), func(r rune) bool { return !set.Holds(r) }) {
					t.Errorf("%v, %s, value %d: %q", set, variant, i, out)
				}
			}
		}
	}
	_, err := Standard().Bind(textKey, Column{Kind: Text, Charset: Latin1}, Spec{Name: "fake", Variant: "first_name", Params: params("script", "greek")}, nil)
	var be *BindError
	if !errors.As(err, &be) {
		t.Errorf("greek names in Latin-1: %v", err)
	}
}

func TestNamesFitBytes(t *testing.T) {
	in := []any{"Zoë Müller", "Пётр Ильич Чайковский", "山田 太郎", "김민준", "Ελένη Παπαδοπούλου", "Ann", "श्री राम कुमार"}
	for most := 1; most < 40; most++ {
		b := bindTextual(t, Column{Kind: Text, MaxBytes: most}, Spec{Name: "fake", Variant: "person_name", Domain: "d"}, fakeFactory{})
		for i, out := range applyTextual(t, b.Transform, in...) {
			if s := out.(string); len(s) > most || !utf8.ValidString(s) {
				t.Errorf("%d bytes: value %d became %q", most, i, s)
			}
		}
	}
}

func TestUnknownEqualityIsRefused(t *testing.T) {
	col := Column{Kind: Text, Equality: FoldUnknown}
	for _, name := range Standard().Names() {
		d := Standard().Factory(name).Describe()
		if d.Kinds != nil && !slices.Contains(d.Kinds, Text) {
			continue
		}
		_, err := Standard().Bind(textKey, col, Spec{Name: name, Variant: "x"}, nil)
		var be *BindError
		refused := errors.As(err, &be) && strings.Contains(be.Reason, "goes by the value")
		if refused == d.Valueless || refused && be.Help == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Standard().Bind(textKey, col, constant("x"), nil); err != nil {
		t.Errorf("constant: %v", err)
	}
}
