package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What the database computes of a text may want digits or dates in it, which a mask need not leave.

// castBehind is the type of another kind than text to which PostgreSQL casts the column before it.
var castBehind = regexp.MustCompile(`^"?\)*(?:::(?:text|character varying(?:\(\d+\))?)\)*)*::((?:small|big)?int\w*|numeric|double precision|real|date|time\w*|interval|uuid|inet|cidr|macaddr8?|boolean|money|jsonb?|xml)\b`)

// castOf returns the type to which words cast a column of that name, or "".
func castOf(words, name string) string {
	name = strings.ReplaceAll(name, `"`, "")
	for from := 0; name != ""; {
		i := strings.Index(words[from:], name)
		if i < 0 {
			return ""
		}
		begin, end := from+i, from+i+len(name)
		if from = end; !strings.Contains(words[end:], "::") {
			return ""
		}
		if m := castBehind.FindStringSubmatch(words[end:]); m != nil && !inName(strings.TrimSuffix(words[:begin], `"`)) {
			return m[1]
		}
	}
	return ""
}

// inName reports whether words end in the middle of a name.
func inName(words string) bool {
	if words == "" {
		return false
	}
	b := words[len(words)-1]
	return b == '_' || b == '$' || b == '"' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// castWarnings finds indexes, CHECKs, computed columns, statistics and materialized views that cast
// a masked text to a type of another kind: what was one at the source may be none any more, and the
// run fails when it is computed.
func (c *compiler) castWarnings() []string {
	beside, said := computedBeside(c.catalog.Objects), lots{}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, e := range c.computing(ts, beside) {
			for _, col := range ts.columns {
				if !col.bound || col.col.Type.Kind != catalog.Text || col.decision.nulls() || col.binding.Guarantees.KeepsFormat {
					continue
				}
				if to := castOf(e.text, col.col.Name); to != "" && (e.of == "" || e.of == col.col.Name) {
					l := said.add(lotKey{c.catalog.Root(ts.t).ID, col.col.Name, to, e.kind}, ts.t.ID, e.name)
					l.after = to
				}
			}
		}
	}
	return said.lines(func(l *lot) string {
		return l.who() + ": is masked, and " + l.subject() + l.verb(" casts", " cast") + " it to " + l.after + ": if a masked value is none, the run fails when that is computed"
	})
}

// computation is what a run computes of the rows of a table, in the engine's words; of is the only
// column that it is known to read, if it is.
type computation struct{ kind, name, text, of string }

// computing returns what a run computes of the rows of a table, and casts. What a partition has as
// its table does is the table's.
func (c *compiler) computing(ts *table, beside map[string][]computation) (found []computation) {
	var up *catalog.Table
	if parent := c.partitioned(ts); parent != nil && c.byID[parent.ID].copied() {
		up = parent
	}
	add := func(kind, name, text string, above func() bool) {
		if strings.Contains(text, "::") && (up == nil || !above()) {
			found = append(found, computation{kind: kind, name: name, text: withoutLiterals(text)})
		}
	}
	for _, d := range ts.t.Indexes {
		add("index", d.Name, d.Text, func() bool {
			return slices.ContainsFunc(up.Indexes, func(o catalog.Definition) bool { return unnamedIndex(o).Text == unnamedIndex(d).Text })
		})
	}
	for _, d := range ts.t.Checks {
		add("constraint", d.Name, d.Text, func() bool { return up.HasCheck(d) })
	}
	for _, col := range ts.t.Columns {
		if col.Generation == catalog.Stored {
			add("computed column", col.Name, col.Computation, func() bool {
				above := up.Column(col.Name)
				return above != nil && above.Generation == col.Generation && above.Computation == col.Computation
			})
		}
	}
	return append(found, beside[strings.ReplaceAll(ts.t.ID.String(), `"`, "")]...)
}

// computedBeside are the materialized views and the statistics of tables, by the names of these.
func computedBeside(objects []catalog.Object) map[string][]computation {
	found := map[string][]computation{}
	for _, o := range objects {
		if o.Kind != "materialized view" && o.Kind != "extended statistics" || !strings.Contains(o.Definition, "::") {
			continue
		}
		e := computation{kind: o.Kind, name: o.Name, text: withoutLiterals(o.Definition)}
		if of := o.StatisticsTable(); of != "" {
			found[of] = append(found[of], e)
		}
		for _, id := range o.Reads {
			e.of = id.Column
			of := strings.ReplaceAll(id.Table.String(), `"`, "")
			found[of] = append(found[of], e)
		}
	}
	return found
}
