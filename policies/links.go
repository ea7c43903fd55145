package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// relation is how one column comes to share the decision of another.
type relation uint8

// The relations, in the order in which they are asked.
const (
	byForeignKey relation = iota
	byLink
	byParent
)

// edge leads from a column to one whose decision it shares.
type edge struct {
	kind relation
	to   *column
	name string   // of the foreign key
	at   Position // of the link
}

// words says what the edge is, for people: foreign key to public.customer.id.
func (e edge) words(from *column) string {
	switch e.kind {
	case byForeignKey:
		return "foreign key to " + e.to.id().String()
	case byLink:
		return "link with " + e.to.id().String()
	default:
		if from.table.t.IsPartition {
			return "partition of " + e.to.table.t.ID.String()
		}
		return "inherits from " + e.to.table.t.ID.String()
	}
}

// relate finds the edges of all columns: foreign keys by their real pairs, links
// in both directions, and parents by name.
func (c *compiler) relate() {
	for _, ts := range c.tables {
		for _, fk := range ts.t.ForeignKeys {
			ref := c.byID[fk.References]
			if ref == nil {
				continue // SQLite allows a key to a table that does not exist
			}
			for _, pair := range fk.Pairs {
				from, to := ts.column(pair.Column), ref.column(pair.References)
				if from != nil && to != nil && from != to {
					from.edges = append(from.edges, edge{kind: byForeignKey, to: to, name: fk.Name})
				}
			}
		}
	}
	for _, l := range c.p.Links {
		var ends []*column
		for _, end := range l.Columns {
			if end.Foreign {
				continue // see linkedAbroad
			}
			t, col, problem, help := c.findEnd(end.Name)
			if col == nil {
				c.fail(Drift, end.At, "", help, "%s %s", clip(end.Name), problem)
				continue
			}
			from := c.byID[t.ID].column(col.Name)
			if col.Generation.Computed() {
				c.fail(Invalid, end.At, from.id().String(), "link the columns that it is computed from", "%s is computed by the database and cannot be linked", from.id())
				continue
			}
			if slices.Contains(ends, from) {
				c.fail(Invalid, end.At, from.id().String(), "", "%s stands in the link twice", from.id())
				continue
			}
			ends = append(ends, from)
		}
		for _, from := range ends {
			for _, to := range ends {
				if from != to {
					from.edges = append(from.edges, edge{kind: byLink, to: to, at: l.At})
				}
			}
		}
	}
	for _, ts := range c.tables {
		for _, id := range ts.t.Parents {
			parent := c.byID[id]
			if parent == nil {
				continue
			}
			for _, from := range ts.columns {
				if to := parent.column(from.col.Name); to != nil {
					from.edges = append(from.edges, edge{kind: byParent, to: to})
				}
			}
		}
	}
}

// inherit hands decisions along the edges until nothing changes. Foreign keys go
// first, so that a column says that it references another, and not that a link
// has led there as well; where two ways disagree, contradictions finds it.
func (c *compiler) inherit() {
	for last := byForeignKey; last <= byParent; last++ {
		for changed := true; changed; {
			changed = false
			for _, ts := range c.tables {
				for _, col := range ts.columns {
					if !ts.drop && col.decision == nil && col.todo == (Position{}) && col.open() && col.take(last) {
						changed = true
					}
				}
			}
		}
	}
}

// partitionOf returns the edge to the table that a column's own is a partition of, and what is
// decided there, or further up, by a line of its own: a partition has the table's keys as well,
// and they do not overrule it.
func (col *column) partitionOf() (e edge, decided *decision) {
	if !col.table.t.IsPartition {
		return edge{}, nil
	}
	at := slices.IndexFunc(col.edges, func(e edge) bool { return e.kind == byParent })
	if at < 0 || col.edges[at].to.table.drop {
		return edge{}, nil
	}
	e = col.edges[at]
	if e.to.explicit {
		return e, e.to.decision
	}
	_, decided = e.to.partitionOf()
	return e, decided
}

// sameOutcome reports whether two decisions mask equal values alike.
func sameOutcome(a, b *decision) bool {
	return a == b || a.keep == b.keep && a.domain == b.domain && a.do.String() == b.do.String()
}

// take takes the decision of the first decided column that an edge leads to.
func (col *column) take(last relation) bool {
	for kind := byForeignKey; kind <= last; kind++ {
		for _, e := range col.edges {
			if e.kind != kind || e.to.decision == nil || e.to.table.drop {
				continue
			}
			if of, decided := col.partitionOf(); decided != nil && !sameOutcome(decided, e.to.decision) {
				col.decision, col.why = decided, of.words(col)
				return true
			}
			col.decision, col.why = e.to.decision, e.words(col)
			return true
		}
	}
	return false
}

// contradictions finds edges whose ends would be masked differently.
func (c *compiler) contradictions() {
	type pair struct {
		a, b Position
		kind relation
	}
	seen := map[pair]bool{}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			for _, e := range col.edges {
				if col.table.drop || e.to.table.drop || c.agree(col, e) {
					continue
				}
				a, b := col.decision, e.to.decision
				p := pair{a.at, b.at, e.kind}
				// A link is seen from both its ends, a partition like its sisters.
				if seen[p] || e.kind == byLink && seen[pair{b.at, a.at, byLink}] {
					continue
				}
				seen[p] = true
				help := "give both the same class, or null the referencing column"
				if e.kind != byForeignKey {
					help = "give both the same class"
				}
				c.fail(Invalid, a.at, col.id().String(), help, "%s is %s; but it %s, which is %s",
					col.id(), c.outcome(a), relationWords(e), c.outcome(b))
			}
		}
	}
}

func relationWords(e edge) string {
	switch e.kind {
	case byForeignKey:
		return "references " + e.to.id().String()
	case byLink:
		return fmt.Sprintf("is linked (line %d) with %s", e.at.Line, e.to.id())
	default:
		return "holds rows of " + e.to.id().String()
	}
}

// outcome says what a decision does, and in which line it stands.
func (c *compiler) outcome(d *decision) string {
	if d.keep {
		return fmt.Sprintf("kept (line %d)", d.at.Line)
	}
	return fmt.Sprintf("masked as %s by %s (line %d)", d.class, d.do, d.at.Line)
}

// agree reports whether both ends of an edge come out alike, as far as they are decided.
func (c *compiler) agree(col *column, e edge) bool {
	if col.col.Generation.Computed() && e.kind == byForeignKey {
		if c.above(col, e) == nil {
			c.computedReference(col, e.to)
		}
		return true
	}
	a, b := col.decision, e.to.decision
	if e.kind == byForeignKey && a != nil && e.to.col.Generation.Computed() && !c.judgedAbove(col, e) {
		c.referencesComputed(col, e.to)
	}
	switch {
	case a == nil || b == nil || a == b:
		return true
	case a.keep || b.keep:
		return a.keep && b.keep || e.kind != byParent && (a.nulls() || b.nulls() && e.kind == byLink)
	case a.nulls():
		return e.kind != byParent || b.nulls() // NULL references nothing
	case b.nulls() && e.kind == byLink:
		return true
	default:
		return sameOutcome(a, b)
	}
}

// above returns the column that a partition's has a foreign key from, or nil.
func (c *compiler) above(col *column, e edge) *column {
	for _, fk := range col.table.t.ForeignKeys {
		if fk.Name == e.name && c.parentReferences(col.table, fk) {
			return c.byID[col.table.t.Parents[0]].column(col.col.Name)
		}
	}
	return nil
}

// judgedAbove reports whether the table that a partition belongs to has the key, and the same
// decision about its column.
func (c *compiler) judgedAbove(col *column, e edge) bool {
	up := c.above(col, e)
	return up != nil && up.decision == col.decision
}

// referencesComputed looks at a key onto a column that the database computes anew
// from others: it must be kept, and then holds if those are kept too.
func (c *compiler) referencesComputed(col, to *column) {
	d := col.decision
	if d.nulls() {
		return
	}
	if !d.keep {
		c.fail(Invalid, d.at, col.id().String(), "keep it, and the columns that the other is computed from; or null it",
			"%s is %s; but it references %s, which is computed by the database", col.id(), c.outcome(d), to.id())
		return
	}
	if slices.ContainsFunc(to.table.columns, func(o *column) bool { return o.decision != nil && !o.decision.keep }) {
		c.warn(col, "is kept and references "+to.id().String()+", which is computed from other columns: if one of those is masked, the key breaks")
	}
}

// undecided reports every column that is left without a decision. Of a column and
// those that would inherit from it, it reports the one.
func (c *compiler) undecided() {
	for _, ts := range c.tables {
		if ts.drop || ts.t.Kind == catalog.Foreign {
			continue
		}
		missing := false
		for _, col := range ts.columns {
			if col.decision != nil || !col.open() {
				continue
			}
			missing = true
			if c.reportable(col) {
				c.reportUndecided(col)
			}
		}
		if !ts.listed && !missing {
			name := spell(c.catalog.Display(ts.t.ID))
			d := c.p.diagnose(Undecided, c.p.tablesAt, ts.t.ID.String(),
				fmt.Sprintf("under tables add: %s: {}, or %s: drop", name, name), "table %s is not listed", ts.t.ID)
			d.Excerpt = ""
			c.errs = append(c.errs, d)
		}
	}
}

// reportable reports whether no other undecided column, which is reported, would
// decide about this one too.
func (c *compiler) reportable(col *column) bool {
	if col.todo != (Position{}) {
		return true
	}
	reached := map[*column]bool{col: true}
	queue := []*column{col}
	root := false
	least := col
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		sources := 0
		for _, e := range at.edges {
			if e.kind == byForeignKey && e.to.table.drop && !c.nulledKey(at.table, e.name) {
				return false // reported as a key that would break
			}
			if e.to.decision != nil || !e.to.open() || e.to.table.drop {
				continue
			}
			if e.kind != byLink {
				sources++
			}
			if !reached[e.to] {
				reached[e.to] = true
				queue = append(queue, e.to)
				if e.to.before(least) {
					least = e.to
				}
			}
		}
		if at != col && sources == 0 && !at.linked() {
			root = true
		}
	}
	return !root && least == col
}

// nulledKey is nulled for a foreign key by its name.
func (c *compiler) nulledKey(ts *table, name string) bool {
	return slices.ContainsFunc(ts.t.ForeignKeys, func(fk catalog.ForeignKey) bool { return fk.Name == name && c.nulled(ts, fk) })
}

func (col *column) linked() bool {
	return slices.ContainsFunc(col.edges, func(e edge) bool { return e.kind == byLink })
}

func (col *column) before(other *column) bool {
	if c := col.table.t.ID.Compare(other.table.t.ID); c != 0 {
		return c < 0
	}
	return col.col.Name < other.col.Name
}

func (c *compiler) reportUndecided(col *column) {
	pos := c.p.tablesAt
	if col.table.rule != nil {
		pos = col.table.rule.At
	}
	g := c.guesser.guess(col.table.t, col.col)
	what := fmt.Sprintf("%s (%s) is undecided", col.id(), col.col.Type.Name)
	if col.todo != (Position{}) {
		pos = col.todo
		what = fmt.Sprintf("%s (%s) is still %s", col.id(), col.col.Type.Name, todo)
	}
	class := g.class
	switch {
	case class == Public && g.sure:
		what += "; it looks like nothing personal"
	case class != "" && class != Public:
		what += "; it looks like " + class
	case col.col.Type.Kind == catalog.JSON:
		what += "; it is a document"
		class = `{json: {$.PATH: CLASS, "*": drop}}`
	default:
		class = "CLASS"
		if col.todo == (Position{}) {
			what += "; its name tells nothing"
		}
	}
	d := c.p.diagnose(Undecided, pos, col.id().String(), c.lineToAdd(col, class), "%s", what)
	d.Excerpt = ""
	c.errs = append(c.errs, d)
}

// lineToAdd says which line would decide about a column.
func (c *compiler) lineToAdd(col *column, class string) string {
	name, table := spell(col.col.Name), spell(c.catalog.Display(col.table.t.ID))
	if col.col.Type.Kind == catalog.Opaque && class != Public {
		// A geometry, a vector: nothing but NULL can be made of it.
		keep := c.lineToAdd(col, Public)
		if col.col.NotNull {
			return fmt.Sprintf("no transform takes a %s that is NOT NULL: %s, or leave the rows of the table out by %s: drop", col.col.Type.Name, keep, table)
		}
		if class != suppressed {
			return c.lineToAdd(col, suppressed) + "; or, to keep it, " + keep
		}
	}
	entry, place := fmt.Sprintf("%s: %s", name, class), "columns"
	if class == Public {
		entry, place = fmt.Sprintf("keep: [%s]", name), ""
	}
	var help string
	switch {
	case col.todo != (Position{}):
		help = "write there: " + entry
		if class == Public {
			help = "move it to the table's list: " + entry
		}
	case col.table.rule == nil && place == "":
		help = fmt.Sprintf("under tables add: %s: {%s}", table, entry)
	case col.table.rule == nil:
		help = fmt.Sprintf("under tables add: %s: {%s: {%s}}", table, place, entry)
	case place == "":
		help = fmt.Sprintf("to table %s add: %s", table, entry)
	default:
		help = fmt.Sprintf("to the columns of table %s add: %s", table, entry)
	}
	switch {
	case class == Public || strings.HasPrefix(class, "{"):
	case class == "CLASS":
		help += fmt.Sprintf(" with one of your classes, or keep: [%s]", name)
	case c.p.Class(class) == nil:
		if def, ok := standardClass(class); ok {
			help += fmt.Sprintf("; and under classes: %s: {kind: %s, do: %s}", class, def.Kind, def.Do)
		}
	}
	return help
}
