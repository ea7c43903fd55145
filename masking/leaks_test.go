package masking

import (
	"strings"
	"testing"
)

// What a transform does not know the form of does not come through as layout.
func TestWhatStandsForSomethingIsNoLayout(t *testing.T) {
	col := Column{Kind: Text}
	for _, spec := range []Spec{phone(), fakeOf("account"), fakeOf("postcode"), fakeOf("pan"), fakeOf("iban"), fakeOf("ip"), fakeOf("mac"), fakeOf("ssn")} {
		mask := situation(t, col, spec)
		for _, v := range []string{"Ⓜⓐⓡⓨ Ⓢⓜⓘⓣⓗ", "🅼🆁🆈", "⠍⠁⠗⠽", "\ue000\ue001"} {
			if out := mask(v)[0].(string); strings.ContainsAny(out, strings.ReplaceAll(v, " ", "")) {
				t.Errorf("%v: %q became %q", spec.Variant, v, out)
			}
		}
	}
}

// A text of many letters is no IBAN, whatever it begins with.
func TestLettersBehindAnIBANsHeadAreMasked(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, fakeOf("iban"))
	for _, v := range []string{"AB12 Maximilian Mustermann Hausera", "XX00maximilianmustermannhausera"} {
		if out := mask(v)[0].(string); strings.Contains(strings.ToLower(out), "maxi") {
			t.Errorf("%q became %q", v, out)
		}
	}
	// Malta's bank code stays, as it did.
	if out := mask("MT84MALT011000012345MTLCAST001S")[0].(string); !strings.HasPrefix(out, "MT") || len(out) != 31 || !isIBANText(t, out) {
		t.Errorf("a Maltese IBAN became %q", out)
	}
}

func isIBANText(t *testing.T, v string) bool {
	t.Helper()
	syms, ok := scanSymbols(nil, []byte(v), 0)
	return ok && isIBAN(syms) && ibanDigits(syms) == ibanCheck(syms)
}

// Where the encoding is not known, the rest of a redacted text is narrowed gap by gap.
func TestRedactShapesWithinASCII(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Charset: ASCII}, redact("shape", "email"))
	email := situation(t, Column{Kind: Text, Charset: ASCII}, redact("keep", "email"))("ann@corp.example")[0].(string)
	for _, v := range []string{"Größe ann@corp.example", "Привет ann@corp.example конец", "ann@corp.example €"} {
		out := mask(v)[0].(string)
		if !strings.Contains(out, email) || len([]rune(out)) != len([]rune(v))-len("ann@corp.example")+len(email) {
			t.Errorf("%q became %q", v, out)
		}
		if strings.IndexFunc(strings.ReplaceAll(out, "€", ""), func(r rune) bool { return r > 0x7f }) >= 0 {
			t.Errorf("%q became %q, beyond ASCII", v, out)
		}
	}
}

// An XML declaration holds what belongs there, or the document is malformed.
func TestXMLDeclarationHoldsNothingElse(t *testing.T) {
	for doc, ok := range map[string]bool{
		`<?xml version="1.0" encoding='UTF-8' standalone = "yes"?><a/>`: true,
		`<?xml version="1.0"?><a/>`:                                     true,
		`<?xml version="1.0" owner="tell-tale"?><a/>`:                   false,
		`<?xml tell-tale ?><a/>`:                                        false,
		`<?xml version="tell-tale"?><a/>`:                               false,
	} {
		b, err := Standard().Bind(fixedKey(t), Column{Kind: XML}, Spec{Name: "xml", Domain: "d", Paths: []PathSpec{{Path: "*", Spec: Spec{Name: "drop"}}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := tryTextual(t, b.Transform, doc); (err == nil) != ok {
			t.Errorf("%s: %v, %v", doc, out, err)
		}
	}
}

// A percentage of small whole numbers is nothing, and the binding says so.
func TestNoiseThatDoesNothingWarns(t *testing.T) {
	b := bound(t, Column{Kind: Int, Bits: 32}, Spec{Name: "noise", Variant: "10%"}, nil)
	if len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "below 10 ") {
		t.Errorf("warnings are %q", b.Warnings)
	}
}

// Numbers side by side, beside money, and between words without blanks are found.
func TestRedactFindsNumbersBesideOthers(t *testing.T) {
	for _, c := range []struct {
		patterns []any
		text     string
		gone     []string
	}{
		{[]any{"phone"}, "2125550123 2125550124", []string{"2125550123", "2125550124"}},
		{[]any{"phone"}, "212-555-0123 212-555-0124", []string{"555-0123", "555-0124"}},
		{[]any{"phone"}, "2125550123/2125550124", []string{"2125550123", "2125550124"}},
		{[]any{"phone"}, "+12125550123 2125550124", []string{"12125550123", "2125550124"}},
		{[]any{"phone"}, "customer 1234567 2125550123", []string{"2125550123"}},
		{[]any{"phone"}, "2125550123,2125550124", []string{"2125550123", "2125550124"}},
		{[]any{"phone"}, "call 212 555 0123 $50 due", []string{"555 0123"}},
		{[]any{"phone"}, "212-555-0123 USD 50", []string{"555-0123"}},
		{[]any{"phone"}, "电话13812345678谢谢", []string{"13812345678"}},
		{[]any{"phone"}, "โทร0812345678ครับ", []string{"0812345678"}},
		{[]any{"pan"}, "卡号4111111111111111元", []string{"4111111111111111"}},
		{[]any{"pan"}, "卡号4111 1111 1111 1111", []string{"1111 1111"}},
		{[]any{"pan"}, "4111.1111.1111.1111 or 4111 - 1111 - 1111 - 1111", []string{"1111.1111.1111", "1111 - 1111 - 1111"}},
		{[]any{"ip"}, "IP地址93.184.216.34", []string{"93.184.216.34"}},
		{[]any{"pan"}, "1000000001 1000000002 1000000003 1000000004 4111111111111111", []string{"4111111111111111"}},
		{[]any{"ip"}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 93.184.216.34", []string{"93.184.216.34"}},
		{[]any{"pan"}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 4111 1111 1111 1111", []string{"1111 1111 1111"}},
	} {
		spec := Spec{Name: "redact", Variant: c.patterns, Params: params("else", "keep")}
		out := situation(t, Column{Kind: Text}, spec)(c.text)[0].(string)
		for _, gone := range c.gone {
			if strings.Contains(out, gone) {
				t.Errorf("%v: %q became %q", c.patterns, c.text, out)
			}
		}
	}
	// And what is no phone number stays.
	keep := situation(t, Column{Kind: Text}, Spec{Name: "redact", Variant: []any{"phone"}, Params: params("else", "keep")})
	for _, v := range []string{"1 234 567,89 EUR", "2024-02-29 10:15", "12,50 and 1.234.567 $", "$ 1234567890"} {
		if out := keep(v)[0]; out != v {
			t.Errorf("%q became %q", v, out)
		}
	}
}

// Numbers that are padded are the numbers.
func TestPaddedValuesAreMaskedAsThemselves(t *testing.T) {
	col := Column{Kind: Text, MaxChars: 40, Equality: PadSpace}
	for _, c := range []struct {
		spec Spec
		v    string
	}{{id, "42"}, {guid, "6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c"}, {Spec{Name: "noise", Variant: "10%"}, "4200"}} {
		out := situation(t, col, c.spec)(c.v, c.v+"     ")
		if strings.TrimRight(out[1].(string), " ") != out[0] || out[0] == c.v {
			t.Errorf("%v: %q", c.spec.Name, out)
		}
	}
}

// A reserved number is one of those that are reserved, in every form.
func TestReservedPhonesAreReserved(t *testing.T) {
	mask := situation(t, Column{Kind: Text}, phone("range", "reserved"))
	for _, v := range []string{"+45 12 34 56 78", "+47 12345678", "212-555-0123 x4", "0045 123456", "+1 212 555 0123", "5550123", "+49 30 123456"} {
		out := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, mask(v)[0].(string))
		if !strings.Contains(out, "55501") || strings.Contains(v, "+4") && !strings.HasPrefix(out, "1") {
			t.Errorf("%q became %q", v, mask(v)[0])
		}
	}
}

func TestEmailsFoldAsTheDatabase(t *testing.T) {
	mask := situation(t, Column{Kind: Text, Equality: FoldCase}, email())
	if out := mask("νίκος@x.test", "νίκοΣ@x.test"); out[0] != out[1] {
		t.Errorf("equal addresses became %q", out)
	}
}
