package postgres

import (
	"strings"
	"testing"
)

// The default of a column is taken out of its own line, and as a whole.
func TestCutDefault(t *testing.T) {
	const sql = "CREATE TABLE public.t (\n    a integer,\n    b integer DEFAULT public.calls(1) NOT NULL,\n    c integer DEFAULT (public.calls(1) + 1),\n" +
		"    d integer DEFAULT public.calls(1) + 1,\n    e integer CONSTRAINT e_given NOT NULL,\n    g integer DEFAULT public.calls(1) CONSTRAINT g_given NOT NULL,\n    i text DEFAULT public.calls(1) COLLATE \"C\",\n    j text DEFAULT public.calls(1) NOT NULL COLLATE pg_catalog.\"en-x-icu\",\n    f integer DEFAULT public.calls(1)\n)"
	for name, l := range map[string]struct {
		column, expression, want string
	}{
		"no default: the next column's is not its own": {"a", "public.calls(1)", ""},
		"before NOT NULL":               {"b", "public.calls(1)", "\n    b integer NOT NULL,\n"},
		"before a NOT NULL with a name": {"g", "public.calls(1)", "\n    g integer CONSTRAINT g_given NOT NULL,\n"},
		"before a collation":            {"i", "public.calls(1)", "\n    i text COLLATE \"C\",\n"},
		"before both":                   {"j", "public.calls(1)", "\n    j text NOT NULL COLLATE pg_catalog.\"en-x-icu\",\n"},
		"in brackets":                   {"c", "(public.calls(1) + 1)", "\n    c integer,\n"},
		"the beginning of another one":  {"d", "public.calls(1)", ""},
		"before a comma":                {"d", "public.calls(1) + 1", "\n    d integer,\n"},
		"at the end":                    {"f", "public.calls(1)", "\n    f integer\n)"},
		"no such column":                {"h", "public.calls(1)", ""},
	} {
		got, found := cutDefault(sql, l.column, l.expression)
		switch {
		case l.want == "" && (found || got != sql):
			t.Errorf("%s: cut to %s", name, got)
		case l.want != "" && (!found || !strings.Contains(got, l.want)):
			t.Errorf("%s: %t, %s", name, found, got)
		}
	}
}
