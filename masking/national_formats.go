package masking

import (
	"sync"
)

func keeps(from, to int) idField { return idField{from: from, to: to, keep: true} }

func free(from, to int) idField { return idField{from: from, to: to} }

func parted(from, to int, p *partition) idField { return idField{from: from, to: to, part: p} }

// The digits of a check, and other alphabets of them.
const (
	decimalDigits = "0123456789"
	capitals      = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digitsAndX    = "0123456789X"
	letters23     = "TRWAGMYFPDXBNJZSQVHLCKE"
	letters31     = "0123456789ABCDEFHJKLMNPRSTUVWXY"
	omocodes      = "LMNPQRSTUV"
	italianOdd    = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x02\x04\x12\x14\x0b\x03\x06\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17"
	italianMons   = "ABCDEHLMPRST"
)

// omocode holds for each letter the digit that it stands for in an Italian code, and
// one; 0 is none.
var omocode = func() (t [26]byte) {
	for d := range len(omocodes) {
		t[omocodes[d]-'A'] = byte(d) + 1
	}
	return t
}()

// daysOf returns how many days a month of 1 to 12 has; 0 of another.
func daysOf(month int, leap bool) int {
	switch month {
	case 2:
		if leap {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	case 1, 3, 5, 7, 8, 10, 12:
		return 31
	}
	return 0
}

// isDay reports whether there is such a day.
func isDay(month, day int, leap bool) bool { return day >= 1 && day <= daysOf(month, leap) }

func leapYear(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// byLeap makes two partitions of four digits, that of a common year and that of a leap year.
func byLeap(class func(v int, leap bool) uint8) [2]*partition {
	return [2]*partition{
		newPartition(10_000, func(v int) uint8 { return class(v, false) }),
		newPartition(10_000, func(v int) uint8 { return class(v, true) }),
	}
}

// bornIn picks that of the year whose last two digits stand at a place. The century is not
// known, and 00 counts as 2000.
func bornIn(p [2]*partition, at int) func([]byte) *partition {
	return func(syms []byte) *partition {
		if (int(syms[at])*10+int(syms[at+1]))%4 == 0 {
			return p[1]
		}
		return p[0]
	}
}

// yearOfFour picks that of the year of four digits at a place.
func yearOfFour(p [2]*partition, at int) func([]byte) *partition {
	return func(syms []byte) *partition {
		if leapYear(int(syms[at])*1000 + int(syms[at+1])*100 + int(syms[at+2])*10 + int(syms[at+3])) {
			return p[1]
		}
		return p[0]
	}
}

// notZero sets the number 0 apart.
func notZero(size int) *partition {
	return newPartition(size, func(v int) uint8 { return zeroClass(v) })
}

func zeroClass(v int) uint8 {
	if v == 0 {
		return 0
	}
	return 1
}

// parity sets the odd numbers apart from the even ones: in many ids, women from men.
func parity(size int) *partition {
	return newPartition(size, func(v int) uint8 { return uint8(v & 1) })
}

func luhnWant(from, to int) func([]byte) ([2]int, bool) {
	return func(syms []byte) (want [2]int, ok bool) {
		want[0] = int(luhnDigit(syms[from:to]))
		return want, true
	}
}

func oneDigit(at int) []idCheck { return []idCheck{{at: at, alphabet: decimalDigits}} }

// idFormats make the forms of each country's ids, by ISO 3166-1 alpha-2, when a column
// first needs them: all of them would be most of what it takes to start the program.
//
// Where a sum by 11 leaves nothing that a check digit could be, there is no such id:
// BSN, fødselsnummer.
var idFormats = func() map[string]func() []idFormat {
	once := sync.OnceValue[[]idFormat]
	return map[string]func() []idFormat{
		"BR": once(brazil), "CA": once(canada), "CH": once(switzerland), "CN": once(china), "DE": once(germany), "DK": once(denmark),
		"ES": once(spain), "FI": once(finland), "FR": once(france), "GB": once(britain), "IN": once(india), "IT": once(italy), "NL": once(netherlands),
		"NO": once(norway), "PL": once(poland), "SE": once(sweden), "TR": once(turkey), "US": once(unitedStates), "ZA": once(southAfrica),
	}
}()

// unitedStates: the social security number. Areas 000, 666 and 900 to 999, group 00 and
// serial 0000 are never given out (Social Security Administration, POMS RM 10201.035):
// each of these stays among its own.
func unitedStates() []idFormat {
	area := newPartition(1000, func(v int) uint8 {
		switch {
		case v == 0:
			return 0
		case v == 666:
			return 1
		case v >= 900:
			return 2
		}
		return 3
	})
	return []idFormat{{
		form: "ddddddddd", split: 2,
		fields: []idField{parted(0, 3, area), parted(3, 5, notZero(100)), parted(5, 9, notZero(10_000))},
	}}
}

// canada: the social insurance number, by the first digit: 0 is none's, 8 of
// businesses, 9 of those who stay for a time. Luhn.
func canada() []idFormat {
	first := newPartition(10, func(v int) uint8 {
		if v == 0 || v > 7 {
			return uint8(v)
		}
		return 1
	})
	return []idFormat{{
		form: "ddddddddd", split: 2, fields: []idField{parted(0, 1, first), free(1, 4), free(4, 8)},
		checks: oneDigit(8), expect: luhnWant(0, 8),
	}}
}

// brazil: CPF, of people, nine digits and two checks by 11; and CNPJ, of companies:
// eight letters or digits, the number of the branch, which stays, and two checks. Ten
// equal digits pass both checks of a CPF and are none: they stand for "none", and stay.
func brazil() []idFormat {
	by11 := func(sum int) int {
		if r := sum % 11; r > 1 {
			return 11 - r
		}
		return 0
	}
	value := func(sym byte) int { // the code of the character, less that of 0
		if sym >= symbolLetter {
			return int(sym) + 'A' - '0' - symbolLetter
		}
		return int(sym)
	}
	checks := func(at int) []idCheck {
		return []idCheck{{at: at, alphabet: decimalDigits}, {at: at + 1, alphabet: decimalDigits}}
	}
	return []idFormat{
		{
			form: "ddddddddddd", split: 1, fields: []idField{free(0, 4), free(4, 9)}, checks: checks(9),
			expect: func(syms []byte) (want [2]int, ok bool) {
				want[0] = by11(weighted(syms, 10, 9, 8, 7, 6, 5, 4, 3, 2))
				want[1] = by11(weighted(syms, 11, 10, 9, 8, 7, 6, 5, 4, 3) + 2*want[0])
				return want, true
			},
			stays: func(syms []byte) bool {
				for _, d := range syms[1:9] {
					if d != syms[0] {
						return false
					}
				}
				return true
			},
		},
		{
			form: "xxxxxxxxxxxxdd", split: 1, fields: []idField{free(0, 4), free(4, 8), keeps(8, 12)}, checks: checks(12),
			expect: func(syms []byte) (want [2]int, ok bool) {
				sum := 0
				for i, w := range [12]int{5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2} {
					sum += w * value(syms[i])
				}
				want[0] = by11(sum)
				sum = 2 * want[0]
				for i, w := range [12]int{6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3} {
					sum += w * value(syms[i])
				}
				want[1] = by11(sum)
				return want, true
			},
		},
	}
}

// india: Aadhaar, twelve digits of which the first is 2 to 9 and the last is Verhoeff's.
func india() []idFormat {
	first := newPartition(10, func(v int) uint8 {
		if v < 2 {
			return 0
		}
		return 1
	})
	return []idFormat{{
		form: "dddddddddddd", split: 2, fields: []idField{parted(0, 1, first), free(1, 6), free(6, 11)}, checks: oneDigit(11),
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = verhoeff(syms[:11])
			return want, true
		},
	}}
}

// china: the number of GB 11643-1999: province, city, county, day of birth, a number of
// which the last digit tells the sex, and a check by ISO 7064 MOD 11-2, or in
// fifteen digits without century and check. The province stays.
func china() []idFormat {
	days := byLeap(func(v int, leap bool) uint8 {
		if isDay(v/100, v%100, leap) {
			return 0
		}
		return 1
	})
	part := notZero(100)
	return []idFormat{
		{
			form: "dddddddddddddddddx", split: 3,
			fields: []idField{
				keeps(0, 2), parted(2, 4, part), parted(4, 6, part), keeps(6, 10),
				{from: 10, to: 14, pick: yearOfFour(days, 6)}, parted(14, 17, parity(1000)),
			},
			checks: []idCheck{{at: 17, alphabet: digitsAndX}},
			expect: func(syms []byte) (want [2]int, ok bool) {
				r := 0
				for _, d := range syms[:17] {
					r = (r + int(d)) * 2 % 11
				}
				want[0] = (12 - r) % 11
				return want, true
			},
		},
		{
			form: "ddddddddddddddd", split: 3,
			fields: []idField{
				keeps(0, 2), parted(2, 4, part), parted(4, 6, part), keeps(6, 8),
				{from: 8, to: 12, pick: bornIn(days, 6)}, parted(12, 15, parity(1000)),
			},
		},
	}
}

// turkey: the T.C. kimlik numarası, which does not begin with 0, and has two checks.
func turkey() []idFormat {
	return []idFormat{{
		form: "ddddddddddd", split: 2, fields: []idField{parted(0, 1, notZero(10)), free(1, 4), free(4, 9)},
		checks: []idCheck{{at: 9, alphabet: decimalDigits}, {at: 10, alphabet: decimalDigits}},
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = (100 + weighted(syms, 7, -1, 7, -1, 7, -1, 7, -1, 7)) % 10
			want[1] = (weighted(syms, 1, 1, 1, 1, 1, 1, 1, 1, 1) + want[0]) % 10
			return want, true
		},
	}}
}

// southAfrica: the identity number: day of birth, a number below 5000 of women and
// from there on of men, citizenship, a digit, Luhn's.
func southAfrica() []idFormat {
	days := byLeap(func(v int, leap bool) uint8 {
		if isDay(v/100, v%100, leap) {
			return 0
		}
		return 1
	})
	number := newPartition(10_000, func(v int) uint8 { return uint8(v / 5000) })
	return []idFormat{{
		form: "ddddddddddddd", split: 2,
		fields: []idField{keeps(0, 2), {from: 2, to: 6, pick: bornIn(days, 0)}, parted(6, 10, number), keeps(10, 12)},
		checks: oneDigit(12), expect: luhnWant(0, 12),
	}}
}
