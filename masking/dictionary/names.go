package dictionary

import (
	"slices"
	"strings"
	"sync"
)

// GivenNames returns the given names in a script, as they are written: with a
// capital where the script has one, in Unicode's form C, sorted by code point.
// The list is "given".
func GivenNames(s Script) []string { return given()[s] }

// FamilyNames returns the family names in a script, as GivenNames does. The list
// is "family".
func FamilyNames(s Script) []string { return family()[s] }

// ASCIIGiven returns the Latin given names that are made of the letters a to z
// alone, in lower case, sorted: for the local parts of addresses.
func ASCIIGiven() []string { return asciiGiven() }

// ASCIIFamily returns the Latin family names as ASCIIGiven does.
func ASCIIFamily() []string { return asciiFamily() }

// RomanGiven returns what the given names of a script are in the letters a to z,
// in lower case, each at the place of its name: RomanGiven(s)[i] is
// GivenNames(s)[i]. Different names may be one word of a–z. The lists are
// "given" and "romanized".
func RomanGiven(s Script) []string { return romanGiven()[s] }

// RomanFamily returns what the family names of a script are in a–z, as RomanGiven
// does.
func RomanFamily(s Script) []string { return romanFamily()[s] }

// Romanized returns what a given or family name of the dictionary is in the
// letters a to z, in lower case, and whether it is one. Latin letters lose their
// marks (é is e, ø is o, ß is ss), and a name its hyphens and apostrophes. Other
// scripts are written as in passports and on road signs, without marks: Cyrillic,
// Greek and Devanagari letter by letter, kana after Hepburn, Han in pinyin, Hangul
// in the Revised Romanization but for the family names that are known by another
// spelling (Kim, Lee, Park), Arabic and Hebrew with the vowels that are spoken and
// not written.
func Romanized(name string) (string, bool) {
	roman, ok := romanOf()[name]
	return roman, ok
}

var (
	given       = perScript("given")
	family      = perScript("family")
	asciiGiven  = sync.OnceValue(func() []string { return lowerASCII(given()[Latin]) })
	asciiFamily = sync.OnceValue(func() []string { return lowerASCII(family()[Latin]) })
	romanGiven  = sync.OnceValue(func() [scripts][]string { return romanize(given()) })
	romanFamily = sync.OnceValue(func() [scripts][]string { return romanize(family()) })
	romanOf     = sync.OnceValue(readRoman)
)

const aToZ = "abcdefghijklmnopqrstuvwxyz"

// readRoman reads lines of a name and its a–z. Names that are a–z but for their
// capitals do not stand there.
func readRoman() map[string]string {
	lines := readList("romanized")
	roman := make(map[string]string, len(lines)+8192)
	for _, names := range [][]string{GivenNames(Latin), FamilyNames(Latin)} {
		for _, n := range names {
			roman[n] = strings.ToLower(n)
		}
	}
	for _, line := range lines {
		name, word, _ := strings.Cut(line, " ")
		roman[name] = word
	}
	return roman
}

func romanize(lists [scripts][]string) (roman [scripts][]string) {
	words := romanOf()
	for s, names := range lists {
		roman[s] = make([]string, len(names))
		for i, n := range names {
			roman[s][i] = words[n]
		}
	}
	return roman
}

// lowerASCII keeps what is a word of a–z. Names that differ in case alone would
// become one word twice, and are taken once.
func lowerASCII(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		w := strings.ToLower(n)
		if strings.Trim(w, aToZ) == "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	slices.Sort(out) // a capital inside a name sorted elsewhere
	return out
}
