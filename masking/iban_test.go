package masking

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"
)

// ibanError returns the remainder by 97, which is 1 of a valid IBAN.
func ibanError(s string) int64 {
	plain := strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9', 'A' <= r && r <= 'Z':
			return r
		case 'a' <= r && r <= 'z':
			return r - 0x20
		}
		return -1
	}, s)
	number := ""
	for _, r := range plain[4:] + plain[:4] {
		if r >= 'A' {
			number += fmt.Sprint(r - 'A' + 10)
		} else {
			number += string(r)
		}
	}
	n, _ := new(big.Int).SetString(number, 10)
	return n.Mod(n, big.NewInt(97)).Int64()
}

func sameIBAN(in, out any) string {
	a, b := in.(string), out.(string)
	if a[:2] != b[:2] {
		return "is of another country"
	}
	dd := digitsOf(a)[:2]
	if dd == "00" || dd == "01" || dd == "99" {
		if digitsOf(b)[:2] != dd {
			return "has other check digits"
		}
	} else if ibanError(a) != ibanError(b) {
		return fmt.Sprintf("left %d by 97, and leaves %d", ibanError(a), ibanError(b))
	}
	return sameClasses(in, out)
}

// The examples of the registry of ISO 13616.
var ibans = []string{
	"AD1200012030200359100100", "AE070331234567890123456", "AL47212110090000000235698741", "AT611904300234573201", "AZ21NABZ00000000137010001944",
	"BA391290079401028494", "BE68539007547034", "BG80BNBG96611020345678", "BH67BMAG00001299123456", "BR9700360305000010009795493P1",
	"CH9300762011623852957", "CR05015202001026284066", "CY17002001280000001200527600", "CZ6508000000192000145399", "DE89370400440532013000",
	"DK5000400440116243", "DO28BAGR00000001212453611324", "EE382200221020145685", "EG380019000500000000263180002", "ES9121000418450200051332",
	"FI2112345600000785", "FO6264600001631634", "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GE29NB0000000101904917", "GI75NWBK000000007099453",
	"GL8964710001000206", "GR1601101250000000012300695", "GT82TRAJ01020000001210029690", "HR1210010051863000160", "HU42117730161111101800000000",
	"IE29AIBK93115212345678", "IL620108000000099999999", "IS140159260076545510730339", "IT60X0542811101000000123456", "JO94CBJO0010000000000131000302",
	"KW81CBKU0000000000001234560101", "KZ86125KZT5004100100", "LB62099900000001001901229114", "LI21088100002324013AA", "LT121000011101001000",
	"LU280019400644750000", "LV80BANK0000435195001", "MC5811222000010123456789030", "MD24AG000225100013104168", "ME25505000012345678951", "MK07250120000058984",
	"MR1300020001010000123456753", "MT84MALT011000012345MTLCAST001S", "MU17BOMM0101101030300200000MUR", "NL91ABNA0417164300", "NO9386011117947",
	"PK36SCBL0000001123456702", "PL61109010140000071219812874", "PS92PALS000000000400123456702", "PT50000201231234567890154", "QA58DOHB00001234567890ABCDEFG",
	"RO49AAAA1B31007593840000", "RS35260005601001611379", "SA0380000000608010167519", "SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541",
	"SM86U0322509800000000270100", "TN5910006035183598478831", "TR330006100519786457841326", "UA213223130000026007233566001", "VA59001123000012345678", "VG96VPVG0000012345678901", "XK051212012345678906",
}

var _ = addLawCases(
	lawCase{name: "iban", spec: fakeOf("iban"), col: Column{Kind: Text, MaxChars: 42, Unique: true}, value: func(i int) any {
		v := ibans[i%len(ibans)]
		return v[:len(v)-6] + fmt.Sprintf("%06d", i)
	}, fits: sameIBAN},
	lawCase{name: "iban, valid", spec: fakeOf("iban"), col: Column{Kind: Text, Unique: true}, value: func(i int) any {
		syms, _ := scanSymbols(nil, fmt.Appendf(nil, "DE00%018d", i*977), 0)
		dd := ibanCheck(syms)
		return fmt.Sprintf("DE%02d %018d", dd, i*977)
	}, fits: func(in, out any) string {
		if ibanError(out.(string)) != 1 {
			return "is not valid"
		}
		return sameIBAN(in, out)
	}},
	lawCase{name: "iban, of all check digits", spec: fakeOf("iban"), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("xx%02d%04d", i%100, i/100) }, count: 1_000_000, fits: sameIBAN},
	lawCase{name: "iban and other texts", spec: fakeOf("iban"), col: Column{Kind: Text}, value: func(i int) any {
		if i%2 == 0 {
			return wordsOf(i)
		}
		return fmt.Sprintf("DE%020d", i)
	}},
)

var _ = addVectors(vectorSet{"iban", []vector{
	{"customers", Column{Kind: Text}, fakeOf("iban"), []any{"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "de89370400440532013000", "DE88370400440532013000", "DE00370400440532013000",
		"GB29NWBK60161331926819", "FR1420041010050500013M02606", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947", "XX98ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", "370400440532013000", "none", "", " ", "-", nil}, nil},
}})

func TestIBANs(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Unique: true}, fakeOf("iban"))
	for _, v := range ibans {
		if ibanError(v) != 1 {
			t.Errorf("the example %s leaves %d", v, ibanError(v))
		}
		syms, _ := scanSymbols(nil, []byte(v), 0)
		if dd := fmt.Sprintf("%02d", ibanCheck(syms)); dd != v[2:4] {
			t.Errorf("%s should have the check digits %s", v, dd)
		}
		got := mask(v)[0].(string)
		if wrong := sameIBAN(v, got); wrong != "" || got == v {
			t.Errorf("%s became %s, which %s", v, got, wrong)
		}
		// In groups of four, and in small letters, it masks alike.
		grouped := ""
		for i, r := range strings.ToLower(v) {
			if i > 0 && i%4 == 0 {
				grouped += " "
			}
			grouped += string(r)
		}
		out := mask(grouped)[0].(string)
		if strings.ToUpper(strings.ReplaceAll(out, " ", "")) != got || sameClasses(grouped, out) != "" {
			t.Errorf("%s became %s and %s", v, got, out)
		}
	}
	for _, v := range []string{"D", "DE1", "DE12", "1234567890", "DEXX1234", "DE12" + strings.Repeat("1", 31), "DE12345é", "call Ann now"} {
		rejected(t, Column{Kind: Text, Unique: true}, fakeOf("iban"), []any{"", ibans[0], v}, 2, "not an IBAN")
		got := situation(t, Column{Kind: Text}, fakeOf("iban"))(v)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(v) || len(v) > 2 && got == v {
			t.Errorf("%s became %s", v, got)
		}
	}
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, fakeOf("iban"), "labels")
	refused(t, Column{Kind: Int}, fakeOf("iban"), "kind int")
}

func FuzzIBAN(f *testing.F) {
	for _, v := range ibans {
		f.Add(v)
	}
	for _, v := range []string{"de89 3704 0044", "XX98ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", "DE", "", "\xff\xfe", "DE٨٩٣٧٠٤", "DE00 1", "DE99 x"} {
		f.Add(v)
	}
	key := fixedKey(f)
	loose, strict := &lawCase{spec: fakeOf("iban"), col: Column{Kind: Text}}, &lawCase{spec: fakeOf("iban"), col: Column{Kind: Text, Unique: true}}
	bl, bs := loose.bind(f, key, "d"), strict.bind(f, key, "d")
	f.Fuzz(func(t *testing.T, in string) {
		got := loose.mask(t, bl, true, []any{in}, nil)[0].(string)
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(in) || !utf8.ValidString(got) {
			t.Fatalf("%q became %q", in, got)
		}
		syms, ok := scanSymbols(nil, []byte(in), 0)
		if !ok || !takesIBAN(syms) {
			return
		}
		if again := strict.mask(t, bs, true, []any{in}, nil)[0]; again != got {
			t.Fatalf("%q became %q, and in a unique column %q", in, got, again)
		}
		masked, ok := scanSymbols(nil, []byte(got), 0)
		if !ok || len(masked) != len(syms) || len(got) != len(in) || masked[0] != syms[0] || masked[1] != syms[1] {
			t.Fatalf("%q became %q", in, got)
		}
		if dd := ibanDigits(syms); dd == noDigits {
			if masked[2] != syms[2] || masked[3] != syms[3] {
				t.Fatalf("%q became %q", in, got)
			}
		} else if (dd+97-ibanCheck(syms))%97 != (ibanDigits(masked)+97-ibanCheck(masked))%97 {
			t.Fatalf("%q became %q", in, got)
		}
	})
}
