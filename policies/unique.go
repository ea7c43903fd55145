package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// group is the columns that are masked alike: those that keys, links and parents
// tie together. What a transform fits to is the narrowest of them, so that equal
// values come out equal everywhere, and what is equal to it what any of them
// calls equal.
type group struct {
	members []*column
	limits  masking.Column // of all members, see narrow
	unknown *column        // compares in a way that we cannot follow; nil if none does
	unique  bool           // a unique key of one column stands on a member, or one of several needs it, see strengthen
	rows    int64          // of the largest table
}

// group ties the columns together along the edges, except where a column is nulled
// and its other end is not.
func (c *compiler) group() {
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			if col.group == nil {
				col.group = &group{members: []*column{col}}
			}
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			for _, e := range col.edges {
				a, b := col.decision, e.to.decision
				if a == nil || b == nil || a.nulls() != b.nulls() || col.table.drop || e.to.table.drop {
					continue
				}
				join(col.group, e.to.group)
			}
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			col.group.measure(col)
		}
	}
}

// join moves the members of the smaller group to the larger.
func join(g, h *group) {
	if g == h {
		return
	}
	if len(g.members) < len(h.members) {
		g, h = h, g
	}
	g.members = append(g.members, h.members...)
	for _, m := range h.members {
		m.group = g
	}
}

func (g *group) measure(col *column) {
	m := columnOf(col.col.Type)
	for _, r := range col.table.t.Rules {
		for _, p := range r.Parts {
			if p.Column == col.col.Name && p.Operator == "" {
				m.Equality |= equalityOf(p.Equality)
				g.unique = g.unique || len(r.Parts) == 1
			}
		}
	}
	if m.Equality&masking.FoldUnknown != 0 {
		g.unknown = col
	}
	g.limits = narrow(g.limits, m)
	g.unique = g.unique || slices.ContainsFunc(col.table.t.UniqueKeys(), func(k catalog.Key) bool {
		return len(k.Columns) == 1 && k.Columns[0] == col.col.Name
	})
	g.rows = max(g.rows, col.table.rows())
}

// end returns the member at the end of the keys: one that neither references another
// nor holds rows of it; of several the first by name.
func (g *group) end() *column {
	var first, end *column
	for _, m := range g.members {
		if first == nil || m.before(first) {
			first = m
		}
		leads := slices.ContainsFunc(m.edges, func(e edge) bool { return e.kind != byLink && e.to.group == g })
		if !leads && (end == nil || m.before(end)) {
			end = m
		}
	}
	if end == nil {
		return first // a circle
	}
	return end
}

// mixed returns two kinds of value among the members that the transform does not
// mask alike, if there are any.
func (g *group) mixed(transform string) (a, b string, differ bool) {
	first := g.members[0].col.Type
	for _, m := range g.members[1:] {
		if x, y := kindWords(first), kindWords(m.col.Type); x != y && !alike(transform, kindOf(first), kindOf(m.col.Type)) {
			return min(x, y), max(x, y), true
		}
	}
	return "", "", false
}

// kindWords spells what a type is made of: array of int.
func kindWords(t catalog.Type) string {
	words := kindOf(t).String()
	if t.Element != nil {
		words += " of " + kindWords(*t.Element)
	}
	if len(t.Fields) > 0 {
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + " " + kindWords(f.Type)
		}
		words += " (" + strings.Join(parts, ", ") + ")"
	}
	return words
}

// alike reports whether a transform masks equal values of two kinds alike. Pseudonyms
// of integers and UUIDs do so with their text: links join such columns, and SQLite's
// keys may.
func alike(transform string, a, b masking.Kind) bool {
	simple := func(k masking.Kind) bool { return k == masking.Text || k == masking.Int || k == masking.UUID }
	return transform == "null" || transform == "pseudonym" && (a == masking.Text || b == masking.Text) && simple(a) && simple(b)
}

// rows estimates the rows of the table and of all that inherit from it.
func (t *table) rows() int64 {
	n := max(t.t.Rows, 0)
	for _, child := range t.children {
		n += child.rows()
	}
	return n
}

// strengthen binds anew, as for a unique column, what makes the masked members of a key of
// several columns collide. That is asked only where no other key carries this one: what
// compiles without is masked as it was.
func (c *compiler) strengthen() {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, a := range ts.aparts() {
			if ts.doubt(a).kind == lossy {
				c.strengthenAll(ts, a.columns())
			}
		}
	}
}

func (c *compiler) strengthenAll(t *table, columns []string) {
	for _, name := range columns {
		col := t.column(name)
		if col == nil || !col.bound || col.group.unique || t.distinct(col) || c.takesUnique(c.finalSpec(col)) {
			continue // a transform that takes unique: true is another one with it, which is for the policy to say
		}
		c.strengthenGroup(col.group)
	}
}

// strengthenGroup binds all members of the group as unique, or leaves them as they are if
// the transform cannot.
func (c *compiler) strengthenGroup(g *group) {
	g.unique = true
	bindings := map[*column]masking.Binding{}
	for _, m := range g.members {
		if !m.bound {
			continue
		}
		b, err := c.reg.Bind(c.key, c.maskingColumn(m), c.finalSpec(m), c.row(m))
		if err != nil || !b.Guarantees.Unique(g.rows) {
			g.unique = false
			return
		}
		bindings[m] = b
	}
	for m, b := range bindings {
		m.binding = b
	}
}

// uniqueKeys proves that every unique key of a copied table stays unique.
func (c *compiler) uniqueKeys() {
	said := map[Position]bool{}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, k := range ts.t.UniqueKeys() {
			if other := ts.maskedBeside(k); other != nil {
				c.warnings = append(c.warnings, fmt.Sprintf("%s: the unique key %s holds for some rows only: if its condition reads a masked column such as %s, other rows may fall under it", ts.t.ID, k.Name, other.col.Name))
			}
			a := ts.apartBy(k)
			d := ts.doubt(a)
			switch {
			case d.kind == certain || c.ofParent(ts, a):
			case d.kind != lossy:
				c.say(ts, a, d)
			case !said[d.col.decision.at]:
				said[d.col.decision.at] = true
				what := "unique"
				if len(k.Columns) > 1 {
					what = fmt.Sprintf("part of the unique key %s (%s)", k.Name, strings.Join(k.Columns, ", "))
				}
				c.fail(Invalid, d.col.decision.at, d.col.id().String(), uniqueHelp(d.col),
					"%s%s is %s, and %s does not keep different values different", d.col.id(), d.col.inherited(), what, d.col.decision.do)
			}
		}
	}
}

// inherited says, in brackets, whose line decides about the column, if not its own.
func (col *column) inherited() string {
	if col.explicit {
		return ""
	}
	return " (" + col.why + ")"
}

// maskedBeside returns a masked column that the condition of a partial key might
// read, if no column of the key itself is masked: of those bind has warned.
func (t *table) maskedBeside(k catalog.Key) *column {
	if !k.Partial {
		return nil
	}
	var beside *column
	for _, col := range t.columns {
		switch {
		case !col.bound:
		case slices.Contains(k.Columns, col.col.Name):
			return nil
		case beside == nil:
			beside = col
		}
	}
	return beside
}

// uniqueHelp says which transform would keep the column unique.
func uniqueHelp(col *column) string {
	switch spec := col.decision.spec; {
	case spec.Params["unique"] != nil:
	case spec.Variant == "email":
		return "add unique: true to the transform"
	case spec.Name == "fake" && spec.Variant == "user_name":
		return "add unique: true to the transform: then each character becomes one of its kind"
	}
	switch kindOf(col.col.Type) {
	case masking.Int:
		return "use {pseudonym: id}"
	case masking.UUID:
		return "use {pseudonym: uuid}"
	case masking.Text:
		return "use {token: base32}, or {fake: email} for addresses"
	}
	return "keep it, or null it if it may be NULL"
}
