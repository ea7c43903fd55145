package connectors

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// BatchRows is about how many rows a batch holds: enough to mask column by
// column, few enough to stay in the cache.
const BatchRows = 1024

// BatchBytes is the size at which a batch ends even with fewer rows. A single
// row may be larger.
const BatchBytes = 1 << 20

// Chunk is a range of rows of one table: the unit of work.
type Chunk struct {
	ID    string // stable within a snapshot; table and range in words
	Table catalog.TableID
	Index int // 0-based within the table
	// Lo and Hi bound the chunk, half-open. What they count is the connector's
	// affair. Last is set on the table's last chunk, which has no upper bound.
	Lo, Hi uint64
	Last   bool
	// Lead is set on a table's first chunk when it is made to be loaded before the
	// others, and worth a loader that shuts them out until it has committed.
	Lead  bool
	Rows  int64 // estimate
	Bytes int64 // estimate
}

// Layout says how the rows of one table travel.
type Layout struct {
	Table  *catalog.Table
	Format WireFormat
	// Columns are the columns on the wire, in the table's order: all but computed ones.
	Columns []catalog.Column
	// Decoded are the indexes into Columns of those whose values are decoded
	// into Batch.Decoded, ascending.
	Decoded []int
	// Unread are those of Decoded of which nobody looks at a value, but only whether it is
	// NULL. One that is not what its column declares need not be an error there.
	Unread []int
	// Rows is what Filterer.Filter has prepared, the connector's affair; nil reads all rows.
	Rows any
	// Charset is how texts on the wire are encoded, the connector's affair; nil is UTF-8, or what
	// nobody knows.
	Charset any
}

// NewLayout checks the names of the columns to decode and returns the layout.
// Connectors call it from Snapshot.Layout.
func NewLayout(t *catalog.Table, format WireFormat, decoded []string) (*Layout, error) {
	l := &Layout{Table: t, Format: format}
	want := make(map[string]bool, len(decoded))
	for _, name := range decoded {
		c := t.Column(name)
		if c == nil {
			return nil, fmt.Errorf("layout of %s: no column %s", t.ID, name)
		}
		if c.Generation.Computed() {
			return nil, fmt.Errorf("layout of %s: column %s is computed by the database", t.ID, name)
		}
		want[name] = true
	}
	for _, c := range t.Columns {
		if c.Generation.Computed() {
			continue
		}
		if want[c.Name] {
			l.Decoded = append(l.Decoded, len(l.Columns))
		}
		l.Columns = append(l.Columns, c)
	}
	return l, nil
}

// Without returns the layout without some columns, which do not travel: the sink computes
// them anew. It fails for a column that is decoded, or that is not there.
func (l *Layout) Without(names []string) (*Layout, error) {
	if len(names) == 0 {
		return l, nil
	}
	less := &Layout{Table: l.Table, Format: l.Format, Rows: l.Rows, Charset: l.Charset}
	found := 0
	for i, c := range l.Columns {
		decoded := slices.Contains(l.Decoded, i)
		if slices.Contains(names, c.Name) {
			if decoded {
				return nil, fmt.Errorf("layout of %s: column %s is decoded, and does not travel", l.Table.ID, c.Name)
			}
			found++
			continue
		}
		if decoded {
			less.Decoded = append(less.Decoded, len(less.Columns))
		}
		if slices.Contains(l.Unread, i) {
			less.Unread = append(less.Unread, len(less.Columns))
		}
		less.Columns = append(less.Columns, c)
	}
	if found != len(names) {
		return nil, fmt.Errorf("layout of %s: a column of %q is not there", l.Table.ID, names)
	}
	return less, nil
}

// Unreading returns the layout with the decoded columns of those names marked as Unread.
func (l *Layout) Unreading(names []string) *Layout {
	if len(names) == 0 {
		return l
	}
	marked := *l
	marked.Unread = nil
	for _, i := range l.Decoded {
		if slices.Contains(names, l.Columns[i].Name) {
			marked.Unread = append(marked.Unread, i)
		}
	}
	return &marked
}

// Field is where the encoded value of one decoded column of one row stands in
// Batch.Wire. What exactly it spans is the wire format's affair.
type Field struct {
	Off uint32
	Len int32 // −1 for NULL in formats that have no bytes for it
}

// Batch is some rows of one chunk: the rows as they came, and the values of the
// decoded columns as Arrow arrays. What is not decoded stays the bytes that the
// server sent.
//
// A batch belongs to one goroutine at a time. Whoever holds it calls Release
// once; a second call panics. After Release nothing of it may be read.
type Batch struct {
	Rows int
	// Wire holds whole rows in Layout.Format, and nothing else.
	Wire []byte
	// Fields holds, row by row, one Field per decoded column: Rows × len(Layout.Decoded).
	Fields []Field
	// Decoded holds one array of Rows values per decoded column, in that order:
	//
	//	Bool                    *array.Boolean
	//	Int                     *array.Int64
	//	Float                   *array.Float64
	//	Date                    *array.Date32: days since 1970-01-01; the extreme values are −infinity and infinity
	//	Timestamp, TimestampTZ  *array.Int64: microseconds since 2000-01-01 00:00 UTC, since Arrow's own
	//	                        epoch cannot hold the last years that PostgreSQL can; the extreme values are −infinity and infinity
	//	Text, JSON, Bytes       *array.BinaryView over Wire, or *array.Binary: UTF-8, JSON text, bytes
	//	Numeric                 *array.BinaryView or *array.Binary: decimal text
	//	UUID                    *array.BinaryView or *array.Binary: 16 bytes
	//	XML, IP, MAC, Point, Array, Composite, Range, Hstore
	//	                        *array.BinaryView or *array.Binary: the text that the server prints
	//	any                     *array.Null, all NULL
	//
	// A mask replaces them by Replace with arrays of the same length and of
	// *array.Binary where a view stood.
	Decoded []arrow.Array

	free     func(*Batch)
	released atomic.Bool
}

// NewBatch returns a batch that calls free when it is released, after the
// decoded arrays have been released. free may take Wire and Fields for reuse.
func NewBatch(rows int, wire []byte, fields []Field, decoded []arrow.Array, free func(*Batch)) *Batch {
	return &Batch{Rows: rows, Wire: wire, Fields: fields, Decoded: decoded, free: free}
}

// Replace puts masked arrays in the place of the decoded ones, which it releases.
// The batch owns the new arrays.
func (b *Batch) Replace(masked []arrow.Array) error {
	if len(masked) != len(b.Decoded) {
		return errors.New("connectors: replace: another number of columns")
	}
	for i, a := range masked {
		if a.Len() != b.Rows {
			return fmt.Errorf("connectors: replace: column %d has %d values for %d rows", i, a.Len(), b.Rows)
		}
	}
	for i, a := range masked {
		b.Decoded[i].Release()
		b.Decoded[i] = a
	}
	return nil
}

// Size returns the bytes that the batch holds, about.
func (b *Batch) Size() int64 {
	return int64(len(b.Wire)) + 8*int64(len(b.Fields)) + 32*int64(b.Rows)*int64(len(b.Decoded))
}

// Release gives the batch's memory back.
func (b *Batch) Release() {
	if b.released.Swap(true) {
		panic("connectors: batch released twice")
	}
	for _, a := range b.Decoded {
		a.Release()
	}
	if b.free != nil {
		b.free(b)
	}
}
