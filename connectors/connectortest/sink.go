package connectortest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func (s *suite) sinkLaws(t *testing.T) {
	t.Run("a copy is equal, and a second one replaces it", beside(s.copies))
	t.Run("nothing is visible before promotion", beside(s.invisible))
	t.Run("commit or nothing", beside(s.commitOrNothing))
	t.Run("a replay is harmless", beside(s.replay))
	t.Run("cancellation leaves nothing", beside(s.cancelLoad))
	t.Run("chunks are loaded at once", beside(s.concurrent))
	t.Run("a target without our mark is refused, untouched", beside(s.guard))
	t.Run("a second run is refused while one holds the target", beside(s.busy))
	t.Run("a failed build leaves the former target", beside(s.failed))
	t.Run("abort is idempotent, at every stage", beside(s.aborts))
	t.Run("what a killed run left is removed", beside(s.killed))
	t.Run("what a run left is gone on with", beside(s.resuming))
	t.Run("a violated foreign key is named, without values", beside(s.foreignKey))
	t.Run("a violated unique key is named, without values", beside(s.uniqueKey))
	t.Run("a NULL in a NOT NULL column is named", beside(s.notNull))
	t.Run("a seal counts rows", beside(s.counts))
	t.Run("definitions of another connector are refused", beside(s.otherDefinitions))
}

func (s *suite) copies(t *testing.T) {
	from, to := s.world(t), s.Database(t)
	s.copyAll(t, from, to, "first", decoding{})
	s.equalRows(t, from, to, s.tables()...)
	noLeftovers(t, to)
	from.Insert(t, s.Quirks.id("events"), []string{"id", "payload"}, []any{int64(9999), "new"})
	from.Delete(t, s.Quirks.id("notes"), "body", "twice")
	s.copyAll(t, from, to, "second", decoding{})
	s.equalRows(t, from, to, s.tables()...)
	noLeftovers(t, to)
	// What was built can be a source in its turn, and has the same catalog.
	a, b := s.catalogOf(t, from), s.catalogOf(t, to)
	if changes := catalog.Diff(a, b); len(changes) > 0 {
		t.Errorf("the copy's catalog differs: %v", changes)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("the copy's catalog has another fingerprint")
	}
}

func (s *suite) catalogOf(t testing.TB, db Database) *catalog.Catalog {
	t.Helper()
	source, err := s.Connector.OpenSource(deadline(t), db.DSN(), s.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	c, err := source.Catalog(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *suite) invisible(t *testing.T) {
	from, to := s.world(t), s.Database(t)
	r := s.begin(t, from, to, "unseen")
	if err := r.load(t, decoding{}); err != nil {
		t.Fatal(err)
	}
	if to.Exists(t) {
		t.Fatal("the target exists before its promotion")
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	if !to.Exists(t) {
		t.Fatal("the target does not exist after its promotion")
	}
	if err := r.build.Abort(); err != nil {
		t.Fatal(err)
	}
	// The second time: the former copy is seen until the promotion.
	want := to.Rows(t, s.Quirks.id("people"))
	from.Update(t, s.Quirks.id("people"), "name", "changed", "id", int64(1))
	r = s.begin(t, from, to, "unseen2")
	if err := r.load(t, decoding{}); err != nil {
		t.Fatal(err)
	}
	if got := to.Rows(t, s.Quirks.id("people")); !slices.EqualFunc(want, got, slices.Equal[[]string]) {
		t.Error("the target changed before the promotion")
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	s.equalRows(t, from, to, s.tables()...)
}

// several returns the chunks of the table that has many, and those of the others.
func (s *suite) several(t testing.TB, r *run, d decoding) (events, others []chunk) {
	t.Helper()
	for _, c := range r.chunks(t, d) {
		if c.Table == s.Quirks.id("events") {
			events = append(events, c)
		} else {
			others = append(others, c)
		}
	}
	if len(events) < 2 {
		t.Fatalf("%d chunks of the large table", len(events))
	}
	return events, others
}

func receiptOf(t testing.TB, b connectors.Build, id string) (connectors.Receipt, bool) {
	t.Helper()
	receipts, err := b.Receipts(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range receipts {
		if r.Chunk == id {
			return r, true
		}
	}
	return connectors.Receipt{}, false
}

// complete loads what the ledger lacks, and ends the run.
func (s *suite) complete(t testing.TB, r *run, from, to Database) {
	t.Helper()
	if err := r.load(t, decoding{}); err != nil {
		t.Fatal(err)
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	s.equalRows(t, from, to, s.tables()...)
	if err := r.build.Abort(); err != nil {
		t.Fatal(err)
	}
	noLeftovers(t, to)
}

func (s *suite) commitOrNothing(t *testing.T) {
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "halves")
	ctx := deadline(t)
	events, _ := s.several(t, r, decoding{})
	loader, err := r.fill(ctx, events[0], decoding{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := loader.Abort(); err != nil {
			t.Fatalf("abort: %v", err)
		}
	}
	if _, err := loader.Commit(ctx); err == nil {
		t.Error("an aborted loader commits")
	}
	if _, has := receiptOf(t, r.build, events[0].ID); has {
		t.Error("the ledger has an aborted chunk")
	}
	receipt, err := r.copy(ctx, events[1], decoding{})
	if err != nil {
		t.Fatal(err)
	}
	if inLedger, _ := receiptOf(t, r.build, events[1].ID); inLedger != receipt || receipt.Rows == 0 || receipt.Bytes == 0 {
		t.Errorf("receipt %+v, in the ledger %+v", receipt, inLedger)
	}
	s.complete(t, r, from, to)
}

func (s *suite) replay(t *testing.T) {
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "replay")
	ctx := deadline(t)
	events, _ := s.several(t, r, decoding{})
	if _, err := r.copy(ctx, events[0], decoding{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.copy(ctx, events[0], decoding{}); err == nil {
		t.Error("a chunk was committed twice")
	}
	s.complete(t, r, from, to)
}

func (s *suite) cancelLoad(t *testing.T) {
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "cancelled")
	events, _ := s.several(t, r, decoding{})
	ctx, cancel := context.WithCancel(deadline(t))
	loader, err := r.fill(ctx, events[0], decoding{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := loader.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if err := loader.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	if _, has := receiptOf(t, r.build, events[0].ID); has {
		t.Error("the ledger has a cancelled chunk")
	}
	if _, err := r.build.Load(ctx, events[0].Chunk, events[0].layout); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
	if err := r.build.TableLoaded(ctx, events[0].Table); !errors.Is(err, context.Canceled) {
		t.Errorf("table loaded: %v", err)
	}
	s.complete(t, r, from, to)

	ctx, cancel = context.WithCancel(deadline(t))
	cancel()
	other := s.Database(t)
	if _, err := s.sink(t, other).Begin(ctx, specOf(s.snapshot, s.definitions, "never")); !errors.Is(err, context.Canceled) {
		t.Errorf("begin: %v", err)
	}
	if other.Exists(t) {
		t.Error("a cancelled begin made the target")
	}
	noLeftovers(t, other)
}

func (s *suite) concurrent(t *testing.T) {
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "together")
	ctx := deadline(t)
	var wg sync.WaitGroup
	work := make(chan chunk)
	for range 3 {
		wg.Go(func() {
			for c := range work {
				if _, err := r.copy(ctx, c, decoding{}); err != nil {
					t.Errorf("copy %s: %v", c.ID, err)
				}
			}
		})
	}
	for _, c := range r.chunks(t, decoding{}) {
		work <- c
	}
	close(work)
	wg.Wait()
	s.complete(t, r, from, to)
}

func (s *suite) guard(t *testing.T) {
	to := s.Database(t)
	work := &catalog.Table{ID: s.Quirks.id("work"), Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "id", Type: s.Quirks.typeOf(catalog.Int)}}}
	to.Create(t, work)
	to.Insert(t, work.ID, []string{"id"}, []any{int64(1)})
	_, err := s.sink(t, to).Begin(deadline(t), specOf(s.snapshot, s.definitions, "guarded"))
	if kind, side := connectors.KindOf(err); kind != connectors.KindGuard || side != connectors.SinkSide {
		t.Fatalf("kind %d, side %d: %v", kind, side, err)
	}
	if connectors.Hint(err) == "" {
		t.Error("no hint")
	}
	if rows := to.Rows(t, work.ID); len(rows) != 1 {
		t.Errorf("%d rows are left of somebody's work", len(rows))
	}
	noLeftovers(t, to)
}

func (s *suite) busy(t *testing.T) {
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "holder")
	second := s.sink(t, to)
	_, err := second.Begin(deadline(t), specOf(s.snapshot, s.definitions, "second"))
	if kind, side := connectors.KindOf(err); kind != connectors.KindBusy || side != connectors.SinkSide {
		t.Fatalf("kind %d, side %d: %v", kind, side, err)
	}
	// The holder is not disturbed.
	s.complete(t, r, from, to)
	build, err := second.Begin(deadline(t), specOf(s.snapshot, s.definitions, "second"))
	if err != nil {
		t.Fatalf("after the holder has ended: %v", err)
	}
	if err := build.Abort(); err != nil {
		t.Fatal(err)
	}
	s.equalRows(t, from, to, s.tables()...)
	noLeftovers(t, to)
}

func (s *suite) failed(t *testing.T) {
	from, to := s.world(t), s.Database(t)
	s.copyAll(t, from, to, "good", decoding{})
	from.Update(t, s.Quirks.id("people"), "name", "newer", "id", int64(1))
	before := to.Rows(t, s.Quirks.id("people"))
	r := s.begin(t, from, to, "bad")
	err := r.load(t, s.only("orders", "person", func(int64) int64 { return 777_001 }))
	if err == nil {
		err = r.finish(t)
	}
	if err == nil {
		t.Fatal("a build with orphans was promoted")
	}
	if err := r.build.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := to.Rows(t, s.Quirks.id("people")); !slices.EqualFunc(before, got, slices.Equal[[]string]) {
		t.Error("the former target changed")
	}
	noLeftovers(t, to)
	s.copyAll(t, from, to, "good2", decoding{})
	s.equalRows(t, from, to, s.tables()...)
}

func (s *suite) aborts(t *testing.T) {
	from := s.still
	for _, stage := range []string{"begun", "loaded", "finished", "sealed", "promoted"} {
		t.Run(stage, func(t *testing.T) {
			to := s.Database(t)
			r := s.begin(t, from, to, stage)
			if stage != "begun" {
				if err := r.load(t, decoding{}); err != nil {
					t.Fatal(err)
				}
			}
			ctx := deadline(t)
			if stage != "begun" && stage != "loaded" {
				for _, table := range s.tables() {
					if err := r.build.TableLoaded(ctx, table.ID); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.build.Finish(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if stage == "sealed" || stage == "promoted" {
				if err := r.build.Seal(ctx, r.rows); err != nil {
					t.Fatal(err)
				}
			}
			if stage == "promoted" {
				if err := r.build.Promote(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := r.build.Abort(); err != nil {
					t.Fatal(err)
				}
			}
			noLeftovers(t, to)
			if to.Exists(t) != (stage == "promoted") {
				t.Errorf("the target exists: %t", to.Exists(t))
			}
			if stage == "promoted" {
				s.equalRows(t, from, to, s.tables()...)
				return
			}
			if err := r.build.Promote(ctx); err == nil {
				t.Error("an aborted build was promoted")
			}
		})
	}
}

// killed closes a sink without an abort, as the end of its process would.
func (s *suite) killed(t *testing.T) {
	from, to := s.still, s.Database(t)
	for _, id := range []string{"dead1", "dead2"} {
		sink, err := s.Connector.OpenSink(deadline(t), to.DSN(), s.Options)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{sink: sink, rows: map[catalog.TableID]int64{}}
		r.source, r.snapshot = s.open(t, from)
		if r.build, err = sink.Begin(deadline(t), spec(t, r.snapshot, id)); err != nil {
			t.Fatal(err)
		}
		events, _ := s.several(t, r, decoding{})
		if _, err := r.copy(deadline(t), events[0], decoding{}); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		if to.Exists(t) {
			t.Fatal("a killed run made the target")
		}
	}
	s.copyAll(t, from, to, "alive", decoding{})
	s.equalRows(t, from, to, s.tables()...)
	noLeftovers(t, to)
}

// broken runs a copy that must fail for want of integrity, and returns the error.
func (s *suite) broken(t *testing.T, d decoding) error {
	t.Helper()
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "broken")
	err := r.load(t, d)
	if err == nil {
		err = r.finish(t)
	}
	if kind, side := connectors.KindOf(err); kind != connectors.KindIntegrity || side != connectors.SinkSide {
		t.Fatalf("kind %d, side %d: %v", kind, side, err)
	}
	if text := err.Error() + connectors.Hint(err); strings.Contains(text, "777001") || strings.Contains(text, "777_001") {
		t.Errorf("the value is in the error: %v", err)
	}
	if err := r.build.Abort(); err != nil {
		t.Fatal(err)
	}
	noLeftovers(t, to)
	if to.Exists(t) {
		t.Error("a broken build was promoted")
	}
	return err
}

func (s *suite) foreignKey(t *testing.T) {
	for constraint, d := range map[string]decoding{
		"orders_person_exists": s.only("orders", "person", func(int64) int64 { return 777_001 }),
		"people_boss_exists":   s.only("people", "boss", func(int64) int64 { return 777_001 }),
		"parcels_order_exists": s.only("parcels", "line", func(int64) int64 { return 777_001 }),
		"egg_next_exists":      s.only("egg", "next", func(int64) int64 { return 777_001 }),
	} {
		t.Run(constraint, func(t *testing.T) {
			if err := s.broken(t, d); !strings.Contains(err.Error(), constraint) {
				t.Errorf("the constraint is not named: %v", err)
			}
		})
	}
}

func (s *suite) uniqueKey(t *testing.T) {
	err := s.broken(t, s.only("orders", "line", func(int64) int64 { return 777_001 }))
	if !strings.Contains(err.Error(), "orders") {
		t.Errorf("neither key nor table is named: %v", err)
	}
}

func (s *suite) notNull(t *testing.T) {
	d := s.only("orders", "line", nil)
	d.replace = nulls
	if err := s.broken(t, d); !strings.Contains(err.Error(), "line") {
		t.Errorf("the column is not named: %v", err)
	}
}

func (s *suite) counts(t *testing.T) {
	from, to := s.still, s.Database(t)
	for what, wrong := range map[string]func(map[catalog.TableID]int64){
		"one row more":     func(rows map[catalog.TableID]int64) { rows[s.Quirks.id("people")]++ },
		"a table unloaded": func(rows map[catalog.TableID]int64) { delete(rows, s.Quirks.id("events")) },
	} {
		r := s.begin(t, from, to, "counted")
		if err := r.load(t, decoding{}); err != nil {
			t.Fatal(err)
		}
		wrong(r.rows)
		err := r.finish(t)
		if kind, _ := connectors.KindOf(err); kind != connectors.KindIntegrity {
			t.Errorf("%s: kind %d: %v", what, kind, err)
		}
		if err := r.build.Abort(); err != nil {
			t.Fatal(err)
		}
	}
	if to.Exists(t) {
		t.Error("a build with a wrong count was promoted")
	}
}

func (s *suite) otherDefinitions(t *testing.T) {
	to := s.Database(t)
	other := specOf(s.snapshot, s.definitions, "other")
	other.Definitions = &connectors.Definitions{Connector: "nobody", Data: other.Definitions.Data}
	if _, err := s.sink(t, to).Begin(deadline(t), other); err == nil {
		t.Error("definitions of another connector are taken")
	}
	if to.Exists(t) {
		t.Error("the target exists")
	}
	noLeftovers(t, to)
}
