package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
)

// filtersOf tells the connectors which rows a policy copies. Partitions have the filter
// of the table that they are parts of.
func filtersOf(compiled *policies.Compiled, c *catalog.Catalog) map[catalog.TableID]connectors.Filter {
	filters := map[catalog.TableID]connectors.Filter{}
	for _, td := range compiled.Tables {
		t := c.Table(td.Table)
		if f := td.Filter; f != nil && c.Root(t) == t {
			filters[td.Table] = filterOf(f)
		}
	}
	return filters
}

// checkFilters says which rows cannot be chosen so, as a run would. Of a catalog file, whose
// source is nil, it does not know what a server would say of a condition.
func checkFilters(ctx context.Context, u *ui, source connectors.Source, c *catalog.Catalog, filters map[catalog.TableID]connectors.Filter) error {
	checker, _ := source.(connectors.FilterChecker)
	for _, id := range slices.SortedFunc(maps.Keys(filters), catalog.TableID.Compare) {
		var err error
		if checker != nil {
			err = checker.CheckFilter(ctx, c, id, filters[id])
		} else {
			_, _, err = filters[id].ResolveIn(c, id)
		}
		if kind, _ := connectors.KindOf(err); kind == connectors.KindUnavailable && !connectors.Retryable(err) {
			// Whoever plans need not have the rights of whoever runs.
			u.Warn(fmt.Sprintf("whether the rows of %s can be chosen so was not checked: %v", id, err))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func filterOf(f *policies.RowFilter) connectors.Filter {
	if f == nil {
		return connectors.Filter{}
	}
	return connectors.Filter{Where: f.Where, Key: f.Key, Sample: f.Sample, Limit: f.Limit, Seed: f.Seed}
}
