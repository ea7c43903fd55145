package masking

import (
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// formsOfASCII are the variants of fake that read a form in letters and digits of
// ASCII. Where accents make no difference, they are given what is equal to a value.
var formsOfASCII = []string{"account", "postcode", "phone", "pan", "iban", "ssn", "national_id", "ip", "mac", "url"}

// overBases masks a text beyond ASCII as its canonical form, so that é1 and e1 are
// one account number where the database says so. What the column does not hold then –
// ß has become two letters – is an error where values must stay apart, and cut elsewhere.
// It is immutable.
type overBases struct {
	inner    Transform
	equality Equality
	limit    limits
	charset  Charset
	strict   bool
}

// basesFirst puts an overBases before a variant of fake if it needs one.
func basesFirst(b Binding, variant string, col Column) Binding {
	if b.Transform != nil && col.Kind == Text && col.Equality&(FoldAccents|foldsMore) != 0 && slices.Contains(formsOfASCII, variant) {
		b.Transform = &overBases{b.Transform, col.Equality, limitsOf(col), col.Charset, col.Unique}
	}
	return b
}

func (t *overBases) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	first := 0
	for first < values.n && !t.changes(&values, first) {
		first++
	}
	if first == values.n {
		return t.inner.Apply(mem, in)
	}
	bases := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	for i := range values.n {
		switch {
		case values.null(i):
			bases.null()
		case i < first || !t.changes(&values, i):
			bases.add(values.value(i))
		default:
			s.text = s.text[:0]
			bases.add(s.canonical(values.value(i), t.equality))
		}
	}
	s.free()
	folded := bases.finish()
	defer folded.Release()
	masked, err := t.inner.Apply(mem, folded)
	if err != nil {
		return nil, err
	}
	defer masked.Release()
	return t.within(mem, &values, masked)
}

// changes reports whether a value is masked as its canonical form.
func (t *overBases) changes(values *texts, i int) bool {
	return !values.null(i) && !isASCII(values.value(i)) && !blank(values.value(i))
}

// within returns the masks as the column holds them.
func (t *overBases) within(mem memory.Allocator, values *texts, masked arrow.Array) (arrow.Array, error) {
	masks := textsOf(masked)
	out := newTextBuilder(mem, masks.n, masks.size())
	for i := range masks.n {
		if masks.null(i) {
			out.null()
			continue
		}
		v := masks.value(i)
		if !t.changes(values, i) {
			out.add(v)
			continue
		}
		from := len(out.buf)
		out.grow(len(v))
		for at := 0; at < len(v); {
			r, size := utf8.DecodeRune(v[at:])
			if r == utf8.RuneError && size == 1 || t.charset.Holds(r) {
				out.buf = append(out.buf, v[at:at+size]...)
			} else {
				out.buf = append(out.buf, unknown1) // the fraction slash of ½, in Latin-1
			}
			at += size
		}
		if made := out.buf[from:]; !t.limit.hold(made) {
			if t.strict {
				out.drop()
				return nil, &ValueError{Row: i, Reason: "longer than the column without its ligatures", Help: "mask this column by {token: base32}"}
			}
			out.buf = out.buf[:from+len(cutText(made, t.limit.chars, t.limit.bytes))]
		}
		out.end()
	}
	return out.finish(), nil
}
