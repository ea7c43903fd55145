package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// schedule is the work of the copy phase: every chunk of every table, and which
// tables are whole when which chunks are in.
type schedule struct {
	tables []scheduled
	chunks []connectors.Chunk
	jobs   map[catalog.TableID]*job
	// groups maps a table to the tables that are whole together with it: itself, or all
	// partitions of a root whose key is masked, since their rows may move
	// from one to the other.
	groups map[catalog.TableID]catalog.TableID
	loaded time.Time // when copy had no more chunk to load
}

type scheduled struct {
	table  *catalog.Table
	plan   *masking.TablePlan
	chunks []connectors.Chunk
	layout *connectors.Layout // of a table that is copied
	filter connectors.Filter
}

// newSchedule binds every table of the catalog to its plan, and splits those that are
// copied. It checks their filters before anything is written.
func newSchedule(ctx context.Context, r *Run, snapshot connectors.Snapshot, plan *masking.Plan, chosen filters) (*schedule, error) {
	c := snapshot.Catalog()
	s := &schedule{jobs: map[catalog.TableID]*job{}, groups: map[catalog.TableID]catalog.TableID{}}
	for _, t := range c.Tables {
		if t.Kind == catalog.Foreign {
			continue // stays behind: it would tie the target to another server
		}
		tp := plan.Table(t.ID.Schema, t.ID.Name)
		if tp == nil {
			return nil, fmt.Errorf("schedule %s: the plan does not know the table", t.ID)
		}
		s.groups[t.ID] = group(c, t, tp)
		s.tables = append(s.tables, scheduled{table: t, plan: tp, filter: chosen[c.Root(t).ID]})
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.Options.Workers)
	for i := range s.tables {
		t := &s.tables[i]
		if t.plan.Drop() || !t.table.StoresRows() {
			continue
		}
		g.Go(func() (err error) {
			t.chunks, err = snapshot.Split(gctx, t.table.ID, r.Options.ChunkBytes)
			if err != nil {
				return fmt.Errorf("split %s: %w", t.table.ID, err)
			}
			// Also of a table without rows: a filter that cannot be is a mistake tonight.
			layout, err := snapshot.Layout(t.table.ID, t.plan.Decoded())
			if err != nil {
				return err
			}
			if layout, err = layout.Without(derived(t.plan)); err != nil {
				return err
			}
			t.layout, err = chosen.layout(gctx, snapshot, layout.Unreading(t.plan.Unread()))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if r.wholeLoads() {
		if err := s.divide(ctx, r.Options.Workers, snapshot); err != nil {
			return nil, err
		}
	}
	s.order()
	if r.Sink.Properties().LoadsWait {
		s.mix(r.Options.Workers)
	}
	return s, nil
}

// order puts the chunks in a row: leads, since the rest of their tables waits for them;
// then, the longest first, the tables of one chunk; then the others, whose many chunks
// even out what the workers have left to do.
func (s *schedule) order() {
	longest := slices.Clone(s.tables)
	slices.SortStableFunc(longest, func(a, b scheduled) int { return cmp.Compare(b.bytes(), a.bytes()) })
	var whole, parts []connectors.Chunk
	for _, t := range longest {
		switch rest := t.chunks; {
		case len(rest) == 1:
			whole = append(whole, rest[0])
		case len(rest) > 1 && rest[0].Lead:
			s.chunks = append(s.chunks, rest[0])
			parts = append(parts, rest[1:]...)
		default:
			parts = append(parts, rest...)
		}
	}
	s.chunks = append(append(s.chunks, whole...), parts...)
}

// mix puts the chunks in a row in which those that workers have at once are of different
// tables, as long as there are several: the next is always of the table that has the most
// left, of those that the others do not have.
func (s *schedule) mix(workers int) {
	left, queues := map[catalog.TableID]int64{}, map[catalog.TableID][]connectors.Chunk{}
	var order []catalog.TableID
	for _, c := range s.chunks {
		if queues[c.Table] == nil {
			order = append(order, c.Table)
		}
		left[c.Table] += max(c.Bytes, 1)
		queues[c.Table] = append(queues[c.Table], c)
	}
	mixed := make([]connectors.Chunk, 0, len(s.chunks))
	for len(mixed) < cap(mixed) {
		others := mixed[max(0, len(mixed)-workers+1):]
		best, free := catalog.TableID{}, false
		for _, id := range order {
			if len(queues[id]) == 0 {
				continue
			}
			apart := !slices.ContainsFunc(others, func(c connectors.Chunk) bool { return c.Table == id })
			if len(queues[best]) == 0 || apart && !free || apart == free && left[id] > left[best] {
				best, free = id, apart
			}
		}
		next := queues[best][0]
		queues[best] = queues[best][1:]
		left[best] -= max(next.Bytes, 1)
		mixed = append(mixed, next)
	}
	s.chunks = mixed
}

// derived names the columns of a table that hold values at the source, and that the build
// computes anew.
func derived(p *masking.TablePlan) (names []string) {
	if p.Drop() {
		return nil
	}
	for _, c := range p.Columns() {
		if c.By != "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// derived lists all columns that the build computes anew.
func (s *schedule) derived() (all []connectors.Derived) {
	for _, t := range s.tables {
		if t.plan.Drop() || !t.table.StoresRows() {
			continue
		}
		for _, c := range t.plan.Columns() {
			if c.By != "" {
				all = append(all, connectors.Derived{Column: catalog.ColumnID{Table: t.table.ID, Column: c.Name}, Trigger: c.By})
			}
		}
	}
	return all
}

func (t *scheduled) bytes() (n int64) {
	for _, c := range t.chunks {
		n += max(c.Bytes, 1)
	}
	return n
}

// group returns the table that names the group of t.
func group(c *catalog.Catalog, t *catalog.Table, p *masking.TablePlan) catalog.TableID {
	top := t
	for at := t; at.IsPartition && len(at.Parents) > 0; {
		if at = c.Table(at.Parents[0]); at == nil {
			break
		}
		for _, name := range at.PartitionKey {
			if slices.Contains(p.Decoded(), name) {
				top = at
			}
		}
	}
	return top.ID
}

// estimates returns what an observer wants to know.
func (s *schedule) estimates() []TableEstimate {
	var list []TableEstimate
	for _, t := range s.tables {
		e := TableEstimate{Table: t.table.ID, Chunks: len(t.chunks)}
		for _, c := range t.chunks {
			e.Rows += c.Rows
			e.Bytes += c.Bytes
		}
		e.Chunked = e.Bytes
		e.choose(t.filter)
		list = append(list, e)
	}
	return list
}

// choose lowers an estimate to what a filter lets through, as far as one can tell.
func (e *TableEstimate) choose(f connectors.Filter) {
	all := e.Rows
	if f.Sample > 0 {
		e.Rows = int64(f.Sample * float64(e.Rows))
	}
	if f.Limit > 0 {
		e.Rows = min(e.Rows, f.Limit)
	}
	if e.Rows < all {
		e.Bytes = int64(float64(e.Bytes) * float64(e.Rows) / float64(all))
	}
}

// copy runs all chunks and builds the indexes of each table whose rows are in as soon as a
// session is free: rows come first. The source's snapshot is open for as long as rows are
// read, and an index that took a loader's session would only divide the same work otherwise.
// It calls rowsIn when the last chunk is in, while indexes are being built. From then on
// Options.Drain ends what is going on: there is no chunk left to bring to its end.
func (s *schedule) copy(ctx context.Context, r *Run, build connectors.Build, ledger *Ledger, retried func(), rowsIn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := s.copyAll(ctx, r, build, ledger, retried, func(fctx context.Context) error {
		onDrain(ctx, r.Options.Drain, cancel)
		return rowsIn(fctx)
	})
	return interrupted(ctx, err)
}

func (s *schedule) copyAll(ctx context.Context, r *Run, build connectors.Build, ledger *Ledger, retried func(), rowsIn func(context.Context) error) error {
	// The build's own sessions bound how many tables are finished at once.
	finishing, fctx := errgroup.WithContext(ctx)
	whole := newCountdown(s)
	spare := newSpare(len(s.chunks))
	tableLoaded := func(ids []catalog.TableID) {
		for _, id := range ids {
			finishing.Go(func() error {
				if err := spare.wait(fctx); err != nil {
					return err
				}
				if err := build.TableLoaded(fctx, id); err != nil {
					return fmt.Errorf("finish table %s: %w", id, err)
				}
				r.Observer.TableLoaded(id)
				return nil
			})
		}
	}
	tableLoaded(whole.empty())
	err := r.Dispatcher.Dispatch(fctx, r.Options.Drain, s.chunks, func(ctx context.Context, c connectors.Chunk) error {
		spare.began()
		defer spare.ended()
		if err := s.jobs[c.Table].attempts(ctx, c, ledger, &r.Options, r.Observer, retried); err != nil {
			return err
		}
		tableLoaded(whole.done(c))
		return nil
	})
	s.loaded = time.Now()
	finishing.Go(func() error {
		if err != nil {
			// This ends the index builds too, and Wait waits for them: no goroutine
			// outlives the call, and the first error is the one reported.
			return err
		}
		return rowsIn(fctx)
	})
	if ferr := finishing.Wait(); ferr != nil {
		return ferr
	}
	// A partitioned table comes after its partitions, and it has no rows of its own.
	for _, t := range s.tables {
		if t.table.StoresRows() {
			continue
		}
		if err := build.TableLoaded(ctx, t.table.ID); err != nil {
			return fmt.Errorf("finish table %s: %w", t.table.ID, err)
		}
		r.Observer.TableLoaded(t.table.ID)
	}
	return nil
}
