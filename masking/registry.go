package masking

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Registry finds factories by name.
type Registry struct {
	factories map[string]Factory
}

// NewRegistry returns a registry of the given factories. Two of the same name are a
// mistake of the program, and panic.
func NewRegistry(factories ...Factory) *Registry {
	r := &Registry{factories: make(map[string]Factory, len(factories))}
	for _, f := range factories {
		name := f.Describe().Name
		if r.factories[name] != nil {
			panic("masking: two factories named " + name)
		}
		r.factories[name] = f
	}
	return r
}

// Names returns the names of all factories, sorted.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.factories))
	for n := range r.factories {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Factory returns the factory of that name, or nil.
func (r *Registry) Factory(name string) Factory { return r.factories[name] }

// Bind finds the factory of spec, checks what can be checked from its
// description, derives the sub-key and binds. row may be nil (see Request.Row).
func (r *Registry) Bind(key *Key, col Column, spec Spec, row *Row) (Binding, error) {
	f := r.factories[spec.Name]
	if f == nil {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("there is no transform %q", spec.Name),
			Help:   "the transforms are: " + strings.Join(r.Names(), ", "),
		}
	}
	d := f.Describe()
	if err := d.check(col, spec); err != nil {
		return Binding{}, err
	}
	if spec.NarrowBits > 0 {
		col.NarrowBits = spec.NarrowBits
	}
	if col.Kind == Text {
		col.Equality |= spec.Equality
	}
	req := Request{
		Column: col,
		Spec:   spec,
		Key:    key.Subkey(spec.Domain, d.Name, d.Version),
		Bind: func(c Column, s Spec) (Binding, error) {
			return r.Bind(key, c, s, nil)
		},
		Row: row,
	}
	if row != nil {
		req.BindPeer = func(p Peer) (Binding, error) {
			return r.Bind(key, p.Column, p.Spec, row.seenFrom(p, Peer{Column: col, Spec: spec}))
		}
	}
	b, err := f.Bind(req)
	b.UTF8 = col.Kind.text() && col.Charset != ASCII && !d.Valueless
	return b, err
}

// seenFrom returns the row as one of its peers sees it: with own as a peer.
func (row *Row) seenFrom(peer, own Peer) *Row {
	seen := *row
	seen.Peers = []Peer{own}
	for _, p := range row.Peers {
		if p.Column.Name != peer.Column.Name {
			seen.Peers = append(seen.Peers, p)
		}
	}
	return &seen
}

func (d Description) check(col Column, spec Spec) error {
	if d.Kinds != nil && !slices.Contains(d.Kinds, col.Kind) {
		var kinds []string
		for _, k := range d.Kinds {
			kinds = append(kinds, k.String())
		}
		return &BindError{
			Reason: fmt.Sprintf("%s cannot mask a column of kind %s", d.Name, col.Kind),
			Help:   fmt.Sprintf("%s takes %s", d.Name, strings.Join(kinds, ", ")),
		}
	}
	if col.Equality&FoldUnknown != 0 && !d.Valueless {
		return &BindError{
			Reason: fmt.Sprintf("%s goes by the value, and which values of the column are equal only the database knows", d.Name),
			Help:   "use constant or null; or give the column a collation whose rules are known (deterministic, or case- or accent-insensitive)",
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Params)) {
		i := slices.IndexFunc(d.Params, func(p Param) bool { return p.Name == name })
		if i < 0 {
			var known []string
			for _, p := range d.Params {
				known = append(known, p.Name)
			}
			help := d.Name + " takes no parameters"
			if len(known) > 0 {
				help = fmt.Sprintf("%s takes %s", d.Name, strings.Join(known, ", "))
			}
			return &BindError{Reason: fmt.Sprintf("%s has no parameter %q", d.Name, name), Help: help}
		}
		if p := d.Params[i]; !p.takes(spec.Params[name]) {
			return &BindError{
				Reason: fmt.Sprintf("%s: the parameter %q must be of type %s", d.Name, name, p.Type),
				Help:   name + ": " + p.Summary,
			}
		}
	}
	for _, p := range d.Params {
		if _, set := spec.Params[p.Name]; p.Required && !set {
			return &BindError{Reason: fmt.Sprintf("%s needs the parameter %q", d.Name, p.Name), Help: p.Summary}
		}
	}
	if len(d.Variants) > 0 {
		v := spec.variant()
		_, isText := spec.Variant.(string)
		if named := slices.Contains(d.Named, v); named == isText || !slices.Contains(d.Variants, v) {
			if named {
				return &BindError{Reason: fmt.Sprintf("%s %s needs a name", d.Name, v), Help: fmt.Sprintf("write {%s: {%s: NAME}}", d.Name, v)}
			}
			reason := fmt.Sprintf("%s has no variant %v", d.Name, spec.Variant)
			if spec.Variant == nil {
				reason = d.Name + " needs a variant"
			}
			return &BindError{
				Reason: reason,
				Help:   fmt.Sprintf("the variants of %s are %s", d.Name, strings.Join(d.Variants, ", ")),
			}
		}
	}
	return nil
}

// variant returns the name of the variant, be it written as a text or as a mapping
// of its name to another one; "" if it is written otherwise.
func (s Spec) variant() string {
	switch v := s.Variant.(type) {
	case string:
		return v
	case map[string]any:
		for name, value := range v {
			if _, isText := value.(string); isText && len(v) == 1 {
				return name
			}
		}
	}
	return ""
}

// takes reports whether v is of the parameter's type.
func (p Param) takes(v any) bool {
	switch p.Type {
	case "int":
		_, ok := v.(int64)
		return ok
	case "float":
		switch v.(type) {
		case int64, float64:
			return true
		}
		return false
	case "string", "column":
		_, ok := v.(string)
		return ok
	case "bool":
		_, ok := v.(bool)
		return ok
	case "bool or string":
		switch v.(type) {
		case bool, string:
			return true
		}
		return false
	case "list":
		_, ok := v.([]any)
		return ok
	case "map":
		_, ok := v.(map[string]any)
		return ok
	}
	panic("masking: a parameter of type " + p.Type)
}

// Standard returns the registry of every transform of this package.
func Standard() *Registry {
	return NewRegistry(
		nullFactory{},
		constantFactory{},
		tokenFactory{},
		pseudonymFactory{},
		shiftFactory{},
		fakeFactory{},
		noiseFactory{},
		bucketFactory{},
		capFactory{top: true},
		capFactory{},
		permuteFactory{},
		dayFactory{},
		generalizeFactory{},
		coordinatesFactory{},
		truncateFactory{},
		shapeFactory{},
		redactFactory{},
		loremFactory{},
		prefixFactory{},
		cutFactory{},
		jsonFactory{},
		xmlFactory{},
		eachFactory{},
		fieldsFactory{},
		passwordFactory{},
		personFactory{},
		placeFactory{},
		shuffleFactory{},
	)
}
