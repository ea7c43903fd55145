package masking

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// fakeFactory makes {fake: …}: realistic values of a kind that the variant names.
type fakeFactory struct{}

// fakeVariant is one variant of fake: what it is called, which of fake's
// parameters it takes, what binds it, and what shows it at work. Its family's file
// has it. The samples need not repeat the variant.
type fakeVariant struct {
	name    string
	params  []Param
	bind    func(Request) (Binding, error)
	samples []Sample
}

// fakeVariants lists the variants of fake in the order of the catalogue.
var fakeVariants = func() []fakeVariant {
	return slices.Concat(nameVariants, emailVariants, userNameVariants, phoneVariants, placeVariants, companyVariants, jobVariants,
		digitVariants, cardVariants, ibanVariants, nationalVariants, networkVariants, poolVariants)
}()

func (fakeFactory) Describe() Description {
	d := Description{
		Name:    "fake",
		Version: 1,
		Summary: "Replaces a value by a realistic one: a name, an email, a phone number.",
		Kinds:   []Kind{Text, Int, Float, Numeric, IP, MAC},
		Named:   []string{"gofakeit"},
	}
	for _, v := range fakeVariants {
		d.Variants = append(d.Variants, v.name)
		for _, s := range v.samples {
			if s.Spec.Variant == nil {
				s.Spec.Variant = v.name
			}
			d.Samples = append(d.Samples, s)
		}
		for _, p := range v.params {
			switch i := slices.IndexFunc(d.Params, func(q Param) bool { return q.Name == p.Name }); {
			case i < 0:
				d.Params = append(d.Params, p)
			case !strings.Contains(d.Params[i].Summary, p.Summary): // what it is of another variant
				d.Params[i].Summary += "; " + p.Summary
			}
		}
	}
	return d
}

func (fakeFactory) Bind(req Request) (Binding, error) {
	name := req.Spec.variant()
	v := fakeVariants[slices.IndexFunc(fakeVariants, func(v fakeVariant) bool { return v.name == name })]
	for given := range req.Spec.Params {
		if !slices.ContainsFunc(v.params, func(p Param) bool { return p.Name == given }) {
			var own []string
			for _, p := range v.params {
				own = append(own, p.Name)
			}
			help := fmt.Sprintf("fake %s takes no parameters", name)
			if len(own) > 0 {
				help = fmt.Sprintf("fake %s takes %s", name, strings.Join(own, ", "))
			}
			return Binding{}, &BindError{Reason: fmt.Sprintf("fake %s has no parameter %q", name, given), Help: help}
		}
	}
	if kind := req.Column.Kind; kind != Text && !slices.Contains(besidesText[name], kind) {
		takes, help := "it takes text", ""
		if kind == Int {
			help = "; for integers use {pseudonym: id, range: [lo, hi]}"
		}
		for _, k := range besidesText[name] {
			takes += ", " + k.String()
		}
		return Binding{}, &BindError{
			Reason: fmt.Sprintf("fake %s cannot mask a column of kind %s", name, kind),
			Help:   takes + help,
		}
	}
	b, err := v.bind(req)
	return basesFirst(b, name, req.Column), err
}

// besidesText are the kinds that a variant takes besides text.
var besidesText = map[string][]Kind{
	"account":     {Int, Numeric},
	"postcode":    {Int, Numeric},
	"pan":         {Int},
	"ssn":         {Int},
	"national_id": {Int},
	"ip":          {IP},
	"mac":         {MAC},
	"gofakeit":    {Int, Float, Numeric},
}

// scriptParam is the parameter of names and places.
var scriptParam = Param{Name: "script", Summary: "of names and places: keep (as the input's, without it), or one of " + strings.Join(dictionary.Scripts(), ", "), Type: "string"}

var nameVariants = []fakeVariant{
	{"first_name", []Param{scriptParam}, func(r Request) (Binding, error) { return bindName(r, "first_name") },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Maria", "J.", "Иван"}}}},
	{"last_name", []Param{scriptParam}, func(r Request) (Binding, error) { return bindName(r, "last_name") },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Smith", "GARCÍA", "Παπαδόπουλος"}}}},
	{"person_name", []Param{scriptParam}, func(r Request) (Binding, error) { return bindName(r, "person_name") },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Maria Smith", "smith, maria", "王小明"}}}},
}

func bindName(req Request, variant string) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake "+variant, col); err != nil {
		return Binding{}, err
	}
	t := &nameTransform{
		prf:      newPRF(req.Key.For("fake " + variant)),
		stream:   newBlock(req.Key.For("fake " + variant + " stream")),
		shape:    newShape(req.Key, "fake "+variant+" shape"),
		pools:    namePools(),
		fixed:    poolNone,
		maxChars: col.MaxChars,
		maxBytes: col.MaxBytes,
		charset:  col.Charset,
		equality: col.Equality.byLetters(),
	}
	t.shape.within(col.Charset)
	t.shape.equality = col.Equality.byLetters()
	switch variant {
	case "last_name":
		t.variant = lastName
	case "person_name":
		t.variant = personName
	}
	script := "keep"
	if s, given := req.Spec.Params["script"].(string); given {
		script = s
	}
	if script != "keep" {
		s, known := dictionary.ParseScript(script)
		if !known {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("there are no names in the script %q", script),
				Help:   "script is keep, or one of " + strings.Join(dictionary.Scripts(), ", "),
			}
		}
		t.fixed = uint8(poolOf(s))
		if (col.Charset == Latin1 || col.Charset == ASCII) && s != dictionary.Latin {
			return Binding{}, &BindError{
				Reason: fmt.Sprintf("the database's character set, %s, does not hold names in the script %s", col.Charset, script),
				Help:   "leave script out, or write script: latin",
			}
		}
	}
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     fmt.Sprintf("script %s, dictionary %d %s, Unicode %s", script, dictionary.Version, dictionary.HashOf("given", "family", "letters"), unicode.Version),
	}
	if holds := col.asciiChars(); holds > 0 && holds < 5 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("few names fit the %d characters of the column, and frequencies re-identify", holds))
	}
	return b, nil
}

// The pools of names: one for each script, and three for Latin.
const (
	poolASCII  = iota
	poolLatin1 // with diacritics that Latin-1 has
	poolLatin  // with others
	poolCyrillic
	poolGreek
	poolArabic
	poolHebrew
	poolDevanagari
	poolHan
	poolKana
	poolHangul
	pools
	poolNone = 255 // a script that the dictionary lacks
)

func poolOf(s dictionary.Script) int {
	if s == dictionary.Latin {
		return poolASCII
	}
	return int(s) + poolCyrillic - int(dictionary.Cyrillic)
}

type namePool struct {
	given, family nameList
	familyFirst   bool
	unspaced      bool // a family and a given name are one word
}

// nameList is sorted by length in characters, so that those that fit a column are
// the first ones.
type nameList struct {
	names []string
	plain []shortText // the same, as far as they are short and ASCII
	upTo  [32]int     // how many have at most so many characters
}

func newNameList(names []string) nameList {
	l := nameList{names: slices.Clone(names)}
	slices.SortStableFunc(l.names, func(a, b string) int { return utf8.RuneCountInString(a) - utf8.RuneCountInString(b) })
	for _, n := range l.names {
		l.plain = append(l.plain, newShortText(n))
		for c := utf8.RuneCountInString(n); c < len(l.upTo); c++ {
			l.upTo[c]++
		}
	}
	return l
}

var namePools = sync.OnceValue(func() *[pools]namePool {
	p := new([pools]namePool)
	for s := dictionary.Cyrillic; s <= dictionary.Hangul; s++ {
		p[poolOf(s)] = namePool{given: newNameList(dictionary.GivenNames(s)), family: newNameList(dictionary.FamilyNames(s))}
	}
	for _, i := range []int{poolHan, poolKana, poolHangul} {
		p[i].familyFirst = true
		p[i].unspaced = i != poolKana
	}
	byTier := func(names []string) (tiers [3][]string) {
		for _, n := range names {
			tier := poolASCII
			for _, r := range n {
				tier = max(tier, latinPool(r))
			}
			tiers[tier] = append(tiers[tier], n)
		}
		return tiers
	}
	given, family := byTier(dictionary.GivenNames(dictionary.Latin)), byTier(dictionary.FamilyNames(dictionary.Latin))
	for tier := range given {
		p[tier] = namePool{given: newNameList(given[tier]), family: newNameList(family[tier])}
	}
	return p
})

// latinPool returns the pool that a character of a Latin name asks for.
func latinPool(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return poolASCII
	case r <= unicode.MaxLatin1:
		return poolLatin1
	}
	return poolLatin
}

// choose returns the place of a name: by the first four bytes of draw among all, so
// that columns of different lengths agree; by the next four among those that fit,
// if that one does not.
func (l *nameList) choose(draw []byte, budget int) int {
	i := pick(draw, len(l.names))
	if fits := l.upTo[budget]; i >= fits && fits > 0 {
		i = pick(draw[4:], fits)
	}
	return i
}

// next returns the place after i, within those that fit if i is.
func (l *nameList) next(i, budget int) int {
	n := len(l.names)
	if fits := l.upTo[budget]; i < fits {
		n = fits
	}
	return (i + 1) % n
}

// pick maps four bytes to [0, n).
func pick(draw []byte, n int) int {
	return int(uint64(binary.LittleEndian.Uint32(draw)) * uint64(n) >> 32)
}
