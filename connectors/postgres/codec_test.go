package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestNumericText(t *testing.T) {
	for text, want := range map[string]string{
		"0": "", "-0": "0", "1": "", "-1": "", "10000": "", "99999999": "", "0.1": "", "0.0001": "", "0.00001": "", "1.50": "", "-1.50": "",
		"100000000000000000000": "", "0.00000000000000000001": "", "12345678901234567890.123": "", "0.0": "", "-0.00": "0.00", "+7": "7", "007": "7",
		".5": "0.5", "5.": "5", "1e3": "1000", "1.5e-3": "0.0015", "15e-1": "1.5", "1E+2": "100", "1e-5": "0.00001", "NaN": "", "Infinity": "", "-Infinity": "",
		strings.Repeat("9", 1000): "", "0." + strings.Repeat("0", 999) + "1": "",
	} {
		if want == "" {
			want = text
		}
		b, err := appendNumericBinary(nil, []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := appendNumericText([]byte("before "), b)
		if err != nil || string(got) != "before "+want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", ".", "e1", "1e", "1e999999999", "1x", "--1", "1.2.3", " 1", "1 ", "nan", "0x1", "1e-20000"} {
		if _, err := appendNumericBinary(nil, []byte(text)); err == nil {
			t.Errorf("%q is taken for a number", text)
		}
	}
}

func FuzzNumeric(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "1e3", "99990000.0001", "NaN", "Infinity", "0.00010", "100000000"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		if b, err := appendNumericBinary(nil, s); err == nil {
			text, err := appendNumericText(nil, b)
			if err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
			again, err := appendNumericBinary(nil, text)
			if err != nil || !bytes.Equal(b, again) {
				t.Fatalf("%x and %x, %v", b, again, err)
			}
		}
		// The same bytes as the binary form: anything but a panic.
		if text, err := appendNumericText(nil, s); err == nil && len(s) < 100 && binary.BigEndian.Uint16(s[6:]) < 1000 {
			if _, err := appendNumericBinary(nil, text); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

func TestDateText(t *testing.T) {
	// The oracle knows the years 1 to 9999.
	for day := int64(-719162); day <= 2932896; day += 97 {
		want := time.Unix(day*86400, 0).UTC().Format("2006-01-02")
		got := string(appendDateText(nil, int32(day)))
		if got != want {
			t.Fatalf("day %d: %s, want %s", day, got, want)
		}
		if back, err := parseDateText([]byte(got)); err != nil || int64(back) != day {
			t.Fatalf("%s: %d, %v", got, back, err)
		}
	}
	for _, s := range []string{"infinity", "-infinity", "4713-01-01 BC", "0001-12-31 BC", "0004-02-29", "5874897-12-31"} {
		d, err := parseDateText([]byte(s))
		if err != nil || string(appendDateText(nil, d)) != s {
			t.Errorf("%s: %d, %v", s, d, err)
		}
	}
	for _, s := range []string{"infinity", "-infinity", "4713-01-01 00:00:00 BC", "1999-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999", "2000-01-01 00:00:00.5"} {
		n, err := parseStampText([]byte(s))
		if err != nil || string(appendStampText(nil, n, false)) != s {
			t.Errorf("%s: %d, %v", s, n, err)
		}
	}
	if n, err := parseStampText([]byte("2000-01-01 00:00:01+00")); n != 1e6 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, s := range []string{"", "2000", "2000-1-1", "2000-13-01", "2000-01-32", "01/02/2000", "2000-01-01x"} {
		if _, err := parseDateText([]byte(s)); err == nil {
			t.Errorf("%q is taken for a date", s)
		}
		if _, err := parseStampText([]byte(s)); err == nil {
			t.Errorf("%q is taken for a time", s)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", `C:\New`, `\N`, `\.`, "tab\tline\nreturn\r\b\f\v\x00\xff", `\\x00`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		e := escape(nil, v)
		if bytes.ContainsAny(e, "\t\n\r") {
			t.Fatalf("%q holds a separator", e)
		}
		if string(e) == `\N` {
			t.Fatal("a value looks like NULL")
		}
		if got := unescape(nil, e); !bytes.Equal(got, v) {
			t.Fatalf("%q came back as %q", v, got)
		}
		unescape(nil, v) // whatever it is, no panic
	})
}

// testLayout has a column of each way to decode, all decoded.
func testLayout(t testing.TB, format connectors.WireFormat, decoded ...string) *connectors.Layout {
	tab := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "t"}, Kind: catalog.Ordinary, Columns: []catalog.Column{
		{Name: "keep", Type: catalog.Type{OID: oidInt4, Kind: catalog.Int, Bits: 32}},
		{Name: "text", Type: catalog.Type{OID: oidText, Kind: catalog.Text}},
		{Name: "i2", Type: catalog.Type{OID: oidInt2, Kind: catalog.Int, Bits: 16}},
		{Name: "i4", Type: catalog.Type{OID: oidInt4, Kind: catalog.Int, Bits: 32}},
		{Name: "f4", Type: catalog.Type{OID: oidFloat4, Kind: catalog.Float, Bits: 32}},
		{Name: "uuid", Type: catalog.Type{OID: oidUUID, Kind: catalog.UUID}},
		{Name: "date", Type: catalog.Type{OID: oidDate, Kind: catalog.Date}},
		{Name: "num", Type: catalog.Type{OID: oidNumeric, Kind: catalog.Numeric}},
		{Name: "bool", Type: catalog.Type{OID: oidBool, Kind: catalog.Bool}},
		{Name: "jsonb", Type: catalog.Type{OID: oidJSONB, Kind: catalog.JSON}},
		{Name: "last", Type: catalog.Type{OID: oidText, Kind: catalog.Text}},
	}}
	l, err := connectors.NewLayout(tab, format, decoded)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var allDecoded = []string{"text", "i2", "i4", "f4", "uuid", "date", "num", "bool", "jsonb"}

// testStream returns a COPY of n rows of testLayout.
func testStream(n int) []byte {
	s := append([]byte(signature), 0, 0, 0, 0, 0, 0, 0, 0)
	be := binary.BigEndian
	field := func(v []byte) {
		if v == nil {
			s = be.AppendUint32(s, 0xffffffff)
			return
		}
		s = append(be.AppendUint32(s, uint32(len(v))), v...)
	}
	for i := range n {
		s = append(s, 0, 11)
		field(be.AppendUint32(nil, uint32(i)))
		if i%5 == 4 {
			for range 10 {
				field(nil)
			}
			continue
		}
		field([]byte(strings.Repeat("text ", i%7)))
		field(be.AppendUint16(nil, uint16(-i)))
		field(be.AppendUint32(nil, uint32(-i)))
		field(be.AppendUint32(nil, math.Float32bits(float32(i)/3)))
		field([]byte(fmt.Sprintf("%016d", i)))
		field(be.AppendUint32(nil, uint32(i-500)))
		num, _ := appendNumericBinary(nil, []byte(fmt.Sprintf("%d.%04d0", i*i, i)))
		field(num)
		field([]byte{byte(i % 2)})
		field([]byte("\x01{\"a\": 1}"))
		field([]byte("end"))
	}
	return append(s, 0xff, 0xff)
}

func recode(layout *connectors.Layout, stream io.Reader) (out []byte, rows int, err error) {
	d, err := NewDecoder(layout, stream)
	if err != nil {
		return nil, 0, err
	}
	var w bytes.Buffer
	e := NewEncoder(layout, &w)
	for {
		b, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, rows, err
		}
		rows += b.Rows
		err = e.Encode(b)
		b.Release()
		if err != nil {
			return nil, rows, err
		}
	}
	if err := e.Close(); err != nil {
		return nil, rows, err
	}
	return w.Bytes(), rows, nil
}

func TestRecode(t *testing.T) {
	for _, n := range []int{0, 1, 5, 1023, 1024, 1025, 5000} {
		in := testStream(n)
		for _, decoded := range [][]string{nil, {"text"}, {"bool"}, allDecoded} {
			for name, r := range map[string]io.Reader{"whole": bytes.NewReader(in), "in pieces": iotest.HalfReader(bytes.NewReader(in)), "data with the end": iotest.DataErrReader(bytes.NewReader(in))} {
				out, rows, err := recode(testLayout(t, Binary, decoded...), r)
				if err != nil || rows != n || !bytes.Equal(in, out) {
					t.Errorf("%d rows, %d decoded, %s: %d rows, equal %t, %v", n, len(decoded), name, rows, bytes.Equal(in, out), err)
				}
			}
		}
	}
	in := testStream(3)
	for cut := range len(in) {
		if _, _, err := recode(testLayout(t, Binary, "text"), bytes.NewReader(in[:cut])); err == nil {
			t.Fatalf("a stream cut at byte %d is whole", cut)
		}
	}
	if _, _, err := recode(testLayout(t, Binary), bytes.NewReader(append(in, 0))); err == nil {
		t.Error("bytes behind the trailer are nobody's")
	}
}

func FuzzScan(f *testing.F) {
	for _, n := range []int{0, 1, 6} {
		f.Add(testStream(n)[headerSize:])
	}
	f.Add([]byte{0, 11, 0xff, 0xff, 0xff, 0xfe})
	f.Add([]byte{0, 11, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, rows []byte) {
		in := append(append([]byte(signature), 0, 0, 0, 0, 0, 0, 0, 0), rows...)
		// Kept, a stream comes out as it went in, or not at all.
		out, n, err := recode(testLayout(t, Binary), bytes.NewReader(in))
		if err == nil && !bytes.Equal(in, out) {
			t.Fatal("kept rows changed")
		}
		_, m, err2 := recode(testLayout(t, Binary, allDecoded...), bytes.NewReader(in))
		if err == nil && err2 == nil && n != m {
			t.Fatalf("%d rows kept, %d decoded", n, m)
		}
	})
}

func TestReplaced(t *testing.T) {
	layout := testLayout(t, Binary, "text", "i2", "num")
	d, err := NewDecoder(layout, bytes.NewReader(testStream(7)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	text := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	ints := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range b.Rows {
		text.AppendString(fmt.Sprint("masked ", i))
		ints.Append(int64(i) * 10_000)
	}
	if err := b.Replace([]arrow.Array{text.NewArray(), ints.NewArray(), array.NewNull(b.Rows)}); err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	e := NewEncoder(layout, &w)
	// 40,000 does not fit into a smallint; the error says where, not what.
	err = e.Encode(b)
	if !errors.Is(err, errWidth) || !strings.Contains(err.Error(), "column i2, row 5") || strings.Contains(err.Error(), "40000") {
		t.Errorf("out of range: %v", err)
	}
	b.Release()
	if err := NewEncoder(testLayout(t, Binary, "text"), &w).Encode(connectors.NewBatch(1, nil, nil, []arrow.Array{array.NewNull(1), array.NewNull(1)}, nil)); err == nil {
		t.Error("a batch of another layout is taken")
	}
}

// TestNoAllocationPerRow holds for reading and writing alike; what a batch
// costs is shared by its rows.
func TestNoAllocationPerRow(t *testing.T) {
	const rows = 64 * connectors.BatchRows
	in := testStream(rows)
	for _, decoded := range [][]string{nil, allDecoded} {
		layout := testLayout(t, Binary, decoded...)
		r := bytes.NewReader(in)
		allocs := testing.AllocsPerRun(3, func() {
			r.Reset(in)
			d, err := NewDecoder(layout, r)
			if err != nil {
				t.Fatal(err)
			}
			e := NewEncoder(layout, io.Discard)
			for {
				b, err := d.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Encode(b); err != nil {
					t.Fatal(err)
				}
				b.Release()
			}
		})
		if perRow := allocs / rows; perRow > 0.15 {
			t.Errorf("%d columns decoded: %.3f allocations a row", len(decoded), perRow)
		}
	}
}

func BenchmarkRecode(b *testing.B) {
	const rows = 64 * connectors.BatchRows
	in := testStream(rows)
	for _, decoded := range [][]string{nil, {"text"}, allDecoded} {
		b.Run(fmt.Sprintf("decoded=%d", len(decoded)), func(b *testing.B) {
			layout := testLayout(b, Binary, decoded...)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				d, _ := NewDecoder(layout, bytes.NewReader(in))
				e := NewEncoder(layout, io.Discard)
				for {
					batch, err := d.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					if err := e.Encode(batch); err != nil {
						b.Fatal(err)
					}
					batch.Release()
				}
			}
		})
	}
}
