package masking

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// tenMillion is how many values TestTenMillion masks of each kind; fewer under the
// race detector.
var tenMillion = 10_000_000

// Of ten million different values there is not one duplicate among the masks. Each
// mask is reduced to 64 bits, so that 80 MB hold all of them; that two
// different ones meet there has a chance of 3 in a million.
func TestTenMillion(t *testing.T) {
	number := func(dst []byte, v, width int) []byte {
		for p := width - 1; p >= 0; p-- {
			dst = append(dst, '0'+byte(uint64(v)/pow10[p]%10))
		}
		return dst
	}
	card := func(dst []byte, bin, middle int) []byte {
		from := len(dst)
		dst = number(number(dst, bin, 6), middle, 9)
		syms, _ := scanSymbols(make([]byte, 0, cardMost), dst[from:], 0)
		return append(dst, '0'+luhnDigit(syms))
	}
	seed := maphash.MakeSeed()
	for _, c := range []struct {
		name string
		spec Spec
		col  Column
		make func(dst []byte, i int) []byte // nil is the integer i
	}{
		{"integer keys", id, Column{Kind: Int, Bits: 32, Unique: true}, nil},
		{"uuids", guid, Column{Kind: UUID, Unique: true}, func(dst []byte, i int) []byte {
			dst = binary.BigEndian.AppendUint64(dst, mix(i)&^0xf000|0x4000)
			return binary.BigEndian.AppendUint64(dst, uint64(i)|1<<63)
		}},
		{"emails", email(), Column{Kind: Text, Unique: true, MaxChars: 64}, func(dst []byte, i int) []byte {
			return append(strconv.AppendInt(append(dst, "user"...), int64(i), 10), "@corp.example"...)
		}},
		{"phones", phone(), Column{Kind: Text, Unique: true}, func(dst []byte, i int) []byte {
			return number(append(number(append(dst, "+1 "...), 200+i%8, 3), ' '), i/8, 7)
		}},
		{"cards", fakeOf("pan", "test_bin", false), Column{Kind: Text, Unique: true}, func(dst []byte, i int) []byte {
			return card(dst, 400_000+i%1000*7, i/1000)
		}},
		// Without a unique column they go to test BINs, where those of one issuer stay apart.
		{"cards of one issuer", fakeOf("pan"), Column{Kind: Text}, func(dst []byte, i int) []byte { return card(dst, 453_212, i) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			law := &lawCase{spec: c.spec, col: c.col}
			b := law.bind(t, fixedKey(t), "d")
			if c.col.Unique && !b.Guarantees.Unique(int64(tenMillion)) {
				t.Error("does not promise to keep them apart")
			}
			masks := make([]uint64, 0, tenMillion)
			const step = 1 << 15
			var value []byte
			for from := 0; from < tenMillion; from += step {
				n := min(step, tenMillion-from)
				var in arrow.Array
				if c.make == nil {
					ints := array.NewInt64Builder(memory.DefaultAllocator)
					for i := range n {
						ints.Append(int64(from + i))
					}
					in = ints.NewArray()
					ints.Release()
				} else {
					texts := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
					for i := range n {
						value = c.make(value[:0], from+i)
						texts.Append(value)
					}
					in = texts.NewArray()
					texts.Release()
				}
				out, err := b.Transform.Apply(memory.DefaultAllocator, in)
				if err != nil {
					t.Fatal(err)
				}
				switch out := out.(type) {
				case *array.Int64:
					for _, v := range out.Int64Values() {
						masks = append(masks, uint64(v))
					}
				case *array.Binary:
					for i := range out.Len() {
						masks = append(masks, maphash.Bytes(seed, out.Value(i)))
					}
				}
				out.Release()
				in.Release()
			}
			slices.Sort(masks)
			if distinct := len(slices.Compact(masks)); distinct != tenMillion {
				t.Errorf("%d values became %d", tenMillion, distinct)
			}
		})
	}
}
