package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// defaultChunkBytes is the size of a chunk if the caller names none.
const defaultChunkBytes = 4 << 20

// sampleRows is how many rows are measured to know a table's width.
const sampleRows = 200

// Rowids are signed; bounds of chunks are not. Turning the sign keeps the order.
func bound(rowid int64) uint64 { return uint64(rowid) ^ 1<<63 }
func rowID(bound uint64) int64 { return int64(bound ^ 1<<63) }

// Split cuts a table at every so many rows, by walking its rowids: they may
// have holes of any size. A table without rowids is one chunk.
func (s *snapshot) Split(ctx context.Context, id catalog.TableID, targetBytes int64) ([]connectors.Chunk, error) {
	op := "split " + id.String()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	t, err := s.table(op, id)
	if err != nil {
		return nil, err
	}
	if targetBytes <= 0 {
		targetBytes = defaultChunkBytes
	}
	name := strconv.Quote(id.Name)
	width, found, err := s.width(ctx, t)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, nil
	}
	rowid := rowIDName(t, s.schema)
	if rowid == "" {
		return []connectors.Chunk{{ID: name + " all rows", Table: id, Last: true, Rows: t.Rows, Bytes: t.Rows * width}}, nil
	}
	count := max(1, targetBytes/width)
	var chunks []connectors.Chunk
	lo, lower, index := uint64(0), int64(math.MinInt64), 0
	for {
		next, more := int64(0), false
		err := s.session.query(ctx, stepSQL(id.Name, rowid), bind(lower, count), func(v []driver.Value) error {
			next, more = v[0].(int64)
			return nil
		})
		if err != nil {
			return nil, err
		}
		c := connectors.Chunk{Table: id, Index: index, Lo: lo, Rows: count, Bytes: count * width}
		if !more {
			c.Last = true
			c.ID = fmt.Sprintf("%s rowid from %s", name, from(lo))
			return append(chunks, c), nil
		}
		c.Hi = bound(next)
		c.ID = fmt.Sprintf("%s rowid from %s to %d", name, from(lo), next)
		chunks = append(chunks, c)
		lo, lower, index = c.Hi, next, index+1
	}
}

func from(lo uint64) string {
	if lo == 0 {
		return "the first"
	}
	return strconv.FormatInt(rowID(lo), 10)
}

// width returns about how many bytes a row takes, and whether there is a row.
func (s *snapshot) width(ctx context.Context, t *catalog.Table) (width int64, found bool, err error) {
	layout, err := s.Layout(t.ID, nil)
	if err != nil {
		return 0, false, err
	}
	var n, size int64
	query := readSQL(t.ID.Name, layout.Columns, "", true) + fmt.Sprintf(" LIMIT %d", sampleRows)
	err = s.session.query(ctx, query, nil, func(v []driver.Value) error {
		n++
		for _, x := range v {
			switch x := x.(type) {
			case string:
				size += int64(len(x)) + 2
			case []byte:
				size += int64(len(x)) + 2
			default:
				size += 6
			}
		}
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	return max(1, size/max(1, n)), n > 0, nil
}

var errNoRange = errors.New("the chunk is of another snapshot")
