package masking

import (
	"strings"
	"unicode"
)

// Charset is the set of characters that a database can hold. What is masked stays
// within it; what stays as it is was in it already.
type Charset uint8

// The character sets.
const (
	Unicode Charset = iota // UTF-8, utf8mb4
	BMP                    // up to U+FFFF: MySQL's utf8mb3 and ucs2
	Latin1                 // up to U+00FF: LATIN1; also Windows' 1252, of which it is the sure part
	ASCII                  // SQL_ASCII, and every encoding that we do not know better
)

var charsetNames = [...]string{"Unicode", "the Basic Multilingual Plane", "Latin-1", "ASCII"}

// String returns the set's name.
func (c Charset) String() string { return charsetNames[c] }

// Holds reports whether r is in the set.
func (c Charset) Holds(r rune) bool {
	switch c {
	case Unicode:
		return true
	case BMP:
		return r <= 0xFFFF
	case Latin1:
		return r <= unicode.MaxLatin1
	}
	return r <= unicode.MaxASCII
}

// windows are the characters of Windows' 1252 beyond Latin-1.
const windows = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"

// mayHold reports whether r is in an encoding of which the set is the sure part.
func (c Charset) mayHold(r rune) bool {
	return c.Holds(r) || c == ASCII || c == Latin1 && strings.ContainsRune(windows, r)
}
