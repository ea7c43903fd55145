package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

const ms = time.Millisecond

// The governor does nothing for noise, halves under pressure down to its least, and
// doubles again when the pressure has gone. What it decides is a matter of what it is told.
func TestGovernor(t *testing.T) {
	for _, c := range []struct {
		name      string
		latencies []time.Duration
		share     float64
		slowed    int
	}{
		{"nothing known", nil, 1, 0},
		{"as usual", []time.Duration{ms, ms, ms, ms, ms, ms, ms, ms, ms}, 1, 0},
		{"the usual one is not known yet", []time.Duration{900 * ms, 900 * ms, 900 * ms, 900 * ms}, 1, 0},
		{"far above the usual, below the floor", []time.Duration{ms, ms, ms, ms, ms, 49 * ms, 49 * ms, 49 * ms, 49 * ms}, 1, 0},
		{"single spikes", []time.Duration{ms, ms, ms, ms, ms, 900 * ms, ms, ms, 900 * ms, ms, ms, 900 * ms}, 1, 0},
		{"a far source is slow always", []time.Duration{40 * ms, 40 * ms, 40 * ms, 40 * ms, 40 * ms, 150 * ms, 150 * ms, 150 * ms}, 1, 0},
		{"a spike among the first", []time.Duration{ms, 900 * ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms}, 0.5, 1},
		{"pressure", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms}, 0.5, 1},
		{"pressure that stays", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms}, 0.25, 2},
		{"a decision is given time", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms}, 0.5, 1},
		{"half way back holds", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, 30 * ms, 30 * ms, 30 * ms, 30 * ms}, 0.5, 1},
		{"recovered", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, ms, ms, ms}, 1, 1},
		{"again", []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms}, 0.5, 2},
	} {
		g := newGovernor()
		for _, l := range c.latencies {
			g.observe(l)
		}
		if _, share, slowed := g.state(); share != c.share || slowed != c.slowed {
			t.Errorf("%s: share %g, slowed %d times; want %g, %d", c.name, share, slowed, c.share, c.slowed)
		}
	}
	g := newGovernor()
	for range 5 {
		g.observe(ms)
	}
	for range 100 {
		g.observe(time.Second)
	}
	if _, share, slowed := g.state(); share != governLeast || slowed != 4 {
		t.Errorf("the worst: share %g after %d times, want %g after 4", share, slowed, governLeast)
	}
	if d := g.rest(10 * ms); d != 150*ms {
		t.Errorf("after 10 ms of work a rest of %s, want 150 ms", d)
	}
	if d := g.rest(time.Hour); d != longestRest {
		t.Errorf("after an hour of work a rest of %s, want %s", d, longestRest)
	}
}

// patient is a source that may not answer: then whoever asks gives up after ten seconds, or is
// refused at once. One that is busy soon refuses the first question, and is quick for a second
// only, before the readers are at work.
type patient struct {
	mu    sync.Mutex
	mode  string // "", "silent", "refuses", "busy soon"
	asked int    // in this mode
	since time.Time
}

// become changes what the source does, and returns how often it was asked before.
func (p *patient) become(mode string) (asked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, p.mode, p.asked, p.since = p.asked, mode, 0, time.Now()
	return asked
}

func (p *patient) ask() (time.Duration, error) {
	p.mu.Lock()
	p.asked++
	mode, first, since := p.mode, p.asked == 1, p.since
	p.mu.Unlock()
	took := ms
	switch {
	case mode == "silent":
		time.Sleep(10 * time.Second)
		return 0, fmt.Errorf("ask the source: %w", connectors.ErrUnanswered)
	case mode == "refuses", mode == "busy soon" && first:
		return 0, errors.New("too many connections")
	case mode == "busy soon" && time.Since(since) > time.Second:
		took = 100 * ms
	}
	time.Sleep(took)
	return took, nil
}

func (p *patient) Latency(context.Context) (time.Duration, error) { return p.ask() }

func (p *patient) Vitals(context.Context) (connectors.Vitals, error) {
	_, err := p.ask()
	return connectors.Vitals{}, err
}

// A source that does not answer at all is the slowest: the readers slow down, the summary has how
// long was waited, and it is asked less and less often until it answers again. One that refuses is
// asked as seldom, and tells nothing of how fast it is: what is usual is learned as soon as it
// answers, before the readers have made it slow.
func TestSourceThatDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		early      bool // before anything is known of it
		usual      time.Duration
		share      float64
		slowest    time.Duration
		asked      int // in two minutes, at most
	}{
		{"no answer", "silent", false, ms, governLeast, 10 * time.Second, 11},
		{"no answer from the beginning", "silent", true, 0, governLeast, 10 * time.Second, 11},
		{"refused", "refuses", false, ms, 1, ms, 13},
		{"refused from the beginning", "refuses", true, 0, 1, 0, 13},
		{"refused from the beginning, then quick", "busy soon", true, ms, governLeast, 100 * ms, 300},
	} {
		synctest.Test(t, func(t *testing.T) {
			source := &patient{}
			m := &monitor{watcher: source, observer: Silence{}, governor: newGovernor(), opened: time.Now(), last: Watch{Share: 1}}
			m.limits.fill()
			ctx, cancel := context.WithCancel(t.Context())
			if c.early {
				source.become(c.mode)
			}
			go m.run(ctx)
			if !c.early {
				time.Sleep(20*time.Second + ms/2)
				source.become(c.mode)
			}
			time.Sleep(2 * time.Minute)
			if usual, share, _ := m.governor.state(); usual != c.usual || share != c.share {
				t.Errorf("%s: usual are %s and the share is %g, want %s and %g", c.name, usual, share, c.usual, c.share)
			}
			if s := m.summary(); s.Latency != c.slowest {
				t.Errorf("%s: the slowest answer took %s, want %s", c.name, s.Latency, c.slowest)
			}
			if n := source.become(""); n < 4 || n > c.asked {
				t.Errorf("%s: asked %d times, want 4 to %d", c.name, n, c.asked)
			}
			time.Sleep(time.Minute)
			if usual, share, _ := m.governor.state(); usual != ms || share != 1 {
				t.Errorf("%s: a minute after it has recovered usual are %s and the share is %g", c.name, usual, share)
			}
			// After an answer it is asked as often as before.
			source.become("refuses")
			time.Sleep(time.Second + ms)
			if n := source.become(""); n != 2 {
				t.Errorf("%s: asked %d times in the first second of the next trouble", c.name, n)
			}
			cancel()
			synctest.Wait()
		})
	}
}

// A run that is cancelled while its source does not answer tells nothing of the source.
func TestCancelledQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &patient{mode: "silent"}
		m := &monitor{watcher: source, observer: Silence{}, governor: newGovernor(), opened: time.Now(), last: Watch{Share: 1}}
		m.limits.fill()
		ctx, cancel := context.WithCancel(t.Context())
		go m.run(ctx)
		time.Sleep(time.Second)
		cancel()
		time.Sleep(time.Minute)
		if s := m.summary(); s.Slowed != 0 || s.Latency != 0 {
			t.Errorf("slowed %d times, the slowest answer took %s", s.Slowed, s.Latency)
		}
	})
}

// manual is a clock that stands still but for those who sleep or work.
type manual struct {
	at    time.Time
	slept time.Duration
}

func (m *manual) pace(g *governor, rate int64) *pace {
	p := newPace(g, rate)
	m.at = time.Unix(1e9, 0)
	p.now = func() time.Time { return m.at }
	p.sleep = func(_ context.Context, d time.Duration) error {
		m.at, m.slept = m.at.Add(d), m.slept+d
		return nil
	}
	return p
}

// worked gives so many batches of so many bytes, and takes so long for each.
type worked struct {
	connectors.Snapshot
	clock   *manual
	batches int
	size    int
	took    time.Duration
}

func (w *worked) Read(context.Context, connectors.Chunk, *connectors.Layout) (connectors.Batches, error) {
	return &workedBatches{w, w.batches}, nil
}

type workedBatches struct {
	w    *worked
	left int
}

func (b *workedBatches) Next(context.Context) (*connectors.Batch, error) {
	b.w.clock.at = b.w.clock.at.Add(b.w.took)
	if b.left == 0 {
		return nil, io.EOF
	}
	b.left--
	return connectors.NewBatch(1, make([]byte, b.w.size), nil, nil, nil), nil
}

func (b *workedBatches) Close() error { return nil }

// drain reads a chunk to its end.
func drain(t *testing.T, s connectors.Snapshot) {
	t.Helper()
	b, err := s.Read(t.Context(), connectors.Chunk{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for {
		batch, err := b.Next(t.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		batch.Release()
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// A rate holds over all readers, whatever the size of their batches, and one that has
// left its chunk has paid.
func TestRate(t *testing.T) {
	for _, size := range []int{1_000, 100_000, 3_000_000} {
		clock := &manual{}
		p := clock.pace(nil, 1_000_000)
		began := clock.at
		total := 0
		for range 3 {
			w := &worked{clock: clock, batches: 6_000_000 / size, size: size}
			drain(t, p.snapshot(w))
			total += w.batches * size
		}
		// The last batch is owed when its reader closes.
		if err := p.rate.WaitN(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		owed := p.rate.ReserveN(clock.at, 1).DelayFrom(clock.at)
		took := clock.at.Sub(began) + owed
		if want := time.Duration(total) * time.Microsecond; took < want-110*ms || took > want+10*ms {
			t.Errorf("batches of %d bytes: %d bytes in %s, want %s less the first tenth of a second", size, total, took, want)
		}
	}
}

// Readers rest in proportion to their work, and not at all without pressure.
func TestGovernedReaders(t *testing.T) {
	clock := &manual{}
	g := newGovernor()
	p := clock.pace(g, 0)
	w := &worked{clock: clock, batches: 10, size: 1, took: 10 * ms}
	drain(t, p.snapshot(w))
	if clock.slept != 0 {
		t.Errorf("rested %s without pressure", clock.slept)
	}
	for _, l := range []time.Duration{ms, ms, ms, ms, ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms, 60 * ms} {
		g.observe(l)
	}
	drain(t, p.snapshot(w))
	if want := 10 * 30 * ms; clock.slept != want { // a quarter of the time is read
		t.Errorf("rested %s, want %s", clock.slept, want)
	}
	if s := newPace(nil, 0).snapshot(w); s != connectors.Snapshot(w) {
		t.Error("a run without limits has a decorator")
	}
}

func TestRestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if err := sleep(ctx, time.Hour); err != io.ErrClosedPipe {
		t.Errorf("err %v, want the cause", err)
	}
}

// BenchmarkPace is what a governor that has nothing to do costs a batch. A batch of about
// a thousand rows takes a reader a millisecond and more.
func BenchmarkPace(b *testing.B) {
	w := &worked{clock: &manual{}, batches: 1 << 60, size: 1}
	for name, p := range map[string]*pace{"governed": newPace(newGovernor(), 0), "bare": newPace(nil, 0)} {
		b.Run(name, func(b *testing.B) {
			r, err := p.snapshot(w).Read(b.Context(), connectors.Chunk{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				batch, err := r.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				batch.Release()
			}
		})
	}
}
