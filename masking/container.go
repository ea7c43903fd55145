package masking

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// container masks the values inside arrays, composites, ranges and hstores. It is immutable.
type container struct {
	what     string // for errors: "array"
	walk     func(w *containerWalker) (wrong string)
	write    splicer
	children []child
	most     limits

	rest   part            // each element or bound, each value of an hstore that keys does not name
	fields []part          // of a composite, in its order
	keys   map[string]part // of an hstore
}

// part is what becomes of one value inside: the number of the child that masks it, or one of these.
type part int

const (
	keepPart part = -1 - iota
	dropPart
)

// containerBinding makes a container.
type containerBinding struct {
	req    Request
	name   string // of the transform
	t      *container
	b      Binding
	pinned []string
}

func newContainerBinding(name string, req Request) *containerBinding {
	t := &container{most: limitsOf(req.Column)}
	switch req.Column.Kind {
	case Array:
		t.what, t.walk, t.write = "array", (*containerWalker).array, writeElement
	case Composite:
		t.what, t.walk, t.write = "composite", (*containerWalker).composite, writeField
	case Range:
		t.what, t.walk, t.write = "range", (*containerWalker).ranges, writeBounds
	case Hstore:
		t.what, t.walk, t.write = "hstore", (*containerWalker).hstore, writeHstore
	default:
		panic("masking: a container of kind " + req.Column.Kind.String())
	}
	return &containerBinding{req: req, name: name, t: t, b: Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, Injective: true, Reversible: true, KeepsNull: true, KeepsEmpty: true},
	}}
}

// part binds what masks a value inside, whose column is col; place names it.
func (c *containerBinding) part(place string, col Column, spec Spec) (part, error) {
	if spec.Name == "keep" || spec.Name == "drop" {
		if spec.Variant != nil || len(spec.Params) > 0 || len(spec.Paths) > 0 {
			return 0, &BindError{Reason: fmt.Sprintf("%s: %s takes no parameters", place, spec.Name)}
		}
		if spec.Name == "keep" {
			return keepPart, nil
		}
		if col.NotNull {
			return 0, &BindError{Reason: place + " is NOT NULL and cannot be dropped", Help: "use a constant"}
		}
		c.b.Guarantees.Injective, c.b.Guarantees.Reversible = false, false
		return dropPart, nil
	}
	outer := c.req.Column
	col.Table, col.Name = outer.Table, strings.TrimSpace(outer.Name+" "+place)
	col.Rows, col.Unique = outer.Rows, false
	col.Charset = max(col.Charset, outer.Charset) // of the two the narrower one
	if col.NarrowBits == 0 {
		col.NarrowBits = outer.NarrowBits
	}
	if spec.Domain == "" {
		spec.Domain = c.req.Spec.Domain
	}
	bound, err := c.req.Bind(col, spec)
	var complaint *BindError
	switch {
	case errors.As(err, &complaint):
		return 0, &BindError{Reason: place + ": " + complaint.Reason, Help: complaint.Help}
	case err != nil:
		return 0, fmt.Errorf("%s: %w", place, err)
	case bound.Transform == nil:
		return 0, &BindError{Reason: fmt.Sprintf("%s: %s masks several columns together, and %s is inside of one", place, spec.Name, place), Help: "mask it by a transform of its own value"}
	}
	g, inner := &c.b.Guarantees, bound.Guarantees
	g.Deterministic = g.Deterministic && inner.Deterministic
	g.Injective = g.Injective && inner.Injective
	g.Reversible = g.Reversible && inner.Reversible
	for _, w := range bound.Warnings {
		if w = place + ": " + w; !slices.Contains(c.b.Warnings, w) {
			c.b.Warnings = append(c.b.Warnings, w)
		}
	}
	if bound.Pinned != "" {
		c.pinned = append(c.pinned, place+" "+bound.Pinned)
	}
	c.t.children = append(c.t.children, child{place: place, column: col, transform: bound.Transform})
	return part(len(c.t.children) - 1), nil
}

// finish returns the binding.
func (c *containerBinding) finish() (Binding, error) {
	if c.req.Column.Unique && !c.b.Guarantees.Injective {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("%s cannot promise to keep the values of a unique column apart", c.name),
			Help:   "mask what is inside by a bijection (pseudonym)",
		}
	}
	c.b.Pinned = strings.Join(c.pinned, "; ")
	return c.b, nil
}

// containerWalker is the working space of one batch. A value is read from left to
// right; from is where the run of bytes begins that stay and are not copied yet.
type containerWalker struct {
	skeleton
	t    *container
	in   []byte
	pos  int
	from int
	text []byte // a value without its quotes and escapes
}

var containerWalkers = sync.Pool{New: func() any { return new(containerWalker) }}

func (w *containerWalker) free() {
	clear(w.text[:cap(w.text)])
	w.t, w.in = nil, nil
	if w.skeleton.free() {
		containerWalkers.Put(w)
	}
}

func (t *container) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	w := containerWalkers.Get().(*containerWalker)
	defer w.free()
	w.t = t
	w.reset(t.children)
	for i := range values.n {
		if values.null(i) {
			w.nullRow()
			continue
		}
		w.row, w.in, w.pos, w.from = int32(i), values.value(i), 0, 0
		start := len(w.out)
		if !blank(w.in) {
			var wrong string
			if nul := bytes.IndexByte(w.in, 0); nul >= 0 { // which the walkers take for the end
				w.pos = nul
				wrong = w.malformed()
			} else {
				wrong = t.walk(w)
			}
			if wrong != "" {
				return nil, &ValueError{Row: i, Reason: wrong, Help: "mask the column as a whole: null, or a constant"}
			}
		}
		w.endWith(w.in, w.from, start)
	}
	if err := w.mask(mem); err != nil {
		return nil, err
	}
	defer w.release()
	return w.splice(mem, &values, t.what, t.most, t.write)
}

// malformed says that the value is not what its column holds, and where that shows.
func (w *containerWalker) malformed() string {
	return fmt.Sprintf("the text is no %s as PostgreSQL prints it: byte %d of %d", w.t.what, min(w.pos, len(w.in)), len(w.in))
}

// cut copies what stays before start, and goes on behind end.
func (w *containerWalker) cut(start, end int) {
	w.out = append(w.out, w.in[w.from:start]...)
	w.from = end
}

// add adds a value for a child, or says what is wrong with it.
func (w *containerWalker) add(p part, form uint8, value []byte) (wrong string) {
	if !w.hit(int(p), form).add(value) {
		c := &w.t.children[p]
		return fmt.Sprintf("%s spells no value of kind %s", c.place, c.column.Kind)
	}
	return ""
}

// peek returns the byte at pos, or 0 at the end.
func (w *containerWalker) peek() byte {
	if w.pos < len(w.in) {
		return w.in[w.pos]
	}
	return 0
}

func (w *containerWalker) blanks() {
	for w.pos < len(w.in) && isSpace[w.in[w.pos]] {
		w.pos++
	}
}

// atEnd reports whether nothing but blanks follows.
func (w *containerWalker) atEnd() bool {
	w.blanks()
	return w.pos == len(w.in)
}

// byteSet tells which bytes belong to a set.
type byteSet = [256]bool

func setOf(set string) (t byteSet) {
	for _, c := range []byte(set) {
		t[c] = true
	}
	return t
}

const spaces = " \t\n\v\f\r"

var isSpace = setOf(spaces)

// anyIn reports whether a byte of v is in a set.
func anyIn(v []byte, set *byteSet) bool {
	for _, c := range v {
		if set[c] {
			return true
		}
	}
	return false
}

// appendUnescapedBackslashes appends v without the backslash before each escaped byte.
func appendUnescapedBackslashes(dst, v []byte) []byte {
	for {
		i := bytes.IndexByte(v, '\\')
		if i < 0 || i == len(v)-1 {
			return append(dst, v...)
		}
		dst = append(append(dst, v[:i]...), v[i+1])
		v = v[i+2:]
	}
}

// appendTail appends the result i of a child to out, and returns where it begins. There is
// room for its quotes and escapes.
func appendTail(out *textBuilder, r *results, i int) (from int) {
	out.grow(2*r.most(i) + 2)
	from = len(out.buf)
	out.buf = r.append(out.buf, i)
	return from
}

// quoteTail puts quotes around the end of buf from a place on, in its spare room, and a
// backslash before the quotes and backslashes in it; or doubles these.
func quoteTail(buf []byte, from int, double bool) []byte {
	extra := 2
	for _, c := range buf[from:] {
		if c == '"' || c == '\\' {
			extra++
		}
	}
	at := len(buf) + extra
	tail := buf[from:at]
	at = len(tail) - 1
	tail[at] = '"'
	for i := len(tail) - extra - 1; i >= 0; i-- {
		c := tail[i]
		at--
		tail[at] = c
		if c == '"' || c == '\\' {
			at--
			tail[at] = '\\'
			if double {
				tail[at] = c
			}
		}
	}
	tail[0] = '"'
	return buf[:from+len(tail)]
}
