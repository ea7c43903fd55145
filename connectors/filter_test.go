package connectors_test

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]string{
		"id = 1": "",
		`a.f (x) AND lower(y) = 'g(' AND "G"."h"(1)`:  "a.f lower G.h",
		`x = E'it\'s (' AND y = e'\\' AND te'x' `:     "",
		`x = 'a''b;--' AND "a""b" > 0 AND a[1] = (2)`: "",
		"now() > x AND id IN (1, 2)":                  "now in",
		`j @> '{"a": 1}'::jsonb AND j ? 'x'`:          "",
	} {
		c, err := connectors.ParseCondition(text, "")
		if err != nil || strings.Join(c.Calls, " ") != want {
			t.Errorf("%s: %+v, %v", text, c, err)
			continue
		}
		if again := c.Text(func(s string) string { return s }); again != text {
			t.Errorf("%s became %s", text, again)
		}
	}
	for _, text := range []string{
		"", "\n", "a) OR (b", "(a", "a]", "a[1)", "(a]", "a; b", "a -- b", "a /* b", "'a", `"a`, `E'a\'`, "a = $1", "$$a$$", "a\x00", "'a\x00'", `a = '\' OR ('`,
	} {
		if c, err := connectors.ParseCondition(text, ""); err == nil {
			t.Errorf("%q is taken for a condition: %+v", text, c)
		}
	}
	if _, err := connectors.ParseCondition("a = :b", ":"); err == nil || !strings.Contains(err.Error(), `":" outside quotes`) {
		t.Error(err)
	}
	if c, err := connectors.ParseCondition("`a;b``c` = 1", ""); err != nil || !slices.Equal(c.Names, []string{"a;b`c"}) {
		t.Errorf("names in backticks: %v, %v", c, err)
	}
	if _, err := connectors.ParseCondition("`a` = 1", "`"); err == nil {
		t.Error("backticks are taken where they quote nothing")
	}
	if c, err := connectors.ParseCondition(`a = ':b' AND "c:d" = 1`, ":"); err != nil || !slices.Equal(c.Names, []string{"c:d"}) {
		t.Error(c, err)
	}
}

// What is taken leaves no parenthesis and no quote open, so that what stands behind it
// is read as what it is.
func FuzzParseCondition(f *testing.F) {
	for _, s := range []string{"id = 1", "a) OR (b", `E'\''`, `"a""b"(x)`, "é.f('x')[1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := connectors.ParseCondition(text, "?")
		if err != nil {
			return
		}
		if c.Text(func(s string) string { return s }) != text || len(c.Plain) != len(c.Quote)+1 {
			t.Fatalf("%q is put together otherwise: %+v", text, c)
		}
		depth := 0
		for _, p := range c.Plain {
			for _, b := range []byte(p) {
				switch b {
				case '(', '[':
					depth++
				case ')', ']':
					depth--
				case ';', '\'', '"', 0, '?', '$':
					t.Fatalf("%q holds %q outside quotes", text, b)
				}
				if depth < 0 {
					t.Fatalf("%q closes what it did not open", text)
				}
			}
		}
		if depth != 0 {
			t.Fatalf("%q leaves something open", text)
		}
	})
}

// The hash is HMAC-SHA-256 over the lengths and bytes of the key, cut to 16 bytes; this
// one was computed with Python's hmac. A change of it changes every sample.
func TestRowHash(t *testing.T) {
	f := connectors.Filter{Sample: 0.5}
	for i := range f.Seed {
		f.Seed[i] = byte(i)
	}
	h := f.Chooser(nil).Hash([]byte("42"), []byte("é"))
	if got := hex.EncodeToString(h[:]); got != "8501da0422f60637f3547be2936a7f6a" {
		t.Errorf("got %s", got)
	}
	c := f.Chooser(nil)
	again := c.Hash([]byte("a"))
	if c.Hash([]byte("a"), []byte("b")) == c.Hash([]byte("ab"), nil) || c.Hash([]byte("a")) != again {
		t.Error("keys are not told apart, or not alike")
	}
}

func TestChooserKeepsItsShare(t *testing.T) {
	for _, share := range []float64{0.01, 0.2, 0.5, 0.99} {
		c := connectors.Filter{Sample: share}.Chooser(nil)
		n := 0
		const all = 100_000
		for i := range all {
			if c.Keeps(c.Hash([]byte{byte(i), byte(i >> 8), byte(i >> 16)})) {
				n++
			}
		}
		// Five standard deviations of a fair draw; the hash is fixed, so this holds for good.
		if off := math.Abs(float64(n) - share*all); off > 5*math.Sqrt(all*share*(1-share)) {
			t.Errorf("a share of %g keeps %d of %d", share, n, all)
		}
	}
	if (connectors.Filter{Sample: 1}).Chooser(nil) != nil || !(connectors.Filter{Sample: 1}).Zero() {
		t.Error("a sample of everything chooses")
	}
}

func TestLowest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 5, 100, 1000} {
		var all []connectors.RowHash
		lowest := connectors.NewLowest(100)
		for range n {
			var h connectors.RowHash
			for i := range h {
				h[i] = byte(r.IntN(256))
			}
			all = append(all, h)
			lowest.Add(h)
		}
		slices.SortFunc(all, func(a, b connectors.RowHash) int { return slices.Compare(a[:], b[:]) })
		most := lowest.Most()
		if (most == nil) != (n < 100) || most != nil && *most != all[99] {
			t.Errorf("of %d: %v", n, most)
		}
	}
}

func TestResolve(t *testing.T) {
	table := func(keys ...catalog.Key) *catalog.Table {
		return &catalog.Table{ID: catalog.TableID{Name: "t"}, Columns: []catalog.Column{{Name: "a", NotNull: true}, {Name: "b"}, {Name: "c", NotNull: true}}, Unique: keys}
	}
	key := func(columns ...string) catalog.Key { return catalog.Key{Columns: columns} }
	primary := table(key("a"))
	primary.PrimaryKey = &catalog.Key{Columns: []string{"b"}}
	some := key("a")
	some.Partial = true
	f := connectors.Filter{Sample: 0.5}
	for _, tt := range []struct {
		table *catalog.Table
		want  []string
	}{
		{primary, []string{"b"}}, {table(key("b", "a"), key("c", "a")), []string{"c", "a"}}, {table(some, key("b")), nil}, {table(), nil},
	} {
		got, err := f.Resolve(tt.table)
		if !slices.Equal(got.Key, tt.want) || (err != nil) != (tt.want == nil) {
			t.Errorf("key %q, want %q: %v", got.Key, tt.want, err)
		}
	}
	for _, f := range []connectors.Filter{{Sample: math.NaN()}, {Sample: 1.01}, {Sample: -1}, {Limit: -1}, {Limit: 1 << 40}, {Limit: 1, Key: []string{"z"}}} {
		if _, err := f.Resolve(primary); err == nil {
			t.Errorf("%+v is a filter", f)
		}
	}
	if got, err := (connectors.Filter{Where: "x"}).Resolve(table()); err != nil || got.Key != nil {
		t.Errorf("a condition needs no key: %v", err)
	}
	if (connectors.Filter{Where: "x", Seed: [32]byte{1}}).Digest() != (connectors.Filter{Where: "x"}).Digest() {
		t.Error("the seed is in the digest")
	}
}
