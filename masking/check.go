package masking

// The check digits of numbers, each from the symbols that stand before it.

// luhnDigit is that of ISO/IEC 7812-1, annex B, of cards and of many ids: every second
// digit from the right is doubled, and the digits of all add up to a multiple of 10.
func luhnDigit(digits []byte) byte {
	sum := uint(0)
	double := len(digits)&1 == 1
	for _, d := range digits {
		if double {
			sum += uint(luhnDouble[d])
		} else {
			sum += uint(d)
		}
		double = !double
	}
	return byte((10 - sum%10) % 10)
}

var luhnDouble = [10]byte{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}

// weighted adds up the digits, each times its weight.
func weighted(syms []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * int(syms[i])
	}
	return sum
}

// remainder returns what a number of digits leaves, divided by m.
func remainder(digits []byte, m int) int {
	r := 0
	for _, d := range digits {
		r = (r*10 + int(d)) % m
	}
	return r
}

// mod97Symbols goes on with the remainder r by 97, as ISO 7064 MOD 97-10 reads an IBAN: a
// letter is two digits, from A = 10 on.
func mod97Symbols(r uint64, syms []byte) uint64 {
	for _, sym := range syms {
		if sym < symbolLetter {
			r = r*10 + uint64(sym)
		} else {
			r = r*100 + uint64(sym)
		}
		if r >= 1<<56 { // the next would not fit
			r %= 97
		}
	}
	return r % 97
}

// mod11x10 is the check digit of ISO 7064 MOD 11,10.
func mod11x10(digits []byte) int {
	p := 10
	for _, d := range digits {
		p = (p + int(d)) % 10
		if p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11 - p) % 10
}

// verhoeff is the check digit of Verhoeff ("Error Detecting Decimal Codes",
// Mathematical Centre Tract 29, 1969): digits permuted by their place, multiplied
// in the dihedral group of the pentagon.
func verhoeff(digits []byte) int {
	c := byte(0)
	for i := range digits {
		c = dihedral[c][verhoeffPlace[(i+1)%8][digits[len(digits)-1-i]]]
	}
	if c < 5 {
		return int((5 - c) % 5) // the inverse of a rotation; a reflection is its own
	}
	return int(c)
}

// verhoeffPlace permutes the digits by their place from the right.
var verhoeffPlace = func() (p [8][10]byte) {
	turn := [10]byte{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	for place := range p {
		for d := range p[place] {
			p[place][d] = byte(d)
			if place > 0 {
				p[place][d] = turn[p[place-1][d]]
			}
		}
	}
	return p
}()

// dihedral multiplies in the group of the pentagon: 0–4 are rotations, 5–9 reflections.
var dihedral = func() (t [10][10]byte) {
	for a := range byte(10) {
		for b := range byte(10) {
			switch {
			case a < 5 && b < 5:
				t[a][b] = (a + b) % 5
			case a < 5:
				t[a][b] = 5 + (a+b)%5
			case b < 5:
				t[a][b] = 5 + (a+10-b)%5
			default:
				t[a][b] = (a + 5 - b) % 5
			}
		}
	}
	return t
}()
