package mysql

import (
	"encoding/hex"
	"testing"
)

func TestMiddle(t *testing.T) {
	text := func(s string) string { return hexOf(s) }
	utf8 := columnFacts{dataType: "varchar", charset: "utf8mb4"}
	for _, test := range []struct {
		part keyColumn
		a, b string
		want string // "" is none
	}{
		{keyColumn{how: keyNumber}, "1", "2", "2"},
		{keyColumn{how: keyNumber}, "1", "10", "6"},
		{keyColumn{how: keyNumber}, "-10", "-9", "-9"},
		{keyColumn{how: keyNumber}, "0", "18446744073709551615", "9223372036854775808"},
		{keyColumn{how: keyNumber}, "-9223372036854775808", "9223372036854775807", "0"},
		{keyColumn{how: keyDecimal}, "-0.03", "0.00", "-0.01"},
		{keyColumn{how: keyDecimal}, "1.00", "2.00", "1.50"},
		{keyColumn{how: keyDecimal}, "7", "9", "8"},
		{keyColumn{how: keyTime}, "2024-01-01", "2024-01-03", "2024-01-02"},
		{keyColumn{how: keyTime}, "2024-01-01", "2024-01-02", "2024-01-02"},
		{keyColumn{how: keyTime}, "2024-01-01 00:00:00", "2024-01-01 00:00:10", "2024-01-01 00:00:05"},
		{keyColumn{how: keyTime}, "1000-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999", "5500-01-01 00:00:00.000000"},
		{keyColumn{how: keyTime}, "0000-00-00", "2024-01-02", ""},
		{keyColumn{how: keyBytes}, "00", "10", "0800000000000000"},
		{keyColumn{how: keyBytes}, "AB00", "AB01", "AB0080000000000000"},
		{keyColumn{how: keyBytes}, "", "FF", "7F80000000000000"},
		{keyColumn{how: keyText, facts: utf8}, text("apple"), text("zebra"), text("n")},
		{keyColumn{how: keyText, facts: utf8}, text("user1"), text("user9"), text("user5")},
		{keyColumn{how: keyText, facts: utf8}, text("0000-1"), text("ffff-2"), text("8")},
		{keyColumn{how: keyText, facts: utf8}, text("Ab"), text("aC"), text("Ac")},
		{keyColumn{how: keyText, facts: utf8}, text("é"), text("è"), ""},
		{keyColumn{how: keyText, facts: columnFacts{charset: "utf16"}}, "0041", "0042", ""},
		{keyColumn{how: keyOpaque}, "1", "2", ""},
	} {
		if got, ok := test.part.middle(test.a, test.b); got != test.want || ok != (test.want != "") {
			t.Errorf("between %s and %s: %s, %v; want %s", test.a, test.b, got, ok, test.want)
		}
	}
}

func hexOf(s string) string {
	const digits = "0123456789ABCDEF"
	var out []byte
	for i := range len(s) {
		out = append(out, digits[s[i]>>4], digits[s[i]&15])
	}
	return string(out)
}

// Whatever the two values are, what is halfway is above the lower one.
func FuzzMiddleBytes(f *testing.F) {
	f.Add([]byte("a"), []byte("b"))
	f.Add([]byte{}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		m, ok := middleBytes(hexOf(string(a)), hexOf(string(b)))
		if !ok {
			return
		}
		v, err := hex.DecodeString(m)
		if err != nil || string(v) <= string(a) {
			t.Errorf("between %x and %x: %s", a, b, m)
		}
	})
}
