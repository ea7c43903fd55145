package masking

import (
	"crypto/aes"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCanonicalForms(t *testing.T) {
	for _, c := range []struct {
		equality Equality
		in, want string
	}{
		{0, "José ", "José "},
		{FoldASCII, "JOSÉ", "josÉ"},
		{FoldCase, "JOSÉ", "josé"},
		{FoldCase, "ΟΔΟΣ", "οδοσ"},
		{FoldCase, "οδος", "οδοσ"},
		{FoldCase, "josé", "josé"},
		{PadSpace, "jose  ", "jose"},
		{PadSpace, "   ", ""},
		{FoldCase | PadSpace, "JOSE ", "jose"},
		{FoldCase | FoldAccents, "José", "jose"},
		{FoldCase | FoldAccents, "JOSE\u0301", "jose"},
		{FoldCase | FoldAccents, "Straße", "strasse"},
		{FoldCase | FoldAccents, "Øresund Łódź Æsop", "oresund lodz aesop"},
		{FoldCase | FoldAccents, "ｊｏｓｅ", "jose"},
		{FoldCase | FoldAccents, "й", "и"},
		{FoldCase, "\xffA", "\xffa"},
		{FoldCase | FoldAccents, "\xffÁ", "\xffa"},
		{FoldForms, "Jose\u0301\u200d\x01 ١", "Jose\u0301 1"},
		{FoldForms, "José", "Jose\u0301"},
		{FoldForms | FoldCase, "JOSÉ カッパ ｱ", "jose\u0301 かつは\u309a あ"},
		{FoldForms | FoldCase | FoldAccents, "Straße שלום Ґ \xff", "strasse שלומ г \xff"},
		{FoldCase | FoldAccents | FoldSharpS, "Straße", "strase"},
		{FoldCase | FoldAccents | FoldSwedish, "Ünder Ähre Ðå", "ynder aehre da"},
		{FoldForms | FoldCase | FoldAccents, "coŀlecció", "colleccio"},
		{FoldForms | FoldCase | FoldAccents, "col·lecció", "colleccio"},
		{FoldCase | FoldAccents | FoldAstral, "A😀 😁", "a\ufffd \ufffd"},
		{FoldForms | FoldCase | FoldAccents | FoldAstral, "·El", "·el"}, // of what the scratch space holds already nothing counts
	} {
		s := getScratch()
		if got := string(s.canonical([]byte(c.in), c.equality)); got != c.want {
			t.Errorf("%s: %q has the form %q, not %q", c.equality, c.in, got, c.want)
		}
		s.free()
	}
}

// A canonical form is its own canonical form, and costs no allocation.
func TestCanonicalFormsAreStable(t *testing.T) {
	s := getScratch()
	defer s.free()
	for _, e := range []Equality{FoldASCII, FoldCase, FoldCase | FoldAccents, FoldCase | FoldAccents | PadSpace, FoldForms, FoldForms | FoldCase, FoldForms | FoldCase | FoldAccents | FoldAstral, FoldCase | FoldAccents | FoldAstral | FoldSharpS} {
		for _, v := range []string{"Ünïcode ẞ ǅ ﬁ", "İstanbul", "Ḿ́x", "가각", "日本", "\xc3"} {
			s.text = s.text[:0]
			once := string(s.canonical([]byte(v), e))
			if twice := string(s.canonical([]byte(once), e)); twice != once {
				t.Errorf("%s: %q becomes %q and then %q", e, v, once, twice)
			}
		}
	}
	v := []byte("José Ünïcode")
	if n := testing.AllocsPerRun(50, func() {
		s.text = s.text[:0]
		s.canonical(v, FoldCase|FoldAccents)
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// everyFold are equalities whose canonical forms are made in each of the ways that there are.
var everyFold = []Equality{FoldASCII, FoldCase, FoldAccents, FoldForms, FoldForms | FoldCase, FoldForms | FoldCase | FoldAccents, FoldForms | FoldCase | FoldAccents | FoldAstral,
	FoldCase | FoldAccents | FoldAstral | FoldSharpS, FoldCase | FoldAccents | FoldSharpS | FoldSwedish, FoldCase | PadSpace}

// The canonical form of a long value is that of its pieces.
func TestCanonicalInPieces(t *testing.T) {
	noRaces(t)
	letters := []string{"·", "ł", "l", "ŀ", "\u0387", "\u0640", "\ufe71", "\u200d", "\ufe0f", "\u0301", "日", "\u0345", "É", "ß", "가", "ᄀ", "ᅡ", "ㅠ", "ｱ", "ﾞ", "😀", "Ü", "ж", "½", "ﷺ", "\u09be", "\u0f71", "\u0f72", "\xff", "\xc3",
		" ", "a", "L", "\x01"} // the last few are ASCII
	rnd := rand.New(rand.NewPCG(5, 6))
	s := getScratch()
	defer s.free()
	texts, pieces := 20000/fewer, 0
	for range texts {
		var b strings.Builder
		from := letters[rnd.IntN(20):]
		from = from[:min(len(from), 2+rnd.IntN(len(letters)))]
		for range rnd.IntN(60) {
			letter := from[rnd.IntN(len(from))]
			b.WriteString(strings.Repeat(letter, 1+max(0, rnd.IntN(400)-360))) // some more often than Unicode's forms allow
		}
		v := []byte(b.String())
		for _, e := range everyFold {
			e &^= PadSpace
			s.text = s.text[:0]
			want := string(s.canonical(v, e))
			got := ""
			for rest := v; len(rest) > 0; pieces++ {
				n := piece(rest, 8)
				s.text = s.text[:0]
				got += string(s.canonical(rest[:n], e))
				rest = rest[n:]
			}
			if got != want {
				t.Fatalf("%v: %+q has the form %+q in pieces, and %+q", e, v, got, want)
			}
		}
	}
	if pieces < texts*len(everyFold)*2 {
		t.Errorf("only %d pieces", pieces)
	}
}

// Before each character that divides a text it may be divided, whatever is on both sides.
func TestDivides(t *testing.T) {
	noRaces(t)
	s := getScratch()
	defer s.free()
	some := 0
	for _, text := range everyCodePoint() {
		letter := text.(string)
		if !divides([]byte(letter)) {
			continue
		}
		some++
		const before, behind = "łㅠł", "·\u0301ㅠ"
		for _, e := range []Equality{FoldForms, FoldForms | FoldCase | FoldAccents, FoldCase | FoldAccents | FoldAstral | FoldSwedish} {
			s.text = s.text[:0]
			want := string(s.canonical([]byte(before+letter+behind), e))
			s.text = s.text[:0]
			got := string(s.canonical([]byte(before), e))
			s.text = s.text[:0]
			if got += string(s.canonical([]byte(letter+behind), e)); got != want {
				t.Fatalf("%v: %+q before %+q has the form %+q, and %+q in two parts", e, before, letter+behind, want, got)
			}
		}
	}
	if some == 0 {
		t.Error("no character divides")
	}
}

// A long value has the sum of its canonical form, blanks at the end or not.
func TestSumOfLongValue(t *testing.T) {
	noRaces(t)
	p := newPRF([KeySize]byte{1})
	s := getScratch()
	defer s.free()
	texts := []string{"José Müller l· ", "ㅠ", "Anna Quillfeather, 12 Mill Lane. ", "Привет", "日本", "😀", " ", "\u0301"}
	for _, text := range texts[:max(len(texts)/fewer, 2)] {
		v := []byte(strings.Repeat(text, 8*longForm/len(text)))
		for _, e := range everyFold {
			var want, alone [aes.BlockSize]byte
			s.text = nil
			p.sum(&want, s.canonical(v, e))
			s.text = []byte("kept")
			p.sumUnder(&alone, s, v, e)
			if string(s.text) != "kept" {
				t.Error("what was in the scratch space is gone")
			}
			if cap(s.text) > 6*longForm && text != "ㅠ" && text != "\u0301" { // which are one piece
				t.Errorf("%v: %d bytes of scratch space for %q", e, cap(s.text), text)
			}
			s.text = s.text[:0]
			s.msg[0], s.msg[1], s.msg[2] = []byte("short"), v, []byte("Another")
			p.sumsUnder(s, 3, e)
			if alone != want || s.block[1] != want {
				t.Errorf("%v: the sum of long %q is not that of its form", e, text)
			}
			for i, short := range []string{"short", "Another"} {
				s.text = s.text[:0]
				p.sum(&want, s.canonical([]byte(short), e))
				if s.block[2*i] != want {
					t.Errorf("%v: the sum of %q beside a long value is another", e, short)
				}
			}
		}
	}
}
