package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// planReport is what `sanitize plan --json` prints.
type planReport struct {
	Policy      string                   `json:"policy"`
	Digest      string                   `json:"fingerprint_digest"`
	Fingerprint map[string]string        `json:"fingerprint"`
	Tables      []policies.TableDecision `json:"tables"`
	LeftBehind  []catalog.Object         `json:"left_behind,omitempty"` // as a run's summary has it
	Warnings    []string                 `json:"warnings,omitempty"`
}

func newPlan(u *ui) *cobra.Command {
	var (
		o      sourceOptions
		policy string
	)
	cmd := command{
		use:   "plan --policy POLICY --from SOURCE [--json]\nplan --policy POLICY --catalog FILE [--json]",
		short: "show what the policy does to each column, and why",
		long: `Plan compiles the policy against the source's catalog, as a run would, and shows
what happens to each column, why, and which line of the policy says so; and which
objects beside the tables do not come along as they are, and why. It reads no rows,
asks the source's server whether it takes the conditions by which rows are chosen,
and writes nothing but this. What a run would stop for, it says as the run would,
with the same exit code. It needs the policy's key, as a run does. A catalog
file that inspect wrote does in place of the source.`,
		example: `  sanitize plan --policy shop.yaml --from postgres://reader@prod/shop
  sanitize plan --policy shop.yaml --catalog shop.catalog.json --json > plan.json`,
		exits: catalogExits(exitDrift),
		run: func(cmd *cobra.Command, _ []string) error {
			if policy == "" {
				return usage(cmd, "--policy is missing")
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			p, key, err := loadPolicy(policy)
			if err != nil {
				return err
			}
			var c *catalog.Catalog
			var compiled *policies.Compiled
			err = o.reading(cmd, u, func(source connectors.Source, read *catalog.Catalog) (err error) {
				c = read
				if compiled, err = policies.Compile(p, c, key, masking.Standard()); err != nil {
					return err
				}
				return checkFilters(cmd.Context(), u, source, c, filtersOf(compiled, c))
			})
			if err != nil {
				return err
			}
			// What would stop a run stops a plan, once it has been shown.
			stopped := connectors.Stopped(c)
			if o.json {
				return cmp.Or(stopped, u.JSON(planReport{
					Policy:      policy,
					Digest:      pipeline.Fingerprint(compiled.Fingerprint).Digest(),
					Fingerprint: compiled.Fingerprint,
					Tables:      compiled.Tables,
					LeftBehind:  fatesOf(c, compiled),
					Warnings:    compiled.Warnings,
				}))
			}
			for _, w := range compiled.Warnings {
				u.Warn(w)
			}
			text := planText(u, &policies.Compiled{Tables: report.InertCopy(compiled.Tables)})
			return cmp.Or(stopped, u.Data(printable(text+fatesText(u, fatesOf(c, compiled)))))
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&policy, "policy", "", "`FILE` with the policy")
	o.bind(cmd.Flags())
	o.bindFates(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// widestDo is how much of a transform a plan for people shows: a JSON column's
// may be as long as its list of paths. --json has all of it.
const widestDo = 48

// planText shows a plan to people: a block per table, a line per column.
func planText(u *ui, c *policies.Compiled) string {
	var (
		t      table
		counts = map[string]int64{}
		bolded = func(s string) string { return paint(u.colorOut, s, bold) }
		dimmed = func(s string) string { return paint(u.colorOut, s, dim) }
	)
	t.Row(dimmed("COLUMN"), dimmed("TYPE"), dimmed("ACTION"), dimmed("CLASS"), dimmed("DO"), dimmed("WHY"), dimmed("WHERE"))
	for _, td := range c.Tables {
		t.Row("")
		t.Row(bolded(td.Table.String()), "", paintAction(u, td.Action), "", truncate(td.Rows, widestDo), td.Why, dimmed(td.Where))
		for _, cd := range td.Columns {
			counts[cd.Action]++
			t.Row("  "+cd.Column, cd.Type, paintAction(u, cd.Action), cd.Class, truncate(cd.Do, widestDo), cd.Why, dimmed(cd.Where))
		}
	}
	var totals []string
	for _, action := range []string{"mask", "keep", "derive", "computed", "drop"} {
		if counts[action] > 0 {
			totals = append(totals, fmt.Sprintf("%s %s", count(counts[action]), action))
		}
	}
	return t.String() + fmt.Sprintf("\n%s; columns: %s\n", plural(int64(len(c.Tables)), "table"), strings.Join(totals, ", "))
}

func paintAction(u *ui, action string) string {
	switch action {
	case "mask", "derive":
		return paint(u.colorOut, action, green)
	case "keep":
		return paint(u.colorOut, action, yellow)
	case "drop":
		return paint(u.colorOut, action, cyan)
	default:
		return action
	}
}
