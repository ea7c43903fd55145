package main

import (
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

func filterOf(f *policies.RowFilter) connectors.Filter {
	if f == nil {
		return connectors.Filter{}
	}
	return connectors.Filter{Where: f.Where, Key: f.Key, Sample: f.Sample, Limit: f.Limit, Seed: f.Seed}
}
