package policies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// RowFilter says which rows of a table are read. A row is in the copy if it meets Where
// and is in the sample, and of these the Limit of the least hashes.
type RowFilter struct {
	Where  string   // a condition in the source's SQL; empty is none
	Key    []string // columns that identify a row; set if Sample or Limit is
	Sample float64  // the part of the rows, by the hash of Key; 0 is all
	Limit  int64    // at most so many rows; 0 is no limit
	// Seed keys the hash. It is the same for every table of a key's scope, so that the
	// tables of one key, as customers and their settings, are sampled alike.
	Seed [32]byte `json:"-"`
}

// String says it in words, without the seed.
func (f RowFilter) String() string {
	var words []string
	if f.Where != "" {
		words = append(words, "where "+f.Where)
	}
	if f.Sample > 0 {
		words = append(words, "sample "+strconv.FormatFloat(f.Sample*100, 'g', 6, 64)+"% by "+strings.Join(f.Key, ", "))
	}
	if f.Limit > 0 {
		words = append(words, fmt.Sprintf("at most %d by the hash of %s", f.Limit, strings.Join(f.Key, ", ")))
	}
	return strings.Join(words, "; ")
}

// GoString is as String: a seed that is printed by mistake is not shown.
func (f RowFilter) GoString() string { return f.String() }

// Format is as String, whatever the verb.
func (f RowFilter) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.String()) }

// rowsKey is the use of a scope's key that samples rows, and its version.
const (
	rowsKey     = "rows"
	rowsVersion = 1
)

// filters finds which rows of each table are read. A partition has the rule of the
// table that it is a part of; one that inherits has its parent's as long as it has none
// of its own, whatever else its line says.
func (c *compiler) filters() {
	for _, ts := range c.tables {
		if ts.rule != nil && ts.rule.Rows != nil {
			c.filter(ts, ts.rule.Rows)
		}
	}
	for _, ts := range c.tables {
		if ts.filter != nil && ts.copied() {
			c.warnCutKeys(ts)
		}
	}
}

// filter gives a table, and the tables below it, the filter of a rule.
func (c *compiler) filter(top *table, rule *RowsRule) {
	id := top.t.ID.String()
	if top.t.Kind == catalog.Foreign {
		c.fail(Invalid, rule.At, id, "take it out", "rows of %s: the rows of a foreign table are not copied", id)
		return
	}
	if top.t.IsPartition {
		root := c.catalog.Root(top.t).ID.String()
		c.fail(Invalid, rule.At, id, "choose the rows of "+root, "rows of %s: it is a partition of %s, whose rows are chosen as a whole", id, root)
		return
	}
	below := top.below()
	if i := slices.IndexFunc(below[1:], func(t *table) bool { return t.copied() && !t.t.IsPartition }); i >= 0 && rule.Limit > 0 {
		c.fail(Invalid, rule.At, id, "use sample, or choose the rows of those tables, too", "rows of %s: a limit holds for one table, and others inherit from this one (%s)", id, below[1+i].t.ID)
		return
	}
	for _, ts := range below {
		if !ts.copied() {
			continue // but what is below it may be
		}
		if from := ts.chosen; from != nil && !from.rule.Rows.same(rule) {
			c.fail(Invalid, rule.At, ts.t.ID.String(), "choose its rows by a line of its own",
				"rows of %s: it inherits from %s and %s, of which other rows are copied", ts.t.ID, from.t.ID, id)
			return
		}
		ts.chosen = top
		f := &RowFilter{Where: rule.Where, Sample: rule.Sample, Limit: rule.Limit}
		if f.Sample > 0 || f.Limit > 0 {
			keyed := c.byID[c.catalog.Root(ts.t).ID]
			if f.Key = keyed.rowKey(); f.Key == nil {
				c.fail(Invalid, rule.At, keyed.t.ID.String(), "use where; or give the table a primary key at the source",
					"rows of %s: sample and limit go by what identifies a row, and the table has no primary key and no unique one without NULL", keyed.t.ID)
				return
			}
			f.Seed = c.key.Subkey(c.p.domain(rowsKey), rowsKey, rowsVersion).For("sample")
		}
		ts.filter = f
	}
}

// same reports whether another rule chooses the same rows.
func (r *RowsRule) same(other *RowsRule) bool {
	return r.Where == other.Where && r.Sample == other.Sample && r.Limit == other.Limit
}

// below returns the table and those below it whose rows no line of their own chooses, and
// all its partitions.
func (t *table) below() []*table {
	all := []*table{t}
	for i := 0; i < len(all); i++ {
		for _, child := range all[i].children {
			if (child.rule == nil || child.rule.Rows == nil || child.t.IsPartition) && !slices.Contains(all, child) {
				all = append(all, child)
			}
		}
	}
	return all
}

// rowKey returns the columns that identify a row: the primary key, or the first unique
// one that holds for all rows and has no NULL; else nil.
func (t *table) rowKey() []string {
	if k := t.t.PrimaryKey; k != nil && len(k.Columns) > 0 {
		return k.Columns
	}
	for _, k := range t.t.Unique {
		whole := !k.Partial && len(k.Columns) > 0 && !slices.ContainsFunc(k.Columns, func(name string) bool {
			col := t.column(name)
			return col == nil || !col.col.NotNull
		})
		if whole {
			return k.Columns
		}
	}
	return nil
}

// warnCutKeys warns of keys that may point to rows that stay behind. The keys of the
// copy are validated: such a run fails, and says so late. It does not where the source's
// is not validated.
func (c *compiler) warnCutKeys(ts *table) {
	for _, other := range c.tables {
		if !other.copied() {
			continue
		}
		for _, fk := range other.t.ForeignKeys {
			if fk.References != ts.t.ID || c.nulled(other, fk) || c.parentReferences(other, fk) {
				continue
			}
			who, help := other.t.ID.String()+" references it", "give "+other.t.ID.String()+" a where that leaves it behind too"
			if other == ts {
				who, help = "it references itself", "give it a where that leaves both behind, or null the column"
			}
			outcome := "makes the run fail"
			if !fk.Validated {
				outcome = "points to nothing, for the key is not validated at the source"
			}
			c.warnings = append(c.warnings, fmt.Sprintf("%s: not all its rows are copied, and %s (foreign key %s): a row that points to one that stays behind %s; %s",
				ts.t.ID, who, fk.Name, outcome, help))
		}
	}
}

// declared checks the names in what the policy declares, and says what a run of this
// version does not check. A promise that nobody keeps is not made in silence.
func (c *compiler) declared() {
	for _, rule := range c.p.Risk {
		t, problem, help := c.findTable(rule.Table)
		if t == nil {
			// A base is for many databases, and has rules about tables that not all have.
			if rule.From == nil {
				c.fail(Drift, rule.At, rule.Table, help, "risk: table %s %s", clip(rule.Table), problem)
			}
			continue
		}
		for _, name := range rule.Quasi {
			if col, problem, help := findColumn(t, name); col == nil && rule.From == nil {
				c.fail(Drift, rule.At, t.ID.String()+"."+name, help, "risk: column %s of %s %s", clip(name), t.ID, problem)
			}
		}
	}
	unchecked := func(pos Position, from *Policy, what string) {
		where := c.where(pos)
		if from != nil {
			where = fmt.Sprintf("%s:%d", from.File, pos.Line)
		}
		c.warnings = append(c.warnings, where+": "+what+", and this version does not check it at a run")
	}
	if len(c.p.Risk) > 0 {
		unchecked(c.p.Risk[0].At, c.p.Risk[0].From, "risk declares how often a combination occurs at least")
	}
	if e := c.p.Edges; len(e.Keep) > 0 {
		unchecked(e.At, nil, "edge_cases declares which sorts of values stay")
	}
	if l := c.p.Limits; l.TTL > 0 || l.MaxTTL > 0 || l.MaxPerOwner > 0 {
		unchecked(l.At, nil, "environments declares how long a discovery database lives and how many an owner has")
	}
}

// linkedAbroad checks the links that leave the database. What joins across databases is
// the domain, which is named for scope and class: so the column needs a class of the
// policy, and the other policy the same one.
func (c *compiler) linkedAbroad() {
	for _, l := range c.p.Links {
		var abroad []string
		for _, end := range l.Columns {
			if end.Foreign {
				abroad = append(abroad, end.Name)
			}
		}
		if len(abroad) == 0 {
			continue
		}
		for _, end := range l.Columns {
			if end.Foreign {
				continue
			}
			t, found, _, _ := c.findEnd(end.Name)
			if found == nil {
				continue // complained about
			}
			col := c.byID[t.ID].column(found.Name)
			for _, name := range abroad {
				if !slices.Contains(col.abroad, name) {
					col.abroad = append(col.abroad, name)
				}
			}
			d, id := col.decision, col.id().String()
			switch {
			case d == nil || col.table.drop:
			case !d.keep && c.p.Class(d.class) == nil:
				c.fail(Invalid, d.at, id, "give the column a class, and the other policy the same one, under a key of the same scope",
					"%s is linked with %s and has no class: nothing else says under which name both are masked alike", id, strings.Join(abroad, ", "))
			case !d.keep && c.p.Keys[0].From == "ephemeral":
				c.warn(col, "is linked with "+strings.Join(abroad, ", ")+"; but the key is ephemeral, and nothing joins across runs")
			}
		}
	}
}

// linkWords says with which columns of other databases a column is linked, and what the
// other policy needs for it.
func (c *compiler) linkWords(col *column) string {
	if len(col.abroad) == 0 {
		return ""
	}
	words := "; linked with " + strings.Join(col.abroad, ", ")
	if d := col.decision; d != nil && !d.keep {
		words += fmt.Sprintf(" (as class %s in scope %s, with the same key)", d.class, c.p.scope())
	}
	return words
}

// extended returns the digests of everything that the policy builds on.
func (p *Policy) extended() (pins []string) {
	for _, e := range p.Extends {
		pin := e.Path + "#sha256:" + e.Policy.Digest
		for _, s := range append([]string{pin}, e.Policy.extended()...) {
			if !slices.Contains(pins, s) {
				pins = append(pins, s)
			}
		}
	}
	return pins
}
