package masking

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// personFactory makes {person: PART, of: COLUMN}: the parts of a person, in
// several columns and tables, that agree. See drawnGroup for how they come to.
//
// The names have at most nine characters, and so in a–z. A column too short for a
// person's whole name has an initial instead of the given name; one too short
// for a name has it cut.
type personFactory struct{}

var personParts = []string{"first_name", "last_name", "person_name", "initials", "email", "user_name"}

func (personFactory) Describe() Description {
	d := Description{
		Name:    "person",
		Version: 1,
		Summary: "Replaces the parts of a person, in several columns, by those of one other person: name, initials, email and user name agree.",
		Kinds:   []Kind{Text},
		Params: []Param{
			ofParam("person"),
			{Name: "script", Summary: "keep (that of the row's names, Latin without any), or one of " + strings.Join(dictionary.Scripts(), ", "), Type: "string"},
			{Name: "domain", Summary: "of emails: the reserved domain that they are at", Type: "string"},
			{Name: "unique", Summary: "of emails and user names: true keeps persons apart; user names are longer then", Type: "bool"},
		},
		Variants: personParts,
	}
	beside := []SampleColumn{{Column: Column{Name: "person_id", Kind: Int, Bits: 64, Unique: true}, Values: []string{"1", "1", "2"}}}
	for _, s := range []struct {
		part   string
		values []string
	}{
		{"first_name", []string{"Maria", "MARIA", "Иван"}}, {"last_name", []string{"Smith", "SMITH", "Петров"}},
		{"person_name", []string{"Maria Smith", "Smith, Maria", "Иван Петров"}},
		{"initials", []string{"MS", "M.S.", "ip"}}, {"email", []string{"maria@corp.example", "m.smith@mail.example", "ivan@corp.example"}},
		{"user_name", []string{"msmith", "maria1980", "ivan"}},
	} {
		d.Samples = append(d.Samples, Sample{
			Spec:   Spec{Variant: s.part, Params: map[string]any{"of": "person_id"}},
			Column: Column{Kind: Text}, Values: s.values, Beside: beside,
		})
	}
	return d
}

func (personFactory) Bind(req Request) (Binding, error) {
	part, _ := req.Spec.Variant.(string)
	bears := func(v string) bool { return strings.HasSuffix(v, "_name") && v != "user_name" }
	t, b, err := bindDrawn(req, bears)
	if err != nil {
		return Binding{}, err
	}
	m := personMaker{people: people(), part: part}
	t.maker = &m
	lists := []string{"given", "family"}
	addressed := part == "email" || part == "user_name"
	for _, p := range []string{"domain", "unique"} {
		if _, given := req.Spec.Params[p]; given && !addressed {
			return Binding{}, &BindError{Reason: fmt.Sprintf("person %s has no parameter %q", part, p), Help: "only email and user_name take it"}
		}
	}
	if addressed {
		lists = append(lists, "romanized")
		if err := m.bindAddress(req, t, &b); err != nil {
			return Binding{}, err
		}
	} else if err := refuseUnique("person "+part, req.Column, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	b.Pinned += pinnedLists(lists...)
	if len(t.bearing) == 0 {
		warning := "no column of the table bears the person's name: about one person in 800, whose draw meets the true name where that stands, is somebody else here"
		if t.fixed == poolNone {
			warning += "; and names in other scripts than Latin are not known here: set script:, in all tables alike"
		}
		b.Warnings = append(b.Warnings, warning)
	}
	if most := min(t.limit.chars, t.limit.bytes); bears(part) && most < personLetters {
		b.Warnings = append(b.Warnings, fmt.Sprintf("names are cut to %d characters, and frequencies re-identify", most))
	}
	return b, nil
}

// bindAddress binds an email or a user name.
func (m *personMaker) bindAddress(req Request, t *drawnGroup, b *Binding) error {
	col := req.Column
	unique, _ := req.Spec.Params["unique"].(bool)
	m.unique = unique
	full := 1 + personLetters + 4 // mlopez4821
	if m.unique {
		full = 1 + personLetters + 1 + emailCode
	}
	m.room = min(t.limit.chars, t.limit.bytes)
	bits := float64(5*emailCode) + m.people.familyBits(t.fixed)
	if m.part == "email" {
		domain, err := bindReservedDomain(req, "person email")
		if err != nil {
			return err
		}
		m.domain = domain
		m.room -= 1 + len(domain)
		full = personLetters + 1 + personLetters + 1 + emailCode
		bits += m.people.givenBits(t.fixed)
		b.Pinned += ", at " + domain
		if m.room < 1 {
			return &BindError{
				Reason: fmt.Sprintf("person email at %s needs at least %d characters, the column holds %d", domain, 2+len(domain), m.room+1+len(domain)),
				Help:   "use a shorter reserved domain (domain: a.test), or token",
			}
		}
	} else if _, given := req.Spec.Params["domain"]; given {
		return &BindError{Reason: `person user_name has no parameter "domain"`, Help: "only email takes it"}
	}
	if m.room < full {
		bits = float64(5 * min(m.room, emailCode))
		b.Pinned += fmt.Sprintf(", %d characters", m.room)
		b.Warnings = append(b.Warnings, fmt.Sprintf("what has more than %d characters is shortened: it does not join with columns that hold %d", m.room, full))
	}
	if m.part == "user_name" && !m.unique {
		bits = math.Log2(10_000)
	}
	b.Guarantees.OutputBits = bits
	if need := UniqueBits(col.Rows); (m.unique || col.Unique) && bits < need {
		help := "use token"
		switch {
		case m.part == "user_name" && !m.unique:
			help = "set unique: true, here and wherever the user name stands"
		case m.room < full:
			help = fmt.Sprintf("the column must hold %d characters; or use token", full+len(m.domain)+min(len(m.domain), 1))
		case t.fixed != poolASCII:
			help = "script: latin has more names; or use token"
		}
		return &BindError{Reason: fmt.Sprintf("person %s has %.0f bits here, and a unique column of this size needs %.0f", m.part, bits, need), Help: help}
	}
	return nil
}

// personLetters is the most characters of a name, as written and in a–z.
const personLetters = emailName

// personWord is one of the dictionary's names, and what it is in a–z.
type personWord struct {
	phrase
	roman string
}

type personPool struct {
	given, family         []personWord
	familyFirst, unspaced bool
}

type personPools [pools]personPool

// people holds the names that persons are drawn from. Latin has ASCII names alone.
var people = sync.OnceValue(func() *personPools {
	p := new(personPools)
	for script := dictionary.Latin; script <= dictionary.Hangul; script++ {
		names := &p[poolOf(script)]
		names.given = personWords(dictionary.GivenNames(script), dictionary.RomanGiven(script))
		names.family = personWords(dictionary.FamilyNames(script), dictionary.RomanFamily(script))
		names.familyFirst, names.unspaced = namePools()[poolOf(script)].familyFirst, namePools()[poolOf(script)].unspaced
	}
	return p
})

func personWords(names, roman []string) (words []personWord) {
	s := getScratch()
	defer s.free()
	for i, name := range names {
		p, usable := newPhrase(s, name)
		ascii := isASCII([]byte(name))
		latin, _ := utf8.DecodeRuneInString(name)
		switch {
		case !usable || p.chars > personLetters || len(roman[i]) > personLetters || roman[i] == "":
		case ascii && !strings.EqualFold(name, roman[i]): // O'Neil: there are enough without
		case !ascii && unicode.Is(unicode.Latin, latin):
		default:
			words = append(words, personWord{p, roman[i]})
		}
	}
	return words
}

// familyBits returns the bits of a family name in a–z, of the script with the fewest
// if it is not fixed; givenBits those of a given name.
func (p *personPools) familyBits(fixed uint8) float64 {
	return p.bits(fixed, func(n *personPool) []personWord { return n.family })
}

func (p *personPools) givenBits(fixed uint8) float64 {
	return p.bits(fixed, func(n *personPool) []personWord { return n.given })
}

func (p *personPools) bits(fixed uint8, words func(*personPool) []personWord) float64 {
	bits := math.Inf(1)
	for i := range p {
		list := words(&p[i])
		if len(list) == 0 || fixed != poolNone && i != int(fixed) {
			continue
		}
		// Names that are one word in a–z count by the most frequent one.
		counts, most := map[string]int{}, 0
		for _, w := range list {
			counts[w.roman]++
			most = max(most, counts[w.roman])
		}
		bits = min(bits, math.Log2(float64(len(list))/float64(most)))
	}
	return bits
}

// personMaker makes one part of a person.
type personMaker struct {
	people *personPools
	part   string
	domain string // of emails
	unique bool   // of user names
	room   int    // characters of an email before the @, or of a user name
}

// who returns the names of the person that is drawn. Of the block's 128 bits, 31 and
// 32 choose the names, as in a fake email, and the other 65 are the code.
func (m *personMaker) who(d *drawnRow) (given, family *personWord) {
	names := &m.people[d.pool]
	hi := binary.BigEndian.Uint64(d.block[:8])
	return &names.given[hi>>32&0x7fff_ffff*uint64(len(names.given))>>31], &names.family[hi&0xffff_ffff*uint64(len(names.family))>>32]
}

// appendCode appends base32 digits of the 65 bits that choose no name.
func (m *personMaker) appendCode(dst []byte, d *drawnRow, n int) []byte {
	hi, lo := binary.BigEndian.Uint64(d.block[:8]), binary.BigEndian.Uint64(d.block[8:])
	return appendBase32(dst, hi>>63<<4|lo>>60, lo, min(n, emailCode))
}

func (m *personMaker) meets(d *drawnRow) bool {
	given, family := m.who(d)
	unspaced := m.people[d.pool].unspaced
	for _, n := range d.names {
		for _, w := range [2]*personWord{given, family} {
			if hasWord(n, w.folded, unspaced) || hasWord(n, w.base, unspaced) {
				return true
			}
		}
	}
	return false
}

func (m *personMaker) append(dst []byte, d *drawnRow, _ *shapeScratch) []byte {
	given, family := m.who(d)
	from := len(dst)
	switch m.part {
	case "first_name":
		dst = append(dst, given.text[d.style]...)
	case "last_name":
		dst = append(dst, family.text[d.style]...)
	case "initials":
		dst = m.appendInitials(dst, d, given, family)
	case "email":
		dst = m.appendEmail(dst, d, given, family)
	case "user_name":
		dst = m.appendUserName(dst, d, given, family)
	default:
		dst = m.appendWhole(dst, d, given.text[d.style], family.text[d.style])
		if !d.limit.hold(dst[from:]) {
			initial, size := utf8.DecodeRuneInString(given.text[d.style])
			var short [utf8.UTFMax + 1]byte
			n := utf8.EncodeRune(short[:], initial)
			if unicode.IsUpper(initial) || unicode.IsLower(initial) {
				short[n] = '.'
				size++
			}
			dst = m.appendWhole(dst[:from], d, string(short[:size]), family.text[d.style])
		}
		if !d.limit.hold(dst[from:]) {
			dst = append(dst[:from], family.text[d.style]...)
		}
	}
	return dst[:from+len(d.limit.cut(dst[from:]))]
}

// appendWhole appends a given and a family name in the order of the script, or with
// the comma that the value has.
func (m *personMaker) appendWhole(dst []byte, d *drawnRow, given, family string) []byte {
	names := &m.people[d.pool]
	one, between, other := given, " ", family
	switch {
	case bytes.IndexByte(d.value, ',') > 0:
		one, between, other = family, ", ", given
		if bytes.IndexByte(d.value, ' ') < 0 {
			between = ","
		}
	case names.familyFirst:
		one, other = family, given
	}
	if names.unspaced && bytes.IndexByte(bytes.TrimSpace(d.value), ' ') < 0 {
		between = ""
	}
	dst = append(dst, one...)
	dst = append(dst, between...)
	return append(dst, other...)
}

// appendInitials appends initials with the dots and blanks that the value has.
func (m *personMaker) appendInitials(dst []byte, d *drawnRow, given, family *personWord) []byte {
	dots := bytes.IndexByte(d.value, '.') >= 0
	blanks := bytes.IndexByte(bytes.TrimSpace(d.value), ' ') >= 0
	one, other := given, family
	if m.people[d.pool].familyFirst {
		one, other = family, given
	}
	for i, w := range [2]*personWord{one, other} {
		if i > 0 && blanks {
			dst = append(dst, ' ')
		}
		r, _ := utf8.DecodeRuneInString(w.text[d.style])
		dst = utf8.AppendRune(dst, r)
		if dots {
			dst = append(dst, '.')
		}
	}
	return dst
}

// appendEmail appends given.family.code@domain; where that does not fit, the names
// are cut before the code is.
func (m *personMaker) appendEmail(dst []byte, d *drawnRow, given, family *personWord) []byte {
	code := min(m.room, emailCode)
	if room := m.room - code - 1; room > 0 {
		from := len(dst)
		dst = append(dst, given.roman...)
		dst = append(dst, '.')
		dst = append(dst, family.roman...)
		dst = append(bytes.TrimRight(dst[:min(len(dst), from+room)], "."), '.')
	}
	dst = m.appendCode(dst, d, code)
	dst = append(dst, '@')
	return append(dst, m.domain...)
}

// appendUserName appends an initial, the family name, and four digits: or, of
// unique ones, a code.
func (m *personMaker) appendUserName(dst []byte, d *drawnRow, given, family *personWord) []byte {
	code := 4
	if m.unique {
		code = emailCode
	}
	code = min(code, m.room)
	between := 0
	if m.unique {
		between = 1
	}
	if room := m.room - code - between; room > 0 {
		from := len(dst)
		dst = append(dst, given.roman[0])
		dst = append(dst, family.roman...)
		dst = dst[:min(len(dst), from+room)]
		if m.unique {
			dst = append(dst, '.')
		}
	}
	if m.unique {
		return m.appendCode(dst, d, code)
	}
	n := binary.BigEndian.Uint64(d.block[8:]) >> 32 * 10_000 >> 32
	for scale := uint64(1000); scale > 0 && code > 0; scale, code = scale/10, code-1 {
		dst = append(dst, '0'+byte(n/scale%10))
	}
	return dst
}
