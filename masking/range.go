package masking

import (
	"bytes"
	"cmp"
)

// inRange are the bytes that a bound in quotes may have and others may not.
var inRange = setOf(`"\()[],` + spaces)

var endsBound = setOf(`()[],`)

// ranges walks a range, [1,5), (,"2024-02-29 10:00:00"], empty, or a multirange,
// {[1,3),[5,)}. Both bounds are masked, each for itself; bounds that are not there stay so.
func (w *containerWalker) ranges() (wrong string) {
	w.blanks()
	if w.peek() != '{' {
		if wrong := w.oneRange(); wrong != "" {
			return wrong
		}
	} else {
		w.pos++
		if w.blanks(); w.peek() == '}' {
			w.pos++
		} else {
			for end := byte(','); end == ','; {
				w.blanks()
				if wrong := w.oneRange(); wrong != "" {
					return wrong
				}
				w.blanks()
				if end = w.peek(); end != ',' && end != '}' {
					return w.malformed()
				}
				w.pos++
			}
		}
	}
	if !w.atEnd() {
		return w.malformed()
	}
	return ""
}

var emptyWord = []byte("empty")

// The forms of a bound. The lower of two bounds is written with the upper one, when
// both are known.
const (
	boundAlone uint8 = iota
	boundLower
	boundUpper    // with the flags below
	withLower     = 4
	withUpper     = 8
	boundFormMask = 3
)

func (w *containerWalker) oneRange() (wrong string) {
	if rest := w.in[w.pos:]; len(rest) >= len(emptyWord) && bytes.EqualFold(rest[:len(emptyWord)], emptyWord) {
		w.pos += len(emptyWord)
		return ""
	}
	start := w.pos
	if c := w.peek(); c != '[' && c != '(' {
		return w.malformed()
	}
	w.pos++
	if end, ok := w.field(&endsBound); !ok || end != ',' {
		return w.malformed()
	}
	comma := w.pos
	w.pos++
	closing, ok := w.field(&endsBound)
	if !ok || closing != ')' && closing != ']' {
		return w.malformed()
	}
	end := w.pos
	w.pos++
	lower, upper := w.in[start+1:comma], w.in[comma+1:end]
	switch p := w.t.rest; {
	case len(lower) > 0 && len(upper) > 0:
		w.cut(start, end+1)
		if wrong := w.add(p, boundLower, w.unquoted(lower)); wrong != "" {
			return wrong
		}
		form := boundUpper
		if w.in[start] == '[' {
			form |= withLower
		}
		if closing == ']' {
			form |= withUpper
		}
		return w.add(p, form, w.unquoted(upper))
	case len(lower) > 0:
		w.cut(start+1, comma)
		return w.add(p, boundAlone, w.unquoted(lower))
	case len(upper) > 0:
		w.cut(comma+1, end)
		return w.add(p, boundAlone, w.unquoted(upper))
	}
	return ""
}

// writeBounds is the splicer of ranges. Of two bounds the smaller one becomes the
// lower, since PostgreSQL takes no others; the brackets stay where they are, so that
// [1,5) of a discrete type is printed with the masks of 1 and 5. Bounds that have become
// equal belong to the range: otherwise it would be empty.
func writeBounds(out *textBuilder, h *hit, r *results, i int) {
	switch h.form & boundFormMask {
	case boundLower:
	case boundAlone:
		writeBound(out, r, i)
	default:
		opening, closing := byte('('), byte(')')
		if h.form&withLower != 0 {
			opening = '['
		}
		if h.form&withUpper != 0 {
			closing = ']'
		}
		lower, upper := i-1, i
		if !r.isNull(lower) && !r.isNull(upper) {
			switch c := r.compare(lower, upper); {
			case c > 0:
				lower, upper = upper, lower
			case c == 0:
				opening, closing = '[', ']'
			}
		}
		out.grow(3)
		out.buf = append(out.buf, opening)
		writeBound(out, r, lower)
		out.grow(2)
		out.buf = append(out.buf, ',')
		writeBound(out, r, upper)
		out.grow(1)
		out.buf = append(out.buf, closing)
	}
}

// writeBound writes a bound; NULL is none.
func writeBound(out *textBuilder, r *results, i int) {
	if r.isNull(i) {
		return
	}
	from := appendTail(out, r, i)
	if v := out.buf[from:]; len(v) == 0 || anyIn(v, &inRange) {
		out.buf = quoteTail(out.buf, from, true)
	}
}

// ordered reports whether compare knows the order of a kind.
func ordered(kind Kind) bool {
	switch kind {
	case Int, Float, Numeric, Date, Timestamp:
		return true
	}
	return false
}

// compare compares two values of a kind that is ordered, as PostgreSQL does.
func (r *results) compare(i, j int) int {
	switch r.kind {
	case Float:
		a, b := r.floats[i], r.floats[j]
		if a != a || b != b { // NaN is above all
			return cmp.Compare(b, a) // where cmp has it below
		}
		return cmp.Compare(a, b)
	case Numeric:
		return compareNumeric(r.texts.value(i), r.texts.value(j))
	case Date:
		return cmp.Compare(r.days[i], r.days[j])
	}
	return cmp.Compare(r.ints[i], r.ints[j])
}

// compareNumeric compares two numerics in the form that PostgreSQL prints.
func compareNumeric(a, b []byte) int {
	rank := func(v []byte) int {
		switch string(v) {
		case "-Infinity":
			return -2
		case "Infinity":
			return 2
		case "NaN":
			return 3
		}
		if len(bytes.Trim(v, "-0.")) == 0 {
			return 0
		}
		if v[0] == '-' {
			return -1
		}
		return 1
	}
	ra, rb := rank(a), rank(b)
	if ra != rb || ra != 1 && ra != -1 {
		return cmp.Compare(ra, rb)
	}
	if ra < 0 {
		a, b = b[1:], a[1:]
	}
	wholeA, partA, _ := bytes.Cut(a, []byte{'.'})
	wholeB, partB, _ := bytes.Cut(b, []byte{'.'})
	wholeA, wholeB = bytes.TrimLeft(wholeA, "0"), bytes.TrimLeft(wholeB, "0")
	if c := cmp.Compare(len(wholeA), len(wholeB)); c != 0 {
		return c
	}
	if c := bytes.Compare(wholeA, wholeB); c != 0 {
		return c
	}
	return bytes.Compare(bytes.TrimRight(partA, "0"), bytes.TrimRight(partB, "0"))
}
