package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A CHECK that calls a function of an extension which stays behind is an error that names
// both, before anything is made.
func TestTiedChecks(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE EXTENSION dblink",
		`CREATE TABLE "t t" (n integer, CONSTRAINT "is here" CHECK (n > 0 OR dblink_current_query() IS NOT NULL))`,
		"CREATE DOMAIN d AS text CONSTRAINT known CHECK (VALUE <> dblink_current_query())", "CREATE TABLE u (v d)",
		"ALTER TABLE u ADD CONSTRAINT later CHECK (v <> dblink_current_query()) NOT VALID")
	c, err := catalogKeeping(t, dsn)
	if err != nil {
		t.Fatal(err)
	}
	fates := fateLines(c.Fates(), "nobody")
	for _, name := range []string{"public.d.known", "public.t t.is here", "public.u.later"} {
		if want := "stops: constraint " + name + ": needs extension dblink, which stays behind\n"; !strings.Contains(fates, want) {
			t.Errorf("no %q in\n%s", want, fates)
		}
	}
	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = snap.Definitions(t.Context())
	wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "constraint public.d.known, public.t t.is here, public.u.later: needs extension dblink, which stays behind",
		"hint: keep what they need: --keep-object 'extension:dblink'; or change them at the source")
	if plan := connectors.Stopped(c); plan == nil || plan.Error() != err.Error() || connectors.Hint(plan) != connectors.Hint(err) {
		t.Errorf("the plan says %v, the run %v", plan, err)
	}
	kept, err := openSnapshot(t, dsn, connectors.Options{Keep: []string{"extension:dblink"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Definitions(t.Context()); err != nil {
		t.Error(err)
	}
}

// Columns and types that are made of a type of an extension which stays behind: the plan
// names them, and a run stops at the same. What nothing else needs just stays.
func TestTiedTypes(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE EXTENSION dblink", "CREATE TABLE keys (k dblink_pkey_results[])", "CREATE TABLE parts (n integer, k dblink_pkey_results) PARTITION BY LIST (n)", "CREATE TABLE parts_1 PARTITION OF parts DEFAULT",
		"CREATE TYPE pair AS (a integer, b dblink_pkey_results)", "CREATE DOMAIN unused AS dblink_pkey_results", "CREATE VIEW of_keys AS SELECT k FROM keys")
	for _, keep := range [][]string{nil, {"extension:dblink"}} {
		c, err := catalogKeeping(t, dsn, keep...)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := openSnapshot(t, dsn, connectors.Options{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		_, err = snap.Definitions(t.Context())
		plan := connectors.Stopped(c)
		if keep != nil {
			if plan != nil || err != nil {
				t.Errorf("the plan %v, the run %v", plan, err)
			}
			continue
		}
		if plan == nil || err == nil || plan.Error() != err.Error() {
			t.Errorf("the plan says %v, the run %v", plan, err)
		}
		wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "composite type public.pair: needs extension dblink, which stays behind; table public.keys, public.parts, public.parts_1: needs", "--keep-object 'extension:dblink'")
		if !strings.Contains(fateLines(c.Fates(), "nobody"), "left behind: domain public.unused: ") {
			t.Error(fateLines(c.Fates(), "nobody"))
		}
	}
}
