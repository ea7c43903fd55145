package policies

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

// pinned spells a base of testdata/extends as extends names it.
func pinned(t *testing.T, name string, digits int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/extends", name))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%q", name+"#sha256:"+fmt.Sprintf("%x", sha256.Sum256(text))[:digits])
}

func parseBeside(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse("testdata/extends/p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a base defines is there; what the policy adds is there too; what it strengthens counts.
func TestExtends(t *testing.T) {
	org := "extends: [" + pinned(t, "org.yaml", 64) + "]\n"
	p := parseBeside(t, org+"policy: {profiles: [pci, gdpr]}\n"+minimal)
	if got := fmt.Sprint(p.Header.Profiles); got != "[pci gdpr]" {
		t.Errorf("profiles %s", got)
	}
	if c := p.Class("email"); c == nil || c.From == nil || c.From.File != "testdata/extends/org.yaml" || c.At.Line != 5 || c.Doc == "" {
		t.Errorf("class email %+v", c)
	}
	if p.Limits.TTL != 24*time.Hour || p.Limits.MaxTTL != 7*24*time.Hour || p.Limits.MaxPerOwner != 3 || len(p.Limits.Hosts) != 2 || p.Limits.At.Line != 1 {
		t.Errorf("environments %+v", p.Limits)
	}
	if len(p.Risk) != 1 || p.Risk[0].From == nil || p.Edges.PerColumn != 10 || p.Edges.At.Line != 1 || len(p.Waivers) != 2 || p.Waivers[0].From == nil {
		t.Errorf("risk %+v, edge cases %+v, waivers %+v", p.Risk, p.Edges, p.Waivers)
	}

	p = parseBeside(t, org+minimal+`classes:
  email: {kind: direct, do: {"null": true}}
  more: {kind: direct, do: {shape: text}}
risk:
  - {table: customers, quasi: [postcode, born_on], k: 7}
  - {table: customers, quasi: [postcode], k: 2}
edge_cases: {keep: [zero, nulls]}
environments: {ttl: 12h, hosts: ["discovery-a*.internal"]}
waivers:
  - {rule: SAN-Q01, at: customers.country, because: "VAT", by: dpo, expires: 2099-12-31}
`)
	if c := p.Class("email"); c.From != nil || c.Do.Name != "null" {
		t.Errorf("class email %+v", c)
	}
	if p.Class("more") == nil || p.Class("born") == nil || len(p.Classes) != 5 {
		t.Errorf("%d classes", len(p.Classes))
	}
	if len(p.Risk) != 2 || p.Risk[0].K != 7 || p.Risk[0].From != nil {
		t.Errorf("risk %+v", p.Risk)
	}
	if got := fmt.Sprint(p.Edges.Keep); got != "[zero nulls longest]" || p.Edges.PerColumn != 10 {
		t.Errorf("edge cases %+v", p.Edges)
	}
	if p.Limits.TTL != 12*time.Hour || p.Limits.MaxTTL != 7*24*time.Hour || fmt.Sprint(p.Limits.Hosts) != "[discovery-a*.internal]" {
		t.Errorf("environments %+v", p.Limits)
	}
	if len(p.Waivers) != 3 || p.Waivers[2].From != nil {
		t.Errorf("waivers %+v", p.Waivers)
	}
}

// soon is a day on which a waiver of a weakening may expire.
func soon() string { return time.Now().AddDate(0, 0, 300).Format(time.DateOnly) }

// A waiver of the file itself accepts what is weaker, and no more than that.
func TestExtendsWaived(t *testing.T) {
	text := "extends: [" + pinned(t, "org.yaml", 10) + "]\n" + minimal + `defaults: {schema_drift: warn}
classes: {email: {kind: quasi, do: keep}}
risk: [{table: customers, quasi: [born_on, postcode], k: 3}]
environments: {ttl: 3d, max_ttl: 9d, max_per_owner: 4, hosts: ["*.internal"]}
waivers:
`
	var waivers []string
	for _, at := range []string{"defaults.schema_drift", "email", "customers", "environments.ttl", "environments.max_ttl", "environments.max_per_owner", "environments.hosts"} {
		waivers = append(waivers, fmt.Sprintf("  - {rule: SAN-P08, at: %s, because: \"a test\", by: dpo, expires: %s}\n", at, soon()))
	}
	p := parseBeside(t, text+strings.Join(waivers, ""))
	if p.Class("email").Do.Name != "keep" || p.Risk[0].K != 3 || p.Limits.TTL != 72*time.Hour || p.Defaults.SchemaDrift != "warn" {
		t.Errorf("classes %+v, risk %+v, environments %+v", p.Class("email"), p.Risk, p.Limits)
	}
	for i := range waivers {
		_, err := Parse("testdata/extends/p.yaml", []byte(text+strings.Join(slices.Delete(slices.Clone(waivers), i, i+1), "")))
		if errs, ok := err.(Errors); !ok || len(errs) != 1 {
			t.Errorf("without %s: got %v", strings.TrimSpace(waivers[i]), err)
		}
	}
	// On its last day a waiver still holds, on the next no more; and never for more than 366.
	text = strings.ReplaceAll(text+strings.Join(waivers, ""), soon(), "2030-06-30")
	for day, want := range map[string]int{"2030-06-30": 0, "2030-07-01": len(waivers), "2029-06-29": 0, "2029-06-28": len(waivers)} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		_, errs := parse("testdata/extends/p.yaml", []byte(text), newBases("testdata/extends/p.yaml", now), false)
		if len(errs) != want {
			t.Errorf("on %s: %d complaints, want %d: %v", day, len(errs), want, errs)
		}
	}
}

// Of two bases the stronger counts, whichever stands first; where neither is, the
// policy decides.
func TestExtendsTwo(t *testing.T) {
	for _, order := range [][]string{{"org.yaml", "unit.yaml"}, {"unit.yaml", "org.yaml"}} {
		text := fmt.Sprintf("extends: [%s, %s]\n", pinned(t, order[0], 12), pinned(t, order[1], 12)) + minimal
		_, err := Parse("testdata/extends/p.yaml", []byte(text))
		if errs, ok := err.(Errors); !ok || len(errs) != 1 || !strings.Contains(errs[0].Message, "class email") {
			t.Errorf("%v: want a conflict, got %v", order, err)
		}
		p := parseBeside(t, text+"classes: {email: {kind: direct, do: {\"null\": true}}}\n")
		if p.Class("born").Do.Name != "null" || p.Risk[0].K != 8 || len(p.Risk) != 1 {
			t.Errorf("%v: born does %s, risk %+v", order, p.Class("born").Do, p.Risk)
		}
		l := p.Limits
		if l.TTL != 24*time.Hour || l.MaxTTL != 4*24*time.Hour || l.MaxPerOwner != 3 || fmt.Sprint(l.Hosts) != "[discovery-1.internal]" {
			t.Errorf("%v: environments %+v", order, l)
		}
	}
}

// A base that is reached on two ways is read once, and is no conflict with itself.
func TestExtendsDiamond(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%q", fmt.Sprintf("%s#sha256:%x", name, sha256.Sum256([]byte(text))))
	}
	root := write("root.yaml", "version: 1\nclasses: {x: {kind: direct, do: {shape: text}}}\nwaivers: [{rule: SAN-Q01, because: a, by: b, expires: 2099-01-01}]\n")
	a := write("a.yaml", "version: 1\nextends: ["+root+"]\n")
	b := write("b.yaml", "version: 1\nextends: ["+root+"]\nclasses: {x: {kind: direct, do: {\"null\": true}}}\n")
	for _, order := range []string{a + ", " + b + ", " + root, b + ", " + a} {
		p, err := Parse(filepath.Join(folder, "p.yaml"), []byte("extends: ["+order+"]\n"+minimal))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Classes) != 1 || p.Classes[0].Do.Name != "null" || len(p.Waivers) != 1 {
			t.Errorf("classes %+v, waivers %+v", p.Classes, p.Waivers)
		}
		if c := p.Classes[0]; filepath.Base(c.From.File) != "b.yaml" {
			t.Errorf("from %s", c.From.File)
		}
	}
}

// The digest is of the file's own bytes; the fingerprint holds that of the bases too.
func TestExtendsFingerprint(t *testing.T) {
	text := "extends: [" + pinned(t, "org.yaml", 10) + "]\n" + minimal + "defaults: {unlisted_table: skip}\nwaivers: [{rule: SAN-P08, at: defaults.unlisted_table, because: a, by: b, expires: " + soon() + "}]\n"
	p := parseBeside(t, text)
	if p.Digest != fmt.Sprintf("%x", sha256.Sum256([]byte(text))) {
		t.Error("the digest is not that of the exact bytes")
	}
	c, err := Compile(p, readCatalog(t, "shop"), testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if want := "org.yaml#sha256:" + p.Extends[0].Policy.Digest; c.Fingerprint["extends"] != want {
		t.Errorf("fingerprint %q, want %q", c.Fingerprint["extends"], want)
	}
}

// A sensitive class that a base keeps is said with the place in the base.
func TestExtendsWarnings(t *testing.T) {
	folder := t.TempDir()
	base := "version: 1\nclasses: {x: {kind: direct, do: keep}}\n"
	if err := os.WriteFile(filepath.Join(folder, "base.yaml"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Parse(filepath.Join(folder, "p.yaml"), fmt.Appendf(nil, "extends: [\"base.yaml#sha256:%x\"]\ndefaults: {unlisted_table: skip}\n%s", sha256.Sum256([]byte(base)), minimal))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(p, readCatalog(t, "shop"), testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "base.yaml:2: class x is direct and kept") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

// A base that is pinned by a few digits can be made to be another one: the audit says so
// below 32, and what is signed wants all of them, also those of the bases' bases.
func TestPins(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	}
	const org = "version: 1\nclasses:\n  org: {kind: direct, do: {shape: text}}\n"
	digest := write("org.yaml", org)
	for _, tt := range []struct {
		outer, inner int // digits
		signed       string
		audit        int
	}{
		{64, 64, "", 0},
		{63, 64, "p.yaml:1:11: extends: team.yaml is pinned by 63 digits", 0},
		{32, 64, "p.yaml:1:11: extends: team.yaml is pinned by 32 digits", 0},
		{31, 64, "p.yaml:1:11: extends: team.yaml is pinned by 31 digits", 1},
		{64, 10, "team.yaml:2:11: extends: org.yaml is pinned by 10 digits", 1},
		{10, 10, "team.yaml:2:11: extends: org.yaml is pinned by 10 digits", 2},
	} {
		team := write("team.yaml", "version: 1\nextends: [\"org.yaml#sha256:"+digest[:tt.inner]+"\"]\n")
		p, err := Parse(filepath.Join(dir, "p.yaml"), []byte("extends: [\"team.yaml#sha256:"+team[:tt.outer]+"\"]\n"+minimal))
		if err != nil {
			t.Fatal(err)
		}
		err = p.CheckPins()
		if (err == nil) != (tt.signed == "") || err != nil && !strings.Contains(err.Error(), tt.signed) {
			t.Errorf("%+v: signed: %v", tt, err)
		}
		if err != nil && !strings.Contains(err.Error(), "#sha256:"+digest) && !strings.Contains(err.Error(), "#sha256:"+team) {
			t.Errorf("%+v: no whole digest in %v", tt, err)
		}
		found := FindAnalyzer("SAN-P07").run(&Pass{Policy: p})
		if len(found) != tt.audit {
			t.Errorf("%+v: the audit finds %+v", tt, found)
		}
	}
}

// What a path's class does counts, and what is not as strong for certain wants a waiver.
func TestExtendsByClassesOfPaths(t *testing.T) {
	folder := t.TempDir()
	base := "version: 1\nclasses:\n  email: {kind: direct, do: {fake: email}}\n  born: {kind: quasi, do: {truncate_to: year}}\n  doc: {kind: direct, do: {json: {$.a: email, \"*\": drop}}}\n"
	if err := os.WriteFile(filepath.Join(folder, "base.yaml"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("extends: [\"base.yaml#sha256:%x\"]\n%s", sha256.Sum256([]byte(base)), minimal)
	for _, c := range []struct {
		classes, want string
	}{
		{"  raw: {kind: not_personal, do: keep}\n  doc: {kind: direct, do: {json: {$.a: raw, \"*\": drop}}}\n", "class doc is weaker"},
		{"  doc: {kind: direct, do: {json: {$.a: raw, \"*\": drop}}}\n  raw: {kind: not_personal, do: keep}\n", "class doc is weaker"},
		{"  gone: {kind: direct, do: {\"null\": true}}\n  doc: {kind: direct, do: {json: {$.a: gone, \"*\": drop}}}\n", ""},
		{"  born: {kind: quasi, do: {noise: 1}}\n", "not as strong for certain"},
		{"  born: {kind: quasi, do: {prefix: 10}}\n", "not as strong for certain"},
		{"  email: {kind: direct, do: {fake: email, domain: gmail.com}}\n", "not as strong for certain"},
		{"  email: {kind: direct, do: {fake: email}}\n", ""},
		{"  born: {kind: quasi, do: {truncate_to: decade}}\n", ""},
	} {
		_, err := Parse(filepath.Join(folder, "p.yaml"), []byte(text+"classes:\n"+c.classes))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.classes, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: want %q, got %v", c.classes, c.want, err)
		}
	}
}
