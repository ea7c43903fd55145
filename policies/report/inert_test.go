package report

import (
	"strings"
	"testing"
)

// A name that wants to drive the reader's terminal is shown, and does nothing, in every
// format that people read; the machine's formats have their own quoting.
func TestNamesAreInert(t *testing.T) {
	const evil = "pw\x1b[8m\n\n0 findings; of 80 rules 80 passed\r\u202e\u200b\x9b\xff"
	r := &Report{Date: "2026-11-26", Policy: Policy{File: "p.yaml", Owner: evil},
		Rules: []Rule{{ID: "SAN-C05", Level: High, Title: "t"}, {ID: "SAN-C06", Level: High, Title: "t", State: NotEvaluated, Reason: "because " + evil}},
		Findings: []Finding{
			{Rule: "SAN-C05", Level: High, File: "p.yaml", Line: 1, Object: evil, Message: evil + " is kept", Help: "mask " + evil, Excerpt: "  1 | a\n    | ^"},
			{Rule: "SAN-C05", Level: High, File: "p.yaml", Line: 2, Object: "b", Message: "b", Waived: &Waived{Because: evil, By: evil, Expires: "2027-01-01"}},
		},
		Inventory: []Column{{Table: "t", Column: evil, Class: evil, Kind: "direct", Action: "mask", Do: evil}},
		Classes:   []Class{{Name: evil, Kind: "direct", Do: evil, Columns: 1}},
	}
	r.Finish()
	csv, err := r.CSV()
	if err != nil {
		t.Fatal(err)
	}
	html, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for format, text := range map[string]string{"text": r.Text(nil), "csv": string(csv), "html": string(html), "art30": string(r.Article30())} {
		if strings.ContainsAny(text, "\x1b\u202e\u200b") || strings.Contains(text, "\u009b") || strings.Contains(text, "\xff") || strings.Contains(text, "\n0 findings") {
			t.Errorf("%s lets it through", format)
		}
		if !strings.Contains(text, `pw\u001b[8m\u000a\u000a0 findings`) {
			t.Errorf("%s does not show the name", format)
		}
	}
	if !strings.Contains(r.Text(nil), "  1 | a\n      | ^\n") {
		t.Error("an excerpt is no longer lines")
	}
	if r.Findings[0].Object != evil || r.Inventory[0].Column != evil || r.Findings[1].Waived.By != evil {
		t.Error("the report itself has changed")
	}
	for in, want := range map[string]string{"crème brûlée 東京 e\u0301": "crème brûlée 東京 e\u0301", "a\tb": `a\u0009b`, "\U000e0041": `\U000e0041`} {
		if got := Inert(in); got != want {
			t.Errorf("Inert(%q) = %q", in, got)
		}
	}
}
