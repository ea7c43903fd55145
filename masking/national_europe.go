package masking

// britain: the national insurance number, two letters and six digits, and mostly a
// suffix A to D. Prefixes that are not given out (HMRC, NIM39110) stay among their own.
func britain() []idFormat {
	prefix := newPartition(26*26, func(v int) uint8 {
		a, b := capitals[v/26], capitals[v%26]
		for _, c := range "DFIQUV" {
			if rune(a) == c || rune(b) == c {
				return 0
			}
		}
		if b == 'O' {
			return 0
		}
		switch string([]byte{a, b}) {
		case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
			return 0
		}
		return 1
	})
	suffix := newPartition(26, func(v int) uint8 {
		if v < 4 {
			return 0
		}
		return 1
	})
	fields := []idField{parted(0, 2, prefix), free(2, 3), free(3, 8)}
	return []idFormat{
		{form: "llddddddl", split: 2, fields: append(fields[:3:3], parted(8, 9, suffix))},
		{form: "lldddddd", split: 2, fields: fields},
	}
}

// spain: DNI, eight digits, and NIE, one of X, Y, Z and seven digits; then one of 23
// letters by the remainder by 23 (Orden INT/2058/2008).
func spain() []idFormat {
	check := []idCheck{{at: 8, alphabet: letters23}}
	return []idFormat{
		{
			form: "ddddddddl", split: 1, fields: []idField{free(0, 4), free(4, 8)}, checks: check,
			expect: func(syms []byte) (want [2]int, ok bool) {
				want[0] = remainder(syms[:8], 23)
				return want, true
			},
		},
		{
			form: "ldddddddl", split: 2, fields: []idField{keeps(0, 1), free(1, 4), free(4, 8)}, checks: check,
			expect: func(syms []byte) (want [2]int, ok bool) {
				want[0] = remainder(syms[1:8], 23)
				if x := int(syms[0]) - int(symbolOf('X')); x >= 0 {
					want[0] = (x*10_000_000 + want[0]) % 23
				}
				return want, true
			},
		},
	}
}

// france: the NIR, of sex, year and month of birth, department, commune, number, and
// a key of 97 less the remainder by 97, which may be missing. In Corsica the
// department is 2A or 2B, and counts as 19 or 18 (INSEE).
func france() []idFormat {
	month := newPartition(100, func(v int) uint8 {
		switch {
		case v >= 1 && v <= 12:
			return 0
		case v >= 30 && v <= 42: // the month is not known for sure
			return 1
		case v == 20 || v >= 50:
			return 2
		}
		return 3
	})
	department := newPartition(100, func(v int) uint8 {
		switch {
		case v >= 1 && v <= 95 && v != 20:
			return 0
		case v > 95: // overseas, abroad: each stays
			return uint8(v)
		}
		return 1
	})
	head := []idField{keeps(0, 3), parted(3, 5, month)}
	tail := []idField{parted(7, 10, notZero(1000)), parted(10, 13, notZero(1000))}
	mainland := append(append(head[:2:2], parted(5, 7, department)), tail...)
	corsica := append(append(head[:2:2], keeps(5, 7)), tail...)
	key := []idCheck{{at: 13, lo: 1, mod: 97}}
	right := func(syms []byte) (want [2]int, ok bool) {
		dept := 10*int(syms[5]) + int(syms[6])
		switch {
		case syms[6] < symbolLetter:
		case syms[5] == 2 && syms[6] == symbolOf('A'):
			dept = 19
		case syms[5] == 2 && syms[6] == symbolOf('B'):
			dept = 18
		default:
			return want, false
		}
		r := (remainder(syms[:5], 97)*100 + dept) % 97
		for _, d := range syms[7:13] {
			r = (r*10 + int(d)) % 97
		}
		want[0] = 97 - r - 1 // counted from 01 on
		return want, true
	}
	return []idFormat{
		{form: "ddddddddddddddd", split: 3, fields: mainland, checks: key, expect: right},
		{form: "ddddddldddddddd", split: 3, fields: corsica, checks: key, expect: right},
		{form: "ddddddddddddd", split: 3, fields: mainland},
		{form: "ddddddldddddd", split: 3, fields: corsica},
	}
}

// italy: the codice fiscale (D.M. 23 December 1976): surname, name, year, month, day, place
// and a check letter. Consonants stay consonants; women have 40 more in the day; digits
// may be spelled as letters, where two people would have had one code. Companies
// have eleven digits with Luhn's.
func italy() []idFormat {
	letter := newPartition(26, func(v int) uint8 {
		switch capitals[v] {
		case 'A', 'E', 'I', 'O', 'U':
			return 0
		}
		return 1
	})
	place := newPartition(26, func(v int) uint8 {
		switch c := capitals[v]; {
		case c <= 'M':
			return 0
		case c == 'Z': // abroad
			return 1
		}
		return 2
	})
	var month [26]int
	for i := range len(italianMons) {
		month[italianMons[i]-'A'] = i + 1
	}
	day := func(leap bool) *partition {
		return newPartition(2600, func(v int) uint8 {
			switch m, d := month[v/100], v%100; {
			case isDay(m, d, leap):
				return 0
			case isDay(m, d-40, leap):
				return 1
			}
			return 2
		})
	}
	days := [2]*partition{day(false), day(true)}
	return []idFormat{
		{
			form: "lllllloolooloool", split: 6,
			fields: []idField{
				parted(0, 1, letter), parted(1, 2, letter), parted(2, 3, letter),
				parted(3, 4, letter), parted(4, 5, letter), parted(5, 6, letter),
				keeps(6, 8), {from: 8, to: 11, pick: bornIn(days, 6)}, parted(11, 12, place), parted(12, 15, notZero(1000)),
			},
			checks: []idCheck{{at: 15, alphabet: capitals}},
			expect: func(syms []byte) (want [2]int, ok bool) {
				sum := 0
				for i, sym := range syms[:15] {
					switch {
					case i%2 == 0:
						sum += int(italianOdd[sym])
					case sym < symbolLetter:
						sum += int(sym)
					default:
						sum += int(sym - symbolLetter)
					}
				}
				want[0] = sum % 26
				return want, true
			},
		},
		{form: "ddddddddddd", split: 1, fields: []idField{free(0, 5), free(5, 10)}, checks: oneDigit(10), expect: luhnWant(0, 10)},
	}
}

// netherlands: the burgerservicenummer, with the test by 11.
func netherlands() []idFormat {
	return []idFormat{{
		form: "ddddddddd", split: 1, fields: []idField{free(0, 4), free(4, 8)}, checks: oneDigit(8),
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = weighted(syms, 9, 8, 7, 6, 5, 4, 3, 2) % 11
			return want, want[0] < 10
		},
	}}
}

// poland: PESEL. The month tells the century too; the last digit of the number tells the sex.
func poland() []idFormat {
	// For years of four digits that differ by the century alone, and in whether 00 is a
	// leap year, there are three partitions.
	born := func(year int) *partition {
		return newPartition(10_000, func(v int) uint8 {
			month, day := v/100, v%100
			century := [5]int{1900, 2000, 2100, 2200, 1800}[min(month/20, 4)]
			if isDay(month%20, day, leapYear(century+year)) {
				return uint8(month / 20)
			}
			return 5
		})
	}
	common, leap, zero := born(1), born(4), born(0)
	return []idFormat{{
		form: "ddddddddddd", split: 2,
		fields: []idField{keeps(0, 2), {from: 2, to: 6, pick: func(syms []byte) *partition {
			switch yy := syms[0]*10 + syms[1]; {
			case yy == 0:
				return zero
			case yy%4 == 0:
				return leap
			}
			return common
		}}, free(6, 9), parted(9, 10, parity(10))},
		checks: oneDigit(10),
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = (100_000 - weighted(syms, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10
			return want, true
		},
	}}
}

// sweden: the personnummer, of ten digits or of twelve with the century. A
// coordination number has 60 more in the day. The last digit but one tells the sex. Luhn.
func sweden() []idFormat {
	days := byLeap(func(v int, leap bool) uint8 {
		switch month, day := v/100, v%100; {
		case isDay(month, day, leap):
			return 0
		case isDay(month, day-60, leap):
			return 1
		}
		return 2
	})
	format := func(at int, form string, pick func([]byte) *partition) idFormat {
		return idFormat{
			form: form, split: 2,
			fields: []idField{keeps(0, at), {from: at, to: at + 4, pick: pick}, free(at+4, at+6), parted(at+6, at+7, parity(10))},
			checks: oneDigit(at + 7), expect: luhnWant(at-2, at+7),
		}
	}
	return []idFormat{
		format(2, "dddddddddd", bornIn(days, 0)),
		format(4, "dddddddddddd", yearOfFour(days, 0)),
	}
}

// dayMonths are the partitions of dates in the order of day and month, where the day
// may have shift more.
func dayMonths(shift int) [2]*partition {
	return byLeap(func(v int, leap bool) uint8 {
		switch day, month := v/100, v%100; {
		case isDay(month, day, leap):
			return 0
		case shift > 0 && isDay(month, day-shift, leap):
			return 1
		}
		return 2
	})
}

// norway: the fødselsnummer, with two check digits by 11. A D number has 40 more in
// the day. Of the three digits before them the range tells the century, and the
// last the sex.
func norway() []idFormat {
	number := newPartition(1000, func(v int) uint8 {
		sex := uint8(v & 1)
		switch {
		case v < 500:
			return sex
		case v < 750:
			return 2 + sex
		case v < 900:
			return 4 + sex
		}
		return 6 + sex
	})
	return []idFormat{{
		form: "ddddddddddd", split: 1,
		fields: []idField{{from: 0, to: 4, pick: bornIn(dayMonths(40), 4)}, keeps(4, 6), parted(6, 9, number)},
		checks: []idCheck{{at: 9, alphabet: decimalDigits}, {at: 10, alphabet: decimalDigits}},
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = -weighted(syms, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11 + 11
			want[1] = -(weighted(syms, 5, 4, 3, 2, 7, 6, 5, 4, 3)+2*(want[0]%11))%11 + 11
			want[0], want[1] = want[0]%11, want[1]%11
			return want, want[0] < 10 && want[1] < 10
		},
	}}
}

// denmark: the CPR number. Since 2007 it has no check digit; the seventh digit goes with
// the century and stays, and the last tells the sex.
func denmark() []idFormat {
	return []idFormat{{
		form: "dddddddddd", split: 1,
		fields: []idField{{from: 0, to: 4, pick: bornIn(dayMonths(60), 4)}, keeps(4, 7), free(7, 9), parted(9, 10, parity(10))},
	}}
}

// finland: the henkilötunnus: a sign of the century, - or +, or a letter, then a number of
// which the last digit tells the sex, and one of 31 characters. Numbers from 900 on
// are lent for a time.
func finland() []idFormat {
	number := newPartition(1000, func(v int) uint8 {
		switch sex := uint8(v & 1); {
		case v < 2:
			return 4
		case v < 900:
			return sex
		default:
			return 2 + sex
		}
	})
	days := dayMonths(0)
	format := func(form string, at int) idFormat {
		return idFormat{
			form: form, split: 1,
			fields: []idField{{from: 0, to: 4, pick: bornIn(days, 4)}, keeps(4, at), parted(at, at+3, number)},
			checks: []idCheck{{at: at + 3, alphabet: letters31}},
			expect: func(syms []byte) (want [2]int, ok bool) {
				want[0] = (remainder(syms[:6], 31)*1000 + weighted(syms[at:], 100, 10, 1)) % 31
				return want, true
			},
		}
	}
	return []idFormat{format("dddddddddx", 6), format("ddddddldddx", 7)}
}

// switzerland: the AHV number: 756, nine digits, and a check as in an EAN-13.
func switzerland() []idFormat {
	return []idFormat{{
		form: "ddddddddddddd", split: 2, fields: []idField{keeps(0, 3), free(3, 7), free(7, 12)}, checks: oneDigit(12),
		expect: func(syms []byte) (want [2]int, ok bool) {
			want[0] = (1000 - weighted(syms, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3)) % 10
			return want, true
		},
	}}
}
