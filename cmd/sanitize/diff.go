package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// diffReport is what `sanitize diff --json` prints.
type diffReport struct {
	Version  int                   `json:"version"` // of this format: 1
	Before   diffSide              `json:"before"`
	Now      diffSide              `json:"now"`
	Resolved bool                  `json:"resolved"`
	Loose    int                   `json:"loose"`  // lines about what the catalog does not have
	Weaker   int                   `json:"weaker"` // that no waiver accepts
	Waived   int                   `json:"waived"`
	Stronger int                   `json:"stronger"`
	Changed  int                   `json:"changed"`
	All      []policies.Difference `json:"differences"`
}

// diffSide is one of two policies, or locks.
type diffSide struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"` // of its bytes
}

// weakerError ends a diff that --fail-on asks to fail.
type weakerError struct{ what string }

// Error says what was found.
func (e *weakerError) Error() string { return e.what }

// Hint says how it can be accepted.
func (e *weakerError) Hint() string {
	return "strengthen it, or accept it in the policy: waivers: [{rule: SAN-P08, at: OBJECT, because: …, by: …, expires: …}]; who may look at a new waiver says --accept-waivers"
}

func newDiff(u *ui) *cobra.Command {
	var (
		o              sourceOptions
		failOn, format string
		accept         bool
	)
	cmd := command{
		use:   "diff BEFORE AFTER [--catalog FILE | --from SOURCE] [--fail-on weaker [--accept-waivers]]",
		short: "say what a policy protects less, more or otherwise than before",
		long: `Diff compares two policies, or locks of policies, and says in words what got
WEAKER, STRONGER or CHANGED: classes, columns, documents path by path, rows,
keys, risk, environments and waivers, each with its line on both sides.

With a catalog, columns are compared by what is decided about each, so that a
change of one line is seen in all columns that inherit it; a lock brings the
catalog that it was made for. Without one, lines are compared. With --fail-on
weaker it fails if anything got weaker and no waiver of AFTER accepts it; with
--fail-on changed, if anything got weaker or changed.

A waiver of SAN-P08 accepts the one weakening that it names, for 366 days at
most. One that BEFORE does not have counts as weaker itself, until somebody
other than its author has looked at it and diff is told --accept-waivers.`,
		example: `  sanitize diff main.yaml shop.yaml --fail-on weaker
  sanitize diff shop.lock shop.yaml --catalog shop.catalog.json --format markdown`,
		exits: catalogExits(),
		args:  []string{"BEFORE", "AFTER"},
		run: func(cmd *cobra.Command, args []string) error {
			if failOn != "" && failOn != "weaker" && failOn != "changed" {
				return usage(cmd, "--fail-on is weaker or changed")
			}
			if o.json {
				format = "json"
			}
			if format != "text" && format != "markdown" && format != "json" {
				return usage(cmd, "--format is text, markdown or json")
			}
			var c *catalog.Catalog
			if o.from != "" || o.file != "" {
				var err error
				if c, err = o.catalog(cmd, u); err != nil {
					return err
				}
			}
			before, now, err := readDocuments(args[0], args[1], c)
			if err != nil {
				return err
			}
			d := policies.Diff(before, now, time.Now())
			if accept {
				d.AcceptWaivers()
			}
			if err := printDiff(u, format, before, now, d); err != nil {
				return err
			}
			switch weaker, changed := d.Count(policies.Weaker), d.Count(policies.Changed); {
			case failOn != "" && weaker > 0:
				return &weakerError{fmt.Sprintf("%s protects less than %s: %s", args[1], args[0], plural(int64(weaker), "weakening"))}
			case failOn == "changed" && changed > 0:
				return &weakerError{fmt.Sprintf("%s protects otherwise than %s: %s", args[1], args[0], plural(int64(changed), "change"))}
			}
			return nil
		},
	}.build(u)
	o.bind(cmd.Flags())
	cmd.Flags().StringVar(&failOn, "fail-on", "", "`LEVEL` that fails: weaker, or changed")
	cmd.Flags().BoolVar(&accept, "accept-waivers", false, "accept the waivers of SAN-P08 that came with the change")
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text, markdown or json")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// readDocuments reads both sides. A lock brings its catalog, if there is no other, so
// that the policy beside it is resolved too.
func readDocuments(before, now string, c *catalog.Catalog) (a, b *policies.Document, err error) {
	texts := make([][]byte, 2)
	for i, path := range []string{before, now} {
		if texts[i], err = readPolicyFile(path); err != nil {
			return nil, nil, err
		}
	}
	for i, path := range []string{now, before} {
		text := texts[1-i]
		if c == nil && policies.IsLock(text) {
			l, err := policies.ParseLock(path, text)
			if err != nil {
				return nil, nil, err
			}
			c = l.Catalog.Facts
		}
	}
	if a, err = policies.ParseDocument(before, texts[0], c); err != nil {
		return nil, nil, err
	}
	b, err = policies.ParseDocument(now, texts[1], c)
	return a, b, err
}

// mostPolicyFile bounds what is read as a policy or a lock; each has a smaller limit of
// its own.
const mostPolicyFile = 512 << 20

// readPolicyFile reads a policy or a lock.
func readPolicyFile(path string) ([]byte, error) {
	text, err := readAll(path, mostPolicyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &policyError{fmt.Errorf("%s does not exist", path)}
	case err != nil:
		return nil, &policyError{err}
	}
	return text, nil
}

func printDiff(u *ui, format string, before, now *policies.Document, d *policies.Differences) error {
	switch format {
	case "json":
		return u.JSON(diffReport{1, diffSide{before.Name, before.Digest}, diffSide{now.Name, now.Digest}, d.Resolved, d.Loose,
			d.Count(policies.Weaker), d.Waived(), d.Count(policies.Stronger), d.Count(policies.Changed), d.All})
	case "markdown":
		return u.Data(printable(diffMarkdown(before, now, report.InertCopy(d))))
	}
	return u.Data(printable(diffText(u, report.InertCopy(d))))
}

// diffTotals says how many there are of each.
func diffTotals(d *policies.Differences) string {
	weaker := fmt.Sprintf("%d weaker", d.Count(policies.Weaker))
	if n := d.Waived(); n > 0 {
		weaker += fmt.Sprintf(" and %d waived", n)
	}
	by := "columns as they are decided, inherited ones too"
	if !d.Resolved {
		by = "by their lines: with --catalog what columns inherit is compared too"
	}
	if d.Loose > 0 {
		by += fmt.Sprintf("; %s about what the catalog does not have, as lines", plural(int64(d.Loose), "line"))
	}
	return fmt.Sprintf("%s, %d stronger, %d changed; compared %s", weaker, d.Count(policies.Stronger), d.Count(policies.Changed), by)
}

// diffText shows differences to people at a terminal.
func diffText(u *ui, d *policies.Differences) string {
	if len(d.All) == 0 {
		return "no difference; " + strings.SplitN(diffTotals(d), "; ", 2)[1] + "\n"
	}
	var b strings.Builder
	for _, x := range d.All {
		color := map[policies.Strength]string{policies.Weaker: red, policies.Stronger: green, policies.Changed: yellow}[x.Strength]
		word := x.Strength.String()
		if x.Waived != nil {
			word, color = "waived", dim
		}
		fmt.Fprintf(&b, "%s  %s: %s\n", paint(u.colorOut, fmt.Sprintf("%-8s", word), color), paint(u.colorOut, x.At, bold), x.What)
		for _, s := range []struct {
			word string
			side policies.Side
		}{{"was", x.Before}, {"is", x.Now}} {
			if s.side.Text == "" {
				continue
			}
			fmt.Fprintf(&b, "          %-3s  %s", s.word, s.side.Text)
			if s.side.Where != "" {
				fmt.Fprintf(&b, "  %s", paint(u.colorOut, s.side.Where, dim))
			}
			b.WriteString("\n")
		}
		if w := x.Waived; w != nil {
			fmt.Fprintf(&b, "          accepted by %s until %s: %s\n", w.By, w.Expires, w.Because)
		}
	}
	return b.String() + "\n" + diffTotals(d) + "\n"
}

// mostInMarkdown is how many differences of one sort a comment shows.
const mostInMarkdown = 100

// diffMarkdown shows differences in a comment on a change.
func diffMarkdown(before, now *policies.Document, d *policies.Differences) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### What the policy protects\n\n%s → %s: %s.\n", code(filepath.Base(before.Name)), code(filepath.Base(now.Name)), diffTotals(d))
	for _, s := range []struct {
		title  string
		of     policies.Strength
		waived bool
	}{{"Weaker", policies.Weaker, false}, {"Weaker, and accepted", policies.Weaker, true}, {"Stronger", policies.Stronger, false}, {"Changed", policies.Changed, false}} {
		shown, left := 0, 0
		for _, x := range d.All {
			if x.Strength != s.of || (x.Waived != nil) != s.waived {
				continue
			}
			if shown++; shown > mostInMarkdown {
				left++
				continue
			}
			if shown == 1 {
				fmt.Fprintf(&b, "\n**%s**\n\n| what | how | was | is |\n|---|---|---|---|\n", s.title)
			}
			what := cell(x.What)
			if w := x.Waived; w != nil {
				what += cell(fmt.Sprintf("; accepted by %s until %s: %s", w.By, w.Expires, w.Because))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(x.At), what, markdownSide(x.Before), markdownSide(x.Now))
		}
		if left > 0 {
			fmt.Fprintf(&b, "\n… and %d more\n", left)
		}
	}
	return b.String()
}

func markdownSide(s policies.Side) string {
	if s.Text == "" {
		return ""
	}
	text := code(s.Text)
	if s.Where != "" {
		text += " " + cell(s.Where)
	}
	return text
}

// cell makes a text fit for a cell of a table: what a policy says can mark nothing up.
func cell(s string) string {
	return strings.NewReplacer("\n", " ", "\\", "\\\\", "|", "\\|", "`", "\\`", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "@", "&#64;", "#", "\\#", "!", "\\!", "$", "\\$").Replace(s)
}

// code shows a text as code in a cell of a table.
func code(s string) string {
	s = strings.NewReplacer("\n", " ", "|", "\\|", "`", "'").Replace(s)
	return "`" + s + "`"
}
