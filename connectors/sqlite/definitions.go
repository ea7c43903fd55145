package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The words of what a file defines beside columns and keys. SQLite keeps each as the
// statement that made it; CHECKs and computed columns stand within that of their table.

// define adds the definitions of a table.
func (c schema) define(t *catalog.Table, declared statement) {
	for i, check := range declared.checks {
		d := catalog.Definition{Name: check.name, Text: "CHECK " + check.text, Reads: columnsIn(t, check.tokens)}
		if d.Name == "" {
			// As PostgreSQL would call it.
			if d.Name = t.ID.Name + "_check"; i > 0 {
				d.Name += fmt.Sprint(i)
			}
		}
		t.Checks = append(t.Checks, d)
	}
	for column, text := range declared.computations {
		if col := t.Column(spelling(t, column)); col != nil && col.Generation.Computed() {
			col.Computation = text
		}
	}
	for _, o := range c.objects {
		if !strings.EqualFold(o.Table, t.ID.Name) || o.SQL == "" {
			continue
		}
		switch o.Type {
		case "index":
			parts, condition := parseIndex(o.SQL)
			if len(condition) == 0 && !slices.ContainsFunc(parts, func(p []token) bool { return !plainPart(t, p) }) {
				continue // the keys say as much
			}
			t.Indexes = append(t.Indexes, catalog.Definition{Name: o.Name, Text: o.SQL, Reads: columnsIn(t, append(slices.Concat(parts...), condition...))})
		case "trigger":
			t.Triggers = append(t.Triggers, catalog.Definition{Name: o.Name, Text: o.SQL, Reads: columnsIn(t, tokens(o.SQL))})
		}
	}
}

// plainPart reports whether an index compares a column, whatever its collation.
func plainPart(t *catalog.Table, part []token) bool {
	return len(part) > 0 && t.Column(spelling(t, part[0].text)) != nil && (len(part) == 1 || part[1].is("COLLATE"))
}

// viewReads lists the columns that a view may read: of each table that its statement
// names, the columns that it names, and all of them under a star. SQLite itself does not tell.
func viewReads(tables []*catalog.Table, sql string) (reads []catalog.ColumnID) {
	all := tokens(sql)
	if as := slices.IndexFunc(all, func(w token) bool { return w.is("AS") }); as >= 0 {
		all = all[as:] // the names that the view gives to its columns read nothing
	}
	star := false
	for i, w := range all {
		if w.text == "*" && !w.quoted && i > 0 {
			before := all[i-1]
			star = star || before.is("SELECT") || before.is("DISTINCT") || before.is("ALL") || before.is(",") || before.is(".")
		}
	}
	for _, t := range tables {
		if !slices.ContainsFunc(all, func(w token) bool { return strings.EqualFold(w.text, t.ID.Name) }) {
			continue
		}
		names := columnsIn(t, all)
		if star {
			names = columnNames(t)
		}
		for _, n := range names {
			reads = append(reads, catalog.ColumnID{Table: t.ID, Column: n})
		}
	}
	return reads
}
