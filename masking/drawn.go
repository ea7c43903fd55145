package masking

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// drawnGroup masks one column of a person or a place: [subject, columns that bear
// names …, own] → [own]. Each column of the group is bound for itself, and all of
// them make the same draw: that of the keyed function of domain and subject. So they
// agree whatever columns there are, in this table and in others.
//
// A draw that names somebody or something by a word of the row's own names is
// drawn again, for all parts alike, since all of them look at the same columns.
// With script: keep, the script is that of the first of these columns, in the order
// of their names, that has a letter; without one it is Latin.
//
// A row without a subject is drawn by the column's own value: then its parts do
// not agree. NULL stays NULL and blank stays blank in each column for itself.
type drawnGroup struct {
	maker     drawnMaker
	subject   Column
	bySubject *prf
	byValue   *prf
	again     cipher.Block
	bearing   []bearingColumn
	own       int // index of the own column among the inputs
	equality  Equality
	charset   Charset
	fixed     uint8
	limit     limits
}

// bearingColumn is a column whose values are names of what is drawn.
type bearingColumn struct {
	name     string
	input    int
	equality Equality
}

// drawnMaker makes the part of one column out of a draw.
type drawnMaker interface {
	// meets reports whether the draw would name a word of the row's own names.
	meets(d *drawnRow) bool
	// append appends the part behind dst: something, always.
	append(dst []byte, d *drawnRow, s *shapeScratch) []byte
}

// drawnRow is one row while it is masked.
type drawnRow struct {
	chosen
	block [aes.BlockSize]byte
	names [][]byte // canonical forms of the row's names, in the order of their columns
}

// set takes a block as the draw.
func (d *drawnRow) set() {
	for i := range d.draw {
		d.draw[i] = binary.LittleEndian.Uint32(d.block[4*i:])
	}
}

// bindDrawn binds what persons and places have in common. bears tells which
// variants of the transform name what is drawn.
func bindDrawn(req Request, bears func(variant string) bool) (*drawnGroup, Binding, error) {
	col := req.Column
	variant, _ := req.Spec.Variant.(string)
	name := req.Spec.Name + " " + variant
	if err := refuseLabels(name, col); err != nil {
		return nil, Binding{}, err
	}
	of, _ := req.Spec.Params["of"].(string)
	subject, err := bindSubject(req, "of", of)
	if err != nil {
		return nil, Binding{}, err
	}
	if col.Unique && !subject.Unique {
		return nil, Binding{}, &BindError{
			Reason: fmt.Sprintf("the column is unique and %q, which it goes by, is not: two rows of one subject would meet", of),
			Help:   "name a unique column by of:, or use fake",
		}
	}
	script, fixed, err := bindScript(req)
	if err != nil {
		return nil, Binding{}, err
	}
	t := &drawnGroup{
		subject:   subject,
		bySubject: newPRF(req.Key.For("subject")),
		byValue:   newPRF(req.Key.For("without a subject")),
		again:     newBlock(req.Key.For("drawn again")),
		equality:  col.Equality,
		charset:   col.Charset,
		fixed:     fixed,
		limit:     limitsOf(col),
	}
	if bears(variant) {
		t.bearing = append(t.bearing, bearingColumn{col.Name, 0, col.Equality})
	}
	for _, p := range req.Row.Peers {
		other, _ := p.Spec.Variant.(string)
		if p.Spec.Name == req.Spec.Name && p.Spec.Params["of"] == of && bears(other) && p.Column.Name != col.Name && p.Column.Kind == Text {
			t.bearing = append(t.bearing, bearingColumn{p.Column.Name, 0, p.Column.Equality})
		}
	}
	slices.SortFunc(t.bearing, func(a, b bearingColumn) int { return cmp.Compare(a.name, b.name) })
	b := Binding{
		Group:      t,
		Inputs:     []string{of},
		Outputs:    []string{col.Name},
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
	}
	b.Pinned = fmt.Sprintf("of %s, script %s", subject.Kind, script)
	own := false
	for i := range t.bearing {
		own = own || t.bearing[i].name == col.Name
		t.bearing[i].input = len(b.Inputs)
		if t.bearing[i].name == col.Name {
			t.own = len(b.Inputs)
		}
		b.Inputs = append(b.Inputs, t.bearing[i].name)
		b.Pinned += ", " + t.bearing[i].name
	}
	if !own {
		t.own = len(b.Inputs)
		b.Inputs = append(b.Inputs, col.Name)
	}
	return t, b, nil
}

type drawnScratch struct {
	block [lanes][aes.BlockSize]byte
	own   [lanes][]byte
	lane  [lanes]int32 // of each row; −1 is none
	row   drawnRow
	name  nameScratch
	shape shapeScratch
	out   []byte
}

var drawnScratches = sync.Pool{New: func() any { return new(drawnScratch) }}

func (d *drawnScratch) free() {
	clear(d.own[:])
	clear(d.row.names[:cap(d.row.names)])
	d.row = drawnRow{names: d.row.names[:0]}
	d.name.forget()
	clear(d.out[:cap(d.out)])
	drawnScratches.Put(d)
}

func (t *drawnGroup) ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	if null, is := allNull(in[t.own]); is {
		return []arrow.Array{null}, nil
	}
	keys := subjectsOf(in[0], t.subject.Kind)
	values := textsOf(in[t.own])
	names := make([]texts, len(t.bearing))
	for i, b := range t.bearing {
		names[i] = textsOf(in[b.input])
	}
	out := newTextBuilder(mem, values.n, values.n*24)
	s, d := getScratch(), drawnScratches.Get().(*drawnScratch)
	defer s.free()
	defer d.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		t.draw(s, d, keys, &values, base, rows)
		for i := range rows {
			switch {
			case d.lane[i] >= 0:
				d.row.block = d.block[i]
				d.row.value, d.row.own = values.value(base+i), d.own[i]
				d.out = t.mask(d.out[:0], s, d, names, base+i)
				out.add(d.out)
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return []arrow.Array{out.finish()}, nil
}

// draw computes the draws of those of the rows from base that have something to mask.
func (t *drawnGroup) draw(s *scratch, d *drawnScratch, keys *subjects, values *texts, base, rows int) {
	for _, without := range [2]bool{false, true} {
		n := 0
		for i := range rows {
			if !without {
				d.lane[i] = -1
			}
			if values.null(base+i) || keys.null(base+i) != without {
				continue
			}
			v := values.value(base + i)
			if blank(v) {
				continue
			}
			d.own[i] = canonicalPhrase(s, &d.name, v, t.equality)
			d.lane[i] = int32(n)
			s.row[n] = int32(i)
			if without {
				s.msg[n] = d.own[i]
			} else {
				keys.message(s, n, base+i, t.subject.Equality)
			}
			n++
		}
		if n == 0 {
			continue
		}
		if without {
			t.byValue.sums(s, n)
		} else {
			t.bySubject.sums(s, n)
		}
		for lane, i := range s.row[:n] {
			d.block[i] = s.block[lane]
		}
	}
}

// mask appends the mask of one row.
func (t *drawnGroup) mask(dst []byte, s *scratch, d *drawnScratch, names []texts, i int) []byte {
	r := &d.row
	r.names = r.names[:0]
	r.pool = t.fixed
	for k := range names {
		if names[k].null(i) {
			continue
		}
		v := names[k].value(i)
		if t.bearing[k].input == t.own {
			r.names = append(r.names, r.own)
		} else if !blank(v) {
			r.names = append(r.names, canonicalPhrase(s, &d.name, v, t.bearing[k].equality))
		}
	}
	if r.pool == poolNone {
		r.pool = scriptOfNames(r.names)
	}
	r.pool = within(t.charset, r.pool)
	r.style, r.limit, r.drawn, r.base = styleUnder(t.equality, styleOf(r.value), r.pool), t.limit, true, t.equality&FoldAccents != 0
	r.set()
	first := r.block
	for attempt := byte(1); attempt < 64 && t.maker.meets(r); attempt++ {
		r.block = first
		r.block[0] ^= attempt
		t.again.Encrypt(r.block[:], r.block[:])
		r.set()
	}
	return t.maker.append(dst, r, &d.shape)
}

// scriptOfNames returns the pool of the first name with a letter. Latin is ASCII
// here, so that every table and every encoding holds the same names.
func scriptOfNames(names [][]byte) uint8 {
	for _, n := range names {
		for i := 0; i < len(n); {
			r, size := utf8.DecodeRune(n[i:])
			i += size
			switch {
			case r|0x20 >= 'a' && r|0x20 <= 'z':
				return poolASCII
			case r < utf8.RuneSelf:
				continue
			}
			switch pool := scriptPool(r); {
			case pool <= poolLatin:
				return poolASCII
			case pool != poolNone:
				return pool
			}
		}
	}
	return poolASCII
}

// hasWord reports whether a word stands in a text, by itself where the script
// parts words.
func hasWord(text []byte, word string, unspaced bool) bool {
	whole := unsafe.String(unsafe.SliceData(text), len(text)) // nothing holds on to it
	for from := 0; ; {
		at := strings.Index(whole[from:], word)
		if at < 0 {
			return false
		}
		at += from
		end := at + len(word)
		if unspaced || !letterAt(text, at-1) && !letterAt(text, end) {
			return true
		}
		from = at + 1
	}
}

// letterAt reports whether a letter's byte stands at i. Beyond ASCII all are taken
// for letters.
func letterAt(text []byte, i int) bool {
	return i >= 0 && i < len(text) && (text[i] >= utf8.RuneSelf || text[i] >= 'a' && text[i] <= 'z')
}

// ofParam is the parameter of persons and places.
func ofParam(what string) Param {
	return Param{Name: "of", Summary: "the column that identifies the " + what + ": all parts are drawn by it", Type: "column", Required: true}
}

// pinnedLists names what a draw depends on, beside what bindDrawn names.
func pinnedLists(lists ...string) string {
	return fmt.Sprintf(", dictionary %s, Unicode %s", dictionary.HashOf(lists...), unicode.Version)
}
