package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What people have changed of an extension's functions and dictionaries is so in the copy, before
// anything needs it; what they have added is said to stay behind.
func TestChangedMembers(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from,
		"CREATE EXTENSION dict_int", "ALTER TEXT SEARCH DICTIONARY intdict (maxlen = 3)",
		"CREATE TEXT SEARCH CONFIGURATION part (COPY = pg_catalog.simple)", "ALTER TEXT SEARCH CONFIGURATION part ALTER MAPPING FOR int, uint WITH intdict",
		"CREATE TABLE part_no (id int PRIMARY KEY, no text, doc tsvector GENERATED ALWAYS AS (to_tsvector('public.part'::regconfig, no)) STORED)", "INSERT INTO part_no VALUES (1, '123456789')",
		"CREATE EXTENSION pg_trgm", "ALTER FUNCTION similarity(text, text) COST 10000", "ALTER FUNCTION show_trgm(text) SECURITY DEFINER", "ALTER FUNCTION show_limit() SET search_path = public, pg_temp", "ALTER FUNCTION show_limit() LEAKPROOF",
		"CREATE EXTENSION unaccent", "ALTER FUNCTION unaccent(text) IMMUTABLE", "CREATE TABLE people (id int PRIMARY KEY, name text, plain text GENERATED ALWAYS AS (unaccent(name)) STORED)",
		"INSERT INTO people VALUES (1, 'José')", "CREATE INDEX people_name ON people (unaccent(lower(name)))",
		"CREATE SCHEMA app", "CREATE EXTENSION hstore", "CREATE FUNCTION app.helper(hstore) RETURNS int LANGUAGE sql AS 'SELECT 1'", "ALTER EXTENSION hstore ADD FUNCTION app.helper(hstore)",
		"CREATE TABLE app.lookup (id int)", "INSERT INTO app.lookup VALUES (1)", "ALTER EXTENSION hstore ADD TABLE app.lookup", "COMMENT ON FUNCTION hstore_to_json(hstore) IS 'mine'",
		"CREATE EXTENSION pg_buffercache", "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "CREATE TRIGGER x INSTEAD OF INSERT ON pg_buffercache FOR EACH ROW EXECUTE FUNCTION tf()",
		"CREATE RULE r AS ON DELETE TO pg_buffercache DO INSTEAD NOTHING")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	const trigger = "left behind: trigger public.pg_buffercache.x: is on public.pg_buffercache, which extension pg_buffercache makes: what others have put there stays behind\n"
	plan := fateLines(c.Fates(), "nobody")
	for _, want := range []string{trigger, "left behind: extension rows app.lookup: ", "noted: extension member function app.helper(public.hstore): is outside of its extension's schema"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fates, err := copyNoting(t, snap, to, nil)
	if err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	const versions = "SELECT string_agg(extversion, ' ' ORDER BY extname) FROM pg_extension WHERE extname IN ('hstore', 'pg_trgm')"
	same := a.Value(t, from, versions) == b.Value(t, to, versions)
	for _, q := range []string{
		"SELECT doc::text || (SELECT plain FROM people) FROM part_no",
		"SELECT string_agg(concat_ws(' ', proname, provolatile, proisstrict, proleakproof, procost, prosecdef, proconfig), ', ' ORDER BY proname) FROM pg_proc WHERE oid IN ('similarity(text,text)'::regprocedure, 'show_trgm(text)'::regprocedure, 'show_limit()'::regprocedure, 'unaccent(text)'::regprocedure)",
	} {
		if !same {
			q = strings.ReplaceAll(q, "procost, ", "") // it may be the other version's own
		}
		if want, got := a.Value(t, from, q), b.Value(t, to, q); got != want {
			t.Errorf("the copy has %s, want %s", got, want)
		}
	}
	for _, want := range []string{trigger,
		"left behind: rule public.pg_buffercache.r: is on public.pg_buffercache, which extension pg_buffercache makes",
		"left behind: function app.helper(public.hstore): was added to extension hstore at the source",
		"left behind: extension table app.lookup: was added to extension hstore at the source",
		"noted: function public.hstore_to_json(public.hstore): has another comment at the source"} {
		if ofHstore := strings.Contains(want, "(public.hstore)"); !strings.Contains(fates, want) && (same || !ofHstore) {
			t.Errorf("no %q in\n%s", want, fates)
		}
	}
	if !strings.Contains(fates, "function app.helper(public.hstore)") {
		t.Errorf("no word of what was added in\n%s", fates)
	}
	if strings.Contains(fates, "similarity") || strings.Contains(fates, "unaccent") {
		t.Errorf("of what was changed again is said\n%s", fates)
	}
}

// What has been put on a table of an extension is listed, and its comment; what the extension makes there is not.
func TestPartsOfMembers(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	own := []string{"CREATE TABLE srs (id int PRIMARY KEY, proj text CHECK (proj <> ''))", "CREATE INDEX own ON srs (proj)", "ALTER EXTENSION hstore ADD TABLE srs"}
	a.Exec(t, from, slices.Concat([]string{"CREATE EXTENSION hstore"}, own, []string{"CREATE INDEX theirs ON srs (proj, id)", "ALTER TABLE srs ADD CONSTRAINT ck CHECK (id > 0)", "ALTER TABLE srs ADD note text",
		"CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "CREATE TRIGGER x BEFORE INSERT ON srs FOR EACH ROW EXECUTE FUNCTION tf()", "COMMENT ON TABLE srs IS 'mine'", "CREATE STATISTICS st ON id, proj FROM srs"})...)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fates, err := copyNoting(t, snap, to, func(d *definitions) {
		d.Extensions[0].Version = b.Value(t, b.DSN("postgres"), "SELECT default_version FROM pg_available_extensions WHERE name = 'hstore'")
		for i, e := range d.Before {
			if e.Kind == "EXTENSION" {
				d.Before[i].SQL += strings.ReplaceAll(strings.Join(own, ";"), "srs", "public.srs") + ";"
			}
		}
	})
	if err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	for _, want := range []string{"left behind: index public.theirs: is on public.srs, which extension hstore makes", "left behind: constraint public.srs.ck: ", "left behind: column public.srs.note: ", "left behind: trigger public.srs.x: ", "noted: extension table public.srs: has another comment"} {
		if !strings.Contains(fates, want) {
			t.Errorf("no %q in\n%s", want, fates)
		}
	}
	if made := b.Value(t, to, "SELECT count(*) FROM pg_statistic_ext") == "1"; made == strings.Contains(fates, "left behind: extended statistics public.st: is on public.srs") {
		t.Errorf("the copy has statistics: %t; said is\n%s", made, fates)
	}
	for _, own := range []string{"public.own", "srs_pkey", "proj"} {
		if strings.Contains(fates, own) {
			t.Errorf("%s is said to stay in\n%s", own, fates)
		}
	}
}

// Where the account may not change what an extension has made, an index that needs it is refused before
// the first row, and so is what needs a member that no dump has.
func TestMembersThatCannotBeChanged(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	for name, c := range map[string]struct {
		made  []string
		words []string
	}{
		"volatility": {[]string{"CREATE EXTENSION unaccent", "ALTER FUNCTION unaccent(text) IMMUTABLE", "CREATE TABLE t (name text)", "CREATE INDEX people_name ON t (unaccent(name))"},
			[]string{"people_name", "superuser", "a function of your own that is IMMUTABLE"}},
		"added": {[]string{"CREATE EXTENSION hstore", "CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'", "ALTER EXTENSION hstore ADD FUNCTION norm(text)", "CREATE TABLE t (v text CHECK (norm(v) = v))"},
			[]string{"table public.t", "ALTER EXTENSION hstore DROP FUNCTION public.norm(pg_catalog.text)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if majorOf(t, b) < 13 {
				t.Log("before version 13 extensions are for superusers")
				return
			}
			from, to := a.Database(t), maker(t, b)
			a.Exec(t, from, c.made...)
			snap, err := openSnapshot(t, from, connectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = copyNoting(t, snap, to, nil)
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, want := range c.words {
				if !strings.Contains(err.Error()+connectors.Hint(err), want) {
					t.Errorf("no %q in %v, hint %q", want, err, connectors.Hint(err))
				}
			}
		})
	}
}

// A key to a table that was added to an extension is refused before the first row.
func TestKeysToAddedTables(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, `CREATE SCHEMA "App"`, "CREATE EXTENSION pg_trgm", `CREATE TABLE "App".lookup (id int PRIMARY KEY)`, "CREATE TABLE lookup (id int PRIMARY KEY)", `ALTER EXTENSION pg_trgm ADD TABLE "App".lookup`,
		"CREATE TABLE t (a int REFERENCES lookup)")
	for _, key := range []string{"", ` REFERENCES "App".lookup`} {
		if key != "" {
			a.Exec(t, from, "CREATE TABLE r (a int"+key+")")
		}
		snap, err := openSnapshot(t, from, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defs, err := snap.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sink, err := Connector{}.OpenSink(t.Context(), b.DSN(b.Name(t)), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		begun, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: 2})
		if key != "" {
			wants(t, err, connectors.KindUnsupported, connectors.SinkSide, "make fk constraint public.r r_a_fkey", `ALTER EXTENSION pg_trgm DROP TABLE "App".lookup`)
		} else if err != nil {
			t.Fatal(err)
		}
		if err == nil {
			begun.Abort()
		}
		snap.Close()
	}
}

// An extension has the source's version in the copy, where the target's server can make it, if a definition
// needs it.
func TestExtensionVersions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION hstore VERSION '1.4'", "CREATE EXTENSION pg_stat_statements VERSION '1.7'", "CREATE VIEW slow AS SELECT query, total_time FROM pg_stat_statements")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fates, err := copyNoting(t, snap, to, nil)
	if err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	want, same := "1.4 1.7", majorOf(t, a) == majorOf(t, b)
	if !same {
		want = b.Value(t, to, "SELECT default_version FROM pg_available_extensions WHERE name = 'hstore'") + " 1.7" // nothing needs the other
	}
	if got := b.Value(t, to, "SELECT string_agg(extversion, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'"); got != want || strings.Contains(fates, "is version") == same || strings.Contains(fates, "pg_stat") {
		t.Errorf("the copy has %s, want %s; said is\n%s", got, want, fates)
	}
	older := func(d *definitions) {
		for i := range d.Extensions {
			d.Extensions[i].Version = "0.1"
		}
		for i, e := range d.Before {
			d.Before[i].SQL = strings.ReplaceAll(e.SQL, "CREATE VIEW", "SELECT nothing.here; CREATE VIEW")
		}
	}
	_, err = copyNoting(t, snap, b.DSN(b.Name(t)), older)
	if hint := connectors.Hint(err); err == nil || !strings.Contains(hint, "pg_stat_statements is 0.1 at the source, ") || !strings.Contains(hint, "ALTER EXTENSION … UPDATE") {
		t.Errorf("%v, hint %q", err, hint)
	}
	fates, err = copyNoting(t, snap, b.DSN(b.Name(t)), func(d *definitions) {
		older(d)
		d.Before = slices.DeleteFunc(d.Before, func(e entry) bool { return e.Kind == "VIEW" })
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "noted: extension hstore: is version 0.1 at the source, and "; !strings.Contains(fates, want) {
		t.Errorf("no %q in\n%s", want, fates)
	}
}

// The target's server has the source's version of an extension beside its own: a definition is refused in the one
// that comes first, and so the other comes. What is said is said once.
func TestOtherVersionsOfExtensions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	own := b.Value(t, b.DSN("postgres"), "SELECT default_version FROM pg_available_extensions WHERE name = 'hstore'")
	from := a.Database(t)
	a.Exec(t, from, "CREATE EXTENSION hstore", "CREATE TABLE mine (id int)", "ALTER EXTENSION hstore ADD TABLE mine",
		"CREATE EXTENSION unaccent", "CREATE TABLE t (id int PRIMARY KEY, h hstore)", "CREATE VIEW newer AS SELECT hstore_hash_extended(h, 0) FROM t")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]string{"own": "", "none": "SELECT nothing.here; "} {
		said := map[string]int{}
		fates, err := copyWarning(t, snap, b.DSN(b.Name(t)), func(s string) { said[s]++ }, func(d *definitions) {
			for i, x := range d.Extensions {
				if x.Name == "hstore" {
					d.Extensions[i].Version = "1.4"
				}
			}
			for i, e := range d.Before {
				d.Before[i].SQL = strings.ReplaceAll(e.SQL, "CREATE VIEW", more+"CREATE VIEW")
			}
		})
		if more != "" {
			if err == nil || !strings.Contains(err.Error(), "nothing") {
				t.Errorf("%s: %v", name, err)
			}
		} else if want := "noted: extension hstore: is version 1.4 at the source, and " + own + " in the copy, as its server makes it by itself"; err != nil || strings.Count(fates, want) != 1 {
			t.Errorf("%s: %v\n%s", name, err, fates)
		}
		if len(said) != 1 { // of what was added
			t.Errorf("%s: said is %v", name, said)
		}
		for s, times := range said {
			if times != 1 || strings.Contains(s, "version") {
				t.Errorf("%s: said %d times: %s", name, times, s)
			}
		}
	}
}

// Older versions of an extension may name what others have made without its schema: that of the target's server does not.
func TestExtensionsThatNeedASearchPath(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if b.Value(t, b.DSN("postgres"), "SELECT default_version FROM pg_available_extensions WHERE name = 'earthdistance'") == "1.1" {
		return // it has no other
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	if majorOf(t, a) < 17 { // since then no index is made that way at the source either
		a.Exec(t, from, "CREATE EXTENSION cube", "CREATE EXTENSION earthdistance VERSION '1.1'")
	}
	a.Exec(t, from, "CREATE EXTENSION IF NOT EXISTS earthdistance CASCADE", "CREATE TABLE shops (id int PRIMARY KEY, lat float8, lon float8)", "CREATE INDEX ON shops USING gist (ll_to_earth(lat, lon))",
		"INSERT INTO shops VALUES (1, 2, 3)", "CREATE EXTENSION pg_stat_statements VERSION '1.7'", "CREATE VIEW slow AS SELECT query, total_time FROM pg_stat_statements")
	if majorOf(t, a) != majorOf(t, b) {
		a.Exec(t, from, "CREATE TABLE here (id int, at earth GENERATED ALWAYS AS (ll_to_earth(id, 2)) STORED)", "INSERT INTO here VALUES (1)")
	}
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	if got := b.Value(t, to, "SELECT string_agg(extversion, ' ' ORDER BY extname) FROM pg_extension WHERE extname IN ('earthdistance', 'pg_stat_statements')"); got != "1.2 1.7" {
		t.Errorf("the copy has %s", got)
	}
}

// Of an extension that nobody has changed nothing is said to stay behind, whichever words the versions
// have for the types that it names.
func TestUnchangedMembers(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE EXTENSION hstore", "CREATE EXTENSION ltree", "CREATE EXTENSION intarray")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fates, err := copyWarning(t, snap, b.DSN(b.Name(t)), func(said string) {
		if strings.Contains(said, "added") {
			t.Error(said)
		}
	}, nil)
	if err != nil || strings.Contains(fates, "pg_catalog.json") {
		t.Errorf("%v\n%s", err, fates)
	}
	for _, c := range [][2]string{
		{"(public.hstore AS pg_catalog.json)", "(public.hstore AS json)"},
		{`public.f(pg_catalog.json[],pg_catalog."char")`, `public.f(json[],"char")`},
		{`public."json_scalar"(text)`, "public.json_scalar(text)"},
	} {
		if alike(c[0]) != alike(c[1]) {
			t.Errorf("%s is not %s", c[0], c[1])
		}
	}
	for _, c := range [][2]string{{`public."A"`, "public.a"}, {`public."a b"`, "public.ab"}, {"public.f(json)", "public.f(jsonb)"}, {"public.f(public.text)", "public.f(pg_catalog.text)"}} {
		if alike(c[0]) == alike(c[1]) {
			t.Errorf("%s is %s", c[0], c[1])
		}
	}
}

// Differences between members at both ends, and the SQL that ends them.
func TestChangesOfMembers(t *testing.T) {
	kinds := map[byte]string{'d': "text search dictionary", 'c': "text search configuration", 'f': "function"}
	for _, c := range []struct {
		kind         byte
		name         string
		source, here string
		same         bool
		want         string
	}{
		{'d', "options", "maxlen = '3'", "maxlen = 3", true, ""},
		{'d', "options", `maxlen = '3', "o d" = 'it''s', n = 5`, "maxlen = 6, rejectlong = 'false'", false, `ALTER TEXT SEARCH DICTIONARY x (maxlen, rejectlong, "o d" = 'it''s', maxlen = '3', n = '5')`},
		{'d', "options", "", "rules = E'a\\\\b, c = d'", true, "ALTER TEXT SEARCH DICTIONARY x (rules)"},
		{'c', "token word", "simple, app.d", "simple", true, "ALTER TEXT SEARCH CONFIGURATION x DROP MAPPING FOR \"word\"; ALTER TEXT SEARCH CONFIGURATION x ADD MAPPING FOR \"word\" WITH simple, app.d"},
		{'c', "token word", "", "simple", true, "ALTER TEXT SEARCH CONFIGURATION x DROP MAPPING FOR \"word\""},
		{'f', "volatility", "i", "s", false, "ALTER FUNCTION x IMMUTABLE"},
		{'f', "volatility", "v", "s", false, ""},
		{'f', "volatility", "v", "s", true, "ALTER FUNCTION x VOLATILE"},
		{'f', "parallel", "u", "s", false, ""},
		{'f', "parallel", "u", "s", true, "ALTER FUNCTION x PARALLEL UNSAFE"},
		{'f', "strict", "false", "true", true, "ALTER FUNCTION x CALLED ON NULL INPUT"},
		{'f', "definer", "true", "false", false, "ALTER FUNCTION x SECURITY DEFINER"},
		{'f', "settings", "[]", `["a=b"]`, false, ""},
		{'f', "settings", "[]", `["a=b"]`, true, "ALTER FUNCTION x RESET ALL"},
		{'f', "body", "1", "2", true, "has another body"},
		{'f', "body", "1", "2", false, ""},
	} {
		m := func(value string) member {
			traits := map[string]string{c.name: value}
			if value == "" && c.kind == 'c' {
				traits = nil
			}
			return member{Kind: kinds[c.kind], SQL: "x", Traits: traits}
		}
		var got []string
		for _, d := range changes(m(c.source), m(c.here), c.same) {
			if got = append(got, d.sql...); d.sql == nil {
				got = append(got, d.what)
			}
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s %q at the source, %q here: %q, want %q", c.name, c.source, c.here, s, c.want)
		}
	}
	if got := fmt.Sprint(member{Kind: "function", Name: "public.f(a integer)"}); got != "function public.f(a integer)" {
		t.Error(got)
	}
}
