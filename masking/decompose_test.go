package masking

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func decomposed(form norm.Form, text []byte) []byte {
	d := new(decomposer)
	d.begin(form, text)
	out := []byte{}
	for part := d.next(); part != nil; part = d.next() {
		out = append(out, part...)
	}
	return out
}

// Every character decomposes as Unicode says, alone and between marks.
func TestDecomposition(t *testing.T) {
	noRaces(t)
	for _, form := range []norm.Form{norm.NFD, norm.NFKD} {
		for _, text := range everyCodePoint() {
			for _, v := range []string{text.(string), "a\u0315" + text.(string) + "\u0323\u0301"} {
				if got, want := decomposed(form, []byte(v)), form.Bytes([]byte(v)); !bytes.Equal(got, want) {
					t.Fatalf("%+q decomposes into %+q, not %+q", v, got, want)
				}
			}
		}
	}
	// Marks that norm.Iter does not survive, and more marks than it counts.
	for in, want := range map[string]string{
		"ŀㅠ\u0f72ﾞ": "ŀㅠ\u0f72ﾞ",
		"\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301\u0323\u0301x": "\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0323\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301x",
	} {
		if got := decomposed(norm.NFD, []byte(in)); string(got) != want {
			t.Errorf("%+q decomposes into %+q", in, got)
		}
	}
}

// So do texts of them, in which bytes that are not UTF-8 stay.
func FuzzDecomposition(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 8))
	letters := []string{"a", "É", "\u0301", "\u0323", "\u0345", "ß", "가", "각", "ᄀ", "ᅡ", "ㅠ", "ﾞ", "½", "ﷺ", "\u0f71", "\u0f72", "\u0344", "\xff", "\xc3"}
	for range 200 {
		var text []byte
		for range rnd.IntN(12) {
			text = append(text, letters[rnd.IntN(len(letters))]...)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, form := range []norm.Form{norm.NFD, norm.NFKD} {
			var want []byte
			for rest := text; len(rest) > 0; {
				n := 0
				for n < len(rest) {
					r, size := utf8.DecodeRune(rest[n:])
					if r == utf8.RuneError && size == 1 {
						break
					}
					n += size
				}
				want = append(want, form.Bytes(rest[:n])...)
				if rest = rest[n:]; len(rest) > 0 {
					want, rest = append(want, rest[0]), rest[1:]
				}
			}
			if bytes.Contains(want, []byte(norm.GraphemeJoiner)) {
				continue // of more than 30 marks it divides
			}
			if got := decomposed(form, text); !bytes.Equal(got, want) {
				t.Errorf("%+q decomposes into %+q, not %+q", text, got, want)
			}
		}
	})
}
