package masking

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// constantFactory makes {constant: X}: every value becomes X. NULL stays NULL and
// an empty text stays empty, as with every transform.
type constantFactory struct{}

func (constantFactory) Describe() Description {
	return Description{
		Name:    "constant",
		Version: 1,
		Summary: "Replaces every value by one constant.",
		Kinds:   []Kind{Bool, Int, Float, Numeric, Text, Bytes, UUID, Date, Timestamp, JSON},
		Value:   "the constant, of the column's kind",
		Samples: []Sample{
			{Spec: Spec{Variant: "!disabled"}, Column: Column{Kind: Text}, Values: []string{"$2b$10$abc", "", "hunter2"}},
			{Spec: Spec{Variant: "2000-01-01"}, Column: Column{Kind: Date}, Values: []string{"1969-07-20", "infinity", "2024-02-29"}},
		},
		Valueless: true,
	}
}

func (constantFactory) Bind(req Request) (Binding, error) {
	t := &constantTransform{}
	if err := t.encode(req.Column, req.Spec.Variant); err != nil {
		return Binding{}, err
	}
	return Binding{
		Transform:  t,
		Warnings:   t.warnings,
		Unread:     t.kind == Bool || t.kind == Int || t.kind == Float || t.kind == Date || t.kind == Timestamp, // of others the empty value is kept
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
	}, nil
}

// constantTransform holds the constant in the form of its kind.
type constantTransform struct {
	kind   Kind
	number int64 // of Bool, Int, Date, Timestamp
	float  float64
	bytes  []byte

	warnings []string // about whether the column holds it
}

// encode turns what the policy says into a value of the column, or says why it cannot.
func (t *constantTransform) encode(col Column, v any) error {
	t.kind = col.Kind
	misfit := func(help string) error {
		return &BindError{Reason: fmt.Sprintf("the constant is not a value of kind %s", col.Kind), Help: help}
	}
	text, isText := v.(string)
	switch col.Kind {
	case Bool:
		b, ok := v.(bool)
		if !ok {
			return misfit("write true or false")
		}
		if b {
			t.number = 1
		}
	case Int:
		n, ok := v.(int64)
		if !ok {
			return misfit("write a whole number")
		}
		if b := col.Bits; b > 0 && b < 64 && (n < -1<<(b-1) || n > 1<<(b-1)-1) {
			return &BindError{Reason: fmt.Sprintf("the constant does not fit an integer of %d bits", b), Help: fmt.Sprintf("the column holds %d to %d", -1<<(b-1), 1<<(b-1)-1)}
		}
		t.number = n
	case Float:
		switch n := v.(type) {
		case int64:
			t.float = float64(n)
		case float64:
			t.float = n
		default:
			return misfit("write a number")
		}
		if col.Bits == 32 && !math.IsInf(t.float, 0) && math.IsInf(float64(float32(t.float)), 0) {
			return &BindError{Reason: "the constant does not fit a float of 32 bits", Help: "write a smaller number"}
		}
	case Numeric:
		switch n := v.(type) {
		case int64:
			text = strconv.FormatInt(n, 10)
		case float64:
			text = strconv.FormatFloat(n, 'f', -1, 64)
		}
		if !decimal(text) {
			return misfit(`write a number, in quotes to keep its zeros: "1.50"`)
		}
		if n, is := numberOf(text); is {
			if err := fitsNumber("the constant", n, col); err != nil {
				return err
			}
		}
		t.bytes = []byte(text)
	case Text:
		if !isText {
			// 007 and 1.50 have lost their spelling before they come here.
			return misfit(`write it in quotes: "…"`)
		}
		return t.encodeText(col, text)
	case Bytes:
		if !isText {
			return misfit(`write it in quotes: "…", or as hex: "\x00ff"`)
		}
		t.bytes = []byte(text)
		if digits, isHex := strings.CutPrefix(text, `\x`); isHex {
			b, err := hex.DecodeString(digits)
			if err != nil {
				return misfit(`after \x only pairs of hex digits may stand`)
			}
			t.bytes = b
		}
		if col.MaxChars > 0 && len(t.bytes) > col.MaxChars {
			return &BindError{Reason: fmt.Sprintf("the constant has %d bytes and the column holds %d", len(t.bytes), col.MaxChars), Help: "shorten it"}
		}
	case UUID:
		var u uuid
		if form, ok := u.parse([]byte(text)); !ok || !form.dashes {
			return misfit("write a UUID: 00000000-0000-4000-8000-000000000000")
		}
		t.bytes = u.appendBytes(nil)
	case Date:
		d, ok := parseDate(text)
		if !ok {
			return misfit("write a date in quotes: \"2000-01-31\", \"infinity\" or \"-infinity\"")
		}
		t.number = int64(d)
	case Timestamp:
		m, ok := parseTimestamp(text)
		if !ok {
			return misfit("write an instant in quotes: \"2000-01-31 12:00:00Z\", \"infinity\" or \"-infinity\"")
		}
		t.number = m
	case JSON:
		if !isText {
			b, err := json.Marshal(v)
			if err != nil {
				return misfit("write JSON text in quotes")
			}
			text = string(b)
		}
		if !json.Valid([]byte(text)) {
			return misfit(`write JSON text in quotes: '{}', or '"a string"'`)
		}
		if err := t.heldBy(col.Charset, text); err != nil {
			return err
		}
		t.bytes = []byte(text)
	default:
		return misfit("use null")
	}
	return nil
}

func (t *constantTransform) encodeText(col Column, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return &BindError{Reason: "the constant holds a NUL or is not UTF-8", Help: "write plain text"}
	}
	if n := utf8.RuneCountInString(text); col.MaxChars > 0 && n > col.MaxChars {
		return &BindError{Reason: fmt.Sprintf("the constant has %d characters and the column holds %d", n, col.MaxChars), Help: "shorten it"}
	}
	if n := len(text); col.MaxBytes > 0 && n > col.MaxBytes {
		return &BindError{Reason: fmt.Sprintf("the constant has %d bytes and the column holds %d", n, col.MaxBytes), Help: "shorten it"}
	}
	t.bytes = []byte(text)
	if col.Labels == nil {
		return t.heldBy(col.Charset, text)
	}
	if !slices.Contains(col.Labels, text) {
		return &BindError{Reason: "the constant is not among the column's labels", Help: "the labels are " + strings.Join(col.Labels, ", ")}
	}
	return nil
}

// heldBy says why a text cannot stand in a column of a character set, or nil; where it may,
// and that is not sure, it notes a warning.
func (t *constantTransform) heldBy(c Charset, text string) error {
	for _, r := range text {
		switch {
		case c.Holds(r):
		case !c.mayHold(r):
			return &BindError{Reason: fmt.Sprintf("the constant has the character %q, and the column holds %s", r, c), Help: "write it in characters of " + c.String()}
		case t.warnings == nil:
			t.warnings = []string{fmt.Sprintf("the constant has the character %q, and of the column it is only sure that it holds %s: if it does not hold the character, the run fails", r, c)}
		}
	}
	return nil
}

// decimal reports whether text is a decimal number as databases write it, NaN included.
func decimal(text string) bool {
	if text == "NaN" {
		return true
	}
	whole, fraction, dot := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	digits := func(s string) bool {
		return s != "" && strings.Trim(s, "0123456789") == ""
	}
	return digits(whole) && (!dot || digits(fraction))
}

// parseDate reads YYYY-MM-DD or an infinity as days since 1970-01-01.
func parseDate(text string) (int32, bool) {
	switch text {
	case "infinity":
		return math.MaxInt32, true
	case "-infinity":
		return math.MinInt32, true
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, false
	}
	return int32(floorDiv(d.Unix(), 86400)), true
}

// parseTimestamp reads an instant as microseconds since 2000-01-01 UTC. Without a zone it is UTC.
func parseTimestamp(text string) (int64, bool) {
	switch text {
	case "infinity":
		return math.MaxInt64, true
	case "-infinity":
		return math.MinInt64, true
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02T15:04:05", time.RFC3339} {
		if m, err := time.Parse(layout, text); err == nil {
			return m.UnixMicro() - epoch2000, true
		}
	}
	return 0, false
}

func (t *constantTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	switch t.kind {
	case Bool:
		return t.applyBool(mem, in), nil
	case Int, Timestamp:
		b := newFixedBuilder[int64](mem, in)
		fill(b.values, t.number)
		return b.finish(), nil
	case Date:
		b := newFixedBuilder[int32](mem, in)
		fill(b.values, int32(t.number))
		return b.finish(), nil
	case Float:
		b := newFixedBuilder[float64](mem, in)
		fill(b.values, t.float)
		return b.finish(), nil
	default:
		return t.applyBytes(mem, in), nil
	}
}

func (t *constantTransform) applyBytes(mem memory.Allocator, in arrow.Array) arrow.Array {
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*len(t.bytes))
	for i := range values.n {
		if values.null(i) {
			out.null()
			continue
		}
		v := values.value(i)
		if keep := len(v) == 0 || t.kind == Text && blank(v); !keep {
			v = t.bytes
		}
		out.add(v)
	}
	return out.finish()
}

func (t *constantTransform) applyBool(mem memory.Allocator, in arrow.Array) arrow.Array {
	n := in.Len()
	data := memory.NewResizableBuffer(mem)
	defer data.Release()
	data.Resize(int(bitutil.BytesForBits(int64(n))))
	memory.Set(data.Bytes(), byte(-t.number)) // all ones or none
	var valid *memory.Buffer
	if in.NullN() > 0 {
		valid = memory.NewResizableBuffer(mem)
		defer valid.Release()
		valid.Resize(int(bitutil.BytesForBits(int64(n))))
		bitutil.CopyBitmap(in.NullBitmapBytes(), in.Data().Offset(), n, valid.Bytes(), 0)
	}
	d := array.NewData(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{valid, data}, nil, in.NullN(), 0)
	defer d.Release()
	return array.NewBooleanData(d)
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}
