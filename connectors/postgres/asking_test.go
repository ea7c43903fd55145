package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A condition chooses the rows that it chooses for whoever asks the database, by its time zone and its
// order of day and month, however the rows travel. A sample is of the same rows as elsewhere.
func TestConditionsByTheDatabase(t *testing.T) {
	a := connectortest.Postgres(t)
	for _, settings := range [][]string{
		{"timezone = 'America/New_York'", "datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'"},
		{"datestyle = 'ISO, DMY'"},
		{"timezone = 'Asia/Tokyo'"},
		{"timezone = 'UTC'", "datestyle = 'ISO, YMD'"},
	} {
		name := a.Name(t)
		dsn := a.DSN(name)
		a.CreateDatabase(t, name, "")
		for _, s := range settings {
			a.Exec(t, dsn, "ALTER DATABASE "+ident(name)+" SET "+s)
		}
		a.Exec(t, dsn, "SET timezone = 'UTC'", `CREATE TABLE t (id text, at timestamptz PRIMARY KEY, d date, i interval)`,
			`INSERT INTO t SELECT n::text, timestamptz '2025-12-20 00:00:00+00' + n * interval '1 hour', date '2001-01-01' + n, n * interval '-1 day -1 hour' FROM generate_series(1, 1500) n`, "ANALYZE t")
		snapshot := opened(t, dsn)
		id := catalog.TableID{Schema: "public", Name: "t"}
		plain := func(f connectors.Filter) map[bool][]string {
			t.Helper()
			found := map[bool][]string{}
			for _, text := range []bool{false, true} {
				format := Binary
				if text {
					format = Text
				}
				keys, err := chosenAs(t, snapshot, id, f, format)
				if err != nil {
					t.Fatalf("%s: %+v: %v", settings, f, err)
				}
				found[text] = keys
			}
			if !slices.Equal(found[false], found[true]) {
				t.Errorf("%s: %+v: %d rows in binary, %d as text", settings, f, len(found[false]), len(found[true]))
			}
			return found
		}
		sampled := plain(connectors.Filter{Sample: 0.3})[true]
		for _, where := range []string{"at >= '2026-01-01'", "at::date = date '2026-01-01'", "d = '03/02/01'", "at::text LIKE '%01/2026 1%' OR at::text LIKE '2026-01-01 1%'", "i::text LIKE '%-5 %'", "current_date - at::date > 5", "extract(hour from at) = 7"} {
			if where == "d = '03/02/01'" && len(settings) == 1 && strings.HasPrefix(settings[0], "timezone") {
				where = "d = '02/03/01'"
			}
			want := strings.Fields(a.Value(t, dsn, "SELECT coalesce(string_agg(id, ' ' ORDER BY id COLLATE \"C\"), '') FROM t WHERE "+where))
			f := connectors.Filter{Where: where}
			if got := plain(f)[true]; !slices.Equal(got, want) {
				t.Errorf("%s: %s: %d rows, want %d", settings, where, len(got), len(want))
			}
			f.Sample = 0.3
			both := slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !slices.Contains(sampled, id) })
			if got := plain(f)[true]; !slices.Equal(got, both) {
				t.Errorf("%s: of %s a sample has %d rows, want %d", settings, where, len(got), len(both))
			}
			if len(want) > 3 {
				if got := plain(connectors.Filter{Where: where, Limit: 3})[true]; len(got) != 3 {
					t.Errorf("%s: %s: %d rows, want 3", settings, where, len(got))
				}
			}
			v, err := snapshot.(connectors.Counter).Values(t.Context(), id, "at", connectors.Filter{Where: where}, 5000, 0)
			if err != nil || len(v.Texts) != len(want) || len(want) > 0 && !strings.HasSuffix(v.Texts[0], "+00") {
				t.Errorf("%s: values of %s: %v", settings, where, err)
			}
			if err := snapshot.(connectors.FilterChecker).CheckFilter(t.Context(), snapshot.Catalog(), id, connectors.Filter{Where: where}); err != nil {
				t.Errorf("%s: %s is refused: %v", settings, where, err)
			}
		}
	}
}
