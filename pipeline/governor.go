package pipeline

import (
	"slices"
	"sync"
	"time"
)

const (
	// governBase is how many latencies make the one that is usual. They are taken before
	// the first row is read.
	governBase = 5
	// governWindow is how many latencies are looked at together: the one in their middle
	// counts, so that a single slow answer does nothing.
	governWindow = 3
	// governFactor times the usual latency, and no less than governFloor, is pressure. A
	// server whose processors are all at work, for us too, answers well below the floor;
	// one that has to be spared is far above.
	governFactor = 4
	governFloor  = 50 * time.Millisecond
	// governLeast is the share of the time that readers read under the worst pressure: a
	// run that stops for good would hold its snapshot for good.
	governLeast = 1.0 / 16
	// longestRest bounds one rest of one reader, so that it notices soon that the
	// pressure is gone.
	longestRest = time.Second
)

// governor decides from the latency of the source which share of the time its readers
// may read. It halves the share while the latency is high, and doubles it when it has
// fallen to half of that. It keeps no clock: what it decides follows from what it is told.
// It is safe for concurrent use.
type governor struct {
	mu     sync.Mutex
	first  []time.Duration
	usual  time.Duration // 0 before it is known
	recent []time.Duration
	share  float64 // above 0, up to 1
	slowed int     // times that the share was halved
}

func newGovernor() *governor { return &governor{share: 1} }

// observe takes a latency and reports whether the share changed by it.
func (g *governor) observe(latency time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.usual == 0 {
		if g.first = append(g.first, latency); len(g.first) == governBase {
			g.usual = max(middle(g.first), 1)
		}
		return false
	}
	if g.recent = append(g.recent, latency); len(g.recent) < governWindow {
		return false
	}
	now := middle(g.recent)
	limit := max(governFactor*g.usual, governFloor)
	was := g.share
	switch {
	case now > limit:
		g.slow()
	case now <= limit/2:
		g.share = min(2*g.share, 1)
	}
	// The next decision sees only what this one has led to, or the newest if it led to nothing.
	if g.share != was {
		g.recent = g.recent[:0]
	} else {
		g.recent = slices.Delete(g.recent, 0, 1)
	}
	return g.share != was
}

// unanswered takes a question that was given up, and reports whether the share changed by it. It
// tells as much as a window of latencies, since it took the time of more, and it is pressure
// whatever is usual.
func (g *governor) unanswered() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.share
	g.slow()
	g.recent = g.recent[:0]
	return g.share != was
}

// slow halves the share. The caller has the lock.
func (g *governor) slow() {
	was := g.share
	if g.share = max(g.share/2, governLeast); g.share < was {
		g.slowed++
	}
}

func middle(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

// rest returns how long a reader that has worked so long rests before it goes on.
func (g *governor) rest(worked time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.share == 1 {
		return 0
	}
	return min(time.Duration(float64(worked)*(1/g.share-1)), longestRest)
}

// state returns the usual latency (0 before it is known), the share, and how often it was halved.
func (g *governor) state() (usual time.Duration, share float64, slowed int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.usual, g.share, g.slowed
}
