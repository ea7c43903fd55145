package policies

import (
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What code calls, and not what has the name of a function only.
func TestCalledIn(t *testing.T) {
	r := newRoutines(&catalog.Catalog{Objects: []catalog.Object{
		{Kind: "function", Name: "public.search(text)"}, {Kind: "procedure", Name: "refresh"}, {Kind: "function", Name: "public.The Words()"}, {Kind: "view", Name: "public.seen"},
	}})
	for code, want := range map[string][]string{
		"NEW.search := 'search('; -- search()":      nil,
		"NEW.search := Public.SEARCH (NEW.title)":   {"public.search(text)"},
		"CALL `refresh`; CALL refresh()":            {"refresh"},
		`SELECT public."The Words"(), search('a')`:  {"public.The Words()", "public.search(text)"},
		"EXECUTE format('SELECT %I($1)', 'search')": {"public.search(text)"},
		"seen()": nil,
	} {
		if got := r.calledIn(newScript(code)); !slices.Equal(got, want) {
			t.Errorf("%s: %q", code, got)
		}
	}
}
