package masking

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
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

// firstNameless is where the characters begin that Unicode leaves to private use in its last
// planes: connectors give such to what an encoding has and Unicode does not, as 0x81 in Windows'
// 1252. The encoding holds those alone that its values have.
const firstNameless = 0xF0000

// mayHoldOf is mayHold where the database has the text was.
func (c Charset) mayHoldOf(r rune, was []byte) bool {
	return c.mayHold(r) || r >= firstNameless && bytes.ContainsRune(was, r)
}

// appendHeld appends what a shapeTransform has made of src, which is as long, with a sign for each
// nameless character: the one of four bytes is not in such an encoding. dst may be where shaped begins.
func (c Charset) appendHeld(dst, shaped, src []byte) []byte {
	if c != Latin1 && c != ASCII || isASCII(src) {
		return append(dst, shaped...)
	}
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r >= firstNameless {
			dst = append(dst, unknown1)
		} else {
			dst = append(dst, shaped[i:i+size]...)
		}
		i += size
	}
	return dst
}
