package masking

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// texts reads the values of an array of bytes, whichever of its forms it has.
// A value is good until the array is released, and not changed.
type texts struct {
	views    []arrow.ViewHeader // of a BinaryView: read here, since this is done for every value
	variadic []*memory.Buffer   // where the longer views point
	view     *array.BinaryView
	binary   *array.Binary
	array    arrow.Array
	n        int
	anyNull  bool
	valid    []byte // a bitmap, from offset on
	offset   int
}

func textsOf(in arrow.Array) texts {
	t := texts{array: in, n: in.Len(), anyNull: in.NullN() > 0, valid: in.NullBitmapBytes(), offset: in.Data().Offset()}
	switch a := in.(type) {
	case *array.BinaryView:
		t.view = a
		if buffers := a.Data().Buffers(); t.n > 0 {
			t.views = arrow.ViewHeaderTraits.CastFromBytes(buffers[1].Bytes())[t.offset:][:t.n]
			t.variadic = buffers[2:]
		}
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
	return t.anyNull && (t.valid == nil || bitutil.BitIsNotSet(t.valid, t.offset+i))
}

func (t *texts) value(i int) []byte {
	if t.views == nil {
		return t.binary.Value(i)
	}
	h := &t.views[i]
	if h.IsInline() {
		return h.InlineBytes()
	}
	at := int(h.BufferOffset())
	return t.variadic[h.BufferIndex()].Bytes()[at : at+h.Len()]
}

// inlineASCII reports whether the value stands in its view's header and is ASCII. It
// may say no of a value that is, but that has more than 12 bytes.
func (t *texts) inlineASCII(i int) bool {
	if t.views == nil {
		return false
	}
	h := &t.views[i]
	b := (*[arrow.ViewHeaderSizeBytes]byte)(unsafe.Pointer(h)) // the length in 4 bytes, then 12 of the value
	return h.IsInline() && (binary.LittleEndian.Uint64(b[4:])|binary.LittleEndian.Uint64(b[8:]))&highBits == 0
}

// size returns the bytes of all values together.
func (t *texts) size() int {
	switch {
	case t.n == 0:
	case t.binary != nil:
		offsets := t.binary.ValueOffsets()
		return int(offsets[len(offsets)-1] - offsets[0])
	case t.view != nil:
		sum := 0
		for i := range t.n {
			sum += t.view.ValueLen(i)
		}
		return sum
	}
	return 0
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

// keep ends the row at what an append to buf has made, if it has outgrown the
// room and moved away, too.
func (b *textBuilder) keep(appended []byte) {
	if unsafe.SliceData(appended) != unsafe.SliceData(b.buf) {
		b.add(appended[len(b.buf):])
		return
	}
	b.buf = appended
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
	b.data.ResizeNoShrink(len(b.buf)) // to shrink is to allocate again, and to copy
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

// allNull returns in itself, with one more reference, if it is an *array.Null:
// NULL stays NULL, whatever the transform.
func allNull(in arrow.Array) (arrow.Array, bool) {
	if _, is := in.(*array.Null); !is {
		return nil, false
	}
	in.Retain()
	return in, true
}

// blank reports whether v has no characters but white space: nothing to mask.
func blank(v []byte) bool {
	for i, c := range v {
		if c >= utf8.RuneSelf {
			// White space beyond ASCII begins with one of four bytes.
			return (c == 0xc2 || c >= 0xe1 && c <= 0xe3) && len(bytes.TrimSpace(v[i:])) == 0
		}
		if c != ' ' && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

// runeCount is utf8.RuneCount, which copies what it counts from the first character
// beyond ASCII on.
func runeCount(v []byte) int {
	return utf8.RuneCountInString(unsafe.String(unsafe.SliceData(v), len(v)))
}

// fixedBuilder makes an array of values of fixed width that has the NULLs of its input.
type fixedBuilder[T int32 | int64 | float64] struct {
	in     arrow.Array
	data   *memory.Buffer
	valid  *memory.Buffer
	values []T // one per row; what stands in those that are NULL does not matter
}

func newFixedBuilder[T int32 | int64 | float64](mem memory.Allocator, in arrow.Array) fixedBuilder[T] {
	var zero T
	n := in.Len()
	b := fixedBuilder[T]{in: in, data: memory.NewResizableBuffer(mem)}
	b.data.Resize(max(n, 1) * int(unsafe.Sizeof(zero)))
	b.values = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b.data.Bytes()))), n)
	b.data.Resize(n * int(unsafe.Sizeof(zero)))
	if in.NullN() > 0 {
		b.valid = memory.NewResizableBuffer(mem)
		b.valid.Resize(int(bitutil.BytesForBits(int64(n))))
		bitutil.CopyBitmap(in.NullBitmapBytes(), in.Data().Offset(), n, b.valid.Bytes(), 0)
	}
	return b
}

// finish returns the array, whose type is that of the input.
func (b *fixedBuilder[T]) finish() arrow.Array {
	data := array.NewData(b.in.DataType(), b.in.Len(), []*memory.Buffer{b.valid, b.data}, nil, b.in.NullN(), 0)
	b.drop()
	a := array.MakeFromData(data)
	data.Release()
	return a
}

// drop gives the memory back.
func (b *fixedBuilder[T]) drop() {
	b.data.Release()
	if b.valid != nil {
		b.valid.Release()
	}
}

// ints returns the values of an array of integers.
func ints(in arrow.Array) []int64 {
	a, ok := in.(*array.Int64)
	if !ok {
		panic(fmt.Sprintf("masking: an array of %s where integers are due", in.DataType()))
	}
	return a.Int64Values()
}
