package policies

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// minimal is the least that is a policy.
const minimal = "version: 1\nkeys: {k: {from: ephemeral}}\ntables: {}\n"

// TestErrors reads every policy in testdata/errors and compares the complaint.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(name+".yaml", text)
			errs, ok := err.(Errors)
			if !ok || len(errs) == 0 {
				t.Fatalf("want Errors, got %v", err)
			}
			if errs.Drift() {
				t.Error("a policy that does not read is not drift")
			}
			for _, d := range errs {
				if d.Code != Syntax && d.Code != Invalid && d.Code != KeyProblem {
					t.Errorf("code %q", d.Code)
				}
			}
			if bytes.Contains([]byte(err.Error()), []byte("hunter2")) {
				t.Error("the complaint shows a secret")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", []byte(err.Error()+"\n"))
		})
	}
}

func TestParse(t *testing.T) {
	text := []byte(`# yaml-language-server: $schema=./policy-v1.schema.json
version: 1
policy:
  name: shop
  revision: 14
  owner: data-platform@shop.example
  purpose: Discovery databases for developers; no customer contact, no analytics.
  legal_basis: GDPR 6(1)(f), compatible under 6(4)
  dpia: https://wiki.shop.example/dpia/7
  subjects: [customers, staff]
  recipients: [engineering]
  review: {by: dpo@shop.example, on: 2026-11-01, expires: 2027-05-01}
  profiles: [gdpr, pci]
defaults: {unlisted_column: fail, unlisted_table: skip, schema_drift: fail}
keys:
  discovery: {from: "file:${CREDENTIALS_DIRECTORY}/shop-key", scope: nightly, rotate: 90d}
classes:
  person_id: {kind: pseudonym, do: {range: 1, pseudonym: id}}
  email: {kind: direct, do: {fake: email, unique: true, domain: example.test}}
  health: {kind: special, do: {"null": true}}
  health2: {kind: special, do: {null: true}}
  public: {kind: not_personal, do: keep}
tables:
  customers:
    columns:
      id: person_id
      email: email
      ship_to: {class: email, do: {constant: 1.50}, key: discovery, because: "only one depot"}
      prefs: {json: {$.theme: public, $.contact.email: email, $.n: {class: email, do: {constant: "x"}, because: y}, "*": drop}}
    keep: [created_at, "null"]
  audit_log: drop
  pairs: {}
links:
  - [customers.email, newsletter.address]
`)
	p, err := Parse("shop.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if want := hex.EncodeToString(sum[:]); p.Digest != want {
		t.Errorf("digest %s, want that of the exact bytes, %s", p.Digest, want)
	}
	if p.Header.Revision != 14 || p.Header.Review.Expires != "2027-05-01" || !reflect.DeepEqual(p.Header.Subjects, []string{"customers", "staff"}) {
		t.Errorf("header %+v", p.Header)
	}
	if p.Defaults.UnlistedTable != "skip" || p.Keys[0].Scope != "nightly" || p.domain("email") != "nightly/email" {
		t.Errorf("defaults %+v, keys %+v", p.Defaults, p.Keys)
	}
	for class, want := range map[string]string{
		"email":   "{fake: email, domain: example.test, unique: true}",
		"health":  `{"null": true}`,
		"health2": `{"null": true}`,
		"public":  "keep",
	} {
		if got := p.Class(class).Do.String(); got != want {
			t.Errorf("do of %s is spelled %s, want %s", class, got, want)
		}
	}
	customers := p.Tables[0]
	if got, want := customers.Columns[2].Do.String(), "{constant: 1.5}"; got != want {
		t.Errorf("long form: %s, want %s", got, want)
	}
	if got, want := customers.Columns[3].Do.String(), `{json: {$.theme: public, $.contact.email: email, $.n: {class: email, do: {constant: x}}, "*": drop}}`; got != want {
		t.Errorf("paths: %s, want %s", got, want)
	}
	if len(customers.Keep) != 2 || customers.Keep[1].Name != "null" || customers.Keep[0].Class != Public {
		t.Errorf("keep %+v", customers.Keep)
	}
	if !p.Tables[1].Drop || p.Tables[2].Drop || len(p.Links[0].Columns) != 2 {
		t.Errorf("tables %+v, links %+v", p.Tables, p.Links)
	}
	spec := p.spec("email", *customers.Columns[3].Do)
	if len(spec.Paths) != 4 || spec.Paths[1].Spec.Domain != "nightly/email" || spec.Paths[3].Spec.Name != "drop" {
		t.Errorf("spec %+v", spec)
	}
}

// The lines of a file on Windows end in CR LF, and a digest is of the exact bytes.
func TestParseLineEnds(t *testing.T) {
	unix, err := Parse("p", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	windows, err := Parse("p", []byte(strings.ReplaceAll(minimal, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if unix.Digest == windows.Digest {
		t.Error("different bytes, the same digest")
	}
}

func TestParseLimits(t *testing.T) {
	for name, text := range map[string][]byte{
		"size":  append([]byte(minimal), bytes.Repeat([]byte("# x\n"), maxSize/4)...),
		"depth": []byte("version: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)),
		"many":  []byte("version: 1\nx: [" + strings.Repeat("&a b, ", 100_000) + "]\n"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("p", text)
			errs, _ := err.(Errors)
			if len(errs) == 0 || len(errs) > maxDiagnostics {
				t.Fatalf("%d complaints", len(errs))
			}
			if len(err.Error()) > 100_000 {
				t.Errorf("%d bytes of complaint", len(err.Error()))
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"columns", "keep", "rows"}
	for word, want := range map[string]string{"colums": "columns", "Columns": "columns", "kepe": "keep", "x": "", "colour": ""} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("got %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

// Whatever the bytes, Parse answers soon, and with Errors or a policy that spells
// its transforms.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/errors/*.yaml", "testdata/init/*.yaml", "../testdata/policies/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, file := range readMessages(f).Files {
		if strings.HasSuffix(file.Name, ".yaml") {
			f.Add(file.Data)
			f.Add(bytes.ReplaceAll(file.Data, []byte("\n"), []byte("\r\n")))
		}
	}
	for _, name := range Builtins() {
		text, _ := builtinText(name)
		f.Add(text)
		f.Add([]byte("extends: [\"" + Pin(name) + "\"]\n" + minimal))
	}
	for _, text := range []string{"\ufeff" + minimal, "version: 1\x00", "a: &a [*a, *a]\n", strings.Repeat("[", 1000), strings.Repeat("- ", 1000), "a: |\r\n b\r\n"} {
		f.Add([]byte(text))
	}
	f.Add([]byte(minimal))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("testdata/extends/p.yaml", text)
		if err != nil {
			errs, ok := err.(Errors)
			if !ok || len(errs) == 0 || len(errs) > maxDiagnostics {
				t.Fatalf("%d errors of type %T", len(errs), err)
			}
			if len(err.Error()) > 1000*(len(errs)+1)+len(text)*2 {
				t.Errorf("%d bytes of complaint about %d", len(err.Error()), len(text))
			}
			return
		}
		for _, c := range p.Classes {
			_ = c.Do.String()
			_ = weakerClass(c, c, p)
		}
		for _, table := range p.Tables {
			if r := table.Rows; r != nil && (r.Sample < 0 || r.Sample > 1 || r.Limit < 0) {
				t.Errorf("accepted the rows %+v", r)
			}
		}
		if len(p.Keys) != 1 || p.Version != 1 {
			t.Errorf("accepted %d keys, version %d", len(p.Keys), p.Version)
		}
	})
}

// malformed stands beside the document that it belongs to, as the hint of a run says.
func TestMalformedBesideADocument(t *testing.T) {
	policy := func(column string) string {
		return "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {x: {kind: free_text, do: {shape: text}}}\ntables: {a: {columns: {d: " + column + "}}}\n"
	}
	p, err := Parse("p.yaml", []byte(policy(`{json: {$.a: x, "*": drop}, malformed: "null"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Tables[0].Columns[0].Do.Params["malformed"]; got != "null" {
		t.Errorf("malformed is %v", got)
	}
	for column, want := range map[string]string{
		`{json: {$.a: x, "*": drop}, malformed: null}`: `quote it: malformed: "null"`,
		`{class: x, malformed: "null"}`:                "belongs to json or xml",
	} {
		_, err := Parse("p.yaml", []byte(policy(column)))
		if said := fmt.Sprintf("%v %+v", err, err); err == nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s", column, said)
		}
	}
}
