package postgres

import (
	"context"
	"slices"
	"sync"
)

// queue lets one through at a time: of those who wait, who has most to do. The zero value
// is ready. It is safe for concurrent use.
//
// Indexes of many tables wait for a session when the rows are in. If the longest came last,
// the other sessions would have nothing to do beside it (R. L. Graham, Bounds on
// multiprocessing timing anomalies, 1969).
type queue struct {
	mu      sync.Mutex
	taken   bool
	waiting []*place
}

// place is one who waits. turn is closed when it has come.
type place struct {
	weight int64
	turn   chan struct{}
}

// enter waits for its turn, or for the end of ctx. Who has entered calls leave.
func (q *queue) enter(ctx context.Context, weight int64) error {
	q.mu.Lock()
	if !q.taken {
		q.taken = true
		q.mu.Unlock()
		return nil
	}
	p := &place{weight, make(chan struct{})}
	q.waiting = append(q.waiting, p)
	q.mu.Unlock()
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	i := slices.Index(q.waiting, p)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	q.mu.Unlock()
	if i < 0 {
		q.leave() // the turn has come at the same moment
	}
	return ctx.Err()
}

// leave lets the next one through; of equals, who came first.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.taken = false
		return
	}
	next := 0
	for i, p := range q.waiting {
		if p.weight > q.waiting[next].weight {
			next = i
		}
	}
	close(q.waiting[next].turn)
	q.waiting = slices.Delete(q.waiting, next, next+1)
}
