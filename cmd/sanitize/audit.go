package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// reportFormats are the formats of the audit, in the order of the help text.
var reportFormats = []string{"text", "json", "sarif", "junit", "csv", "html", "art30"}

// auditOptions are the flags of `sanitize audit`.
type auditOptions struct {
	sourceOptions
	run, format, failOn, output, today, lock, author string
	profiles                                         []string
	signatures                                       signatureOptions
}

// findingsError is an audit that found something that was to fail it.
type findingsError struct {
	found int
	least report.Level
}

// Error counts the findings.
func (e *findingsError) Error() string {
	return fmt.Sprintf("%s at or above %s", plural(int64(e.found), "finding"), e.least)
}

// Hint says how findings are answered.
func (e *findingsError) Hint() string {
	return "sanitize explain RULE says what a rule means and what to do; a waiver in the policy accepts a finding until a day"
}

func newAudit(u *ui) *cobra.Command {
	o := auditOptions{signatures: signatureOptions{threshold: 1}}
	cmd := command{
		use:   "audit POLICY [--catalog FILE | --from SOURCE] [--run MANIFEST] [--format FORMAT] [--fail-on LEVEL]",
		short: "hold the audit's rules against a policy",
		long: `Audit reads a policy and says what a data-protection officer would hold against it:
each finding with its rule, its line and what to do. It needs no key and no
database. With a catalog, as inspect writes one, it also looks at every column, key
and definition; with the summary of a run (run --summary), at the run; with a lock
beside the policy, at what became weaker since; with --allowed, at its signatures. What cannot be
evaluated is said: silence is not a pass.

The formats: text; json, versioned; sarif, 2.1.0, for code scanning; junit, for build
servers; csv, the inventory of columns; html, one page that loads nothing; art30, the
record of GDPR Article 30 as Markdown.`,
		example: `  sanitize audit shop.yaml --catalog shop.catalog.json
  sanitize audit shop.yaml --from postgres://reader@prod/shop --format html --output audit.html
  sanitize audit shop.yaml --run summary.json --format sarif --fail-on medium > audit.sarif`,
		exits: catalogExits(exitDrift),
		args:  []string{"POLICY"},
		run:   func(cmd *cobra.Command, args []string) error { return runAudit(cmd, u, &o, args[0]) },
	}.build(u)
	o.bind(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.run, "run", "", "`MANIFEST` of a run: what run --summary wrote, or run --json printed")
	flags.StringVar(&o.format, "format", "text", "`FORMAT`: "+strings.Join(reportFormats, ", "))
	flags.StringVar(&o.failOn, "fail-on", "high", "`LEVEL` from which findings exit 1: critical, high, medium, low, never")
	flags.StringSliceVar(&o.profiles, "profile", nil, "`NAME` of a profile whose rules apply, in place of the policy's: gdpr, hipaa, pci")
	flags.StringVar(&o.lock, "lock", "", "`FILE` that was approved, to compare with (default: beside the policy, with .lock)")
	flags.StringVar(&o.signatures.allowed, "allowed", "", "`FILE` with the public keys of those who may sign: the policy's signatures are checked")
	flags.StringVar(&o.signatures.signature, "signature", "", "`FILE` with the signatures (default: beside the policy, with .sig)")
	flags.StringVar(&o.author, "author", "", "`NAME` of who changed the policy last, as in --allowed: the approval has to be another's")
	flags.StringVar(&o.output, "output", "", "`FILE` to write in place of standard output")
	flags.StringVar(&o.today, "today", "", "`DATE` of the audit, so that a report can be made again (default: today, in UTC)")
	return cmd
}

// check complains about flags that make no sense, before anything is read.
func (o *auditOptions) check(cmd *cobra.Command) (today time.Time, err error) {
	if !slices.Contains(reportFormats, o.format) {
		return today, usage(cmd, "--format %q is none of %s", o.format, strings.Join(reportFormats, ", "))
	}
	if least := report.Level(o.failOn); least != report.Never && !slices.Contains(report.Levels(), least) {
		return today, usage(cmd, "--fail-on %q is none of critical, high, medium, low, never", o.failOn)
	}
	for i, p := range o.profiles {
		o.profiles[i] = strings.ToLower(p)
		if !slices.Contains(policies.Profiles(), o.profiles[i]) {
			return today, usage(cmd, "--profile %q is none of %s", p, strings.Join(policies.Profiles(), ", "))
		}
	}
	today, err = time.Parse(time.DateOnly, cmp.Or(o.today, time.Now().UTC().Format(time.DateOnly)))
	if err != nil {
		return today, usage(cmd, "--today is no day like 2027-01-31")
	}
	return today, nil
}

func runAudit(cmd *cobra.Command, u *ui, o *auditOptions, path string) error {
	today, err := o.check(cmd)
	if err != nil {
		return err
	}
	p, err := readPolicy(path)
	if err != nil {
		return err
	}
	e := policies.Evidence{Today: today, Profiles: o.profiles}
	if namesCatalog(cmd) {
		if e.Catalog, err = o.catalog(cmd, u); err != nil {
			return err
		}
	}
	if o.run != "" {
		if e.Manifest, err = readManifest(o.run); err != nil {
			return err
		}
	}
	if e.Approval, err = o.approval(p, e); err != nil {
		return err
	}
	r := policies.Audit(p, e, masking.Standard())
	r.Tool = report.Tool{Name: "sanitize", Version: currentVersion().Version}
	text, err := o.write(u, r)
	if err != nil {
		return err
	}
	if o.output != "" {
		err = writeWhole(o.output, text, 0o644)
		u.Say("%s", r.Summary())
	} else {
		err = u.Data(string(text))
	}
	if err != nil {
		return err
	}
	if least := report.Level(o.failOn); r.Open(least) > 0 {
		return &findingsError{r.Open(least), least}
	}
	return nil
}

// namesCatalog reports whether the command line says where a catalog is.
func namesCatalog(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("from") || cmd.Flags().Changed("catalog")
}

// write spells the report in the format that was asked for.
func (o *auditOptions) write(u *ui, r *report.Report) ([]byte, error) {
	switch o.format {
	case "json":
		return r.JSON()
	case "sarif":
		return r.SARIF()
	case "junit":
		return r.JUnit(report.Level(o.failOn))
	case "csv":
		return r.CSV()
	case "html":
		return r.HTML()
	case "art30":
		return r.Article30(), nil
	}
	color := u.colorOut && o.output == ""
	shades := map[report.Level]string{report.Critical: red, report.High: red, report.Medium: yellow, report.Low: cyan}
	return []byte(printable(r.Text(func(l report.Level, words string) string { return paint(color, words, shades[l]) }))), nil
}

// mostManifest bounds a manifest: a run of a hundred thousand tables stays below it.
const mostManifest = 64 << 20

func readManifest(path string) (*policies.Manifest, error) {
	text, err := readAll(path, mostManifest)
	if err == nil && len(text) > mostManifest {
		err = fmt.Errorf("%s is larger than a manifest", path)
	}
	var m *policies.Manifest
	if err == nil {
		m, err = policies.ReadManifest(path, text)
	}
	if err != nil {
		return nil, &usageError{reason: err.Error(), help: "--run takes the file that run --summary wrote, or that holds what run --json printed"}
	}
	return m, nil
}
