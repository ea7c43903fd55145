package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors"
)

const (
	// wholeBytes is the largest chunk that is made on purpose: a lost connection
	// does all of it again.
	wholeBytes = 4 << 30
	// leadLeast is the smallest first chunk for which the others of its table wait.
	leadLeast = 64 << 20
)

// wholeLoads reports whether tables are better loaded in one chunk. Who has said how
// large a chunk is gets chunks of that size.
func (r *Run) wholeLoads() bool {
	return r.Options.ChunkBytes <= 0 && r.Sink.Properties().WholeLoads
}

// share says how a table is divided: in one chunk, in a lead of so many bytes and
// chunks, or, by the zero value, in chunks.
type share struct {
	whole bool
	lead  int64
}

// shares decides how tables of these sizes are divided among workers, so that as much
// as possible is loaded in long chunks while all workers end at about the same time.
//
// It fills the workers' equal parts of the work, the largest table first and each into
// the part that has the most room (R. L. Graham, Bounds on multiprocessing timing
// anomalies, 1969). A table that does not fit is divided: its chunks fill the parts up.
// The largest may be more than a part, as long as the other workers have enough to do
// meanwhile, counting the indexes of their tables, which take about as long as the rows.
// Of one that is larger than that, the first chunk is as long as the whole tables keep
// the other workers busy, since until it has been loaded nobody can load the rest of its
// table.
func shares(sizes []int64, workers int) []share {
	out := make([]share, len(sizes))
	var total, small int64
	for _, n := range sizes {
		total += n
	}
	part := total / int64(workers)
	// With w workers the others have 2·(total-n)/(w-1) to do each. Not all tables have
	// indexes, so there is another bound.
	first, top := min(2*total/int64(workers+1), part*3/2), largest(sizes)
	bySize := make([]int, 0, len(sizes))
	var large []int
	for i, n := range sizes {
		fits := n <= part || n <= first && i == top
		if !fits || n > wholeBytes {
			large = append(large, i)
			continue
		}
		small += n
		bySize = append(bySize, i)
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	loads := make([]int64, workers)
	if len(large) < workers {
		// A little less than the others take: estimates are estimates, and a worker
		// that waits does nothing.
		lead := min(small/int64(workers-len(large))*9/10, wholeBytes)
		for k, i := range large {
			if n := min(lead, sizes[i]/2); n >= leadLeast {
				out[i].lead = n
				loads[k] = n
			}
		}
	}
	for _, i := range bySize {
		k := 0
		for j := range loads {
			if loads[j] < loads[k] {
				k = j
			}
		}
		if loads[k] == 0 || loads[k]+sizes[i] <= part || sizes[i] < leadLeast {
			out[i].whole = true
			loads[k] += sizes[i]
		}
	}
	return out
}

// largest returns the first of the largest sizes.
func largest(sizes []int64) (at int) {
	for i, n := range sizes {
		if n > sizes[at] {
			at = i
		}
	}
	return at
}

// divide makes long chunks where that pays. A table whose rows find their own
// partition stays in chunks: its loaders share the root.
func (s *schedule) divide(ctx context.Context, workers int, snapshot connectors.Snapshot) error {
	sizes := make([]int64, len(s.tables))
	for i := range s.tables {
		sizes[i] = s.tables[i].bytes()
	}
	splitter, _ := snapshot.(connectors.LeadSplitter)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, share := range shares(sizes, workers) {
		t := &s.tables[i]
		if len(t.chunks) < 2 || s.groups[t.table.ID] != t.table.ID {
			continue
		}
		var split func() ([]connectors.Chunk, error)
		switch {
		case share.whole:
			split = func() ([]connectors.Chunk, error) { return snapshot.Split(gctx, t.table.ID, math.MaxInt64) }
		case share.lead > 0 && splitter != nil:
			split = func() ([]connectors.Chunk, error) { return splitter.SplitLead(gctx, t.table.ID, share.lead, 0) }
		default:
			continue
		}
		g.Go(func() (err error) {
			if t.chunks, err = split(); err != nil {
				return fmt.Errorf("split %s: %w", t.table.ID, err)
			}
			return nil
		})
	}
	return g.Wait()
}
