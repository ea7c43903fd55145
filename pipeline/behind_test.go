package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// Whoever asks a run to stop when its copy is whole and sealed gets it: only one step is left.
func TestDrainBehindSealPromotes(t *testing.T) {
	s := newShop(t)
	drain := make(chan struct{})
	r := s.run(&pipelinetest.Chaos{At: pipelinetest.Seal, After: true, Nth: 1, Strike: func() { close(drain) }})
	r.Options.Drain = drain
	if _, err := r.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.server.Names(); !slices.Equal(got, []string{"discovery", "shop"}) {
		t.Errorf("databases %q", got)
	}
}

// dawdling is a sink whose builds do not end what they do behind the rows before someone has
// been asked for it, or the context ends.
type dawdling struct {
	connectors.Sink
	at    pipelinetest.Effect
	until func(context.Context) error
	safe  bool // what Settle says
}

func (d *dawdling) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	b, err := d.Sink.Begin(ctx, spec)
	return &dawdle{b, d}, err
}

type dawdle struct {
	connectors.Build
	sink *dawdling
}

func (d *dawdle) TableLoaded(ctx context.Context, id catalog.TableID) error {
	if d.sink.at == pipelinetest.TableLoaded {
		if err := d.sink.until(ctx); err != nil {
			return err
		}
	}
	return d.Build.TableLoaded(ctx, id)
}

func (d *dawdle) Finish(ctx context.Context) error {
	if d.sink.at == pipelinetest.Finish {
		if err := d.sink.until(ctx); err != nil {
			return err
		}
	}
	return d.Build.Finish(ctx)
}

func (d *dawdle) Seal(ctx context.Context, rows map[catalog.TableID]int64) error {
	if d.sink.at == pipelinetest.Seal {
		if err := d.sink.until(ctx); err != nil {
			return err
		}
	}
	return d.Build.Seal(ctx, rows)
}

func (d *dawdle) Settle(context.Context) (bool, error) { return d.sink.safe, nil }

// Behind the rows there is no chunk to bring to its end: who asks a run to stop then does not
// wait for hours of indexes.
func TestDrainBehindTheRows(t *testing.T) {
	for _, at := range []pipelinetest.Effect{pipelinetest.TableLoaded, pipelinetest.Finish} {
		t.Run(string(at), func(t *testing.T) {
			s := newShop(t)
			drain := make(chan struct{})
			var asked sync.Once
			r := s.run(nil)
			r.Options.Drain = drain
			r.Sink = &dawdling{Sink: r.Sink, at: at, until: func(ctx context.Context) error {
				asked.Do(func() { close(drain) })
				<-ctx.Done()
				return ctx.Err()
			}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := r.Do(ctx); !errors.Is(err, pipeline.ErrInterrupted) || ctx.Err() != nil {
				t.Errorf("err %v, want ErrInterrupted", err)
			}
			if got := s.server.Names(); !slices.Equal(got, []string{"shop"}) {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// leaving is a source that tells when its snapshot was closed.
type leaving struct {
	connectors.Source
	closed chan struct{}
	once   sync.Once
}

func (l *leaving) Open(ctx context.Context) (connectors.Snapshot, error) {
	s, err := l.Source.Open(ctx)
	return leavingSnapshot{s, l}, err
}

type leavingSnapshot struct {
	connectors.Snapshot
	l *leaving
}

func (s leavingSnapshot) Close() error {
	s.l.once.Do(func() { close(s.l.closed) })
	return s.Snapshot.Close()
}

func (s leavingSnapshot) Filter(ctx context.Context, l *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	return s.Snapshot.(connectors.Filterer).Filter(ctx, l, f)
}

// The source's snapshot is closed when all rows are in and safe, before what else there is to
// do has been done; where a crash of the target may cost rows, when that is over.
func TestSnapshotIsLetGo(t *testing.T) {
	for name, c := range map[string]struct {
		at   pipelinetest.Effect
		safe bool
		open bool // while the build is at it
	}{
		"indexes, rows that are safe":     {pipelinetest.TableLoaded, true, false},
		"keys, rows that are safe":        {pipelinetest.Finish, true, false},
		"keys, rows that may be lost":     {pipelinetest.Finish, false, true},
		"sealing, rows that may be lost":  {pipelinetest.Seal, false, false},
		"sealing, rows that are safe too": {pipelinetest.Seal, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			r := s.run(nil)
			l := &leaving{Source: r.Source, closed: make(chan struct{})}
			r.Source = l
			r.Sink = &dawdling{Sink: r.Sink, at: c.at, safe: c.safe, until: func(ctx context.Context) error {
				if c.open {
					select {
					case <-l.closed:
						t.Error("the snapshot is closed")
					default:
					}
					return nil
				}
				select {
				case <-l.closed:
				case <-time.After(10 * time.Second):
					t.Error("the snapshot is open still")
				}
				return nil
			}}
			if _, err := r.Do(t.Context()); err != nil {
				t.Error(err)
			}
			select {
			case <-l.closed:
			default:
				t.Error("the snapshot was never closed")
			}
		})
	}
}

// A limit to the age of a snapshot is one to what production is held back for: of a snapshot that
// another process holds until the run ends, it counts until then.
func TestSnapshotAgesBehindTheRows(t *testing.T) {
	for _, c := range []struct {
		name          string
		held, resumed bool
		limit         time.Duration
		tooOld        bool
		age           time.Duration // in the summary
	}{
		{"its own, let go", false, false, time.Hour, false, 0},
		{"held, too old", true, false, time.Hour, true, 0},
		{"held, and resumed, too old", true, true, time.Hour, true, 0},
		{"held, not too old", true, false, 3 * time.Hour, false, 2 * time.Hour},
		{"held, no limit", true, false, 0, false, 2 * time.Hour},
		{"held, and resumed, not too old", true, true, 3 * time.Hour, false, 2 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t)
			token := ""
			if c.held {
				var end func()
				token, end = s.hold()
				defer end()
			}
			sealing := &pipelinetest.Chaos{At: pipelinetest.Seal, Nth: 1, Strike: func() { time.Sleep(2 * time.Hour) }}
			do := (*pipeline.Run).Do
			if c.resumed {
				if _, err := s.held(token, &pipelinetest.Chaos{At: pipelinetest.Write, Nth: 2, Err: lost}).Do(t.Context()); err == nil {
					t.Fatalf("%s: nothing is left to resume", c.name)
				}
				do, token = (*pipeline.Run).Resume, ""
			}
			r := s.held(token, sealing)
			r.Options.Limits.SnapshotAge = c.limit
			summary, err := do(r, t.Context())
			kind, _ := connectors.KindOf(err)
			switch {
			case c.tooOld && (kind != connectors.KindSnapshot || s.content() != nil):
				t.Errorf("%s: err %v, want one of the snapshot and no target", c.name, err)
			case !c.tooOld && err != nil:
				t.Errorf("%s: %v", c.name, err)
			case !c.tooOld && summary.Watch.SnapshotAge != c.age:
				t.Errorf("%s: the summary says that the snapshot became %s old, want %s", c.name, summary.Watch.SnapshotAge, c.age)
			}
		})
	}
}
