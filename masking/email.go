package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

const (
	defaultEmailDomain = "example.com"
	emailName          = 9  // most letters of a given or family name in an address
	emailCode          = 13 // base32 characters after the name: 65 bits
	shortEmailCode     = 16 // and where the column is too short for the full form: 80 bits
)

var emailVariants = []fakeVariant{{"email", []Param{
	{Name: "domain", Summary: "of emails: the reserved domain that they are at", Type: "string"},
	uniqueParam,
}, bindEmail, []Sample{
	{Column: Column{Kind: Text, Unique: true}, Values: []string{"maria@corp.example", "Maria@Corp.Example", "m.smith+news@mail.example"}},
	{Spec: Spec{Params: map[string]any{"domain": "shop.test"}}, Column: Column{Kind: Text, MaxChars: 30}, Values: []string{"maria@corp.example", "", "x@mail.example"}},
}}}

// bindEmail binds {fake: email}: first.last.code@domain. The names come from the
// dictionary; the code makes the address one of its own. All of it is drawn from
// one keyed function of the normalised address.
//
// Normalising means: white space at both ends is cut off, and every letter takes
// its simple lower case (unicode.ToLower), in the local part as in the domain.
// Nothing else changes: dots, +tags and bytes that are not UTF-8 count. So two
// spellings of one mailbox are masked alike, as those who look people up by
// address expect. Two rows of a unique column that differ only in this way
// would meet, and then the load fails by the name of the key.
//
// The full form has at most 33 characters before the @. A column that cannot hold
// it takes a short form of a given name, cut, and a longer code: a function of the
// column's length alone.
func bindEmail(req Request) (Binding, error) {
	col := req.Column
	if col.Kind != Text {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake email cannot mask a column of kind %s", col.Kind), Help: "it takes text"}
	}
	if err := refuseLabels("fake email", col); err != nil {
		return Binding{}, err
	}
	domain, err := bindReservedDomain(req, "fake email")
	if err != nil {
		return Binding{}, err
	}
	level, err := bindUnique(req, true)
	if err != nil {
		return Binding{}, err
	}
	if level == strictlyUnique {
		return bindStrictEmail(req, domain)
	}
	unique := level == isUnique
	t := &emailTransform{prf: newPRF(req.Key.For("email")), domain: domain, equality: col.Equality}
	t.given, t.family = emailNames()
	full := emailName + 1 + emailName + 1 + emailCode
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("at %s, dictionary %s, Unicode %s", domain, dictionary.HashOf("given_latin", "family_latin"), unicode.Version),
	}
	b.Guarantees.OutputBits = 5*emailCode + math.Log2(float64(len(t.given))) + math.Log2(float64(len(t.family)))
	holds := col.asciiChars()
	if local := holds - 1 - len(domain); holds > 0 && local < full {
		need := UniqueBits(col.Rows)
		shortest := int(math.Ceil(need/5)) + 1 + len(domain)
		if local < 1 {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("fake email at %s needs at least %d characters, the column holds %d", domain, 2+len(domain), holds),
				Help:   "use a shorter reserved domain (domain: a.test), or token",
			}
		}
		t.local = local
		b.Guarantees.OutputBits = float64(5 * min(local, shortEmailCode))
		b.Pinned += fmt.Sprintf(", %d characters", holds)
		b.Warnings = append(b.Warnings, fmt.Sprintf("addresses are shortened to %d characters: they do not join with columns that hold %d", holds, full+1+len(domain)))
		if unique && b.Guarantees.OutputBits < need {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("fake email at %s needs %d characters to stay unique, the column holds %d", domain, shortest, holds),
				Help:   "use a shorter reserved domain (domain: a.test), or {token: base32}",
			}
		}
	}
	if need := UniqueBits(col.Rows); unique && b.Guarantees.OutputBits < need {
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("fake email has %.0f bits, and a unique column of this size needs %.0f", b.Guarantees.OutputBits, need),
			Help:   "unique: strict has 128",
		}
	}
	return b, nil
}

// bindReservedDomain reads the parameter domain, which no mail can reach.
func bindReservedDomain(req Request, transform string) (string, error) {
	d, given := req.Spec.Params["domain"].(string)
	switch domain := strings.ToLower(d); {
	case !given:
		return defaultEmailDomain, nil
	case reservedDomain(domain):
		return domain, nil
	}
	return "", &BindError{
		Reason: fmt.Sprintf("%s at %q could reach somebody", transform, d),
		Help:   "use a reserved domain: example.com, example.net, example.org, or one that ends in .test, .example, .invalid or .localhost",
	}
}

// reservedDomain reports whether a domain can never receive mail (RFC 2606, RFC 6761).
func reservedDomain(domain string) bool {
	if len(domain) > 189 { // with the longest local part within the 254 of RFC 5321
		return false
	}
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	if len(labels) < 2 {
		return false
	}
	switch last := labels[len(labels)-1]; last {
	case "test", "example", "invalid", "localhost":
		return true
	case "com", "net", "org":
		return labels[len(labels)-2] == "example"
	}
	return false
}

// shortName is a name that an address has room for, and the dot behind it. It has
// the same length in memory whichever it is: so it is copied without a call.
type shortName struct {
	text [16]byte
	size int // with the dot
}

// emailNames are the names that addresses are made of. They are the same for every column.
var emailNames = sync.OnceValues(func() (given, family []shortName) {
	return shortNames(dictionary.ASCIIGiven()), shortNames(dictionary.ASCIIFamily())
})

// shortNames returns the names that an address has room for, each once.
func shortNames(names []string) []shortName {
	seen := make(map[string]bool, len(names))
	var short []shortName
	for _, n := range names {
		if len(n) <= emailName && !seen[n] {
			seen[n] = true
			s := shortName{size: len(n) + 1}
			copy(s.text[:], n+".")
			short = append(short, s)
		}
	}
	return short
}

type emailTransform struct {
	prf           *prf
	domain        string
	given, family []shortName
	local         int // characters before the @ in the short form; 0 is the full form
	equality      Equality
}

func (t *emailTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	most := emailRoom + len(t.domain)
	usual := emailName + 1 + emailName + 1 + emailCode + 1 + len(t.domain)
	out := newTextBuilder(mem, values.n, values.n*usual+emailRoom)
	s := getScratch()
	defer s.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := gather(s, &values, base, rows)
		for i, v := range s.msg[:n] {
			s.msg[i] = s.normalUnder(v, t.equality)
		}
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				out.grow(most)
				out.buf = t.append(out.buf, &s.block[lane])
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

// normalUnder is normal, and without marks where the database makes no difference
// by them.
func (s *scratch) normalUnder(v []byte, e Equality) []byte {
	if e&foldsMore != 0 {
		return s.canonical(bytes.TrimSpace(v), e|FoldCase)
	}
	v = s.normal(v)
	if e&(FoldCase|FoldAccents) != 0 && !isASCII(v) {
		return s.canonical(v, e)
	}
	return v
}

// normal returns v without white space at its ends and in lower case: v's own
// bytes if they are so already, else a copy in s.text.
func (s *scratch) normal(v []byte) []byte {
	v = bytes.TrimSpace(v)
	if isPlain(v) {
		return v
	}
	// An append that moves s.text leaves the earlier messages where they are.
	from := len(s.text)
	if isASCII(v) {
		s.text = appendLowered(s.text, v)
		return s.text[from:]
	}
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		if r == utf8.RuneError && size == 1 {
			s.text = append(s.text, v[0])
		} else {
			s.text = utf8.AppendRune(s.text, unicode.ToLower(r))
		}
		v = v[size:]
	}
	return s.text[from:]
}

// isPlain reports whether v is ASCII without capitals.
func isPlain(v []byte) bool {
	for ; len(v) >= 8; v = v[8:] {
		w := binary.LittleEndian.Uint64(v)
		if (w|(w&^highBits+(0x80-'A')*ones)&^(w&^highBits+(0x7f-'Z')*ones))&highBits != 0 {
			return false
		}
	}
	for _, c := range v {
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// emailRoom is what append wants to find free: the longest local part, and what
// copies of a fixed length write behind it.
const emailRoom = 3 * 16

// append writes one address. The block's 128 bits are used once each: 60 and, in
// the full form, 5 bits for the code, 31 for the given name, 32 for the family name.
func (t *emailTransform) append(dst []byte, block *[aes.BlockSize]byte) []byte {
	hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
	given := &t.given[hi>>32&0x7fff_ffff*uint64(len(t.given))>>31]
	if t.local > 0 {
		code := min(t.local, shortEmailCode)
		if size := min(given.size-1, t.local-code-1); size > 0 {
			dst = append(dst, given.text[:size]...)
			dst = append(dst, '.')
		}
		dst = appendBase32(dst, hi&0xfffff<<4|lo>>60, lo, code)
		dst = append(dst, '@')
		return append(dst, t.domain...)
	}
	family := &t.family[hi&0xffff_ffff*uint64(len(t.family))>>32]
	room := dst[len(dst):][:emailRoom]
	*(*[16]byte)(room) = given.text
	n := given.size
	*(*[16]byte)(room[n:]) = family.text
	n += family.size
	// The digits are as appendBase32 says, eight at a time.
	binary.LittleEndian.PutUint64(room[n:], base32Word(lo))
	binary.LittleEndian.PutUint32(room[n+8:], uint32(base32Word(lo>>40)))
	room[n+12] = base32Digits[hi>>63<<4|lo>>60]
	room[n+13] = '@'
	return append(dst[:len(dst)+n+14], t.domain...)
}

// appendBase32 writes n digits, the low ones first: twelve of the low 60 bits of lo,
// the others of hi.
func appendBase32(dst []byte, hi, lo uint64, n int) []byte {
	for i := range n {
		if i == 12 {
			lo = hi
		}
		dst = append(dst, base32Digits[lo&31])
		lo >>= 5
	}
	return dst
}
