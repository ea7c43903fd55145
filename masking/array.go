package masking

import "bytes"

// inArray are the bytes that an element in quotes may have and others may not.
var inArray = setOf(`"\{},` + spaces)

// array walks an array: {1,2,NULL}, {{a,"b c"},{d,e}}, [0:1]={1,2}. Bounds, braces and
// NULLs stay.
func (w *containerWalker) array() (wrong string) {
	w.blanks()
	if w.peek() == '[' && !w.bounds() {
		return w.malformed()
	}
	depth := 0
	first, after := false, false // behind a brace; behind an element
	for {
		w.blanks()
		c := w.peek()
		switch {
		case after && depth == 0:
			if !w.atEnd() {
				return w.malformed()
			}
			return ""
		case after && c == ',':
			after = false
			w.pos++
		case c == '}' && (after || first):
			depth--
			first, after = false, true
			w.pos++
		case after, c == 0, c == '}', c == ',', c != '{' && depth == 0:
			return w.malformed()
		case c == '{':
			depth++
			first = true
			w.pos++
		default:
			if wrong := w.element(); wrong != "" {
				return wrong
			}
			first, after = false, true
		}
	}
}

// bounds passes [0:1][1:3]= before an array.
func (w *containerWalker) bounds() bool {
	for ; w.pos < len(w.in); w.pos++ {
		switch c := w.in[w.pos]; {
		case c == '=':
			w.pos++
			return true
		case c-'0' <= 9, c == '[', c == ']', c == ':', c == '-', c == '+', isSpace[c]:
		default:
			return false
		}
	}
	return false
}

// element passes the element at pos, which is to be masked unless it is NULL.
func (w *containerWalker) element() (wrong string) {
	start := w.pos
	var value []byte
	escaped := false
	if w.in[start] == '"' {
		for w.pos++; w.peek() != '"'; w.pos++ {
			if w.pos >= len(w.in) {
				return w.malformed()
			}
			if w.in[w.pos] == '\\' {
				escaped = true
				w.pos++
			}
		}
		value = w.in[start+1 : w.pos]
		w.pos++
	} else {
		for w.pos < len(w.in) && w.in[w.pos] != ',' && w.in[w.pos] != '}' {
			switch w.in[w.pos] {
			case '"', '{':
				return w.malformed()
			case '\\':
				escaped = true
				w.pos++
			}
			w.pos++
		}
		if w.pos >= len(w.in) {
			return w.malformed()
		}
		end := w.pos
		for !escaped && isSpace[w.in[end-1]] {
			end--
		}
		value = w.in[start:end]
		if bytes.EqualFold(value, nullWord) {
			return ""
		}
		w.cut(start, end)
		return w.addEscaped(w.t.rest, 0, value, escaped)
	}
	w.cut(start, w.pos)
	return w.addEscaped(w.t.rest, 0, value, escaped)
}

// addEscaped adds a value that may have backslashes.
func (w *containerWalker) addEscaped(p part, form uint8, value []byte, escaped bool) (wrong string) {
	if escaped {
		w.text = appendUnescapedBackslashes(w.text[:0], value)
		value = w.text
	}
	return w.add(p, form, value)
}

var nullWord = []byte("NULL")

// writeElement is the splicer of arrays.
func writeElement(out *textBuilder, _ *hit, r *results, i int) {
	if r.isNull(i) {
		out.grow(len(nullWord))
		out.buf = append(out.buf, nullWord...)
		return
	}
	from := appendTail(out, r, i)
	if v := out.buf[from:]; len(v) == 0 || anyIn(v, &inArray) || bytes.EqualFold(v, nullWord) {
		out.buf = quoteTail(out.buf, from, false)
	}
}
