package masking

import (
	"bytes"
	"strings"
	"testing"
)

// scanFor returns the hits of the named patterns, "email:ann@x.example".
func scanFor(text string, names ...string) (found []string) {
	var s scanner
	for _, n := range names {
		p, known := textPatternOf(n)
		if !known {
			panic("no pattern " + n)
		}
		s.want |= 1 << p
	}
	for _, h := range s.scan(nil, new(digitRun), []byte(text)) {
		found = append(found, patternNames[h.what]+":"+text[h.from:h.to])
	}
	return found
}

func TestScanFinds(t *testing.T) {
	all := patternNames[:]
	for _, c := range []struct {
		text string
		want string // hits, parted by |
	}{
		{"", ""},
		{"nothing here, not even a number", ""},

		{"write to ann.smith@corp.example.", "email:ann.smith@corp.example"},
		{"<ann@corp.example>,bob+x@mail.corp.example;", "email:ann@corp.example|email:bob+x@mail.corp.example"},
		{"'ann@corp.example' *bob@corp.example* (eve@corp.example)", "email:ann@corp.example|email:bob@corp.example|email:eve@corp.example"},
		{"email=ann@corp.example&x", "email:ann@corp.example"},
		{"o'neil@corp.example", "email:o'neil@corp.example"},
		{"jörg.müller@bücher.example und анна@почта.example", "email:jörg.müller@bücher.example|email:анна@почта.example"},
		{`"ann smith"@corp.example`, `email:"ann smith"@corp.example`},
		{"ann@[192.0.2.1] ann@[IPv6:2001:db8::1]", "email:ann@[192.0.2.1]|email:ann@[IPv6:2001:db8::1]"},
		{"ann＠corp.example", "email:ann＠corp.example"},
		{"ann\u200b@co\u00adrp.exam\u200dple, x", "email:ann\u200b@co\u00adrp.exam\u200dple"},
		{"\ufeffann@corp.example\u200b, \u200b@corp.example", "email:ann@corp.example"},
		{"cc @ann and ann@localhost @ x a@b.1", ""},
		{"12345678@corp.example", "email:12345678@corp.example"},
		{"call 030 1234567 8x@corp.example", "phone:030 1234567|email:8x@corp.example"},
		{"0301234567.ann@corp.example", "email:0301234567.ann@corp.example"},
		{"a@b.example@c.example", "email:a@b.example"},
		{"ann@corp.example/x?y ann@corp.example:25", "email:ann@corp.example|email:ann@corp.example"},
		{"ann@corp.example-", "email:ann@corp.example"},

		{"see https://corp.example/a?mail=ann@corp.example&n=0301234567, then", "url:https://corp.example/a?mail=ann@corp.example&n=0301234567"},
		{"(ftp://corp.example/a(b)c).", "url:ftp://corp.example/a(b)c"},
		{"\"http://bücher.example\" :// http:// x://", "url:http://bücher.example"},

		{"DE89 3704 0044 0532 0130 00 and more", "iban:DE89 3704 0044 0532 0130 00"},
		{"iban GB29NWBK60161331926819.", "iban:GB29NWBK60161331926819"},
		{"nl91abna0417164300", "iban:nl91abna0417164300"},
		{"DE89\u00a03704\u00a00044  0532\u202f0130 00 x", "iban:DE89\u00a03704\u00a00044  0532\u202f0130 00"},
		{"DE89   3704\t0044\u20070532\u200b0130 00", "iban:DE89   3704\t0044\u20070532\u200b0130 00"},
		{"DE88370400440532013000", ""},
		{"XDE89370400440532013000", ""},

		{"4111 1111 1111 1111", "pan:4111 1111 1111 1111"},
		{"card 4111111111111111, exp 12/27", "pan:4111111111111111"},
		{"5500-0000-0000-0004", "pan:5500-0000-0000-0004"},
		{"3782 822463 10005", "pan:3782 822463 10005"},
		{"no 12 4111 1111 1111 1111 030 1234567", "pan:4111 1111 1111 1111|phone:030 1234567"},
		{"4111 1111 1111 1112", ""},

		{"from 192.0.2.17 to 10.0.0.1:8080, mask 10.0.0.0/8", "ip:192.0.2.17|ip:10.0.0.1|ip:10.0.0.0"},
		{"v1.2.3.4, 1.2.3.4.5, 256.1.1.1", ""},
		{"2001:db8::1, ::1, fe80::1ff:fe23:4567:890a and 1:2:3:4:5:6:7:8", "ip:2001:db8::1|ip:::1|ip:fe80::1ff:fe23:4567:890a|ip:1:2:3:4:5:6:7:8"},
		{"::ffff:192.0.2.1", "ip:::ffff:192.0.2.1"},
		{"std::vector 10:30:00 a::b dead::beef :: x::1 1:2:3:4:5:6:7:8:9", ""},

		{"00:1A:2b:3c:4d:5e / 00-1A-2B-3C-4D-5E / ab-cd-ef-1b-cd-ef", "mac:00:1A:2b:3c:4d:5e|mac:00-1A-2B-3C-4D-5E|mac:ab-cd-ef-1b-cd-ef"},
		{"00:1A:2b:3c:4d:5e:6f", ""},

		{"ssn 123-45-6789.", "ssn:123-45-6789"},

		{"+49 (0) 30 / 123 45-67", "phone:+49 (0) 30 / 123 45-67"},
		{"+1 (212) 555-0123 x12", "phone:+1 (212) 555-0123 x12"},
		{"(212) 555-0123", "phone:(212) 555-0123"},
		{"0049 30 1234567 ext. 45 today", "phone:0049 30 1234567 ext. 45"},
		{"030/1234567, 0171-5550199", "phone:030/1234567|phone:0171-5550199"},
		{"06 12 34 56 78", "phone:06 12 34 56 78"},
		{"601 234 567", "phone:601 234 567"},
		{"Tel.: 5550123; Tel5550124", "phone:5550123|phone:5550124"},
		{"٠٥٠ ١٢٣ ٤٥٦٧ و ۰۹۱۲۳۴۵۶۷۸۹", "phone:٠٥٠ ١٢٣ ٤٥٦٧|phone:۰۹۱۲۳۴۵۶۷۸۹"},
		{"०११ २३४५ ६७८९ / ０３-１２３４-５６７８", "phone:०११ २३४५ ६७८९|phone:０３-１２３４-５６７８"},
		{"030\u00a01234567 030\u20111234567", "phone:030\u00a01234567|phone:030\u20111234567"},
		{"A12 030 1234567 2nd, 10:15 030 1234567 10:15, 2,50 030 1234567 2,50; 030 1234567 20 EUR", "phone:030 1234567|phone:030 1234567|phone:030 1234567|phone:030 1234567"},
		{"030 1234567 0171 5550199 / 030 7654321", "phone:030 1234567|phone:0171 5550199|phone:030 7654321"},
		{"01.02.2024 030 1234567 03.04.2024", "phone:030 1234567"},

		{"2024-02-29, 29.02.2024, 2/29/24, 20240229, 2024-02-29 10:15, 1990-2000, 1990/1991", ""},
		{"01.02.2024 - 03.04.2024", ""},
		{"1.234.567,89 1,234,567.00 12345678.90 | € 1234567890 | 1234567890 EUR | 1 234 567 3.14159265", ""},
		{"order 4711, 12345, 1234567, ISBN 978-3-16-148410-0, 1 2 3 4 5 6 7 8", ""},
		{"6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c a12345678901 12345678901b", ""},
	} {
		got := strings.Join(scanFor(c.text, all...), "|")
		if got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// Only what was asked for is found, and what is not does not hide it.
func TestScanFindsWhatIsAskedFor(t *testing.T) {
	text := "ann@corp.example 4111 1111 1111 1111 DE89370400440532013000 192.0.2.17 https://corp.example/ann@corp.example 123-45-6789"
	for _, c := range []struct{ name, want string }{
		{"email", "email:ann@corp.example|email:ann@corp.example"},
		{"pan", "pan:4111 1111 1111 1111"},
		{"iban", "iban:DE89370400440532013000"},
		{"ip", "ip:192.0.2.17"},
		{"url", "url:https://corp.example/ann@corp.example"},
		{"ssn", "ssn:123-45-6789"},
		{"mac", ""},
		{"phone", "phone:123-45-6789"},
	} {
		if got := strings.Join(scanFor(text, c.name), "|"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A hit is found wherever it stands in the eight bytes that are tested at once, and
// whatever stands around it.
func TestScanAnywhere(t *testing.T) {
	for pad := range 40 {
		for _, fill := range []string{"x", "é", "語", "\xff", " "} {
			text := strings.Repeat(fill, pad) + " ann@corp.example " + strings.Repeat(fill, 40-pad) + " +49301234567"
			if got := scanFor(text, "email", "phone"); len(got) != 2 || got[0] != "email:ann@corp.example" || got[1] != "phone:+49301234567" {
				t.Fatalf("%d of %q: %q", pad, fill, got)
			}
		}
	}
}

func TestNextAnchor(t *testing.T) {
	for c := range 256 {
		is := c >= '0' && c <= ':' || c == '@' || c == 0xd9 || c == 0xdb || c == 0xe0 || c == 0xef
		for at := range 17 {
			for _, around := range []byte{'a', 0, 0x7f, 0x80, 0xff, '/', ';', '?', 'A'} {
				text := bytes.Repeat([]byte{around}, 17)
				text[at] = byte(c)
				if got := nextAnchor(text, 0); is && got != at || !is && got != -1 {
					t.Fatalf("byte %#x at %d among %#x: %d", c, at, around, got)
				}
			}
		}
	}
}

// The work is linear in the length, whatever somebody writes.
func TestScanIsLinear(t *testing.T) {
	all := scanner{want: 1<<patterns - 1}
	for _, part := range []string{"@", ":", "1", "1 ", "1.", "a@", "a.", "::", "://", "+1 ", "12.12.2012 ", "4111 ", "DE12", "a1", "\"", "00-", "1@", "(1", "é1", "1a.b-"} {
		text := []byte(strings.Repeat(part, 1<<18/len(part)))
		all.scan(nil, new(digitRun), text) // a test that would not end, if it were not
	}
}
