package masking

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// numberOp is what a transform does to one number, all questions answered. u is a
// keyed draw from [0, drawn), the same for equal values; 0 where the transform takes no key.
type numberOp interface {
	integer(v int64, u uint64) int64
	// decimal returns a number in space of s that is good until its next call.
	decimal(s *numberScratch, n number, u uint64) number
	// infinite returns what stands in the place of an infinity, if it does not stay.
	infinite(negative bool) (n number, masked bool)
}

// drawn is how many draws there are: the decimals of a fraction of 18 places, so
// that integers and decimal texts of any length take the same part of an interval.
const drawn = limb * limb

// numberTransform masks numbers in each of the forms that columns have: integers;
// decimal texts; and floats, which go through the shortest decimal text that stands
// for them. Floating-point arithmetic is not used at all: a product and a sum may be
// rounded once or twice, as the processor likes, and then a value would mask
// otherwise on another machine.
type numberTransform struct {
	op       numberOp
	prf      *prf // nil if the transform takes no key
	kind     Kind
	bits     int // of Float
	maxChars int // of Text: what fits
	own      Equality

	by       bool // a subject's key makes the draw, not the value
	subject  Kind
	equality Equality
	constant uint64 // the draw of rows without a subject
}

func (t *numberTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return t.apply(mem, in, nil)
}

// bySubject is a numberTransform with the column of the subject: [subject, number] → [number].
type bySubject struct{ numbers *numberTransform }

func (t bySubject) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	var who *subjects
	if _, none := in[0].(*array.Null); !none {
		who = subjectsOf(in[0], t.numbers.subject)
	}
	out, err := t.numbers.apply(mem, in[1], who)
	if err != nil {
		return nil, err
	}
	return []arrow.Array{out}, nil
}

func (t *numberTransform) apply(mem memory.Allocator, in arrow.Array, who *subjects) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	s := getNumberScratch()
	defer s.free()
	switch t.kind {
	case Int:
		return t.integers(mem, in, s, who), nil
	case Float:
		return t.floats(mem, in, s, who), nil
	}
	return t.decimals(mem, in, s, who)
}

// draws sets u for each row: by the subject, or by the messages of the rows that have one.
func (t *numberTransform) draws(s *scratch, who *subjects, base, rows int, u *[lanes]uint64) {
	switch {
	case t.prf == nil:
		return
	case t.by && who == nil:
		fill(u[:rows], t.constant)
		return
	case t.by:
		who.messages(s, base, rows, t.equality)
	}
	t.prf.sums(s, rows)
	for i := range rows {
		if u[i] = scale(&s.block[i], drawn); t.by && who.array.IsNull(base+i) {
			u[i] = t.constant
		}
	}
}

// message makes the canonical text of a number the message of a row.
func (t *numberTransform) message(s *scratch, i int, n number) {
	if t.prf == nil || t.by {
		return
	}
	from := len(s.text)
	s.text = n.canonical().append(s.text, 0)
	s.msg[i] = s.text[from:len(s.text):len(s.text)]
}

func (t *numberTransform) integers(mem memory.Allocator, in arrow.Array, ns *numberScratch, who *subjects) arrow.Array {
	b := newFixedBuilder[int64](mem, in)
	values, s := ints(in), ns.scratch
	var u [lanes]uint64
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		s.text = s.text[:0]
		for i := range rows {
			s.msg[i] = nil
			if t.prf != nil && !t.by {
				from := len(s.text)
				s.text = strconv.AppendInt(s.text, values[base+i], 10)
				s.msg[i] = s.text[from:len(s.text):len(s.text)]
			}
		}
		t.draws(s, who, base, rows, &u)
		for i := range rows {
			b.values[base+i] = 0
			if !in.IsNull(base + i) {
				b.values[base+i] = t.op.integer(values[base+i], u[i])
			}
		}
	}
	return b.finish()
}

func (t *numberTransform) floats(mem memory.Allocator, in arrow.Array, ns *numberScratch, who *subjects) arrow.Array {
	floats, ok := in.(*array.Float64)
	if !ok {
		panic(fmt.Sprintf("masking: an array of %s where floats are due", in.DataType()))
	}
	b := newFixedBuilder[float64](mem, in)
	values, s := floats.Float64Values(), ns.scratch
	var u [lanes]uint64
	for base := 0; base < len(values); base += lanes {
		rows := min(lanes, len(values)-base)
		s.text, ns.digits = s.text[:0], ns.digits[:0]
		for i := range rows {
			s.msg[i], ns.is[i] = nil, false
			v := values[base+i]
			b.values[base+i] = v
			switch {
			case in.IsNull(base + i):
				b.values[base+i] = 0
			case math.IsNaN(v):
			case math.IsInf(v, 0):
				if n, masked := t.op.infinite(v < 0); masked {
					ns.text = n.append(ns.text[:0], 0)
					b.values[base+i] = nearestFloat(ns.text, t.bits)
				}
			default:
				ns.text = strconv.AppendFloat(ns.text[:0], v, 'f', -1, t.bits)
				ns.number[i], ns.digits, ns.is[i] = parseNumber(ns.digits, ns.text)
				t.message(s, i, ns.number[i])
			}
		}
		t.draws(s, who, base, rows, &u)
		for i := range rows {
			if !ns.is[i] {
				continue
			}
			n := t.op.decimal(ns, ns.number[i], u[i])
			ns.text = n.append(ns.text[:0], 0)
			v := nearestFloat(ns.text, t.bits)
			if v == 0 && len(n.digits) > 0 { // too small for a float: the sign stays all the same
				v = math.Copysign(leastFloat(t.bits), values[base+i])
			}
			b.values[base+i] = v
		}
	}
	return b.finish()
}

func leastFloat(bits int) float64 {
	if bits == 32 {
		return math.SmallestNonzeroFloat32
	}
	return math.SmallestNonzeroFloat64
}

// clampFloat returns the greatest finite float of so many bits in the place of an infinity.
func clampFloat(v float64, bits int) float64 {
	if !math.IsInf(v, 0) {
		return v
	}
	if bits == 32 {
		return math.Copysign(math.MaxFloat32, v)
	}
	return math.Copysign(math.MaxFloat64, v)
}

func (t *numberTransform) decimals(mem memory.Allocator, in arrow.Array, ns *numberScratch, who *subjects) (arrow.Array, error) {
	values, s := textsOf(in), ns.scratch
	out := newTextBuilder(mem, values.n, values.size())
	var u [lanes]uint64
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text, ns.digits = s.text[:0], ns.digits[:0]
		for i := range rows {
			s.msg[i], ns.is[i] = nil, false
			if values.null(base + i) {
				continue
			}
			v := t.own.unpadded(values.value(base + i))
			if ns.number[i], ns.digits, ns.is[i] = parseNumber(ns.digits, v); ns.is[i] {
				t.message(s, i, ns.number[i])
			} else if !blank(v) && !notFinite(v) {
				out.drop()
				return nil, noNumber(base + i)
			}
		}
		t.draws(s, who, base, rows, &u)
		for i := range rows {
			var n number
			scale := 0
			switch {
			case values.null(base + i):
				out.null()
				continue
			case ns.is[i]:
				n, scale = t.op.decimal(ns, ns.number[i], u[i]), ns.number[i].scale
			default:
				v := values.value(base + i)
				masked := false
				if notFinite(v) && v[0] != 'N' {
					n, masked = t.op.infinite(v[0] == '-')
				}
				if !masked {
					out.add(v)
					continue
				}
			}
			out.grow(n.length(scale))
			from := len(out.buf)
			out.buf = n.append(out.buf, scale)
			if t.kind == Text && len(out.buf)-from > t.maxChars {
				out.drop()
				return nil, &ValueError{Row: base + i, Reason: fmt.Sprintf("a number that masked has more than the %d characters of the column", t.maxChars), Help: "widen the column, or use token"}
			}
			out.end()
		}
	}
	return out.finish(), nil
}

// notFinite reports whether v is one of the three words that stand beside numbers.
func notFinite(v []byte) bool {
	switch string(v) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	return false
}

func noNumber(row int) error {
	return &ValueError{Row: row, Reason: "not a decimal number", Help: "use token or shape for a column of mixed texts"}
}

var numberKinds = []Kind{Int, Float, Numeric, Text}

var numberGuarantees = Guarantees{Deterministic: true, KeepsFormat: true, KeepsNull: true, KeepsEmpty: true}

// numbersOf returns the transform of a column, without its op.
func numbersOf(col Column) (*numberTransform, error) {
	if err := refuseLabels("a transform of numbers", col); err != nil {
		return nil, err
	}
	t := &numberTransform{kind: col.Kind, bits: 64, maxChars: room(col), own: col.Equality}
	if col.Kind == Float && col.Bits == 32 {
		t.bits = 32
	}
	return t, nil
}

// numberOf reads the number of a policy: a YAML number, or one in quotes.
func numberOf(v any) (number, bool) {
	var text []byte
	switch v := v.(type) {
	case int64:
		text = strconv.AppendInt(nil, v, 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return number{}, false
		}
		text = strconv.AppendFloat(nil, v, 'f', -1, 64)
	case string:
		text = []byte(v)
	}
	n, _, ok := parseNumber(nil, text)
	return n.canonical(), ok
}

// fitsNumber says why n cannot stand in the column, or nil.
func fitsNumber(what string, n number, col Column) error {
	text := string(n.append(nil, 0))
	bad := func(reason, help string) error {
		return &BindError{Reason: fmt.Sprintf("%s %s %s", what, text, reason), Help: help}
	}
	switch col.Kind {
	case Int:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return bad("is not a whole number of 64 bits, as the column's are", "write a whole number")
		}
		if b := col.Bits; b > 0 && b < 64 && (v < -1<<(b-1) || v >= 1<<(b-1)) {
			return bad(fmt.Sprintf("does not fit an integer of %d bits", b), "write a smaller number")
		}
	case Numeric:
		_, _, cut := n.at(col.Scale, nil)
		if col.Precision > 0 && (cut || len(n.digits) > 0 && len(n.digits)-n.scale > col.Precision-col.Scale) {
			return bad(fmt.Sprintf("does not fit numeric(%d,%d)", col.Precision, col.Scale), "write a number that the column holds")
		}
	case Text:
		if most := room(col); len(text) > most {
			return bad(fmt.Sprintf("does not fit the %d characters of the column", most), "write a shorter number")
		}
	}
	return nil
}

// permuteFactory makes {number: permute, range: [lo, hi]}: a bijection of the
// numbers of a pinned range, counted in units of the last decimal place.
type permuteFactory struct{}

func (permuteFactory) Describe() Description {
	return Description{
		Name:     "number",
		Version:  1,
		Summary:  "Permutes numbers within a pinned range: different numbers stay different, and one outside is an error.",
		Kinds:    []Kind{Int, Numeric},
		Variants: []string{"permute"},
		Params: []Param{
			{Name: "range", Summary: "[lo, hi]: the least and the greatest number", Type: "list", Required: true},
			{Name: "scale", Summary: "decimal places that are permuted; without it those of the column, or of the range", Type: "int"},
		},
		Samples: []Sample{
			{Spec: Spec{Variant: "permute", Params: map[string]any{"range": []any{int64(0), int64(9999)}}}, Column: Column{Kind: Int, Bits: 32}, Values: []string{"1", "2", "9999"}},
			{Spec: Spec{Variant: "permute", Params: map[string]any{"range": []any{int64(0), int64(1000)}}}, Column: Column{Kind: Numeric, Precision: 8, Scale: 2}, Values: []string{"19.99", "20.00", "1000.00"}},
		},
	}
}

func (permuteFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	help := "write range: [0, 999.99]: the least and the greatest number"
	list, _ := req.Spec.Params["range"].([]any)
	if len(list) != 2 {
		return Binding{}, &BindError{Reason: "range is not a pair of numbers", Help: help}
	}
	lo, ok1 := numberOf(list[0])
	hi, ok2 := numberOf(list[1])
	if !ok1 || !ok2 {
		return Binding{}, &BindError{Reason: "range is not a pair of numbers", Help: help}
	}
	places := max(lo.scale, hi.scale)
	switch given, is := req.Spec.Params["scale"].(int64); {
	case is && (given < 0 || given > 18 || int(given) < places):
		return Binding{}, &BindError{Reason: fmt.Sprintf("scale: %d is not between the %d decimal places of the range and 18", given, places), Help: "leave scale out"}
	case is:
		places = int(given)
	case col.Kind == Numeric && col.Precision > 0 && (col.Scale > places || places == 0):
		places = col.Scale // below 0 of a column of hundreds
	}
	if col.Kind == Int && places > 0 {
		return Binding{}, &BindError{Reason: "the column holds whole numbers, and the range has decimal places", Help: "write range: [1, 1000000]"}
	}
	// What is narrower in the domain shares the range, so the range fits it too.
	if narrow := col.NarrowBits; narrow > 0 && (col.Bits == 0 || narrow < col.Bits) {
		col.Bits = narrow
	}
	for _, n := range []number{lo, hi} {
		if err := fitsNumber("the end of the range", n, col); err != nil {
			return Binding{}, err
		}
	}
	if col.Kind == Numeric && col.Precision > 0 && places > col.Scale {
		return Binding{}, &BindError{Reason: fmt.Sprintf("%d decimal places do not fit numeric(%d,%d)", places, col.Precision, col.Scale), Help: "leave scale out"}
	}
	first, ok1 := lo.units(places)
	last, ok2 := hi.units(places)
	if !ok1 || !ok2 || first >= last {
		return Binding{}, &BindError{Reason: "range holds fewer than two numbers, or more than 64 bits count", Help: help}
	}
	t := &idTransform{}
	t.pin(req.Key, first, last)
	b := Binding{
		Transform:  t,
		Guarantees: pseudonymGuarantees,
		Pinned:     fmt.Sprintf("range [%d, %d] of %d decimal places", first, last, places),
	}
	b.Guarantees.KeepsFormat = oneSign(first, last)
	if n := t.bands[0].n; n != 0 && n <= 1_000_000 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("only %d numbers: whoever knows how often each occurs can tell them apart", n))
	}
	if col.Kind == Numeric {
		b.Transform = &permuteDecimals{ids: t, places: places}
	}
	return b, nil
}

// units returns the number in units of 10^−places; ok is false if it is none of
// them, or one that 64 bits do not hold.
func (n number) units(places int) (v int64, ok bool) {
	n = n.canonical()
	if places < 0 {
		var cut bool
		if n, _, cut = n.at(places, nil); cut {
			return 0, false
		}
		n.scale, places = 0, 0
	}
	if n.scale > places || len(n.digits)+places-n.scale > 19 && len(n.digits) > 0 {
		return 0, false
	}
	var m uint64
	for _, d := range n.digits {
		m = m*10 + uint64(d)
	}
	if m > 0 {
		high, low := bits.Mul64(m, pow10[places-n.scale])
		if high != 0 {
			return 0, false
		}
		m = low
	}
	if n.negative {
		return -int64(m), m <= 1<<63
	}
	return int64(m), m <= math.MaxInt64
}

// permuteDecimals permutes decimal texts. A text has at least the decimal places
// that are permuted, and zeros behind them where it had more.
type permuteDecimals struct {
	ids    *idTransform
	places int // −2 permutes hundreds
}

func (t *permuteDecimals) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	ns := getNumberScratch()
	defer ns.free()
	s := ns.scratch
	var masked [lanes]int64
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		ns.digits = ns.digits[:0]
		lane := 0
		for i := range rows {
			if values.null(base + i) {
				continue
			}
			v := values.value(base + i)
			if ns.number[i], ns.digits, ns.is[i] = parseNumber(ns.digits, v); !ns.is[i] {
				if blank(v) {
					continue
				}
				out.drop()
				return nil, noNumber(base + i)
			}
			x, ok := ns.number[i].units(t.places)
			if ok {
				lane, ok = t.ids.place(s, lane, int32(i), x, &masked[i])
			}
			if !ok {
				out.drop()
				return nil, &ValueError{
					Row:    base + i,
					Reason: "outside the pinned range, or with more decimal places than are permuted",
					Help:   "widen the range or the scale in the policy; every masked number of the domain changes with it",
				}
			}
		}
		t.ids.walk(s, lane, masked[:])
		for i := range rows {
			switch {
			case values.null(base + i):
				out.null()
			case !ns.is[i]:
				out.add(values.value(base + i))
			default:
				var n number
				v := masked[i]
				n, ns.space = sized(v < 0, magnitude(v), t.places, ns.space[:0])
				n = ns.whole(n)
				out.grow(n.length(ns.number[i].scale))
				out.buf = n.append(out.buf, ns.number[i].scale)
				out.end()
			}
		}
	}
	return out.finish(), nil
}

// whole returns a number of hundreds as one of ones, which is how it is written.
func (s *numberScratch) whole(n number) number {
	if n.scale < 0 {
		n, s.space, _ = n.at(0, s.space)
	}
	return n
}

// magnitude returns |v|.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
