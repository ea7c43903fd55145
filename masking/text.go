package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// shapeFactory makes {shape: text}: every letter becomes a letter of the same
// script and case, every digit and number one of its own kind, and all else stays:
// marks, punctuation, emoji, spaces. So a value keeps its length in characters and
// in bytes, its direction, its trailing blanks, and the way it looks.
//
// Exchanged is what stands for something: Unicode's letters, digits and numbers,
// letters in circles and squares, Braille. See dictionary.Letters. A code point
// that is unassigned there or private might be a letter to somebody, and becomes
// a sign of the same length; so does each byte that is not UTF-8.
//
// The whole value and the position decide about a character: equal values mask
// alike, equal letters within a value do not. A value with anything to exchange
// never stays what it is.
type shapeFactory struct{}

func (shapeFactory) Describe() Description {
	return Description{
		Name:     "shape",
		Version:  1,
		Summary:  "Replaces letters by letters of the same script and case and digits by digits; the rest and the length stay.",
		Kinds:    []Kind{Text},
		Variants: []string{"text"},
		Samples: []Sample{{Spec: Spec{Variant: "text"}, Column: Column{Kind: Text},
			Values: []string{"Call Maria at 5 pm!", "Привет, мир", "東京都港区 1-2-3 😀"}}},
	}
}

func (shapeFactory) Bind(req Request) (Binding, error) {
	if err := refuseLabels("shape", req.Column); err != nil {
		return Binding{}, err
	}
	t := newShape(req.Key, "shape")
	t.within(req.Column.Charset)
	t.equality, t.maxChars, t.maxBytes = req.Column.Equality, req.Column.MaxChars, req.Column.MaxBytes
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsFormat: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     shapePinned(),
	}
	t.equality = t.equality.byLetters()
	if t.equality&FoldAccents != 0 {
		// ß becomes two letters, as it is equal to ss.
		b.Guarantees.KeepsLength = false
	}
	return b, nil
}

// shapePinned says what shape goes by beside key and domain.
func shapePinned() string {
	return "letters of Unicode " + dictionary.UnicodeVersion() + ", dictionary " + dictionary.HashOf("letters")
}

// shapeTransform makes one keyed block of each value and stretches it to as many
// bytes as the value has: the first 16 are the block itself, the next are the
// encryption of the block with 1, 2, … added by exclusive or, under another key.
// A character of n bytes is chosen by the n bytes of that stream at its place.
type shapeTransform struct {
	prf      *prf
	stream   *aes256
	letters  *letterTable
	charset  Charset
	equality Equality
	// Limits of the column, which only what is equal to something longer can pass; 0 is none.
	maxChars, maxBytes int
}

// within keeps the output within a character set: all that a database holds below
// U+10000 has targets below it; Latin-1 has a table of its own; and of what
// is not known ASCII alone is sure.
func (t *shapeTransform) within(c Charset) {
	t.charset = c
	if c == Latin1 {
		t.letters = latin1Letters()
	}
}

var latin1Letters = sync.OnceValue(func() *letterTable { return letters().restricted() })

func newShape(key Subkey, use string) *shapeTransform {
	return &shapeTransform{prf: newPRF(key.For(use)), stream: newBlock(key.For(use + " stream")), letters: letters()}
}

// The stream is made a window at a time. A character that begins inside the
// window may end outside: hence one block more.
const (
	streamWindow = 1024
	streamBlocks = streamWindow/aes.BlockSize + 1
)

type shapeScratch struct {
	stream [streamBlocks * aes.BlockSize]byte // of one value
	word   [8]byte
	bases  []rune
	other  []rune
	narrow []byte

	// The streams of several values, and where each lane's begins. The last block
	// is there to be read past the end, and thrown away.
	streams [(lanes + 1) * aes.BlockSize]byte
	first   [lanes]uint16
}

func (s *shapeScratch) free() {
	clear(s.narrow)
	clear(s.bases)
	shapeScratches.Put(s)
}

var shapeScratches = sync.Pool{New: func() any { return new(shapeScratch) }}

func (t *shapeTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, bytesOf(&values))
	s, ss := getScratch(), shapeScratches.Get().(*shapeScratch)
	defer s.free()
	defer ss.free()
	folds := t.equality.folds()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := gather(s, &values, base, rows)
		t.prf.sumsUnder(s, n, t.equality)
		lane, ready := 0, 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				v := values.value(base + i)
				if folds {
					t.addEqual(out, v, &s.block[lane], ss)
					lane++
					continue
				}
				if lane == ready {
					ready = t.expandMany(s, ss, &values, base, lane, n)
				}
				many := len(v) <= streamWindow
				if t.charset == ASCII {
					v = t.narrow(v, ss)
				}
				out.grow(len(v))
				from := len(out.buf)
				out.buf = out.buf[:from+len(v)]
				if dst := out.buf[from:]; many {
					t.exchange(dst, v, 0, len(v), ss.streams[ss.first[lane]:], ss)
					t.differ(dst, v)
				} else {
					t.shape(dst, v, &s.block[lane], ss)
				}
				out.buf = t.charset.appendHeld(out.buf[:from], out.buf[from:], v)
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

// bytesOf returns how many bytes the values have in all.
func bytesOf(values *texts) int {
	size := 0
	if values.views != nil && !values.anyNull {
		for i := range values.views {
			size += values.views[i].Len()
		}
		return size
	}
	for i := range values.n {
		if !values.null(i) {
			size += len(values.value(i))
		}
	}
	return size
}

// shape writes the mask of src to dst, which is as long.
func (t *shapeTransform) shape(dst, src []byte, seed *[aes.BlockSize]byte, s *shapeScratch) {
	i := 0
	for window := 0; window < len(src); window += streamWindow {
		t.expand(s, seed, window/aes.BlockSize, min(streamBlocks, (len(src)-window+aes.BlockSize-1)/aes.BlockSize))
		i = window + t.exchange(dst[window:], src[window:], i-window, min(streamWindow, len(src)-window), s.stream[:], s)
	}
	t.differ(dst, src)
}

// exchange masks the characters of src that begin from i on and before end, and
// returns where the next one begins. The stream belongs to src, byte by byte, and
// can be read for a block longer.
func (t *shapeTransform) exchange(dst, src []byte, i, end int, stream []byte, s *shapeScratch) int {
	for i < end {
		if end-i >= 8 {
			w := binary.LittleEndian.Uint64(src[i:])
			if w&highBits == 0 {
				binary.LittleEndian.PutUint64(dst[i:], shapeASCII(w, binary.LittleEndian.Uint64(stream[i:])))
				i += 8
				continue
			}
		} else if tail := src[i:end]; isASCII(tail) {
			// The few bytes at the end are masked as a word of which the rest is thrown away.
			// The stream has room: what lies behind its end belongs to nobody.
			w, _ := load(tail)
			w = shapeASCII(w, binary.LittleEndian.Uint64(stream[i:]))
			binary.LittleEndian.PutUint64(s.word[:], w)
			copy(dst[i:end], s.word[:])
			return end
		}
		for stop := min(i+8, end); i < stop; {
			if c := src[i]; c < utf8.RuneSelf {
				a := &asciiLetters[c]
				dst[i] = a.first + byte(uint16(stream[i])*a.count>>8)
				i++
				continue
			}
			i += t.letters.mask(dst[i:], src[i:], stream[i:])
		}
	}
	return i
}

// differ makes dst another text than src, if there is one.
func (t *shapeTransform) differ(dst, src []byte) {
	if bytes.Equal(dst, src) {
		t.letters.bump(dst)
	}
}

// expand fills n blocks of the stream from block first on.
func (t *shapeTransform) expand(s *shapeScratch, seed *[aes.BlockSize]byte, first, n int) {
	stream := s.stream[:n*aes.BlockSize]
	count(stream, seed, first)
	encrypt(t.stream, blocksOf(stream))
	if first == 0 { // block 0 is the seed itself
		copy(stream, seed[:])
	}
}

// expandMany makes the streams of the values of lane and those behind it, as many as
// there is room for, and returns the lane behind them. Values longer than a window
// get none.
func (t *shapeTransform) expandMany(s *scratch, ss *shapeScratch, values *texts, base, lane, n int) int {
	used, from := 0, lane
	for ; lane < n; lane++ {
		size := len(values.value(base + int(s.row[lane])))
		if size > streamWindow {
			continue
		}
		end := used + (size+aes.BlockSize-1)&^(aes.BlockSize-1)
		if end > lanes*aes.BlockSize {
			break
		}
		count(ss.streams[used:end], &s.block[lane], 0)
		ss.first[lane] = uint16(used)
		used = end
	}
	encrypt(t.stream, blocksOf(ss.streams[:used]))
	for i := from; i < lane; i++ {
		if size := len(values.value(base + int(s.row[i]))); size <= streamWindow {
			*(*[aes.BlockSize]byte)(ss.streams[ss.first[i]:]) = s.block[i]
		}
	}
	return lane
}

// count fills blocks with the seed and their numbers from first on.
func count(blocks []byte, seed *[aes.BlockSize]byte, first int) {
	lo, hi := binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])
	for n := uint64(first); len(blocks) >= aes.BlockSize; n++ {
		binary.LittleEndian.PutUint64(blocks, lo^n)
		binary.LittleEndian.PutUint64(blocks[8:], hi)
		blocks = blocks[aes.BlockSize:]
	}
}

// blocksOf returns bytes as blocks.
func blocksOf(b []byte) [][aes.BlockSize]byte {
	return unsafe.Slice((*[aes.BlockSize]byte)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/aes.BlockSize)
}

const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
	evenByte = 0x00ff00ff00ff00ff
)

// shapeASCII masks eight bytes below 0x80 by eight bytes of the stream.
func shapeASCII(w, stream uint64) uint64 {
	lower := w | 0x20*ones
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x7f-'z')*ones) & highBits >> 7 * 0xff
	digit := (w + (0x80-'0')*ones) &^ (w + (0x7f-'9')*ones) & highBits >> 7 * 0xff
	even, odd := stream&evenByte, stream>>8&evenByte
	letters := even*26>>8&evenByte | odd*26&^evenByte
	digits := even*10>>8&evenByte | odd*10&^evenByte
	letters += 'A'*ones + w&(0x20*ones) // the bit of the case stays
	digits += '0' * ones
	return w&^(letter|digit) | letters&letter | digits&digit
}

// asciiLetters holds for each byte what it is chosen from, as letterTable does: the
// way of the few bytes between others.
var asciiLetters = func() (t [utf8.RuneSelf]struct {
	first byte
	count uint16
}) {
	for c := range t {
		t[c].first = byte(c)
		switch {
		case 'a' <= c && c <= 'z':
			t[c].first, t[c].count = 'a', 26
		case 'A' <= c && c <= 'Z':
			t[c].first, t[c].count = 'A', 26
		case '0' <= c && c <= '9':
			t[c].first, t[c].count = '0', 10
		}
	}
	return t
}()

func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&highBits != 0 {
			return false
		}
	}
	lo, _ := load(b)
	return lo&highBits == 0
}

// letterTable finds the class of a code point in two steps.
type letterTable struct {
	page    [(utf8.MaxRune + 1) >> 8]uint16
	pages   [][256]uint16 // noClass, keptClass, or an index of classes
	classes []letterClass
}

type letterClass struct {
	first rune   // with the count, if the targets are contiguous
	count uint64 // how many targets there are
	list  []rune // the targets, if not
}

const (
	noClass = iota
	keptClass
	firstClass
)

// What stands for a byte that is not UTF-8, and for code points of 2, 3 and 4 bytes
// whose meaning is unknown: none of them is a letter, and each has the length.
const (
	unknown1 = '?'
	unknown2 = '\u00A4' // currency sign
	unknown3 = utf8.RuneError
	unknown4 = '\U0001F0A0' // the back of a playing card
)

var letters = sync.OnceValue(func() *letterTable {
	t := &letterTable{pages: make([][256]uint16, 1), classes: make([]letterClass, firstClass)}
	set := func(rs []dictionary.Range, class uint16) {
		for _, span := range rs {
			for r := span.Lo; r <= span.Hi; r += span.Step {
				if t.page[r>>8] == 0 {
					t.page[r>>8] = uint16(len(t.pages))
					t.pages = append(t.pages, [256]uint16{})
				}
				t.pages[t.page[r>>8]][r&0xff] = class
			}
		}
	}
	classes, kept := dictionary.Letters()
	set(kept, keptClass)
	for _, c := range classes {
		set(c.Members, uint16(len(t.classes)))
		lc := letterClass{first: c.Targets[0].Lo}
		if len(c.Targets) == 1 && c.Targets[0].Step == 1 {
			lc.count = uint64(c.Targets[0].Hi - c.Targets[0].Lo + 1)
		} else {
			for _, span := range c.Targets {
				for r := span.Lo; r <= span.Hi; r += span.Step {
					lc.list = append(lc.list, r)
				}
			}
			lc.count = uint64(len(lc.list))
		}
		t.classes = append(t.classes, lc)
	}
	return t
})

func (t *letterTable) class(r rune) uint16 { return t.pages[t.page[r>>8]][r&0xff] }

func (c *letterClass) at(i uint64) rune {
	if c.list != nil {
		return c.list[i]
	}
	return c.first + rune(i)
}

// mask masks the first character of src to dst by the stream, and returns its length in bytes.
func (t *letterTable) mask(dst, src, stream []byte) int {
	r, size := utf8.DecodeRune(src)
	if r == utf8.RuneError && size == 1 {
		dst[0] = unknown1
		return 1
	}
	switch class := t.class(r); class {
	case keptClass:
		copy(dst, src[:size])
		return size
	case noClass:
		r = unknownOf(size)
	default:
		var x uint64
		for _, b := range stream[:size] {
			x = x<<8 | uint64(b)
		}
		c := &t.classes[class]
		r = c.at(x * c.count >> (8 * size))
	}
	// The length is known, so this is shorter than utf8.EncodeRune.
	dst = dst[:size]
	for i := size - 1; i > 0; i-- {
		dst[i] = 0x80 | byte(r)&0x3f
		r >>= 6
	}
	dst[0] = leadByte[size] | byte(r)
	return size
}

// leadByte holds the marks of the first of so many bytes.
var leadByte = [...]byte{1: 0x00, 2: 0xc0, 3: 0xe0, 4: 0xf0}

func unknownOf(size int) rune {
	switch size {
	case 2:
		return unknown2
	case 3:
		return unknown3
	}
	return unknown4
}

// bump moves the first character of a text that has a choice to the next one of its class.
func (t *letterTable) bump(text []byte) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if class := t.class(r); class >= firstClass && t.classes[class].count > 1 {
			c := &t.classes[class]
			for j := range c.count {
				if c.at(j) == r {
					utf8.EncodeRune(text[i:], c.at((j+1)%c.count))
					return
				}
			}
		}
		i += size
	}
}
