package masking

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// textKey is a key that tests of texts share.
var textKey = func() *Key {
	k, err := KeyFromBytes([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	return k
}()

// bindTextual binds a spec to a column of texts with the transforms of this file's sisters.
func bindTextual(t testing.TB, col Column, spec Spec, factories ...Factory) Binding {
	t.Helper()
	b, err := NewRegistry(factories...).Bind(textKey, col, spec, nil)
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return b
}

// applyTextual masks texts, of which nil is NULL, and checks that memory comes back.
func applyTextual(t testing.TB, tr Transform, in ...any) []any {
	t.Helper()
	out, err := tryTextual(t, tr, in...)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return out
}

func tryTextual(t testing.TB, tr Transform, in ...any) ([]any, error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	a := textArray(mem, in)
	defer a.Release()
	masked, err := tr.Apply(mem, a)
	if err != nil {
		return nil, err
	}
	defer masked.Release()
	if masked.Len() != len(in) {
		t.Fatalf("%d rows became %d", len(in), masked.Len())
	}
	values := textsOf(masked)
	out := make([]any, len(in))
	for i := range out {
		if !values.null(i) {
			out[i] = string(values.value(i))
		}
	}
	return out, nil
}

func textArray(mem memory.Allocator, in []any) arrow.Array {
	b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	defer b.Release()
	for _, v := range in {
		if v == nil {
			b.AppendNull()
		} else {
			b.Append([]byte(v.(string)))
		}
	}
	return b.NewArray()
}

func bindShape(t testing.TB) Transform {
	return bindTextual(t, Column{Kind: Text}, Spec{Name: "shape", Variant: "text", Domain: "d"}, shapeFactory{}).Transform
}

// sameShape reports how b differs from a in shape, or "".
func sameShape(a, b string) string {
	if len(a) != len(b) || utf8.RuneCountInString(a) != utf8.RuneCountInString(b) {
		return fmt.Sprintf("%d bytes, %d characters became %d, %d", len(a), utf8.RuneCountInString(a), len(b), utf8.RuneCountInString(b))
	}
	if !utf8.ValidString(b) {
		return "not UTF-8"
	}
	for i, r := range a {
		got, size := utf8.DecodeRuneInString(b[i:])
		if want := utf8.RuneLen(r); want != size && r != utf8.RuneError {
			return fmt.Sprintf("byte %d: %U became %U", i, r, got)
		}
		for _, table := range []*unicode.RangeTable{unicode.Lu, unicode.Ll, unicode.Lo, unicode.Nd, unicode.M, unicode.P, unicode.Z, unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Devanagari} {
			if unicode.Is(table, r) && !unicode.Is(table, got) {
				return fmt.Sprintf("byte %d: %U became %U, of another kind", i, r, got)
			}
		}
	}
	return ""
}

func TestShapeKeepsTheShape(t *testing.T) {
	shape := bindShape(t)
	for _, c := range []struct{ name, in string }{
		{"ascii", "Dear Mrs O'Brien-Smith, call 0171 555-0199 before 5 pm.\r\n\tYours"},
		{"one letter", "M"},
		{"one digit", "7"},
		{"seven and eight and nine bytes", "abcdefg hijklmno pqrstuvwx"},
		{"latin", "Zoë Łukasiewicz-Ångström, straße 12"},
		{"vietnamese", "Nguyễn Thị Hạnh"},
		{"combining marks", "Zoe\u0308 a\u0301\u0323"},
		{"greek", "Ελένη Παπαδοπούλου"},
		{"cyrillic", "Пётр Ильич, кв. 12"},
		{"arabic", "فاطمة الزهراء ١٢٣"},
		{"hebrew with points", "שָׁלוֹם עולם"},
		{"devanagari", "श्री राम कुमार १२"},
		{"thai", "สมชาย ใจดี"},
		{"han", "王小明 住在 北京市"},
		{"han of four bytes", "𠮷野家"},
		{"kana", "ルーシー さくら ﾊﾅｺ"},
		{"hangul", "김민준"},
		{"jamo", "\u1100\u1161\u11a8"},
		{"emoji", "😀 Anna 👩‍👩‍👧‍👦 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽"},
		{"right to left marks", "\u202eabc\u202c \u200fאב\u200e"},
		{"trailing blanks", "abc   \u00a0 "},
		{"fullwidth", "ＡＢＣ１２３"},
		{"mathematical", "𝐀𝐥𝐢𝐜𝐞 𝟙𝟚"},
		{"circled", "Ⓐⓛⓘⓒⓔ ①②③ Ⅷ ½ ²"},
		{"long", strings.Repeat("Straße 12, Łódź. ", 1000)},
		{"long with characters across windows", "x" + strings.Repeat("語", 3000)},
		{"long of four bytes", "xy" + strings.Repeat("𠮷", 3000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := applyTextual(t, shape, c.in, c.in, c.in+"x")
			got := out[0].(string)
			if difference := sameShape(c.in, got); difference != "" {
				t.Errorf("%s", difference)
			}
			if got == c.in {
				t.Errorf("nothing was masked")
			}
			if out[1] != got {
				t.Errorf("equal values became %q and %q", got, out[1])
			}
			if len(c.in) > 4 && strings.HasPrefix(out[2].(string), got) {
				t.Errorf("another value begins alike: %q", got)
			}
		})
	}
}

func TestShapeKeepsWhatSaysNothing(t *testing.T) {
	in := []any{nil, "", " ", "\u3000\t", "—", "😀👍🏽", "!!! ???", "\x00"}
	for i, got := range applyTextual(t, bindShape(t), in...) {
		if got != in[i] {
			t.Errorf("%q became %q", in[i], got)
		}
	}
}

func TestShapeOfWhatIsNoCharacter(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"latin-1 bytes", "\xe9\xff", "??"},
		{"a surrogate", "\xed\xa0\x80", "???"},
		{"cut short", "-\xe2\x82", "-??"},
		{"too long a form", "\xc0\xaf", "??"},
		{"private", "\ue000", "\ufffd"},
		{"private, four bytes", "\U000f0000", "\U0001f0a0"},
		{"unassigned", "\u0378", "\u00a4"},
		{"no character", "\ufffe", "\ufffd"},
	} {
		if got := applyTextual(t, bindShape(t), c.in)[0]; got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

// Position matters: one letter does not become one other letter.
func TestShapeIsNotASubstitution(t *testing.T) {
	got := applyTextual(t, bindShape(t), strings.Repeat("a", 2000))[0].(string)
	count := map[rune]int{}
	for _, r := range got {
		count[r]++
	}
	if len(count) != 26 {
		t.Errorf("%d letters of 26", len(count))
	}
	for r, n := range count {
		if n < 30 || n > 140 {
			t.Errorf("%c stands %d times of 2000", r, n)
		}
	}
}

// Over every code point there is: the length stays, the output is valid, and a
// letter becomes a letter.
func TestShapeOfEveryCodePoint(t *testing.T) {
	shape := bindShape(t)
	var in []any
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			in = append(in, string(r))
		}
	}
	table := letters()
	for i, got := range applyTextual(t, shape, in...) {
		r, _ := utf8.DecodeRuneInString(in[i].(string))
		out, size := utf8.DecodeRuneInString(got.(string))
		if size != len(in[i].(string)) || size != len(got.(string)) {
			t.Fatalf("%U became %U, of another length", r, out)
		}
		class := table.class(r)
		switch {
		case class == keptClass && out != r:
			t.Fatalf("%U became %U", r, out)
		case class == noClass && out != unknownOf(size):
			t.Fatalf("%U became %U", r, out)
		case class >= firstClass && (out == r || table.class(out) < firstClass):
			t.Fatalf("%U became %U", r, out)
		}
		if class >= firstClass && unicode.IsLetter(r) && !unicode.IsLetter(out) || unicode.IsUpper(r) && !unicode.IsUpper(out) || unicode.IsLower(r) && !unicode.IsLower(out) || unicode.IsDigit(r) && !unicode.IsDigit(out) {
			t.Fatalf("%U became %U, of another kind", r, out)
		}
		if class == keptClass && unicode.IsLetter(r) && !unicode.Is(unicode.Lm, r) {
			t.Fatalf("%U is a letter and kept", r)
		}
		if class == noClass && unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z) && unicode.Version == "15.0.0" {
			t.Fatalf("%U is assigned and unknown", r)
		}
	}
}

func TestShapeRefusesWhatItCannotKeep(t *testing.T) {
	for _, c := range []struct {
		name string
		col  Column
		spec Spec
	}{
		{"labels", Column{Kind: Text, Labels: []string{"a"}}, Spec{Name: "shape", Variant: "text"}},
		{"integers", Column{Kind: Int}, Spec{Name: "shape", Variant: "text"}},
		{"no variant", Column{Kind: Text}, Spec{Name: "shape"}},
		{"a parameter", Column{Kind: Text}, Spec{Name: "shape", Variant: "text", Params: map[string]any{"x": true}}},
	} {
		_, err := NewRegistry(shapeFactory{}).Bind(textKey, c.col, c.spec, nil)
		if _, is := err.(*BindError); !is {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func init() {
	vectorSets = append(vectorSets, vectorSet{"shape", []vector{
		{"customers", Column{Kind: Text}, Spec{Name: "shape", Variant: "text"}, []any{
			"Mary Smith", "1600 Pennsylvania Avenue NW, Washington", "Zoë Łukasiewicz, 12", "Ελένη Παπαδοπούλου", "Пётр", "فاطمة ١٢", "שָׁלוֹם", "รักไทย", "王小明", "𠮷野家", "さくら ハナコ ﾊﾅ",
			"김민준", "😀 Anna 🇩🇪", "①②Ⅷ½", "ＡＢ１２", "\xff\xfe", "\ue000\u0378", "", " ", "--", nil,
		}, nil},
	}})
}

func FuzzShape(f *testing.F) {
	for _, s := range []string{"", "Mary", "Zoë 12", "\xff\xe9a", "王\x00😀", strings.Repeat("ab é", 300)} {
		f.Add([]byte(s))
	}
	shape := bindShape(f).(*shapeTransform)
	f.Fuzz(func(t *testing.T, in []byte) {
		out := applyTextual(t, shape, string(in), "x", string(in))
		got := []byte(out[0].(string))
		if out[2] != out[0] {
			t.Fatal("equal values, different masks")
		}
		if len(got) != len(in) || utf8.RuneCount(got) != utf8.RuneCount(in) || !utf8.Valid(got) {
			t.Fatalf("the length changed, or the output is not UTF-8")
		}
		// The slow way must agree with the fast one.
		var seed [16]byte
		shape.prf.sum(&seed, in)
		ss := new(shapeScratch)
		want, at := make([]byte, len(in)), 0
		for at < len(in) && !blank(in) {
			shape.expand(ss, &seed, at/16, 2)
			at += shape.letters.mask(want[at:], in[at:], ss.stream[at%16:])
		}
		if blank(in) {
			want = in
		} else if bytes.Equal(want, in) {
			shape.letters.bump(want)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("the fast path and the plain one disagree")
		}
	})
}

func BenchmarkShape(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"name", "Mary Smith-Jones"},
		{"sentence", "Customer called on 12 March about order 4711; refund agreed. "},
		{"note", strings.Repeat("Customer called on 12 March about order 4711; refund agreed. ", 16)},
		{"german", "Frau Müller hat am 12. März über die Bestellung 4711 angerufen."},
		{"russian", "Клиент звонил двенадцатого марта по поводу заказа 4711."},
		{"chinese", "客户于三月十二日来电询问订单四七一一的情况，已同意退款。"},
	} {
		b.Run(c.name, func(b *testing.B) {
			shape := bindShape(b)
			in := make([]any, 1024)
			for i := range in {
				in[i] = fmt.Sprintf("%s%d", c.text, i)
			}
			a := textArray(memory.DefaultAllocator, in)
			defer a.Release()
			b.SetBytes(int64(len(a.(*array.Binary).ValueBytes())))
			b.ReportAllocs()
			for b.Loop() {
				out, err := shape.Apply(memory.DefaultAllocator, a)
				if err != nil {
					b.Fatal(err)
				}
				out.Release()
			}
		})
	}
}
