package catalog_test

import (
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		code, name string
		want       bool
	}{
		{"NEW.Body := 1", "body", true}, {`"full name" || ''`, "full name", true}, {"somebody", "body", false}, {"body_2, bodys", "body", false}, {"body_2 body", "body", true},
		{"größe", "gr", false}, {"größe", "größe", true}, {"", "body", false}, {"body", "", false},
	} {
		if got := catalog.Names(tt.code, tt.name); got != tt.want {
			t.Errorf("%q in %q: %t", tt.name, tt.code, got)
		}
	}
	if got := catalog.Words(`SELECT a.B_1, "größe nach"()`); !slices.Equal(got, []string{"select", "a", "b_1", "größe", "nach"}) {
		t.Errorf("%q", got)
	}
}

// What an expression reads: columns, those behind computed ones, and neither literals nor
// types nor functions that are called as a column is.
func TestComputedFrom(t *testing.T) {
	table := &catalog.Table{Columns: []catalog.Column{
		{Name: "first name"}, {Name: "Last"}, {Name: "text"}, {Name: "lower"}, {Name: "email"},
		{Name: "login", Generation: catalog.Stored, Computation: `lower(("first name")::text) || 'email'`},
		{Name: "shown", Generation: catalog.Virtual, Computation: "concat(`login`, ' ', `last`, `shown`)"},
	}}
	for name, want := range map[string][]string{
		"login": {"first name"}, "shown": {"Last", "first name"}, "email": nil, "gone": nil,
	} {
		if got := table.ComputedFrom(name); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
