package masking

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// shiftFactory makes {shift_days: N}: dates and timestamps move by whole days.
type shiftFactory struct{}

func (shiftFactory) Describe() Description {
	return Description{
		Name:    "shift_days",
		Version: 1,
		Summary: "Shifts dates by up to N days either way, never by none: one shift per subject (by), or one for the domain.",
		Kinds:   []Kind{Date, Timestamp},
		Value:   "the most days that a date moves",
		Samples: []Sample{
			{Spec: Spec{Variant: int64(30), Params: map[string]any{"by": "customer_id"}}, Column: Column{Kind: Date},
				Values: []string{"2024-02-29", "2024-03-07", "infinity"},
				Beside: []SampleColumn{{Column: Column{Name: "customer_id", Kind: Int, Bits: 32}, Values: []string{"7", "7", "7"}}}},
			{Spec: Spec{Variant: int64(30), Params: map[string]any{"within": "same_year"}}, Column: Column{Kind: Timestamp},
				Values: []string{"2024-01-01 12:30:00", "2024-12-31 00:00:00", "1969-07-20 20:17:40"}},
		},
		Params: []Param{
			{Name: "by", Summary: "the column that names the subject, all of whose dates move alike, so that intervals survive", Type: "column"},
			{Name: "within", Summary: "same_year: the date stays in its calendar year", Type: "string"},
		},
	}
}

const (
	maxShift         = 36525 // a century
	maxShiftSameYear = 182   // one of the two directions always stays in the year
)

func (shiftFactory) Bind(req Request) (Binding, error) {
	days, ok := req.Spec.Variant.(int64)
	if !ok || days < 1 || days > maxShift {
		return Binding{}, &BindError{Reason: fmt.Sprintf("shift_days is not a number of days from 1 to %d", maxShift), Help: "write {shift_days: 30}"}
	}
	sameYear := false
	if within, given := req.Spec.Params["within"]; given {
		if within != "same_year" {
			return Binding{}, &BindError{Reason: fmt.Sprintf("shift_days cannot stay within %q", within), Help: "write within: same_year"}
		}
		if days > maxShiftSameYear {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("a shift of up to %d days cannot stay within the year", days),
				Help:   fmt.Sprintf("with within: same_year the most is %d", maxShiftSameYear),
			}
		}
		sameYear = true
	}
	t := &shift{prf: newPRF(req.Key.For("shift")), days: uint64(days), sameYear: sameYear}
	var sum [16]byte
	newPRF(req.Key.For("shift of the domain")).sum(&sum, nil)
	t.constant = t.draw(&sum)
	b := Binding{Guarantees: Guarantees{Deterministic: true, KeepsFormat: true, KeepsNull: true, KeepsEmpty: true}}
	b.Pinned = fmt.Sprintf("up to %d days", days)
	if sameYear {
		b.Pinned += " within the year"
	}
	name, given := req.Spec.Params["by"].(string)
	if !given {
		b.Transform = t
		help := "; name the subject by: COLUMN"
		if req.Row == nil {
			help = "" // inside a document or an array there is no row
		}
		b.Warnings = append(b.Warnings, "one shift for the whole domain: whoever knows one true date knows them all"+help)
		return b, nil
	}
	by, err := bindSubject(req, "by", name)
	if err != nil {
		return Binding{}, err
	}
	t.subject, t.equality = by.Kind, by.Equality
	b.Pinned += " by " + t.subject.String()
	b.Warnings = mayBeMissing(by, "share one shift", "date")
	b.Group = &subjectShift{shift: t}
	b.Inputs, b.Outputs = []string{name, req.Column.Name}, []string{req.Column.Name}
	return b, nil
}

// shift moves days. The shift of a subject is drawn evenly from −days … −1 and
// 1 … days. A NULL subject, and a binding without by, have the domain's one shift.
//
// A date that would leave its window moves the other way by as much. The window is
// the calendar year if the policy says so (of UTC for a timestamp); else the years 1 to
// 9999, which every database holds; and for a date outside those, whatever
// PostgreSQL holds. So the result is always a valid date, it always differs, and
// intervals survive but for the two ends of the window.
type shift struct {
	prf      *prf
	days     uint64
	sameYear bool
	subject  Kind
	equality Equality // of the subject
	constant int64
}

// draw turns a keyed function's result into a shift.
func (t *shift) draw(sum *[16]byte) int64 {
	d := int64(scale(sum, 2*t.days)) - int64(t.days) // −days … days−1
	if d >= 0 {
		d++
	}
	return d
}

// window is a run of days since 1970-01-01, both ends included.
type window struct{ first, last int64 }

var (
	fourDigitYears = window{daysFromCivil(1, 1, 1), daysFromCivil(9999, 12, 31)}
	// PostgreSQL begins at Julian day 0 and ends dates in 5874897, timestamps in 294276.
	pgDates      = window{-2440588, daysFromCivil(5874897, 12, 31)}
	pgTimestamps = window{-2440588, daysFromCivil(294276, 12, 31)}
)

// move returns the day that is by away, or the other way where that leaves the window.
func (t *shift) move(day, by int64, widest window) int64 {
	day = min(max(day, widest.first), widest.last) // a day beyond is none that a database holds
	w := widest
	switch {
	case t.sameYear:
		y := yearOf(day)
		w = window{daysFromCivil(y, 1, 1), daysFromCivil(y+1, 1, 1) - 1}
		w.first, w.last = max(w.first, widest.first), min(w.last, widest.last)
	case fourDigitYears.first <= day && day <= fourDigitYears.last:
		w = fourDigitYears
	}
	for _, moved := range [2]int64{day + by, day - by} {
		if w.first <= moved && moved <= w.last {
			return moved
		}
	}
	// PostgreSQL begins with a year of 38 days: go round in it.
	size := w.last - w.first + 1
	round := (day - w.first + by) % size
	if round < 0 {
		round += size
	}
	return w.first + round
}

func (t *shift) date(d int32, by int64) int32 {
	if d == math.MaxInt32 || d == math.MinInt32 { // infinities
		return d
	}
	return int32(t.move(int64(d), by, pgDates))
}

const (
	dayMicros = 86_400_000_000
	// epoch2000 is 2000-01-01 in microseconds since 1970-01-01; days2000 in days.
	epoch2000 = days2000 * dayMicros
	days2000  = 10957
)

func (t *shift) timestamp(m int64, by int64) int64 {
	if m == math.MaxInt64 || m == math.MinInt64 { // infinities
		return m
	}
	day := floorDiv(m, dayMicros)
	return m + (t.move(day+days2000, by, pgTimestamps)-(day+days2000))*dayMicros
}

func (t *shift) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	return t.apply(mem, in, nil)
}

// apply shifts in by the subjects, if there are any.
func (t *shift) apply(mem memory.Allocator, in arrow.Array, subjects *subjects) (arrow.Array, error) {
	s := getScratch()
	defer s.free()
	var by [lanes]int64
	fill(by[:], t.constant)
	if dates, is := in.(*array.Date32); is {
		b := newFixedBuilder[int32](mem, in)
		values := dates.Date32Values()
		for base := 0; base < len(values); base += lanes {
			rows := min(lanes, len(values)-base)
			t.draws(s, subjects, base, rows, &by)
			for i := range rows {
				if in.IsNull(base + i) {
					b.values[base+i] = 0
					continue
				}
				b.values[base+i] = t.date(int32(values[base+i]), by[i])
			}
		}
		return b.finish(), nil
	}
	b := newFixedBuilder[int64](mem, in)
	values := ints(in)
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		t.draws(s, subjects, base, rows, &by)
		for i := range rows {
			if in.IsNull(base + i) {
				b.values[base+i] = 0
				continue
			}
			b.values[base+i] = t.timestamp(values[base+i], by[i])
		}
	}
	return b.finish(), nil
}

// subjectShift is a shift by the column of the subject: [subject, date] → [date].
type subjectShift struct {
	shift *shift
}

func (t *subjectShift) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	var out arrow.Array
	var err error
	if null, is := allNull(in[1]); is {
		return []arrow.Array{null}, nil
	}
	if _, none := in[0].(*array.Null); none {
		out, err = t.shift.Apply(mem, in[1])
	} else {
		out, err = t.shift.apply(mem, in[1], subjectsOf(in[0], t.shift.subject))
	}
	if err != nil {
		return nil, err
	}
	return []arrow.Array{out}, nil
}

// draws sets by to the shift of each row's subject.
func (t *shift) draws(s *scratch, sub *subjects, base, rows int, by *[lanes]int64) {
	if sub == nil {
		return
	}
	sub.messages(s, base, rows, t.equality)
	t.prf.sums(s, rows)
	for i := range rows {
		by[i] = t.constant
		if sub.array.IsValid(base + i) {
			by[i] = t.draw(&s.block[i])
		}
	}
}

// daysFromCivil returns the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar, whose year 0 is 1 BC. The month counts from March, so that
// the leap day comes last (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func daysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	dayOfYear := (153*((m+9)%12)+2)/5 + d - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// yearOf returns the year of a day since 1970-01-01.
func yearOf(day int64) int64 {
	day += 719468
	era := floorDiv(day, 146097)
	d := day - era*146097
	yearOfEra := (d - d/1460 + d/36524 - d/146096) / 365
	dayOfYear := d - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	y := yearOfEra + era*400
	if dayOfYear >= 306 { // January and February
		y++
	}
	return y
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
