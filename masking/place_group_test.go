package masking

import (
	"fmt"
	"strings"
	"testing"
)

func placeOf(part string, kv ...any) Spec {
	return Spec{Name: "place", Variant: part, Params: params(append(kv, "of", "subject")...), Domain: "d"}
}

var _ = addLawCases(
	lawCase{name: "place street", spec: placeOf("street"), col: Column{Kind: Text, MaxChars: 40}, value: addressText, by: uniqueSubject, subject: eachSubject},
	lawCase{name: "place city", spec: placeOf("city"), col: Column{Kind: Text, MaxChars: 8}, value: wordsOf, by: &Column{Kind: UUID}, subject: uuidBytes},
	lawCase{name: "place postcode", spec: placeOf("postcode"), col: Column{Kind: Text, MaxChars: 12}, value: func(i int) any {
		return []string{fmt.Sprintf("%05d", i), fmt.Sprintf("NW%d 6XE", i), fmt.Sprintf("%05d-1234", i)}[i%3]
	}, by: uniqueSubject, subject: eachSubject, fits: samePostcode},
	lawCase{name: "place address", spec: placeOf("address", "script", "cyrillic"), col: Column{Kind: Text}, value: addressText, by: uniqueSubject, subject: eachSubject},
)

func samePostcode(in, out any) string {
	a, b := in.(string), out.(string)
	for i := range a {
		if len(b) != len(a) || (a[i] <= '9') != (b[i] <= '9') {
			return "has another pattern"
		}
	}
	return ""
}

var _ = addVectors(vectorSet{"place_of", []vector{
	{"customers", Column{Kind: Text}, placeOf("street"), []any{"221B Baker Street", "BAKER STREET", "ул. Ленина, 5", "", nil}, int64(1)},
	{"customers", Column{Kind: Text}, placeOf("city"), []any{"London", "Москва"}, int64(1)},
	{"customers", Column{Kind: Text}, placeOf("postcode"), []any{"10115", "NW1 6XE", "12345-6789"}, int64(1)},
	{"customers", Column{Kind: Text}, placeOf("address"), []any{"1 Elm Grove, Springfield 12345", "Hauptstraße 5\n10115 Berlin", "ул. Ленина, 5, Москва"}, int64(1)},
}})

func TestPlacesAgree(t *testing.T) {
	a := &aTable{}
	a.add(*subjectPeer(), Spec{})
	for _, part := range placeParts {
		a.add(Column{Name: part, Kind: Text}, placeOf(part))
	}
	other := &aTable{}
	other.add(Column{Name: "town", Kind: Text}, placeOf("city"))
	other.add(Column{Name: "where", Kind: Text}, placeOf("address"))
	other.add(*subjectPeer(), Spec{})
	var rows, others [][]any
	for i := range 2000 {
		rows = append(rows, []any{int64(i), "1 Elm Road", "Springfield", "12345", "1 Elm Road, Springfield 12345"})
		others = append(others, []any{"SPRINGFIELD", "1 Elm Road\n12345 Springfield", int64(i)})
	}
	there := other.mask(t, others...)
	for i, row := range a.mask(t, rows...) {
		street, city, code := row[1].(string), row[2].(string), row[3].(string)
		if row[4] != street+", "+city+" "+code {
			t.Fatalf("row %d does not agree: %q", i, row)
		}
		if there[i][0] != strings.ToUpper(city) || there[i][1] != street+"\n"+code+" "+city {
			t.Fatalf("row %d is another place elsewhere: %q, %q", i, row, there[i])
		}
		if city == "Springfield" || strings.HasSuffix(street, " Elm Road") || code == "12345" {
			t.Fatalf("row %d keeps a part", i)
		}
	}
}
