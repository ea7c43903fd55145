package masking

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// parts returns both numbers as rationals.
func parts(in, out any) (a, b *big.Rat) {
	read := func(v any) *big.Rat {
		switch v := v.(type) {
		case int64:
			return new(big.Rat).SetInt64(v)
		case float64:
			return new(big.Rat).SetFloat64(v)
		}
		r, _ := new(big.Rat).SetString(v.(string))
		return r
	}
	return read(in), read(out)
}

// near says what is wrong with a number that moved by noise.
func near(part float64, amount float64) func(in, out any) string {
	return func(in, out any) string {
		a, b := parts(in, out)
		if a.Sign() != b.Sign() {
			return "changed its sign"
		}
		moved := new(big.Rat).Sub(a, b)
		bound := new(big.Rat).SetFloat64(amount)
		if part > 0 {
			// A float is not the decimal that it is written as.
			bound.Mul(new(big.Rat).Abs(a), new(big.Rat).SetFloat64(part+1e-12))
		}
		if moved.Abs(moved).Cmp(bound) > 0 {
			return "moved too far"
		}
		if s, isText := in.(string); isText && places(s) != places(out.(string)) {
			return "has other decimal places"
		}
		return ""
	}
}

func places(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)
}

func money(i int) any {
	return fmt.Sprintf("%d.%02d", int64(mix(i)%2_000_000)-1_000_000, mix(i)>>32%100)
}

func noiseOf(v any, kv ...any) Spec { return Spec{Name: "noise", Variant: v, Params: params(kv...)} }

func permuted(lo, hi any, kv ...any) Spec {
	return Spec{Name: "number", Variant: "permute", Params: params(append(kv, "range", []any{lo, hi})...)}
}

func below(in, out any) string {
	if a, b := parts(in, out); b.Cmp(a) > 0 {
		return "is above the value"
	}
	return ""
}

var _ = addLawCases(
	lawCase{name: "noise int", spec: noiseOf("10%"), col: Column{Kind: Int, Bits: 64}, value: func(i int) any { return int64(mix(i)) >> 8 }, fits: near(0.1, 0)},
	lawCase{name: "noise int16", spec: noiseOf(int64(500)), col: Column{Kind: Int, Bits: 16}, value: func(i int) any { return int64(int16(mix(i))) }, fits: near(0, 500), few: true},
	lawCase{name: "noise float", spec: noiseOf("2.5%"), col: Column{Kind: Float, Bits: 64}, value: func(i int) any { return float64(mix(i)%1e9)/100 + 1 }, fits: near(0.025, 0), few: true},
	lawCase{name: "noise money", spec: noiseOf("10%"), col: Column{Kind: Numeric, Precision: 12, Scale: 2}, value: money, fits: near(0.1, 0), few: true},
	lawCase{name: "noise by subject", spec: noiseOf("10%", "by", "subject"), col: Column{Kind: Numeric, Precision: 12, Scale: 2}, value: money, fits: near(0.1, 0), few: true,
		by: &Column{Kind: Int, Bits: 32}, subject: func(i int) any { return int64(i / 3) }},
	lawCase{name: "noise text", spec: noiseOf(2.5), col: Column{Kind: Text, MaxChars: 12}, value: func(i int) any { return strconv.Itoa(i) + ".250" }, fits: near(0, 2.5), few: true},

	lawCase{name: "bucket int", spec: Spec{Name: "bucket", Variant: int64(100)}, col: Column{Kind: Int, Bits: 32}, value: func(i int) any { return int64(int32(mix(i))) / 2 }, fixed: true, fits: below},
	lawCase{name: "bucket float", spec: Spec{Name: "bucket", Variant: 0.1}, col: Column{Kind: Float}, value: func(i int) any { return float64(int64(mix(i)%2000)-1000) / 8 }, fixed: true},
	lawCase{name: "bucket money", spec: Spec{Name: "bucket", Variant: int64(50)}, col: Column{Kind: Numeric, Precision: 12, Scale: 2}, value: money, fixed: true, fits: below},
	lawCase{name: "top_code", spec: Spec{Name: "top_code", Variant: int64(90)}, col: Column{Kind: Int, Bits: 16}, value: func(i int) any { return int64(i % 120) }, fixed: true, fits: below},
	lawCase{name: "top_code numeric", spec: Spec{Name: "top_code", Variant: "100.50"}, col: Column{Kind: Numeric}, value: money, fixed: true, fits: below},
	lawCase{name: "top_code timestamp", spec: Spec{Name: "top_code", Variant: "2001-01-01 00:00:00Z"}, col: Column{Kind: Timestamp}, value: asTimestamp, fixed: true},
	lawCase{name: "bottom_code", spec: Spec{Name: "bottom_code", Variant: "1936-01-01"}, col: Column{Kind: Date}, value: asDate, fixed: true},
	lawCase{name: "bottom_code float", spec: Spec{Name: "bottom_code", Variant: -1.5}, col: Column{Kind: Float, Bits: 32}, value: func(i int) any { return float64(float32(i%100-50) / 8) }, fixed: true},

	lawCase{name: "number int", spec: permuted(int64(1), int64(5_000_000)), col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) + 1 }},
	lawCase{name: "number money", spec: permuted(int64(0), int64(1000)), col: Column{Kind: Numeric, Precision: 8, Scale: 2, Unique: true}, count: 100_001,
		value: func(i int) any { return fmt.Sprintf("%d.%02d", i/100, i%100) }},
	lawCase{name: "number, many places", spec: permuted(int64(-9), int64(9), "scale", int64(17)), col: Column{Kind: Numeric, Unique: true},
		value: func(i int) any { return fmt.Sprintf("-%d.%017d", i%9, mix(i)%1e17) }},
)

var _ = addVectors(vectorSet{"number", []vector{
	{"customers", Column{Kind: Int, Bits: 32}, noiseOf("10%"), []any{int64(1000), int64(-1000), int64(3), int64(0), int64(2147483647), nil}, nil},
	{"customers", Column{Kind: Int, Bits: 64}, noiseOf("100%"), []any{int64(1000), int64(math.MaxInt64), int64(math.MinInt64)}, nil},
	{"customers", Column{Kind: Int, Bits: 32}, noiseOf(int64(5)), []any{int64(1000), int64(1)}, nil},
	{"orders", Column{Kind: Int, Bits: 32}, noiseOf("10%"), []any{int64(1000)}, nil},
	{"customers", Column{Kind: Numeric}, noiseOf("10%"), []any{"1000", "1000.00", "01e3", "-0.0", "19.99", "123456789012345678901234567890.5", "NaN", "-Infinity"}, nil},
	{"customers", Column{Kind: Numeric, Precision: 10, Scale: 2}, noiseOf("10%"), []any{"1000.00", "0.05", "99999999.99"}, nil},
	{"customers", Column{Kind: Numeric}, noiseOf(0.005), []any{"1000", "1000.0004", "0.00000000000000000000000001"}, nil},
	{"customers", Column{Kind: Float, Bits: 64}, noiseOf("10%"), []any{1000.0, 19.99, 5.0, 5e-324, math.MaxFloat64, math.Inf(1)}, nil},
	{"customers", Column{Kind: Float, Bits: 32}, noiseOf("10%"), []any{float64(float32(19.99)), math.MaxFloat32}, nil},
	{"customers", Column{Kind: Numeric}, noiseOf("10%", "by", "subject"), []any{"1000", "2000"}, int64(1)},
	{"customers", Column{Kind: Numeric}, Spec{Name: "bucket", Variant: int64(100)}, []any{"1234.56", "99.99", "-1", "-100.00", "0"}, nil},
	{"customers", Column{Kind: Float}, Spec{Name: "bucket", Variant: 0.1}, []any{0.3, -0.3, 0.35, -0.35}, nil},
	{"customers", Column{Kind: Numeric}, Spec{Name: "top_code", Variant: int64(90)}, []any{"103", "90.0", "90.1", "12", "Infinity", "-Infinity"}, nil},
	{"customers", Column{Kind: Date}, Spec{Name: "bottom_code", Variant: "1936-01-01"}, []any{int32(-20000), int32(0), int32(math.MinInt32)}, nil},
	{"customers", Column{Kind: Int, Bits: 32}, permuted(int64(1), int64(1000)), []any{int64(1), int64(2), int64(1000)}, nil},
	{"customers", Column{Kind: Numeric}, permuted(int64(0), 99999999.99), []any{"1", "1.00", "1.000", "99999999.99", "-0"}, nil},
}})

// Equal numbers mask alike, however they are written and whichever column they stand in.
func TestNoiseGoesByTheNumber(t *testing.T) {
	decimal := situation(t, Column{Kind: Numeric}, noiseOf("10%"))
	out := decimal("1000", "1000.0", "1000.00", "01000", "+1e3", "1000.000e0")
	for _, v := range out[1:] {
		a, b := parts(out[0], v)
		if a.Cmp(b) != 0 {
			t.Errorf("equal numbers became %v", out)
		}
	}
	integer := situation(t, Column{Kind: Int, Bits: 64}, noiseOf("10%"))
	for _, v := range []int64{1000, -77, 1 << 40, 999_999_999_999_999_999, 1_000_000_000_000_000_000, math.MaxInt64 / 3, -math.MaxInt64 / 5} {
		if a, b := fmt.Sprint(integer(v)[0]), decimal(strconv.FormatInt(v, 10))[0]; a != b {
			t.Errorf("an integer became %s and the same numeric %s", a, b)
		}
	}
	float := situation(t, Column{Kind: Float, Bits: 64}, noiseOf("10%"))
	if a, b := fmt.Sprint(float(1999.5)[0]), decimal("1999.5")[0]; a != b {
		t.Errorf("a float became %s and the same numeric %s", a, b)
	}
	if z := float(math.Copysign(0, -1), 0.0); z[0] != 0.0 || z[1] != 0.0 {
		t.Errorf("zeros became %v", z)
	}
}

func TestNoiseStaysInTheColumn(t *testing.T) {
	long := strings.Repeat("9", 1000)
	for name, c := range map[string]struct {
		col Column
		in  []any
	}{
		"int16":    {Column{Kind: Int, Bits: 16}, []any{int64(32767), int64(-32768), int64(1), int64(-1)}},
		"int64":    {Column{Kind: Int, Bits: 64}, []any{int64(math.MaxInt64), int64(math.MinInt64), int64(1 << 62)}},
		"numeric":  {Column{Kind: Numeric, Precision: 4, Scale: 2}, []any{"99.99", "-99.99", "0.01"}},
		"wide":     {Column{Kind: Numeric, Precision: 1000}, []any{long, "-" + long, "1"}},
		"float":    {Column{Kind: Float, Bits: 64}, []any{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64}},
		"float32":  {Column{Kind: Float, Bits: 32}, []any{float64(math.MaxFloat32), float64(-math.MaxFloat32), float64(math.SmallestNonzeroFloat32)}},
		"text":     {Column{Kind: Text, MaxChars: 3}, []any{"999", "-99", "0.9", "9.9"}},
		"fraction": {Column{Kind: Numeric, Precision: 3, Scale: 5}, []any{"0.00999", "-0.00001"}},
	} {
		for _, by := range []any{"100%", int64(50), "0.004"} {
			if c.col.Kind == Int && by == "0.004" {
				continue
			}
			for i, v := range situation(t, c.col, noiseOf(by))(c.in...) {
				a, b := parts(c.in[i], v)
				if a.Sign() != b.Sign() {
					t.Errorf("%s, %v: value %d changed its sign", name, by, i)
				}
				switch v := v.(type) {
				case int64:
					if limit := int64(1) << (c.col.Bits - 1); c.col.Bits < 64 && (v < -limit || v >= limit) {
						t.Errorf("%s, %v: value %d left the type", name, by, i)
					}
				case float64:
					if math.IsInf(v, 0) || c.col.Bits == 32 && float64(float32(v)) != v {
						t.Errorf("%s, %v: value %d left the type", name, by, i)
					}
				case string:
					n, _, _ := parseNumber(nil, []byte(v))
					if p := c.col.Precision; p > 0 && len(n.digits) > p || c.col.MaxChars > 0 && len(v) > c.col.MaxChars {
						t.Errorf("%s, %v: value %d does not fit", name, by, i)
					}
				}
			}
		}
	}
}

// The noise is even over its bound, and never none where there is a step to take.
func TestNoiseIsEven(t *testing.T) {
	counts := map[int64]int{}
	const keys = 4000
	for i := range keys {
		c := &lawCase{spec: noiseOf(int64(4)), col: Column{Kind: Int, Bits: 32}}
		counts[c.mask(t, c.bind(t, fixedKey(t), strconv.Itoa(i)), true, []any{int64(100)}, nil)[0].(int64)]++
	}
	if len(counts) != 8 || counts[100] != 0 {
		t.Fatalf("%d different values, %d times none", len(counts), counts[100])
	}
	for v, n := range counts {
		if n < keys/8-120 || n > keys/8+120 {
			t.Errorf("%d came %d times of %d", v, n, keys)
		}
	}
}

// All numbers of one subject move by the same part: what was double stays double.
func TestNoisePerSubject(t *testing.T) {
	c := &lawCase{spec: noiseOf("10%", "by", "subject"), col: Column{Kind: Int, Bits: 64}, by: &Column{Kind: Text, Equality: FoldCase}}
	b := c.bind(t, fixedKey(t), "d")
	out := c.mask(t, b, true, []any{int64(1e9), int64(2e9), int64(1e9), int64(1e9)}, []any{"ann", "Ann", "bob", nil})
	if d := 2*out[0].(int64) - out[1].(int64); d < -2 || d > 2 {
		t.Errorf("the double of a number became %d more", d)
	}
	if out[0] == out[2] || out[0] == out[3] {
		t.Error("two subjects move alike")
	}
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		col      Column
		width    any
		in, want any
	}{
		{Column{Kind: Int, Bits: 32}, int64(100), int64(99), int64(0)},
		{Column{Kind: Int, Bits: 32}, int64(100), int64(-1), int64(-100)},
		{Column{Kind: Int, Bits: 32}, int64(100), int64(-100), int64(-100)},
		{Column{Kind: Int, Bits: 16}, int64(100), int64(-32768), int64(-32768)},
		{Column{Kind: Int, Bits: 64}, int64(1e17), int64(math.MinInt64), int64(math.MinInt64)},
		{Column{Kind: Int, Bits: 64}, int64(1e17), int64(math.MaxInt64), int64(9_200_000_000_000_000_000)},
		{Column{Kind: Numeric}, int64(100), "1234.56", "1200.00"},
		{Column{Kind: Numeric}, int64(100), "-0.001", "-100.000"},
		{Column{Kind: Numeric}, int64(100), "-0.000", "0.000"},
		{Column{Kind: Numeric}, 0.3, "7", "6.9"},
		{Column{Kind: Numeric}, 0.5, "7", "7"},
		{Column{Kind: Numeric, Precision: 4, Scale: 2}, int64(60), "-60.01", "-99.99"},
		{Column{Kind: Numeric, Precision: 4, Scale: 2}, int64(60), "-60.00", "-60.00"},
		{Column{Kind: Numeric, Precision: 2, Scale: 2}, 0.6, "-0.61", "-0.99"},
		{Column{Kind: Numeric, Precision: 2, Scale: 4}, 0.006, "-0.0061", "-0.0099"},
		{Column{Kind: Numeric, Precision: 3, Scale: -2}, int64(60_000), "-60100", "-99900"},
		{Column{Kind: Numeric, Precision: 3, Scale: -2}, int64(500), "1400", "1000"},
		{Column{Kind: Numeric}, int64(7), strings.Repeat("9", 1000), ""},
		{Column{Kind: Float}, 0.1, 0.3, 0.3},
		{Column{Kind: Float}, 0.1, -0.35, -0.4},
		{Column{Kind: Float}, int64(10), math.MaxFloat64, math.MaxFloat64},
		{Column{Kind: Text}, int64(10), "37", "30"},
	} {
		want := c.want
		if want == "" {
			v, _ := new(big.Int).SetString(c.in.(string), 10)
			want = v.Sub(v, new(big.Int).Mod(v, big.NewInt(7))).String()
		}
		if got := situation(t, c.col, Spec{Name: "bucket", Variant: c.width})(c.in)[0]; got != want {
			t.Errorf("%v in buckets of %v became %v, not %v", c.in, c.width, got, want)
		}
	}
}

func TestCaps(t *testing.T) {
	top := situation(t, Column{Kind: Numeric, Precision: 6, Scale: 2}, Spec{Name: "top_code", Variant: "90.5"})
	for in, want := range map[string]string{"90.50": "90.50", "90.51": "90.50", "100.00": "90.50", "9.00": "9.00", "-200.00": "-200.00", "Infinity": "90.5", "-Infinity": "-Infinity", "NaN": "NaN", "0.00": "0.00"} {
		if got := top(in)[0]; got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
	bottom := situation(t, Column{Kind: Float}, Spec{Name: "bottom_code", Variant: int64(-3)})
	out := bottom(-4.0, -2.5, math.Inf(-1), math.Inf(1), 0.0)
	for i, want := range []float64{-3, -2.5, -3, math.Inf(1), 0} {
		if out[i] != want {
			t.Errorf("value %d became %v", i, out[i])
		}
	}
	dates := situation(t, Column{Kind: Date}, Spec{Name: "bottom_code", Variant: "1936-01-01"})
	got := dates(day(t, "1921-05-17"), day(t, "1936-01-02"), int32(math.MinInt32), int32(math.MaxInt32), nil)
	for i, want := range []any{day(t, "1936-01-01"), day(t, "1936-01-02"), int32(math.MinInt32), int32(math.MaxInt32), nil} {
		if got[i] != want {
			t.Errorf("date %d became %v", i, got[i])
		}
	}
}

func TestPermutedNumbers(t *testing.T) {
	col := Column{Kind: Numeric}
	spec := permuted(0.00, 99.99)
	out := situation(t, col, spec)("1", "1.0", "1.00", "1.0000", "-0", "0.00")
	for i, v := range out[:4] {
		a, b := parts(out[0], v)
		if a.Cmp(b) != 0 || places(v.(string)) != []int{2, 2, 2, 4}[i] {
			t.Errorf("equal numbers became %v", out)
		}
	}
	if out[4] != out[5] {
		t.Errorf("two zeros became %v and %v", out[4], out[5])
	}
	rejected(t, col, spec, []any{"1", "100"}, 1, "outside")
	rejected(t, col, spec, []any{"0.001"}, 0, "decimal places")
	rejected(t, col, spec, []any{"NaN"}, 0, "not a decimal")
	rejected(t, Column{Kind: Int}, permuted(int64(1), int64(9)), []any{int64(10)}, 0, "outside")
	rejected(t, Column{Kind: Text}, noiseOf("10%"), []any{"1", "about 3"}, 1, "not a decimal")
	rejected(t, Column{Kind: Text, MaxChars: 2}, Spec{Name: "bucket", Variant: int64(10)}, []any{"-1"}, 0, "characters")
}

// numeric(3,-2) holds the hundreds up to 99900: what is no hundred would be rounded
// when it is loaded, and two masks to one value.
func TestNumbersInHundreds(t *testing.T) {
	col := Column{Kind: Numeric, Precision: 3, Scale: -2}
	var all []any
	for v := range 1000 {
		all = append(all, strconv.Itoa(v*100))
	}
	masked := situation(t, col, permuted(int64(0), int64(99_900)))(all...)
	seen := map[any]bool{}
	for i, v := range masked {
		n, err := strconv.Atoi(v.(string))
		if err != nil || n%100 != 0 || n < 0 || n > 99_900 || seen[v] {
			t.Fatalf("%s became %s", all[i], v)
		}
		seen[v] = true
	}
	rejected(t, col, permuted(int64(0), int64(99_900)), []any{"100", "150"}, 1, "decimal places")
	for _, noise := range []any{"50%", int64(3000), "100%"} {
		moved := 0
		for i, v := range situation(t, col, noiseOf(noise))(all...) {
			n, err := strconv.Atoi(v.(string))
			if err != nil || n%100 != 0 || n > 99_900 || (n == 0) != (i == 0) {
				t.Fatalf("noise of %v: %s became %s", noise, all[i], v)
			}
			if v != all[i] {
				moved++
			}
		}
		if moved < 950 {
			t.Errorf("noise of %v moved %d of 1000", noise, moved)
		}
	}
	if out := situation(t, Column{Kind: Numeric, Precision: 3, Scale: -30}, noiseOf("50%"))("12" + strings.Repeat("0", 30)); !strings.HasSuffix(out[0].(string), strings.Repeat("0", 30)) {
		t.Errorf("became %s", out[0])
	}
	refused(t, col, permuted(int64(0), int64(99_950)), "numeric(3,-2)")
	refused(t, col, permuted(int64(0), int64(99_900), "scale", int64(0)), "numeric(3,-2)")
	refused(t, col, noiseOf(int64(50)), "less than 100")
	refused(t, col, fakeOf("account"), "numeric(3,-2)")
	refused(t, col, Spec{Name: "coordinates", Variant: "latitude", Params: params("grid", int64(10))}, "10 degrees")
	refused(t, col, Spec{Name: "bucket", Variant: int64(50)}, "numeric(3,-2)")
	refused(t, col, Spec{Name: "top_code", Variant: int64(950)}, "numeric(3,-2)")
	refused(t, col, Spec{Name: "top_code", Variant: int64(100_000)}, "numeric(3,-2)")
	refused(t, col, Spec{Name: "bottom_code", Variant: 0.5}, "numeric(3,-2)")
	if out := situation(t, Column{Kind: Numeric, Precision: 2, Scale: 4}, Spec{Name: "bottom_code", Variant: int64(0)})("-0.0001"); out[0] != "0.0000" {
		t.Errorf("became %s", out[0])
	}
}

func TestNumbersThatCannotBe(t *testing.T) {
	number := Column{Kind: Int, Bits: 16, Name: "c"}
	for _, v := range []any{nil, int64(0), "0%", "101%", int64(-1), "x", "%", true, math.Inf(1), "0.00000001%"} {
		refused(t, number, noiseOf(v), "noise is not")
	}
	refused(t, number, noiseOf(0.5), "less than 1")
	refused(t, number, noiseOf("10%", "by", "c"), "column of a table")
	for _, v := range []any{nil, int64(0), int64(-5), "x"} {
		refused(t, number, Spec{Name: "bucket", Variant: v}, "not a positive number")
	}
	refused(t, number, Spec{Name: "bucket", Variant: 0.5}, "whole number")
	refused(t, number, Spec{Name: "bucket", Variant: int64(40_000)}, "16 bits")
	refused(t, Column{Kind: Numeric, Precision: 4, Scale: 2}, Spec{Name: "bucket", Variant: 0.001}, "numeric(4,2)")
	refused(t, number, Spec{Name: "top_code", Variant: "old"}, "not a number")
	refused(t, number, Spec{Name: "top_code", Variant: int64(1 << 20)}, "16 bits")
	refused(t, Column{Kind: Date}, Spec{Name: "bottom_code", Variant: int64(1936)}, "not a date")
	refused(t, Column{Kind: Timestamp}, Spec{Name: "bottom_code", Variant: "infinity"}, "not a date")
	refused(t, Column{Kind: Text, Labels: []string{"1"}}, noiseOf("10%"), "labels")
	refused(t, number, Spec{Name: "number", Variant: "permute"}, "needs the parameter")
	refused(t, number, permuted(int64(1), "x"), "pair of numbers")
	refused(t, number, permuted(int64(5), int64(5)), "fewer than two")
	refused(t, number, permuted(int64(0), 1.5), "whole numbers")
	refused(t, number, permuted(int64(0), int64(1<<15)), "16 bits")
	refused(t, Column{Kind: Int, Bits: 64, NarrowBits: 16}, permuted(int64(0), int64(1<<15)), "16 bits")
	refused(t, Column{Kind: Numeric}, permuted(int64(0), int64(1), "scale", int64(19)), "scale")
	refused(t, Column{Kind: Numeric, Precision: 4, Scale: 2}, permuted(int64(0), int64(100)), "numeric(4,2)")
	refused(t, Column{Kind: Float}, permuted(int64(0), int64(1)), "kind float")
}

// What would leave every number as it is does not bind; what leaves whole numbers, of which
// the column may have others, says so.
func TestNumbersThatStay(t *testing.T) {
	bucket := func(width any) Spec { return Spec{Name: "bucket", Variant: width} }
	grid := func(width any) Spec {
		return Spec{Name: "coordinates", Variant: "latitude", Params: map[string]any{"grid": width}}
	}
	money, hundreds := Column{Kind: Numeric, Precision: 10, Scale: 2}, Column{Kind: Numeric, Precision: 3, Scale: -2}
	refused(t, Column{Kind: Int, Bits: 32}, bucket(int64(1)), "leaves the numbers of the column as they are")
	refused(t, money, bucket(0.01), "leaves the numbers of the column as they are")
	refused(t, money, bucket("0.0100"), "leaves the numbers of the column as they are")
	refused(t, hundreds, bucket(int64(100)), "leaves the numbers of the column as they are")
	refused(t, Column{Kind: Numeric, Precision: 8, Scale: 5}, grid(0.00001), "leaves the places of the column as they are")
	for _, c := range []struct {
		col  Column
		spec Spec
		want string
	}{
		{Column{Kind: Int}, bucket(int64(2)), ""},
		{money, bucket(0.02), ""},
		{money, bucket(int64(1)), ""},
		{hundreds, bucket(int64(200)), ""},
		{Column{Kind: Float}, bucket(0.5), "whole numbers stay as they are"},
		{Column{Kind: Text}, bucket(int64(1)), "whole numbers stay as they are"},
		{Column{Kind: Numeric}, bucket(int64(1)), "whole numbers stay as they are"},
		{Column{Kind: Numeric}, bucket("0.3"), ""},
		{Column{Kind: Numeric}, bucket(1.5), ""},
		{Column{Kind: Numeric, Precision: 8, Scale: 5}, grid(0.00002), ""},
		{Column{Kind: Float}, grid(0.00001), ""},
		{Column{Kind: Int}, noiseOf("10%"), "whole numbers below 10 stay as they are: their noise is less than 1"},
		{hundreds, noiseOf("10%"), "whole numbers below 1000 stay as they are: their noise is less than 100"},
		{money, noiseOf("10%"), ""},
		{Column{Kind: Float}, noiseOf("10%"), ""},
		{Column{Kind: Numeric}, noiseOf("10%"), "whole numbers below 10 stay as they are where they are written without decimal places: their noise is less than 1"},
		{Column{Kind: Text}, noiseOf("5%"), "whole numbers below 20 stay as they are where they are written without decimal places: their noise is less than 1"},
		{Column{Kind: Text}, noiseOf(0.5), "whole numbers stay as they are where they are written without decimal places: their noise is less than 1"},
		{Column{Kind: Numeric}, noiseOf(int64(1)), ""},
	} {
		b, err := Standard().Bind(fixedKey(t), c.col, c.spec, nil)
		if got := strings.Join(b.Warnings, "\n"); err != nil || got != c.want {
			t.Errorf("%+v, %v: %q, %v, want %q", c.col, c.spec, got, err, c.want)
		}
	}
}

// FuzzNumeric compares the arithmetic of decimal texts with math/big.
func FuzzNumeric(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "1", "01.50", "+1e3", "1e-5", ".5", "5.", "-", "e", "1e", "1e9999", "1..2", "NaN", "99999999999999999999.999999999999999999999", "123456789012345678", "1234567890123456789", strings.Repeat("9", 400)} {
		f.Add(s, uint32(123_456_789), uint16(2), uint64(1)<<59)
	}
	f.Fuzz(func(t *testing.T, text string, part uint32, scale uint16, u uint64) {
		if len(text) > 2000 {
			return // the oracle would take its time
		}
		n, _, ok := parseNumber(nil, []byte(text))
		want, known := new(big.Rat).SetString(text)
		if strings.ContainsAny(text, "/_xXbBoOpP") {
			known = false
		}
		if !ok {
			if _, exponent, _ := strings.Cut(strings.ToLower(text), "e"); known && len(strings.TrimLeft(exponent, "+-0")) < 4 {
				t.Fatal("a number was not read")
			}
			return
		}
		read := func(n number) *big.Rat {
			r, ok := new(big.Rat).SetString(string(n.append(nil, 0)))
			if !ok {
				t.Fatal("wrote what is no number")
			}
			return r
		}
		if !known || read(n).Cmp(want) != 0 || read(n.canonical()).Cmp(want) != 0 {
			t.Fatal("another number was read")
		}
		form := appendCanonicalDecimal(nil, []byte(text))
		if again := appendCanonicalDecimal(nil, n.append(nil, n.scale+2)); string(form) != string(again) {
			t.Fatal("two canonical forms of one number")
		}
		s := getNumberScratch()
		defer s.free()
		op := &noise{relative: uint64(part)%limb + 1}
		out := read(op.decimal(s, n, u%drawn))
		moved := new(big.Rat).Sub(out, want)
		bound := new(big.Rat).Mul(new(big.Rat).Abs(want), big.NewRat(int64(op.relative), limb))
		if out.Sign() != want.Sign() || moved.Abs(moved).Cmp(bound) > 0 {
			t.Fatal("noise beyond its bound")
		}
		// The long way and the short one agree.
		if c := n.canonical(); len(c.digits) > 0 {
			if _, short := c.size(); short && read(op.decimal(s, n, u%drawn)).Cmp(read(op.long(s, c, 0, u%drawn))) != 0 {
				t.Fatal("the two ways disagree")
			}
		}
		b := &bucket{width: u%drawn + 1, places: int(scale % 19)}
		if b.width == drawn {
			b.width--
		}
		width := new(big.Rat).SetFrac(new(big.Int).SetUint64(b.width), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(b.places)), nil))
		low := read(b.decimal(s, n, 0))
		q := new(big.Rat).Quo(low, width)
		rest := new(big.Rat).Sub(want, low)
		if !q.IsInt() || rest.Sign() < 0 || rest.Cmp(width) >= 0 {
			t.Fatal("not the lower bound of the bucket")
		}
		if c := n.compare(b.decimal(s, n, 0)); c != want.Cmp(low) {
			t.Fatal("compared wrongly")
		}
	})
}
