package masking

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// texts reads the values of an array of bytes, whichever of its forms it has.
// A value is good until the array is released, and not changed.
type texts struct {
	view    *array.BinaryView
	binary  *array.Binary
	n       int
	anyNull bool
	array   arrow.Array
}

func textsOf(in arrow.Array) texts {
	t := texts{n: in.Len(), anyNull: in.NullN() > 0, array: in}
	switch a := in.(type) {
	case *array.BinaryView:
		t.view = a
	case *array.Binary:
		t.binary = a
	case *array.Null:
		t.anyNull = true
	default:
		panic(fmt.Sprintf("masking: an array of %s where bytes are due", in.DataType()))
	}
	return t
}

func (t *texts) null(i int) bool {
	return t.anyNull && (t.view == nil && t.binary == nil || t.array.IsNull(i))
}

func (t *texts) value(i int) []byte {
	if t.view != nil {
		return t.view.Value(i)
	}
	return t.binary.Value(i)
}

// textBuilder makes an *array.Binary: one contiguous buffer and int32 offsets.
// Use: append to buf, then end or null, once per row; at last finish or drop.
type textBuilder struct {
	mem     memory.Allocator
	offsets *memory.Buffer
	ends    []int32 // offsets[1:]
	valid   *memory.Buffer
	nulls   int
	rows    int
	// buf grows from mem and holds the values one after the other.
	data *memory.Buffer
	buf  []byte
}

// newTextBuilder returns a builder for n rows of about size bytes in all.
func newTextBuilder(mem memory.Allocator, n, size int) *textBuilder {
	b := &textBuilder{mem: mem, offsets: memory.NewResizableBuffer(mem), data: memory.NewResizableBuffer(mem)}
	b.offsets.Resize(4 * (n + 1))
	b.ends = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(b.offsets.Bytes()))), n+1)
	b.ends[0] = 0
	b.ends = b.ends[1:]
	b.data.Resize(max(size, 64))
	b.buf = b.data.Bytes()[:0]
	return b
}

// grow makes room for n more bytes in buf.
func (b *textBuilder) grow(n int) {
	if cap(b.buf)-len(b.buf) >= n {
		return
	}
	used := len(b.buf)
	b.data.Resize(max(2*cap(b.buf), used+n))
	b.buf = b.data.Bytes()[:used]
}

// add appends one whole value.
func (b *textBuilder) add(v []byte) {
	b.grow(len(v))
	b.buf = append(b.buf, v...)
	b.end()
}

// end ends the row at what buf holds. Whoever appended to buf has made room by
// grow: an append that moved buf away is a mistake, and panics.
func (b *textBuilder) end() {
	if len(b.buf) > 0 && unsafe.SliceData(b.buf) != unsafe.SliceData(b.data.Bytes()) {
		panic("masking: text builder: appended without grow")
	}
	if len(b.buf) > math.MaxInt32 {
		panic("masking: text builder: more than 2 GiB in one batch")
	}
	b.ends[b.rows] = int32(len(b.buf))
	b.rows++
}

// null ends the row as NULL.
func (b *textBuilder) null() {
	if b.valid == nil {
		b.valid = memory.NewResizableBuffer(b.mem)
		b.valid.Resize(int(bitutil.BytesForBits(int64(len(b.ends)))))
		memory.Set(b.valid.Bytes(), 0xff)
	}
	bitutil.ClearBit(b.valid.Bytes(), b.rows)
	b.nulls++
	b.end()
}

// finish returns the array. The builder cannot be used after it.
func (b *textBuilder) finish() arrow.Array {
	if b.rows != len(b.ends) {
		panic(fmt.Sprintf("masking: text builder: %d rows of %d", b.rows, len(b.ends)))
	}
	b.data.Resize(len(b.buf))
	data := array.NewData(arrow.BinaryTypes.Binary, b.rows, []*memory.Buffer{b.valid, b.offsets, b.data}, nil, b.nulls, 0)
	b.drop()
	a := array.NewBinaryData(data)
	data.Release()
	return a
}

// drop gives the memory back.
func (b *textBuilder) drop() {
	b.offsets.Release()
	b.data.Release()
	if b.valid != nil {
		b.valid.Release()
	}
	b.offsets, b.data, b.valid = nil, nil, nil
}
