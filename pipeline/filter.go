package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// filters are a run's, by the table that they name: a partitioned one has one for all
// its partitions.
type filters map[catalog.TableID]connectors.Filter

// check refuses a filter of what is not there, or is a part of something.
func (f filters) check(c *catalog.Catalog) error {
	for id := range f {
		t := c.Table(id)
		switch {
		case t == nil:
			return connectors.FilterError(id, errors.New("there is no such table"), "")
		case c.Root(t) != t:
			return connectors.FilterError(id, errors.New("it is a partition"), "choose the rows of "+c.Root(t).ID.String())
		}
	}
	return nil
}

// layout returns the layout by which the chosen rows of a table are read.
func (f filters) layout(ctx context.Context, snapshot connectors.Snapshot, l *connectors.Layout) (*connectors.Layout, error) {
	root := snapshot.Catalog().Root(l.Table)
	filter, ok := f[root.ID]
	if !ok || filter.Zero() {
		return l, nil
	}
	filterer, ok := snapshot.(connectors.Filterer)
	if !ok {
		return nil, connectors.FilterError(root.ID, errors.New("this source cannot leave rows behind"), "")
	}
	return filterer.Filter(ctx, l, filter)
}

// digest returns what the filters ask, without their seeds, for a fingerprint; "" of none.
func (f filters) digest() string {
	if len(f) == 0 {
		return ""
	}
	h := sha256.New()
	for _, id := range f.tables() {
		d := f[id].Digest()
		fmt.Fprintf(h, "%q %q %x\n", id.Schema, id.Name, d)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (f filters) tables() []catalog.TableID {
	var ids []catalog.TableID
	for id := range f {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, catalog.TableID.Compare)
	return ids
}

// explain says of a build that is not whole which tables lack rows that foreign keys
// may point to: the database itself knows no filter.
func (f filters) explain(c *catalog.Catalog, err error) error {
	if kind, _ := connectors.KindOf(err); err == nil || kind != connectors.KindIntegrity {
		return err
	}
	var limited []string
	for _, id := range f.tables() {
		pointed := slices.ContainsFunc(c.Tables, func(t *catalog.Table) bool {
			return slices.ContainsFunc(t.ForeignKeys, func(k catalog.ForeignKey) bool {
				to := c.Table(k.References)
				return to != nil && c.Root(to).ID == id
			})
		})
		if pointed && !f[id].Zero() {
			limited = append(limited, id.String())
		}
	}
	if len(limited) == 0 {
		return err
	}
	return &leftRowsError{err: err, tables: limited}
}

// leftRowsError is a build that is not whole, perhaps since rows were left behind.
type leftRowsError struct {
	err    error
	tables []string
}

// Error returns the cause and the tables.
func (e *leftRowsError) Error() string {
	return fmt.Sprintf("%v; rows were left behind of %s, to which foreign keys point", e.err, strings.Join(e.tables, ", "))
}

// Unwrap returns the cause.
func (e *leftRowsError) Unwrap() error { return e.err }

// Hint returns what to do.
func (e *leftRowsError) Hint() string {
	return "choose the rows of the tables that point there as well, by the same condition"
}
