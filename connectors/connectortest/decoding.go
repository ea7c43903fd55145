package connectortest

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// equals returns arrays of their own with the batch's values: what a mask that
// changes nothing returns.
func equals(_ *connectors.Layout, b *connectors.Batch) []arrow.Array {
	out := make([]arrow.Array, len(b.Decoded))
	for i, a := range b.Decoded {
		if value := bytesOf(a); value != nil {
			builder := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
			for row := range a.Len() {
				if a.IsNull(row) {
					builder.AppendNull()
				} else {
					builder.Append(value(row))
				}
			}
			out[i] = builder.NewArray()
			builder.Release()
			continue
		}
		out[i] = array.MakeFromData(a.Data())
	}
	return out
}

// bytesOf returns the accessor of an array of bytes, or nil.
func bytesOf(a arrow.Array) func(int) []byte {
	switch a := a.(type) {
	case *array.Binary:
		return a.Value
	case *array.BinaryView:
		return a.Value
	}
	return nil
}

// ints returns an array like a, an Int column's, with each value changed.
func ints(a arrow.Array, change func(int64) int64) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	for row := range a.Len() {
		if a.IsNull(row) {
			b.AppendNull()
		} else {
			b.Append(change(a.(*array.Int64).Value(row)))
		}
	}
	return b.NewArray()
}

// only decodes one column of one table and changes its integers.
func (s *suite) only(table, column string, change func(int64) int64) decoding {
	return decoding{
		columns: func(t *catalog.Table) []string {
			if t.ID == s.Quirks.id(table) {
				return []string{column}
			}
			return nil
		},
		replace: func(_ *connectors.Layout, b *connectors.Batch) []arrow.Array {
			return []arrow.Array{ints(b.Decoded[0], change)}
		},
	}
}

// decodeAll decodes every column that can be, and puts equal values back.
func (s *suite) decodeAll(snapshot connectors.Snapshot) decoding {
	return decoding{replace: equals, columns: func(t *catalog.Table) []string {
		var names []string
		for _, c := range t.Columns {
			if _, err := snapshot.Layout(t.ID, []string{c.Name}); err == nil {
				names = append(names, c.Name)
			}
		}
		return names
	}}
}
