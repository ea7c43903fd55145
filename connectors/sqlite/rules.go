package sqlite

import (
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// ruleOf reads a unique index as a rule, if it compares anything but columns by
// their own collations. k has "" where an expression stands. The statement that made
// the index is the only place that says what the expression is.
func ruleOf(t *catalog.Table, k catalog.Key, collations []string, sql string) (r catalog.Rule, is bool) {
	r = catalog.Rule{Name: k.Name}
	parts, condition := parseIndex(sql)
	for i, name := range k.Columns {
		p := catalog.Part{Column: name}
		if name == "" {
			is = true
			p = catalog.Part{Expression: "an expression", Reads: columnNames(t)}
			if i < len(parts) {
				p = partOf(t, parts[i])
			}
		}
		if col := t.Column(p.Column); col != nil && !strings.EqualFold(collations[i], "BINARY") && !strings.EqualFold(collations[i], col.Collation) {
			p.Equality |= equalityOf(collations[i])
			is = true
		}
		r.Parts = append(r.Parts, p)
	}
	if k.Partial {
		r.Condition = columnsIn(t, condition)
	}
	return r, is
}

// partOf reads an indexed expression. SQLite's lower and upper know a to z alone.
func partOf(t *catalog.Table, all []token) catalog.Part {
	if n := len(all); n == 4 && (all[0].is("lower") || all[0].is("upper")) && all[1].is("(") && all[3].is(")") {
		if name := spelling(t, all[2].text); t.Column(name) != nil {
			return catalog.Part{Column: name, Equality: catalog.FoldASCII}
		}
	}
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = w.text
	}
	return catalog.Part{Expression: strings.Join(words, " "), Reads: columnsIn(t, all)}
}

// parseIndex reads what a CREATE INDEX statement lists, and its condition.
func parseIndex(sql string) (parts [][]token, condition []token) {
	all := tokens(sql)
	on := slices.IndexFunc(all, func(w token) bool { return w.is("ON") })
	if on < 0 {
		return nil, nil // of a constraint
	}
	all = all[on+1:]
	open := slices.IndexFunc(all, func(w token) bool { return w.is("(") })
	if open < 0 {
		return nil, nil
	}
	depth, from := 1, open+1
	for i := open + 1; i < len(all); i++ {
		switch w := all[i]; {
		case w.is("("):
			depth++
		case w.is(")"):
			depth--
		}
		if depth == 0 || depth == 1 && all[i].is(",") {
			parts = append(parts, ordered(all[from:i]))
			from = i + 1
		}
		if depth == 0 {
			return parts, all[i+1:]
		}
	}
	return parts, nil
}

// ordered leaves out the order of an indexed expression.
func ordered(all []token) []token {
	if n := len(all); n > 1 && (all[n-1].is("ASC") || all[n-1].is("DESC")) {
		return all[:n-1]
	}
	return all
}

// columnsIn returns the columns of the table whose names stand among the words:
// all that an expression can read, and perhaps one more.
func columnsIn(t *catalog.Table, all []token) (names []string) {
	for _, c := range t.Columns {
		if slices.ContainsFunc(all, func(w token) bool { return strings.EqualFold(w.text, c.Name) }) {
			names = append(names, c.Name)
		}
	}
	return names
}

func columnNames(t *catalog.Table) (names []string) {
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return names
}
