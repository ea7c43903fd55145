package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letters returns the table of letters: which code points say something (letters,
// digits, numbers, enclosed letters, Braille) and which ones may stand in for each.
//
// A class is what may be exchanged without being noticed: code points of one
// script, one category, one length in UTF-8 and one neighbourhood of 128, so that
// Latin-1 stays Latin-1 and a fullwidth letter stays wide. Its targets are fewer
// than its members: the plain letters of the alphabet where it has them, in
// Unicode's form C, and with a partner in the other case of the same length.
func letters() []byte {
	classes := map[string][]rune{}
	var kept, masked []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		name := className(r)
		switch {
		case name != "":
			classes[name] = append(classes[name], r)
			masked = append(masked, r)
		case unicode.In(r, unicode.Lm, unicode.M, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf), isPictograph(r):
			kept = append(kept, r)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Unicode %s. Made by go generate; see package dictionary.\n", unicode.Version)
	fmt.Fprintf(&b, "# class: members > targets. A range is first-last/step in hex.\n")
	fmt.Fprintf(&b, "kept: %s\n", ranges(kept))
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		members := classes[name]
		targets := targetsOf(members, masked)
		fmt.Fprintf(&b, "%s: %s", name, ranges(members))
		if !slices.Equal(members, targets) {
			fmt.Fprintf(&b, " > %s", ranges(targets))
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// className returns the class of r, or "" if r is kept.
func className(r rune) string {
	var category string
	for _, c := range []string{"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No"} {
		if unicode.Is(unicode.Categories[c], r) {
			category = c
		}
	}
	switch {
	case category == "Nd":
		return fmt.Sprintf("digits %04X", zeroOf(r))
	case category == "Lm" && (r == 0x0640 || r >= 0x3000 && r <= 0x30FF || r == 0xFF70):
		return "" // marks of length and repetition: they shape a word and say nothing of it
	case category != "":
	case r >= 0x2801 && r <= 0x28FF: // Braille; 2800 is its blank
		return "Braille So 3"
	case r >= 0x249C && r <= 0x24B5, r >= 0x1F110 && r <= 0x1F129: // letters in brackets
		category = "So parenthesized"
	case r >= 0x24B6 && r <= 0x24CF:
		category = "So circled upper"
	case r >= 0x24D0 && r <= 0x24E9:
		category = "So circled lower"
	case r == 0x1F170 || r == 0x1F171 || r == 0x1F17E || r == 0x1F17F: // blood groups and parking are emoji
		return ""
	case r >= 0x1F130 && r <= 0x1F149:
		category = "So squared"
	case r >= 0x1F150 && r <= 0x1F169:
		category = "So negative circled"
	case r >= 0x1F170 && r <= 0x1F189:
		category = "So negative squared"
	default:
		return ""
	}
	script := scriptOf(r)
	near := fmt.Sprintf("%04X", r&^0x7F)
	switch {
	case script == "Han" && category == "Lo":
		near = "ideographs"
	case category == "Nl" && unicode.ToLower(r) != r: // Roman numerals have case
		near += " upper"
	case r >= 0xAC00 && r <= 0xD7A3:
		near = "syllables"
	case r >= 0x1100 && r <= 0x115F:
		near = "leading"
	case r >= 0x1160 && r <= 0x11A7:
		near = "vowels"
	case r >= 0x11A8 && r <= 0x11FF:
		near = "trailing"
	}
	return fmt.Sprintf("%s %s %d %s", script, category, utf8.RuneLen(r), near)
}

// zeroOf returns the zero of r's digits: decimal digits stand in runs of ten.
func zeroOf(r rune) rune {
	first := r
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return r - (r-first)%10
}

// isPictograph reports whether r is in the blocks that emoji come from. What is
// not assigned there today is an emoji tomorrow.
func isPictograph(r rune) bool { return r >= 0x1F000 && r <= 0x1FAFF }

// core holds the plain letters of alphabets that have others besides.
var core = []*unicode.RangeTable{{
	R16: []unicode.Range16{
		{0x0391, 0x03A1, 1}, {0x03A3, 0x03A9, 1}, {0x03B1, 0x03C1, 1}, {0x03C3, 0x03C9, 1}, // Greek without final sigma
		{0x0410, 0x044F, 1},                      // Cyrillic
		{0x05D0, 0x05EA, 1},                      // Hebrew
		{0x0621, 0x063A, 1}, {0x0641, 0x064A, 1}, // Arabic
		{0x0915, 0x0928, 1}, {0x092A, 0x0930, 1}, {0x0932, 0x0932, 1}, {0x0935, 0x0939, 1}, // Devanagari's consonants
		{0x0995, 0x09A8, 1}, {0x09AA, 0x09B0, 1}, // Bengali's
		{0x0E01, 0x0E02, 1}, {0x0E04, 0x0E04, 1}, {0x0E07, 0x0E23, 1}, {0x0E25, 0x0E25, 1}, {0x0E27, 0x0E2D, 1}, // Thai's
		{0x1100, 0x1112, 1}, {0x1161, 0x1175, 1}, {0x11A8, 0x11C2, 1}, // Hangul's modern jamo
		{0x3042, 0x3048, 2}, {0x304A, 0x3062, 1}, {0x3064, 0x3082, 1}, {0x3084, 0x3088, 2}, {0x3089, 0x308D, 1}, {0x308F, 0x308F, 1}, {0x3093, 0x3093, 1}, // hiragana
		{0x30A2, 0x30A8, 2}, {0x30AA, 0x30C2, 1}, {0x30C4, 0x30E2, 1}, {0x30E4, 0x30E8, 2}, {0x30E9, 0x30ED, 1}, {0x30EF, 0x30EF, 1}, {0x30F3, 0x30F3, 1}, // katakana
		{0x4E00, 0x9FA5, 1}, // the ideographs that every font and encoding has
		{0xAC00, 0xD7A3, 1}, // Hangul's syllables
		{0xFF71, 0xFF9D, 1}, // halfwidth katakana
	},
	R32: []unicode.Range32{{0x20000, 0x2A6D6, 1}}, // ideographs of four bytes
}}

// few is how many targets a choice wants; with fewer, the next best set is taken.
const few = 5

// targetsOf returns what may stand in for the members of a class. Classes that are
// too small to hide anything widen, within the same length: to the script's other
// letters of that category, to the neighbourhood, to the script, to the category.
func targetsOf(members, masked []rune) []rune {
	stable := filter(members, func(r rune) bool { return norm.NFC.IsNormalString(string(r)) && !unicode.Is(unicode.Deprecated, r) })
	plain := filter(stable, func(r rune) bool { return unicode.In(r, core...) })
	paired := filter(stable, hasPartner)
	for _, set := range [][]rune{plain, paired, stable, members} {
		if len(set) >= few {
			return set
		}
	}
	if len(stable) >= 2 {
		return stable
	}
	only := members[0]
	script, category, length := scriptOf(only), categoryOf(only), utf8.RuneLen(only)
	for _, alike := range []func(rune) bool{
		func(r rune) bool { return scriptOf(r) == script && categoryOf(r) == category },
		func(r rune) bool { return r&^0x7F == only&^0x7F && categoryOf(r) == category && hasPartner(r) },
		func(r rune) bool { return scriptOf(r) == script && unicode.IsLetter(r) == unicode.IsLetter(only) },
		func(r rune) bool { return categoryOf(r) == category },
	} {
		set := filter(masked, func(r rune) bool {
			return utf8.RuneLen(r) == length && norm.NFC.IsNormalString(string(r)) && alike(r)
		})
		if len(set) >= 2 {
			return set
		}
	}
	return members
}

// scripts holds the script of each code point that has one; the generator asks for
// the same ones millions of times.
var scripts = func() []string {
	of := make([]string, unicode.MaxRune+1)
	for name, table := range unicode.Scripts {
		for _, r := range table.R16 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				of[c] = name
			}
		}
		for _, r := range table.R32 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				of[c] = name
			}
		}
	}
	return of
}()

func scriptOf(r rune) string {
	if name := scripts[r]; name != "" {
		return name
	}
	return "Common"
}

func categoryOf(r rune) string {
	for _, c := range []string{"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "So"} {
		if unicode.Is(unicode.Categories[c], r) {
			return c
		}
	}
	return ""
}

// hasPartner reports whether r changes case and back, within the same length: so
// that values which are equal but for case stay of one length.
func hasPartner(r rune) bool {
	other := unicode.ToUpper(r)
	if unicode.IsUpper(r) {
		other = unicode.ToLower(r)
	}
	back := unicode.ToLower(other)
	if unicode.IsUpper(r) {
		back = unicode.ToUpper(other)
	}
	return other != r && back == r && utf8.RuneLen(other) == utf8.RuneLen(r)
}

func filter(rs []rune, keep func(rune) bool) []rune {
	return slices.DeleteFunc(slices.Clone(rs), func(r rune) bool { return !keep(r) })
}

// ranges spells sorted code points as ranges with a step.
func ranges(rs []rune) string {
	var out []string
	for i := 0; i < len(rs); {
		j, step := i, rune(1)
		if i+1 < len(rs) {
			step = rs[i+1] - rs[i]
			for j+1 < len(rs) && rs[j+1]-rs[j] == step {
				j++
			}
		}
		switch {
		case j == i || (j == i+1 && step > 1): // two that are apart are not a range
			out = append(out, fmt.Sprintf("%04X", rs[i]))
			i++
			continue
		case step == 1:
			out = append(out, fmt.Sprintf("%04X-%04X", rs[i], rs[j]))
		default:
			out = append(out, fmt.Sprintf("%04X-%04X/%X", rs[i], rs[j], step))
		}
		i = j + 1
	}
	return strings.Join(out, " ")
}
