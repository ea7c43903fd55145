package masking

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// digitCounts permutes integers among those that have as many decimal digits: an
// account number of nine digits in an integer column stays one of nine. 0, which
// stands for "none", stays 0.
//
// Where a type of 8, 16, 24 or 32 bits ends, the integers of so many digits come
// in two bands. So what fits the type still does, and one number masks alike in
// columns of any width.
type digitCounts struct {
	feistel *feistel
	bands   []band
	first   [20]uint8 // the band of the least number of so many digits
}

func newDigitCounts(key Subkey) *digitCounts {
	t := &digitCounts{feistel: newFeistel(key.For("permute"))}
	widths := []uint64{math.MaxInt8, math.MaxInt16, 1<<23 - 1, math.MaxInt32}
	for digits := 1; digits < len(t.first); digits++ {
		t.first[digits] = uint8(len(t.bands))
		lo := pow10[digits-1]
		top := uint64(math.MaxInt64)
		if digits < len(pow10) {
			top = pow10[digits] - 1
		}
		for _, w := range append(widths, top) {
			if lo <= w && w <= top {
				t.bands = append(t.bands, band{interval: newInterval(key, w-lo+1, uint64(len(t.bands))), base: int64(lo)})
				lo = w + 1
			}
		}
	}
	return t
}

// place puts v > 0 into a lane, or masks it at once to *out. It returns the next free lane.
func (t *digitCounts) place(s *scratch, n int, row int32, v int64, out *int64) int {
	digits := 1
	for digits < len(pow10) && uint64(v) >= pow10[digits] {
		digits++
	}
	which := t.first[digits]
	for uint64(v-t.bands[which].base) >= t.bands[which].n {
		which++
	}
	band := &t.bands[which]
	x := uint64(v - band.base)
	if band.table != nil {
		*out = band.value(uint64(band.table[x]))
		return n
	}
	band.set(s, n, x)
	s.row[n], s.which[n] = row, which
	return n + 1
}

// bindDigitCounts binds what masks numbers to a column of integers or of decimal text.
func bindDigitCounts(req Request, key Subkey) (Binding, error) {
	if col := req.Column; col.Precision > 0 && col.Scale < 0 {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("numeric(%d,%d) rounds the numbers that are permuted among those of so many digits", col.Precision, col.Scale),
			Help:   "use {number: permute}, which counts in the column's own steps",
		}
	}
	counts := newDigitCounts(key)
	b := Binding{Transform: &digitCountTransform{counts}, Guarantees: pseudonymGuarantees, Pinned: "digits stay as many"}
	if req.Column.Kind == Numeric {
		b.Transform = &numericCountTransform{counts}
	}
	if p := req.Column.Precision; p > 0 && p < 7 || req.Column.Kind == Int && req.Column.Bits > 0 && req.Column.Bits < 24 {
		b.Warnings = []string{"there are few numbers of so few digits: whoever knows how often each occurs can tell them apart"}
	}
	return b, nil
}

// digitCountTransform is digitCounts on integers.
type digitCountTransform struct{ counts *digitCounts }

func (t *digitCountTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := ints(in)
	b := newFixedBuilder[int64](mem, in)
	s := getScratch()
	defer s.free()
	anyNull := in.NullN() > 0
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		out := b.values[base : base+rows]
		n := 0
		for i := range rows {
			v := values[base+i]
			switch {
			case v == 0 || anyNull && in.IsNull(base+i):
				out[i] = 0
			case v < 0:
				b.drop()
				return nil, &ValueError{Row: base + i, Reason: "a negative number, where account numbers or codes are due", Help: "use {pseudonym: id}"}
			default:
				n = t.counts.place(s, n, int32(i), v, &out[i])
			}
		}
		walkBands(t.counts.feistel, t.counts.bands, s, n, out)
	}
	return b.finish(), nil
}

// numericCountTransform is digitCounts on decimal texts: 4711, 4711.00.
type numericCountTransform struct{ counts *digitCounts }

func (t *numericCountTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var masked [lanes]int64
	var width [lanes]int // of what stands before the point
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := 0
		for i := range rows {
			if values.null(base + i) {
				continue
			}
			v, w, ok := wholeDigits(values.value(base + i))
			if !ok {
				out.drop()
				return nil, &ValueError{
					Row:    base + i,
					Reason: "not a whole number of at most 18 digits",
					Help:   "account numbers and codes are whole and not negative; use {number: permute} for other numbers",
				}
			}
			masked[i], width[i] = 0, w
			if v > 0 {
				n = t.counts.place(s, n, int32(i), v, &masked[i])
			}
		}
		walkBands(t.counts.feistel, t.counts.bands, s, n, masked[:])
		for i := range rows {
			if values.null(base + i) {
				out.null()
				continue
			}
			v := values.value(base + i)
			out.grow(len(v))
			out.buf = strconv.AppendInt(out.buf, masked[i], 10)
			out.buf = append(out.buf, v[width[i]:]...)
			out.end()
		}
	}
	return out.finish(), nil
}

// wholeDigits reads digits without leading zeros, and how many they are. Zeros may
// follow behind a point.
func wholeDigits(text []byte) (v int64, width int, ok bool) {
	for width < len(text) && text[width]-'0' <= 9 {
		if width == 18 {
			return 0, 0, false
		}
		v = v*10 + int64(text[width]-'0')
		width++
	}
	if width == 0 || width > 1 && text[0] == '0' {
		return 0, 0, false
	}
	for i, c := range text[width:] {
		if c != '0' && (i > 0 || c != '.') {
			return 0, 0, false
		}
	}
	return v, width, true
}
