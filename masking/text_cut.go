package masking

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// prefixFactory makes {prefix: N}: a code, such as a postcode, is generalized to its
// first N characters. No value comes through whole: one of N characters or fewer
// loses its last character.
type prefixFactory struct{}

func (prefixFactory) Describe() Description {
	return Description{
		Name:    "prefix",
		Version: 1,
		Summary: "Generalizes a code to its first N characters; one that is no longer than that loses its last character, so that none comes through whole.",
		Kinds:   []Kind{Text},
		Value:   "a number of characters",
		Samples: []Sample{{
			Spec:   Spec{Variant: int64(3)},
			Column: Column{Name: "postcode", Kind: Text},
			Values: []string{"10115", "SW1A 1AA", "101"},
		}},
	}
}

func (prefixFactory) Bind(req Request) (Binding, error) { return bindCut(req, "prefix", true) }

// cutFactory makes {truncate: N}: what is longer than N characters is cut, and the
// rest stays as it is. It takes the tail from long texts and hides nothing of short
// ones.
type cutFactory struct{}

func (cutFactory) Describe() Description {
	return Description{
		Name:    "truncate",
		Version: 1,
		Summary: "Cuts what is longer than N characters; shorter values stay as they are.",
		Kinds:   []Kind{Text},
		Value:   "a number of characters",
		Samples: []Sample{{
			Spec:   Spec{Variant: int64(8)},
			Column: Column{Name: "reference", Kind: Text},
			Values: []string{"INV-2024-000171", "INV-2024", "Zoë"},
		}},
	}
}

func (cutFactory) Bind(req Request) (Binding, error) { return bindCut(req, "truncate", false) }

func bindCut(req Request, name string, always bool) (Binding, error) {
	col := req.Column
	if err := refuseLabels(name, col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique(name, col, "{token: hex} or {token: base32}"); err != nil {
		return Binding{}, err
	}
	n, isInt := req.Spec.Variant.(int64)
	switch {
	case !isInt || n < 1 || n > 1<<30:
		return Binding{}, &BindError{Reason: fmt.Sprintf("%s needs a number of characters, 1 or more", name), Help: fmt.Sprintf("write {%s: 3}", name)}
	case col.MaxChars > 0 && n >= int64(col.MaxChars):
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("%s of %d characters takes nothing away: the column holds %d", name, n, col.MaxChars),
			Help:   fmt.Sprintf("fewer than %d characters", col.MaxChars),
		}
	}
	b := Binding{
		Transform:  &cutTransform{most: int(n), always: always, equality: col.Equality},
		Guarantees: Guarantees{Deterministic: true, KeepsFormat: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("%d characters, marks of Unicode %s", n, unicode.Version),
	}
	if !always {
		b.Warnings = append(b.Warnings, fmt.Sprintf("values of up to %d characters come through as they are", n))
	}
	return b, nil
}

// cutTransform cuts texts. What a reader takes for one character – a letter with
// its marks, an emoji of several parts, a flag, a syllable – is kept or dropped as
// a whole, as UAX #29 draws its bounds; it counts as many characters as it has code
// points, as databases count. Blanks at the end do not count where they make no
// difference to the database, and none remain at the end of what was cut.
type cutTransform struct {
	most     int
	always   bool
	equality Equality
}

func (t *cutTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*min(4*t.most, 64))
	for i := range values.n {
		if values.null(i) {
			out.null()
			continue
		}
		v := values.value(i)
		if !blank(v) {
			v = t.cut(v)
		}
		out.add(v)
	}
	return out.finish(), nil
}

func (t *cutTransform) cut(v []byte) []byte {
	whole := v
	if t.equality&PadSpace != 0 {
		v = bytes.TrimRight(v, " ")
	}
	if !t.always && (len(v) <= t.most || runeCount(v) <= t.most) {
		return whole
	}
	end, chars := 0, 0
	var before rune
	flags := 0 // regional indicators in a row
	for i := 0; i < len(v); {
		r, size := rune(v[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(v[i:])
		}
		if i > 0 && !joins(before, r, flags) {
			end = i // a bound that leaves something behind
		}
		if chars == t.most {
			break
		}
		if isFlag(r) {
			flags++
		} else {
			flags = 0
		}
		before = r
		chars++
		i += size
	}
	return bytes.TrimRightFunc(v[:end], unicode.IsSpace)
}

// cutText returns what fits of a text, whole characters; 0 is no limit.
func cutText(text []byte, maxChars, maxBytes int) []byte {
	if maxBytes > 0 && len(text) > maxBytes {
		n := maxBytes
		for n > 0 && n > maxBytes-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	if maxChars > 0 && len(text) > maxChars {
		text = cutRunes(text, maxChars)
	}
	return text
}

func isFlag(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// joins reports whether there is no bound of graphemes between two code points (UAX
// #29, but for its rules of Indic conjuncts), the first of which is the last of so many
// regional indicators.
func joins(before, r rune, flags int) bool {
	if r < 0x300 {
		return before == '\r' && r == '\n'
	}
	switch {
	case unicode.In(r, unicode.M), r == 0x200C, r == 0x200D, r >= 0x1F3FB && r <= 0x1F3FF, r >= 0xE0020 && r <= 0xE007F:
		return true
	case before == 0x200D:
		return unicode.In(r, unicode.So)
	case isFlag(r):
		return flags%2 == 1
	case r >= 0x1100 && r <= 0x11FF || r >= 0xAC00 && r <= 0xD7FF:
		return joinsHangul(hangulOf(before), hangulOf(r))
	}
	return false
}

// hangulOf returns the kind of a jamo or a syllable: L, V, T, or W for LV and X for LVT.
func hangulOf(r rune) byte {
	switch {
	case r >= 0x1100 && r < 0x1160:
		return 'L'
	case r >= 0x1160 && r < 0x11A8, r >= 0xD7B0 && r < 0xD7C7:
		return 'V'
	case r >= 0x11A8 && r < 0x1200, r >= 0xD7CB && r <= 0xD7FB:
		return 'T'
	case r >= 0xAC00 && r < 0xD7A4:
		if (r-0xAC00)%28 == 0 {
			return 'W'
		}
		return 'X'
	}
	return 0
}

func joinsHangul(a, b byte) bool {
	switch a {
	case 'L':
		return b == 'L' || b == 'V' || b == 'W' || b == 'X'
	case 'V', 'W':
		return b == 'V' || b == 'T'
	case 'T', 'X':
		return b == 'T'
	}
	return false
}
