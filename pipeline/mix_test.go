package pipeline

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestMix(t *testing.T) {
	for _, test := range []struct {
		name, chunks string // a letter is a chunk of that table; a capital is ten times as large
		workers      int
		want         string
	}{
		{"none", "", 2, ""},
		{"one table", "aaa", 2, "aaa"},
		{"one worker", "aaabb", 1, "aabab"},
		{"two tables", "aaaabb", 2, "ababaa"},
		{"one holds most", "aaaaabbcc", 2, "abacabaca"},
		{"three workers", "aaabbbccc", 3, "abcabcabc"},
		{"the largest first", "bbA", 2, "Abb"},
	} {
		s := &schedule{}
		for _, c := range test.chunks {
			bytes := int64(1)
			if c < 'a' {
				bytes = 10
			}
			s.chunks = append(s.chunks, connectors.Chunk{ID: string(c), Table: catalog.TableID{Name: strings.ToLower(string(c))}, Bytes: bytes})
		}
		s.mix(test.workers)
		got := ""
		for _, c := range s.chunks {
			got += c.ID
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
