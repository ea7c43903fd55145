package pipeline

import (
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
