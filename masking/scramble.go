package masking

import (
	"crypto/aes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// tells reports whether a character beyond ASCII may stand for something: a letter,
// also one in a circle or a square, a mark, a number, Braille, and what is private or
// not assigned. All else is layout.
func tells(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r) || letters().class(r) != keptClass
}

// scrambler masks what a format-preserving transform finds in a column and does
// not know: a word among phone numbers. It is immutable and safe for concurrent use.
type scrambler struct {
	prf      *prf
	equality Equality
}

func newScrambler(key [KeySize]byte, e Equality) *scrambler {
	return &scrambler{prf: newPRF(key), equality: e}
}

// add adds v with a keyed digit for every digit and a keyed Latin letter for
// every letter, mark or number, and for every byte that is not UTF-8: as many
// characters as before, but for marks that make no difference. The canonical form and
// the place choose, so that equal values have equal masks. It works in the first two
// blocks of s.
func (c *scrambler) add(out *textBuilder, v []byte, s *scratch) {
	block, counter := &s.block[0], &s.block[1]
	c.prf.sumUnder(block, s, v, c.equality)
	seed := *block
	out.grow(len(v))
	n := 0
	next := func() rune {
		if n%aes.BlockSize == 0 {
			*counter = seed
			low := binary.BigEndian.Uint64(counter[8:])
			binary.BigEndian.PutUint64(counter[8:], low^uint64(n/aes.BlockSize+1))
			c.prf.block.Encrypt(counter[:], counter[:])
		}
		n++
		return rune(counter[(n-1)%aes.BlockSize])
	}
	for i := 0; i < len(v); {
		r, size := utf8.DecodeRune(v[i:])
		i += size
		switch {
		case '0' <= r && r <= '9':
			r = '0' + next()*10>>8
		case 'A' <= r && r <= 'Z':
			r = 'A' + next()*26>>8
		case r >= utf8.RuneSelf && c.equality&(FoldAccents|foldsMore) != 0 && unicode.Is(unicode.Mn, r):
			continue
		case 'a' <= r && r <= 'z', r == utf8.RuneError,
			r >= utf8.RuneSelf && tells(r):
			r = 'a' + next()*26>>8
		}
		out.buf = utf8.AppendRune(out.buf, r)
	}
	out.end()
}
