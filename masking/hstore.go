package masking

import "bytes"

// hstore walks an hstore: "key"=>"value", "k"=>NULL. The pairs that stay are written anew, one
// after the other.
func (w *containerWalker) hstore() (wrong string) {
	first := true
	for more := true; more; {
		w.blanks()
		key, escaped, ok := w.quotedWord()
		if !ok {
			return w.malformed()
		}
		w.blanks()
		if !bytes.HasPrefix(w.in[w.pos:], []byte("=>")) {
			return w.malformed()
		}
		w.pos += len("=>")
		w.blanks()
		start := w.pos
		value, valueEscaped, ok := w.quotedWord()
		null := !ok && w.nullHere()
		if !ok && !null {
			return w.malformed()
		}
		p := w.t.rest
		if w.t.keys != nil {
			name := key[1 : len(key)-1]
			if escaped {
				w.text = appendUnescapedBackslashes(w.text[:0], name)
				name = w.text
			}
			if named, is := w.t.keys[string(name)]; is {
				p = named
			}
		}
		if p != dropPart {
			if !first {
				w.out = append(w.out, ", "...)
			}
			first = false
			w.out = append(append(w.out, key...), "=>"...)
			switch {
			case null || p == keepPart:
				w.out = append(w.out, w.in[start:w.pos]...)
			default:
				if wrong := w.addEscaped(p, 0, value[1:len(value)-1], valueEscaped); wrong != "" {
					return wrong
				}
			}
		}
		w.blanks()
		switch {
		case w.pos == len(w.in):
			more = false
		case w.in[w.pos] == ',':
			w.pos++
		default:
			return w.malformed()
		}
	}
	w.from = len(w.in)
	return ""
}

// quotedWord passes the key or value in quotes at pos, and returns it with them.
func (w *containerWalker) quotedWord() (word []byte, escaped, ok bool) {
	if w.peek() != '"' {
		return nil, false, false
	}
	for i := w.pos + 1; i < len(w.in); i++ {
		switch w.in[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			word = w.in[w.pos : i+1]
			w.pos = i + 1
			return word, escaped, true
		}
	}
	return nil, false, false
}

// nullHere passes NULL.
func (w *containerWalker) nullHere() bool {
	rest := w.in[w.pos:]
	if len(rest) < len(nullWord) || !bytes.EqualFold(rest[:len(nullWord)], nullWord) {
		return false
	}
	w.pos += len(nullWord)
	return true
}

// writeHstore is the splicer of hstores.
func writeHstore(out *textBuilder, _ *hit, r *results, i int) {
	if r.isNull(i) {
		out.grow(len(nullWord))
		out.buf = append(out.buf, nullWord...)
		return
	}
	from := appendTail(out, r, i)
	out.buf = quoteTail(out.buf, from, false)
}
