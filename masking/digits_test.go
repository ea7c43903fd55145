package masking

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func fakeOf(variant string, kv ...any) Spec {
	return Spec{Name: "fake", Variant: variant, Params: params(kv...)}
}

// sameClasses says whether digits became digits, letters letters of their case, and
// all else stayed.
func sameClasses(in, out any) string {
	a, b := []rune(in.(string)), []rune(out.(string))
	if len(a) != len(b) || len(in.(string)) != len(out.(string)) {
		return "has another length"
	}
	class := func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return 'a'
		case 'A' <= r && r <= 'Z':
			return 'A'
		case unicode.IsDigit(r):
			d, _ := digitValue(r)
			return r - rune(d)
		}
		return r
	}
	for i := range a {
		if class(a[i]) != class(b[i]) {
			return fmt.Sprintf("has another character at %d", i)
		}
	}
	return ""
}

func sameDigitCount(in, out any) string {
	a, b := in.(int64), out.(int64)
	if len(strconv.FormatInt(a, 10)) != len(strconv.FormatInt(b, 10)) {
		return "has another number of digits"
	}
	for _, bits := range []int{8, 16, 24, 32} {
		if a < 1<<(bits-1) && b >= 1<<(bits-1) && len(strconv.Itoa(1<<(bits-1))) == len(strconv.FormatInt(a, 10)) {
			return fmt.Sprintf("left %d bits", bits)
		}
	}
	return ""
}

var _ = addLawCases(
	lawCase{name: "account", spec: fakeOf("account"), col: Column{Kind: Text, MaxChars: 40, Unique: true}, value: func(i int) any {
		switch i % 3 {
		case 0:
			return fmt.Sprintf("%03d-%07d-%d", i%7, i, i%10)
		case 1:
			return fmt.Sprintf("CH%08d", i)
		}
		return fmt.Sprintf("%016d", mix(i)%1e16)
	}, fits: sameClasses},
	lawCase{name: "account, 6 digits", spec: fakeOf("account"), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%06d", i) }, count: 1_000_000, fits: sameClasses},
	lawCase{name: "account, branch kept", spec: fakeOf("account", "keep", int64(4)), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%04d %07d", i%100, i) }, fits: func(in, out any) string {
		if in.(string)[:5] != out.(string)[:5] {
			return "has another branch"
		}
		return sameClasses(in, out)
	}},
	lawCase{name: "account and other texts", spec: fakeOf("account"), col: Column{Kind: Text}, value: func(i int) any {
		if i%2 == 0 {
			return wordsOf(i)
		}
		return fmt.Sprintf("%09d", i)
	}},
	lawCase{name: "account int", spec: fakeOf("account"), col: Column{Kind: Int, Bits: 64, Unique: true}, value: func(i int) any { return int64(mix(i) >> (1 + mix(i)%40)) }, fits: sameDigitCount},
	lawCase{name: "account int, all of 20 bits", spec: fakeOf("account"), col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) }, count: 1 << 20, fits: sameDigitCount},
	lawCase{name: "account numeric", spec: fakeOf("account"), col: Column{Kind: Numeric, Precision: 18, Unique: true}, value: func(i int) any {
		if i%2 == 0 {
			return strconv.Itoa(i*1000+17) + ".00"
		}
		return strconv.Itoa(i*1_000_001 + 9)
	}, fits: sameClasses},
	lawCase{name: "postcode", spec: fakeOf("postcode"), col: Column{Kind: Text, MaxChars: 10, Unique: true}, value: func(i int) any {
		i %= 26 * 26 * 1000
		if i%2 == 0 {
			return fmt.Sprintf("%05d", i/2%100_000)
		}
		return fmt.Sprintf("%c%c%d %dAA", 'A'+i/26%26, 'A'+i%26, i/676%10, i/6760%10)
	}, fits: sameClasses, few: true},
	lawCase{name: "postcode, region kept", spec: fakeOf("postcode", "keep", int64(2)), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%05d", i) }, count: 100_000, few: true, fits: func(in, out any) string {
		if in.(string)[:2] != out.(string)[:2] {
			return "is of another region"
		}
		return sameClasses(in, out)
	}},
	lawCase{name: "postcode int", spec: fakeOf("postcode"), col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) + 10_000 }, count: 90_000, fits: sameDigitCount},
)

var _ = addVectors(vectorSet{"digits", []vector{
	{"customers", Column{Kind: Text}, fakeOf("account"), []any{"0012-345678-9", "00123456789", "CH-4711", "ch-4711", "7", "12345678901234567890123456789012", "٠١٢٣٤٥٦", "Größe 1", "", " ", "-", nil}, nil},
	{"customers", Column{Kind: Text}, fakeOf("account", "keep", int64(4)), []any{"2000 1234567", "2000 1234568", "2001 1234567", "20001234"}, nil},
	{"customers", Column{Kind: Int, Bits: 64}, fakeOf("account"), []any{int64(0), int64(1), int64(127), int64(128), int64(32767), int64(999_999), int64(8_388_607), int64(2_147_483_647), int64(2_147_483_648), int64(123_456_789_012), int64(1<<63 - 1), nil}, nil},
	{"customers", Column{Kind: Numeric}, fakeOf("account"), []any{"0", "1", "123456789012", "123456789012.00", "999999999999999999"}, nil},
	{"customers", Column{Kind: Text}, fakeOf("postcode"), []any{"SW1A 1AA", "sw1a1aa", "10115", "02134-1000", "D-10115"}, nil},
	{"customers", Column{Kind: Text}, fakeOf("postcode", "keep", int64(3)), []any{"SW1A 1AA", "10115", "1011"}, nil},
	{"customers", Column{Kind: Int, Bits: 32}, fakeOf("postcode"), []any{int64(10115), int64(2134)}, nil},
}})

var _ = addVectors(vectorSet{"phone_reserved", []vector{
	{"customers", Column{Kind: Text}, phone("range", "reserved"), []any{"+44 20 8123 4567", "+44 (0)7911 123456", "0044 161 496 0000", "+33 1 42 68 53 00", "+33 6 12 34 56 78", "+49 30 12345678", "+49 30 123456789"}, nil},
}})

func TestAccounts(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Unique: true}, fakeOf("account"))
	// However it is punctuated, and in whichever digits, a number masks alike.
	spellings := mask("0012-345678-9", "00123456789", "0012 345 678 9", "٠٠١٢٣٤٥٦٧٨٩")
	for _, v := range spellings {
		if digitsOf(v.(string)) != digitsOf(spellings[0].(string)) {
			t.Errorf("spellings of one number became %v", spellings)
		}
	}
	for _, v := range []string{"-", "()", "№"} {
		if got := mask(v)[0]; got != v {
			t.Errorf("%q became %q", v, got)
		}
	}
	// Six are masked, however many are to stay.
	for _, c := range []struct {
		in   string
		keep int64
		same int
	}{{"12345678", 4, 2}, {"123456", 4, 0}, {"1234567890", 4, 4}, {"AB 1234567", 4, 3}, {"12", 64, 0}} {
		got := situation(t, Column{Kind: Text}, fakeOf("account", "keep", c.keep))(c.in)[0].(string)
		if wrong := sameClasses(c.in, got); wrong != "" || got == c.in {
			t.Errorf("%s became %s", c.in, got)
		}
		kept := 0
		for i, r := range strings.ReplaceAll(c.in, " ", "") {
			if rune(strings.ReplaceAll(got, " ", "")[i]) != r {
				break
			}
			kept++
		}
		if kept < c.same {
			t.Errorf("%s became %s, with %d kept", c.in, got, kept)
		}
	}
	for _, v := range []string{"Größe 1", "12½", strings.Repeat("1", 34), strings.Repeat("x", 24), strings.Repeat("1", 10_000), "1\xff"} {
		rejected(t, Column{Kind: Text, Unique: true}, fakeOf("account"), []any{"1", nil, v}, 2, "not an account number")
		got := situation(t, Column{Kind: Text}, fakeOf("account"))(v)[0].(string)
		if got == v || utf8.RuneCountInString(got) != utf8.RuneCountInString(v) || !utf8.ValidString(got) {
			t.Errorf("%.40q became %.40q", v, got)
		}
	}
	// Where accents make no difference, a sign may equal a letter.
	equal := situation(t, Column{Kind: Text, Unique: true, Equality: FoldAccents}, fakeOf("account"))("ⓐ1-é2", "a1-e2")
	if equal[0] != equal[1] || equal[0] == "a1-e2" {
		t.Errorf("equal account numbers became %q and %q", equal[0], equal[1])
	}
	refused(t, Column{Kind: Text}, fakeOf("account", "keep", int64(-1)), "cannot keep")
	refused(t, Column{Kind: Int}, fakeOf("account", "keep", int64(1)), "keeps no digits")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, fakeOf("account"), "labels")
	refused(t, Column{Kind: Bool}, fakeOf("account"), "kind bool")
	refused(t, Column{Kind: Int}, fakeOf("email"), "kind int")
}

func TestPostcodesAreNeverKept(t *testing.T) {
	for in, kept := range map[string]string{"SW1A 1AA": "SW1A 1", "10115": "101", "12": "", "1": ""} {
		seen := map[any]bool{}
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			c := &lawCase{spec: fakeOf("postcode", "keep", int64(64)), col: Column{Kind: Text}}
			got := c.mask(t, c.bind(t, fixedKey(t), key), true, []any{in}, nil)[0].(string)
			if !strings.HasPrefix(got, kept) {
				t.Errorf("%s became %s", in, got)
			}
			seen[got] = true
		}
		if len(seen) < 3 {
			t.Errorf("%s became one of %d under five domains", in, len(seen))
		}
	}
}

func TestNumbersOfSoManyDigits(t *testing.T) {
	rejected(t, Column{Kind: Int, Bits: 64}, fakeOf("account"), []any{int64(1), int64(-1)}, 1, "negative")
	for _, v := range []string{"-1", "1.5", "NaN", "Infinity", "1234567890123456789", "007", ".0", "1e3", ""} {
		rejected(t, Column{Kind: Numeric}, fakeOf("account"), []any{"1", v}, 1, "not a whole number")
	}
	// The same number masks alike in columns of any width, and as decimal text.
	wide, narrow := situation(t, Column{Kind: Int, Bits: 64}, fakeOf("account")), situation(t, Column{Kind: Int, Bits: 16}, fakeOf("account"))
	decimal := situation(t, Column{Kind: Numeric}, fakeOf("account"))
	for _, v := range []int64{0, 1, 99, 127, 128, 9999, 10_000, 32767} {
		got := wide(v)[0]
		if n := narrow(v)[0]; n != got || n.(int64) > 32767 {
			t.Errorf("%d became %v and %v", v, got, n)
		}
		if d := decimal(strconv.FormatInt(v, 10))[0]; d != fmt.Sprint(got) {
			t.Errorf("%d became %v and %v", v, got, d)
		}
	}
	if got := wide(int64(1<<63 - 1))[0].(int64); got < 1e18 {
		t.Errorf("the greatest became %d", got)
	}
}

// The permuter is a bijection on each class, table or network, under every tweak.
func TestSymbolsArePermuted(t *testing.T) {
	p := newSymbolPermuter(subkey([KeySize]byte{7}))
	s := getScratch()
	defer s.free()
	for _, class := range []string{"0", "a", "00", "0a", "a0a", "aa00", "0000", "aaaa"} {
		form, _ := scanSymbols(nil, []byte(class), 0)
		_, n := readSymbols(form)
		for _, tweak := range []uint64{0, 1, 1<<56 - 1} {
			seen := make([]bool, n)
			for x := uint64(0); x < n; {
				used := symbolLanes{small: lanes}
				var syms [lanes][]byte
				count := int(min(lanes, n-x))
				for i := range count {
					syms[i] = append([]byte(nil), form...)
					writeSymbols(syms[i], x+uint64(i))
					p.place(s, &used, i, syms[i], tweak)
				}
				p.permute(s, used)
				for i := range count {
					y, _ := readSymbols(syms[i])
					if seen[y] {
						t.Fatalf("%s under %d: %d twice", class, tweak, y)
					}
					seen[y] = true
				}
				x += uint64(count)
			}
		}
	}
	// Every text that weighs little enough fits two halves of 63 bits.
	for digits := range symbolWeight/digitWeight + 1 {
		syms := append(make([]byte, digits), []byte(strings.Repeat("\x0a", (symbolWeight-digits*digitWeight)/letterWeight))...)
		for range 2 {
			k, weight := half(syms)
			for _, h := range [][]byte{syms[:k], syms[k:]} {
				if w := 0; weight <= symbolWeight {
					for _, sym := range h {
						w += digitWeight
						if sym >= symbolLetter {
							w += letterWeight - digitWeight
						}
					}
					if w > 218 { // 18 digits have 216, and 10^18.2 < 2^61
						t.Fatalf("%d digits of %d: a half weighs %d", digits, len(syms), w)
					}
				}
			}
			// The other order.
			for i, j := 0, len(syms)-1; i < j; i, j = i+1, j-1 {
				syms[i], syms[j] = syms[j], syms[i]
			}
		}
	}
}
