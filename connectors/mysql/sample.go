package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// sampleStops is at how many places of a table a sample is taken.
const sampleStops = 32

// Sample implements connectors.Sampler. It stops at values of an integer key that lie
// apart; a table without one is read from its first row on.
func (s *source) Sample(ctx context.Context, t *catalog.Table, n int, see func(row [][]byte) error) error {
	op := "sample " + t.ID.String()
	if !t.StoresRows() {
		return &connectors.Error{Side: connectors.SourceSide, Op: op, Err: errors.New("the table stores no rows itself")}
	}
	if n <= 0 {
		return ctx.Err()
	}
	session, err := s.session(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	session.rows = true
	var list []string
	for _, c := range t.Columns {
		switch {
		case c.Generation == catalog.Virtual, c.Type.Kind == catalog.Bytes, c.Type.Kind == catalog.Opaque:
			list = append(list, "NULL")
		default:
			list = append(list, fmt.Sprintf("LEFT(CONVERT(%s USING utf8mb4), %d)", ident(c.Name), connectors.SampleBytes))
		}
	}
	if len(list) == 0 {
		list = []string{"NULL"}
	}
	columns, from := strings.Join(list, ", "), table(s.database, t.ID)
	values := make([][]byte, len(t.Columns))
	left := n
	each := func(r row) error {
		left--
		for i := range values {
			values[i] = nil
			if !r.null(i) {
				values[i] = connectors.CutSample([]byte(r.text(i)))
			}
		}
		return see(values)
	}
	key := ""
	if k := t.PrimaryKey; k != nil {
		if c := t.Column(k.Columns[0]); c != nil && c.Type.Kind == catalog.Int {
			key = ident(c.Name)
		}
	}
	if key == "" {
		return session.query(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT %d", columns, from, n), each)
	}
	last := "" // the key of the row that was seen last
	read := func(lower, upper string, most int, operator string) error {
		if most <= 0 {
			return nil
		}
		where := key + operator + lower
		if upper != "" {
			where += " AND " + key + " < " + upper
		}
		return session.query(ctx, fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT %d", columns, key, from, where, key, most), func(r row) error {
			last = r.text(len(r) - 1)
			return each(r)
		})
	}
	var low, high string
	if err := session.query(ctx, fmt.Sprintf("SELECT MIN(%[1]s), MAX(%[1]s) FROM %[2]s", key, from), func(r row) error {
		low, high = r.text(0), r.text(1)
		return nil
	}); err != nil || low == "" {
		return err
	}
	type place struct{ from, to string } // to is not in it; "" is no bound
	stops := int64(min(sampleStops, n))
	places := []place{{from: low}}
	for i := int64(1); i < stops; i++ {
		at, ok := between(low, high, i, stops)
		if last := &places[len(places)-1]; ok && at != last.from {
			last.to = at
			places = append(places, place{from: at})
		}
	}
	// What a place with holes has too few of, the next ones give, and what the last ones
	// have too few of, those that have more.
	var rest []place
	for i, p := range places {
		part := (left + len(places) - i - 1) / (len(places) - i)
		before := left
		if err := read(p.from, p.to, part, " >= "); err != nil {
			return err
		}
		if before-left == part && part > 0 {
			rest = append(rest, place{last, p.to})
		}
	}
	for _, p := range rest {
		if err := read(p.from, p.to, left, " > "); err != nil {
			return err
		}
	}
	return nil
}
