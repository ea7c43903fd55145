package report

import (
	"fmt"
	"slices"
	"strings"
)

// Article30 returns the record of processing activities as Markdown: the fields of GDPR
// Article 30(1) that the policy holds, and by name those that it leaves open.
func (r *Report) Article30() []byte {
	r = InertCopy(r)
	var b strings.Builder
	p := r.Policy
	var gaps []string
	field := func(letter, what, value, gap string) {
		if value == "" {
			gaps = append(gaps, fmt.Sprintf("30(1)(%s) %s: %s", letter, what, gap))
			value = "*not in the policy*"
		}
		fmt.Fprintf(&b, "| 30(1)(%s) | %s | %s |\n", letter, what, value)
	}
	fmt.Fprintf(&b, "# Record of processing: %s\n\n", line(name(p)))
	fmt.Fprintf(&b, "Pseudonymised discovery databases, made by the policy `%s`%s with the SHA-256 digest `%s`. Drawn up on %s by %s %s.\n\n", code(p.File), revision(p), p.Digest, r.Date, r.Tool.Name, r.Tool.Version)
	b.WriteString("The masked copy is pseudonymised personal data (GDPR 4(5)) for as long as somebody has the key. This record is evidence for GDPR 30(1); whoever keeps it completes what is marked.\n\n")
	b.WriteString("## Fields\n\n| Clause | Field | Entry |\n|---|---|---|\n")
	field("a", "Owner of the processing", line(p.Owner), "write owner in the policy's header")
	field("a", "Controller, its representative, joint controllers", "", "the policy does not name them")
	field("a", "Reviewer, or data-protection officer", line(p.ReviewBy), "write review: {by} in the policy's header")
	field("b", "Purposes", line(p.Purpose), "write purpose in the policy's header")
	field("c", "Categories of data subjects", line(strings.Join(p.Subjects, ", ")), "write subjects in the policy's header")
	field("c", "Categories of personal data", line(r.categories()), "no class of personal data is in use")
	field("d", "Categories of recipients", line(strings.Join(p.Recipients, ", ")), "write recipients in the policy's header")
	field("e", "Transfers to third countries", "", "the policy does not say where the recipients are")
	limit := ""
	if p.TTL != "" {
		limit = "a discovery database lives for " + p.TTL
		if p.MaxTTL != "" {
			limit += ", and for " + p.MaxTTL + " at most"
		}
	}
	field("f", "Time limits for erasure", limit, "write environments: {ttl, max_ttl}")
	field("g", "Technical and organisational measures", line(r.measures()), "")
	b.WriteString("\n")
	b.WriteString("Beside the fields of the article:\n\n| Field | Entry |\n|---|---|\n")
	for _, f := range []struct{ what, value string }{
		{"Legal basis", p.LegalBasis}, {"Impact assessment", p.DPIA}, {"Review", dates(p)}, {"Hosts of targets", strings.Join(p.Hosts, ", ")}, {"Builds on", strings.Join(p.Extends, ", ")},
	} {
		value := line(f.value)
		if value == "" {
			value = "*not in the policy*"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", f.what, value)
	}
	b.WriteString("\n## Categories of personal data\n\n| Class | Kind | Columns | What is done |\n|---|---|---|---|\n")
	for _, c := range r.personal() {
		fmt.Fprintf(&b, "| %s | %s | %d | `%s` |\n", line(c.Name), line(c.Kind), c.Columns, code(c.Do))
	}
	b.WriteString("\n## Gaps\n\n")
	for _, g := range gaps {
		fmt.Fprintf(&b, "- %s\n", g)
	}
	fmt.Fprintf(&b, "\n## Audit of %s\n\n%s.\n", r.Date, capital(r.Summary()))
	return []byte(b.String())
}

func name(p Policy) string {
	if p.Name == "" {
		return p.File
	}
	return p.Name
}

func revision(p Policy) string {
	if p.Revision == 0 {
		return ""
	}
	return fmt.Sprintf(", revision %d,", p.Revision)
}

func dates(p Policy) string {
	if p.ReviewOn == "" {
		return ""
	}
	text := "on " + p.ReviewOn
	if p.ReviewBy != "" {
		text = "by " + p.ReviewBy + " " + text
	}
	if p.Expires != "" {
		text += ", until " + p.Expires
	}
	return text
}

// personal returns the classes of personal data that columns are of.
func (r *Report) personal() []Class {
	return slices.DeleteFunc(slices.Clone(r.Classes), func(c Class) bool { return c.Kind == "not_personal" || c.Columns == 0 })
}

// categories lists the classes of personal data, by their kinds.
func (r *Report) categories() string {
	var kinds []string
	names := map[string][]string{}
	for _, c := range r.personal() {
		if names[c.Kind] == nil {
			kinds = append(kinds, c.Kind)
		}
		names[c.Kind] = append(names[c.Kind], c.Name)
	}
	var parts []string
	for _, k := range kinds {
		parts = append(parts, k+": "+strings.Join(names[k], ", "))
	}
	return strings.Join(parts, "; ")
}

// measures says what the policy does, in numbers.
func (r *Report) measures() string {
	counts := map[string]int{}
	for _, c := range r.Inventory {
		counts[c.Action]++
	}
	text := fmt.Sprintf("masking while the copy is made: of %s %d are masked, %d kept by name, %d computed anew by the database, %d in tables that are copied without rows",
		plural(len(r.Inventory), "column"), counts["mask"], counts["keep"], counts["computed"], counts["drop"])
	if counts["undecided"] > 0 {
		text += fmt.Sprintf("; %d are undecided and stop a run", counts["undecided"])
	}
	for _, k := range r.Policy.Keys {
		text += fmt.Sprintf("; key %s (%s, scope %s", k.Name, k.Source, k.Scope)
		if k.Rotate != "" {
			text += ", rotated every " + k.Rotate
		}
		text += ")"
	}
	return text + "; a column that no line covers stops a run"
}

// line makes a text safe for a cell of a Markdown table.
func line(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "|", "\\|", "<", "&lt;", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[").Replace(strings.TrimSpace(s))
}

// code makes a text safe between backticks of a cell.
func code(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "|", "\\|", "`", "'").Replace(s)
}
