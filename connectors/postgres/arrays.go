package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
)

// resized returns a slice of n elements, whose content is undefined.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

var errValue = errors.New("value does not have the form of its type")

// decode makes the array of one decoded column. Where it fails it says in which row.
func (b *builder) decode(j int) (a arrow.Array, row int, err error) {
	cs := &b.st.columns[j]
	n, o := b.rows, b.ops[j]
	fields := fieldsOf{b.st.fields, j, len(b.decoded)}
	var typ arrow.DataType
	var values *memory.Buffer
	nulls := 0
	switch o {
	case opBytes, opJSONB, opUUID, opBytea:
		typ = arrow.BinaryTypes.BinaryView
		cs.views, cs.data = resized(cs.views, n), cs.data[:0]
		if nulls, row, err = b.views(cs, o, fields); err != nil {
			return nil, row, err
		}
		values = memory.NewBufferBytes(arrow.ViewHeaderTraits.CastToBytes(cs.views))
	case opNumeric:
		typ = arrow.BinaryTypes.Binary
		cs.offsets, cs.data = resized(cs.offsets, n+1), cs.data[:0]
		for i := range n {
			cs.offsets[i] = int32(len(cs.data))
			v, null := fields.value(b.st.wire, i)
			switch {
			case null:
				nulls++
			case b.text:
				cs.data = append(cs.data, v...)
			default:
				if cs.data, err = appendNumericText(cs.data, v); err != nil {
					return nil, i, errValue
				}
			}
		}
		cs.offsets[n] = int32(len(cs.data))
		values = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(cs.offsets))
	case opBool:
		typ = arrow.FixedWidthTypes.Boolean
		cs.bits = resized(cs.bits, (n+7)/8)
		clear(cs.bits)
		for i := range n {
			v, null := fields.value(b.st.wire, i)
			if null {
				nulls++
				continue
			}
			if len(v) != 1 {
				return nil, i, errValue
			}
			switch v[0] {
			case 1, 't':
				cs.bits[i/8] |= 1 << (i % 8)
			case 0, 'f':
			default:
				return nil, i, errValue
			}
		}
		values = memory.NewBufferBytes(cs.bits)
	case opFloat32, opFloat64:
		typ = arrow.PrimitiveTypes.Float64
		cs.floats = resized(cs.floats, n)
		nulls, row, err = decodeEach(b.st.wire, fields, cs.floats, func(v []byte) (float64, bool) { return b.float(o, v) })
		values = memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(cs.floats))
	case opDate:
		typ = arrow.FixedWidthTypes.Date32
		cs.days = resized(cs.days, n)
		nulls, row, err = decodeEach(b.st.wire, fields, cs.days, b.date)
		values = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(cs.days))
	default:
		typ = arrow.PrimitiveTypes.Int64
		cs.longs = resized(cs.longs, n)
		nulls, row, err = b.longs(cs.longs, o, fields)
		values = memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(cs.longs))
	}
	if err != nil {
		return nil, row, err
	}
	buffers := append(make([]*memory.Buffer, 0, 4), nil, values)
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(cs.bitmap(fields, n))
	}
	switch typ {
	case arrow.BinaryTypes.BinaryView:
		buffers = append(buffers, memory.NewBufferBytes(b.st.wire), memory.NewBufferBytes(cs.data))
	case arrow.BinaryTypes.Binary:
		buffers = append(buffers, memory.NewBufferBytes(cs.data))
	}
	made := array.NewData(typ, n, buffers, nil, nulls, 0)
	defer made.Release()
	return array.MakeFromData(made), 0, nil
}

// fieldsOf is one decoded column's fields of a batch.
type fieldsOf struct {
	all           []connectors.Field
	first, stride int
}

// value returns the bytes of the field in a row, and whether it is NULL.
func (f fieldsOf) value(wire []byte, row int) (v []byte, null bool) {
	field := f.all[f.first+row*f.stride]
	if field.Len < 0 {
		return nil, true
	}
	return wire[field.Off : int(field.Off)+int(field.Len)], false
}

// bitmap marks the rows that are not NULL.
func (cs *columnStorage) bitmap(fields fieldsOf, rows int) []byte {
	cs.valid = resized(cs.valid, (rows+7)/8)
	clear(cs.valid)
	for i, at := 0, fields.first; i < rows; i, at = i+1, at+fields.stride {
		if fields.all[at].Len >= 0 {
			cs.valid[i/8] |= 1 << (i % 8)
		}
	}
	return cs.valid
}

// decodeEach decodes a value per row, 0 for NULL.
func decodeEach[T any](wire []byte, fields fieldsOf, dst []T, decode func([]byte) (T, bool)) (nulls, row int, err error) {
	var zero T
	for i := range dst {
		v, null := fields.value(wire, i)
		if null {
			dst[i] = zero
			nulls++
			continue
		}
		var ok bool
		if dst[i], ok = decode(v); !ok {
			return 0, i, errValue
		}
	}
	return nulls, 0, nil
}

// longs decodes integers and times: the columns that are masked most often, as keys.
func (b *builder) longs(dst []int64, o op, fields fieldsOf) (nulls, row int, err error) {
	width := int32(8)
	switch {
	case b.text:
		return decodeEach(b.st.wire, fields, dst, func(v []byte) (int64, bool) { return longText(o, v) })
	case o == opInt16:
		return decodeEach(b.st.wire, fields, dst, func(v []byte) (int64, bool) {
			if len(v) != 2 {
				return 0, false
			}
			return int64(int16(binary.BigEndian.Uint16(v))), true
		})
	case o == opInt32:
		width = 4
	}
	wire, at := b.st.wire, fields.first
	for i := range dst {
		f := fields.all[at]
		at += fields.stride
		if f.Len != width {
			if f.Len >= 0 {
				return 0, i, errValue
			}
			dst[i] = 0
			nulls++
			continue
		}
		if width == 8 {
			dst[i] = int64(binary.BigEndian.Uint64(wire[f.Off:]))
		} else {
			dst[i] = int64(int32(binary.BigEndian.Uint32(wire[f.Off:])))
		}
	}
	return nulls, 0, nil
}

// viewInline is how many bytes a view holds itself.
const viewInline = 12

// inPlace is the size from which a text value is decoded where it stands: a second copy
// of it would cost memory, and the cache.
const inPlace = 1 << 20

// views fills cs.views: buffer 0 is the wire, buffer 1 cs.data, where values go
// that do not stand in the wire as they are.
func (b *builder) views(cs *columnStorage, o op, fields fieldsOf) (nulls, row int, err error) {
	wire, views := b.st.wire, arrow.ViewHeaderTraits.CastToBytes(cs.views)
	from := fields.first
	own := b.charset
	if own != nil && (o != opBytes && o != opJSONB || !holdsText(b.layout.Columns[b.decoded[from%fields.stride]].Type, b.text)) {
		own = nil
	}
	for i := range b.rows {
		f := fields.all[from]
		from += fields.stride
		view := (*[16]byte)(views[16*i:])
		if f.Len < 0 {
			*view = [16]byte{}
			nulls++
			continue
		}
		at, n := int(f.Off), int(f.Len)
		if b.text {
			if v := wire[at : at+n]; o == opUUID || o == opBytea || bytes.IndexByte(v, '\\') >= 0 {
				if n >= inPlace && o != opUUID {
					// What is decoded is never longer. Whoever sends the row on sends
					// the array, and of this field of the wire nothing.
					into := unescape
					if o == opBytea {
						into = func(dst, v []byte) []byte {
							if dst, err = appendHex(dst, v); err != nil {
								return nil
							}
							return dst
						}
					}
					decoded := into(wire[at:at], v)
					if err != nil {
						return 0, i, errValue
					}
					if own != nil && !isASCII(decoded) {
						if err = cs.viewUTF8(view, own, decoded); err != nil {
							return 0, i, err
						}
						continue
					}
					setView(view, wire, at, len(decoded), 0)
					continue
				}
				start := len(cs.data)
				switch o {
				case opUUID:
					cs.data, err = appendUUID(cs.data, v)
				case opBytea:
					cs.data, err = appendHex(cs.data, v)
				default:
					cs.data = unescape(cs.data, v)
				}
				if err != nil {
					return 0, i, errValue
				}
				if v := cs.data[start:]; own != nil && !isASCII(v) {
					cs.data = cs.data[:start]
					if err = cs.viewUTF8(view, own, bytes.Clone(v)); err != nil {
						return 0, i, err
					}
					continue
				}
				setView(view, cs.data, start, len(cs.data)-start, 1)
				continue
			}
		} else if o == opJSONB {
			if n == 0 || wire[at] != 1 {
				return 0, i, errValue
			}
			at, n = at+1, n-1
		} else if o == opUUID && n != 16 {
			return 0, i, errValue
		}
		if own != nil {
			if v := wire[at : at+n]; !isASCII(v) {
				if err = cs.viewUTF8(view, own, v); err != nil {
					return 0, i, err
				}
				continue
			}
		}
		setView(view, wire, at, n, 0)
	}
	return nulls, 0, nil
}

// viewUTF8 makes the view of a text in an encoding, which goes to cs.data as UTF-8.
func (cs *columnStorage) viewUTF8(view *[16]byte, own *charset, text []byte) (err error) {
	start := len(cs.data)
	if cs.data, err = own.appendUTF8(cs.data, text); err == nil && len(cs.data) <= math.MaxInt32 {
		setView(view, cs.data, start, len(cs.data)-start, 1)
		return nil
	}
	return errValue
}

// setView makes the view of n bytes of a buffer, as the Arrow columnar format lays
// it out: the size, and up to 12 bytes themselves, or the first 4, the number of
// the buffer and the offset in it.
func setView(view *[16]byte, buffer []byte, at, n, number int) {
	binary.NativeEndian.PutUint32(view[:4], uint32(n))
	switch {
	case n > viewInline:
		copy(view[4:8], buffer[at:at+4])
		binary.NativeEndian.PutUint32(view[8:12], uint32(number))
		binary.NativeEndian.PutUint32(view[12:], uint32(at))
	case len(buffer)-at < viewInline:
		clear(view[4:])
		copy(view[4:], buffer[at:at+n])
	default:
		// Twelve bytes are loaded at once, and those behind the value cleared.
		w := buffer[at : at+viewInline]
		head, tail := binary.LittleEndian.Uint32(w), binary.LittleEndian.Uint64(w[4:])
		head &= uint32(uint64(1)<<(8*min(n, 4)) - 1)
		tail &= uint64(1)<<(8*max(n-4, 0)) - 1
		binary.LittleEndian.PutUint32(view[4:8], head)
		binary.LittleEndian.PutUint64(view[8:], tail)
	}
}

func (b *builder) float(o op, v []byte) (float64, bool) {
	switch {
	case b.text:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	case o == opFloat32 && len(v) == 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v))), true
	case o == opFloat64 && len(v) == 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v)), true
	}
	return 0, false
}

func (b *builder) date(v []byte) (int32, bool) {
	if b.text {
		d, err := parseDateText(v)
		return d, err == nil
	}
	if len(v) != 4 {
		return 0, false
	}
	d := int32(binary.BigEndian.Uint32(v))
	if d == dateInfinity || d == dateNegInf {
		return d, true
	}
	return d + epochDays, true
}

func longText(o op, v []byte) (n int64, ok bool) {
	var err error
	if o == opStamp || o == opStampTZ {
		n, err = parseStampText(v)
	} else {
		n, err = strconv.ParseInt(string(v), 10, 64)
	}
	return n, err == nil
}

// unescape appends a value of COPY's text format as it is. The server writes
// only the escapes below; any other backslash stands for the byte after it.
func unescape(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '\\' && i+1 < len(v) {
			i++
			switch c = v[i]; c {
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'v':
				c = '\v'
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// appendUUID appends the 16 bytes of a UUID as the server prints it.
func appendUUID(dst, v []byte) ([]byte, error) {
	if len(v) != 36 {
		return dst, errValue
	}
	var digits [32]byte
	n := 0
	for i, c := range v {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return dst, errValue
			}
			continue
		}
		digits[n] = c
		n++
	}
	return hex.AppendDecode(dst, digits[:])
}

// appendHex appends the bytes of a bytea as the server prints and escapes it: \\x00ff.
func appendHex(dst, v []byte) ([]byte, error) {
	if len(v) < 3 || string(v[:3]) != `\\x` {
		return dst, errValue
	}
	return hex.AppendDecode(dst, v[3:])
}
