package masking

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// The values inside an array, a composite, a range or an hstore are text, spelled as
// PostgreSQL prints them (DateStyle ISO, bytea_output hex, extra_float_digits 1). Here
// such a text becomes the value that a transform takes, and the value a text again.
// Dates and instants are in spell_time.go.

// ParseValues returns the array that a column of a kind has, made from mem; texts
// are spelled as PostgreSQL prints them, and valid tells which are not NULL (nil: all).
// A timestamp without a zone is UTC. An error is a *ValueError. The caller releases.
func ParseValues(mem memory.Allocator, kind Kind, texts []string, valid []bool) (arrow.Array, error) {
	var b array.Builder
	switch kind {
	case Bool:
		b = array.NewBooleanBuilder(mem)
	case Int, Timestamp:
		b = array.NewInt64Builder(mem)
	case Float:
		b = array.NewFloat64Builder(mem)
	case Date:
		b = array.NewDate32Builder(mem)
	default:
		b = array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	}
	defer b.Release()
	one := arguments{kind: kind}
	for i, text := range texts {
		if valid != nil && !valid[i] {
			b.AppendNull()
			continue
		}
		one.reset()
		if !one.add([]byte(text)) {
			return nil, &ValueError{Row: i, Reason: "the text spells no value of kind " + kind.String(), Help: "spell it as PostgreSQL prints it"}
		}
		switch b := b.(type) {
		case *array.BooleanBuilder:
			b.Append(one.bools[0]&1 != 0)
		case *array.Int64Builder:
			b.Append(one.ints[0])
		case *array.Float64Builder:
			b.Append(one.floats[0])
		case *array.Date32Builder:
			b.Append(arrow.Date32(one.days[0]))
		case *array.BinaryBuilder:
			b.Append(one.text)
		}
	}
	return b.NewArray(), nil
}

// SpellValues is the inverse of ParseValues: it spells the values of an array that
// a column of a kind has as PostgreSQL prints them, floats with 64 bits and
// timestamps in UTC without the zone. valid tells which are not NULL; the texts
// of the others are empty.
func SpellValues(kind Kind, a arrow.Array) (texts []string, valid []bool) {
	texts, valid = make([]string, a.Len()), make([]bool, a.Len())
	p := resultsOf(kind, 64, a)
	for i := range texts {
		if valid[i] = !p.isNull(i); valid[i] {
			texts[i] = string(p.append(nil, i))
		}
	}
	return texts, valid
}

// arguments gathers values of one kind, to be masked together. The space is used
// again from batch to batch.
type arguments struct {
	kind Kind
	n    int

	text   []byte  // of the kinds that are bytes
	ends   []int32 // of the text, after a leading zero
	ints   []int64 // Int, Timestamp
	days   []int32
	floats []float64
	bools  []byte        // a bit each
	forms  []instantForm // of each Timestamp
}

// reset empties the space; nothing of values stays behind.
func (a *arguments) reset() {
	clear(a.text)
	clear(a.ints)
	clear(a.days)
	clear(a.floats)
	clear(a.bools)
	*a = arguments{
		kind: a.kind, text: a.text[:0], ends: append(a.ends[:0], 0), ints: a.ints[:0],
		days: a.days[:0], floats: a.floats[:0], bools: a.bools[:0], forms: a.forms[:0],
	}
}

// add adds the value that a text spells, or reports that it spells none. The text
// is not held.
func (a *arguments) add(text []byte) bool {
	ok := true
	switch a.kind {
	case Bool:
		var v bool
		if v, ok = parseBool(text); ok {
			a.addBool(v)
		}
		return ok
	case Int:
		var v int64
		if v, ok = parseInt(text); ok {
			a.ints = append(a.ints, v)
		}
	case Float:
		var v float64
		if v, ok = parseFloat(text); ok {
			a.floats = append(a.floats, v)
		}
	case Date:
		var v int32
		if v, ok = parseDateText(text); ok {
			a.days = append(a.days, v)
		}
	case Timestamp:
		v, form, is := parseInstant(text)
		if ok = is; ok {
			form.digits = asNeeded
			a.addInstant(v, form)
		}
		return ok
	case Numeric:
		if ok = numericText(text); ok {
			a.addText(text)
		}
		return ok
	case UUID:
		var u uuid
		form, is := u.parse(text)
		if ok = is && form.dashes; ok {
			a.text = u.appendBytes(a.text)
			a.endText()
		}
		return ok
	case Bytes:
		from := len(a.text)
		if a.text, ok = appendHexBytes(a.text, text); !ok {
			a.text = a.text[:from]
			return false
		}
		a.endText()
		return true
	default:
		a.addText(text)
		return true
	}
	if ok {
		a.n++
	}
	return ok
}

func (a *arguments) addBool(v bool) {
	if a.n%8 == 0 {
		a.bools = append(a.bools, 0)
	}
	if v {
		a.bools[a.n/8] |= 1 << (a.n % 8)
	}
	a.n++
}

func (a *arguments) addInt(v int64) {
	a.ints = append(a.ints, v)
	a.n++
}

func (a *arguments) addFloat(v float64) {
	a.floats = append(a.floats, v)
	a.n++
}

func (a *arguments) addDay(v int32) {
	a.days = append(a.days, v)
	a.n++
}

func (a *arguments) addInstant(v int64, form instantForm) {
	a.ints = append(a.ints, v)
	a.forms = append(a.forms, form)
	a.n++
}

func (a *arguments) addText(text []byte) {
	a.text = append(a.text, text...)
	a.endText()
}

// endText ends a value that was appended to text.
func (a *arguments) endText() {
	if len(a.text) > math.MaxInt32 {
		panic("masking: more than 2 GiB in one batch")
	}
	a.ends = append(a.ends, int32(len(a.text)))
	a.n++
}

// undo takes the last value back.
func (a *arguments) undo() {
	a.n--
	switch a.kind {
	case Bool:
		if a.n%8 == 0 {
			a.bools = a.bools[:a.n/8]
		} else {
			a.bools[a.n/8] &^= 1 << (a.n % 8)
		}
	case Int:
		a.ints = a.ints[:a.n]
	case Timestamp:
		a.ints, a.forms = a.ints[:a.n], a.forms[:a.n]
	case Float:
		a.floats = a.floats[:a.n]
	case Date:
		a.days = a.days[:a.n]
	default:
		a.ends = a.ends[:a.n+1]
		clear(a.text[a.ends[a.n]:])
		a.text = a.text[:a.ends[a.n]]
	}
}

// array returns the values as an array that borrows their space.
func (a *arguments) array() arrow.Array {
	buffer := func(b []byte) *memory.Buffer { return memory.NewBufferBytes(b) }
	var data *array.Data
	switch a.kind {
	case Bool:
		data = array.NewData(arrow.FixedWidthTypes.Boolean, a.n, []*memory.Buffer{nil, buffer(a.bools)}, nil, 0, 0)
	case Int, Timestamp:
		data = array.NewData(arrow.PrimitiveTypes.Int64, a.n, []*memory.Buffer{nil, buffer(arrow.Int64Traits.CastToBytes(a.ints))}, nil, 0, 0)
	case Float:
		data = array.NewData(arrow.PrimitiveTypes.Float64, a.n, []*memory.Buffer{nil, buffer(arrow.Float64Traits.CastToBytes(a.floats))}, nil, 0, 0)
	case Date:
		data = array.NewData(arrow.FixedWidthTypes.Date32, a.n, []*memory.Buffer{nil, buffer(arrow.Int32Traits.CastToBytes(a.days))}, nil, 0, 0)
	default:
		data = array.NewData(arrow.BinaryTypes.Binary, a.n, []*memory.Buffer{nil, buffer(arrow.Int32Traits.CastToBytes(a.ends)), buffer(a.text)}, nil, 0, 0)
	}
	defer data.Release()
	return array.MakeFromData(data)
}

// results reads the values of an array of a kind, to spell them.
type results struct {
	kind   Kind
	bits   int  // of Float
	none   bool // all of them are NULL
	array  arrow.Array
	texts  texts
	bools  *array.Boolean
	ints   []int64
	days   []arrow.Date32
	floats []float64
	forms  []instantForm // of each Timestamp; nil is the zero form
}

func resultsOf(kind Kind, bits int, a arrow.Array) results {
	r := results{kind: kind, bits: bits, array: a}
	switch a := a.(type) {
	case *array.Null:
		r.none = true
	case *array.Boolean:
		r.bools = a
	case *array.Int64:
		r.ints = a.Int64Values()
	case *array.Float64:
		r.floats = a.Float64Values()
	case *array.Date32:
		r.days = a.Date32Values()
	default:
		r.texts = textsOf(a)
	}
	return r
}

func (r *results) isNull(i int) bool { return r.none || r.array.IsNull(i) }

// most returns how many bytes append may append.
func (r *results) most(i int) int {
	switch r.kind {
	case Bool, Int, Float, Date, Timestamp, UUID:
		return 64
	case Bytes:
		return 2*len(r.texts.value(i)) + 2
	}
	return len(r.texts.value(i))
}

// append appends the spelling of value i, which is not NULL.
func (r *results) append(dst []byte, i int) []byte {
	switch r.kind {
	case Bool:
		if r.bools.Value(i) {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case Int:
		return strconv.AppendInt(dst, r.ints[i], 10)
	case Float:
		return appendFloat(dst, r.floats[i], r.bits)
	case Date:
		return appendDateText(dst, int32(r.days[i]))
	case Timestamp:
		var form instantForm
		if r.forms != nil {
			form = r.forms[i]
		}
		return appendInstant(dst, r.ints[i], form)
	case UUID:
		v := r.texts.value(i)
		if len(v) != 16 {
			panic(fmt.Sprintf("masking: a UUID of %d bytes", len(v)))
		}
		const form = "00000000-0000-0000-0000-000000000000"
		dst = append(dst, form...)
		uuid{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}.write(dst[len(dst)-len(form):], uuidForm{dashes: true})
		return dst
	case Bytes:
		dst = append(dst, `\x`...)
		for _, c := range r.texts.value(i) {
			dst = append(dst, hexDigits[c>>4], hexDigits[c&0xf])
		}
		return dst
	}
	return append(dst, r.texts.value(i)...)
}

func parseBool(text []byte) (v, ok bool) {
	switch string(text) {
	case "t", "true":
		return true, true
	case "f", "false":
		return false, true
	}
	return false, false
}

// parseInt reads the integer as PostgreSQL prints it: no plus, no leading zeros.
func parseInt(text []byte) (int64, bool) {
	return wholeNumber(text, true)
}

// parseFloat reads a float: digits, point and exponent, NaN, Infinity or -Infinity.
// What is beyond 64 bits is none.
func parseFloat(text []byte) (float64, bool) {
	switch string(text) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	for _, c := range text {
		switch { // ParseFloat takes more: 0x1p-2, inf
		case c-'0' <= 9, c == '-', c == '+', c == '.', c|0x20 == 'e':
		default:
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64) // nothing holds on to it
	return v, err == nil
}

// appendFloat appends the shortest text that reads back as v, with an exponent
// where PostgreSQL prints one.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	most := 15 // digits before the point, with 64 bits
	if bits == 32 {
		most = 6
	} else {
		bits = 64
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, v, 'e', -1, bits)
	exponent := 0
	for i := len(dst) - 1; ; i-- {
		if c := dst[i]; c == '-' || c == '+' {
			for _, d := range dst[i+1:] {
				exponent = 10*exponent + int(d-'0')
			}
			if c == '-' {
				exponent = -exponent
			}
			break
		}
	}
	if -4 <= exponent && exponent < most {
		dst = strconv.AppendFloat(dst[:from], v, 'f', -1, bits)
	}
	return dst
}

// numericText reports whether text is a numeric as PostgreSQL prints it.
func numericText(text []byte) bool {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	digits, points := 0, 0
	for i, c := range text {
		switch {
		case c-'0' <= 9:
			digits++
		case c == '.' && i > 0 && i < len(text)-1:
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// appendHexBytes appends the bytes that \x and pairs of hex digits stand for.
func appendHexBytes(dst, text []byte) (_ []byte, ok bool) {
	if len(text) < 2 || text[0] != '\\' || text[1] != 'x' || len(text)%2 != 0 {
		return dst, false
	}
	var marks byte
	for text = text[2:]; len(text) > 0; text = text[2:] {
		hi, lo := hexValue[text[0]], hexValue[text[1]]
		marks |= hi | lo
		dst = append(dst, hi<<4|lo&0xf)
	}
	return dst, marks&notHex == 0
}
