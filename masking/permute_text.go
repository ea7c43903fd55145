package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math/bits"
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
	plain := col.Equality&FoldAccents == 0
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
// further character goes to the half whose turn it is, as its highest digit.
type halves struct{ l, r, a, b uint64 }

// add adds a digit, and reports false if a half would pass 2⁶³.
func (h *halves) add(digit, radix uint64, even bool) bool {
	if even {
		return addDigit(&h.l, &h.a, digit, radix)
	}
	return addDigit(&h.r, &h.b, digit, radix)
}

func addDigit(v, mod *uint64, digit, radix uint64) bool {
	hi, lo := bits.Mul64(*mod, radix)
	if hi != 0 || lo > 1<<63 {
		return false
	}
	*v += digit * *mod
	*mod = lo
	return true
}

// take takes the next digit out again.
func (h *halves) take(radix uint64, even bool) uint64 {
	half := &h.r
	if even {
		half = &h.l
	}
	digit := *half % radix
	*half /= radix
	return digit
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
	var own [lanes][]byte
	var sums [lanes][aes.BlockSize]byte
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := gather(s, &values, base, rows)
		s.text = s.text[:0]
		for lane := range n {
			v := s.msg[lane]
			if t.equality&FoldAccents != 0 {
				v = s.canonical(v, t.equality)
			}
			own[lane] = v
			if reason := t.read(s, lane, v); reason != "" {
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
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				v := own[lane]
				out.grow(len(v))
				from := len(out.buf)
				switch s.which[lane] {
				case longText:
					out.buf = t.long(out.buf, v, &sums[lane])
				case singleText:
					out.buf = t.one(out.buf, v)
				default:
					one := [1]halves{{l: s.l[lane], r: s.r[lane], a: s.a[lane], b: s.b[lane]}}
					out.buf = write(out.buf, v, one[:])
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

// read puts the integer of a string in a lane, and its pattern as the lane's message:
// a leading 0, a letter for each character that is exchanged, itself for all others.
// It returns what is wrong with the string, or "".
func (t *textPermutation) read(s *scratch, lane int, v []byte) string {
	from := len(s.text)
	var reason string
	s.text, reason = t.pattern(append(s.text, 0), v)
	if reason != "" {
		return reason
	}
	s.msg[lane] = s.text[from:len(s.text):len(s.text)]
	h := halves{a: 1, b: 1}
	count := 0
	s.which[lane] = wholeText
	for i := 0; i < len(v); {
		r, size := nextRune(v[i:])
		i += size
		class, digit, _ := letterOf(r)
		if class < 0 {
			continue
		}
		if !h.add(digit, alphabets[class].n, count%2 == 0) {
			s.which[lane], h = longText, halves{a: 1, b: 1}
			break
		}
		count++
	}
	if count == 1 && s.which[lane] == wholeText {
		s.which[lane], h = singleText, halves{a: 1, b: 1}
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
	chars := 0
	for i := 0; i < len(v); chars++ {
		r, size := nextRune(v[i:])
		class, _, _ := letterOf(r)
		switch {
		case r == utf8.RuneError && size == 1:
			return dst, "not UTF-8"
		case class >= 2 && (t.equality&FoldAccents != 0 || t.charset == ASCII), class < 0 && r >= utf8.RuneSelf && tells(r):
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
	piece, count := 0, 0
	left := pieces[0]
	h := halves{a: 1, b: 1} // what has been taken of the piece
	for i := 0; i < len(v); {
		r, size := nextRune(v[i:])
		class, _, capital := letterOf(r)
		if class < 0 {
			dst = append(dst, v[i:i+size]...)
			i += size
			continue
		}
		i += size
		a := &alphabets[class]
		if len(pieces) > 1 && !h.add(0, a.n, count%2 == 0) {
			piece, count = piece+1, 0
			left, h = pieces[piece], halves{a: 1, b: 1}
			h.add(0, a.n, true)
		}
		out := a.first + rune(left.take(a.n, count%2 == 0))
		if capital {
			out -= a.capital
		}
		dst = utf8.AppendRune(dst, out)
		count++
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

// long appends a string of several integers. pattern is the keyed function of its pattern.
func (t *textPermutation) long(dst, v []byte, pattern *[aes.BlockSize]byte) []byte {
	s := getScratch()
	defer s.free()
	var pieces [maxPermuted]halves
	n, count := 1, 0
	pieces[0] = halves{a: 1, b: 1}
	for i := 0; i < len(v); {
		r, size := nextRune(v[i:])
		i += size
		class, digit, _ := letterOf(r)
		if class < 0 {
			continue
		}
		if !pieces[n-1].add(digit, alphabets[class].n, count%2 == 0) {
			pieces[n] = halves{a: 1, b: 1}
			n, count = n+1, 0
			pieces[n-1].add(digit, alphabets[class].n, true)
		}
		count++
	}
	for step := range 2 * n {
		at := step
		if step >= n {
			at = 2*n - 1 - step
		}
		// What is hashed for a step begins otherwise than a pattern, with 0.
		s.text = append(append(s.text[:0], 1, byte(step)), pattern[:]...)
		for i := range n {
			if i != at {
				s.text = binary.LittleEndian.AppendUint64(s.text, pieces[i].l)
				s.text = binary.LittleEndian.AppendUint64(s.text, pieces[i].r)
			}
		}
		t.prf.sum(&s.block[0], s.text)
		s.tweak[0] = binary.LittleEndian.Uint64(s.block[0][:]) >> 8
		p := &pieces[at]
		s.l[0], s.r[0], s.a[0], s.b[0] = p.l, p.r, p.a, p.b
		t.feistel.permute(s, 1)
		p.l, p.r = s.l[0], s.r[0]
	}
	return write(dst, v, pieces[:n])
}
