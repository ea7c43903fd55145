package masking

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// jsonFactory makes {json: {PATH: …, "*": …}}: each path of a document (RFC 8259)
// is kept, dropped, or masked by a transform of its own, and `*` says what becomes
// of all that no path names.
//
// # Paths
//
// $ is the document, $.contact.email a member, $['odd key'] a member of any name
// (\' and \\ are escapes), $.items[*].name a member of each element. A key is
// compared after its escapes are read. The longest path that leads to a value, or
// to something around it, decides: with $.a: keep and $.a.b: drop all of a is
// kept but b.
//
// # What happens to a value
//
//   - keep: it stays byte for byte, with all that is inside.
//   - drop: it goes, with its key and its comma. Of a document that is dropped
//     whole, null remains. An object or array on the way to a path that is named
//     stays, if empty.
//   - A transform masks strings, numbers and booleans; null stays null. An object or
//     array where a named path expects such a value is dropped: nothing passes
//     because it was not foreseen. Paths that go on inside it still hold.
//   - A transform at `*` masks every value that no path names, at any depth; the
//     objects and arrays around them stay, and so do their keys. Only `*: drop`
//     removes keys that nobody named.
//
// # How a value reaches its transform
//
//   - A string is unescaped, masked as text, and escaped again; a lone surrogate
//     counts as U+FFFD. So what is equal in a column is equal in a document.
//   - A number that is whole (42, 42.0) is masked as an integer of 64 bits, if the
//     transform takes integers (pseudonym id): so keys in documents join with keys in
//     columns. Column.NarrowBits is passed on.
//   - Other numbers, and booleans, are masked as their text, and become strings
//     unless the result is a number or a boolean.
//   - If the transform does not take text, strings that spell an integer the way it
//     is printed are masked as one, and stay strings. If it takes neither text
//     nor integers but dates (shift_days), strings that begin with one (2024-02-29,
//     2024-02-29T10:00:00Z) are masked as dates and keep the time. What fits none
//     of these is dropped.
//
// All else stays as it is: white space, the order of keys, the spelling of numbers, and
// keys that stand twice. A document that is not JSON, or is nested deeper than
// 1,000, is an error. Blank text stays.
type jsonFactory struct{}

func (jsonFactory) Describe() Description {
	return Description{
		Name:    "json",
		Version: 1,
		Summary: "Masks JSON documents path by path; what no path names falls to the mandatory path *.",
		Kinds:   []Kind{JSON, Text},
		Value:   "a mapping of paths to classes",
		Samples: []Sample{{
			Spec: Spec{Paths: []PathSpec{
				{Path: "$.theme", Spec: Spec{Name: "keep"}},
				{Path: "$.contact.email", Spec: Spec{Name: "fake", Variant: "email"}},
				{Path: "$.orders[*].id", Spec: Spec{Name: "pseudonym", Variant: "id"}},
				{Path: "*", Spec: Spec{Name: "drop"}},
			}},
			Column: Column{Kind: JSON},
			Values: []string{`{"theme": "dark", "token": "x"}`, `{"contact": {"email": "maria@corp.example", "age": 30}}`, `{"orders": [{"id": 7}, {"id": 8}]}`},
		}},
	}
}

func (jsonFactory) Bind(req Request) (Binding, error) {
	if err := refuseLabels("json", req.Column); err != nil {
		return Binding{}, err
	}
	t := &jsonTransform{maxChars: req.Column.MaxChars}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	var pinned []string
	for _, p := range req.Spec.Paths {
		keys, err := parseJSONPath(p.Path)
		if err != nil {
			return Binding{}, err
		}
		rule, err := t.bind(req, p, &b, &pinned)
		if err != nil {
			return Binding{}, err
		}
		if p.Path == "*" {
			if t.rest != nil {
				return Binding{}, &BindError{Reason: "the path * stands twice"}
			}
			rule.anywhere = true
			t.rest = rule
			continue
		}
		at := &t.root
		for _, k := range keys {
			at = at.child(k)
		}
		if at.rule != nil {
			return Binding{}, &BindError{Reason: fmt.Sprintf("the path %s stands twice", p.Path)}
		}
		at.rule = rule
	}
	if t.rest == nil {
		return Binding{}, &BindError{Reason: "json does not say what becomes of the paths that it does not name", Help: `add the path "*": drop`}
	}
	b.Pinned = strings.Join(pinned, "; ")
	return b, nil
}

// jsonRule is what becomes of the values at one path. It is immutable.
type jsonRule struct {
	action jsonAction
	// The children that mask strings and the rest, numbers that are whole, and dates; -1 is none.
	text, integer, date int
	anywhere            bool // the rule of *
}

type jsonAction uint8

const (
	jsonDrop jsonAction = iota
	jsonKeep
	jsonMask
)

var dropRule = &jsonRule{action: jsonDrop, text: -1, integer: -1, date: -1}

// jsonChild is the transform of one path for one kind of value.
type jsonChild struct {
	path      string
	kind      Kind
	transform Transform
}

func (t *jsonTransform) bind(req Request, p PathSpec, b *Binding, pinned *[]string) (*jsonRule, error) {
	rule := &jsonRule{action: jsonMask, text: -1, integer: -1, date: -1}
	if p.Spec.Name == "keep" || p.Spec.Name == "drop" {
		if p.Spec.Variant != nil || len(p.Spec.Params) > 0 || len(p.Spec.Paths) > 0 {
			return nil, &BindError{Reason: fmt.Sprintf("path %s: %s takes no parameters", p.Path, p.Spec.Name)}
		}
		rule.action = jsonDrop
		if p.Spec.Name == "keep" {
			rule.action = jsonKeep
			if p.Path == "*" {
				b.Warnings = append(b.Warnings, "all paths that are not named are kept, those of tomorrow too")
			}
		}
		return rule, nil
	}
	if p.Path == "*" {
		b.Warnings = append(b.Warnings, "members that no path names keep their names, which may tell as much as their values")
	}
	var complaints []string
	var help string
	try := func(col Column, slot *int) error {
		col.Table, col.Name = req.Column.Table, req.Column.Name+" "+p.Path
		child, err := req.Bind(col, p.Spec)
		var complaint *BindError
		switch {
		case errors.As(err, &complaint):
			if !slices.Contains(complaints, complaint.Reason) {
				complaints = append(complaints, complaint.Reason)
			}
			help = complaint.Help
			return nil
		case err != nil:
			return fmt.Errorf("path %s: %w", p.Path, err)
		case child.Transform == nil:
			complaints = append(complaints, "it masks several columns together, and a path is one")
			return nil
		}
		*slot = len(t.children)
		t.children = append(t.children, jsonChild{path: p.Path, kind: col.Kind, transform: child.Transform})
		b.Guarantees.Deterministic = b.Guarantees.Deterministic && child.Guarantees.Deterministic
		for _, w := range child.Warnings {
			b.Warnings = append(b.Warnings, fmt.Sprintf("path %s: %s", p.Path, w))
		}
		if child.Pinned != "" {
			*pinned = append(*pinned, p.Path+" "+child.Pinned)
		}
		return nil
	}
	if err := try(Column{Kind: Text, NarrowBits: req.Column.NarrowBits}, &rule.text); err != nil {
		return nil, err
	}
	if err := try(Column{Kind: Int, Bits: 64, NarrowBits: req.Column.NarrowBits}, &rule.integer); err != nil {
		return nil, err
	}
	if rule.text < 0 && rule.integer < 0 {
		if err := try(Column{Kind: Date}, &rule.date); err != nil {
			return nil, err
		}
	}
	if rule.text < 0 && rule.integer < 0 && rule.date < 0 {
		return nil, &BindError{Reason: fmt.Sprintf("path %s: %s", p.Path, strings.Join(complaints, "; ")), Help: help}
	}
	return rule, nil
}

// jsonNode is a place in the trie of paths.
type jsonNode struct {
	rule    *jsonRule // nil if the path only goes through
	members []jsonMember
	element *jsonNode
}

type jsonMember struct {
	key  string
	node *jsonNode
}

// jsonKey is a step of a path: into a member, or into each element.
type jsonKey struct {
	member  string
	element bool
}

func (n *jsonNode) child(k jsonKey) *jsonNode {
	if k.element {
		if n.element == nil {
			n.element = new(jsonNode)
		}
		return n.element
	}
	for _, m := range n.members {
		if m.key == k.member {
			return m.node
		}
	}
	n.members = append(n.members, jsonMember{key: k.member, node: new(jsonNode)})
	return n.members[len(n.members)-1].node
}

// find returns the node of a key, or nil.
func (n *jsonNode) find(key []byte) *jsonNode {
	for i := range n.members {
		if m := &n.members[i]; m.key == string(key) {
			return m.node
		}
	}
	return nil
}

// parseJSONPath returns the steps of a path; those of * are none.
func parseJSONPath(path string) (keys []jsonKey, err error) {
	bad := func(reason string) ([]jsonKey, error) {
		return nil, &BindError{Reason: fmt.Sprintf("the path %q %s", path, reason), Help: `write paths as $.contact.email, $.items[*].name or $['odd key'], and * for the rest`}
	}
	if path == "*" {
		return nil, nil
	}
	rest, rooted := strings.CutPrefix(path, "$")
	if !rooted {
		return bad("does not begin with $")
	}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "[*]"):
			keys = append(keys, jsonKey{element: true})
			rest = rest[len("[*]"):]
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			key, after, ok := parseQuotedKey(rest[1:])
			if !ok {
				return bad("has a key whose quotes or bracket are not closed")
			}
			keys = append(keys, jsonKey{member: key})
			rest = after
		case rest[0] == '[':
			return bad("has a bracket with neither a quoted key nor * in it")
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			key := rest[1:end]
			if key == "" {
				return bad("has a key of no characters")
			}
			if strings.ContainsAny(key, "*]'\"\\ \t\r\n") {
				return bad("has a key that wants brackets and quotes")
			}
			keys = append(keys, jsonKey{member: key})
			rest = rest[end:]
		default:
			return bad("has neither a dot nor a bracket before a key")
		}
	}
	return keys, nil
}

// parseQuotedKey reads a key in quotes and the bracket behind it.
func parseQuotedKey(text string) (key, rest string, ok bool) {
	var b strings.Builder
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) || text[i] != '\\' && text[i] != '\'' && text[i] != '"' {
				return "", "", false
			}
			b.WriteByte(text[i])
		case c == quote:
			rest, ok = strings.CutPrefix(text[i+1:], "]")
			return b.String(), rest, ok
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// jsonTransform walks each document once. What stays is copied, run by run, to a
// skeleton; what is to be masked is collected, as a hit with its place in the
// skeleton and as an argument of its child. When the batch is walked, each child
// masks its arguments at once, and the results go to their places.
type jsonTransform struct {
	root     jsonNode
	rest     *jsonRule // of *
	children []jsonChild
	maxChars int // 0 is no limit
}

// jsonHit is a value that is masked.
type jsonHit struct {
	at    int // in the skeleton
	row   int32
	child int32
	form  jsonForm
}

// jsonForm is how a masked value is written.
type jsonForm uint8

const (
	formText      jsonForm = iota // a string
	formScalar                    // a number or boolean masked as text
	formInt                       // a number
	formIntString                 // an integer in a string
	formDate                      // ten characters inside a string
)

// jsonArgs are the arguments of one child, gathered over a batch.
type jsonArgs struct {
	n    int
	text []byte
	ends []int32 // of the text, after a leading zero
	ints []int64
	days []int32

	masked arrow.Array
	null   bool // all results are NULL
	texts  texts
	next   int // of the results
}

func (a *jsonArgs) reset() {
	clear(a.text) // nothing of values stays behind
	clear(a.ints)
	clear(a.days)
	*a = jsonArgs{text: a.text[:0], ends: append(a.ends[:0], 0), ints: a.ints[:0], days: a.days[:0]}
}

// array returns the arguments as an array that borrows their space.
func (a *jsonArgs) array(kind Kind) arrow.Array {
	var data *array.Data
	buffer := func(b []byte) *memory.Buffer { return memory.NewBufferBytes(b) }
	switch kind {
	case Int:
		data = array.NewData(arrow.PrimitiveTypes.Int64, a.n, []*memory.Buffer{nil, buffer(arrow.Int64Traits.CastToBytes(a.ints))}, nil, 0, 0)
	case Date:
		data = array.NewData(arrow.FixedWidthTypes.Date32, a.n, []*memory.Buffer{nil, buffer(arrow.Int32Traits.CastToBytes(a.days))}, nil, 0, 0)
	default:
		data = array.NewData(arrow.BinaryTypes.Binary, a.n, []*memory.Buffer{nil, buffer(arrow.Int32Traits.CastToBytes(a.ends)), buffer(a.text)}, nil, 0, 0)
	}
	defer data.Release()
	return array.MakeFromData(data)
}

var jsonWalkers = sync.Pool{New: func() any { return new(jsonWalker) }}

func (t *jsonTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	w := jsonWalkers.Get().(*jsonWalker)
	defer w.free()
	w.reset(t)
	for i := range values.n {
		if !values.null(i) {
			if v := values.value(i); blank(v) {
				w.out = append(w.out, v...)
			} else if err := w.document(int32(i), v); err != nil {
				return nil, err
			}
		}
		w.ends = append(w.ends, len(w.out))
	}
	if err := w.maskArgs(mem); err != nil {
		return nil, err
	}
	defer w.releaseMasked()
	return w.splice(mem, &values)
}

// maskArgs lets each child mask what was collected for it.
func (w *jsonWalker) maskArgs(mem memory.Allocator) error {
	for c := range w.t.children {
		a := &w.args[c]
		if a.n == 0 {
			continue
		}
		child := &w.t.children[c]
		in := a.array(child.kind)
		masked, err := child.transform.Apply(mem, in)
		in.Release()
		if err != nil {
			w.releaseMasked()
			return w.at(c, err)
		}
		a.masked = masked
		if _, a.null = masked.(*array.Null); !a.null && child.kind == Text {
			a.texts = textsOf(masked)
		}
	}
	return nil
}

func (w *jsonWalker) releaseMasked() {
	for c := range w.args {
		if a := &w.args[c]; a.masked != nil {
			a.masked.Release()
			a.masked = nil
		}
	}
}

// at turns a child's argument in an error into the row of the document.
func (w *jsonWalker) at(child int, err error) error {
	var ve *ValueError
	if !errors.As(err, &ve) {
		return err
	}
	nth := ve.Row
	for _, h := range w.hits {
		if int(h.child) == child {
			if nth == 0 {
				return &ValueError{Row: int(h.row), Reason: fmt.Sprintf("path %s: %s", w.t.children[child].path, ve.Reason), Help: ve.Help}
			}
			nth--
		}
	}
	panic("masking: json: a child's error is in no row of its own")
}

// splice puts the masked values into the skeleton.
func (w *jsonWalker) splice(mem memory.Allocator, values *texts) (arrow.Array, error) {
	size := len(w.out)
	for c := range w.args {
		size += 2*len(w.args[c].text) + 24*w.args[c].n // an estimate
	}
	if len(w.out) > math.MaxInt32 {
		panic("masking: json: more than 2 GiB in one batch")
	}
	out := newTextBuilder(mem, values.n, size)
	from, next := 0, 0
	for i, end := range w.ends {
		if values.null(i) {
			out.null()
			continue
		}
		start := len(out.buf)
		for ; next < len(w.hits) && int(w.hits[next].row) == i; next++ {
			h := &w.hits[next]
			out.grow(h.at - from)
			out.buf = append(out.buf, w.out[from:h.at]...)
			from = h.at
			w.write(out, h)
		}
		out.grow(end - from)
		out.buf = append(out.buf, w.out[from:end]...)
		from = end
		if n := w.t.maxChars; n > 0 && len(out.buf)-start > n && utf8.RuneCount(out.buf[start:]) > n {
			out.drop()
			return nil, &ValueError{Row: i, Reason: fmt.Sprintf("the masked document is longer than the column allows (%d)", n), Help: "drop a path, or mask it by something shorter"}
		}
		out.end()
	}
	return out.finish(), nil
}

// write writes the next result of the hit's child.
func (w *jsonWalker) write(out *textBuilder, h *jsonHit) {
	a := &w.args[h.child]
	i := a.next
	a.next++
	out.grow(32)
	if a.null || a.masked.IsNull(i) {
		out.buf = append(out.buf, "null"...)
		return
	}
	switch h.form {
	case formInt, formIntString:
		v := a.masked.(*array.Int64).Value(i)
		out.buf = appendJSONInt(out.buf, v, h.form == formIntString)
	case formDate:
		out.buf = appendDay(out.buf, int32(a.masked.(*array.Date32).Value(i)))
	default:
		v := a.texts.value(i)
		if h.form == formScalar && bareJSON(v) {
			out.grow(len(v))
			out.buf = append(out.buf, v...)
			return
		}
		out.grow(jsonStringSize(v))
		out.buf = appendJSONString(out.buf, v)
	}
}
