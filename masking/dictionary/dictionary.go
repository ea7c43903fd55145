// Package dictionary holds the embedded word lists that realistic values are
// chosen from, and the table of letters that shape-keeping masks stay within.
//
// The lists are data, not code: text files, one entry a line, made by
// `go generate` from gofakeit's data and from lists of our own (gen/ours), and
// frozen from then on. A masked value is a place in a list, so a list that
// changed would change yesterday's pseudonyms: whoever wants other words makes a
// new version beside the old one. Hash tells one content from another.
//
// The names are common ones and belong to nobody.
//
// Everything here is read once, when it is first asked for, and immutable after
// that: callers do not change the slices that they are given. All functions are
// safe for concurrent use.
package dictionary

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./gen

// Version is the version of the lists: the folder that they are read from.
const Version = 1

//go:embed v1/*.txt
var files embed.FS

const folder = "v1/"

// Script is a writing system that there are names in.
type Script uint8

// The scripts. Han names are Chinese; kana names are in katakana.
const (
	Latin Script = iota
	Cyrillic
	Greek
	Arabic
	Hebrew
	Devanagari
	Han
	Kana
	Hangul
	scripts
)

var scriptNames = [scripts]string{"latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "han", "kana", "hangul"}

// String returns the script's name in lower case.
func (s Script) String() string { return scriptNames[s] }

// ParseScript returns the script of that lower-case name, and whether there is one.
func ParseScript(name string) (Script, bool) {
	for s, n := range scriptNames {
		if n == name {
			return Script(s), true
		}
	}
	return 0, false
}

// Scripts returns the names of all scripts.
func Scripts() []string { return scriptNames[:] }

// GivenNames returns the given names in a script, as they are written: with a
// capital where the script has one, in Unicode's form C, sorted by code point.
func GivenNames(s Script) []string { return given()[s] }

// FamilyNames returns the family names in a script, as GivenNames does.
func FamilyNames(s Script) []string { return family()[s] }

// ASCIIGiven returns the Latin given names that are made of the letters a to z
// alone, in lower case, sorted: for the local parts of addresses.
func ASCIIGiven() []string { return asciiGiven() }

// ASCIIFamily returns the Latin family names as ASCIIGiven does.
func ASCIIFamily() []string { return asciiFamily() }

// Hash returns the SHA-256 of all lists and their names, in hex: the same hash,
// the same words in the same places.
func Hash() string { return hash() }

// Range is every Step-th code point from Lo to Hi.
type Range struct{ Lo, Hi, Step rune }

// LetterClass is a set of code points that may be exchanged without being
// noticed, all of one script, category and length in UTF-8; each stands for a
// letter, a digit or a number.
type LetterClass struct {
	Name    string
	Members []Range // no code point is a member of two classes
	Targets []Range // what may stand in for a member
}

// Letters returns the classes of Unicode's letters, digits and numbers, and the
// assigned code points that are none: marks, punctuation, symbols, emoji,
// spaces, controls. What is in neither is unassigned, private, or not a
// character. The table is that of UnicodeVersion, whatever version Go has.
func Letters() (classes []LetterClass, kept []Range) {
	t := letters()
	return t.classes, t.kept
}

// UnicodeVersion returns the version of Unicode that Letters was made from.
func UnicodeVersion() string { return letters().unicode }

var (
	letters     = sync.OnceValue(readLetters)
	given       = sync.OnceValue(func() [scripts][]string { return readNames("given_") })
	family      = sync.OnceValue(func() [scripts][]string { return readNames("family_") })
	asciiGiven  = sync.OnceValue(func() []string { return lowerASCII(given()[Latin]) })
	asciiFamily = sync.OnceValue(func() []string { return lowerASCII(family()[Latin]) })
	hash        = sync.OnceValue(hashFiles)
)

func read(name string) string {
	b, err := files.ReadFile(folder + name)
	if err != nil {
		panic("dictionary: " + err.Error()) // the file is part of the program
	}
	return string(b)
}

func readNames(prefix string) (lists [scripts][]string) {
	for s := range lists {
		lists[s] = strings.Split(strings.TrimSuffix(read(prefix+scriptNames[s]+".txt"), "\n"), "\n")
	}
	return lists
}

type letterTable struct {
	unicode string
	classes []LetterClass
	kept    []Range
}

// readLetters reads lines of "class: ranges > ranges", which gen wrote.
func readLetters() (t letterTable) {
	for line := range strings.Lines(read("letters.txt")) {
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "# Unicode "); ok {
			t.unicode = v[:strings.Index(v, ". ")]
		}
		name, ranges, ok := strings.Cut(line, ": ")
		if line[0] == '#' || !ok {
			continue
		}
		members, targets, narrower := strings.Cut(ranges, " > ")
		c := LetterClass{Name: name, Members: readRanges(members)}
		c.Targets = c.Members
		if narrower {
			c.Targets = readRanges(targets)
		}
		if name == "kept" {
			t.kept = c.Members
			continue
		}
		t.classes = append(t.classes, c)
	}
	return t
}

func readRanges(text string) []Range {
	var rs []Range
	for word := range strings.FieldsSeq(text) {
		span, step, stepped := strings.Cut(word, "/")
		lo, hi, wide := strings.Cut(span, "-")
		if !wide {
			hi = lo
		}
		if !stepped {
			step = "1"
		}
		rs = append(rs, Range{Lo: readHex(lo), Hi: readHex(hi), Step: readHex(step)})
	}
	return rs
}

func readHex(text string) rune {
	n, err := strconv.ParseInt(text, 16, 32)
	if err != nil {
		panic("dictionary: letters: " + err.Error()) // the file is part of the program
	}
	return rune(n)
}

// lowerASCII keeps what is a word of a–z. Names that differ in case alone would
// become one word twice, and are taken once.
func lowerASCII(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		w := strings.ToLower(n)
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	slices.Sort(out) // a capital inside a name sorted elsewhere
	return out
}

func hashFiles() string {
	entries, err := files.ReadDir(strings.TrimSuffix(folder, "/")) // sorted by name
	if err != nil {
		panic("dictionary: " + err.Error())
	}
	h := sha256.New()
	for _, e := range entries {
		h.Write([]byte(e.Name() + "\n"))
		h.Write([]byte(read(e.Name())))
	}
	return hex.EncodeToString(h.Sum(nil))
}
