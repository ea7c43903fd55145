package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// choice is what Filter has prepared for a layout: which of the table's rows to read.
type choice struct {
	table  *table
	key    []int // the columns, as they are stored
	filter connectors.Filter
	most   *connectors.RowHash
}

// Filter implements connectors.Filterer. There is no SQL here, and so no condition.
func (s *snapshot) Filter(ctx context.Context, layout *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	if err := s.check(ctx, "choose the rows of "+layout.Table.ID.String()); err != nil {
		return nil, err
	}
	root := s.catalog.Root(layout.Table)
	f, err := f.Resolve(root)
	if err != nil {
		return nil, err
	}
	if err := noCondition(root, f); err != nil {
		return nil, err
	}
	if f.Zero() {
		return layout, nil
	}
	rows := &choice{filter: f}
	if f.Limit > 0 {
		lowest := connectors.NewLowest(f.Limit)
		for _, t := range s.catalog.Tables {
			if !t.StoresRows() || s.catalog.Root(t) != root {
				continue
			}
			if err := rows.bind(t); err != nil {
				return nil, err
			}
			chooser := f.Chooser(nil)
			for _, b := range s.rows[t.ID] {
				if h := rows.hash(chooser, b); chooser.Keeps(h) {
					lowest.Add(h)
				}
			}
		}
		rows.most = lowest.Most()
	}
	if err := rows.bind(layout.Table); err != nil {
		return nil, err
	}
	filtered := *layout
	filtered.Rows = rows
	return &filtered, nil
}

// CheckFilter implements connectors.FilterChecker.
func (s *source) CheckFilter(ctx context.Context, c *catalog.Catalog, table catalog.TableID, f connectors.Filter) error {
	f, root, err := f.ResolveIn(c, table)
	if err != nil {
		return err
	}
	if err := s.check(ctx, "choose the rows of "+root.ID.String()); err != nil {
		return err
	}
	return noCondition(root, f)
}

func noCondition(root *catalog.Table, f connectors.Filter) error {
	if f.Where == "" {
		return nil
	}
	return connectors.FilterError(root.ID, errors.New("a database in memory knows no conditions"), "choose its rows by a sample or a limit")
}

func (c *choice) bind(t *catalog.Table) error {
	c.table, c.key = &table{def: t}, nil
	for _, name := range c.filter.Key {
		i := slices.IndexFunc(t.Columns, func(col catalog.Column) bool { return col.Name == name })
		if i < 0 {
			return connectors.FilterError(t.ID, fmt.Errorf("there is no column %s", name), "")
		}
		c.key = append(c.key, i)
	}
	return nil
}

func (c *choice) hash(chooser *connectors.Chooser, b []byte) connectors.RowHash {
	row := c.table.full(b)
	key := make([][]byte, len(c.key))
	for i, at := range c.key {
		key[i] = textOf(row[at])
	}
	return chooser.Hash(key...)
}

// of returns those of the rows that stay.
func (c *choice) of(all [][]byte) [][]byte {
	chooser := c.filter.Chooser(c.most)
	var kept [][]byte
	for _, b := range all {
		if chooser.Keeps(c.hash(chooser, b)) {
			kept = append(kept, b)
		}
	}
	return kept
}
