package masking

import "testing"

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
