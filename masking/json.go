package masking

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// jsonFactory makes {json: {PATH: …, "*": …}}: each path of a document (RFC 8259)
// is kept, dropped, or masked by a transform of its own, and `*` says what becomes
// of all that no path names.
//
// # Paths
//
// $ is the document, $.contact.email a member, $['odd key'] a member of any name
// (\' and \\ are escapes), $.items[*].name a member of each element, $.labels.* every
// member, and $..email a member at any depth. A key is compared after its escapes
// are read. The longest path that leads to a value, or to something around it,
// decides: with $.a: keep and $.a.b: drop all of a is kept but b. Of two paths to
// one value, the one that names a key where the other has a wildcard decides, and
// one with .. last; where that leaves it open, the policy does not bind.
//
// # What happens to a value
//
//   - keep: it stays byte for byte, with all that is inside.
//   - drop: it goes, with its key and its comma. Of a document that is dropped
//     whole, null remains. An object or array on the way to a path that is named
//     stays, if empty; with .. every one is on the way.
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
//   - If the transform does not take text but numbers, those that are not whole, and
//     those with a point, are masked as numeric, else as floats, and stay
//     numbers. An exponent is written out before.
//   - If the transform does not take text, strings that spell a number the way it
//     is printed are masked as one, and strings that spell a date or an instant
//     (2024-02-29, 2024-02-29T10:00:00Z) as that; they stay strings and keep their
//     form. If it takes dates and no timestamps, the time of day is kept. Booleans
//     are masked as such if it takes them. What fits none of these is dropped.
//
// All else stays as it is: white space, the order of keys, the spelling of numbers, and
// keys that stand twice. Blank text stays. A document that is not JSON, or is
// nested deeper than 1,000, is an error, unless malformed says what becomes of it.
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
		Params: []Param{
			{Name: "malformed", Summary: "what becomes of a document that is not JSON: fail (the default), null (the column's NULL), or drop (JSON's null)", Type: "string"},
		},
	}
}

func (jsonFactory) Bind(req Request) (Binding, error) {
	if err := refuseLabels("json", req.Column); err != nil {
		return Binding{}, err
	}
	malformed, err := malformedOf("json", req)
	if err != nil {
		return Binding{}, err
	}
	t := &jsonTransform{most: limitsOf(req.Column), malformed: malformed}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	var paths jsonPaths
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
		if err := paths.add(p.Path, keys, rule); err != nil {
			return Binding{}, err
		}
	}
	if t.rest == nil {
		return Binding{}, &BindError{Reason: "json does not say what becomes of the paths that it does not name", Help: `add the path "*": drop`}
	}
	if t.root, err = paths.root(); err != nil {
		return Binding{}, err
	}
	b.Pinned = strings.Join(pinned, "; ")
	return b, nil
}

// jsonRule is what becomes of the values at one path. It is immutable.
type jsonRule struct {
	action jsonAction
	// The children that mask strings and the rest, numbers that are whole, other
	// numbers, booleans, dates, and dates with a time; -1 is none.
	text, integer, number, boolean, date, instant int

	anywhere bool // the rule of *
}

func newJSONRule(action jsonAction) *jsonRule {
	return &jsonRule{action: action, text: -1, integer: -1, number: -1, boolean: -1, date: -1, instant: -1}
}

type jsonAction uint8

const (
	jsonDrop jsonAction = iota
	jsonKeep
	jsonMask
)

var dropRule = newJSONRule(jsonDrop)

func (t *jsonTransform) bind(req Request, p PathSpec, b *Binding, pinned *[]string) (*jsonRule, error) {
	rule := newJSONRule(jsonMask)
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
	note := func(to *[]string, s string) {
		if !slices.Contains(*to, s) {
			*to = append(*to, s)
		}
	}
	try := func(col Column, slot *int) error {
		col.Table, col.Name, col.Charset = req.Column.Table, req.Column.Name+" "+p.Path, req.Column.Charset
		bound, err := req.Bind(col, p.Spec)
		var complaint *BindError
		switch {
		case errors.As(err, &complaint):
			if first := len(complaints) == 0; first || !strings.Contains(complaint.Reason, "cannot mask a column of kind") {
				note(&complaints, complaint.Reason)
				help = complaint.Help
			}
			return nil
		case err != nil:
			return fmt.Errorf("path %s: %w", p.Path, err)
		case bound.Transform == nil:
			note(&complaints, "it masks several columns together, and a path is one")
			return nil
		}
		*slot = len(t.children)
		t.children = append(t.children, child{place: "path " + p.Path, column: col, transform: bound.Transform})
		b.Guarantees.Deterministic = b.Guarantees.Deterministic && bound.Guarantees.Deterministic
		for _, w := range bound.Warnings {
			note(&b.Warnings, fmt.Sprintf("path %s: %s", p.Path, w))
		}
		if bound.Pinned != "" {
			note(pinned, p.Path+" "+bound.Pinned)
		}
		return nil
	}
	for _, k := range []struct {
		col  Column
		slot *int
	}{
		{Column{Kind: Text, NarrowBits: req.Column.NarrowBits}, &rule.text},
		{Column{Kind: Int, Bits: 64, NarrowBits: req.Column.NarrowBits}, &rule.integer},
		{Column{Kind: Numeric}, &rule.number},
		{Column{Kind: Float, Bits: 64}, &rule.number},
		{Column{Kind: Bool}, &rule.boolean},
		{Column{Kind: Date}, &rule.date},
		{Column{Kind: Timestamp}, &rule.instant},
	} {
		if *k.slot >= 0 || rule.text >= 0 && k.col.Kind != Int {
			continue
		}
		if err := try(k.col, k.slot); err != nil {
			return nil, err
		}
	}
	if max(rule.text, rule.integer, rule.number, rule.boolean, rule.date, rule.instant) < 0 {
		return nil, &BindError{Reason: fmt.Sprintf("path %s: %s", p.Path, strings.Join(complaints, "; ")), Help: help}
	}
	return rule, nil
}

// jsonTransform masks documents by the rules of its paths. It is immutable.
type jsonTransform struct {
	root      *jsonNode
	rest      *jsonRule // of *
	children  []child
	most      limits
	malformed malformed
}

// malformed is what becomes of a document that cannot be read.
type malformed uint8

const (
	malformedFails malformed = iota
	malformedNull            // the column becomes NULL
	malformedDrops           // the document is dropped whole
)

// malformedOf reads the parameter malformed.
func malformedOf(name string, req Request) (malformed, error) {
	switch v := req.Spec.Params["malformed"]; v {
	case nil, "fail":
		return malformedFails, nil
	case "null":
		if req.Column.NotNull {
			return 0, &BindError{Reason: "a malformed document cannot become NULL: the column is NOT NULL", Help: "write malformed: drop"}
		}
		return malformedNull, nil
	case "drop":
		return malformedDrops, nil
	default:
		return 0, &BindError{Reason: fmt.Sprintf("%s: malformed is none of fail, null, drop", name), Help: `write malformed: fail, malformed: "null", or malformed: drop`}
	}
}

// jsonForm is how a masked value is written.
type jsonForm = uint8

const (
	formText   jsonForm = iota // a string
	formScalar                 // a number or boolean masked as text
	formBare                   // a number
	formBool                   // a boolean
	formQuoted                 // a number or an instant in a string
	formDate                   // ten characters inside a string
)

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
		w.row = int32(i)
		if values.null(i) {
			w.nullRow()
			continue
		}
		v := values.value(i)
		if blank(v) {
			w.out = append(w.out, v...)
			w.endRow()
			continue
		}
		start := len(w.out)
		err := w.document(v)
		switch {
		case err == nil:
		case t.malformed == malformedFails:
			return nil, err
		default:
			w.undo(start)
			if t.malformed == malformedNull {
				w.nullRow()
				continue
			}
			w.out = append(w.out, "null"...)
		}
		w.endRow()
	}
	if err := w.mask(mem); err != nil {
		return nil, err
	}
	defer w.release()
	return w.splice(mem, "document", t.most, writeJSON)
}

// writeJSON is the splicer of JSON.
func writeJSON(out *textBuilder, h *hit, r *results, i int) {
	out.grow(48)
	if r.isNull(i) {
		out.buf = append(out.buf, "null"...)
		return
	}
	switch h.form {
	case formDate:
		out.buf = r.append(out.buf, i)
	case formQuoted:
		if r.kind == Numeric {
			out.grow(len(r.texts.value(i)) + 2)
		}
		out.buf = append(r.append(append(out.buf, '"'), i), '"')
	case formBool:
		out.buf = strconv.AppendBool(out.buf, r.bools.Value(i))
	case formBare:
		if r.kind == Numeric {
			out.grow(len(r.texts.value(i)) + 4)
		}
		from := len(out.buf)
		out.buf = r.append(out.buf, i)
		if !bareJSON(out.buf[from:]) { // NaN
			out.buf = append(out.buf[:from], "null"...)
		}
	default:
		v := r.texts.value(i)
		if h.form == formScalar && bareJSON(v) {
			out.grow(len(v))
			out.buf = append(out.buf, v...)
			return
		}
		out.grow(jsonStringSize(v))
		out.buf = appendJSONString(out.buf, v)
	}
}
