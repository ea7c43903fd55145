package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// phrase is an entry of one of the dictionary's lists: a town, a job, a company.
type phrase struct {
	text         [3]string // by nameStyle
	folded, base string    // its canonical forms: with case folded, and without marks too
	chars, bytes int       // of the longest of text
}

// phrasePools holds a list for each script. Those of Latin contain each other: what
// is ASCII stands in all three.
type phrasePools [pools][]phrase

func newPhrasePools(list func(dictionary.Script) []string) *phrasePools {
	p := new(phrasePools)
	s := getScratch()
	defer s.free()
	for script := dictionary.Latin; script <= dictionary.Hangul; script++ {
		for _, text := range list(script) {
			e, usable := newPhrase(s, text)
			if !usable {
				continue
			}
			if script != dictionary.Latin {
				p[poolOf(script)] = append(p[poolOf(script)], e)
				continue
			}
			tier := poolASCII
			for _, style := range e.text {
				for _, r := range style {
					tier = max(tier, latinPool(r))
				}
			}
			for ; tier <= poolLatin; tier++ {
				p[tier] = append(p[tier], e)
			}
		}
	}
	return p
}

// newPhrase reports false for the few words whose cases are not one under a
// collation that folds case: with them, equal values would have unequal masks.
func newPhrase(s *scratch, text string) (p phrase, usable bool) {
	p.text = [3]string{asListed: text, allUpper: strings.Map(unicode.ToUpper, text), allLower: strings.Map(unicode.ToLower, text)}
	for i, t := range p.text {
		folded := string(s.canonical([]byte(t), FoldCase))
		if i > 0 && folded != p.folded {
			return p, false
		}
		p.folded = folded
		p.base = string(s.canonical([]byte(t), FoldCase|FoldAccents))
		p.chars, p.bytes = max(p.chars, utf8.RuneCountInString(t)), max(p.bytes, len(t))
	}
	return p, true
}

// limits are the characters and bytes that a value may have.
type limits struct{ chars, bytes int }

func limitsOf(col Column) limits {
	l := limits{col.MaxChars, col.MaxBytes}
	if l.chars == 0 {
		l.chars = math.MaxInt32
	}
	if l.bytes == 0 {
		l.bytes = math.MaxInt32
	}
	return l
}

// less returns what is left when something of one byte a character stands there too.
func (l limits) less(ascii int) limits { return limits{l.chars - ascii, l.bytes - ascii} }

// minus returns what is left beside a text.
func (l limits) minus(text string) limits {
	return limits{l.chars - utf8.RuneCountInString(text), l.bytes - len(text)}
}

func (l limits) hold(text []byte) bool {
	return len(text) <= l.bytes && (len(text) <= l.chars || utf8.RuneCount(text) <= l.chars)
}

// cut returns as much of the text as fits.
func (l limits) cut(text []byte) []byte {
	if l.hold(text) {
		return text
	}
	text = cutRunes(text, max(l.chars, 0))
	for len(text) > max(l.bytes, 0) {
		_, size := utf8.DecodeLastRune(text)
		text = text[:len(text)-size]
	}
	return text
}

// chosen is a value while its mask is chosen.
type chosen struct {
	value []byte // as it is written
	own   []byte // its canonical form
	base  bool   // which is one without marks
	pool  uint8
	style nameStyle
	draw  [4]uint32 // what the keyed function says
	limit limits
	drawn bool // by a subject: the draw holds even if it stands in the value
}

// tries is how often a choice is drawn again that does not fit, before the list is
// gone through from there.
const tries = 16

// redraw gives the next draw: a step of a linear congruential generator, whose
// steps are spread evenly over a list.
func redraw(draw uint32) uint32 { return draw*0x9e3779b1 + 0x7f4a7c15 }

// below32 maps a draw to [0, n).
func below32(draw uint32, n int) int { return int(uint64(draw) * uint64(n) >> 32) }

// choose returns an entry that fits within the limits and does not stand in the
// value; nil if there is none. The first draw does not look at the limits, so that
// columns of different lengths agree where the entry fits them all.
func (c *chosen) choose(list []phrase, draw uint32, limit limits) *phrase {
	i := 0
	for range tries {
		i = below32(draw, len(list))
		if p := &list[i]; p.chars <= limit.chars && p.bytes <= limit.bytes && !c.has(p) {
			return p
		}
		draw = redraw(draw)
	}
	for range list {
		i = (i + 1) % len(list)
		if p := &list[i]; p.chars <= limit.chars && p.bytes <= limit.bytes && !c.has(p) {
			return p
		}
	}
	return nil
}

// has reports whether the entry stands in the value.
func (c *chosen) has(p *phrase) bool {
	form := p.folded
	if c.base {
		form = p.base
	}
	switch {
	case c.drawn || len(form) > len(c.own):
		return false
	case len(form) == len(c.own):
		return string(c.own) == form
	}
	return strings.Contains(unsafe.String(unsafe.SliceData(c.own), len(c.own)), form) // nothing holds on to it
}

// chooser writes the mask of one value behind dst; nothing if no mask fits.
type chooser interface {
	append(dst []byte, c *chosen) []byte
}

// choiceTransform replaces texts by what its chooser makes of the dictionary's
// lists, chosen by the keyed function of the value's canonical form: case folded,
// in Unicode's form C, white space at the ends gone and inside one blank, and
// without marks where the database makes no difference by them.
//
// The mask is in the script of the value's first letter; Latin stays within ASCII
// or Latin-1 if the value does. It is in capitals or in small letters if the value is. It
// never holds what stood there. What is longer than the column is chosen anew
// among what fits; only where nothing does, a choice is cut. A script that the
// dictionary lacks gets letters for letters, as shape does.
type choiceTransform struct {
	prf      *prf
	shape    *shapeTransform
	chooser  chooser
	equality Equality
	charset  Charset
	fixed    uint8 // the pool of the parameter script, or poolNone
	limit    limits
}

// bindChoice binds a variant of fake that chooses from lists.
func bindChoice(req Request, variant string, c chooser, lists ...string) (Binding, error) {
	col := req.Column
	if col.Kind != Text {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake %s cannot mask a column of kind %s", variant, col.Kind), Help: "it takes text"}
	}
	if err := refuseLabels("fake "+variant, col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("fake "+variant, col, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	script, fixed, err := bindScript(req)
	if err != nil {
		return Binding{}, err
	}
	t := &choiceTransform{
		prf:      newPRF(req.Key.For("fake " + variant)),
		shape:    newShape(req.Key, "fake "+variant+" shape"),
		chooser:  c,
		equality: col.Equality.byLetters(),
		charset:  col.Charset,
		fixed:    fixed,
		limit:    limitsOf(col),
	}
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("script %s, dictionary %s, Unicode %s", script, dictionary.HashOf(append(lists, "letters")...), unicode.Version),
	}
	if t.limit.chars < 6 || t.limit.bytes < 6 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("few values fit the %d characters of the column, and frequencies re-identify", min(t.limit.chars, t.limit.bytes)))
	}
	return b, nil
}

// refuseUnique refuses a unique column.
func refuseUnique(transform string, col Column, instead string) error {
	if !col.Unique {
		return nil
	}
	return &BindError{Reason: transform + " gives different values the same mask, and the column is unique", Help: "use " + instead}
}

// bindScript reads the parameter script: keep, or the pool of a script that the
// column can hold.
func bindScript(req Request) (script string, fixed uint8, err error) {
	script, given := req.Spec.Params["script"].(string)
	if !given || script == "keep" {
		return "keep", poolNone, nil
	}
	s, known := dictionary.ParseScript(script)
	if !known {
		return "", 0, &BindError{
			Reason: fmt.Sprintf("there are no words in the script %q", script),
			Help:   "script is keep, or one of " + strings.Join(dictionary.Scripts(), ", "),
		}
	}
	if s != dictionary.Latin && req.Column.Charset != Unicode && req.Column.Charset != BMP {
		return "", 0, &BindError{
			Reason: fmt.Sprintf("the column holds %s, and no %s letters", req.Column.Charset, script),
			Help:   "use script: latin",
		}
	}
	return script, uint8(poolOf(s)), nil
}

type choiceScratch struct {
	name  nameScratch
	shape shapeScratch
	own   [lanes][]byte
	one   chosen
}

var choiceScratches = sync.Pool{New: func() any { return new(choiceScratch) }}

func (c *choiceScratch) free() {
	clear(c.own[:])
	c.one = chosen{}
	c.name.forget()
	choiceScratches.Put(c)
}

// choiceRoom is how much room there is for a mask in the builder, so that next to
// none has to be copied there.
const choiceRoom = 256

func (t *choiceTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*24+choiceRoom)
	s, cs := getScratch(), choiceScratches.Get().(*choiceScratch)
	defer s.free()
	defer cs.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := gather(s, &values, base, rows)
		s.text = s.text[:0]
		for lane, v := range s.msg[:n] {
			cs.own[lane] = canonicalPhrase(s, &cs.name, v, t.equality)
			s.msg[lane] = cs.own[lane]
		}
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(choiceRoom)
				out.keep(t.mask(out.buf, cs, values.value(base+i), cs.own[lane], &s.block[lane]))
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

// canonicalPhrase returns the canonical form of a text of several words (see
// choiceTransform), in s.text.
func canonicalPhrase(s *scratch, ns *nameScratch, v []byte, e Equality) []byte {
	// When the space grows it moves; messages in the old space stay good.
	from := len(s.text)
	s.text = ns.appendCanonical(s.text, v)
	own := s.text[from:len(s.text):len(s.text)]
	if e&(FoldAccents|foldsMore) != 0 && !isASCII(own) {
		return bytes.TrimSpace(s.canonical(own, e))
	}
	return own
}

// mask appends the mask of one value.
func (t *choiceTransform) mask(dst []byte, cs *choiceScratch, v, own []byte, block *[aes.BlockSize]byte) []byte {
	c := &cs.one
	// Field by field: to write all of it is to tell the garbage collector of all of it.
	c.value, c.own, c.base, c.drawn = v, own, t.equality&FoldAccents != 0, false
	c.pool, c.style, c.limit = t.fixed, styleOf(v), t.limit
	for i := range c.draw {
		c.draw[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	if c.pool == poolNone {
		c.pool = poolOfText(own)
	}
	c.pool = within(t.charset, c.pool)
	c.style = styleUnder(t.equality, c.style, c.pool)
	from := len(dst)
	if c.pool != poolNone {
		if dst = t.chooser.append(dst, c); len(dst) > from {
			return dst
		}
	}
	// The script has no list, or the column is too short for any entry.
	dst = append(dst, own...)
	t.shape.shape(dst[from:], own, block, &cs.shape)
	dst = dst[:from+len(t.limit.cut(dst[from:]))]
	if bytes.HasPrefix(own, dst[from:]) {
		t.shape.letters.bump(dst[from:])
	}
	if bytes.Equal(dst[from:], own) { // there is nothing to exchange
		c.own, c.pool = nil, poolASCII
		dst = t.chooser.append(dst[:from], c)
	}
	return dst
}

// within returns the pool, or one that the character set holds.
func within(set Charset, pool uint8) uint8 {
	switch {
	case pool == poolNone || set == Unicode || set == BMP:
		return pool
	case set == Latin1 && (pool == poolLatin1 || pool == poolLatin):
		return poolLatin1
	}
	return poolASCII
}

// styleOf returns the case of a text: capitals if it has two or more and nothing else.
func styleOf(v []byte) nameStyle {
	upper, lower := 0, 0
	i := 0
	for ; i+8 <= len(v); i += 8 {
		w := binary.LittleEndian.Uint64(v[i:])
		if w&highBits != 0 {
			break
		}
		upper += bits.OnesCount64(upperMask(w))
		lower += bits.OnesCount64(lowerMask(w))
		if upper > 0 && lower > 0 {
			return asListed
		}
	}
	for i < len(v) {
		r, size := rune(v[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(v[i:])
		}
		i += size
		switch {
		case r >= 'a' && r <= 'z':
			lower++
		case r >= 'A' && r <= 'Z':
			upper++
		case r < utf8.RuneSelf || caseless(r):
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
		}
		if upper > 0 && lower > 0 {
			return asListed
		}
	}
	switch {
	case upper == 0 && lower > 0:
		return allLower
	case upper > 1:
		return allUpper
	}
	return asListed
}

// styleUnder returns the style, or asListed where the database makes a difference
// between the cases of letters beyond ASCII, and none between those of ASCII: there,
// values that are equal are written in two styles.
func styleUnder(e Equality, style nameStyle, pool uint8) nameStyle {
	if e&(FoldASCII|FoldCase|FoldAccents) == FoldASCII && pool != poolASCII {
		return asListed
	}
	return style
}

// poolOfText returns the pool of the script of the first letter, and of Latin the
// one that holds all letters. A text without a letter is ASCII.
func poolOfText(v []byte) uint8 {
	if isASCII(v) {
		return poolASCII
	}
	pool, found := uint8(poolASCII), false
	for i := 0; i < len(v); {
		r, size := utf8.DecodeRune(v[i:])
		i += size
		if !unicode.IsLetter(r) {
			continue
		}
		switch p := scriptPool(r); {
		case !found && p > poolLatin:
			return p
		case p <= poolLatin:
			pool = max(pool, p)
		}
		found = true
	}
	return pool
}

// cutPhrase appends an entry cut to what fits, for a column that holds none whole.
func (c *chosen) cutPhrase(dst []byte, list []phrase, draw uint32) []byte {
	from := len(dst)
	for range min(len(list), tries) {
		p := &list[below32(draw, len(list))]
		dst = append(dst[:from], p.text[c.style]...)
		dst = dst[:from+len(c.limit.cut(dst[from:]))]
		if !bytes.EqualFold(dst[from:], c.own) {
			return dst
		}
		draw = redraw(draw)
	}
	return dst[:from]
}

// listed is the chooser of a single entry.
type listed struct{ pools *phrasePools }

func (l listed) append(dst []byte, c *chosen) []byte {
	list := l.pools[c.pool]
	if p := c.choose(list, c.draw[0], c.limit); p != nil {
		return append(dst, p.text[c.style]...)
	}
	return c.cutPhrase(dst, list, c.draw[1])
}

// choiceVariant returns the variant of fake that chooses from lists by a chooser.
func choiceVariant(name string, c func() chooser, samples []Sample, lists ...string) fakeVariant {
	return fakeVariant{name, []Param{scriptParam}, func(r Request) (Binding, error) {
		return bindChoice(r, name, c(), slices.Clone(lists)...)
	}, samples}
}
