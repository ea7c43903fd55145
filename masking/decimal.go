package masking

import (
	"bytes"
	"strconv"
	"sync"
	"unsafe"
)

// number is a decimal number as it is written. Its value is
// ±digits · 10^−scale; the digits stand in space of the caller's.
type number struct {
	negative bool
	digits   []byte // their values, 0 to 9, the first of them not 0; empty is 0
	scale    int    // how many decimal places were written, at least 0
}

// mostExponent bounds what an exponent may blow a number up to.
const mostExponent = 2000

// parseNumber reads a decimal number, with or without sign, point and exponent,
// as databases print and take it. Its digits are appended to dst, which comes back
// too. ok is false for everything else, NaN and the infinities included.
func parseNumber(dst, v []byte) (n number, space []byte, ok bool) {
	from := len(dst)
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		n.negative = v[0] == '-'
		v = v[1:]
	}
	any, point := false, false
	for len(v) > 0 {
		switch c := v[0]; {
		case c-'0' <= 9:
			any = true
			if point {
				n.scale++
			}
			if c != '0' || len(dst) > from {
				dst = append(dst, c-'0')
			}
		case c == '.' && !point:
			point = true
		case c|0x20 == 'e' && any:
			exponent, well := parseExponent(v[1:])
			if !well {
				return number{}, dst[:from], false
			}
			n.scale -= exponent
			for n.scale < 0 {
				n.scale++
				if len(dst) > from {
					dst = append(dst, 0)
				}
			}
			v = v[:1]
		default:
			return number{}, dst[:from], false
		}
		v = v[1:]
	}
	n.digits = dst[from:len(dst):len(dst)]
	n.negative = n.negative && len(n.digits) > 0 // −0 is 0
	return n, dst, any
}

func parseExponent(v []byte) (e int, ok bool) {
	negative := false
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		negative = v[0] == '-'
		v = v[1:]
	}
	if len(v) == 0 {
		return 0, false
	}
	for _, c := range v {
		if c -= '0'; c > 9 {
			return 0, false
		}
		if e = e*10 + int(c); e > mostExponent {
			return 0, false
		}
	}
	if negative {
		e = -e
	}
	return e, true
}

// canonical returns n without the zeros at the end of its decimal places: 1.0,
// 1.00 and 01 have one canonical form.
func (n number) canonical() number {
	for n.scale > 0 && (len(n.digits) == 0 || n.digits[len(n.digits)-1] == 0) {
		n.scale--
		n.digits = n.digits[:max(len(n.digits)-1, 0)]
	}
	return n
}

// at returns n with so many decimal places, −2 for hundreds: zeros are appended to space,
// digits are cut, and cut reports whether one of those was not 0.
func (n number) at(scale int, space []byte) (m number, grown []byte, cut bool) {
	if scale >= n.scale {
		from := len(space)
		space = append(space, n.digits...)
		for ; n.scale < scale; n.scale++ {
			if len(n.digits) > 0 {
				space = append(space, 0)
			}
		}
		n.digits = space[from:len(space):len(space)]
		return n, space, false
	}
	keep := max(len(n.digits)-(n.scale-scale), 0)
	for _, d := range n.digits[keep:] {
		cut = cut || d != 0
	}
	n.digits, n.scale = n.digits[:keep], scale
	return n, space, cut
}

// append writes n with zeros behind its decimal places up to scale.
func (n number) append(dst []byte, scale int) []byte {
	if n.negative && len(n.digits) > 0 {
		dst = append(dst, '-')
	}
	whole := len(n.digits) - n.scale
	if whole <= 0 {
		dst = append(dst, '0')
	}
	for _, d := range n.digits[:max(whole, 0)] {
		dst = append(dst, '0'+d)
	}
	if max(scale, n.scale) == 0 {
		return dst
	}
	dst = append(dst, '.')
	for ; whole < 0; whole++ {
		dst = append(dst, '0')
	}
	for _, d := range n.digits[whole:] {
		dst = append(dst, '0'+d)
	}
	for ; scale > n.scale; scale-- {
		dst = append(dst, '0')
	}
	return dst
}

// length returns how many bytes append writes.
func (n number) length(scale int) int {
	return 3 + max(len(n.digits), n.scale) + max(scale-n.scale, 0)
}

// compare returns −1, 0 or 1 as n is less than, equal to or greater than m.
func (n number) compare(m number) int {
	if n.negative != m.negative {
		if n.negative {
			return -1
		}
		return 1
	}
	c := compareSizes(n, m)
	if n.negative {
		return -c
	}
	return c
}

func compareSizes(n, m number) int {
	if a, b := len(n.digits)-n.scale, len(m.digits)-m.scale; a != b && len(n.digits) > 0 && len(m.digits) > 0 {
		if a < b {
			return -1
		}
		return 1
	}
	common := min(len(n.digits), len(m.digits))
	if c := bytes.Compare(n.digits[:common], m.digits[:common]); c != 0 {
		return c
	}
	for _, d := range n.digits[common:] {
		if d != 0 {
			return 1
		}
	}
	for _, d := range m.digits[common:] {
		if d != 0 {
			return -1
		}
	}
	return 0
}

// size returns the digits as an integer; ok is false for more than 18.
func (n number) size() (v uint64, ok bool) {
	if len(n.digits) > 18 {
		return 0, false
	}
	return readDigits(n.digits), true
}

// sized returns the number of v units of 10^−scale, whose digits are appended to space.
func sized(negative bool, v uint64, scale int, space []byte) (number, []byte) {
	from := len(space)
	space = strconv.AppendUint(space, v, 10)
	if v == 0 {
		space = space[:from]
	}
	for i := from; i < len(space); i++ {
		space[i] -= '0'
	}
	return number{negative: negative, digits: space[from:len(space):len(space)], scale: scale}, space
}

// appendCanonicalDecimal appends the one form of the number in v that all texts of
// equal value have, as the message of a keyed function: 1.0, 1.00, 01 and 1e0 are
// 1, −0 is 0. What is no number (NaN, Infinity) is appended as it is.
func appendCanonicalDecimal(dst, v []byte) []byte {
	if plainInteger(v) {
		return append(dst, v...)
	}
	from := len(dst)
	n, grown, ok := parseNumber(dst, v)
	if !ok {
		return append(grown[:from], v...)
	}
	// The form is written behind the digits that it is made of, and moved to their place.
	n = n.canonical()
	written := len(grown)
	grown = n.append(grown, 0)
	return append(grown[:from], grown[written:]...)
}

// plainInteger reports whether v is an integer in its canonical form.
func plainInteger(v []byte) bool {
	_, ok := parseCanonical(v)
	return ok
}

// natural is a whole number of any size: base 10⁹, the least limb first, the last
// one not 0. Its methods work in the space of their receiver and return what it has become.
type natural []uint32

const (
	limb       = 1_000_000_000
	limbDigits = 9
)

func (n natural) setDigits(digits []byte) natural {
	n = n[:0]
	for end := len(digits); end > 0; end -= limbDigits {
		n = append(n, uint32(readDigits(digits[max(end-limbDigits, 0):end])))
	}
	return n.trim()
}

func (n natural) set(m natural) natural { return append(n[:0], m...) }

// nines sets n to 10^digits − 1.
func (n natural) nines(digits int) natural {
	n = n[:0]
	for ; digits >= limbDigits; digits -= limbDigits {
		n = append(n, limb-1)
	}
	return append(n, uint32(pow10[digits]-1)).trim()
}

func (n natural) trim() natural {
	for len(n) > 0 && n[len(n)-1] == 0 {
		n = n[:len(n)-1]
	}
	return n
}

// times multiplies by k, at most 10⁹.
func (n natural) times(k uint64) natural {
	carry := uint64(0)
	for i, l := range n {
		carry += uint64(l) * k
		n[i] = uint32(carry % limb)
		carry /= limb
	}
	for ; carry > 0; carry /= limb {
		n = append(n, uint32(carry%limb))
	}
	return n.trim()
}

// shift drops limbs: it divides by 10^(9·limbs).
func (n natural) shift(limbs int) natural {
	if len(n) <= limbs {
		return n[:0]
	}
	return n[:copy(n, n[limbs:])]
}

// unshift multiplies by 10⁹.
func (n natural) unshift() natural {
	if len(n) == 0 {
		return n
	}
	n = append(n, 0)
	copy(n[1:], n)
	n[0] = 0
	return n
}

func (n natural) add(m natural) natural {
	carry := uint32(0)
	for i := 0; i < len(m) || carry > 0; i++ {
		if i == len(n) {
			n = append(n, 0)
		}
		sum := n[i] + carry
		if i < len(m) {
			sum += m[i]
		}
		carry = 0
		if sum >= limb {
			sum, carry = sum-limb, 1
		}
		n[i] = sum
	}
	return n
}

// subtract takes away m, at most n.
func (n natural) subtract(m natural) natural {
	borrow := uint32(0)
	for i := range n {
		less := borrow
		if i < len(m) {
			less += m[i]
		}
		borrow = 0
		if n[i] < less {
			n[i] += limb
			borrow = 1
		}
		n[i] -= less
	}
	return n.trim()
}

func (n natural) compare(m natural) int {
	if len(n) != len(m) {
		if len(n) < len(m) {
			return -1
		}
		return 1
	}
	for i := len(n) - 1; i >= 0; i-- {
		if n[i] != m[i] {
			if n[i] < m[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// appendTo appends the digits of n to space.
func (n natural) appendTo(space []byte) []byte {
	from := len(space)
	for i := len(n) - 1; i >= 0; i-- {
		at := len(space)
		space = append(space, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		writeDigits(space[at:], uint64(n[i]))
	}
	zeros := 0
	for from+zeros < len(space) && space[from+zeros] == 0 {
		zeros++
	}
	return append(space[:from], space[from+zeros:]...)
}

// numberScratch is the working space for the numbers of one batch of lanes.
type numberScratch struct {
	scratch *scratch
	number  [lanes]number // of each row
	is      [lanes]bool   // whether the row has one that is masked
	digits  []byte        // of the numbers, until the next lanes
	space   []byte        // of one value, until the next
	text    []byte        // floats as text, until the next lanes

	size, bound, least, most, limit natural
}

var numberScratches = sync.Pool{New: func() any { return new(numberScratch) }}

func getNumberScratch() *numberScratch {
	s := numberScratches.Get().(*numberScratch)
	s.scratch = getScratch()
	return s
}

// free gives the space back, without what it knew of values.
func (s *numberScratch) free() {
	s.scratch.free()
	s.scratch = nil
	clear(s.number[:])
	for _, b := range []*[]byte{&s.digits, &s.space, &s.text} {
		if clear((*b)[:cap(*b)]); cap(*b) > 1<<20 {
			*b = nil
		}
	}
	for _, n := range []natural{s.size, s.bound, s.least, s.most, s.limit} {
		clear(n[:cap(n)])
	}
	numberScratches.Put(s)
}

// nearestFloat reads what a number of ours was written as, to the nearest float of
// so many bits. What is beyond the greatest becomes that one.
func nearestFloat(text []byte, bits int) float64 {
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), bits)
	if err != nil {
		return clampFloat(v, bits)
	}
	return v
}
