package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// twoStepBytes is the size from which the indexes of a table are made beside each other,
// and its foreign keys in two steps. Below it more statements would cost more than the
// cores that they keep busy. Tests set it.
var twoStepBytes int64 = 16 << 20

const (
	// leastSortKB and mostSortKB bound the memory of one session's sort, in KiB.
	leastSortKB, mostSortKB = 16 << 10, 1 << 20
	// runKB is what a sort keeps in memory of each of the runs that it merges, in KiB
	// (MERGE_BUFFER_SIZE and TAPE_BUFFER_OVERHEAD of the server's tuplesort.c).
	runKB = 264
	// allKB is more than any server has, in KiB.
	allKB = 1 << 40
	// helperKB is the least memory for which the server gives a sort a helper, in KiB.
	helperKB = 32 << 10
)

// sortKB returns the memory for sorting or joining so many bytes, in KiB: as little as
// lets all runs be merged at once. A sort of n bytes in m makes n/m runs and merges up to
// m/run of them, so m is the root of n·run. More is slower, not faster: runs that fit the
// processor's cache are sorted in half the time of one that does not; and to join, the
// server then walks two indexes in their order rather than fill a table of hashes.
func sortKB(bytes int64) int64 {
	return min(max(int64(math.Sqrt(float64(bytes>>10)*runKB)), leastSortKB), mostSortKB)
}

// indexKB returns the memory for making indexes of a table of so many bytes, in KiB: all
// that there is unless each is sorted, for a GIN index is the slower the less it has, and
// some kinds are not made at all below what they ask for.
func indexKB(bytes int64, entries ...entry) int64 {
	for _, e := range entries {
		if e.Kind == "INDEX" && !strings.Contains(e.SQL, " USING btree ") || e.Kind == "CONSTRAINT" && strings.Contains(e.SQL, " EXCLUDE USING ") {
			return allKB
		}
	}
	return sortKB(bytes)
}

// makeIndexes makes the indexes and keys of one table: each index on a session of its own,
// if the table is large, then what turns some of them into keys, and what needs the table
// to itself.
func (b *build) makeIndexes(ctx context.Context, id catalog.TableID, todo []entry) error {
	if len(todo) == 0 {
		return nil
	}
	bytes := b.loads.bytes(id)
	if bytes < twoStepBytes {
		return b.ample(ctx, func(held *session) error { return b.run(ctx, held, todo...) })
	}
	var list []tasks.Task
	var rest []entry
	beside := func(e entry) {
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			held, err := b.turn(ctx, bytes)
			if err != nil {
				return err
			}
			defer b.release(held)
			if err := b.tune(ctx, held, indexKB(bytes, e)); err != nil {
				return fail(ctx, b.side, "make "+e.String(), err)
			}
			return b.run(ctx, held, e)
		}})
	}
	for _, e := range todo {
		_, single := oneStatement(e.SQL)
		switch {
		case e.Steps != nil:
			beside(e.first())
			rest = append(rest, e.second())
		case e.Kind == "INDEX" && single:
			beside(e)
		default:
			// Behind CREATE INDEX stands what locks out other indexes: two that held
			// the table's SHARE lock and wanted more would wait for each other.
			rest = append(rest, e)
		}
	}
	if err := b.parallel(ctx, list); err != nil {
		return err
	}
	if len(rest) == 0 {
		return nil
	}
	return b.with(ctx, func(held *session) error {
		if err := b.tune(ctx, held, indexKB(bytes, rest...)); err != nil {
			return fail(ctx, b.side, "build the indexes of "+words(id), err)
		}
		return b.run(ctx, held, rest...)
	})
}

// turn takes a session when nobody waits for one who has more to do.
func (b *build) turn(ctx context.Context, bytes int64) (*session, error) {
	b.wanted.Add(1) // who waits in the queue counts
	defer b.wanted.Add(-1)
	if err := b.queue.enter(ctx, bytes); err != nil {
		return nil, &connectors.Error{Side: b.side, Op: "wait for a free session", Err: err}
	}
	defer b.queue.leave()
	return b.session(ctx)
}

// goAhead does with a table that has its indexes what else Finish would do when all have
// theirs, so that the last of them, and the longest key, are not alone on the machine: it
// gathers statistics, and makes the foreign keys of which both tables have their indexes.
// What is small, or hangs together with other tables, is left to Finish.
func (b *build) goAhead(ctx context.Context, id catalog.TableID) error {
	if !b.apart(id) {
		return nil
	}
	b.mu.Lock()
	b.indexed[id] = true
	var keys []entry
	for _, e := range b.behind().keys[id] {
		if b.indexed[*e.Table] && b.indexed[*e.References] {
			keys = append(keys, e)
		}
	}
	b.mu.Unlock()
	var list []tasks.Task
	for _, e := range keys {
		bytes := b.loads.bytes(*e.Table)
		if bytes < twoStepBytes {
			continue
		}
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			// It takes no time, and holds up whatever else locks the two.
			err := b.inTurn(ctx, math.MaxInt64, []string{words(*e.Table), words(*e.References)}, func(held *session) error { return b.run(ctx, held, e.first()) })
			if err != nil {
				return err
			}
			return b.inTurn(ctx, bytes, []string{words(*e.Table)}, func(held *session) error { return b.validate(ctx, held, e.second(), bytes) })
		}})
	}
	if b.loads.bytes(id) >= twoStepBytes && !b.behind().extended[id] {
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			// Nobody waits for it: whoever else wants a session, or the table, goes first.
			return b.atLeisure(ctx, words(id), func(held *session) error { return b.analyze(ctx, held, id) })
		}})
	}
	return b.parallel(ctx, list)
}

// apart reports whether a table is neither partitioned nor part of another, and no other
// inherits from it.
func (b *build) apart(id catalog.TableID) bool {
	t := b.spec.Catalog.Table(id)
	return t != nil && t.StoresRows() && len(t.Parents) == 0 && !b.behind().parents[id]
}

// behind is what stands behind the rows, by tables: of thousands of them nobody can go through
// all definitions for each.
type behind struct {
	indexes  map[catalog.TableID][]entry           // and unique keys
	keys     map[catalog.TableID][]entry           // foreign keys of two steps, of both of their tables
	parents  map[catalog.TableID]bool              // tables from which others inherit
	leaves   map[catalog.TableID][]catalog.TableID // what stores the rows of a table: itself, or its partitions
	extended map[catalog.TableID]bool              // tables that get more for ANALYZE to look at: statistics objects, and indexes that wait
}

func (b *build) readBehind() *behind {
	out := &behind{indexes: map[catalog.TableID][]entry{}, keys: map[catalog.TableID][]entry{}, parents: map[catalog.TableID]bool{}, leaves: map[catalog.TableID][]catalog.TableID{}, extended: map[catalog.TableID]bool{}}
	for _, e := range b.defs.After {
		switch e.Phase {
		case phaseTable:
			out.indexes[*e.Table] = append(out.indexes[*e.Table], e)
		case phaseForeign:
			if e.Steps == nil {
				continue
			}
			out.keys[*e.Table] = append(out.keys[*e.Table], e)
			if *e.References != *e.Table {
				out.keys[*e.References] = append(out.keys[*e.References], e)
			}
		case phaseAttach:
			if e.Table != nil {
				out.extended[*e.Table] = true
			}
		case phaseExtended:
			if e.Table != nil {
				out.extended[*e.Table] = true
				continue
			}
			for _, t := range b.spec.Catalog.Tables { // it is not known of which
				out.extended[t.ID] = true
			}
		}
	}
	for _, t := range b.spec.Catalog.Tables {
		for _, parent := range t.Parents {
			out.parents[parent] = true
		}
		if !t.StoresRows() {
			continue
		}
		for at := t; at != nil; at = b.spec.Catalog.Table(at.Parents[0]) {
			out.leaves[at.ID] = append(out.leaves[at.ID], t.ID)
			if !at.IsPartition || len(at.Parents) == 0 {
				break
			}
		}
	}
	return out
}

// inTurn runs f on a session when nobody waits for one who has more to do, and nobody else
// has what it locks: a session that waited for a lock would be lost to others.
func (b *build) inTurn(ctx context.Context, bytes int64, locks []string, f func(*session) error) error {
	unlock, err := b.ahead.Lock(ctx, locks...)
	if err != nil {
		return &connectors.Error{Side: b.side, Op: "wait for a table", Err: err}
	}
	defer unlock()
	held, err := b.turn(ctx, bytes)
	if err != nil {
		return err
	}
	defer b.release(held)
	return f(held)
}

// atLeisure is inTurn for what nobody waits for: it has the table only when it has a session.
func (b *build) atLeisure(ctx context.Context, lock string, f func(*session) error) error {
	for {
		held, err := b.turn(ctx, 0)
		if err != nil {
			return err
		}
		if unlock, ok := b.ahead.TryLock(lock); ok {
			defer unlock()
			defer b.release(held)
			return f(held)
		}
		b.release(held)
		unlock, err := b.ahead.Lock(ctx, lock) // when it is let go
		if err != nil {
			return &connectors.Error{Side: b.side, Op: "wait for a table", Err: err}
		}
		unlock()
	}
}

// validate runs a foreign key, or its second step, which reads so many bytes at once.
func (b *build) validate(ctx context.Context, held *session, e entry, bytes int64) error {
	if err := b.tune(ctx, held, sortKB(bytes)); err != nil {
		return fail(ctx, b.side, "make "+e.String(), err)
	}
	return b.run(ctx, held, e)
}

// keys adds the foreign keys, gathers statistics and sets sequences. Adding a key locks
// both tables, and the partitions below them: keys that share one would wait for each
// other, or deadlock. Validating locks out only what changes the table itself, so that
// the rest is done side by side, what takes longest first. Where a partitioned table is on
// either end, a key is validated where it is added, a partition at a time.
func (b *build) keys(ctx context.Context) error {
	var add, later []weighed
	for _, e := range b.defs.After {
		if e.Phase != phaseForeign {
			continue
		}
		locks := []string{b.root(*e.Table), b.root(*e.References)}
		bytes, largest := b.loaded(*e.Table)
		switch {
		case bytes < twoStepBytes:
			add = append(add, weighed{tasks.Task{Locks: locks, Do: func(ctx context.Context) error {
				return b.ample(ctx, func(held *session) error { return b.run(ctx, held, e) })
			}}, bytes})
		case e.Steps != nil:
			add = append(add, weighed{tasks.Task{Locks: locks, Do: func(ctx context.Context) error {
				return b.with(ctx, func(held *session) error { return b.run(ctx, held, e.first()) })
			}}, 0}) // it takes no time
			later = append(later, weighed{tasks.Task{Locks: locks[:1], Do: func(ctx context.Context) error {
				return b.with(ctx, func(held *session) error { return b.validate(ctx, held, e.second(), bytes) })
			}}, bytes})
		default:
			add = append(add, weighed{tasks.Task{Locks: locks, Do: func(ctx context.Context) error {
				return b.with(ctx, func(held *session) error { return b.validate(ctx, held, e, largest) })
			}}, bytes})
		}
	}
	if err := b.parallel(ctx, heaviest(add)); err != nil {
		return err
	}
	list := heaviest(later)
	// A partitioned table's own statistics come with those of all its partitions.
	var tables []catalog.TableID
	for _, t := range b.spec.Catalog.Tables {
		if t.Kind != catalog.Foreign && !t.IsPartition {
			tables = append(tables, t.ID)
		}
	}
	list = append(list, b.analyzing(tables)...)
	list = append(list, tasks.Task{Do: func(ctx context.Context) error {
		return b.with(ctx, func(held *session) error { return b.sequences(ctx, held.conn) })
	}})
	return b.parallel(ctx, list)
}

// weighed is a task and how much it has to read, in bytes.
type weighed struct {
	tasks.Task
	bytes int64
}

// heaviest returns tasks, what takes longest first.
func heaviest(list []weighed) (sorted []tasks.Task) {
	slices.SortStableFunc(list, func(a, b weighed) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, w := range list {
		sorted = append(sorted, w.Task)
	}
	return sorted
}

// loaded returns how many bytes of a table have been loaded, or of a partitioned one into all
// of its partitions, and into the largest of them.
func (b *build) loaded(id catalog.TableID) (all, largest int64) {
	for _, part := range b.behind().leaves[id] {
		n := b.loads.bytes(part)
		all, largest = all+n, max(largest, n)
	}
	return all, largest
}

// analyzing returns the tasks of gathering statistics, of those tables that have none yet.
func (b *build) analyzing(ids []catalog.TableID) (list []tasks.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if b.analyzed[id] {
			continue
		}
		list = append(list, tasks.Task{Locks: []string{b.root(id)}, Do: func(ctx context.Context) error {
			return b.with(ctx, func(held *session) error { return b.analyze(ctx, held, id) })
		}})
	}
	return list
}

// analyze gathers the optimiser's statistics of a table, and notes that it has.
func (b *build) analyze(ctx context.Context, held *session, id catalog.TableID) error {
	if err := held.exec(ctx, "ANALYZE "+table(id)); err != nil {
		return b.computingStatistics(fail(ctx, b.side, "analyze "+words(id), err), err, id)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.analyzed[id] = true
	return nil
}

// ample runs f on a session that has at least the memory that the server's owner gives to one,
// whatever it was tuned for before.
func (b *build) ample(ctx context.Context, f func(*session) error) error {
	return b.with(ctx, func(held *session) error {
		if held.tuned != "" {
			if err := b.tune(ctx, held, allKB); err != nil {
				return fail(ctx, b.side, "set a session of "+word(b.name), err)
			}
		}
		return f(held)
	})
}

// tune gives a session so much memory, in KiB, for sorting and joining, but no more than
// the server's owner allows, or a part of what the owner has given to its cache; and
// helpers of the server while sessions are fewer than the build may have. While all of
// them are busy the cores are too, and helpers would only divide the same work.
func (b *build) tune(ctx context.Context, held *session, kb int64) error {
	helpers := "0"
	if int(b.wanted.Load()) < cap(b.slots) {
		helpers, kb = "DEFAULT", max(kb, helperKB)
	}
	tuned := fmt.Sprint(helpers, kb)
	if held.tuned == tuned {
		return nil
	}
	sql := fmt.Sprintf(`SET max_parallel_maintenance_workers = %s;
SELECT pg_catalog.set_config('maintenance_work_mem', least(greatest(m.reset_val::bigint, least(b.setting::bigint * 8 / %d, %d)), %d * (1 + h.setting::bigint)) || 'kB', false)
FROM pg_catalog.pg_settings m, pg_catalog.pg_settings b, pg_catalog.pg_settings h
WHERE m.name = 'maintenance_work_mem' AND b.name = 'shared_buffers' AND h.name = 'max_parallel_maintenance_workers'`, helpers, 2*cap(b.slots), mostSortKB, kb)
	held.tuned = tuned
	return held.exec(ctx, sql)
}
