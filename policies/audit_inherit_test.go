package policies

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies/report"
)

// objects returns what a rule's findings name, with the path if there is one.
func objects(r *report.Report, rule string) (all []string) {
	for _, f := range r.Findings {
		if f.Rule == rule {
			name := f.Object
			if f.Part != "" {
				name += " " + f.Part
			}
			all = append(all, name)
		}
	}
	return all
}

// A column that is kept because a key or a link leads to one that may be is judged by
// itself; what repeats a column that was found is not said again.
func TestAuditOfInheritedDecisions(t *testing.T) {
	const head = `version: 1
keys: {k: {from: ephemeral}}
classes:
  email: {kind: direct, do: {fake: email}}
  id: {kind: pseudonym, do: {pseudonym: id}}
`
	const tables = `schema public
table codes
code text notnull pk
table customers
id int4 notnull pk
email text
table orders
id int4 notnull pk
contact_email text
`
	for _, tt := range []struct {
		name, policy, catalog, rule string
		want                        []string
	}{
		{"by a link", "links: [[customers.email, codes.code]]\ntables:\n  codes: {keep: [code]}\n  customers: {columns: {id: id}}\n  orders: {columns: {contact_email: email}, keep: [id]}\n",
			tables, "SAN-C05", []string{"public.customers.email"}},
		{"by a key", "tables:\n  codes: {keep: [code]}\n  customers: {columns: {id: id}}\n  orders: {columns: {contact_email: email}, keep: [id]}\n",
			tables + "table x\nemail text\nfk (email) -> codes (code)\n", "SAN-C05", []string{"public.x.email"}},
		{"what repeats it is not said again", "tables:\n  codes: {keep: [code]}\n  customers: {columns: {id: id}, keep: [email]}\n  orders: {keep: [id]}\n",
			"schema public\ntable codes\ncode text\ntable customers\nid int4 notnull pk\nemail text notnull unique\ntable orders\nid int4 notnull pk\ncontact_email text\nfk (contact_email) -> customers (email)\n", "SAN-C05", []string{"public.customers.email"}},
		{"a chain of two is one finding", "tables:\n  codes: {keep: [code]}\n",
			"schema public\ntable codes\ncode text notnull pk\ntable customers\nemail text notnull unique\nfk (email) -> codes (code)\ntable orders\ncontact_email text\nfk (contact_email) -> customers (email)\n", "SAN-C05", []string{"public.customers.email"}},
		{"a document by a link", "links: [[customers.prefs, codes.code]]\ntables:\n  codes: {keep: [code]}\n  customers: {columns: {id: id}}\n",
			"schema public\ntable codes\ncode text\ntable customers\nid int4 notnull pk\nprefs json\n", "SAN-C09", []string{"public.customers.prefs"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("shop.yaml", []byte(head+tt.policy))
			if err != nil {
				t.Fatal(err)
			}
			c := parseCatalog(t, tt.catalog)
			r := Audit(p, Evidence{Catalog: c, Today: auditDay}, masking.Standard())
			if got := objects(r, tt.rule); !slices.Equal(got, tt.want) {
				t.Errorf("%s names %q, want %q", tt.rule, got, tt.want)
			}
			if tt.rule != "SAN-C05" {
				return
			}
			found, err := Discover(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			var doubted []string
			for _, d := range Doubts(p, c, found, auditDay) {
				doubted = append(doubted, d.At)
			}
			if !slices.Equal(doubted, tt.want) {
				t.Errorf("doubted are %q, want %q", doubted, tt.want)
			}
		})
	}
}

// A class that keeps is held against what its columns look like, whatever kind it claims.
func TestAuditOfLoweredKinds(t *testing.T) {
	audit := func(class string) *report.Report {
		s := soundScene()
		s.replace(t, &s.policy, "  email: {kind: direct, do: {fake: email, domain: example.test, unique: true}}", "  email: "+class)
		return s.audit(t)
	}
	r := audit("{kind: quasi, do: keep}")
	if got := objects(r, "SAN-C05"); !slices.Equal(got, []string{"public.patients.email"}) {
		t.Errorf("kept as quasi: %q", got)
	}
	r = audit("{kind: pseudonym, do: keep}")
	if got := objects(r, "SAN-C04"); !slices.Equal(got, []string{"email", "public.patients.prefs $.contact.email"}) || r.Counts.High < 2 {
		t.Errorf("kept as pseudonym: %q", got)
	}
	// What looks like no more than what it is called is none of the rule's.
	s := soundScene()
	s.replace(t, &s.policy, "do: {prefix: 3}", "do: keep")
	if got := objects(s.audit(t), "SAN-C05"); got != nil {
		t.Errorf("a quasi-identifier kept as such: %q", got)
	}
}

// The detector looks into documents: each path that is kept is held against its words.
func TestAuditOfPaths(t *testing.T) {
	for _, tt := range []struct{ paths, want string }{
		{`$.theme: keep, "$.contact.email": keep, "*": drop`, "public.patients.prefs $.contact.email"},
		{`$.theme: keep, "$..email": keep, "*": drop`, "public.patients.prefs $..email"},
		{`$.theme: keep, "$.contact": keep, "*": drop`, "public.patients.prefs $.contact"},
		{`$.theme: keep, "$.first_name": {class: visit, do: keep, because: x}, "*": drop`, "public.patients.prefs $.first_name"},
	} {
		s := soundScene()
		s.replace(t, &s.policy, `$.theme: keep, "$.contact.email": email, "*": drop`, tt.paths)
		if got := objects(s.audit(t), "SAN-C05"); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q, want %q", tt.paths, got, tt.want)
		}
		s.after = func(p *Policy) {
			p.Waivers = []Waiver{{Rule: "SAN-C05", Object: "patients.prefs", Because: "x", By: "y", Expires: "2027-01-31"}}
		}
		if r := s.audit(t); r.Counts.Waived != 1 || r.Rule("SAN-P06").State != report.Passed {
			t.Errorf("%s: the waiver does not hold: %+v", tt.paths, r.Counts)
		}
	}
	// A class that takes a document apart is judged where a column uses it.
	s := soundScene()
	s.replace(t, &s.policy, "  health:", "  settings: {kind: direct, do: {json: {$.theme: keep, $.contact.email: keep, \"*\": drop}}}\n  health:")
	s.replace(t, &s.policy, `      prefs:
        json: {$.theme: keep, "$.contact.email": email, "*": drop}`, "      prefs: settings")
	if got := objects(s.audit(t), "SAN-C05"); !slices.Equal(got, []string{"public.patients.prefs $.contact.email"}) {
		t.Errorf("a class for documents: %q", got)
	}
}

// A subject that may be missing is none for the rows without it.
func TestAuditOfMissingSubjects(t *testing.T) {
	for do, want := range map[string][]string{
		"{shift_days: 30, by: patient_id}": {"public.visits.seen_at"}, "{shift_days: 30, by: id}": nil, "{truncate_to: year}": nil,
	} {
		s := soundScene()
		s.replace(t, &s.catalog, "patient_id int4 notnull", "patient_id int4")
		s.replace(t, &s.policy, "{seen_at: visit}", "{seen_at: {class: visit, do: "+do+", because: x}}")
		if got := objects(s.audit(t), "SAN-T07"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", do, got, want)
		}
	}
}

// A number that is drawn into a text tells as much as one that is a number: its sequence goes
// on where it stands, whatever becomes of the texts.
func TestAuditOfDrawnTexts(t *testing.T) {
	for _, c := range []struct {
		column, do, init string
		want             []string
	}{
		{"number text", "name", "'P-' || nextval('p')", []string{"public.patients.number"}},
		{"number text", "name", "'P-'", nil},
		{"number int8", "person_id", "nextval('p'::regclass)", nil}, // set past the masked ones
	} {
		s := soundScene()
		s.replace(t, &s.catalog, "country text", "country text\n"+c.column)
		s.replace(t, &s.policy, "      notes: free_text", "      notes: free_text\n      number: "+c.do)
		s.change = func(catalog *catalog.Catalog) { s.table(catalog, "patients").Column("number").Default = c.init }
		if got := objects(s.audit(t), "SAN-S07"); !slices.Equal(got, c.want) {
			t.Errorf("%s DEFAULT %s: %q, want %q", c.column, c.init, got, c.want)
		}
	}
}

// A command that prints what stands in it is no store, by whatever path it is called.
func TestKeysInCommands(t *testing.T) {
	for command, want := range map[string]bool{
		"/bin/sh -c 'echo KEY'": true, "/usr/local/bin/echo KEY": true, "/bin/busybox echo KEY": true, "bash -ec 'cat <<< KEY'": true,
		"printf %s KEY": true, "vault read $PATH": true, "env": true, "sh -c 'op read x; echo KEY'": true, "python3 -c 'print(1)'": true,
		"vault kv get -field=key secret/shop": false, "op read op://vault/shop/key": false, "/opt/keys/echo-free.sh": false, "sh /opt/keys/fetch.sh": false,
		"pass show environment": false, "aws secretsmanager get-secret-value --secret-id shop --query SecretString": false,
	} {
		s := soundScene()
		s.after = func(p *Policy) { p.Keys[0].From = "exec:" + command }
		if got := objects(s.audit(t), "SAN-K01") != nil; got != want {
			t.Errorf("%s: found %v, want %v", command, got, want)
		}
	}
}

// Names that differ in case alone are one table, and one column, to most databases.
func TestListedTwiceByCase(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"  films:\n", "  Patients: {keep: [id]}\n  films:\n", "Patients"},
		{"      phone: phone\n", "      phone: phone\n      PHONE: phone\n", "patients.PHONE"},
		{"    keep: [country, created_at]", "    keep: [country, created_at, Phone]", "patients.Phone"},
	} {
		s := soundScene()
		s.catalog = ""
		s.replace(t, &s.policy, tt.from, tt.to)
		if got := objects(s.audit(t), "SAN-C06"); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q", tt.want, got)
		}
	}
}

// A password that somebody wrote into a comment is copied with it.
func TestPasswordsInDefinitions(t *testing.T) {
	for comment, want := range map[string]bool{
		"the password is hunter2!": true, "pwd: hunter2!": true, "login with Passwort=geheim1": true, "api_key = 9f8e7d6c5b": true,
		"hash of the password, bcrypt": false, "password of the user": false, "the token expires": false, "password: see the vault": false, "": false,
	} {
		s := soundScene()
		s.change = func(c *catalog.Catalog) { s.table(c, "films").Columns[1].Comment = comment }
		r := s.audit(t)
		if got := objects(r, "SAN-S01") != nil; got != want {
			t.Errorf("%q: found %v, want %v", comment, got, want)
		}
		for _, f := range r.Findings {
			if strings.Contains(f.Message+f.Excerpt+f.Help, "hunter2") {
				t.Error("the finding shows the password")
			}
		}
	}
}
