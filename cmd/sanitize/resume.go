package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// heldOptions say of which snapshot a run is, and whether it goes on with another.
type heldOptions struct {
	resume   bool
	hold     time.Duration // in another process; 0 holds it in this one
	snapshot string        // that sanitize hold holds
	once     bool          // the key ends with the run: nothing can go on with it
}

func (o *heldOptions) bind(flags *pflag.FlagSet) {
	if o.resume {
		return
	}
	flags.DurationVar(&o.hold, "hold-snapshot", 0, "hold the snapshot in another process for at most `TIME` (1h if it is not given), so that the run can be resumed")
	flags.Lookup("hold-snapshot").NoOptDefVal = defaultHold.String()
	flags.StringVar(&o.snapshot, "snapshot", "", "`TOKEN` of a snapshot that sanitize hold holds")
}

func (o *heldOptions) check(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if !flags.Changed("hold-snapshot") {
		if flags.Changed("snapshot") && o.snapshot == "" {
			return usage(cmd, "--snapshot is empty: has sanitize hold said its token?")
		}
		return nil
	}
	if flags.Changed("snapshot") {
		return usage(cmd, "--hold-snapshot opens a snapshot and --snapshot joins one: only one of them can be")
	}
	return checkHold(cmd, "--hold-snapshot", o.hold)
}

// suit refuses, before a snapshot is held for it, what could not be resumed whatever happens:
// an ephemeral key is another one in each process.
func (o *heldOptions) suit(p *policies.Policy) error {
	o.once = p.Keys[0].From == "ephemeral"
	why := fmt.Sprintf("the key of %s is ephemeral: what it has masked cannot be gone on with by another process, which has another key", p.File)
	const file = "the key from a file or a command: a run can then be resumed"
	switch {
	case o.once && o.resume:
		return &usageError{reason: "resume: " + why, help: "run anew: sanitize run; let the policy take " + file}
	case o.once && o.hold > 0:
		return &usageError{reason: "--hold-snapshot: " + why, help: "leave --hold-snapshot out, or take " + file}
	}
	return nil
}

func newResume(u *ui) *cobra.Command {
	o := runOptions{held: heldOptions{resume: true}}
	cmd := command{
		use:   "resume --policy POLICY --from SOURCE --to TARGET",
		short: "go on with the run that was left, from its ledger",
		long: `Resume goes on with a run of a held snapshot (run --hold-snapshot, or hold and
run --snapshot) that was interrupted, killed, or lost a connection. Chunks that the
ledger beside the target has are not copied again, nor are indexes and keys made
twice; the result is the one of the snapshot's instant, verified as that of any run.

It refuses with exit code 12, and changes nothing, when no run has left anything,
when policy, catalog, key, masking or the objects that come along are not those of
the run that was left (it says which), and when nobody holds the snapshot any more.
Then it says what a new run costs. A source that is another database is refused
before it is read.

A run of a held snapshot, or a resume, that ends with 10, 11 or 130 leaves its
build to be resumed, unless it was just putting it in the target's place: the message
names the command. 2, 3, 4 and 75 change nothing. After 6 and 12 it takes a new run,
which removes what was left: let a script make it after 12 alone.`,
		example: `  sanitize resume --policy shop.yaml --from service=prod --to postgres://owner@test/shop_discovery
  sanitize resume --policy shop.yaml --from service=prod --to service=discovery || { [ $? -eq 12 ] && sanitize run --policy shop.yaml --from service=prod --to service=discovery; }`,
		run: func(cmd *cobra.Command, _ []string) error { return runCopy(cmd, u, &o) },
	}.build(u)
	o.bind(cmd.Flags())
	return cmd
}

// execute runs or resumes, and sees to whoever holds the snapshot: it is held as long as
// there is something to resume.
func (o *heldOptions) execute(ctx context.Context, u *ui, r *runOptions, run *pipeline.Run, p *progress) (*pipeline.Summary, error) {
	begun := &begun{progress: p}
	run.Observer = begun
	left, err := leftToken(ctx, run.Sink) // by an earlier run, whose holder may be on this machine
	if err != nil {
		return nil, err
	}
	source := func() (connectors.Identity, error) {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), holderTimeout)
		defer cancel()
		return run.Source.Identity(clean)
	}
	end := func() {
		if left == "" || !begun.copying.Load() {
			return
		}
		identity, err := source()
		switch {
		case err == nil && releaseHolder(identity, left):
			u.Say("gave back the snapshot that was held for the run")
		case o.resume: // it was held when this run joined it
			u.Say("the holder of the snapshot cannot be told from here: if it has not ended, it holds the snapshot until its time is over")
		}
	}
	if o.resume {
		var tie net.Conn
		begun.sealing = func() {
			if identity, err := source(); err == nil {
				tie = tellHolder(identity, left, wordSealed)
			}
		}
		summary, err := run.Resume(ctx)
		if tie != nil {
			defer tie.Close()
		}
		if keptBuild(err) {
			if tie != nil {
				fmt.Fprintln(tie, wordBuilding) // sealing was what failed
			}
			return nil, &keptError{err: err, run: r}
		}
		end()
		return summary, err
	}
	run.Snapshot = o.snapshot
	var h *holder
	if o.hold > 0 {
		if err := joinable(run.Source, "--hold-snapshot"); err != nil {
			return nil, err
		}
		workers := run.Options.Workers
		if workers <= 0 {
			workers = pipeline.DefaultWorkers()
		}
		if h, err = startHolder(ctx, handing{From: r.from, LockTimeout: r.lockTimeout, For: o.hold, Workers: workers, Sessions: r.limits.sessions}); err != nil {
			return nil, err
		}
		u.Say("process %d holds the snapshot until %s", h.pid, timeOfDay(h.Until))
		for _, w := range h.Warnings {
			u.Warn(w)
		}
		if h.Deaf != "" {
			u.Warn(fmt.Sprintf("a run that resumes this one cannot end process %d, which then holds the snapshot until its time is over: %s", h.pid, h.Deaf))
		}
		run.Snapshot, begun.building, begun.sealing = h.Snapshot, h.building, h.sealed
	}
	ended := func() bool { return false }
	if h != nil {
		ended = h.watch(func() { u.Warn("the holder has ended: this run can no longer be resumed") })
	}
	summary, err := run.Do(ctx)
	lost := ended()
	if left != run.Snapshot {
		end() // the build of the earlier run is gone
	}
	switch {
	case h == nil && keptBuild(err) && o.once:
		return nil, &keptError{err: err, run: r, lost: "the key of the run was ephemeral, so that nothing can go on with what was left, which the next run removes"}
	case h == nil && keptBuild(err):
		return nil, &keptError{err: err, run: r, when: "while sanitize hold holds the snapshot"}
	case lost && keptBuild(err):
		return nil, &keptError{err: err, run: r, lost: "the holder of the snapshot has ended, so that there is nothing to go on with"}
	case h != nil && keptBuild(err):
		h.building() // again, if sealing was what failed
		h.leave()
		return nil, &keptError{err: err, run: r, when: fmt.Sprintf("until %s, while process %d holds the snapshot", timeOfDay(h.Until), h.pid)}
	case h != nil && !lost:
		h.release()
		u.Say("gave back the snapshot, %s old", duration(time.Since(h.began)))
	}
	return summary, err
}

// leftToken returns the token of the snapshot of a build that was left, or "". While another run
// holds the target that is said at once: before production holds a snapshot and locks for this one.
func leftToken(ctx context.Context, sink connectors.Sink) (string, error) {
	resumer, ok := sink.(connectors.Resumer)
	if !ok {
		return "", nil
	}
	left, err := resumer.Unfinished(ctx)
	if kind, _ := connectors.KindOf(err); err != nil && kind == connectors.KindBusy && ctx.Err() == nil {
		return "", err
	}
	if err != nil || left == nil {
		return "", nil // what is wrong is said by the run
	}
	return left.Fingerprint["snapshot"], nil
}

// begun is a progress that notes when there begins to be something to resume, and when that
// ends, which is while it seals. It tells the holder, if its functions are not nil, which then
// ends with the process: killed from there on, a run may leave nothing that anybody would
// resume.
type begun struct {
	*progress
	building, sealing func()
	copying           atomic.Bool
}

// PhaseBegan implements pipeline.Observer.
func (b *begun) PhaseBegan(phase pipeline.Phase) {
	if phase == pipeline.Copy && !b.copying.Swap(true) && b.building != nil {
		b.building()
	}
	if phase == pipeline.Seal && b.sealing != nil {
		b.sealing()
	}
	b.progress.PhaseBegan(phase)
}

// Resumed implements pipeline.ResumeObserver.
func (p *progress) Resumed(r pipeline.Resumed, tables map[catalog.TableID]pipeline.FoundTable) {
	p.u.Say("goes on: %s of %s had been loaded since %s", plural(int64(r.Chunks), "chunk"), plural(r.Rows, "row"), timeOfDay(r.Began))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += r.Rows
	p.bytes += r.Bytes
	for id, f := range tables {
		if t := p.byID[id]; t != nil {
			t.loaded += f.Chunks
			t.done += float64(f.Chunked)
			t.rows += f.Rows
			t.bytes += f.Bytes
		}
	}
	p.copies()
}

// PhaseRetried implements pipeline.ResumeObserver.
func (p *progress) PhaseRetried(phase pipeline.Phase, attempt int, cause error) {
	p.u.Warn(fmt.Sprintf("what is missing is done again (%s, attempt %d failed: %s)", phase, attempt, connectors.RedactURL(cause.Error())))
}

// keptBuild reports whether a run has left its build aside.
func keptBuild(err error) bool {
	var failed *pipeline.PhaseError
	return errors.As(err, &failed) && failed.Kept
}

// keptError is a failure that a resume can mend, unless lost says why none can.
type keptError struct {
	err        error
	run        *runOptions
	when, lost string
}

// Error returns the cause.
func (e *keptError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *keptError) Unwrap() error { return e.err }

// Hint returns how to go on.
func (e *keptError) Hint() string {
	hint := "go on with: " + e.resume() + ", and --from and --to as before"
	if e.lost != "" {
		hint = "run anew: " + e.lost
	}
	if e.when != "" {
		hint += " (" + e.when + ")"
	}
	if first := connectors.Hint(e.err); first != "" {
		hint = first + "; then " + hint
	}
	return hint
}

// resume is the command that goes on by the rules of the run: all of its flags that resume
// has too, save the connection strings, in which there may be passwords.
func (e *keptError) resume() string {
	words := []string{"sanitize resume"}
	anew := runOptions{held: heldOptions{resume: true}}
	known := pflag.NewFlagSet("resume", pflag.ContinueOnError)
	anew.bind(known)
	e.run.flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && known.Lookup(f.Name) != nil && f.Name != "from" && f.Name != "to" {
			words = append(words, flagWords(f)...)
		}
	})
	return strings.Join(words, " ")
}

// flagWords writes a flag as a shell takes it, with all of its values.
func flagWords(f *pflag.Flag) []string {
	name := "--" + f.Name
	if f.NoOptDefVal != "" {
		if f.Value.String() == f.NoOptDefVal {
			return []string{name}
		}
		return []string{name + "=" + shellWord(f.Value.String())}
	}
	values := []string{f.Value.String()}
	if many, ok := f.Value.(pflag.SliceValue); ok {
		values = many.GetSlice()
	}
	var words []string
	for _, v := range values {
		words = append(words, name, shellWord(v))
	}
	return words
}

// plainWord is what a shell takes as it is.
var plainWord = regexp.MustCompile(`^[\pL\pN_./:=@%+,-]+$`)

// shellWord writes a word as a shell takes it.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// resumeReport is what `sanitize resume --json` prints when it refuses.
type resumeReport struct {
	Refused string         `json:"refused"`
	Differs []string       `json:"differs,omitempty"`
	Cost    *pipeline.Cost `json:"cost,omitempty"`
}

// refused adds to a refusal to resume what a new run costs.
func (o *heldOptions) refused(u *ui, r *runOptions, err error) error {
	var e *pipeline.ResumeError
	if !errors.As(err, &e) {
		return err
	}
	if r.json {
		if jerr := u.JSON(resumeReport{Refused: e.Why(), Differs: e.Differs, Cost: e.Cost}); jerr != nil && !errors.Is(jerr, errUnread) {
			u.Warn(jerr.Error()) // the refusal is what the exit code tells
		}
	}
	return &refusal{err, e}
}

// refusal is a refusal to resume, for people.
type refusal struct {
	err    error
	resume *pipeline.ResumeError
}

// Error returns the reason.
func (e *refusal) Error() string { return e.resume.Error() }

// Unwrap returns the cause.
func (e *refusal) Unwrap() error { return e.err }

// Hint says what a new run costs, and what would be lost.
func (e *refusal) Hint() string {
	c := e.resume.Cost
	if c == nil {
		return "run anew: sanitize run"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "a new run copies about %s, %s, in all", plural(c.Rows, "row"), volume(c.Bytes))
	if c.LoadedChunks > 0 {
		fmt.Fprintf(&b, "; what was left has %s of them", plural(c.LoadedRows, "row"))
		if c.Bytes > 0 {
			fmt.Fprintf(&b, " (%.0f %%)", 100*float64(c.LoadedBytes)/float64(c.Bytes))
		}
		if c.Took > 0 {
			fmt.Fprintf(&b, ", loaded in %s", duration(c.Took))
		}
	}
	b.WriteString(": sanitize run, which removes what was left")
	return b.String()
}
