package masking

import (
	"encoding/binary"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Numbers and codes are masked as symbols: a decimal digit of any script is its
// value, 0 to 9, and a letter of a–z in either case is 10 to 35. All else in a text
// is layout, and stays where it is: 12-34 X and 1234x are the same symbols.
//
// Symbols are permuted class by class: a digit becomes a digit, a letter a letter.
// What is kept – layout, case, script, classes, a prefix – is to be read from
// the output as from the input. So the permutation may be chosen by any of it,
// and the whole map is a bijection as long as each permutation is one.
const (
	symbolLetter = 10 // the symbol of a
	symbolsMost  = 64 // more are no code or number

	// A half of a Feistel network has at most 2⁶³ values. By these weights, which are
	// as the logarithms of 10 and 26, halves of a text of at most symbolWeight have
	// at most 2⁶¹.
	digitWeight  = 12
	letterWeight = 17
	symbolWeight = 400
)

// scanSymbols appends the symbols of v to dst. It reports false if v has other
// letters, marks or numbers, or too many symbols. Where accents make no
// difference, many a sign equals a letter, so that none may stand in the layout.
func scanSymbols(dst, v []byte, e Equality) (syms []byte, ok bool) {
	most := len(dst) + symbolsMost
	for i := 0; i < len(v); {
		if len(dst) > most {
			return dst, false
		}
		switch c := v[i]; {
		case c-'0' <= 9:
			dst = append(dst, c-'0')
			i++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			dst = append(dst, c|0x20-'a'+symbolLetter)
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(v[i:])
			i += size
			if d, is := digitValue(r); is {
				dst = append(dst, d)
			} else if e&(FoldAccents|foldsMore) != 0 || r == utf8.RuneError || tells(r) {
				return dst, false
			}
		}
	}
	return dst, len(dst) <= most
}

// appendSymbols adds v with other symbols: each digit in the script of what stood
// there, each letter in its case, or as a capital where a digit stood. Without
// letters, the letters of v are layout.
func appendSymbols(out *textBuilder, v, syms []byte, letters bool) {
	out.grow(len(v)) // a digit has as many bytes as the others of its script
	next := 0
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c-'0' <= 9, letters && c|0x20 >= 'a' && c|0x20 <= 'z':
			sym := syms[next]
			next++
			i++
			if sym < symbolLetter {
				out.buf = append(out.buf, '0'+sym)
				continue
			}
			out.buf = append(out.buf, 'A'-symbolLetter+sym|c&0x20&(c>>1)) // a digit has the bit of small letters, and not the one above
		case c < utf8.RuneSelf:
			out.buf = append(out.buf, c)
			i++
		default:
			r, size := utf8.DecodeRune(v[i:])
			if d, is := digitValue(r); is {
				r += rune(syms[next]) - rune(d)
				next++
			}
			out.buf = utf8.AppendRune(out.buf, r)
			i += size
		}
	}
	out.end()
}

// readSymbols returns the number that symbols spell, each in the base of its class,
// and how many numbers symbols of these classes spell.
func readSymbols(syms []byte) (v, n uint64) {
	n = 1
	for _, sym := range syms {
		if sym < symbolLetter {
			v, n = v*10+uint64(sym), n*10
		} else {
			v, n = v*26+uint64(sym-symbolLetter), n*26
		}
	}
	return v, n
}

// writeSymbols is the inverse of readSymbols: syms has the classes, and gets the values.
func writeSymbols(syms []byte, v uint64) {
	for i := len(syms) - 1; i >= 0; i-- {
		if syms[i] < symbolLetter {
			syms[i] = byte(v % 10)
			v /= 10
		} else {
			syms[i] = byte(v%26) + symbolLetter
			v /= 26
		}
	}
}

// half returns how many symbols are the first half of a Feistel network, and the
// weight of all.
func half(syms []byte) (k, weight int) {
	letters := 0
	for _, sym := range syms {
		if sym >= symbolLetter {
			letters++
		}
	}
	weight = digitWeight*len(syms) + (letterWeight-digitWeight)*letters
	if letters == 0 {
		return len(syms) / 2, weight
	}
	first := 0
	for _, sym := range syms {
		if first += digitWeight; sym >= symbolLetter {
			first += letterWeight - digitWeight
		}
		if 2*first > weight {
			break
		}
		k++
	}
	return k, weight
}

// setHalves puts symbols into lane i, of which the first k are the one half.
func (s *scratch) setHalves(i int, syms []byte, k int, tweak uint64) {
	s.l[i], s.a[i] = readSymbols(syms[:k])
	s.r[i], s.b[i] = readSymbols(syms[k:])
	s.tweak[i] = tweak
}

// getHalves takes them out again.
func (s *scratch) getHalves(i int, syms []byte, k int) {
	writeSymbols(syms[:k], s.l[i])
	writeSymbols(syms[k:], s.r[i])
}

// symbolTweak digests what is kept of a value to 56 bits: how many symbols it has, of
// which classes, and those of them that are kept. Two values that share a digest
// share a permutation, which does no harm.
func symbolTweak(kept, masked []byte) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(kept))<<8 | uint64(len(masked))
	for _, sym := range kept {
		h = (h ^ uint64(sym)<<16) * prime
		h ^= h >> 29
	}
	classes := uint64(0)
	for _, sym := range masked {
		classes = classes<<1 | uint64((sym+128-symbolLetter)>>7)
	}
	h = (h ^ classes<<17 ^ classes>>47) * prime
	h ^= h >> 31
	return h * prime >> 8
}

// symbolPermuter permutes strings of symbols, a string as a whole. It is safe for
// concurrent use.
//
// A class of strings of more than 2²⁰ goes through the Feistel network. A smaller one
// has a table for its size, x ↦ T(x + u) + v, of which u and v are keyed by the
// tweak: a tweakable permutation after Liskov, Rivest and Wagner ("Tweakable Block
// Ciphers", CRYPTO 2002).
type symbolPermuter struct {
	feistel *feistel
	offsets *aes256
	// tables[d][l] is that of d digits and l letters. There are eighteen, of
	// 11 MB together, and each is made when it is first asked for.
	tables [7][5]func() []uint32
}

func newSymbolPermuter(key Subkey) *symbolPermuter {
	p := &symbolPermuter{feistel: newFeistel(key.For("permute")), offsets: newBlock(key.For("offsets"))}
	size := 1
	for letters := range p.tables[0] {
		n := size
		for digits := range p.tables {
			if n <= tableSize {
				size := n
				p.tables[digits][letters] = sync.OnceValue(func() []uint32 {
					return shuffle(key.For(fmt.Sprintf("shuffle|%d digits, %d letters", digits, letters)), size)
				})
			}
			n *= 10
		}
		size *= 26
	}
	return p
}

// table returns the table of the class that syms are in, or nil.
func (p *symbolPermuter) table(syms []byte) []uint32 {
	if len(syms) >= len(p.tables) {
		return nil
	}
	letters := 0
	for _, sym := range syms {
		if sym >= symbolLetter {
			letters++
		}
	}
	if letters >= len(p.tables[0]) || p.tables[len(syms)-letters][letters] == nil {
		return nil
	}
	return p.tables[len(syms)-letters][letters]()
}

// symbolLanes says which lanes hold symbols: those below large for the network, those
// from small on for a table. The two never meet, since there are as many rows as lanes.
type symbolLanes struct{ large, small int }

// place puts symbols, of a weight of at most symbolWeight, into a lane. The
// masked ones will stand in their place.
func (p *symbolPermuter) place(s *scratch, in *symbolLanes, row int, syms []byte, tweak uint64) {
	if len(syms) == 0 {
		return
	}
	if len(syms) < len(p.tables) && p.table(syms) != nil {
		in.small--
		i := in.small
		s.l[i], s.a[i] = readSymbols(syms)
		s.tweak[i] = tweak
		s.msg[i], s.row[i] = syms, int32(row)
		return
	}
	k, _ := half(syms)
	i := in.large
	s.setHalves(i, syms, k, tweak)
	s.msg[i], s.row[i], s.which[i] = syms, int32(row), uint8(k)
	in.large++
}

// permute masks the symbols of all lanes where they stand.
func (p *symbolPermuter) permute(s *scratch, in symbolLanes) {
	for i := in.small; i < lanes; i++ {
		b := &s.block[i]
		binary.LittleEndian.PutUint64(b[:8], s.tweak[i])
		binary.LittleEndian.PutUint64(b[8:], s.a[i])
	}
	encrypt(p.offsets, s.block[in.small:])
	for i := in.small; i < lanes; i++ {
		n := s.a[i]
		u := uint64(binary.LittleEndian.Uint32(s.block[i][:4])) * n >> 32
		v := uint64(binary.LittleEndian.Uint32(s.block[i][4:8])) * n >> 32
		x := s.l[i] + u
		if x >= n {
			x -= n
		}
		y := uint64(p.table(s.msg[i])[x]) + v
		if y >= n {
			y -= n
		}
		writeSymbols(s.msg[i], y)
	}
	p.feistel.permute(s, in.large)
	for i := range in.large {
		s.getHalves(i, s.msg[i], int(s.which[i]))
	}
}

// accountMasked is how many symbols of an account number are masked at least.
const accountMasked = 6

var digitVariants = []fakeVariant{
	{"account", []Param{
		{Name: "keep", Summary: "of accounts and postcodes: letters and digits that stay at the start; without it none", Type: "int"},
	}, bindAccount, []Sample{
		{Column: Column{Kind: Text, Unique: true}, Values: []string{"0012-345678-9", "00123456789", "CH-4711"}},
		{Spec: Spec{Params: map[string]any{"keep": int64(4)}}, Column: Column{Kind: Text}, Values: []string{"2000 1234567", "2000 1234568", "4711"}},
		{Column: Column{Kind: Int, Bits: 64, Unique: true}, Values: []string{"123456789", "123456790", "7"}},
	}},
	{"postcode", []Param{
		{Name: "keep", Summary: "of accounts and postcodes: letters and digits that stay at the start; without it none", Type: "int"},
	}, bindPostcode, []Sample{
		{Column: Column{Kind: Text}, Values: []string{"SW1A 1AA", "10115", "02134-1000"}},
		{Spec: Spec{Params: map[string]any{"keep": int64(2)}}, Column: Column{Kind: Text}, Values: []string{"SW1A 1AA", "10115", "10117"}},
	}},
}

// bindAccount binds {fake: account}: the digits of an account number, a customer
// number or a meter are permuted, and its letters, each in its place; however it is
// punctuated it masks alike. {keep: N} leaves the first N letters and digits, a
// branch or a product, as far as six are masked behind them; a number that is
// shorter is masked all over.
//
// Integers keep their number of digits (see digitCounts); decimal texts too.
func bindAccount(req Request) (Binding, error) {
	return bindSymbols(req, "account", accountMasked, "an account number")
}

// bindPostcode binds {fake: postcode}: letters become letters and digits digits, as
// {pseudonym: code} does it. {keep: N} leaves the first N of them, the region, but
// the last two are always masked. The postcode need not be one that there is.
func bindPostcode(req Request) (Binding, error) {
	return bindSymbols(req, "postcode", postcodeMasked, "a postcode")
}

const postcodeMasked = 2

// bindSymbols binds a variant of fake to symbols, of which at least some are masked.
func bindSymbols(req Request, variant string, masked int, what string) (Binding, error) {
	col := req.Column
	keep, _ := req.Spec.Params["keep"].(int64)
	if keep < 0 || keep > symbolsMost {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake %s cannot keep %d characters", variant, keep), Help: "keep is how many letters and digits stay at the start: keep: 2"}
	}
	if err := refuseLabels("fake "+variant, col); err != nil {
		return Binding{}, err
	}
	key := subkey(req.Key.For(variant))
	if col.Kind != Text {
		if keep > 0 {
			return Binding{}, &BindError{Reason: fmt.Sprintf("fake %s keeps no digits of a number", variant), Help: "leave keep out: the number of digits stays, and no more"}
		}
		return bindDigitCounts(req, key)
	}
	b := Binding{
		Transform: &symbolTransform{
			permuter: newSymbolPermuter(key), other: newScrambler(key.For("other"), col.Equality), equality: col.Equality,
			keep: int(keep), masked: masked, strict: col.Unique, what: what,
		},
		Guarantees: Guarantees{
			Deterministic: true, Injective: col.Unique, Reversible: col.Unique,
			KeepsFormat: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true,
		},
		Pinned: fmt.Sprintf("keeps %d", keep),
	}
	b.Warnings = fewSymbols(col, what)
	return b, nil
}

// fewSymbols warns of a column so short that its values are few.
func fewSymbols(col Column, what string) []string {
	if col.MaxChars == 0 || col.MaxChars > 5 {
		return nil
	}
	return []string{fmt.Sprintf("%s of %d digits is one of %d: whoever knows how often each occurs can tell them apart", what, col.MaxChars, pow10[col.MaxChars])}
}

// symbolTransform permutes the symbols of a text: codes, account numbers, postcodes.
type symbolTransform struct {
	permuter *symbolPermuter
	other    *scrambler // of what is no such text; nil if that is always an error
	equality Equality
	keep     int // symbols that stay at the start,
	masked   int // but so many are masked behind them
	strict   bool
	what     string // an account number
}

// What a row of the batch is to a transform of numbers and codes.
const (
	rowKept  = iota // NULL, blank, nothing to mask
	rowValue        // its symbols are masked
	rowOther        // something else
)

func (t *symbolTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var what [lanes]uint8
	var starts [lanes + 1]int // of a row's symbols in s.text
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		used := symbolLanes{small: lanes}
		s.text = s.reserve(rows * (symbolsMost + 1))
		for i := range rows {
			what[i], starts[i] = rowKept, len(s.text)
			if values.null(base + i) {
				continue
			}
			from := len(s.text)
			var ok bool
			s.text, ok = scanSymbols(s.text, values.value(base+i), t.equality)
			syms := s.text[from:]
			switch {
			case !ok || !t.place(s, &used, i, syms):
				if t.strict {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not " + t.what + " of a–z and digits, in a column whose values must stay apart", Help: "use token for a column of mixed texts"}
				}
				what[i] = rowOther
				s.text = s.text[:from]
			case len(syms) > 0:
				what[i] = rowValue
			}
		}
		t.permuter.permute(s, used)
		for i := range rows {
			switch {
			case values.null(base + i):
				out.null()
			case what[i] == rowValue:
				appendSymbols(out, values.value(base+i), s.text[starts[i]:], true)
			case what[i] == rowOther:
				t.other.add(out, values.value(base+i), s)
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// place puts what is masked of the symbols into a lane, or reports false if that is too long.
func (t *symbolTransform) place(s *scratch, used *symbolLanes, row int, syms []byte) bool {
	keep := min(t.keep, max(len(syms)-t.masked, 0))
	if _, weight := half(syms[keep:]); weight > symbolWeight {
		return false
	}
	t.permuter.place(s, used, row, syms[keep:], symbolTweak(syms[:keep], syms[keep:]))
	return true
}

// reserve returns s.text with room for n bytes more, so that appending them moves
// nothing that a lane holds on to.
func (s *scratch) reserve(n int) []byte {
	if cap(s.text)-len(s.text) >= n {
		return s.text
	}
	grown := make([]byte, len(s.text), len(s.text)+n)
	copy(grown, s.text)
	return grown
}
