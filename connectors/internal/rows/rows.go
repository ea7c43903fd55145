// Package rows is the wire format rows-v1, shared by connectors whose engine
// has none of its own: the rows of a table one after the other, and in each row
// its fields, each a tag and what the tag asks for.
//
//	0 NULL   nothing
//	1 int    8 bytes, little endian, two's complement
//	2 float  8 bytes, little endian, IEEE 754
//	3 text   4 bytes of length, little endian, then the bytes, whatever they are
//	4 blob   the same
//
// A value has a tag of its own, whatever type its column declares, since
// SQLite's values do. What is kept is copied as it stands; what a mask asks for
// is decoded by the column's kind (decode.go) and put back in the shape that
// the original value had (encode.go).
package rows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Format is the format's name.
const Format connectors.WireFormat = "rows-v1"

// Tag says what a field holds.
type Tag byte

// The tags.
const (
	Null Tag = iota
	Int
	Float
	Text
	Blob
)

var tagNames = [...]string{"NULL", "an integer", "a float", "text", "a blob"}

// String returns the tag in words, for errors.
func (t Tag) String() string {
	if int(t) < len(tagNames) {
		return tagNames[t]
	}
	return fmt.Sprintf("tag %d", byte(t))
}

// AppendNull appends a NULL field to a row.
func AppendNull(b []byte) []byte { return append(b, byte(Null)) }

// AppendInt appends an integer field.
func AppendInt(b []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, byte(Int)), uint64(v))
}

// AppendFloat appends a float field, bit for bit.
func AppendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, byte(Float)), math.Float64bits(v))
}

// AppendText appends a text field. The bytes need not be UTF-8.
func AppendText[T ~string | ~[]byte](b []byte, v T) []byte { return appendBytes(b, Text, v) }

// AppendBlob appends a blob field.
func AppendBlob[T ~string | ~[]byte](b []byte, v T) []byte { return appendBytes(b, Blob, v) }

func appendBytes[T ~string | ~[]byte](b []byte, tag Tag, v T) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, byte(tag)), uint32(len(v)))
	return append(b, v...)
}

// Value is one field as it stands on the wire.
type Value struct {
	Tag   Tag
	bits  uint64
	Bytes []byte // of Text and Blob; part of the wire
}

// Int returns the value of an Int field.
func (v Value) Int() int64 { return int64(v.bits) }

// Float returns the value of a Float field.
func (v Value) Float() float64 { return math.Float64frombits(v.bits) }

var errWire = errors.New("rows: the wire is not in format rows-v1")

// append appends the field as the wire has it.
func (v Value) append(dst []byte) []byte {
	switch v.Tag {
	case Int:
		return AppendInt(dst, v.Int())
	case Float:
		return AppendFloat(dst, v.Float())
	case Text, Blob:
		return appendBytes(dst, v.Tag, v.Bytes)
	}
	return AppendNull(dst)
}

// Parse reads the field at off and returns where the next one begins.
func Parse(wire []byte, off int) (v Value, end int, err error) {
	if off < 0 || off >= len(wire) {
		return Value{}, 0, errWire
	}
	v.Tag = Tag(wire[off])
	off++
	switch v.Tag {
	case Null:
		return v, off, nil
	case Int, Float:
		if len(wire)-off < 8 {
			return Value{}, 0, errWire
		}
		v.bits = binary.LittleEndian.Uint64(wire[off:])
		return v, off + 8, nil
	case Text, Blob:
		if len(wire)-off < 4 {
			return Value{}, 0, errWire
		}
		n := int64(binary.LittleEndian.Uint32(wire[off:]))
		off += 4
		if int64(len(wire)-off) < n {
			return Value{}, 0, errWire
		}
		end = off + int(n)
		v.Bytes = wire[off:end:end]
		return v, end, nil
	}
	return Value{}, 0, errWire
}

// ParseText is Parse where a text is: ok is false if something else is at off.
func ParseText(wire []byte, off int) (text []byte, end int, ok bool) {
	if uint(off)+5 > uint(len(wire)) || Tag(wire[off]) != Text {
		return nil, 0, false
	}
	end = off + 5 + int(binary.LittleEndian.Uint32(wire[off+1:]))
	if end > len(wire) || end < off {
		return nil, 0, false
	}
	return wire[off+5 : end], end, true
}

// Scan passes once over whole rows and appends to fields where the decoded
// columns stand: Off is that of the tag, and Len spans tag and bytes. It returns
// how many rows there are. A layout without columns has no bytes to count rows by.
func Scan(layout *connectors.Layout, wire []byte, fields []connectors.Field) (int, []connectors.Field, error) {
	if len(layout.Columns) == 0 {
		if len(wire) > 0 {
			return 0, fields, errWire
		}
		return 0, fields, nil
	}
	if len(wire) > math.MaxInt32 {
		return 0, fields, errTooLarge
	}
	count, off := 0, 0
	for off < len(wire) {
		next := 0
		for c := range layout.Columns {
			_, end, err := Parse(wire, off)
			if err != nil {
				return count, fields, err
			}
			if next < len(layout.Decoded) && layout.Decoded[next] == c {
				fields = append(fields, connectors.Field{Off: uint32(off), Len: int32(end - off)})
				next++
			}
			off = end
		}
		count++
	}
	return count, fields, nil
}

// Arrow counts offsets into a buffer in 31 bits.
var errTooLarge = errors.New("rows of more than 2 GiB in one batch")

// buffers are what a batch holds and gives back when it is released.
type buffers struct {
	wire   []byte
	fields []connectors.Field
	then   func() // see Builder.Wide
}

// A wire much larger than usual holds one huge value: keeping its memory for
// the next batch would cost more than it saves.
const keepBytes = 4 * connectors.BatchBytes

var pool = sync.Pool{New: func() any {
	return &buffers{wire: make([]byte, 0, connectors.BatchBytes/4), fields: make([]connectors.Field, 0, 4*connectors.BatchRows)}
}}

// Builder makes batches out of values. Use: for each row one call per column of
// the layout, in order, then EndRow; Batch when Full or at the end of the chunk.
// It is for one goroutine.
type Builder struct {
	layout *connectors.Layout
	held   *buffers
	rows   int
	first  int64 // rows given out in earlier batches
	column int
	next   int // into layout.Decoded
}

// NewBuilder returns a builder for rows of that layout.
func NewBuilder(layout *connectors.Layout) *Builder { return &Builder{layout: layout} }

func (b *Builder) field(start int) {
	if b.next < len(b.layout.Decoded) && b.layout.Decoded[b.next] == b.column {
		b.held.fields = append(b.held.fields, connectors.Field{Off: uint32(start), Len: int32(len(b.held.wire) - start)})
		b.next++
	}
	b.column++
}

func (b *Builder) wire() []byte {
	if b.held == nil {
		b.held = pool.Get().(*buffers)
	}
	return b.held.wire
}

// Null adds NULL.
func (b *Builder) Null() {
	w := b.wire()
	b.held.wire = AppendNull(w)
	b.field(len(w))
}

// Int adds an integer.
func (b *Builder) Int(v int64) {
	w := b.wire()
	b.held.wire = AppendInt(w, v)
	b.field(len(w))
}

// Float adds a float.
func (b *Builder) Float(v float64) {
	w := b.wire()
	b.held.wire = AppendFloat(w, v)
	b.field(len(w))
}

// Text adds text.
func (b *Builder) Text(v string) {
	w := b.wire()
	b.held.wire = AppendText(w, v)
	b.field(len(w))
}

// Blob adds bytes.
func (b *Builder) Blob(v []byte) {
	w := b.wire()
	b.held.wire = AppendBlob(w, v)
	b.field(len(w))
}

// Raw adds a field that is on a wire of this format already.
func (b *Builder) Raw(field []byte) {
	w := b.wire()
	b.held.wire = append(w, field...)
	b.field(len(w))
}

// Wide makes room for a row of n bytes, whose fields come next. then is called when its batch
// has been released, or dropped, and has let go of its memory: what Batch gives out holds
// nothing afterwards, whoever still holds that. A batch has one such row.
func (b *Builder) Wide(n int, then func()) {
	w := b.wire()
	b.held.wire, b.held.then = slices.Grow(w, n), then
}

// EndRow ends the row. It panics if the row does not have the layout's columns.
func (b *Builder) EndRow() {
	if b.column != len(b.layout.Columns) {
		panic(fmt.Sprintf("rows: a row of %d fields for %d columns", b.column, len(b.layout.Columns)))
	}
	b.wire()
	b.rows++
	b.column, b.next = 0, 0
}

// Rows returns how many rows wait for the next batch.
func (b *Builder) Rows() int { return b.rows }

// Full reports whether it is time for Batch.
func (b *Builder) Full() bool {
	return b.rows >= connectors.BatchRows || b.held != nil && len(b.held.wire) >= connectors.BatchBytes
}

// Batch returns the rows that were added since the last call, decoded, and
// starts anew. A value that is not what its column declares is a *ValueError.
// The arrays are of mem; nil is Arrow's default allocator.
func (b *Builder) Batch(mem memory.Allocator) (*connectors.Batch, error) {
	if mem == nil {
		mem = memory.DefaultAllocator
	}
	b.wire()
	held, n, first := b.held, b.rows, b.first
	b.held, b.rows, b.first = nil, 0, first+int64(n)
	if len(held.wire) > math.MaxInt32 {
		held.giveBack()
		return nil, errTooLarge
	}
	decoded, err := decode(mem, b.layout, held.wire, held.fields, n)
	if err != nil {
		var v *ValueError
		if errors.As(err, &v) {
			v.Row += first
		}
		held.giveBack()
		return nil, err
	}
	return connectors.NewBatch(n, held.wire, held.fields, decoded, func(made *connectors.Batch) {
		if held.then != nil {
			made.Wire, made.Fields, made.Decoded = nil, nil, nil
		}
		held.giveBack()
	}), nil
}

// Drop gives back the memory of rows that no Batch has taken.
func (b *Builder) Drop() {
	if b.held != nil {
		b.held.giveBack()
		b.held, b.rows, b.column, b.next = nil, 0, 0, 0
	}
}

func (h *buffers) giveBack() {
	if then := h.then; then != nil {
		*h = buffers{}
		then()
		return
	}
	if cap(h.wire) > keepBytes {
		return
	}
	h.wire, h.fields = h.wire[:0], h.fields[:0]
	pool.Put(h)
}

// ValueError is a value that is not what its column declares.
type ValueError struct {
	Row    int64 // 0-based within the chunk, or within the batch when it is encoded
	Column string
	Kind   catalog.Kind
	Is     Tag // what it is instead

	what string // it is, where more is known of it than its tag
}

// Error returns the coordinates and what was expected, never the value.
func (e *ValueError) Error() string {
	if e.what != "" {
		return fmt.Sprintf("row %d, column %s: %s", e.Row, e.Column, e.what)
	}
	return fmt.Sprintf("row %d, column %s: %s where a value of kind %s is declared", e.Row, e.Column, e.Is, e.Kind)
}

// Hint says what a person can do.
func (e *ValueError) Hint() string {
	return fmt.Sprintf("mend the value at the source, or do not mask %s by a transform that reads it (keep, null and constant do not)", e.Column)
}
