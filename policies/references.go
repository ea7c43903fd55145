package policies

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Foreign keys whose rows do not all come along.

// droppedReferences finds rows that would point to rows that stay behind. A key that is not
// validated is not checked.
func (c *compiler) droppedReferences() {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, fk := range ts.t.ForeignKeys {
			ref := c.byID[fk.References]
			if ref == nil {
				continue
			}
			behind := ref.leavesBehind()
			if behind == nil || c.nulled(ts, fk) || c.parentReferences(ts, fk) {
				continue
			}
			if !fk.Validated {
				c.warnings = append(c.warnings, fmt.Sprintf("%s: the rows of %s stay behind, and the foreign key %s references them: it is not validated at the source, so the run goes on, and the copy's rows point to nothing",
					ts.t.ID, behind.t.ID, fk.Name))
				continue
			}
			columns, help := ts.withoutReferenced(fk)
			c.fail(Invalid, behind.at, ts.t.ID.String(), help, "the rows of %s stay behind, and %s.(%s) references them (foreign key %s)",
				behind.t.ID, ts.t.ID, columns, fk.Name)
		}
	}
}

// withoutReferenced returns the columns of a foreign key whose rows stay behind, and what can be done about it.
func (t *table) withoutReferenced(fk catalog.ForeignKey) (columns, help string) {
	names, mayNull := make([]string, len(fk.Pairs)), true
	for i, p := range fk.Pairs {
		names[i] = p.Column
		if col := t.column(p.Column); col == nil || col.col.NotNull {
			mayNull = false
		}
	}
	help = "drop this table too, or copy the other"
	switch {
	case mayNull && fk.MatchFull && len(fk.Pairs) > 1:
		help = `null all referencing columns with {"null": true}, for the key is MATCH FULL; drop this table too, or copy the other`
	case mayNull:
		help = `null the referencing column with {"null": true}, drop this table too, or copy the other`
	}
	return strings.Join(names, ", "), help
}

// parentReferences reports whether the key is one that a partition has from its
// parent, about which the complaint is made once.
func (c *compiler) parentReferences(ts *table, fk catalog.ForeignKey) bool {
	if !ts.t.IsPartition {
		return false
	}
	parent := c.byID[ts.t.Parents[0]]
	return parent != nil && parent.copied() && parent.t.HasForeignKey(fk)
}

// leavesBehind returns the table, or its first descendant, whose rows stay behind.
func (t *table) leavesBehind() *table {
	if t.drop {
		return t
	}
	if t.t.Kind != catalog.Partitioned {
		return nil // a foreign key does not see the tables that inherit
	}
	for _, child := range t.children {
		if b := child.leavesBehind(); b != nil {
			return b
		}
	}
	return nil
}

// nulled reports whether a column of the foreign key is set to NULL, or all of them under
// MATCH FULL, by which the row references nothing.
func (c *compiler) nulled(ts *table, fk catalog.ForeignKey) bool {
	null, not := ts.parted(fk)
	return null != nil && (not == nil || !fk.MatchFull)
}

// parted returns a column of the foreign key that is set to NULL and one that is not, if
// there are such.
func (t *table) parted(fk catalog.ForeignKey) (null, not *column) {
	for _, p := range fk.Pairs {
		switch col := t.column(p.Column); {
		case col == nil:
		case col.decision != nil && col.decision.nulls():
			null = cmp.Or(null, col)
		default:
			not = cmp.Or(not, col)
		}
	}
	return null, not
}

// halfNulled finds keys under MATCH FULL of which some columns are set to NULL and others
// are not: every row would break them. A key that is not validated is not checked.
func (c *compiler) halfNulled() {
	for _, ts := range c.tables {
		for _, fk := range ts.t.ForeignKeys {
			null, not := ts.parted(fk)
			if !ts.copied() || !fk.MatchFull || !fk.Validated || null == nil || not == nil || c.parentReferences(ts, fk) {
				continue
			}
			if ref := c.byID[fk.References]; not.decision == nil && not.open() || ref != nil && ref.leavesBehind() != nil {
				continue // that it is undecided, or references what stays behind, is said
			}
			c.fail(Invalid, null.decision.at, null.id().String(), "null all columns of the key, or none",
				"%s is set to NULL and %s is not, and the foreign key %s is MATCH FULL: a row must have all of its columns, or none", null.id(), not.id(), fk.Name)
		}
	}
}
