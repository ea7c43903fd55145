package masking

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A document spells what its database has no character for (\u674e, &#26446;), and what a value
// that was spelt becomes may be such a character again.

// spelt returns documents with what their character set cannot hold spelt; was are the documents that they were.
func (d *document) spelt(mem memory.Allocator, was *texts, in arrow.Array, spell func(dst []byte, r rune) []byte) arrow.Array {
	if d.charset != Latin1 {
		return in // all is held, or nobody knows what
	}
	values := textsOf(in)
	held := true
	for i := 0; i < values.n && held; i++ {
		held = values.null(i) || d.holds(values.value(i), was.value(i))
	}
	if held {
		return in
	}
	defer in.Release()
	out := newTextBuilder(mem, values.n, bytesOf(&values))
	for i := range values.n {
		if values.null(i) {
			out.null()
			continue
		}
		v := values.value(i)
		if d.holds(v, was.value(i)) {
			out.add(v)
			continue
		}
		out.grow(3 * len(v)) // twelve bytes come of four at most, and eight of two
		for len(v) > 0 {
			r, size := utf8.DecodeRune(v)
			if d.charset.mayHoldOf(r, was.value(i)) {
				out.buf = append(out.buf, v[:size]...)
			} else {
				out.buf = spell(out.buf, r)
			}
			v = v[size:]
		}
		out.end()
	}
	return out.finish()
}

// holds reports whether the database has all characters of a document that was another.
func (d *document) holds(v, was []byte) bool {
	for i := 0; i < len(v); {
		if v[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(v[i:])
		if !d.charset.mayHoldOf(r, was) {
			return false
		}
		i += size
	}
	return true
}

// spellJSON spells a character as JSON does: only strings hold such.
func spellJSON(dst []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}

// spellXML spells a character as XML does: only texts and attributes hold such.
func spellXML(dst []byte, r rune) []byte { return fmt.Appendf(dst, "&#%d;", r) }
