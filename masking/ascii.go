package masking

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The functions here work on eight characters of ASCII at a time, as the bytes of a
// word below 0x80 each. Their masks have the high bit of each byte that is meant.

// upperMask returns which bytes are A–Z.
func upperMask(w uint64) uint64 {
	return (w + (0x80-'A')*ones) &^ (w + (0x7f-'Z')*ones) & highBits
}

// lowerMask returns which bytes are a–z.
func lowerMask(w uint64) uint64 {
	return (w + (0x80-'a')*ones) &^ (w + (0x7f-'z')*ones) & highBits
}

// lowered returns w in small letters, raised in capitals.
func lowered(w uint64) uint64 { return w | upperMask(w)>>2 }
func raised(w uint64) uint64  { return w &^ (lowerMask(w) >> 2) }

// appendLowered appends a text of ASCII in small letters.
func appendLowered(dst, v []byte) []byte {
	from := len(dst)
	dst = slices.Grow(dst, len(v)+8)[:from+len(v)]
	room := dst[from : from+len(v)+8]
	for len(v) >= 8 {
		binary.LittleEndian.PutUint64(room, lowered(binary.LittleEndian.Uint64(v)))
		v, room = v[8:], room[8:]
	}
	w, _ := load(v)
	binary.LittleEndian.PutUint64(room, lowered(w))
	return dst
}

// shortText is a text of at most 15 bytes of ASCII, or none if its size is 0. It has the
// same length in memory whatever it is: so it is copied and compared without a call.
type shortText struct {
	lo, hi uint64 // zeros follow the text
	size   int
}

func newShortText(text string) (s shortText) {
	if len(text) < 16 && isASCII([]byte(text)) {
		s.lo, s.hi = load([]byte(text))
		s.size = len(text)
	}
	return s
}

// in returns the text in a style.
func (s *shortText) in(style nameStyle) (lo, hi uint64) {
	switch style {
	case allUpper:
		return raised(s.lo), raised(s.hi)
	case allLower:
		return lowered(s.lo), lowered(s.hi)
	}
	return s.lo, s.hi
}

// addShort appends what of two words is text. There is room for 16 bytes, whatever its size.
func addShort(dst []byte, lo, hi uint64, size int) []byte {
	room := dst[len(dst):][:16]
	binary.LittleEndian.PutUint64(room, lo)
	binary.LittleEndian.PutUint64(room[8:], hi)
	return dst[:len(dst)+size]
}

// afterText holds what to put behind a text of so many bytes, so that its two words have
// no blanks.
var afterText = func() (f [16][2]uint64) {
	for n := range f {
		for i := n; i < 16; i++ {
			f[n][i/8] |= '!' << (i % 8 * 8)
		}
	}
	return f
}()

// plainText is one word of ASCII in small letters, with zeros behind it.
type plainText struct {
	lo, hi       uint64
	upper, lower int // how many letters have had that case
}

// plainWord reads a text that is one word of at most 15 characters of ASCII, none
// of them white space, control, comma or semicolon, and two or more, or none, of
// them letters.
func plainWord(v []byte) (p plainText, ok bool) {
	if uint(len(v)-1) >= 15 {
		return p, false
	}
	p.lo, p.hi = load(v)
	behind := &afterText[len(v)]
	a, b := p.lo|behind[0], p.hi|behind[1]
	// The high bit is set of each byte that is above 0x7f, below '!', or one of the two signs.
	bad := a | b | ^(a + (0x80-'!')*ones) | ^(b + (0x80-'!')*ones) |
		^((a ^ ','*ones) + 0x7f*ones) | ^((b ^ ','*ones) + 0x7f*ones) |
		^((a ^ ';'*ones) + 0x7f*ones) | ^((b ^ ';'*ones) + 0x7f*ones)
	if bad&highBits != 0 {
		return p, false
	}
	a, b = upperMask(p.lo), upperMask(p.hi)
	p.upper = bits.OnesCount64(a>>1 | b)
	p.lower = bits.OnesCount64(lowerMask(p.lo)>>1 | lowerMask(p.hi))
	p.lo, p.hi = p.lo|a>>2, p.hi|b>>2
	return p, p.upper+p.lower != 1 // else an initial, perhaps
}
