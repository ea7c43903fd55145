package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sanitize-db/sanitize/connectors"
)

// encodeBytes is the size at which encoded rows are written out: large enough
// that a write costs little, small enough to stay in the cache.
const encodeBytes = 128 << 10

// Encoder turns batches into the bytes that COPY … FROM STDIN reads: the bytes
// between the decoded fields as they came, and the decoded fields anew. It is
// for one goroutine.
type Encoder struct {
	layout *connectors.Layout
	w      io.Writer
	out    []byte
	cols   []columnEncoder
	text   bool
	begun  bool
	rows   int64
	bytes  int64
	err    error // the stream is broken
}

// columnEncoder is one decoded column of the batch at hand.
type columnEncoder struct {
	op      op
	arr     arrow.Array
	hasNull bool
	view    *array.BinaryView
	data    []byte  // of a Binary array
	offsets []int32 // of a Binary array
	values  []byte  // data, if in binary the values are sent as they are
	longs   []int64
	days    []arrow.Date32
	floats  []float64
	bools   *array.Boolean
	wide    bool // some value may be long
	charset *charset
	spell   spelling
}

// NewEncoder returns an encoder that writes to w. The writer must not keep what
// it is given.
func NewEncoder(layout *connectors.Layout, w io.Writer) *Encoder {
	e := &Encoder{layout: layout, w: w, text: layout.Format == Text}
	if len(layout.Decoded) > 0 {
		e.out = make([]byte, 0, encodeBytes+encodeBytes/4)
	}
	for _, i := range layout.Decoded {
		c := columnEncoder{op: opOf(layout.Columns[i].Type)}
		if own, is := layout.Charset.(*charset); is && (c.op == opBytes || c.op == opJSONB) && holdsText(layout.Columns[i].Type, e.text) {
			c.charset, c.spell = own, spellingOf(layout.Columns[i].Type.Kind)
		}
		e.cols = append(e.cols, c)
	}
	return e
}

// Rows returns how many rows have been encoded.
func (e *Encoder) Rows() int64 { return e.rows }

// Bytes returns how many bytes have been written, rows only.
func (e *Encoder) Bytes() int64 { return e.bytes }

// Encode writes a batch. It does not keep the batch. An error names column and
// row, counted from 1, and leaves the stream broken.
func (e *Encoder) Encode(b *connectors.Batch) (err error) {
	if err := e.begin(); err != nil {
		return err
	}
	defer func() { e.err = err }()
	if len(b.Decoded) != len(e.cols) {
		return errors.New("postgres: encode: the batch has another layout")
	}
	if len(e.cols) == 0 {
		if err := e.flush(); err != nil {
			return err
		}
		e.rows += int64(b.Rows)
		return e.write(b.Wire)
	}
	for j := range e.cols {
		if err := e.cols[j].take(b.Decoded[j]); err != nil {
			return fmt.Errorf("column %s: %w", e.column(j), err)
		}
		if i, err := e.cols[j].intoOwn(); err != nil {
			return e.failed(j, i, err)
		}
	}
	defer e.forget()
	// The buffer is kept in a variable: in the struct each append would write its
	// pointer to memory that the collector watches.
	wire, fields, out, pos := b.Wire, b.Fields, e.out, 0
	prefix, null := 4, 0 // bytes of a field before its value, and of a NULL
	if e.text {
		prefix, null = 0, 2 // \N
	}
	for i := range b.Rows {
		for j := range e.cols {
			f := fields[j]
			kept := wire[pos : int(f.Off)-prefix]
			pos = int(f.Off) + int(f.Len)
			if f.Len < 0 {
				pos = int(f.Off) + null
			}
			if len(kept) < encodeBytes/2 {
				out = append(out, kept...)
			} else if out, err = e.pass(out, kept); err != nil {
				return err
			}
			c := &e.cols[j]
			if c.wide && c.size(i) >= encodeBytes/2 {
				out, err = e.wide(out, c, i)
			} else if e.text {
				out, err = c.appendText(out, i)
			} else if c.values != nil && !(c.hasNull && c.arr.IsNull(i)) {
				v := c.values[c.offsets[i]:c.offsets[i+1]]
				out = append(binary.BigEndian.AppendUint32(out, uint32(len(v))), v...)
			} else {
				out, err = c.appendBinary(out, i)
			}
			if err != nil {
				return e.failed(j, i, err)
			}
		}
		fields = fields[len(e.cols):]
		if len(out) >= encodeBytes {
			if out, err = e.pass(out, nil); err != nil {
				return err
			}
		}
	}
	e.rows += int64(b.Rows)
	if kept := wire[pos:]; len(kept) < encodeBytes/2 {
		out = append(out, kept...)
	} else if out, err = e.pass(out, kept); err != nil {
		return err
	}
	e.out = out
	return nil
}

// wide writes a long value without a copy of it.
func (e *Encoder) wide(out []byte, c *columnEncoder, i int) (_ []byte, err error) {
	v := c.bytes(i)
	switch {
	case !e.text && c.op == opJSONB:
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(v)+1)), 1)
		return e.pass(out, v)
	case !e.text:
		return e.pass(binary.BigEndian.AppendUint32(out, uint32(len(v))), v)
	case c.op == opBytea:
		out = append(out, `\\x`...)
	}
	for len(v) > 0 {
		part := v[:min(len(v), encodeBytes/4)]
		v = v[len(part):]
		if c.op == opBytea {
			out = hex.AppendEncode(out, part)
		} else {
			out = escape(out, part)
		}
		if len(out) >= encodeBytes/2 {
			if out, err = e.pass(out, nil); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// size returns how long a value of bytes is, 0 for NULL.
func (c *columnEncoder) size(i int) int {
	if c.hasNull && c.arr.IsNull(i) {
		return 0
	}
	return len(c.bytes(i))
}

// pass writes what is held and then bytes that pass through, which so do not take
// the way over the buffer. It returns the buffer, empty.
func (e *Encoder) pass(out, kept []byte) ([]byte, error) {
	e.out = out
	if err := e.flush(); err != nil {
		return nil, err
	}
	return e.out, e.write(kept)
}

// Close writes what is still held, and the trailer. It does not close the writer.
func (e *Encoder) Close() error {
	if err := e.begin(); err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	if !e.text {
		if _, err := e.w.Write([]byte{0xff, 0xff}); err != nil {
			return err
		}
	}
	return nil
}

func (e *Encoder) begin() error {
	if e.err != nil {
		return e.err
	}
	if e.begun || e.text {
		return nil
	}
	e.begun = true
	header := append([]byte(signature), 0, 0, 0, 0, 0, 0, 0, 0)
	_, err := e.w.Write(header)
	return err
}

func (e *Encoder) column(j int) string { return word(e.layout.Columns[e.layout.Decoded[j]].Name) }

// failed returns the error of row i of the batch at hand, which it names by the rows of all batches.
func (e *Encoder) failed(j, i int, err error) error {
	return fmt.Errorf("column %s, row %d: %w", e.column(j), e.rows+int64(i)+1, err)
}

func (e *Encoder) flush() error {
	if len(e.out) == 0 {
		return nil
	}
	err := e.write(e.out)
	e.out = e.out[:0]
	if cap(e.out) > keepBytes {
		e.out = make([]byte, 0, encodeBytes+encodeBytes/4)
	}
	return err
}

func (e *Encoder) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	e.bytes += int64(len(p))
	_, err := e.w.Write(p)
	return err
}

// forget lets the batch's arrays go.
func (e *Encoder) forget() {
	for j := range e.cols {
		e.cols[j] = columnEncoder{op: e.cols[j].op, charset: e.cols[j].charset, spell: e.cols[j].spell}
	}
}

var (
	errArray = errors.New("the array does not fit the column's type")
	errWidth = errors.New("value is out of the type's range")
)

// take binds the column to an array, once per batch.
func (c *columnEncoder) take(a arrow.Array) error {
	*c = columnEncoder{op: c.op, arr: a, hasNull: a.NullN() > 0, charset: c.charset, spell: c.spell}
	switch a := a.(type) {
	case *array.Null:
		c.hasNull = true
		return nil
	case *array.BinaryView:
		c.view = a
	case *array.Binary:
		c.offsets = a.ValueOffsets()
		if buffers := a.Data().Buffers(); buffers[2] != nil {
			c.data = buffers[2].Bytes()
		}
		c.sendAsIs()
	case *array.Int64:
		c.longs = a.Int64Values()
	case *array.Date32:
		c.days = a.Date32Values()
	case *array.Float64:
		c.floats = a.Float64Values()
	case *array.Boolean:
		c.bools = a
	}
	ok := false
	switch c.op {
	case opBytes, opJSONB, opBytea, opUUID, opNumeric:
		ok = c.view != nil || c.offsets != nil || a.Len() == 0
	case opInt16, opInt32, opInt64, opStamp, opStampTZ:
		ok = c.longs != nil || a.Len() == 0
	case opDate:
		ok = c.days != nil || a.Len() == 0
	case opFloat32, opFloat64:
		ok = c.floats != nil || a.Len() == 0
	case opBool:
		ok = c.bools != nil
	}
	if !ok {
		return errArray
	}
	switch c.op {
	case opBytes, opJSONB, opBytea:
		switch {
		case c.view != nil:
			c.wide = a.Len() > 0 && c.view.Data().Buffers()[2].Len() >= connectors.BatchBytes
		default:
			c.wide = len(c.data) >= connectors.BatchBytes
		}
	}
	return nil
}

// sendAsIs notes that in binary values are sent as they are, if they are.
func (c *columnEncoder) sendAsIs() {
	if c.op == opBytes || c.op == opBytea {
		c.values = c.data
	}
}

// intoOwn puts the texts of an array in the place of it in the encoding of the database, if that
// is not the same. Of an error it returns the row.
func (c *columnEncoder) intoOwn() (row int, err error) {
	if c.charset == nil || c.arr.DataType().ID() == arrow.NULL {
		return 0, nil
	}
	same := true
	for i := 0; i < c.arr.Len() && same; i++ {
		same = c.hasNull && c.arr.IsNull(i) || isASCII(c.bytes(i))
	}
	if same {
		return 0, nil
	}
	offsets, data := make([]int32, 0, c.arr.Len()+1), []byte(nil)
	for i := range c.arr.Len() {
		offsets = append(offsets, int32(len(data)))
		if c.hasNull && c.arr.IsNull(i) {
			continue
		}
		if data, err = c.charset.appendOwn(data, c.bytes(i), c.spell); err != nil {
			return i, err
		}
	}
	c.view, c.offsets, c.data = nil, append(offsets, int32(len(data))), data
	c.wide = len(data) >= connectors.BatchBytes
	c.sendAsIs()
	return 0, nil
}

func (c *columnEncoder) bytes(i int) []byte {
	if c.view != nil {
		return c.view.Value(i)
	}
	return c.data[c.offsets[i]:c.offsets[i+1]]
}

// appendBinary appends value i with its length word.
func (c *columnEncoder) appendBinary(out []byte, i int) ([]byte, error) {
	if c.hasNull && (c.arr.IsNull(i) || c.arr.DataType().ID() == arrow.NULL) {
		return append(out, 0xff, 0xff, 0xff, 0xff), nil
	}
	be := binary.BigEndian
	switch c.op {
	case opBytes, opBytea:
		v := c.bytes(i)
		return append(be.AppendUint32(out, uint32(len(v))), v...), nil
	case opJSONB:
		v := c.bytes(i)
		return append(append(be.AppendUint32(out, uint32(len(v)+1)), 1), v...), nil
	case opUUID:
		v := c.bytes(i)
		if len(v) != 16 {
			return out, errWidth
		}
		return append(append(out, 0, 0, 0, 16), v...), nil
	case opNumeric:
		at := len(out)
		out, err := appendNumericBinary(append(out, 0, 0, 0, 0), c.bytes(i))
		be.PutUint32(out[at:], uint32(len(out)-at-4))
		return out, err
	case opBool:
		if c.bools.Value(i) {
			return append(out, 0, 0, 0, 1, 1), nil
		}
		return append(out, 0, 0, 0, 1, 0), nil
	case opInt16:
		v := c.longs[i]
		if v != int64(int16(v)) {
			return out, errWidth
		}
		return be.AppendUint16(append(out, 0, 0, 0, 2), uint16(v)), nil
	case opInt32:
		v := c.longs[i]
		if v != int64(int32(v)) {
			return out, errWidth
		}
		return be.AppendUint32(append(out, 0, 0, 0, 4), uint32(v)), nil
	case opFloat32:
		v := c.floats[i]
		if math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0) {
			return out, errWidth
		}
		return be.AppendUint32(append(out, 0, 0, 0, 4), math.Float32bits(float32(v))), nil
	case opFloat64:
		return be.AppendUint64(append(out, 0, 0, 0, 8), math.Float64bits(c.floats[i])), nil
	case opDate:
		d := int32(c.days[i])
		if d != dateInfinity && d != dateNegInf {
			if int64(d)-epochDays <= dateNegInf {
				return out, errWidth
			}
			d -= epochDays
		}
		return be.AppendUint32(append(out, 0, 0, 0, 4), uint32(d)), nil
	default:
		return be.AppendUint64(append(out, 0, 0, 0, 8), uint64(c.longs[i])), nil
	}
}

// appendText appends value i as COPY's text format escapes it.
func (c *columnEncoder) appendText(out []byte, i int) ([]byte, error) {
	if c.hasNull && (c.arr.IsNull(i) || c.arr.DataType().ID() == arrow.NULL) {
		return append(out, `\N`...), nil
	}
	switch c.op {
	case opBytes, opJSONB:
		return escape(out, c.bytes(i)), nil
	case opNumeric:
		v := c.bytes(i)
		if _, err := appendNumericBinary(nil, v); err != nil {
			return out, err
		}
		return append(out, v...), nil
	case opBytea:
		return hex.AppendEncode(append(out, `\\x`...), c.bytes(i)), nil
	case opUUID:
		v := c.bytes(i)
		if len(v) != 16 {
			return out, errWidth
		}
		for k, part := range [][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:]} {
			if k > 0 {
				out = append(out, '-')
			}
			out = hex.AppendEncode(out, part)
		}
		return out, nil
	case opBool:
		if c.bools.Value(i) {
			return append(out, 't'), nil
		}
		return append(out, 'f'), nil
	case opFloat32, opFloat64:
		v, bits := c.floats[i], 64
		if c.op == opFloat32 {
			bits = 32
		}
		switch {
		case math.IsInf(v, 1):
			return append(out, "Infinity"...), nil
		case math.IsInf(v, -1):
			return append(out, "-Infinity"...), nil
		case bits == 32 && math.Abs(v) > math.MaxFloat32:
			return out, errWidth
		}
		return strconv.AppendFloat(out, v, 'g', -1, bits), nil
	case opDate:
		return appendDateText(out, int32(c.days[i])), nil
	case opStamp, opStampTZ:
		return appendStampText(out, c.longs[i], c.op == opStampTZ), nil
	default:
		v := c.longs[i]
		if c.op == opInt16 && v != int64(int16(v)) || c.op == opInt32 && v != int64(int32(v)) {
			return out, errWidth
		}
		return strconv.AppendInt(out, v, 10), nil
	}
}

// escape appends a value as the server itself would: byte for byte the same.
func escape(out, v []byte) []byte {
	for _, ch := range v {
		switch ch {
		case '\b':
			out = append(out, '\\', 'b')
		case '\f':
			out = append(out, '\\', 'f')
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		case '\v':
			out = append(out, '\\', 'v')
		case '\\':
			out = append(out, '\\', '\\')
		default:
			out = append(out, ch)
		}
	}
	return out
}
