package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A computed column has no decision: the target computes it from what became of others. Of
// what a key or a rule asks of it nothing is known where one of those is masked.

// maskedBehind returns the masked columns that a computed one is made of.
func (t *table) maskedBehind(col *column) (masked []*column) {
	if col == nil || !col.col.Generation.Computed() {
		return nil
	}
	for _, name := range t.maskedOf(t.t.ComputedFrom(col.col.Name)) {
		masked = append(masked, t.column(name))
	}
	return masked
}

// computedKeys warns of unique keys and rules over computed columns that masked ones are
// behind.
func (c *compiler) computedKeys() {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, a := range ts.aparts() {
			var columns []string
			for _, p := range a.parts {
				if p.Column != "" {
					columns = append(columns, p.Column)
				}
			}
			if !c.ofParent(ts, a) && !ts.carried(a) && !(ts.anyNulled(columns) && !a.nullsEqual) {
				c.warnComputed(ts, columns, a)
			}
		}
	}
}

// partitioned is the table that this one is a partition of, or nil.
func (c *compiler) partitioned(ts *table) *catalog.Table {
	if !ts.t.IsPartition || len(ts.t.Parents) == 0 {
		return nil
	}
	return c.catalog.Table(ts.t.Parents[0])
}

// anyNulled reports whether one of the columns is set to NULL.
func (t *table) anyNulled(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		col := t.column(name)
		return col != nil && col.decision != nil && col.decision.nulls()
	})
}

func (c *compiler) warnComputed(ts *table, names []string, a apart) {
	for _, name := range names {
		col := ts.column(name)
		if masked := ts.maskedBehind(col); masked != nil && !ts.tellsApart(col) {
			c.warnKey(ts, col, a.word(), a.name, "is computed from "+columnWords(masked)+", and stands in ", "", ": whether that holds for masked values cannot be known, and if it does not, the run fails when its index is made")
		}
	}
}

// columnWords names masked columns: a and b, which are masked.
func columnWords(masked []*column) string {
	var names []string
	for _, m := range masked {
		names = append(names, m.col.Name)
	}
	if len(names) == 1 {
		return names[0] + ", which is masked"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + ", which are masked"
}

var (
	oneCase    = regexp.MustCompile(`(?i)^(?:lower|upper|casefold|lcase|ucase)\((.*)\)$`)
	castToText = regexp.MustCompile(`^(.*)::(?:text|character varying|(?:[\w"]+\.)?citext)$`)
	inBrackets = regexp.MustCompile(`^\((.*)\)$`)
)

// tellsApart reports whether a computed column is a column's text, or one of its cases,
// and that column stays unique.
func (t *table) tellsApart(col *column) bool {
	expression := strings.TrimSpace(col.col.Computation)
	for was := ""; was != expression; {
		was = expression
		for _, r := range []*regexp.Regexp{oneCase, castToText, inBrackets} {
			if m := r.FindStringSubmatch(expression); m != nil {
				expression = m[1]
			}
		}
	}
	of := t.column(unquoted(expression))
	return of != nil && t.distinct(of)
}

// computedReference looks at a key of a computed column onto another: the rows must find
// what they reference, whatever became of the columns that it is computed from.
func (c *compiler) computedReference(col, to *column) {
	d := to.decision
	if d != nil && !d.keep {
		c.fail(Invalid, d.at, col.id().String(), "keep the referenced column, or drop the table",
			"%s is computed by the database and references %s, which is %s", col.id(), to.id(), c.outcome(d))
		return
	}
	const unknown = ": whether the key holds for masked values cannot be known, and if it does not, the run fails when it is made"
	behind, behindTo := col.table.maskedBehind(col), to.table.maskedBehind(to)
	switch {
	case behind == nil && behindTo == nil:
		return
	case behind == nil:
		c.warn(col, "references "+to.id().String()+", which is computed from "+columnWords(behindTo)+unknown)
		return
	case d == nil || slices.ContainsFunc(behind, func(m *column) bool { return m.decision.nulls() }): // of NULL most make NULL
		c.warn(col, "is computed from "+columnWords(behind)+", and references "+to.id().String()+unknown)
		return
	}
	m := behind[0]
	c.fail(Invalid, m.decision.at, col.id().String(), "keep the columns that it is computed from, or drop the table",
		"%s is computed from %s and references %s, which is %s; but %s is %s", col.id(), m.col.Name, to.id(), c.outcome(d), m.col.Name, c.outcome(m.decision))
}
