package masking

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// documents are the transforms whose values have a form of their own, in which
// letters and blanks cannot be exchanged.
var documents = []string{"json", "xml", "each", "fields", "pseudonym", "redact"}

// with returns the case on a column that differs, and false if the transform
// refuses such a column or the case has no texts to try.
func (c lawCase) with(t *testing.T, change func(*Column)) (lawCase, Binding, bool) {
	if c.col.Kind != Text || c.beside != nil || slices.Contains(documents, c.spec.Name) {
		return c, Binding{}, false
	}
	change(&c.col)
	spec := c.spec
	spec.Domain = "d"
	col := c.col
	col.Table, col.Name = "t", "c"
	b, err := Standard().Bind(fixedKey(t), col, spec, c.row())
	var refused *BindError
	if errors.As(err, &refused) {
		return c, b, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, b, true
}

// takes reports whether the transform masks the value, and does not refuse it for
// its form.
func (c *lawCase) takes(b Binding, v any) bool {
	if b.Group != nil {
		return true
	}
	mem := memory.DefaultAllocator
	in := arrayOf(mem, c.col.Kind, true, []any{v})
	defer in.Release()
	out, err := b.Transform.Apply(mem, in)
	if err == nil {
		out.Release()
	}
	return err == nil
}

// TestLawsOfEquality proves that what the database calls equal is masked to what it
// calls equal, and that what is kept apart stays apart under the same equality.
func TestLawsOfEquality(t *testing.T) {
	noRaces(t)
	for _, law := range []struct {
		equality Equality
		other    func(string) string // another spelling of an equal value
	}{
		{FoldASCII, strings.ToUpper},
		{FoldCase, strings.ToUpper},
		{FoldCase | FoldAccents, strings.NewReplacer("A", "Á", "a", "á", "ss", "ß", "1", "１").Replace},
		{PadSpace, func(s string) string { return s + "   " }},
		{FoldCase | PadSpace, func(s string) string { return strings.ToLower(s) + " " }},
	} {
		form := func(v any) string {
			s := getScratch()
			defer s.free()
			return string(s.canonical([]byte(v.(string)), law.equality))
		}
		for _, c := range lawCases {
			c, b, ok := c.with(t, func(col *Column) { col.Equality = law.equality })
			if !ok || c.fixed {
				continue
			}
			t.Run(law.equality.String()+"/"+c.name, func(t *testing.T) {
				ones, subjects := c.take(0, 500/fewer)
				others := make([]any, len(ones))
				for i, v := range ones {
					others[i] = v
					if o := law.other(v.(string)); c.takes(b, o) && (c.col.MaxChars == 0 || utf8.RuneCountInString(o) <= c.col.MaxChars) && form(o) == form(v) {
						others[i] = o
					}
				}
				seen := map[string]string{}
				masked, again := c.mask(t, b, true, ones, subjects), c.mask(t, b, true, others, subjects)
				for i := range masked {
					a, z := form(masked[i]), form(again[i])
					if a != z {
						t.Fatalf("value %d and its equal are masked to %q and %q", i, masked[i], again[i])
					}
					if in, twice := seen[a]; twice && in != form(ones[i]) && b.Guarantees.Unique(c.col.Rows) {
						t.Fatalf("value %d is masked to what is equal to another mask", i)
					}
					seen[a] = form(ones[i])
				}
			})
		}
	}
}

// TestLawsOfCharset proves that what a database's encoding held, it holds.
func TestLawsOfCharset(t *testing.T) {
	noRaces(t)
	within := func(set Charset, v any) bool {
		return strings.IndexFunc(v.(string), func(r rune) bool { return !set.Holds(r) }) < 0
	}
	for _, set := range []Charset{BMP, Latin1, ASCII} {
		for _, c := range lawCases {
			c, b, ok := c.with(t, func(col *Column) { col.Charset = set })
			if !ok {
				continue
			}
			t.Run(set.String()+"/"+c.name, func(t *testing.T) {
				values, subjects := c.take(0, 3000/fewer)
				for i := range values {
					if !within(set, values[i]) {
						values[i] = nil
					}
				}
				for i, v := range c.mask(t, b, true, values, subjects) {
					if v != nil && !within(set, v) {
						t.Fatalf("value %d is masked to what %s does not hold: %q", i, set, v)
					}
				}
			})
		}
	}
}

// TestLawsOfBytes proves that no mask is longer than the column's bytes.
func TestLawsOfBytes(t *testing.T) {
	noRaces(t)
	for _, c := range lawCases {
		longest := 0
		c, b, ok := c.with(t, func(col *Column) {
			values, _ := c.take(0, 2000/fewer)
			for _, v := range values {
				longest = max(longest, len(v.(string)))
			}
			col.MaxBytes = longest
		})
		if !ok {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			values, subjects := c.take(0, 2000/fewer)
			for i := range values {
				if !c.takes(b, values[i]) {
					values[i] = nil // an error: the mask would be longer than the column
				}
			}
			for i, v := range c.mask(t, b, true, values, subjects) {
				if v == nil {
					continue
				}
				if n := len(v.(string)); n > longest {
					t.Fatalf("value %d is masked to %d bytes, the column holds %d", i, n, longest)
				}
			}
		})
	}
}

// noRaces leaves a test out where the race detector runs with -short: its values are masked by
// one goroutine, and it has just passed without.
func noRaces(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("values, not goroutines: the tests without the race detector have them")
	}
}
