package masking

import (
	"math"
	"testing"
	"time"
)

func truncateTo(unit string) Spec { return Spec{Name: "truncate_to", Variant: unit} }

func permuteDays(kv ...any) Spec { return Spec{Name: "day", Variant: "permute", Params: params(kv...)} }

func sameYear(in, out any) string {
	switch in := in.(type) {
	case int32:
		if yearOf(int64(in)) != yearOf(int64(out.(int32))) {
			return "left its year"
		}
	case int64:
		a, b := in, out.(int64)
		if a-floorDiv(a, dayMicros)*dayMicros != b-floorDiv(b, dayMicros)*dayMicros {
			return "has another time of day"
		}
	}
	return ""
}

var _ = addLawCases(
	lawCase{name: "day", spec: permuteDays(), col: Column{Kind: Date, Unique: true}, value: func(i int) any { return int32(i - 60_000) }, count: 100_000, fits: sameYear, few: true},
	lawCase{name: "day of timestamp", spec: permuteDays(), col: Column{Kind: Timestamp, Unique: true}, value: asTimestamp, fits: sameYear, few: true},
	lawCase{name: "day within month", spec: permuteDays("within", "month"), col: Column{Kind: Date, Unique: true}, value: func(i int) any { return int32(i - 10_000) }, count: 20_000, fits: sameYear, few: true},
	lawCase{name: "day within decade", spec: permuteDays("within", "decade"), col: Column{Kind: Timestamp, Unique: true}, value: asTimestamp},
	lawCase{name: "day in range", spec: permuteDays("range", []any{"1900-01-01", "2099-12-31"}), col: Column{Kind: Date, Unique: true}, value: func(i int) any { return int32(i - 25_567) }, count: 73_049},
	lawCase{name: "day in a wide range", spec: permuteDays("range", []any{"0001-01-01", "9999-12-31"}), col: Column{Kind: Timestamp, Unique: true}, value: asTimestamp},

	lawCase{name: "truncate to hour", spec: truncateTo("hour"), col: Column{Kind: Timestamp}, value: asTimestamp, fixed: true},
	lawCase{name: "truncate to day", spec: truncateTo("day"), col: Column{Kind: Timestamp}, value: asTimestamp, fixed: true},
	lawCase{name: "truncate to week", spec: truncateTo("week"), col: Column{Kind: Date}, value: asDate, fixed: true},
	lawCase{name: "truncate to month", spec: truncateTo("month"), col: Column{Kind: Date}, value: asDate, fixed: true, fits: sameYear},
	lawCase{name: "truncate to quarter", spec: truncateTo("quarter"), col: Column{Kind: Timestamp}, value: asTimestamp, fixed: true},
	lawCase{name: "truncate to year", spec: truncateTo("year"), col: Column{Kind: Date}, value: asDate, fixed: true, fits: sameYear},
	lawCase{name: "truncate to decade", spec: truncateTo("decade"), col: Column{Kind: Date}, value: asDate, fixed: true},
)

var someDays = []any{int32(0), int32(11016), int32(-719162), int32(2932896), int32(-2440588), int32(math.MaxInt32), nil}

var _ = addVectors(
	vectorSet{"day", []vector{
		{"customers", Column{Kind: Date}, permuteDays(), someDays, nil},
		{"orders", Column{Kind: Date}, permuteDays(), []any{int32(0)}, nil},
		{"customers", Column{Kind: Date}, permuteDays("within", "month"), []any{int32(0), int32(1), int32(11016)}, nil},
		{"customers", Column{Kind: Date}, permuteDays("within", "decade"), someDays, nil},
		{"customers", Column{Kind: Date}, permuteDays("range", []any{"1970-01-01", "2024-12-31"}), []any{int32(0), int32(11016)}, nil},
		{"customers", Column{Kind: Timestamp}, permuteDays(), []any{int64(0), int64(1), int64(-1), int64(math.MinInt64)}, nil},
	}},
	vectorSet{"truncate_to", []vector{
		{"d", Column{Kind: Date}, truncateTo("week"), someDays, nil},
		{"d", Column{Kind: Date}, truncateTo("month"), someDays, nil},
		{"d", Column{Kind: Date}, truncateTo("quarter"), someDays, nil},
		{"d", Column{Kind: Date}, truncateTo("year"), someDays, nil},
		{"d", Column{Kind: Date}, truncateTo("decade"), someDays, nil},
		{"d", Column{Kind: Timestamp}, truncateTo("hour"), []any{int64(3_600_000_001), int64(-1), int64(math.MaxInt64)}, nil},
		{"d", Column{Kind: Timestamp}, truncateTo("day"), []any{int64(3_600_000_001), int64(-1), int64(math.MaxInt64)}, nil},
	}},
)

func TestSpans(t *testing.T) {
	for d := int64(-900_000); d < 3_000_000; d += 13 {
		at := time.Unix(d*86400, 0).UTC()
		if y, m := yearMonth(d); y != int64(at.Year()) || m != int64(at.Month()) {
			t.Fatalf("%s is of %d-%d", at.Format(time.DateOnly), y, m)
		}
		for unit, months := range map[timeUnit]int{monthUnit: 1, quarterUnit: 3, yearUnit: 12, decadeUnit: 120} {
			y, m := at.Year(), int(at.Month())-1
			if unit == decadeUnit {
				y -= ((y % 10) + 10) % 10
			}
			first := time.Date(y, time.Month(m-m%min(months, 12)+1), 1, 0, 0, 0, 0, time.UTC)
			w := unit.span(d)
			if w.first != first.Unix()/86400 || w.last != first.AddDate(0, months, 0).Unix()/86400-1 {
				t.Fatalf("%s: the %s has days %d to %d", at.Format(time.DateOnly), timeUnits[unit], w.first, w.last)
			}
		}
		w := weekUnit.span(d)
		if time.Unix(w.first*86400, 0).UTC().Weekday() != time.Monday || w.last != w.first+6 || d < w.first || d > w.last {
			t.Fatalf("%s: a week from %d to %d", at.Format(time.DateOnly), w.first, w.last)
		}
	}
}

// Every year is permuted onto itself, the short one that PostgreSQL begins with and
// those around the year 0 included.
func TestDaysOfEveryYear(t *testing.T) {
	for _, within := range []string{"month", "quarter", "year", "decade"} {
		mask := situation(t, Column{Kind: Date}, permuteDays("within", within))
		for _, from := range []int64{pgDates.first, daysFromCivil(-10, 1, 1), daysFromCivil(1999, 1, 1), daysFromCivil(9990, 1, 1), pgDates.last - 4000} {
			var in []any
			for d := from; d <= min(from+8000, pgDates.last); d++ {
				in = append(in, int32(d))
			}
			unit := map[string]timeUnit{"month": monthUnit, "quarter": quarterUnit, "year": yearUnit, "decade": decadeUnit}[within]
			seen := map[any]bool{}
			for i, v := range mask(in...) {
				was, is := int64(in[i].(int32)), int64(v.(int32))
				if seen[v] {
					t.Fatal("two days became one")
				}
				seen[v] = true
				if unit.span(was) != unit.span(is) || is < pgDates.first || (was < fourDigitYears.first) != (is < fourDigitYears.first) {
					t.Fatalf("within %s: day %d became %d", within, was, is)
				}
			}
		}
	}
}

func TestDaysThatStay(t *testing.T) {
	for _, spec := range []Spec{permuteDays(), truncateTo("decade")} {
		mask := situation(t, Column{Kind: Date}, spec)
		if out := mask(int32(math.MaxInt32), int32(math.MinInt32), nil); out[0] != int32(math.MaxInt32) || out[1] != int32(math.MinInt32) || out[2] != nil {
			t.Errorf("infinities became %v", out)
		}
		times := situation(t, Column{Kind: Timestamp}, spec)
		if out := times(int64(math.MaxInt64), int64(math.MinInt64), nil); out[0] != int64(math.MaxInt64) || out[1] != int64(math.MinInt64) || out[2] != nil {
			t.Errorf("infinities became %v", out)
		}
	}
	// A decade without a year 0, a year that began before PostgreSQL did.
	decade := situation(t, Column{Kind: Date}, truncateTo("decade"))
	if out := decade(day(t, "0005-06-07"), int32(pgDates.first+3), int32(math.MaxInt32-1)); out[0] != day(t, "0001-01-01") || out[1] != int32(pgDates.first) || int64(out[2].(int32)) > pgDates.last {
		t.Errorf("the first decade began on %v", out)
	}
	hour := situation(t, Column{Kind: Timestamp}, truncateTo("hour"))
	if out := hour(int64(math.MinInt64+1), int64(-1)); out[0].(int64) < (pgTimestamps.first-days2000)*dayMicros || out[1] != int64(-3_600_000_000) {
		t.Errorf("hours became %v", out)
	}
}

// A date and a midnight of one domain become the same day.
func TestDaysOfDatesAndTimestampsAgree(t *testing.T) {
	for _, spec := range []Spec{permuteDays(), permuteDays("range", []any{"1990-01-01", "2030-01-01"})} {
		dates, times := situation(t, Column{Kind: Date}, spec), situation(t, Column{Kind: Timestamp}, spec)
		in := day(t, "2024-02-29").(int32)
		out := dates(in)[0].(int32)
		if got := times((int64(in) - days2000) * dayMicros)[0]; got != (int64(out)-days2000)*dayMicros {
			t.Error("a midnight became another day than the date")
		}
	}
}

func TestDaysThatCannotBe(t *testing.T) {
	date := Column{Kind: Date}
	refused(t, date, truncateTo("century"), "no variant")
	refused(t, date, truncateTo("hour"), "leaves dates")
	refused(t, date, permuteDays("within", "week"), "within")
	refused(t, date, permuteDays("within", "year", "range", []any{"2000-01-01", "2001-01-01"}), "not both")
	for _, r := range [][]any{{}, {"2000-01-01"}, {"2000-01-01", "x"}, {int64(1), int64(2)}, {"2000-01-01", "infinity"}} {
		refused(t, date, permuteDays("range", r), "pair of dates")
	}
	refused(t, date, permuteDays("range", []any{"2000-01-01", "2000-01-01"}), "fewer than two")
	rejected(t, date, permuteDays("range", []any{"2000-01-01", "2001-01-01"}), []any{int32(11000), int32(0)}, 1, "outside")
	rejected(t, date, permuteDays(), []any{int32(math.MaxInt32 - 1)}, 0, "no database")
}

func FuzzDate(f *testing.F) {
	f.Add(int32(0), byte(0))
	f.Add(int32(-2440588), byte(3))
	f.Add(int32(-719163), byte(5))
	f.Fuzz(func(t *testing.T, d int32, pick byte) {
		in := min(max(int64(d), pgDates.first), pgDates.last)
		unit := timeUnit(pick)%5 + weekUnit
		out := int64(situation(t, Column{Kind: Date}, truncateTo(timeUnits[unit]))(int32(in))[0].(int32))
		if out > in || out < pgDates.first || unit.span(out) != unit.span(in) {
			t.Fatalf("day %d became %d", in, out)
		}
		if unit == weekUnit {
			return
		}
		out = int64(situation(t, Column{Kind: Date}, permuteDays("within", timeUnits[unit]))(int32(in))[0].(int32))
		if out < pgDates.first || out > pgDates.last || unit.span(out) != unit.span(in) {
			t.Fatalf("day %d became %d", in, out)
		}
	})
}
