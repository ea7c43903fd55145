package masking

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Equality says which texts a database calls equal although their bytes differ.
// The zero Equality is that of the bytes. A keyed function goes by the canonical
// form of a value, so that what is one key in production is one key in the copy;
// and what it makes stays apart under the same equality.
type Equality uint16

// The equalities; a column may have several of them.
const (
	// FoldASCII makes no difference between a–z and A–Z: SQLite's NOCASE.
	FoldASCII Equality = 1 << iota
	// FoldCase makes none between the cases of any letter: citext, and collations
	// that end in _ci or have the ICU strength secondary.
	FoldCase
	// FoldAccents makes none between letters with and without marks, ligatures and
	// their letters, wide and narrow forms: collations that end in _ai_ci, and those of
	// the ICU strength primary.
	FoldAccents
	// PadSpace makes none by blanks at the end: char(n), SQLite's RTRIM, and MySQL's
	// collations with PAD SPACE.
	PadSpace
	// FoldUnknown is an equality that we cannot follow. Only a transform that does not
	// go by the value takes such a column.
	FoldUnknown
	// FoldForms makes none between texts that Unicode calls equivalent, and by what
	// collations of the Unicode Collation Algorithm pass over: characters that nobody sees, the
	// script of digits, and, with FoldCase or FoldAccents, wide forms and the two kanas.
	FoldForms
	// FoldAstral makes none between characters above U+FFFF: MySQL's general_ci and
	// unicode_ci, to which all emoji are one.
	FoldAstral
	// FoldSharpS takes ß for one s, and not for two: MySQL's general_ci.
	FoldSharpS
	// FoldSwedish takes ü for y, ä for æ and ð for d, as Swedish collations do.
	FoldSwedish
)

// foldsMore are the equalities that canonicalMore follows.
const foldsMore = FoldForms | FoldAstral | FoldSharpS | FoldSwedish

var equalityNames = []string{"case of a–z", "case", "accents", "blanks at the end", "unknown", "equivalent forms", "characters above U+FFFF", "s and ß", "y and ü"}

// String returns what makes no difference, in words; "bytes" if everything makes one.
func (e Equality) String() string {
	var words []string
	for i, name := range equalityNames {
		if e&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	if words == nil {
		return "bytes"
	}
	return "regardless of " + strings.Join(words, ", ")
}

// unpadded returns v without the blanks at its end that make no difference.
func (e Equality) unpadded(v []byte) []byte {
	if e&PadSpace != 0 {
		return bytes.TrimRight(v, " ")
	}
	return v
}

// Canonical returns what all texts have in common that are equal to v under e, and no others.
func (e Equality) Canonical(v string) string {
	s := getScratch()
	defer s.free()
	return string(s.canonical([]byte(v), e))
}

// canonical returns the canonical form of v under e: v's own bytes if they are
// that already, else a copy in s.text, good until s.text is emptied. Values that
// the database calls equal have one canonical form.
//
// FoldAccents follows the primary weights of the Unicode Collation Algorithm
// (UTS #10): compatibility decomposition without marks, and the letters that the
// default table spells out or strokes through.
func (s *scratch) canonical(v []byte, e Equality) []byte {
	v = e.unpadded(v)
	if e&foldsMore != 0 && !visibleASCII(v) {
		return s.canonicalMore(v, e)
	}
	if e&(FoldASCII|FoldCase|FoldAccents) == 0 || plainLower(v) {
		return v
	}
	// An append that moves s.text leaves the earlier messages where they are.
	from := len(s.text)
	switch {
	case isASCII(v):
		s.text = appendLowered(s.text, v)
	case e&(FoldCase|FoldAccents) == 0:
		for _, c := range v {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			s.text = append(s.text, c)
		}
	case e&FoldAccents == 0:
		s.text = appendFolded(s.text, v)
	default:
		s.parts.begin(norm.NFKD, v)
		for part := s.parts.next(); part != nil; part = s.parts.next() {
			s.text = appendBase(s.text, part)
		}
	}
	return s.text[from:len(s.text):len(s.text)]
}

// plainLower reports whether no character of v is a capital, or beyond ASCII.
func plainLower(v []byte) bool {
	for ; len(v) >= 8; v = v[8:] {
		if w := binary.LittleEndian.Uint64(v); w&highBits != 0 || lowered(w) != w {
			return false
		}
	}
	w, _ := load(v)
	return w&highBits == 0 && lowered(w) == w
}

// appendFolded appends v with the case of every letter folded. Bytes that are not
// UTF-8 stay.
func appendFolded(dst, v []byte) []byte {
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, v[0])
		} else {
			dst = utf8.AppendRune(dst, fold(r))
		}
		v = v[size:]
	}
	return dst
}

// appendBase appends decomposed text without its marks and with its case folded.
func appendBase(dst, v []byte) []byte {
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, v[0])
		case r < utf8.RuneSelf:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			dst = append(dst, byte(r))
		case unicode.Is(unicode.Mn, r):
		default:
			r = fold(r)
			if base, spelled := baseLetters[r]; spelled {
				dst = append(dst, base...)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
		v = v[size:]
	}
	return dst
}

// baseLetters are the letters whose primary weights are those of others, though no
// decomposition says so.
var baseLetters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ħ': "h", 'ŧ': "t", 'ς': "σ",
}
