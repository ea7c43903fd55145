package masking

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	ibanHead  = 4 // country and check digits
	ibanLeast = 5
	ibanMost  = 34 // ISO 13616-1
)

var ibanVariants = []fakeVariant{{"iban", nil, bindIBAN, []Sample{
	{Column: Column{Kind: Text, Unique: true}, Values: []string{"DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"}},
}}}

// bindIBAN binds {fake: iban}: the country stays, and so do spaces and case. What
// follows the check digits is permuted, digits among digits and letters among
// letters: so it keeps the structure that the registry of ISO 13616 gives each
// country (n, a, c), whichever it is. A check digit inside of it that a
// country has of its own does not stay right.
//
// The check digits are off by as much as they were, modulo 97: a valid IBAN stays
// valid and an invalid one invalid. 02 to 98 are all there are; 00, 01 and 99 are
// never right, and stay.
//
// It is a bijection on all texts of that form: the country, the classes and the
// layout are to be read from the output; they choose the permutation; and what is
// added to the check digits follows from what is permuted.
//
// What has another form is an error in a unique column. Elsewhere, its letters and
// digits become others.
func bindIBAN(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake iban", col); err != nil {
		return Binding{}, err
	}
	key := subkey(req.Key.For("iban"))
	return Binding{
		Transform: &ibanTransform{permuter: newSymbolPermuter(key), other: newScrambler(key.For("other"), col.Equality), equality: col.Equality, strict: col.Unique},
		Guarantees: Guarantees{
			Deterministic: true, Injective: col.Unique, Reversible: col.Unique,
			KeepsFormat: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true,
		},
	}, nil
}

// ibanTransform masks IBANs.
type ibanTransform struct {
	permuter *symbolPermuter
	other    *scrambler
	equality Equality
	strict   bool
}

func (t *ibanTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var rows [lanes]struct {
		what     uint8
		wrong    uint8 // how much the check digits are too great, modulo 97
		from, to int   // its symbols in s.text
	}
	for base := 0; base < values.n; base += lanes {
		n := min(lanes, values.n-base)
		s.text = s.text[:0]
		s.text = s.reserve(n * (symbolsMost + 1))
		used := symbolLanes{small: lanes}
		for i := range n {
			row := &rows[i]
			row.what = rowKept
			if values.null(base+i) || blank(values.value(base+i)) {
				continue
			}
			row.from = len(s.text)
			var ok bool
			s.text, ok = scanSymbols(s.text, values.value(base+i), t.equality)
			syms := s.text[row.from:]
			row.to = len(s.text)
			if ok && len(syms) == 0 {
				continue
			}
			if !ok || !takesIBAN(syms) {
				if t.strict {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not an IBAN, in a column whose values must stay apart", Help: "use token for a column of mixed texts, {fake: account} for account numbers"}
				}
				row.what = rowOther
				s.text = s.text[:row.from]
				continue
			}
			row.what = rowValue
			if dd := ibanDigits(syms); dd != noDigits {
				row.wrong = uint8((dd + 97 - ibanCheck(syms)) % 97)
			}
			keep := ibanKeeps(syms)
			t.permuter.place(s, &used, i, syms[keep:], symbolTweak(syms[:2], syms[keep:]))
		}
		t.permuter.permute(s, used)
		for i := range n {
			row := &rows[i]
			switch {
			case values.null(base + i):
				out.null()
			case row.what == rowValue:
				syms := s.text[row.from:row.to]
				if ibanDigits(syms) != noDigits {
					dd := 2 + (ibanCheck(syms)-2+uint64(row.wrong))%97
					syms[2], syms[3] = byte(dd/10), byte(dd%10)
				}
				appendSymbols(out, values.value(base+i), syms, true)
			case row.what == rowOther:
				t.other.add(out, values.value(base+i), s)
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// isIBAN reports whether symbols have the form of an IBAN.
func isIBAN(syms []byte) bool {
	return len(syms) >= ibanLeast && len(syms) <= ibanMost &&
		syms[0] >= symbolLetter && syms[1] >= symbolLetter && syms[2] < symbolLetter && syms[3] < symbolLetter
}

// noDigits are check digits that are never right.
const noDigits = 0

// ibanDigits returns the check digits, 2 to 98, or noDigits.
func ibanDigits(syms []byte) uint64 {
	dd := uint64(syms[2])*10 + uint64(syms[3])
	if dd < 2 || dd > 98 {
		return noDigits
	}
	return dd
}

// ibanCheck returns the check digits that are right, 2 to 98: with them, the rest and
// the country behind leave 1 by 97.
func ibanCheck(syms []byte) uint64 {
	r := mod97Symbols(0, syms[ibanHead:])
	r = mod97Symbols(r, syms[:2])
	return 98 - r*100%97
}

// ibanKeeps returns how many symbols stay: the country and its digits, and as many of the
// leading ones as are too many letters to permute.
func ibanKeeps(syms []byte) int {
	keep := ibanHead
	for {
		if _, weight := half(syms[keep:]); weight <= symbolWeight {
			return keep
		}
		keep++
	}
}

// takesIBAN reports whether the symbols are permuted as those of an IBAN. One of which
// letters stay has right check digits, and these letters are the code of a bank: at
// most four, as in Malta. Anything else of so many letters might be somebody's name.
func takesIBAN(syms []byte) bool {
	if !isIBAN(syms) {
		return false
	}
	keep, dd := ibanKeeps(syms), ibanDigits(syms)
	return keep == ibanHead || keep <= ibanHead+4 && dd != noDigits && (dd+97-ibanCheck(syms))%97 == 0
}
