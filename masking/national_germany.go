package masking

import "math/bits"

// germany: the steuerliche Identifikationsnummer (§ 139b AO), ten digits and a check
// by ISO 7064 MOD 11,10. Of the ten digits one stands twice and the others at most
// once; or, since 2016, one three times, though not in a row. So the ten
// are permuted as a whole among those of their pattern, by their rank in it. Numbers
// that begin with 0 are for tests, and stay among their own.
func germany() []idFormat {
	return []idFormat{{
		form: "ddddddddddd", checks: oneDigit(10),
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = mod11x10(syms[:10])
			return want, true
		},
		whole: &idWhole{class: taxIDClass, rank: rankTaxID, unrank: unrankTaxID},
	}}
}

// The patterns of ten digits.
const (
	taxOther  = iota // none of these
	taxDouble        // one digit twice, eight once
	taxTriple        // one digit three times, not in a row, seven once
)

// taxIDPattern returns the pattern, and which digit is repeated.
func taxIDPattern(digits []byte) (pattern int, repeated byte) {
	var count [10]uint8
	for _, d := range digits[:10] {
		count[d]++
	}
	missing, most := 0, uint8(0)
	for d, n := range count {
		if n == 0 {
			missing++
		}
		if n > most {
			most, repeated = n, byte(d)
		}
	}
	switch {
	case missing == 1:
		return taxDouble, repeated
	case missing == 2 && most == 3:
		for i := 2; i < 10; i++ {
			if digits[i] == repeated && digits[i-1] == repeated && digits[i-2] == repeated {
				return taxOther, 0
			}
		}
		return taxTriple, repeated
	}
	return taxOther, 0
}

func taxIDClass(digits []byte) uint8 {
	pattern, _ := taxIDPattern(digits)
	return uint8(pattern)<<1 | zeroClass(int(digits[0]))
}

// repeatedPlaces lists the sets of two or three places out of ten, as bits; of three, those
// that are not in a row. repeatedRank finds them.
var repeatedPlaces, repeatedRank = func() (places [2][]uint16, rank [1 << 10]uint8) {
	for set := range uint16(1 << 10) {
		n := bits.OnesCount16(set)
		if n != 2 && (n != 3 || set&(set>>1)&(set>>2) != 0) {
			continue
		}
		rank[set] = uint8(len(places[n-2]))
		places[n-2] = append(places[n-2], set)
	}
	return places, rank
}()

// rankTaxID ranks ten digits within their pattern: the repeated digit, its places and
// the missing digits are the one half, the order of the others is the other.
func rankTaxID(digits []byte) (l, a, r, b uint64) {
	pattern, repeated := taxIDPattern(digits)
	if pattern == taxOther {
		l, a = readSymbols(digits[:5])
		r, b = readSymbols(digits[5:10])
		return l, a, r, b
	}
	// Sets of places and of digits, as bits.
	var places, seen uint16
	for i, d := range digits[:10] {
		seen |= 1 << d
		if d == repeated {
			places |= 1 << i
		}
	}
	sets := repeatedPlaces[pattern-taxDouble]
	l = uint64(repeated)*uint64(len(sets)) + uint64(repeatedRank[places])
	a = 10 * uint64(len(sets))
	// Which digits are missing, counted among the nine that are not repeated.
	first, second, at := uint64(0), uint64(0), uint64(0)
	found := false
	for d := range byte(10) {
		if d == repeated {
			continue
		}
		if seen>>d&1 == 0 {
			if found {
				second = at
			} else {
				first, found = at, true
			}
		}
		at++
	}
	if pattern == taxDouble {
		l, a = l*9+first, a*9
	} else {
		l, a = l*36+second*(second-1)/2+first, a*36 // first < second
	}
	// Lehmer's code of the digits that stand once.
	b = 1
	left := seen &^ (1 << repeated)
	n := uint64(10 - pattern - 1)
	for _, d := range digits[:10] {
		if d == repeated {
			continue
		}
		r = r*n + uint64(bits.OnesCount16(left&(1<<d-1)))
		b *= n
		n--
		left &^= 1 << d
	}
	return l, a, r, b
}

// unrankTaxID is the inverse of rankTaxID.
func unrankTaxID(class uint8, l, r uint64, digits []byte) {
	pattern := int(class >> 1)
	if pattern == taxOther {
		writeSymbols(digits[:5], l)
		writeSymbols(digits[5:10], r)
		return
	}
	first, second := uint64(10), uint64(10)
	if pattern == taxDouble {
		first = l % 9
		l /= 9
	} else {
		pair := l % 36
		l /= 36
		second = 1
		for (second+1)*second/2 <= pair {
			second++
		}
		first = pair - second*(second-1)/2
	}
	sets := repeatedPlaces[pattern-taxDouble]
	places := sets[l%uint64(len(sets))]
	repeated := byte(l / uint64(len(sets)))
	left, at := uint16(0), uint64(0)
	for d := range byte(10) {
		if d == repeated {
			continue
		}
		if at != first && at != second {
			left |= 1 << d
		}
		at++
	}
	count := 10 - pattern - 1
	var code [8]uint64
	for i := count - 1; i >= 0; i-- {
		n := uint64(count - i)
		code[i] = r % n
		r /= n
	}
	i := 0
	for place := range 10 {
		if places>>place&1 == 1 {
			digits[place] = repeated
			continue
		}
		rest := left
		for range code[i] {
			rest &= rest - 1
		}
		low := rest & -rest
		digits[place] = byte(bits.OnesCount16(low - 1))
		left &^= low
		i++
	}
}
