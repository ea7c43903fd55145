package policies

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sanitize-db/sanitize/masking"
)

// A key may tell apart what the masks of its column do not: those are equal for all that an
// index, or another column of the group, calls equal. Whether that breaks the key is a matter
// of the values, and next to no column has such. To refuse them all would refuse what works,
// so a plan says it, and a run asks the source before it copies a row.

// sayFolding looks whether the column has values that only the key tells apart, if they are at
// hand, and warns if they are not, or are too many to hold.
func (c *compiler) sayFolding(ts *table, a apart, d doubt) {
	by, help := c.foldedBy(d)
	differ := "that differ only in " + strings.TrimPrefix(d.folds.String(), "regardless of ")
	stands := fmt.Sprintf("stands in the %s %s, and values %s have one mask, as %s calls them equal", a.word(), a.name, differ, by)
	there, known := c.twins(ts, d)
	switch {
	case known && !there:
	case c.rows == nil:
		c.warn(d.col, stands+": a run looks whether there are such values before it copies a row")
	case known && len(a.parts) == 1 && !a.partial:
		c.fail(Invalid, d.col.decision.at, d.col.id().String(), "make them one at the source, leave one of the rows behind, or null the column; or "+help,
			"%s%s has values %s: they stand in the %s %s, and have one mask, as %s calls them equal", d.col.id(), d.col.inherited(), differ, a.word(), a.name, by)
	case known:
		c.warn(d.col, stands+". There are such values: if their rows differ in nothing else, the run fails when its index is made")
	default:
		c.warn(d.col, stands+". There are too many values to look for such: if two rows differ in nothing else, the run fails when its index is made")
	}
}

// twins reports whether two values of the column have one mask and are different for the key;
// known is false where that cannot be asked.
func (c *compiler) twins(ts *table, d doubt) (there, known bool) {
	if c.rows == nil || c.broken != nil || d.part.under.Kind != masking.Text || ts.rows() > mostValues {
		return false, false
	}
	root := c.catalog.Root(ts.t)
	v, err := c.rows.Values(c.storing(root), d.col.col.Name, c.byID[root.ID].filter, mostValues)
	var many interface{ TooManyValues() bool }
	switch {
	case errors.As(err, &many) && many.TooManyValues():
		return false, false
	case err != nil:
		c.broken = err
		return false, false
	}
	seen := make(map[string]string, len(v.Texts))
	for _, text := range v.Texts {
		mask, own := d.col.group.limits.Equality.Canonical(text), d.part.under.Equality.Canonical(text)
		if other, is := seen[mask]; is && other != own {
			return true, true
		}
		seen[mask] = own
	}
	return false, true
}

// foldedBy names what calls more equal than a part of a key, and what could be done about it.
func (c *compiler) foldedBy(d doubt) (by, help string) {
	members := append([]*column{d.col}, d.col.group.members...) // the column itself comes first
	for _, m := range members {
		for _, r := range m.table.t.Rules {
			for _, p := range r.Parts {
				if p.Column == m.col.Name && p.Operator == "" && equalityOf(p.Equality)&d.folds != 0 {
					return fmt.Sprintf("the unique index %s of %s", r.Name, m.table.t.ID), "take the index out of the source"
				}
			}
		}
	}
	for _, m := range members {
		if columnOf(m.col.Type).Equality&d.folds == 0 {
			continue
		}
		words := m.id().String() + " (" + m.col.Type.Name
		if m.col.Collation != "" {
			words += ", collation " + m.col.Collation
		}
		help := "give the two columns one type at the source"
		if m.linked() || d.col.linked() {
			help = "take the link out of the policy: the columns then no longer join"
		}
		return words + ")", help
	}
	return "a column that is masked alike", "give the columns one type at the source"
}
