package policies

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// What is offered for an undecided geometry can be applied to one.
func TestUndecidedGeometry(t *testing.T) {
	geometry := catalog.Type{Name: "point"}
	c := catalog.New("mysql", "8.4", "", []*catalog.Table{
		{ID: catalog.TableID{Name: "geo"}, Kind: catalog.Ordinary, Columns: []catalog.Column{
			{Name: "location", Type: geometry, NotNull: true}, {Name: "place", Type: geometry}, {Name: "shape", Type: geometry}}},
		{ID: catalog.TableID{Name: "more"}, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "city", Type: geometry, NotNull: true},
			{Name: "location", Type: catalog.Type{Name: "point", Kind: catalog.Point}, NotNull: true}}}, // PostgreSQL's
	}, nil)
	head := "version: 1\nkeys: {k: {from: \"file:k\"}}\n"
	compile := func(text string) error {
		p, err := Parse("p.yaml", []byte(head+text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Compile(p, c, testKey(t), masking.Standard())
		return err
	}
	err := compile("tables: {geo: {keep: []}}\n")
	var errs Errors
	if !errors.As(err, &errs) || len(errs) != 5 {
		t.Fatal(err)
	}
	for _, e := range errs {
		if strings.Contains(e.Help, "fake") || strings.Contains(e.Help, "CLASS") {
			t.Errorf("%s: %s", e.Message, e.Help)
		}
	}
	for at, want := range map[string]string{
		"geo.location":  "no transform takes a point that is NOT NULL: to table geo add: keep: [location], or leave the rows of the table out by geo: drop",
		"geo.place":     `to the columns of table geo add: place: suppressed; and under classes: suppressed: {kind: direct, do: {"null": true}}; or, to keep it, to table geo add: keep: [place]`,
		"geo.shape":     `to the columns of table geo add: shape: suppressed; and under classes: suppressed: {kind: direct, do: {"null": true}}; or, to keep it, to table geo add: keep: [shape]`,
		"more.city":     "no transform takes a point that is NOT NULL: under tables add: more: {keep: [city]}, or leave the rows of the table out by more: drop",
		"more.location": "under tables add: more: {columns: {location: geo_point}}; and under classes: geo_point: {kind: quasi, do: {coordinates: point, grid: 0.1}}",
	} {
		i := slices.IndexFunc(errs, func(d Diagnostic) bool { return strings.HasPrefix(d.Message, at+" ") })
		if i < 0 || errs[i].Help != want {
			t.Errorf("%s: %+v, want %q", at, errs, want)
		}
	}
	if err := compile(`classes: {suppressed: {kind: direct, do: {"null": true}}}
tables: {geo: {columns: {place: suppressed, shape: suppressed}, keep: [location]}, more: drop}
`); err != nil {
		t.Error(err)
	}
}
