package masking

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sync"
	"unicode"
	"unicode/utf8"
)

// baseTable holds the base letters of the alphabets that have marks or ligatures, up
// to two each; 0 is none, of what is a mark.
type baseTable struct {
	low  [0x600][2]uint16 // from U+0000 on
	high [0x200][2]uint16 // from U+1E00 on: Latin and Greek with several marks
	word [0x600]bool      // isWord of the low ones
}

// isWord is the function of that name, quicker for most.
func (t *baseTable) isWord(r rune) bool {
	if int(r) < len(t.word) {
		return t.word[r]
	}
	return isWord(r)
}

var bases = sync.OnceValue(func() *baseTable {
	t := new(baseTable)
	s := getScratch()
	defer s.free()
	fill := func(to [][2]uint16, from rune) {
		for i := range to {
			if r := from + rune(i); r != 0 {
				n := 0
				for _, b := range string(s.canonical([]byte(string(r)), FoldAccents)) {
					if n < 2 && b <= 0xffff {
						to[i][n] = uint16(b)
						n++
					}
				}
			}
		}
	}
	fill(t.low[:], 0)
	fill(t.high[:], 0x1E00)
	for r := range t.word {
		t.word[r] = isWord(rune(r))
	}
	return t
})

// of returns the base letters of a character; 0 is none.
func (t *baseTable) of(r rune) (a, b rune) {
	switch {
	case r < 0x600:
		return rune(t.low[r][0]), rune(t.low[r][1])
	case r >= 0x1E00 && r < 0x2000:
		return rune(t.high[r-0x1E00][0]), rune(t.high[r-0x1E00][1])
	case r == '\u2019' || r == '\u02BC':
		return '\'', 0
	case r == '\u2010' || r == '\u2011':
		return '-', 0
	case r >= 0xFF21 && r <= 0xFF5A: // full width
		return fold(r - 0xFF21 + 'A'), 0
	case unicode.Is(unicode.Mn, r):
		return 0, 0
	}
	return fold(r), 0
}

// appendBases appends the base letters of text, with one blank for white space.
func appendBases(dst []rune, text []byte) []rune {
	t := bases()
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if unicode.IsSpace(r) {
			if n := len(dst); n > 0 && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
			continue
		}
		a, b := t.of(r)
		if a != 0 {
			dst = append(dst, a)
		}
		if b != 0 {
			dst = append(dst, b)
		}
	}
	return dst
}

// find appends the hits in text[from:to], which stands between two others.
func (f *nameFinder) find(hits []textHit, text []byte, from, to int) []textHit {
	if from == to {
		return hits
	}
	if !f.free {
		return f.findWords(hits, text, from, to)
	}
	for i := range f.entries {
		f.entries[i].next = -1
	}
	for {
		var best *nameEntry
		at := to
		for i := range f.entries {
			e := &f.entries[i]
			if e.raw == nil {
				continue
			}
			if e.next < from { // each is looked for once in each byte of the text
				e.next = to
				if k := bytes.Index(text[from:to], e.raw); k >= 0 {
					e.next = from + k
				}
			}
			if e.next < at {
				best, at = e, e.next
			}
		}
		hits = f.findWords(hits, text, from, at)
		if best == nil {
			return hits
		}
		end := at + len(best.raw)
		hits = f.hit(hits, best, text, at, end)
		from = end
	}
}

// findWords appends the hits that are whole words of text[from:to]. It looks at
// what begins a word, eight bytes at a time where these are ASCII.
func (f *nameFinder) findWords(hits []textHit, text []byte, from, to int) []textHit {
	if f.first == 0 {
		return hits
	}
	t := bases()
	within := false // a word
	for i := from; i < to; {
		if i+8 <= to {
			if w := binary.LittleEndian.Uint64(text[i:]); w&highBits == 0 {
				lower := w | 0x20*ones
				m := ((lower + (0x80-'a')*ones) &^ (lower + (0x7f-'z')*ones)) | ((w + (0x80-'0')*ones) &^ (w + (0x7f-'9')*ones))
				m &= highBits
				begins := m &^ (m << 8)
				if within {
					begins &^= 0x80
				}
				within = m>>63 != 0
				next := i + 8
				for ; begins != 0; begins &= begins - 1 {
					at := i + bits.TrailingZeros64(begins)>>3
					c := text[at]
					if f.first>>((c|0x20&(c>>1))&63)&1 == 0 {
						continue
					}
					if e, end := f.match(t, text, at, to); e != nil {
						hits = f.hit(hits, e, text, at, end)
						next, within = end, false // whole words: none goes on behind it
						break
					}
				}
				i = next
				continue
			}
		}
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:to])
		}
		was := within
		within = t.isWord(r)
		if within && !was {
			if a, _ := t.of(r); f.first>>(a&63)&1 != 0 {
				if e, end := f.match(t, text, i, to); e != nil {
					hits = f.hit(hits, e, text, i, end)
					i, within = end, false
					continue
				}
			}
		}
		i += size
	}
	return hits
}

// match returns the longest entry that is a whole word, or several, at text[i].
func (f *nameFinder) match(t *baseTable, text []byte, i, to int) (*nameEntry, int) {
	for k := range f.entries {
		e := &f.entries[k]
		if e.raw != nil {
			continue
		}
		end := e.at(t, text, i, to)
		if end < 0 || wordAfter(text[:to], end) {
			continue
		}
		if e.capital {
			if r, _ := utf8.DecodeRune(text[i:]); !unicode.IsUpper(r) {
				continue
			}
		}
		return e, end
	}
	return nil, 0
}

// at returns where the entry ends that begins at text[i], or −1.
func (e *nameEntry) at(t *baseTable, text []byte, i, to int) int {
	for k := 0; k < len(e.chars); {
		if i >= to {
			return -1
		}
		if c := text[i]; c < utf8.RuneSelf && c > ' ' {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			if rune(c) != e.chars[k] {
				return -1
			}
			i++
			k++
			continue
		}
		r, size := utf8.DecodeRune(text[i:to])
		if unicode.IsSpace(r) {
			if e.chars[k] != ' ' {
				return -1
			}
			k++
			for i < to && unicode.IsSpace(r) {
				i += size
				r, size = utf8.DecodeRune(text[i:to])
			}
			continue
		}
		i += size
		a, b := t.of(r)
		if a == 0 {
			continue
		}
		if a != e.chars[k] {
			return -1
		}
		if k++; b != 0 {
			if k == len(e.chars) || b != e.chars[k] {
				return -1
			}
			k++
		}
	}
	for i < to && text[i] >= utf8.RuneSelf { // marks of the last letter
		r, size := utf8.DecodeRune(text[i:to])
		if !unicode.Is(unicode.Mn, r) {
			break
		}
		i += size
	}
	return i
}

// hit appends a hit, and its mask to the masks.
func (f *nameFinder) hit(hits []textHit, e *nameEntry, text []byte, from, to int) []textHit {
	at := len(f.masks)
	f.masks = appendInCase(f.masks, e.mask, text[from:to], e.person, f.charset)
	return append(hits, textHit{from: int32(from), to: int32(to), what: knownName, at: int32(at), end: int32(len(f.masks))})
}

// caseOf tells how a text is written, as a name may be.
func caseOf(text []byte) (style nameStyle) {
	upper, lower := 0, 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		if unicode.IsUpper(r) {
			upper++
		} else if unicode.IsLower(r) {
			lower++
		}
	}
	switch {
	case lower == 0 && upper > 1:
		return allUpper
	case upper == 0 && lower > 0:
		return allLower
	}
	return asListed
}

// appendInCase appends the mask of a name in the case of what it replaces.
func appendInCase(dst, mask, like []byte, person bool, c Charset) []byte {
	style := caseOf(like)
	if !person || style == caseOf(mask) {
		return append(dst, mask...)
	}
	start := true
	for i := 0; i < len(mask); {
		r, size := utf8.DecodeRune(mask[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, mask[i])
			i++
			continue
		}
		i += size
		cased := unicode.ToLower(r)
		if style == allUpper || style == asListed && start {
			cased = unicode.ToUpper(r)
		}
		if c.Holds(cased) { // the capital of ÿ is beyond Latin-1
			r = cased
		}
		start = !isWord(r)
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
