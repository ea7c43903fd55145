package masking

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestCivilDays(t *testing.T) {
	for day := int64(-800_000); day < 3_000_000; day += 17 {
		d := time.Unix(day*86400, 0).UTC()
		if y := yearOf(day); y != int64(d.Year()) {
			t.Fatalf("day %d is of year %d, not %d", day, d.Year(), y)
		}
		if got := daysFromCivil(int64(d.Year()), int64(d.Month()), int64(d.Day())); got != day {
			t.Fatalf("%s is day %d, not %d", d.Format(time.DateOnly), day, got)
		}
	}
	if pgDates.last != 2147483494-1-2440588 || pgDates.first != daysFromCivil(-4713, 11, 24) {
		t.Errorf("PostgreSQL's dates are %d to %d", pgDates.first, pgDates.last)
	}
}

func day(t testing.TB, text string) any {
	t.Helper()
	d, ok := parseDate(text)
	if !ok {
		t.Fatalf("%s is no date", text)
	}
	return d
}

func shiftBy(days int64, kv ...any) Spec {
	return Spec{Name: "shift_days", Variant: days, Params: params(kv...)}
}

func TestShiftsThatStayValid(t *testing.T) {
	for _, days := range []int64{1, 30, 182} {
		for _, within := range []bool{false, true} {
			spec := shiftBy(days)
			if within {
				spec.Params["within"] = "same_year"
			}
			mask := situation(t, Column{Kind: Date}, spec)
			for _, text := range []string{"2024-02-29", "2000-02-29", "1900-02-28", "0001-01-01", "9999-12-31", "9999-01-01", "2023-01-01", "2023-12-31", "2024-12-31", "1969-12-31", "1970-01-01"} {
				in := day(t, text).(int32)
				out := mask(in)[0].(int32)
				moved := int64(out) - int64(in)
				if moved == 0 || moved > days || moved < -days {
					t.Errorf("%s moved by %d days of %d", text, moved, days)
				}
				y, was := yearOf(int64(out)), yearOf(int64(in))
				if y < 1 || y > 9999 || within && y != was {
					t.Errorf("%s: from the year %d to %d", text, was, y)
				}
			}
			// Beyond four digits, and at both ends of what PostgreSQL holds.
			for _, in := range []int64{pgDates.first, pgDates.last, fourDigitYears.first - 1, fourDigitYears.last + 1, daysFromCivil(-4713, 12, 31), daysFromCivil(0, 2, 29)} {
				out := int64(mask(int32(in))[0].(int32))
				if out < pgDates.first || out > pgDates.last || out == in {
					t.Errorf("day %d became %d", in, out)
				}
				if within && yearOf(out) != yearOf(in) {
					t.Errorf("day %d left its year", in)
				}
			}
			// What no database holds becomes something that one does.
			for _, in := range []int32{math.MinInt32 + 1, math.MaxInt32 - 1} {
				if out := int64(mask(in)[0].(int32)); out < pgDates.first || out > pgDates.last {
					t.Errorf("day %d became %d", in, out)
				}
			}
			if out := mask(int32(math.MaxInt32), int32(math.MinInt32), nil); out[0] != int32(math.MaxInt32) || out[1] != int32(math.MinInt32) || out[2] != nil {
				t.Errorf("infinities became %v", out)
			}
		}
	}
}

func TestTimestampsKeepTheirTimeOfDay(t *testing.T) {
	for _, spec := range []Spec{shiftBy(30), shiftBy(30, "within", "same_year")} {
		mask := situation(t, Column{Kind: Timestamp}, spec)
		for _, text := range []string{"2024-02-29 23:59:59", "1999-12-31 23:59:59", "2000-01-01", "1999-01-01 00:00:01", "0001-01-01", "9999-12-31 23:59:59"} {
			in, ok := parseTimestamp(text)
			if !ok {
				t.Fatal(text)
			}
			for _, micros := range []int64{0, 1, 999_999} {
				out := mask(in + micros)[0].(int64)
				if wrong := movesBy(30)(in+micros, out); wrong != "" {
					t.Errorf("%s: %s", text, wrong)
				}
			}
		}
		last := (pgTimestamps.last+1-days2000)*dayMicros - 1
		for _, in := range []int64{last, (pgTimestamps.first - days2000) * dayMicros, math.MaxInt64 - 1, math.MinInt64 + 1} {
			if out := mask(in)[0].(int64); out > last || out < (pgTimestamps.first-days2000)*dayMicros {
				t.Errorf("%d became %d", in, out)
			}
		}
		if out := mask(int64(math.MaxInt64), int64(math.MinInt64)); out[0] != int64(math.MaxInt64) || out[1] != int64(math.MinInt64) {
			t.Errorf("infinities became %v", out)
		}
	}
}

// All dates of one subject move alike, in another column and another table too, and
// those of another subject otherwise.
func TestShiftsPerSubject(t *testing.T) {
	subject := &Column{Kind: Int, Bits: 32}
	dates := &lawCase{spec: shiftBy(30, "by", "subject"), col: Column{Kind: Date}, by: subject}
	times := &lawCase{spec: shiftBy(30, "by", "subject"), col: Column{Kind: Timestamp}, by: subject}
	bd, bt := dates.bind(t, fixedKey(t), "d"), times.bind(t, fixedKey(t), "d")
	if got := strings.Join(bd.Inputs, " ") + " → " + strings.Join(bd.Outputs, " "); got != "subject c → c" {
		t.Errorf("reads and writes %s", got)
	}
	born, died := day(t, "1950-06-01").(int32), day(t, "2001-03-04").(int32)
	const people = 600
	var who, first, second, at []any
	for p := range people {
		who = append(who, int64(p))
		first = append(first, born)
		second = append(second, died)
		at = append(at, int64(p))
	}
	a, b, c := dates.mask(t, bd, true, first, who), dates.mask(t, bd, true, second, who), times.mask(t, bt, true, at, who)
	counts := map[int32]int{}
	for p := range people {
		moved := a[p].(int32) - born
		counts[moved]++
		if b[p].(int32)-died != moved {
			t.Fatal("an interval did not survive")
		}
		if int32((c[p].(int64)-at[p].(int64))/dayMicros) != moved {
			t.Fatal("a timestamp moved otherwise than a date of the same subject")
		}
	}
	if len(counts) != 60 {
		t.Errorf("600 subjects have %d different shifts of 60", len(counts))
	}
	// A NULL subject has the shift that the domain has without subjects.
	plain := situation(t, Column{Kind: Date}, shiftBy(30))
	if got := dates.mask(t, bd, true, []any{born}, []any{nil}); got[0] != plain(born)[0] {
		t.Error("a NULL subject has another shift than the domain")
	}
	if got := dates.mask(t, bd, true, []any{nil, born}, []any{int64(3), int64(3)}); got[0] != nil || got[1] != a[3] {
		t.Error("a NULL date came back as a value, or moved another")
	}
}

func TestShiftKeysDiffer(t *testing.T) {
	in := day(t, "2000-06-15")
	same := 0
	for i := range 100 {
		c := &lawCase{spec: shiftBy(10_000), col: Column{Kind: Date}}
		a := c.mask(t, c.bind(t, NewKey(), "d"), true, []any{in}, nil)
		b := c.mask(t, c.bind(t, fixedKey(t), string(rune('a'+i))), true, []any{in}, nil)
		if a[0] == b[0] {
			same++
		}
	}
	if same > 3 {
		t.Errorf("%d of 100 keys shift alike", same)
	}
}

func TestShiftsThatCannotBe(t *testing.T) {
	col := Column{Kind: Date, Name: "c"}
	refused(t, col, Spec{Name: "shift_days"}, "number of days")
	refused(t, col, Spec{Name: "shift_days", Variant: "30"}, "number of days")
	refused(t, col, shiftBy(0), "number of days")
	refused(t, col, shiftBy(-3), "number of days")
	refused(t, col, shiftBy(40_000), "number of days")
	refused(t, col, shiftBy(30, "within", "month"), "within")
	refused(t, col, shiftBy(183, "within", "same_year"), "within the year")
	refused(t, col, shiftBy(30, "by", "subject"), "column of a table")
	refused(t, col, shiftBy(30, "by", int64(1)), "type column")
	refused(t, col, shiftBy(30, "until", "x"), "no parameter")
	refused(t, Column{Kind: Text}, shiftBy(30), "kind text")
	pair := func(name string) (Column, bool) {
		return Column{Kind: Float}, name == "weight"
	}
	for name, want := range map[string]string{"c": "itself", "nobody": "no column", "weight": "names no subject"} {
		_, err := Standard().Bind(fixedKey(t), col, shiftBy(30, "by", name), &Row{Column: pair})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("by %s: %v", name, err)
		}
	}
	b, err := Standard().Bind(fixedKey(t), col, shiftBy(30), nil)
	if err != nil || len(b.Warnings) != 1 {
		t.Errorf("one shift for all warns of nothing: %v %v", b.Warnings, err)
	}
}

// Rows without a subject share what it decides, and whoever knows one of them knows all.
func TestSubjectsThatMayBeMissing(t *testing.T) {
	of := func(notNull bool) *Row {
		return &Row{Column: func(string) (Column, bool) { return Column{Name: "customer", Kind: Int, NotNull: notNull}, true }}
	}
	for _, c := range []struct {
		col     Column
		spec    Spec
		notNull bool
		want    string
	}{
		{Column{Name: "c", Kind: Date}, shiftBy(30, "by", "customer"), true, ""},
		{Column{Name: "c", Kind: Date}, shiftBy(30, "by", "customer"), false, "all rows in which customer is NULL share one shift: whoever knows one true date of theirs knows them all"},
		{Column{Name: "c", Kind: Float}, noiseOf("10%", "by", "customer"), true, ""},
		{Column{Name: "c", Kind: Float}, noiseOf("10%", "by", "customer"), false, "all rows in which customer is NULL move by one part of the bound: whoever knows one true number of theirs knows them all"},
	} {
		b, err := Standard().Bind(fixedKey(t), c.col, c.spec, of(c.notNull))
		if got := strings.Join(b.Warnings, "\n"); err != nil || got != c.want {
			t.Errorf("%v, NOT NULL %t: %q, %v, want %q", c.spec, c.notNull, got, err, c.want)
		}
	}
}

func FuzzShift(f *testing.F) {
	f.Add(int64(30), int32(19000), false, byte(0))
	f.Add(int64(182), int32(-2440588), true, byte(1))
	f.Add(int64(36525), int32(2145042905), false, byte(2))
	f.Add(int64(1), int32(11016), true, byte(3)) // 2000-02-29
	f.Fuzz(func(t *testing.T, days int64, d int32, within bool, key byte) {
		spec := shiftBy(1 + int64(uint64(days)%maxShift))
		if within {
			spec = shiftBy(1+int64(uint64(days)%maxShiftSameYear), "within", "same_year")
		}
		k, err := KeyFromBytes(append(make([]byte, KeySize-1), key))
		if err != nil {
			t.Fatal(err)
		}
		c := &lawCase{spec: spec, col: Column{Kind: Date}}
		out := c.mask(t, c.bind(t, k, "d"), true, []any{d}, nil)[0].(int32)
		if d == math.MaxInt32 || d == math.MinInt32 {
			if out != d {
				t.Fatal("an infinity moved")
			}
			return
		}
		if int64(out) < pgDates.first || int64(out) > pgDates.last {
			t.Fatalf("day %d became %d", d, out)
		}
		inside := int64(d) >= pgDates.first && int64(d) <= pgDates.last
		if within && inside && yearOf(int64(out)) != yearOf(int64(d)) {
			t.Fatalf("day %d left its year", d)
		}
		at := &lawCase{spec: spec, col: Column{Kind: Timestamp}}
		m := (int64(d)-days2000)*dayMicros + 123
		if int64(d) > pgTimestamps.last || !inside {
			return
		}
		got := at.mask(t, at.bind(t, k, "d"), true, []any{m}, nil)[0].(int64)
		if moved := (got - m) / dayMicros; (got-m)%dayMicros != 0 || int64(d)+moved > pgTimestamps.last || int64(d)+moved < pgTimestamps.first {
			t.Fatalf("day %d moved by %d as a timestamp", d, moved)
		}
	})
}
