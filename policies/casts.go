package policies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What the database computes of a text may want digits or dates in it, which a mask need not leave.

// castTo ends with the type of another kind than text to which PostgreSQL casts the column before it.
const castTo = `"?\)*(?:::(?:text|character varying(?:\(\d+\))?)\)*)*::((?:small|big)?int\w*|numeric|double precision|real|date|time\w*|interval|uuid|inet|cidr|macaddr8?|boolean|money|jsonb?|xml)\b`

// castWarnings finds indexes, CHECKs, computed columns, statistics and materialized views that cast
// a masked text to a type of another kind: what was one at the source may be none any more, and the
// run fails when it is computed.
func (c *compiler) castWarnings() (warnings []string) {
	beside := slices.DeleteFunc(slices.Clone(c.catalog.Objects), func(o catalog.Object) bool { return o.Kind != "materialized view" && o.Kind != "extended statistics" })
	for _, ts := range c.tables {
		if !ts.copied() || ts.t.IsPartition {
			continue // a partition has the expressions of its table
		}
		for _, col := range ts.columns {
			if !col.bound || col.col.Type.Kind != catalog.Text || col.decision.nulls() || col.binding.Guarantees.KeepsFormat {
				continue
			}
			cast := regexp.MustCompile(`(?:^|[^\w"$])(?:[\w"$]+\.)?"?` + regexp.QuoteMeta(strings.ReplaceAll(col.col.Name, `"`, `""`)) + castTo)
			for _, e := range computing(col, beside) {
				if m := cast.FindStringSubmatch(withoutLiterals(e.Text)); m != nil {
					warnings = append(warnings, fmt.Sprintf("%s: is masked, and %s casts it to %s: if a masked value is none, the run fails when that is computed", col.id(), e.Name, m[1]))
				}
			}
		}
	}
	return warnings
}

// computing returns what a run computes of the rows of a column's table, in the engine's words and
// with a name for people; what stands beside tables is chosen from these objects.
func computing(col *column, beside []catalog.Object) (found []catalog.Definition) {
	t := col.table.t
	for _, d := range t.Indexes {
		found = append(found, catalog.Definition{Name: "the index " + d.Name, Text: d.Text})
	}
	for _, d := range t.Checks {
		found = append(found, catalog.Definition{Name: "the constraint " + d.Name, Text: d.Text})
	}
	for _, other := range t.Columns {
		if other.Generation == catalog.Stored {
			found = append(found, catalog.Definition{Name: "the computed column " + other.Name, Text: other.Computation})
		}
	}
	for _, o := range beside {
		if slices.Contains(o.Reads, col.id()) || o.StatisticsOf(t.ID) {
			found = append(found, catalog.Definition{Name: "the " + o.Kind + " " + o.Name, Text: o.Definition})
		}
	}
	return found
}
