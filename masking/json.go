package masking

import (
	"bytes"
	"strconv"
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
//     stays, if empty; one whose key no path names (with .. or .* it is on the way,
//     whatever its key) goes with its key, unless something in it stays.
//   - A transform masks strings, numbers and booleans; null stays null. An object or
//     array where a named path expects such a value is dropped: nothing passes
//     because it was not foreseen. Paths that go on inside it still hold.
//   - A transform at `*` masks every value that no path names, at any depth; the
//     objects and arrays around them stay, and so do their keys. Only `*: drop`
//     removes keys that nobody named, save those around what .. or .* finds.
//
// # How a value reaches its transform
//
//   - A string is unescaped, masked as text, and escaped again; a lone surrogate
//     counts as U+FFFD. So what is equal in a column is equal in a document.
//   - A number that is whole (42, 42.0) is masked as an integer of 64 bits, if the
//     transform takes integers (pseudonym id): so keys in documents join with keys in
//     columns. Column.NarrowBits is passed on.
//   - Other numbers, and those with a point, are masked as numeric, else as floats, if
//     the transform takes these (noise), and stay numbers. An exponent is
//     written out before.
//   - What is left of numbers, and booleans, is masked as its text, and becomes a string
//     unless the result is a number or a boolean.
//   - If the transform does not take text, booleans are masked as such, if it takes
//     them; strings that spell a number the way it is printed are masked as one,
//     and strings that spell a boolean, a date or an instant (2024-02-29,
//     2024-02-29T10:00:00Z) as that. They stay strings and keep their form. If the
//     transform takes dates and no timestamps, the time of day is kept. What fits none
//     of these is dropped.
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
	d, err := bindDocument("json", req, parseJSONPath, false)
	if err != nil {
		return Binding{}, err
	}
	d.b.Transform = &jsonTransform{document: d.document}
	return d.b, nil
}

// jsonTransform masks documents of JSON. It is immutable.
type jsonTransform struct{ document }

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
	if err := t.walk(&w.skeleton, &values, "null", w.document); err != nil {
		return nil, err
	}
	if err := w.mask(mem); err != nil {
		return nil, err
	}
	defer w.release()
	out, err := w.splice(mem, &values, "document", t.most, writeJSON)
	if err != nil {
		return nil, err
	}
	return t.spelt(mem, &values, out, spellJSON), nil
}

// writeJSON is the splicer of JSON.
func writeJSON(out *textBuilder, h *hit, r *results, i int) {
	if r.isNull(i) {
		out.grow(len("null"))
		out.buf = append(out.buf, "null"...)
		return
	}
	switch h.form {
	case formDate:
		out.grow(r.most(i))
		out.buf = r.append(out.buf, i)
	case formQuoted:
		if r.kind == Bool {
			out.grow(len(`"false"`))
			out.buf = append(strconv.AppendBool(append(out.buf, '"'), r.bools.Value(i)), '"')
			return
		}
		out.grow(r.most(i) + 2)
		out.buf = append(r.append(append(out.buf, '"'), i), '"')
	case formBool:
		out.grow(len("false"))
		out.buf = strconv.AppendBool(out.buf, r.bools.Value(i))
	case formBare:
		out.grow(r.most(i) + len("null"))
		from := len(out.buf)
		out.buf = r.append(out.buf, i)
		if !bareJSON(out.buf[from:]) { // NaN
			out.buf = append(out.buf[:from], "null"...)
		}
	default:
		v := r.texts.value(i)
		if h.form == formScalar && bareJSON(v) && !exponential(v) {
			out.grow(len(v))
			out.buf = append(out.buf, v...)
			return
		}
		out.grow(jsonStringSize(v))
		out.buf = appendJSONString(out.buf, v)
	}
}

// exponential reports whether a number has an exponent. What masks a number as a text
// makes no such number: 0e931268 is a token that looks like one.
func exponential(v []byte) bool { return v[0] < 'A' && bytes.ContainsAny(v, "eE") }
