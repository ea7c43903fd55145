package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/masking"
)

// bearer is where texts of a class stand: the columns that keys and links tie together,
// or a path of a document.
type bearer struct {
	name string // the column, and the path in it
	spec masking.Spec
	text masking.Column // what decides about the mask beside the limits: Equality, Unique
	path bool
}

// joinWarnings finds classes whose texts are masked in two ways, since no key ties the
// columns together of which one folds the case, or is unique, and the other does not.
func (c *compiler) joinWarnings() []string {
	byClass := map[string][]bearer{}
	for _, b := range c.bearers() {
		key := alikeKey(b.spec)
		byClass[key] = append(byClass[key], b)
	}
	var warnings []string
	for _, key := range slices.Sorted(maps.Keys(byClass)) {
		if parts := c.apart(byClass[key]); len(parts) > 1 {
			warnings = append(warnings, c.joinWarning(parts))
		}
	}
	return warnings
}

// kindWarnings finds classes of which columns hold texts, and others numbers, where a
// transform masks a number otherwise as a text: fake account, pseudonym code.
func (c *compiler) kindWarnings() []string {
	type ends struct{ text, number *bearer }
	byClass := map[string]*ends{}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			if !col.bound || col.binding.Transform == nil || col.atRun {
				continue
			}
			m := c.maskingColumn(col)
			b := &bearer{name: col.group.end().id().String(), spec: c.finalSpec(col), text: m}
			b.text.Table, b.text.Name = "", ""
			key := alikeKey(b.spec)
			if byClass[key] == nil {
				byClass[key] = &ends{}
			}
			switch e := byClass[key]; {
			case m.Kind == masking.Text && m.Labels == nil && e.text == nil:
				e.text = b
			case (m.Kind == masking.Int || m.Kind == masking.Numeric) && e.number == nil:
				e.number = b
			}
		}
	}
	var warnings []string
	for _, key := range slices.Sorted(maps.Keys(byClass)) {
		e := byClass[key]
		if e.text == nil || e.number == nil {
			continue
		}
		if class := c.p.Class(c.classOf(e.text.spec)); class != nil && class.Kind == "free_text" {
			continue // nobody joins by it
		}
		if maskAlike(c.masked(*e.text, numerals), c.masked(*e.number, numerals)) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("class %s by %s: a number is masked differently as a text (%s) and as a number (%s), and these do not join; give the columns one type at the source, or classes of their own",
			c.classOf(e.text.spec), e.text.spec.Name, e.text.name, e.number.name))
	}
	return warnings
}

// numerals are what a text and a number may both be.
var numerals = []string{"7", "42", "4711", "80331", "1234567", "123456789"}

// bearers returns the bearers of all classes but those of free text, which nobody joins by.
func (c *compiler) bearers() (all []bearer) {
	seen := map[*group]bool{}
	add := func(b bearer) {
		if class := c.p.Class(c.classOf(b.spec)); class == nil || class.Kind != "free_text" {
			all = append(all, b)
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			if !col.bound {
				continue
			}
			spec := c.finalSpec(col)
			for _, p := range spec.Paths {
				if spec.Name != "fields" {
					add(bearer{name: col.id().String() + " " + p.Path, spec: p.Spec, text: masking.Column{Kind: masking.Text, Equality: p.Spec.Equality}, path: true})
				}
			}
			if kindOf(col.col.Type) == masking.Text && col.binding.Transform != nil && !col.atRun && !seen[col.group] {
				seen[col.group] = true
				m := c.maskingColumn(col)
				add(bearer{name: col.group.end().id().String(), spec: spec, text: masking.Column{Kind: masking.Text, Equality: m.Equality, Unique: m.Unique}})
			}
		}
	}
	return all
}

// classOf returns the name of the class that a transform is of.
func (c *compiler) classOf(s masking.Spec) string {
	return strings.TrimPrefix(s.Domain, c.p.scope()+"/")
}

// apart returns the bearers of one class in parts of which each masks alike. The transform is
// asked once for all whose texts are compared alike.
func (c *compiler) apart(bearers []bearer) (parts [][]bearer) {
	type way struct {
		equality masking.Equality
		unique   bool
	}
	var ways []way
	by := map[way][]bearer{}
	for _, b := range bearers {
		w := way{b.text.Equality, b.text.Unique}
		if by[w] == nil {
			ways = append(ways, w)
		}
		by[w] = append(by[w], b)
	}
	if len(ways) < 2 {
		return nil
	}
	examples := c.examples(bearers[0].spec)
	var masks [][]*string
next:
	for _, w := range ways {
		mask := c.masked(by[w][0], examples)
		for i := range parts {
			if maskAlike(masks[i], mask) {
				parts[i] = append(parts[i], by[w]...)
				continue next
			}
		}
		parts, masks = append(parts, by[w]), append(masks, mask)
	}
	return parts
}

// maskAlike reports whether examples are masked alike. What one of both refuses tells nothing.
func maskAlike(a, b []*string) bool {
	for i := range a {
		if a[i] != nil && b[i] != nil && *a[i] != *b[i] {
			return false
		}
	}
	return true
}

// masked masks texts one by one; nil is one that the transform refuses.
func (c *compiler) masked(b bearer, texts []string) []*string {
	out := make([]*string, len(texts))
	show := func(from, to int) error {
		shown, err := c.reg.Show(c.key, masking.Sample{Spec: b.spec, Column: b.text, Values: texts[from:to]})
		for i := range shown.Masked {
			out[from+i] = &shown.Masked[i]
		}
		return err
	}
	if show(0, len(texts)) != nil {
		for i := range texts {
			_ = show(i, i+1)
		}
	}
	return out
}

// examples are texts that the transform is for, as they are, in capitals, in small letters
// and with marks.
func (c *compiler) examples(s masking.Spec) (texts []string) {
	f := c.reg.Factory(s.Name)
	if f == nil {
		return nil // keep and drop, of paths
	}
	marks := strings.NewReplacer("i", "í", "o", "ó", "u", "ü")
	for _, sample := range f.Describe().Samples {
		if sample.Column.Kind != masking.Text || fmt.Sprint(sample.Spec.Variant) != fmt.Sprint(s.Variant) {
			continue
		}
		for _, v := range sample.Values {
			texts = append(texts, v, strings.ToUpper(v), strings.ToLower(v), marks.Replace(v))
		}
	}
	return texts
}

// joinWarning says which bearers do not join, and what to do about it.
func (c *compiler) joinWarning(parts [][]bearer) string {
	spec := parts[0][0].spec
	unique, equal, paths := false, false, false
	for _, part := range parts {
		unique = unique || part[0].text.Unique != parts[0][0].text.Unique
		equal = equal || part[0].text.Equality != parts[0][0].text.Equality
		paths = paths || slices.ContainsFunc(part, func(b bearer) bool { return b.path })
	}
	words := make([]string, len(parts))
	for i, part := range parts {
		names := make([]string, len(part))
		for j, b := range part {
			names[j] = b.name
		}
		words[i] = some(names)
		if unique && part[0].text.Unique {
			words[i] += " as a unique column"
		}
		if equal {
			words[i] += " compared " + comparison(part[0].text.Equality)
		}
	}
	var help []string
	if unique && c.takesUnique(spec) {
		help = append(help, "set unique: true on the class")
	}
	if !paths || len(help) == 0 {
		help = append(help, "link the columns")
	}
	return fmt.Sprintf("class %s by %s: texts that no key ties together are masked differently (%s) and do not join; %s",
		c.classOf(spec), spec.Name, strings.Join(words, "; "), strings.Join(help, ", or "))
}

// comparison says how texts are compared.
func comparison(e masking.Equality) string {
	if e == 0 {
		return "by bytes"
	}
	return e.String()
}

// takesUnique reports whether the transform keeps values apart where it is told to.
func (c *compiler) takesUnique(s masking.Spec) bool {
	if s.Params["unique"] != nil {
		return false
	}
	with := s
	with.Params = maps.Clone(s.Params)
	if with.Params == nil {
		with.Params = map[string]any{}
	}
	with.Params["unique"] = true
	b, err := c.reg.Bind(c.key, masking.Column{Kind: masking.Text}, with, nil)
	return err == nil && b.Guarantees.Injective
}
