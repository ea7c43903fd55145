package pipeline_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// watched is a source whose snapshots tell what a test wants to hear.
type watched struct {
	connectors.Source
	vitals  func() (connectors.Vitals, error)
	latency func() (time.Duration, error)
}

func (w *watched) Open(ctx context.Context) (connectors.Snapshot, error) {
	s, err := w.Source.Open(ctx)
	return &watchedSnapshot{s, w}, err
}

type watchedSnapshot struct {
	connectors.Snapshot
	w *watched
}

func (s *watchedSnapshot) Vitals(context.Context) (connectors.Vitals, error) { return s.w.vitals() }
func (s *watchedSnapshot) Latency(context.Context) (time.Duration, error)    { return s.w.latency() }

func ptr[T any](v T) *T { return &v }

// listener is an observer that keeps what it is told of the source.
type listener struct {
	pipeline.Silence
	mu    sync.Mutex
	heard []pipeline.Watch
}

func (l *listener) Watched(w pipeline.Watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, w)
}

// A run keeps the worst of what it hears, slows down under pressure, goes on when it has
// gone, and copies the same. What cannot be asked fails nothing.
func TestRunIsWatched(t *testing.T) {
	s := newShop(t)
	if _, err := s.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	undisturbed := s.content()

	var asked, measured atomic.Int64
	r := s.run(nil)
	r.Source = &watched{Source: r.Source,
		vitals: func() (connectors.Vitals, error) {
			switch n := asked.Add(1); n {
			case 2:
				return connectors.Vitals{Held: ptr(int64(40)), LagBytes: ptr(int64(7))}, nil
			case 3:
				return connectors.Vitals{}, errors.New("cannot be asked now")
			default:
				return connectors.Vitals{Held: ptr(n)}, nil
			}
		},
		latency: func() (time.Duration, error) {
			if n := measured.Add(1); n > 5 && n <= 14 { // three halvings, and then back
				return time.Second, nil
			}
			return time.Millisecond, nil
		},
	}
	l := &listener{}
	r.Observer = l
	r.Options.Limits = pipeline.Limits{Every: time.Millisecond, LatencyEvery: time.Millisecond}
	// Nobody commits before the governor has said all that it has to say.
	chaos := &pipelinetest.Chaos{At: pipelinetest.Commit, Nth: 1, Strike: func() {
		for deadline := time.Now().Add(10 * time.Second); measured.Load() < 40 || asked.Load() < 5; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the source is asked no more")
				return
			}
		}
	}}
	r.Sink = chaos.Sink(r.Sink)
	summary, err := r.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := summary.Watch
	if w.Held == nil || *w.Held < 40 || w.LagBytes == nil || *w.LagBytes != 7 || w.Lag != nil || w.Replay != nil {
		t.Errorf("the summary says %+v", w)
	}
	if w.Slowed != 3 || w.Latency != time.Second || w.SnapshotAge <= 0 {
		t.Errorf("slowed %d times, %s, age %s; want 3, 1s", w.Slowed, w.Latency, w.SnapshotAge)
	}
	least, last := 1.0, 0.0
	for _, h := range l.heard {
		least, last = min(least, h.Share), h.Share
	}
	if least != 1.0/8 || last != 1 {
		t.Errorf("the least share was %g and the last %g, want 1/8 and 1", least, last)
	}
	if !reflect.DeepEqual(s.content(), undisturbed) {
		t.Error("the copy differs from that of an undisturbed run")
	}
	// A source that answers as usual slows nobody down.
	r = s.run(nil)
	r.Source = &watched{Source: r.Source,
		vitals:  func() (connectors.Vitals, error) { asked.Add(1); return connectors.Vitals{}, nil },
		latency: func() (time.Duration, error) { measured.Add(1); return time.Millisecond, nil },
	}
	r.Options.Limits = pipeline.Limits{Every: time.Millisecond, LatencyEvery: time.Millisecond}
	measured.Store(0)
	chaos = &pipelinetest.Chaos{At: pipelinetest.Commit, Nth: 1, Strike: chaos.Strike}
	r.Sink = chaos.Sink(r.Sink)
	if summary, err = r.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w := summary.Watch; w.Slowed != 0 || w.Latency != time.Millisecond {
		t.Errorf("slowed %d times, the slowest answer took %s; want 0, 1ms", w.Slowed, w.Latency)
	}
	end := asked.Load()
	time.Sleep(5 * time.Millisecond)
	if asked.Load() != end {
		t.Error("the source is asked after the run has ended")
	}
}

// A snapshot that is too old ends the run, says so, and leaves the former target; also
// one that another process opened long before.
func TestSnapshotTooOld(t *testing.T) {
	for name, limit := range map[string]time.Duration{"this run's": 50 * time.Millisecond, "an older one": time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			if _, err := s.run(nil).Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := s.content()
			r := s.run(nil)
			source := &watched{Source: r.Source,
				vitals:  func() (connectors.Vitals, error) { return connectors.Vitals{}, nil },
				latency: func() (time.Duration, error) { return time.Millisecond, nil },
			}
			if name == "an older one" {
				source.vitals = func() (connectors.Vitals, error) { return connectors.Vitals{Age: ptr(2 * time.Hour)}, nil }
			}
			r.Source = source
			chaos := &pipelinetest.Chaos{At: pipelinetest.Commit, Nth: 2, Strike: func() { time.Sleep(200 * time.Millisecond) }}
			r.Sink = stuck{chaos.Sink(r.Sink), nil}
			r.Options.Limits.SnapshotAge = limit
			_, err := r.Do(t.Context())
			if kind, side := connectors.KindOf(err); kind != connectors.KindSnapshot || side != connectors.SourceSide {
				t.Fatalf("err %v, want one of the snapshot", err)
			}
			if errors.Is(err, pipeline.ErrInterrupted) || errors.Is(err, context.Canceled) || connectors.Hint(err) == "" {
				t.Errorf("err %v, want no interrupt, and a hint", err)
			}
			var at *pipeline.PhaseError
			var left *pipeline.CleanupError
			if errors.As(err, &at) && at.Phase == pipeline.Copy && !errors.As(err, &left) { // earlier there may be no build
				t.Errorf("err %v, want what is left as well", err)
			}
			if !reflect.DeepEqual(s.content(), before) {
				t.Error("the former target was changed")
			}
			if names := s.server.Names(); len(names) != 2 {
				t.Errorf("left behind: %q", names)
			}
		})
	}
}
