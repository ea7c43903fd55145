package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Where a column that routes rows is masked, rows move to other partitions. What holds for one of
// these only, and not for the table, was never asked of the rows that come.

// moved warns of what may not hold for rows that have moved.
func (c *compiler) moved() []string {
	onto := map[catalog.TableID][]*table{} // who has a foreign key onto it
	for _, ts := range c.tables {
		for _, fk := range ts.t.ForeignKeys {
			if !slices.Contains(onto[fk.References], ts) {
				onto[fk.References] = append(onto[fk.References], ts)
			}
		}
	}
	var nowhere []string
	said := lots{}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		if routes := c.routes(ts.t); routes != nil {
			c.ownOf(ts, routes[0], onto[ts.t.ID], &said)
		} else if ts.t.Kind == catalog.Partitioned {
			nowhere = append(nowhere, c.nowhere(ts)...)
		}
	}
	return append(nowhere, said.lines(aloneWords)...)
}

// aloneWords says what holds for partitions alone.
func aloneWords(l *lot) string {
	words := l.subject()
	switch {
	case l.kind == references && len(l.onto) == 1:
		words += l.verb(" references", " reference") + " the partition " + l.onto[0] + " alone"
	case l.kind == references:
		words += l.verb(" references", " reference") + " partitions of " + l.by.table.t.ID.String() + " alone, as " + some(l.onto)
	case len(l.tables) == 1:
		words += l.verb(" holds", " hold") + " for this partition alone"
	default:
		words += l.verb(" holds", " hold") + " for these partitions alone"
	}
	return l.who() + ": " + words + ", and rows move between partitions, since " + l.by.id().String() + " is masked: " +
		l.verb("whether it holds for them cannot be known, and if it does not", "whether they hold for those cannot be known, and if one does not") + ", the run fails"
}

// routes are the masked columns by which rows of a partition may come from, and go to, others: of
// all tables that it is a partition of, the topmost first.
func (c *compiler) routes(t *catalog.Table) (found []*column) {
	for t.IsPartition && len(t.Parents) > 0 {
		up := c.byID[t.Parents[0]]
		if up == nil {
			break
		}
		var own []*column
		for _, name := range up.maskedOf(up.t.PartitionKey) {
			own = append(own, up.column(name))
		}
		found, t = append(own, found...), up.t
	}
	return found
}

// references is the kind of a foreign key that others have onto a partition.
const references = "foreign key of others"

// ownOf names what holds for a partition, and not for the table that it is one of: rows move by
// that column.
func (c *compiler) ownOf(ts *table, by *column, onto []*table, said *lots) {
	up, root := c.byID[ts.t.Parents[0]], c.byID[c.catalog.Root(ts.t).ID]
	if above := root.column(by.col.Name); above != nil {
		by = above
	}
	note := func(of *table, kind, name string) *lot {
		l := said.add(lotKey{root: c.catalog.Root(of.t).ID, what: by.id().String(), kind: kind}, of.t.ID, name)
		l.by = by
		return l
	}
	say := func(kind, name string) { note(ts, kind, name) }
	for _, k := range ts.t.UniqueKeys() {
		if !up.t.HasKey(k) && !up.carried(up.apartBy(k)) {
			say("unique key", k.Name+" ("+strings.Join(k.Columns, ", ")+")")
		}
	}
	for _, r := range ts.t.Rules {
		if !up.t.HasRule(r) {
			say(ruleWord(r), r.Name)
		}
	}
	for _, d := range ts.t.Checks {
		if !up.t.HasCheck(d) && !c.saysBounds(ts, d) {
			say("constraint", d.Name)
		}
	}
	for _, col := range ts.columns {
		if up.t.LacksNotNull(*col.col) && !(ts.t.PrimaryKey != nil && slices.Contains(ts.t.PrimaryKey.Columns, col.col.Name)) {
			say("NOT NULL", col.col.Name)
		}
	}
	for _, fk := range ts.t.ForeignKeys {
		if fk.Validated && !c.parentReferences(ts, fk) {
			say("foreign key", fk.Name)
		}
	}
	for _, from := range onto {
		for _, fk := range from.t.ForeignKeys {
			if fk.References == ts.t.ID && fk.Validated && from.copied() && !c.parentReferences(from, fk) {
				l := note(from, references, fk.Name)
				l.onto = append(l.onto, ts.t.ID.String())
			}
		}
	}
}

// saysBounds reports whether a CHECK of a partition reads the columns alone by which rows are
// routed, so that it says of them what the bounds do: it spares ATTACH PARTITION a look at the rows.
func (c *compiler) saysBounds(ts *table, d catalog.Definition) bool {
	if strings.HasPrefix(ts.t.Bounds, "FOR VALUES WITH") {
		return false // a hash, of which no CHECK says anything
	}
	var routed []string
	for t := ts.t; t.IsPartition && len(t.Parents) > 0; {
		up := c.catalog.Table(t.Parents[0])
		if up == nil {
			break
		}
		routed, t = append(routed, up.PartitionKey...), up
	}
	words, reads := withoutLiterals(d.Text), false
	for _, col := range ts.columns {
		if catalog.Names(words, col.col.Name) {
			if reads = slices.Contains(routed, col.col.Name); !reads {
				return false
			}
		}
	}
	return reads
}

var (
	// listedBounds are the values of a partition by LIST, in the words of PostgreSQL.
	listedBounds = regexp.MustCompile(`(?s)^FOR VALUES IN \((.*)\)$`)
	boundValue   = regexp.MustCompile(`'(?:[^']|'')*'|[^\s,]+`)
)

// nowhere finds a table that is partitioned by a list, without a default, of whose values none
// becomes one of them: no row of it has a partition to go to.
func (c *compiler) nowhere(ts *table) []string {
	key := ts.maskedOf(ts.t.PartitionKey)
	if len(key) != 1 || len(ts.t.PartitionKey) != 1 {
		return nil
	}
	var texts []string
	null := false
	for _, child := range ts.children {
		m := listedBounds.FindStringSubmatch(child.t.Bounds)
		if m == nil {
			return nil
		}
		for _, v := range boundValue.FindAllString(m[1], -1) {
			inner, quoted := strings.CutPrefix(v, "'")
			null = null || v == "NULL"
			if quoted {
				v = strings.ReplaceAll(strings.TrimSuffix(inner, "'"), "''", "'")
			} else if v == "NULL" {
				continue
			}
			texts = append(texts, v)
		}
	}
	col := ts.column(key[0])
	if col.decision.derive || col.atRun || len(texts) == 0 {
		return nil
	}
	masked, valid, err := col.binding.MaskTexts(kindOf(col.col.Type), texts)
	if err != nil {
		return nil // it takes more than the value
	}
	for i := range masked {
		if !valid[i] && null || valid[i] && slices.Contains(texts, masked[i]) {
			return nil
		}
	}
	return []string{col.id().String() + ": is masked, and of the values that the partitions list none becomes one that they list, and there is no default partition: unless an expression routes the rows, the run fails if there is one"}
}
