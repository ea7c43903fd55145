package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// inside proposes what becomes of the parts of a value: of the elements of an array,
// the bounds of a range, the fields of a composite, the values of an hstore and, if
// samples showed them, the paths of a document. It returns nil if the column as a
// whole has to be decided.
func (d *draft) inside(col *column, g guess) *entry {
	switch col.col.Type.Kind {
	case catalog.Array, catalog.Range, catalog.Composite, catalog.Hstore:
		p := speller{guesser: d.graph.guesser}
		if text := p.spell(col.table.t, *col.col); text != "" {
			return &entry{inside: text, uses: p.uses}
		}
	case catalog.JSON, catalog.Text:
		if g.data == document {
			return d.document(col)
		}
	}
	return nil
}

// speller spells transforms of what has parts, and gathers the classes that they name.
type speller struct {
	guesser *guesser
	uses    []string
}

// spell returns what masks a column of any type that has parts, a class for one that
// has none, and "" where nobody knows.
func (p *speller) spell(t *catalog.Table, c catalog.Column) string {
	switch c.Type.Kind {
	case catalog.Array, catalog.Range:
		if c.Type.Element == nil {
			return ""
		}
		element := c
		element.Type, element.NotNull = *c.Type.Element, false
		inner := p.spell(t, element)
		if inner == "" || inner == "keep" {
			return ""
		}
		return "{each: " + p.nest(inner) + "}"
	case catalog.Hstore:
		return `{fields: {"*": drop}}`
	case catalog.Composite:
		return p.fields(c)
	}
	one := &catalog.Table{ID: t.ID, Columns: []catalog.Column{c}}
	if p.guesser.view(t).person {
		// What a table of people lists is told of people.
		one.Columns = append(slices.Clone(t.Columns), c)
	}
	g := p.fresh().guess(one, &one.Columns[len(one.Columns)-1])
	switch {
	case g.sure && g.class == Public:
		return "keep"
	case g.sure:
		return p.use(g.class)
	}
	return ""
}

// fields spells a composite: each field by its own name, in a table of the column's.
// What nobody knows is suppressed.
func (p *speller) fields(c catalog.Column) string {
	t := &catalog.Table{ID: catalog.TableID{Name: c.Name}}
	for _, f := range c.Type.Fields {
		t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: f.Type})
	}
	var all []string
	for _, f := range t.Columns {
		inner := p.spell(t, f)
		if inner == "" {
			inner = p.use(suppressed)
		}
		all = append(all, spell(f.Name)+": "+p.nest(inner))
	}
	if len(all) == 0 {
		return ""
	}
	return "{fields: {" + strings.Join(all, ", ") + "}}"
}

// nest spells what stands inside of another transform: one that is not a class needs
// one for what it does not give a class itself.
func (p *speller) nest(inner string) string {
	if !strings.HasPrefix(inner, "{") {
		return inner
	}
	return fmt.Sprintf("{class: %s, do: %s, because: \"part by part\"}", p.use(freeText), inner)
}

func (p *speller) use(class string) string {
	if !slices.Contains(p.uses, class) {
		p.uses = append(p.uses, class)
	}
	return class
}

// fresh returns a guesser for tables that are none.
func (p *speller) fresh() *guesser {
	return &guesser{people: p.guesser.people, views: map[*catalog.Table]*reading{}}
}

// mostLines is how many paths of one document a proposal lists; the rest is dropped.
const mostLines = 40

// document proposes the paths that samples showed. What no path names is dropped.
func (d *draft) document(col *column) *entry {
	paths := d.graph.guesser.paths(col.table.t, col.col)
	if len(paths) == 0 || len(paths) > mostLines {
		return nil
	}
	e := &entry{}
	var all []string
	for _, path := range paths {
		outcome := path.Class
		switch outcome {
		case Public:
			outcome = "keep"
		case "birth_date", "age", "salary", "coordinates", "geo_point", "mac", document, "special", suppressed:
			outcome = "drop" // their transforms want values of one kind, and a document promises none
		default:
			e.uses = append(e.uses, outcome)
		}
		all = append(all, fmt.Sprintf("%s: %s", spell(path.Path), outcome))
	}
	e.inside = "{json: {" + strings.Join(append(all, `"*": drop`), ", ") + "}}"
	return e
}
