package masking

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// situation binds a spec to a column and gives a function that masks values.
func situation(t testing.TB, col Column, spec Spec) func(values ...any) []any {
	t.Helper()
	c := &lawCase{spec: spec, col: col}
	b := c.bind(t, fixedKey(t), "d")
	return func(values ...any) []any { return c.mask(t, b, true, values, nil) }
}

// refused binds what must not bind, and checks that the error says why and what would.
func refused(t *testing.T, col Column, spec Spec, want string) {
	t.Helper()
	b, err := Standard().Bind(fixedKey(t), col, spec, nil)
	var be *BindError
	switch {
	case err == nil:
		t.Errorf("%s %v on %+v was bound: %+v", spec.Name, spec.Variant, col, b.Guarantees)
	case !errors.As(err, &be) || be.Hint() == "":
		t.Errorf("%q has no hint", err)
	case !strings.Contains(err.Error(), want):
		t.Errorf("%q does not say %q", err, want)
	}
}

// rejected masks values of which the row must fail, and checks the error.
func rejected(t *testing.T, col Column, spec Spec, values []any, row int, want string) {
	t.Helper()
	c := &lawCase{spec: spec, col: col}
	b := c.bind(t, fixedKey(t), "d")
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := arrayOf(mem, col.Kind, true, values)
	defer in.Release()
	out, err := b.Transform.Apply(mem, in)
	var ve *ValueError
	if !errors.As(err, &ve) || out != nil {
		t.Fatalf("%q: error %v, output %v", values, err, out)
	}
	if ve.Row != row || !strings.Contains(ve.Error(), want) || ve.Hint() == "" {
		t.Errorf("row %d: %v, hint %q", ve.Row, ve, ve.Help)
	}
	if bad, isText := values[row].(string); isText && len(bad) > 6 && strings.Contains(ve.Error(), bad) {
		t.Error("the error shows the value")
	}
}

var (
	id   = Spec{Name: "pseudonym", Variant: "id"}
	guid = Spec{Name: "pseudonym", Variant: "uuid"}
)

func ranged(lo, hi any) Spec {
	return Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{lo, hi})}
}

// Each band is permuted onto itself: a value never leaves its type, its sign, the
// numbers that JavaScript holds, or the lower half of its type.
func TestBandsKeepTheirBorders(t *testing.T) {
	for _, bits := range []int{8, 16, 24, 32, 64} {
		tr := &idTransform{}
		tr.widen(fixedKey(t).Subkey("d", "pseudonym", 1), bits)
		mask := situation(t, Column{Kind: Int, Bits: 64, NarrowBits: bits}, id)
		// The bands lie end to end: every integer has one.
		var sum float64
		for _, b := range tr.bands {
			sum += float64(b.n)
			first, last := b.value(0), b.value(b.n-1)
			for _, v := range []int64{first, last} {
				which, x, ok := tr.find(v)
				if !ok || &tr.bands[which] != &b && tr.bands[which].base != b.base || tr.bands[which].value(x) != v {
					t.Errorf("%d bits: %d is not found in the band of %d … %d", bits, v, first, last)
				}
				got := mask(v)[0].(int64)
				if lo, hi := min(first, last), max(first, last); got < lo || got > hi {
					t.Errorf("%d bits: %d of the band %d … %d became %d", bits, v, lo, hi, got)
				}
			}
		}
		if sum != math.Exp2(64)-1 { // all but 0, as far as a float64 tells
			if sum != math.Exp2(64) {
				t.Errorf("%d bits: the bands hold %.0f integers", bits, sum)
			}
		}
	}
}

func TestIDs(t *testing.T) {
	wide := situation(t, Column{Kind: Int, Bits: 64}, id)
	for _, v := range []int64{1, 2, 5, 1<<30 - 1, 1 << 30, 1<<31 - 1, 1 << 31, 1<<53 - 1, 1 << 53, math.MaxInt64, -1, -2, -1 << 31, -1<<31 - 1, math.MinInt64} {
		got := wide(v)[0].(int64)
		if (got < 0) != (v < 0) || got == 0 {
			t.Errorf("%d became %d", v, got)
		}
	}
	if got := wide(int64(0))[0]; got != int64(0) {
		t.Errorf("0 became %d", got)
	}
	// int, bigint, and text in decimal digits: one domain, one pseudonym.
	narrow := situation(t, Column{Kind: Int, Bits: 32}, id)
	text := situation(t, Column{Kind: Text}, id)
	for _, v := range []int64{1, 77, 1<<31 - 1, -5, 0} {
		a, b, c := wide(v)[0].(int64), narrow(v)[0].(int64), text(strconv.FormatInt(v, 10))[0].(string)
		if a != b || strconv.FormatInt(a, 10) != c {
			t.Errorf("%d is %d in a bigint, %d in an int, %s in a text", v, a, b, c)
		}
	}
	// A bigint that a smallint refers to has the smallint's bands.
	small := situation(t, Column{Kind: Int, Bits: 16}, id)
	joined := situation(t, Column{Kind: Int, Bits: 64, NarrowBits: 16}, id)
	for v := range int64(1000) {
		if small(v)[0] != joined(v)[0] {
			t.Fatalf("%d: a key and its reference differ", v)
		}
	}
	got := joined(int64(1<<15), int64(1<<30), int64(1<<40))
	for i, most := range []int64{1 << 30, 1 << 31, 1 << 53} {
		if v := got[i].(int64); v < 1<<15 || v >= most {
			t.Errorf("beyond the smallint: %d", v)
		}
	}
}

func TestPinnedRanges(t *testing.T) {
	mask := situation(t, Column{Kind: Int, Bits: 16}, ranged(int64(-1), int64(1)))
	seen := map[any]bool{}
	for _, v := range mask(int64(-1), int64(0), int64(1)) {
		seen[v] = true
	}
	if len(seen) != 3 {
		t.Errorf("[-1, 1] gives %v", seen)
	}
	rejected(t, Column{Kind: Int, Bits: 64}, ranged(int64(1), int64(100)), []any{int64(1), nil, int64(100), int64(101)}, 3, "outside the pinned range [1, 100]")
	rejected(t, Column{Kind: Int, Bits: 64}, ranged(int64(1), int64(1<<40)), []any{int64(0)}, 0, "outside the pinned range")
	rejected(t, Column{Kind: Text}, ranged(int64(1), int64(1<<40)), []any{"5", "-3"}, 1, "outside the pinned range")

	col := Column{Kind: Int, Bits: 32}
	refused(t, col, ranged(int64(5), int64(5)), "fewer than two")
	refused(t, col, ranged(int64(9), int64(1)), "fewer than two")
	refused(t, col, ranged(int64(1), int64(1<<31)), "32 bits")
	refused(t, col, ranged(int64(-1<<31-1), int64(1)), "32 bits")
	refused(t, col, ranged(int64(1), "2"), "pair of integers")
	refused(t, col, Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(1)})}, "pair of integers")
	refused(t, col, Spec{Name: "pseudonym", Variant: "id", Params: params("range", int64(7))}, "type list")
	refused(t, Column{Kind: Text, MaxChars: 10}, id, "20 characters")
	refused(t, Column{Kind: Text, MaxChars: 3}, ranged(int64(1), int64(1000)), "4 characters")
	refused(t, Column{Kind: UUID}, id, "UUIDs")
	refused(t, Column{Kind: Text, Labels: []string{"a"}}, id, "labels")

	few, err := Standard().Bind(fixedKey(t), col, ranged(int64(1), int64(1000)), nil)
	if err != nil || len(few.Warnings) != 1 || !strings.Contains(few.Pinned, "[1, 1000]") {
		t.Errorf("a small range: %+v, %v", few, err)
	}
}

func TestIDsInText(t *testing.T) {
	for _, bad := range []string{"007", "+5", "-0", "1.0", "12a", " 1", "1 ", "١٢", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "-", "--1"} {
		rejected(t, Column{Kind: Text}, id, []any{"1", bad}, 1, "not an integer")
	}
	mask := situation(t, Column{Kind: Text}, id)
	for _, v := range []string{"9223372036854775807", "-9223372036854775808", "-1", "1"} {
		got := mask(v)[0].(string)
		if _, ok := parseCanonical([]byte(got)); !ok || (got[0] == '-') != (v[0] == '-') {
			t.Errorf("%s became %s", v, got)
		}
	}
}

func TestUUIDs(t *testing.T) {
	text := situation(t, Column{Kind: Text}, guid)
	binary := situation(t, Column{Kind: UUID}, guid)
	const sample = "6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c"
	var u uuid
	u.parse([]byte(sample))
	out := text(sample, strings.ToUpper(sample), strings.ReplaceAll(sample, "-", ""))
	a := out[0].(string)
	if out[1] != strings.ToUpper(a) || out[2] != strings.ReplaceAll(a, "-", "") {
		t.Errorf("three spellings of one UUID became %v", out)
	}
	var v uuid
	v.parse([]byte(a))
	if got := binary(string(u.appendBytes(nil)))[0]; got != string(v.appendBytes(nil)) {
		t.Error("a UUID and its text are masked differently")
	}
	if a[14] != '4' || !strings.ContainsRune("89ab", rune(a[19])) {
		t.Errorf("%s lost version or variant", a)
	}
	// Nil and max mean "none".
	for _, none := range []string{"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"} {
		if got := text(none)[0]; got != none {
			t.Errorf("%s became %s", none, got)
		}
	}
	// No letters stay none, so that upper case is never lost.
	for _, digits := range []string{"12345678-1234-4234-8234-123456789012", "00000000-0000-0000-0000-000000000001", "99999999-9999-9999-9999-999999999999"} {
		got := text(digits)[0].(string)
		if got == digits || strings.ContainsAny(got, "abcdefABCDEF") || got[14] != digits[14] || got[19] != digits[19] {
			t.Errorf("%s became %s", digits, got)
		}
	}
	for _, bad := range []string{"x", "6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2", "6F1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c", "6f1e4d3c_2b1a_4f0e_9d8c_7b6a5f4e3d2c", "gf1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c", "{6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c}"} {
		rejected(t, Column{Kind: Text}, guid, []any{sample, bad}, 1, "not a UUID")
	}
	rejected(t, Column{Kind: UUID}, guid, []any{"short"}, 0, "16 bytes")
	refused(t, Column{Kind: Int}, guid, "integers")
	refused(t, Column{Kind: Text, MaxChars: 20}, guid, "32 digits")
	refused(t, Column{Kind: UUID}, Spec{Name: "pseudonym", Variant: "uuid", Params: params("range", []any{})}, "no range")
	refused(t, Column{Kind: UUID}, Spec{Name: "pseudonym", Variant: "name"}, "no variant")
	refused(t, Column{Kind: UUID}, Spec{Name: "pseudonym"}, "needs a variant")
	refused(t, Column{Kind: Date}, guid, "kind date")
}

// Where version and variant stand, which are kept.
const (
	versionBits = 0xf000
	variantBits = 0xc000_0000_0000_0000
)

// The whole cycle of a small class of UUIDs cannot be walked; the inverse can.
func TestUUIDsHaveAnInverse(t *testing.T) {
	f := newFeistel([KeySize]byte{9})
	s := getScratch()
	defer s.free()
	for i := range 20_000 {
		var u uuid
		u.parse([]byte(uuidText(i)))
		switch i % 4 {
		case 1: // any version and variant
			u.hi, u.lo = mix(i), mix(-i)
		case 2: // no letters
			u.hi, u.lo = hexOf(mix(i)%1e16), hexOf(mix(-i)%1e16)
		case 3: // nearly nil
			u.hi, u.lo = 0, uint64(i)
		}
		tr := &uuidTransform{feistel: f}
		u.set(s, 0)
		s.row[0] = 0
		var out [lanes]uuid
		tr.walk(s, 1, &out)
		if out[0].letters() != u.letters() || out[0].hi&versionBits != u.hi&versionBits || out[0].lo&variantBits != u.lo&variantBits {
			t.Fatalf("%x-%x became %x-%x", u.hi, u.lo, out[0].hi, out[0].lo)
		}
		out[0].set(s, 0)
		for {
			f.invert(s, 1)
			back, arrived := getUUID(s, 0)
			if !arrived {
				continue
			}
			if back != u {
				t.Fatalf("%x-%x does not come back", u.hi, u.lo)
			}
			break
		}
	}
}

// An integer of 32 bits without a sign fits its column when it is masked, and below 2^31 it
// masks as one with a sign does.
func TestPseudonymUnsigned(t *testing.T) {
	key, err := KeyFromBytes([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	values := []int64{0, 1, 7, 1 << 30, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 2, 1<<32 - 1}
	masked := func(width, narrow int) *array.Int64 {
		t.Helper()
		b, err := Standard().Bind(key, Column{Name: "n", Kind: Int, Bits: width, NarrowBits: narrow, Unique: true}, Spec{Name: "pseudonym", Variant: "id", Domain: "n"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := array.NewInt64Builder(memory.DefaultAllocator)
		in.AppendValues(values, nil)
		out, err := b.Transform.Apply(memory.DefaultAllocator, in.NewArray())
		if err != nil {
			t.Fatal(err)
		}
		return out.(*array.Int64)
	}
	unsigned, wide, signed := masked(33, 33), masked(64, 33), masked(64, 32)
	for i, v := range values {
		got := unsigned.Value(i)
		if got < 0 || got > 1<<32-1 || v >= 1<<31 != (got >= 1<<31) {
			t.Errorf("value %d is outside of its band", i)
		}
		if got != wide.Value(i) || v < 1<<31 && got != signed.Value(i) {
			t.Errorf("value %d masks otherwise in another column", i)
		}
	}
}
