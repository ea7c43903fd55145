package masking

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A lawCase is one transform on one column, with values to try it on.
type lawCase struct {
	name string
	spec Spec
	col  Column
	// value returns the i-th value; different i give different values where the
	// transform claims to be injective. nil is NULL.
	value func(i int) any
	count int // how many values there are; 0 is as many as one likes
	// fits says what is wrong with an output, or "".
	fits func(in, out any) string
	// fixed: the transform depends on no key.
	fixed bool
	// few: there are so few outputs that two keys may agree often.
	few bool
	// by is the column of the subject, of which subject gives the i-th value.
	by      *Column
	subject func(i int) any
	// counted are the values of the column, for shuffle.
	counted *Values
	// beside are the columns that a group reads, or that a row has besides; then subject
	// gives the i-th row of their values, as []any.
	beside []Peer
}

func params(kv ...any) map[string]any {
	p := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		p[kv[i].(string)] = kv[i+1]
	}
	return p
}

// mix returns 64 bits that look random for i, without being so.
func mix(i int) uint64 {
	x := uint64(i)*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func wordsOf(i int) any {
	return fmt.Sprintf("%s %x", []string{"Anna", "bob", "ÉMILE", "Жанна", "山田", "O'Neil", "x"}[mix(i)%7], i)
}

func uuidText(i int) string {
	h := fmt.Sprintf("%016x%016x", mix(i), mix(i+1<<40))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

func uuidBytes(i int) any {
	var u uuid
	u.parse([]byte(uuidText(i)))
	return string(u.appendBytes(nil))
}

func phoneText(i int) any {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("+1 (212) %03d-%04d", i/10000%1000, i%10000)
	case 1:
		return fmt.Sprintf("0049 30 %09d", i)
	case 2:
		return fmt.Sprintf("%08d", i)
	}
	return fmt.Sprintf("%010d ext. %d", mix(i/4)%1e10, i%7)
}

func anyOf(values ...any) func(int) any {
	return func(i int) any { return values[i%len(values)] }
}

func fitsInt(bits int) func(in, out any) string {
	return func(in, out any) string {
		a, b := in.(int64), out.(int64)
		if limit := int64(1) << (bits - 1); bits < 64 && -limit <= a && a < limit && (b < -limit || b >= limit) {
			return fmt.Sprintf("left %d bits", bits)
		}
		if (a < 0) != (b < 0) || (a == 0) != (b == 0) {
			return "changed its sign"
		}
		if a>>53 == 0 && b>>53 != 0 || a>>53 == -1 && b>>53 != -1 {
			return "left the numbers that JavaScript holds exactly"
		}
		return ""
	}
}

func matches(ok func(string) bool) func(in, out any) string {
	return func(_, out any) string {
		if !ok(out.(string)) {
			return "has another form"
		}
		return ""
	}
}

func onlyOf(digits string, length int) func(in, out any) string {
	return matches(func(s string) bool { return len(s) == length && strings.Trim(s, digits) == "" })
}

func isEmail(domain string, most int) func(in, out any) string {
	return matches(func(s string) bool {
		local, host, _ := strings.Cut(s, "@")
		return host == domain && len(s) <= most && len(local) <= 64 && local != "" && local[0] != '.' &&
			!strings.Contains(local, "..") && strings.Trim(local, "abcdefghijklmnopqrstuvwxyz234567.") == ""
	})
}

func samePattern(in, out any) string {
	a, b := []rune(in.(string)), []rune(out.(string))
	if len(a) != len(b) {
		return "has another length"
	}
	for i := range a {
		if isDigit := '0' <= a[i] && a[i] <= '9'; isDigit != ('0' <= b[i] && b[i] <= '9') || !isDigit && a[i] != b[i] {
			return "has another pattern"
		}
	}
	return ""
}

func movesBy(most int64) func(in, out any) string {
	return func(in, out any) string {
		var moved int64
		switch in := in.(type) {
		case int32:
			moved = int64(out.(int32)) - int64(in)
		case int64:
			moved = (out.(int64) - in) / dayMicros
			if (out.(int64)-in)%dayMicros != 0 {
				return "another time of day"
			}
		}
		if moved == 0 || moved > most || moved < -most {
			return fmt.Sprintf("moved by %d days", moved)
		}
		return ""
	}
}

func validJSON(in, out any) string {
	if !json.Valid([]byte(out.(string))) {
		return "is not JSON"
	}
	return ""
}

func asDate(i int) any { return int32(mix(i)%40000) - 20000 }

func asTimestamp(i int) any { return int64(mix(i)%3_000_000_000_000_000) - 1_500_000_000_000_000 }

func asInt(i int) any { return int64(mix(i)) }

// addLawCases adds cases to lawCases when the package is initialised: each family
// has its own beside its other tests.
func addLawCases(cases ...lawCase) bool {
	lawCases = append(lawCases, cases...)
	return true
}

var lawCases = []lawCase{
	{name: "null", spec: Spec{Name: "null", Variant: true}, col: Column{Kind: Opaque}, value: wordsOf, fixed: true},
	{name: "constant text", spec: Spec{Name: "constant", Variant: "!disabled"}, col: Column{Kind: Text, MaxChars: 9}, value: wordsOf, fixed: true},
	{name: "constant bool", spec: Spec{Name: "constant", Variant: true}, col: Column{Kind: Bool}, value: anyOf(true, false), fixed: true},
	{name: "constant false", spec: Spec{Name: "constant", Variant: false}, col: Column{Kind: Bool}, value: anyOf(true, false), fixed: true},
	{name: "constant int", spec: Spec{Name: "constant", Variant: int64(-7)}, col: Column{Kind: Int, Bits: 16}, value: asInt, fixed: true},
	{name: "constant float", spec: Spec{Name: "constant", Variant: 1.5}, col: Column{Kind: Float, Bits: 32}, value: func(i int) any { return float64(i) / 3 }, fixed: true},
	{name: "constant numeric", spec: Spec{Name: "constant", Variant: "1.50"}, col: Column{Kind: Numeric}, value: func(i int) any { return strconv.Itoa(i) + ".10" }, fixed: true},
	{name: "constant bytes", spec: Spec{Name: "constant", Variant: `\x00ff`}, col: Column{Kind: Bytes}, value: wordsOf, fixed: true},
	{name: "constant uuid", spec: Spec{Name: "constant", Variant: "00000000-0000-4000-8000-000000000000"}, col: Column{Kind: UUID}, value: uuidBytes, fixed: true},
	{name: "constant date", spec: Spec{Name: "constant", Variant: "1969-12-31"}, col: Column{Kind: Date}, value: asDate, fixed: true},
	{name: "constant timestamp", spec: Spec{Name: "constant", Variant: "1999-12-31 23:59:59Z"}, col: Column{Kind: Timestamp}, value: asTimestamp, fixed: true},
	{name: "constant json", spec: Spec{Name: "constant", Variant: "{}"}, col: Column{Kind: JSON}, value: func(i int) any { return strconv.Itoa(i) }, fixed: true, fits: validJSON},

	{name: "token hex", spec: Spec{Name: "token", Variant: "hex"}, col: Column{Kind: Text, Unique: true, Rows: 1e9}, value: wordsOf, fits: onlyOf(hexDigits, 32)},
	{name: "token base32", spec: Spec{Name: "token", Variant: "base32"}, col: Column{Kind: Text, MaxChars: 50, Unique: true}, value: wordsOf, fits: onlyOf(base32Digits, 25)},
	{name: "token short", spec: Spec{Name: "token", Variant: "base32"}, col: Column{Kind: Text, MaxChars: 14, Unique: true}, value: wordsOf, fits: onlyOf(base32Digits, 14)},
	{name: "token long", spec: Spec{Name: "token", Variant: "hex", Params: params("length", int64(77))}, col: Column{Kind: Text}, value: wordsOf, fits: onlyOf(hexDigits, 77)},
	{name: "token one", spec: Spec{Name: "token", Variant: "hex", Params: params("length", int64(1))}, col: Column{Kind: Text}, value: wordsOf, fits: onlyOf(hexDigits, 1), few: true},
	{name: "token bytes", spec: Spec{Name: "token", Variant: "hex"}, col: Column{Kind: Bytes}, value: wordsOf, fits: onlyOf(hexDigits, 32)},

	{name: "id int64", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 64, Unique: true}, value: asInt, fits: fitsInt(64)},
	{name: "id int32", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) - 1000 }, fits: fitsInt(32)},
	{name: "id int16", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 16, Unique: true}, value: func(i int) any { return int64(i) - 1<<15 }, count: 1 << 16, fits: fitsInt(16)},
	{name: "id int8", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 8, Unique: true}, value: func(i int) any { return int64(i) - 1<<7 }, count: 1 << 8, fits: fitsInt(8), few: true},
	{name: "id int24", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 24, Unique: true}, value: func(i int) any { return int64(mix(i)%(1<<20)) * 7 }, count: 1000, fits: fitsInt(24)},
	{name: "id joined", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Int, Bits: 64, NarrowBits: 16, Unique: true}, value: func(i int) any { return int64(i) - 1<<19 }, count: 1 << 20, fits: fitsInt(16)},
	{name: "id [-1, 1]", spec: Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(-1), int64(1)})}, col: Column{Kind: Int, Bits: 16, Unique: true}, value: func(i int) any { return int64(i) - 1 }, count: 3, few: true},
	{name: "id [0, 2^20)", spec: Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(0), int64(1<<20 - 1)})}, col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) }, count: 1 << 20},
	{name: "id [1, 1200000]", spec: Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(1), int64(1_200_000)})}, col: Column{Kind: Int, Bits: 32, Unique: true}, value: func(i int) any { return int64(i) + 1 }, count: 1_200_000},
	{name: "id everything", spec: Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(math.MinInt64), int64(math.MaxInt64)})}, col: Column{Kind: Int, Bits: 64, Unique: true}, value: asInt},
	{name: "id text", spec: Spec{Name: "pseudonym", Variant: "id"}, col: Column{Kind: Text, MaxChars: 20, Unique: true}, value: func(i int) any { return strconv.FormatInt(int64(mix(i)), 10) }},
	{name: "id text range", spec: Spec{Name: "pseudonym", Variant: "id", Params: params("range", []any{int64(1), int64(999_999)})}, col: Column{Kind: Text, MaxChars: 6, Unique: true}, value: func(i int) any { return strconv.Itoa(i + 1) }, count: 999_999},
	{name: "uuid", spec: Spec{Name: "pseudonym", Variant: "uuid"}, col: Column{Kind: UUID, Unique: true}, value: uuidBytes, fits: func(in, out any) string {
		if b := out.(string); len(b) != 16 || b[6]>>4 != 4 || b[8]>>6 != 2 {
			return "lost version or variant"
		}
		return ""
	}},
	{name: "uuid text", spec: Spec{Name: "pseudonym", Variant: "uuid"}, col: Column{Kind: Text, Unique: true, MaxChars: 36}, value: func(i int) any {
		switch text := uuidText(i / 3); i % 3 {
		case 0:
			return text
		case 1:
			return strings.ToUpper(text)
		default:
			return strings.ReplaceAll(text, "-", "")
		}
	}, fits: func(in, out any) string {
		if a, b := in.(string), out.(string); len(a) != len(b) || (a == strings.ToUpper(a)) != (b == strings.ToUpper(b)) {
			return "is spelled in another form"
		}
		return ""
	}},

	{name: "email", spec: Spec{Name: "fake", Variant: "email"}, col: Column{Kind: Text, MaxChars: 50, Unique: true}, value: func(i int) any { return fmt.Sprintf("user%d@corp.example", i) }, fits: isEmail("example.com", 50)},
	{name: "email at domain", spec: Spec{Name: "fake", Variant: "email", Params: params("domain", "mail.shop.test", "unique", true)}, col: Column{Kind: Text}, value: wordsOf, fits: isEmail("mail.shop.test", 48)},
	{name: "email short", spec: Spec{Name: "fake", Variant: "email"}, col: Column{Kind: Text, MaxChars: 30, Unique: true}, value: wordsOf, fits: isEmail("example.com", 30)},
	{name: "email tight", spec: Spec{Name: "fake", Variant: "email", Params: params("domain", "a.test")}, col: Column{Kind: Text, MaxChars: 21, Unique: true}, value: wordsOf, fits: isEmail("a.test", 21)},
	{name: "email tiny", spec: Spec{Name: "fake", Variant: "email"}, col: Column{Kind: Text, MaxChars: 14}, value: wordsOf, fits: isEmail("example.com", 14), few: true},

	{name: "phone", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, Unique: true}, value: phoneText, fits: samePattern},
	{name: "phone, 5 digits", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%05d", i) }, count: 100_000, fits: samePattern},
	{name: "phone, 6 digits", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%06d", i) }, count: 1_000_000, fits: samePattern},
	{name: "phone, one area", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("+1 212 %07d", i) }, fits: samePattern},
	{name: "phone, 40 digits", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, Unique: true}, value: func(i int) any { return fmt.Sprintf("%040d", i) }, fits: samePattern},
	{name: "phone and other texts", spec: Spec{Name: "fake", Variant: "phone"}, col: Column{Kind: Text, MaxChars: 30}, value: func(i int) any {
		if i%3 == 0 {
			return wordsOf(i)
		}
		return phoneText(i)
	}},
	{name: "phone reserved", spec: Spec{Name: "fake", Variant: "phone", Params: params("range", "reserved")}, col: Column{Kind: Text, MaxChars: 30}, value: phoneText, few: true, fits: matches(func(s string) bool {
		return strings.Contains(strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s), "55501")
	})},

	{name: "shift date", spec: Spec{Name: "shift_days", Variant: int64(30)}, col: Column{Kind: Date}, value: asDate, fits: movesBy(30), few: true},
	{name: "shift timestamp", spec: Spec{Name: "shift_days", Variant: int64(1000)}, col: Column{Kind: Timestamp}, value: asTimestamp, fits: movesBy(1000), few: true},
	{name: "shift in year", spec: Spec{Name: "shift_days", Variant: int64(182), Params: params("within", "same_year")}, col: Column{Kind: Date}, value: asDate, few: true, fits: func(in, out any) string {
		if yearOf(int64(in.(int32))) != yearOf(int64(out.(int32))) {
			return "left its year"
		}
		return movesBy(182)(in, out)
	}},
	{name: "shift by int", spec: Spec{Name: "shift_days", Variant: int64(30), Params: params("by", "subject")}, col: Column{Kind: Date}, value: asDate, fits: movesBy(30), few: true,
		by: &Column{Kind: Int, Bits: 32}, subject: func(i int) any { return int64(i / 3) }},
	{name: "shift by text", spec: Spec{Name: "shift_days", Variant: int64(30), Params: params("by", "subject")}, col: Column{Kind: Timestamp}, value: asTimestamp, fits: movesBy(30), few: true,
		by: &Column{Kind: Text}, subject: func(i int) any { return uuidText(i / 3) }},
	{name: "shift by uuid", spec: Spec{Name: "shift_days", Variant: int64(100), Params: params("by", "subject", "within", "same_year")}, col: Column{Kind: Timestamp}, value: asTimestamp, fits: movesBy(100), few: true,
		by: &Column{Kind: UUID}, subject: uuidBytes},

	{name: "first name", spec: Spec{Name: "fake", Variant: "first_name"}, col: Column{Kind: Text, MaxChars: 40}, value: wordsOf},
	{name: "last name", spec: Spec{Name: "fake", Variant: "last_name"}, col: Column{Kind: Text, MaxChars: 12}, value: wordsOf},
	{name: "person name", spec: Spec{Name: "fake", Variant: "person_name"}, col: Column{Kind: Text, MaxChars: 60}, value: wordsOf},
	{name: "shape", spec: Spec{Name: "shape", Variant: "text"}, col: Column{Kind: Text}, value: wordsOf, fits: func(in, out any) string {
		if a, b := in.(string), out.(string); len(a) != len(b) || utf8.RuneCountInString(a) != utf8.RuneCountInString(b) {
			return "has another length"
		}
		return ""
	}},
	{name: "json", spec: Spec{Name: "json", Paths: []PathSpec{
		{Path: "$.a", Spec: Spec{Name: "token", Variant: "hex", Domain: "inside"}},
		{Path: "$.b[*]", Spec: Spec{Name: "fake", Variant: "email", Domain: "inside"}},
		{Path: "$.c", Spec: Spec{Name: "keep"}},
		{Path: "*", Spec: Spec{Name: "drop"}},
	}}, col: Column{Kind: JSON}, value: func(i int) any {
		return fmt.Sprintf(`{"a": "v%d", "b": ["x@y.z", "q%d"], "c": {"d": [1, 2]}, "e": "gone"}`, i, i)
	}, fits: validJSON, few: true /* its domains are those of the paths */},
}

// bind binds the case under a key and a domain.
func (c *lawCase) bind(t testing.TB, key *Key, domain string) Binding {
	t.Helper()
	spec, col := c.spec, c.col
	spec.Domain = domain
	col.Table, col.Name = "t", "c"
	b, err := Standard().Bind(key, col, spec, c.row())
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	if (b.Transform == nil) == (b.Group == nil) {
		t.Fatal("a binding has one transform or one group")
	}
	return b
}

// row returns the table around the case's column.
func (c *lawCase) row() *Row {
	row := &Row{Peers: c.beside, Column: func(name string) (Column, bool) {
		for _, p := range c.beside {
			if p.Column.Name == name {
				return p.Column, true
			}
		}
		if c.by == nil || name != "subject" {
			return Column{}, false
		}
		return *c.by, true
	}}
	if c.counted != nil {
		row.Values = func(string) (*Values, error) { return c.counted, nil }
	}
	return row
}

// arrayOf makes the array that a column of a kind has. nil is NULL.
func arrayOf(mem memory.Allocator, kind Kind, view bool, values []any) arrow.Array {
	switch kind {
	case Bool:
		b := array.NewBooleanBuilder(mem)
		defer b.Release()
		return build(b, b.Append, values)
	case Int, Timestamp:
		b := array.NewInt64Builder(mem)
		defer b.Release()
		return build(b, b.Append, values)
	case Float:
		b := array.NewFloat64Builder(mem)
		defer b.Release()
		return build(b, b.Append, values)
	case Date:
		b := array.NewDate32Builder(mem)
		defer b.Release()
		return build(b, func(v int32) { b.Append(arrow.Date32(v)) }, values)
	}
	if view {
		b := array.NewBinaryViewBuilder(mem)
		defer b.Release()
		return build(b, b.AppendString, values)
	}
	b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	defer b.Release()
	return build(b, b.AppendString, values)
}

func build[T any](b array.Builder, add func(T), values []any) arrow.Array {
	for _, v := range values {
		if v == nil {
			b.AppendNull()
			continue
		}
		add(v.(T))
	}
	return b.NewArray()
}

// valuesOf is the inverse of arrayOf.
func valuesOf(a arrow.Array) []any {
	out := make([]any, a.Len())
	for i := range out {
		if a.IsNull(i) {
			continue
		}
		switch a := a.(type) {
		case *array.Boolean:
			out[i] = a.Value(i)
		case *array.Int64:
			out[i] = a.Value(i)
		case *array.Float64:
			out[i] = a.Value(i)
		case *array.Date32:
			out[i] = int32(a.Value(i))
		case *array.Binary:
			out[i] = string(a.Value(i))
		case *array.BinaryView:
			out[i] = string(a.Value(i))
		case *array.Null:
		default:
			panic("an array of " + a.DataType().String())
		}
	}
	return out
}

// mask runs values through a binding and checks what holds for every transform.
// subjects stands beside values, or is nil.
func (c *lawCase) mask(t testing.TB, b Binding, view bool, values, subjects []any) []any {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := arrayOf(mem, c.col.Kind, view, values)
	defer in.Release()
	return c.maskArrays(t, b, mem, in, subjects, view)
}

func (c *lawCase) maskArrays(t testing.TB, b Binding, mem memory.Allocator, in arrow.Array, subjects []any, view bool) []any {
	t.Helper()
	var out arrow.Array
	var err error
	if b.Group != nil {
		ins := c.inputs(mem, b, in, subjects, view)
		defer func() {
			for _, a := range ins {
				a.Release()
			}
		}()
		var outs []arrow.Array
		outs, err = b.Group.ApplyGroup(mem, ins)
		if err == nil {
			if len(outs) != 1 {
				t.Fatalf("%d arrays came out", len(outs))
			}
			out = outs[0]
		}
	} else {
		out, err = b.Transform.Apply(mem, in)
	}
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	defer out.Release()
	if out.Len() != in.Len() {
		t.Fatalf("%d values came out of %d", out.Len(), in.Len())
	}
	masked := valuesOf(out)
	nulls := 0
	for _, v := range masked {
		if v == nil {
			nulls++
		}
	}
	if out.NullN() != nulls {
		t.Fatalf("the array says %d NULLs and has %d", out.NullN(), nulls)
	}
	return masked
}

// inputs returns the arrays that a group reads, in the order of Binding.Inputs, with
// in for the case's own column. The caller releases them.
func (c *lawCase) inputs(mem memory.Allocator, b Binding, in arrow.Array, subjects []any, view bool) []arrow.Array {
	ins := make([]arrow.Array, len(b.Inputs))
	for k, name := range b.Inputs {
		switch at := slices.IndexFunc(c.beside, func(p Peer) bool { return p.Column.Name == name }); {
		case name == "c":
			in.Retain()
			ins[k] = in
		case at >= 0:
			values := make([]any, len(subjects))
			for i, row := range subjects {
				values[i] = row.([]any)[at]
			}
			ins[k] = arrayOf(mem, c.beside[at].Column.Kind, view, values)
		default:
			ins[k] = arrayOf(mem, c.by.Kind, view, subjects)
		}
	}
	return ins
}

// take returns n of the case's values from a start on, and their subjects.
func (c *lawCase) take(start, n int) (values, subjects []any) {
	values = make([]any, n)
	for i := range values {
		at := start + i
		if c.count > 0 {
			at %= c.count
		}
		values[i] = c.value(at)
	}
	if c.subject != nil {
		subjects = make([]any, n)
		for i := range subjects {
			subjects[i] = c.subject(start + i)
		}
	}
	return values, subjects
}

func randomly(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5a71)) }
