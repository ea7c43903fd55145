package connectortest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// nulls puts NULL in the place of every value.
func nulls(_ *connectors.Layout, b *connectors.Batch) []arrow.Array {
	out := make([]arrow.Array, len(b.Decoded))
	for i := range out {
		out[i] = array.NewNull(b.Rows)
	}
	return out
}

func (s *suite) roundTripLaws(t *testing.T) {
	if testing.Short() {
		return // values, not goroutines: a harness with the race detector asks for it
	}
	t.Run("samples", beside(s.roundTrip))
	t.Run("a wide row", beside(s.wide))
	t.Run("a value of 8 MiB", beside(s.large))
	if s.Quirks.NoColumns {
		t.Run("a table without columns", beside(s.noColumns))
	}
}

// samples returns the values that every engine with such a kind must bring through.
func (s *suite) samples() []Sample {
	q := s.Quirks
	all := []byte{}
	for i := range 256 {
		all = append(all, byte(i))
	}
	texts := []any{
		"", " ", "a", `C:\New`, `a\.b`, `\`, `\N`, `\x41`, "tab\tline\nreturn\rescape\x1b", `'"` + "`", "%_",
		"😀👩‍👩‍👧", "e\u0301", "שלום עולם", "\ufeffbom", "trailing  ", "NULL", "twelve bytes", "thirteen byte",
		strings.Repeat("x", 1<<16+1),
	}
	if !q.NoNUL {
		texts = append(texts, "a\x00b")
	}
	var samples []Sample
	add := func(k catalog.Kind, values ...any) {
		if q.has(k) {
			samples = append(samples, Sample{Name: k.String(), Type: q.Types[k], Values: values})
		}
	}
	add(catalog.Int, int64(0), int64(-1), int64(1<<53+1), int64(math.MaxInt64), int64(math.MinInt64))
	add(catalog.Text, texts...)
	add(catalog.Bytes, []byte{}, []byte{0}, all, []byte("\xff\xfe"), []byte(strings.Repeat("\x00\xff", 1<<15)))
	add(catalog.Bool, true, false)
	add(catalog.Float, 0.0, math.Copysign(0, -1), 0.1, -1.5, 1e308, math.SmallestNonzeroFloat64, 1e15, 3.0)
	add(catalog.Numeric, "0", "1.50", "-0.01", "12345678901234567890.123", "1e3")
	add(catalog.UUID, "123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
	add(catalog.Date, "2000-01-01", "1970-01-01", "1969-12-31", "0001-01-01", "2024-02-29", "9999-12-31")
	add(catalog.Timestamp, "2021-01-02 03:04:05", "2021-01-02 03:04:05.123456", "1969-12-31 23:59:59.999999", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999")
	add(catalog.TimestampTZ, "2021-01-02 03:04:05+00:00", "2021-01-02 03:04:05.5+02:00", "1969-12-31 23:59:59.999999+00:00")
	add(catalog.JSON, `{"b": 1,  "a": [null, "\u00e9\ud83d\ude00", 1.0, 1e2], "a": 2}`, `"text"`, `[]`, `true`)
	add(catalog.XML, `<a b="c">d &amp; é</a>`, "<a>\n\t<b/>\\ \\N</a>", "plain", "")
	add(catalog.IP, "192.168.1.7", "192.168.1.0/24", "2001:db8::1", "::", "0.0.0.0/0")
	add(catalog.MAC, "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff")
	add(catalog.Point, "(1.5,-2)", "(0,0)", "(1e+300,-1e-300)")
	add(catalog.Array, `{a,b}`, `{}`, `{"a,b","\"","\\",NULL,"","NULL","\\N"}`, "{\"tab\there\",\"line\nbreak\"}", `{{a,b},{c,d}}`, `[2:3]={x,y}`)
	add(catalog.Composite, `(1,"a b")`, `(,)`, `(2,"say ""hi"" \\N")`, "(3,\"tab\there\")")
	add(catalog.Range, "[1,5)", "empty", "(,5)", "[1,)", "(,)")
	add(catalog.Hstore, `"a"=>"1", "b"=>NULL`, "", `"quote\""=>"back\\slash", "\\N"=>"tab	here"`)
	return samples
}

// roundTrip copies a table per sample, all in one database: its column kept,
// decoded, replaced by equal values, and replaced by NULL.
func (s *suite) roundTrip(t *testing.T) {
	q := s.Quirks
	from := s.Database(t)
	columns := []string{"id", "v", "after"}
	var tables []*catalog.Table
	var names []string
	samples := append(s.samples(), q.Samples...)
	for _, sample := range samples {
		table := &catalog.Table{
			ID: q.id("sample: " + sample.Name), Kind: catalog.Ordinary,
			Columns: []catalog.Column{
				{Name: columns[0], Type: q.typeOf(catalog.Int), NotNull: true},
				{Name: columns[1], Type: catalog.Type{Name: sample.Type, Kind: s.kindOf(sample)}},
				{Name: columns[2], Type: q.typeOf(catalog.Text)},
			},
			PrimaryKey: &catalog.Key{Name: "key of " + sample.Name, Columns: columns[:1]},
		}
		tables, names = append(tables, table), append(names, sample.Name)
	}
	from.Create(t, tables...)
	filling, end := session(t, from)
	want := make([][][]string, len(tables))
	for i, table := range tables {
		var rows [][]any
		for j, v := range append(append([]any{nil}, samples[i].Values...), nil) {
			rows = append(rows, []any{int64(j), v, fmt.Sprintf("after %d", j)})
		}
		filling.Insert(t, table.ID, columns, rows...)
		want[i] = filling.Rows(t, table.ID)
		if len(want[i]) != len(rows) {
			t.Fatalf("%s: %d rows, want %d", names[i], len(want[i]), len(rows))
		}
	}
	end()
	decode := func(table *catalog.Table) []string {
		if i := slices.IndexFunc(tables, func(t *catalog.Table) bool { return t.ID == table.ID }); samples[i].Kept {
			return nil
		}
		return columns[1:2]
	}
	for _, c := range []struct {
		name, run string
		d         decoding
	}{
		{"kept", "kept", decoding{}},
		{"decoded", "decoded", decoding{columns: decode}},
		{"replaced by equal values", "equal", decoding{columns: decode, replace: equals}},
		{"replaced by NULL", "nulls", decoding{columns: decode, replace: nulls}},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := s.Database(t)
			s.copyAll(t, from, to, c.run, c.d)
			copied := s.rowsOf(t, to, tables...)
			for i, table := range tables {
				t.Run(names[i], func(t *testing.T) {
					want, got := want[i], copied[table.ID]
					if c.run == "nulls" && !samples[i].Kept {
						want = slices.Clone(want)
						null := want[0][1] // of row 0, which sorts first
						for j := range want {
							want[j] = []string{want[j][0], null, want[j][2]}
						}
					}
					sameRows(t, table.ID, want, got)
				})
			}
		})
	}
}

// kindOf is for engines that make a table from the catalog alone.
func (s *suite) kindOf(sample Sample) catalog.Kind {
	if sample.Opaque {
		return catalog.Opaque
	}
	for k, name := range s.Quirks.Types {
		if name == sample.Type {
			return k
		}
	}
	return catalog.Text
}

func (s *suite) wide(t *testing.T) {
	table := &catalog.Table{ID: s.Quirks.id("wide"), Kind: catalog.Ordinary}
	var columns []string
	var row []any
	for i := range cmp.Or(s.Quirks.Width, 1600) {
		name := fmt.Sprintf("c%d", i)
		table.Columns = append(table.Columns, catalog.Column{Name: name, Type: s.Quirks.typeOf(catalog.Int)})
		columns = append(columns, name)
		if i%10 == 0 {
			row = append(row, int64(i))
		} else {
			row = append(row, nil)
		}
	}
	from, to := s.Database(t), s.Database(t)
	from.Create(t, table)
	from.Insert(t, table.ID, columns, row, row)
	s.copyAll(t, from, to, "wide", decoding{replace: equals, columns: func(*catalog.Table) []string { return columns[:100] }})
	s.equalRows(t, from, to, table)
}

func (s *suite) large(t *testing.T) {
	table := &catalog.Table{ID: s.Quirks.id("large"), Kind: catalog.Ordinary, Columns: []catalog.Column{
		{Name: "id", Type: s.Quirks.typeOf(catalog.Int)}, {Name: "v", Type: s.Quirks.typeOf(catalog.Text)}}}
	from, to := s.Database(t), s.Database(t)
	from.Create(t, table)
	from.Insert(t, table.ID, []string{"id", "v"}, []any{int64(1), strings.Repeat("large ", 8<<20/6)}, []any{int64(2), "small"})
	s.copyAll(t, from, to, "large", decoding{replace: equals, columns: func(*catalog.Table) []string { return []string{"v"} }})
	s.equalRows(t, from, to, table)
}

func (s *suite) noColumns(t *testing.T) {
	table := &catalog.Table{ID: s.Quirks.id("bare"), Kind: catalog.Ordinary}
	from, to := s.Database(t), s.Database(t)
	from.Create(t, table)
	from.Insert(t, table.ID, nil, []any{}, []any{}, []any{})
	s.copyAll(t, from, to, "bare", decoding{})
	if rows := to.Rows(t, table.ID); len(rows) != 3 {
		t.Errorf("%d rows, want 3", len(rows))
	}
}
