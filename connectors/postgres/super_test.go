package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What only a superuser may define is refused before anything is made, all at once; LEAKPROOF, which is no
// more than a licence of the planner's, is left out.
func TestWhatOnlySuperusersDefine(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id",
		"CREATE FUNCTION sealed(a int DEFAULT 1) RETURNS int IMMUTABLE LEAKPROOF PARALLEL SAFE LANGUAGE sql SET work_mem = '1MB' AS $$/*\n    LANGUAGE sql LEAKPROOF\n    AS\n*/ SELECT 1 $$",
		"CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 2'", "CREATE TYPE mood AS ENUM ('ok')", "CREATE FUNCTION as_int(m mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE CAST (mood AS int) WITH FUNCTION as_int(mood)", "CREATE VIEW v AS SELECT sealed(id) FROM t")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	to := maker(t, b)
	fates, err := copyNoting(t, snap, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "noted: function public.sealed(integer): is made without LEAKPROOF"; !strings.Contains(fates, want) {
		t.Errorf("no %q in\n%s", want, fates)
	}
	const body = "SELECT string_agg(concat_ws(' ', proname, prosrc, proconfig, proparallel, provolatile), E'\n' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
	if want, got := a.Value(t, from, body), b.Value(t, to, body); got != want {
		t.Errorf("the functions are %s\nwant %s", got, want)
	}
	a.Exec(t, from, "CREATE FUNCTION quiet() RETURNS int LANGUAGE sql SET log_statement = 'none' SET work_mem = '2MB' AS 'SELECT 1'",
		"CREATE FUNCTION same(int, int) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4eq'", "CREATE FUNCTION to_b(int) RETURNS bool LANGUAGE sql AS 'SELECT true'",
		"CREATE CAST (int8 AS date) WITH INOUT",
		"CREATE OPERATOR CLASS odd FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(int)",
		"CREATE TYPE box9", "CREATE FUNCTION box9_in(cstring) RETURNS box9 IMMUTABLE STRICT LANGUAGE internal AS 'int4in'", "CREATE FUNCTION box9_out(box9) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out'",
		"CREATE TYPE box9 (INPUT = box9_in, OUTPUT = box9_out, INTERNALLENGTH = 4, PASSEDBYVALUE)", "CREATE CAST (box9 AS int) WITHOUT FUNCTION",
		"CREATE AGGREGATE pick(float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA)",
		"CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = 0)")
	if snap, err = openSnapshot(t, from, connectors.Options{}); err != nil {
		t.Fatal(err)
	}
	to = maker(t, b)
	_, err = copyNoting(t, snap, to, nil)
	wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "function public.quiet()", "log_statement", "public.same(integer, integer)", "public.box9_in(cstring)", "cast CAST (bigint AS date)", "cast CAST (public.box9 AS integer)",
		"operator class public.odd", "operator family public.odd", "type public.box9",
		"aggregate public.pick(double precision, double precision) (STYPE = internal)", "superuser")
	if err != nil && (strings.Contains(err.Error(), "sealed") || strings.Contains(err.Error(), "public.mood AS integer") || strings.Contains(err.Error(), "own()") || strings.Contains(err.Error(), "to_b") || strings.Contains(err.Error(), "total")) {
		t.Errorf("it refuses too much: %v", err)
	}
	if _, err := copyNoting(t, snap, b.DSN(b.Name(t)), nil); err != nil {
		t.Errorf("a superuser: %v", err)
	}
}

// What an entry of a dump asks of an account is read from how it begins, and not from what it holds.
func TestMayBeMade(t *testing.T) {
	a := account{settings: []string{"log_statement"}}
	for _, l := range []struct {
		kind, sql string
		ok        bool
	}{
		{"TYPE", "CREATE TYPE public.\"odd (\"\"one\" (\n    INTERNALLENGTH = 4,\n    INPUT = public.f\n);", false},
		{"TYPE", "CREATE TYPE public.pair AS (\n    a integer\n);", true},
		{"TYPE", "CREATE TYPE public.mood AS ENUM (\n    'INTERNALLENGTH '\n);", true},
		{"CAST", "CREATE CAST (bigint AS double precision) WITH FUNCTION public.f(bigint);", false},
		{"CAST", "CREATE CAST (bigint AS \"the.type\") WITH INOUT;", false},
		{"CAST", "CREATE CAST (public.mood AS double precision) WITH INOUT AS ASSIGNMENT;", true},
		{"CAST", "CREATE CAST (public.mood AS integer) WITHOUT FUNCTION;", false},
		{"FUNCTION", "CREATE FUNCTION public.f(internal) RETURNS text\n    LANGUAGE sql\n    AS $$\n    LANGUAGE c\n    SET log_statement TO 'x'$$;", true},
		{"FUNCTION", "CREATE FUNCTION public.f() RETURNS text\n    LANGUAGE plpgsql STABLE\n    SET work_mem TO '1MB'\n    SET \"Log_statement\" TO 'none'\n    AS $$begin end$$;", false},
		{"FUNCTION", "CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql IMMUTABLE SUPPORT public.s\n    RETURN 1;", false},
		{"FUNCTION", "CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE \"c c\"\n    AS $$x$$;", true},
		{"PROCEDURE", "CREATE PROCEDURE public.f()\n    LANGUAGE c\n    AS 'lib', 'f';", false},
		{"PROCEDURAL LANGUAGE", "CREATE OR REPLACE PROCEDURAL LANGUAGE plperl;", true},
		{"PROCEDURAL LANGUAGE", "CREATE PROCEDURAL LANGUAGE own HANDLER public.h;", false},
		{"OPERATOR FAMILY", "CREATE OPERATOR FAMILY public.o USING btree;", false},
		{"AGGREGATE", "CREATE AGGREGATE public.pick(double precision ORDER BY double precision) (\n    SFUNC = ordered_set_transition,\n    STYPE = internal,\n    FINALFUNC = f\n);", false},
		{"AGGREGATE", "CREATE AGGREGATE public.\"a\n    STYPE = internal,\n\"(text) (\n    SFUNC = public.f,\n    STYPE = text,\n    INITCOND = '\n    STYPE = internal,\n'\n);", true},
		{"AGGREGATE", "CREATE AGGREGATE public.moving(integer) (\n    SFUNC = public.f,\n    STYPE = integer,\n    MSFUNC = public.g,\n    MINVFUNC = public.h,\n    MSTYPE = internal\n);", false},
		{"AGGREGATE", "CREATE AGGREGATE public.own(integer) (\n    SFUNC = public.f,\n    STYPE = public.internal\n);", true},
		{"OPERATOR", "CREATE OPERATOR public.= (\n    FUNCTION = public.f\n);", true},
	} {
		if _, ok := a.may(entry{Kind: l.kind, SQL: l.sql}); ok != l.ok {
			t.Errorf("%s: %t", l.sql, ok)
		}
	}
}
