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
func TestHashIsPinned(t *testing.T) {
	const want = "dcf1c47fca968043f01fd9474c5f5421af275c0f262b93e1b5bb9ac0bca64fba"
	if got := Hash(); got != want {
		t.Errorf("the lists of version %d changed: their hash is %s", Version, got)
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
