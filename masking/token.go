package masking

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// tokenFactory makes {token: hex} and {token: base32}: an opaque pseudonym.
type tokenFactory struct{}

func (tokenFactory) Describe() Description {
	return Description{
		Name:     "token",
		Version:  1,
		Summary:  "Replaces a value by an opaque keyed token in lower-case letters and digits.",
		Kinds:    []Kind{Text, Bytes},
		Variants: []string{"hex", "base32"},
		Params:   []Param{{Name: "length", Summary: "characters of the token, 1 to 255; without it 32 of hex (128 bits), 25 of base32 (125 bits)", Type: "int"}},
		Samples: []Sample{
			{Spec: Spec{Variant: "hex"}, Column: Column{Kind: Text}, Values: []string{"maria", "Maria", ""}},
			{Spec: Spec{Variant: "base32"}, Column: Column{Kind: Text, MaxChars: 12}, Values: []string{"maria", "Maria", "42"}},
		},
	}
}

// The alphabets are lower case, so that tokens stay apart under collations that
// fold case. Base32 is that of RFC 4648.
const (
	hexDigits    = "0123456789abcdef"
	base32Digits = "abcdefghijklmnopqrstuvwxyz234567"
)

const maxToken = 255

// Bind chooses the length by the variant alone, or by what the column holds: not
// by the number of rows, since tonight's tokens are last night's.
func (tokenFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("token", col); err != nil {
		return Binding{}, err
	}
	t := &tokenTransform{prf: newPRF(req.Key.For("token")), digits: hexDigits, bits: 4, length: 32, binary: col.Kind == Bytes}
	if req.Spec.Variant == "base32" {
		t.digits, t.bits, t.length = base32Digits, 5, 25
	}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	length, given := req.Spec.Params["length"].(int64)
	switch {
	case given && (length < 1 || length > maxToken):
		return Binding{}, &BindError{Reason: fmt.Sprintf("a token of %d characters cannot be made", length), Help: fmt.Sprintf("the length is 1 to %d", maxToken)}
	case given && col.MaxChars > 0 && length > int64(col.MaxChars):
		return Binding{}, &BindError{Reason: fmt.Sprintf("a token of %d characters does not fit the column, which holds %d", length, col.MaxChars), Help: fmt.Sprintf("length: %d", col.MaxChars)}
	case given:
		t.length = int(length)
	case col.MaxChars > 0 && col.MaxChars < t.length:
		t.length = col.MaxChars
		b.Warnings = append(b.Warnings, fmt.Sprintf("tokens are cut to the %d characters that the column holds: they do not join with the longer tokens of other columns", t.length))
	}
	// The keyed function has 128 bits; longer tokens do not have more.
	b.Guarantees.OutputBits = math.Min(128, float64(t.length*t.bits))
	b.Pinned = fmt.Sprintf("%s, %d characters", req.Spec.Variant, t.length)
	if need := UniqueBits(col.Rows); col.Unique && b.Guarantees.OutputBits < need {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("a token of %d characters has %.0f bits, and a unique column of this size needs %.0f", t.length, b.Guarantees.OutputBits, need),
			Help:   fmt.Sprintf("a unique column needs %.0f characters of hex or %.0f of base32", math.Ceil(need/4), math.Ceil(need/5)),
		}
	}
	return b, nil
}

// refuseLabels refuses a column that holds a fixed set of texts.
func refuseLabels(transform string, col Column) error {
	if col.Labels == nil {
		return nil
	}
	return &BindError{
		Reason: fmt.Sprintf("%s makes texts that are not among the column's %d labels", transform, len(col.Labels)),
		Help:   "use a constant, one of the labels",
	}
}

type tokenTransform struct {
	prf    *prf
	digits string
	bits   int // of one digit
	length int
	binary bool // bytes, of which none is white space
}

func (t *tokenTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*t.length)
	s := getScratch()
	defer s.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := t.gather(s, &values, base, rows)
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(t.length)
				at := len(out.buf)
				out.buf = out.buf[:at+t.length]
				t.write(out.buf[at:], &s.block[lane])
				out.end()
				lane++
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// gather is the function of that name for texts; of bytes, only those that are none stay.
func (t *tokenTransform) gather(s *scratch, values *texts, base, rows int) int {
	if !t.binary {
		return gather(s, values, base, rows)
	}
	n := 0
	for i := range rows {
		if values.null(base + i) {
			continue
		}
		if v := values.value(base + i); len(v) > 0 {
			s.msg[n], s.row[n] = v, int32(i)
			n++
		}
	}
	return n
}

// gather makes messages of those of the rows from base that have something to
// mask, notes their rows relative to base, and returns how many they are.
func gather(s *scratch, values *texts, base, rows int) int {
	n := 0
	for i := range rows {
		if values.null(base + i) {
			continue
		}
		if v := values.value(base + i); !blank(v) {
			s.msg[n], s.row[n] = v, int32(i)
			n++
		}
	}
	return n
}

// write fills dst with one token. What one block cannot fill goes on with the
// encryption of that block with 1, 2, … added by exclusive or: counter mode from a keyed start.
func (t *tokenTransform) write(dst []byte, block *[aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
	seedHi, seedLo := hi, lo
	perBlock := 128 / t.bits
	for n := uint64(1); ; n++ {
		part := dst[:min(len(dst), perBlock)]
		if t.bits == 4 {
			writeHex(part, hi, lo)
		} else {
			writeBase32(part, hi, lo)
		}
		if dst = dst[len(part):]; len(dst) == 0 {
			return
		}
		binary.BigEndian.PutUint64(block[:8], seedHi)
		binary.BigEndian.PutUint64(block[8:], seedLo^n)
		t.prf.block.Encrypt(block[:], block[:])
		hi, lo = binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
	}
}

// writeHex writes the first digits of 128 bits, at most 32.
func writeHex(dst []byte, hi, lo uint64) {
	for i := range dst[:min(len(dst), 16)] {
		dst[i] = hexDigits[hi>>60]
		hi <<= 4
	}
	if len(dst) > 16 {
		for i := range dst[16:] {
			dst[16+i] = hexDigits[lo>>60]
			lo <<= 4
		}
	}
}

// writeBase32 writes the first digits of 128 bits, at most 25.
func writeBase32(dst []byte, hi, lo uint64) {
	for i := range dst[:min(len(dst), 12)] {
		dst[i] = base32Digits[hi>>59]
		hi <<= 5
	}
	if len(dst) > 12 {
		lo, hi = hi>>60<<60|lo>>4, lo // the four bits of hi that are left go first
		for i := range dst[12:] {
			dst[12+i] = base32Digits[lo>>59]
			lo = lo<<5 | hi&0xf<<1
			hi = 0
		}
	}
}
