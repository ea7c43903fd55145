package dictionary

import (
	"strconv"
	"strings"
	"sync"
)

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

var letters = sync.OnceValue(readLetters)

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
