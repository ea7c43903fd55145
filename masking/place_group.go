package masking

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// placeFactory makes {place: PART, of: COLUMN}: the parts of an address, in several
// columns and tables, that agree. See drawnGroup for how they come to.
//
// The address has the street and the town of the columns beside it, and its
// postcode. The dictionary knows no postcodes: a postcode keeps the pattern of the
// value, so that it is one of the country's form, and belongs to the subject
// rather than to the town. Whoever keeps the country keeps a country in which the
// town may not lie; name a script to stay near.
//
// Where a column is too short for what is drawn, its part is chosen anew among
// what fits, and does not agree.
type placeFactory struct{}

var placeParts = []string{"street", "city", "postcode", "address"}

func (placeFactory) Describe() Description {
	d := Description{
		Name:     "place",
		Version:  1,
		Summary:  "Replaces the parts of an address, in several columns, by those of one other place: street, town, postcode and address agree.",
		Kinds:    []Kind{Text},
		Variants: placeParts,
		Params: []Param{
			ofParam("place"),
			{Name: "script", Summary: "keep (that of the row's streets and towns, Latin without any), or one of " + strings.Join(dictionary.Scripts(), ", "), Type: "string"},
		},
	}
	beside := []SampleColumn{{Column: Column{Name: "customer_id", Kind: Int, Bits: 64, Unique: true}, Values: []string{"1", "1", "2"}}}
	for _, s := range []struct {
		part   string
		values []string
	}{
		{"street", []string{"221B Baker Street", "BAKER STREET", "ул. Ленина, 5"}}, {"city", []string{"London", "LONDON", "Москва"}},
		{"postcode", []string{"10115", "NW1 6XE", "10115"}}, {"address", []string{"221B Baker Street, London", "Hauptstraße 5\n10115 Berlin", "ул. Ленина, 5, Москва"}},
	} {
		d.Samples = append(d.Samples, Sample{
			Spec:   Spec{Variant: s.part, Params: map[string]any{"of": "customer_id"}},
			Column: Column{Kind: Text}, Values: s.values, Beside: beside,
		})
	}
	return d
}

func (placeFactory) Bind(req Request) (Binding, error) {
	part, _ := req.Spec.Variant.(string)
	if err := refuseUnique("place "+part, req.Column, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	bears := func(v string) bool { return slices.Contains(placeParts, v) && v != "postcode" }
	t, b, err := bindDrawn(req, bears)
	if err != nil {
		return Binding{}, err
	}
	m := &placeMaker{part: part, streets: streetPools(), cities: cityPools(), shape: newShape(req.Key, "postcode"), charset: req.Column.Charset}
	m.address = addressChooser{streetChooser{m.streets}, m.cities, companies()}
	t.maker = m
	lists := []string{"street", "street_patterns", "city"}
	switch part {
	case "address":
		lists = append(lists, "company", "form")
	case "postcode":
		lists = append(lists, "letters")
	}
	b.Pinned += pinnedLists(lists...)
	if len(t.bearing) == 0 {
		b.Warnings = append(b.Warnings, "no column of the table bears the place's street or town: about one place in 200, whose draw meets the true one where that stands, is another here")
	}
	if most := min(t.limit.chars, t.limit.bytes); bears(part) && most < 24 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("what is longer than the %d characters of the column is chosen anew, and does not agree with other columns", most))
	}
	return b, nil
}

// placeMaker makes one part of a place.
type placeMaker struct {
	part            string
	streets, cities *phrasePools
	address         addressChooser
	shape           *shapeTransform
	charset         Charset
}

// The draws of a place are those of an address: street, house number, town, postcode.
func (m *placeMaker) meets(d *drawnRow) bool {
	streets, cities := m.streets[d.pool], m.cities[d.pool]
	street, city := &streets[below32(d.draw[0], len(streets))], &cities[below32(d.draw[2], len(cities))]
	unspaced := d.pool == poolHan || d.pool == poolKana || d.pool == poolHangul
	for _, n := range d.names {
		for _, p := range [2]*phrase{street, city} {
			if hasWord(n, p.folded, unspaced) || hasWord(n, p.base, unspaced) {
				return true
			}
		}
	}
	return false
}

func (m *placeMaker) append(dst []byte, d *drawnRow, s *shapeScratch) []byte {
	from := len(dst)
	switch m.part {
	case "street":
		return m.address.street.append(dst, &d.chosen)
	case "city":
		cities := m.cities[d.pool]
		if p := d.choose(cities, d.draw[2], d.limit); p != nil {
			return append(dst, p.text[d.style]...)
		}
		return d.cutPhrase(dst, cities, d.draw[2])
	case "address":
		return m.address.append(dst, &d.chosen)
	}
	v := bytes.TrimSpace(d.value)
	if d.base && !isASCII(v) {
		v = d.own // its letters without marks
	}
	// A code of four to six digits is that of the address.
	if digits, _ := postcodeOf(v); digits == len(v) {
		if dst = appendCode(dst, d.draw[3], digits); string(dst[from:]) != string(v) {
			return dst
		}
		return appendCode(dst[:from], redraw(d.draw[3]), digits)
	}
	dst = append(dst, v...)
	m.shape.shape(dst[from:], v, &d.block, s)
	return m.charset.appendHeld(dst[:from], dst[from:], v)
}
