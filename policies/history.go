package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// history is a column that is kept, and into which a trigger writes from a table with
// masked texts.
type history struct {
	col     *column
	trigger string
	from    *table
}

// String says what is wrong with it.
func (h history) String() string {
	return "is kept, and the trigger " + h.trigger + " writes rows of " + h.from.t.ID.String() + " there, which are masked"
}

var insertInto = regexp.MustCompile(`(?i)\binsert\s+into\s+("?[\w$]+"?(?:\."?[\w$]+"?)?)`)

// histories finds triggers that write rows of a table with masked columns into another, in
// which a text or a document is kept.
func (c *compiler) histories() (found []history) {
	bodies := map[string]string{}
	for _, o := range c.catalog.Objects {
		if o.Definition != "" {
			name, _, _ := strings.Cut(o.Name, "(")
			bodies[name] = o.Definition
		}
	}
	for _, ts := range c.tables {
		if !ts.copied() || !ts.textsMasked() {
			continue
		}
		for _, trigger := range ts.t.Triggers {
			function, _, _ := strings.Cut(trigger.Function, "(")
			text := trigger.Text + "\n" + bodies[function]
			for _, m := range insertInto.FindAllStringSubmatch(text, -1) {
				target := c.catalog.Find(strings.ReplaceAll(m[1], `"`, ""))
				if target == nil || target.ID == ts.t.ID {
					continue
				}
				to := c.byID[target.ID]
				for _, col := range to.columns {
					if to.copied() && col.decision != nil && col.decision.keep && (col.col.Type.Kind == catalog.Text && len(col.col.Type.Labels) == 0 || holdsText(col.col.Type)) {
						found = append(found, history{col, trigger.Name, ts})
					}
				}
			}
		}
	}
	return found
}

// textsMasked reports whether a text of the table is masked.
func (t *table) textsMasked() bool {
	return slices.ContainsFunc(t.columns, func(col *column) bool {
		return col.decision != nil && !col.decision.keep && col.col.Type.Kind == catalog.Text
	})
}

// assignments are the places where a trigger's function sets columns of the row; a group
// of theirs is the column, or a list with NEW.column in it.
var (
	assignments = []*regexp.Regexp{
		regexp.MustCompile(`(?i)\bnew\s*\.\s*` + sqlName + `\s*:=`),
		regexp.MustCompile(`(?i)(?:^|[;,]|\b(?:set|begin|then|else|loop)\b)\s*new\s*\.\s*` + sqlName + `\s*=`),
		regexp.MustCompile(`(?i)\binto\s+(?:strict\s+)?((?:[\pL\pN_$."]+\s*,\s*)*[\pL\pN_$."]+)`),
	}
	ofNewRow = regexp.MustCompile(`(?i)\bnew\s*\.\s*` + sqlName)
)

// assigned returns the columns of the row that code sets.
func assigned(code []string) (columns []string) {
	for _, words := range code {
		for _, pattern := range assignments {
			for _, m := range pattern.FindAllStringSubmatch(words, -1) {
				if pattern != assignments[2] {
					columns = append(columns, unquoted(m[1]))
					continue
				}
				for _, target := range ofNewRow.FindAllStringSubmatch(m[1], -1) {
					columns = append(columns, unquoted(target[1]))
				}
			}
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// assignedWarnings finds texts and documents that are kept, and that a trigger of the table
// sets while it speaks of a masked column: what it makes of that one may stand in them.
func (c *compiler) assignedWarnings() (warnings []string) {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, d := range ownTriggers(c.catalog, ts.t) {
			code := c.code(d)
			for _, name := range assigned(code) {
				col := ts.column(name)
				if col == nil || col.decision == nil || !col.decision.keep || !isText(col.col.Type) {
					continue
				}
				if masked := ts.maskedOf(ts.namedBeside(code, col)); masked != nil {
					warnings = append(warnings, col.id().String()+": is kept, and the trigger "+d.Name+" sets it, and reads "+strings.Join(masked, ", ")+
						" for all that its words tell: what is masked there may stand here")
				}
			}
		}
	}
	return warnings
}

// isText reports whether a value of the type is a text, or made of parts that hold texts.
func isText(t catalog.Type) bool {
	return t.Kind == catalog.Text && len(t.Labels) == 0 || holdsText(t)
}
