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
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

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
		if err := checkWhere(ctx, s.session, s.catalog, s.schema, t, f.Where); err != nil {
			return nil, err
		}
	}
	chosen := &rows.Choice{Filter: f}
	if f.Limit > 0 {
		lowest := connectors.NewLowest(f.Limit)
		chooser := f.Chooser(nil)
		err := s.session.query(ctx, readChosenSQL(t.ID.Name, nil, "", true, chosen), nil, func(v []driver.Value) error {
			if h := chooser.Hash(rows.KeyOf(v)...); chooser.Keeps(h) {
				lowest.Add(h)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		chosen.Most = lowest.Most()
	}
	filtered := *layout
	filtered.Rows = chosen
	return &filtered, nil
}

// moody are the functions that may answer otherwise the next time, or have effects.
var moody = []string{"random", "randomblob", "load_extension", "last_insert_rowid", "changes", "total_changes"}

// CheckFilter implements connectors.FilterChecker.
func (s *source) CheckFilter(ctx context.Context, c *catalog.Catalog, id catalog.TableID, f connectors.Filter) error {
	f, t, err := f.ResolveIn(c, id)
	if err != nil || f.Where == "" {
		return err
	}
	session, err := s.begun(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	sc, err := readSchema(ctx, session)
	if err != nil {
		return err
	}
	return checkWhere(ctx, session, c, sc, t, f.Where)
}

func checkWhere(ctx context.Context, session *session, c *catalog.Catalog, sc schema, t *catalog.Table, where string) error {
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
		if !known(c, sc, name) {
			// SQLite would take it for a text.
			return fail(fmt.Errorf("there is no column or table %s", quote(name)), "literals stand in single quotes")
		}
	}
	err = session.query(ctx, "EXPLAIN SELECT 1 FROM "+quote(t.ID.Name)+" WHERE "+(&rows.Choice{Filter: connectors.Filter{Where: where}}).Condition(), nil,
		func([]driver.Value) error { return nil })
	var e *connectors.Error
	if errors.As(err, &e) && ctx.Err() == nil && !e.Retry {
		return fail(e.Err, "write it as what would stand behind WHERE")
	}
	return err
}

func known(c *catalog.Catalog, sc schema, name string) bool {
	return slices.ContainsFunc(c.Tables, func(t *catalog.Table) bool {
		return strings.EqualFold(t.ID.Name, name) || slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return strings.EqualFold(c.Name, name) })
	}) || slices.ContainsFunc(sc.objects, func(o object) bool { return strings.EqualFold(o.Name, name) })
}

func keyText(column string) string { return "CAST(" + quote(column) + " AS TEXT)" }
