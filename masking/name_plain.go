package masking

import (
	"bytes"
	"slices"
)

// Most names are plain: one word of ASCII, or two of a person. They are read and
// written here as words of memory, with the same result as parse and choose have.

// What is noted of a lane: that it is not plain, or so many words.
const (
	plainNo = iota
	plainOne
	plainTwo
)

// plainLists returns the lists that plain words are chosen from: of the only word and
// the first one of two, and of the second one. A nil is what parse has to see.
func (t *nameTransform) plainLists() [2]*nameList {
	pool := uint8(poolASCII)
	if t.fixed != poolNone {
		pool = t.fixed
	}
	switch p := &t.pools[t.poolFor(pool)]; {
	case t.variant == firstName:
		return [2]*nameList{&p.given, nil}
	case t.variant == lastName:
		return [2]*nameList{&p.family, nil}
	case p.unspaced:
		return [2]*nameList{}
	case p.familyFirst:
		return [2]*nameList{&p.given, nil}
	default:
		return [2]*nameList{&p.given, &p.family}
	}
}

// readPlain puts the words of the lane's message into the lane if they are plain:
// the first one into l and r, the second one into a and b, and their styles into
// tweak. It appends the canonical form to s.text.
func (t *nameTransform) readPlain(s *scratch, lane int, lists *[2]*nameList) bool {
	v := s.msg[lane]
	if lists[0] == nil {
		return false
	}
	s.text = slices.Grow(s.text, 3*16)
	if one, plain := plainWord(v); plain {
		s.l[lane], s.r[lane] = one.lo, one.hi
		s.tweak[lane] = uint64(one.style(one.upper, one.lower))
		s.text = addShort(s.text, one.lo, one.hi, len(v))
		s.which[lane] = plainOne
		return true
	}
	if lists[1] == nil {
		return false
	}
	blank := bytes.IndexByte(v, ' ')
	if blank <= 0 {
		return false
	}
	one, plain := plainWord(v[:blank])
	other, alike := plainWord(v[blank+1:])
	if !plain || !alike {
		return false
	}
	s.l[lane], s.r[lane], s.a[lane], s.b[lane] = one.lo, one.hi, other.lo, other.hi
	upper, lower := one.upper+other.upper, one.lower+other.lower
	s.tweak[lane] = uint64(one.style(upper, lower)) | uint64(other.style(upper, lower))<<8
	s.text = append(addShort(s.text, one.lo, one.hi, blank), ' ')
	s.text = addShort(s.text, other.lo, other.hi, len(v)-blank-1)
	s.which[lane] = plainTwo
	return true
}

// style returns the style of a word in a name with so many letters of each case.
func (p *plainText) style(upper, lower int) nameStyle {
	switch {
	case upper == 0 && lower > 0:
		return allLower
	case lower == 0 && upper > 1, p.lower == 0 && p.upper > 1:
		return allUpper
	}
	return asListed
}

// addPlain adds the mask of a lane that holds plain words, if the names that are
// chosen are short, fit, and are not the words themselves. It reports false else.
func (t *nameTransform) addPlain(out *textBuilder, lists *[2]*nameList, s *scratch, lane int) bool {
	one := &lists[0].plain[pick(s.block[lane][:4], len(lists[0].plain))]
	size := one.size
	if size == 0 || lowered(one.lo) == s.l[lane] && lowered(one.hi) == s.r[lane] {
		return false
	}
	var other *shortText
	if s.which[lane] == plainTwo {
		other = &lists[1].plain[pick(s.chain[lane][:4], len(lists[1].plain))]
		if other.size == 0 || lowered(other.lo) == s.a[lane] && lowered(other.hi) == s.b[lane] {
			return false
		}
		size += 1 + other.size
	}
	if t.maxChars > 0 && size > t.maxChars || t.maxBytes > 0 && size > t.maxBytes {
		return false
	}
	out.grow(3 * 16)
	lo, hi := one.in(nameStyle(s.tweak[lane]))
	out.buf = addShort(out.buf, lo, hi, one.size)
	if other != nil {
		lo, hi = other.in(nameStyle(s.tweak[lane] >> 8))
		out.buf = addShort(append(out.buf, ' '), lo, hi, other.size)
	}
	out.end()
	return true
}
