package dictionary

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestListsAreLongSortedAndDistinct(t *testing.T) {
	for s := range scripts {
		for kind, names := range map[string][]string{"given": GivenNames(s), "family": FamilyNames(s)} {
			least := 60
			if s == Latin {
				least = 1000
			}
			if len(names) < least {
				t.Errorf("%s %s: %d names, want at least %d", s, kind, len(names), least)
			}
			if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
				t.Errorf("%s %s: not sorted, or a name stands twice", s, kind)
			}
			for _, n := range names {
				if n == "" || strings.TrimSpace(n) != n || !norm.NFC.IsNormalString(n) {
					t.Errorf("%s %s: %q is empty, padded, or not in form C", s, kind, n)
				}
			}
		}
	}
}

func TestLatinNamesBeginWithACapital(t *testing.T) {
	for _, n := range slices.Concat(GivenNames(Latin), FamilyNames(Latin)) {
		if r := []rune(n)[0]; !unicode.IsUpper(r) {
			t.Errorf("%q", n)
		}
	}
}

func TestASCIIWordsAreAToZ(t *testing.T) {
	for kind, words := range map[string][]string{"given": ASCIIGiven(), "family": ASCIIFamily()} {
		if len(words) < 1000 {
			t.Errorf("%s: %d words, want at least 1000", kind, len(words))
		}
		if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Errorf("%s: not sorted, or a word stands twice", kind)
		}
		for _, w := range words {
			if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: %q", kind, w)
			}
		}
	}
}

func TestScriptsHaveNames(t *testing.T) {
	for s := range scripts {
		if got, ok := ParseScript(s.String()); !ok || got != s {
			t.Errorf("ParseScript(%q) = %v, %v", s.String(), got, ok)
		}
	}
	if _, ok := ParseScript("klingon"); ok {
		t.Error("there is a script that is none")
	}
}

// A list that changes would change yesterday's pseudonyms: it is a new version.
func TestHashesArePinned(t *testing.T) {
	for list, want := range map[string]string{
		"given":      "ede9020bc351c9b9353601aa490f9be3e6aeb6b6dd307f2957d870b1ecf6e5c7",
		"family":     "2bfa16fdf53cacaa8f8f0e4d24e5ceb6ca2ea3116634ba24f878304a99f5b22d",
		"romanized":  "6735bd8e779c38490cda57a3e554b08e54a5678854ec5fcf3c2108406c8505d5",
		"letters":    "0374a8f19fa5bdaac2d574e0880818b5a6091684f13e9e28f2e0bba9492eda3b",
		"city":       "34e0aedbe64bb27a108baa89e4d83c6221a59548147afd5fc1bfa5e162f98337",
		"street":     "3fcdc3630fddf03e3f1a1a9a7a2e47385758a4d48b52440d2ef3f74dd3d62350",
		"company":    "81f1aa3067c449aad274425065cb1d2a87e8452b0fb66817424f0e855e977eb3",
		"form":       "b631e20d94c919ffdf41d60851cc289dec693564102d9c3d2205837a570a0718",
		"job":        "a3e509b334ee15145c20a134cb8a0b18b50bdae86e43cc921d8c5729a8012a42",
		"useragents": "d422f5cc54b0bc391bd7915ce1588654950f4f60183923bc9babbf91d12f27d9",
		"words":      "589a1262ca89f53b108e790aa616a22b0122573162ad50992d7dd4df2d74dd7a",
		"pools":      "b0ac332e493c513db178bf1a0e6bc888290c8ef2ae7fbc79c71d78759c8270a7",
	} {
		if got := HashOf(list); got != want {
			t.Errorf("%s of version %d changed: the hash is %s", list, Version, got)
		}
	}
}

// The hash of all is that of every list there is.
func TestHashIsOfAllLists(t *testing.T) {
	all := []string{"given", "family", "romanized", "letters", "city", "street", "company", "form", "job", "useragents", "words", "pools"}
	if Hash() != HashOf(all...) {
		t.Error("there are lists that no list of this test names")
	}
}

func TestLettersAreDisjointAndOfOneLength(t *testing.T) {
	if UnicodeVersion() != "15.0.0" {
		t.Errorf("Unicode %q", UnicodeVersion())
	}
	classes, kept := Letters()
	seen := map[rune]string{}
	each := func(name string, rs []Range, visit func(rune)) {
		for _, span := range rs {
			if span.Step < 1 || span.Hi < span.Lo || (span.Hi-span.Lo)%span.Step != 0 {
				t.Fatalf("%s: range %+v", name, span)
			}
			for r := span.Lo; r <= span.Hi; r += span.Step {
				visit(r)
			}
		}
	}
	own := func(name string) func(rune) {
		return func(r rune) {
			if other, twice := seen[r]; twice {
				t.Errorf("%U is in %q and in %q", r, other, name)
			}
			seen[r] = name
		}
	}
	each("kept", kept, own("kept"))
	for _, c := range classes {
		each(c.Name, c.Members, own(c.Name))
	}
	for _, c := range classes {
		length := utf8.RuneLen(c.Members[0].Lo)
		n := 0
		each(c.Name, c.Targets, func(r rune) {
			n++
			if seen[r] == "" || seen[r] == "kept" || utf8.RuneLen(r) != length {
				t.Errorf("%s: %U cannot stand for a letter of %d bytes", c.Name, r, length)
			}
		})
		each(c.Name, c.Members, func(r rune) {
			if utf8.RuneLen(r) != length {
				t.Errorf("%s: %U has another length", c.Name, r)
			}
		})
		if n < 2 {
			t.Errorf("%s: %d targets leave no choice", c.Name, n)
		}
	}
}
