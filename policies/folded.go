package policies

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// A key may tell apart what the masks of its column do not: those are equal for all that an
// index, or another column of the group, calls equal. Whether that breaks the key is a matter
// of the values, and next to no column has such. To refuse them all would refuse what works,
// so a plan says it, and a run asks the source before it copies a row.

const (
	// mostLooked is how many rows, and how many values, a run looks through for such.
	mostLooked = 100_000
	// mostLookedBytes is how many bytes of values it holds at once.
	mostLookedBytes = 32 << 20
)

// twins is whether a column has values that only a key tells apart, or why that is not known.
type twins uint8

const (
	twinsNone   twins = iota
	twinsAny          // there are such
	twinsAtRun        // a run looks for them
	twinsMany         // there are more values than a run looks through
	twinsInside       // they are parts of values, at which no run looks
)

// asked is a question for twins: which tables are asked is known by the first of them.
type asked struct {
	tables    catalog.TableID
	column    string
	mask, own masking.Equality // what the masks call equal, and the part of the key
}

// sayFolding looks whether the column has values that only the key tells apart, if they are at
// hand, and warns if they are not, or are too many to look through.
func (c *compiler) sayFolding(ts *table, a apart, d doubt) {
	by, help := c.foldedBy(d)
	differ := "that differ only in " + strings.TrimPrefix(d.folds.String(), "regardless of ")
	stands := fmt.Sprintf(", and values %s have one mask, as %s calls them equal", differ, by)
	const late = ": if two rows differ in nothing else, the run fails when its index is made"
	found, routes := c.twins(ts, d), c.routes(ts.t)
	switch {
	case found == twinsNone:
		return
	case found == twinsAtRun:
		stands += ": a run looks whether there are such values before it copies a row"
	case found == twinsMany:
		stands += ". There are too many values to look for such" + late
	case found == twinsInside:
		stands += ". No run looks for such inside of values" + late
	case routes != nil:
		stands += ". There are such values, and rows move between partitions, since " + routes[0].id().String() + " is masked: if two that differ in nothing else come into one, the run fails when its index is made"
	case len(a.parts) > 1 || a.partial:
		stands += ". There are such values: if their rows differ in nothing else, the run fails when its index is made"
	default:
		c.refuseTwins(a, d, differ, by, help)
		return
	}
	c.warnKey(ts, d.col, a.word(), a.name, "stands in ", fmt.Sprint(differ, found), stands)
}

// refuseTwins says of a line once that values of its column break a key.
func (c *compiler) refuseTwins(a apart, d doubt, differ, by, help string) {
	at := d.col.decision.at
	if c.refused[at] {
		return
	}
	if c.refused == nil {
		c.refused = map[Position]bool{}
	}
	c.refused[at] = true
	c.fail(Invalid, at, d.col.id().String(), "make them one at the source, leave one of the rows behind, or null the column; or "+help,
		"%s%s has values %s: they stand in the %s %s, and have one mask, as %s calls them equal", d.col.id(), d.col.inherited(), differ, a.word(), a.name, by)
}

// twins reports whether two values of the column have one mask and are different for the key, in
// the rows that this keeps apart: those of its table, or, where rows move, of all its partitions.
func (c *compiler) twins(ts *table, d doubt) twins {
	if d.part.under.Kind != masking.Text {
		return twinsInside
	}
	root := c.catalog.Root(ts.t)
	from := ts
	if c.routes(ts.t) != nil {
		from = c.byID[root.ID]
	}
	q := asked{from.t.ID, d.col.col.Name, d.col.group.limits.Equality, d.part.under.Equality}
	found, known := c.answers[q]
	if !known {
		found = c.lookForTwins(from.storing(), q, c.byID[root.ID].filter)
		if c.answers == nil {
			c.answers = map[asked]twins{}
		}
		c.answers[q] = found
	}
	return found
}

// lookForTwins asks the snapshot, if there is one.
func (c *compiler) lookForTwins(tables []*table, q asked, f *RowFilter) twins {
	var ids []catalog.TableID
	var rows int64
	for _, ts := range tables {
		ids, rows = append(ids, ts.t.ID), rows+max(ts.t.Rows, 0)
	}
	switch {
	case rows > mostLooked:
		return twinsMany
	case c.rows == nil:
		return twinsAtRun
	case c.broken != nil:
		return twinsNone
	}
	v, err := c.rows.Values(ids, q.column, f, mostLooked, mostLookedBytes)
	var many interface{ TooManyValues() bool }
	switch {
	case errors.As(err, &many) && many.TooManyValues():
		return twinsMany
	case err != nil:
		c.broken = err
		return twinsNone
	}
	seen := make(map[brief]brief, len(v.Texts))
	for _, text := range v.Texts {
		mask, own := briefly(q.mask.Canonical(text)), briefly(q.own.Canonical(text))
		if other, is := seen[mask]; is && other != own {
			return twinsAny
		}
		seen[mask] = own
	}
	return twinsNone
}

// brief stands for a text, which may be long.
type brief [16]byte

func briefly(text string) brief {
	sum := sha256.Sum256([]byte(text))
	return brief(sum[:16])
}

// folder is a column that calls more equal than a part of a key, by its type or by a unique index.
type folder struct {
	col  *column
	rule string
}

// foldedBy names what calls more equal than a part of a key, and what could be done about it.
func (c *compiler) foldedBy(d doubt) (by, help string) {
	f := c.folderOf(d)
	switch {
	case f.col == nil:
		return "a column that is masked alike", "give the columns one type at the source"
	case f.rule != "":
		return fmt.Sprintf("the unique index %s of %s", f.rule, f.col.table.t.ID), "take the index out of the source"
	}
	by = f.col.id().String() + " (" + f.col.col.Type.Name
	if f.col.col.Collation != "" {
		by += ", collation " + f.col.col.Collation
	}
	help = "give the two columns one type at the source"
	if f.col.linked() || d.col.linked() {
		help = "take the link out of the policy: the columns then no longer join"
	}
	return by + ")", help
}

// folds is a group of columns, and what makes no difference to its masks.
type folds struct {
	group *group
	what  masking.Equality
}

// folderOf looks for it: at the column itself first, and among the group once.
func (c *compiler) folderOf(d doubt) folder {
	if rule := foldingRule(d.col, d.folds); rule != "" {
		return folder{d.col, rule}
	}
	of := folds{d.col.group, d.folds}
	f, known := c.folders[of]
	if !known {
		f = d.col.group.folder(d.folds)
		if c.folders == nil {
			c.folders = map[folds]folder{}
		}
		c.folders[of] = f
	}
	return f
}

func (g *group) folder(more masking.Equality) folder {
	for _, m := range g.members {
		if rule := foldingRule(m, more); rule != "" {
			return folder{m, rule}
		}
	}
	i := slices.IndexFunc(g.members, func(m *column) bool { return allEquality(columnOf(m.col.Type))&more != 0 })
	if i < 0 {
		return folder{}
	}
	return folder{col: g.members[i]}
}

// foldingRule is the unique index of a column's table that calls so much of it equal, or "".
func foldingRule(col *column, more masking.Equality) string {
	for _, r := range col.table.t.Rules {
		for _, p := range r.Parts {
			if p.Column == col.col.Name && p.Operator == "" && equalityOf(p.Equality)&more != 0 {
				return r.Name
			}
		}
	}
	return ""
}

// allEquality is what makes no difference to the texts of a column, or to those inside of its values.
func allEquality(col masking.Column) (all masking.Equality) {
	if col.Kind == masking.Text {
		all = col.Equality
	}
	if col.Element != nil {
		all |= allEquality(*col.Element)
	}
	for _, f := range col.Fields {
		all |= allEquality(f)
	}
	return all
}
