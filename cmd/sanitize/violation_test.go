package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/policies"
)

// Case 12: a rule of the database that masked values break ends the run with the rule's
// name, and the lines of the policy that mask what it reads. No value is in the error.
func TestViolations(t *testing.T) {
	t.Parallel()
	a, b := connectortest.PostgresPair(t)
	// Lines 3 to 7 of each policy, after its two lines of head.
	const classes = `classes:
  note: {kind: free_text, do: {constant: "masked"}}
  day: {kind: quasi, do: {shift_days: 3000}}
  number: {kind: quasi, do: {constant: 7}}
  own: {kind: free_text, do: {derive: fill}}
  hex: {kind: direct, do: {token: hex}}
  pid: {kind: pseudonym, do: {pseudonym: id}}
`
	const computed = "hint: computed from columns masked by "
	const moved = "hint: rows move between partitions, for what routes them is masked by "
	const parted = "tables:\n  items:\n    columns:\n      nr: pid\n    keep: [id]\n"
	// Of those with the id 7 there is one in each partition.
	partitions := []string{"CREATE TABLE items (id integer, nr integer) PARTITION BY HASH (nr)", "CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
		"CREATE TABLE items_1 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
		"INSERT INTO items SELECT CASE WHEN satisfies_hash_partition('items'::regclass, 2, 0, x) THEN 7 ELSE x + 1000 END, x FROM generate_series(1, 200) x"}
	const digits = "tables:\n  items:\n    columns:\n      nr: hex\n    keep: [id]\n"
	rows := func(ddl ...string) []string {
		return append(ddl, "INSERT INTO items (id, nr) SELECT i, 100000 + i FROM generate_series(1, 50) i")
	}
	for name, c := range map[string]struct {
		tables string
		ddl    []string
		words  []string
	}{
		"check": {
			"tables:\n  items:\n    columns:\n      code: note\n      kind: note\n    keep: [id]\n",
			[]string{"CREATE TABLE items (id integer, code text, kind text, CONSTRAINT fitting CHECK (code <> kind OR id < 0))", "INSERT INTO items VALUES (1, 'secret-a', 'secret-b')"},
			[]string{"load public.items, row 1", "constraint fitting", ":13: items.code, as {constant: masked}", ":14: items.kind"}},
		"domain over domain": {
			"tables:\n  items:\n    columns:\n      code: note\n    keep: [id, other]\n",
			[]string{"CREATE DOMAIN code AS text CONSTRAINT coded CHECK (VALUE LIKE 'secret%')", "CREATE DOMAIN long_code AS code CHECK (length(VALUE) > 2)",
				"CREATE TABLE items (id integer, code long_code, other long_code)", "INSERT INTO items VALUES (1, 'secret-a', 'secret-b')"},
			[]string{"row 1, column code", "constraint coded", "type long_code", ":13: items.code"}},
		"exclusion": {
			"tables:\n  items:\n    columns:\n      kind: note\n    keep: [id, during]\n",
			[]string{"CREATE TABLE items (id integer, during int4range, kind text, CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (kind = 'masked'))", "INSERT INTO items VALUES (1, '[1,5)', 'secret-a'), (2, '[2,6)', 'secret-b')"},
			[]string{"make constraint public.items apart", "exclusion constraint does not hold", ":13: items.kind"}},
		"partial unique index": {
			"tables:\n  items:\n    columns:\n      kind: note\n    keep: [id, owner]\n",
			[]string{"CREATE TABLE items (id integer, owner text, kind text)", "CREATE UNIQUE INDEX one_each ON items (lower(owner)) WHERE kind = 'masked'", "INSERT INTO items VALUES (1, 'O', 'secret-a'), (2, 'o', 'secret-b')"},
			[]string{"make index public.one_each", "duplicate key", ":13: items.kind"}},
		"not null": {
			"tables:\n  items:\n    columns:\n      search: own\n      text: note\n    keep: [id]\n",
			[]string{"CREATE TABLE items (id integer, text text, search tsvector NOT NULL)",
				"CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.text LIKE 'secret%' THEN NEW.search := to_tsvector('simple', NEW.text); END IF; RETURN NEW; END$$",
				"CREATE TRIGGER fill BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION fill()", "INSERT INTO items VALUES (1, 'secret-a')"},
			[]string{"row 1", "null in a column that is not null", "column search", ":13: items.search, as {derive: fill}"}},
		"no partition": {
			"tables:\n  items:\n    columns:\n      at: day\n    keep: [id]\n",
			[]string{"CREATE TABLE items (id integer, at date) PARTITION BY RANGE (at)", "CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM ('2026-01-01') TO ('2026-01-03')", "INSERT INTO items SELECT i, '2026-01-02' FROM generate_series(1, 50) i"},
			[]string{"no partition takes the row", ":13: items.at"}},
		"unique index of a partition": {parted, slices.Concat(partitions, []string{"CREATE UNIQUE INDEX own ON items_1 (id)"}),
			[]string{"make index public.own", "duplicate key", moved, ":13: items.nr"}},
		"check of a partition": {parted, slices.Concat(partitions, []string{"ALTER TABLE items_1 ADD CONSTRAINT own CHECK (id <> 7)"}),
			[]string{"constraint own", moved, ":13: items.nr"}},
		"not null of a partition": {parted, slices.Concat(partitions, []string{"ALTER TABLE items_0 ALTER id SET NOT NULL", "INSERT INTO items (nr) SELECT x FROM generate_series(1, 200) x WHERE satisfies_hash_partition('items'::regclass, 2, 1, x)"}),
			[]string{"null in a column that is not null", moved, ":13: items.nr"}},
		"foreign key onto a partition": {parted + "  refs:\n    keep: [t]\n", slices.Concat(partitions, []string{"ALTER TABLE items_1 ADD UNIQUE (nr)", "CREATE TABLE refs (t integer, nr integer CONSTRAINT onto REFERENCES items_1 (nr))", "INSERT INTO refs SELECT 1, nr FROM items_1"}),
			[]string{"foreign key does not hold", moved, ":13: items.nr"}},
		"expression of an index": {digits, rows("CREATE TABLE items (id integer, nr text)", "CREATE INDEX by_number ON items ((nr::integer))"),
			[]string{"public.items.nr: is masked, and the index by_number casts it to integer", "make index public.by_number", computed, ":13: items.nr, as {token: hex}"}},
		"stored column": {digits, rows("CREATE TABLE items (id integer, nr text, n integer GENERATED ALWAYS AS (nr::integer) STORED)"),
			[]string{"and the computed column n casts it to integer", "load public.items, row 1", computed, ":13: items.nr"}},
		"check that computes": {digits, rows("CREATE TABLE items (id integer, nr text, CONSTRAINT above CHECK (nr::integer > 0))"),
			[]string{"and the constraint above casts it to integer", "load public.items, row 1", computed, ":13: items.nr"}},
		"statistics": {digits, rows("CREATE TABLE items (id integer, nr text)", "CREATE STATISTICS of_number ON (nr::integer), (id + 1) FROM items"),
			[]string{"and the extended statistics public.of_number casts it to integer", "analyze public.items", computed, ":13: items.nr"}},
		"materialized view": {digits, rows("CREATE TABLE items (id integer, nr text)", "CREATE VIEW numbers AS SELECT id, nr AS text FROM items", "CREATE MATERIALIZED VIEW listed AS SELECT id, text::integer AS n FROM numbers"),
			[]string{"refresh materialized view public.listed", computed, ":13: items.nr"}},
		"index of a materialized view": {digits, rows("CREATE TABLE items (id integer, nr text)", "CREATE MATERIALIZED VIEW listed AS SELECT id, nr AS text FROM items", "CREATE INDEX by_number ON listed ((text::integer))"),
			[]string{"refresh materialized view public.listed", computed, ":13: items.nr"}},
		"unique index of a materialized view": {
			"tables:\n  items:\n    columns:\n      nr: note\n    keep: [id]\n",
			rows("CREATE TABLE items (id integer, nr text)", "CREATE MATERIALIZED VIEW listed AS SELECT id, nr AS text FROM items", "CREATE UNIQUE INDEX once ON listed (text)"),
			[]string{"refresh materialized view public.listed", "duplicate key", ":13: items.nr"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			source, target := a.Database(t), b.Name(t)
			a.Exec(t, source, c.ddl...)
			p := start(t, "run", "--policy", writePolicy(t, []byte(caseKeys+classes+c.tables)), "--from", source, "--to", b.DSN(target))
			code, said := p.wait(t), p.stderr.String()
			if code != exitIntegrity {
				t.Errorf("exit %d", code)
			}
			if !slices.Contains(c.words, computed) && !slices.Contains(c.words, moved) {
				c.words = append(c.words, "hint: masked by ")
			}
			for _, w := range c.words {
				if !strings.Contains(said, w) {
					t.Errorf("no %q", w)
				}
			}
			if strings.Contains(said, "secret-") {
				t.Error("a value is in the error")
			}
			if t.Failed() {
				t.Log(said)
			}
			if n := b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, '"+target+"')"); n != "0" {
				t.Errorf("%s databases are left", n)
			}
		})
	}
}

// What is known to break a rule does not compile: the constraint's name, and the line.
func TestViolationsForeseen(t *testing.T) {
	t.Parallel()
	a := connectortest.Postgres(t)
	source := a.Database(t)
	a.Exec(t, source, "CREATE TABLE items (id integer, during int4range, email text, CONSTRAINT apart EXCLUDE USING gist (during WITH &&))", "CREATE UNIQUE INDEX folded ON items (lower(email))")
	said := refused(t, source, `classes:
  name: {kind: direct, do: {fake: first_name}}
  span: {kind: quasi, do: {each: {noise: 50%}}}
tables:
  items:
    columns: {email: name, during: span}
    keep: [id]
`)
	for _, w := range []string{"apart", "folded", ":8:15: ", ":8:28: "} {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in %s", w, said)
		}
	}
}

// What triggers and expressions of a server make of masked columns is foreseen in the words
// that the server has for them.
func TestMadeOfMaskedForeseen(t *testing.T) {
	t.Parallel()
	a := connectortest.Postgres(t)
	source := a.Database(t)
	a.Exec(t, source,
		"CREATE SCHEMA hr",
		"CREATE TABLE towns (a text, b text, key text UNIQUE, PRIMARY KEY (a, b))",
		"CREATE TABLE docs (id integer PRIMARY KEY, body text, tsv tsvector, slug text GENERATED ALWAYS AS (lower(body)) STORED, a text, b text, FOREIGN KEY (a, b) REFERENCES towns MATCH FULL, FOREIGN KEY (slug) REFERENCES towns (key))",
		"CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON docs FOR EACH ROW WHEN (NEW.body IS NOT NULL) EXECUTE FUNCTION tsvector_update_trigger(tsv, 'pg_catalog.english', body)",
		"CREATE TABLE hr.staff (id integer PRIMARY KEY, pay integer, tsv tsvector)", "CREATE TABLE hr.staff_log (pay integer)",
		"CREATE FUNCTION hr.remember() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO staff_log (pay) VALUES (NEW.pay); NEW.tsv := to_tsvector('simple', NEW.pay::text); RETURN NEW; END$$",
		`CREATE TRIGGER "remember pay" BEFORE INSERT ON hr.staff FOR EACH ROW EXECUTE FUNCTION hr.remember()`,
		"CREATE TABLE hr.staff_old (who integer, paid integer, at date)",
		"CREATE RULE keep_old AS ON UPDATE TO hr.staff DO ALSO (INSERT INTO hr.staff_old (who, at) SELECT 1, now(); INSERT INTO hr.staff_old (paid) VALUES (OLD.pay))")
	const classes = `classes:
  note: {kind: free_text, do: {shape: text}}
  gone: {kind: quasi, do: {"null": true}}
  number: {kind: quasi, do: {noise: 10%}}
  own: {kind: quasi, do: {derive: remember pay}}
tables:
`
	said := refused(t, source, classes+`  towns: {keep: [a, b, key]}
  docs: {columns: {body: note, a: gone}, keep: [id, tsv, b]}
  hr.staff: {columns: {pay: number, tsv: own}, keep: [id]}
  hr.staff_log: {keep: [pay]}
  hr.staff_old: {keep: [who, paid, at]}
`)
	for _, w := range []string{
		"docs.tsv is kept, and the trigger fill fills it from body", "give it a class with {derive: fill}", "docs.slug is computed from body and references public.towns.key",
		"docs.a is set to NULL and public.docs.b is not", "the trigger remember pay writes to hr.staff_log",
	} {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in %s", w, said)
		}
	}
	p := start(t, "plan", "--policy", writePolicy(t, []byte(caseKeys+classes+"  towns: drop\n  docs: drop\n  hr.staff: {columns: {pay: number, tsv: gone}, keep: [id]}\n  hr.staff_log: {keep: [pay]}\n  hr.staff_old: {keep: [who, paid, at]}\n")), "--from", source)
	code, said := p.wait(t), p.stdout.String()+p.stderr.String()
	for _, w := range []string{"hr.staff_log.pay: is kept, and the trigger remember pay writes rows of hr.staff there", "hr.staff_old.paid: is kept, and the rule keep_old writes rows of hr.staff there, which are masked: pay"} {
		if code != 0 || !strings.Contains(said, w) || strings.Contains(said, "hr.staff_old.who:") {
			t.Errorf("exit %d, no %q: %s", code, w, said)
		}
	}
}

// An error that is of no rule, or of one that reads nothing masked, stays what it is.
func TestBlameNobody(t *testing.T) {
	c := catalog.New("postgres", "17", "public", []*catalog.Table{{ID: catalog.TableID{Schema: "public", Name: "t"}, Kind: catalog.Ordinary,
		Columns: []catalog.Column{{Name: "v"}}, Checks: []catalog.Definition{{Name: "fits", Reads: []string{"v"}}}}}, nil)
	compiled := &policies.Compiled{Tables: []policies.TableDecision{{Table: c.Tables[0].ID, Columns: []policies.ColumnDecision{{Column: "v", Action: "keep", Where: "p.yaml:1"}}}}}
	broken := &connectors.Error{Op: "load", Violation: &connectors.Violation{Table: c.Tables[0].ID, Constraint: "fits"}}
	for _, err := range []error{nil, errors.New("plain"), broken, errors.Join(errors.New("plain"), broken), &connectors.Error{Violation: &connectors.Violation{Table: catalog.TableID{Name: "gone"}}}} {
		if got := blamePolicy(err, compiled, c); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	compiled.Tables[0].Columns[0].Action = "mask"
	got := blamePolicy(errors.Join(errors.New("plain"), broken), compiled, c)
	if !strings.Contains(connectors.Hint(got), "masked by p.yaml:1: t.v") || !errors.Is(got, broken) {
		t.Errorf("%v, hint %q", got, connectors.Hint(got))
	}
}

// A rule over a computed column names the lines of what that is computed from.
func TestBlameBehindComputed(t *testing.T) {
	c := catalog.New("postgres", "17", "public", []*catalog.Table{{ID: catalog.TableID{Schema: "public", Name: "t"}, Kind: catalog.Ordinary,
		Columns: []catalog.Column{{Name: "name"}, {Name: "town"}, {Name: "slug", Generation: catalog.Stored, Computation: "lower(name)"}},
		Unique:  []catalog.Key{{Name: "once", Columns: []string{"slug"}}}}}, nil)
	compiled := &policies.Compiled{Tables: []policies.TableDecision{{Table: c.Tables[0].ID, Columns: []policies.ColumnDecision{
		{Column: "name", Action: "mask", Do: "x", Where: "p.yaml:1"}, {Column: "town", Action: "mask", Do: "x", Where: "p.yaml:2"}, {Column: "slug", Action: "computed"}}}}}
	for _, v := range []connectors.Violation{{Constraint: "once"}, {Columns: []string{"slug"}}} {
		v.Table = c.Tables[0].ID
		hint := connectors.Hint(blamePolicy(&connectors.Error{Op: "load", Violation: &v}, compiled, c))
		if !strings.Contains(hint, "masked by p.yaml:1: t.name, as x: use") {
			t.Errorf("%+v: hint %q", v, hint)
		}
	}
}
