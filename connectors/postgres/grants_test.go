package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Rights on functions of every form of arguments travel: GRANT names them by their types alone.
func TestGrantsOnFunctions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE SCHEMA "the app"`, `CREATE TYPE "the app"."a type" AS (n int)`,
		"CREATE FUNCTION step(s float8[], n float8) RETURNS float8[] IMMUTABLE LANGUAGE sql AS 'SELECT array_append(s, n)'",
		"CREATE FUNCTION final(s float8[], p float8, n float8) RETURNS float8 IMMUTABLE LANGUAGE sql AS 'SELECT s[1]'",
		"CREATE FUNCTION step_any(s text, VARIADIC n text[]) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT s'",
		"CREATE AGGREGATE in_order (float8 ORDER BY float8) (SFUNC = step, STYPE = float8[], FINALFUNC = final, FINALFUNC_EXTRA)",
		"CREATE AGGREGATE of_any (VARIADIC text[]) (SFUNC = step_any, STYPE = text)", "CREATE AGGREGATE of_none (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0')",
		`CREATE FUNCTION typed(a "the app"."a type", OUT b int, VARIADIC c int[]) LANGUAGE sql AS 'SELECT 1'`, "CREATE PROCEDURE done(INOUT a int, b text DEFAULT 'x') LANGUAGE plpgsql AS 'BEGIN END'")
	for _, f := range []string{"FUNCTION in_order(float8, float8)", "FUNCTION of_any(text[])", "FUNCTION of_none()", `FUNCTION typed("the app"."a type", int[])`, "PROCEDURE done(int, text)"} {
		a.Exec(t, from, "REVOKE ALL ON "+f+" FROM PUBLIC", "GRANT EXECUTE ON "+f+" TO pg_monitor")
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Keep: []string{catalog.Grants}}, from, to); err != nil {
		t.Fatal(err)
	}
	const rights = "SELECT string_agg(proname || ' ' || proacl::text, ', ' ORDER BY proname) FROM pg_proc WHERE proacl IS NOT NULL AND pronamespace = 'public'::regnamespace"
	if want, got := a.Value(t, from, rights), b.Value(t, to, rights); got != want {
		t.Errorf("rights %s, want %s", got, want)
	}
}
