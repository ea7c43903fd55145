package masking

import (
	"fmt"
	"testing"
)

// BenchmarkPlain reports what one value costs in a batch of 1,024 where all are as most
// values are: a few words in ASCII. ns/op is nanoseconds per value.
func BenchmarkPlain(b *testing.B) {
	word := func(list ...string) func(int) any {
		return func(i int) any { return list[mix(i)%uint64(len(list))] }
	}
	given := word("Ada", "Grace", "Alan", "Barbara", "Edsger", "FRANCES", "Donald", "radia", "Ken", "Shafi", "Niklaus", "Lynn")
	family := word("Lovelace", "Hopper", "Turing", "Liskov", "Dijkstra", "ALLEN", "Knuth", "perlman", "Thompson", "Goldwasser", "Wirth", "Conway")
	street := word("Harbour Street", "Station Road", "Church Lane", "Mill Street", "Victoria Road", "GARDEN ROW", "Bridge Street", "castle hill")
	city := word("Lisbon", "Utrecht", "Gdansk", "Tampere", "New Bergen", "LEIPZIG", "Toulouse", "Bologna", "Aarhus", "graz")
	for _, c := range []struct {
		variant string
		value   func(i int) any
	}{
		{"first_name", given},
		{"last_name", family},
		{"person_name", func(i int) any { return given(i).(string) + " " + family(i*31).(string) }},
		{"city", city},
		{"street", func(i int) any { return fmt.Sprint(street(i), " ", i%200) }},
		{"address", func(i int) any { return fmt.Sprint(street(i), " ", i%200, ", ", city(i)) }},
		{"company", func(i int) any { return family(i).(string) + " Ltd" }},
		{"job", func(i int) any { return "Head of " + city(i).(string) }},
		{"email", func(i int) any { return fmt.Sprintf("%s.%s%d@mail.example", given(i), family(i), i) }},
		{"phone", func(i int) any { return fmt.Sprintf("+49 30 %07d", mix(i)%1e7) }},
	} {
		b.Run(c.variant, func(b *testing.B) {
			l := lawCase{spec: Spec{Name: "fake", Variant: c.variant}, col: Column{Kind: Text}, value: c.value}
			values, _ := l.take(0, benchRows)
			b.SetBytes(bytesPerValue(values))
			b.ReportAllocs()
			l.benchBatched(b, values, nil)
		})
	}
}
