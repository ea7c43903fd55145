package masking

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// uniqueParam is the parameter of emails and user names.
var uniqueParam = Param{
	Name: "unique",
	Summary: "true: different values stay different. Emails: case and outer blanks make no difference, and a column too short is refused; strict gives them 128 bits. " +
		"User names: each character becomes one of its kind",
	Type: "bool or string",
}

var userNameVariants = []fakeVariant{{"user_name", []Param{uniqueParam}, bindUserName, []Sample{
	{Column: Column{Kind: Text}, Values: []string{"maria", "MSmith1980", "x"}},
	{Column: Column{Kind: Text, Unique: true}, Values: []string{"maria", "m.smith_1980", "Maria"}},
}}}

// userNameDigits is how many digits end a user name.
const userNameDigits = 4

// bindUserName binds {fake: user_name}. On a unique column, or with unique: true, it
// is a permutation of strings (see textPermutation); else a name of the
// dictionary with digits, as people choose it: given.family1234, shortened for a
// column that holds less. The permutation of an address is an address that
// somebody may have: where user names are emails, fake email is the mask.
func bindUserName(req Request) (Binding, error) {
	col := req.Column
	if col.Kind != Text {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake user_name cannot mask a column of kind %s", col.Kind), Help: "it takes text"}
	}
	if err := refuseLabels("fake user_name", col); err != nil {
		return Binding{}, err
	}
	unique, err := bindUnique(req, false)
	if err != nil {
		return Binding{}, err
	}
	if unique != notUnique {
		return bindTextPermutation(req.Key, "user name", col), nil
	}
	t := &userNameTransform{prf: newPRF(req.Key.For("user name")), equality: col.Equality, digits: userNameDigits}
	t.given, t.family = shortWords(dictionary.ASCIIGiven()), shortWords(dictionary.ASCIIFamily())
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	b.Pinned = fmt.Sprintf("dictionary %s, Unicode %s", dictionary.HashOf("given_latin", "family_latin"), unicode.Version)
	b.Guarantees.OutputBits = math.Log2(math.Pow10(userNameDigits)) + math.Log2(float64(len(t.given))) + math.Log2(float64(len(t.family)))
	limit := limitsOf(col)
	if room, full := min(limit.chars, limit.bytes), emailName+1+emailName+userNameDigits; room < full {
		t.room = room
		t.digits = max(1, min(room/2, 6))
		b.Guarantees.OutputBits = float64(t.digits) * math.Log2(10)
		b.Pinned += fmt.Sprintf(", %d characters", room)
		b.Warnings = append(b.Warnings, fmt.Sprintf("user names are shortened to %d characters: they do not join with columns that hold %d; unique: true keeps the length of each", room, full))
	}
	return b, nil
}

// uniqueness is how far different values stay different.
type uniqueness uint8

const (
	notUnique uniqueness = iota
	isUnique
	strictlyUnique
)

// bindUnique reads the parameter unique, which a unique column has by itself.
func bindUnique(req Request, strict bool) (uniqueness, error) {
	switch v := req.Spec.Params["unique"].(type) {
	case bool:
		if v {
			return isUnique, nil
		}
	case string:
		if v != "strict" || !strict {
			help := "unique is true or false"
			if strict {
				help += ", or strict"
			}
			return notUnique, &BindError{Reason: fmt.Sprintf("fake %v cannot be unique in the way of %q", req.Spec.Variant, v), Help: help}
		}
		return strictlyUnique, nil
	}
	if req.Column.Unique {
		return isUnique, nil
	}
	return notUnique, nil
}

// userNameTransform makes user names that look like some. It goes by the canonical
// form, with case folded, and writes capitals if the value is all capitals.
type userNameTransform struct {
	prf           *prf
	equality      Equality
	given, family []string
	digits        int
	room          int // characters of the short form; 0 is the full form
}

func (t *userNameTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	const most = emailName + 1 + emailName + userNameDigits
	out := newTextBuilder(mem, values.n, values.n*most)
	s, ns := getScratch(), nameScratches.Get().(*nameScratch)
	defer s.free()
	defer ns.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := gather(s, &values, base, rows)
		s.text = s.text[:0]
		for lane, v := range s.msg[:n] {
			s.msg[lane] = canonicalPhrase(s, ns, v, t.equality)
		}
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(most)
				from := len(out.buf)
				out.buf = t.append(out.buf, &s.block[lane])
				if styleOf(values.value(base+i)) == allUpper {
					for k, c := range out.buf[from:] {
						if 'a' <= c && c <= 'z' {
							out.buf[from+k] = c - 'a' + 'A'
						}
					}
				}
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

// append appends one user name: 32 bits of the block for each name, 64 for the digits.
func (t *userNameTransform) append(dst []byte, block *[aes.BlockSize]byte) []byte {
	from := len(dst)
	dst = append(dst, t.given[pick(block[:4], len(t.given))]...)
	if t.room == 0 {
		dst = append(dst, '.')
		dst = append(dst, t.family[pick(block[4:8], len(t.family))]...)
	} else {
		dst = dst[:min(len(dst), from+t.room-t.digits)]
	}
	n := binary.LittleEndian.Uint64(block[8:])
	for range t.digits { // a digit is the integer part of ten times a fraction of 2⁶⁴
		hi, lo := mul10(n)
		dst = append(dst, '0'+byte(hi))
		n = lo
	}
	return dst
}

// mul10 returns the integer part of ten times a fraction of 2⁶⁴, and what is left.
func mul10(fraction uint64) (digit, left uint64) { return bits.Mul64(fraction, 10) }
