package masking

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// xmlWalker is the working space of one batch. A document is read from left to
// right; from is where the run of bytes begins that stay and are not copied yet.
// Where a rule is nil, what is read stays, or goes, as a whole.
type xmlWalker struct {
	skeleton
	t     *xmlTransform
	in    []byte
	pos   int
	from  int
	wrong string // with the document, if it is not that it is no XML
	stays bool   // something of the document does
	reads bool   // the value is wanted in text
	key   []byte
	text  []byte // a value without its escapes
	digit []byte // a number without its exponent
}

// free gives the space back, without what it knew of values.
func (w *xmlWalker) free() {
	for _, b := range [][]byte{w.key, w.text, w.digit} {
		clear(b[:cap(b)])
	}
	w.t, w.in = nil, nil
	if w.skeleton.free() {
		xmlWalkers.Put(w)
	}
}

// document walks one document into the skeleton.
func (w *xmlWalker) document(doc []byte) error {
	w.in, w.pos, w.from, w.wrong, w.stays = doc, 0, 0, "", w.t.rest.action == ruleKeep
	start := len(w.out)
	ok := true
	if w.at("<?xml") && len(doc) > len("<?xml") && xmlBlank[doc[len("<?xml")]] {
		ok = w.pastInstruction()
	}
	if ok && w.content(w.t.root, w.t.rest, w.t.rest, 0) && w.pos == len(doc) {
		if w.stays {
			w.endWith(doc, w.from, start)
		} else {
			clear(w.out[start:])
			w.out = w.out[:start] // white space and a declaration make no document
			w.endRow()
		}
		return nil
	}
	if w.wrong != "" {
		return &ValueError{Row: int(w.row), Reason: w.wrong}
	}
	return &ValueError{
		Row:    int(w.row),
		Reason: fmt.Sprintf("the document is not XML: byte %d of %d", min(w.pos, len(doc)), len(doc)),
		Help:   `mask the column as text, or write malformed: "null" or malformed: drop`,
	}
}

// content walks what stands between two tags, or in a fragment. It ends before the end
// tag, or at the end of the document. text is the rule of the texts in it, inherited
// that of the elements.
func (w *xmlWalker) content(node *pathNode, text, inherited *pathRule, depth int) bool {
	for {
		if !w.run(text) {
			return false
		}
		if w.pos == len(w.in) || w.at("</") {
			return true
		}
		if !w.element(node, inherited, depth) {
			return false
		}
	}
}

// element walks the element at pos.
func (w *xmlWalker) element(parent *pathNode, inherited *pathRule, depth int) bool {
	if depth++; depth > maxDepth {
		w.wrong = fmt.Sprintf("the document is nested deeper than %d", maxDepth)
		return false
	}
	start := w.pos
	w.pos++
	name := w.name()
	if name == nil {
		return false
	}
	rule, texts := inherited, inherited
	var node *pathNode
	if parent != nil {
		if node = parent.find(name); node != nil && node.rule != nil {
			rule = node.rule
		}
		if node != nil && !node.goesOn(true) && !node.goesOn(false) {
			node = nil // no path goes on here
		}
	}
	gone := false
	if rule != nil {
		switch {
		case node == nil && rule.action != ruleMask:
			gone = rule.action == ruleDrop
			rule, texts = nil, nil
		case rule.action == ruleMask && !rule.anywhere:
			texts, rule = rule, dropRule // of what no path names inside
		default:
			texts = rule
		}
	}
	if !w.body(name, node, texts, rule, depth) {
		return false
	}
	if gone {
		w.cut(start, w.pos)
	} else {
		w.stays = w.stays || inherited != nil
	}
	return true
}

// body walks an element behind its name.
func (w *xmlWalker) body(name []byte, node *pathNode, texts, rule *pathRule, depth int) bool {
	if !w.attributes(node, rule) {
		return false
	}
	if w.at("/>") {
		w.pos += len("/>")
		return true
	}
	w.pos++ // attributes ends before one or the other
	if !w.content(node, texts, rule, depth) || !w.at("</") {
		return false
	}
	w.pos += len("</")
	if !bytes.Equal(w.name(), name) {
		return false
	}
	w.blanks()
	if !w.at(">") {
		return false
	}
	w.pos++
	return true
}

// attributes walks the attributes of a tag, up to its end.
func (w *xmlWalker) attributes(node *pathNode, inherited *pathRule) bool {
	for {
		start := w.pos
		w.blanks()
		if w.at(">") || w.at("/>") {
			return true
		}
		spaced := w.pos > start
		name := w.name()
		if name == nil || !spaced {
			return false
		}
		w.blanks()
		if !w.at("=") {
			return false
		}
		w.pos++
		w.blanks()
		if !w.at(`"`) && !w.at("'") {
			return false
		}
		quote := w.in[w.pos]
		w.pos++
		value := w.pos
		rule := inherited
		if rule != nil && node != nil {
			w.key = append(append(w.key[:0], '@'), name...)
			if at := node.attribute(w.key); at != nil && at.rule != nil {
				rule = at.rule
			}
		}
		if rule != nil && (string(name) == "xmlns" || bytes.HasPrefix(name, []byte("xmlns:"))) {
			rule = nil // the declaration of a namespace
		}
		w.reads = rule != nil && rule.action == ruleMask
		if !w.attributeValue(quote) {
			return false
		}
		if rule == nil || rule.action == ruleKeep {
			continue
		}
		if rule.action == ruleMask {
			if blank(w.text) {
				continue
			}
			if w.value(rule, xmlAttribute, value, w.pos-1) {
				continue
			}
		}
		w.cut(start, w.pos)
	}
}

// attributeValue reads a value into text, and passes the quote behind it.
func (w *xmlWalker) attributeValue(quote byte) bool {
	w.text = w.text[:0]
	for w.pos < len(w.in) {
		switch c := w.in[w.pos]; {
		case c == quote:
			w.pos++
			return true
		case c == '<':
			return false
		case c == '&':
			if !w.reference() {
				return false
			}
		default:
			if !w.literal(true, quote) {
				return false
			}
		}
	}
	return false
}

// run walks text, CDATA sections, comments and processing instructions up to the next tag.
func (w *xmlWalker) run(rule *pathRule) bool {
	start := w.pos
	plain := true // nothing but literal text
	w.text = w.text[:0]
	w.reads = rule != nil && rule.action != ruleKeep
	for w.pos < len(w.in) {
		switch c := w.in[w.pos]; {
		case c == '&':
			plain = false
			if !w.reference() {
				return false
			}
			continue
		case c != '<':
			if !w.literal(false, 0) {
				return false
			}
			continue
		case w.at("<![CDATA["):
			from := w.pos + len("<![CDATA[")
			if !w.past("]]>") || !xmlChars(w.in[from:w.pos]) {
				return false
			}
			w.read(from, w.pos-len("]]>"), false)
		case w.at("<!--"):
			if !w.pastComment() {
				return false
			}
		case w.at("<?"):
			if !w.pastInstruction() {
				return false
			}
		case w.at("<!"):
			if w.wrong == "" && w.at("<!DOCTYPE") {
				w.wrong = "the document has a DOCTYPE, which is not followed"
			}
			return false
		default:
			return w.endRun(rule, start, plain)
		}
		plain = false
	}
	return w.endRun(rule, start, plain)
}

// endRun decides about the run from start to pos.
func (w *xmlWalker) endRun(rule *pathRule, start int, plain bool) bool {
	if rule == nil || rule.action == ruleKeep || start == w.pos {
		return true
	}
	solid := !blank(w.text)
	switch {
	case solid && rule.action == ruleMask && w.value(rule, xmlText, start, w.pos):
		w.stays = true
	case solid:
		w.cut(start, w.pos)
	case !plain:
		w.cut(start, w.pos)
		w.out = appendXML(w.out, w.text, false)
	}
	return true
}

// value notes that the value in text takes the place of what stands from start to end,
// white space around it left out; or reports that the rule does not take such a value.
func (w *xmlWalker) value(rule *pathRule, form uint8, start, end int) bool {
	text := bytes.TrimFunc(w.text, unicode.IsSpace)
	lead := len(w.text) - len(bytes.TrimLeftFunc(w.text, unicode.IsSpace))
	v, ok := rule.typed(w.children, text, &w.digit)
	if !ok {
		return false
	}
	w.cut(start, end)
	w.out = appendXML(w.out, w.text[:lead], form == xmlAttribute)
	v.addTo(w.hit(v.child, form))
	w.out = append(w.out, v.rest...)
	w.out = appendXML(w.out, w.text[lead+len(text):], form == xmlAttribute)
	return true
}

// cut copies what stays before start, and goes on behind end.
func (w *xmlWalker) cut(start, end int) {
	w.out = append(w.out, w.in[w.from:start]...)
	w.from = end
}

// at reports whether s stands at pos.
func (w *xmlWalker) at(s string) bool {
	return len(w.in)-w.pos >= len(s) && string(w.in[w.pos:w.pos+len(s)]) == s
}

// past goes behind the next s.
func (w *xmlWalker) past(s string) bool {
	i := bytes.Index(w.in[w.pos:], []byte(s))
	if i < 0 {
		return false
	}
	w.pos += i + len(s)
	return true
}

// pastComment passes the comment at pos, in which no two dashes stand.
func (w *xmlWalker) pastComment() bool {
	from := w.pos + len("<!--")
	w.pos = from
	if !w.past("--") || !w.at(">") {
		return false
	}
	w.pos++
	return xmlChars(w.in[from:w.pos])
}

// pastInstruction passes the processing instruction at pos, or the XML declaration, which
// stands only where the document begins.
func (w *xmlWalker) pastInstruction() bool {
	from := w.pos
	w.pos += len("<?")
	name := w.name()
	if name == nil || bytes.EqualFold(name, []byte("xml")) && from > 0 {
		return false
	}
	if !w.at("?>") && (w.pos == len(w.in) || !xmlBlank[w.in[w.pos]]) {
		return false
	}
	start := w.pos
	if !w.past("?>") || !xmlChars(w.in[from:w.pos]) {
		return false
	}
	return string(name) != "xml" || plainDeclaration(w.in[start:w.pos-len("?>")])
}

// plainDeclaration reports whether the inside of an XML declaration, which stays, has
// what belongs there and nothing else: version, encoding and standalone.
func plainDeclaration(v []byte) bool {
	for v = bytes.TrimLeft(v, " \t\r\n"); len(v) > 0; v = bytes.TrimLeft(v, " \t\r\n") {
		key, rest, ok := bytes.Cut(v, []byte("="))
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return false
		}
		value, after, closed := bytes.Cut(rest[1:], rest[:1])
		if !closed {
			return false
		}
		allowed := "0123456789."
		switch string(bytes.TrimRight(key, " \t\r\n")) {
		case "version":
		case "encoding":
			allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
		case "standalone":
			allowed = "yesno"
		default:
			return false
		}
		if len(value) > 20 || len(bytes.Trim(value, allowed)) > 0 {
			return false
		}
		v = after
	}
	return true
}

// name passes the name at pos, and returns it; nil is none.
func (w *xmlWalker) name() []byte {
	n := xmlName(w.in[w.pos:])
	if n == 0 || !utf8.Valid(w.in[w.pos:w.pos+n]) {
		return nil
	}
	name := w.in[w.pos : w.pos+n]
	w.pos += n
	return name
}

var xmlBlank = setOf(" \t\r\n")

func (w *xmlWalker) blanks() {
	for w.pos < len(w.in) && xmlBlank[w.in[w.pos]] {
		w.pos++
	}
}

// reference reads the reference at pos into text.
func (w *xmlWalker) reference() bool {
	r, n := xmlReference(w.in[w.pos:])
	if n == 0 {
		return false
	}
	w.text = utf8.AppendRune(w.text, r)
	w.pos += n
	return true
}

// literal reads what stands for itself into text: up to markup, a reference, or the quote
// of an attribute.
func (w *xmlWalker) literal(attribute bool, quote byte) bool {
	from := w.pos
	for w.pos < len(w.in) {
		c := w.in[w.pos]
		if xmlPlain[c] {
			w.pos++
			continue
		}
		if c == '<' || c == '&' || attribute && c == quote {
			break
		}
		if c == ']' && !attribute && w.at("]]>") {
			return false
		}
		n := xmlChar(w.in[w.pos:])
		if n == 0 {
			return false
		}
		w.pos += n
	}
	w.read(from, w.pos, attribute)
	return true
}

// read reads literal text, if it is wanted.
func (w *xmlWalker) read(from, end int, attribute bool) {
	if w.reads {
		w.text = appendXMLLines(w.text, w.in[from:end], attribute)
	}
}

// xmlChars reports whether all characters of text are such as XML has.
func xmlChars(text []byte) bool {
	for len(text) > 0 {
		n := xmlChar(text)
		if n == 0 {
			return false
		}
		text = text[n:]
	}
	return true
}
