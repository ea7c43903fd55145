package catalog

import "slices"

// LoadOrder returns the tables so that a table comes after those that its
// foreign keys point to, as far as cycles allow, and the cycles: groups of
// tables that reach each other by foreign keys. A table that points only to
// itself is no cycle. Equal catalogs give equal orders.
//
// The algorithm is Tarjan's for strongly connected components (SIAM J. Comput. 1972),
// which yields components in reverse topological order: referenced tables first.
func (c *Catalog) LoadOrder() (order []*Table, cycles [][]*Table) {
	s := &components{catalog: c, index: map[TableID]int{}, low: map[TableID]int{}, onStack: map[TableID]bool{}}
	for _, t := range c.Tables {
		if _, seen := s.index[t.ID]; !seen {
			s.visit(t)
		}
	}
	for _, group := range s.groups {
		slices.SortFunc(group, func(a, b *Table) int { return a.ID.Compare(b.ID) })
		order = append(order, group...)
		if len(group) > 1 {
			cycles = append(cycles, group)
		}
	}
	return order, cycles
}

type components struct {
	catalog    *Catalog
	index, low map[TableID]int
	onStack    map[TableID]bool
	stack      []*Table
	groups     [][]*Table
}

func (s *components) visit(root *Table) {
	// An explicit stack: a chain of foreign keys may be as long as the catalog.
	type frame struct {
		table *Table
		next  int
	}
	push := func(t *Table) frame {
		s.index[t.ID] = len(s.index)
		s.low[t.ID] = s.index[t.ID]
		s.stack = append(s.stack, t)
		s.onStack[t.ID] = true
		return frame{table: t}
	}
	frames := []frame{push(root)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		t := f.table
		if f.next < len(t.ForeignKeys) {
			ref := s.catalog.Table(t.ForeignKeys[f.next].References)
			f.next++
			if ref == nil {
				continue
			}
			if _, seen := s.index[ref.ID]; !seen {
				frames = append(frames, push(ref))
			} else if s.onStack[ref.ID] {
				s.low[t.ID] = min(s.low[t.ID], s.index[ref.ID])
			}
			continue
		}
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			p := frames[len(frames)-1].table
			s.low[p.ID] = min(s.low[p.ID], s.low[t.ID])
		}
		if s.low[t.ID] != s.index[t.ID] {
			continue
		}
		var group []*Table
		for {
			top := s.stack[len(s.stack)-1]
			s.stack = s.stack[:len(s.stack)-1]
			s.onStack[top.ID] = false
			group = append(group, top)
			if top.ID == t.ID {
				break
			}
		}
		s.groups = append(s.groups, group)
	}
}
