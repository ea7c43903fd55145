package masking

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// capFactory makes {top_code: X} and {bottom_code: X}: what lies beyond X becomes
// X. The few at an end of a distribution are those that everybody knows: HIPAA
// (45 CFR 164.514) asks for one class of all ages over 89, which is
// {top_code: 90} on an age and {bottom_code: …} on a date of birth.
//
// An infinite number is beyond X; an infinite date is no date, and stays, as NaN does.
type capFactory struct{ top bool }

func (f capFactory) Describe() Description {
	d := Description{
		Name:    "bottom_code",
		Version: 1,
		Summary: "Raises numbers and dates below X to X.",
		Kinds:   []Kind{Int, Float, Numeric, Text, Date, Timestamp},
		Value:   "the least number or date that stays",
		Samples: []Sample{{Spec: Spec{Variant: "1936-01-01"}, Column: Column{Kind: Date}, Values: []string{"1921-05-17", "1936-01-01", "1984-11-30"}}},
	}
	if f.top {
		d.Name, d.Summary, d.Value = "top_code", "Lowers numbers and dates above X to X.", "the greatest number or date that stays"
		d.Samples = []Sample{{Spec: Spec{Variant: int64(90)}, Column: Column{Kind: Int, Bits: 16}, Values: []string{"34", "90", "103"}}}
	}
	return d
}

func (f capFactory) Bind(req Request) (Binding, error) {
	col, name := req.Column, req.Spec.Name
	b := Binding{Guarantees: numberGuarantees}
	text, _ := req.Spec.Variant.(string)
	switch col.Kind {
	case Date, Timestamp:
		t := &dayCap{top: f.top, days: col.Kind == Date}
		var ok bool
		if t.days {
			var d int32
			d, ok = parseDate(text)
			ok = ok && d != math.MaxInt32 && d != math.MinInt32
			t.limit = int64(d)
		} else {
			t.limit, ok = parseTimestamp(text)
			ok = ok && t.limit != math.MaxInt64 && t.limit != math.MinInt64
		}
		if !ok {
			return Binding{}, &BindError{Reason: name + " is not a date in quotes", Help: fmt.Sprintf(`write {%s: "1936-01-01"}`, name)}
		}
		b.Transform, b.Pinned = t, "at "+text
		return b, nil
	}
	t, err := numbersOf(col)
	if err != nil {
		return Binding{}, err
	}
	n, ok := numberOf(req.Spec.Variant)
	if !ok {
		return Binding{}, &BindError{Reason: name + " is not a number", Help: fmt.Sprintf("write {%s: 90}", name)}
	}
	if err := fitsNumber(name, n, col); err != nil {
		return Binding{}, err
	}
	op := &numberCap{top: f.top, limit: n}
	if col.Kind == Int {
		op.whole, _ = strconv.ParseInt(string(n.append(nil, 0)), 10, 64)
	}
	t.op = op
	b.Transform, b.Pinned = t, "at "+string(n.append(nil, 0))
	return b, nil
}

type numberCap struct {
	top   bool
	limit number
	whole int64 // the limit of an Int
}

func (op *numberCap) integer(v int64, _ uint64) int64 {
	if op.top {
		return min(v, op.whole)
	}
	return max(v, op.whole)
}

func (op *numberCap) decimal(_ *numberScratch, n number, _ uint64) number {
	if c := n.compare(op.limit); op.top && c > 0 || !op.top && c < 0 {
		return op.limit
	}
	return n
}

func (op *numberCap) infinite(negative bool) (number, bool) { return op.limit, negative != op.top }

// dayCap is a cap on dates or timestamps.
type dayCap struct {
	top, days bool
	limit     int64 // days since 1970, or microseconds since 2000
}

func (t *dayCap) beyond(v int64) bool { return t.top && v > t.limit || !t.top && v < t.limit }

func (t *dayCap) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	return mapDays(mem, in, func(d int32) int32 {
		if t.beyond(int64(d)) {
			return int32(t.limit)
		}
		return d
	}, func(m int64) int64 {
		if t.beyond(m) {
			return t.limit
		}
		return m
	}), nil
}

// mapDays applies one function to dates, the other to timestamps. NULL and infinities stay.
func mapDays(mem memory.Allocator, in arrow.Array, date func(int32) int32, timestamp func(int64) int64) arrow.Array {
	if dates, is := in.(*array.Date32); is {
		b := newFixedBuilder[int32](mem, in)
		for i, d := range dates.Date32Values() {
			b.values[i] = 0
			if !in.IsNull(i) {
				if b.values[i] = int32(d); d != math.MaxInt32 && d != math.MinInt32 {
					b.values[i] = date(int32(d))
				}
			}
		}
		return b.finish()
	}
	b := newFixedBuilder[int64](mem, in)
	for i, m := range ints(in) {
		b.values[i] = 0
		if !in.IsNull(i) {
			if b.values[i] = m; m != math.MaxInt64 && m != math.MinInt64 {
				b.values[i] = timestamp(m)
			}
		}
	}
	return b.finish()
}
