package mysql

import (
	"encoding/binary"
	"math/bits"
)

// Rows are loaded as LOAD DATA reads them by default: fields end with a tab, rows with a
// newline, and a backslash stands before what would be one of the three. NULL is \N.

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special reports whether a word of eight bytes holds a tab, a newline or a backslash, and
// how many bytes stand before the first of them.
func special(w uint64) (before int, found bool) {
	zero := func(v uint64) uint64 { return (v - lowBits) &^ v & highBits }
	hit := zero(w^'\t'*lowBits) | zero(w^'\n'*lowBits) | zero(w^'\\'*lowBits)
	// Behind the first byte that matches others may seem to: only the first counts.
	return bits.TrailingZeros64(hit) / 8, hit != 0
}

// appendEscaped appends a value so that LOAD DATA reads it as it is.
func appendEscaped(dst, v []byte) []byte {
	for {
		i := firstSpecial(v)
		if i == len(v) {
			return append(dst, v...)
		}
		dst = appendSpecial(append(dst, v[:i]...), v[i])
		v = v[i+1:]
	}
}

// firstSpecial returns where the first tab, newline or backslash stands, or the length.
func firstSpecial(v []byte) int {
	i, n := 0, len(v)
	for ; n-i >= 8; i += 8 {
		if before, found := special(binary.LittleEndian.Uint64(v[i:])); found {
			return i + before
		}
	}
	if i == n {
		return n
	}
	// The rest comes as a word too: with bytes before it, of which none is special, or with
	// zeros behind it.
	var w uint64
	from := i
	switch left := n - i; {
	case n >= 8:
		from = n - 8
		w = binary.LittleEndian.Uint64(v[from:])
	case left >= 4:
		w = uint64(binary.LittleEndian.Uint32(v)) | uint64(binary.LittleEndian.Uint32(v[left-4:]))<<(8*(left-4))
	default:
		w = uint64(v[0]) | uint64(v[left/2])<<(8*(left/2)) | uint64(v[left-1])<<(8*(left-1))
	}
	if before, found := special(w); found {
		return from + before
	}
	return n
}

func appendSpecial(dst []byte, b byte) []byte {
	switch b {
	case '\t':
		b = 't'
	case '\n':
		b = 'n'
	}
	return append(dst, '\\', b)
}
