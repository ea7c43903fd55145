package postgres

import (
	"slices"
	"strings"
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

// Before PostgreSQL 15 the schema public is a superuser's, who alone may take from PUBLIC what PUBLIC has
// there: the server only warns of what it does not do.
func TestGrantsOnSchemaPublic(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id", "GRANT SELECT ON t TO pg_monitor", "REVOKE ALL ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO pg_monitor")
	snap, err := openSnapshot(t, from, connectors.Options{Keep: []string{catalog.Grants}})
	if err != nil {
		t.Fatal(err)
	}
	owned := major(t, b) >= 15
	for name, to := range map[string]string{"superuser": b.DSN(b.Name(t)), "maker": maker(t, b)} {
		t.Run(name, func(t *testing.T) {
			fates, err := copyNoting(t, snap, to, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := b.Value(t, to, "SELECT concat_ws(', ', CASE WHEN EXISTS (SELECT FROM pg_namespace n, aclexplode(nspacl) x WHERE nspname = 'public' AND grantee = 0) THEN 'PUBLIC' END, CASE WHEN EXISTS (SELECT FROM pg_namespace n, aclexplode(nspacl) x WHERE nspname = 'public' AND grantee = 'pg_monitor'::regrole) THEN 'pg_monitor' END, relacl) FROM pg_class WHERE relname = 't'")
			kept := owned || name == "superuser"
			if whole := strings.HasPrefix(got, "pg_monitor, {"); whole != kept || !strings.Contains(got, "pg_monitor=r/") {
				t.Errorf("rights are %s", got)
			}
			for _, right := range []string{"REVOKE ALL ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO pg_monitor"} {
				if line := "left behind: rights " + right + ": are for the owner to give and to take, which the target's account is not"; strings.Contains(fates, line) == kept {
					t.Errorf("of %s is said\n%s", right, fates)
				}
			}
		})
	}
}

// Rights on what an extension or the server itself has made are not copied, and it is said.
func TestRightsOnMembers(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	rights := func() (said []string) {
		for _, o := range catalogOf(t, from).Fates() {
			if o.Kind == "rights" {
				said = append(said, string(o.Fate)+": "+o.Name)
			}
		}
		return said
	}
	a.Exec(t, from, "CREATE EXTENSION hstore", "CREATE EXTENSION pg_stat_statements", "CREATE EXTENSION file_fdw", "CREATE TABLE t ()", "GRANT SELECT ON t TO pg_monitor")
	if said := rights(); len(said) > 0 {
		t.Errorf("nothing has been given, and is said: %q", said)
	}
	a.Exec(t, from, "REVOKE ALL ON FUNCTION akeys(hstore) FROM PUBLIC", "REVOKE ALL ON FUNCTION file_fdw_handler() FROM PUBLIC",
		"GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO pg_read_all_stats WITH GRANT OPTION", "GRANT SELECT ON pg_stat_statements TO pg_monitor")
	want := []string{"left behind: on objects of PostgreSQL itself", "left behind: on objects of extension hstore", "left behind: on objects of extension pg_stat_statements"}
	if said := rights(); !slices.Equal(said, want) {
		t.Errorf("said is %q, want %q", said, want)
	}
}

// A function that runs with the rights of its owner, and that production has closed, is closed in the
// copy, with and without grants: there its owner is the target's account. What PUBLIC has lost counts as a right,
// that of the schema public included.
func TestClosedFunctions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	if strings.Contains(fatesOf(t, from), "grants") {
		t.Errorf("a new database has\n%s", fatesOf(t, from))
	}
	a.Exec(t, from, "CREATE FUNCTION shut(n int) RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION open() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'",
		"CREATE PROCEDURE shut_too() SECURITY DEFINER LANGUAGE plpgsql AS 'BEGIN END'", "CREATE FUNCTION plain() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION given() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'",
		"REVOKE ALL ON FUNCTION shut(int), plain() FROM PUBLIC", "REVOKE ALL ON PROCEDURE shut_too() FROM PUBLIC", "GRANT EXECUTE ON FUNCTION given() TO pg_monitor")
	said := fatesOf(t, from)
	for _, line := range []string{
		"noted: function public.shut(n integer): runs with the rights of its owner, who is the target's account; PUBLIC may not call it, as at the source\n",
		"noted: procedure public.shut_too(): runs with the rights of its owner, who is the target's account; PUBLIC may not call it, as at the source\n",
		"noted: function public.open(): runs with the rights of its owner, who is the target's account\n",
		"left behind: grants 4: ",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("no %q in\n%s", line, said)
		}
	}
	open := func(want string) {
		t.Helper()
		if got := b.Value(t, to, "SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) x WHERE grantee = 0 AND pronamespace = 'public'::regnamespace"); got != want {
			t.Errorf("PUBLIC may call %q, want %q", got, want)
		}
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	open("given open plain")
	a.Exec(t, from, "REVOKE ALL ON FUNCTION given() FROM pg_monitor", "CREATE TYPE kind AS ENUM ('a')", "REVOKE USAGE ON TYPE kind FROM PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC")
	if said := fatesOf(t, from); !strings.Contains(said, "left behind: grants 5: ") && !strings.Contains(said, "left behind: grants 6: ") {
		t.Errorf("of lost rights is said\n%s", said)
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Keep: []string{catalog.Grants}}, from, to); err != nil {
		t.Fatal(err)
	}
	open("given open")
	if got := b.Value(t, to, "SELECT has_type_privilege('pg_monitor', 'kind', 'USAGE')::text || has_schema_privilege('pg_monitor', 'public', 'USAGE')"); got != "falsefalse" {
		t.Errorf("others may use the type, the schema: %s", got)
	}
}

// Who has taken from PUBLIC what it has on a new schema public, or has made that anew, has closed it.
func TestGrantsWithoutAGrant(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	for what, sql := range map[string][]string{"taken": {"REVOKE ALL ON SCHEMA public FROM PUBLIC"}, "anew": {"DROP SCHEMA public", "CREATE SCHEMA public"}} {
		from, to := a.Database(t), b.DSN(b.Name(t))
		a.Exec(t, from, sql...)
		if said := fatesOf(t, from); !strings.Contains(said, "left behind: grants ") {
			t.Errorf("%s: said is\n%s", what, said)
		}
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Keep: []string{catalog.Grants}}, from, to); err != nil {
			t.Fatal(err)
		}
		if got := b.Value(t, to, "SELECT count(*) FROM pg_namespace n, aclexplode(nspacl) x WHERE nspname = 'public' AND grantee = 0"); got != "0" {
			t.Errorf("%s: PUBLIC has %s rights", what, got)
		}
	}
}

func fatesOf(t *testing.T, dsn string) string {
	t.Helper()
	return fateLines(catalogOf(t, dsn).Fates(), "nobody")
}
