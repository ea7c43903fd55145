package rows

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// decode returns one array per decoded column, in the forms that
// connectors.Batch.Decoded names.
func decode(mem memory.Allocator, layout *connectors.Layout, wire []byte, fields []connectors.Field, n int) ([]arrow.Array, error) {
	if len(layout.Decoded) == 0 {
		return nil, nil
	}
	arrays := make([]arrow.Array, 0, len(layout.Decoded))
	for i, c := range layout.Decoded {
		col := column{mem: mem, of: &layout.Columns[c], wire: wire, fields: fields[i:], step: len(layout.Decoded), n: n, unread: slices.Contains(layout.Unread, c)}
		a, err := col.decode()
		if err != nil {
			for _, done := range arrays {
				done.Release()
			}
			return nil, err
		}
		arrays = append(arrays, a)
	}
	return arrays, nil
}

// column decodes one column of a batch.
type column struct {
	mem    memory.Allocator
	of     *catalog.Column
	wire   []byte
	fields []connectors.Field // every step-th is of this column
	step   int
	n      int
	unread bool // nobody looks at its values, but for NULLs: of one that cannot be read there is none

	valid *memory.Buffer
	nulls int
}

func (c *column) value(row int) Value {
	v, _, err := Parse(c.wire, int(c.fields[row*c.step].Off))
	if err != nil {
		panic("rows: field outside of the wire")
	}
	return v
}

func (c *column) null(row int) {
	if c.valid == nil {
		c.valid = buffer(c.mem, int(bitutil.BytesForBits(int64(c.n))))
		memory.Set(c.valid.Bytes(), 0xff)
	}
	bitutil.ClearBit(c.valid.Bytes(), row)
	c.nulls++
}

// forget forgets which values are NULL.
func (c *column) forget() {
	if c.valid != nil {
		c.valid.Release()
		c.valid, c.nulls = nil, 0
	}
}

func (c *column) wrong(row int, v Value) error {
	e := &ValueError{Row: int64(row), Column: c.of.Name, Kind: c.of.Type.Kind, Is: v.Tag}
	switch kind := c.of.Type.Kind; {
	case v.Tag != Text:
	case kind == catalog.Int && len(v.Bytes) > 0 && len(bytes.Trim(v.Bytes, "0123456789")) == 0:
		e.what = "a whole number above 9223372036854775807, which no transform of numbers reads"
	case (kind == catalog.Date || kind == catalog.Timestamp) && calendarLike(v.Bytes):
		e.what = "a date that no calendar has, which no transform of dates reads"
	}
	return e
}

// calendarLike reports whether a text has the form of a date with a month and a day.
func calendarLike(b []byte) bool {
	const form = "0000-00-00"
	if len(b) < len(form) {
		return false
	}
	for i, f := range []byte(form) {
		if f == '0' && (b[i] < '0' || b[i] > '9') || f == '-' && b[i] != '-' {
			return false
		}
	}
	month, day := string(b[5:7]), string(b[8:10])
	return month <= "12" && day <= "31"
}

func (c *column) decode() (a arrow.Array, err error) {
	defer c.forget()
	switch c.of.Type.Kind {
	case catalog.Bool:
		return c.bools()
	case catalog.Int:
		return fixed(c, arrow.PrimitiveTypes.Int64, func(v Value) (int64, bool) { return v.Int(), v.Tag == Int })
	case catalog.Float:
		return fixed(c, arrow.PrimitiveTypes.Float64, floatOf)
	case catalog.Date:
		return fixed(c, arrow.PrimitiveTypes.Date32, dateOf)
	case catalog.Timestamp, catalog.TimestampTZ:
		return fixed(c, arrow.PrimitiveTypes.Int64, instantOf)
	case catalog.UUID:
		return c.built(func(dst []byte, v Value) ([]byte, bool) {
			u, _, ok := uuidOf(v)
			return append(dst, u[:]...), ok
		})
	case catalog.Numeric:
		if a := c.view(func(v Value) bool { return v.Tag == Text && decimal(v.Bytes) }); a != nil {
			return a, nil
		}
		return c.built(appendNumeric)
	case catalog.Text:
		if a := c.view(Value.hasBytes); a != nil {
			return a, nil
		}
		return c.built(appendText)
	case catalog.JSON, catalog.XML, catalog.IP, catalog.MAC, catalog.Point, catalog.Array, catalog.Composite, catalog.Range, catalog.Hstore:
		if a := c.view(func(v Value) bool { return v.Tag == Text }); a != nil {
			return a, nil
		}
		return c.built(func(dst []byte, v Value) ([]byte, bool) {
			dst, ok := appendText(dst, v)
			return dst, ok && v.Tag != Blob // JSONB, which is no JSON text; a geometry
		})
	case catalog.Bytes:
		if a := c.view(Value.hasBytes); a != nil {
			return a, nil
		}
		return c.built(func(dst []byte, v Value) ([]byte, bool) { return append(dst, v.Bytes...), v.hasBytes() })
	}
	// What is opaque can only be suppressed. Whoever keeps it all the same, since
	// it was decoded to be read, gives back the field as it came.
	return c.built(func(dst []byte, v Value) ([]byte, bool) { return v.append(dst), true })
}

func (v Value) hasBytes() bool { return v.Tag == Text || v.Tag == Blob }

// buffer returns size zeroed bytes.
func buffer(mem memory.Allocator, size int) *memory.Buffer {
	b := memory.NewResizableBuffer(mem)
	b.Resize(size)
	clear(b.Bytes())
	return b
}

func (c *column) bools() (arrow.Array, error) {
	bits := buffer(c.mem, int(bitutil.BytesForBits(int64(c.n))))
	defer bits.Release()
	for row := range c.n {
		v := c.value(row)
		if v.Tag == Null {
			c.null(row)
			continue
		}
		is, _, ok := boolOf(v)
		if !ok && !c.unread {
			return nil, c.wrong(row, v)
		}
		if is && ok {
			bitutil.SetBit(bits.Bytes(), row)
		}
	}
	data := array.NewData(arrow.FixedWidthTypes.Boolean, c.n, []*memory.Buffer{c.valid, bits}, nil, c.nulls, 0)
	defer data.Release()
	return array.NewBooleanData(data), nil
}

// fixed decodes into an array of numbers.
func fixed[T int64 | float64 | arrow.Date32](c *column, dt arrow.DataType, of func(Value) (T, bool)) (arrow.Array, error) {
	var zero T
	values := buffer(c.mem, c.n*int(unsafe.Sizeof(zero)))
	defer values.Release()
	into := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(values.Bytes()))), c.n)
	for row := range c.n {
		v := c.value(row)
		if v.Tag == Null {
			c.null(row)
			continue
		}
		x, ok := of(v)
		if !ok && !c.unread {
			return nil, c.wrong(row, v)
		}
		into[row] = x
	}
	data := array.NewData(dt, c.n, []*memory.Buffer{c.valid, values}, nil, c.nulls, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// view returns a view over the wire: nothing is copied but values of up to 12
// bytes, which Arrow keeps in the view itself. It is nil if a value but NULL does not pass
// the test.
func (c *column) view(test func(Value) bool) arrow.Array {
	heads := buffer(c.mem, c.n*arrow.ViewHeaderSizeBytes)
	defer heads.Release()
	headers := arrow.ViewHeaderTraits.CastFromBytes(heads.Bytes())
	for row := range c.n {
		v := c.value(row)
		if v.Tag == Null {
			c.null(row)
			continue
		}
		if !test(v) {
			c.forget()
			return nil
		}
		headers[row].SetBytes(v.Bytes)
		if !headers[row].IsInline() {
			f := c.fields[row*c.step]
			headers[row].SetIndexOffset(0, int32(f.Off)+f.Len-int32(len(v.Bytes)))
		}
	}
	over := memory.NewBufferBytes(c.wire)
	defer over.Release()
	data := array.NewData(arrow.BinaryTypes.BinaryView, c.n, []*memory.Buffer{c.valid, heads, over}, nil, c.nulls, 0)
	defer data.Release()
	return array.NewBinaryViewData(data)
}

// built returns an array of values that do not stand on the wire as they are meant.
func (c *column) built(appendTo func(dst []byte, v Value) ([]byte, bool)) (arrow.Array, error) {
	offsets := buffer(c.mem, 4*(c.n+1))
	defer offsets.Release()
	ends := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	held := pool.Get().(*buffers)
	defer held.giveBack()
	dst := held.wire[:0]
	for row := range c.n {
		v := c.value(row)
		if v.Tag == Null {
			c.null(row)
			ends[row+1] = int32(len(dst))
			continue
		}
		var ok bool
		start := len(dst)
		if dst, ok = appendTo(dst, v); !ok {
			if !c.unread {
				return nil, c.wrong(row, v)
			}
			dst = dst[:start]
		}
		if len(dst) > math.MaxInt32 {
			return nil, errTooLarge
		}
		ends[row+1] = int32(len(dst))
	}
	held.wire = dst
	values := memory.NewResizableBuffer(c.mem)
	defer values.Release()
	values.Resize(len(dst))
	copy(values.Bytes(), dst)
	data := array.NewData(arrow.BinaryTypes.Binary, c.n, []*memory.Buffer{c.valid, offsets, values}, nil, c.nulls, 0)
	defer data.Release()
	return array.NewBinaryData(data), nil
}

// The forms of a boolean in text. The form of the original is kept.
var boolWords = [...][2]string{
	{"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"}, {"f", "t"}, {"F", "T"}, {"0", "1"},
	{"no", "yes"}, {"No", "Yes"}, {"NO", "YES"}, {"n", "y"}, {"N", "Y"}, {"off", "on"}, {"Off", "On"}, {"OFF", "ON"},
}

// boolOf returns the value and the form in which it is written.
func boolOf(v Value) (is bool, form int, ok bool) {
	switch v.Tag {
	case Int:
		return v.bits == 1, 0, v.bits <= 1
	case Text:
		for form, words := range boolWords {
			switch string(v.Bytes) {
			case words[0]:
				return false, form, true
			case words[1]:
				return true, form, true
			}
		}
	}
	return false, 0, false
}

// Integers up to 2⁵³ are floats without loss. Larger ones would be masked alike.
func floatOf(v Value) (float64, bool) {
	switch v.Tag {
	case Float:
		return v.Float(), true
	case Int:
		return float64(v.Int()), v.Int() >= -1<<53 && v.Int() <= 1<<53
	}
	return 0, false
}

func dateOf(v Value) (arrow.Date32, bool) {
	switch v.Tag {
	case Text:
		m, ok := parseMoment(v.Bytes)
		switch {
		case m.infinit < 0:
			return math.MinInt32, ok
		case m.infinit > 0:
			return math.MaxInt32, ok
		}
		return arrow.Date32(m.days), ok
	case Int, Float:
		micros, ok := instantOf(v)
		days, _ := floorDiv(micros, dayMicros)
		return arrow.Date32(days + epochDays), ok
	}
	return 0, false
}

func instantOf(v Value) (int64, bool) {
	switch v.Tag {
	case Text:
		m, ok := parseMoment(v.Bytes)
		return m.instant(), ok
	case Int:
		micros, _ := epochInstant(v.Int(), epochUnit(v.Int()))
		return micros, true
	case Float:
		micros, _, ok := floatInstant(v.Float())
		return micros, ok
	}
	return 0, false
}

func appendText(dst []byte, v Value) ([]byte, bool) {
	switch v.Tag {
	case Int:
		return strconv.AppendInt(dst, v.Int(), 10), true
	case Float:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64), !math.IsInf(v.Float(), 0) && !math.IsNaN(v.Float())
	case Null:
		return dst, false
	}
	return append(dst, v.Bytes...), true
}

func appendNumeric(dst []byte, v Value) ([]byte, bool) {
	switch v.Tag {
	case Int:
		return strconv.AppendInt(dst, v.Int(), 10), true
	case Float:
		f := v.Float()
		switch {
		case math.IsNaN(f):
			return append(dst, "NaN"...), true
		case math.IsInf(f, 1):
			return append(dst, "Infinity"...), true
		case math.IsInf(f, -1):
			return append(dst, "-Infinity"...), true
		}
		return strconv.AppendFloat(dst, f, 'f', -1, 64), true
	case Text:
		return append(dst, v.Bytes...), decimal(v.Bytes)
	}
	return dst, false
}

// decimal reports whether b is a decimal number, with or without an exponent,
// or one of the three words that PostgreSQL's numeric has beside them.
func decimal(b []byte) bool {
	switch string(b) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	_, whole := run(b)
	b = b[whole:]
	part := 0
	if len(b) > 0 && b[0] == '.' {
		_, part = run(b[1:])
		b = b[1+part:]
	}
	if whole+part == 0 {
		return false
	}
	if len(b) > 1 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if b[0] == '-' || b[0] == '+' {
			b = b[1:]
		}
		_, n := run(b)
		return n > 0 && n == len(b)
	}
	return len(b) == 0
}

func run(b []byte) ([]byte, int) {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n], n
}

// uuidForm is how a UUID is written.
type uuidForm byte

const (
	uuidHyphens uuidForm = 1 << iota
	uuidBraces
	uuidUpper
	uuidBlob
)

func uuidOf(v Value) (u [16]byte, form uuidForm, ok bool) {
	if v.Tag == Blob {
		return [16]byte(append(u[:0], v.Bytes...)[:16:16]), uuidBlob, len(v.Bytes) == 16
	}
	if v.Tag != Text {
		return u, 0, false
	}
	b := v.Bytes
	if len(b) > 2 && b[0] == '{' && b[len(b)-1] == '}' {
		form |= uuidBraces
		b = b[1 : len(b)-1]
	}
	switch len(b) {
	case 36:
		form |= uuidHyphens
	case 32:
	default:
		return u, 0, false
	}
	if bytes.ContainsAny(b, "ABCDEF") {
		form |= uuidUpper
	}
	at := 0
	for i := range u {
		if form&uuidHyphens != 0 && (i == 4 || i == 6 || i == 8 || i == 10) {
			if b[at] != '-' {
				return u, 0, false
			}
			at++
		}
		hi, lo := unhex(b[at]), unhex(b[at+1])
		if hi > 15 || lo > 15 {
			return u, 0, false
		}
		u[i] = hi<<4 | lo
		at += 2
	}
	return u, form, true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
