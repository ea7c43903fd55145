package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
)

// shopSeed makes every demo the same shop.
const shopSeed = 20190301

const demoRows = 40_000

func newDemo(u *ui) *cobra.Command {
	var (
		d   = demo{u: u}
		dir string
	)
	cmd := command{
		use:   "demo [--dir DIR] [--rows N] [--keep=false]",
		short: "make a shop, mask it, and show before and after",
		long: `Demo needs no server: it makes a shop of made-up customers as "production" in an
SQLite file, writes its policy and a key beside it, runs the policy as sanitize
run does, checks the result, and shows some rows before, as shapes, and after.`,
		example: "  sanitize demo\n  sanitize demo --rows 200000 --dir /tmp/shop",
		exits:   []int{exitDone, exitFailed, exitUsage, exitIntegrity, exitInterrupted},
		run: func(cmd *cobra.Command, _ []string) error {
			if d.rows < rowsPerCustomer || d.rows > 50_000_000 {
				return usage(cmd, "--rows must be between %d and 50,000,000", rowsPerCustomer)
			}
			if err := d.prepare(dir); err != nil {
				return err
			}
			err := d.do(cmd.Context())
			if !d.keep || err != nil && (dir == "" || exitCode(err) == exitInterrupted) {
				d.remove()
			}
			return err
		},
	}.build(u)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&dir, "dir", "", "`DIR` for the files (default: a new one among the temporary files)")
	cmd.Flags().IntVar(&d.rows, "rows", demoRows, "about `N` rows in all tables")
	cmd.Flags().BoolVar(&d.keep, "keep", true, "leave the files; --keep=false removes them at the end")
	return cmd
}

// demo is one demonstration.
type demo struct {
	u    *ui
	rows int
	keep bool
	dir  string
	// The files that it makes.
	production, discovery, policy, key string
	ownDir                             bool // made by the demo
}

// prepare makes the folder, and refuses one that holds such files already.
func (d *demo) prepare(dir string) error {
	if dir == "" {
		made, err := os.MkdirTemp("", "sanitize-demo-")
		if err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		d.dir, d.ownDir = made, true
	} else {
		err := os.Mkdir(dir, 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		d.dir, d.ownDir = dir, err == nil
	}
	d.production = filepath.Join(d.dir, "production.db")
	d.discovery = filepath.Join(d.dir, "discovery.db")
	d.policy = filepath.Join(d.dir, "shop.yaml")
	d.key = filepath.Join(d.dir, "shop.key")
	for _, f := range []string{d.production, d.discovery, d.policy, d.key} {
		if _, err := os.Lstat(f); err == nil {
			return &usageError{reason: f + " exists, and is not overwritten", help: "choose another --dir"}
		}
	}
	return nil
}

func (d *demo) remove() {
	for _, f := range []string{d.production, d.discovery, d.policy, d.key} {
		for _, beside := range []string{"", "-wal", "-shm", ".lock"} {
			os.Remove(f + beside) // what is not there needs no removing
		}
	}
	if d.ownDir {
		os.Remove(d.dir)
	}
}

func (d *demo) do(ctx context.Context) error {
	began := time.Now()
	building, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	made, err := buildShop(building, d.production, d.rows, shopSeed)
	stop() // from here on the run sees to interrupts
	if err != nil {
		return err
	}
	if err := writeNew(d.policy, reviewed(shopPolicy, began)); err != nil {
		return err
	}
	if err := writeNew(d.key, masking.NewKey().Marshal()); err != nil {
		return err
	}
	d.u.Say("made a shop of %s in %s", plural(made, "row"), duration(time.Since(began)))

	summary, err := d.copy(ctx)
	if err != nil {
		return err
	}
	d.u.Tell(summaryText(d.u, summary))

	pair, err := openPair(d.production, d.discovery)
	if err != nil {
		return err
	}
	defer pair.Close()
	rows, err := d.beforeAndAfter(ctx, pair)
	if err != nil {
		return err
	}
	checks, err := pair.check(ctx)
	if err != nil {
		return err
	}
	return d.u.Data(printable(rows) + d.checksText(checks) + d.last(summary, time.Since(began)))
}

// copy is the run of the demo, with interrupts.
func (d *demo) copy(ctx context.Context) (*pipeline.Summary, error) {
	o := &runOptions{
		connectOptions: connectOptions{lockTimeout: 10 * time.Second},
		policy:         d.policy,
		from:           "sqlite:" + d.production,
		to:             "sqlite:" + d.discovery,
	}
	m, err := o.mandate(d.u)
	if err != nil {
		return nil, err
	}
	ctx, halt, stop := interrupts(ctx, d.u)
	defer stop()
	return copyDatabase(ctx, d.u, o, m, halt)
}

// reviewed returns the demo's policy with a review of that day, which holds for half a
// year: whoever tries an audit on it is to see one that is in order.
func reviewed(policy []byte, day time.Time) []byte {
	day = day.UTC()
	return []byte(strings.NewReplacer(
		"on: 2026-01-01", "on: "+day.Format(time.DateOnly),
		"expires: 2026-06-30", "expires: "+day.AddDate(0, 0, 180).Format(time.DateOnly),
	).Replace(string(policy)))
}

// beforeAndAfter shows the customers that are hard, each with the shapes of what
// was and the values of what is.
func (d *demo) beforeAndAfter(ctx context.Context, pair *pair) (string, error) {
	var b strings.Builder
	bolded := func(s string) string { return paint(d.u.colorOut, s, bold) }
	for _, c := range []struct {
		id    int
		title string
	}{
		{plainCustomer, "a customer"},
		{longCustomer, "an address of 254 bytes, a leap day, a note of 70,000 characters"},
		{emptyCustomer, "NULLs and an empty text, referred by herself"},
		{rightToLeft, "written from right to left"},
		{emojiCustomer, "a name with an emoji"},
	} {
		before, after, err := pair.customer(ctx, c.id)
		if err != nil {
			return "", err
		}
		var t table
		fmt.Fprintf(&b, "\n%s\n", bolded(c.title))
		for i, column := range shownColumns {
			t.Row("  "+column, truncate(shapeOf(before[i]), 52), "→ "+truncate(shown(after[i]), 60))
		}
		b.WriteString(t.String())
	}
	return b.String(), nil
}

func (d *demo) checksText(checks []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", paint(d.u.colorOut, "checked in both databases", bold))
	for _, c := range checks {
		fmt.Fprintf(&b, "  %s %s\n", paint(d.u.colorOut, "✓", green), c)
	}
	return b.String()
}

// last says how fast it was, and unless the files go, where they are and what to try.
func (d *demo) last(s *pipeline.Summary, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s rows masked and loaded at %s rows/s; the demo took %s.\n", count(s.Rows),
		count(rate(s.Rows, s.Loaded)), duration(took))
	if !d.keep {
		return b.String()
	}
	var t table
	t.Row("  production", d.production)
	t.Row("  policy", d.policy)
	t.Row("  discovery", d.discovery)
	b.WriteString(t.String())
	fmt.Fprintf(&b, `
Try next:
  %[1]s plan --policy %[2]s --from sqlite:%[3]s
  %[1]s init --from sqlite:%[3]s
  %[1]s --policy %[2]s --from sqlite:%[3]s --to sqlite:%[4]s

The last one makes the same pseudonyms again: key, class and value decide, nothing else.
`, programName(), quoteArg(d.policy), quoteArg(d.production), quoteArg(d.discovery))
	return b.String()
}

// programName is how a person can start this program again: by name if it is in
// PATH, else as it was started. What `go run` built is gone when it ends.
func programName() string {
	if _, err := exec.LookPath("sanitize"); err == nil {
		return "sanitize"
	}
	path, err := os.Executable()
	switch {
	case err != nil:
		return "sanitize"
	case strings.Contains(filepath.ToSlash(path), "/go-build"):
		return "go run ./cmd/sanitize"
	default:
		return quoteArg(path)
	}
}

// quoteArg quotes a path for a shell if it needs that.
func quoteArg(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@", r))
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
