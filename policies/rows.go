package policies

import (
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Rows counts the values of columns of the snapshot that is to be copied, for the
// transforms whose output is made of them.
type Rows interface {
	// Values counts the values of a column in those rows of tables that are copied: of
	// one table, or of partitions of one root. A filter of nil lets all rows through.
	// With more than limit different values, or more than that many bytes of them, it fails,
	// by an error that says so if it is asked: TooManyValues() bool. 0 bytes are any.
	Values(tables []catalog.TableID, column string, f *RowFilter, limit, bytes int) (*masking.Values, error)
}

// Option changes what Compile does.
type Option func(*compiler)

// WithRows lets transforms read the values of their columns. Without it such a
// transform is bound to no values: the plan shows what would happen, and cannot run.
func WithRows(rows Rows) Option {
	return func(c *compiler) { c.rows = rows }
}

// mostValues is how many different values of one column are held at most.
const mostValues = 1_000_000

// atRun is what a column's values pin where a plan does not read them.
const atRun = "the values of the snapshot, read at the run"

// values returns the callback by which the transform of a column reads its values.
// Partitions share those of their root: they are masked alike. What stays behind is not
// read: it would arrive as somebody else's.
func (c *compiler) values(col *column) func(string) (*masking.Values, error) {
	return func(name string) (*masking.Values, error) {
		of := col.col.Name
		if name != "" {
			found, _, _ := findColumn(col.table.t, name)
			if found == nil {
				return nil, &masking.BindError{Reason: "there is no column " + clip(name)}
			}
			of = found.Name
		}
		if c.rows == nil {
			col.atRun = true
			return &masking.Values{}, nil
		}
		root := c.byID[c.catalog.Root(col.table.t).ID]
		var tables []catalog.TableID
		for _, ts := range root.storing() {
			tables = append(tables, ts.t.ID)
		}
		v, err := c.rows.Values(tables, of, root.filter, mostValues, 0)
		if err != nil {
			c.broken = err
		}
		return v, err
	}
}

// storing returns the table, or its partitions, as far as their rows are copied.
func (t *table) storing() (found []*table) {
	if t.copied() && t.t.StoresRows() {
		return []*table{t}
	}
	for _, child := range t.children {
		if t.t.Kind == catalog.Partitioned {
			found = append(found, child.storing()...)
		}
	}
	return found
}
