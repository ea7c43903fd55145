package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Parts of a fingerprint that the pipeline itself adds.
const (
	partSnapshot = "snapshot"
	partChunks   = "chunk bytes"
	partSource   = "source"
)

// origin is the part of a fingerprint that says which database was read: a digest, since
// the ledger stands at the target. Empty of a server that does not tell which it is.
func origin(source connectors.Identity) string {
	if source.Server == "" {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q", source.Server, source.Database)))
}

// ResumeError is a refusal to go on: what was left belongs to another run, or its
// snapshot is lost. Nothing has been changed.
type ResumeError struct {
	Target  string
	Reason  string
	Differs []string // parts of the fingerprint
	Cost    *Cost    // of a new run; nil if nothing was left
	Err     error    // cause; may be nil
}

// Error returns what cannot be resumed, and why.
func (e *ResumeError) Error() string {
	return fmt.Sprintf("resume %s: %s", e.Target, e.Why())
}

// Why returns the reason, with the parts that differ.
func (e *ResumeError) Why() string {
	if len(e.Differs) == 0 {
		return e.Reason
	}
	return e.Reason + ": " + strings.Join(e.Differs, ", ")
}

// Unwrap returns the cause.
func (e *ResumeError) Unwrap() error { return e.Err }

// Hint returns what to do.
func (e *ResumeError) Hint() string { return "run anew" }

// Cost is what a new run has to do again, by the schedule of the one that was left.
type Cost struct {
	Chunks int   `json:"chunks"`
	Rows   int64 `json:"rows"`  // estimate
	Bytes  int64 `json:"bytes"` // estimate, as the source stores them
	// LoadedChunks, LoadedRows and LoadedBytes had been loaded, LoadedBytes by the
	// estimate of Bytes, within Took.
	LoadedChunks int           `json:"loaded_chunks"`
	LoadedRows   int64         `json:"loaded_rows"`
	LoadedBytes  int64         `json:"loaded_bytes"`
	Took         time.Duration `json:"took_ns"`
}

// CostOf returns what a run that goes on with the build would be spared.
func CostOf(u *connectors.Unfinished) *Cost {
	c := &Cost{Chunks: len(u.Chunks)}
	done := make(map[string]bool, len(u.Receipts))
	for _, r := range u.Receipts {
		done[r.Chunk] = true
		c.LoadedRows += r.Rows
	}
	for _, k := range u.Chunks {
		c.Rows += k.Rows
		c.Bytes += k.Bytes
		if done[k.ID] {
			c.LoadedChunks++
			c.LoadedBytes += k.Bytes
		}
	}
	c.Rows = max(c.Rows, c.LoadedRows)
	if u.Last.After(u.Began) {
		c.Took = u.Last.Sub(u.Began)
	}
	return c
}

// Resume goes on with the build that the last run has left aside: what its ledger holds
// is not done again. It refuses, with a ResumeError, when nothing was left, when the
// snapshot is lost, and when any part of the fingerprint is another. Otherwise it is like Do.
func (r *Run) Resume(ctx context.Context) (*Summary, error) {
	return r.execute(ctx, (*execution).resume)
}

func (x *execution) resume(ctx context.Context) (err error) {
	r := x.run
	if err := x.preflight(ctx); err != nil {
		return err
	}
	refuse := func(reason string) *ResumeError { return &ResumeError{Target: x.summary.Target, Reason: reason} }
	resumer, ok := r.Sink.(connectors.Resumer)
	if !ok || !r.Source.Properties().JoinableSnapshot {
		return refuse("a snapshot of " + r.Source.Properties().Connector + " ends with the process that opened it, so that there is nothing to go on with")
	}
	left, err := resumer.Unfinished(ctx)
	if err != nil {
		return err
	}
	if left == nil {
		return refuse("no run has left a build of it that could be gone on with")
	}
	x.left, x.summary.Run = left, left.Run
	refuse = func(reason string) *ResumeError {
		return &ResumeError{Target: x.summary.Target, Reason: reason, Cost: CostOf(left)}
	}
	// Before anything is joined: the token of one server means nothing to another.
	was := left.Fingerprint[partSource]
	if was != "" && x.origin != "" && was != x.origin {
		other := refuse("what was left is of another database, or of a server that was restarted since; it differs in")
		other.Differs = []string{partSource}
		return other
	}
	x.origin = was // where one of both is not known, there is nothing to compare

	if err := x.begin(Open); err != nil {
		return err
	}
	snapshot, err := join(ctx, r.Source, left.Fingerprint[partSnapshot])
	if kind, _ := connectors.KindOf(err); kind == connectors.KindSnapshot {
		lost := refuse("nobody holds its snapshot any more")
		lost.Err = err
		return lost
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	ctx, finish := x.watch(ctx, snapshot)
	defer func() { err = finish(err) }()
	plan, chosen, err := x.compile(ctx, snapshot)
	if err != nil {
		return err
	}
	if r.Options.ChunkBytes == 0 {
		// The chunks are those of the ledger, whatever they were made by.
		x.summary.Fingerprint[partChunks] = left.Fingerprint[partChunks]
	}
	if differs := x.summary.Fingerprint.Differences(left.Fingerprint); len(differs) > 0 {
		other := refuse("what was left belongs to another run, which differs in")
		other.Differs = differs
		return other
	}

	if err := x.begin(Prepare); err != nil {
		return err
	}
	s, err := newSchedule(ctx, r, chunked(snapshot, left.Chunks), plan, chosen)
	if err != nil {
		return err
	}
	build, err := resumer.Resume(ctx, connectors.BuildSpec{
		Run:         left.Run,
		Fingerprint: left.Fingerprint,
		Catalog:     snapshot.Catalog(),
		Definitions: left.Definitions,
		Chunks:      left.Chunks,
		Workers:     r.Options.Workers,
		Derived:     s.derived(),
	})
	if err != nil {
		return err
	}
	x.summary.LeftBehind = left.Definitions.LeftBehind
	return chosen.explain(snapshot.Catalog(), x.complete(ctx, snapshot, build, s))
}

// join joins a snapshot that another process holds.
func join(ctx context.Context, source connectors.Source, token string) (connectors.Snapshot, error) {
	if j, ok := source.(connectors.Joiner); ok && source.Properties().JoinableSnapshot {
		return j.Join(ctx, token)
	}
	return nil, &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: "join a snapshot",
		Err:  fmt.Errorf("one of %s cannot be joined by another process", source.Properties().Connector),
		Hint: "run without a held snapshot"}
}

// ledgerChunks is a snapshot whose tables are split as a ledger says.
type ledgerChunks struct {
	connectors.Snapshot
	chunks map[catalog.TableID][]connectors.Chunk
}

func chunked(s connectors.Snapshot, chunks []connectors.Chunk) *ledgerChunks {
	l := &ledgerChunks{s, map[catalog.TableID][]connectors.Chunk{}}
	for _, c := range chunks {
		l.chunks[c.Table] = append(l.chunks[c.Table], c)
	}
	return l
}

// Split implements connectors.Snapshot.
func (l *ledgerChunks) Split(_ context.Context, id catalog.TableID, _ int64) ([]connectors.Chunk, error) {
	return l.chunks[id], nil
}

// Filter implements connectors.Filterer.
func (l *ledgerChunks) Filter(ctx context.Context, layout *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	if filterer, ok := l.Snapshot.(connectors.Filterer); ok {
		return filterer.Filter(ctx, layout, f)
	}
	return nil, connectors.FilterError(layout.Table.ID, errors.New("this source cannot leave rows behind"), "")
}

// rounds copies and finishes. What a sink that is a Resumer has made is not made twice:
// there a lost connection, or a restart of the target that has cost the last commits,
// costs another round and not the run.
func (x *execution) rounds(ctx context.Context, snapshot connectors.Snapshot, build connectors.Build, s *schedule) error {
	r := x.run
	if err := x.begin(Copy); err != nil {
		return err
	}
	ledger, err := x.work(ctx, snapshot, build, s)
	if err != nil {
		return err
	}
	x.found(s, ledger)
	var retries atomic.Int64
	_, again := r.Sink.(connectors.Resumer)
	for round := 1; ; round++ {
		err := x.round(ctx, snapshot, build, s, ledger, func() { retries.Add(1) }, again)
		x.summary.Retries = int(retries.Load())
		if err == nil {
			x.count(s, ledger)
			return nil
		}
		var spent *spentError
		if !again || round > r.Options.Retries || !connectors.Retryable(err) || errors.As(err, &spent) || ctx.Err() != nil {
			return err
		}
		retries.Add(1)
		if o, ok := r.Observer.(ResumeObserver); ok {
			o.PhaseRetried(x.phase, round, err)
		}
		select {
		case <-time.After(r.Options.RetryWait << (round - 1)):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
		if _, rerr := ledger.Reload(ctx, nil); rerr != nil && !connectors.Retryable(rerr) {
			return errors.Join(err, rerr)
		}
		if err := x.begin(Copy); err != nil {
			return err
		}
	}
}

func (x *execution) round(ctx context.Context, snapshot connectors.Snapshot, build connectors.Build, s *schedule, ledger *Ledger, retried func(), again bool) error {
	began := x.since
	err := s.copy(ctx, x.run, build, ledger, retried, func(ctx context.Context) error { return x.settle(ctx, snapshot, build) })
	x.summary.Loaded += s.loaded.Sub(began)
	if err != nil {
		return err
	}
	if err := x.vouch(ctx, snapshot); err != nil {
		return err
	}
	whole := func() error {
		if !again {
			return nil
		}
		missing, err := ledger.Reload(ctx, s.chunks)
		if err != nil || missing == 0 {
			return err
		}
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SinkSide, Retry: true, Op: "read ledger",
			Err: fmt.Errorf("%d chunks that were committed are not there: the target's server has lost its last commits", missing)}
	}
	if err := whole(); err != nil {
		return err
	}
	if err := x.begin(Finish); err != nil {
		return err
	}
	if err := drained(ctx, x.run.Options.Drain, build.Finish); err != nil {
		return err
	}
	return whole()
}

// vouch returns nil if all rows that were read are of the snapshot.
func (x *execution) vouch(ctx context.Context, snapshot connectors.Snapshot) error {
	if v, ok := snapshot.(connectors.Voucher); ok && !x.let {
		return v.Vouch(ctx)
	}
	return nil
}

// settle lets the snapshot go once all rows are in, while indexes are still being made,
// unless the target may lose rows that would have to be read again.
func (x *execution) settle(ctx context.Context, snapshot connectors.Snapshot, build connectors.Build) error {
	settler, ok := build.(connectors.Settler)
	if !ok || x.let {
		return nil
	}
	if safe, err := settler.Settle(ctx); err != nil || !safe {
		return err
	}
	if err := x.vouch(ctx, snapshot); err != nil {
		return err
	}
	x.letGo(snapshot)
	return nil
}

// letGo ends the snapshot and the watch over it: no row of it will be needed. The source can
// clean up behind its writers again, and alter its tables; where another process holds the
// snapshot it cannot before the run ends, and until then the snapshot may become too old.
func (x *execution) letGo(snapshot connectors.Snapshot) {
	if x.let {
		return
	}
	x.let = true
	if x.held() {
		x.monitor.hush()
	} else {
		x.monitor.end()
	}
	// It was only read, and all of it has arrived: what fails when it is closed has cost nothing.
	snapshot.Close()
}

// held reports whether another process holds the snapshot.
func (x *execution) held() bool { return x.run.Snapshot != "" || x.left != nil }

// drained runs f, which is not divided into chunks, until drain is closed: then the context
// that it was given ends, and the error is ErrInterrupted, unless f has been done by then.
func drained(ctx context.Context, drain <-chan struct{}, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	onDrain(ctx, drain, cancel)
	return interrupted(ctx, f(ctx))
}

// onDrain cancels ctx with ErrInterrupted when drain is closed, unless it has ended before.
func onDrain(ctx context.Context, drain <-chan struct{}, cancel context.CancelCauseFunc) {
	go func() {
		select {
		case <-drain:
			cancel(ErrInterrupted)
		case <-ctx.Done():
		}
	}()
}

// interrupted returns ErrInterrupted for whatever broke since onDrain has cancelled ctx.
func interrupted(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrInterrupted) {
		return ErrInterrupted
	}
	return err
}

// found tells of what had been done before a run that goes on.
func (x *execution) found(s *schedule, ledger *Ledger) {
	if x.left == nil {
		return
	}
	found := &Resumed{Began: x.left.Began}
	tables := map[catalog.TableID]FoundTable{}
	for id, t := range ledger.Totals() {
		found.Chunks += t.Chunks
		found.Rows += t.Rows
		found.Bytes += t.Bytes
		tables[id] = FoundTable{Chunks: t.Chunks, Rows: t.Rows, Bytes: t.Bytes}
	}
	for _, c := range s.chunks {
		if _, done := ledger.Lookup(c.ID); done {
			t := tables[c.Table]
			t.Chunked += c.Bytes
			tables[c.Table] = t
		}
	}
	x.summary.Resumed = found
	if o, ok := x.run.Observer.(ResumeObserver); ok {
		o.Resumed(*found, tables)
	}
}

// FoundTable is what a run that goes on has found of a table in the ledger.
type FoundTable struct {
	Chunks      int
	Rows, Bytes int64
	// Chunked is the sum of Chunk.Bytes of these chunks: so much of TableEstimate.Chunked
	// is done.
	Chunked int64
}

// end ends a build: a failed one is aborted, or left aside where Resume may go on with it.
func (x *execution) end(ctx context.Context, build connectors.Build, err error) error {
	if keeper, ok := build.(connectors.Keeper); ok && err != nil && x.phase != Promote && x.held() && mendable(ctx, err) {
		if kerr := keeper.Keep(); kerr != nil {
			return errors.Join(err, kerr, x.abort(build))
		}
		x.kept = true
		return err
	}
	return errors.Join(err, x.abort(build))
}

// abort aborts a build, and names it if it may not be gone.
func (x *execution) abort(build connectors.Build) error {
	if err := build.Abort(); err != nil {
		return &CleanupError{What: fmt.Sprintf("the build %s of %s", x.summary.Run, x.summary.Target), Err: err}
	}
	return nil
}

// mendable reports whether a run that failed so may get through when it goes on: it was
// asked to stop, or one of its ends was not to be had.
func mendable(ctx context.Context, err error) bool {
	if kind, _ := connectors.KindOf(context.Cause(ctx)); kind == connectors.KindSnapshot {
		return false // a snapshot that is too old is no younger when the run goes on
	}
	kind, _ := connectors.KindOf(err)
	return ctx.Err() != nil || errors.Is(err, ErrInterrupted) || kind == connectors.KindUnavailable || connectors.Retryable(err)
}

// spentError is the error of a chunk that is not tried again.
type spentError struct{ err error }

// Error returns the cause.
func (e *spentError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *spentError) Unwrap() error { return e.err }
