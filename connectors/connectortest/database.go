package connectortest

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Database is one database of the engine under test, as its users see it. The
// suite writes to it and reads from it beside the connector, by sessions of
// its own. Its methods end the test when the engine refuses.
type Database interface {
	// DSN is the connection string that the connector takes.
	DSN() string
	// Exists reports whether users can see the database.
	Exists(t testing.TB) bool
	// Create makes the database if it does not exist, and in it the tables with
	// their keys. Column.Type.Name is the type in the engine's words. A foreign
	// key may point to a table that comes later in the list. The Default of a
	// computed column is its expression.
	Create(t testing.TB, tables ...*catalog.Table)
	// Insert adds rows in one transaction, committed on return. A value is nil,
	// bool, int64, float64, string, []byte or Expr.
	Insert(t testing.TB, table catalog.TableID, columns []string, rows ...[]any)
	// Update sets one column in the rows in which the column where has the value is.
	Update(t testing.TB, table catalog.TableID, set string, value any, where string, is any)
	// Delete removes the rows in which the column where has the value is.
	Delete(t testing.TB, table catalog.TableID, where string, is any)
	// Rows returns every row of the table, sorted, with its cells as exact text:
	// equal texts are equal values, byte for byte. NULL and every string differ.
	Rows(t testing.TB, table catalog.TableID) [][]string
	// Leftovers names what stands beside the database and belongs to builds of
	// it: databases, files. A database at rest has none.
	Leftovers(t testing.TB) []string
}

// Sessioner is a Database that makes a session for each call, where that costs more than what
// is asked. Session returns a Database that is used by one goroutine and has one session for
// all calls until the function is called that it returns.
type Sessioner interface {
	Session(t testing.TB) (Database, func())
}

// session returns the database itself if it is no Sessioner.
func session(t testing.TB, db Database) (Database, func()) {
	t.Helper()
	if s, ok := db.(Sessioner); ok {
		return s.Session(t)
	}
	return db, func() {}
}

// Cloner is a Database that can be made as a copy of another, in which nobody has a session,
// for less than what it costs to fill it.
type Cloner interface {
	Clone(t testing.TB, of Database)
}

// Expr is a value in the engine's own words: an SQL expression.
type Expr string

// Dialect is what SQL needs to know of an engine.
type Dialect struct {
	// Placeholder is the nth parameter, from 1: $1, ?.
	Placeholder func(n int) string
	// Quote writes a name as SQL. Nil: between double quotes, doubled within.
	Quote func(name string) string
	// Exact is the expression whose text tells a value from every other: it is
	// given a quoted column name. It is never NULL.
	Exact func(column string) string
	// InlineForeignKeys puts foreign keys into CREATE TABLE, for an engine that
	// cannot add them later and does not mind if the referenced table is missing.
	InlineForeignKeys bool
	// EmptyRow is what stands for the columns and values of a row that names none. Empty:
	// DEFAULT VALUES.
	EmptyRow string
}

// SQL is a Database behind database/sql. A harness embeds it and adds Exists,
// Leftovers, and whatever else differs.
type SQL struct {
	Name    string // connection string for the connector
	Dialect Dialect
	// Open returns a handle on the database, which it creates first if need be.
	// The suite closes the handle.
	Open func(t testing.TB) *sql.DB
}

// DSN returns Name.
func (d *SQL) DSN() string { return d.Name }

// Create implements Database.
func (d *SQL) Create(t testing.TB, tables ...*catalog.Table) {
	t.Helper()
	var later []string
	for _, table := range tables {
		create, alter := d.Dialect.CreateTable(table)
		d.Exec(t, create...)
		later = append(later, alter...)
	}
	d.Exec(t, later...)
	if len(tables) == 0 {
		d.Exec(t)
	}
}

// Exec runs statements in one transaction, committed on return.
func (d *SQL) Exec(t testing.TB, statements ...string) {
	t.Helper()
	d.transaction(t, func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range statements {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

func (d *SQL) transaction(t testing.TB, do func(context.Context, *sql.Tx) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := d.Open(t)
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer tx.Rollback()
	if err := do(ctx, tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// Insert implements Database.
func (d *SQL) Insert(t testing.TB, table catalog.TableID, columns []string, rows ...[]any) {
	t.Helper()
	d.transaction(t, func(ctx context.Context, tx *sql.Tx) error {
		for i, row := range rows {
			var values []string
			var args []any
			for _, v := range row {
				values = append(values, d.value(v, &args))
			}
			s := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", d.Dialect.table(table), d.Dialect.quoteAll(columns), strings.Join(values, ", "))
			if len(columns) == 0 {
				s = fmt.Sprintf("INSERT INTO %s %s", d.Dialect.table(table), cmp.Or(d.Dialect.EmptyRow, "DEFAULT VALUES"))
			}
			if _, err := tx.ExecContext(ctx, s, args...); err != nil {
				return fmt.Errorf("insert row %d of %s: %w", i, table, err)
			}
		}
		return nil
	})
}

// value returns v's place in a statement, and appends what has to be bound.
func (d *SQL) value(v any, args *[]any) string {
	if e, ok := v.(Expr); ok {
		return string(e)
	}
	*args = append(*args, v)
	return d.Dialect.Placeholder(len(*args))
}

// Update implements Database.
func (d *SQL) Update(t testing.TB, table catalog.TableID, set string, value any, where string, is any) {
	t.Helper()
	d.transaction(t, func(ctx context.Context, tx *sql.Tx) error {
		var args []any
		s := fmt.Sprintf("UPDATE %s SET %s = %s", d.Dialect.table(table), d.Dialect.quote(set), d.value(value, &args))
		s += fmt.Sprintf(" WHERE %s = %s", d.Dialect.quote(where), d.value(is, &args))
		_, err := tx.ExecContext(ctx, s, args...)
		return err
	})
}

// Delete implements Database.
func (d *SQL) Delete(t testing.TB, table catalog.TableID, where string, is any) {
	t.Helper()
	d.transaction(t, func(ctx context.Context, tx *sql.Tx) error {
		var args []any
		s := fmt.Sprintf("DELETE FROM %s WHERE %s = %s", d.Dialect.table(table), d.Dialect.quote(where), d.value(is, &args))
		_, err := tx.ExecContext(ctx, s, args...)
		return err
	})
}

// Rows implements Database.
func (d *SQL) Rows(t testing.TB, table catalog.TableID) [][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := d.Open(t)
	defer db.Close()
	names, err := d.columnNames(ctx, db, table)
	if err != nil {
		t.Fatalf("columns of %s: %v", table, err)
	}
	if len(names) == 0 {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+d.Dialect.table(table)).Scan(&n); err != nil {
			t.Fatalf("rows of %s: %v", table, err)
		}
		return make([][]string, n)
	}
	var exprs []string
	for _, n := range names {
		exprs = append(exprs, d.Dialect.Exact(d.Dialect.quote(n)))
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s", strings.Join(exprs, ", "), d.Dialect.table(table)))
	if err != nil {
		t.Fatalf("rows of %s: %v", table, err)
	}
	defer rows.Close()
	var all [][]string
	for rows.Next() {
		row := make([]string, len(names))
		into := make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("rows of %s: %v", table, err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("rows of %s: %v", table, err)
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

func (d *SQL) columnNames(ctx context.Context, db *sql.DB, table catalog.TableID) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+d.Dialect.table(table)+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// CreateTable returns the statements that make a table, and those to run when
// all tables are there.
func (d Dialect) CreateTable(t *catalog.Table) (create, later []string) {
	var parts []string
	for _, c := range t.Columns {
		p := d.quote(c.Name) + " " + c.Type.Name
		switch {
		case c.Generation == catalog.Stored:
			p += " GENERATED ALWAYS AS (" + c.Default + ") STORED"
		case c.Generation == catalog.Virtual:
			p += " GENERATED ALWAYS AS (" + c.Default + ") VIRTUAL"
		case c.Default != "":
			p += " DEFAULT " + c.Default
		}
		if c.NotNull {
			p += " NOT NULL"
		}
		parts = append(parts, p)
	}
	if k := t.PrimaryKey; k != nil {
		parts = append(parts, fmt.Sprintf("CONSTRAINT %s PRIMARY KEY (%s)", d.quote(k.Name), d.quoteAll(k.Columns)))
	}
	for _, k := range t.Unique {
		parts = append(parts, fmt.Sprintf("CONSTRAINT %s UNIQUE (%s)", d.quote(k.Name), d.quoteAll(k.Columns)))
	}
	for _, k := range t.ForeignKeys {
		var refs []string
		for _, p := range k.Pairs {
			refs = append(refs, p.References)
		}
		s := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", d.quote(k.Name), d.quoteAll(k.Columns()), d.table(k.References), d.quoteAll(refs))
		if k.Deferrable {
			s += " DEFERRABLE INITIALLY DEFERRED"
		}
		if d.InlineForeignKeys {
			parts = append(parts, s)
		} else {
			later = append(later, fmt.Sprintf("ALTER TABLE %s ADD %s", d.table(t.ID), s))
		}
	}
	return []string{fmt.Sprintf("CREATE TABLE %s (%s)", d.table(t.ID), strings.Join(parts, ", "))}, later
}

func (d Dialect) quote(name string) string {
	if d.Quote != nil {
		return d.Quote(name)
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (d Dialect) quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = d.quote(n)
	}
	return strings.Join(quoted, ", ")
}

func (d Dialect) table(id catalog.TableID) string {
	if id.Schema == "" {
		return d.quote(id.Name)
	}
	return d.quote(id.Schema) + "." + d.quote(id.Name)
}
