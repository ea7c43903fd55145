package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Run copies a source to a sink, once.
type Run struct {
	Source connectors.Source
	Sink   connectors.Sink
	// Compile makes the plan for the snapshot, from its catalog and, where a transform
	// is made of a column's values, from these; and says what shapes the output. An
	// undecided column is an error of its, and stops the run.
	Compile func(context.Context, connectors.Snapshot) (*masking.Plan, Fingerprint, error)
	// Filters says which rows of which tables are copied; nil, or a table that it does
	// not name, is all rows. It is called once, after Compile. A filter of a partitioned
	// table is one for all its partitions.
	Filters func(*catalog.Catalog) (map[catalog.TableID]connectors.Filter, error)
	// Snapshot is the token of a snapshot that another process holds, which is joined
	// then; empty opens one. Of a held snapshot a build that an interrupt or a lost
	// connection has cut short is left aside, for Resume.
	Snapshot string
	// Dispatcher runs the chunks; nil is Local(Options.Workers).
	Dispatcher Dispatcher
	// Observer is told how it goes; nil is Silence.
	Observer Observer
	Options  Options
}

// Options bound a run. The zero value is good.
type Options struct {
	Workers     int           // chunks copied at once; 0 is DefaultWorkers
	ChunkBytes  int64         // aimed at; 0 is the connector's own
	MemoryBytes int64         // of all batches in flight; 0 is DefaultMemory
	Retries     int           // of one chunk; 0 is 3, −1 is none
	RetryWait   time.Duration // before the first retry, doubled for each further; 0 is 200 ms
	Limits      Limits        // what the source is spared
	// Drain, when it is closed, stops the run after the chunks in flight. Nil never does.
	Drain <-chan struct{}
	// Allocator makes the masked arrays; nil is Go's.
	Allocator memory.Allocator
}

// DefaultWorkers is how many chunks are copied at once if nobody says: the number of
// cores, at least 2 and at most 4.
func DefaultWorkers() int { return min(max(runtime.GOMAXPROCS(0), 2), 4) }

// DefaultMemory is how many bytes all batches in flight may hold if nobody says.
const DefaultMemory = 96 << 20

func (o *Options) fill() {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers()
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = DefaultMemory
	}
	switch {
	case o.Retries == 0:
		o.Retries = 3
	case o.Retries < 0:
		o.Retries = 0
	}
	if o.RetryWait <= 0 {
		o.RetryWait = 200 * time.Millisecond
	}
	if o.Allocator == nil {
		o.Allocator = memory.NewGoAllocator()
	}
}

// Do runs. It returns a summary when the target has been promoted and nil with
// an error otherwise; then the target is as it was, unless
// connectors.Changed says otherwise. It does not close Source and Sink. Of Do and Resume call one, once.
func (r *Run) Do(ctx context.Context) (*Summary, error) {
	return r.execute(ctx, (*execution).do)
}

func (r *Run) execute(ctx context.Context, do func(*execution, context.Context) error) (*Summary, error) {
	r.Options.fill()
	if !r.Sink.Properties().ParallelLoads {
		r.Options.Workers = 1
	}
	if r.Dispatcher == nil {
		r.Dispatcher = Local(r.Options.Workers)
	}
	if r.Observer == nil {
		r.Observer = Silence{}
	}
	x := &execution{run: r, summary: &Summary{Run: newRunID(), Began: time.Now()}}
	err := do(x, ctx)
	x.endPhase()
	// What cannot be closed behind a promotion is no failure: the target is the new copy.
	if err != nil && !x.promoted {
		if ctx.Err() != nil && !errors.Is(err, ErrInterrupted) && !connectors.Changed(err) {
			err = errors.Join(ErrInterrupted, err)
		}
		return nil, &PhaseError{Phase: x.phase, Err: err, Kept: x.kept}
	}
	x.summary.Took = time.Since(x.summary.Began)
	return x.summary, nil
}

// newRunID returns 12 letters and digits.
func newRunID() string {
	var b [8]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:12]
}

// execution is the state of one Do.
type execution struct {
	run      *Run
	summary  *Summary
	phase    Phase
	since    time.Time
	left     *connectors.Unfinished // what a run that goes on has found; nil of a new one
	kept     bool                   // the build was left aside
	promoted bool
	origin   string   // of which database; see there
	pace     *pace    // of the readers
	monitor  *monitor // of the snapshot, while it is open
	let      bool     // the snapshot has been let go: all rows are in
}

// begin begins a phase, unless the run was asked to stop. What has been sealed is
// promoted all the same: that is one step, and the copy is whole.
func (x *execution) begin(p Phase) error {
	x.endPhase()
	x.phase, x.since = p, time.Now()
	x.run.Observer.PhaseBegan(p)
	if p != Promote && closed(x.run.Options.Drain) {
		return ErrInterrupted
	}
	return nil
}

func (x *execution) endPhase() {
	if x.phase != "" {
		x.summary.Phases = append(x.summary.Phases, PhaseTime{x.phase, time.Since(x.since)})
	}
}

func (x *execution) do(ctx context.Context) (err error) {
	r := x.run
	if err := x.preflight(ctx); err != nil {
		return err
	}

	if err := x.begin(Open); err != nil {
		return err
	}
	var snapshot connectors.Snapshot
	if r.Snapshot == "" {
		snapshot, err = r.Source.Open(ctx)
	} else {
		snapshot, err = join(ctx, r.Source, r.Snapshot)
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
	if err := x.begin(Prepare); err != nil {
		return err
	}
	return chosen.explain(snapshot.Catalog(), x.build(ctx, snapshot, plan, chosen))
}

// compile makes the plan, and the fingerprint of what shapes the output.
func (x *execution) compile(ctx context.Context, snapshot connectors.Snapshot) (*masking.Plan, filters, error) {
	r := x.run
	if err := x.begin(Compile); err != nil {
		return nil, nil, err
	}
	x.summary.Snapshot = snapshot.Token()
	if d, ok := snapshot.(connectors.Dated); ok {
		instant := d.Instant()
		x.summary.Instant = &instant
	}
	if t, ok := snapshot.(connectors.Timed); ok {
		x.summary.SnapshotAt = t.Taken().UTC()
	}
	plan, fingerprint, err := r.Compile(ctx, snapshot)
	if err != nil {
		return nil, nil, err
	}
	f := maps.Clone(fingerprint)
	if f == nil {
		f = Fingerprint{}
	}
	f[partSnapshot] = snapshot.Token()
	f[partChunks] = strconv.FormatInt(r.Options.ChunkBytes, 10)
	if x.origin != "" {
		f[partSource] = x.origin
	}
	x.summary.Fingerprint = f

	var chosen filters
	if r.Filters != nil {
		if chosen, err = r.Filters(snapshot.Catalog()); err != nil {
			return nil, nil, err
		}
		if err := chosen.check(snapshot.Catalog()); err != nil {
			return nil, nil, err
		}
	}
	if digest := chosen.digest(); digest != "" {
		f["rows"] = digest
	}
	return plan, chosen, nil
}

// preflight reaches both ends and refuses what must never run.
func (x *execution) preflight(ctx context.Context) error {
	if err := x.begin(Preflight); err != nil {
		return err
	}
	source, err := x.run.Source.Identity(ctx)
	if err != nil {
		return err
	}
	target, err := x.run.Sink.Identity(ctx)
	if err != nil {
		return err
	}
	x.summary.Source, x.summary.Target = source.Display, target.Display
	x.origin = origin(source)
	if source.Same(target) {
		return &connectors.Error{
			Kind: connectors.KindGuard,
			Op:   "guard " + target.Display,
			Err:  errors.New("source and target are the same database"),
			Hint: "give --to another database: a run replaces its target",
		}
	}
	// Engines may share a form of rows; definitions they do not share.
	from, to := x.run.Source.Properties(), x.run.Sink.Properties()
	if from.Connector != to.Connector || !slices.ContainsFunc(from.Formats, func(f connectors.WireFormat) bool { return slices.Contains(to.Formats, f) }) {
		return &connectors.Error{
			Kind: connectors.KindUsage,
			Op:   "copy to " + target.Display,
			Err:  fmt.Errorf("rows of %s cannot be loaded into %s", from.Connector, to.Connector),
			Hint: "name a target of the same engine as the source",
		}
	}
	if s, ok := x.run.Source.(connectors.Suiter); ok {
		s.Suit(to)
	}
	return nil
}

// build builds aside, copies, verifies and promotes; or aborts.
func (x *execution) build(ctx context.Context, snapshot connectors.Snapshot, plan *masking.Plan, chosen filters) error {
	r := x.run
	s, err := newSchedule(ctx, r, snapshot, plan, chosen)
	if err != nil {
		return err
	}
	definitions, err := snapshot.Definitions(ctx)
	if err != nil {
		return err
	}
	definitions = s.withoutCounts(definitions, snapshot.Catalog())
	build, err := r.Sink.Begin(ctx, connectors.BuildSpec{
		Run:         x.summary.Run,
		Fingerprint: x.summary.Fingerprint,
		Catalog:     snapshot.Catalog(),
		Definitions: definitions,
		Chunks:      s.chunks,
		Workers:     r.Options.Workers,
		Derived:     s.derived(),
	})
	if err != nil {
		return err
	}
	x.summary.LeftBehind = definitions.LeftBehind
	return x.complete(ctx, snapshot, build, s)
}

// complete copies what the build lacks, finishes, seals and promotes it; or aborts it,
// or leaves it aside.
func (x *execution) complete(ctx context.Context, snapshot connectors.Snapshot, build connectors.Build, s *schedule) (err error) {
	defer func() { err = x.end(ctx, build, err) }()
	if err := x.rounds(ctx, snapshot, build, s); err != nil {
		return err
	}
	x.letGo(snapshot)
	if err := x.begin(Seal); err != nil {
		return err
	}
	rows := map[catalog.TableID]int64{}
	for _, t := range x.summary.Tables {
		rows[t.Table] = t.Rows
	}
	if err := build.Seal(ctx, rows); err != nil {
		return err
	}
	if err := x.begin(Promote); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := build.Promote(ctx); err != nil {
		return err
	}
	x.promoted = true
	return nil
}

// work makes jobs of the schedule, and opens the ledger.
func (x *execution) work(ctx context.Context, snapshot connectors.Snapshot, build connectors.Build, s *schedule) (*Ledger, error) {
	r := x.run
	ledger, err := OpenLedger(ctx, build)
	if err != nil {
		return nil, err
	}
	budget := newBudget(r.Options.MemoryBytes, r.Options.Workers)
	for _, t := range s.tables {
		if len(t.chunks) == 0 {
			continue
		}
		s.jobs[t.table.ID] = &job{snapshot: x.pace.snapshot(snapshot), build: build, layout: t.layout, plan: t.plan, budget: budget, mem: r.Options.Allocator}
	}
	r.Observer.Scheduled(s.estimates())
	return ledger, nil
}

// count notes what the ledger holds of each table.
func (x *execution) count(s *schedule, ledger *Ledger) {
	totals := ledger.Totals()
	x.summary.Tables, x.summary.Rows, x.summary.Bytes = nil, 0, 0
	for _, t := range s.tables {
		if !t.table.StoresRows() {
			continue
		}
		sum := totals[t.table.ID]
		sum.Table, sum.Dropped = t.table.ID, t.plan.Drop()
		x.summary.Tables = append(x.summary.Tables, sum)
		x.summary.Rows += sum.Rows
		x.summary.Bytes += sum.Bytes
	}
}
