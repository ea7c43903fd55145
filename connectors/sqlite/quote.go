package sqlite

import (
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Names become SQL here and nowhere else.

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteText(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// readSQL selects the columns of a range of rowids, or of all rows if rowid is
// empty. The plus keeps the driver from reading dates by the declared type: it
// changes no value, and an expression has no declared type.
func readSQL(table string, columns []catalog.Column, rowid string, last bool) string {
	return readChosenSQL(table, columns, rowid, last, nil)
}

// readChosenSQL reads the rows of a choice, with the text of their keys behind them.
func readChosenSQL(table string, columns []catalog.Column, rowid string, last bool, chosen *rows.Choice) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("+" + quote(c.Name))
	}
	for i, k := range chosen.Keys() {
		if i > 0 || len(columns) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(keyText(k))
	}
	b.WriteString(" FROM " + quote(table))
	var conditions []string
	if rowid != "" {
		conditions = append(conditions, rowid+" >= ?")
		if !last {
			conditions = append(conditions, rowid+" < ?")
		}
	}
	if where := chosen.Condition(); where != "" {
		conditions = append(conditions, where)
	}
	if len(conditions) > 0 {
		b.WriteString(" WHERE " + strings.Join(conditions, " AND "))
	}
	if rowid != "" {
		b.WriteString(" ORDER BY " + rowid)
	}
	return b.String()
}

// stepSQL finds the rowid that stands a number of rows after another.
func stepSQL(table, rowid string) string {
	return "SELECT " + rowid + " FROM " + quote(table) + " WHERE " + rowid + " >= ? ORDER BY " + rowid + " LIMIT 1 OFFSET ?"
}

// insertSQL inserts a number of rows, by name.
func insertSQL(table string, columns []catalog.Column, count int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + quote(table) + " (")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(c.Name))
	}
	b.WriteString(") VALUES ")
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(row)
	}
	return b.String()
}
