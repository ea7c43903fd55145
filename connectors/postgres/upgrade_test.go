package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// major asks a server for its version.
func major(t *testing.T, s *connectortest.PostgresServer) int {
	t.Helper()
	c, err := Connector{}.OpenSource(t.Context(), s.DSN("postgres"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return versionOf(c.Properties().Server)
}

// An interval without end, which servers before 17 do not know, arrives as it is or not at all:
// their binary form would be one of millions of years.
func TestIntervalsWithoutEnd(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if !infiniteSpans.in(major(t, a)) {
		return // it has none
	}
	for name, column := range map[string]string{
		"plain": "interval", "array": "interval[]", "composite": "held", "domain": "long", "range": "spans", "with digits": "interval(0)",
	} {
		t.Run(name, func(t *testing.T) {
			from, to := a.Database(t), b.DSN(b.Name(t))
			if made := map[string]string{"composite": "CREATE TYPE held AS (i interval)", "domain": "CREATE DOMAIN long AS interval", "range": "CREATE TYPE spans AS RANGE (subtype = interval)"}[name]; made != "" {
				a.Exec(t, from, made)
			}
			a.Exec(t, from, "CREATE TABLE t (id int PRIMARY KEY, v "+column+")")
			value := map[string]string{"array": "ARRAY[interval %]", "composite": "ROW(interval %)::held", "range": "spans(interval '0', interval %)"}[name]
			if value == "" {
				value = "interval %"
			}
			of := func(i string) string { return strings.ReplaceAll(value, "%", "'"+i+"'") }
			a.Exec(t, from, "INSERT INTO t VALUES (1, "+of("1 year 2 days 03:04:05")+")")
			if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
				t.Fatal(err)
			}
			const rows = "SELECT string_agg(t::text, ' ' ORDER BY id) FROM t"
			if want, got := a.Value(t, from, rows), b.Value(t, to, rows); got != want {
				t.Errorf("the rows are %s, want %s", got, want)
			}
			a.Exec(t, from, "INSERT INTO t VALUES (2, "+of("infinity")+")")
			err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
			if infiniteSpans.in(major(t, b)) {
				if want, got := a.Value(t, from, rows), b.Value(t, to, rows); err != nil || got != want {
					t.Errorf("the rows are %s, want %s: %v", got, want, err)
				}
				return
			}
			wants(t, err, connectors.KindIntegrity, connectors.SinkSide, "load public.t", "row 2, column v")
		})
	}
}
