package policies

import (
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// findTable is the function of that name, and quick for names that are spelled exactly.
func (c *compiler) findTable(name string) (t *catalog.Table, problem, help string) {
	if t := c.named[name]; t != nil {
		return t, "", ""
	}
	return findTable(c.catalog, name)
}

// findTable returns the table that the policy calls name, or nil and what is wrong
// with the name: it is not there, or several tables differ from it in case only.
func findTable(c *catalog.Catalog, name string) (t *catalog.Table, problem, help string) {
	if t := c.Find(name); t != nil {
		return t, "", ""
	}
	var names, folded []string
	for _, t := range c.Tables {
		short, long := c.Display(t.ID), t.ID.String()
		names = append(names, short)
		if strings.EqualFold(short, name) || strings.EqualFold(long, name) {
			folded = append(folded, short)
		}
	}
	if len(folded) > 1 {
		return nil, "could be any of " + strings.Join(folded, ", "), "spell it exactly"
	}
	if near := nearest(name, names); near != "" {
		return nil, "is not in the database", "did you mean " + near + "?"
	}
	return nil, "is not in the database", "take it out of the policy, or see what there is with: sanitize inspect"
}

// findColumn is findTable for a column: the exact spelling, else the only one that
// differs in case.
func findColumn(t *catalog.Table, name string) (col *catalog.Column, problem, help string) {
	if c := t.Column(name); c != nil {
		return c, "", ""
	}
	var names []string
	var folded []*catalog.Column
	for i := range t.Columns {
		c := &t.Columns[i]
		names = append(names, c.Name)
		if strings.EqualFold(c.Name, name) {
			folded = append(folded, c)
		}
	}
	switch len(folded) {
	case 1:
		return folded[0], "", ""
	case 0:
		if near := nearest(name, names); near != "" {
			return nil, "is not in the database", "did you mean " + near + "?"
		}
		return nil, "is not in the database", "the table has the columns " + strings.Join(clipList(names, 12), ", ")
	}
	return nil, "could be any of several columns that differ in case", "spell it exactly"
}

// clipList shortens a list for a message.
func clipList(names []string, most int) []string {
	if len(names) <= most {
		return names
	}
	return append(names[:most:most], "…")
}

// findEnd returns the column that an end of a link names. Names may hold dots:
// every division of the name is tried, and only one may make sense.
func (c *compiler) findEnd(name string) (t *catalog.Table, col *catalog.Column, problem, help string) {
	problem, help = "is not in the database", "write table.column; a column of another database is engine:database.table.column"
	found := 0
	for i, b := range name {
		if b != '.' {
			continue
		}
		table, _, _ := c.findTable(name[:i])
		if table == nil {
			continue
		}
		column, p, h := findColumn(table, name[i+1:])
		if column == nil {
			if found == 0 {
				problem, help = p, h
			}
			continue
		}
		t, col = table, column
		found++
	}
	switch found {
	case 0:
		return nil, nil, problem, help
	case 1:
		return t, col, "", ""
	}
	return nil, nil, "could be more than one column", "write schema.table.column"
}
