package policies

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// A lock that says of a policy what another one decides is refused, and the first place
// is named. Everything that a person reads is looked at.
func TestForgedLock(t *testing.T) {
	p, honest := lockOf(t, plainPolicy, lockCatalog, testKey(t))
	c := parseCatalog(t, lockCatalog)
	again := func(t *testing.T) *Lock {
		l, err := ParseLock("shop.lock", honest.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if _, err := CheckLock(p, again(t), c); err != nil {
		t.Fatalf("an honest lock: %v", err)
	}
	for _, f := range []struct {
		name, want string
		forge      func(*Lock)
	}{
		{"a column", "the lock does not say what the policy decides: public.people.email: it says keep (public), and the policy says mask as email by {fake: email} (listed)", func(l *Lock) {
			l.Tables[0].Columns[1] = LockedColumn{Column: "email", Type: "varchar(40)", Action: "keep", Why: "public"}
		}},
		{"a reason", "public.people.born: ", func(l *Lock) { l.Tables[0].Columns[3].Why = "approved" }},
		{"a column left out", "columns of", func(l *Lock) { l.Tables[0].Columns = l.Tables[0].Columns[:6] }},
		{"another column", "another column in its place", func(l *Lock) { l.Tables[0].Columns[0].Column = "nr" }},
		{"a table left out", "it has 2 tables of 3", func(l *Lock) { l.Tables = l.Tables[:2] }},
		{"another table", "it has this table in the place of public.people", func(l *Lock) { l.Tables[0].Table = "public.pupils" }},
		{"a table's action", "what becomes of the table differs", func(l *Lock) { l.Tables[1].Action = "drop" }},
		{"rows", "what becomes of the table differs", func(l *Lock) { l.Tables[1].Rows = &lockedRows{Limit: 5} }},
		{"a class", "its section classes differs", func(l *Lock) { l.Classes[1].Kind = "not_personal" }},
		{"keys", "its section keys differs", func(l *Lock) { l.Keys[0].Rotate = "1d" }},
		{"links", "its section links differs", func(l *Lock) { l.Links = []lockedLink{{Columns: []string{"a.b", "c.d"}}} }},
		{"a waiver", "its section waivers differs", func(l *Lock) { l.Waivers = []lockedWaiver{{Waiver: Waiver{Rule: "SAN-C04"}}} }},
		{"risk", "its section risk differs", func(l *Lock) { l.Risk = []lockedRisk{{Line: 3}} }},
		{"defaults", "its section defaults differs", func(l *Lock) { l.Default.SchemaDrift = "warn" }},
		{"header", "its section header differs", func(l *Lock) { l.Header.Review.Expires = "2030-01-01" }},
		{"the file", "its section policy differs", func(l *Lock) { l.Policy.File = "../shop.yaml" }},
		{"fingerprint", "its section catalog differs", func(l *Lock) { l.Catalog.Fingerprint = strings.Repeat("0", 64) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			l := again(t)
			f.forge(l)
			for what, check := range map[string]func() error{
				"a run":     func() error { _, err := CheckLock(p, l, c); return err },
				"a signing": func() error { return l.CheckDecisions(p, masking.Standard()) },
			} {
				err := check()
				var errs Errors
				if !errors.As(err, &errs) || !errs.Drift() || !strings.Contains(err.Error(), f.want) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// An honest lock passes with the catalogs of real databases, after a change that is
// harmless, and under another name of its policy.
func TestHonestLock(t *testing.T) {
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
		if l, err = ParseLock("x.lock", l.Marshal()); err != nil {
			t.Fatal(err)
		}
		if _, err := CheckLock(p, l, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	warn := strings.Replace(plainPolicy, "schema_drift: fail", "schema_drift: warn", 1)
	_, l := lockOf(t, warn, lockCatalog, nil)
	p, err := Parse("elsewhere/copy.yaml", []byte(warn))
	if err != nil {
		t.Fatal(err)
	}
	wider := parseCatalog(t, strings.Replace(lockCatalog, "varchar(40)", "varchar(80)", 1))
	if w, err := CheckLock(p, l, wider); err != nil || len(w) != 1 {
		t.Errorf("a wider column: %v, %v", w, err)
	}
	l.Tool = "v9"
	if err := l.CheckDecisions(p, masking.Standard()); err != nil {
		t.Errorf("another program: %v", err)
	}
	if err := l.CheckMasking(p, masking.Standard()); err != nil {
		t.Errorf("the same transforms: %v", err)
	}
	l.Masking.Transforms = "fake v99"
	if err := l.CheckMasking(p, masking.Standard()); err == nil || !strings.Contains(err.Error(), "not those that the lock was made with") {
		t.Errorf("other transforms: %v", err)
	}
	if l.Catalog.Facts.Table(catalog.TableID{Schema: "public", Name: "people"}) == nil {
		t.Error("the lock has lost its catalog")
	}
}
