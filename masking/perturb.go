package masking

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// noiseFactory makes {noise: 10%} and {noise: 5}: bounded keyed noise.
//
// The noise is even over what the bound allows, but for the value itself: a value
// moves wherever there is a step to move by. Steps are those of the column's
// scale, or of the value's own decimal places without the zeros at their end; so
// a whole number stays whole, 3 with 10% stays 3, and equal numbers mask alike
// however they are written. A float takes more decimal places if its own leave
// fewer than ten steps.
//
// The sign stays and zero stays zero; what is not zero does not become it. NaN and
// the infinities stay: they are no measurement of anybody's.
type noiseFactory struct{}

func (noiseFactory) Describe() Description {
	return Description{
		Name:    "noise",
		Version: 1,
		Summary: "Adds bounded noise to numbers, the same to equal ones; sign, zero and decimal places stay.",
		Kinds:   numberKinds,
		Value:   "a percentage of the value (10%), or an amount (5)",
		Params:  []Param{{Name: "by", Summary: "the column that names the subject, all of whose numbers move by the same part of the bound", Type: "column"}},
		Samples: []Sample{
			{Spec: Spec{Variant: "10%"}, Column: Column{Kind: Numeric, Precision: 10, Scale: 2}, Values: []string{"1999.00", "19.90", "-250.00"}},
			{Spec: Spec{Variant: int64(5)}, Column: Column{Kind: Int, Bits: 32}, Values: []string{"42", "7", "0"}},
		},
	}
}

func (noiseFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	t, err := numbersOf(col)
	if err != nil {
		return Binding{}, err
	}
	op := &noise{bits: 64, float: col.Kind == Float, keepDigits: col.Kind == Text && col.MaxChars+col.MaxBytes > 0}
	if col.Kind == Int && col.Bits > 0 {
		op.bits = col.Bits
	}
	if col.Kind == Numeric && col.Precision > 0 {
		op.precision, op.scale = col.Precision, col.Scale
	}
	if err := op.parse(req.Spec.Variant); err != nil {
		return Binding{}, err
	}
	if op.relative == 0 && op.places > 0 && col.Kind == Int && op.amount < pow10[op.places] {
		return Binding{}, &BindError{Reason: "noise of less than 1 leaves whole numbers as they are", Help: "write {noise: 5}, or {noise: 10%}"}
	}
	step := "1" + strings.Repeat("0", max(-op.scale, 0))
	if bound, _ := op.bound(0, op.scale); op.relative == 0 && op.scale < 0 && bound == 0 {
		return Binding{}, &BindError{Reason: fmt.Sprintf("noise of less than %s leaves the numbers of numeric(%d,%d) as they are", step, op.precision, op.scale), Help: fmt.Sprintf("write {noise: %s} or more, or {noise: 10%%}", step)}
	}
	t.op, t.prf = op, newPRF(req.Key.For("noise"))
	b := Binding{Guarantees: numberGuarantees, Pinned: fmt.Sprintf("noise of %v, scale %d", req.Spec.Variant, op.scale)}
	b.Warnings = op.stays(col, step)
	name, given := req.Spec.Params["by"].(string)
	if !given {
		b.Transform = t
		return b, nil
	}
	by, err := bindSubject(req, "by", name)
	if err != nil {
		return Binding{}, err
	}
	var sum [16]byte
	newPRF(req.Key.For("noise of the domain")).sum(&sum, nil)
	t.by, t.subject, t.equality, t.constant = true, by.Kind, by.Equality, scale(&sum, drawn)
	b.Pinned += " by " + by.Kind.String()
	b.Warnings = append(b.Warnings, mayBeMissing(by, "move by one part of the bound", "number")...)
	b.Group = bySubject{t}
	b.Inputs, b.Outputs = []string{name, col.Name}, []string{col.Name}
	return b, nil
}

// stays says which whole numbers have too little noise to move by a step.
func (op *noise) stays(col Column, step string) []string {
	below := ""
	if op.relative > 0 {
		below = fmt.Sprintf(" below %d%s", (limb+op.relative-1)/op.relative, step[1:])
	} else if bound, small := op.bound(0, op.scale); !small || bound > 0 {
		return nil
	}
	switch {
	case col.Kind == Int || op.precision > 0 && op.scale <= 0:
		return []string{fmt.Sprintf("whole numbers%s stay as they are: their noise is less than %s", below, step)}
	case col.Kind == Text || col.Kind == Numeric && op.precision == 0:
		return []string{fmt.Sprintf("whole numbers%s stay as they are where they are written without decimal places: their noise is less than 1", below)}
	}
	return nil
}

// noise is a bound: relative in parts of 10⁹, or an amount of 10^−places.
type noise struct {
	relative uint64
	amount   uint64 // below 10¹⁸
	places   int

	bits             int // of an Int
	precision, scale int // of a Numeric that has them
	float            bool
	keepDigits       bool // no digit is added, so that a text fits
}

func (op *noise) parse(variant any) error {
	text, isText := variant.(string)
	percent, relative := strings.CutSuffix(text, "%")
	var n number
	var ok bool
	if isText && relative {
		n, ok = numberOf(strings.TrimSpace(percent))
	} else {
		n, ok = numberOf(variant)
	}
	amount, fits := n.size()
	if !ok || !fits || n.negative || amount == 0 || n.scale > 18 {
		return &BindError{Reason: "noise is not a positive number or percentage of up to 18 digits", Help: "write {noise: 10%} or {noise: 5}"}
	}
	if !relative {
		op.amount, op.places = amount, n.scale
		return nil
	}
	parts, whole := n.units(7)
	if !whole || parts > limb {
		return &BindError{Reason: "noise is not a percentage up to 100 with at most 7 decimal places", Help: "write {noise: 10%}"}
	}
	op.relative = uint64(parts)
	return nil
}

// bound returns the bound for m units of 10^−places; ok is false from 10¹⁸ on.
func (op *noise) bound(m uint64, places int) (b uint64, ok bool) {
	if op.relative > 0 {
		return mulDiv(m, op.relative, limb), true
	}
	switch up := places - op.places; {
	case up > 18:
		return 0, false
	case up >= 0:
		high, low := bits.Mul64(op.amount, pow10[up])
		return low, high == 0 && low < drawn
	case up < -18:
		return 0, true
	default:
		return op.amount / pow10[-up], true
	}
}

// mulDiv returns ⌊a·b/c⌋ where that is below 2⁶⁴.
func mulDiv(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	q, _ := bits.Div64(high, low, c)
	return q
}

// between returns the number of [least, most] but m that stands at u of drawn.
func between(least, most, m, u uint64) uint64 {
	if least >= most {
		return m
	}
	x := least + mulDiv(most-least, u, drawn)
	if x >= m {
		x++
	}
	return x
}

func (op *noise) integer(v int64, u uint64) int64 {
	if v == 0 {
		return 0
	}
	m := magnitude(v)
	limit := uint64(1)<<(op.bits-1) - 1
	if v < 0 {
		limit++
	}
	bound, ok := op.bound(m, 0)
	if !ok {
		bound = drawn
	}
	least, most := uint64(1), m+min(bound, limit-min(m, limit))
	if bound < m {
		least = m - bound
	}
	x := between(least, most, m, u)
	if v < 0 {
		return int64(-x)
	}
	return int64(x)
}

func (op *noise) decimal(s *numberScratch, n number, u uint64) number {
	s.space = s.space[:0]
	n = n.canonical()
	if len(n.digits) == 0 {
		return n
	}
	n, s.space = op.steps(n, s.space)
	for op.float {
		m, short := n.size()
		if !short || m >= drawn/10 {
			break
		}
		if bound, ok := op.bound(m, n.scale); !ok || bound >= 10 {
			break
		}
		n, s.space, _ = n.at(n.scale+1, s.space)
	}
	limit := 0 // digits that there may be
	switch {
	case op.keepDigits:
		limit = max(len(n.digits), n.scale)
	case op.precision > 0:
		limit = op.precision + n.scale - op.scale
	}
	m, short := n.size()
	bound, narrow := op.bound(m, n.scale)
	if !short || !narrow {
		return s.whole(op.long(s, n, limit, u))
	}
	least, most := uint64(1), m+bound
	if bound < m {
		least = m - bound
	}
	if 0 < limit && limit <= 18 {
		most = max(min(most, pow10[limit]-1), m)
	}
	n, s.space = sized(n.negative, between(least, most, m, u), n.scale, s.space)
	return s.whole(n)
}

// steps returns n with the decimal places by which it moves: −2 in a column of hundreds,
// but for a number of a wider column that is none.
func (op *noise) steps(n number, space []byte) (number, []byte) {
	if op.scale < 0 {
		if hundreds, _, cut := n.at(op.scale, nil); !cut {
			return hundreds, space
		}
	}
	n, space, _ = n.at(max(n.scale, op.scale), space)
	return n, space
}

// long is decimal for numbers that 64 bits do not hold. It takes the same part of
// the same interval.
func (op *noise) long(s *numberScratch, n number, limit int, u uint64) number {
	s.size = s.size.setDigits(n.digits)
	if op.relative > 0 {
		s.bound = s.bound.set(s.size).times(op.relative).shift(1)
	} else {
		var amount number
		amount, s.space = sized(false, op.amount, op.places, s.space)
		amount, s.space, _ = amount.at(n.scale, s.space)
		s.bound = s.bound.setDigits(amount.digits)
	}
	if s.bound.compare(s.size) < 0 {
		s.least = s.least.set(s.size).subtract(s.bound)
	} else {
		s.least = append(s.least[:0], 1)
	}
	s.most = s.most.set(s.size).add(s.bound)
	if limit > 0 {
		if s.limit = s.limit.nines(limit); s.most.compare(s.limit) > 0 && s.limit.compare(s.size) >= 0 {
			s.most = s.most.set(s.limit)
		}
	}
	s.most = s.most.subtract(s.least)
	if len(s.most) == 0 {
		return n
	}
	s.bound = s.bound.set(s.most).times(u % limb)
	s.most = s.most.times(u / limb).unshift().add(s.bound).shift(2)
	s.least = s.least.add(s.most)
	if s.least.compare(s.size) >= 0 {
		s.limit = append(s.limit[:0], 1)
		s.least = s.least.add(s.limit)
	}
	from := len(s.space)
	s.space = s.least.appendTo(s.space)
	n.digits = s.space[from:len(s.space):len(s.space)]
	return n
}

func (op *noise) infinite(bool) (number, bool) { return number{}, false }

// bucketFactory makes {bucket: 100}: a number becomes the lower bound of its
// bucket, the greatest multiple of the width that is not above it. So −1 becomes
// −100, as 99 becomes 0: buckets are as wide on both sides of zero. The lowest one
// begins with the least number that the column holds.
type bucketFactory struct{}

func (bucketFactory) Describe() Description {
	return Description{
		Name:    "bucket",
		Version: 1,
		Summary: "Generalizes numbers to the lower bound of their bucket, negative ones downwards too.",
		Kinds:   numberKinds,
		Value:   "the width of a bucket",
		Samples: []Sample{{Spec: Spec{Variant: int64(100)}, Column: Column{Kind: Numeric, Precision: 10, Scale: 2}, Values: []string{"1234.56", "99.90", "-1.00"}}},
	}
}

func (bucketFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	t, err := numbersOf(col)
	if err != nil {
		return Binding{}, err
	}
	n, ok := numberOf(req.Spec.Variant)
	width, fits := n.size()
	if !ok || !fits || n.negative || width == 0 {
		return Binding{}, &BindError{Reason: "bucket is not a positive number of up to 18 digits", Help: "write {bucket: 100}"}
	}
	if err := fitsNumber("the bucket", n, col); err != nil {
		return Binding{}, err
	}
	b := Binding{Guarantees: numberGuarantees, Pinned: "width " + string(n.append(nil, 0))}
	switch {
	case isStep(n, col):
		return Binding{}, &BindError{Reason: fmt.Sprintf("a bucket of %s leaves the numbers of the column as they are", n.append(nil, 0)), Help: "write a wider bucket"}
	case dividesOne(n) && !(col.Kind == Numeric && col.Precision > 0):
		b.Warnings = append(b.Warnings, "whole numbers stay as they are")
	}
	op := &bucket{width: width, places: n.scale, least: math.MinInt64}
	if col.Kind == Int && col.Bits > 0 {
		op.least = -1 << (col.Bits - 1)
	}
	if col.Kind == Numeric && col.Precision > 0 {
		op.precision, op.scale = col.Precision, col.Scale
	}
	t.op, b.Transform = op, t
	return b, nil
}

// isStep reports whether n is what the neighbours among the column's numbers differ by, as
// far as it has such.
func isStep(n number, col Column) bool {
	if col.Kind != Int && (col.Kind != Numeric || col.Precision == 0) {
		return false
	}
	steps, _, cut := n.at(col.Scale, nil)
	one, short := steps.size()
	return short && !cut && one == 1
}

// dividesOne reports whether every whole number is a multiple of n, which is above 0.
func dividesOne(n number) bool {
	n = n.canonical()
	size, short := n.size()
	return short && 0 <= n.scale && n.scale <= 18 && pow10[n.scale]%size == 0
}

// bucket is a width of 10^−places.
type bucket struct {
	width            uint64
	places           int
	least            int64 // of an Int
	precision, scale int   // of a Numeric that has them
}

func (op *bucket) integer(v int64, _ uint64) int64 {
	rest := v % int64(op.width)
	if rest < 0 {
		rest += int64(op.width)
	}
	if v-op.least < rest && v < 0 { // v−least wraps only where v is positive
		return op.least
	}
	return v - rest
}

func (op *bucket) decimal(s *numberScratch, n number, _ uint64) number {
	var cut bool
	n, s.space, _ = n.at(n.scale, s.space[:0]) // a copy: the digits change below
	n, s.space, cut = n.at(op.places, s.space)
	var rest uint64
	for _, d := range n.digits {
		rest = (rest*10 + uint64(d)) % op.width
	}
	switch {
	case !n.negative:
		n.digits = lower(n.digits, rest)
	case rest > 0 || cut:
		n.digits = lower(n.digits, rest)
		n.digits, s.space = raise(n.digits, op.width, s.space)
	}
	n = n.canonical()
	if op.precision > 0 && len(n.digits) > 0 && len(n.digits)-n.scale > op.precision-op.scale { // the least number that the column holds
		from := len(s.space)
		for range op.precision {
			s.space = append(s.space, 9)
		}
		n.digits, n.scale = s.space[from:len(s.space):len(s.space)], op.scale
	}
	return s.whole(n)
}

// lower subtracts v, at most their number, from digits.
func lower(digits []byte, v uint64) []byte {
	borrow := byte(0)
	for i := len(digits) - 1; i >= 0 && (v > 0 || borrow > 0); i-- {
		less := byte(v%10) + borrow
		v /= 10
		borrow = 0
		if digits[i] < less {
			digits[i] += 10
			borrow = 1
		}
		digits[i] -= less
	}
	for len(digits) > 0 && digits[0] == 0 {
		digits = digits[1:]
	}
	return digits
}

// raise adds v to digits, whose sum is appended to space.
func raise(digits []byte, v uint64, space []byte) (sum, grown []byte) {
	from := len(space)
	for range max(19-len(digits), 1) {
		space = append(space, 0)
	}
	space = append(space, digits...)
	sum = space[from:]
	carry := byte(0)
	for i := len(sum) - 1; i >= 0 && (v > 0 || carry > 0); i-- {
		d := sum[i] + byte(v%10) + carry
		v /= 10
		carry = d / 10
		sum[i] = d % 10
	}
	for len(sum) > 0 && sum[0] == 0 {
		sum = sum[1:]
	}
	return sum[:len(sum):len(sum)], space
}

func (op *bucket) infinite(bool) (number, bool) { return number{}, false }
