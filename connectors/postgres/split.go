package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// defaultChunkBytes makes a chunk a matter of a fraction of a second: large
// enough that its transaction costs nothing, small enough to do again.
const defaultChunkBytes = 48 << 20

// size is what a table took up when the snapshot was opened.
type size struct {
	pages   int64
	bytes   int64   // with out-of-line values
	density float64 // rows on a page, as statistics have it; 0 if they have not
}

// readSizes notes the sizes once, so that the same snapshot always gives the
// same chunks, however the tables grow meanwhile. What they grow by holds no row
// that the snapshot sees.
func (s *snapshot) readSizes(ctx context.Context) error {
	byOID := make(map[uint32]catalog.TableID, len(s.picture.oids))
	for id, oid := range s.picture.oids {
		byOID[oid] = id
	}
	s.sizes = make(map[catalog.TableID]size, len(s.picture.stored))
	return each(ctx, s.holder, "sizes", []any{s.picture.stored}, func(row pgx.CollectableRow) error {
		var oid uint32
		var z size
		if err := row.Scan(&oid, &z.pages, &z.bytes, &z.density); err != nil {
			return err
		}
		s.sizes[byOID[oid]] = z
		return nil
	})
}

// Split divides a table into ranges of pages: a range scan by ctid reads them and
// no others. Servers before 14 cannot do that, and divide by a key (keyrange.go). A table
// that another access method than heap stores may have no pages in that sense, and is
// one chunk.
func (s *snapshot) Split(ctx context.Context, id catalog.TableID, targetBytes int64) ([]connectors.Chunk, error) {
	return s.SplitLead(ctx, id, 0, targetBytes)
}

// SplitLead implements connectors.LeadSplitter.
func (s *snapshot) SplitLead(ctx context.Context, id catalog.TableID, leadBytes, targetBytes int64) ([]connectors.Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("split %s: %w", words(id), err)
	}
	if err := s.alive(); err != nil {
		return nil, err
	}
	t := s.picture.Table(id)
	if t == nil {
		return nil, fmt.Errorf("split %s: no such table", words(id))
	}
	if !t.StoresRows() {
		return nil, nil
	}
	if err := s.readable(t); err != nil {
		return nil, err
	}
	z, pages := s.sizes[id], s.picture.heap[id]
	if !scansRanges.in(s.picture.major) {
		if pages && z.bytes > chunkBytes(targetBytes) {
			r, err := s.rangeOf(ctx, t)
			if err != nil {
				return nil, err
			}
			if r != nil {
				return r.divide(id, z, leadBytes, targetBytes), nil
			}
		}
		pages = false
	}
	return split(id, z, leadBytes, targetBytes, pages), nil
}

// chunkBytes returns how large chunks are to be: as asked for, or as we like them.
func chunkBytes(asked int64) int64 {
	if asked <= 0 {
		return defaultChunkBytes
	}
	return asked
}

func split(id catalog.TableID, z size, leadBytes, targetBytes int64, ranges bool) []connectors.Chunk {
	if z.pages == 0 && ranges {
		return nil
	}
	targetBytes = chunkBytes(targetBytes)
	pages := func(bytes int64) int64 {
		if !ranges || z.bytes <= bytes {
			return z.pages
		}
		// Out-of-line values count: a chunk of few pages may be much to copy.
		return max(1, int64(float64(z.pages)*float64(bytes)/float64(z.bytes)))
	}
	step := pages(targetBytes)
	first := step
	if leadBytes > targetBytes {
		first = pages(leadBytes)
	}
	var chunks []connectors.Chunk
	for lo, hi := int64(0), first; ; lo, hi = hi, hi+step {
		c := connectors.Chunk{Table: id, Index: len(chunks), Lo: uint64(lo), Hi: uint64(hi), Last: hi >= z.pages}
		c.Lead = lo == 0 && !c.Last && leadBytes > targetBytes
		// The last range of a table may be a sliver; the others are even.
		share := 1.0
		if z.pages > 0 {
			share = float64(min(hi, z.pages)-lo) / float64(z.pages)
		}
		c.Bytes = int64(share * float64(z.bytes))
		c.Rows = int64(share * z.density * float64(z.pages))
		switch { // in ASCII: the ledger keeps the id in the encoding of the source
		case c.Last && lo == 0:
			c.ID = words(id)
		case c.Last:
			c.ID = fmt.Sprintf("%s pages %d-", words(id), lo)
		default:
			c.ID = fmt.Sprintf("%s pages %d-%d", words(id), lo, hi-1)
		}
		chunks = append(chunks, c)
		if c.Last {
			return chunks
		}
	}
}

// copyOutSQL returns the statement that reads a chunk: the rows within a condition.
func copyOutSQL(c connectors.Chunk, within string, layout *connectors.Layout) string {
	rows, _ := layout.Rows.(*choice)
	if within == "" && rows == nil && len(layout.Columns) > 0 {
		// The plain form saves the executor; it, too, leaves children out.
		return fmt.Sprintf("COPY %s (%s) TO STDOUT (FORMAT %s)", table(c.Table), columnList(layout.Columns), copyFormat(layout))
	}
	return copySelectSQL(columnList(layout.Columns), layout, rows.from(c.Table)+rows.and(within))
}

// placesFrom returns what stands behind FROM for the rows that stand at these places.
func placesFrom(t catalog.TableID, tids []string) string {
	return "ONLY " + table(t) + " WHERE ctid = ANY ('{\"" + strings.Join(tids, "\",\"") + "\"}'::pg_catalog.tid[])"
}

func copySelectSQL(selected string, layout *connectors.Layout, from string) string {
	return fmt.Sprintf("COPY (SELECT %s FROM %s) TO STDOUT (FORMAT %s)", selected, from, copyFormat(layout))
}

func copyFormat(layout *connectors.Layout) string {
	if layout.Format == Text {
		return "text"
	}
	return "binary"
}

// rangeSQL returns the condition for the pages of a chunk, or "" for all of them.
func rangeSQL(c connectors.Chunk) string {
	switch {
	case c.Lo == 0 && c.Last:
		return ""
	case c.Last:
		return fmt.Sprintf("ctid >= '(%d,0)'", c.Lo)
	}
	return fmt.Sprintf("ctid >= '(%d,0)' AND ctid < '(%d,0)'", c.Lo, c.Hi)
}

// copyInSQL returns the statement that loads rows into a table: frozen, into one that
// has no rows.
func copyInSQL(into catalog.TableID, layout *connectors.Layout, frozen bool) string {
	columns := ""
	if len(layout.Columns) > 0 {
		columns = " (" + columnList(layout.Columns) + ")"
	}
	if frozen {
		// The server takes FREEZE only for a table that the transaction itself has
		// emptied; where wal_level is minimal it writes no log of such a table, either.
		return fmt.Sprintf("TRUNCATE ONLY %s; COPY %[1]s%s FROM STDIN (FORMAT %s, FREEZE)", table(into), columns, copyFormat(layout))
	}
	return fmt.Sprintf("COPY %s%s FROM STDIN (FORMAT %s)", table(into), columns, copyFormat(layout))
}
