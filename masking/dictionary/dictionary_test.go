package dictionary

import (
	"slices"
	"strings"
	"testing"
	"unicode"

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
