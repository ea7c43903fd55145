package masking

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// byLetters is the equality for what masks letter by letter, or chooses a name by the letters
// that stood there: where equivalent forms are one, é is e and a mark, which have to become
// as many letters as é.
func (e Equality) byLetters() Equality {
	if e&FoldForms != 0 {
		e |= FoldAccents
	}
	return e
}

// visibleASCII reports whether v is ASCII without what a collation passes over.
func visibleASCII(v []byte) bool {
	for len(v) >= 8 && printable(binary.LittleEndian.Uint64(v)) {
		v = v[8:]
	}
	if len(v) < 8 {
		if w, _ := load(v); printable(w | ' '*ones<<(8*len(v))) {
			return true
		}
	}
	for _, c := range v {
		if c >= utf8.RuneSelf || unseen(rune(c)) {
			return false
		}
	}
	return true
}

// printable reports whether eight bytes are all of ASCII from the space to the tilde.
func printable(w uint64) bool {
	return (w|(w+ones))&highBits == 0 && ((w|highBits)-' '*ones)&highBits == highBits
}

// unseen reports whether the Unicode Collation Algorithm passes over r: controls that are no
// white space, and characters of format, such as the zero-width joiner.
func unseen(r rune) bool {
	switch {
	case r < ' ':
		return r < '\t' || r > '\r'
	case r < 0x7F:
		return false
	case r < 0xA0:
		return r != 0x85
	}
	return unicode.Is(unicode.Cf, r) || r == 'ـ' // by which Arabic stretches a word
}

// canonicalMore is canonical for the equalities that few collations have.
func (s *scratch) canonicalMore(v []byte, e Equality) []byte {
	from := len(s.text)
	if e&(FoldAstral|FoldSwedish) != 0 {
		// Before anything is decomposed: 𝐀 is then no A, and ü no u.
		for i := 0; i < len(v); {
			r, size := utf8.DecodeRune(v[i:])
			if whole := e.whole(r); whole != r {
				s.text = utf8.AppendRune(s.text, whole)
			} else {
				s.text = append(s.text, v[i:i+size]...)
			}
			i += size
		}
		v = s.text[from:]
		from = len(s.text) // an append that moves s.text leaves v where it is
	}
	s.parts.begin(e.form(), v)
	for part := s.parts.next(); part != nil; part = s.parts.next() {
		for len(part) > 0 {
			r, size := utf8.DecodeRune(part)
			if r == utf8.RuneError && size == 1 {
				s.text = append(s.text, part[0])
			} else if r != '·' || e&FoldAccents == 0 || e&FoldForms == 0 || !bytes.HasSuffix(s.text[from:], []byte{'l'}) {
				s.text = appendBase1(s.text, r, e) // and l· is l, as ŀ is
			}
			part = part[size:]
		}
	}
	return s.text[from:len(s.text):len(s.text)]
}

// whole returns what a character is taken for before it is decomposed.
func (e Equality) whole(r rune) rune {
	if r > 0xFFFF && e&FoldAstral != 0 {
		return utf8.RuneError
	}
	if e&FoldSwedish != 0 {
		switch r {
		case 'ü', 'Ü':
			return 'y'
		case 'ä', 'Ä':
			return 'æ'
		case 'ð', 'Ð':
			return 'd'
		}
	}
	return r
}

// form is Unicode's form in which texts are compared: compatible characters differ where
// cases do.
func (e Equality) form() norm.Form {
	if e&(FoldCase|FoldAccents) == 0 {
		return norm.NFD
	}
	return norm.NFKD
}

// appendBasesMore is appendBasesUnder for the equalities of canonicalMore.
func appendBasesMore(dst []rune, r rune, raw []byte, e Equality) []rune {
	if whole := e.whole(r); whole != r {
		if r, raw = whole, utf8.AppendRune(nil, whole); r == utf8.RuneError || r < utf8.RuneSelf {
			return append(dst, r)
		}
	}
	if (r == 'Ŀ' || r == 'ŀ') && e&FoldForms != 0 && e&FoldAccents != 0 {
		return append(dst, 'l')
	}
	if r >= 0x4E00 && r < 0xA000 || r >= 0xAC00 && r < 0xD7A4 {
		return append(dst, r) // decomposed, a syllable is as equal as whole
	}
	parts := e.form().Properties(raw).Decomposition()
	if parts == nil {
		parts = raw
	}
	var room [16]byte
	for len(parts) > 0 {
		p, size := utf8.DecodeRune(parts)
		parts = parts[size:]
		for _, base := range string(appendBase1(room[:0], p, e)) {
			dst = append(dst, base)
		}
	}
	return dst
}

// appendBase1 appends what a character that is decomposed already is compared by.
func appendBase1(dst []byte, r rune, e Equality) []byte {
	if e&FoldForms != 0 {
		if unseen(r) {
			return dst
		}
		if unicode.Is(unicode.Nd, r) {
			if d, is := digitValue(r); is {
				r = '0' + rune(d)
			}
		}
		if e&(FoldCase|FoldAccents) != 0 {
			r = kin(r)
		}
	}
	if e&FoldAccents != 0 && unicode.Is(unicode.Mn, r) {
		return dst
	}
	if e&(FoldCase|FoldAccents) != 0 {
		r = fold(r)
	}
	if e&FoldAccents != 0 {
		switch base, spelled := baseLetters[r]; {
		case r == 'ß' && e&FoldSharpS != 0:
			r = 's'
		case spelled:
			return append(dst, base...)
		case r == 'ґ' && e&FoldForms != 0:
			r = 'г'
		case r == 'ð' && e&FoldForms != 0:
			r = 'd'
		}
	}
	return utf8.AppendRune(dst, r)
}

// kin returns the letter that r is a form of to a collation without cases: of a kana the
// large hiragana, of a Hebrew letter at the end of a word the usual one, of a letter in a box the letter.
func kin(r rune) rune {
	switch {
	case r < 0x5DA:
		return r
	case r < 0x5EA:
		switch r {
		case 'ך', 'ם', 'ן', 'ף', 'ץ':
			return r + 1
		}
		return r
	case r >= 0x1F150 && r <= 0x1F169, r >= 0x1F170 && r <= 0x1F189:
		return 'a' + (r-0x1F150)%32
	case r >= 0x30A1 && r <= 0x30F6:
		r -= 0x60
	case r >= 0x31F0 && r <= 0x31FF:
		r = []rune("くしすとぬはひふへほむらりるれろ")[r-0x31F0]
	}
	switch r {
	case 'ぁ', 'ぃ', 'ぅ', 'ぇ', 'ぉ', 'っ', 'ゃ', 'ゅ', 'ょ', 'ゎ':
		return r + 1
	case 'ゕ':
		return 'か'
	case 'ゖ':
		return 'け'
	}
	return r
}
