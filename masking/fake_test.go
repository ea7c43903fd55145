package masking

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/text/unicode/norm"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func bindFakeName(t testing.TB, variant string, maxChars int, params map[string]any) *nameTransform {
	b := bindTextual(t, Column{Kind: Text, MaxChars: maxChars}, Spec{Name: "fake", Variant: variant, Params: params, Domain: "d"}, fakeFactory{})
	return b.Transform.(*nameTransform)
}

// isName reports whether text is a name of a list, however it is capitalized.
func isName(names []string, text string) bool {
	for _, n := range names {
		if strings.EqualFold(n, text) {
			return true
		}
	}
	return false
}

func TestNamesAreFromTheDictionaryInTheScriptOfTheInput(t *testing.T) {
	first, last := bindFakeName(t, "first_name", 0, nil), bindFakeName(t, "last_name", 0, nil)
	for _, c := range []struct {
		in     string
		script dictionary.Script
	}{
		{"Mary", dictionary.Latin}, {"José", dictionary.Latin}, {"Łukasz", dictionary.Latin}, {"Ngọc", dictionary.Latin}, {"12", dictionary.Latin},
		{"Иван", dictionary.Cyrillic}, {"Ελένη", dictionary.Greek}, {"فاطمة", dictionary.Arabic}, {"שרה", dictionary.Hebrew},
		{"रमेश", dictionary.Devanagari}, {"小明", dictionary.Han}, {"ハナコ", dictionary.Kana}, {"민준", dictionary.Hangul},
	} {
		if got := applyTextual(t, first, c.in)[0].(string); !isName(dictionary.GivenNames(c.script), got) || got == c.in {
			t.Errorf("first name %q became %q", c.in, got)
		}
		if got := applyTextual(t, last, c.in)[0].(string); !isName(dictionary.FamilyNames(c.script), got) || got == c.in {
			t.Errorf("last name %q became %q", c.in, got)
		}
	}
}

func TestNamesKeepTheRepertoireOfLatin(t *testing.T) {
	first := bindFakeName(t, "first_name", 0, nil)
	widest := func(s string) (w rune) {
		for _, r := range s {
			w = max(w, r)
		}
		return w
	}
	for i := range 300 {
		for _, c := range []struct {
			in       string
			from, to rune
		}{{"Mary", 0, 0x7f}, {"Zoë", 0xa0, 0xff}, {"Łukasz", 0x100, unicode.MaxRune}} {
			got := applyTextual(t, first, c.in+strings.Repeat("a", i))[0].(string)
			if w := widest(got); w < c.from || w > c.to {
				t.Errorf("a name like %q became %q", c.in, got)
			}
		}
	}
}

func TestPersonNamesKeepTheirForm(t *testing.T) {
	person := bindFakeName(t, "person_name", 0, nil)
	for _, c := range []struct{ in, form string }{
		{"Mary Smith", "G F"},
		{"mary smith", "g f"},
		{"MARY SMITH", "GG FF"},
		{"Marie DUPONT", "G FF"},
		{"Smith, Mary", "F, G"},
		{"SMITH,MARY", "FF,GG"},
		{"Smith, Mary Ann", "F, G G"},
		{"Mary Ann Smith", "G G F"},
		{"Mary J. Smith", "G I. F"},
		{"J R Smith", "I I F"},
		{"Madonna", "G"},
		{"  Mary \t Smith  ", "G F"},
		{"Mary Smith,", "G F"},
		{"a b c d e f g h", "i i i i i i"},
	} {
		got := applyTextual(t, person, c.in)[0].(string)
		if form := formOf(got, dictionary.Latin); form != c.form && form != strings.ReplaceAll(c.form, "i", "?") {
			t.Errorf("%q became %q, of the form %q, want %q", c.in, got, form, c.form)
		}
	}
}

// formOf spells words as G (given), F (family), I (initial), doubled in capitals, small in small letters.
func formOf(name string, s dictionary.Script) string {
	var out strings.Builder
	word := func(w string) {
		if w == "" {
			return
		}
		letter := "?"
		switch {
		case utf8.RuneCountInString(strings.TrimSuffix(w, ".")) == 1:
			letter = "I"
			if w == strings.ToLower(w) {
				letter = "i"
			}
			if strings.HasSuffix(w, ".") {
				letter += "."
			}
			out.WriteString(letter)
			return
		case isName(dictionary.FamilyNames(s), w) && !isName(dictionary.GivenNames(s), w):
			letter = "F"
		case isName(dictionary.GivenNames(s), w) && !isName(dictionary.FamilyNames(s), w):
			letter = "G"
		case isName(dictionary.GivenNames(s), w): // either: by its place
			letter = "G"
			if last := strings.HasSuffix(name, w) && strings.Contains(name, " ") && !strings.Contains(name, ","); last || out.Len() == 0 && strings.Contains(name, ",") {
				letter = "F"
			}
		}
		if w == strings.ToUpper(w) && w != strings.ToLower(w) {
			letter += letter
		} else if w == strings.ToLower(w) && w != strings.ToUpper(w) {
			letter = strings.ToLower(letter)
		}
		out.WriteString(letter)
	}
	from := 0
	for i, r := range name {
		if r == ' ' || r == ',' {
			word(name[from:i])
			out.WriteRune(r)
			from = i + 1
		}
	}
	word(name[from:])
	return out.String()
}

func TestEastAsianPersonNames(t *testing.T) {
	person := bindFakeName(t, "person_name", 0, nil)
	for _, c := range []struct {
		in     string
		script dictionary.Script
	}{{"王小明", dictionary.Han}, {"欧阳修", dictionary.Han}, {"김민준", dictionary.Hangul}} {
		got := applyTextual(t, person, c.in)[0].(string)
		found := false
		for _, f := range dictionary.FamilyNames(c.script) {
			if rest, ok := strings.CutPrefix(got, f); ok && isName(dictionary.GivenNames(c.script), rest) {
				found = true
			}
		}
		if !found {
			t.Errorf("%q became %q", c.in, got)
		}
	}
	got := applyTextual(t, person, "ヤマダ タロウ")[0].(string)
	if family, given, ok := strings.Cut(got, " "); !ok || !isName(dictionary.FamilyNames(dictionary.Kana), family) || !isName(dictionary.GivenNames(dictionary.Kana), given) {
		t.Errorf("family and given name in kana became %q", got)
	}
	for _, r := range applyTextual(t, person, "さくら")[0].(string) {
		if !unicode.Is(unicode.Hiragana, r) {
			t.Errorf("hiragana became %U", r)
		}
	}
}

// A script without names is not given another: its letters are exchanged.
func TestNamesInOtherScripts(t *testing.T) {
	person := bindFakeName(t, "person_name", 0, nil)
	for _, in := range []string{"สมชาย ใจดี", "Ани Արամյան", "ნინო"} {
		got := applyTextual(t, person, in)[0].(string)
		if got == in || len(strings.Fields(got)) != len(strings.Fields(in)) {
			t.Errorf("%q became %q", in, got)
		}
		if in == "สมชาย ใจดี" && sameShape(in, got) != "" {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestNamesThatAreEqualMaskAlike(t *testing.T) {
	person := bindFakeName(t, "person_name", 0, nil)
	out := applyTextual(t, person, "José  Álvarez", "jose\u0301 a\u0301lvarez ", "JOSÉ ÁLVAREZ", "Jose Alvarez")
	for _, other := range out[1:3] {
		if !strings.EqualFold(other.(string), out[0].(string)) {
			t.Errorf("%q and %q", out[0], other)
		}
	}
	if out[3] == out[0] {
		t.Errorf("another name masks alike")
	}
}

// The shortcuts agree with the tables that they stand for.
func TestNameShortcuts(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := []byte(string(r))
		if composed(text) && (!norm.NFC.IsNormal(text) || !norm.NFC.IsNormal([]byte("e"+string(r)))) {
			t.Errorf("%U is not composed", r)
		}
		if caseless(r) && (unicode.ToLower(r) != r || unicode.ToUpper(r) != r) {
			t.Errorf("%U has case", r)
		}
		if fold(r) != unicode.ToLower(unicode.ToUpper(r)) {
			t.Errorf("%U folds to %U", r, fold(r))
		}
		if want := unicode.IsSpace(r) || r == ',' || r == ';'; separates(r) != want {
			t.Errorf("%U separates: %t", r, !want)
		}
		if unicode.IsLetter(r) && scriptPool(r) == poolHan != unicode.Is(unicode.Han, r) {
			t.Errorf("%U: pool %d", r, scriptPool(r))
		}
	}
}

func TestNamesKeepNothing(t *testing.T) {
	for _, variant := range []string{"first_name", "last_name", "person_name"} {
		tr := bindFakeName(t, variant, 0, nil)
		var in []any
		for _, s := range []dictionary.Script{dictionary.Latin, dictionary.Han, dictionary.Kana, dictionary.Cyrillic} {
			for i, n := range dictionary.GivenNames(s) {
				family := dictionary.FamilyNames(s)[i%len(dictionary.FamilyNames(s))]
				in = append(in, n, strings.ToUpper(n), family, n+" "+family, family+", "+n, family+n)
			}
		}
		for i := 'A'; i <= 'Z'; i++ {
			in = append(in, string(i), string(i)+".")
		}
		for i, got := range applyTextual(t, tr, in...) {
			was, is := strings.Fields(in[i].(string)), strings.Fields(got.(string))
			if len(was) != len(is) {
				t.Errorf("%s: %q became %q", variant, in[i], got)
				continue
			}
			for w := range was {
				if strings.EqualFold(strings.TrimSuffix(was[w], ","), strings.TrimSuffix(is[w], ",")) {
					t.Errorf("%s: %q became %q", variant, in[i], got)
				}
			}
		}
	}
}

func TestNamesKeepNullAndBlank(t *testing.T) {
	for _, variant := range []string{"first_name", "last_name", "person_name"} {
		in := []any{nil, "", " ", "\u3000", "\t\n", "Mary"}
		out := applyTextual(t, bindFakeName(t, variant, 0, nil), in...)
		for i := range in[:5] {
			if out[i] != in[i] {
				t.Errorf("%s: %q became %q", variant, in[i], out[i])
			}
		}
	}
}

func TestNamesFitTheColumn(t *testing.T) {
	in := []any{"Maximilian Featherstonehaugh", "A", "Smith, Mary Ann Louise", "王小明", "Александр Иванов", "สมชาย ใจดี", "J. R. R. Tolkien", "a b c d e f g h i", "Jo", "B"}
	for _, variant := range []string{"first_name", "last_name", "person_name"} {
		wide := applyTextual(t, bindFakeName(t, variant, 0, nil), in...)
		for limit := 1; limit <= 60; limit++ {
			for i, got := range applyTextual(t, bindFakeName(t, variant, limit, nil), in...) {
				if n := utf8.RuneCountInString(got.(string)); n > limit || n == 0 {
					t.Errorf("%s, %d: %q became %q", variant, limit, in[i], got)
				}
				if got == in[i] {
					t.Errorf("%s, %d: %q stayed", variant, limit, in[i])
				}
				if utf8.RuneCountInString(wide[i].(string)) <= limit && got != wide[i] {
					t.Errorf("%s, %d: %q became %q, and without a limit %q, which fits", variant, limit, in[i], got, wide[i])
				}
				if limit >= 12 && limit < 20 && variant == "person_name" && i == 0 {
					for w := range strings.FieldsSeq(got.(string)) {
						if !isName(dictionary.GivenNames(dictionary.Latin), w) && !isName(dictionary.FamilyNames(dictionary.Latin), w) {
							t.Errorf("%d: a name was cut: %q", limit, got)
						}
					}
				}
			}
		}
	}
}

func TestNamesInAFixedScript(t *testing.T) {
	tr := bindFakeName(t, "first_name", 0, map[string]any{"script": "latin"})
	for i, got := range applyTextual(t, tr, "Иван", "小明", "สมชาย", "Zoë", "さくら") {
		if !isName(dictionary.GivenNames(dictionary.Latin), got.(string)) || strings.TrimFunc(got.(string), func(r rune) bool { return r < utf8.RuneSelf }) != "" {
			t.Errorf("value %d became %q", i, got)
		}
	}
}

func TestFakeRefusesParametersOfOthers(t *testing.T) {
	for _, c := range []struct {
		variant any
		params  map[string]any
		col     Column
	}{
		{"first_name", map[string]any{"domain": "example.test"}, Column{Kind: Text}},
		{"person_name", map[string]any{"unique": true}, Column{Kind: Text}},
		{"email", map[string]any{"script": "keep"}, Column{Kind: Text}},
		{"phone", map[string]any{"domain": "example.test"}, Column{Kind: Text}},
		{"last_name", map[string]any{"script": "klingon"}, Column{Kind: Text}},
		{"last_name", map[string]any{"script": true}, Column{Kind: Text}},
		{"first_name", nil, Column{Kind: Int}},
		{"first_name", nil, Column{Kind: Text, Labels: []string{"a"}}},
		{"nickname", nil, Column{Kind: Text}},
		{nil, nil, Column{Kind: Text}},
	} {
		_, err := NewRegistry(fakeFactory{}).Bind(textKey, c.col, Spec{Name: "fake", Variant: c.variant, Params: c.params}, nil)
		if _, is := err.(*BindError); !is {
			t.Errorf("%v %v: %v", c.variant, c.params, err)
		}
	}
}

func TestNamesAreNotUnique(t *testing.T) {
	b := bindTextual(t, Column{Kind: Text, Unique: true}, Spec{Name: "fake", Variant: "person_name"}, fakeFactory{})
	if b.Guarantees.Unique(10) {
		t.Error("names claim to be unique")
	}
}

func init() {
	names := func(variant string, in ...any) vector {
		return vector{"customers", Column{Kind: Text}, Spec{Name: "fake", Variant: variant}, in, nil}
	}
	latin := names("first_name", "Иван", "小明", "สมชาย")
	latin.spec.Params = params("script", "latin")
	short := names("person_name", "Mary Smith", "Maximilian Featherstonehaugh", "Smith, Mary Ann")
	short.col.MaxChars = 10
	vectorSets = append(vectorSets, vectorSet{"name", []vector{
		names("first_name", "Mary", "MARY", " mary", "José", "Łukasz", "Иван", "Ελένη", "فاطمة", "שרה", "रमेश", "小明", "ハナコ", "はなこ", "민준", "สมชาย", "M.", "", " ", nil),
		names("last_name", "Smith", "smith", "Müller", "Żak", "Петров", "王", "김"),
		names("person_name", "Mary Smith", "SMITH, MARY J.", "Mary Ann Smith", "Madonna", "Zoë Müller", "Łukasz Żak", "Иван Петров", "王小明", "山田 太郎", "김민준", "J. R. R. Tolkien", "-", "4711"),
		latin,
		short,
	}})
}

func TestNamesDiffer(t *testing.T) {
	tr := bindFakeName(t, "person_name", 0, nil)
	seen := map[any]bool{}
	var in []any
	for i := range 2000 {
		in = append(in, fmt.Sprintf("Name%c%c%c Family", 'a'+i%26, 'a'+i/26%26, 'a'+i/676))
	}
	for _, got := range applyTextual(t, tr, in...) {
		seen[got] = true
	}
	if len(seen) < 1980 {
		t.Errorf("2000 names became %d", len(seen))
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"Mary Smith", "SMITH, Mary J.", "Zoë", "王小明", "さくら", "\xff,\xfe", " , ", "ab,", "ﬃ Ⅷ", "İI ıi ẞß", "〲"} {
		for _, limit := range []byte{0, 1, 7, 'h'} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, in string, limit byte) {
		for _, variant := range []string{"first_name", "last_name", "person_name"} {
			tr := bindFakeName(t, variant, int(limit), nil)
			out := applyTextual(t, tr, in, "x", in, strings.ToUpper(in))
			got := out[0].(string)
			if blank([]byte(in)) {
				if got != in {
					t.Fatalf("a blank value changed")
				}
				continue
			}
			if out[2] != out[0] {
				t.Fatalf("equal values, different masks")
			}
			if !utf8.ValidString(got) || got == "" || limit > 0 && utf8.RuneCountInString(got) > int(limit) {
				t.Fatalf("%q", got)
			}
			if norm.NFC.String(got) == norm.NFC.String(in) && anyLetter(in) {
				t.Fatalf("the value stayed")
			}
		}
	})
}

func anyLetter(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

func BenchmarkNames(b *testing.B) {
	for _, c := range []struct{ variant, text string }{
		{"first_name", "Mary"}, {"person_name", "Mary Smith"}, {"person_name", "MARY SMITH"}, {"person_name", "Zoë Müller"}, {"person_name", "王小明"},
	} {
		b.Run(c.variant+"/"+strings.ReplaceAll(c.text, " ", "_"), func(b *testing.B) {
			tr := bindFakeName(b, c.variant, 60, nil)
			in := make([]any, 1024)
			for i := range in {
				in[i] = fmt.Sprintf("%s%c%c", c.text, 'a'+i%26, 'a'+i/26%26)
			}
			a := textArray(memory.DefaultAllocator, in)
			defer a.Release()
			b.ReportAllocs()
			for b.Loop() {
				out, err := tr.Apply(memory.DefaultAllocator, a)
				if err != nil {
					b.Fatal(err)
				}
				out.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/value")
		})
	}
}
