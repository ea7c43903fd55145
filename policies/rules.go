package policies

import (
	"fmt"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// uniqueRules proves that masked rows do not break the unique indexes over
// expressions and the exclusion constraints of a copied table. What an expression makes of
// masked values is seldom known, and said; what an operator makes of them that do not keep
// their order is known well enough, and the policy does not compile.
func (c *compiler) uniqueRules() {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, a := range ts.aparts() {
			if a.rule == nil || c.ofParent(ts, a) {
				continue
			}
			if beside := ts.maskedAmong(a.rule.Condition); beside != nil {
				c.warnings = append(c.warnings, fmt.Sprintf("%s: the %s %s holds for some rows only, and its condition reads %s, which is masked: other rows may fall under it", ts.t.ID, a.word(), a.name, beside.col.Name))
			}
			switch d := ts.doubt(a); d.kind {
			case certain:
			case lossy:
				c.refuseRule(a, d, "keep the column, null it if it may be NULL, or take %s out of the source",
					fmt.Sprintf("and %s does not keep different values different", d.col.decision.do))
			case unordered:
				help := "keep the column, null it if it may be NULL, or take %s out of the source"
				if dated(d.part.under) {
					help = "move all its dates alike ({shift_days: 30}, in a range {each: {shift_days: 30}}), " + help
				}
				c.refuseRule(a, d, help, fmt.Sprintf("by the operator %s: whether masked values keep it true cannot be known", d.part.Operator))
			default:
				c.say(ts, a, d)
			}
		}
	}
}

func (c *compiler) refuseRule(a apart, d doubt, help, why string) {
	c.fail(Invalid, d.col.decision.at, d.col.id().String(), fmt.Sprintf(help, a.name),
		"%s%s is read by the %s %s, %s", d.col.id(), d.col.inherited(), a.word(), a.name, why)
}

// dated reports whether a column is of dates, or of ranges of them.
func dated(m masking.Column) bool {
	if m.Element != nil {
		m = *m.Element
	}
	return m.Kind == masking.Date || m.Kind == masking.Timestamp
}

func ruleWord(r catalog.Rule) string {
	if r.Exclusion {
		return "exclusion constraint"
	}
	return "unique index"
}

// maskedAmong returns the first of the columns that is masked, or is behind one that the
// database computes; or nil. What is read as NULL counts too: an expression may make
// something of it.
func (t *table) maskedAmong(names []string) *column {
	for _, name := range names {
		col := t.column(name)
		if col != nil && col.decision != nil && !col.decision.keep {
			return col
		}
		if behind := t.maskedBehind(col); behind != nil {
			return behind[0]
		}
	}
	return nil
}
