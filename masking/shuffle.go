package masking

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// shuffleFactory makes {shuffle: column, by: COLUMN}: each subject gets one of the
// column's own values, drawn by how often each occurs. So the column keeps its
// distribution and its values, and loses what ties a value to its row: what somebody
// needs who tests sums, histograms and optimizers.
//
// It is the one transform whose masks move with the data: a value that joins or
// leaves the column may change everybody's. The values and counts are therefore
// part of the fingerprint, as a digest under the key, by which nobody without it can try
// what they are. A resumed run has them from its snapshot.
//
// It hides no value, only whose it is: a rare one still tells that it exists. NULL
// and blank stay where they are, and are not drawn.
type shuffleFactory struct{}

// fewValues is how few different values are worth a warning.
const fewValues = 10

func (shuffleFactory) Describe() Description {
	return Description{
		Name:     "shuffle",
		Version:  1,
		Summary:  "Replaces each value by another one of the column, drawn by how often each occurs; whose it was is lost, and the distribution stays.",
		Kinds:    []Kind{Bool, Int, Float, Numeric, Text, Bytes, UUID, Date, Timestamp, IP, MAC, Point},
		Variants: []string{"column"},
		Params:   []Param{{Name: "by", Summary: "the column that names the subject, by which a value is drawn; without it the first unique column of the table", Type: "column"}},
		Samples: []Sample{
			{Spec: Spec{Variant: "column", Params: map[string]any{"by": "employee_id"}}, Column: Column{Kind: Numeric}, Values: []string{"52000.00", "61000.00", "48000.00"},
				Beside: []SampleColumn{{Column: Column{Name: "employee_id", Kind: Int, Bits: 64, Unique: true}, Values: []string{"1", "2", "3"}}}},
			{Spec: Spec{Variant: "column", Params: map[string]any{"by": "employee_id"}}, Column: Column{Kind: Date}, Values: []string{"1980-02-29", "1991-07-14", "1974-12-01"},
				Beside: []SampleColumn{{Column: Column{Name: "employee_id", Kind: Int, Bits: 64, Unique: true}, Values: []string{"1", "2", "3"}}}},
		},
	}
}

func (shuffleFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	if err := refuseUnique("shuffle", col, "a pseudonym or a token"); err != nil {
		return Binding{}, err
	}
	if req.Row == nil || req.Row.Values == nil {
		return Binding{}, &BindError{Reason: "shuffle draws from the column's values, and there are none at hand", Help: "it works on a column of a table that is read"}
	}
	by, given := req.Spec.Params["by"].(string)
	if !given {
		i := slices.IndexFunc(req.Row.Peers, func(p Peer) bool {
			k := p.Column.Kind
			return p.Column.Unique && (k == Int || k == Text || k == UUID || k == Bytes) && p.Column.Equality&FoldUnknown == 0
		})
		if i < 0 {
			return Binding{}, &BindError{Reason: "shuffle has no column to go by: the table has no unique one", Help: "name the subject's column, by: COLUMN"}
		}
		by = req.Row.Peers[i].Column.Name
	}
	subject, err := bindSubject(req, "by", by)
	if err != nil {
		return Binding{}, err
	}
	counted, err := req.Row.Values(col.Name)
	if err != nil {
		return Binding{}, fmt.Errorf("count the values of %s: %w", col.Coordinates(), err)
	}
	t := &shuffleTransform{
		subject:   subject,
		kind:      col.Kind,
		bySubject: newPRF(req.Key.For("subject")),
		byValue:   newPRF(req.Key.For("without a subject")),
		equality:  col.Equality,
	}
	if err := t.take(counted); err != nil {
		return Binding{}, err
	}
	b := Binding{
		Group:      t,
		Inputs:     []string{by, col.Name},
		Outputs:    []string{col.Name},
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("by %s, %d values with HMAC-SHA256 %s", subject.Kind, len(t.upTo), hashValues(req.Key.For("the values"), counted)),
		Warnings:   []string{"shuffle shows the column's values, if not whose they are, and moves with them: a value that comes or goes may change every mask"},
	}
	if n := len(t.upTo); n > 0 && n < fewValues { // 0: they are read at the run
		b.Warnings = append(b.Warnings, fmt.Sprintf("the column has %d different values: many rows keep theirs", len(t.upTo)))
	}
	return b, nil
}

// hashValues returns the keyed digest of values and counts, in hex.
func hashValues(key [KeySize]byte, v *Values) string {
	h := hmac.New(sha256.New, key[:])
	var word [8]byte
	number := func(n int64) {
		binary.LittleEndian.PutUint64(word[:], uint64(n))
		h.Write(word[:])
	}
	for i, text := range v.Texts {
		number(int64(len(text)))
		h.Write([]byte(text))
		number(v.Counts[i])
	}
	number(v.Nulls)
	return hex.EncodeToString(h.Sum(nil))
}

// shuffleTransform draws from a column's values: [subject, own] → [own]. A row
// without a subject is drawn by its own value.
type shuffleTransform struct {
	subject   Column
	kind      Kind
	equality  Equality
	bySubject *prf
	byValue   *prf

	upTo  []uint64 // how many rows have one of the first values, this one included
	total uint64

	// The values, of which the kind has one.
	texts  [][]byte
	ints   []int64
	days   []int32
	floats []float64
	bools  []bool
}

// take parses the values that can be drawn.
func (t *shuffleTransform) take(counted *Values) error {
	keep := make([]string, 0, len(counted.Texts))
	for i, text := range counted.Texts {
		if counted.Counts[i] < 1 || t.kind == Text && blank([]byte(text)) {
			continue
		}
		keep = append(keep, text)
		t.total += uint64(counted.Counts[i])
		t.upTo = append(t.upTo, t.total)
	}
	values, err := ParseValues(memory.DefaultAllocator, t.kind, keep, nil)
	if err != nil {
		var ve *ValueError
		if errors.As(err, &ve) {
			return &BindError{Reason: "one of the column's values is none of kind " + t.kind.String(), Help: ve.Help}
		}
		return err
	}
	defer values.Release()
	switch a := values.(type) {
	case *array.Boolean:
		for i := range a.Len() {
			t.bools = append(t.bools, a.Value(i))
		}
	case *array.Int64:
		t.ints = slices.Clone(a.Int64Values())
	case *array.Float64:
		t.floats = slices.Clone(a.Float64Values())
	case *array.Date32:
		for _, d := range a.Date32Values() {
			t.days = append(t.days, int32(d))
		}
	default:
		texts := textsOf(a)
		for i := range texts.n {
			t.texts = append(t.texts, bytes.Clone(texts.value(i)))
		}
	}
	return nil
}

// draw returns the place of the value that a keyed function's result stands for.
func (t *shuffleTransform) draw(block *[16]byte) int {
	at, _ := slices.BinarySearchFunc(t.upTo, scale(block, t.total), func(upTo, x uint64) int {
		if upTo <= x {
			return -1
		}
		return cmp.Compare(upTo, x)
	})
	return at
}

var errNoValues = ValueError{Reason: "the column had no values to draw from when they were counted", Help: "mask the snapshot that was counted, or use null"}

func (t *shuffleTransform) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	if null, is := allNull(in[1]); is {
		return []arrow.Array{null}, nil
	}
	keys, own := subjectsOf(in[0], t.subject.Kind), in[1]
	if t.total == 0 {
		for i := range own.Len() {
			if own.IsValid(i) && !t.stays(own, i) {
				e := errNoValues
				e.Row = i
				return nil, &e
			}
		}
	}
	s := getScratch()
	defer s.free()
	var place [lanes]int32
	var out arrow.Array
	switch a := own.(type) {
	case *array.Boolean:
		out = t.bits(mem, s, keys, a, &place)
	case *array.Int64:
		b := newFixedBuilder[int64](mem, own)
		shuffleFixed(t, s, keys, own, t.ints, b.values, &place)
		out = b.finish()
	case *array.Float64:
		b := newFixedBuilder[float64](mem, own)
		shuffleFixed(t, s, keys, own, t.floats, b.values, &place)
		out = b.finish()
	case *array.Date32:
		b := newFixedBuilder[int32](mem, own)
		shuffleFixed(t, s, keys, own, t.days, b.values, &place)
		out = b.finish()
	default:
		values := textsOf(own)
		b := newTextBuilder(mem, values.n, bytesOf(&values))
		for base := 0; base < values.n; base += lanes {
			rows := min(lanes, values.n-base)
			t.places(s, keys, own, base, rows, &place)
			for i := range rows {
				switch {
				case place[i] >= 0:
					b.add(t.texts[place[i]])
				case values.null(base + i):
					b.null()
				default:
					b.add(values.value(base + i))
				}
			}
		}
		out = b.finish()
	}
	return []arrow.Array{out}, nil
}

// shuffleFixed writes the draws of values of fixed width; 0 for NULL.
func shuffleFixed[T int32 | int64 | float64](t *shuffleTransform, s *scratch, keys *subjects, own arrow.Array, from, to []T, place *[lanes]int32) {
	for base := 0; base < len(to); base += lanes {
		rows := min(lanes, len(to)-base)
		t.places(s, keys, own, base, rows, place)
		for i, p := range place[:rows] {
			to[base+i] = 0
			if p >= 0 {
				to[base+i] = from[p]
			}
		}
	}
}

// bits makes the array of a Bool.
func (t *shuffleTransform) bits(mem memory.Allocator, s *scratch, keys *subjects, own *array.Boolean, place *[lanes]int32) arrow.Array {
	n := own.Len()
	data := memory.NewResizableBuffer(mem)
	defer data.Release()
	data.Resize(int(bitutil.BytesForBits(int64(n))))
	memory.Set(data.Bytes(), 0)
	var valid *memory.Buffer
	if own.NullN() > 0 {
		valid = memory.NewResizableBuffer(mem)
		defer valid.Release()
		valid.Resize(int(bitutil.BytesForBits(int64(n))))
		bitutil.CopyBitmap(own.NullBitmapBytes(), own.Data().Offset(), n, valid.Bytes(), 0)
	}
	for base := 0; base < n; base += lanes {
		rows := min(lanes, n-base)
		t.places(s, keys, own, base, rows, place)
		for i, p := range place[:rows] {
			if p >= 0 && t.bools[p] {
				bitutil.SetBit(data.Bytes(), base+i)
			}
		}
	}
	made := array.NewData(own.DataType(), n, []*memory.Buffer{valid, data}, nil, own.NullN(), 0)
	defer made.Release()
	return array.NewBooleanData(made)
}

// stays reports whether a value that is not NULL is one that stays: a blank text.
func (t *shuffleTransform) stays(own arrow.Array, i int) bool {
	if t.kind != Text && t.kind != Bytes {
		return false
	}
	values := textsOf(own)
	v := values.value(i)
	return len(v) == 0 || t.kind == Text && blank(v)
}

// places sets the place of the value that each row from base on gets; −1 for those
// that stay.
func (t *shuffleTransform) places(s *scratch, keys *subjects, own arrow.Array, base, rows int, place *[lanes]int32) {
	spelled := resultsOf(t.kind, 64, own)
	s.text = s.text[:0]
	for _, without := range [2]bool{false, true} {
		n := 0
		for i := range rows {
			if !without {
				place[i] = -1
			}
			if own.IsNull(base+i) || keys.null(base+i) != without || t.stays(own, base+i) {
				continue
			}
			s.row[n] = int32(i)
			if !without {
				keys.message(s, n, base+i, t.subject.Equality)
				n++
				continue
			}
			from := len(s.text)
			s.text = spelled.append(s.text, base+i)
			s.msg[n] = s.text[from:len(s.text):len(s.text)]
			if t.kind == Text {
				s.msg[n] = s.canonical(s.msg[n], t.equality)
			}
			n++
		}
		if without {
			t.byValue.sums(s, n)
		} else {
			t.bySubject.sums(s, n)
		}
		for lane, i := range s.row[:n] {
			place[i] = int32(t.draw(&s.block[lane]))
		}
	}
}
