package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Indexes, CHECKs, computed columns, statistics and views compute something of rows, and what could
// be computed of the source's may be an error for masked ones: a cast, a division, what a function
// raises. The server does not say of which columns; who knows what was being made does.

// whileComputing notes on an error that came of computing something what that was: of a table or view, and
// of its columns as far as they are known.
func whileComputing(failed, err error, v connectors.Violation) error {
	var e *connectors.Error
	if computing(err) && errors.As(failed, &e) && e.Violation == nil {
		v.Computed = true
		e.Violation = &v
	}
	return failed
}

// computing reports whether an error is of a value, or raised by a function.
func computing(err error) bool {
	state := stateOf(err)
	return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "P0")
}

// computingEntry does so for what stands behind the rows: an index, a constraint.
func (b *build) computingEntry(failed, err error, e entry) error {
	v := connectors.Violation{Constraint: e.Name}
	for _, t := range b.spec.Catalog.Tables {
		name, own := strings.CutPrefix(e.Name, t.ID.Name+" ")
		switch {
		case e.Table != nil && *e.Table == t.ID:
			v.Table = t.ID
			if own && e.Kind != "INDEX" {
				v.Constraint = name
			}
		case e.Table == nil && own && e.Schema == t.ID.Schema && strings.HasSuffix(e.Kind, "CONSTRAINT"):
			v.Table, v.Constraint = t.ID, name
		}
	}
	if v.Table.Name == "" {
		return failed
	}
	return whileComputing(failed, err, v)
}

// computingRow does so for a row that is loaded: a column that the server names is at fault itself, else
// what is computed when a row comes.
func computingRow(failed, err error, t *catalog.Table, column string) error {
	if column == "" {
		return whileComputing(failed, err, connectors.Violation{Table: t.ID, Columns: computedOnLoad(t)})
	}
	var e *connectors.Error
	if computing(err) && errors.As(failed, &e) && e.Violation == nil {
		e.Violation = &connectors.Violation{Table: t.ID, Columns: []string{column}}
	}
	return failed
}

// computedOnLoad are the columns that the database computes for each row, and those that its CHECKs
// read.
func computedOnLoad(t *catalog.Table) (columns []string) {
	for _, c := range t.Columns {
		if c.Generation.Computed() {
			columns = append(columns, c.Name)
		}
	}
	for _, d := range t.Checks {
		columns = append(columns, d.Reads...)
	}
	return append(columns, t.PartitionKey...)
}

// computingStatistics does so for ANALYZE, which computes the expressions of statistics objects.
func (b *build) computingStatistics(failed, err error, id catalog.TableID) error {
	v := connectors.Violation{Table: id}
	t := b.spec.Catalog.Table(id)
	if t == nil { // a view
		return whileComputing(failed, err, v)
	}
	for _, o := range b.spec.Catalog.Objects {
		if !o.StatisticsOf(id) {
			continue
		}
		for _, c := range t.Columns {
			if catalog.Names(o.Definition[:strings.LastIndex(o.Definition, " FROM ")], c.Name) && !slices.Contains(v.Columns, c.Name) {
				v.Columns = append(v.Columns, c.Name)
			}
		}
	}
	return whileComputing(failed, err, v)
}
