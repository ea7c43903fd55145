package rows

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Encoder puts masked values back between the bytes of kept ones. A masked value
// that equals the original gives the original's bytes; another one is written
// in the shape of the original; where the original is NULL, in the kind's own.
// It is for one goroutine.
type Encoder struct {
	layout  *connectors.Layout
	out     []byte
	scratch []byte
	texts   []texts // of the batch's decoded columns, those of kind Text
}

// texts are an array's.
type texts interface {
	IsValid(row int) bool
	Value(row int) []byte
}

// NewEncoder returns an encoder for batches of that layout.
func NewEncoder(layout *connectors.Layout) *Encoder { return &Encoder{layout: layout} }

// Encode returns the rows of a batch with its decoded columns as they are now.
// What it returns is good until the next call or the batch's release.
func (e *Encoder) Encode(b *connectors.Batch) ([]byte, error) {
	n := len(e.layout.Decoded)
	if len(b.Decoded) != n || len(b.Fields) != n*b.Rows {
		return nil, fmt.Errorf("encode a batch of %s: it has another layout", e.layout.Table.ID)
	}
	if n == 0 {
		return b.Wire, nil
	}
	e.texts = e.texts[:0]
	for i, a := range b.Decoded {
		var t texts
		if e.layout.Columns[e.layout.Decoded[i]].Type.Kind == catalog.Text {
			t, _ = a.(texts)
		}
		e.texts = append(e.texts, t)
	}
	dst, pos, at := e.out[:0], 0, 0
	for row := range b.Rows {
		for i, a := range b.Decoded {
			f := b.Fields[at]
			at++
			end := int(f.Off) + int(f.Len)
			if int(f.Off) < pos || end > len(b.Wire) || f.Len <= 0 {
				return nil, errWire
			}
			dst = append(dst, b.Wire[pos:f.Off]...)
			pos = end
			if t := e.texts[i]; t != nil && Tag(b.Wire[f.Off]) == Text && t.IsValid(row) {
				if dst = AppendText(dst, t.Value(row)); len(dst) > math.MaxInt32 {
					return nil, errTooLarge
				}
				continue
			}
			c := &e.layout.Columns[e.layout.Decoded[i]]
			var err error
			if dst, err = e.field(dst, b.Wire[f.Off:end], c, a, row); err != nil {
				return nil, err
			}
		}
	}
	e.out = append(dst, b.Wire[pos:]...)
	return e.out, nil
}

// Each is Encode for a batch that holds a wide row, of which it makes no copy: it calls do
// with one field after the other, and its column. What do is given is good until it returns.
func (e *Encoder) Each(b *connectors.Batch, do func(column int, v Value) error) error {
	decoded, off := e.layout.Decoded, 0
	if len(b.Decoded) != len(decoded) {
		return fmt.Errorf("encode a batch of %s: it has another layout", e.layout.Table.ID)
	}
	for row := range b.Rows {
		next := 0
		for column := range e.layout.Columns {
			v, end, err := Parse(b.Wire, off)
			if err != nil {
				return err
			}
			if next < len(decoded) && decoded[next] == column {
				if v, err = e.value(v, b.Wire[off:end], &e.layout.Columns[column], b.Decoded[next], row); err != nil {
					return err
				}
				next++
			}
			if err := do(column, v); err != nil {
				return err
			}
			off = end
		}
	}
	if off != len(b.Wire) {
		return errWire
	}
	return nil
}

// value returns the masked value of one field, whose original is given.
func (e *Encoder) value(was Value, original []byte, c *catalog.Column, a arrow.Array, row int) (Value, error) {
	const large = 64 << 10
	if text, ok := a.(texts); ok && a.IsValid(row) && was.Tag != Int && was.Tag != Float {
		if v := text.Value(row); len(v) > large {
			switch c.Type.Kind { // as in bytes
			case catalog.Text, catalog.JSON, catalog.XML:
				if was.Tag != Blob {
					return Value{Tag: Text, Bytes: v}, nil
				}
				return Value{Tag: Blob, Bytes: v}, nil
			case catalog.Bytes:
				if was.Tag == Text {
					return Value{Tag: Text, Bytes: v}, nil
				}
				return Value{Tag: Blob, Bytes: v}, nil
			}
		}
	}
	var err error
	if e.out, err = e.field(e.out[:0], original, c, a, row); err != nil {
		return Value{}, err
	}
	v, _, err := Parse(e.out, 0)
	return v, err
}

// field appends the masked value of one field, whose original is given.
func (e *Encoder) field(dst, original []byte, c *catalog.Column, a arrow.Array, row int) ([]byte, error) {
	was, _, err := Parse(original, 0)
	if err != nil {
		return nil, err
	}
	if a.IsNull(row) || a.DataType().ID() == arrow.NULL {
		return AppendNull(dst), nil
	}
	kind := c.Type.Kind
	switch a := a.(type) {
	case *array.Boolean:
		if kind == catalog.Bool {
			return appendBool(dst, original, was, a.Value(row)), nil
		}
	case *array.Int64:
		switch kind {
		case catalog.Int:
			return AppendInt(dst, a.Value(row)), nil
		case catalog.Timestamp, catalog.TimestampTZ:
			return e.instant(dst, original, was, kind, a.Value(row)), nil
		}
	case *array.Float64:
		if kind == catalog.Float {
			return appendFloat(dst, original, was, a.Value(row)), nil
		}
	case *array.Date32:
		if kind == catalog.Date {
			return e.date(dst, original, was, a.Value(row)), nil
		}
	case *array.Binary:
		return e.bytes(dst, original, was, c, a.Value(row), row)
	case *array.BinaryView:
		return e.bytes(dst, original, was, c, a.Value(row), row)
	}
	return nil, fmt.Errorf("encode column %s: an array of %s for kind %s", c.Name, a.DataType(), kind)
}

func appendBool(dst, original []byte, was Value, is bool) []byte {
	old, form, ok := boolOf(was)
	switch {
	case ok && old == is:
		return append(dst, original...)
	case ok && was.Tag == Text:
		word := boolWords[form][0]
		if is {
			word = boolWords[form][1]
		}
		return AppendText(dst, word)
	case is:
		return AppendInt(dst, 1)
	}
	return AppendInt(dst, 0)
}

func appendFloat(dst, original []byte, was Value, v float64) []byte {
	if was.Tag == Int {
		if old, _ := floatOf(was); old == v {
			return append(dst, original...)
		}
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return AppendInt(dst, int64(v))
		}
	}
	return AppendFloat(dst, v)
}

func (e *Encoder) date(dst, original []byte, was Value, v arrow.Date32) []byte {
	if old, ok := dateOf(was); ok && old == v {
		return append(dst, original...)
	}
	days := int64(v)
	infinite := v == math.MinInt32 || v == math.MaxInt32
	switch {
	case infinite:
	case was.Tag == Int || was.Tag == Float:
		// The time of the day stays.
		micros, _ := instantOf(was)
		_, rest := floorDiv(micros, dayMicros)
		if out, ok := appendNumber(dst, was, (days-epochDays)*dayMicros+rest); ok {
			return out
		}
	case was.Tag == Text:
		if m, ok := parseMoment(was.Bytes); ok {
			e.scratch = append(appendDate(e.scratch[:0], days), m.timePart...)
			return AppendText(dst, e.scratch)
		}
	}
	e.scratch = appendDate(e.scratch[:0], days)
	return AppendText(dst, e.scratch)
}

func (e *Encoder) instant(dst, original []byte, was Value, kind catalog.Kind, v int64) []byte {
	if old, ok := instantOf(was); ok && old == v {
		return append(dst, original...)
	}
	m := moment{sep: ' ', seconds: true}
	if kind == catalog.TimestampTZ {
		m.zone = utc
	}
	infinite := v == math.MinInt64 || v == math.MaxInt64
	switch {
	case infinite:
	case was.Tag == Int || was.Tag == Float:
		if out, ok := appendNumber(dst, was, v); ok {
			return out
		}
	case was.Tag == Text:
		if old, ok := parseMoment(was.Bytes); ok && old.infinit == 0 {
			m = old
		}
	}
	e.scratch = appendInstant(e.scratch[:0], v, &m)
	return AppendText(dst, e.scratch)
}

var utc = []byte("+00:00")

// appendNumber writes an instant as the number that was, in its unit. It fails
// where that cannot hold the instant.
func appendNumber(dst []byte, was Value, micros int64) ([]byte, bool) {
	if was.Tag == Float {
		_, julian, _ := floatInstant(was.Float())
		v := instantFloat(micros, julian)
		_, again, ok := floatInstant(v)
		return AppendFloat(dst, v), ok && again == julian
	}
	unit := epochUnit(was.Int())
	_, below := epochInstant(was.Int(), unit)
	if unit == 1_000_000_000 && (micros > math.MaxInt64/1000-epochSeconds*1_000_000-1 || micros < math.MinInt64/1000) {
		return dst, false
	}
	v := instantEpoch(micros, unit, below)
	return AppendInt(dst, v), true
}

func (e *Encoder) bytes(dst, original []byte, was Value, c *catalog.Column, v []byte, row int) ([]byte, error) {
	wrong := func() error {
		return fmt.Errorf("encode row %d, column %s: the masked value is none of kind %s", row, c.Name, c.Type.Kind)
	}
	if int64(len(v)) > math.MaxInt32 {
		return nil, errTooLarge
	}
	switch c.Type.Kind {
	case catalog.UUID:
		if len(v) != 16 {
			return nil, wrong()
		}
		old, form, ok := uuidOf(was)
		if ok && bytes.Equal(old[:], v) {
			return append(dst, original...), nil
		}
		if !ok {
			form = uuidHyphens
		}
		if form&uuidBlob != 0 {
			return AppendBlob(dst, v), nil
		}
		e.scratch = appendUUID(e.scratch[:0], v, form)
		return AppendText(dst, e.scratch), nil
	case catalog.Numeric, catalog.Text, catalog.JSON, catalog.XML, catalog.IP, catalog.MAC, catalog.Point, catalog.Array, catalog.Composite, catalog.Range, catalog.Hstore:
		if c.Type.Kind == catalog.Numeric && !decimal(v) {
			return nil, wrong()
		}
		if was.Tag == Int || was.Tag == Float {
			appendTo := appendText
			if c.Type.Kind == catalog.Numeric {
				appendTo = appendNumeric
			}
			if e.scratch, _ = appendTo(e.scratch[:0], was); bytes.Equal(e.scratch, v) {
				return append(dst, original...), nil
			}
			if out, ok := appendAsNumber(dst, v, c.Type.Kind == catalog.Numeric); ok {
				return out, nil
			}
		}
		if was.Tag == Blob {
			return AppendBlob(dst, v), nil
		}
		return AppendText(dst, v), nil
	case catalog.Bytes:
		if was.Tag == Text {
			return AppendText(dst, v), nil
		}
		return AppendBlob(dst, v), nil
	}
	if c.Type.Kind == catalog.Opaque && bytes.Equal(was.append(nil), v) {
		return append(dst, original...), nil
	}
	return nil, wrong()
}

// appendAsNumber writes decimal text as a number, where the original is one. An
// integer is written as such if it is spelled so that it reads back the same;
// a float only in a numeric column, where the digits beyond a float's are noise.
func appendAsNumber(dst, v []byte, numeric bool) ([]byte, bool) {
	s := unsafe.String(unsafe.SliceData(v), len(v))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (numeric || len(v) == decimalLen(n)) {
		return AppendInt(dst, n), true
	}
	if !numeric {
		return dst, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return AppendFloat(dst, f), err == nil && !math.IsNaN(f)
}

func decimalLen(n int64) int {
	var b [20]byte
	return len(strconv.AppendInt(b[:0], n, 10))
}

func appendUUID(dst, u []byte, form uuidForm) []byte {
	hex := "0123456789abcdef"
	if form&uuidUpper != 0 {
		hex = "0123456789ABCDEF"
	}
	if form&uuidBraces != 0 {
		dst = append(dst, '{')
	}
	for i, b := range u {
		if form&uuidHyphens != 0 && (i == 4 || i == 6 || i == 8 || i == 10) {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[b>>4], hex[b&15])
	}
	if form&uuidBraces != 0 {
		dst = append(dst, '}')
	}
	return dst
}
