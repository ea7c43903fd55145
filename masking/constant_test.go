package masking

import (
	"math"
	"strings"
	"testing"
)

func constant(v any) Spec { return Spec{Name: "constant", Variant: v} }

func TestConstants(t *testing.T) {
	for _, c := range []struct {
		col  Column
		v    any
		in   any
		want any
	}{
		{Column{Kind: Bool}, true, false, true},
		{Column{Kind: Int, Bits: 16}, int64(-1 << 15), int64(5), int64(-1 << 15)},
		{Column{Kind: Int}, int64(math.MaxInt64), int64(5), int64(math.MaxInt64)},
		{Column{Kind: Float, Bits: 64}, int64(2), 1.0, 2.0},
		{Column{Kind: Numeric}, int64(-3), "1", "-3"},
		{Column{Kind: Numeric}, 0.1, "1", "0.1"},
		{Column{Kind: Numeric}, 1e21, "1", "1000000000000000000000"},
		{Column{Kind: Numeric}, "12345678901234567890.10", "1", "12345678901234567890.10"},
		{Column{Kind: Text, MaxChars: 3}, "äöü", "x", "äöü"},
		{Column{Kind: Text}, "", "x", ""},
		{Column{Kind: Text, Labels: []string{"new", "old"}}, "old", "new", "old"},
		{Column{Kind: Text, Labels: []string{"weiblich", "männlich"}, Charset: ASCII}, "männlich", "weiblich", "männlich"},
		{Column{Kind: Bytes}, `\x00Ff`, "x", "\x00\xff"},
		{Column{Kind: Bytes}, `plain`, "x", "plain"},
		{Column{Kind: UUID}, "6F1E4D3C-2B1A-4F0E-9D8C-7B6A5F4E3D2C", "0123456789abcdef", "\x6f\x1e\x4d\x3c\x2b\x1a\x4f\x0e\x9d\x8c\x7b\x6a\x5f\x4e\x3d\x2c"},
		{Column{Kind: Date}, "1970-01-02", int32(7), int32(1)},
		{Column{Kind: Date}, "1969-12-31", int32(7), int32(-1)},
		{Column{Kind: Date}, "infinity", int32(7), int32(math.MaxInt32)},
		{Column{Kind: Date}, "-infinity", int32(7), int32(math.MinInt32)},
		{Column{Kind: Timestamp}, "2000-01-01", int64(7), int64(0)},
		{Column{Kind: Timestamp}, "2000-01-01 00:00:01", int64(7), int64(1_000_000)},
		{Column{Kind: Timestamp}, "2000-01-01 02:00:00.5+02", int64(7), int64(500_000)},
		{Column{Kind: Timestamp}, "1999-12-31T23:59:59Z", int64(7), int64(-1_000_000)},
		{Column{Kind: Timestamp}, "infinity", int64(7), int64(math.MaxInt64)},
		{Column{Kind: Timestamp}, "-infinity", int64(7), int64(math.MinInt64)},
		{Column{Kind: JSON}, "{}", "[1]", "{}"},
		{Column{Kind: JSON}, int64(4), "[1]", "4"},
		{Column{Kind: JSON}, nil, "[1]", "null"},
		{Column{Kind: JSON}, true, "[1]", "true"},
	} {
		out := situation(t, c.col, constant(c.v))(c.in, nil, c.in)
		if out[0] != c.want || out[1] != nil || out[2] != c.want {
			t.Errorf("%s: %v gives %v", c.col.Kind, c.v, out)
		}
	}
}

func TestConstantsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		col  Column
		v    any
		want string
	}{
		{Column{Kind: Opaque}, "x", "kind opaque"},
		{Column{Kind: Bool}, "true", "kind bool"},
		{Column{Kind: Int, Bits: 16}, int64(1 << 15), "16 bits"},
		{Column{Kind: Int, Bits: 16}, int64(-1<<15 - 1), "16 bits"},
		{Column{Kind: Int}, 1.0, "kind int"},
		{Column{Kind: Int}, "1", "kind int"},
		{Column{Kind: Float, Bits: 32}, 1e300, "32 bits"},
		{Column{Kind: Float}, "1", "kind float"},
		{Column{Kind: Numeric}, "1,5", "kind numeric"},
		{Column{Kind: Numeric}, "", "kind numeric"},
		{Column{Kind: Numeric}, "1e5", "kind numeric"},
		{Column{Kind: Numeric}, true, "kind numeric"},
		{Column{Kind: Numeric, Precision: 5, Scale: 2}, int64(100_000), "numeric(5,2)"},
		{Column{Kind: Numeric, Precision: 5, Scale: 2}, "1.505", "numeric(5,2)"},
		{Column{Kind: Numeric, Precision: 5, Scale: -2}, int64(150), "numeric(5,-2)"},
		{Column{Kind: Text, MaxChars: 3}, "abcd", "4 characters and the column holds 3"},
		{Column{Kind: Text}, int64(7), "kind text"},
		{Column{Kind: Text}, nil, "kind text"},
		{Column{Kind: Text}, "a\x00b", "NUL"},
		{Column{Kind: Text}, "\xff", "UTF-8"},
		{Column{Kind: Text, Labels: []string{"new", "old"}}, "other", "labels"},
		{Column{Kind: Text, Charset: Latin1}, "Łódź", "Latin-1"},
		{Column{Kind: Text, Charset: BMP}, "😀", "Basic Multilingual Plane"},
		{Column{Kind: JSON, Charset: Latin1}, `{"city":"Łódź"}`, "Latin-1"},
		{Column{Kind: Text, MaxBytes: 6}, "Łódź", "7 bytes and the column holds 6"},
		{Column{Kind: Bytes}, `\x0`, "kind bytes"},
		{Column{Kind: Bytes, MaxChars: 2}, "abc", "3 bytes"},
		{Column{Kind: UUID}, "6f1e4d3c2b1a4f0e9d8c7b6a5f4e3d2c", "kind uuid"},
		{Column{Kind: Date}, "2023-02-29", "kind date"},
		{Column{Kind: Date}, "yesterday", "kind date"},
		{Column{Kind: Timestamp}, "12:00", "kind timestamp"},
		{Column{Kind: JSON}, "{", "kind json"},
		{Column{Kind: JSON}, "text", "kind json"},
	} {
		refused(t, c.col, constant(c.v), c.want)
	}
}

// Where it is not known which characters a column holds beside some, a constant or a group
// with others is bound, with a warning; not where they are known, or it is a label.
func TestConstantsThatMayNotFit(t *testing.T) {
	for _, c := range []struct {
		charset Charset
		labels  []string
		text    string
		warned  bool
	}{
		{ASCII, nil, "Łódź", true}, {ASCII, nil, "Lodz", false}, {ASCII, []string{"Łódź"}, "Łódź", false},
		{Latin1, nil, "5 €", true}, {Latin1, nil, "5 £", false}, {BMP, nil, "Łódź", false}, {Unicode, nil, "😀", false},
	} {
		for _, spec := range []Spec{constant(c.text), groups("*", c.text)} {
			b, err := Standard().Bind(fixedKey(t), Column{Kind: Text, Charset: c.charset, Labels: c.labels}, spec, nil)
			if err != nil || len(b.Warnings) > 0 != c.warned || c.warned && !strings.Contains(b.Warnings[0], "only sure that it holds "+c.charset.String()) {
				t.Errorf("%s: %s of %q: %q, %v", c.charset, spec.Name, c.text, b.Warnings, err)
			}
		}
	}
}

func TestNullNeedsRoom(t *testing.T) {
	refused(t, Column{Kind: Text, NotNull: true}, Spec{Name: "null", Variant: true}, "NOT NULL")
	refused(t, Column{Kind: Text}, Spec{Name: "null"}, "true")
	refused(t, Column{Kind: Text}, Spec{Name: "null", Variant: "true"}, "true")
	refused(t, Column{Kind: Text}, Spec{Name: "null", Variant: true, Params: params("x", true)}, "no parameter")
}

func TestTokens(t *testing.T) {
	token := func(variant string, kv ...any) Spec {
		return Spec{Name: "token", Variant: variant, Params: params(kv...)}
	}
	// A shorter token is the beginning of a longer one, as far as one block goes.
	long := situation(t, Column{Kind: Text}, token("hex"))("x")[0].(string)
	short := situation(t, Column{Kind: Text}, token("hex", "length", int64(9)))("x")[0].(string)
	if long[:9] != short {
		t.Errorf("%s and %s", long, short)
	}
	// Longer ones go on, and do not repeat.
	longest := situation(t, Column{Kind: Text}, token("base32", "length", int64(255)))("x")[0].(string)
	for i := 0; i+25 < len(longest); i += 25 {
		for j := i + 25; j+25 <= len(longest); j += 25 {
			if longest[i:i+25] == longest[j:j+25] {
				t.Errorf("characters %d and %d repeat", i, j)
			}
		}
	}
	b, err := Standard().Bind(fixedKey(t), Column{Kind: Text}, token("hex", "length", int64(64)), nil)
	if err != nil || b.Guarantees.OutputBits != 128 {
		t.Errorf("64 characters of hex: %v bits, %v", b.Guarantees.OutputBits, err)
	}
	b, err = Standard().Bind(fixedKey(t), Column{Kind: Text, MaxChars: 20}, token("hex"), nil)
	if err != nil || b.Guarantees.OutputBits != 80 || len(b.Warnings) != 1 {
		t.Errorf("20 characters of hex: %+v, %v", b, err)
	}
	refused(t, Column{Kind: Text, MaxChars: 8}, token("hex", "length", int64(9)), "holds 8")
	refused(t, Column{Kind: Text}, token("hex", "length", int64(0)), "0 characters")
	refused(t, Column{Kind: Text}, token("hex", "length", int64(256)), "256 characters")
	refused(t, Column{Kind: Text}, token("hex", "length", "9"), "type int")
	refused(t, Column{Kind: Text, Unique: true, MaxChars: 17}, token("hex"), "68 bits")
	refused(t, Column{Kind: Text, Unique: true, Rows: 1e12}, token("base32", "length", int64(20)), "100 bits")
	refused(t, Column{Kind: Text, Unique: true}, token("hex", "length", int64(10)), "40 bits")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, token("hex"), "labels")
	refused(t, Column{Kind: UUID}, token("hex"), "kind uuid")
	refused(t, Column{Kind: Text}, token("base58"), "no variant base58")
}

// Bytes are no text: a key of one byte that happens to be a blank is a key.
func TestTokensOfBytes(t *testing.T) {
	for _, in := range []string{" ", "\n", "\r\n\t"} {
		out := situation(t, Column{Kind: Bytes}, Spec{Name: "token", Variant: "hex"})(in, "", nil)
		if len(out[0].(string)) != 32 || out[1] != "" || out[2] != nil {
			t.Errorf("%q, no bytes and NULL give %q", in, out)
		}
	}
}
