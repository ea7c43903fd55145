package masking

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func nationalID(country string) Spec { return fakeOf("national_id", "country", country) }

// examples are ids that authorities and textbooks print as examples, each valid.
var examples = map[string][]string{
	"BR": {"390.533.447-05", "16.727.230/0001-97", "11.222.333/0001-81", "12.ABC.345/01DE-35"},
	"CA": {"046 454 286"},
	"CH": {"756.9217.0769.85", "756.1234.5678.97"},
	"CN": {"11010519491231002X", "440524188001010014", "110105491231002"},
	"DE": {"86095742719", "36574261809", "65929970489"},
	"DK": {"211062-5629"},
	"ES": {"54362315-K", "12345678Z", "X-2482300-W", "Z1234567R"},
	"FI": {"131052-308T", "131052A308T"},
	"FR": {"2 95 10 99 126 111 93", "2951099126111"},
	"GB": {"AB 12 34 56 C", "AB123456"},
	"IN": {"2341 2341 2346"},
	"IT": {"RSSMRA85T10A562S", "RCCMNL83S18D969H", "00743110157"},
	"NL": {"111222333", "1234.56.782"},
	"NO": {"151086 95088"},
	"PL": {"44051401359", "02070803628"},
	"SE": {"811218-9876", "19811218-9876", "880320-0016"},
	"TR": {"17291716060", "10000000146"},
	"US": {"219-09-9999", "078-05-1120"},
	"ZA": {"7503305044089", "8001015009087"},
}

// checked finds the format of an id, and how much each check is off.
func checked(country, id string) (f *idFormat, syms []byte, wrong [2]int, defined bool) {
	syms, _ = scanSymbols(nil, []byte(id), 0)
	formats := idFormats[country]()
	for i := range formats {
		if !formats[i].matches(syms) {
			continue
		}
		f = &formats[i]
		if f.expect == nil {
			return f, syms, wrong, true
		}
		want, defined := f.expect(syms)
		for k := range f.checks {
			c := &f.checks[k]
			v, ok := c.read(syms)
			if wrong[k] = -1; ok && defined {
				wrong[k] = (v - want[k] + c.modulus()) % c.modulus()
			}
		}
		return f, syms, wrong, defined
	}
	return nil, syms, wrong, false
}

// sameID says what is wrong with an id that another was masked to.
func sameID(country string) func(in, out any) string {
	return func(in, out any) string {
		a, b := in.(string), out.(string)
		f, syms, wrong, defined := checked(country, a)
		g, masked, off, ok := checked(country, b)
		if utf8.RuneCountInString(a) != utf8.RuneCountInString(b) {
			return "has another length"
		}
		if f != g {
			return "has another form"
		}
		if f == nil {
			return ""
		}
		if wrong != off || defined != ok {
			return fmt.Sprintf("was off by %v and is by %v", wrong, off)
		}
		if f.whole != nil {
			if taxIDClass(syms) != taxIDClass(masked) {
				return "has another pattern"
			}
			return ""
		}
		plain, hidden := digitsInPlace(f, syms), digitsInPlace(f, masked)
		for k := range f.fields {
			field := &f.fields[k]
			v, _ := readSymbols(plain[field.from:field.to])
			w, _ := readSymbols(hidden[field.from:field.to])
			p := field.partition(plain)
			if field.keep && v != w || p != nil && p.class[v] != p.class[w] {
				return fmt.Sprintf("has another class from %d to %d", field.from, field.to)
			}
		}
		return ""
	}
}

// digitsInPlace spells the letters that stand for digits as these.
func digitsInPlace(f *idFormat, syms []byte) []byte {
	plain := slices.Clone(syms)
	for i, sym := range plain {
		if f.form[i] == 'o' && sym >= symbolLetter {
			plain[i] = omocode[sym-symbolLetter] - 1
		}
	}
	return plain
}

// exampleOf returns an id like the examples, of which the symbols that are not kept
// are counted on.
func exampleOf(country string, i int) string {
	list := examples[country]
	v := []byte(list[i%len(list)])
	for at, n := len(v)-1, i/len(list); at >= 0 && n > 0; at-- {
		if c := v[at]; c-'0' <= 9 {
			v[at] = '0' + byte((int(c-'0')+n)%10)
			n /= 10
		}
	}
	return string(v)
}

func init() {
	for _, country := range slices.Sorted(maps.Keys(examples)) {
		addLawCases(lawCase{
			name: "national id " + country, spec: nationalID(country), col: Column{Kind: Text, MaxChars: 40, Unique: true},
			value: func(i int) any { return exampleOf(country, i) }, fits: sameID(country), few: true,
		})
	}
	addLawCases(
		lawCase{name: "ssn", spec: fakeOf("ssn"), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%03d-%02d-%04d", i%1000, i/1000%100, mix(i)%10_000) }, fits: sameID("US"), few: true},
		lawCase{name: "ssn, one area", spec: fakeOf("ssn"), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("219%06d", i) }, count: 1_000_000, fits: sameID("US")},
		lawCase{name: "ssn reserved", spec: fakeOf("ssn", "range", "reserved"), col: Column{Kind: Text}, value: func(i int) any { return fmt.Sprintf("219-%02d-%04d", i/10_000%100, i%10_000) }, fits: matches(func(s string) bool {
			return len(s) == 11 && s[0] == '9' && s[4:6] >= "01" && s[4:6] <= "49"
		})},
		lawCase{name: "ssn int", spec: fakeOf("ssn"), col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) * 953 }, fits: func(in, out any) string {
			return sameID("US")(fmt.Sprintf("%09d", in), fmt.Sprintf("%09d", out))
		}},
		lawCase{name: "national id and other texts", spec: nationalID("SE"), col: Column{Kind: Text}, value: func(i int) any {
			if i%2 == 0 {
				return wordsOf(i)
			}
			return exampleOf("SE", i)
		}, few: true},
	)
	var vectors []vector
	for _, country := range slices.Sorted(maps.Keys(examples)) {
		var in []any
		for _, v := range examples[country] {
			in = append(in, v)
		}
		in = append(in, exampleOf(country, 1000), "4711")
		vectors = append(vectors, vector{"customers", Column{Kind: Text}, nationalID(country), in, nil})
	}
	vectors = append(vectors,
		vector{"customers", Column{Kind: Text}, nationalID("IT"), []any{"rssmra85t10a562s", "RSSMRA85T10A56NH", ""}, nil},
		vector{"customers", Column{Kind: Text}, nationalID("FR"), []any{"1 85 05 2A 126 111 93", "185052B12611193", nil}, nil},
		vector{"customers", Column{Kind: Text}, nationalID("CN"), []any{"11010519491231002x"}, nil},
		vector{"customers", Column{Kind: Text}, fakeOf("ssn"), []any{"219-09-9999", "000-12-3456", "666-00-0000", "912-34-5678", "xxx-xx-9999", " "}, nil},
		vector{"customers", Column{Kind: Text}, fakeOf("ssn", "range", "reserved"), []any{"219-09-9999", "219-09-9998"}, nil},
		vector{"customers", Column{Kind: Int, Bits: 32}, fakeOf("ssn"), []any{int64(219099999), int64(1234567), int64(0)}, nil},
	)
	addVectors(vectorSet{"national_id", vectors})
}

// The check digits of the examples are right, and those beside them are not.
func TestCheckDigits(t *testing.T) {
	for country, ids := range examples {
		for _, id := range ids {
			f, syms, wrong, defined := checked(country, id)
			if f == nil || !defined || wrong != [2]int{} {
				t.Errorf("%s %s: off by %v, has checks %t", country, id, wrong, defined)
				continue
			}
			for k := range f.checks {
				c := &f.checks[k]
				for v := range c.modulus() {
					other := slices.Clone(syms)
					c.write(other, v)
					if got, ok := c.read(other); !ok || got != v {
						t.Errorf("%s: check %d of %d is read as %d", country, v, c.modulus(), got)
					}
				}
			}
		}
	}
}

func TestNationalIDs(t *testing.T) {
	for country, ids := range examples {
		mask := situation(t, Column{Kind: Text, Unique: true}, nationalID(country))
		for _, id := range ids {
			got := mask(id)[0].(string)
			if wrong := sameID(country)(id, got); wrong != "" || got == id {
				t.Errorf("%s became %s, which %s", id, got, wrong)
			}
			plain := strings.Map(func(r rune) rune {
				if strings.ContainsRune(" -./", r) {
					return -1
				}
				return r
			}, id)
			if out := mask(plain)[0].(string); country != "FI" && out != strings.Map(func(r rune) rune {
				if strings.ContainsRune(" -./", r) {
					return -1
				}
				return r
			}, got) {
				t.Errorf("%s became %s, and without punctuation %s", id, got, out)
			}
		}
		rejected(t, Column{Kind: Text, Unique: true}, nationalID(country), []any{"", nil, "4711"}, 2, "not an id")
		if got := situation(t, Column{Kind: Text}, nationalID(country))("4711")[0].(string); len(got) != 4 {
			t.Errorf("%s: another text became %s", country, got)
		}
	}
	refused(t, Column{Kind: Text}, fakeOf("national_id"), "needs the parameter")
	refused(t, Column{Kind: Text}, nationalID("XX"), `no national ids of "XX"`)
	refused(t, Column{Kind: Int, Bits: 64}, nationalID("IT"), "letters")
	refused(t, Column{Kind: Int, Bits: 64}, nationalID("CN"), "letters")
	refused(t, Column{Kind: Int, Bits: 32}, nationalID("PL"), "11 digits")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, nationalID("PL"), "labels")
	refused(t, Column{Kind: Text, Unique: true}, fakeOf("ssn", "range", "reserved"), "49 million")
	refused(t, Column{Kind: Text}, fakeOf("ssn", "range", "all"), "no range")
	rejected(t, Column{Kind: Int, Bits: 64}, fakeOf("ssn"), []any{int64(1), int64(1_000_000_000)}, 1, "too many digits")
	rejected(t, Column{Kind: Int, Bits: 64}, fakeOf("ssn"), []any{int64(-1)}, 0, "negative")
	// A small x that may become a digit would let two ids become one.
	rejected(t, Column{Kind: Text, Unique: true}, nationalID("CN"), []any{"11010519491231002x"}, 0, "not an id")
	out := situation(t, Column{Kind: Text, Unique: true, Equality: FoldCase}, nationalID("CN"))("11010519491231002x", "11010519491231002X")
	if !strings.EqualFold(out[0].(string), out[1].(string)) {
		t.Errorf("in either case: %v", out)
	}
}

// Random texts of each form keep their classes and their errors, and have an inverse.
func TestNationalIDsOfAnyKind(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, country := range slices.Sorted(maps.Keys(idFormats)) {
		formats := idFormats[country]()
		mask := situation(t, Column{Kind: Text, Unique: true}, nationalID(country))
		for _, f := range formats {
			seen, ins := map[any]bool{}, map[any]bool{}
			for range 20 {
				var in []any
				for range 500 {
					id := make([]byte, len(f.form))
					for i := range id {
						letter := f.form[i] == 'l' || f.form[i] != 'd' && random.IntN(4) == 0
						switch {
						case f.form[i] == 'o' && letter:
							id[i] = omocodes[random.IntN(10)]
						case letter:
							id[i] = 'A' + byte(random.IntN(26))
						default:
							id[i] = '0' + byte(random.IntN(10))
						}
					}
					in = append(in, string(id))
				}
				for i, out := range mask(in...) {
					if wrong := sameID(country)(in[i], out); wrong != "" {
						t.Fatalf("%s: %s became %s, which %s", country, in[i], out, wrong)
					}
					ins[in[i]], seen[out] = true, true
				}
			}
			if len(seen) != len(ins) {
				t.Errorf("%s: %d became %d", country, len(ins), len(seen))
			}
		}
	}
}

// Of one year and sex, all of a country's ids stay apart.
func TestDaysOfOneYear(t *testing.T) {
	var in []any
	for mmdd := range 1300 {
		for number := range 100 {
			in = append(in, fmt.Sprintf("84%04d-%03d0", mmdd, number))
		}
	}
	seen := map[any]bool{}
	for _, out := range situation(t, Column{Kind: Text, Unique: true}, nationalID("SE"))(in...) {
		seen[out] = true
	}
	if len(seen) != len(in) {
		t.Errorf("%d became %d", len(in), len(seen))
	}
}

func TestTaxIDRanks(t *testing.T) {
	// Ranks and digits are each other's inverse, over some of each pattern.
	for i := range 200_000 {
		digits := make([]byte, 11)
		r := randomly(uint64(i))
		perm := r.Perm(10)
		for k := range 10 {
			digits[k] = byte(perm[k])
		}
		digits[r.IntN(10)] = digits[r.IntN(10)]
		if i%2 == 1 {
			digits[r.IntN(10)] = digits[r.IntN(10)]
		}
		class := taxIDClass(digits)
		l, a, rr, b := rankTaxID(digits)
		if l >= a || rr >= b {
			t.Fatalf("the rank %d, %d leaves %d, %d", l, rr, a, b)
		}
		switch class >> 1 {
		case taxDouble:
			if a*b != 163_296_000 {
				t.Fatalf("%d numbers have a digit twice", a*b)
			}
		case taxTriple:
			if a*b != 10*36*112*5040 {
				t.Fatalf("%d numbers have a digit three times", a*b)
			}
		}
		back := make([]byte, 11)
		unrankTaxID(class, l, rr, back)
		if !slices.Equal(back[:10], digits[:10]) {
			t.Fatalf("%v ranks %d, %d, which is %v", digits, l, rr, back)
		}
	}
}

func FuzzNationalID(f *testing.F) {
	countries := slices.Sorted(maps.Keys(examples))
	for i, c := range countries {
		for _, id := range examples[c] {
			f.Add(byte(i), id)
		}
	}
	f.Add(byte(0), "\xff")
	key := fixedKey(f)
	f.Fuzz(func(t *testing.T, which byte, in string) {
		country := countries[int(which)%len(countries)]
		c := &lawCase{spec: nationalID(country), col: Column{Kind: Text}}
		got := c.mask(t, c.bind(t, key, "d"), true, []any{in}, nil)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(in) || !utf8.ValidString(got) && utf8.ValidString(in) {
			t.Fatalf("%q became %q", in, got)
		}
		if _, ok := scanSymbols(nil, []byte(in), 0); ok {
			if f, _, _, _ := checked(country, in); f != nil && !(f.mixed() && !isASCII([]byte(in))) {
				if wrong := sameID(country)(in, got); wrong != "" {
					t.Fatalf("%q became %q, which %s", in, got, wrong)
				}
			}
		}
	})
}
