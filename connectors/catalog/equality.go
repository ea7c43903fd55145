package catalog

import (
	"fmt"
	"strings"
)

// Equality says which texts a database calls equal although their bytes differ.
// The zero Equality is that of the bytes.
type Equality uint16

// The equalities; a type may have several of them.
const (
	// FoldASCII makes no difference between a–z and A–Z: SQLite's NOCASE.
	FoldASCII Equality = 1 << iota
	// FoldCase makes none between the cases of any letter.
	FoldCase
	// FoldAccents makes none between letters with and without marks.
	FoldAccents
	// PadSpace makes none by blanks at the end.
	PadSpace
	// FoldUnknown is an equality that we cannot follow.
	FoldUnknown
	// FoldForms makes none between equivalent forms of a text, and by what collations of
	// the Unicode Collation Algorithm pass over: what nobody sees, the script of digits.
	FoldForms
	// FoldAstral makes none between characters above U+FFFF.
	FoldAstral
	// FoldSharpS takes ß for one s, and not for two.
	FoldSharpS
	// FoldSwedish takes ü for y, ä for æ and ð for d.
	FoldSwedish
)

var equalityNames = []string{"ascii case", "case", "accents", "blanks", "unknown", "forms", "astral", "sharp s", "swedish"}

// String returns what makes no difference, joined by plus signs; "" if everything
// makes one.
func (e Equality) String() string {
	var words []string
	for i, name := range equalityNames {
		if e&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	return strings.Join(words, "+")
}

// MarshalText writes what String returns.
func (e Equality) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Equality) UnmarshalText(b []byte) error {
	*e = 0
	for word := range strings.SplitSeq(string(b), "+") {
		found := word == ""
		for i, name := range equalityNames {
			if name == word {
				*e |= 1 << i
				found = true
			}
		}
		if !found {
			return fmt.Errorf("catalog: unknown equality %q", b)
		}
	}
	return nil
}

// Charset is the set of characters that a database, or a column, can hold.
type Charset uint8

// The character sets.
const (
	Unicode Charset = iota // all of it: UTF-8
	BMP                    // up to U+FFFF: MySQL's utf8mb3 and ucs2
	Latin1                 // up to U+00FF: LATIN1, and the sure part of Windows' 1252
	ASCII                  // no encoding, and every one that we do not know better
)

var charsetNames = [...]string{"unicode", "bmp", "latin1", "ascii"}

// String returns the set's lower-case name.
func (c Charset) String() string {
	if int(c) < len(charsetNames) {
		return charsetNames[c]
	}
	return fmt.Sprintf("charset(%d)", uint8(c))
}

// MarshalText writes the set by name.
func (c Charset) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Charset) UnmarshalText(b []byte) error {
	for i, name := range charsetNames {
		if name == string(b) {
			*c = Charset(i)
			return nil
		}
	}
	return fmt.Errorf("catalog: unknown character set %q", b)
}
