package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Servers before 14 read a range of pages by reading all others as well. There a large
// table is divided by the values of an integer key, whose index finds each range. The
// ranges are as wide as each other: holes in the key make some of them smaller. A table
// without such a key stays one chunk, and one whose key does not follow its pages.

// keyRange is how a table is divided by a key: a chunk's Lo and Hi count from first.
type keyRange struct {
	column string
	first  int64
	width  uint64 // of all values, first to last; above 0
}

// keyRanges are those of a snapshot's tables, each found once: nil where a table has none.
type keyRanges struct {
	mu    sync.Mutex
	found map[catalog.TableID]*keyRange
}

// widestKey bounds the keys by which a table is divided: what is wider has values at
// random, or a few that stand for none, and would come to empty ranges.
const widestKey = 1 << 53

// rangeOf returns how a table is divided by its key, or nil. Every process that is in
// the snapshot gets the same.
func (s *snapshot) rangeOf(ctx context.Context, t *catalog.Table) (*keyRange, error) {
	s.keyed.mu.Lock()
	defer s.keyed.mu.Unlock()
	if r, known := s.keyed.found[t.ID]; known {
		return r, nil
	}
	var r *keyRange
	if column := integerKey(t); column != "" {
		var first, last int64
		err := s.holding(ctx, func(conn *pgx.Conn) error {
			// A domain that is NOT NULL lets NULL through where no value is assigned, and NULL
			// is in no range. Ranges of a key that does not follow the order of the pages
			// would read most pages many times.
			sql := fmt.Sprintf(`SELECT pg_catalog.min(%[1]s)::bigint, pg_catalog.max(%[1]s)::bigint FROM ONLY %[2]s HAVING pg_catalog.min(%[1]s) IS NOT NULL
AND NOT EXISTS (SELECT FROM ONLY %[2]s WHERE %[1]s IS NULL)
AND coalesce((SELECT pg_catalog.abs(s.correlation) FROM pg_catalog.pg_stats s WHERE s.schemaname = %[3]s AND s.tablename = %[4]s AND s.attname = %[5]s AND NOT s.inherited), 1) > 0.9`,
				ident(column), table(t.ID), literal(t.ID.Schema), literal(t.ID.Name), literal(column))
			return conn.QueryRow(ctx, sql).Scan(&first, &last)
		})
		switch width := uint64(last) - uint64(first) + 1; {
		case errors.Is(err, pgx.ErrNoRows): // no row, or no order
		case err != nil:
			return nil, fail(ctx, s.side, "split "+words(t.ID), err)
		case width > 0 && width <= widestKey:
			r = &keyRange{column, first, width}
		}
	}
	if s.keyed.found == nil {
		s.keyed.found = map[catalog.TableID]*keyRange{}
	}
	s.keyed.found[t.ID] = r
	return r, nil
}

// integerKey returns the column of a key that is one integer, never NULL, of every row.
func integerKey(t *catalog.Table) string {
	for _, k := range t.UniqueKeys() {
		if k.Partial || len(k.Columns) != 1 {
			continue
		}
		if c := t.Column(k.Columns[0]); c != nil && c.Type.Kind == catalog.Int && c.NotNull {
			return c.Name
		}
	}
	return ""
}

// divide divides a table as ranges of pages would: a value of the key for a page.
func (r *keyRange) divide(id catalog.TableID, z size, leadBytes, targetBytes int64) []connectors.Chunk {
	rows := z.density * float64(z.pages)
	chunks := split(id, size{pages: int64(r.width), bytes: z.bytes, density: rows / float64(r.width)}, leadBytes, targetBytes, true)
	for i, c := range chunks {
		if pages, ok := strings.CutPrefix(c.ID, words(id)+" pages "); ok {
			chunks[i].ID = words(id) + " " + word(r.column) + " " + pages
		}
	}
	return chunks
}

// within returns the condition for the rows of a chunk, or "" for all of them. Of nil,
// the chunk is a range of pages.
func (r *keyRange) within(c connectors.Chunk) string {
	if r == nil || c.Lo == 0 && c.Last {
		return rangeSQL(c)
	}
	from := fmt.Sprintf("%s >= %d", ident(r.column), r.first+int64(c.Lo))
	if c.Last {
		return from
	}
	return fmt.Sprintf("%s AND %s < %d", from, ident(r.column), r.first+int64(c.Hi))
}

// within returns the condition for the rows of a chunk.
func (s *snapshot) within(ctx context.Context, c connectors.Chunk) (string, error) {
	t := s.picture.Table(c.Table)
	if t == nil || c.Lo == 0 && c.Last || scansRanges.in(s.picture.major) {
		return rangeSQL(c), nil
	}
	r, err := s.rangeOf(ctx, t)
	return r.within(c), err
}
