package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/text/unicode/norm"
)

// nameTransform replaces names by names of the dictionary.
//
// The choice is keyed by the canonical form of the whole value: Unicode's form C,
// white space at the ends gone and inside one blank, each character folded to
// lower case by way of upper case. So "José", "JOSE\u0301" and " josé " choose alike; "Jose"
// is another name.
//
// The output is written as the input is: in its script, word by word (a script
// that the dictionary lacks gets letters for letters, as shape does); all capitals
// or all small letters if it is; with as many words, up to six; "Family, Given"
// with its comma; an initial for an initial; East Asian names family first, and
// unspaced if they are. A word never is the word that stood there.
//
// Latin names without diacritics get such; Latin-1 names stay within Latin-1; and
// nothing leaves the database's character set. Where the database makes no difference
// between José and Jose, both choose alike, among names without diacritics.
//
// What is longer than the column is chosen anew among what fits; then words are
// left out; only where no name fits, one is cut.
type nameTransform struct {
	prf      *prf
	stream   *aes256
	shape    *shapeTransform
	variant  nameVariant
	pools    *[pools]namePool
	fixed    uint8 // the pool of the parameter script, or poolNone
	maxChars int   // 0 is no limit
	maxBytes int   // so
	charset  Charset
	equality Equality
}

type nameVariant uint8

const (
	firstName nameVariant = iota
	lastName
	personName
)

// nameWord is one word of a name, and what takes its place.
type nameWord struct {
	text     []byte
	runes    int
	pool     uint8
	style    nameStyle
	role     nameRole
	initial  bool // one letter, perhaps with a dot
	dotted   bool
	hiragana bool

	upper, lower int // how many letters have that case
}

type nameStyle uint8

const (
	asListed nameStyle = iota
	allUpper
	allLower
)

type nameRole uint8

const (
	givenRole nameRole = iota
	familyRole
	bothRole // family and given name as one word
)

const maxNameWords = 6

type nameScratch struct {
	words    [maxNameWords]nameWord
	blocks   [maxNameWords][aes.BlockSize]byte // of the words' keyed choices
	n        int
	before   int    // how many words stand before the comma; 0 is no comma
	tight    bool   // no blank follows the comma
	text     []byte // in form C: the value itself, or composed
	composed []byte
	folds    bool // letters that differ in case are of one pool
	iter     norm.Iter
	out      []byte
	shape    shapeScratch
}

var nameScratches = sync.Pool{New: func() any { return new(nameScratch) }}

func (n *nameScratch) free() {
	n.forget()
	nameScratches.Put(n)
}

// forget empties the space; nothing of values stays behind.
func (n *nameScratch) forget() {
	n.words = [maxNameWords]nameWord{}
	clear(n.composed)
	n.text = nil
	n.iter = norm.Iter{}
	clear(n.out)
}

func (t *nameTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, bytesOf(&values))
	s, ns := getScratch(), nameScratches.Get().(*nameScratch)
	defer s.free()
	defer ns.free()
	ns.folds = t.equality.folds()
	lists := t.plainLists()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := gather(s, &values, base, rows)
		s.text = s.text[:0]
		for lane := range n {
			// When the space grows it moves; messages in the old space stay good.
			from := len(s.text)
			if s.which[lane] = plainNo; !t.readPlain(s, lane, &lists) {
				s.text = ns.appendCanonical(s.text, s.msg[lane])
			}
			s.msg[lane] = s.text[from:]
		}
		t.prf.sumsUnder(s, n, t.equality) // for what the canonical form of a name does not fold: accents
		if t.variant == personName {
			// Most have a second word: its block is made for all of them at once. No
			// message is on its way any more, so there is room.
			for lane := range n {
				s.chain[lane] = s.block[lane]
				s.chain[lane][0] ^= 1
			}
			encrypt(t.stream, s.chain[:n])
		}
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				if s.which[lane] == plainNo || !t.addPlain(out, &lists, s, lane) {
					ns.parse(values.value(base+i), t)
					t.choose(ns, &s.block[lane], &s.chain[lane])
					out.add(ns.out)
				}
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

// appendCanonical appends the canonical form of a name (see nameTransform).
func (n *nameScratch) appendCanonical(dst, v []byte) []byte {
	dst = slices.Grow(dst, len(v)+8)
	from := len(dst)
	out := dst[from : from+len(v)+8]
	// Most names are ASCII with one blank between words, and need nothing but small
	// letters: eight characters at a time, the last ones with a sign behind them that is
	// thrown away.
	before := uint64(0x80) // as if a blank stood before the first: one that does is cut off
	for i := 0; len(v) > 0 && v[len(v)-1] > ' '; i += 8 {
		var w uint64
		if i+8 <= len(v) {
			w = binary.LittleEndian.Uint64(v[i:])
		} else {
			w, _ = load(v[i:])
			w |= '!' * ones << (8 * (len(v) - i))
		}
		below := ^(w + (0x80-'!')*ones) & highBits // a blank or below
		blanks := ^((w ^ ' '*ones) + 0x7f*ones) & highBits
		if w&highBits|(below^blanks)|blanks&(blanks<<8|before) != 0 {
			break
		}
		before = blanks >> 56
		binary.LittleEndian.PutUint64(out[i:], lowered(w))
		if i+8 >= len(v) {
			return dst[:from+len(v)]
		}
	}
	at, gap := 0, false
	for _, c := range v {
		if c >= utf8.RuneSelf {
			return n.appendCanonicalUnicode(dst, v)
		}
		if c == ' ' || c >= '\t' && c <= '\r' {
			gap = at > 0
			continue
		}
		if gap {
			out[at] = ' '
			at++
			gap = false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[at] = c
		at++
	}
	return dst[:from+at]
}

func (n *nameScratch) appendCanonicalUnicode(dst, v []byte) []byte {
	from := len(dst)
	gap := false
	for v := n.compose(v); len(v) > 0; {
		r, size := utf8.DecodeRune(v)
		v = v[size:]
		if r < 0x3001 && unicode.IsSpace(r) { // U+3000 is the last space
			gap = len(dst) > from
			continue
		}
		if gap {
			dst, gap = append(dst, ' '), false
		}
		dst = utf8.AppendRune(dst, fold(r))
	}
	return dst
}

// fold folds the case of a character by way of upper case, so that ς and σ, or ſ
// and s, are one.
func fold(r rune) rune {
	switch {
	case int(r) < len(folds):
		return rune(folds[r])
	case caseless(r):
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// caseless reports whether r is in the blocks of East Asia, which have no case: a
// shortcut, not the whole truth.
func caseless(r rune) bool { return r >= 0x2E80 && r < 0xA000 || r >= 0xAC00 && r < 0xD800 }

// folds holds the folded forms of the alphabets that are most frequent.
var folds = func() (t [0x600]uint16) {
	for r := range t {
		t[r] = uint16(unicode.ToLower(unicode.ToUpper(rune(r))))
	}
	return t
}()

// compose returns v in Unicode's form C, good until the next call.
func (n *nameScratch) compose(v []byte) []byte {
	if composed(v) || norm.NFC.QuickSpan(v) == len(v) {
		return v
	}
	n.composed = n.composed[:0]
	// An iterator of our own, since norm.Append allocates one.
	for n.iter.Init(norm.NFC, v); !n.iter.Done(); {
		n.composed = append(n.composed, n.iter.Next()...)
	}
	return n.composed
}

// composed reports whether v is in form C as its first bytes tell: those of all
// characters below U+0300, of Cyrillic, and of Han, among which nothing combines. It
// may say no to what is.
func composed(v []byte) bool {
	for _, c := range v {
		if c >= 0xcc && c != 0xd0 && c != 0xd1 && (c < 0xe4 || c > 0xe9) {
			return false
		}
	}
	return true
}

// parse takes a name apart.
func (n *nameScratch) parse(v []byte, t *nameTransform) {
	n.text = v
	if !isASCII(v) {
		n.text = n.compose(v)
	}
	n.n, n.before, n.tight = 0, 0, false
	rest := n.text
	if t.variant == personName {
		if comma := bytes.IndexByte(rest, ','); comma > 0 && !blank(rest[:comma]) && !blank(rest[comma+1:]) {
			n.split(rest[:comma], maxNameWords-1) // one is left for what follows
			rest = rest[comma+1:]
			n.before = n.n
			n.tight = rest[0] != ' '
		}
	}
	n.split(rest, maxNameWords)
	if n.n == n.before {
		n.before = 0 // nothing but punctuation stood behind the comma
	}
	if n.n == 0 {
		n.add(n.text) // punctuation alone
	}
	upper, lower := 0, 0
	for i := range n.n {
		upper += n.words[i].upper
		lower += n.words[i].lower
	}
	for i := range n.n {
		w := &n.words[i]
		if t.fixed != poolNone {
			w.pool, w.hiragana = t.fixed, false
		}
		w.pool = t.poolFor(w.pool)
		w.hiragana = w.hiragana && w.pool == poolKana
		switch {
		case upper == 0 && lower > 0:
			w.style = allLower
		case lower == 0 && upper > 1, w.lower == 0 && w.upper > 1:
			w.style = allUpper
		}
		w.role = t.roleOf(n, i)
	}
}

func (t *nameTransform) roleOf(n *nameScratch, i int) nameRole {
	switch t.variant {
	case firstName:
		return givenRole
	case lastName:
		return familyRole
	}
	w := &n.words[i]
	switch {
	case n.before > 0 && i < n.before:
		return familyRole
	case n.before > 0:
		return givenRole
	case n.n == 1:
		if w.pool != poolNone && t.pools[w.pool].unspaced && w.runes > 1 {
			return bothRole
		}
		return givenRole
	case n.words[0].pool != poolNone && t.pools[n.words[0].pool].familyFirst:
		if i == 0 {
			return familyRole
		}
		return givenRole
	case i == n.n-1:
		return familyRole
	}
	return givenRole
}

// split adds the words of text, up to limit in all.
func (n *nameScratch) split(text []byte, limit int) {
	if isASCII(text) {
		n.splitASCII(text, limit)
		return
	}
	for len(text) > 0 && n.n < limit {
		r, size := utf8.DecodeRune(text)
		if separates(r) {
			text = text[size:]
			continue
		}
		end := bytes.IndexFunc(text, separates)
		if end < 0 {
			end = len(text)
		}
		n.add(text[:end])
		text = text[end:]
	}
}

// separates reports whether r stands between words.
func separates(r rune) bool {
	return r == ' ' || r == ',' || r == ';' || r >= '\t' && r <= '\r' ||
		r >= utf8.RuneSelf && r < 0x3001 && unicode.IsSpace(r) // U+3000 is the last space
}

// nameClass says what a byte of ASCII is in a name; the case is counted without branches.
var nameClass = func() (t [256]uint8) {
	for c := range utf8.RuneSelf {
		switch {
		case separates(rune(c)):
			t[c] = nameGap
		case 'a' <= c && c <= 'z':
			t[c] = nameLower
		case 'A' <= c && c <= 'Z':
			t[c] = nameUpper
		}
	}
	return t
}()

const (
	nameLower = 1
	nameUpper = 2
	nameGap   = 4
)

// splitASCII is split and add in one pass.
func (n *nameScratch) splitASCII(text []byte, limit int) {
	for i := 0; n.n < limit; {
		for i < len(text) && nameClass[text[i]] == nameGap {
			i++
		}
		if i == len(text) {
			return
		}
		start, upper, lower := i, 0, 0
		for ; i < len(text); i++ {
			class := nameClass[text[i]]
			if class == nameGap {
				break
			}
			lower += int(class & nameLower)
			upper += int(class >> 1)
		}
		w := &n.words[n.n]
		n.n++
		*w = nameWord{text: text[start:i], runes: i - start, pool: poolASCII, upper: upper, lower: lower}
		w.noteInitial(upper + lower)
	}
}

// noteInitial notes whether a word of so many letters is an initial.
func (w *nameWord) noteInitial(letters int) {
	if letters == 1 && w.upper+w.lower == 1 {
		w.dotted = w.runes == 2 && w.text[len(w.text)-1] == '.'
		w.initial = w.runes == 1 || w.dotted
	}
}

func (n *nameScratch) add(word []byte) {
	w := &n.words[n.n]
	n.n++
	*w = nameWord{text: word, pool: poolASCII}
	letters := 0
	for i := 0; i < len(word); {
		r, size := rune(word[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(word[i:])
		}
		i += size
		w.runes++
		switch {
		case caseless(r) && unicode.IsLetter(r):
		case r >= 'a' && r <= 'z', r >= utf8.RuneSelf && unicode.IsLower(r):
			w.lower++
		case r >= 'A' && r <= 'Z', r >= utf8.RuneSelf && unicode.IsUpper(r):
			w.upper++
		case r < utf8.RuneSelf || !unicode.IsLetter(r):
			continue
		}
		if letters++; letters == 1 || w.pool == poolASCII || w.pool == poolLatin1 {
			if n.folds {
				r = fold(r)
			}
			pool := scriptPool(r)
			if letters == 1 {
				w.pool, w.hiragana = pool, unicode.Is(unicode.Hiragana, r)
			} else if pool <= poolLatin {
				w.pool = max(w.pool, pool)
			}
		}
	}
	w.noteInitial(letters)
}

// scriptPool returns the pool that a letter asks for, or poolNone.
func scriptPool(r rune) uint8 {
	switch {
	case r < utf8.RuneSelf:
		return poolASCII
	case r >= 0x4E00 && r < 0xA000: // the tables give the same answer, later
		return poolHan
	case r < 0x0250, unicode.Is(unicode.Latin, r):
		return uint8(latinPool(r))
	case unicode.Is(unicode.Cyrillic, r):
		return poolCyrillic
	case unicode.Is(unicode.Han, r):
		return poolHan
	case unicode.Is(unicode.Arabic, r):
		return poolArabic
	case unicode.Is(unicode.Katakana, r), unicode.Is(unicode.Hiragana, r):
		return poolKana
	case unicode.Is(unicode.Hangul, r):
		return poolHangul
	case unicode.Is(unicode.Greek, r):
		return poolGreek
	case unicode.Is(unicode.Hebrew, r):
		return poolHebrew
	case unicode.Is(unicode.Devanagari, r):
		return poolDevanagari
	}
	return poolNone
}
