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

// What servers print around columns names none: keywords, types to their end, units.
func TestComputedFromWords(t *testing.T) {
	columns := []catalog.Column{{Name: "a"}, {Name: "end"}, {Name: "when"}, {Name: "zone"}, {Name: "time"}, {Name: "without"}, {Name: "date"}, {Name: "year"}, {Name: "day"}, {Name: "is"}, {Name: "varying"}, {Name: "name (old)"}, {Name: "o'clock"}, {Name: "C"}}
	for expression, want := range map[string][]string{
		`CASE WHEN (a IS NULL) THEN ''::text ELSE 'x'::text END`:       {"a"},
		`CASE WHEN a > 0 THEN end ELSE CASE WHEN a < 0 THEN 1 END END`: {"a", "end"},
		`"end" || "when"`:                                                {"end", "when"},
		`(a AT TIME ZONE 'UTC'::text)`:                                   {"a"},
		`(zone)::timestamp without time zone`:                            {"zone"},
		`((a)::timestamp(3) without time zone)::character varying(20)[]`: {"a"},
		"cast(`a` as date)":                                              {"a"},
		"cast(`date` as char(10) charset utf8mb4)":                       {"date"},
		`CAST(date AS date) || date(a)`:                                  {"a", "date"},
		`upper("name (old)")`:                                            {"name (old)"},
		"concat(`o'clock`, `a`, 'x')":                                    {"a", "o'clock"},
		`EXTRACT(year FROM a)`:                                           {"a"},
		"(`a` + interval 1 day)":                                         {"a"},
		"timestampdiff(YEAR, `a`, `day`)":                                {"a", "day"},
		`(a COLLATE "C")`:                                                {"a"},
		`(a COLLATE pg_catalog."C")`:                                     {"a"},
		`"a"(1) || year`:                                                 {"year"},
		`a::public."date" || date`:                                       {"a", "date"},
		`public.end(a)`:                                                  {"a"},
		`CASE (a) WHEN (1) THEN (2) END`:                                 {"a"},
		`[name (old)] || a`:                                              {"a", "name (old)"},
		`it_is || a`:                                                     {"a"},
	} {
		table := &catalog.Table{Columns: append(slices.Clone(columns), catalog.Column{Name: "made", Generation: catalog.Stored, Computation: expression})}
		if got := table.ComputedFrom("made"); !slices.Equal(got, want) {
			t.Errorf("%s: %q", expression, got)
		}
	}
}
