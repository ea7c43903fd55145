package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a golden file, or writes it under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s; after reading the difference, run with -update", path)
	}
}

// hostile is a name that breaks out of whatever it is written into.
const hostile = `=cmd|' /C calc'!A0<script>alert("x")</script>|]]>`

// sample is a report with something of everything.
func sample() *Report {
	gdpr := Clause{"GDPR", "25(2)"}
	r := &Report{
		Tool: Tool{"sanitize", "1.2.3"}, Date: "2026-11-26", Profiles: []string{"gdpr", "pci"},
		Policy: Policy{
			File: "policies/shop.yaml", Digest: strings.Repeat("ab", 32), Name: "shop", Revision: 14, Owner: "data-platform@shop.example",
			Purpose: "Discovery databases for developers; no customer contact.", LegalBasis: "GDPR 6(1)(f), compatible under 6(4)",
			Subjects: []string{"customers", "staff"}, Recipients: []string{"engineering"}, Profiles: []string{"gdpr", "pci"},
			ReviewBy: "dpo@shop.example", ReviewOn: "2026-11-01", Expires: "2027-05-01", Extends: []string{"base/eu-pii.yaml#sha256:9f2c41d07a"},
			Keys: []Key{{"discovery", "file", "discovery", "90d"}}, TTL: "24h", MaxTTL: "7d", Hosts: []string{"discovery-*.internal"},
		},
		Catalog: &Catalog{"postgres", "17.2", strings.Repeat("cd", 32), 2, 5},
		Run:     &Run{ID: "owgknksan3zf", Source: "prod.internal:5432/shop", Target: "discovery-1.internal:5432/shop", SnapshotAt: "2026-11-25T23:30:00Z", Began: "2026-11-26T02:00:00Z", Resumed: &Resumed{"2026-11-26T00:10:00Z", 31000}, Rows: 46273, Policy: strings.Repeat("ab", 32)},
		Rules: []Rule{
			{ID: "SAN-P04", Family: "Governance", Phase: "P", Level: High, Title: "the review holds", Meaning: "A policy that nobody looks at again protects yesterday's data.", Fix: "Review the policy.", Clauses: []Clause{{"GDPR", "24(1)"}, {"GDPR", "32(1)(d)"}}, State: Passed},
			{ID: "SAN-C01", Family: "Coverage", Phase: "S", Level: Critical, Title: "every column has a class", Meaning: "A column that nobody decided about is one that nobody protects.", Fix: "Add the line.", Clauses: []Clause{gdpr, {"GDPR", "30(1)(c)"}, {"ISO 27001", "A.5.12"}}, State: Passed},
			{ID: "SAN-C05", Family: "Coverage", Phase: "S/R", Level: High, Title: "the detector agrees that what is kept is nothing personal", Meaning: "The name speaks of personal data.", Fix: "Look at the column.", Clauses: []Clause{{"GDPR", "4(1)"}}, State: Passed, Reason: "by names and types; values were not read"},
			{ID: "SAN-K04", Family: "Keys", Phase: "P/R", Level: Medium, Title: "keys are changed from time to time", Meaning: "A key that never changes joins all copies.", Fix: "Declare the period.", Clauses: []Clause{{"PCI DSS", "3.7.4"}}, State: Passed},
			{ID: "SAN-T12", Family: "Transform strength", Phase: "R", Level: Low, Title: "a direct identifier does not keep its length", Meaning: "An unusual length singles a name out.", Fix: "Use a fake.", Clauses: []Clause{{"WP216", "2.2.1"}}, State: Passed},
			{ID: "SAN-T11", Family: "Transform strength", Phase: "P", Level: High, Title: "ages above 89 are one group", Meaning: "The oldest are few.", Fix: "Use {top_code: 90}.", Clauses: []Clause{{"HIPAA", "164.514(b)(2)(i)(C)"}}, State: NotApplicable, Reason: "belongs to a profile that is not claimed: hipaa"},
			{ID: "SAN-R04", Family: "Run evidence", Phase: "R", Level: Critical, Title: "no value of a sensitive column is found anywhere in the target", Meaning: "The one test that does not trust the policy.", Fix: "Mask the column.", Clauses: []Clause{{"GDPR", "32(1)(d)"}}, State: NotEvaluated, Reason: "the manifest of this version does not tell: a search of the target"},
			{ID: "SAN-P08", Family: "Governance", Phase: "P", Level: High, Title: "nothing is weaker than in the revision that was signed last", Meaning: "A weaker protection has to be seen.", Fix: "Have it signed.", Clauses: []Clause{{"GDPR", "32(1)(d)"}}, State: NotEvaluated, Reason: "needs the revision that was signed last, to compare with"},
		},
		Findings: []Finding{
			{Rule: "SAN-T12", Level: Low, File: "policies/shop.yaml", Line: 28, Column: 3, Object: "account", Message: "class account keeps the exact length by {shape: text}", Help: "use a fake", Excerpt: "  28 |   account: {kind: direct, do: {shape: text}}\n     |   ^"},
			{Rule: "SAN-C01", Level: Critical, File: "policies/shop.yaml", Line: 38, Column: 3, Object: "public.customers.city", Message: "public.customers.city (text) is undecided; it looks like place", Help: "to the columns of table customers add: city: place"},
			{Rule: "SAN-C01", Level: Critical, File: "policies/shop.yaml", Line: 38, Column: 3, Object: "public.customers." + hostile, Message: "public.customers." + hostile + " (text) is undecided", Help: "add it"},
			{Rule: "SAN-C05", Level: High, File: "policies/shop.yaml", Line: 44, Column: 12, Object: "public.shops.contact_email", Message: "public.shops.contact_email is kept, and looks like email", Help: "give it the class email", Excerpt: "  44 |     keep: [contact_email]\n     |            ^", Waived: &Waived{Because: "the shop's own address", By: "dpo@shop.example", Expires: "2027-01-31"}},
			{Rule: "SAN-K04", Level: Medium, File: "policies/shop.yaml", Object: "discovery", Message: "key discovery has no period of rotation", Help: "add rotate: 90d"},
		},
		Classes: []Class{{"email", "direct", "{fake: email}", "An address of email.", "base/eu-pii.yaml:12", 1}, {"person_id", "pseudonym", "{pseudonym: id}", "", "policies/shop.yaml:19", 1}, {"public", "not_personal", "keep", "", "policies/shop.yaml:30", 0}},
		Inventory: []Column{
			{"public.customers", "id", "integer", "person_id", "pseudonym", "mask", "{pseudonym: id}", "deterministic, injective, reversible with the key", "listed", "policies/shop.yaml:40"},
			{"public.customers", "city", "text", "", "", "undecided", "", "", "", ""},
			{"public.customers", hostile, "text", "", "", "undecided", "", "", "", ""},
			{"public.customers", "email", "character varying(254)", "email", "direct", "mask", "{fake: email}", "deterministic, keeps NULL, 86 bits", "listed", "policies/shop.yaml:41"},
			{"public.shops", "contact_email", "text", "public", "not_personal", "keep", "keep", "", "listed", "policies/shop.yaml:44"},
		},
		Signatures: []Signature{{"dpo@shop.example", "DSSE", "2026-11-01", true, ""}, {"ops@shop.example", "SSH", "2026-10-01", false, "was made over other bytes"}},
		Weakened:   []Change{{"public.shops.contact_email", "WEAKER", "was masked as email, is kept"}, {"public.customers.id", "STRONGER", "was kept, is masked"}},
		Compared:   "revision 13",
	}
	r.Finish()
	return r
}

// render writes the report in a format.
func render(t *testing.T, r *Report, format string) []byte {
	t.Helper()
	var b []byte
	var err error
	switch format {
	case "txt":
		b = []byte(r.Text(nil))
	case "json":
		b, err = r.JSON()
	case "sarif":
		b, err = r.SARIF()
	case "xml":
		b, err = r.JUnit(High)
	case "csv":
		b, err = r.CSV()
	case "html":
		b, err = r.HTML()
	case "md":
		b = r.Article30()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var formats = []string{"txt", "json", "sarif", "xml", "csv", "html", "md"}

func TestGolden(t *testing.T) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) { golden(t, "report."+format, render(t, sample(), format)) })
	}
}

// An empty report is one too.
func TestEmpty(t *testing.T) {
	for _, format := range formats {
		r := &Report{Policy: Policy{File: "p.yaml"}}
		r.Finish()
		if len(render(t, r, format)) == 0 {
			t.Errorf("%s is empty", format)
		}
	}
	validate(t, render(t, &Report{}, "sarif"))
}

func TestCounts(t *testing.T) {
	r := sample()
	if c := r.Counts; c.Critical != 2 || c.High != 0 || c.Medium != 1 || c.Low != 1 || c.Waived != 1 || c.Passed != 1 || c.NotEvaluated != 2 {
		t.Errorf("%+v", c)
	}
	for level, want := range map[Level]int{Critical: 2, High: 2, Medium: 3, Low: 4} {
		if got := r.Open(level); got != want {
			t.Errorf("%d findings of at least %s", got, level)
		}
	}
	if r.Rule("SAN-C05").State != WaivedAll || r.Rule("SAN-P04").State != Passed || r.Findings[len(r.Findings)-1].Waived == nil {
		t.Error("a waived finding counts")
	}
}

func TestJSONIsVersioned(t *testing.T) {
	var r map[string]any
	if err := json.Unmarshal(render(t, &Report{Version: Version}, "json"), &r); err != nil {
		t.Fatal(err)
	}
	if r["version"] != float64(1) {
		t.Errorf("version %v", r["version"])
	}
	for _, list := range []string{"findings", "inventory", "classes", "signatures", "weakened", "profiles"} {
		if _, isList := r[list].([]any); !isList {
			t.Errorf("%s is %v", list, r[list])
		}
	}
}

// schema is OASIS's schema of SARIF 2.1.0, errata 01, as it was published.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, sarif []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(sarif))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(doc); err != nil {
		t.Error(err)
	}
}

func TestSARIFFollowsItsSchema(t *testing.T) {
	text := render(t, sample(), "sarif")
	validate(t, text)
	// The schema does find faults.
	bad, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(text, []byte(`"level": "error"`), []byte(`"level": "critical"`), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if schema(t).Validate(bad) == nil {
		t.Error("a level that SARIF does not have passes")
	}
}

// readSARIF returns the results of a SARIF log.
func readSARIF(t *testing.T, text []byte) (log sarifLog) {
	t.Helper()
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	return log
}

func TestSARIF(t *testing.T) {
	run := readSARIF(t, render(t, sample(), "sarif")).Runs[0]
	levels := map[string]string{}
	for i, res := range run.Results {
		rule := run.Tool.Driver.Rules[res.RuleIndex]
		if rule.ID != res.RuleID {
			t.Errorf("result %d: rule %s has the index of %s", i, res.RuleID, rule.ID)
		}
		levels[res.RuleID] = res.Level + " " + rule.Properties["security-severity"].(string)
		if uri := res.Locations[0].Physical.Artifact.URI; uri != "policies/shop.yaml" {
			t.Errorf("uri %s", uri)
		}
		if waived := res.RuleID == "SAN-C05"; waived != (len(res.Suppressions) == 1) {
			t.Errorf("%s: suppressions %v", res.RuleID, res.Suppressions)
		}
	}
	for id, want := range map[string]string{"SAN-C01": "error 9.5", "SAN-C05": "error 8.0", "SAN-K04": "warning 5.0", "SAN-T12": "note 2.0"} {
		if levels[id] != want {
			t.Errorf("%s: %s", id, levels[id])
		}
	}
	if got := len(run.Invocations[0].Notifications); got != 2 {
		t.Errorf("%d rules are said not to be evaluated", got)
	}
}

// A fingerprint outlives moved lines and other words, and tells findings apart.
func TestFingerprintsAreStable(t *testing.T) {
	prints := func(r *Report) (all []string) {
		for _, res := range readSARIF(t, render(t, r, "sarif")).Runs[0].Results {
			all = append(all, res.Fingerprints["sanitizeFinding/v1"])
		}
		return all
	}
	before := prints(sample())
	moved := sample()
	for i := range moved.Findings {
		if moved.Findings[i].Line > 0 {
			moved.Findings[i].Line += 7
		}
		moved.Findings[i].Message += ", in other words"
	}
	if after := prints(moved); !slices.Equal(before, after) {
		t.Errorf("before %q, after %q", before, after)
	}
	slices.Sort(before)
	if len(slices.Compact(before)) != len(sample().Findings) {
		t.Error("two findings share a fingerprint")
	}
}

func TestArtifacts(t *testing.T) {
	for file, want := range map[string]string{
		"shop.yaml": "shop.yaml", "./a/../shop.yaml": "shop.yaml", "my shop.yaml": "my%20shop.yaml", "/srv/a b.yaml": "file:///srv/a%20b.yaml", "c:d.yaml": "./c:d.yaml",
	} {
		if got := artifact(file); got.URI != want || (got.Base == "") != filepath.IsAbs(file) {
			t.Errorf("%s: %+v", file, got)
		}
	}
}

func TestJUnitIsWellFormed(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(render(t, sample(), "xml")))
	failures, skipped := 0, 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, is := token.(xml.StartElement); is {
			switch start.Name.Local {
			case "failure":
				failures++
			case "skipped":
				skipped++
			}
		}
	}
	if failures != 1 || skipped != 3 {
		t.Errorf("%d failures, %d skipped", failures, skipped)
	}
	r := sample()
	lax, err := r.JUnit(Never)
	if err != nil || bytes.Contains(lax, []byte("<failure")) {
		t.Errorf("a case fails though nothing is to: %v", err)
	}
}

func TestCSVRunsNothing(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(render(t, sample(), "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 || rows[3][1] != "'"+hostile {
		t.Errorf("%d rows, %q", len(rows), rows[3][1])
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@\t\r") {
				t.Errorf("%q is a formula", cell)
			}
		}
	}
	for cell, want := range map[string]string{"=1": "'=1", "  =1": "'  =1", "\t1": "'\t1", "＝1": "'＝1", "-x": "'-x", "a=1": "a=1", "": ""} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q", cell, got)
		}
	}
}

// The page holds no script and names nothing that a browser would fetch.
func TestHTMLLoadsNothing(t *testing.T) {
	text := string(render(t, sample(), "html"))
	for _, no := range []string{"<script", "javascript:", " src=", "@import", "url(", "http://", "https://", " onclick", " style="} {
		if strings.Contains(text, no) {
			t.Errorf("the page has %q", no)
		}
	}
	for _, href := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(href[1], "#") && href[1] != "data:," {
			t.Errorf("a link to %s", href[1])
		}
		if id, is := strings.CutPrefix(href[1], "#"); is && !strings.Contains(text, `id="`+id+`"`) {
			t.Errorf("a link to %s, which is not there", href[1])
		}
	}
	for _, word := range []string{"anonymous", "compliant", "certified"} {
		if strings.Contains(strings.ToLower(text), word) {
			t.Errorf("the page says %s", word)
		}
	}
}

func TestNatural(t *testing.T) {
	refs := []string{"32(1)(d)", "5(2)", "30(1)(a)", "5(1)(e)", "A.8.31", "A.8.9", "9", "25"}
	slices.SortFunc(refs, natural)
	if got := strings.Join(refs, " "); got != "5(1)(e) 5(2) 9 25 30(1)(a) 32(1)(d) A.8.9 A.8.31" {
		t.Error(got)
	}
}
