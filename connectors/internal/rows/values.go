package rows

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// snapshot is one that can leave rows behind.
type snapshot interface {
	connectors.Snapshot
	connectors.Filterer
}

// Values counts the values of a column of a snapshot by reading all rows that a filter
// lets through, as connectors.Counter promises.
func Values(ctx context.Context, s snapshot, table catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	layout, err := s.Layout(table, []string{column})
	if err != nil {
		return nil, err
	}
	if layout, err = s.Filter(ctx, layout, f); err != nil {
		return nil, err
	}
	chunks, err := s.Split(ctx, table, 0)
	if err != nil {
		return nil, err
	}
	c := counter{kind: layout.Columns[layout.Decoded[0]].Type.Kind, counts: map[string]int64{}, limit: limit, bytes: bytes}
	for _, chunk := range chunks {
		if err := c.chunk(ctx, s, chunk, layout); err != nil {
			return nil, err
		}
		if c.full() {
			return nil, connectors.TooManyValues(table, column, limit, bytes)
		}
	}
	v := &connectors.Values{Texts: slices.Sorted(maps.Keys(c.counts)), Nulls: c.nulls}
	v.Counts = make([]int64, len(v.Texts))
	for i, text := range v.Texts {
		v.Counts[i] = c.counts[text]
	}
	return v, nil
}

// counter counts the values of one column.
type counter struct {
	kind   catalog.Kind
	counts map[string]int64
	nulls  int64
	size   int // of their texts
	limit  int
	bytes  int
	text   []byte
}

// full reports whether there are more values than may be held.
func (c *counter) full() bool {
	return len(c.counts) > c.limit || c.bytes > 0 && c.size > c.bytes
}

func (c *counter) chunk(ctx context.Context, s connectors.Snapshot, chunk connectors.Chunk, layout *connectors.Layout) error {
	batches, err := s.Read(ctx, chunk, layout)
	if err != nil {
		return err
	}
	defer batches.Close()
	for !c.full() {
		batch, err := batches.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.batch(batch.Decoded[0])
		batch.Release()
	}
	return nil
}

func (c *counter) batch(a arrow.Array) {
	for row := range a.Len() {
		if a.IsNull(row) || a.DataType().ID() == arrow.NULL {
			c.nulls++
			continue
		}
		c.text = appendPrinted(c.text[:0], c.kind, a, row)
		n := len(c.counts)
		if c.counts[string(c.text)]++; len(c.counts) == n {
			continue
		}
		if c.size += len(c.text); c.full() {
			return
		}
	}
}

// appendPrinted appends a value as PostgreSQL prints one of the kind.
func appendPrinted(dst []byte, kind catalog.Kind, a arrow.Array, row int) []byte {
	switch a := a.(type) {
	case *array.Boolean:
		if a.Value(row) {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case *array.Int64:
		switch kind {
		case catalog.Timestamp:
			return appendEra(dst, a.Value(row), &moment{sep: ' ', seconds: true})
		case catalog.TimestampTZ:
			return appendEra(dst, a.Value(row), &moment{sep: ' ', seconds: true, zone: []byte("+00")})
		}
		return strconv.AppendInt(dst, a.Value(row), 10)
	case *array.Float64:
		switch v := a.Value(row); {
		case math.IsInf(v, 1):
			return append(dst, "Infinity"...)
		case math.IsInf(v, -1):
			return append(dst, "-Infinity"...)
		default:
			return strconv.AppendFloat(dst, v, 'g', -1, 64)
		}
	case *array.Date32:
		days := int64(a.Value(row))
		if y, m, d := civil(days); y <= 0 && days != math.MinInt32 {
			return append(appendDate(dst, daysOf(1-y, m, d)), " BC"...)
		}
		return appendDate(dst, days)
	case *array.Binary:
		return appendPrintedBytes(dst, kind, a.Value(row))
	case *array.BinaryView:
		return appendPrintedBytes(dst, kind, a.Value(row))
	}
	return dst
}

// appendEra appends an instant in UTC; before the year 1 it counts years as people do.
func appendEra(dst []byte, instant int64, m *moment) []byte {
	if instant == math.MinInt64 || instant == math.MaxInt64 {
		return appendInstant(dst, instant, m)
	}
	days, micros := floorDiv(instant, dayMicros)
	if year, month, day := civil(days + epochDays); year <= 0 {
		return append(appendInstant(dst, (daysOf(1-year, month, day)-epochDays)*dayMicros+micros, m), " BC"...)
	}
	return appendInstant(dst, instant, m)
}

func appendPrintedBytes(dst []byte, kind catalog.Kind, v []byte) []byte {
	switch {
	case kind == catalog.Bytes:
		return hex.AppendEncode(append(dst, `\x`...), v)
	case kind == catalog.UUID && len(v) == 16:
		return appendUUID(dst, v, uuidHyphens)
	}
	return append(dst, v...)
}
