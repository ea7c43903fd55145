package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	dbmemory "github.com/sanitize-db/sanitize/connectors/memory"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

const users, orders = 900, 5_000

// shop is a server with the workload on it, and a key.
type shop struct {
	t      *testing.T
	db     *dbmemory.Database
	server *dbmemory.Server
	key    *masking.Key
}

func newShop(t *testing.T) *shop {
	t.Helper()
	key, err := masking.KeyFromBytes(bytes.Repeat([]byte{7}, masking.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, db: dbmemory.New("shop"), key: key}
	s.server = s.db.Server()
	if err := pipelinetest.Workload(s.db, users, orders); err != nil {
		t.Fatal(err)
	}
	return s
}

// run returns a run from the shop to the target discovery, struck by chaos.
func (s *shop) run(chaos *pipelinetest.Chaos) *pipeline.Run {
	s.t.Helper()
	source, err := s.server.OpenSource(s.t.Context(), s.db.DSN(), connectors.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	sink, err := s.server.OpenSink(s.t.Context(), "memory:discovery", connectors.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := errors.Join(source.Close(), sink.Close()); err != nil {
			s.t.Error(err)
		}
	})
	if chaos != nil {
		source, sink = chaos.Source(source), chaos.Sink(sink)
	}
	return &pipeline.Run{
		Source: source, Sink: sink, Compile: pipelinetest.Compile(s.key),
		Options: pipeline.Options{Workers: 3, ChunkBytes: 8 << 10, RetryWait: time.Microsecond},
	}
}

// content returns every row of the target, sorted, as text; nil if there is no target.
func (s *shop) content() map[catalog.TableID][]string {
	db := s.server.Database("discovery")
	if db == nil {
		return nil
	}
	content := map[catalog.TableID][]string{}
	for _, id := range []catalog.TableID{pipelinetest.Users, pipelinetest.Orders, pipelinetest.Audit, pipelinetest.Empty} {
		rows := []string{}
		for _, r := range db.Rows(id) {
			rows = append(rows, fmt.Sprintf("%q", []any(r)))
		}
		slices.Sort(rows)
		content[id] = rows
	}
	return content
}

func TestRunCopiesEverythingAndMasksWhatItShould(t *testing.T) {
	s := newShop(t)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	r := s.run(nil)
	r.Options.Allocator = mem
	summary, err := r.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if summary.Rows != users+orders {
		t.Errorf("%d rows, want %d", summary.Rows, users+orders)
	}
	got := s.server.Database("discovery")
	ids := map[any]bool{}
	for _, row := range got.Rows(pipelinetest.Users) {
		ids[row[0]] = true
		if bytes.Contains(fmt.Append(nil, row[1]), []byte("shop.example")) {
			t.Fatal("an email came through in clear")
		}
		if row[3] != "basic" {
			t.Fatal("a kept value was changed")
		}
	}
	if len(ids) != users {
		t.Errorf("%d different ids for %d users", len(ids), users)
	}
	same := 0
	for _, row := range got.Rows(pipelinetest.Orders) {
		if !ids[row[1]] {
			t.Fatal("an order joins no user")
		}
		if row[1].(int64) <= users {
			same++
		}
	}
	if same > orders/100 {
		t.Errorf("%d of %d references lie where the originals did", same, orders)
	}
	if n := len(got.Rows(pipelinetest.Audit)); n != 0 {
		t.Errorf("%d rows of a dropped table came along", n)
	}
}

func TestRunAgainGivesTheSamePseudonyms(t *testing.T) {
	s := newShop(t)
	if _, err := s.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := s.content()
	again := s.run(nil)
	again.Options.Workers, again.Options.ChunkBytes = 1, 1<<20 // another order, other chunks
	if _, err := again.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, s.content()) {
		t.Error("the second night's pseudonyms are not the first's")
	}
}

// TestChaos strikes every effect, before and after, early and later, once with
// an error that may be retried and once with one that may not. Whatever happens, the
// target is the former copy or the new one, whole, and nothing else is left.
func TestChaos(t *testing.T) {
	s := newShop(t)
	if _, err := s.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	undisturbed := s.content()
	former := newShop(t)

	for _, at := range pipelinetest.Effects {
		for _, after := range []bool{false, true} {
			for _, nth := range []int{1, 3} {
				for _, retry := range []bool{false, true} {
					chaos := &pipelinetest.Chaos{At: at, After: after, Nth: nth, Err: &connectors.Error{Op: "strike", Retry: retry}}
					t.Run(fmt.Sprintf("%s retry=%t", chaos, retry), func(t *testing.T) {
						s := &shop{t: t, db: former.db, server: former.server, key: former.key}
						before := s.content()
						summary, err := s.run(chaos).Do(t.Context())
						if !chaos.Struck() {
							if err != nil {
								t.Fatal(err)
							}
							return // an effect that has no third call
						}
						// A chunk is done again, and so is what makes indexes and keys: it makes nothing twice.
						again := slices.Contains([]pipelinetest.Effect{pipelinetest.Read, pipelinetest.Next, pipelinetest.Load, pipelinetest.Write, pipelinetest.Commit,
							pipelinetest.TableLoaded, pipelinetest.Finish}, at)
						switch {
						case again && retry:
							if err != nil {
								t.Fatalf("what may be retried failed the run: %v", err)
							}
							if summary.Retries == 0 {
								t.Error("no retry was counted")
							}
							if !reflect.DeepEqual(s.content(), undisturbed) {
								t.Error("the result differs from an undisturbed run")
							}
						case err == nil:
							t.Fatal("the run says that it succeeded")
						case at == pipelinetest.Promote && after:
							if !reflect.DeepEqual(s.content(), undisturbed) {
								t.Error("the target is not the new copy")
							}
						default:
							if !reflect.DeepEqual(s.content(), before) {
								t.Error("the former target was changed")
							}
						}
						for _, name := range s.server.Names() {
							if name != "shop" && name != "discovery" {
								t.Errorf("%s was left behind", name)
							}
						}
					})
				}
			}
		}
	}
}

func TestCommitThatGotThroughIsNotDoubled(t *testing.T) {
	s := newShop(t)
	chaos := &pipelinetest.Chaos{At: pipelinetest.Commit, After: true, Nth: 2, Err: &connectors.Error{Op: "lost connection", Retry: true}}
	summary, err := s.run(chaos).Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if summary.Rows != users+orders {
		t.Errorf("%d rows, want %d", summary.Rows, users+orders)
	}
}

func TestRetriesEnd(t *testing.T) {
	s := newShop(t)
	r := s.run(nil)
	var tries atomic.Int64
	r.Source = &brokenReader{r.Source, &tries}
	_, err := r.Do(t.Context())
	if err == nil || !connectors.Retryable(err) {
		t.Fatalf("err %v, want the error of the last try", err)
	}
	if n := tries.Load(); n < 4 || n > 4*3 {
		t.Errorf("%d tries, want 4 for each worker at most", n)
	}
}

type brokenReader struct {
	connectors.Source
	tries *atomic.Int64
}

func (b *brokenReader) Open(ctx context.Context) (connectors.Snapshot, error) {
	snap, err := b.Source.Open(ctx)
	return &brokenSnapshot{snap, b.tries}, err
}

type brokenSnapshot struct {
	connectors.Snapshot
	tries *atomic.Int64
}

func (b *brokenSnapshot) Read(context.Context, connectors.Chunk, *connectors.Layout) (connectors.Batches, error) {
	b.tries.Add(1)
	return nil, &connectors.Error{Op: "connect", Retry: true}
}

// suited is a source that asks for whom its rows are.
type suited struct {
	connectors.Source
	target *connectors.Properties
}

func (s suited) Suit(target connectors.Properties) { *s.target = target }

// A source hears who takes its rows.
func TestRowsSuitTheirTarget(t *testing.T) {
	s := newShop(t)
	r := s.run(nil)
	var target connectors.Properties
	r.Source = suited{r.Source, &target}
	if _, err := r.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := r.Sink.Properties().Connector; want == "" || target.Connector != want {
		t.Errorf("the source heard of %+v", target)
	}
}

// doubtful is a source whose snapshots are lost while they are read, and nobody notices.
type doubtful struct{ connectors.Source }

type doubtfulSnapshot struct{ connectors.Snapshot }

func (d doubtful) Open(ctx context.Context) (connectors.Snapshot, error) {
	s, err := d.Source.Open(ctx)
	return doubtfulSnapshot{s}, err
}

func (d doubtfulSnapshot) Filter(ctx context.Context, l *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	return d.Snapshot.(connectors.Filterer).Filter(ctx, l, f)
}

func (doubtfulSnapshot) Vouch(context.Context) error {
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: "hold the snapshot", Err: errors.New("it is lost")}
}

// Nothing is promoted of rows for which nobody vouches.
func TestRowsThatNobodyVouchesFor(t *testing.T) {
	s := newShop(t)
	if _, err := s.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	was := s.content()
	r := s.run(nil)
	r.Source = doubtful{r.Source}
	_, err := r.Do(t.Context())
	var at *pipeline.PhaseError
	if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot || !errors.As(err, &at) || at.Phase != pipeline.Copy {
		t.Errorf("%v", err)
	}
	if !reflect.DeepEqual(s.content(), was) {
		t.Error("the former target is another")
	}
}

// An interrupt is not said to have left the target as it was where the promotion says that
// it is another.
func TestInterruptAmongThePromotion(t *testing.T) {
	for name, changed := range map[string]bool{"as it was": false, "changed": true} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			lost := &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SinkSide, Op: "promote discovery", Err: errors.New("gone"), Changed: changed}
			r := s.run(nil)
			r.Sink = stuck{r.Sink, func(context.Context, connectors.Build) error { cancel(); return lost }}
			_, err := r.Do(ctx)
			if errors.Is(err, pipeline.ErrInterrupted) == changed || !errors.Is(err, lost) {
				t.Errorf("err %v", err)
			}
		})
	}
}

func TestDrainAndAbortLeaveTheFormerTarget(t *testing.T) {
	for _, at := range []pipelinetest.Effect{pipelinetest.Open, pipelinetest.Commit, pipelinetest.TableLoaded, pipelinetest.Finish, pipelinetest.Seal} {
		for _, how := range []string{"drain", "abort"} {
			if how == "drain" && at == pipelinetest.Seal {
				continue // what is sealed is promoted
			}
			t.Run(how+" at "+string(at), func(t *testing.T) {
				s := newShop(t)
				if _, err := s.run(nil).Do(t.Context()); err != nil {
					t.Fatal(err)
				}
				before := s.content()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				drain := make(chan struct{})
				strike := func() { close(drain) }
				if how == "abort" {
					strike = cancel
				}
				r := s.run(&pipelinetest.Chaos{At: at, After: true, Nth: 1, Strike: strike})
				r.Options.Drain = drain
				if _, err := r.Do(ctx); !errors.Is(err, pipeline.ErrInterrupted) {
					t.Fatalf("err %v, want ErrInterrupted", err)
				}
				if !reflect.DeepEqual(s.content(), before) {
					t.Error("the former target was changed")
				}
				if got := s.server.Names(); !slices.Equal(got, []string{"discovery", "shop"}) {
					t.Errorf("left behind: %q", got)
				}
			})
		}
	}
}

// stuck is a sink whose builds cannot be put away, and whose promotion breaks as it is asked to.
type stuck struct {
	connectors.Sink
	promote func(context.Context, connectors.Build) error
}

type stuckBuild struct {
	connectors.Build
	stuck
}

func (s stuck) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	b, err := s.Sink.Begin(ctx, spec)
	return stuckBuild{b, s}, err
}

func (b stuckBuild) Promote(ctx context.Context) error {
	if b.promote == nil {
		return b.Build.Promote(ctx)
	}
	return b.promote(ctx, b.Build)
}

func (b stuckBuild) Abort() error { return errors.Join(b.Build.Abort(), errStuck) }

var errStuck = &connectors.Error{Side: connectors.SinkSide, Op: "drop database building", Err: errors.New("it is in use")}

// What a run that failed could not put away is named beside the cause, and whether the target
// may be another one is said.
func TestWhatAFailedRunLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		at              pipelinetest.Effect
		promote         func(context.Context, connectors.Build) error
		failed, changed bool
	}{
		"while it copies":    {at: pipelinetest.Commit, failed: true},
		"when all is sealed": {at: pipelinetest.Seal, failed: true},
		"while it promotes": {at: pipelinetest.Promote, failed: true, changed: true, promote: func(ctx context.Context, b connectors.Build) error {
			return errors.Join(b.Promote(ctx), context.Cause(ctx), &connectors.Error{Op: "promote", Err: errors.New("cut"), Changed: true})
		}},
		"when it has promoted": {at: pipelinetest.Promote},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := s.run(&pipelinetest.Chaos{At: c.at, After: true, Nth: 1, Strike: cancel})
			r.Sink = stuck{r.Sink, c.promote}
			summary, err := r.Do(ctx)
			if (err != nil) != c.failed || (summary == nil) != c.failed {
				t.Fatalf("summary %v, err %v", summary, err)
			}
			if !c.failed {
				return
			}
			var phase *pipeline.PhaseError
			var left *pipeline.CleanupError
			if errors.Is(err, pipeline.ErrInterrupted) == c.changed || !errors.As(err, &phase) || connectors.Changed(err) != c.changed || !errors.As(err, &left) {
				t.Fatalf("err %v", err)
			}
			if want := `the build \w+ of \S*discovery may still be there: drop database building: it is in use`; !regexp.MustCompile(want).MatchString(left.Error()) || connectors.Hint(left) == "" {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestGuardRefusesItsOwnSource(t *testing.T) {
	s := newShop(t)
	r := s.run(nil)
	sink, err := s.server.OpenSink(t.Context(), s.db.DSN(), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	r.Sink = sink
	_, err = r.Do(t.Context())
	if kind, _ := connectors.KindOf(err); kind != connectors.KindGuard || connectors.Hint(err) == "" {
		t.Fatalf("err %v, want a refusal by the guard, with a hint", err)
	}
}

func TestPlanThatForgetsATableStopsTheRun(t *testing.T) {
	s := newShop(t)
	r := s.run(nil)
	r.Compile = func(context.Context, connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
		return masking.NewPlan(nil), nil, nil
	}
	if _, err := r.Do(t.Context()); err == nil {
		t.Fatal("a table without a plan was copied")
	}
	if s.server.Database("discovery") != nil {
		t.Error("a target was made")
	}
}

func TestValueErrorHasCoordinatesAndNoContents(t *testing.T) {
	s := newShop(t)
	if err := s.db.Insert(pipelinetest.Users, dbmemory.Row{int64(users + 1), "secret@shop.example", nil, "basic"}); err != nil {
		t.Fatal(err)
	}
	r := s.run(nil)
	r.Compile = func(ctx context.Context, snapshot connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
		plan, f, err := pipelinetest.Compile(s.key)(ctx, snapshot)
		if err != nil {
			return nil, nil, err
		}
		b, err := masking.Standard().Bind(s.key, masking.Column{Name: "id", Kind: masking.Int, Bits: 64},
			masking.Spec{Name: "pseudonym", Variant: "id", Params: map[string]any{"range": []any{int64(1), int64(users)}}, Domain: "d"}, nil)
		if err != nil {
			return nil, nil, err
		}
		columns := slices.Clone(plan.Table("", "users").Columns())
		columns[0].Binding = b
		pinned, err := masking.NewTablePlan("users", false, columns)
		if err != nil {
			return nil, nil, err
		}
		tables := map[masking.TableName]*masking.TablePlan{{Name: "users"}: pinned}
		for _, name := range []string{"orders", "audit", "empty"} {
			tables[masking.TableName{Name: name}] = plan.Table("", name)
		}
		return masking.NewPlan(tables), f, nil
	}
	_, err := r.Do(t.Context())
	if err == nil {
		t.Fatal("a value outside the pinned range came through")
	}
	text := err.Error()
	for _, want := range []string{"users.id", "chunk", "row", "range"} {
		if !bytes.Contains([]byte(text), []byte(want)) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	if bytes.Contains([]byte(text), []byte("901")) || bytes.Contains([]byte(text), []byte("secret")) {
		t.Errorf("%q shows a value", text)
	}
}

func TestPhaseErrorSaysThePhaseOnce(t *testing.T) {
	for cause, want := range map[string]string{
		"promote shop: gone": "promote shop: gone",
		"rename shop: gone":  "promote: rename shop: gone",
		"promoted twice":     "promote: promoted twice",
	} {
		if got := (&pipeline.PhaseError{Phase: pipeline.Promote, Err: errors.New(cause)}).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
