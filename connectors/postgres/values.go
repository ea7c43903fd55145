package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Values implements connectors.Counter. The values are told apart by their text:
// what a collation, or a number's scale, calls equal may be printed in two ways.
func (s *snapshot) Values(ctx context.Context, id catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	op := fmt.Sprintf("count the values of %s.%s", words(id), word(column))
	t := s.picture.Table(id)
	if t == nil || t.Column(column) == nil {
		return nil, &connectors.Error{Side: s.side, Op: op, Err: errors.New("there is no such column")}
	}
	if err := s.readable(t); err != nil {
		return nil, err
	}
	layout, err := s.Layout(id, nil)
	if err != nil {
		return nil, err
	}
	if layout, err = s.Filter(ctx, layout, f); err != nil {
		return nil, err
	}
	chosen, _ := layout.Rows.(*choice)
	chunks := []connectors.Chunk{{Table: id, Last: true}}
	if chosen.placed() {
		// The places of the rows that stay are held for a chunk, not for all of the table.
		if chunks, err = s.Split(ctx, id, 0); err != nil {
			return nil, err
		}
	}
	held, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	v := &connectors.Values{}
	for _, chunk := range chunks {
		if v, err = s.addValues(ctx, held.conn, v, chunk, chosen, column, limit, bytes); err != nil {
			held.bad = true // the transaction is aborted: its snapshot is of no use
			s.release(held)
			return nil, fail(ctx, s.side, op, err)
		}
	}
	s.release(held)
	if v.Exceed(limit, bytes) {
		return nil, connectors.TooManyValues(id, column, limit, bytes)
	}
	return v, nil
}

// addValues adds the values of the rows of a chunk to those that have been counted, or of
// some of them if these are too many already.
func (s *snapshot) addValues(ctx context.Context, conn *pgx.Conn, v *connectors.Values, chunk connectors.Chunk, chosen *choice, column string, limit, bytes int) (*connectors.Values, error) {
	within, err := s.within(ctx, chunk)
	if err != nil {
		return nil, err
	}
	from := []string{chosen.from(chunk.Table) + chosen.and(within)}
	if chosen.placed() {
		if from, err = chosen.places(ctx, conn, chunk.Table, within); err != nil {
			return nil, err
		}
	}
	for _, rows := range from {
		if v.Exceed(limit, bytes) {
			return v, nil
		}
		more, err := s.countValues(ctx, conn, rows, column, limit, bytes)
		if err != nil {
			return nil, err
		}
		v = v.Merge(more)
	}
	return v, nil
}

func (s *snapshot) countValues(ctx context.Context, conn *pgx.Conn, from, column string, limit, bytes int) (*connectors.Values, error) {
	sql := valuesSQL(from, column, limit)
	if s.charset != nil {
		sql = "SELECT pg_catalog.convert_to(v, " + literal(s.charset.name) + "), count FROM (" + sql + ") own"
	}
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type counted struct {
		text string
		n    int64
	}
	var all []counted
	v, size := &connectors.Values{}, 0
	for (bytes == 0 || size <= bytes) && rows.Next() {
		var text []byte
		var n int64
		if err := rows.Scan(&text, &n); err != nil {
			return nil, err
		}
		if text == nil {
			v.Nulls = n
		} else {
			all = append(all, counted{s.charset.words(string(text)), n})
			size += len(text)
		}
	}
	rows.Close() // what is left of too many is not held
	slices.SortFunc(all, func(a, b counted) int { return strings.Compare(a.text, b.text) })
	for _, c := range all {
		v.Texts, v.Counts = append(v.Texts, c.text), append(v.Counts, c.n)
	}
	return v, rows.Err()
}

// valuesSQL returns the query that counts the values of a column by their text, in rows
// that stand behind FROM: the limit and one more, and NULL. Only the output function tells all of them: a cast
// of character(n) to text drops blanks.
func valuesSQL(from, column string, limit int) string {
	return fmt.Sprintf(`SELECT v, count(*) FROM (SELECT %s COLLATE "C" AS v FROM %s) x GROUP BY v LIMIT %d`, printedSQL(column), from, limit+2)
}
