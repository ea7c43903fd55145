package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

const lockCatalog = `schema public
table people
id int4 pk
email varchar(40) notnull unique
name text
born date
prefs json
tags array text
boss int4
fk (boss) -> people (id)
table visits
person int4
page text
fk (person) -> people (id)
table scores
id int4 pk
points int4
`

const lockPolicy = `version: 1
policy: {name: shop, revision: 3, owner: data@shop.example, review: {by: dpo@shop.example, on: 2026-11-01, expires: 2027-05-01}}
defaults: {schema_drift: fail}
keys: {discovery: {from: "file:secret-place/discovery.key", rotate: 90d}}
classes:
  id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email}}
  name: {kind: direct, do: {fake: person_name}}
  born: {kind: quasi, do: {shift_days: 30, within: same_year}}
  text: {kind: free_text, do: {redact: [email, known_names], else: shape}}
tables:
  people:
    columns:
      id: id
      email: email
      name: name
      born: born
      tags: {each: name}
      prefs:
        json: {$.theme: keep, $.mail: {class: email, do: {token: hex}, because: "nobody reads it"}, "*": drop}
  visits:
    columns: {page: text}
  scores:
    keep: [id, points]
links:
  - [people.id, scores.id]
`

// lockOf makes the lock of lockPolicy, after a change of its text.
func lockOf(t testing.TB, policy, catalogText string, key *masking.Key) (*Policy, *Lock) {
	t.Helper()
	p, err := Parse("folder/shop.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	l, err := MakeLock(p, parseCatalog(t, catalogText), key, masking.Standard(), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return p, l
}

const unlinked = "links:\n  - [people.id, scores.id]\n"

var plainPolicy = strings.Replace(lockPolicy, unlinked, "", 1)

// A lock is the same bytes each time, comes back as it was written, and shows no key and
// no folder.
func TestLockIsDeterministic(t *testing.T) {
	_, l := lockOf(t, plainPolicy, lockCatalog, nil)
	text := l.Marshal()
	golden(t, filepath.Join("testdata", "lock", "shop.lock"), text)
	for range 3 {
		_, again := lockOf(t, plainPolicy, lockCatalog, nil)
		if !bytes.Equal(again.Marshal(), text) {
			t.Fatal("two locks of the same policy differ")
		}
	}
	read, err := ParseLock("shop.lock", text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read.Marshal(), text) {
		t.Error("a lock that was read is written otherwise")
	}
	for _, secret := range []string{"secret-place", "discovery.key", "folder"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the lock shows %s", secret)
		}
	}
	key := testKey(t)
	_, l = lockOf(t, plainPolicy, lockCatalog, key)
	if l.KeyCheck != key.Check() {
		t.Errorf("key check %q, want %q", l.KeyCheck, key.Check())
	}
	_, l = lockOf(t, strings.Replace(plainPolicy, `"file:secret-place/discovery.key"`, "ephemeral", 1), lockCatalog, key)
	if l.KeyCheck != "" {
		t.Error("a lock has the check value of a key that is made for each run")
	}
}

// What a lock holds decides as the policy does, down to the paths of a document.
func TestLockDecidesAsItsPolicy(t *testing.T) {
	for _, name := range []string{"pagila", "sakila", "chinook-postgres", "chinook-sqlite"} {
		p, err := Load(filepath.Join("..", "testdata", "policies", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		c := readCatalog(t, name)
		l, err := MakeLock(p, c, testKey(t), masking.Standard(), "test")
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDocument(name+".lock", l.Marshal(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := Diff(d, Resolve(p, c), today); len(diff.All) != 0 {
			t.Errorf("%s: the lock decides otherwise:\n%s", name, renderDiff(diff))
		}
		if drift := l.Drift(p, c); len(drift) != 0 {
			t.Errorf("%s: the catalog has drifted from itself: %v", name, drift)
		}
	}
}

// Whatever is not the text that was written is refused, with what to do.
func TestLockIsReadStrictly(t *testing.T) {
	_, l := lockOf(t, plainPolicy, lockCatalog, nil)
	text := string(l.Marshal())
	if _, err := ParseLock("shop.lock", []byte(text)); err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"truncated":         text[:len(text)/2],
		"empty":             "",
		"a policy":          plainPolicy,
		"unknown field":     strings.Replace(text, `"tool":`, `"tools": 1, "tool":`, 1),
		"twice":             strings.Replace(text, `  "tool":`, "  \"tool\": \"v0\",\n  \"tool\":", 1),
		"another case":      strings.Replace(text, `"tool":`, `"Tool":`, 1),
		"CRLF":              strings.ReplaceAll(text, "\n", "\r\n"),
		"no last line end":  strings.TrimSpace(text),
		"something behind":  text + "{}\n",
		"another version":   strings.Replace(text, `"sanitize_lock": 1`, `"sanitize_lock": 2`, 1),
		"a do that is none": strings.Replace(text, `"do": "{fake: email}"`, `"do": "{fake: [email}"`, 1),
		"a do of our own":   strings.Replace(text, `"do": "{fake: email}"`, `"do": "{fake:  email}"`, 1),
		"unknown class":     strings.Replace(text, `"do": "{each: name}"`, `"do": "{each: nobody}"`, 1),
		"no catalog":        text[:strings.Index(text, `  "catalog"`)] + "  \"catalog\": {\n    \"fingerprint\": \"\",\n    \"facts\": null\n  }\n}\n",
		"another type":      strings.Replace(text, `"tool": "v1.2.3"`, `"tool": 7`, 1),
		"an alias":          strings.Replace(text, `"do": "{fake: email}"`, `"do": "&a {fake: email}"`, 1),
	} {
		_, err := ParseLock("shop.lock", []byte(changed))
		var errs Errors
		if changed == text {
			t.Errorf("%s: nothing was changed", name)
		} else if !errors.As(err, &errs) || errs.Drift() || !strings.HasPrefix(err.Error(), "shop.lock: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each change of the catalog since the lock, and whether it can pass.
func TestDrift(t *testing.T) {
	p, l := lockOf(t, plainPolicy, lockCatalog, nil)
	replace := func(old, new string) string { return strings.Replace(lockCatalog, old, new, 1) }
	var b strings.Builder
	for _, c := range []struct{ name, text string }{
		{"the same", lockCatalog},
		{"other estimates", replace("id int4 pk\n", "id int4 pk\nrows 5000\n")},
		{"new table", lockCatalog + "table letters\nid int4 pk\nsender_email text\nbody text\nsent_at timestamptz\n"},
		{"new table of others' keys", lockCatalog + "table friends\na int4\nb int4\nfk (a) -> people (id)\nfk (b) -> people (id)\n"},
		{"new column", replace("name text\n", "name text\nphone text\n")},
		{"new column of no name", replace("name text\n", "name text\nx17 text\n")},
		{"new column that inherits", replace("page text\n", "page text\nhost int4\nfk (host) -> people (id)\n")},
		{"vanished table", lockCatalog[:strings.Index(lockCatalog, "table scores")]},
		{"vanished column", replace("born date\n", "")},
		{"renamed column", replace("born date\n", "birthday date\n")},
		{"other type", replace("born date", "born text")},
		{"wider", replace("varchar(40)", "varchar(80)")},
		{"unlimited", replace("varchar(40)", "text")},
		{"narrower", replace("varchar(40)", "varchar(20)")},
		{"wider integer", replace("points int4", "points int8")},
		{"not null", replace("name text", "name text notnull")},
		{"nullable", replace("varchar(40) notnull", "varchar(40)")},
		{"new key", replace("points int4\n", "points int4\nfk (points) -> people (id)\n")},
		{"key gone", replace("fk (person) -> people (id)\n", "")},
		{"no longer unique", replace(" unique", "")},
		{"new unique index", replace("boss int4\n", "boss int4\nrule lower(name)\n")},
		{"other encoding", "encoding LATIN1\n" + lockCatalog},
	} {
		fmt.Fprintf(&b, "== %s\n", c.name)
		now := parseCatalog(t, c.text)
		changes := l.Drift(p, now)
		for _, d := range changes {
			word := "drift"
			if d.Harmless {
				word = "harmless"
			}
			fmt.Fprintf(&b, "%s: %s\n    %s\n", word, d, d.Help)
		}
		// Whatever a catalog itself calls a difference is drift.
		if diff := catalog.Diff(parseCatalog(t, lockCatalog), now); len(diff) != len(changes) {
			t.Errorf("%s: the catalogs differ in %v, and the drift is %v", c.name, diff, changes)
		}
		warnings, err := CheckLock(p, l, now)
		var errs Errors
		if len(warnings) > 0 || (err == nil) != (len(changes) == 0) || err != nil && (!errors.As(err, &errs) || !errs.Drift() || len(errs) != len(changes)) {
			t.Errorf("%s: %v, %v", c.name, warnings, err)
		}
	}
	golden(t, filepath.Join("testdata", "lock", "drift.txt"), []byte(b.String()))
}

// What a catalog of the tests cannot say: checks, indexes, triggers, comments.
func TestDriftOfTexts(t *testing.T) {
	p, _ := lockOf(t, strings.Replace(plainPolicy, "schema_drift: fail", "schema_drift: warn", 1), lockCatalog, nil)
	full := func() *catalog.Catalog {
		c := parseCatalog(t, lockCatalog)
		c.Tables[0].Checks = []catalog.Definition{{Name: "adult", Text: "CHECK (born < '2000-01-01')", Reads: []string{"born"}}}
		c.Tables[0].Indexes = []catalog.Definition{{Name: "vip", Text: "CREATE INDEX … WHERE name = 'Ada'"}}
		c.Tables[0].Triggers = []catalog.Definition{{Name: "log", Text: "CREATE TRIGGER …", Function: "log_it"}}
		c.Tables[0].Comment = "people"
		c.Tables[0].Columns[1].Comment = "a comment"
		return c
	}
	l, err := MakeLock(p, full(), nil, masking.Standard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, quoted := range []string{"Ada", "2000-01-01", "a comment"} {
		if bytes.Contains(l.Marshal(), []byte(quoted)) {
			t.Errorf("the lock quotes %q of the catalog", quoted)
		}
	}
	for _, c := range []struct {
		change   func(*catalog.Table)
		want     string
		harmless bool
	}{
		{func(t *catalog.Table) { t.Checks = nil }, "check adult removed", true},
		{func(t *catalog.Table) { t.Checks[0].Text = "CHECK (true)" }, "check adult changed", false},
		{func(t *catalog.Table) { t.Indexes = nil }, "index vip removed", true},
		{func(t *catalog.Table) { t.Indexes = append(t.Indexes, catalog.Definition{Name: "new"}) }, "index new added", false},
		{func(t *catalog.Table) { t.Triggers = nil }, "trigger log removed", false},
		{func(t *catalog.Table) { t.Triggers[0].Text = "other" }, "trigger log changed", false},
		{func(t *catalog.Table) { t.Comment = "" }, "comment removed", true},
		{func(t *catalog.Table) { t.Columns[1].Comment = "b" }, "comment changed", false},
		{func(t *catalog.Table) { t.Columns[2].Comment = "c" }, "comment added", false},
		{func(t *catalog.Table) { t.Columns[2].Generation = catalog.IdentityAlways }, "generation was", false},
		{func(t *catalog.Table) { t.Columns[2].Collation = "C" }, "collation was", false},
		{func(t *catalog.Table) { t.Columns[2].Type.OID = 25 }, "", true},
	} {
		now := full()
		c.change(now.Tables[0])
		warnings, err := CheckLock(p, l, now)
		switch {
		case c.want == "":
			if err != nil || len(warnings) > 0 {
				t.Errorf("no drift: %v, %v", warnings, err)
			}
		case c.harmless:
			if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], c.want) || !strings.Contains(warnings[0], "harmless") {
				t.Errorf("%s: %v, %v", c.want, warnings, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, %v", c.want, warnings, err)
		}
	}
	// What is harmless does not hide what is not.
	now := full()
	now.Tables[0].Comment = ""
	now.Tables[0].Columns = append(now.Tables[0].Columns, catalog.Column{Name: "passport", Type: catalog.Type{Name: "text", Kind: catalog.Text}})
	if _, err := CheckLock(p, l, now); err == nil || !strings.Contains(err.Error(), "people.passport: column added") {
		t.Errorf("a new column passed: %v", err)
	}
}

// A partition that is what its table is comes and goes without harm; one that is anything more, or
// that a line of the policy is about, does not.
func TestDriftOfPartitions(t *testing.T) {
	const root = "schema public\ntable people\nid int4 notnull pk\npartitioned ev\nid int4 notnull\nat date notnull\nemail text\nwho int4\npk (id, at)\nfk (who) -> people (id)\nroute (at)\n"
	part := func(name, more string) string {
		return "table " + name + "\npartition ev\nid int4 notnull\nat date notnull\nemail text\nwho int4\npk (id, at)\nfk (who) -> people (id)\n" + more
	}
	p, l := lockOf(t, `version: 1
policy: {name: shop}
keys: {k: {from: ephemeral}}
classes:
  id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email}}
tables:
  people: {columns: {id: id}}
  ev: {columns: {email: email}, keep: [id, at]}
  ev_named: {}
defaults: {schema_drift: warn}
`, root+part("ev_1", "")+part("ev_named", "")+part("ev_unique", "unique (email)\n"), nil)
	all := part("ev_1", "") + part("ev_named", "") + part("ev_unique", "unique (email)\n")
	for _, test := range []struct {
		name, tables string
		change       func(c *catalog.Catalog)
		want         string
		harmless     bool
	}{
		{"a new one", all + part("ev_2", ""), nil, "public.ev_2: partition of public.ev added", true},
		{"a new one in parts", all + strings.Replace(part("ev_2", "route (at)\n"), "table", "partitioned", 1), nil, "public.ev_2: partition of public.ev added", true},
		{"as another one", all + part("ev_2", "unique (email)\n"), nil, "public.ev_2: partition of public.ev added", true},
		{"one that is gone", strings.Replace(all, part("ev_1", ""), "", 1), nil, "public.ev_1: partition of public.ev removed", true},
		{"one with a line that is gone", strings.Replace(all, part("ev_named", ""), "", 1), nil, "public.ev_named: table removed", false},
		{"one with a column more", all + part("ev_2", "note text\n"), nil, "public.ev_2: table added", false},
		{"one with another type", all + strings.Replace(part("ev_2", ""), "email text", "email varchar(40)", 1), nil, "public.ev_2: table added", false},
		{"one without a key", all + strings.Replace(part("ev_2", ""), "pk (id, at)\n", "", 1), nil, "public.ev_2: table added", false},
		{"one with a key more", all + part("ev_2", "fk (id) -> people (id)\n"), nil, "public.ev_2: table added", false},
		{"one with a rule", all + part("ev_2", "rule lower(email)\n"), nil, "public.ev_2: table added", false},
		{"one with rows elsewhere", all + strings.Replace(part("ev_2", ""), "table", "foreign", 1), nil, "public.ev_2: table added", false},
		{"one with a check", all + part("ev_2", ""), func(c *catalog.Catalog) {
			tableOf(c, "ev_2").Checks = []catalog.Definition{{Name: "c", Text: "CHECK (email <> 'Ada')"}}
		}, "public.ev_2: table added", false},
		{"one with its table's trigger", all + part("ev_2", ""), func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "trigger", Name: "public.ev_2.tr"})
			for _, name := range []string{"ev", "ev_2"} {
				tableOf(c, name).Triggers = []catalog.Definition{{Name: "tr", Text: "CREATE TRIGGER tr AFTER INSERT ON " + name + " FOR EACH ROW EXECUTE FUNCTION f()"}}
			}
		}, "public.ev: trigger tr added", false},
		{"one with a trigger's comment", all + part("ev_2", ""), func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "trigger", Name: "public.ev_2.tr", Comment: "Ada's"})
		}, "public.ev_2.tr: trigger added", false},
		{"one with a policy", all + part("ev_2", ""), func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "policy", Name: "public.ev_2.p", Definition: "USING (true)"})
		}, "public.ev_2.p: policy added", false},
		{"one with a comment", all + part("ev_2", ""), func(c *catalog.Catalog) { tableOf(c, "ev_2").Comment = "Ada's" }, "public.ev_2: table added", false},
		{"one with a column's comment", all + part("ev_2", ""), func(c *catalog.Catalog) { tableOf(c, "ev_2").Columns[2].Comment = "Ada's" }, "public.ev_2: table added", false},
		{"one with a default", all + part("ev_2", ""), func(c *catalog.Catalog) { tableOf(c, "ev_2").Columns[2].Default = "'Ada'" }, "public.ev_2: table added", false},
		{"one with a trigger", all + part("ev_2", ""), func(c *catalog.Catalog) {
			tableOf(c, "ev_2").Triggers = []catalog.Definition{{Name: "tr", Text: "CREATE TRIGGER tr AFTER INSERT ON ev_2 FOR EACH ROW EXECUTE FUNCTION f()"}}
		}, "public.ev_2: table added", false},
		{"one with an index", all + part("ev_2", ""), func(c *catalog.Catalog) {
			tableOf(c, "ev_2").Indexes = []catalog.Definition{{Name: "ev_2_vip", Text: "CREATE INDEX ev_2_vip ON public.ev_2 USING btree (id) WHERE (email = 'Ada')"}}
		}, "public.ev_2: table added", false},
	} {
		now := parseCatalog(t, root+test.tables)
		if test.change != nil {
			test.change(now)
		}
		warnings, err := CheckLock(p, l, now)
		switch {
		case test.harmless:
			if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], test.want) {
				t.Errorf("%s: %v, %v", test.name, warnings, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "ev_2.tr") != strings.Contains(test.want, "ev_2.tr"):
			t.Errorf("%s: %v, %v", test.name, warnings, err)
		}
	}
}

// What the root of a partition has by other names, the partition may have too.
func TestPartitionsHaveTheDefinitionsOfTheirTable(t *testing.T) {
	of := func(name string) *catalog.Table {
		return &catalog.Table{Comment: "events",
			Checks:   []catalog.Definition{{Name: "c", Text: "CHECK (id > 0)"}},
			Indexes:  []catalog.Definition{{Name: name + "_low", Text: "CREATE INDEX " + name + "_low ON public." + name + " USING btree (lower(email))"}},
			Triggers: []catalog.Definition{{Name: "tr", Text: "CREATE TRIGGER tr AFTER INSERT ON public." + name + " FOR EACH ROW EXECUTE FUNCTION f()", Function: "f()"}},
		}
	}
	if !saysNoMore(of("ev_2"), of("ev")) || !saysNoMore(&catalog.Table{}, of("ev")) || saysNoMore(of("ev_2"), &catalog.Table{}) {
		t.Error("a partition is not compared with its table")
	}
	identity := catalog.Column{Name: "id", Generation: catalog.IdentityAlways}
	if !sameColumn(catalog.Column{Name: "id"}, &identity) || sameColumn(identity, &catalog.Column{Name: "id"}) {
		t.Error("a partition has no identity of its own")
	}
}

func tableOf(c *catalog.Catalog, name string) *catalog.Table {
	return c.Table(catalog.TableID{Schema: "public", Name: name})
}

// What is beside the tables, and what a column is given without being asked, is in the
// copy as well.
func TestDriftOfObjects(t *testing.T) {
	policy := strings.Replace(plainPolicy, "schema_drift: fail", "schema_drift: warn", 1)
	p, _ := lockOf(t, policy, lockCatalog, nil)
	full := func() *catalog.Catalog {
		c := parseCatalog(t, lockCatalog)
		c.Tables[0].Columns[2].Default = "'Ada'"
		c.Objects = []catalog.Object{
			{Kind: "view", Name: "public.adults", Definition: "SELECT name FROM people WHERE name <> 'Bo'", Comment: "Cy asked for it"},
			{Kind: "job", Name: "nightly", Definition: "CALL export()"},
			{Kind: "large objects", Name: "17"},
			{Kind: "role", Name: "reader", Definition: "LOGIN"},
		}
		return c
	}
	l, err := MakeLock(p, full(), nil, masking.Standard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, quoted := range []string{"'Ada'", "'Bo'", "Cy asked", "export()"} {
		if bytes.Contains(l.Marshal(), []byte(quoted)) {
			t.Errorf("the lock quotes %q of the catalog", quoted)
		}
	}
	for _, c := range []struct {
		change   func(*catalog.Catalog)
		want     string
		harmless bool
	}{
		{func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "view", Name: "public.v2", Definition: "SELECT 'anna@corp.example'"})
		}, "public.v2: view added", false},
		{func(c *catalog.Catalog) { c.Objects = c.Objects[1:] }, "public.adults: view removed", false},
		{func(c *catalog.Catalog) { c.Objects[0].Definition = "SELECT 1" }, "public.adults: definition of the view changed", false},
		{func(c *catalog.Catalog) { c.Objects[1].Definition = "CALL more()" }, "nightly: definition of the job changed", false},
		{func(c *catalog.Catalog) { c.Objects[0].Kind = "materialized view" }, "public.adults: materialized view added", false},
		{func(c *catalog.Catalog) { c.Objects[0].Comment = "" }, "public.adults: comment of the view changed", true},
		{func(c *catalog.Catalog) { c.Objects[0].Comment = "Di asked for it" }, "public.adults: comment of the view changed", false},
		{func(c *catalog.Catalog) { c.Objects[1].Comment = "Di asked for it" }, "nightly: comment of the job changed", false},
		{func(c *catalog.Catalog) { c.Objects[3].Comment = "Di" }, "reader: comment of the role changed", true},
		{func(c *catalog.Catalog) { c.Objects[3].Definition = "NOLOGIN" }, "reader: definition of the role changed", true},
		{func(c *catalog.Catalog) { c.Objects[2].Name = "18" }, "", false},
		{func(c *catalog.Catalog) { c.Objects = append(c.Objects[:2], c.Objects[3]) }, "database: large objects removed", false},
		{func(c *catalog.Catalog) { c.Objects[0], c.Objects[1] = c.Objects[1], c.Objects[0] }, "", false},
		{func(c *catalog.Catalog) { c.Tables[0].Columns[2].Default = "'Bo'" }, "public.people.name: default changed", false},
		{func(c *catalog.Catalog) { c.Tables[0].Columns[2].Default = "" }, "public.people.name: default removed", false},
		{func(c *catalog.Catalog) { c.Tables[0].Columns[3].Default = "now()" }, "public.people.born: default added", false},
	} {
		now := full()
		c.change(now)
		warnings, err := CheckLock(p, l, now)
		switch {
		case c.want == "":
			if err != nil || len(warnings) > 0 {
				t.Errorf("no drift: %v, %v", warnings, err)
			}
		case c.harmless:
			if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], c.want) {
				t.Errorf("%s: %v, %v", c.want, warnings, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, %v", c.want, warnings, err)
		}
	}
}

// A lock holds for the bytes that it was made of, and says what else has changed.
func TestLockHoldsForItsPolicy(t *testing.T) {
	_, l := lockOf(t, plainPolicy, lockCatalog, testKey(t))
	p, err := Parse("shop.yaml", []byte(plainPolicy+"# one more line\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = CheckLock(p, l, parseCatalog(t, lockCatalog))
	var errs Errors
	if !errors.As(err, &errs) || !errs.Drift() || !strings.Contains(err.Error(), "is not the one that the lock was made of") {
		t.Errorf("another policy: %v", err)
	}
	p.Digest = l.Policy.Digest
	p.Extends = []Extend{{Path: "builtin:eu-pii", Digest: "0123456789"}}
	if err := l.CheckPolicy(p); err == nil || !strings.Contains(err.Error(), "extends other bases") {
		t.Errorf("other bases: %v", err)
	}
	same := map[string]string{"key": l.KeyCheck, "masking": l.Masking.Transforms}
	if w := l.CheckRun(same); len(w) != 0 {
		t.Errorf("the same run: %v", w)
	}
	same["key"], same["masking"] = "0000000000000000", "fake v99"
	if w := l.CheckRun(same); len(w) != 2 {
		t.Errorf("another key and other transforms: %v", w)
	}
}

// No text, however it came about, makes the reader of locks panic or hang, and what it
// accepts is what it would write.
func FuzzParseLock(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "lock", "shop.lock"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	var small Lock
	if err := json.Unmarshal(text, &small); err != nil {
		f.Fatal(err)
	}
	small.Tables = nil
	f.Add(small.Marshal())
	f.Add([]byte("{\n  \"sanitize_lock\": 1\n}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := ParseLock("f.lock", text)
		if err == nil && !bytes.Equal(l.Marshal(), text) {
			t.Error("a lock was read that is not what it would be written as")
		}
	})
}
