package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// leftOf returns what a plan or a summary in JSON says does not come along as it is.
func leftOf(t *testing.T, text string) []catalog.Object {
	t.Helper()
	var said struct {
		LeftBehind []catalog.Object `json:"left_behind"`
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return said.LeftBehind
}

func spellFates(objects []catalog.Object) string {
	var b strings.Builder
	for _, o := range objects {
		b.WriteString(string(o.Fate) + " " + o.Kind + " " + o.Name + ": " + o.Reason + "\n")
	}
	return b.String()
}

// The plan of a source, the plan of its catalog file, and the summary of a run name the
// same objects for the same reasons: one of each kind that stays or is neutralised.
func TestPlanAndRunAgree(t *testing.T) {
	t.Parallel()
	a, b := connectortest.PostgresPair(t)
	text, err := os.ReadFile("../../connectors/postgres/testdata/tethers.sql")
	if err != nil {
		t.Fatal(err)
	}
	source, target := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, source, string(text))
	policy := writePolicy(t, []byte(caseKeys+`classes: {note: {kind: free_text, do: {shape: text}}}
tables: {people: {columns: {email: note, name: note}, keep: [id]}, lines: {keep: [id, t]}, ddl_log: {keep: [tag]}}
`))
	for _, keep := range [][]string{nil, {"--keep-object", "publication:changes", "--keep-object", "function:innocent2()", "--grants"}, {"--keep-object", "publication:changes", "--keep-object", "event trigger:audit_ddl", "--grants"}} {
		plan := func(from ...string) (string, string, int) {
			p := start(t, append(append([]string{"plan", "--policy", policy}, from...), keep...)...)
			code := p.wait(t)
			return p.stdout.String(), p.stderr.String(), code
		}
		file := filepath.Join(t.TempDir(), "shop.catalog.json")
		p := start(t, "inspect", "--from", source, "--json")
		if p.wait(t) != 0 {
			t.Fatal(p.stderr.String())
		}
		if err := os.WriteFile(file, p.stdout.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.stdout.String(), "never-to-travel") {
			t.Error("a password is in the catalog file")
		}
		planned, said, code := plan("--from", source, "--json")
		filed, saidOfFile, codeOfFile := plan("--catalog", file, "--json")
		if strings.Contains(strings.Join(keep, " "), "innocent2") {
			for _, s := range []string{said, saidOfFile} {
				if code != exitUsage || codeOfFile != exitUsage || !strings.Contains(s, "there is no such object") || !strings.Contains(s, "'function:public.") {
					t.Errorf("exits %d and %d: %s", code, codeOfFile, s)
				}
			}
			continue
		}
		if code != 0 || codeOfFile != 0 {
			t.Fatal(said, saidOfFile)
		}
		run := start(t, append([]string{"run", "--policy", policy, "--from", source, "--to", target, "--json"}, keep...)...)
		if run.wait(t) != 0 {
			t.Fatal(run.stderr.String())
		}
		want := spellFates(leftOf(t, planned))
		if got := spellFates(leftOf(t, filed)); got != want {
			t.Errorf("of the file\n%s\nof the source\n%s", got, want)
		}
		if got := spellFates(leftOf(t, run.stdout.String())); got != want || got == "" {
			t.Errorf("the run\n%s\nthe plan\n%s", got, want)
		}
		if kept := strings.Contains(want, "noted publication changes: is kept by name; it would send rows"); kept == (keep == nil) {
			t.Errorf("--keep-object %q, and the plan says\n%s", keep, want)
		}
		// It is said before a row is copied, and again at the end.
		talk := run.stderr.String()
		before, after, _ := strings.Cut(talk, "sanitize: done: ")
		for part, words := range map[string][]string{
			before: {"sanitize: what does not come along as it is:\n  left behind", "extension dblink, postgres_fdw: would connect to another server", "more: sanitize plan shows all"},
			after:  {"neutralised  function", "procedure public.dump_out(): would run a program on the server's machine", "function public.trusted(): runs with the rights"},
		} {
			for _, w := range words {
				if !strings.Contains(part, w) {
					t.Errorf("no %q in:\n%s", w, part)
				}
			}
		}
		shown, _, _ := plan("--from", source)
		if !strings.Contains(shown, "beside the tables\n  left behind  ") || !strings.Contains(shown, "user mapping public on elsewhere: holds the account") {
			t.Errorf("the plan shows\n%s", shown)
		}
		quiet := start(t, append([]string{"run", "--policy", policy, "--from", source, "--to", target, "--quiet"}, keep...)...)
		if quiet.wait(t) != 0 || strings.Contains(quiet.stderr.String(), "left behind") {
			t.Errorf("quiet: %s", quiet.stderr.String())
		}
	}
}

// What stops a run stops a plan: of the source and of its catalog file, with the exit code,
// the message and the list of the run.
func TestPlanStops(t *testing.T) {
	t.Parallel()
	a, b := connectortest.PostgresPair(t)
	source, target := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, source, "CREATE EXTENSION dblink", "CREATE TABLE people (id integer PRIMARY KEY, name text CONSTRAINT tied CHECK (name <> dblink_current_query()))",
		"CREATE FUNCTION calls(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF false THEN PERFORM pg_read_file('x'); END IF; RETURN n; END$$",
		"CREATE TABLE sums (n integer, m integer GENERATED ALWAYS AS (calls(n)) STORED)")
	policy := writePolicy(t, []byte(caseKeys+`classes: {note: {kind: free_text, do: {shape: text}}}
tables: {people: {columns: {name: note}, keep: [id]}, sums: {keep: [n]}}
`))
	file := filepath.Join(t.TempDir(), "shop.catalog.json")
	if err := os.WriteFile(file, []byte(sanitize(t, "inspect", "--from", source, "--json")), 0o600); err != nil {
		t.Fatal(err)
	}
	const message = "stop before anything is written: column public.sums.m: is computed by function public.calls(n integer), which is neutralised; " +
		"constraint public.people.tied: needs extension dblink, which stays behind\n" +
		"hint: keep what they need: --keep-object 'extension:dblink' --keep-object 'function:public.calls(n integer)'; or change them at the source\n"
	var lists []string
	for _, args := range [][]string{{"plan", "--from", source, "--json"}, {"plan", "--catalog", file, "--json"}, {"plan", "--from", source}, {"run", "--from", source, "--to", target}} {
		p := start(t, append(args, "--policy", policy)...)
		if code := p.wait(t); code != exitIntegrity || !strings.HasSuffix(p.stderr.String(), message) {
			t.Errorf("%q: exit code %d\n%s", args, code, p.stderr.String())
		}
		if slices.Contains(args, "--json") {
			lists = append(lists, spellFates(leftOf(t, p.stdout.String())))
		} else if said := p.stdout.String() + p.stderr.String(); !strings.Contains(said, "\n  stops        column public.sums.m: is computed") {
			t.Errorf("%q shows\n%s", args, said)
		}
	}
	if lists[0] != lists[1] || !strings.Contains(lists[0], "stops constraint public.people.tied: needs extension dblink, which stays behind\n") {
		t.Errorf("of the source\n%s\nof the file\n%s", lists[0], lists[1])
	}
	kept := []string{"--keep-object", "extension:dblink", "--keep-object", "function:calls(n integer)", "--policy", policy}
	for _, args := range [][]string{{"plan", "--from", source}, {"plan", "--catalog", file}, {"run", "--from", source, "--to", target, "--quiet"}} {
		sanitize(t, append(args, kept...)...)
	}
}

// Case 13: what is made of masked columns is made anew, and no word of them is left in it.
func TestDerivedAnew(t *testing.T) {
	t.Parallel()
	const secret = "quillfeather"
	p := copied(t, inUTF8, `classes:
  note: {kind: free_text, do: {shape: text}}
  derived: {kind: free_text, do: derive}
  own: {kind: free_text, do: {derive: own}}
tables:
  films: {columns: {title: note, about: note, search: derived, search2: derived, mine: own}, keep: [id, config]}
  log: {columns: {text: note, search: derived}, keep: [at]}
`,
		"CREATE TABLE films (id integer PRIMARY KEY, title text, about text, config regconfig, search tsvector NOT NULL, search2 tsvector, mine tsvector, again tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.simple', coalesce(title, ''))) STORED)",
		"CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON films FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(search, 'pg_catalog.simple', title, about)",
		"CREATE TRIGGER fill2 BEFORE INSERT OR UPDATE ON films FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger_column(search2, config, about)",
		"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.mine := to_tsvector('pg_catalog.simple', NEW.about); RETURN NEW; END$$",
		"CREATE TRIGGER own BEFORE INSERT ON films FOR EACH ROW EXECUTE FUNCTION own()",
		"INSERT INTO films SELECT i, 'Title "+secret+" ' || i, 'About "+secret+"', 'pg_catalog.simple' FROM generate_series(1, 300) i",
		"CREATE TABLE log (at date, text text, search tsvector) PARTITION BY RANGE (at)",
		"CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
		"CREATE TABLE log_2 (search tsvector, text text, at date)", "ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
		"CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON log FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(search, 'pg_catalog.simple', text)",
		"INSERT INTO log SELECT '2026-01-20'::date + i, 'A "+secret+"' FROM generate_series(0, 30) i",
		"CREATE INDEX films_lower ON films (lower(title))", "CREATE INDEX films_search ON films USING gin (search)",
		"CREATE MATERIALIZED VIEW titles AS SELECT lower(title) AS t, search AS s FROM films", "CREATE UNIQUE INDEX titles_t ON titles (t)",
		"CREATE STATISTICS films_both (mcv, dependencies) ON title, about FROM films", "ANALYZE")
	for _, sql := range []string{
		"SELECT count(*) FROM films WHERE films::text ILIKE '%" + secret + "%'",
		"SELECT count(*) FROM log WHERE log::text ILIKE '%" + secret + "%'",
		"SELECT count(*) FROM titles WHERE titles::text ILIKE '%" + secret + "%'",
		"SELECT count(*) FROM pg_stats WHERE pg_stats::text ILIKE '%" + secret + "%'",
		"SELECT count(*) FROM pg_statistic_ext_data d WHERE encode(d.stxdmcv::bytea, 'escape') ILIKE '%" + secret + "%' OR stxddependencies::text ILIKE '%" + secret + "%'",
		"SELECT count(*) FROM films WHERE search <> tsvector_concat(to_tsvector('simple', title), to_tsvector('simple', about)) OR search2 <> to_tsvector('simple', about) OR mine <> to_tsvector('simple', about) OR again <> to_tsvector('simple', title)",
		"SELECT count(*) FROM films WHERE num_nulls(search, search2, mine, again) > 0",
		"SELECT count(*) FROM log WHERE search IS DISTINCT FROM to_tsvector('simple', text)",
		"SELECT 331 - (SELECT count(*) FROM films) - (SELECT count(*) FROM log)",
		"SELECT 300 - count(*) FROM titles",
	} {
		if got := p.b.Value(t, p.target, sql); got != "0" {
			t.Errorf("%s: %s", sql, got)
		}
	}
	if p.a.Value(t, p.source, "SELECT count(*) FROM pg_stats WHERE pg_stats::text ILIKE '%"+secret+"%'") == "0" {
		t.Error("the test looks for what the source has not")
	}
	p.both(t, "triggers", "SELECT string_agg(tgrelid::regclass || tgname || tgenabled::text, ' ' ORDER BY tgrelid::regclass::text, tgname) FROM pg_trigger")
	said := refused(t, p.source, `classes: {note: {kind: free_text, do: {shape: text}}, own: {kind: free_text, do: {derive: own}}}
tables: {films: {columns: {title: note, about: note, search2: own, mine: own}, keep: [id, config, search]}, log: drop}
`)
	for _, w := range []string{"public.films.search is kept, and the trigger fill fills it from title, about, which are masked", "do: derive"} {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in %s", w, said)
		}
	}
	// A trigger that is disabled, or stays behind, derives nothing: the plan says it, and the
	// run says the same.
	rules := writePolicy(t, []byte(caseKeys+`classes: {note: {kind: free_text, do: {shape: text}}, derived: {kind: free_text, do: derive}, own: {kind: free_text, do: {derive: own}}}
tables: {films: {columns: {title: note, about: note, search: derived, search2: derived, mine: own}, keep: [id, config]}, log: drop}
`))
	p.a.Exec(t, p.source, "ALTER TABLE films DISABLE TRIGGER fill",
		"CREATE OR REPLACE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.mine := pg_read_file('/etc/hostname'); RETURN NEW; END$$")
	for _, args := range [][]string{{"plan", "--policy", rules, "--from", p.source}, {"run", "--policy", rules, "--from", p.source, "--to", p.target, "--quiet"}} {
		r := start(t, args...)
		code := r.wait(t)
		for _, w := range []string{"public.films.search: the trigger fill is disabled, and would compute nothing", `null it with {"null": true}`,
			"public.films.mine: the trigger own stays behind, for it calls function public.own(), which is neutralised, and would fail", "--keep-object 'function:public.own()'"} {
			if code != exitPolicy || !strings.Contains(r.stderr.String(), w) {
				t.Errorf("%s: exit code %d, no %q in\n%s", args[0], code, w, r.stderr.String())
			}
		}
	}
	p.a.Exec(t, p.source, "ALTER TABLE films ENABLE TRIGGER fill")
	sanitize(t, "plan", "--policy", rules, "--from", p.source, "--keep-object", "function:public.own()")
}
