package pipeline

import (
	"fmt"
	"testing"
)

// What is divided, and how, for databases of typical shapes: w is a table that is loaded
// whole, c one in chunks, a number a lead of so many megabytes.
func TestShares(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name    string
		workers int
		sizes   []int64 // MB
		want    string
	}{
		{"nothing", 2, nil, "[]"},
		{"one table has most rows", 2, []int64{2700, 500, 300, 300, 1}, "[990 w w w w]"},
		{"one table has more than a half", 2, []int64{2400, 700, 700, 1}, "[w w w w]"},
		{"one of four workers has more than its part", 4, []int64{370, 250, 200, 180}, "[w w w w]"},
		{"one table has nearly all rows", 2, []int64{9000, 10, 5}, "[c w w]"},
		{"one table", 3, []int64{9000}, "[c]"},
		{"two of a size", 2, []int64{1000, 1000}, "[w w]"},
		{"three of a size", 2, []int64{1000, 1000, 1000}, "[w w c]"},
		{"two large ones and small ones", 4, []int64{4000, 4000, 900, 900}, "[810 810 w w]"},
		{"small ones only, of one chunk each", 4, []int64{30, 20, 10, 5, 5}, "[c c w w w]"},
		{"a single worker", 1, []int64{500, 3000}, "[w w]"},
		{"larger than is done again gladly", 1, []int64{5000, 6000, 100}, "[c c w]"},
		{"a lead is bounded too", 2, []int64{40_000, 4000, 4000, 4000, 4000}, "[4096 w w w w]"},
	} {
		sizes := make([]int64, len(c.sizes))
		for i, n := range c.sizes {
			sizes[i] = n * mb
		}
		var got []string
		for _, s := range shares(sizes, c.workers) {
			switch {
			case s.whole:
				got = append(got, "w")
			case s.lead > 0:
				got = append(got, fmt.Sprint(s.lead/mb))
			default:
				got = append(got, "c")
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
