package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

func newExplain(u *ui) *cobra.Command {
	var (
		o      sourceOptions
		policy string
	)
	cmd := command{
		use:   "explain [RULE]\nexplain TABLE.COLUMN --policy POLICY (--catalog FILE | --from SOURCE)",
		short: "say what a rule means, or why a column is masked as it is",
		long: `Explain says of a rule of the audit what it tests, what it means, what to do and
for which clauses it is evidence; without a name it lists all rules. Of a column it
shows the whole way to its transform: its own line, or the foreign keys, links and
parents that lead to the line that decides; the class, and where that is defined; the
domain; and what the transform guarantees. It reads no rows and needs no key.`,
		example: `  sanitize explain SAN-C01
  sanitize explain orders.customer_id --policy shop.yaml --from sqlite:shop.db`,
		exits:    catalogExits(exitDrift),
		optional: "RULE",
		run: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return explainAll(u, o.json)
			}
			if a := policies.FindAnalyzer(args[0]); a != nil {
				return explainRule(u, a, o.json)
			}
			if !strings.Contains(args[0], ".") {
				return &usageError{reason: fmt.Sprintf("there is no rule %q", args[0]), help: "see the rules with: sanitize explain; a column is written TABLE.COLUMN"}
			}
			if policy == "" {
				return usage(cmd, "--policy is missing")
			}
			p, err := readPolicy(policy)
			if err != nil {
				return err
			}
			c, err := o.catalog(cmd, u)
			if err != nil {
				return err
			}
			e, err := policies.Explain(p, c, args[0], masking.Standard())
			if err != nil {
				return err
			}
			if o.json {
				return u.JSON(e)
			}
			return u.Data(printable(explanationText(u, report.InertCopy(e))))
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&policy, "policy", "", "`FILE` with the policy")
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// explainAll lists the rules.
func explainAll(u *ui, asJSON bool) error {
	var rules []report.Rule
	for _, a := range policies.Analyzers() {
		rules = append(rules, a.Rule())
	}
	if asJSON {
		return u.JSON(rules)
	}
	var t table
	family := ""
	for _, r := range rules {
		if r.Family != family {
			if family != "" {
				t.Row("")
			}
			family = r.Family
			t.Row(paint(u.colorOut, family, bold))
		}
		t.Row("  "+r.ID, string(r.Level), r.Title)
	}
	return u.Data(t.String() + "\nOne of them in full: sanitize explain RULE\n")
}

// phaseWords says what a rule of a phase needs.
var phaseWords = map[string]string{
	"P": "the policy alone", "S": "the policy and a catalog", "R": "a run's manifest",
	"P/R": "the policy, and a run's manifest", "S/R": "the policy and a catalog, and a run's manifest",
}

func explainRule(u *ui, a *policies.Analyzer, asJSON bool) error {
	r := a.Rule()
	if asJSON {
		return u.JSON(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n\n%s\n\n", paint(u.colorOut, r.ID, bold), r.Title, r.Meaning)
	var t table
	t.Row("  what to do", r.Fix)
	t.Row("  level", string(r.Level))
	t.Row("  family", r.Family)
	t.Row("  goes by", phaseWords[r.Phase])
	t.Row("  evidence for", r.ClauseText())
	b.WriteString(t.String())
	fmt.Fprintf(&b, "\nTo accept a finding until a day, add to the policy:\n  waivers:\n    - {rule: %s, at: OBJECT, because: \"…\", by: NAME, expires: DATE}\n", r.ID)
	return u.Data(b.String())
}

// explanationText shows the way by which a column got its transform.
func explanationText(u *ui, e *policies.Explanation) string {
	var b strings.Builder
	what := e.Action
	if e.Action == "mask" {
		what += " as " + e.Class + " by " + e.Do
	}
	fmt.Fprintf(&b, "%s  %s  %s\n\n", paint(u.colorOut, e.Column, bold), e.Type, what)
	for i, s := range e.Steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, s.What)
		if s.Where != "" {
			fmt.Fprintf(&b, "     %s\n", paint(u.colorOut, s.Where, dim))
		}
	}
	for _, w := range e.Warnings {
		fmt.Fprintf(&b, "\n  warning: %s\n", w)
	}
	for _, w := range e.Problems {
		fmt.Fprintf(&b, "\n  does not compile: %s\n", w)
	}
	return b.String()
}
