package masking

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// maxDepth is how deep documents may be nested, so that no document exhausts
// the stack.
const maxDepth = 1000

// jsonWalker is the working space of one batch. A document is read from left to
// right; from is where the run of bytes begins that stay and are not copied yet,
// or suspended while a dropped member is passed.
type jsonWalker struct {
	skeleton
	t    *jsonTransform
	in   []byte
	pos  int
	from int
	deep bool // the document is nested too deep
	key  []byte
	// stays counts what has stayed of the document: values, and containers that stay
	// whatever is in them.
	stays int
}

const suspended = -1

func (w *jsonWalker) reset(t *jsonTransform) {
	w.t = t
	w.skeleton.reset(t.children)
}

// free gives the space back, without what it knew of values.
func (w *jsonWalker) free() {
	clear(w.key)
	w.t, w.in = nil, nil
	if w.skeleton.free() {
		jsonWalkers.Put(w)
	}
}

// document walks one document into the skeleton.
func (w *jsonWalker) document(doc []byte) error {
	w.in, w.pos, w.from, w.deep = doc, 0, 0, false
	start := len(w.out)
	w.blanks()
	ok := w.value(w.t.root, w.t.rest, place{before: 0, comma: 0}, 0)
	if ok {
		w.blanks()
		ok = w.pos == len(doc)
	}
	if !ok {
		if w.deep {
			return &ValueError{Row: int(w.row), Reason: fmt.Sprintf("the document is nested deeper than %d", maxDepth)}
		}
		return &ValueError{Row: int(w.row), Reason: fmt.Sprintf("the document is not JSON: byte %d of %d", min(w.pos, len(doc)), len(doc)), Help: `mask the column as text, or write malformed: "null" or malformed: drop`}
	}
	if w.from == suspended {
		w.out = append(w.out, "null"...)
		w.endRow()
	} else {
		w.endWith(doc, w.from, start)
	}
	return nil
}

// place tells where a member or element stands, for the commas around it.
type place struct {
	before int  // where its text begins: behind the bracket or comma
	comma  int  // where the comma before it stands, if it is not the first
	kept   bool // something before it in the same container is kept
	// no path names its key, which may be a value itself: a container that is to be
	// dropped, save for what paths find in it, stays only where they find something
	unnamed bool
	within  bool // it is in such a container, for which it counts only by what is in it
}

// keep makes sure that what follows is copied.
func (w *jsonWalker) keep(p place) {
	w.stays++
	if w.from == suspended {
		w.from = p.before
		if p.kept {
			w.from = p.comma
		}
	}
}

// drop makes sure that what follows is not copied.
func (w *jsonWalker) drop(p place) {
	if w.from == suspended {
		return
	}
	end := p.before
	if p.kept {
		end = p.comma
	}
	w.out = append(w.out, w.in[w.from:end]...)
	w.from = suspended
}

// value passes the value that begins at pos. node is its place in the trie, or
// nil; inherited is the rule of what is around it. It reports false if the
// document is not JSON. Whether the value was kept shows in w.from.
func (w *jsonWalker) value(node *pathNode, inherited *pathRule, p place, depth int) bool {
	if w.pos >= len(w.in) {
		return false
	}
	rule := inherited
	if node != nil && node.rule != nil {
		rule = node.rule
	}
	switch c := w.in[w.pos]; c {
	case '{', '[':
		if node != nil && !node.goesOn(c == '{') {
			node = nil // no path goes on here
		}
		if node == nil && (rule.action != ruleMask || !rule.anywhere) {
			if rule.action == ruleKeep {
				w.keep(p)
			} else {
				w.drop(p)
			}
			return w.skipContainer(depth)
		}
		if rule.action == ruleMask && !rule.anywhere {
			rule = dropRule // of what no path names inside
		}
		return w.container(node, rule, p, depth)
	case '"':
		start := w.pos
		escaped, ok := w.str()
		if !ok {
			return false
		}
		w.scalar(rule, p, start, c, escaped)
		return true
	case 't', 'f', 'n':
		start := w.pos
		if !w.word() {
			return false
		}
		if c == 'n' && rule.action == ruleMask {
			w.keep(p)
			return true
		}
		w.scalar(rule, p, start, c, false)
		return true
	default:
		start := w.pos
		if !w.number() {
			return false
		}
		w.scalar(rule, p, start, '0', false)
		return true
	}
}

// container walks the object or array at pos, into which paths go on. rule is that of
// what no path names in it.
func (w *jsonWalker) container(node *pathNode, rule *pathRule, p place, depth int) bool {
	dropped := rule.action == ruleDrop
	within := dropped && (p.unnamed || p.within)
	stays, out, from := w.stays, len(w.out), w.from
	w.keep(p)
	if within {
		w.stays = stays
	}
	var ok bool
	if w.in[w.pos] == '{' {
		ok = w.object(node, rule, within, depth)
	} else {
		ok = w.array(node, rule, within, depth)
	}
	if !ok {
		return false
	}
	if dropped && p.unnamed && w.stays == stays {
		w.out, w.from = w.out[:out], from // nothing of it has been masked
		w.drop(p)
	}
	return true
}

// object walks the object at pos.
func (w *jsonWalker) object(node *pathNode, rule *pathRule, within bool, depth int) bool {
	if depth++; depth > maxDepth {
		w.deep = true
		return false
	}
	w.pos++
	p := place{before: w.pos, within: within}
	w.blanks()
	if w.peek() == '}' {
		w.pos++
		return true
	}
	for {
		start := w.pos
		if w.peek() != '"' {
			return false
		}
		escaped, ok := w.str()
		if !ok {
			return false
		}
		var child *pathNode
		if node != nil {
			key := w.in[start+1 : w.pos-1]
			if escaped {
				w.key = appendUnescaped(w.key[:0], key)
				key = w.key
			}
			child = node.find(key)
			p.unnamed = child == node.any
		}
		w.blanks()
		if w.peek() != ':' {
			return false
		}
		w.pos++
		w.blanks()
		if !w.value(child, rule, p, depth) {
			return false
		}
		if end, ok := w.next(&p, '}'); end || !ok {
			return ok
		}
	}
}

// array walks the array at pos.
func (w *jsonWalker) array(node *pathNode, rule *pathRule, within bool, depth int) bool {
	if depth++; depth > maxDepth {
		w.deep = true
		return false
	}
	var child *pathNode
	if node != nil {
		child = node.element
	}
	w.pos++
	p := place{before: w.pos, within: within}
	w.blanks()
	if w.peek() == ']' {
		w.pos++
		return true
	}
	for {
		if !w.value(child, rule, p, depth) {
			return false
		}
		if end, ok := w.next(&p, ']'); end || !ok {
			return ok
		}
	}
}

// scalar decides about the string, number or boolean from start to pos. class is
// '"', 't', 'f', 'n', or '0' for any number.
func (w *jsonWalker) scalar(rule *pathRule, p place, start int, class byte, escaped bool) {
	switch rule.action {
	case ruleKeep:
		w.keep(p)
		return
	case ruleDrop:
		w.drop(p)
		return
	}
	token := w.in[start:w.pos]
	if class == '"' {
		token = token[1 : len(token)-1]
	}
	if !escaped && w.typed(rule, p, token, start, class) {
		return
	}
	if rule.text < 0 {
		w.drop(p) // the transform does not take such a value
		return
	}
	w.keep(p)
	form := formScalar
	if class == '"' {
		form = formText
	}
	a := w.cut(rule.text, form, start, w.pos)
	if escaped {
		a.text = appendUnescaped(a.text, token)
	} else {
		a.text = append(a.text, token...)
	}
	a.endText()
}

// typed masks a value as a number, boolean, date or instant, if it is one and the
// rule has a child for it. A string is the token without its quotes.
func (w *jsonWalker) typed(rule *pathRule, p place, token []byte, start int, class byte) bool {
	text := rule.text >= 0
	switch {
	case class == '0':
		if rule.integer >= 0 && (rule.number < 0 || bytes.IndexByte(token, '.') < 0) {
			if v, ok := wholeNumber(token, false); ok {
				w.keep(p)
				w.cut(rule.integer, formBare, start, w.pos).addInt(v)
				return true
			}
		}
		return rule.number >= 0 && w.decimal(rule, p, token, start)
	case text:
		return false
	case class == 't' || class == 'f':
		if rule.boolean >= 0 {
			w.keep(p)
			w.cut(rule.boolean, formBool, start, w.pos).addBool(class == 't')
			return true
		}
		return false
	}
	v, ok := rule.typed(w.children, token, &w.key)
	if !ok {
		return false
	}
	w.keep(p)
	if v.kind == Date {
		v.addTo(w.cut(v.child, formDate, start+1, w.pos-1-len(v.rest)))
	} else {
		v.addTo(w.cut(v.child, formQuoted, start, w.pos))
	}
	return true
}

// decimal masks the number that a token is, which need not be whole.
func (w *jsonWalker) decimal(rule *pathRule, p place, token []byte, start int) bool {
	if a := &w.args[rule.number]; a.kind == Float {
		v, ok := parseFloat(token)
		if !ok {
			return false // beyond 64 bits
		}
		w.keep(p)
		w.cut(rule.number, formBare, start, w.pos).addFloat(v)
		return true
	}
	var ok bool
	if w.key, ok = appendDecimal(w.key[:0], token); !ok {
		return false
	}
	w.keep(p)
	w.cut(rule.number, formBare, start, w.pos).addText(w.key)
	return true
}

// cut notes that from start to end a masked value takes the place of what stands there.
func (w *jsonWalker) cut(child int, form jsonForm, start, end int) *arguments {
	w.out = append(w.out, w.in[w.from:start]...)
	w.from = end
	return w.hit(child, form)
}

// peek returns the byte at pos, or 0 at the end: no JSON has that byte where it is asked for.
func (w *jsonWalker) peek() byte {
	if w.pos < len(w.in) {
		return w.in[w.pos]
	}
	return 0
}

// blanks passes white space.
func (w *jsonWalker) blanks() {
	for w.pos < len(w.in) {
		switch w.in[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

// skip passes the value at pos without looking into it.
func (w *jsonWalker) skip(depth int) bool {
	switch w.peek() {
	case '{', '[':
		return w.skipContainer(depth)
	case '"':
		_, ok := w.str()
		return ok
	case 't', 'f', 'n':
		return w.word()
	}
	return w.number()
}

// skipContainer passes the object or array at pos. Every comma, colon and bracket is
// checked: a document that is not JSON is not passed on in part either.
func (w *jsonWalker) skipContainer(depth int) bool {
	if depth++; depth > maxDepth {
		w.deep = true
		return false
	}
	object := w.in[w.pos] == '{'
	closing := w.in[w.pos] + 2 // in ASCII a bracket's partner stands two behind it
	w.pos++
	w.blanks()
	if w.peek() == closing {
		w.pos++
		return true
	}
	for {
		if object {
			if w.peek() != '"' {
				return false
			}
			if _, ok := w.str(); !ok {
				return false
			}
			w.blanks()
			if w.peek() != ':' {
				return false
			}
			w.pos++
			w.blanks()
		}
		if !w.skip(depth) {
			return false
		}
		w.blanks()
		switch w.peek() {
		case ',':
			w.pos++
			w.blanks()
		case closing:
			w.pos++
			return true
		default:
			return false
		}
	}
}

// word passes true, false or null.
func (w *jsonWalker) word() bool {
	rest := w.in[w.pos:]
	for _, word := range [...]string{"true", "false", "null"} {
		if len(rest) >= len(word) && string(rest[:len(word)]) == word {
			w.pos += len(word)
			return true
		}
	}
	return false
}

// number passes a number.
func (w *jsonWalker) number() bool {
	n := jsonNumber(w.in[w.pos:])
	w.pos += n
	return n > 0
}

// str passes the string at pos, whose quote is known, and reports whether it has escapes.
func (w *jsonWalker) str() (escaped, ok bool) {
	in, i := w.in, w.pos+1
	for {
		for i+8 <= len(in) {
			if special := specialBytes(binary.LittleEndian.Uint64(in[i:])); special != 0 {
				i += bits.TrailingZeros64(special) >> 3
				break
			}
			i += 8
		}
		if i >= len(in) {
			return false, false
		}
		switch c := in[i]; {
		case c == '"':
			w.pos = i + 1
			return escaped, true
		case c < ' ':
			w.pos = i
			return false, false
		case c == '\\':
			escaped = true
			n := escapeLength(in[i:])
			if n == 0 {
				w.pos = i
				return false, false
			}
			i += n
		default:
			i++ // one of the last seven bytes
		}
	}
}

// next goes on behind a member: to the one after a comma, or over the bracket
// that ends the object or array. ok is false where neither stands.
func (w *jsonWalker) next(p *place, bracket byte) (end, ok bool) {
	p.kept = p.kept || w.from != suspended
	w.blanks()
	switch w.peek() {
	case ',':
		p.comma = w.pos
		w.pos++
		p.before = w.pos
		w.blanks()
		return false, true
	case bracket:
		if w.from == suspended {
			w.from = w.pos
		}
		w.pos++
		return true, true
	}
	return false, false
}
