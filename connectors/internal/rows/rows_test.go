package rows

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func layoutOf(t testing.TB, decoded []string, columns ...catalog.Column) *connectors.Layout {
	t.Helper()
	l, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, Format, decoded)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func declared(name string, k catalog.Kind) catalog.Column {
	return catalog.Column{Name: name, Type: catalog.Type{Name: k.String(), Kind: k}}
}

func put(b *Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.Null()
	case int:
		b.Int(int64(v))
	case int64:
		b.Int(v)
	case float64:
		b.Float(v)
	case string:
		b.Text(v)
	case []byte:
		b.Blob(v)
	default:
		panic("put")
	}
}

func wireOf(v any) []byte {
	switch v := v.(type) {
	case nil:
		return AppendNull(nil)
	case int:
		return AppendInt(nil, int64(v))
	case int64:
		return AppendInt(nil, v)
	case float64:
		return AppendFloat(nil, v)
	case string:
		return AppendText(nil, v)
	case []byte:
		return AppendBlob(nil, v)
	}
	panic("wireOf")
}

// one makes a batch of one row: a kept text, the value, a kept integer.
func one(t testing.TB, mem memory.Allocator, k catalog.Kind, v any) (*connectors.Layout, *connectors.Batch, error) {
	l := layoutOf(t, []string{"v"}, declared("before", catalog.Text), declared("v", k), declared("after", catalog.Int))
	b := NewBuilder(l)
	b.Text("kept")
	put(b, v)
	b.Int(7)
	b.EndRow()
	batch, err := b.Batch(mem)
	return l, batch, err
}

func wrapped(v any) []byte {
	return append(append(wireOf("kept"), wireOf(v)...), wireOf(7)...)
}

func micros(s string) int64 {
	m, ok := parseMoment([]byte(s))
	if !ok {
		panic(s)
	}
	return m.instant()
}

func days(s string) arrow.Date32 {
	m, ok := parseMoment([]byte(s))
	if !ok {
		panic(s)
	}
	return arrow.Date32(m.days)
}

func arrayOf(mem memory.Allocator, v any) arrow.Array {
	switch v := v.(type) {
	case nil:
		return array.NewNull(1)
	case bool:
		b := array.NewBooleanBuilder(mem)
		defer b.Release()
		b.Append(v)
		return b.NewArray()
	case int64:
		b := array.NewInt64Builder(mem)
		defer b.Release()
		b.Append(v)
		return b.NewArray()
	case float64:
		b := array.NewFloat64Builder(mem)
		defer b.Release()
		b.Append(v)
		return b.NewArray()
	case arrow.Date32:
		b := array.NewDate32Builder(mem)
		defer b.Release()
		b.Append(v)
		return b.NewArray()
	case []byte:
		b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
		defer b.Release()
		b.Append(v)
		return b.NewArray()
	}
	panic(fmt.Sprintf("arrayOf %T", v))
}

func valueOf(a arrow.Array) any {
	if a.IsNull(0) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(0)
	case *array.Int64:
		return a.Value(0)
	case *array.Float64:
		return a.Value(0)
	case *array.Date32:
		return a.Value(0)
	case *array.Binary:
		return a.Value(0)
	case *array.BinaryView:
		return a.Value(0)
	}
	panic(fmt.Sprintf("valueOf %T", a))
}

func same(a, b any) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	}
	return a == b
}

var long = strings.Repeat("long text, ", 20)

func TestShapes(t *testing.T) {
	ts := func(s string) any { return micros(s) }
	uuid := []byte("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00")
	other := []byte("\xab\xcd\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x0f")
	tests := []struct {
		kind     catalog.Kind
		original any
		decoded  any
		masked   any
		want     any
	}{
		{catalog.Int, 5, int64(5), int64(-9), -9},
		{catalog.Int, nil, nil, int64(3), 3},
		{catalog.Int, int64(math.MinInt64), int64(math.MinInt64), nil, nil},
		{catalog.Bool, 1, true, false, 0},
		{catalog.Bool, 0, false, true, 1},
		{catalog.Bool, "t", true, false, "f"},
		{catalog.Bool, "FALSE", false, true, "TRUE"},
		{catalog.Bool, nil, nil, true, 1},
		{catalog.Float, 1.5, 1.5, 2.5, 2.5},
		{catalog.Float, math.Copysign(0, -1), math.Copysign(0, -1), 3.0, 3.0},
		{catalog.Float, 4, 4.0, 5.0, 5},
		{catalog.Float, 4, 4.0, 5.5, 5.5},
		{catalog.Float, math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)},
		{catalog.Numeric, 12, []byte("12"), []byte("13"), 13},
		{catalog.Numeric, 12, []byte("12"), []byte("13.5"), 13.5},
		{catalog.Numeric, 0.1, []byte("0.1"), []byte("0.2"), 0.2},
		{catalog.Numeric, 1e300, []byte("1" + strings.Repeat("0", 300)), []byte("1"), 1},
		{catalog.Numeric, "12345678901234567890.5", []byte("12345678901234567890.5"), []byte("2.50"), "2.50"},
		{catalog.Numeric, nil, nil, []byte("2.50"), "2.50"},
		{catalog.Text, "", []byte(""), []byte("x"), "x"},
		{catalog.Text, long, []byte(long), []byte("short"), "short"},
		{catalog.Text, "short", []byte("short"), []byte(long), long},
		{catalog.Text, "\xff\x00é", []byte("\xff\x00é"), []byte("a"), "a"},
		{catalog.Text, 123, []byte("123"), []byte("456"), 456},
		{catalog.Text, 123, []byte("123"), []byte("0456"), "0456"},
		{catalog.Text, 1.5, []byte("1.5"), []byte("2.5"), "2.5"},
		{catalog.Text, []byte("raw"), []byte("raw"), []byte("war"), []byte("war")},
		{catalog.JSON, `{"a":1}`, []byte(`{"a":1}`), []byte(`{}`), `{}`},
		{catalog.JSON, 5, []byte("5"), []byte("6"), 6},
		{catalog.Bytes, []byte{}, []byte{}, []byte{0}, []byte{0}},
		{catalog.Bytes, "text", []byte("text"), []byte("TEXT"), "TEXT"},
		{catalog.UUID, "123e4567-e89b-12d3-a456-426614174000", uuid, other, "abcd4567-e89b-12d3-a456-42661417400f"},
		{catalog.UUID, "{123E4567-E89B-12D3-A456-426614174000}", uuid, other, "{ABCD4567-E89B-12D3-A456-42661417400F}"},
		{catalog.UUID, "123e4567e89b12d3a456426614174000", uuid, other, "abcd4567e89b12d3a45642661417400f"},
		{catalog.UUID, uuid, uuid, other, other},
		{catalog.UUID, nil, nil, uuid, "123e4567-e89b-12d3-a456-426614174000"},
		{catalog.Date, "2021-01-02", days("2021-01-02"), days("2024-02-29"), "2024-02-29"},
		{catalog.Date, "2021-01-02 00:00:00", days("2021-01-02"), days("2024-02-29"), "2024-02-29 00:00:00"},
		{catalog.Date, "2021-01-02T03:04:05Z", days("2021-01-02"), days("2024-02-29"), "2024-02-29T03:04:05Z"},
		{catalog.Date, 1609556645, days("2021-01-02"), days("2021-01-03"), 1609556645 + 86400},
		{catalog.Date, 1609556645123, days("2021-01-02"), days("2021-01-01"), 1609556645123 - 86400000},
		{catalog.Date, 2459216.5, days("2021-01-02"), days("2021-01-03"), 2459217.5},
		{catalog.Date, "-4713-11-24", days("-4713-11-24"), days("0001-01-01"), "0001-01-01"},
		{catalog.Date, "0000-00-00", arrow.Date32(math.MinInt32), arrow.Date32(0), "1970-01-01"},
		{catalog.Date, "0000-00-00", arrow.Date32(math.MinInt32), arrow.Date32(math.MinInt32), "0000-00-00"},
		{catalog.Timestamp, "0000-00-00 00:00:00.000", int64(math.MinInt64), int64(math.MinInt64), "0000-00-00 00:00:00.000"},
		{catalog.Date, "infinity", arrow.Date32(math.MaxInt32), arrow.Date32(math.MinInt32), "-infinity"},
		{catalog.Date, nil, nil, days("2021-01-02"), "2021-01-02"},
		{catalog.Timestamp, "2021-01-02 03:04:05", ts("2021-01-02 03:04:05"), ts("2020-12-31 23:59:59"), "2020-12-31 23:59:59"},
		{catalog.Timestamp, "2021-01-02 03:04:05", ts("2021-01-02 03:04:05"), ts("2020-12-31 23:59:59.25"), "2020-12-31 23:59:59.25"},
		{catalog.Timestamp, "2021-01-02", ts("2021-01-02"), ts("2020-12-31"), "2020-12-31"},
		{catalog.Timestamp, "2021-01-02", ts("2021-01-02"), ts("2020-12-31 01:00"), "2020-12-31 01:00:00"},
		{catalog.Timestamp, "2021-01-02 03:04", ts("2021-01-02 03:04"), ts("2020-12-31 01:00"), "2020-12-31 01:00"},
		{catalog.Timestamp, "2021-01-02T03:04:05.123Z", ts("2021-01-02 03:04:05.123"), ts("2021-01-03 03:04:05"), "2021-01-03T03:04:05.000Z"},
		{catalog.TimestampTZ, "2021-01-02 03:04:05.123456789 +0100 CET", ts("2021-01-02 02:04:05.123456"), ts("2021-01-03 02:04:05.5"), "2021-01-03 03:04:05.500000789 +0100 CET"},
		{catalog.TimestampTZ, "2021-01-02 03:04:05 +0000 UTC", ts("2021-01-02 03:04:05"), ts("2021-01-03"), "2021-01-03 00:00:00 +0000 UTC"},
		{catalog.TimestampTZ, "2021-01-02T00:30:00-05:30", ts("2021-01-02 06:00"), ts("2021-01-02 03:00"), "2021-01-01T21:30:00-05:30"},
		{catalog.TimestampTZ, nil, nil, ts("2021-01-03"), "2021-01-03 00:00:00+00:00"},
		{catalog.Timestamp, 1609556645, ts("2021-01-02 03:04:05"), ts("2021-01-02 03:04:06"), 1609556646},
		{catalog.Timestamp, 1609556645123, ts("2021-01-02 03:04:05.123"), ts("2021-01-02 03:04:06"), 1609556646000},
		{catalog.Timestamp, 1609556645123456, ts("2021-01-02 03:04:05.123456"), ts("2021-01-02 03:04:06"), 1609556646000000},
		{catalog.Timestamp, 1609556645123456789, ts("2021-01-02 03:04:05.123456"), ts("2021-01-02 03:04:06"), 1609556646000000789},
		{catalog.Timestamp, -1, ts("1969-12-31 23:59:59"), ts("1969-12-31 23:59:58"), -2},
		{catalog.Timestamp, 1609556645123456789, ts("2021-01-02 03:04:05.123456"), ts("9999-12-31"), "9999-12-31 00:00:00"},
		{catalog.Timestamp, 1609556645, ts("2021-01-02 03:04:05"), int64(math.MaxInt64), "infinity"},
		{catalog.Timestamp, "294276-12-31 23:59:59.999999", ts("294276-12-31 23:59:59.999999"), ts("2021-01-02"), "2021-01-02 00:00:00.000000"},
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v/%.30v", tt.kind, tt.original), func(t *testing.T) {
			l, batch, err := one(t, mem, tt.kind, tt.original)
			if err != nil {
				t.Fatal(err)
			}
			defer batch.Release()
			if got := valueOf(batch.Decoded[0]); !same(got, tt.decoded) {
				t.Fatalf("decoded %v, want %v", got, tt.decoded)
			}
			e := NewEncoder(l)
			if out, err := e.Encode(batch); err != nil || !bytes.Equal(out, wrapped(tt.original)) {
				t.Fatalf("unchanged: %q, %v", out, err)
			}
			if tt.decoded != nil {
				if err := batch.Replace([]arrow.Array{arrayOf(mem, tt.decoded)}); err != nil {
					t.Fatal(err)
				}
				if out, err := e.Encode(batch); err != nil || !bytes.Equal(out, wrapped(tt.original)) {
					t.Fatalf("replaced by an equal value: %q, %v", out, err)
				}
			}
			if err := batch.Replace([]arrow.Array{arrayOf(mem, tt.masked)}); err != nil {
				t.Fatal(err)
			}
			if out, err := e.Encode(batch); err != nil || !bytes.Equal(out, wrapped(tt.want)) {
				t.Fatalf("masked: %q, %v; want %q", out, err, wrapped(tt.want))
			}
		})
	}
}

func TestValuesThatAreNotWhatTheirColumnDeclares(t *testing.T) {
	const secret = "s3cret-value"
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	for _, tt := range []struct {
		kind  catalog.Kind
		value any
	}{
		{catalog.Int, secret}, {catalog.Int, 1.5}, {catalog.Bool, 2}, {catalog.Bool, secret}, {catalog.Float, secret},
		{catalog.Float, 1<<53 + 1}, {catalog.Numeric, secret}, {catalog.Numeric, []byte("1")}, {catalog.Numeric, "1e"}, {catalog.Numeric, "."},
		{catalog.UUID, secret}, {catalog.UUID, []byte(secret)}, {catalog.UUID, 5}, {catalog.UUID, "123e4567-e89b-12d3-a456_426614174000"},
		{catalog.Bytes, 5}, {catalog.JSON, []byte("{}")}, {catalog.Text, math.Inf(1)},
		{catalog.Date, secret}, {catalog.Date, ""}, {catalog.Date, "2021-00-00"}, {catalog.Date, "0000-00-00 00:00:01"}, {catalog.Date, "2021-02-29"}, {catalog.Date, "2021-1-2"},
		{catalog.Date, []byte("2021-01-02")}, {catalog.Date, "2021-01-02 "}, {catalog.Date, "2021-01-02 25:00"},
		{catalog.Timestamp, "2021-01-02 03:04:05."}, {catalog.Timestamp, "2021-01-02 03:04:05 secret"}, {catalog.Timestamp, "2021-01-02 03:04:05+"},
		{catalog.Timestamp, math.Inf(1)}, {catalog.Timestamp, "999999-01-01"},
	} {
		_, _, err := one(t, mem, tt.kind, tt.value)
		var v *ValueError
		if !errors.As(err, &v) || v.Column != "v" || v.Kind != tt.kind {
			t.Errorf("%v %v: error %v", tt.kind, tt.value, err)
			continue
		}
		if s := err.Error() + v.Hint(); strings.Contains(s, "s3cret") {
			t.Errorf("the value is in the error: %s", s)
		}
	}
}

func TestErrorsCountRowsOfTheChunk(t *testing.T) {
	l := layoutOf(t, []string{"v"}, declared("v", catalog.Int))
	b := NewBuilder(l)
	b.Int(1)
	b.EndRow()
	first, err := b.Batch(memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	first.Release()
	b.Int(1)
	b.EndRow()
	b.Text("x")
	b.EndRow()
	_, err = b.Batch(memory.DefaultAllocator)
	if want := "row 2, column v: text where a value of kind int is declared"; err == nil || err.Error() != want {
		t.Fatalf("error %v, want %s", err, want)
	}
}

func TestScanFindsWhatBuilderRecorded(t *testing.T) {
	l := layoutOf(t, []string{"b", "c"}, declared("a", catalog.Text), declared("b", catalog.Text), declared("c", catalog.Int))
	b := NewBuilder(l)
	for i := range 3 {
		b.Text(strings.Repeat("a", i))
		b.Null()
		b.Int(int64(i))
		b.EndRow()
	}
	batch, err := b.Batch(memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	n, fields, err := Scan(l, batch.Wire, nil)
	if err != nil || n != 3 || fmt.Sprint(fields) != fmt.Sprint(batch.Fields) {
		t.Fatalf("%d rows, fields %v, want %v; %v", n, fields, batch.Fields, err)
	}
}

func TestBatchesOutliveTheirBuilder(t *testing.T) {
	l := layoutOf(t, []string{"v"}, declared("v", catalog.Text))
	b := NewBuilder(l)
	b.Text(long)
	b.EndRow()
	first, err := b.Batch(memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	b.Text(strings.ToUpper(long))
	b.EndRow()
	second, err := b.Batch(memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	if got := valueOf(first.Decoded[0]); !same(got, []byte(long)) {
		t.Fatal("the first batch changed")
	}
	first.Release()
	if got := valueOf(second.Decoded[0]); !same(got, []byte(strings.ToUpper(long))) {
		t.Fatal("the second batch changed when the first was released")
	}
	second.Release()
}

func TestNoAllocationPerRow(t *testing.T) {
	kinds := []catalog.Kind{catalog.Int, catalog.Text, catalog.Timestamp, catalog.UUID, catalog.Numeric, catalog.Bool, catalog.Date}
	var columns []catalog.Column
	var names []string
	for _, k := range kinds {
		columns = append(columns, declared(k.String(), k))
		names = append(names, k.String())
	}
	l := layoutOf(t, names, columns...)
	e := NewEncoder(l)
	b := NewBuilder(l)
	fill := func(rows int) {
		for i := range rows {
			b.Int(int64(i))
			b.Text(long)
			b.Text("2021-01-02 03:04:05")
			b.Text("123e4567-e89b-12d3-a456-426614174000")
			b.Float(1.25)
			b.Text("true")
			b.Int(1609556645)
			b.EndRow()
		}
		batch, err := b.Batch(memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Encode(batch); err != nil {
			t.Fatal(err)
		}
		batch.Release()
	}
	fill(1000)
	few := testing.AllocsPerRun(20, func() { fill(10) })
	many := testing.AllocsPerRun(20, func() { fill(1000) })
	// A garbage collection in between may empty the pool: some allocations more
	// are no allocation per row.
	if many > few+50 {
		t.Fatalf("%v allocations for 1,000 rows, %v for 10", many, few)
	}
}

// A column of texts in which something else stands behind a NULL has the NULL once.
func TestMixedTexts(t *testing.T) {
	l := layoutOf(t, []string{"a"}, declared("a", catalog.Text))
	b := NewBuilder(l)
	for _, add := range []func(){b.Null, func() { b.Text("x") }, func() { b.Int(5) }, b.Null} {
		add()
		b.EndRow()
	}
	batch, err := b.Batch(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	a := batch.Decoded[0].(*array.Binary)
	if a.NullN() != 2 || !a.IsNull(0) || string(a.Value(1)) != "x" || string(a.Value(2)) != "5" {
		t.Errorf("%v", a)
	}
	if out, err := NewEncoder(l).Encode(batch); err != nil || !bytes.Equal(out, batch.Wire) {
		t.Errorf("encoded otherwise: %v", err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(append(append(wireOf("a"), wireOf(nil)...), wireOf([]byte("b"))...))
	f.Add([]byte{3, 0xff, 0xff, 0xff, 0xff, 1})
	l := layoutOf(f, []string{"b"}, declared("a", catalog.Text), declared("b", catalog.Text), declared("c", catalog.Bytes))
	f.Fuzz(func(t *testing.T, wire []byte) {
		n, fields, err := Scan(l, wire, nil)
		if err != nil {
			return
		}
		b := NewBuilder(l)
		off := 0
		for range n {
			for range l.Columns {
				v, end, err := Parse(wire, off)
				if err != nil {
					t.Fatal(err)
				}
				if text, to, ok := ParseText(wire, off); ok != (v.Tag == Text) || ok && (to != end || !bytes.Equal(text, v.Bytes)) {
					t.Fatalf("a text that ends at %d, %t, is %v to %d", to, ok, v.Tag, end)
				}
				b.Raw(wire[off:end])
				off = end
			}
			b.EndRow()
		}
		batch, err := b.Batch(memory.DefaultAllocator)
		if err != nil {
			return
		}
		defer batch.Release()
		if !bytes.Equal(batch.Wire, wire) || fmt.Sprint(batch.Fields) != fmt.Sprint(fields) {
			t.Fatal("another wire")
		}
		if out, err := NewEncoder(l).Encode(batch); err != nil || !bytes.Equal(out, wire) {
			t.Fatalf("encoded otherwise: %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"2021-01-02T03:04:05.123Z", "-4713-11-24", "1e5", "true", "{123E4567-E89B-12D3-A456-426614174000}", "294276-12-31 23:59:59.999999+01"} {
		for k := range uint8(11) {
			f.Add(k, byte(Text), int64(0), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, k, tag byte, n int64, b []byte) {
		kind := catalog.Kind(k%11) + catalog.Bool
		var v any
		switch Tag(tag % 5) {
		case Int:
			v = n
		case Float:
			v = math.Float64frombits(uint64(n))
		case Text:
			v = string(b)
		case Blob:
			v = b
		}
		l, batch, err := one(t, memory.DefaultAllocator, kind, v)
		if err != nil {
			return
		}
		defer batch.Release()
		decoded := valueOf(batch.Decoded[0])
		if decoded == nil {
			return
		}
		replaced := arrayOf(memory.DefaultAllocator, decoded)
		if err := batch.Replace([]arrow.Array{replaced}); err != nil {
			t.Fatal(err)
		}
		f, isFloat := decoded.(float64)
		if out, err := NewEncoder(l).Encode(batch); err != nil || !bytes.Equal(out, wrapped(v)) && !(isFloat && math.IsNaN(f)) {
			t.Fatalf("%v: an equal value is encoded otherwise: %q, %v", kind, out, err)
		}
	})
}

// An instant that is written in some shape reads back as itself, as far as the
// shape's own digits go.
func FuzzMoment(f *testing.F) {
	f.Add("2021-01-02 03:04:05", int64(0))
	f.Add("2021-01-02T03:04Z", int64(1))
	f.Add("2021-01-02 03:04:05.123456789 +0100 CET", int64(-1))
	f.Fuzz(func(t *testing.T, shape string, instant int64) {
		m, ok := parseMoment([]byte(shape))
		if !ok || instant > maxDays*dayMicros/2 || instant < -maxDays*dayMicros/2 || m.infinit != 0 {
			return
		}
		written := appendInstant(nil, instant, &m)
		again, ok := parseMoment(written)
		if !ok || again.instant() != instant {
			t.Fatalf("%q for %d as %q reads back as %d, %v", written, instant, shape, again.instant(), ok)
		}
	})
}

// Values are printed as PostgreSQL would print them.
func TestPrinted(t *testing.T) {
	integers := func(v int64) arrow.Array {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.Append(v)
		return b.NewArray()
	}
	days := func(v arrow.Date32) arrow.Array {
		b := array.NewDate32Builder(memory.DefaultAllocator)
		b.Append(v)
		return b.NewArray()
	}
	floats := func(v float64) arrow.Array {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.Append(v)
		return b.NewArray()
	}
	bytes := func(v string) arrow.Array {
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		b.AppendString(v)
		return b.NewArray()
	}
	for _, c := range []struct {
		kind catalog.Kind
		a    arrow.Array
		want string
	}{
		{catalog.Int, integers(-7), "-7"},
		{catalog.Timestamp, integers(0), "2000-01-01 00:00:00"},
		{catalog.Timestamp, integers(1_500_000), "2000-01-01 00:00:01.5"},
		{catalog.Timestamp, integers(-63_082_368_000_000_000), "0001-12-31 00:00:00 BC"},
		{catalog.Timestamp, integers(math.MaxInt64), "infinity"},
		{catalog.TimestampTZ, integers(0), "2000-01-01 00:00:00+00"},
		{catalog.Date, days(0), "1970-01-01"},
		{catalog.Date, days(-719163), "0001-12-31 BC"},
		{catalog.Date, days(math.MinInt32), "-infinity"},
		{catalog.Float, floats(1e20), "1e+20"},
		{catalog.Float, floats(math.Inf(-1)), "-Infinity"},
		{catalog.Float, floats(math.NaN()), "NaN"},
		{catalog.Bytes, bytes("\x00\xff"), `\x00ff`},
		{catalog.UUID, bytes("0123456789abcdef"), "30313233-3435-3637-3839-616263646566"},
		{catalog.Array, bytes("{a,b}"), "{a,b}"},
	} {
		if got := string(appendPrinted(nil, c.kind, c.a, 0)); got != c.want {
			t.Errorf("%s: %s, want %s", c.kind, got, c.want)
		}
	}
}
