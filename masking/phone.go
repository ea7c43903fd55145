package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	phonePrefix = 4  // most digits that are kept: country and area, about
	phoneMasked = 7  // digits that are masked before the first is kept
	phoneTable  = 5  // up to so many digits the permutation is a table
	phoneMost   = 40 // more digits are no phone number
)

var phoneVariants = []fakeVariant{{"phone", []Param{
	{Name: "range", Summary: "of phones: reserved moves them to numbers that nobody has", Type: "string"},
}, bindPhone, []Sample{
	{Column: Column{Kind: Text, Unique: true}, Values: []string{"+1 (212) 555-0123", "12125550123", "112"}},
	{Spec: Spec{Params: map[string]any{"range": "reserved"}}, Column: Column{Kind: Text}, Values: []string{"+1 (212) 555-0123", "555 0123", "112"}},
}}}

// bindPhone binds {fake: phone}: the digits are permuted, all else stays where it is.
//
// A number of eight digits or more keeps a prefix of up to four, which is about
// the country and the area, and at least the last seven are permuted; of shorter
// ones, every digit. How many digits there are, and which prefix, choose the
// permutation, so it is a bijection for each. Digits of every script count, and
// keep their script; punctuation does not, so a number masks alike however it is
// written.
//
// What is no phone number – letters beyond the usual words for an extension, more
// than 40 digits – does not pass either. Where nothing has to be unique, its
// letters and digits become others; in a unique column it is an error.
//
// {range: reserved} moves numbers to those that are set aside for fiction: 555-0100
// … 555-0199 of North American area codes, and those of Britain, France and Germany
// where a number has the code of that country. There are few of them.
func bindPhone(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake phone", col); err != nil {
		return Binding{}, err
	}
	unique := col.Unique
	b := Binding{Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	switch r := req.Spec.Params["range"]; r {
	case nil:
		t := &phoneTransform{other: newScrambler(req.Key.For("phone"), col.Equality), feistel: newFeistel(req.Key.For("permute")), strict: unique}
		for digits := 1; digits <= phoneTable; digits++ {
			t.tables[digits] = shuffle(req.Key.For(fmt.Sprintf("shuffle|%d digits", digits)), int(pow10[digits]))
		}
		b.Transform = t
		b.Guarantees.KeepsFormat, b.Guarantees.KeepsLength = true, true
		b.Guarantees.Injective, b.Guarantees.Reversible = unique, unique
	case "reserved":
		if unique {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("the reserved phone numbers are %d, too few for a unique column: never a real number and always another one exclude each other", len(areaCodes)*100),
				Help:   "leave range out: {fake: phone} permutes the digits",
			}
		}
		t := &reservedPhone{prf: newPRF(req.Key.For("phone")), form: "+1"}
		switch {
		case room(col) >= 12:
		case room(col) >= 10:
			t.form = ""
		case room(col) >= 7:
			t.form, t.local = "", true
		default:
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("a reserved phone number has at least 7 digits, the column holds %d characters", room(col)),
				Help:   "leave range out",
			}
		}
		b.Transform = t
		b.Guarantees.OutputBits = math.Log2(100) // a number of 7 digits has no area code
		b.Warnings = append(b.Warnings, fmt.Sprintf("the reserved phone numbers are %d: different people will share one", len(areaCodes)*100))
	default:
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake phone has no range %v", r), Help: "write range: reserved, or leave it out"}
	}
	return b, nil
}

var pow10 = func() (p [19]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// phoneWords may stand in a phone number, in any case.
var phoneWords = map[string]bool{
	"x": true, "ext": true, "extn": true, "extension": true, "tel": true, "phone": true, "ph": true,
	"fax": true, "mob": true, "mobile": true, "cell": true,
}

const longestPhoneWord = 9

// scanPhone appends the digits of v to dst, each as its value, and reports whether
// v can be a phone number.
func scanPhone(dst, v []byte) (digits []byte, ok bool) {
	from := len(dst)
	var word [longestPhoneWord]byte
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c-'0' <= 9:
			dst = append(dst, c-'0')
			i++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 0
			for ; i < len(v) && v[i]|0x20 >= 'a' && v[i]|0x20 <= 'z'; i++ {
				if n == len(word) {
					return dst, false
				}
				word[n] = v[i] | 0x20
				n++
			}
			if !phoneWords[string(word[:n])] {
				return dst, false
			}
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(v[i:])
			i += size
			if d, is := digitValue(r); is {
				dst = append(dst, d)
			} else if r == utf8.RuneError || tells(r) {
				return dst, false
			}
		}
		if len(dst)-from > phoneMost {
			return dst, false
		}
	}
	return dst, true
}

// digitValue returns the value of a decimal digit of any script. Unicode keeps
// decimal digits in runs of ten from zero on, which the ranges of Nd consist of.
func digitValue(r rune) (byte, bool) {
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if lo, hi := rune(t.Lo), rune(t.Hi); lo <= r && r <= hi {
			return byte((r - lo) % 10), true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if lo, hi := rune(t.Lo), rune(t.Hi); lo <= r && r <= hi {
			return byte((r - lo) % 10), true
		}
	}
	return 0, false
}

// phoneTransform permutes digits in their places.
type phoneTransform struct {
	other   *scrambler
	feistel *feistel
	tables  [phoneTable + 1][]uint32
	strict  bool
}

// What a row of the batch is to phoneTransform.
const (
	phoneKept   = iota // NULL, blank, no digits
	phoneNumber        // its masked digits stand in s.msg
	phoneOther         // no phone number
)

func (t *phoneTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var what [lanes]uint8
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := 0
		for i := range rows {
			what[i] = phoneKept
			if values.null(base + i) {
				continue
			}
			from := len(s.text)
			var ok bool
			if s.text, ok = scanPhone(s.text, values.value(base+i)); !ok {
				if t.strict {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not a phone number, in a unique column", Help: "use token for a column of mixed texts"}
				}
				s.text = s.text[:from]
				what[i] = phoneOther
				continue
			}
			if digits := s.text[from:len(s.text):len(s.text)]; len(digits) > 0 {
				what[i] = phoneNumber
				s.msg[i] = digits
				n = t.place(s, n, i, digits)
			}
		}
		t.feistel.permute(s, n)
		for lane := range n {
			digits := s.msg[s.row[lane]]
			masked := digits[phoneKeeps(len(digits)):]
			s.getHalves(lane, masked, len(masked)/2)
		}
		for i := range rows {
			switch {
			case values.null(base + i):
				out.null()
			case what[i] == phoneNumber:
				appendSymbols(out, values.value(base+i), s.msg[i], false)
			case what[i] == phoneOther:
				t.other.add(out, values.value(base+i), s)
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// phoneKeeps returns how many of n digits are kept.
func phoneKeeps(n int) int { return min(max(n-phoneMasked, 0), phonePrefix) }

// place masks a short number at once in digits, or puts it into lane n. It
// returns the next free lane.
func (t *phoneTransform) place(s *scratch, n, row int, digits []byte) int {
	if len(digits) <= phoneTable {
		writeDigits(digits, uint64(t.tables[len(digits)][readDigits(digits)]))
		return n
	}
	keep := phoneKeeps(len(digits))
	s.setHalves(n, digits[keep:], (len(digits)-keep)/2, uint64(len(digits))<<16|readDigits(digits[:keep]))
	s.row[n] = int32(row)
	return n + 1
}

func readDigits(digits []byte) (v uint64) {
	for _, d := range digits {
		v = v*10 + uint64(d)
	}
	return v
}

func writeDigits(digits []byte, v uint64) {
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte(v % 10)
		v /= 10
	}
}

// areaCodes are North American area codes.
var areaCodes = [...]string{
	"201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215", "216", "217", "218",
	"219", "224", "225", "228", "229", "231", "234", "239", "240", "248", "251", "252", "253", "254", "256", "260",
	"262", "267", "269", "270", "276", "281", "301", "302", "303", "304", "305", "307", "308", "309", "310", "312",
	"313", "314", "315", "316", "317", "318", "319", "320", "321", "323", "325", "330", "334", "336", "337", "339",
}

// reservedPlans are the numbers that other countries set aside for fiction: Ofcom's
// for drama, those of Arcep's decision 2018-0881, and the Bundesnetzagentur's. Of the
// national number of so many digits, the first digit chooses the range.
var reservedPlans = []struct {
	code   string
	digits int
	ranges [10]string // none is that of 0
}{
	{"44", 10, [10]string{0: "2079460", 1: "1632960", 3: "3069990", 7: "7700900", 8: "8081570"}},
	{"33", 9, [10]string{0: "19900", 2: "26191", 3: "35301", 4: "46571", 5: "53649", 6: "63998", 7: "63998"}},
	{"49", 10, [10]string{0: "3023125", 2: "2214710", 4: "4066969", 6: "6990009", 8: "8999998"}},
}

// reservedAbroad returns how many digits of an international number stay, and which
// follow; "" if there is no plan for it.
func reservedAbroad(v, digits []byte) (keep int, then string) {
	switch {
	case len(digits) > 2 && digits[0] == 0 && digits[1] == 0:
		keep = 2
	case bytes.IndexByte(v, '+') < 0:
		return 0, ""
	}
	for i := range reservedPlans {
		plan := &reservedPlans[i]
		at := keep + len(plan.code)
		if len(digits) <= at || digits[at-2] != plan.code[0]-'0' || digits[at-1] != plan.code[1]-'0' {
			continue
		}
		if digits[at] == 0 { // +44 (0)20
			at++
		}
		if len(digits)-at != plan.digits {
			continue
		}
		then = plan.ranges[digits[at]]
		if then == "" {
			then = plan.ranges[0]
		}
		return at, then
	}
	return 0, ""
}

// reservedPhone moves numbers to those that are set aside for fiction. A number of
// 7, 10 or 11 digits keeps its punctuation, and so does one abroad that has a plan;
// any other becomes form and 10 digits, or 7 if it is local.
type reservedPhone struct {
	prf   *prf
	form  string
	local bool
}

func (t *reservedPhone) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size()+4*values.n)
	s := getScratch()
	defer s.free()
	var count [lanes]int // digits; −1 is no phone number
	var start [lanes]int // of them in s.text
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := 0
		for i := range rows {
			count[i] = 0
			if values.null(base + i) {
				continue
			}
			v := values.value(base + i)
			from := len(s.text)
			digits, ok := scanPhone(s.text, v)
			switch {
			case !ok:
				count[i] = -1
				s.msg[n] = v
			case len(digits) == from:
				continue
			default:
				count[i], start[i] = len(digits)-from, from
				s.text = digits
				s.msg[n] = digits[from:]
			}
			n++
		}
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			if values.null(base + i) {
				out.null()
				continue
			}
			v := values.value(base + i)
			if count[i] == 0 {
				out.add(v)
				continue
			}
			digits := reservedDigits(&s.block[lane])
			lane++
			if count[i] > 0 {
				own := s.text[start[i] : start[i]+count[i]]
				if keep, then := reservedAbroad(v, own); then != "" {
					for k := range then {
						own[keep+k] = then[k] - '0'
					}
					last := own[keep+len(then):]
					writeDigits(last, uint64(binary.LittleEndian.Uint32(s.block[lane-1][4:8]))*pow10[len(last)]>>32)
					appendSymbols(out, v, own, false)
					continue
				}
			}
			switch own := s.text[start[i]:]; {
			case count[i] == 7 && isLocal(v):
				appendSymbols(out, v, digits[4:], false)
			case count[i] == 10 && isLocal(v):
				appendSymbols(out, v, digits[1:], false)
			case count[i] == 11 && own[0] == 1:
				appendSymbols(out, v, digits[:], false)
			default:
				t.canonical(out, &digits)
			}
		}
	}
	return out.finish(), nil
}

// isLocal reports whether a number is one without a country and without an extension,
// which would make another number of the same digits.
func isLocal(v []byte) bool {
	return !bytes.HasPrefix(v, []byte("00")) && bytes.IndexFunc(v, func(r rune) bool { return r == '+' || unicode.IsLetter(r) }) < 0
}

// reservedDigits returns 1, an area code, and 55501xx.
func reservedDigits(block *[aes.BlockSize]byte) (digits [11]byte) {
	area := areaCodes[uint64(binary.LittleEndian.Uint32(block[:4]))*uint64(len(areaCodes))>>32]
	last := uint64(binary.LittleEndian.Uint32(block[4:8])) * 100 >> 32
	digits = [11]byte{1, area[0] - '0', area[1] - '0', area[2] - '0', 5, 5, 5, 0, 1, byte(last / 10), byte(last % 10)}
	return digits
}

func (t *reservedPhone) canonical(out *textBuilder, digits *[11]byte) {
	out.grow(12)
	out.buf = append(out.buf, t.form...)
	from := 1
	if t.local {
		from = 4
	}
	for _, d := range digits[from:] {
		out.buf = append(out.buf, '0'+d)
	}
	out.end()
}
