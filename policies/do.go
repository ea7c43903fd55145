package policies

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// do reads a transform: a word, or one mapping whose first key names it.
func (r *reader) do(n *yaml.Node, what string) (Do, bool) {
	d := Do{At: at(n)}
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!str" && (n.Value == "keep" || n.Value == "drop" || n.Value == deriveWord) {
			d.Name = n.Value
			return d, true
		}
		r.fail(n, "write keep or derive, or a mapping like {shape: text}", "the do of %s is no transform", what)
		return d, false
	}
	fields := r.mapping(n, "the do of "+what)
	if len(fields) == 0 {
		if n.Kind == yaml.MappingNode {
			r.fail(n, "for example: {shape: text}", "the do of %s is empty", what)
		}
		return d, false
	}
	d.Name = fields[0].name
	if d.Name == "keep" || d.Name == "drop" {
		// {keep: false} and {keep: all, shape: text} say one thing and would do another.
		r.fail(n, "write do: "+d.Name, "the do of %s: %s is a word alone, without a value or parameters", what, d.Name)
		return d, false
	}
	ok := true
	if d.Name == deriveWord {
		if trigger, isText := r.text(fields[0].value, "the trigger of derive of "+what); isText {
			d.Variant = trigger
		} else {
			ok = false
		}
		for _, f := range fields[1:] {
			r.unknown(f, "derive", deriveWord)
			ok = false
		}
		return d, ok
	}
	switch first := fields[0].value; {
	case slices.Contains(documents, d.Name):
		d.Paths, ok = r.paths(d.Name, first, what)
	case d.Name == "each":
		d.Inner, ok = r.inner(first, what)
	case first.Tag != "!!null": // {lorem: } has no variant
		d.Variant, ok = r.value(first, d.Name)
	}
	for _, f := range fields[1:] {
		v, good := r.value(f.value, d.Name+"'s "+f.name)
		if d.Params == nil {
			d.Params = map[string]any{}
		}
		d.Params[f.name] = v
		ok = ok && good
	}
	return d, ok
}

// documents are the transforms that decide part by part: their value is a mapping of
// paths, or of names, to classes.
var documents = []string{"json", "xml", "fields"}

// inner reads what masks each element: a class, a class with a transform, or a transform.
func (r *reader) inner(n *yaml.Node, what string) (*PathRule, bool) {
	in := &PathRule{At: at(n)}
	before := len(r.errs)
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) > 0 && (n.Content[0].Value == "class" || n.Content[0].Value == "because"):
		c := r.longForm(n, ColumnRule{}, "each of "+what, false)
		in.Class, in.Do = c.Class, c.Do
	case n.Kind == yaml.MappingNode:
		if d, ok := r.do(n, "each of "+what); ok {
			in.Do = &d
		}
	default:
		class, ok := r.text(n, "each of "+what)
		if in.Class = class; ok && (class == "keep" || class == "drop") {
			r.fail(n, "keep the column itself, or null it", "each of %s cannot %s", what, class)
		}
	}
	return in, len(r.errs) == before
}

// paths reads the paths of a document, or the names of fields. The rest, "*", has to
// be decided too; the fields of a composite may all be named.
func (r *reader) paths(language string, n *yaml.Node, what string) ([]PathRule, bool) {
	const rest = `"*": drop`
	if n.Kind != yaml.MappingNode {
		example, of := "for example: {$.theme: public, "+rest+"}", "paths"
		switch language {
		case "xml":
			example = "for example: {/order/email: email, " + rest + "}"
		case "fields":
			example, of = "for example: {street: street, "+rest+"}", "names"
		}
		r.fail(n, example, "%s of %s must be a mapping of %s, not %s", language, what, of, describe(n))
		return nil, false
	}
	before, star := len(r.errs), language == "fields"
	paths := []PathRule{}
	for _, f := range r.mapping(n, language+" of "+what) {
		p := PathRule{Path: f.name, At: at(f.key)}
		star = star || f.name == "*"
		if language == "json" && f.name != "*" && !strings.HasPrefix(f.name, "$") {
			r.fail(f.key, "a path begins with $, as in $.contact.email; * is everything else", "%s is no path", named(r, f.key))
		}
		if f.value.Kind == yaml.MappingNode {
			c := r.longForm(f.value, ColumnRule{Name: f.name}, "path "+clip(f.name), false)
			p.Class, p.Do = c.Class, c.Do
		} else {
			p.Class, _ = r.text(f.value, "the class of path "+clip(f.name))
		}
		paths = append(paths, p)
	}
	if !star {
		r.fail(n, "add "+rest+": every path is either listed or dropped", `%s of %s does not say what happens to other paths, "*"`, language, what)
	}
	return paths, len(r.errs) == before
}

// checkPaths complains about classes that the parts of a transform name and that do
// not exist, or cannot stand there.
func (r *reader) checkPaths(d Do) {
	for _, p := range d.Paths {
		switch {
		case r.derives(p):
			r.failAt(Invalid, p.At, "mask the path, or drop it", "path %s: derive is for a whole column, which a trigger fills", clip(p.Path))
		case p.Do != nil:
			r.checkClass(p.Class, p.At)
			r.checkPaths(*p.Do)
			r.checkWithin(d.Name, p, p.Do.Name)
		case p.Class == "keep" || p.Class == "drop":
		case r.checkClass(p.Class, p.At):
			r.checkWithin(d.Name, p, r.p.Class(p.Class).Do.Name)
		}
	}
	if in := d.Inner; in != nil {
		if in.Class != "" && r.checkClass(in.Class, in.At) && in.Do == nil {
			if word := r.p.Class(in.Class).Do.Name; word == "keep" || word == "drop" || word == deriveWord {
				r.failAt(Invalid, in.At, "keep the column itself, or null it", "each cannot %s what is inside, as class %s does", word, in.Class)
			}
		}
		if in.Do != nil && in.Do.Name == deriveWord {
			r.failAt(Invalid, in.At, "write it for the column itself", "each cannot derive what is inside")
		} else if in.Do != nil {
			r.checkPaths(*in.Do)
		}
	}
	for _, pattern := range d.patterns() {
		if c := r.p.patternClass(pattern); c != nil && (c.Do.Name == "keep" || c.Do.Name == "drop" || c.Do.Name == deriveWord) {
			r.failAt(Invalid, d.At, "take "+pattern+" out of the list: what no pattern finds is left to else", "redact masks each hit as the class of its pattern does, and class %s does %s", c.Name, c.Do.Name)
		}
	}
}

// derives reports whether a part of a document is to be derived.
func (r *reader) derives(p PathRule) bool {
	if p.Do != nil {
		return p.Do.Name == deriveWord
	}
	c := r.p.Class(p.Class)
	return c != nil && c.Do.Name == deriveWord
}

// checkWithin complains about a document whose path is to be read as another of the
// same language: its paths belong into the outer one.
func (r *reader) checkWithin(language string, p PathRule, inner string) {
	if inner == language && language != "fields" {
		r.failAt(Invalid, p.At, "list the inner paths here", "path %s: a document within a document", clip(p.Path))
	}
}

// checkCycles complains about classes that are part of themselves.
func (r *reader) checkCycles() {
	const walking, done = 1, 2
	state := map[string]int{}
	var visit func(c *Class)
	var parts func(c *Class, d Do)
	follow := func(c *Class, name string) {
		next := r.p.Class(name)
		switch {
		case next == nil || state[name] == done:
		case state[name] == walking:
			r.in = c.From
			r.failAt(Invalid, c.At, "name another class there", "class %s holds class %s, of which it is a part itself", c.Name, name)
		default:
			visit(next)
		}
	}
	parts = func(c *Class, d Do) {
		rules := d.Paths
		if d.Inner != nil {
			rules = append(slices.Clone(rules), *d.Inner)
		}
		for _, p := range rules {
			if p.Do != nil {
				parts(c, *p.Do)
			} else {
				follow(c, p.Class)
			}
		}
		for _, pattern := range d.patterns() {
			if next := r.p.patternClass(pattern); next != nil {
				follow(c, next.Name)
			}
		}
	}
	visit = func(c *Class) {
		state[c.Name] = walking
		parts(c, c.Do)
		state[c.Name] = done
	}
	for _, c := range r.p.Classes {
		if state[c.Name] == 0 {
			visit(c)
		}
	}
	r.in = nil
}
