package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A value that names an object, or a role, is worth a note: the copy may lack what it names. Then the load
// ends, and says of which column.
func TestValuesThatNameObjects(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	gone := "gone_" + a.Name(t)
	a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+gone)
	t.Cleanup(func() { a.Exec(t, a.DSN("postgres"), "DROP ROLE "+gone) })
	for name, c := range map[string]struct{ column, value, note string }{
		"index":     {"regclass", "'i'", "names objects"},
		"array":     {"regclass[]", "ARRAY['i'::regclass]", "names objects"},
		"composite": {"held", "ROW('i')::held", "names objects"},
		"domain":    {"named", "'i'", "names objects"},
		"role":      {"regrole", "'" + gone + "'", "names objects"},
		"rights":    {"aclitem", "'" + gone + "=r/postgres'", "names roles"},
		"neither":   {"oid", "1259", ""},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := a.Database(t), b.DSN(b.Name(t))
			a.Exec(t, from, "CREATE TYPE held AS (c regclass)", "CREATE DOMAIN named AS regclass", "CREATE TABLE t (id int, v "+c.column+")", "CREATE INDEX i ON t (id)", "INSERT INTO t VALUES (1, NULL), (2, "+c.value+")")
			fates := fateLines(catalogOf(t, from).Fates(), "nobody")
			if line := "noted: column public.t.v: " + c.note; strings.Contains(fates, line) != (c.note != "") {
				t.Errorf("it says\n%s", fates)
			}
			err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, to)
			if c.note == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("it is loaded")
			}
			if hint := connectors.Hint(err); !strings.Contains(err.Error(), "row 2, column v") || strings.Contains(hint, "search_path") || !strings.Contains(hint, `{"null": true}`) {
				t.Errorf("%v\nhint %s", err, hint)
			}
		})
	}
}
