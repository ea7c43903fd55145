package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// choice is what Filter has prepared for a layout: which of the table's rows to read.
type choice struct {
	filter connectors.Filter // with its key
	most   *connectors.RowHash
}

// Filter implements connectors.Filterer. A condition that asks for the time ('now')
// asks SQLite, statement by statement.
func (s *snapshot) Filter(ctx context.Context, layout *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	t := layout.Table
	f, err := f.Resolve(t)
	if err != nil {
		return nil, err
	}
	if f.Zero() {
		return layout, nil
	}
	if f.Where != "" {
		if err := s.checkWhere(ctx, t, f.Where); err != nil {
			return nil, err
		}
	}
	rows := &choice{filter: f}
	if f.Limit > 0 {
		lowest := connectors.NewLowest(f.Limit)
		chooser := f.Chooser(nil)
		err := s.session.query(ctx, readChosenSQL(t.ID.Name, nil, "", true, rows), nil, func(v []driver.Value) error {
			if h := chooser.Hash(keyOf(v)...); chooser.Keeps(h) {
				lowest.Add(h)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		rows.most = lowest.Most()
	}
	filtered := *layout
	filtered.Rows = rows
	return &filtered, nil
}

// moody are the functions that may answer otherwise the next time, or have effects.
var moody = []string{"random", "randomblob", "load_extension", "last_insert_rowid", "changes", "total_changes"}

func (s *snapshot) checkWhere(ctx context.Context, t *catalog.Table, where string) error {
	fail := func(err error, hint string) error {
		return connectors.FilterError(t.ID, fmt.Errorf("its condition cannot be used: %w", err), hint)
	}
	// Brackets and backticks quote names here, and the others begin parameters.
	parsed, err := connectors.ParseCondition(where, "?:@#`[]")
	if err != nil {
		return fail(err, "write it as what would stand behind WHERE, with names in double quotes")
	}
	for _, call := range parsed.Calls {
		if slices.Contains(moody, strings.ToLower(call)) {
			return connectors.FilterError(t.ID, fmt.Errorf("its condition calls %s, which may answer otherwise the next time or have effects", call), "")
		}
	}
	for _, name := range parsed.Names {
		if !s.known(name) {
			// SQLite would take it for a text.
			return fail(fmt.Errorf("there is no column or table %s", quote(name)), "literals stand in single quotes")
		}
	}
	err = s.session.query(ctx, "EXPLAIN SELECT 1 FROM "+quote(t.ID.Name)+" WHERE "+(&choice{filter: connectors.Filter{Where: where}}).condition(), nil,
		func([]driver.Value) error { return nil })
	var e *connectors.Error
	if errors.As(err, &e) && ctx.Err() == nil && !e.Retry {
		return fail(e.Err, "write it as what would stand behind WHERE")
	}
	return err
}

func (s *snapshot) known(name string) bool {
	return slices.ContainsFunc(s.catalog.Tables, func(t *catalog.Table) bool {
		return strings.EqualFold(t.ID.Name, name) || slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return strings.EqualFold(c.Name, name) })
	}) || slices.ContainsFunc(s.schema.objects, func(o object) bool { return strings.EqualFold(o.Name, name) })
}

// condition returns the condition in parentheses, on lines of its own, or "".
func (c *choice) condition() string {
	if c == nil || c.filter.Where == "" {
		return ""
	}
	return "(\n" + c.filter.Where + "\n)"
}

// keys returns the columns by whose text rows are chosen.
func (c *choice) keys() []string {
	if c == nil || c.filter.Chooser(nil) == nil {
		return nil
	}
	return c.filter.Key
}

// keeper returns the function that says whether a row stays, or nil if all do. The
// text of its keys stands behind its columns.
func (c *choice) keeper(columns int) func([]driver.Value) bool {
	if len(c.keys()) == 0 {
		return nil
	}
	chooser := c.filter.Chooser(c.most)
	return func(v []driver.Value) bool { return chooser.Keeps(chooser.Hash(keyOf(v[columns:])...)) }
}

func keyOf(values []driver.Value) [][]byte {
	key := make([][]byte, len(values))
	for i, v := range values {
		if s, ok := v.(string); ok {
			key[i] = []byte(s)
		}
	}
	return key
}

func keyText(column string) string { return "CAST(" + quote(column) + " AS TEXT)" }
