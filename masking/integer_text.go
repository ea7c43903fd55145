package masking

import (
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// integerText masks integers by a transform of texts that gives digits for digits:
// an id of nine digits that stands in an integer column is spelled with its leading
// zeros, masked, and read again.
type integerText struct {
	text  Transform
	width int // digits with leading zeros; 0 is without
}

func (t *integerText) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := ints(in)
	spelled := newTextBuilder(mem, len(values), len(values)*20)
	anyNull := in.NullN() > 0
	for i, v := range values {
		switch {
		case anyNull && in.IsNull(i):
			spelled.null()
		case v == 0:
			spelled.end() // stands for "none": blank stays, and is 0 again
		case v < 0 || t.width > 0 && uint64(v) >= pow10[t.width]:
			spelled.drop()
			return nil, &ValueError{Row: i, Reason: "negative, or of too many digits", Help: "use {pseudonym: id}"}
		default:
			spelled.grow(20)
			for w := t.width - 1; w > 0 && uint64(v) < pow10[w]; w-- {
				spelled.buf = append(spelled.buf, '0')
			}
			spelled.buf = strconv.AppendInt(spelled.buf, v, 10)
			spelled.end()
		}
	}
	texts := spelled.finish()
	defer texts.Release()
	masked, err := t.text.Apply(mem, texts)
	if err != nil {
		return nil, err
	}
	defer masked.Release()
	b := newFixedBuilder[int64](mem, in)
	digits := masked.(*array.Binary)
	for i := range values {
		b.values[i] = 0
		if !digits.IsNull(i) {
			for _, c := range digits.Value(i) {
				b.values[i] = b.values[i]*10 + int64(c-'0')
			}
		}
	}
	return b.finish(), nil
}
