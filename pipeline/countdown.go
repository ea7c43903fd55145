package pipeline

import (
	"context"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// countdown tells which tables become whole with which chunk. It is safe for
// concurrent use.
type countdown struct {
	groups map[catalog.TableID]catalog.TableID

	mu      sync.Mutex
	left    map[catalog.TableID]int // by group: chunks that are not in yet
	members map[catalog.TableID][]catalog.TableID
}

func newCountdown(s *schedule) *countdown {
	c := &countdown{groups: s.groups, left: map[catalog.TableID]int{}, members: map[catalog.TableID][]catalog.TableID{}}
	for _, t := range s.tables {
		if !t.table.StoresRows() {
			continue
		}
		g := s.groups[t.table.ID]
		c.left[g] += len(t.chunks)
		c.members[g] = append(c.members[g], t.table.ID)
	}
	return c
}

// empty returns the tables that are whole before the first chunk.
func (c *countdown) empty() []catalog.TableID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []catalog.TableID
	for g, n := range c.left {
		if n == 0 {
			ids = append(ids, c.members[g]...)
		}
	}
	return ids
}

// done counts a chunk and returns the tables that are whole with it.
func (c *countdown) done(chunk connectors.Chunk) []catalog.TableID {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[chunk.Table]
	c.left[g]--
	if c.left[g] > 0 {
		return nil
	}
	return c.members[g]
}

// spare tells when a worker has no chunk left to load, so that its session is free for
// what comes after the rows. It is safe for concurrent use.
type spare struct {
	mu   sync.Mutex
	left int // chunks that have not begun
	free chan struct{}
}

func newSpare(chunks int) *spare {
	s := &spare{left: chunks, free: make(chan struct{})}
	if chunks == 0 {
		close(s.free)
	}
	return s
}

func (s *spare) began() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left--
}

// ended notes that a chunk that began is over, well or not.
func (s *spare) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left <= 0 && !closed(s.free) {
		close(s.free)
	}
}

// wait returns when a worker is free, or with the error of ctx.
func (s *spare) wait(ctx context.Context) error {
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
