package policies

import (
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// uniqueRules proves that masked rows do not break the unique indexes over
// expressions and the exclusion constraints of a copied table. Of an expression that
// reads a masked column nothing is known, and the policy does not compile.
func (c *compiler) uniqueRules() {
	for _, ts := range c.tables {
		if !ts.copied() || ts.t.Kind == catalog.Partitioned {
			continue // a partition has the rules of its parent
		}
		for _, r := range ts.t.Rules {
			if beside := ts.maskedAmong(r.Condition); beside != nil {
				c.warnings = append(c.warnings, fmt.Sprintf("%s: the %s %s holds for some rows only, and its condition reads %s, which is masked: other rows may fall under it", ts.t.ID, ruleWord(r), r.Name, beside.col.Name))
			}
			bad, why := ts.breaks(r)
			if bad == nil {
				continue
			}
			inherited := ""
			if !bad.explicit {
				inherited = " (" + bad.why + ")"
			}
			c.fail(Invalid, bad.decision.at, bad.id().String(), fmt.Sprintf("keep the column, null it if it may be NULL, or take %s out of the source", r.Name),
				"%s%s is read by the %s %s, %s", bad.id(), inherited, ruleWord(r), r.Name, why)
		}
	}
}

func ruleWord(r catalog.Rule) string {
	if r.Exclusion {
		return "exclusion constraint"
	}
	return "unique index"
}

// breaks returns a masked column by which two rows may break the rule that did not
// before, and why; or nil.
func (t *table) breaks(r catalog.Rule) (bad *column, why string) {
	find := func(c *column, format string, args ...any) {
		if bad == nil {
			bad, why = c, fmt.Sprintf(format, args...)
		}
	}
	var columns []string // of which equal rows have equal values
	for _, p := range r.Parts {
		col := t.column(p.Column)
		switch {
		case p.Column == "":
			if masked := t.maskedAmong(p.Reads); masked != nil {
				find(masked, "by the expression %s: whether masked values keep it true cannot be known", clip(p.Expression))
			}
			continue
		case col == nil || col.decision == nil:
			continue
		case !col.decision.keep && col.decision.nulls() && !r.NullsEqual:
			return nil, "" // a row without the value answers to no operator
		case col.decision.keep || !col.bound:
		case p.Operator != "":
			find(col, "by the operator %s: whether masked values keep it true cannot be known", p.Operator)
		case !col.binding.Guarantees.Unique(t.rows()):
			find(col, "and %s does not keep different values different", col.decision.do)
		}
		if p.Operator == "" {
			columns = append(columns, p.Column)
		}
	}
	if bad != nil && t.carriedBy(columns) {
		return nil, ""
	}
	return bad, why
}

// carriedBy reports whether the columns contain a unique key that stays unique for
// every row, so that no two rows are equal in all of them.
func (t *table) carriedBy(columns []string) bool {
	return t.carried(catalog.Key{Columns: append(slices.Clone(columns), ""), NullsEqual: true})
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
