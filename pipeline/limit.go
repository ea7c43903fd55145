package pipeline

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/sanitize-db/sanitize/connectors"
)

// Limits spare the source. The zero value watches and governs, and limits nothing else.
type Limits struct {
	SnapshotAge time.Duration // an older snapshot ends the run; 0 is no limit
	Rate        int64         // bytes a second that all readers together read; 0 is no limit
	Ungoverned  bool          // read on at full speed when the source becomes slow
	Every       time.Duration // between two looks at the snapshot's vitals; 0 is 5 s
	// LatencyEvery is the time between two questions that the governor goes by; 0 is 500 ms.
	LatencyEvery time.Duration
}

func (l *Limits) fill() {
	if l.Every <= 0 {
		l.Every = 5 * time.Second
	}
	if l.LatencyEvery <= 0 {
		l.LatencyEvery = 500 * time.Millisecond
	}
}

// pace is what all readers of a run keep to.
type pace struct {
	governor *governor     // nil does not govern
	rate     *rate.Limiter // nil does not limit

	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

// smallestBurst is what may be read at once under any rate: a few messages.
const smallestBurst = 64 << 10

func newPace(g *governor, bytesPerSecond int64) *pace {
	p := &pace{governor: g, now: time.Now, sleep: sleep}
	if bytesPerSecond > 0 {
		// A tenth of a second's worth may come at once: rows come in batches.
		p.rate = rate.NewLimiter(rate.Limit(bytesPerSecond), int(max(bytesPerSecond/10, smallestBurst)))
	}
	return p
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// snapshot returns the snapshot whose readers keep the pace. It is for reading only: the
// second interfaces of the snapshot are not those of what is returned.
func (p *pace) snapshot(s connectors.Snapshot) connectors.Snapshot {
	if p.governor == nil && p.rate == nil {
		return s
	}
	return &pacedSnapshot{s, p}
}

type pacedSnapshot struct {
	connectors.Snapshot
	pace *pace
}

func (s *pacedSnapshot) Read(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Batches, error) {
	b, err := s.Snapshot.Read(ctx, chunk, layout)
	if err != nil {
		return nil, err
	}
	return &pacedBatches{Batches: b, pace: s.pace, since: s.pace.now()}, nil
}

// pacedBatches rests before a batch and not after it, so that nobody waits with a batch
// in hand. While it rests, the source's session waits as well, for room to send.
type pacedBatches struct {
	connectors.Batches
	pace  *pace
	since time.Time // when the work since the last rest began
	read  int64     // bytes of the batch before
}

func (b *pacedBatches) Next(ctx context.Context) (*connectors.Batch, error) {
	if d := b.rest(); d > 0 {
		if err := b.pace.sleep(ctx, d); err != nil {
			return nil, err
		}
	}
	b.since = b.pace.now()
	batch, err := b.Batches.Next(ctx)
	if batch != nil {
		b.read = int64(len(batch.Wire))
	}
	return batch, err
}

// rest returns how long to wait before the next batch: for the governor in proportion to
// the work since the last rest, and for the rate until the bytes that were read are due.
func (b *pacedBatches) rest() (d time.Duration) {
	now := b.pace.now()
	if g := b.pace.governor; g != nil {
		d = g.rest(now.Sub(b.since))
	}
	if r := b.pace.rate; r != nil {
		for b.read > 0 { // one reservation is at most a burst
			n := min(b.read, int64(r.Burst()))
			b.read -= n
			d = max(d, r.ReserveN(now, int(n)).DelayFrom(now))
		}
	}
	return d
}

// Close takes what the last batch owes off the others' rate.
func (b *pacedBatches) Close() error {
	b.rest()
	return b.Batches.Close()
}
