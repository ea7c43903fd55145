package policies

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// A text that is cast to a number or a date is named where its mask may be none.
func TestCasts(t *testing.T) {
	const policy = "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {hex: {kind: direct, do: {token: hex}}, like: {kind: direct, do: {shape: text}}}\ntables: {t: {columns: {nr: hex, other: like}, keep: [id]}}\n"
	for words, want := range map[string]string{
		"((nr)::integer)":                          "integer",
		"(nr::bigint)":                             "bigint",
		"(((nr)::text)::numeric)":                  "numeric",
		"(date_trunc('day', (t.nr)::timestamp))":   "timestamp",
		"lower(nr)":                                "",
		"((nr)::text)":                             "",
		"((other)::integer)":                       "",
		"((id)::integer), nr":                      "",
		"((xnr)::integer)":                         "",
		"('(nr)::integer'::text || lower(nr))":     "",
		"((nr)::character varying(9))::date > now": "date",
	} {
		c := parseCatalog(t, "schema public\ntable t\nid text\nnr text\nother text\nxnr int4 stored as 1")
		c.Tables[0].Indexes = []catalog.Definition{{Name: "i", Text: "CREATE INDEX i ON public.t USING btree (" + words + ")"}}
		p, err := Parse("p.yaml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, testKey(t), masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(compiled.Warnings, func(w string) bool { return strings.Contains(w, "casts it to ") })
		if want == "" && i >= 0 || want != "" && (i < 0 || !strings.HasPrefix(compiled.Warnings[i], "public.t.nr: is masked, and the index i casts it to "+want+":")) {
			t.Errorf("%s: %q", words, compiled.Warnings)
		}
	}
}
