package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

// Watch is what an observer is told of the source.
type Watch struct {
	connectors.Vitals
	Usual   time.Duration // latency of the source before the first row was read; 0 if not known
	Latency time.Duration // the last one; 0 if not known
	Share   float64       // of the time that readers read: below 1 when the governor slows them
}

// WatchSummary is what a run cost its source: the largest of what was seen. What the
// engine or the account did not tell is absent.
type WatchSummary struct {
	SnapshotAge time.Duration  `json:"snapshot_age_ns"` // when it was closed; of one that another process holds, when the run ended
	Held        *int64         `json:"held_transactions,omitempty"`
	LagBytes    *int64         `json:"lag_bytes,omitempty"`
	Lag         *time.Duration `json:"lag_ns,omitempty"`
	Replay      *time.Duration `json:"replay_delay_ns,omitempty"`
	Latency     time.Duration  `json:"latency_ns,omitempty"`
	Slowed      int            `json:"slowed"` // times that the governor slowed the readers
}

// monitor watches a snapshot while a run goes on.
type monitor struct {
	watcher  connectors.Watcher // nil where the source is none
	limits   Limits
	observer Observer
	governor *governor // nil does not govern
	opened   time.Time
	cancel   context.CancelCauseFunc // of the run
	hush     func()                  // ends the questions, before the snapshot is closed
	end      func()                  // ends the watch: the questions, the limit and the age; once

	peace time.Time     // nothing is asked before
	wait  time.Duration // that the last peace was long; 0 after an answer

	mu      sync.Mutex
	expire  *time.Timer   // nil without a limit
	earlier time.Duration // age of the snapshot when this run opened it
	worst   connectors.Vitals
	last    Watch
	slowest time.Duration
}

// watch begins to watch the snapshot, until x.monitor.end. The context that it returns ends
// when the snapshot becomes older than it may. finish ends the watch, waits for its goroutine,
// and turns the error of a run that ended for that reason into one that says so.
func (x *execution) watch(parent context.Context, snapshot connectors.Snapshot) (ctx context.Context, finish func(error) error) {
	ctx, cancel := context.WithCancelCause(parent)
	limits := x.run.Options.Limits
	limits.fill()
	m := &monitor{limits: limits, observer: x.run.Observer, opened: time.Now(), cancel: cancel, last: Watch{Share: 1}}
	m.watcher, _ = snapshot.(connectors.Watcher)
	if m.watcher != nil && !limits.Ungoverned {
		m.governor = newGovernor()
	}
	x.pace = newPace(m.governor, limits.Rate)
	if limits.SnapshotAge > 0 {
		m.expire = time.AfterFunc(limits.SnapshotAge, m.expired)
	}
	asking, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	if m.watcher != nil {
		watching.Go(func() { m.run(asking) })
	}
	m.hush = func() {
		stop()
		watching.Wait()
	}
	m.end = sync.OnceFunc(func() {
		m.hush()
		if m.expire != nil {
			m.expire.Stop()
		}
		x.summary.Watch = m.summary()
	})
	x.monitor = m
	return ctx, func(err error) error {
		m.end()
		old := &tooOldError{}
		if err != nil && !connectors.Changed(err) && errors.As(context.Cause(ctx), &old) {
			// What broke, broke since the run gave up.
			left := &CleanupError{}
			if errors.As(err, &left) {
				err = errors.Join(old.error, left)
			} else {
				err = old.error
			}
		}
		cancel(nil)
		return err
	}
}

// run asks until ctx ends. What cannot be asked is not known: no run fails of it.
func (m *monitor) run(ctx context.Context) {
	m.look(ctx)
	m.base(ctx)
	latency, vitals := time.NewTicker(m.limits.LatencyEvery), time.NewTicker(m.limits.Every)
	defer latency.Stop()
	defer vitals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-vitals.C:
			m.look(ctx)
		case <-latency.C:
			m.measure(ctx)
		}
	}
}

// base takes the latencies that are usual. Where a question has failed it waits for the end of
// the peace and asks all the same: those that are taken later are of a source that readers read.
func (m *monitor) base(ctx context.Context) {
	if m.governor == nil {
		return
	}
	for range governBase {
		if sleep(ctx, time.Until(m.peace)) != nil {
			return
		}
		m.measure(ctx)
	}
}

// look asks for the vitals and tells the observer.
func (m *monitor) look(ctx context.Context) {
	var v connectors.Vitals
	if !m.ask(ctx, func() (err error) {
		v, err = m.watcher.Vitals(ctx)
		return err
	}) {
		return
	}
	m.mu.Lock()
	if v.Age != nil {
		if earlier := *v.Age - time.Since(m.opened); earlier > m.earlier+time.Second {
			// Another process opened it, before this one joined.
			m.earlier = earlier
			if m.expire != nil {
				m.expire.Reset(max(m.limits.SnapshotAge-*v.Age, 0))
			}
		}
	}
	m.worst = m.worst.Worst(v)
	m.last.Vitals = v
	w := m.last
	m.mu.Unlock()
	m.observer.Watched(w)
}

// measure takes one latency.
func (m *monitor) measure(ctx context.Context) {
	if m.governor == nil {
		return
	}
	var took time.Duration
	if m.ask(ctx, func() (err error) {
		took, err = m.watcher.Latency(ctx)
		return err
	}) {
		m.heard(took, m.governor.observe(took))
	}
}

// longestPeace is how many questions are left out at most after one that failed.
const longestPeace = 32

// ask asks a question and reports whether there is an answer. After one that failed the source is
// left in peace for a while, twice as long each time: to ask again may be to log in, which a
// server that is ill can do without. A question that it does not answer in time is a latency.
func (m *monitor) ask(ctx context.Context, question func() error) bool {
	began := time.Now()
	if began.Before(m.peace) {
		return false
	}
	err := question()
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		m.wait = 0
		return true
	}
	m.wait = min(max(2*m.wait, m.limits.LatencyEvery), longestPeace*m.limits.LatencyEvery)
	m.peace = time.Now().Add(m.wait)
	if m.governor != nil && errors.Is(err, connectors.ErrUnanswered) {
		m.heard(time.Since(began), m.governor.unanswered())
	}
	return false
}

// heard notes a latency, and tells the observer when the governor has decided by it.
func (m *monitor) heard(took time.Duration, changed bool) {
	m.mu.Lock()
	m.slowest = max(m.slowest, took)
	m.last.Latency = took
	m.last.Usual, m.last.Share, _ = m.governor.state()
	w := m.last
	m.mu.Unlock()
	if changed {
		m.observer.Watched(w)
	}
}

func (m *monitor) age() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.earlier + time.Since(m.opened)
}

func (m *monitor) expired() {
	m.cancel(&tooOldError{&connectors.Error{
		Kind: connectors.KindSnapshot, Side: connectors.SourceSide, Op: "hold the snapshot",
		Err: fmt.Errorf("it is older than %s", m.limits.SnapshotAge),
		Hint: "let it be older (--max-snapshot-age), or make the run shorter: more workers, fewer rows (rows: in the policy), " +
			"a quieter hour, or a standby as the source",
	}})
}

// tooOldError is the cause of a context that ended since the snapshot is too old.
type tooOldError struct{ error }

// Unwrap returns the error to report.
func (e *tooOldError) Unwrap() error { return e.error }

func (m *monitor) summary() *WatchSummary {
	s := &WatchSummary{SnapshotAge: m.age()}
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Held, s.LagBytes, s.Lag, s.Replay = m.worst.Held, m.worst.LagBytes, m.worst.Lag, m.worst.Replay
	s.Latency = m.slowest
	if m.governor != nil {
		_, _, s.Slowed = m.governor.state()
	}
	return s
}
