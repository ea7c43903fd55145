package policies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Where a column that routes rows is masked, rows move to other partitions. What holds for one of
// these only, and not for the table, was never asked of the rows that come.

// moved warns of what may not hold for rows that have moved.
func (c *compiler) moved() (warnings []string) {
	onto := map[catalog.TableID][]*table{} // who has a foreign key onto it
	for _, ts := range c.tables {
		for _, fk := range ts.t.ForeignKeys {
			if !slices.Contains(onto[fk.References], ts) {
				onto[fk.References] = append(onto[fk.References], ts)
			}
		}
	}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		if routes := c.routes(ts.t); routes != nil {
			warnings = append(warnings, c.ownOf(ts, routes, onto[ts.t.ID])...)
		}
		if ts.t.Kind == catalog.Partitioned && c.routes(ts.t) == nil {
			warnings = append(warnings, c.nowhere(ts)...)
		}
	}
	return warnings
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

// ownOf names what holds for a partition, and not for the table that it is one of.
func (c *compiler) ownOf(ts *table, routes []*column, onto []*table) (warnings []string) {
	up := c.byID[ts.t.Parents[0]]
	say := func(of catalog.TableID, what string) {
		warnings = append(warnings, fmt.Sprintf("%s: %s, and rows move between partitions, since %s is masked: whether it holds for them cannot be known, and if it does not, the run fails", of, what, routes[0].id()))
	}
	const alone = " holds for this partition alone"
	for _, k := range ts.t.UniqueKeys() {
		if !up.t.HasKey(k) && !up.carried(up.apartBy(k)) {
			say(ts.t.ID, "the unique key "+k.Name+" ("+strings.Join(k.Columns, ", ")+")"+alone)
		}
	}
	for _, r := range ts.t.Rules {
		if !up.t.HasRule(r) {
			say(ts.t.ID, "the "+ruleWord(r)+" "+r.Name+alone)
		}
	}
	for _, d := range ts.t.Checks {
		if !up.t.HasCheck(d) {
			say(ts.t.ID, "the constraint "+d.Name+alone)
		}
	}
	for _, col := range ts.columns {
		if up.t.LacksNotNull(*col.col) {
			say(ts.t.ID, "NOT NULL of "+col.col.Name+alone)
		}
	}
	for _, fk := range ts.t.ForeignKeys {
		if fk.Validated && !c.parentReferences(ts, fk) {
			say(ts.t.ID, "the foreign key "+fk.Name+alone)
		}
	}
	for _, from := range onto {
		for _, fk := range from.t.ForeignKeys {
			if fk.References == ts.t.ID && fk.Validated && from.copied() && !c.parentReferences(from, fk) {
				say(from.t.ID, "the foreign key "+fk.Name+" references the partition "+ts.t.ID.String()+" alone")
			}
		}
	}
	return warnings
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
