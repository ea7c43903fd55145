package masking

import (
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// formsOfASCII are the variants of fake that read a form in letters and digits of
// ASCII. Where accents make no difference, they are given what is equal to a value.
var formsOfASCII = []string{"account", "postcode", "phone", "pan", "iban", "ssn", "national_id", "ip", "mac", "url"}

// overBases masks a text beyond ASCII as its canonical form, so that é1 and e1 are
// one account number where the database says so. It is immutable.
type overBases struct {
	inner    Transform
	equality Equality
}

// basesFirst puts an overBases before a variant of fake if it needs one.
func basesFirst(b Binding, variant string, col Column) Binding {
	if b.Transform != nil && col.Kind == Text && col.Equality&FoldAccents != 0 && slices.Contains(formsOfASCII, variant) {
		b.Transform = &overBases{b.Transform, col.Equality}
	}
	return b
}

func (t *overBases) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	first := 0
	for first < values.n && (values.null(first) || isASCII(values.value(first))) {
		first++
	}
	if first == values.n {
		return t.inner.Apply(mem, in)
	}
	bases := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	for i := range values.n {
		switch v := values.value; {
		case values.null(i):
			bases.null()
		case i < first || isASCII(v(i)):
			bases.add(v(i))
		default:
			s.text = s.text[:0]
			bases.add(s.canonical(v(i), t.equality))
		}
	}
	s.free()
	in = bases.finish()
	defer in.Release()
	return t.inner.Apply(mem, in)
}
