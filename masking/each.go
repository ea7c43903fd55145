package masking

import (
	"fmt"
	"strings"
)

// eachFactory makes {each: DO}: what stands inside a value is masked one by one, each as
// a column of its kind would be. So {each: {pseudonym: id}} on an array of integers
// joins with {pseudonym: id} on a column of integers in the same domain.
//
//   - Array: each element, in every dimension. NULLs, the shape and explicit bounds stay.
//   - Range, multirange: each bound. Bounds that are not there stay so, and the smaller
//     of two masked bounds becomes the lower one; bounds that have become equal
//     belong to the range. Only a shift keeps the length of a range and what
//     overlaps what. PostgreSQL joins the ranges of a multirange that
//     overlap.
//   - Hstore: each value. The keys stay; NULLs too.
//   - Composite: each field, if the transform takes the kinds of all. Else use fields.
//
// A value that is not in the form that PostgreSQL prints is an error.
type eachFactory struct{}

func (eachFactory) Describe() Description {
	return Description{
		Name:    "each",
		Version: 1,
		Summary: "Masks each element of an array, bound of a range, value of an hstore or field of a composite, as a column of its kind.",
		Kinds:   []Kind{Array, Composite, Range, Hstore},
		Value:   "what masks each of them",
		Samples: []Sample{
			{Spec: eachOf(Spec{Name: "pseudonym", Variant: "id"}), Column: Column{Kind: Array, Element: &Column{Kind: Int, Bits: 32}}, Values: []string{"{1,2}", "{2,NULL,3}", "{}"}},
			{Spec: eachOf(Spec{Name: "shift_days", Variant: int64(30)}), Column: Column{Kind: Range, Element: &Column{Kind: Date}}, Values: []string{"[2024-02-01,2024-02-29)", "(,2024-02-29)", "empty"}},
			{Spec: eachOf(Spec{Name: "shape", Variant: "text"}), Column: Column{Kind: Hstore}, Values: []string{`"name"=>"Mary Smith"`, `"name"=>NULL, "phone"=>"555 0123"`, ""}},
		},
	}
}

// eachOf is the spec of {each: inner}.
func eachOf(inner Spec) Spec { return Spec{Name: "each", Inner: &inner} }

func (eachFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	if req.Spec.Inner == nil {
		return Binding{}, &BindError{Reason: "each does not say what masks the elements", Help: "write {each: {pseudonym: id}}"}
	}
	inner := *req.Spec.Inner
	if inner.Name == "keep" || inner.Name == "drop" {
		return Binding{}, &BindError{Reason: "each cannot " + inner.Name + " what is inside", Help: "keep the column, or use null; with fields, parts of it can be kept or dropped"}
	}
	c := newContainerBinding("each", req)
	if col.Kind == Composite {
		if len(col.Fields) == 0 {
			return Binding{}, &BindError{Reason: "the fields of the composite are not known", Help: "use null"}
		}
		for _, f := range col.Fields {
			p, err := c.part("field "+f.Name, f, inner)
			if err != nil {
				return Binding{}, err
			}
			c.t.fields = append(c.t.fields, p)
		}
		return c.finish()
	}
	element, place := Column{Kind: Text}, "value"
	switch {
	case col.Element != nil:
		element = *col.Element
	case col.Kind != Hstore:
		return Binding{}, &BindError{Reason: fmt.Sprintf("what is inside of the %s is of no kind that can be masked", col.Kind), Help: "use null"}
	}
	switch col.Kind {
	case Array:
		if place = "element"; element.Kind == Opaque {
			return Binding{}, &BindError{Reason: "the elements are of no kind that can be masked", Help: "use null"}
		}
	case Range:
		if place = "bound"; !ordered(element.Kind) {
			return Binding{}, &BindError{Reason: fmt.Sprintf("each does not know the order of bounds of kind %s", element.Kind), Help: "use null"}
		}
		// The ranges of a multirange may be joined.
		c.b.Guarantees.Injective, c.b.Guarantees.Reversible = false, false
	}
	var err error
	if c.t.rest, err = c.part(place, element, inner); err != nil {
		return Binding{}, err
	}
	if col.Kind == Hstore {
		c.b.Warnings = append(c.b.Warnings, "the keys of the hstore stay as they are, what stands in them tomorrow too")
	}
	return c.finish()
}

// fieldsFactory makes {fields: {NAME: …, "*": …}}: each field of a composite, and each key
// of an hstore, is kept, dropped, or masked by a transform of its own, as a
// column of its kind would be.
//
// A field that is dropped becomes NULL; a key that is dropped goes with its value. `*` says
// what becomes of all that are not named; it may be left out where every field of a
// composite is.
type fieldsFactory struct{}

func (fieldsFactory) Describe() Description {
	composite := Column{Kind: Composite, Fields: []Column{{Name: "street", Kind: Text}, {Name: "city", Kind: Text}}}
	return Description{
		Name:    "fields",
		Version: 1,
		Summary: "Masks the fields of a composite, or the values of an hstore, name by name; what is not named falls to *.",
		Kinds:   []Kind{Composite, Hstore},
		Value:   "names, and what masks them",
		Samples: []Sample{
			{Spec: fieldsOf("street", Spec{Name: "shape", Variant: "text"}, "*", Spec{Name: "keep"}), Column: composite, Values: []string{`("1 Main Street",Springfield)`, `("5 Elm Road",)`, "(,)"}},
			{Spec: fieldsOf("email", Spec{Name: "fake", Variant: "email"}, "*", Spec{Name: "drop"}), Column: Column{Kind: Hstore}, Values: []string{`"email"=>"mary@corp.example", "note"=>"call"`, `"email"=>NULL`, `"note"=>"none"`}},
		},
	}
}

// fieldsOf is the spec of {fields: {name: spec, name: spec, …}}.
func fieldsOf(pairs ...any) Spec {
	s := Spec{Name: "fields"}
	for i := 0; i < len(pairs); i += 2 {
		s.Paths = append(s.Paths, PathSpec{Path: pairs[i].(string), Spec: pairs[i+1].(Spec)})
	}
	return s
}

func (fieldsFactory) Bind(req Request) (Binding, error) {
	specs := map[string]Spec{}
	for _, p := range req.Spec.Paths {
		if _, twice := specs[p.Path]; twice {
			return Binding{}, &BindError{Reason: fmt.Sprintf("the name %s stands twice", p.Path)}
		}
		specs[p.Path] = p.Spec
	}
	rest, given := specs["*"]
	c := newContainerBinding("fields", req)
	if given && rest.Name == "keep" {
		c.b.Warnings = append(c.b.Warnings, "all that is not named is kept, what comes tomorrow too")
	}
	noRest := &BindError{Reason: "fields does not say what becomes of those that it does not name", Help: `add "*": drop`}
	if req.Column.Kind == Composite {
		return c.bindFields(specs, rest, given, noRest)
	}
	if !given {
		return Binding{}, noRest
	}
	if rest.Name != "keep" && rest.Name != "drop" {
		c.b.Warnings = append(c.b.Warnings, "keys that are not named stay as they are, and may tell as much as their values")
	}
	value := Column{Kind: Text}
	if req.Column.Element != nil {
		value = *req.Column.Element
	}
	c.t.keys = map[string]part{}
	for _, p := range req.Spec.Paths {
		place := "key " + p.Path
		if p.Path == "*" {
			place = "other keys"
		}
		bound, err := c.part(place, value, p.Spec)
		if err != nil {
			return Binding{}, err
		}
		if p.Path == "*" {
			c.t.rest = bound
			continue
		}
		c.t.keys[p.Path] = bound
	}
	return c.finish()
}

// bindFields binds the fields of a composite.
func (c *containerBinding) bindFields(specs map[string]Spec, rest Spec, given bool, noRest error) (Binding, error) {
	fields := c.req.Column.Fields
	if len(fields) == 0 {
		return Binding{}, &BindError{Reason: "the fields of the composite are not known", Help: "use null"}
	}
	var names []string
	for _, f := range fields {
		spec, named := specs[f.Name]
		if !named {
			if !given {
				return Binding{}, noRest
			}
			spec = rest
		}
		p, err := c.part("field "+f.Name, f, spec)
		if err != nil {
			return Binding{}, err
		}
		c.t.fields = append(c.t.fields, p)
		names = append(names, f.Name)
		delete(specs, f.Name)
	}
	delete(specs, "*")
	for _, p := range c.req.Spec.Paths {
		if _, left := specs[p.Path]; left {
			return Binding{}, &BindError{Reason: fmt.Sprintf("the composite has no field %q", p.Path), Help: "its fields are " + strings.Join(names, ", ")}
		}
	}
	return c.finish()
}
