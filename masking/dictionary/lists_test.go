package dictionary

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func TestListsOfSeveralWords(t *testing.T) {
	for s := range scripts {
		for _, kind := range []struct {
			name         string
			entries      []string
			latin, other int // at least
		}{
			{"cities", Cities(s), 200, 60}, {"streets", Streets(s), 200, 60}, {"companies", CompanyStems(s), 200, 60},
			{"forms", CompanyForms(s), 20, 4}, {"jobs", Jobs(s), 200, 60},
		} {
			least := kind.other
			if s == Latin {
				least = kind.latin
			}
			if len(kind.entries) < least {
				t.Errorf("%s %s: %d entries, want at least %d", s, kind.name, len(kind.entries), least)
			}
			checkSorted(t, s.String()+" "+kind.name, kind.entries)
			for _, e := range kind.entries {
				if kind.name == "forms" {
					if strings.Count(e, "{name}") != 1 {
						t.Errorf("%s: %q does not have {name} once", s, e)
					}
					continue
				}
				for _, r := range e {
					if unicode.IsLetter(r) && !unicode.Is(tableOf(s), r) && r != 'ー' {
						t.Errorf("%s %s: %q has %q of another script", s, kind.name, e, r)
					}
				}
			}
		}
		if p := StreetPattern(s); strings.Count(p, "{street}") != 1 || strings.Count(p, "{number}") != 1 {
			t.Errorf("%s: streets are written %q", s, p)
		}
	}
}

func tableOf(s Script) *unicode.RangeTable {
	if s == Kana {
		return unicode.Katakana
	}
	return unicode.Scripts[strings.ToUpper(s.String()[:1])+s.String()[1:]]
}

func checkSorted(t *testing.T, list string, entries []string) {
	t.Helper()
	if !slices.IsSorted(entries) || len(slices.Compact(slices.Clone(entries))) != len(entries) {
		t.Errorf("%s: not sorted, or an entry stands twice", list)
	}
	for _, e := range entries {
		if e == "" || strings.TrimSpace(e) != e || strings.Contains(e, "  ") || !norm.NFC.IsNormalString(e) {
			t.Errorf("%s: %q is empty, padded, or not in form C", list, e)
		}
	}
}

func TestUserAgentsAndWordsAreASCII(t *testing.T) {
	if n := len(UserAgents()); n < 200 {
		t.Errorf("%d user agents", n)
	}
	checkSorted(t, "user agents", UserAgents())
	for _, a := range UserAgents() {
		if strings.IndexFunc(a, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 || !strings.HasPrefix(a, "Mozilla/5.0 (") {
			t.Errorf("%q", a)
		}
	}
	if n := len(Words()); n < 500 {
		t.Errorf("%d words", n)
	}
	checkSorted(t, "words", Words())
	for _, w := range Words() {
		if strings.Trim(w, aToZ) != "" || len(w) > 10 {
			t.Errorf("%q", w)
		}
	}
}

func TestEveryNameHasAWordOfAToZ(t *testing.T) {
	for s := range scripts {
		for _, list := range []struct{ names, roman []string }{{GivenNames(s), RomanGiven(s)}, {FamilyNames(s), RomanFamily(s)}} {
			if len(list.names) != len(list.roman) {
				t.Fatalf("%s: %d names, %d words", s, len(list.names), len(list.roman))
			}
			for i, n := range list.names {
				w, ok := Romanized(n)
				if !ok || w != list.roman[i] || w == "" || strings.Trim(w, aToZ) != "" {
					t.Errorf("%s: %q is %q, %v; in the list %q", s, n, w, ok, list.roman[i])
				}
			}
		}
	}
	if w, ok := Romanized("Наполеон"); ok {
		t.Errorf("a name that is no name of ours is %q", w)
	}
}

func TestRomanizationsThatPeopleKnow(t *testing.T) {
	for name, want := range map[string]string{
		"José": "jose", "Øystein": "oystein", "Łukasz": "lukasz", "Weiß": "weiss", "Nguyễn": "nguyen", "Þór": "thor", "İbrahim": "ibrahim",
		"Phan-Đỗ": "phando", "Юрий": "yury", "Егоров": "yegorov", "Щербаков": "shcherbakov", "Παπαδόπουλος": "papadopoulos",
		"Ευάγγελος": "evangelos", "Παύλος": "pavlos", "Νικολαΐδης": "nikolaidis", "محمد": "muhammad", "כהן": "cohen", "יצחק": "yitzhak",
		"शर्मा": "sharma", "कृष्ण": "krishna", "अंजलि": "anjali", "सिंह": "singh", "欧阳": "ouyang", "吕": "lyu", "小明": "",
		"イトウ": "ito", "イノウエ": "inoue", "ジュン": "jun", "김": "kim", "지훈": "jihun", "최": "choi",
	} {
		if got, _ := Romanized(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// What chooses from a list pins that list, and no other.
func TestHashOfNamesItsLists(t *testing.T) {
	one := HashOf("given_latin", "family_latin")
	if one != HashOf("family_latin", "given_latin", "given_latin") {
		t.Error("the order of lists makes a difference")
	}
	seen := map[string]string{Hash(): "all"}
	for _, lists := range [][]string{{"given"}, {"given_latin"}, {"family"}, {"given", "family"}, {"letters"}, {"words"}, {"street"}, {"street_patterns"}} {
		h := HashOf(lists...)
		if other, twice := seen[h]; twice {
			t.Errorf("%v and %v hash alike", lists, other)
		}
		seen[h] = strings.Join(lists, " ")
	}
	defer func() {
		if recover() == nil {
			t.Error("a list that there is not has a hash")
		}
	}()
	HashOf("givens")
}
