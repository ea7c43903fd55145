package policies

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies/report"
)

const deriveCatalog = `schema public
table people
id int4 notnull pk
name text
about text
search tsvector
trigger fill BEFORE INSERT OR UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('search', 'pg_catalog.english', 'about')
trigger remember AFTER UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.remember()
table people_log
id int4
at date
was json
function public.remember() CREATE FUNCTION public.remember() AS $function$BEGIN INSERT INTO public.people_log (was) VALUES (to_jsonb(OLD)); RETURN NEW; END$function$
`

const derivePolicy = `version: 1
keys: {k: {from: ephemeral}}
classes:
  note: {kind: free_text, do: {shape: text}}
  derived: {kind: free_text, do: derive}
tables:
  people: {columns: {name: note, about: note, search: derived}, keep: [id]}
  people_log: {keep: [id, at, was]}
`

func derivePolicies(t *testing.T) (derives, keeps *Policy) {
	t.Helper()
	parse := func(text string) *Policy {
		p, err := Parse("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return parse(derivePolicy), parse(strings.Replace(derivePolicy, ", search: derived}, keep: [id]", "}, keep: [id, search]", 1))
}

// A table of history is flagged by the plan and by the audit.
func TestHistoryIsFlagged(t *testing.T) {
	c := parseCatalog(t, deriveCatalog)
	p, keeps := derivePolicies(t)
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	const said = "public.people_log.was: is kept, and the trigger remember writes rows of public.people there, which are masked: name, about, search"
	if !slices.Contains(compiled.Warnings, said) {
		t.Errorf("warned %q", compiled.Warnings)
	}
	// The audit of a policy that does not compile names both.
	found := map[string]string{}
	r := Audit(keeps, Evidence{Catalog: c, Today: auditDay}, masking.Standard())
	for _, f := range r.Findings {
		if f.Rule == "SAN-L04" {
			found[f.Object] = f.Message
		}
	}
	for object, words := range map[string]string{"public.people_log.was": "trigger remember", "public.people.search": "the trigger fill fills it from about"} {
		if !strings.Contains(found[object], words) {
			t.Errorf("%s: %q", object, found[object])
		}
	}
}

// A trigger that writes nobody knows where is a finding of the table that it belongs to.
func TestHistoryNobodyKnowsWhere(t *testing.T) {
	c := parseCatalog(t, strings.Replace(deriveCatalog, "INSERT INTO public.people_log (was) VALUES (to_jsonb(OLD))", "EXECUTE 'INSERT INTO ' || TG_TABLE_NAME || '_log VALUES ($1)' USING OLD", 1))
	p, _ := derivePolicies(t)
	r := Audit(p, Evidence{Catalog: c, Today: auditDay}, masking.Standard())
	at := slices.IndexFunc(r.Findings, func(f report.Finding) bool { return f.Rule == "SAN-L04" && f.Object == "public.people" })
	if at < 0 || r.Findings[at].Level != report.Medium || r.Findings[at].Line != 7 || !strings.Contains(r.Findings[at].Message, "the trigger remember, which inserts into a table whose name it puts together") {
		t.Errorf("%+v", r.Findings)
	}
}

// A trigger that does not fire in the copy derives nothing: the plan says so, and how
// what it needs is kept.
func TestSilentTrigger(t *testing.T) {
	p, _ := derivePolicies(t)
	own, err := Parse("p.yaml", []byte(strings.Replace(derivePolicy, "do: derive", "do: {derive: fill}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for what, l := range map[string]struct {
		change func(*catalog.Catalog)
		want   string
	}{
		"disabled": {func(c *catalog.Catalog) { c.Tables[0].Triggers[0].Disabled = true }, `public.people.search: the trigger fill is disabled, and would compute nothing`},
		"left behind": {func(c *catalog.Catalog) {
			c.Objects = append(c.Objects, catalog.Object{Kind: "trigger", Name: "public.people.fill", Fate: catalog.Stays, Reason: "calls function public.f(), which is neutralised, and would fail", Causes: []string{"function:public.f()"}})
		}, `public.people.search: the trigger fill stays behind, for it calls function public.f(), which is neutralised, and would fail`},
	} {
		for _, p := range []*Policy{p, own} {
			c := parseCatalog(t, deriveCatalog)
			if _, err := Compile(p, c, testKey(t), masking.Standard()); err != nil {
				t.Fatal(err)
			}
			l.change(c)
			_, err := Compile(p, c, testKey(t), masking.Standard())
			if err == nil || !strings.Contains(err.Error(), l.want) {
				t.Errorf("%s: %v", what, err)
			}
			var errs Errors
			if !errors.As(err, &errs) || len(errs) != 1 || !strings.HasPrefix(errs[0].Help, `null it with {"null": true}`) || strings.Contains(errs[0].Help, "--keep-object 'function:public.f()'") != (what == "left behind") {
				t.Errorf("%s: %+v", what, errs)
			}
		}
	}
}

// ALTER TABLE ONLY … DISABLE TRIGGER on a partitioned table is about no row: its partitions
// have triggers of their own, which fire. One that is off in a partition derives nothing there.
func TestSilentTriggerOfPartitions(t *testing.T) {
	p, err := Parse("p.yaml", []byte(strings.Replace(derivePolicy, "do: derive", "do: {derive: fill}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	const part = `table people_1
partition people
id int4 notnull pk
name text
about text
search tsvector
trigger fill BEFORE INSERT OR UPDATE ON public.people_1 FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('search', 'pg_catalog.english', 'about')
table people_log`
	text := strings.Replace(strings.Replace(deriveCatalog, "table people\n", "partitioned people\nroute id\n", 1), "table people_log", part, 1)
	for off, want := range map[string]string{
		"public.people":   "",
		"public.people_1": "public.people_1.search: the trigger fill is disabled, and would compute nothing",
	} {
		c := parseCatalog(t, text)
		for _, table := range c.Tables {
			if table.ID.String() == off {
				table.Triggers[0].Disabled = true
			}
		}
		if _, err := Compile(p, c, testKey(t), masking.Standard()); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("off in %s: %v", off, err)
		}
	}
}

// What is derived is part of a lock, and of a comparison: weaker than nothing, stronger
// than the words as they were.
func TestDeriveInLockAndDiff(t *testing.T) {
	c := parseCatalog(t, deriveCatalog)
	p, keeps := derivePolicies(t)
	e, err := Explain(p, c, "people.search", masking.Standard())
	if err != nil || e.Action != "derive" || e.Do != "derive" {
		t.Errorf("explained as %+v, %v", e, err)
	}
	l, err := MakeLock(p, c, nil, masking.Standard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ParseDocument("p.lock", l.Marshal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if warnings, err := CheckLock(p, l, c); err != nil || len(warnings) > 0 {
		t.Errorf("%q, %v", warnings, err)
	}
	if d := Diff(locked, Resolve(p, c), auditDay); len(d.All) != 0 {
		t.Errorf("the lock differs from its policy:\n%s", renderDiff(d))
	}
	nulls, err := Parse("p.yaml", []byte(strings.Replace(derivePolicy, "do: derive", `do: {"null": true}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct {
		from, to *Policy
		want     Strength
	}{{keeps, p, Stronger}, {p, keeps, Weaker}, {nulls, p, Weaker}, {p, nulls, Stronger}} {
		for _, of := range []*catalog.Catalog{nil, c} {
			d := Diff(Resolve(way.from, of), Resolve(way.to, of), auditDay)
			if !slices.ContainsFunc(d.All, func(x Difference) bool { return x.Strength == way.want }) {
				t.Errorf("want %s:\n%s", way.want, renderDiff(d))
			}
		}
	}
}
