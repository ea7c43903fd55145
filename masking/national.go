package masking

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

var nationalVariants = []fakeVariant{
	{"ssn", []Param{
		{Name: "range", Summary: "of social security numbers: reserved moves them to 900 to 999, which are nobody's", Type: "string"},
	}, bindSSN, []Sample{
		{Column: Column{Kind: Text, Unique: true}, Values: []string{"219-09-9999", "219099998", "000-12-3456"}},
		{Spec: Spec{Params: map[string]any{"range": "reserved"}}, Column: Column{Kind: Text}, Values: []string{"219-09-9999", "219099998", "219 09 9997"}},
	}},
	{"national_id", []Param{
		{Name: "country", Summary: "of national ids: the country that issues them: " + strings.Join(slices.Sorted(maps.Keys(idFormats)), ", "), Type: "string"},
	}, bindNationalID, []Sample{
		{Spec: Spec{Params: map[string]any{"country": "ES"}}, Column: Column{Kind: Text, Unique: true}, Values: []string{"54362315-K", "54362315-A", "x-2482300w"}},
		{Spec: Spec{Params: map[string]any{"country": "PL"}}, Column: Column{Kind: Text, Unique: true}, Values: []string{"44051401359", "44051401358", "02070803628"}},
		{Spec: Spec{Params: map[string]any{"country": "BR"}}, Column: Column{Kind: Text}, Values: []string{"390.533.447-05", "39053344705", "16.727.230/0001-97"}},
	}},
}

// bindSSN binds {fake: ssn}: {fake: national_id, country: US}, and with {range:
// reserved} numbers that the Social Security Administration gives to nobody: areas 900
// to 999, with the groups 01 to 49, which the tax numbers (ITIN) of those areas leave
// out. There are 49 million, so in a unique column they are refused.
func bindSSN(req Request) (Binding, error) {
	switch r := req.Spec.Params["range"]; {
	case r == nil:
		return bindScheme(req, "ssn", "US", false)
	case r != "reserved":
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake ssn has no range %v", r), Help: "write range: reserved, or leave it out"}
	case req.Column.Unique:
		return Binding{}, &BindError{
			Reason: "the numbers that are nobody's are 49 million, too few for a unique column",
			Help:   "leave range out: {fake: ssn} permutes the numbers",
		}
	}
	return bindScheme(req, "ssn", "US", true)
}

// bindNationalID binds {fake: national_id, country: XX}: see idFormats for what
// each country's ids consist of.
//
// An id is masked field by field, and each field stays in its class: a day that there
// is, in its year, becomes another; a number that is never given out another of
// those. Years of birth stay, and the digit that tells the sex: with a day that there
// is, ages and forms of address in the copy remain plausible. What is left is permuted
// as a whole. Check digits are off by as much as they were, so that valid stays
// valid and invalid stays invalid.
//
// It is a bijection on the texts of a format: the classes and what is kept are to be
// read from the output, and choose the permutation. Where a body has no check digit
// that would be right, as one in eleven in the Netherlands, only such a body takes
// its place. Punctuation stays, and makes no difference.
//
// What has the form of none of the country's ids is an error in a unique column.
// Elsewhere, its letters and digits become others.
func bindNationalID(req Request) (Binding, error) {
	country, _ := req.Spec.Params["country"].(string)
	if idFormats[country] == nil {
		reason := fmt.Sprintf("there are no national ids of %q", country)
		if country == "" {
			reason = `fake national_id needs the parameter "country"`
		}
		return Binding{}, &BindError{Reason: reason, Help: "country is one of " + strings.Join(slices.Sorted(maps.Keys(idFormats)), ", ") + "; {fake: account} masks any digits"}
	}
	return bindScheme(req, "national_id", country, false)
}

func bindScheme(req Request, variant, country string, reserved bool) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake "+variant, col); err != nil {
		return Binding{}, err
	}
	// {fake: ssn} and {fake: national_id, country: US} mask alike.
	key := subkey(req.Key.For("national id " + country))
	t := &idNumberTransform{
		formats: idFormats[country](), feistel: newFeistel(key.For("permute")), other: newScrambler(key.For("other"), col.Equality),
		reserved: reserved, strict: col.Unique || col.Kind == Int, anyCase: col.Equality&(FoldASCII|FoldCase|FoldAccents) != 0, equality: col.Equality,
	}
	b := Binding{
		Transform: t,
		Guarantees: Guarantees{
			Deterministic: true, Injective: t.strict && !reserved, Reversible: t.strict && !reserved,
			KeepsFormat: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true,
		},
		Pinned: "country " + country,
	}
	if reserved {
		b.Pinned += ", reserved"
	}
	if col.Kind == Int {
		width := len(t.formats[0].form)
		if strings.Trim(t.formats[0].form, "d") != "" || t.formats[0].mixed() {
			return Binding{}, &BindError{Reason: fmt.Sprintf("the ids of %s have letters, and the column holds integers", country), Help: "use {pseudonym: id}"}
		}
		if col.Bits > 0 && col.Bits < 64 && (width > 9 || col.Bits < 32) {
			return Binding{}, &BindError{Reason: fmt.Sprintf("an integer of %d bits does not hold ids of %d digits", col.Bits, width), Help: "use {pseudonym: id}"}
		}
		b.Transform = &integerText{text: t, width: width}
		b.Guarantees.KeepsLength = false // leading zeros
	}
	return b, nil
}

// idFormat is one form that the ids of a country have.
type idFormat struct {
	// form says what each symbol is: d a digit, l a letter, x either, o a digit
	// or the letter that stands for it in an Italian code.
	form   string
	fields []idField
	split  int // so many of the fields are the first half of the Feistel network
	checks []idCheck
	// expect says what is right in the place of each check, or false if nothing is.
	expect func(syms []byte) (want [2]int, ok bool)
	// stays tells ids that stay as they are, and that no other becomes.
	stays func(syms []byte) bool
	// whole, if not nil, takes the place of fields.
	whole *idWhole
}

// idField is a run of symbols. It is kept, or permuted within its class, or if it has
// no partition, within all.
type idField struct {
	from, to int
	keep     bool
	part     *partition
	pick     func(syms []byte) *partition // by what is kept
}

// idCheck is one check character of an alphabet, or two digits from lo on.
type idCheck struct {
	at       int
	alphabet string
	lo, mod  int
}

// idWhole ranks a run of digits as a whole, within its class. What unrank makes may be
// of another class; then it is permuted again.
type idWhole struct {
	class  func(syms []byte) uint8
	rank   func(syms []byte) (l, a, r, b uint64)
	unrank func(class uint8, l, r uint64, syms []byte)
}

// partition divides the numbers below its size into classes, and counts each.
type partition struct {
	class   []uint8
	rank    []uint16
	members [][]uint16
}

func newPartition(size int, class func(v int) uint8) *partition {
	p := &partition{class: make([]uint8, size), rank: make([]uint16, size)}
	for v := range size {
		c := class(v)
		for len(p.members) <= int(c) {
			p.members = append(p.members, nil)
		}
		p.class[v], p.rank[v] = c, uint16(len(p.members[c]))
		p.members[c] = append(p.members[c], uint16(v))
	}
	return p
}

// matches reports whether symbols have the form.
func (f *idFormat) matches(syms []byte) bool {
	if len(syms) != len(f.form) {
		return false
	}
	for i, sym := range syms {
		switch f.form[i] {
		case 'd':
			if sym >= symbolLetter {
				return false
			}
		case 'l':
			if sym < symbolLetter {
				return false
			}
		case 'o':
			if sym >= symbolLetter && omocode[sym-symbolLetter] == 0 {
				return false
			}
		}
	}
	return true
}

// mixed reports whether a letter may become a digit, so that its case is lost.
func (f *idFormat) mixed() bool {
	for _, c := range f.checks {
		if f.form[c.at] == 'x' {
			return true
		}
	}
	return false
}

// partition returns that of the field in these symbols.
func (f *idField) partition(syms []byte) *partition {
	if f.pick != nil {
		return f.pick(syms)
	}
	return f.part
}

const tweakPrime = 0x9e3779b97f4a7c15

// load puts symbols into lane i. class is that of the whole, if there is one.
func (f *idFormat) load(s *scratch, i int, class uint8, syms []byte, tweak uint64) {
	mix := func(v uint64) {
		tweak = (tweak ^ v) * tweakPrime
		tweak ^= tweak >> 29
	}
	if f.whole != nil {
		mix(uint64(class))
		l, a, r, b := f.whole.rank(syms)
		s.l[i], s.a[i], s.r[i], s.b[i], s.tweak[i] = l, a, r, b, tweak>>8
		return
	}
	l, a, r, b := uint64(0), uint64(1), uint64(0), uint64(1)
	for k := range f.fields {
		field := &f.fields[k]
		v, n := readSymbols(syms[field.from:field.to])
		switch {
		case field.keep:
			mix(v)
			continue
		case field.part != nil || field.pick != nil:
			p := field.partition(syms)
			class := p.class[v]
			v, n = uint64(p.rank[v]), uint64(len(p.members[class]))
			mix(uint64(class))
		}
		if k < f.split {
			l, a = l*n+v, a*n
		} else {
			r, b = r*n+v, b*n
		}
	}
	s.l[i], s.a[i], s.r[i], s.b[i], s.tweak[i] = l, a, r, b, tweak>>8
}

// store takes them out again to dst, which is a copy of syms.
func (f *idFormat) store(s *scratch, i int, class uint8, syms, dst []byte) {
	l, r := s.l[i], s.r[i]
	if f.whole != nil {
		f.whole.unrank(class, l, r, dst)
		return
	}
	for k := len(f.fields) - 1; k >= 0; k-- {
		field := &f.fields[k]
		if field.keep {
			continue
		}
		x := &r
		if k < f.split {
			x = &l
		}
		v, n := readSymbols(syms[field.from:field.to])
		if p := field.partition(syms); p != nil {
			members := p.members[p.class[v]]
			n = uint64(len(members))
			v = uint64(members[*x%n])
		} else {
			v = *x % n
		}
		*x /= n
		writeSymbols(dst[field.from:field.to], v)
	}
}

// read returns the value of a check, or false if it has none.
func (c *idCheck) read(syms []byte) (v int, ok bool) {
	if c.alphabet == "" {
		v = int(syms[c.at])*10 + int(syms[c.at+1]) - c.lo
		return v, v >= 0 && v < c.mod
	}
	v = strings.IndexByte(c.alphabet, spellSymbol(syms[c.at]))
	return v, v >= 0
}

func (c *idCheck) write(syms []byte, v int) {
	if c.alphabet == "" {
		v += c.lo
		syms[c.at], syms[c.at+1] = byte(v/10), byte(v%10)
		return
	}
	syms[c.at] = symbolOf(c.alphabet[v])
}

// modulus returns how many values a check has.
func (c *idCheck) modulus() int {
	if c.alphabet == "" {
		return c.mod
	}
	return len(c.alphabet)
}

func spellSymbol(sym byte) byte {
	if sym < symbolLetter {
		return '0' + sym
	}
	return 'A' + sym - symbolLetter
}

func symbolOf(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + symbolLetter
}

// idNumberTransform masks national ids.
type idNumberTransform struct {
	formats  []idFormat
	feistel  *feistel
	other    *scrambler
	equality Equality
	anyCase  bool
	reserved bool
	strict   bool
}

// idRow is what is known of a row of the batch.
type idRow struct {
	what     uint8
	defined  bool // its check characters can be right
	class    uint8
	wrong    [2]int16 // how much each is too great; −1 is one that stays
	omocodes uint16   // the digits that are spelled as letters
	format   *idFormat
	from, to int // its symbols in s.text; the masked ones follow
}

func (t *idNumberTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var rows [lanes]idRow
	for base := 0; base < values.n; base += lanes {
		count := min(lanes, values.n-base)
		s.text = s.text[:0]
		s.text = s.reserve(count * 2 * (symbolsMost + 1))
		n := 0
		for i := range count {
			row := &rows[i]
			row.what = rowKept
			if values.null(base + i) {
				continue
			}
			v := values.value(base + i)
			row.from = len(s.text)
			var ok bool
			s.text, ok = scanSymbols(s.text, v, t.equality)
			syms := s.text[row.from:]
			if ok && len(syms) == 0 {
				continue
			}
			which := -1
			if ok {
				which = t.format(syms, v)
			}
			if which < 0 {
				if t.strict {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not an id of the country, in a column whose values must stay apart", Help: "use {fake: account} or token for a column of mixed texts"}
				}
				row.what = rowOther
				s.text = s.text[:row.from]
				continue
			}
			row.format, row.to = &t.formats[which], len(s.text)
			s.text = append(s.text, syms...)
			row.what = rowValue
			if row.begin(s, n, which) {
				s.row[n] = int32(i)
				n++
			}
		}
		t.walk(s, n, rows[:])
		for i := range count {
			row := &rows[i]
			switch {
			case values.null(base + i):
				out.null()
			case row.what == rowValue:
				syms := s.text[row.to : 2*row.to-row.from]
				row.finish(syms, t.reserved)
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

// format returns which format the value has, or −1. A check character that may become
// a digit has to be a capital, unless case makes no difference: ids that differ
// in its case alone would become one.
func (t *idNumberTransform) format(syms, v []byte) int {
	for k := range t.formats {
		f := &t.formats[k]
		if !f.matches(syms) {
			continue
		}
		if f.mixed() {
			if !isASCII(v) {
				continue
			}
			if t.strict && !t.anyCase && lastLower(v) {
				continue
			}
		}
		return k
	}
	return -1
}

// lastLower reports whether the last letter or digit is a small letter.
func lastLower(v []byte) bool {
	for i := len(v) - 1; i >= 0; i-- {
		c := v[i]
		if c-'0' <= 9 || c >= 'A' && c <= 'Z' {
			return false
		}
		if c >= 'a' && c <= 'z' {
			return true
		}
	}
	return false
}

// begin notes what must stay of the row, and puts it into lane n, or reports false if
// it stays as it is.
func (row *idRow) begin(s *scratch, n, which int) bool {
	f, syms := row.format, s.text[row.from:row.to]
	row.wrong = [2]int16{-1, -1}
	row.defined, row.omocodes, row.class = true, 0, 0
	if f.stays != nil && f.stays(syms) {
		return false
	}
	if f.expect != nil {
		var want [2]int
		if want, row.defined = f.expect(syms); row.defined {
			for k := range f.checks {
				c := &f.checks[k]
				if v, ok := c.read(syms); ok {
					m := c.modulus()
					row.wrong[k] = int16((v - want[k] + m) % m)
				}
			}
		}
	}
	for i, sym := range syms {
		if f.form[i] == 'o' && sym >= symbolLetter {
			syms[i] = omocode[sym-symbolLetter] - 1
			s.text[row.to+i] = syms[i]
			row.omocodes |= 1 << i
		}
	}
	if f.whole != nil {
		row.class = f.whole.class(syms)
	}
	f.load(s, n, row.class, syms, uint64(which)<<32|uint64(row.omocodes)<<8|uint64(len(syms)))
	return true
}

// walk permutes the first n lanes until each is an id of the kind that it was.
func (t *idNumberTransform) walk(s *scratch, n int, rows []idRow) {
	for n > 0 {
		t.feistel.permute(s, n)
		on := 0
		for i := range n {
			row := &rows[s.row[i]]
			dst := s.text[row.to : 2*row.to-row.from]
			row.format.store(s, i, row.class, s.text[row.from:row.to], dst)
			if !row.arrived(dst) {
				s.move(on, i)
				on++
			}
		}
		n = on
	}
}

// arrived reports whether masked symbols are an id of the kind that the row has.
func (row *idRow) arrived(syms []byte) bool {
	f := row.format
	if f.stays != nil && f.stays(syms) {
		return false
	}
	if f.whole != nil && f.whole.class(syms) != row.class {
		return false
	}
	if f.expect == nil || row.omocodes != 0 {
		return true
	}
	_, defined := f.expect(syms)
	return defined == row.defined
}

// finish puts the check characters into masked symbols.
func (row *idRow) finish(syms []byte, reserved bool) {
	f := row.format
	for i := range syms {
		if row.omocodes>>i&1 != 0 {
			syms[i] = symbolOf(omocodes[syms[i]])
		}
	}
	if reserved {
		group := (syms[3]*10+syms[4])%49 + 1
		syms[0], syms[3], syms[4] = 9, group/10, group%10
	}
	if f.expect == nil || !row.defined || f.stays != nil && f.stays(syms) {
		return
	}
	want, _ := f.expect(syms)
	for k := range f.checks {
		if row.wrong[k] >= 0 {
			c := &f.checks[k]
			c.write(syms, (want[k]+int(row.wrong[k]))%c.modulus())
		}
	}
}
