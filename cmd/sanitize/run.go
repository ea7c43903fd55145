package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// runOptions are the flags of run.
type runOptions struct {
	connectOptions
	policy, from, to string
	chunk, memory    size
	json, quiet      bool
	summary          string
	lock             string
	locked, signed   bool
	signatures       signatureOptions
	limits           limitOptions
	held             heldOptions
	flags            *pflag.FlagSet // that are bound to these
}

func (o *runOptions) bind(flags *pflag.FlagSet) {
	o.flags = flags
	flags.SortFlags = false
	flags.StringVar(&o.policy, "policy", "", "`FILE` with the policy")
	flags.StringVar(&o.from, "from", "", "`SOURCE` to read: a connection string")
	flags.StringVar(&o.to, "to", "", "`TARGET` to replace: a connection string")
	flags.IntVar(&o.workers, "workers", 0, "`N` chunks copied at once (default: the cores, at least 2 and at most 4)")
	if !o.held.resume { // which takes the chunks of the run that was left
		flags.Var(&o.chunk, "chunk-size", "`SIZE` of a chunk to aim at (default: the connector's own)")
	}
	flags.Var(&o.memory, "memory", "`SIZE` of all batches in flight (default: 96MiB)")
	flags.StringVar(&o.lock, "lock", "", "`FILE` that sanitize lock wrote (default: POLICY with .lock, if it is there)")
	flags.BoolVar(&o.locked, "require-lock", false, "refuse a policy without a lock; with --require-signature, one whose lock is not signed itself")
	flags.BoolVar(&o.signed, "require-signature", false, "refuse a policy without a valid signature of itself or its lock")
	o.signatures.bind(flags)
	o.connectOptions.bind(flags)
	o.limits.bind(flags)
	o.held.bind(flags)
	o.bindFates(flags)
	flags.BoolVar(&o.json, "json", false, "print the summary as JSON to standard output")
	flags.StringVar(&o.summary, "summary", "", "`FILE` to which the summary is written as JSON, once the target has been promoted")
	flags.BoolVar(&o.quiet, "quiet", false, "print nothing but warnings and errors")
}

func (o *runOptions) check(cmd *cobra.Command) error {
	for _, f := range []struct{ name, value string }{{"--policy", o.policy}, {"--from", o.from}, {"--to", o.to}} {
		if f.value == "" {
			return usage(cmd, "%s is missing", f.name)
		}
	}
	if o.workers < 0 || o.workers > 64 {
		return usage(cmd, "--workers must be between 1 and 64")
	}
	if o.lockTimeout <= 0 {
		return usage(cmd, "--lock-timeout must be above 0")
	}
	if o.held.hold > 0 || o.held.snapshot != "" || o.held.resume {
		o.limits.beside = 1 // the process that holds the snapshot has a session of its own
	}
	if err := o.limits.check(cmd, &o.workers); err != nil {
		return err
	}
	if err := o.held.check(cmd); err != nil {
		return err
	}
	if err := o.checkSummary(cmd); err != nil {
		return err
	}
	if o.signed {
		return o.signatures.check(cmd)
	}
	for _, name := range []string{"allowed", "signature", "threshold"} {
		if cmd.Flags().Changed(name) {
			return usage(cmd, "--%s is for --require-signature, which is missing", name)
		}
	}
	return nil
}

func newRun(u *ui) *cobra.Command {
	var o runOptions
	cmd := command{
		use:   "run --policy POLICY --from SOURCE --to TARGET",
		short: "copy a snapshot of the source, masked by the policy, to the target",
		long: `Run copies one consistent snapshot of the source to the target, masked by the
policy. The copy is built aside, verified, and put in the target's place in one
step; the former copy is there until then. A target that exists and was not
made by sanitize is refused.

A lock beside the policy, shop.lock beside shop.yaml, is obeyed, and one that
--lock names: a policy other than the locked one, and a database that has
drifted from the lock, are refused with the lines to add. With
--require-signature a policy that no allowed signer has signed, itself or by its
lock, is refused before anything is opened. With --require-lock a run without a
lock is refused; with both, the lock itself has to be signed.

The first Ctrl-C finishes the chunks in flight and stops. When all rows are in it
stops at once, while indexes and keys are made; once the copy is being sealed it
stops nothing, and the copy is put in its place. The second stops at once. A run that
was stopped leaves the target as it was; a copy that is being put in its place already
gets there.

With --summary the summary that --json prints is written to a file, which the audit
takes as evidence. It is made before anything is read of the source, beside its place
and under a name that begins with a dot, and stands in its place once the target has
been promoted. A run that fails or is interrupted removes it; one that is killed may
leave it. A run whose summary cannot be written in the end says that the target has
been promoted, and ends with 1.

With --hold-snapshot another process holds the snapshot, and a run that was
interrupted, killed, or lost a connection can be resumed: sanitize resume. With
--snapshot the run joins a snapshot that sanitize hold holds.`,
		example: `  sanitize run --policy shop.yaml --from sqlite:shop.db --to sqlite:discovery.db
  sanitize run --policy shop.yaml --from service=prod --to postgres://owner@test/shop_discovery --json > summary.json
  sanitize run --policy shop.yaml --from service=prod --to postgres://owner@test/shop_discovery --hold-snapshot=2h`,
		run: func(cmd *cobra.Command, _ []string) error { return runCopy(cmd, u, &o) },
	}.build(u)
	o.bind(cmd.Flags())
	return cmd
}

// runCopy is the command: one copy, and what to say of it.
func runCopy(cmd *cobra.Command, u *ui, o *runOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	u.quiet = o.quiet
	limitMemory(o.memory)
	m, err := o.mandate(u)
	if err != nil {
		return err
	}
	// Until all has been said: a signal must not end a run that has a file aside.
	ctx, halt, stop := interrupts(cmd.Context(), u)
	defer stop()
	file, err := o.summaryFile()
	if err != nil {
		return err
	}
	summary, err := copyDatabase(ctx, u, o, m, halt)
	if err != nil {
		if file != nil {
			file.remove()
		}
		if ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, pipeline.ErrInterrupted) {
			err = errors.Join(pipeline.ErrInterrupted, err) // before the run had begun
		}
		return o.held.refused(u, o, err)
	}
	summary.Warnings = u.warned.list()
	return o.report(u, summary, file)
}

// mandate is what a run goes by.
type mandate struct {
	policy *policies.Policy
	lock   *policies.Lock // nil if there is none
	key    *masking.Key
}

// mandate reads what the run goes by, and refuses what was not approved as it was asked for.
// It needs no connection and comes first: a mistake in the policy costs no login.
func (o *runOptions) mandate(u *ui) (*mandate, error) {
	policy, err := readPolicy(o.policy)
	if err != nil {
		return nil, err
	}
	if err := guardHost(policy, o.to); err != nil {
		return nil, err
	}
	if err := o.held.suit(policy); err != nil {
		return nil, err
	}
	lock, lockPath, lockText, err := loadLock(o.lock, policy)
	if err != nil {
		return nil, err
	}
	if o.locked && lock == nil {
		return nil, &policyError{&policies.SignatureError{Reason: "there is no lock: " + besidePolicy(o.policy) + " does not exist",
			Help: "make it with: sanitize lock " + o.policy + ", or name another by --lock"}}
	}
	if o.signed {
		if err := policy.CheckPins(); err != nil {
			return nil, err
		}
		if _, err := o.signatures.require(policy, lockPath, lockText, o.locked); err != nil {
			return nil, err
		}
	}
	if lock != nil {
		u.Say("obeys the lock %s (sha256 %.6x…)", lockPath, sha256.Sum256(lockText))
	}
	// Only now: an unsigned policy runs no command that it names.
	key, err := policyKey(policy)
	if err != nil {
		return nil, err
	}
	return &mandate{policy, lock, key}, nil
}

// copyDatabase does what `sanitize run` does, from opening the ends to the promoted target,
// with progress. Of the two ways to stop it halt is the first, and the end of ctx the second.
func copyDatabase(ctx context.Context, u *ui, o *runOptions, m *mandate, halt *halt) (summary *pipeline.Summary, err error) {
	source, err := openSource(ctx, o.from, o.limits.connector(o.options(u)))
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, "source", source.Close()) }()
	sink, err := openSink(ctx, o.to, o.options(u))
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, "target", sink.Close()) }()

	progress := newProgress(u)
	defer progress.Close()
	halt.progress.Store(progress)
	var filters map[catalog.TableID]connectors.Filter
	var blame func(error) error
	var noted *policies.Compiled
	run := pipeline.Run{
		Source:   source,
		Sink:     sink,
		Observer: progress,
		Compile: func(ctx context.Context, s connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
			if m.lock != nil {
				warnings, err := policies.CheckLock(m.policy, m.lock, s.Catalog())
				if err != nil {
					return nil, nil, err
				}
				for _, w := range warnings {
					u.Warn(w)
				}
			}
			compiled, err := policies.Compile(m.policy, s.Catalog(), m.key, masking.Standard(), policies.WithRows(counting{ctx, s}))
			if err != nil {
				return nil, nil, err
			}
			filters = filtersOf(compiled, s.Catalog())
			blame = func(err error) error { return blamePolicy(err, compiled, s.Catalog()) }
			noted = compiled
			tellFates(u, fatesOf(s.Catalog(), compiled))
			for _, w := range compiled.Warnings {
				u.Warn(w)
			}
			if m.lock != nil {
				differs := m.lock.CheckRun(compiled.Fingerprint)
				if o.signed && len(differs) > 0 {
					return nil, nil, otherRun(m.policy, differs)
				}
				for _, w := range differs {
					u.Warn(w)
				}
			}
			fingerprint := pipeline.Fingerprint(maps.Clone(compiled.Fingerprint))
			// A run that goes on must bring the same objects along.
			for part, names := range map[string][]string{"kept objects (--keep-object, --grants)": o.kept(), "extensions left behind (--leave-extension)": o.leave} {
				if len(names) > 0 {
					fingerprint[part] = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q", slices.Sorted(slices.Values(names)))))
				}
			}
			return compiled.Plan, fingerprint, nil
		},
		Filters: func(*catalog.Catalog) (map[catalog.TableID]connectors.Filter, error) { return filters, nil },
		Options: pipeline.Options{
			Workers:     o.workers,
			ChunkBytes:  int64(o.chunk),
			MemoryBytes: int64(o.memory),
			Drain:       halt.drain,
			Limits:      o.limits.run(),
		},
	}
	summary, err = o.held.execute(ctx, u, o, &run, progress)
	if blame != nil {
		err = blame(err)
	}
	if summary != nil && noted != nil {
		summary.LeftBehind = withClear(summary.LeftBehind, noted)
	}
	return summary, err
}

// otherRun refuses a run that is asked for as it was approved, and would be another one.
func otherRun(p *policies.Policy, differs []string) error {
	var errs policies.Errors
	for _, d := range differs {
		errs = append(errs, policies.Diagnostic{File: p.File, Code: policies.Drift, Message: d,
			Help: "--require-signature asks for what was approved: make the lock anew, and have it signed"})
	}
	return errs
}

// counting lets the transforms of a policy read the values of a snapshot.
type counting struct {
	ctx      context.Context
	snapshot connectors.Snapshot
}

// Values implements policies.Rows.
func (c counting) Values(tables []catalog.TableID, column string, f *policies.RowFilter, limit, bytes int) (*masking.Values, error) {
	counter, ok := c.snapshot.(connectors.Counter)
	v := &connectors.Values{}
	for _, table := range tables {
		if !ok {
			return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide,
				Op: fmt.Sprintf("count the values of %s.%s", table, column), Err: errors.New("this source cannot count values")}
		}
		more, err := counter.Values(c.ctx, table, column, filterOf(f), limit, bytes)
		if err != nil {
			return nil, err
		}
		if v = v.Merge(more); v.Exceed(limit, bytes) {
			return nil, connectors.TooManyValues(table, column, limit, bytes)
		}
	}
	return &masking.Values{Texts: v.Texts, Counts: v.Counts, Nulls: v.Nulls}, nil
}

// closing joins what closing one end says to the run's own error. After a run
// that succeeded it is no failure: the target has been promoted.
func closing(err error, what string, cerr error) error {
	if err == nil || cerr == nil {
		return err
	}
	return errors.Join(err, fmt.Errorf("close %s: %w", what, cerr))
}

// loadPolicy reads a policy and its key.
func loadPolicy(path string) (*policies.Policy, *masking.Key, error) {
	p, err := readPolicy(path)
	if err != nil {
		return nil, nil, err
	}
	key, err := policyKey(p)
	return p, key, err
}

// readPolicy reads a policy without its key.
func readPolicy(path string) (*policies.Policy, error) {
	if err := regular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &policyError{err}
	}
	p, err := policies.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &policyError{fmt.Errorf("policy %s does not exist", path)}
	case err != nil:
		return nil, &policyError{err}
	}
	return p, nil
}

// policyKey reads the key of a policy, from a file or from a command that the policy names.
func policyKey(p *policies.Policy) (*masking.Key, error) {
	key, err := p.Key()
	if err != nil {
		return nil, &policyError{err}
	}
	return key, nil
}
