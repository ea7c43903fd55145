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
	i := 0
	for len(v)-i >= 8 {
		before, found := special(binary.LittleEndian.Uint64(v[i:]))
		if !found {
			i += 8
			continue
		}
		i += before
		dst = appendSpecial(append(dst, v[:i]...), v[i])
		v, i = v[i+1:], 0
	}
	for ; i < len(v); i++ {
		if b := v[i]; b == '\t' || b == '\n' || b == '\\' {
			dst = appendSpecial(append(dst, v[:i]...), b)
			v, i = v[i+1:], -1
		}
	}
	return append(dst, v...)
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
