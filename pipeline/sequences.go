package pipeline

import (
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// withoutCounts returns definitions without the positions of sequences that number nothing
// but rows of tables that are dropped: they would tell how many there are. Such a sequence
// begins where it began.
func (s *schedule) withoutCounts(d *connectors.Definitions, c *catalog.Catalog) *connectors.Definitions {
	rowless := s.rowless(c)
	with := *d
	with.Sequences = slices.DeleteFunc(slices.Clone(d.Sequences), func(q connectors.Sequence) bool {
		fills := q.Fills
		if len(fills) == 0 {
			fills = s.spelledInto(q.ID)
		}
		return len(fills) > 0 && !slices.ContainsFunc(fills, func(f catalog.ColumnID) bool { return !rowless[f.Table] }) && !s.drawnFrom(c, q.ID)
	})
	return &with
}

// spelledInto are the columns whose defaults draw from a sequence and make a text of it.
func (s *schedule) spelledInto(id catalog.TableID) (fills []catalog.ColumnID) {
	for _, t := range s.tables {
		for _, col := range t.table.Columns {
			if strings.Contains(col.Default, "nextval(") && catalog.Names(col.Default, id.Name) {
				fills = append(fills, catalog.ColumnID{Table: t.table.ID, Column: col.Name})
			}
		}
	}
	return fills
}

// rowless are the tables that the policy drops, with all that are below them.
func (s *schedule) rowless(c *catalog.Catalog) map[catalog.TableID]bool {
	gone := map[catalog.TableID]bool{}
	for _, t := range s.tables {
		gone[t.table.ID] = t.plan.Drop() || !t.table.StoresRows()
	}
	for _, t := range s.tables {
		if !gone[t.table.ID] {
			keep(c, gone, t.table)
		}
	}
	return gone
}

// keep marks what is above a table that has rows.
func keep(c *catalog.Catalog, gone map[catalog.TableID]bool, t *catalog.Table) {
	for _, id := range t.Parents {
		if up := c.Table(id); up != nil && gone[id] {
			gone[id] = false
			keep(c, gone, up)
		}
	}
}

// drawnFrom reports whether words of the database name a sequence beside the defaults of the
// columns that it is known to fill: a function, a view, a trigger or a default. What counts
// the rows of a table by the table's own name is called by nobody.
func (s *schedule) drawnFrom(c *catalog.Catalog, id catalog.TableID) bool {
	if c.Table(id) != nil {
		return false
	}
	says := func(words string) bool { return catalog.Names(words, id.Name) }
	for _, t := range s.tables {
		if slices.ContainsFunc(t.table.Triggers, func(d catalog.Definition) bool { return says(d.Text) }) {
			return true
		}
		if !t.plan.Drop() && slices.ContainsFunc(t.table.Columns, func(col catalog.Column) bool { return says(col.Default) }) {
			return true
		}
	}
	return slices.ContainsFunc(c.Objects, func(o catalog.Object) bool { return says(o.Definition) })
}
