package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// sampleStops is at how many places of a table a sample is taken.
const sampleStops = 32

// Sample implements connectors.Sampler. It stops at rowids that lie apart; a table
// without them is read from its first row on.
func (s *source) Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error {
	op := "sample " + t.ID.String()
	if !t.StoresRows() {
		return sourceError(connectors.KindOther, op, errors.New("the table stores no rows itself"))
	}
	if rows <= 0 {
		return ctx.Err()
	}
	session, err := s.begun(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	c, err := readSchema(ctx, session)
	if err != nil {
		return err
	}
	if _, there := c.kinds[t.ID.Name]; !there {
		return sourceError(connectors.KindOther, op, errors.New("there is no such table any more"))
	}
	row := make([][]byte, len(t.Columns))
	left, last := rows, int64(0)
	each := func(v []driver.Value) error {
		left--
		last, _ = v[len(row)].(int64)
		for i := range row {
			row[i] = nil
			if s, ok := v[i].(string); ok {
				row[i] = connectors.CutSample([]byte(s))
			}
		}
		return see(row)
	}
	rowid := rowIDName(t, c)
	if rowid == "" {
		return session.query(ctx, sampleSQL(t, "", rows), nil, each)
	}
	var low, high int64
	found := false
	// Two queries, since SQLite looks up one end of the index at a time.
	err = session.query(ctx, fmt.Sprintf("SELECT (SELECT min(%[1]s) FROM %[2]s), (SELECT max(%[1]s) FROM %[2]s)", rowid, quote(t.ID.Name)), nil, func(v []driver.Value) error {
		low, found = v[0].(int64)
		high, _ = v[1].(int64)
		return nil
	})
	if err != nil || !found {
		return err
	}
	span := uint64(high) - uint64(low) // right even where the difference is no int64
	stops := uint64(min(sampleStops, rows))
	type stop struct{ from, to int64 }
	var rest []stop
	for i := range stops {
		from := low + int64(i*(span/stops))
		to := low + int64((i+1)*(span/stops)) - 1
		if i == stops-1 {
			to = high
		}
		if to < from {
			continue // fewer rowids than stops: the last one has them all
		}
		// What a place with holes has too few of, the next ones give.
		part := (left + int(stops-i) - 1) / int(stops-i)
		before := left
		if err := session.query(ctx, sampleSQL(t, rowid, part), bind(from, to), each); err != nil {
			return err
		}
		if before-left == part && last < to {
			rest = append(rest, stop{last + 1, to})
		}
	}
	// And what the last ones have too few of, those that have more.
	for _, s := range rest {
		if left <= 0 {
			break
		}
		if err := session.query(ctx, sampleSQL(t, rowid, left), bind(s.from, s.to), each); err != nil {
			return err
		}
	}
	return nil
}

// sampleSQL returns the query for some rows of a table, as text. What has no text is
// NULL, and so is what would have to be computed.
func sampleSQL(t *catalog.Table, rowid string, rows int) string {
	var columns []string
	for _, c := range t.Columns {
		if c.Generation == catalog.Virtual {
			columns = append(columns, "NULL")
			continue
		}
		columns = append(columns, fmt.Sprintf("CASE typeof(%[1]s) WHEN 'blob' THEN NULL ELSE substr(CAST(%[1]s AS TEXT), 1, %[2]d) END", quote(c.Name), connectors.SampleBytes))
	}
	where, last := "", "NULL"
	if rowid != "" {
		where = fmt.Sprintf(" WHERE %[1]s BETWEEN ? AND ? ORDER BY %[1]s", rowid)
		last = rowid
	}
	columns = append(columns, last)
	return fmt.Sprintf("SELECT %s FROM %s%s LIMIT %d", strings.Join(columns, ", "), quote(t.ID.Name), where, rows)
}
