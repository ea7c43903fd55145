package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// discoverReport is what `sanitize discover --json` prints.
type discoverReport struct {
	Version int `json:"version"` // of this format
	// Samples is the rows that were asked of each table; 0 if no value was looked at.
	Samples int                   `json:"samples"`
	Columns []policies.Detected   `json:"columns"`
	Doubts  []policies.Diagnostic `json:"doubts,omitempty"` // of --check
}

// defaultSamples is how many rows of a table are looked at.
const defaultSamples = 200

// sampleOptions are the flags of the commands whose detector may look at values.
type sampleOptions struct {
	sourceOptions
	samples int
}

func (o *sampleOptions) check(cmd *cobra.Command) error {
	if o.samples < 0 || o.samples > 10_000 {
		return usage(cmd, "--samples must be between 0 and 10000")
	}
	return o.sourceOptions.check(cmd)
}

// read reads the catalog, and passes it on with its samples, which are nil if none
// are asked for or the source gives none.
func (o *sampleOptions) read(cmd *cobra.Command, u *ui, do func(*catalog.Catalog, policies.Samples) error) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	return o.reading(cmd, u, func(source connectors.Source, c *catalog.Catalog) error {
		if source == nil || o.samples == 0 {
			o.samples = 0
			return do(c, nil)
		}
		sampler, able := source.(connectors.Sampler)
		if !able {
			u.Warn("this source gives no samples: names, types, keys and comments have to do")
			o.samples = 0
			return do(c, nil)
		}
		return do(c, samplesOf(cmd.Context(), u, sampler, o.samples))
	})
}

// samplesOf makes the detector's samples of a connector's. A table that may not be
// read costs its values only, and is said.
func samplesOf(ctx context.Context, u *ui, s connectors.Sampler, rows int) policies.Samples {
	return func(t *catalog.Table, see func(row [][]byte) error) error {
		var seen error
		err := s.Sample(ctx, t, rows, func(row [][]byte) error {
			seen = see(row)
			return seen
		})
		if err == nil || seen != nil || ctx.Err() != nil {
			return err
		}
		u.Warn(fmt.Sprintf("%s: no sample: %v", t.ID, err))
		return nil
	}
}

func newDiscover(u *ui) *cobra.Command {
	var (
		o      sampleOptions
		policy string
		check  bool
	)
	cmd := command{
		use:   "discover --from SOURCE [--samples N] [--policy POLICY --check] [--json]\ndiscover --catalog FILE [--policy POLICY --check] [--json]",
		short: "say which columns look personal, and why",
		long: `Discover looks at every column of the source: at its name (in ten languages), its
table, type, keys, labels and comments, and at a few values of it. It proposes a
class, with a score from 0 to 1 and the reason; from 0.5 a column counts as
personal, and a ? marks where a person has to look. Columns that point to others
inherit. No value is shown or kept, in whatever form. --samples 0 reads no row.

With --policy and --check it fails if the policy calls a column not personal that
scores 0.6 or more, and names the line. A waiver of SAN-C05 accepts such a column.`,
		example: `  sanitize discover --from postgres://reader@prod/shop
  sanitize discover --from sqlite:shop.db --samples 0 --json
  sanitize discover --from sqlite:shop.db --policy shop.yaml --check`,
		exits: catalogExits(),
		run: func(cmd *cobra.Command, _ []string) error {
			switch {
			case check && policy == "":
				return usage(cmd, "--check needs --policy")
			case policy != "" && !check:
				return usage(cmd, "--policy needs --check")
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			var p *policies.Policy
			if check {
				var err error
				if p, err = readPolicy(policy); err != nil {
					return err
				}
			}
			return o.read(cmd, u, func(c *catalog.Catalog, samples policies.Samples) error {
				found, err := policies.Discover(c, samples)
				if err != nil {
					return err
				}
				var doubts []policies.Diagnostic
				if check {
					doubts = policies.Doubts(p, c, found, time.Now())
				}
				if o.json {
					err = u.JSON(discoverReport{Version: 1, Samples: o.samples, Columns: found, Doubts: doubts})
				} else {
					err = u.Data(printable(discoverText(u, report.InertCopy(found))))
				}
				if err == nil && len(doubts) > 0 {
					err = &doubtsError{doubts}
				}
				return err
			})
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().IntVar(&o.samples, "samples", defaultSamples, "`N` rows of each table to look at; 0 for none")
	cmd.Flags().StringVar(&policy, "policy", "", "`FILE` with the policy to check")
	cmd.Flags().BoolVar(&check, "check", false, "fail if the policy keeps what looks personal")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// doubtsError is a policy that keeps what looks personal.
type doubtsError struct{ doubts policies.Errors }

// Error returns the doubts, a paragraph each.
func (e *doubtsError) Error() string {
	return fmt.Sprintf("%s\n\n%s", plural(int64(len(e.doubts)), "doubt")+" about what the policy keeps", e.doubts.Error())
}

// discoverText shows to people what was found: a block per table, a line per column.
func discoverText(u *ui, found []policies.Detected) string {
	var (
		t        table
		tables   int64
		personal int64
		unsure   int64
	)
	dimmed := func(s string) string { return paint(u.colorOut, s, dim) }
	t.Row(dimmed("COLUMN"), dimmed("TYPE"), dimmed("CLASS"), dimmed("SCORE"), dimmed("REASON"))
	for i, d := range found {
		if i == 0 || found[i-1].Table != d.Table {
			tables++
			t.Row("")
			t.Row(paint(u.colorOut, d.Table.String(), bold))
		}
		class := d.Class
		if d.Unsure {
			class += "?"
			unsure++
		}
		if d.Class == policies.Public {
			class = dimmed(class)
		} else {
			class = paint(u.colorOut, class, yellow)
			personal++
		}
		t.Row("  "+d.Column, d.Type, class, fmt.Sprintf("%.2f", d.Score), d.Reason)
		for _, p := range d.Paths {
			t.Row("    "+p.Path, "", p.Class, fmt.Sprintf("%.2f", p.Score), p.Reason)
		}
	}
	return t.String() + fmt.Sprintf("\n%s, %s: %s personal, %s unsure\n", plural(tables, "table"), plural(int64(len(found)), "column"), count(personal), count(unsure))
}
