package masking

import (
	"bytes"
	"fmt"
)

// inComposite are the bytes that a field in quotes may have and others may not.
var inComposite = setOf(`"\(),` + spaces)

var endsField = setOf(`(),`)

// composite walks a composite: (1,"a b",). What stands between two commas is a field; nothing
// is NULL, and "" the empty text.
func (w *containerWalker) composite() (wrong string) {
	w.blanks()
	if w.peek() != '(' {
		return w.malformed()
	}
	n := 0
	for end := byte(','); end == ','; n++ {
		w.pos++
		start := w.pos
		var ok bool
		if end, ok = w.field(&endsField); !ok || end == '(' {
			return w.malformed()
		}
		if n >= len(w.t.fields) {
			return w.otherFields()
		}
		switch p := w.t.fields[n]; {
		case w.pos == start, p == keepPart:
		case p == dropPart:
			w.cut(start, w.pos)
		default:
			w.cut(start, w.pos)
			if wrong := w.add(p, 0, w.unquoted(w.in[start:w.pos])); wrong != "" {
				return wrong
			}
		}
	}
	w.pos++
	if !w.atEnd() {
		return w.malformed()
	}
	if n != len(w.t.fields) {
		return w.otherFields()
	}
	return ""
}

func (w *containerWalker) otherFields() string {
	return fmt.Sprintf("the composite has not the %d fields of its type", len(w.t.fields))
}

// field passes a field or a bound: up to a byte of a set that is neither in quotes nor
// behind a backslash, at which pos stands then.
func (w *containerWalker) field(ends *byteSet) (end byte, ok bool) {
	quoted := false
	for ; w.pos < len(w.in); w.pos++ {
		switch c := w.in[w.pos]; {
		case c == '\\':
			w.pos++
		case c == '"':
			quoted = !quoted
		case !quoted && ends[c]:
			return c, true
		}
	}
	return 0, false
}

// unquoted returns a field or bound without its quotes and escapes. It is good until the next call.
func (w *containerWalker) unquoted(raw []byte) []byte {
	if bytes.IndexByte(raw, '"') < 0 && bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	text := w.text[:0]
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && i+1 < len(raw):
			i++
			text = append(text, raw[i])
		case c != '"':
			text = append(text, c)
		case quoted && i+1 < len(raw) && raw[i+1] == '"':
			i++
			text = append(text, '"')
		default:
			quoted = !quoted
		}
	}
	w.text = text
	return text
}

// writeField is the splicer of composites.
func writeField(out *textBuilder, _ *hit, r *results, i int) {
	if r.isNull(i) {
		return
	}
	from := appendTail(out, r, i)
	if v := out.buf[from:]; len(v) == 0 || anyIn(v, &inComposite) {
		out.buf = quoteTail(out.buf, from, true)
	}
}
