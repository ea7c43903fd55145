package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// The functions of arrays have other types since version 14, and an aggregate over them needs theirs.
func TestAggregatesOverArrays(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	element, array := "anyelement", "anyarray"
	if majorOf(t, a) >= 14 {
		element, array = "anycompatible", "anycompatiblearray"
	}
	a.Exec(t, from, "CREATE AGGREGATE accum ("+element+") (SFUNC = array_append, STYPE = "+array+", INITCOND = '{}')", "COMMENT ON AGGREGATE accum ("+element+") IS 'anyelement'",
		"REVOKE ALL ON FUNCTION accum ("+element+") FROM PUBLIC", "GRANT EXECUTE ON FUNCTION accum ("+element+") TO pg_monitor",
		"CREATE AGGREGATE joined ("+array+") (SFUNC = array_cat, STYPE = "+array+", COMBINEFUNC = array_cat, INITCOND = '{}')",
		"CREATE OPERATOR +> (FUNCTION = array_append, LEFTARG = "+array+", RIGHTARG = "+element+")", "COMMENT ON OPERATOR +> ("+array+", "+element+") IS 'appends'", "CREATE VIEW appended AS SELECT ARRAY[1] +> 2 AS a", "COMMENT ON VIEW appended IS 'as public.accum("+element+") does, and public.+> ("+array+", "+element+")'",
		"CREATE FUNCTION first(anyelement, anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1'", "CREATE AGGREGATE accum (anyelement, anyelement) (SFUNC = first, STYPE = anyelement)")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Keep: []string{catalog.Grants}}, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	const calls = "SELECT accum(i)::text || joined(ARRAY[i])::text || (SELECT string_agg(obj_description(oid) || proacl::text, ' ') FROM pg_proc WHERE proname = 'accum' AND pronargs = 1) || (SELECT a FROM appended)::text || (SELECT obj_description(oid) FROM pg_operator WHERE oprname = '+>') || obj_description('appended'::regclass) FROM generate_series(1, 3) i"
	if want, got := a.Value(t, from, calls), b.Value(t, to, calls); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What a function sets that the target's server does not know is left out of it.
func TestSettingsOfFunctions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	later := map[int]string{13: "hash_mem_multiplier", 14: "enable_memoize", 15: "recursive_worktable_factor", 16: "enable_presorted_aggregate", 17: "enable_group_by_reordering", 18: "enable_distinct_reordering"}
	setting := "work_mem"
	for since, name := range later {
		if since == majorOf(t, a) {
			setting = name
		}
	}
	a.Exec(t, from, "CREATE FUNCTION f(s text DEFAULT 'x') RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp SET my.own = 'it''s' SET role = 'pg_monitor' AS $$BEGIN\n    SET work_mem TO '4MB';\n RETURN s || current_setting('my.own'); END$$",
		"ALTER FUNCTION f SET "+setting+" FROM CURRENT", "CREATE TABLE t (a text DEFAULT f())")
	var said strings.Builder
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Keep: []string{"function setting:f(s text) my.own"}, Warn: func(m string) { said.WriteString(m + "\n") }}, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	missing := setting != "work_mem" && majorOf(t, b) < majorOf(t, a)
	if warned := strings.Contains(said.String(), "does not know the setting "+setting+": it is left out of function public.f("); warned != missing {
		t.Errorf("warned: %t\n%s", warned, &said)
	}
	want := a.Value(t, from, "SELECT f() || proconfig::text FROM pg_proc WHERE proname = 'f'")
	if missing {
		want = strings.Replace(want, ","+setting+"="+a.Value(t, from, "SHOW "+setting), "", 1)
	}
	if got := b.Value(t, to, "SELECT f() || proconfig::text FROM pg_proc WHERE proname = 'f'"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
