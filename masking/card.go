package masking

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	cardBIN   = 6  // digits of the issuer
	cardLeast = 12 // of a card number (ISO/IEC 7812-1)
	cardMost  = 19
)

var cardVariants = []fakeVariant{{"pan", []Param{
	{Name: "test_bin", Summary: "of cards: true, as without it, moves them to numbers for tests of the same brand; false keeps the six digits of the issuer, and different numbers stay different", Type: "bool"},
}, bindCard, []Sample{
	{Column: Column{Kind: Text}, Values: []string{"4012 8888 8888 1881", "4012888888881882", "3714-496353-98431"}},
	{Spec: Spec{Params: map[string]any{"test_bin": false}}, Column: Column{Kind: Text, Unique: true}, Values: []string{"4012888888881881", "4012 8888 8888 1882", "371449635398431"}},
}}}

// bindCard binds {fake: pan}: card numbers of 12 to 19 digits. The digits between the
// issuer's (BIN) and the check digit are permuted; the check digit is off by as much
// as it was, so that a valid number stays valid and an invalid one invalid.
//
// Without test_bin the number moves to the BIN of a number that payment services
// document for tests, of the same brand, and so to no customer of an issuer. How many digits there are and which BIN
// they had choose the permutation, so different cards of one BIN stay
// different. Those of two BINs may meet: behind a test BIN of six digits there are
// 10⁹ numbers of sixteen digits, behind all of a brand 10¹⁴, and no function
// without a memory puts these into those. Hence a unique column wants
//
// {test_bin: false}: the BIN stays. For each BIN and length the rest is a bijection:
// of the middle by the permutation; of the check digit, given the middle, by adding
// the same number to it modulo 10. It may be the number of a real card, though
// nobody can tell whose.
//
// What has fewer or more digits, or letters, is no card number: in a unique column
// an error, else its letters and digits become others.
func bindCard(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake pan", col); err != nil {
		return Binding{}, err
	}
	test := true
	if given, is := req.Spec.Params["test_bin"].(bool); is {
		test = given
	}
	if test && col.Unique {
		return Binding{}, &BindError{
			Reason: "the numbers behind a test BIN are too few for a unique column: cards of different issuers may become one",
			Help:   "write {fake: pan, test_bin: false}: the issuer's six digits stay, and different cards stay different",
		}
	}
	if col.Kind == Int && col.Bits > 0 && col.Bits < 64 {
		return Binding{}, &BindError{Reason: fmt.Sprintf("an integer of %d bits holds no card number", col.Bits), Help: "use {pseudonym: id}"}
	}
	key := subkey(req.Key.For("pan"))
	t := &cardTransform{permuter: newSymbolPermuter(key), other: newScrambler(key.For("other"), col.Equality), test: test, strict: col.Unique || col.Kind == Int}
	b := Binding{
		Transform: t,
		Guarantees: Guarantees{
			Deterministic: true, Injective: t.strict && !test, Reversible: t.strict && !test,
			KeepsFormat: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true,
			OutputBits: math.Log2(1e5), // of the shortest
		},
		Pinned: "BIN kept",
	}
	if test {
		b.Pinned = "test BINs " + testBINs()
	}
	if col.Kind == Int {
		b.Transform = &integerText{text: t}
	}
	return b, nil
}

// cardBrands tells the brands by their first digits, as the brands publish them for
// ISO/IEC 7812, and names for each the BIN of a number that large payment services
// (PayPal, Stripe, Adyen, Worldpay) document as one for tests. Of what two of them
// match, the first counts.
var cardBrands = []struct {
	brand  string
	digits int // how many of the first digits from and to are
	from   uint32
	to     uint32
	bin    string
}{
	{"American Express", 2, 34, 34, "378282"}, // 378282246310005
	{"American Express", 2, 37, 37, "378282"},
	{"Diners Club", 3, 300, 305, "305693"}, // 30569309025904
	{"Diners Club", 4, 3095, 3095, "305693"},
	{"Diners Club", 2, 36, 36, "362272"},    // 36227206271667
	{"Diners Club", 2, 38, 39, "385200"},    // 38520000023237
	{"JCB", 4, 3528, 3589, "353011"},        // 3530111333300000
	{"Visa", 1, 4, 4, "411111"},             // 4111111111111111
	{"Mastercard", 2, 51, 55, "555555"},     // 5555555555554444
	{"Mastercard", 4, 2221, 2720, "222300"}, // 2223003122003222
	{"Discover", 4, 6011, 6011, "601111"},   // 6011111111111117
	{"Discover", 3, 644, 649, "601111"},
	{"Discover", 2, 65, 65, "601111"},
	{"UnionPay", 2, 62, 62, "620000"}, // 6200000000000005
	{"Maestro", 2, 50, 50, "675964"},  // 6759649826438453
	{"Maestro", 2, 56, 58, "675964"},
	{"Maestro", 1, 6, 6, "675964"},
}

// noBrand is the BIN of what is of no brand. 9 is for national use, followed by the
// code of a country (ISO/IEC 7812-1), and 999 is none.
const noBrand = "999999"

func testBINs() string {
	list := ""
	for _, b := range cardBrands {
		list += fmt.Sprintf("%d-%d=%s ", b.from, b.to, b.bin)
	}
	return list + noBrand
}

// testBIN finds the BIN for tests of a number's brand.
func testBIN(digits []byte) string {
	var first [5]uint32 // the number that so many first digits are
	for i := 1; i < len(first); i++ {
		first[i] = first[i-1]*10 + uint32(digits[i-1])
	}
	for i := range cardBrands {
		if b := &cardBrands[i]; b.from <= first[b.digits] && first[b.digits] <= b.to {
			return b.bin
		}
	}
	return noBrand
}

// cardTransform masks card numbers.
type cardTransform struct {
	permuter *symbolPermuter
	other    *scrambler
	test     bool
	strict   bool
}

func (t *cardTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var rows [lanes]struct {
		what  uint8
		wrong uint8  // how much the check digit is too great
		bin   string // that it gets, if any
		from  int    // of its digits in s.text
		to    int
	}
	for base := 0; base < values.n; base += lanes {
		n := min(lanes, values.n-base)
		s.text = s.text[:0]
		s.text = s.reserve(n * (symbolsMost + 1))
		used := symbolLanes{small: lanes}
		for i := range n {
			row := &rows[i]
			row.what = rowKept
			if values.null(base + i) {
				continue
			}
			row.from = len(s.text)
			var ok bool
			s.text, ok = scanSymbols(s.text, values.value(base+i), 0)
			digits := s.text[row.from:]
			row.to = len(s.text)
			switch {
			case ok && len(digits) == 0:
			case !ok || len(digits) < cardLeast || len(digits) > cardMost || anyLetters(digits):
				if t.strict {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not a card number of 12 to 19 digits, in a column whose values must stay apart", Help: "use token for a column of mixed texts"}
				}
				row.what = rowOther
				s.text = s.text[:row.from]
			default:
				row.what = rowValue
				last := len(digits) - 1
				row.wrong = (digits[last] + 10 - luhnDigit(digits[:last])) % 10
				middle := digits[cardBIN:last]
				t.permuter.place(s, &used, i, middle, symbolTweak(digits[:cardBIN], middle))
				if t.test {
					row.bin = testBIN(digits)
				}
			}
		}
		t.permuter.permute(s, used)
		for i := range n {
			row := &rows[i]
			switch {
			case values.null(base + i):
				out.null()
			case row.what == rowValue:
				digits := s.text[row.from:row.to]
				for j := range row.bin {
					digits[j] = row.bin[j] - '0'
				}
				last := len(digits) - 1
				digits[last] = (luhnDigit(digits[:last]) + row.wrong) % 10
				appendSymbols(out, values.value(base+i), digits, true)
			case row.what == rowOther:
				t.other.add(out, values.value(base+i), s)
			default:
				out.add(values.value(base + i))
			}
			row.bin = ""
		}
	}
	return out.finish(), nil
}

func anyLetters(syms []byte) bool {
	for _, sym := range syms {
		if sym >= symbolLetter {
			return true
		}
	}
	return false
}
