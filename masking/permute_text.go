package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// textPermutation is a keyed permutation of strings: every letter becomes a letter
// of its alphabet and case, every digit a digit, all else stays where it is. So
// the length, in characters and bytes, and the pattern stay, and what a CHECK
// wants of a user name holds.
//
// The characters that are exchanged make one integer in a mixed radix, whose halves
// go through a Feistel network with the pattern as tweak: a bijection of the
// strings of each pattern, so that different strings stay different. Case is part
// of neither integer nor pattern and comes back at its place: strings that differ
// in case alone do so afterwards, and what a database calls equal stays equal. What has more than
// two times 63 bits is cut into pieces. Each piece is permuted with the pattern and
// all other pieces as tweak, forth and back, every step of which can be undone. A
// string with a single character to exchange goes by a table.
//
// Where the database makes no difference by marks, letters lose theirs, and only
// those of a–z are exchanged; their capitals become small.
//
// A letter, digit or mark of no alphabet here is an error: it could not be kept
// without being shown.
type textPermutation struct {
	prf      *prf
	feistel  *feistel
	single   [len(alphabets)][]uint32
	equality Equality
	charset  Charset
	limit    limits
}

// alphabet is a run of code points of which one stands for another, all of one
// length in UTF-8; the capitals are as many code points before.
type alphabet struct {
	first   rune
	n       uint64
	capital rune // what a small letter is more than its capital; 0 is no case
}

var alphabets = [...]alphabet{
	{'a', 26, 32}, {'0', 10, 0}, // these two are found without a search
	{0xE0, 23, 32}, {0xF8, 7, 32}, // à–ö, ø–þ
	{0x3B1, 17, 32}, {0x3C3, 7, 32}, // α–ρ, σ–ω
	{0x430, 32, 32}, {0x450, 16, 80}, // а–я, ѐ–џ
	{0x5D0, 27, 0},                 // א–ת
	{0x621, 26, 0}, {0x641, 10, 0}, // ء–غ, ف–ي
	{0x3041, 86, 0}, {0x30A1, 90, 0}, // kana
	{0x4E00, 20992, 0}, // Han
	{0xAC00, 11172, 0}, // Hangul
}

const maxPermuted = 255 // characters of a string

func bindTextPermutation(key Subkey, use string, col Column) Binding {
	t := &textPermutation{
		prf:      newPRF(key.For(use + " pattern")),
		feistel:  newFeistel(key.For(use + " permutation")),
		equality: col.Equality,
		charset:  col.Charset,
		limit:    limitsOf(col),
	}
	for i, a := range alphabets {
		t.single[i] = shuffle(key.For(fmt.Sprintf("%s single|%d", use, i)), int(a.n))
	}
	plain := col.Equality&(FoldAccents|foldsMore) == 0
	return Binding{
		Transform: t,
		Guarantees: Guarantees{
			Deterministic: true, Injective: true, Reversible: plain, KeepsFormat: plain, KeepsLength: plain, KeepsNull: true, KeepsEmpty: true,
		},
		Warnings: []string{"each value keeps its length and its pattern of letters and digits, and one of few characters can be told by its frequency"},
		Pinned:   fmt.Sprintf("permutation of strings, %s, Unicode %s", col.Equality, unicode.Version),
	}
}

// letterOf returns the alphabet of r, its place there, and whether it is a capital. -1
// is none.
func letterOf(r rune) (class int, place uint64, capital bool) {
	switch {
	case r >= 'a' && r <= 'z':
		return 0, uint64(r - 'a'), false
	case r >= 'A' && r <= 'Z':
		return 0, uint64(r - 'A'), true
	case r >= '0' && r <= '9':
		return 1, uint64(r - '0'), false
	case r < utf8.RuneSelf:
		return -1, 0, false
	}
	for class := 2; class < len(alphabets); class++ {
		a := &alphabets[class]
		if at := r - a.first; at >= 0 && uint64(at) < a.n {
			return class, uint64(at), false
		}
		if at := r - a.first + a.capital; a.capital > 0 && at >= 0 && uint64(at) < a.n {
			return class, uint64(at), true
		}
	}
	return -1, 0, false
}

// halves is an integer in a mixed radix, as its two halves below a and b: each
// further character goes to the half whose turn it is, as its highest digit. l is first.
type halves struct{ l, r, a, b uint64 }

// A half has at most 2⁶³ values: one with more than so many has no room for a letter or
// a digit of ASCII, or one of an alphabet.
const (
	mostBeforeLetter = 1 << 63 / 26
	mostBeforeDigit  = 1 << 63 / 10
)

var mostBefore = func() (m [len(alphabets)]uint64) {
	for i, a := range alphabets {
		m[i] = 1 << 63 / a.n
	}
	return m
}()

// appendPieces appends the integers of a string, one at least, and returns how
// many characters are exchanged.
func appendPieces(dst []halves, v []byte) (pieces []halves, count int) {
	// x is the half whose turn it is, y the other one. Behind each character they change places.
	x, xn, y, yn := uint64(0), uint64(1), uint64(0), uint64(1)
	begun := 0 // the count when the piece began
	for i := 0; i < len(v); {
		var digit, radix, most uint64
		switch c := v[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			digit, radix, most = uint64(c|0x20-'a'), 26, mostBeforeLetter
			i++
		case c-'0' <= 9:
			digit, radix, most = uint64(c-'0'), 10, mostBeforeDigit
			i++
		case c < utf8.RuneSelf:
			i++
			continue
		default:
			r, size := utf8.DecodeRune(v[i:])
			i += size
			class, place, _ := letterOf(r)
			if class < 0 {
				continue
			}
			digit, radix, most = place, alphabets[class].n, mostBefore[class]
		}
		if xn > most {
			dst = appendPiece(dst, x, xn, y, yn, count-begun)
			x, xn, y, yn = 0, 1, 0, 1
			begun = count
		}
		x, xn, y, yn = y, yn, x+digit*xn, xn*radix
		count++
	}
	return appendPiece(dst, x, xn, y, yn, count-begun), count
}

func appendPiece(dst []halves, x, xn, y, yn uint64, count int) []halves {
	if count%2 == 1 {
		x, xn, y, yn = y, yn, x, xn
	}
	return append(dst, halves{l: x, a: xn, r: y, b: yn})
}

// What a string is, as to how it is permuted.
const (
	wholeText  = iota // one integer
	singleText        // one character
	longText          // several integers
)

func (t *textPermutation) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, bytesOf(&values))
	s := getScratch()
	defer s.free()
	ts := textScratches.Get().(*textScratch)
	defer ts.free()
	var own [lanes][]byte
	var sums [lanes][aes.BlockSize]byte
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := gather(s, &values, base, rows)
		s.text, ts.pieces = s.text[:0], ts.pieces[:0]
		for lane := range n {
			v := s.msg[lane]
			if t.equality&(FoldAccents|foldsMore) != 0 {
				v = s.canonical(v, t.equality)
			}
			own[lane] = v
			if reason := t.read(s, ts, lane, v); reason != "" {
				out.drop()
				return nil, &ValueError{Row: base + int(s.row[lane]), Reason: reason, Help: "mask this column by {token: base32}"}
			}
		}
		t.prf.sums(s, n)
		for lane := range n {
			sums[lane] = s.block[lane] // the network uses the blocks
			s.tweak[lane] = binary.LittleEndian.Uint64(s.block[lane][:]) >> 8
		}
		t.feistel.permute(s, n)
		t.permuteLong(s, ts, n, &sums)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				v := own[lane]
				out.grow(len(v))
				from := len(out.buf)
				pieces := ts.pieces[ts.first[lane]:][:ts.count[lane]]
				if s.which[lane] == wholeText {
					pieces[0].l, pieces[0].r = s.l[lane], s.r[lane]
				}
				if s.which[lane] == singleText {
					out.buf = t.one(out.buf, v)
				} else {
					out.buf = write(out.buf, v, pieces)
				}
				if !t.limit.hold(out.buf[from:]) {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "longer than the column without its ligatures", Help: "mask this column by {token: base32}"}
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

// textScratch is the space for the integers of one batch of lanes.
type textScratch struct {
	pieces       []halves
	first, count [lanes]int32 // of a lane's among the pieces
	long         [lanes]uint8 // the lanes of several
}

var textScratches = sync.Pool{New: func() any { return new(textScratch) }}

// free gives the space back, without what it knew of values.
func (ts *textScratch) free() {
	clear(ts.pieces[:cap(ts.pieces)])
	textScratches.Put(ts)
}

// read puts the integer of a string in a lane, and its pattern as the lane's message:
// a leading 0, a letter for each character that is exchanged, itself for all others.
// It returns what is wrong with the string, or "".
func (t *textPermutation) read(s *scratch, ts *textScratch, lane int, v []byte) string {
	from := len(s.text)
	var reason string
	s.text, reason = t.pattern(append(s.text, 0), v)
	if reason != "" {
		return reason
	}
	s.msg[lane] = s.text[from:len(s.text):len(s.text)]
	first, count := len(ts.pieces), 0
	ts.pieces, count = appendPieces(ts.pieces, v)
	ts.first[lane], ts.count[lane] = int32(first), int32(len(ts.pieces)-first)
	h := ts.pieces[first]
	switch {
	case ts.count[lane] > 1:
		s.which[lane], h = longText, halves{a: 1, b: 1}
	case count == 1:
		s.which[lane], h = singleText, halves{a: 1, b: 1}
	default:
		s.which[lane] = wholeText
	}
	s.l[lane], s.r[lane], s.a[lane], s.b[lane] = h.l, h.r, h.a, h.b
	return ""
}

// pattern appends the pattern of a string, without the blanks at its end where
// they make no difference.
func (t *textPermutation) pattern(dst, v []byte) ([]byte, string) {
	if t.equality&PadSpace != 0 {
		v = bytes.TrimRight(v, " ")
	}
	if len(v) <= maxPermuted && isASCII(v) {
		for _, c := range v {
			switch {
			case c|0x20 >= 'a' && c|0x20 <= 'z':
				dst = append(dst, 'a')
			case c-'0' <= 9:
				dst = append(dst, 'b')
			default:
				dst = append(dst, '=', c)
			}
		}
		return dst, ""
	}
	chars := 0
	for i := 0; i < len(v); chars++ {
		r, size := nextRune(v[i:])
		class, _, _ := letterOf(r)
		switch {
		case r == utf8.RuneError && size == 1:
			return dst, "not UTF-8"
		case class >= 2 && (t.equality&(FoldAccents|foldsMore) != 0 || t.charset == ASCII), class < 0 && r >= utf8.RuneSelf && tells(r):
			return dst, "it has a letter, a number or a mark of no alphabet whose strings are permuted"
		case class >= 0:
			dst = append(dst, 'a'+byte(class))
		default:
			dst = append(dst, '=')
			dst = append(dst, v[i:i+size]...)
		}
		i += size
	}
	if chars > maxPermuted {
		return dst, fmt.Sprintf("longer than the %d characters of a string that is permuted", maxPermuted)
	}
	return dst, ""
}

func nextRune(v []byte) (rune, int) {
	if v[0] < utf8.RuneSelf {
		return rune(v[0]), 1
	}
	return utf8.DecodeRune(v)
}

// write appends the string v with the characters of the integers.
func write(dst, v []byte, pieces []halves) []byte {
	// As in appendPieces: x is the half whose turn it is.
	x, xn, y, yn := pieces[0].l, uint64(1), pieces[0].r, uint64(1)
	pieces = pieces[1:]
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			if xn > mostBeforeLetter {
				x, xn, y, yn = pieces[0].l, 1, pieces[0].r, 1
				pieces = pieces[1:]
			}
			rest := x / 26
			c = 'A' + c&0x20 + byte(x-26*rest)
			x, xn, y, yn = y, yn, rest, xn*26
		case c-'0' <= 9:
			if xn > mostBeforeDigit {
				x, xn, y, yn = pieces[0].l, 1, pieces[0].r, 1
				pieces = pieces[1:]
			}
			rest := x / 10
			c = '0' + byte(x-10*rest)
			x, xn, y, yn = y, yn, rest, xn*10
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(v[i:])
			class, _, capital := letterOf(r)
			if class < 0 {
				dst = append(dst, v[i:i+size]...)
				i += size
				continue
			}
			i += size
			if xn > mostBefore[class] {
				x, xn, y, yn = pieces[0].l, 1, pieces[0].r, 1
				pieces = pieces[1:]
			}
			a := &alphabets[class]
			r = a.first + rune(x%a.n)
			if capital {
				r -= a.capital
			}
			dst = utf8.AppendRune(dst, r)
			x, xn, y, yn = y, yn, x/a.n, xn*a.n
			continue
		}
		dst = append(dst, c)
		i++
	}
	return dst
}

// one appends a string with a single character to exchange.
func (t *textPermutation) one(dst, v []byte) []byte {
	for i := 0; i < len(v); {
		r, size := nextRune(v[i:])
		if class, place, _ := letterOf(r); class >= 0 {
			return write(dst, v, []halves{{l: uint64(t.single[class][place])}})
		}
		i += size
	}
	panic("masking: text permutation: no character to exchange")
}

// permuteLong permutes the integers of the lanes that have several, step by step of all
// of them at once. patterns are the keyed function of the lanes' patterns.
func (t *textPermutation) permuteLong(s *scratch, ts *textScratch, n int, patterns *[lanes][aes.BlockSize]byte) {
	open := 0
	for lane := range n {
		if s.which[lane] == longText {
			ts.long[open] = uint8(lane)
			open++
		}
	}
	if open == 0 {
		return
	}
	one := getScratch()
	defer one.free()
	for step := 0; open > 0; step++ {
		on := 0
		one.text = one.text[:0]
		for _, lane := range ts.long[:open] {
			if step == 2*int(ts.count[lane]) {
				continue
			}
			ts.long[on] = lane
			pieces := ts.pieces[ts.first[lane]:][:ts.count[lane]]
			at := stepAt(step, len(pieces))
			// What is hashed for a step begins otherwise than a pattern, with 0.
			from := len(one.text)
			one.text = append(append(one.text, 1, byte(step)), patterns[lane][:]...)
			for i := range pieces {
				if i != at {
					one.text = binary.LittleEndian.AppendUint64(one.text, pieces[i].l)
					one.text = binary.LittleEndian.AppendUint64(one.text, pieces[i].r)
				}
			}
			one.msg[on] = one.text[from:len(one.text):len(one.text)]
			p := &pieces[at]
			one.l[on], one.r[on], one.a[on], one.b[on] = p.l, p.r, p.a, p.b
			on++
		}
		open = on
		t.prf.sums(one, open)
		for k := range open {
			one.tweak[k] = binary.LittleEndian.Uint64(one.block[k][:]) >> 8
		}
		t.feistel.permute(one, open)
		for k, lane := range ts.long[:open] {
			pieces := ts.pieces[ts.first[lane]:][:ts.count[lane]]
			p := &pieces[stepAt(step, len(pieces))]
			p.l, p.r = one.l[k], one.r[k]
		}
	}
}

// stepAt returns which of n pieces a step permutes: forth and back.
func stepAt(step, n int) int {
	if step < n {
		return step
	}
	return 2*n - 1 - step
}
