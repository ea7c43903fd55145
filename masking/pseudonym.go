package masking

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// pseudonymFactory makes {pseudonym: id}, {pseudonym: uuid} and {pseudonym: code}:
// keyed bijections, for keys and whatever refers to them.
type pseudonymFactory struct{}

func (pseudonymFactory) Describe() Description {
	return Description{
		Name:     "pseudonym",
		Version:  1,
		Summary:  "Permutes keys: integers within their type and sign, UUIDs within their version, codes within their pattern.",
		Kinds:    []Kind{Int, Text, UUID},
		Variants: []string{"id", "uuid", "code"},
		Params:   []Param{{Name: "range", Summary: "[lo, hi]: integers are permuted within it, and one outside is an error", Type: "list"}},
		Samples: []Sample{
			{Spec: Spec{Variant: "id"}, Column: Column{Kind: Int, Bits: 32, Unique: true}, Values: []string{"0", "1", "2000000000"}},
			{Spec: Spec{Variant: "id", Params: map[string]any{"range": []any{int64(1), int64(9999)}}}, Column: Column{Kind: Int, Bits: 32, Unique: true}, Values: []string{"1", "2", "9999"}},
			{Spec: Spec{Variant: "uuid"}, Column: Column{Kind: UUID, Unique: true}, Values: []string{
				"6f1e4d3c-2b1a-4f0e-9d8c-7b6a5f4e3d2c", "01890a5d-ac96-774b-bcce-b302099a8057", "00000000-0000-0000-0000-000000000000"}},
			{Spec: Spec{Variant: "code"}, Column: Column{Kind: Text, Unique: true}, Values: []string{"AB-12", "AB-13", "ab-13"}},
		},
	}
}

func (pseudonymFactory) Bind(req Request) (Binding, error) {
	if req.Spec.Variant == "code" {
		return bindCode(req)
	}
	if err := refuseLabels("pseudonym", req.Column); err != nil {
		return Binding{}, err
	}
	if req.Spec.Variant == "uuid" {
		return bindUUID(req)
	}
	return bindID(req)
}

var pseudonymGuarantees = Guarantees{
	Deterministic: true, Injective: true, Reversible: true, KeepsFormat: true, KeepsNull: true, KeepsEmpty: true,
}

// bindID binds {pseudonym: id}. On a column of text it takes integers spelled the
// one way that strconv spells them, so that texts and integers of one domain
// mask alike and different texts stay different.
func bindID(req Request) (Binding, error) {
	col := req.Column
	width := 64
	switch {
	case col.Kind == UUID:
		return Binding{}, &BindError{Reason: "pseudonym id takes integers, and the column holds UUIDs", Help: "use {pseudonym: uuid}"}
	case col.Kind == Int && col.Bits > 0:
		width = col.Bits
	}
	narrow := width
	if col.NarrowBits > 0 {
		narrow = min(narrow, col.NarrowBits)
	}
	t := &idTransform{}
	b := Binding{Guarantees: pseudonymGuarantees}
	if pinned, given := req.Spec.Params["range"].([]any); given {
		lo, hi, err := parseRange(pinned, width)
		if err != nil {
			return Binding{}, err
		}
		t.pin(req.Key, lo, hi)
		b.Guarantees.KeepsFormat = oneSign(lo, hi)
		b.Pinned = fmt.Sprintf("range [%d, %d]", lo, hi)
		if n := t.bands[0].n; n != 0 && n <= 1_000_000 {
			b.Warnings = append(b.Warnings, fmt.Sprintf("only %d values: whoever knows how often each occurs can tell them apart", n))
		}
	} else {
		t.widen(req.Key, narrow)
		b.Pinned = fmt.Sprintf("bands of %d bits", bandBits(narrow))
		if narrow == unsignedBits {
			b.Pinned += " without a sign"
		}
	}
	b.Transform = t
	if col.Kind == Text {
		longest := len("-9223372036854775808")
		if t.pinned {
			longest = max(len(strconv.FormatInt(t.lo, 10)), len(strconv.FormatInt(t.hi, 10)))
		}
		if col.MaxChars > 0 && col.MaxChars < longest {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("pseudonym id needs %d characters, the column holds %d", longest, col.MaxChars),
				Help:   "name a smaller range: [lo, hi]",
			}
		}
		b.Transform = &idTextTransform{ids: t, equality: col.Equality}
	}
	return b, nil
}

func parseRange(list []any, width int) (lo, hi int64, err error) {
	bad := func(reason string) (int64, int64, error) {
		return 0, 0, &BindError{Reason: reason, Help: "write range: [1, 1000000]: the least and the greatest value"}
	}
	if len(list) != 2 {
		return bad("range is not a pair of integers")
	}
	lo, ok1 := list[0].(int64)
	hi, ok2 := list[1].(int64)
	if !ok1 || !ok2 {
		return bad("range is not a pair of integers")
	}
	if lo >= hi {
		return bad("range holds fewer than two values")
	}
	if limit := int64(1)<<(width-1) - 1; hi > limit || lo < -limit-1 {
		return bad(fmt.Sprintf("range exceeds the column's %d bits", width))
	}
	return lo, hi, nil
}

// oneSign reports whether a permutation of the range keeps the sign.
func oneSign(lo, hi int64) bool { return lo >= 0 || hi < 0 }

// band is a run of integers that is permuted onto itself. It counts up from base,
// or down if it is negative.
type band struct {
	interval
	base     int64
	negative bool
}

func (b *band) value(x uint64) int64 {
	if b.negative {
		return b.base - int64(x)
	}
	return b.base + int64(x) // wraps as it should: lo + x ≤ hi
}

// idTransform permutes integers, on a pinned range or on bands.
type idTransform struct {
	feistel *feistel
	bands   []band
	pinned  bool
	lo, hi  int64
	// above and below find the band of v > 0 and of v < 0 by the length in bits of v, and of −v−1.
	above, below [64]uint8
}

func (t *idTransform) pin(key Subkey, lo, hi int64) {
	t.pinned, t.lo, t.hi = true, lo, hi
	// The range is part of the key: another range is another permutation.
	ranged := subkey(key.For(fmt.Sprintf("range|%d|%d", lo, hi)))
	t.feistel = newFeistel(ranged.For("permute"))
	t.bands = []band{{interval: newInterval(ranged, uint64(hi)-uint64(lo)+1, 0), base: lo}}
}

// bandBits is the width at which the bands start. A column of 64 bits has the
// bands of 32: most of its ids are small; they stay so, and the same id masks
// alike in an int, a bigint, and in SQLite, where every integer has 64 bits.
func bandBits(narrow int) int { return min(narrow, 32) }

// unsignedBits is the width of an integer of 32 bits without a sign, with the room for one.
const unsignedBits = 33

// widen makes the bands. Without a range that somebody has pinned, a fixed one must do
// that does not move when the table grows. Each power of two at which an integer
// stops fitting something is the border of a band:
//
//	2^(b−1)  the type of b bits, b = 8, 16, 32: a masked id fits its column
//	2^(b−2)  half of it: the top half stays free for new ids, since sequences
//	         go on behind the largest masked value
//	2^32     the type of 32 bits without a sign, as MySQL has it, if none of the domain is narrower
//	2^53     numbers that JavaScript holds exactly
//
// A domain may join columns of different width, so the bands start with the
// narrowest type; what only the wider columns hold has bands of its own. 0 stays
// 0 since it stands for "none", the sign stays, and a negative v is counted by
// −v−1, so that the least value of a type stays in the type.
func (t *idTransform) widen(key Subkey, narrow int) {
	t.feistel = newFeistel(key.For("permute"))
	start := bandBits(narrow)
	borders := []int{start - 2, start - 1}
	for _, wider := range []int{16, 32} {
		if wider > start {
			borders = append(borders, wider-2, wider-1)
		}
	}
	if narrow == unsignedBits {
		borders = append(borders, 32)
	}
	borders = append(borders, 53, 63)
	lo := 0 // the exponent of the band's first magnitude
	for i, hi := range borders {
		first := uint64(1) << lo
		size := uint64(1)<<hi - first
		tweak := uint64(lo<<8 | hi<<1) // tells the bands apart; the last bit is the sign
		t.bands = append(t.bands, band{interval: newInterval(key, size, tweak), base: int64(first)})
		down := band{base: -1 - int64(first), negative: true}
		if i == 0 { // from −1 on: the magnitude 0 is a value here
			down.base = -1
			size++
		}
		down.interval = newInterval(key, size, tweak+1)
		t.bands = append(t.bands, down)
		for n := lo + 1; n <= hi; n++ {
			t.above[n], t.below[n] = uint8(2*i), uint8(2*i+1)
		}
		lo = hi
	}
	t.below[0] = 1
}

// find returns the band of v and its place there; ok is false for what is outside.
func (t *idTransform) find(v int64) (which uint8, x uint64, ok bool) {
	if t.pinned {
		return 0, uint64(v) - uint64(t.lo), t.lo <= v && v <= t.hi
	}
	if v < 0 {
		which = t.below[bits.Len64(uint64(^v))]
		return which, uint64(t.bands[which].base - v), true
	}
	which = t.above[bits.Len64(uint64(v))]
	return which, uint64(v - t.bands[which].base), true
}

func (t *idTransform) outside(row int) error {
	return &ValueError{
		Row:    row,
		Reason: fmt.Sprintf("outside the pinned range [%d, %d]", t.lo, t.hi),
		Help:   "widen the range in the policy; every pseudonym of the domain changes with it",
	}
}

// place puts v into lane n, or masks it at once to *out: by a table, or because it
// is the 0 that stays. It returns the next free lane.
func (t *idTransform) place(s *scratch, n int, row int32, v int64, out *int64) (int, bool) {
	if v == 0 && !t.pinned {
		*out = 0
		return n, true
	}
	which, x, ok := t.find(v)
	if !ok {
		return n, false
	}
	band := &t.bands[which]
	if band.table != nil {
		*out = band.value(uint64(band.table[x]))
		return n, true
	}
	band.set(s, n, x)
	s.row[n], s.which[n] = row, which
	return n + 1, true
}

// walk permutes the first n lanes until each has arrived, and writes to out by row.
func (t *idTransform) walk(s *scratch, n int, out []int64) { walkBands(t.feistel, t.bands, s, n, out) }

// walkBands is walk of a network and its bands.
func walkBands(f *feistel, bands []band, s *scratch, n int, out []int64) {
	for n > 0 {
		f.permute(s, n)
		on := 0
		for i := range n {
			band := &bands[s.which[i]]
			if x, ok := band.get(s, i); ok {
				out[s.row[i]] = band.value(x)
				continue
			}
			s.move(on, i)
			on++
		}
		n = on
	}
}

func (t *idTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
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
			if anyNull && in.IsNull(base+i) {
				out[i] = 0
				continue
			}
			var ok bool
			if n, ok = t.place(s, n, int32(i), values[base+i], &out[i]); !ok {
				b.drop()
				return nil, t.outside(base + i)
			}
		}
		t.walk(s, n, out)
	}
	return b.finish(), nil
}

// idTextTransform permutes integers that are spelled as text.
type idTextTransform struct {
	ids      *idTransform
	equality Equality
}

func (t *idTextTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*12)
	s := getScratch()
	defer s.free()
	var masked [lanes]int64
	var isNumber [lanes]bool
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := 0
		for i := range rows {
			isNumber[i] = false
			if values.null(base + i) {
				continue
			}
			text := t.equality.unpadded(values.value(base + i))
			if blank(text) {
				continue
			}
			v, ok := parseCanonical(text)
			if !ok {
				out.drop()
				return nil, &ValueError{
					Row:    base + i,
					Reason: "not an integer of 64 bits in plain decimal digits without leading zeros",
					Help:   "use token for a column of mixed texts",
				}
			}
			isNumber[i] = true
			if n, ok = t.ids.place(s, n, int32(i), v, &masked[i]); !ok {
				out.drop()
				return nil, t.ids.outside(base + i)
			}
		}
		t.ids.walk(s, n, masked[:])
		for i := range rows {
			switch {
			case isNumber[i]:
				out.grow(20)
				out.buf = strconv.AppendInt(out.buf, masked[i], 10)
				out.end()
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// parseCanonical reads an integer of 64 bits in the one spelling that
// strconv.AppendInt gives it.
func parseCanonical(text []byte) (int64, bool) {
	digits, negative := text, false
	if len(text) > 1 && text[0] == '-' {
		digits, negative = text[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && (negative || len(digits) > 1) {
		return 0, false
	}
	var m uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		m = m*10 + uint64(c-'0') // 19 digits stay below 2⁶⁴
	}
	if negative {
		return -int64(m), m <= 1<<63
	}
	return int64(m), m <= math.MaxInt64
}
