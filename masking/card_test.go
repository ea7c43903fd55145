package masking

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// luhnError returns by how much the last digit is off.
func luhnError(s string) int {
	sum, double := 0, false
	d := digitsOf(s)
	for i := len(d) - 1; i >= 0; i-- {
		v := int(d[i] - '0')
		if double {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		double = !double
		sum += v
	}
	return sum % 10
}

func sameLuhn(in, out any) string {
	if a, b := luhnError(in.(string)), luhnError(out.(string)); a != b {
		return fmt.Sprintf("was off by %d and is by %d", a, b)
	}
	return sameClasses(in, out)
}

var cardPrefixes = []string{"4532", "51", "2720", "34", "37", "6011", "65", "62", "3528", "36", "305", "50", "67", "9", "1"}

func cardNumber(i int) any {
	prefix := cardPrefixes[i%len(cardPrefixes)]
	length := 12 + i/len(cardPrefixes)%8
	return prefix + fmt.Sprintf("%019d", uint64(i)*7919)[19-length+len(prefix):]
}

var _ = addLawCases(
	lawCase{name: "card", spec: fakeOf("pan"), col: Column{Kind: Text, MaxChars: 23}, value: cardNumber, fits: sameLuhn, few: true},
	lawCase{name: "card, BIN kept", spec: fakeOf("pan", "test_bin", false), col: Column{Kind: Text, MaxChars: 23, Unique: true}, value: func(i int) any {
		v := fmt.Sprintf("%04d %04d %04d %04d", 4000+i%500, mix(i)%10_000, i/10_000, i%10_000)
		return v
	}, fits: func(in, out any) string {
		if in.(string)[:7] != out.(string)[:7] {
			return "has another BIN"
		}
		return sameLuhn(in, out)
	}},
	lawCase{name: "card, 13 digits", spec: fakeOf("pan", "test_bin", false), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("422222%07d", i) }, count: 1 << 20, fits: sameLuhn},
	lawCase{name: "card and other texts", spec: fakeOf("pan"), col: Column{Kind: Text}, value: func(i int) any {
		if i%2 == 0 {
			return wordsOf(i)
		}
		return fmt.Sprintf("4532%012d", i)
	}},
	lawCase{name: "card int", spec: fakeOf("pan", "test_bin", false), col: Column{Kind: Int, Bits: 64, Unique: true}, value: func(i int) any { return int64(4_532_000_000_000_000) + int64(i)*31 }, fits: func(in, out any) string {
		return sameLuhn(fmt.Sprint(in), fmt.Sprint(out))
	}},
)

var cardVectors = []any{"4111 1111 1111 1111", "4111111111111112", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117", "3530111333300000",
	"6200000000000005", "6759649826438453", "4222222222222", "100000000008", "6304000000000000000", "4111-1111", "411111******1111", "call Ann", "", " ", "-", nil}

var _ = addVectors(vectorSet{"card", []vector{
	{"customers", Column{Kind: Text}, fakeOf("pan"), cardVectors, nil},
	{"customers", Column{Kind: Text}, fakeOf("pan", "test_bin", false), cardVectors, nil},
	{"customers", Column{Kind: Int, Bits: 64}, fakeOf("pan"), []any{int64(4111111111111111), int64(0)}, nil},
}})

// The numbers that payment services document for tests.
var testCards = []string{"4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100", "2223003122003222", "378282246310005", "371449635398431",
	"30569309025904", "38520000023237", "36227206271667", "6011111111111117", "6011000990139424", "3530111333300000", "3566002020360505", "6200000000000005", "6759649826438453"}

func TestLuhn(t *testing.T) {
	for _, v := range append(testCards, "79927398713" /* ISO/IEC 7812-1, annex B's example in many texts */) {
		digits, _ := scanSymbols(nil, []byte(v), 0)
		if last := len(digits) - 1; luhnDigit(digits[:last]) != digits[last] || luhnError(v) != 0 {
			t.Errorf("%s: the check digit is %d", v, luhnDigit(digits[:last]))
		}
	}
}

func TestCards(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, fakeOf("pan"))
	bins := map[string]bool{noBrand: true}
	for _, b := range cardBrands {
		bins[b.bin] = true
		own, _ := scanSymbols(nil, []byte(b.bin+"0000000000"), 0)
		if testBIN(own) != b.bin {
			t.Errorf("the test BIN of %s is not of its brand", b.brand)
		}
	}
	for _, v := range testCards {
		digits, _ := scanSymbols(nil, []byte(v), 0)
		got := mask(v)[0].(string)
		if got[:6] != testBIN(digits) || !bins[got[:6]] || luhnError(got) != 0 || len(got) != len(v) {
			t.Errorf("%s became %s", v, got)
		}
		// A wrong check digit is wrong by as much, and nothing else differs.
		for wrong := byte(1); wrong < 10; wrong++ {
			off := v[:len(v)-1] + string('0'+(v[len(v)-1]-'0'+wrong)%10)
			bad := mask(off)[0].(string)
			if bad[:len(bad)-1] != got[:len(got)-1] || luhnError(bad) != luhnError(off) || luhnError(off) == 0 {
				t.Errorf("%s became %s", off, bad)
			}
		}
	}
	for in, want := range map[string]string{"34": "378282", "2221": "222300", "2720": "222300", "2220": noBrand, "2721": noBrand, "3095": "305693", "3094": noBrand, "3589": "353011", "3590": noBrand, "7": noBrand, "0": noBrand, "6": "675964", "651": "601111", "644": "601111", "643": "675964"} {
		digits, _ := scanSymbols(nil, []byte(in+"000000"), 0)
		if got := testBIN(digits); got != want {
			t.Errorf("%s… goes to %s, not to %s", in, got, want)
		}
	}
	// However it is punctuated, a number masks alike.
	if out := mask("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"); digitsOf(out[0].(string)) != out[2] || digitsOf(out[1].(string)) != out[2] {
		t.Errorf("spellings of one number became %v", out)
	}
	refused(t, Column{Kind: Text, Unique: true}, fakeOf("pan"), "too few for a unique column")
	refused(t, Column{Kind: Text, Unique: true}, fakeOf("pan", "test_bin", true), "too few for a unique column")
	refused(t, Column{Kind: Int, Bits: 32}, fakeOf("pan"), "32 bits")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, fakeOf("pan"), "labels")
	for _, v := range []string{"4111111111", strings.Repeat("4", 20), "411111******1111", "4111 1111 1111 111x", "call Ann"} {
		rejected(t, Column{Kind: Text, Unique: true}, fakeOf("pan", "test_bin", false), []any{"", "4111111111111111", v}, 2, "not a card number")
		if got := mask(v)[0].(string); got == v || utf8.RuneCountInString(got) != len(v) {
			t.Errorf("%s became %s", v, got)
		}
	}
}

func FuzzCard(f *testing.F) {
	for _, v := range cardVectors {
		if s, is := v.(string); is {
			f.Add(s)
		}
	}
	f.Add("٤١١١١١١١١١١١١١١١")
	f.Add("4111\xff1111 1111 1111")
	key := fixedKey(f)
	test, keep := &lawCase{spec: fakeOf("pan"), col: Column{Kind: Text}}, &lawCase{spec: fakeOf("pan", "test_bin", false), col: Column{Kind: Text}}
	bt, bk := test.bind(f, key, "d"), keep.bind(f, key, "d")
	f.Fuzz(func(t *testing.T, in string) {
		for i, out := range []any{test.mask(t, bt, true, []any{in}, nil)[0], keep.mask(t, bk, true, []any{in}, nil)[0]} {
			got := out.(string)
			if utf8.RuneCountInString(got) != utf8.RuneCountInString(in) {
				t.Fatalf("%q became %q", in, got)
			}
			syms, ok := scanSymbols(nil, []byte(in), 0)
			if !ok || anyLetters(syms) || len(syms) < cardLeast || len(syms) > cardMost {
				continue
			}
			if luhnError(got) != luhnError(in) || len(got) != len(in) || i == 1 && digitsOf(got)[:cardBIN] != digitsOf(in)[:cardBIN] {
				t.Fatalf("%q became %q", in, got)
			}
		}
	})
}
