package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// signature begins a binary COPY; flags and the length of an extension follow
// it, 4 bytes each.
const signature = "PGCOPY\n\377\r\n\000"

const headerSize = len(signature) + 8

var errCopy = errors.New("malformed COPY data")

// builder gathers rows into batches. It is for one goroutine; its batches are not.
type builder struct {
	layout  *connectors.Layout
	text    bool
	columns int
	decoded []int
	ops     []op
	rows    int
	st      *storage
	perRow  int // bytes of a row, about
}

// op is how the values of one column are decoded and encoded.
type op uint8

const (
	opBytes   op = iota // the bytes themselves: text, json, enum, what is opaque
	opJSONB             // a version byte, then text
	opBytea             // bytes; in text format, hexadecimal
	opUUID              // 16 bytes
	opBool              //
	opInt16             //
	opInt32             //
	opInt64             //
	opFloat32           //
	opFloat64           //
	opNumeric           // decimal text
	opDate              //
	opStamp             // timestamp
	opStampTZ           // timestamp with time zone
)

func opOf(t catalog.Type) op {
	switch t.Kind {
	case catalog.Bool:
		return opBool
	case catalog.Int:
		switch t.Bits {
		case 16:
			return opInt16
		case 32:
			return opInt32
		}
		return opInt64
	case catalog.Float:
		if t.Bits == 32 {
			return opFloat32
		}
		return opFloat64
	case catalog.Numeric:
		return opNumeric
	case catalog.Date:
		return opDate
	case catalog.Timestamp:
		return opStamp
	case catalog.TimestampTZ:
		return opStampTZ
	case catalog.UUID:
		return opUUID
	case catalog.Bytes:
		return opBytea
	case catalog.JSON:
		if t.OID == oidJSONB {
			return opJSONB
		}
	}
	return opBytes
}

// storage is the memory of one batch, which the next ones use again.
type storage struct {
	wire    []byte
	fields  []connectors.Field
	columns []columnStorage
	arrays  []arrow.Array
	free    func(*connectors.Batch)
}

type columnStorage struct {
	valid   []byte
	views   []arrow.ViewHeader
	data    []byte
	offsets []int32
	longs   []int64
	days    []int32
	floats  []float64
	bits    []byte
}

// keepBytes bounds the memory that a batch leaves for the next one.
const keepBytes = 8 * connectors.BatchBytes

var storages sync.Pool

func newStorage() *storage {
	if st, ok := storages.Get().(*storage); ok {
		return st
	}
	st := &storage{}
	st.free = func(*connectors.Batch) { st.put() }
	return st
}

func (st *storage) put() {
	if cap(st.wire) > keepBytes {
		st.wire = nil
	}
	for i := range st.columns {
		if cap(st.columns[i].data) > keepBytes {
			st.columns[i].data = nil
		}
	}
	clear(st.arrays)
	storages.Put(st)
}

func newBuilder(layout *connectors.Layout) *builder {
	b := &builder{layout: layout, text: layout.Format == Text, columns: len(layout.Columns), decoded: layout.Decoded, perRow: 128}
	for _, i := range layout.Decoded {
		b.ops = append(b.ops, opOf(layout.Columns[i].Type))
	}
	return b
}

// begin makes room for the next batch.
func (b *builder) begin() {
	st := newStorage()
	st.wire, st.fields = st.wire[:0], st.fields[:0]
	for len(st.columns) < len(b.decoded) {
		st.columns = append(st.columns, columnStorage{})
	}
	b.st, b.rows = st, 0
}

// drop gives the memory of an unfinished batch back.
func (b *builder) drop() {
	if b.st != nil {
		b.st.put()
		b.st = nil
	}
}

// add adds one whole row.
func (b *builder) add(row []byte) error {
	st := b.st
	at := len(st.wire)
	st.wire = append(st.wire, row...)
	b.rows++
	if len(b.decoded) == 0 {
		return nil
	}
	if b.text {
		return b.scanText(at)
	}
	end, ok := b.scan(at)
	if !ok || end != len(st.wire) {
		return errCopy
	}
	return nil
}

func (b *builder) full() bool {
	return b.rows >= connectors.BatchRows || len(b.st.wire) >= connectors.BatchBytes
}

// scan steps over the binary row at pos and notes its decoded fields. It reports
// whether the row is whole; where it is malformed end is −1.
func (b *builder) scan(pos int) (end int, ok bool) {
	wire, st := b.st.wire, b.st
	if len(wire)-pos < 2 {
		return pos, false
	}
	if int(binary.BigEndian.Uint16(wire[pos:])) != b.columns {
		return -1, false
	}
	pos += 2
	noted := len(st.fields)
	done := 0 // columns stepped over
	for _, col := range b.decoded {
		pos = skip(wire, pos, col-done)
		if pos < 0 || len(wire)-pos < 4 {
			st.fields = st.fields[:noted]
			return min(pos, 0), false
		}
		n := int32(binary.BigEndian.Uint32(wire[pos:]))
		if n < -1 {
			return -1, false
		}
		pos += 4
		st.fields = append(st.fields, connectors.Field{Off: uint32(pos), Len: n})
		pos += int(max(n, 0))
		done = col + 1
	}
	pos = skip(wire, pos, b.columns-done)
	if pos < 0 || pos > len(wire) {
		st.fields = st.fields[:noted]
		return min(pos, 0), false
	}
	return pos, true
}

// skip steps over fields of a binary row and returns where the next one begins:
// a position beyond wire if they are not whole, and −1 if they are malformed.
func skip(wire []byte, pos, fields int) int {
	for range fields {
		if len(wire)-pos < 4 {
			return len(wire) + 1
		}
		n := int32(binary.BigEndian.Uint32(wire[pos:]))
		pos += 4
		if n > 0 {
			pos += int(n)
		} else if n < -1 {
			return -1
		}
	}
	return pos
}

// scanText notes the decoded fields of the text row that ends the wire.
func (b *builder) scanText(pos int) error {
	st := b.st
	line := st.wire[pos:]
	if len(line) == 0 || line[len(line)-1] != '\n' {
		return errCopy
	}
	line = line[:len(line)-1]
	next, col := 0, 0
	for next < len(b.decoded) {
		// A tab inside a value is escaped, so each one separates.
		n := bytes.IndexByte(line, '\t')
		if n < 0 {
			n = len(line)
		}
		if col == b.decoded[next] {
			f := connectors.Field{Off: uint32(pos), Len: int32(n)}
			if n == 2 && line[0] == '\\' && line[1] == 'N' {
				f.Len = -1
			}
			st.fields = append(st.fields, f)
			next++
		}
		if n == len(line) {
			if next < len(b.decoded) {
				return errCopy
			}
			break
		}
		line, pos, col = line[n+1:], pos+n+1, col+1
	}
	return nil
}

// finish decodes the columns and hands the batch over.
func (b *builder) finish() (*connectors.Batch, error) {
	st := b.st
	if b.rows > 0 {
		b.perRow = len(st.wire)/b.rows + 1
	}
	st.arrays = st.arrays[:0]
	for j := range b.decoded {
		a, row, err := b.decode(j)
		if err != nil {
			for _, a := range st.arrays {
				a.Release()
			}
			b.drop()
			return nil, fmt.Errorf("column %s, row %d of the batch: %w", word(b.layout.Columns[b.decoded[j]].Name), row, err)
		}
		st.arrays = append(st.arrays, a)
	}
	batch := connectors.NewBatch(b.rows, st.wire, st.fields, st.arrays, st.free)
	b.st = nil
	return batch, nil
}

// resized returns a slice of n elements, whose content is undefined.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

var errValue = errors.New("value does not have the form of its type")

// decode makes the array of one decoded column. Where it fails it says in which row.
func (b *builder) decode(j int) (arrow.Array, int, error) {
	cs := &b.st.columns[j]
	stride := len(b.decoded)
	fields := b.st.fields[j:]
	n := b.rows
	wire := b.st.wire

	nulls := 0
	for i := range n {
		if fields[i*stride].Len < 0 {
			nulls++
		}
	}
	var valid *memory.Buffer
	if nulls > 0 {
		cs.valid = resized(cs.valid, (n+7)/8)
		clear(cs.valid)
		for i := range n {
			if fields[i*stride].Len >= 0 {
				cs.valid[i/8] |= 1 << (i % 8)
			}
		}
		valid = memory.NewBufferBytes(cs.valid)
	}
	value := func(i int) []byte {
		f := fields[i*stride]
		if f.Len < 0 {
			return nil
		}
		return wire[f.Off : int(f.Off)+int(f.Len)]
	}
	null := func(i int) bool { return fields[i*stride].Len < 0 }

	switch o := b.ops[j]; o {
	case opBytes, opJSONB, opUUID, opBytea:
		if row, err := b.views(cs, o, fields, stride); err != nil {
			return nil, row, err
		}
		buffers := []*memory.Buffer{valid, memory.NewBufferBytes(arrow.ViewHeaderTraits.CastToBytes(cs.views)),
			memory.NewBufferBytes(wire), memory.NewBufferBytes(cs.data)}
		data := array.NewData(arrow.BinaryTypes.BinaryView, n, buffers, nil, nulls, 0)
		defer data.Release()
		return array.NewBinaryViewData(data), 0, nil
	case opNumeric:
		cs.offsets, cs.data = resized(cs.offsets, n+1), cs.data[:0]
		for i := range n {
			cs.offsets[i] = int32(len(cs.data))
			if null(i) {
				continue
			}
			if b.text {
				cs.data = append(cs.data, value(i)...)
				continue
			}
			var err error
			if cs.data, err = appendNumericText(cs.data, value(i)); err != nil {
				return nil, i, errValue
			}
		}
		cs.offsets[n] = int32(len(cs.data))
		data := array.NewData(arrow.BinaryTypes.Binary, n, []*memory.Buffer{valid,
			memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(cs.offsets)), memory.NewBufferBytes(cs.data)}, nil, nulls, 0)
		defer data.Release()
		return array.NewBinaryData(data), 0, nil
	case opBool:
		cs.bits = resized(cs.bits, (n+7)/8)
		clear(cs.bits)
		for i := range n {
			if null(i) {
				continue
			}
			v := value(i)
			if len(v) != 1 {
				return nil, i, errValue
			}
			if v[0] == 1 || v[0] == 't' {
				cs.bits[i/8] |= 1 << (i % 8)
			}
		}
		data := array.NewData(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{valid, memory.NewBufferBytes(cs.bits)}, nil, nulls, 0)
		defer data.Release()
		return array.NewBooleanData(data), 0, nil
	case opFloat32, opFloat64:
		cs.floats = resized(cs.floats, n)
		for i := range n {
			cs.floats[i] = 0
			if null(i) {
				continue
			}
			var ok bool
			if cs.floats[i], ok = b.float(o, value(i)); !ok {
				return nil, i, errValue
			}
		}
		data := array.NewData(arrow.PrimitiveTypes.Float64, n,
			[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(cs.floats))}, nil, nulls, 0)
		defer data.Release()
		return array.NewFloat64Data(data), 0, nil
	case opDate:
		cs.days = resized(cs.days, n)
		for i := range n {
			cs.days[i] = 0
			if null(i) {
				continue
			}
			var ok bool
			if cs.days[i], ok = b.date(value(i)); !ok {
				return nil, i, errValue
			}
		}
		data := array.NewData(arrow.FixedWidthTypes.Date32, n,
			[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(cs.days))}, nil, nulls, 0)
		defer data.Release()
		return array.NewDate32Data(data), 0, nil
	default:
		cs.longs = resized(cs.longs, n)
		for i := range n {
			cs.longs[i] = 0
			if null(i) {
				continue
			}
			var ok bool
			if cs.longs[i], ok = b.long(o, value(i)); !ok {
				return nil, i, errValue
			}
		}
		data := array.NewData(arrow.PrimitiveTypes.Int64, n,
			[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(cs.longs))}, nil, nulls, 0)
		defer data.Release()
		return array.NewInt64Data(data), 0, nil
	}
}

// views fills cs.views: buffer 0 is the wire, buffer 1 cs.data, where values go
// that do not stand in the wire as they are.
func (b *builder) views(cs *columnStorage, o op, fields []connectors.Field, stride int) (int, error) {
	wire := b.st.wire
	cs.views, cs.data = resized(cs.views, b.rows), cs.data[:0]
	for i := range cs.views {
		h := &cs.views[i]
		*h = arrow.ViewHeader{}
		f := fields[i*stride]
		if f.Len < 0 {
			continue
		}
		at := int(f.Off)
		v := wire[at : at+int(f.Len)]
		if b.text && (o == opUUID || o == opBytea || bytes.IndexByte(v, '\\') >= 0) {
			from := len(cs.data)
			var err error
			switch o {
			case opUUID:
				cs.data, err = appendUUID(cs.data, v)
			case opBytea:
				cs.data, err = appendHex(cs.data, v)
			default:
				cs.data = unescape(cs.data, v)
			}
			if err != nil {
				return i, errValue
			}
			if h.SetBytes(cs.data[from:]); !h.IsInline() {
				h.SetIndexOffset(1, int32(from))
			}
			continue
		}
		if o == opJSONB && !b.text {
			if len(v) == 0 || v[0] != 1 {
				return i, errValue
			}
			v, at = v[1:], at+1
		}
		if o == opUUID && len(v) != 16 {
			return i, errValue
		}
		if h.SetBytes(v); !h.IsInline() {
			h.SetIndexOffset(0, int32(at))
		}
	}
	return 0, nil
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

func (b *builder) long(o op, v []byte) (int64, bool) {
	if b.text {
		var n int64
		var err error
		if o == opStamp || o == opStampTZ {
			n, err = parseStampText(v)
		} else {
			n, err = strconv.ParseInt(string(v), 10, 64)
		}
		return n, err == nil
	}
	switch {
	case o == opInt16 && len(v) == 2:
		return int64(int16(binary.BigEndian.Uint16(v))), true
	case o == opInt32 && len(v) == 4:
		return int64(int32(binary.BigEndian.Uint32(v))), true
	case len(v) == 8:
		return int64(binary.BigEndian.Uint64(v)), true
	}
	return 0, false
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
