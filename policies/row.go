package policies

import (
	"maps"
	"slices"

	"github.com/sanitize-db/sanitize/masking"
)

// row is the table around a column as its transform sees it. What the target computes, by an
// expression or a trigger, is not read.
func (c *compiler) row(col *column) *masking.Row {
	row := &masking.Row{Values: c.values(col), File: c.p.readFile, Column: func(name string) (masking.Column, bool) {
		found, _, _ := findColumn(col.table.t, name)
		if found == nil || found.Name == col.col.Name || col.table.column(found.Name).computedWords() != "" {
			return masking.Column{}, false
		}
		return c.maskingColumn(col.table.column(found.Name)), true
	}}
	for _, other := range col.table.columns {
		if other == col || other.decision == nil || !other.open() || other.decision.derive {
			continue
		}
		peer := masking.Peer{Column: c.maskingColumn(other)}
		if !other.decision.keep {
			peer.Spec = c.finalSpec(other)
		}
		row.Peers = append(row.Peers, peer)
	}
	return row
}

// computedWords says who computes a column that does not travel, or "".
func (col *column) computedWords() string {
	switch {
	case col.col.Generation.Computed():
		return "computed by the database"
	case col.decision != nil && col.decision.derive:
		return "derived by a trigger"
	}
	return ""
}

// unread returns a column that the transform of another goes by, and that does not travel;
// or nil.
func (c *compiler) unread(col *column) *column {
	for _, name := range c.goesBy(col.decision.spec) {
		if found, _, _ := findColumn(col.table.t, name); found != nil {
			if by := col.table.column(found.Name); by != col && by.computedWords() != "" {
				return by
			}
		}
	}
	return nil
}

// finalSpec is the transform of a masked column as it is bound: with the domain of
// its subject, the names of columns as the database spells them, and the widths of
// the integers that its parts join with.
func (c *compiler) finalSpec(col *column) masking.Spec {
	if col.final == nil { // every other column of the table asks for it too
		s := col.decision.spec
		s.Domain = c.domain(col)
		s = c.widths(c.exactNames(col, s))
		col.final = &s
	}
	return *col.final
}

// subject returns the column that names whom the column is about, if its transform
// asks for one by the parameter of: what is drawn for a subject is drawn from the
// subject's domain.
func (c *compiler) subject(col *column) *column {
	f := c.reg.Factory(col.decision.spec.Name)
	if f == nil || len(col.decision.spec.Params) == 0 {
		return nil
	}
	for _, p := range f.Describe().Params {
		name, given := col.decision.spec.Params[p.Name].(string)
		if !given || p.Type != "column" || p.Name != "of" {
			continue
		}
		if found, _, _ := findColumn(col.table.t, name); found != nil {
			return col.table.column(found.Name)
		}
	}
	return nil
}

// domain is the domain of a masked column: its decision's, or that of its subject.
// A subject that is kept has the domain of the column at the end of its keys, so
// that all that references one customer agrees. The default schema is left out, as in a
// policy: it has another name on another engine, or none.
func (c *compiler) domain(col *column) string {
	// A subject may itself be drawn for another; a circle ends where it began.
	for seen := map[*column]bool{}; !seen[col]; {
		seen[col] = true
		of := c.subject(col)
		switch {
		case of == nil || of.decision == nil:
			return col.decision.domain
		case of.decision.keep:
			end := of.group.end().id()
			return c.p.scope() + "/" + c.catalog.Display(end.Table) + "." + end.Column
		}
		col = of
	}
	return col.decision.domain
}

// exactNames spells the parameters that name columns of the row as the database does.
func (c *compiler) exactNames(col *column, s masking.Spec) masking.Spec {
	if !c.readsRow(s) {
		return s
	}
	s.Params = maps.Clone(s.Params)
	for _, p := range c.reg.Factory(s.Name).Describe().Params {
		if name, ok := s.Params[p.Name].(string); ok && p.Type == "column" {
			if found, _, _ := findColumn(col.table.t, name); found != nil {
				s.Params[p.Name] = found.Name
			}
		}
	}
	return s
}

// readsRow reports whether the transform looks at another column of the row.
func (c *compiler) readsRow(s masking.Spec) bool {
	f := c.reg.Factory(s.Name)
	return f != nil && len(s.Params) > 0 && slices.ContainsFunc(f.Describe().Params, func(p masking.Param) bool {
		return p.Type == "column" && s.Params[p.Name] != nil
	})
}

// goesBy returns the other columns of the row that the transform is given by name.
func (c *compiler) goesBy(s masking.Spec) (names []string) {
	if !c.readsRow(s) {
		return nil
	}
	for _, p := range c.reg.Factory(s.Name).Describe().Params {
		if name, ok := s.Params[p.Name].(string); ok && p.Type == "column" {
			names = append(names, name)
		}
	}
	return names
}
