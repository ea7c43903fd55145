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
	t := &tokenTransform{prf: newPRF(req.Key.For("token")), digits: hexDigits, bits: 4, length: 32, binary: col.Kind == Bytes, equal: col.Equality}
	if req.Spec.Variant == "base32" {
		t.digits, t.bits, t.length = base32Digits, 5, 25
	}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	holds := col.asciiChars()
	length, given := req.Spec.Params["length"].(int64)
	switch {
	case given && (length < 1 || length > maxToken):
		return Binding{}, &BindError{Reason: fmt.Sprintf("a token of %d characters cannot be made", length), Help: fmt.Sprintf("the length is 1 to %d", maxToken)}
	case given && holds > 0 && length > int64(holds):
		return Binding{}, &BindError{Reason: fmt.Sprintf("a token of %d characters does not fit the column, which holds %d", length, holds), Help: fmt.Sprintf("length: %d", holds)}
	case given:
		t.length = int(length)
	case holds > 0 && holds < t.length:
		t.length = holds
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
	equal  Equality
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
		s.text = s.text[:0]
		n := t.gather(s, &values, base, rows)
		t.prf.sumsUnder(s, n, t.equal)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(t.length)
				at := len(out.buf)
				out.buf = out.buf[:at+t.length]
				t.write(out.buf[at:], s, lane)
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

// write fills dst with the token of a lane. What one block cannot fill goes on with
// the encryption of that block with 1, 2, … added by exclusive or: counter mode from a keyed start.
func (t *tokenTransform) write(dst []byte, s *scratch, lane int) {
	perBlock := 128 / t.bits
	seed := &s.block[lane]
	t.digitsOf(dst[:min(len(dst), perBlock)], seed)
	if len(dst) <= perBlock {
		return
	}
	dst = dst[perBlock:]
	more := s.chain[:(len(dst)+perBlock-1)/perBlock] // no message is on its way any more
	for i := range more {
		more[i] = *seed
		low := binary.BigEndian.Uint64(seed[8:]) ^ uint64(i+1)
		binary.BigEndian.PutUint64(more[i][8:], low)
	}
	encrypt(t.prf.block, more)
	for i := range more {
		n := min(len(dst), perBlock)
		t.digitsOf(dst[:n], &more[i])
		dst = dst[n:]
	}
}

func (t *tokenTransform) digitsOf(dst []byte, block *[aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
	if t.bits == 4 {
		writeHex(dst, hi, lo)
	} else {
		writeBase32(dst, hi, lo)
	}
}

// writeHex writes the first digits of 128 bits, at most 32.
func writeHex(dst []byte, hi, lo uint64) {
	var all [32]byte
	to := &all
	if len(dst) == len(all) {
		to = (*[32]byte)(dst)
	}
	binary.BigEndian.PutUint64(to[0:], hexWord(hi>>32))
	binary.BigEndian.PutUint64(to[8:], hexWord(hi))
	binary.BigEndian.PutUint64(to[16:], hexWord(lo>>32))
	binary.BigEndian.PutUint64(to[24:], hexWord(lo))
	if to == &all {
		copy(dst, all[:])
	}
}

// writeBase32 writes the first digits of 128 bits, at most 25.
func writeBase32(dst []byte, hi, lo uint64) {
	var all [32]byte
	binary.BigEndian.PutUint64(all[0:], base32Word(hi>>24))
	binary.BigEndian.PutUint64(all[8:], base32Word(hi<<16|lo>>48))
	binary.BigEndian.PutUint64(all[16:], base32Word(lo>>8))
	all[24] = base32Digits[lo>>3&31]
	copy(dst, all[:25])
}

// hexWord returns the hex digits of the low 32 bits of v, the last one in the low
// byte: the bits are spread in three steps, and the letters found by a carry.
func hexWord(v uint64) uint64 {
	v = v&0xffff | v>>16&0xffff<<32
	v = v&0x000000ff_000000ff | v&0x0000ff00_0000ff00<<8
	v = v&0x000f000f_000f000f | v&0x00f000f0_00f000f0<<4
	letter := (v + (0x80-10)*ones) & highBits >> 7
	return v + '0'*ones + letter*('a'-10-'0')
}

// base32Word does the same for the eight base32 digits of the low 40 bits of v.
func base32Word(v uint64) uint64 {
	v = v&0xfffff | v>>20&0xfffff<<32
	v = v&0x000003ff_000003ff | v&0x000ffc00_000ffc00<<6
	v = v&0x001f001f_001f001f | v&0x03e003e0_03e003e0<<3
	digit := (v + (0x80-26)*ones) & highBits >> 7
	return v + 'a'*ones - digit*('a'+26-'2')
}
