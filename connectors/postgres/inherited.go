package postgres

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A dump makes a table that inherits by its own columns and its parents, and the server then puts
// those of the parents first. At the source they may stand otherwise: a column was added to a parent
// later, or the table was told to inherit when it was there. Values of its row type go by places,
// and so do SELECT * and INSERT without a list.

// ordered is a table that inherits, with its columns in the order that they have at the source.
type ordered struct {
	Table   catalog.TableID `json:"table"`
	Columns []orderedColumn `json:"columns"`
}

// orderedColumn is a column as a table above would have to have it: no conflict with the true
// parents may come of it.
type orderedColumn struct {
	Name       string `json:"name"` // in SQL
	Type       string `json:"type"` // in SQL, with its collation
	Inherited  bool   `json:"inherited,omitempty"`
	Generated  string `json:"generated,omitempty"` // s stored, v virtual
	Expression string `json:"expression,omitempty"`
	Storage    string `json:"storage,omitempty"` // if it is not that of its type
}

// readOrders reads the tables that a dump would make with another order of columns.
func readOrders(ctx context.Context, conn *pgx.Conn) (tables []ordered, err error) {
	err = each(ctx, conn, "column_orders", nil, func(row pgx.CollectableRow) error {
		var id catalog.TableID
		var c orderedColumn
		if err := row.Scan(&id.Schema, &id.Name, &c.Name, &c.Type, &c.Inherited, &c.Generated, &c.Expression, &c.Storage); err != nil {
			return err
		}
		if n := len(tables); n == 0 || tables[n-1].Table != id {
			tables = append(tables, ordered{Table: id})
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, c)
		return nil
	})
	return tables, err
}

var inherits = regexp.MustCompile(`\n\)\nINHERITS \(`)

// fitOrder makes the tables that inherit with the columns in the source's order: they get a parent
// in front of the others for as long as they are made, which has them all. The server merges the
// columns, and everything else comes of the true parents and of the table's own definition.
func (b *build) fitOrder() {
	for _, o := range b.defs.Ordered {
		at := slices.IndexFunc(b.defs.Before, func(e entry) bool { return e.Kind == "TABLE" && e.Schema == o.Table.Schema && e.Name == o.Table.Name })
		if at < 0 {
			continue
		}
		first := ident(b.ledger) + "." + ident("order of columns")
		e := &b.defs.Before[at]
		e.SQL = o.parentSQL(first, b.major) + outside(inherits, e.SQL, func(words string) string { return words + first + ", " }) +
			"\nALTER TABLE " + table(o.Table) + " NO INHERIT " + first + ";\nDROP TABLE " + first + ";"
	}
}

// parentSQL makes the parent that goes again.
func (o ordered) parentSQL(name string, major int) string {
	var columns []string
	stored := ""
	for _, c := range o.Columns {
		sql := c.Name + " " + c.Type
		// One of the table alone may have its expression there only, or has to have it above as well.
		if c.Generated != "" && (c.Inherited || overridesGenerated.in(major)) {
			sql += " GENERATED ALWAYS AS (" + c.Expression + ")"
			if c.Generated == "v" {
				sql += " VIRTUAL"
			} else {
				sql += " STORED"
			}
		}
		columns = append(columns, sql)
		if c.Storage != "" {
			stored += "ALTER TABLE ONLY " + name + " ALTER COLUMN " + c.Name + " SET STORAGE " + c.Storage + ";\n"
		}
	}
	return "CREATE TABLE " + name + " (" + strings.Join(columns, ", ") + ");\n" + stored
}
