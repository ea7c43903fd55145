package masking

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// timeUnit is a unit that dates are truncated to, or permuted within.
type timeUnit uint8

const (
	hourUnit timeUnit = iota
	dayUnit
	weekUnit // of ISO 8601: it begins on Monday
	monthUnit
	quarterUnit
	yearUnit
	decadeUnit
)

var timeUnits = []string{"hour", "day", "week", "month", "quarter", "year", "decade"}

// span returns the unit of a day, of the units from week on: its first day and
// its last.
func (u timeUnit) span(day int64) window {
	if u == weekUnit {
		first := day - (day + 3 - 7*floorDiv(day+3, 7)) // 1970-01-01 was a Thursday
		return window{first, first + 6}
	}
	y, m := yearMonth(day)
	months := int64(12)
	switch u {
	case monthUnit:
		months = 1
	case quarterUnit:
		m, months = m-(m-1)%3, 3
	case yearUnit:
		m = 1
	case decadeUnit:
		y, m, months = 10*floorDiv(y, 10), 1, 120
	}
	end := m - 1 + months
	return window{daysFromCivil(y, m, 1), daysFromCivil(y+end/12, end%12+1, 1) - 1}
}

// yearMonth returns the year and the month of a day since 1970-01-01.
func yearMonth(day int64) (y, m int64) {
	y = yearOf(day)
	// The length of the months from March on, counted as daysFromCivil does.
	march := daysFromCivil(y, 3, 1)
	if day < march {
		if m = 1; day >= daysFromCivil(y, 2, 1) {
			m = 2
		}
		return y, m
	}
	return y, (5*(day-march)+2)/153 + 3
}

// within cuts w to what a database holds: the years 1 to 9999 if the day is in
// them, which every one does, else the part of the widest on its side of those.
func (w window) within(day int64, widest window) window {
	switch {
	case day < fourDigitYears.first:
		widest.last = fourDigitYears.first - 1
	case day > fourDigitYears.last:
		widest.first = fourDigitYears.last + 1
	default:
		widest = fourDigitYears
	}
	return window{max(w.first, widest.first), min(w.last, widest.last)}
}

// truncateFactory makes {truncate_to: month}: a date becomes the first of its unit.
type truncateFactory struct{}

func (truncateFactory) Describe() Description {
	return Description{
		Name:     "truncate_to",
		Version:  1,
		Summary:  "Generalizes dates to the first of their hour, day, week, month, quarter, year or decade (of UTC).",
		Kinds:    []Kind{Date, Timestamp},
		Variants: timeUnits,
		Samples: []Sample{
			{Spec: Spec{Variant: "month"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "2024-02-29", "infinity"}},
			{Spec: Spec{Variant: "decade"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "2024-02-29", "1999-12-31"}},
			{Spec: Spec{Variant: "year"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "2024-02-29", "1999-12-31"}},
			{Spec: Spec{Variant: "quarter"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "2024-02-29", "1999-12-31"}},
			{Spec: Spec{Variant: "week"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "2024-02-29", "1999-12-31"}},
			{Spec: Spec{Variant: "day"}, Column: Column{Kind: Timestamp}, Values: []string{"2024-02-29 13:45:07", "1999-12-31 23:59:59", "2000-01-01 00:00:00"}},
			{Spec: Spec{Variant: "hour"}, Column: Column{Kind: Timestamp}, Values: []string{"2024-02-29 13:45:07", "1999-12-31 23:59:59", "2000-01-01 00:00:00"}},
		},
	}
}

func (truncateFactory) Bind(req Request) (Binding, error) {
	name := req.Spec.Variant.(string)
	unit := timeUnit(slices.Index(timeUnits, name))
	if req.Column.Kind == Date && unit <= dayUnit {
		return Binding{}, &BindError{Reason: "truncate_to: " + name + " leaves dates as they are", Help: "write {truncate_to: month}"}
	}
	return Binding{
		Transform:  truncation(unit),
		Guarantees: Guarantees{Deterministic: true, KeepsFormat: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     "to the " + name,
	}, nil
}

// truncation keeps the infinities. What begins before the year 1, or before what
// the database holds, while the date itself does not, becomes the first day after
// that: a decade has only nine years there.
type truncation timeUnit

func (t truncation) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	unit := timeUnit(t)
	return mapDays(mem, in, func(d int32) int32 {
		day := min(max(int64(d), pgDates.first), pgDates.last)
		return int32(unit.span(day).within(day, pgDates).first)
	}, func(m int64) int64 {
		m = min(max(m, (pgTimestamps.first-days2000)*dayMicros), (pgTimestamps.last+1-days2000)*dayMicros-1)
		switch unit {
		case hourUnit:
			const hour = dayMicros / 24
			return hour * floorDiv(m, hour)
		case dayUnit:
			return dayMicros * floorDiv(m, dayMicros)
		}
		day := floorDiv(m, dayMicros) + days2000
		return (unit.span(day).within(day, pgTimestamps).first - days2000) * dayMicros
	}), nil
}

// dayFactory makes {day: permute}: a bijection of days. A timestamp keeps its time
// of day (of UTC), so midnight stays midnight.
//
// A day is exchanged within its calendar year, or within the unit that `within`
// names; each has a permutation of its own, and nothing has to be pinned for it.
// With range: [from, to] all days of the range are exchanged, and one outside is an error.
type dayFactory struct{}

func (dayFactory) Describe() Description {
	return Description{
		Name:     "day",
		Version:  1,
		Summary:  "Permutes days within their year, or within a pinned range; different dates stay different, times of day stay.",
		Kinds:    []Kind{Date, Timestamp},
		Variants: []string{"permute"},
		Params: []Param{
			{Name: "within", Summary: "month, quarter, year (without it) or decade: the day stays in it", Type: "string"},
			{Name: "range", Summary: "[from, to], two dates in quotes: days are permuted within it, and one outside is an error", Type: "list"},
		},
		Samples: []Sample{
			{Spec: Spec{Variant: "permute"}, Column: Column{Kind: Date}, Values: []string{"1984-11-30", "1984-12-01", "2024-02-29"}},
			{Spec: Spec{Variant: "permute", Params: map[string]any{"range": []any{"2020-01-01", "2024-12-31"}}}, Column: Column{Kind: Timestamp}, Values: []string{"2024-02-29 13:45:07", "2020-01-01 00:00:00", "2021-06-15 08:00:00"}},
		},
	}
}

func (dayFactory) Bind(req Request) (Binding, error) {
	t := &dayPermutation{widest: pgDates}
	if req.Column.Kind == Timestamp {
		t.widest = pgTimestamps
	}
	b := Binding{Transform: t, Guarantees: pseudonymGuarantees}
	list, ranged := req.Spec.Params["range"].([]any)
	within, units := req.Spec.Params["within"].(string)
	if !ranged {
		if !units {
			within = "year"
		}
		t.unit = timeUnit(max(slices.Index(timeUnits, within), 0))
		if t.unit < monthUnit {
			return Binding{}, &BindError{Reason: fmt.Sprintf("day cannot be permuted within %q", within), Help: "write within: month, quarter, year or decade"}
		}
		t.feistel = newFeistel(req.Key.For("permute within " + within))
		b.Pinned = "within the " + within
		if t.unit == monthUnit {
			b.Warnings = append(b.Warnings, "a month has few days: whoever knows how often each occurs can tell them apart")
		}
		return b, nil
	}
	bad := func(reason string) (Binding, error) {
		return Binding{}, &BindError{Reason: reason, Help: `write range: ["2000-01-01", "2024-12-31"]: the first day and the last`}
	}
	if units {
		return bad("day takes within or range, not both")
	}
	var ends [2]int64
	for i := range ends {
		if len(list) != 2 {
			return bad("range is not a pair of dates")
		}
		text, _ := list[i].(string)
		d, ok := parseDate(text)
		if ends[i] = int64(d); !ok || ends[i] < t.widest.first || ends[i] > t.widest.last {
			return bad("range is not a pair of dates")
		}
	}
	if ends[0] >= ends[1] {
		return bad("range holds fewer than two days")
	}
	t.ids = &idTransform{}
	t.ids.pin(req.Key, ends[0], ends[1])
	b.Pinned = fmt.Sprintf("range [%s, %s]", list[0], list[1])
	if n := ends[1] - ends[0] + 1; n < 1000 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("only %d days: whoever knows how often each occurs can tell them apart", n))
	}
	return b, nil
}

// dayPermutation permutes days within a pinned range, or within the unit of each.
type dayPermutation struct {
	ids     *idTransform // of the range, or nil
	feistel *feistel
	unit    timeUnit
	widest  window
}

func (t *dayPermutation) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	s := getScratch()
	defer s.free()
	var from, to [lanes]int64
	var stays [lanes]bool
	if dates, is := in.(*array.Date32); is {
		b := newFixedBuilder[int32](mem, in)
		values := dates.Date32Values()
		for base := 0; base < len(values); base += lanes {
			rows := min(lanes, len(values)-base)
			for i := range rows {
				v := values[base+i]
				from[i], stays[i] = int64(v), in.IsNull(base+i) || v == math.MaxInt32 || v == math.MinInt32
			}
			if bad := t.permute(s, rows, &from, &to, &stays); bad >= 0 {
				b.drop()
				return nil, t.outside(base + bad)
			}
			for i := range rows {
				b.values[base+i] = int32(to[i])
			}
		}
		return b.finish(), nil
	}
	b := newFixedBuilder[int64](mem, in)
	values := ints(in)
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		for i := range rows {
			v := values[base+i]
			from[i], stays[i] = floorDiv(v, dayMicros)+days2000, in.IsNull(base+i) || v == math.MaxInt64 || v == math.MinInt64
		}
		if bad := t.permute(s, rows, &from, &to, &stays); bad >= 0 {
			b.drop()
			return nil, t.outside(base + bad)
		}
		for i := range rows {
			b.values[base+i] = values[base+i] + (to[i]-from[i])*dayMicros
		}
	}
	return b.finish(), nil
}

// permute writes the images of the days to to, and returns the first row that has none, or −1.
func (t *dayPermutation) permute(s *scratch, rows int, from, to *[lanes]int64, stays *[lanes]bool) int {
	n := 0
	for i := range rows {
		to[i] = from[i]
		if stays[i] {
			continue
		}
		day := from[i]
		if t.ids != nil {
			var ok bool
			if n, ok = t.ids.place(s, n, int32(i), day, &to[i]); !ok {
				return i
			}
			continue
		}
		if day < t.widest.first || day > t.widest.last {
			return i
		}
		iv, first := t.interval(day)
		iv.set(s, n, uint64(day-first))
		s.row[n] = int32(i)
		n++
	}
	if t.ids != nil {
		t.ids.walk(s, n, to[:])
		return -1
	}
	for n > 0 {
		t.feistel.permute(s, n)
		on := 0
		for i := range n {
			row := s.row[i]
			iv, first := t.interval(from[row])
			if x, ok := iv.get(s, i); ok {
				to[row] = first + int64(x)
				continue
			}
			s.move(on, i)
			on++
		}
		n = on
	}
	return -1
}

// interval returns the interval of a day's unit, and its first day. The tweak is
// the unit's first day, so that each has a permutation of its own. A table of each
// would not pay: there are millions of years.
func (t *dayPermutation) interval(day int64) (iv interval, first int64) {
	w := t.unit.span(day).within(day, t.widest)
	return newNetwork(uint64(w.last-w.first+1), uint64(w.first-pgDates.first)), w.first
}

func (t *dayPermutation) outside(row int) error {
	if t.ids == nil {
		return &ValueError{Row: row, Reason: "a date that no database holds", Help: "the connector is at fault"}
	}
	return &ValueError{Row: row, Reason: "outside the pinned range of days", Help: "widen the range in the policy; every masked date of the domain changes with it"}
}
