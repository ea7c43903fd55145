package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// violationError is a row that the target refuses, with the lines of the policy by which
// the columns are masked that the refused rule reads.
type violationError struct {
	err  error
	hint string
}

// Error returns the cause.
func (e *violationError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *violationError) Unwrap() error { return e.err }

// Hint names the lines of the policy.
func (e *violationError) Hint() string { return e.hint }

// blamePolicy adds to an error, where it is about a rule of the database that masked values
// break, which lines of the policy mask them. Any other error comes back as it is.
func blamePolicy(err error, compiled *policies.Compiled, c *catalog.Catalog) error {
	v := connectors.ViolationOf(err)
	if v == nil || compiled == nil || c == nil {
		return err
	}
	partition, referenced := partitionOf(v, c)
	routed := masksOf(routing(partition, c), compiled, c)
	lines := masksOf(violated(v, c), compiled, c)
	if referenced && routed != "" {
		lines = "" // both ends are masked alike, and the row has moved
	}
	var hints []string
	if have := connectors.Hint(err); have != "" {
		hints = append(hints, have)
	}
	known := len(hints)
	switch {
	case lines == "":
	case v.Computed:
		hints = append(hints, "computed from columns masked by "+lines+": use a transform whose values it can be computed from, or keep the column")
	default:
		hints = append(hints, "masked by "+lines+": use a transform that fits the rule, or keep the column")
	}
	if routed != "" {
		hints = append(hints, "rows move between partitions, for what routes them is masked by "+routed+": keep it, or take what holds for one partition alone out of the source")
	}
	if len(hints) == known {
		return err
	}
	return &violationError{err: err, hint: strings.Join(hints, "; ")}
}

// masksOf names the lines of the policy that mask columns, or "".
func masksOf(columns []catalog.ColumnID, compiled *policies.Compiled, c *catalog.Catalog) string {
	var lines []string
	for _, td := range compiled.Tables {
		for _, cd := range td.Columns {
			if slices.Contains(columns, catalog.ColumnID{Table: td.Table, Column: cd.Column}) && (cd.Action == "mask" || cd.Action == "derive") {
				lines = append(lines, fmt.Sprintf("%s: %s.%s, as %s", cd.Where, c.Display(td.Table), cd.Column, truncate(cd.Do, widestDo)))
			}
		}
	}
	return report.Inert(strings.Join(lines, "; by "))
}

// partitionOf returns the partition for which alone a rule holds that a row broke, or nil; and
// whether it is one that a foreign key references.
func partitionOf(v *connectors.Violation, c *catalog.Catalog) (partition *catalog.Table, referenced bool) {
	t := c.Table(v.Table)
	if t == nil || v.Partition {
		return nil, false
	}
	for _, k := range t.ForeignKeys {
		if to := c.Table(k.References); k.Name == v.Constraint && to != nil && to.IsPartition {
			return to, true
		}
	}
	if !t.IsPartition || len(t.Parents) == 0 || c.Table(t.Parents[0]) == nil || !ownRule(v, t, c.Table(t.Parents[0])) {
		return nil, false
	}
	return t, false
}

// ownRule reports whether a rule is one of a partition, and not of the table that it is one of.
func ownRule(v *connectors.Violation, t, of *catalog.Table) bool {
	if v.Constraint == "" {
		return !v.Computed && slices.ContainsFunc(v.Columns, func(name string) bool {
			own := t.Column(name)
			return own != nil && of.LacksNotNull(*own)
		})
	}
	for _, d := range t.Checks {
		if d.Name == v.Constraint {
			return !of.HasCheck(d)
		}
	}
	for _, k := range t.UniqueKeys() {
		if k.Name == v.Constraint {
			return !of.HasKey(k)
		}
	}
	for _, r := range t.Rules {
		if r.Name == v.Constraint {
			return !of.HasRule(r)
		}
	}
	for _, k := range t.ForeignKeys {
		if k.Name == v.Constraint {
			return !of.HasForeignKey(k)
		}
	}
	return false
}

// routing returns the columns by which rows get into a partition, from the table that it is one of up.
func routing(t *catalog.Table, c *catalog.Catalog) (columns []catalog.ColumnID) {
	for t != nil && t.IsPartition && len(t.Parents) > 0 {
		if t = c.Table(t.Parents[0]); t != nil {
			for _, name := range t.PartitionKey {
				columns = append(columns, catalog.ColumnID{Table: t.ID, Column: name})
			}
		}
	}
	return columns
}

// violated returns the columns that a rule reads which a row broke, as far as the catalog tells: else
// those that the server names. Columns that the database computes bring those that they are made of.
func violated(v *connectors.Violation, c *catalog.Catalog) (columns []catalog.ColumnID) {
	t := c.Table(v.Table)
	if t == nil {
		return ofView(v.Table, c)
	}
	names := readBy(v, c, t)
	for _, name := range names {
		names = append(names, t.ComputedFrom(name)...)
	}
	for _, name := range names {
		columns = append(columns, catalog.ColumnID{Table: t.ID, Column: name})
	}
	return columns
}

// ofView returns the columns of tables that a view reads, itself or through others.
func ofView(view catalog.TableID, c *catalog.Catalog) (columns []catalog.ColumnID) {
	seen := map[catalog.TableID]bool{view: true}
	for queue := []catalog.TableID{view}; len(queue) > 0; queue = queue[1:] {
		for _, o := range c.Objects {
			if o.Name != queue[0].String() || o.Kind != "view" && o.Kind != "materialized view" {
				continue
			}
			for _, id := range o.Reads {
				if columns = append(columns, id); !seen[id.Table] {
					seen[id.Table] = true
					queue = append(queue, id.Table)
				}
				if t := c.Table(id.Table); t != nil {
					for _, name := range t.ComputedFrom(id.Column) {
						columns = append(columns, catalog.ColumnID{Table: id.Table, Column: name})
					}
				}
			}
		}
	}
	return columns
}

// readBy returns the columns that the rule names.
func readBy(v *connectors.Violation, c *catalog.Catalog, t *catalog.Table) []string {
	columns := slices.Clone(v.Columns)
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(columns, n) {
				columns = append(columns, n)
			}
		}
	}
	if v.Partition {
		// The rows come from a partition, and are routed from the root down.
		for up := t; up != nil; up = c.Table(up.Parents[0]) {
			add(up.PartitionKey...)
			if !up.IsPartition || len(up.Parents) == 0 {
				break
			}
		}
	}
	if v.Type != "" && columns == nil {
		for _, col := range t.Columns {
			if name := strings.Trim(col.Type.Name, `"`); name == v.Type || strings.HasSuffix(name, "."+v.Type) {
				add(col.Name)
			}
		}
	}
	if v.Constraint == "" {
		return columns
	}
	for _, d := range slices.Concat(t.Checks, t.Indexes) {
		if d.Name == v.Constraint {
			add(d.Reads...)
		}
	}
	for _, k := range t.UniqueKeys() {
		if k.Name == v.Constraint {
			add(k.Columns...)
		}
	}
	for _, r := range t.Rules {
		if r.Name != v.Constraint {
			continue
		}
		add(r.Condition...)
		for _, p := range r.Parts {
			if p.Column != "" {
				add(p.Column)
			}
			add(p.Reads...)
		}
	}
	for _, k := range t.ForeignKeys {
		if k.Name == v.Constraint {
			add(k.Columns()...)
		}
	}
	return columns
}
