package masking

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// placeVariants are {fake: city}, {fake: street} and {fake: address}.
var placeVariants = []fakeVariant{
	choiceVariant("city", func() chooser { return listed{cityPools()} },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Oslo", "SÃO PAULO", "Москва"}}}, "city"),
	choiceVariant("street", func() chooser { return streetChooser{streetPools()} },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"221B Baker Street", "Hauptstraße 5", "ул. Ленина, 5"}}}, "street", "street_patterns"),
	choiceVariant("address", func() chooser { return addressChooser{streetChooser{streetPools()}, cityPools(), companies()} },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"221B Baker Street, London NW1 6XE", "Miller Ltd\nHauptstraße 5\n10115 Berlin", "Москва, ул. Ленина, 5"}}},
		"street", "street_patterns", "city", "company", "form"),
}

var (
	cityPools   = sync.OnceValue(func() *phrasePools { return newPhrasePools(dictionary.Cities) })
	streetPools = sync.OnceValue(func() *phrasePools { return newPhrasePools(dictionary.Streets) })
)

// houseNumbers is how many house numbers there are, from 1 on.
const houseNumbers = 199

// streetChooser makes a street, with a house number if the value has one: before
// or behind the street as in the value in Latin, as is the custom in other scripts.
type streetChooser struct{ streets *phrasePools }

func (t streetChooser) append(dst []byte, c *chosen) []byte {
	if hasDigit(c.own) {
		if out := t.withNumber(dst, c, c.own, c.limit); len(out) > len(dst) {
			return out
		}
	}
	list := t.streets[c.pool]
	if p := c.choose(list, c.draw[0], c.limit); p != nil {
		return append(dst, p.text[c.style]...)
	}
	return c.cutPhrase(dst, list, c.draw[2])
}

// hasDigit reports whether there is a digit, of whatever script.
func hasDigit(v []byte) bool {
	for i, b := range v {
		switch {
		case b-'0' <= 9:
			return true
		case b >= utf8.RuneSelf:
			return bytes.ContainsFunc(v[i:], unicode.IsDigit)
		}
	}
	return false
}

// withNumber appends a street with a house number; nothing if none fits. own is the
// part of the value that has the order of the two.
func (t streetChooser) withNumber(dst []byte, c *chosen, own []byte, limit limits) []byte {
	before, between, behind := patternOf(c.pool, own)
	left := limit.minus(before).minus(between).minus(behind).less(3)
	p := c.choose(t.streets[c.pool], c.draw[0], left)
	if p == nil {
		return dst
	}
	number := int64(1 + below32(c.draw[1], houseNumbers))
	switch first, _ := utf8.DecodeRune(own); { // of nothing: no digit
	case c.pool <= poolLatin && unicode.IsDigit(first), c.pool == poolDevanagari:
		dst = strconv.AppendInt(dst, number, 10)
		dst = append(dst, between...)
		return append(dst, p.text[c.style]...)
	}
	dst = append(dst, before...)
	dst = append(dst, p.text[c.style]...)
	dst = append(dst, between...)
	dst = strconv.AppendInt(dst, number, 10)
	return append(dst, behind...)
}

// patternOf returns what stands before, between and behind street and number.
func patternOf(pool uint8, own []byte) (before, between, behind string) {
	if pool <= poolLatin {
		if at := bytes.IndexByte(own, ','); at > 0 && at < len(own)-1 && own[0]-'0' > 9 && own[at+1] == ' ' {
			return "", ", ", ""
		}
		return "", " ", ""
	}
	p := streetPatterns()[pool]
	return p[0], p[1], p[2]
}

var streetPatterns = sync.OnceValue(func() *[pools][3]string {
	patterns := new([pools][3]string)
	for script := dictionary.Cyrillic; script <= dictionary.Hangul; script++ {
		pattern := strings.NewReplacer("{street}", "\x00", "{number}", "\x00").Replace(dictionary.StreetPattern(script))
		copy(patterns[poolOf(script)][:], strings.SplitN(pattern, "\x00", 3))
	}
	return patterns
})

// maxAddressLines is the most lines of an address that are told apart.
const maxAddressLines = 5

// addressChooser makes an address of as many lines as the value has, up to five: the
// last is a town, the one before it a street with a house number, those above are
// companies. An address of one line is "street, town"; in scripts that write from the large
// to the small, "town, street". A postcode, that is the last four to six digits in
// a row, gets as many other digits, before the town or behind it as it was.
// The town and the postcode are drawn apart: the dictionary knows no postcodes.
type addressChooser struct {
	street    streetChooser
	cities    *phrasePools
	companies *companyChooser
}

func (t addressChooser) append(dst []byte, c *chosen) []byte {
	from := len(dst)
	lines := min(1+bytes.Count(bytes.TrimSpace(c.value), []byte("\n")), maxAddressLines)
	newline := "\n"
	if bytes.Contains(c.value, []byte("\r\n")) {
		newline = "\r\n"
	}
	digits, before := postcodeOf(c.own)
	// First with all parts, then with fewer.
	for _, parts := range [...]struct{ postcode, street bool }{{true, true}, {false, true}, {false, false}} {
		if !parts.postcode {
			digits = 0
		}
		dst = t.compose(dst[:from], c, lines, newline, digits, before, parts.street)
		if len(dst) > from && c.limit.hold(dst[from:]) {
			return dst
		}
		lines = 1 // what is too short for all parts has one line
	}
	return c.cutPhrase(dst[:from], t.cities[c.pool], c.draw[3])
}

// compose writes an address that may be too long; nothing if it is for certain.
func (t addressChooser) compose(dst []byte, c *chosen, lines int, newline string, digits int, before, street bool) []byte {
	from := len(dst)
	above := max(lines-2, 0)
	limit := c.limit.less((lines - 1) * len(newline)).less(digits + 1)
	share := limit
	if street {
		share = limits{limit.chars / (above + 2), limit.bytes / (above + 2)}.less(2)
	}
	city := c.choose(t.cities[c.pool], c.draw[2], share)
	if city == nil {
		return dst
	}
	place := func() {
		if digits > 0 && before {
			dst = append(appendCode(dst, c.draw[3], digits), ' ')
		}
		dst = append(dst, city.text[c.style]...)
		if digits > 0 && !before {
			dst = appendCode(append(dst, ' '), c.draw[3], digits)
		}
	}
	if !street {
		place()
		return dst
	}
	was := *c
	c.limit = share
	for i := range above {
		c.draw[0], c.draw[1] = redraw(was.draw[1]^was.draw[2]+uint32(i)), redraw(was.draw[3]+uint32(i))
		dst = append(t.companies.append(dst, c), newline...)
	}
	c.limit, c.draw = was.limit, was.draw
	// Which of street and number comes first is told by the part that has them.
	own := c.own
	if at := bytes.LastIndexByte(own, ','); at > 0 {
		own = own[:at] // what follows is the town
	}
	if lines > 1 {
		own = bytes.TrimSpace(c.value)
		own = own[:bytes.LastIndexByte(own, '\n')]
		own = bytes.TrimSpace(own[bytes.LastIndexByte(own, '\n')+1:])
	}
	largeFirst := lines == 1 && (c.pool == poolHan || c.pool == poolKana || c.pool == poolHangul || c.pool == poolCyrillic)
	separator := ", "
	switch {
	case lines > 1:
		separator = newline
	case c.pool == poolHan:
		separator = ""
	case c.pool == poolKana, c.pool == poolHangul:
		separator = " "
	}
	if largeFirst {
		place()
		dst = append(dst, separator...)
	}
	at := len(dst)
	if dst = t.street.withNumber(dst, c, own, share.less(-1)); len(dst) == at {
		return dst[:from]
	}
	if !largeFirst {
		dst = append(dst, separator...)
		place()
	}
	return dst
}

// postcodeOf returns how many digits the postcode of an address has, 0 if it has
// none, and whether letters follow it.
func postcodeOf(own []byte) (digits int, before bool) {
	run := 0
	for i := 0; i <= len(own); i++ {
		if i < len(own) && own[i]-'0' <= 9 {
			run++
			continue
		}
		if run >= 4 && run <= 6 {
			digits = run
			before = bytes.ContainsFunc(own[i:], unicode.IsLetter)
		}
		run = 0
	}
	return digits, before
}

// appendCode appends n digits of a draw, at most six.
func appendCode(dst []byte, draw uint32, n int) []byte {
	scale := 1
	for range n {
		scale *= 10
	}
	v := below32(draw, scale)
	for range n {
		scale /= 10
		dst = append(dst, '0'+byte(v/scale%10))
	}
	return dst
}
