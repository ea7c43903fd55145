package masking

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// spelled are texts as PostgreSQL prints them, for each kind.
var spelled = map[Kind][]string{
	Bool:    {"t", "f"},
	Int:     {"0", "-1", "9223372036854775807", "-9223372036854775808"},
	Float:   {"0", "-0", "1.5", "-2e-05", "0.0001", "100000000000000", "1e+15", "1.7976931348623157e+308", "5e-324", "NaN", "Infinity", "-Infinity"},
	Numeric: {"0", "0.00", "-1.50", "123456789012345678901234567890.5", "NaN", "Infinity", "-Infinity"},
	Text:    {"", "NULL", "a \"b\" \\c", "日本"},
	Bytes:   {`\x`, `\x00ff`, `\x5c78`},
	UUID:    {"6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c", "00000000-0000-0000-0000-000000000000"},
	Date:    {"1970-01-01", "2024-02-29", "0001-01-01", "0001-12-31 BC", "4713-01-01 BC", "4714-11-24 BC", "5874897-12-31", "10000-01-01", "infinity", "-infinity"},
	Timestamp: {
		"2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2024-02-29 10:00:00.5+00", "2024-02-29 10:00:00-03:30", "1890-01-01 00:19:32+00:19:32",
		"0044-03-15 12:00:00 BC", "0044-03-15 12:00:00+01 BC", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "-infinity",
	},
	JSON:  {`{"a": 1}`, ""},
	Point: {"(1,2)"},
}

func TestSpelledValuesComeBack(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for kind, texts := range spelled {
		a := arguments{kind: kind}
		a.reset()
		for _, text := range texts {
			if !a.add([]byte(text)) {
				t.Errorf("%s: %q is refused", kind, text)
			}
		}
		if a.n != len(texts) {
			continue
		}
		in := a.array()
		r := resultsOf(kind, 64, in)
		if kind == Timestamp {
			r.forms = a.forms
		}
		for i, text := range texts {
			if got := string(r.append(nil, i)); got != text {
				t.Errorf("%s: %q became %q", kind, text, got)
			}
		}
		in.Release()
	}
}

func TestSpelledInstants(t *testing.T) {
	for _, text := range []string{
		"2024-02-29T10:00:00Z", "2024-02-29t10:00:00.500z", "2024-02-29T10:00", "2024-02-29T10:00:00,120000000+0200", "2024-02-29 10:00:00.25 -07", "2024-02-29T10:00:00-00:00",
	} {
		m, form, ok := parseInstant([]byte(text))
		if got := string(appendInstant(nil, m, form)); !ok || got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"2024-02-28T24:00:00Z": "2024-02-29T00:00:00Z", "2023-12-31 23:59:60": "2024-01-01 00:00:00", "2024-02-29T10:00:00.123456789Z": "2024-02-29T10:00:00.123456000Z",
	} {
		m, form, ok := parseInstant([]byte(text))
		if got := string(appendInstant(nil, m, form)); !ok || got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
	m, _, _ := parseInstant([]byte("2000-01-01 02:30:00.000001+02:30"))
	if m != 1 {
		t.Errorf("%d microseconds", m)
	}
}

// The calendar agrees with the standard library's where that reaches.
func TestSpelledDates(t *testing.T) {
	for day := int64(-800_000); day < 800_000; day += 11 {
		at := time.Unix(day*86400, 0).UTC()
		y, bc := at.Year(), ""
		if y <= 0 {
			y, bc = 1-y, " BC"
		}
		want := "000" + strconv.Itoa(y)
		want = want[max(0, min(3, len(want)-4)):] + at.Format("-01-02") + bc
		got := string(appendDateText(nil, int32(day)))
		if got != want {
			t.Fatalf("day %d: %s, want %s", day, got, want)
		}
		if back, ok := parseDateText([]byte(got)); !ok || int64(back) != day {
			t.Fatalf("day %d came back as %d", day, back)
		}
	}
}

func TestWhatSpellsNothing(t *testing.T) {
	for kind, texts := range map[Kind][]string{
		Bool:      {"", "T", "yes"},
		Int:       {"", "-", "+1", "01", "-0", "1.0", "9223372036854775808", " 1", "1e3"},
		Float:     {"", "inf", "0x1p-2", "1_0", "nan", "1e999", "1,5", "."},
		Numeric:   {"", "-", ".", "1.", ".5", "1.2.3", "1e5", "+1", "inf"},
		Bytes:     {"", `\`, `\x0`, `\x0g`, "00"},
		UUID:      {"", "6f1e4d3c2b1a4f0e9d8c7b6a5f4e3d2c", "6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2g"},
		Date:      {"", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "24-01-01", "02024-01-01", "2024-01-01 ", "2024-01-01BC", "4714-11-23 BC", "5874898-01-01", "99999999-01-01", "2024-01-01 10:00:00", "Infinity"},
		Timestamp: {"", "2024-01-01", "2024-01-01 25:00:00", "2024-01-01 24:00:01", "2024-01-01 10:60:00", "2024-01-01 10:00:61", "2024-01-01 10", "2024-01-01 10:00:00.", "2024-01-01 10:00:00+2", "2024-01-01 10:00:00+24", "2024-01-01 10:00:00+02:", "2024-01-01 10:00:00+02-30", "294277-01-01 00:00:00", "2024-01-01_10:00:00", "2024-01-01 10:00:00+02 AD"},
	} {
		for _, text := range texts {
			a := arguments{kind: kind}
			a.reset()
			if a.add([]byte(text)) || a.n != 0 || len(a.text) != 0 {
				t.Errorf("%s: %q passes", kind, text)
			}
		}
	}
}

func TestFloatsAreSpelledAsPostgreSQLDoes(t *testing.T) {
	for _, c := range []struct {
		v    float64
		bits int
		want string
	}{
		{1e5, 32, "100000"}, {1e6, 32, "1e+06"}, {float64(float32(0.1)), 32, "0.1"}, {1e14, 64, "100000000000000"}, {1e15, 64, "1e+15"}, {1e-5, 64, "1e-05"},
		{123456789.125, 64, "123456789.125"}, {math.Copysign(0, -1), 64, "-0"}, {1e100, 0, "1e+100"},
	} {
		if got := string(appendFloat(nil, c.v, c.bits)); got != c.want {
			t.Errorf("%g with %d bits is %s, want %s", c.v, c.bits, got, c.want)
		}
	}
}

func TestParseValues(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for kind, texts := range spelled {
		valid := slices.Repeat([]bool{true}, len(texts)+1)
		valid[len(texts)] = false
		a, err := ParseValues(mem, kind, append(slices.Clone(texts), ""), valid)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		got, gotValid := SpellValues(kind, a)
		a.Release()
		for i, text := range texts {
			if kind == Timestamp && !slices.Contains([]int{0, 1, 5, 7, 8, 9, 10}, i) {
				continue // it has a zone
			}
			if got[i] != text {
				t.Errorf("%s: %q became %q", kind, text, got[i])
			}
		}
		if !slices.Equal(valid, gotValid) {
			t.Errorf("%s: other NULLs", kind)
		}
	}
	_, err := ParseValues(mem, Int, []string{"1", "", "two"}, []bool{true, false, true})
	var ve *ValueError
	if !errors.As(err, &ve) || ve.Row != 2 {
		t.Errorf("%v", err)
	}
	none := array.NewNull(2)
	defer none.Release()
	if texts, valid := SpellValues(Int, none); len(texts) != 2 || valid[0] || valid[1] {
		t.Errorf("NULLs became %q", texts)
	}
}

func TestSpellingAllocatesNothing(t *testing.T) {
	for kind, texts := range spelled {
		a := arguments{kind: kind}
		in := make([][]byte, len(texts))
		for i, text := range texts {
			in[i] = []byte(text)
		}
		dst := make([]byte, 0, 1<<10)
		fill := func() {
			a.reset()
			for _, text := range in {
				a.add(text)
			}
		}
		fill()
		values := a.array()
		r := resultsOf(kind, 64, values)
		if n := testing.AllocsPerRun(10, func() {
			fill()
			for i := range in {
				dst = r.append(dst[:0], i)
			}
		}); n > 0 {
			t.Errorf("%s: %.0f allocations", kind, n)
		}
		values.Release()
	}
}

func FuzzSpell(f *testing.F) {
	for kind, texts := range spelled {
		for _, text := range texts {
			f.Add(uint8(kind), []byte(text))
		}
	}
	f.Add(uint8(Timestamp), []byte("2024-02-29T10:00:00,5Z"))
	f.Fuzz(func(t *testing.T, k uint8, text []byte) {
		kind := Kind(k)
		if kind > Hstore {
			return
		}
		a := arguments{kind: kind}
		a.reset()
		if !a.add(text) {
			if a.n != 0 {
				t.Fatal("refused, and added")
			}
			return
		}
		in := a.array()
		defer in.Release()
		r := resultsOf(kind, 64, in)
		if kind == Timestamp {
			r.forms = a.forms
		}
		once := r.append(nil, 0)
		b := arguments{kind: kind}
		b.reset()
		if !b.add(once) {
			t.Fatalf("%q is spelled %q, which is refused", text, once)
		}
		again := b.array()
		defer again.Release()
		if kind != Float && !array.Equal(in, again) {
			t.Fatalf("%q is spelled %q, which is another value", text, once)
		}
		r = resultsOf(kind, 64, again)
		if kind == Timestamp {
			r.forms = b.forms
		}
		if twice := r.append(nil, 0); string(twice) != string(once) {
			t.Fatalf("%q is spelled %q and %q", text, once, twice)
		}
	})
}
