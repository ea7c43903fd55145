package masking

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// decomposer gives the decomposition of a text, NFD or NFKD, part by part (Unicode Standard
// Annex #15). Unlike norm.Iter it takes any text: that one panics at some sequences of marks
// that are none of Latin's, and puts a character of its own into long ones. The zero value is
// at the end.
type decomposer struct {
	form norm.Form
	rest []byte // what has not been looked at

	buf   []byte // a part that was put together
	marks []mark
	jamo  [3 * utf8.UTFMax]byte
}

// mark is a character of a part with its class: by that marks on one letter are ordered.
type mark struct {
	class    uint8
	from, to int // in buf
}

func (d *decomposer) begin(form norm.Form, text []byte) { d.form, d.rest = form, text }

// next returns the next part of the decomposition, good until the next call; nil at the end. Bytes
// that are not UTF-8 stay.
func (d *decomposer) next() []byte {
	if len(d.rest) == 0 {
		return nil
	}
	if d.rest[0] < utf8.RuneSelf {
		n := 1
		for n < len(d.rest) && d.rest[n] < utf8.RuneSelf {
			n++
		}
		if n < len(d.rest) && n > 1 {
			n-- // the last one may bear a mark
		}
		if n > 1 || n == len(d.rest) {
			part := d.rest[:n]
			d.rest = d.rest[n:]
			return part
		}
	}
	part := d.take()
	if d.bare() {
		return part
	}
	d.buf = append(d.buf[:0], part...)
	for !d.bare() {
		d.buf = append(d.buf, d.take()...)
	}
	d.order()
	return d.buf
}

// take returns the decomposition of the next character.
func (d *decomposer) take() []byte {
	r, size := utf8.DecodeRune(d.rest)
	raw := d.rest[:size]
	d.rest = d.rest[size:]
	if size == 1 {
		return raw
	}
	// Hangul's syllables are decomposed by arithmetic (The Unicode Standard, section 3.12).
	if s := r - 0xAC00; s >= 0 && s < 11172 {
		jamo := utf8.AppendRune(d.jamo[:0], 0x1100+s/588)
		jamo = utf8.AppendRune(jamo, 0x1161+s%588/28)
		if s%28 > 0 {
			jamo = utf8.AppendRune(jamo, 0x11A7+s%28)
		}
		return jamo
	}
	if parts := d.form.Properties(raw).Decomposition(); parts != nil {
		return parts
	}
	return raw
}

// bare reports whether what comes next has no mark in front.
func (d *decomposer) bare() bool {
	if len(d.rest) == 0 || d.rest[0] < utf8.RuneSelf {
		return true
	}
	r, size := utf8.DecodeRune(d.rest)
	return r < 0x300 || d.form.Properties(d.rest[:size]).LeadCCC() == 0
}

// order brings the marks on each letter of buf into the order of their classes.
func (d *decomposer) order() {
	d.marks = d.marks[:0]
	sorted := true
	for i := 0; i < len(d.buf); {
		_, size := utf8.DecodeRune(d.buf[i:])
		m := mark{from: i, to: i + size}
		if size > 1 {
			m.class = d.form.Properties(d.buf[i : i+size]).CCC()
		}
		if n := len(d.marks); n > 0 && m.class > 0 && d.marks[n-1].class > m.class {
			sorted = false
		}
		d.marks = append(d.marks, m)
		i += size
	}
	if sorted {
		return
	}
	for from := 0; from < len(d.marks); {
		to := from + 1
		for d.marks[from].class > 0 && to < len(d.marks) && d.marks[to].class > 0 {
			to++
		}
		slices.SortStableFunc(d.marks[from:to], func(a, b mark) int { return cmp.Compare(a.class, b.class) })
		from = to
	}
	n := len(d.buf)
	for _, m := range d.marks {
		d.buf = append(d.buf, d.buf[m.from:m.to]...)
	}
	d.buf = d.buf[:copy(d.buf, d.buf[n:])]
}

// free lets go of what it knew of values.
func (d *decomposer) free() {
	d.rest = nil
	d.buf = d.buf[:cap(d.buf)]
	clear(d.buf)
	clear(d.jamo[:])
	if cap(d.buf) > 1<<20 {
		d.buf = nil
	}
	if cap(d.marks) > 1<<16 {
		d.marks = nil
	}
}
