package connectortest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// joining: a joined snapshot sees the same instant, and outlives the one that was joined,
// unless that lends its own sessions: then it is lost with it.
func (s *suite) joining(t *testing.T) {
	db := s.world(t)
	source, first := s.open(t, db)
	joiner, ok := source.(connectors.Joiner)
	if can := source.Properties().JoinableSnapshot; can != ok {
		t.Fatalf("joinable by its properties: %t, by its methods: %t", can, ok)
	}
	if !ok {
		return
	}
	lent := s.Holders != nil
	if _, is := first.(connectors.Lender); is != lent {
		t.Fatalf("lent by its methods: %t, by its harness: %t", is, lent)
	} else if lent {
		s.Holders.Hold(first)
	}
	want := s.rowsOf(t, db, s.tables()...)
	db.Insert(t, s.Quirks.id("events"), []string{"id", "payload"}, []any{int64(9999), "new"})
	db.Delete(t, s.Quirks.id("notes"), "body", "twice")

	other, err := s.Connector.OpenSource(deadline(t), db.DSN(), s.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closes(t, "source", other) })
	second, err := other.(connectors.Joiner).Join(deadline(t), first.Token())
	if err != nil {
		t.Fatalf("join: %v", err)
	}
	t.Cleanup(func() { closes(t, "snapshot", second) })
	if second.Token() != first.Token() {
		t.Errorf("token %s, joined %s", second.Token(), first.Token())
	}
	if a, b := first.Catalog().Fingerprint(), second.Catalog().Fingerprint(); a != b {
		t.Error("the joined snapshot has another catalog")
	}
	if a, b := first.(connectors.Timed).Taken(), second.(connectors.Timed).Taken(); !a.Equal(b) {
		t.Errorf("it was taken at %s, and by who has joined it at %s", a, b)
	}
	held, ok := second.(connectors.Held)
	if !ok {
		t.Fatal("the snapshot of a Joiner cannot be asked whether it lives")
	}
	// What was joined ends: the other lives on, and can be copied whole.
	if !lent {
		closes(t, "snapshot", first)
	}
	if err := held.Alive(deadline(t)); err != nil {
		t.Errorf("it does not live, or ended with the one that was joined: %v", err)
	}
	to := s.Database(t)
	r := &run{snapshot: second, rows: map[catalog.TableID]int64{}, sink: s.sink(t, to)}
	if r.build, err = r.sink.Begin(deadline(t), spec(t, second, "joined")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.build.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
	})
	if err := r.load(t, decoding{}); err != nil {
		t.Fatal(err)
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	got := s.rowsOf(t, to, s.tables()...)
	for id, rows := range want {
		sameRows(t, id, rows, got[id])
	}

	if lent {
		layout, err := second.Layout(s.Quirks.id("people"), nil)
		if err != nil {
			t.Fatal(err)
		}
		whole := connectors.Chunk{ID: "all people", Table: s.Quirks.id("people"), Last: true}
		closes(t, "snapshot", first)
		err = held.Alive(deadline(t))
		if kind, side := connectors.KindOf(err); kind != connectors.KindSnapshot || side != connectors.SourceSide {
			t.Errorf("it outlives its holder: kind %d, side %d: %v", kind, side, err)
		}
		_, err = second.Read(deadline(t), whole, layout)
		if kind, side := connectors.KindOf(err); kind != connectors.KindSnapshot || side != connectors.SourceSide {
			t.Errorf("it is read without its holder: kind %d, side %d: %v", kind, side, err)
		}
	}
	closes(t, "snapshot", second)
	if err := held.Alive(deadline(t)); err == nil {
		t.Error("a closed snapshot lives")
	}
	for what, token := range map[string]string{"a snapshot that nobody holds": first.Token(), "no token": "", "a token that is none": "'; SELECT 1; --"} {
		_, err := joiner.Join(deadline(t), token)
		if kind, side := connectors.KindOf(err); kind != connectors.KindSnapshot || side != connectors.SourceSide {
			t.Errorf("%s was joined: kind %d, side %d: %v", what, kind, side, err)
		}
	}
}

// resuming: a build that was kept, or whose process has ended, is opened again with what
// was committed in it.
func (s *suite) resuming(t *testing.T) {
	t.Run("kept while it is loaded", func(t *testing.T) {
		s.resume(t, false, func(t *testing.T, r *run) {
			for range 2 {
				if err := r.build.(connectors.Keeper).Keep(); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.build.Abort(); err != nil { // it does nothing
				t.Fatal(err)
			}
		})
	})
	t.Run("killed when it is finished", func(t *testing.T) {
		s.resume(t, true, func(t *testing.T, r *run) {
			if err := r.sink.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func (s *suite) resume(t *testing.T, finished bool, leave func(*testing.T, *run)) {
	from, to := s.still, s.Database(t)
	ctx := deadline(t)
	sink := s.sink(t, to)
	resumer, ok := sink.(connectors.Resumer)
	if !ok {
		return
	}
	none := func(when string) {
		t.Helper()
		if u, err := resumer.Unfinished(ctx); u != nil || err != nil {
			t.Fatalf("%s: %v, %v", when, u, err)
		}
	}
	none("before a run")
	r := &run{rows: map[catalog.TableID]int64{}, sink: s.sink(t, to)}
	r.source, r.snapshot = s.open(t, from)
	first := spec(t, r.snapshot, "left")
	for _, c := range r.chunks(t, decoding{}) {
		first.Chunks = append(first.Chunks, c.Chunk)
	}
	var err error
	if r.build, err = r.sink.Begin(ctx, first); err != nil {
		t.Fatal(err)
	}
	if _, err := resumer.Unfinished(ctx); err == nil {
		t.Error("a build that is being worked on is said to be left")
	}
	events, others := s.several(t, r, decoding{})
	todo := append(slices.Clone(others), events[1])
	if finished {
		todo = append(slices.Clone(others), events...)
	}
	want := map[string]connectors.Receipt{}
	for _, c := range todo {
		receipt, err := r.copy(ctx, c, decoding{})
		if err != nil {
			t.Fatal(err)
		}
		want[c.ID] = receipt
	}
	for _, c := range others {
		if err := r.build.TableLoaded(ctx, c.Table); err != nil {
			t.Fatal(err)
		}
	}
	if finished {
		if err := r.build.TableLoaded(ctx, events[0].Table); err != nil {
			t.Fatal(err)
		}
		if err := r.build.Finish(ctx); err != nil {
			t.Fatal(err)
		}
	}
	open, err := r.fill(ctx, events[0], decoding{}) // a chunk that is cut in the middle
	if err == nil && !finished {
		defer open.Abort()
	} else if err == nil {
		open.Abort()
	}
	leave(t, r)
	if to.Exists(t) {
		t.Fatal("the target exists")
	}

	u, err := resumer.Unfinished(ctx)
	if err != nil || u == nil {
		t.Fatalf("unfinished: %v, %v", u, err)
	}
	if u.Run != "left" || !reflect.DeepEqual(u.Fingerprint, first.Fingerprint) || !reflect.DeepEqual(u.Chunks, first.Chunks) || !reflect.DeepEqual(u.Definitions, first.Definitions) {
		t.Error("run, fingerprint, chunks or definitions are not as they were begun with")
	}
	if u.Began.IsZero() || u.Last.Before(u.Began) {
		t.Errorf("began %v, last %v", u.Began, u.Last)
	}
	same := func(receipts []connectors.Receipt) {
		t.Helper()
		if len(receipts) != len(want) {
			t.Errorf("%d receipts, want %d", len(receipts), len(want))
		}
		for _, got := range receipts {
			if got != want[got.Chunk] {
				t.Errorf("receipt %+v, want %+v", got, want[got.Chunk])
			}
		}
	}
	same(u.Receipts)

	again := first
	again.Run = "other"
	if _, err := resumer.Resume(ctx, again); err == nil {
		t.Fatal("a build that is not there is gone on with")
	} else if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot {
		t.Errorf("a build that is not there: kind %d: %v", kind, err)
	}
	again.Run, again.Definitions, again.Chunks = u.Run, u.Definitions, u.Chunks
	r.sink = sink
	if r.build, err = resumer.Resume(ctx, again); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sink(t, to).(connectors.Resumer).Resume(ctx, again); err == nil {
		t.Fatal("two runs go on with one build")
	} else if kind, _ := connectors.KindOf(err); kind != connectors.KindBusy {
		t.Errorf("a second run: kind %d: %v", kind, err)
	}
	receipts, err := r.build.Receipts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(receipts)
	if !finished {
		if _, err := r.copy(ctx, events[1], decoding{}); err == nil {
			t.Error("a chunk was loaded twice")
		}
		// Whoever is not sure does it again.
		if err := r.build.TableLoaded(ctx, others[0].Table); err != nil {
			t.Fatal(err)
		}
	}
	r.rows = map[catalog.TableID]int64{}
	s.complete(t, r, from, to)
	none("after the promotion")
	noLeftovers(t, to)
	if finished {
		return
	}
	// A new run takes the place of what was left.
	r = &run{sink: s.sink(t, to)}
	r.source, r.snapshot = s.open(t, from)
	if r.build, err = r.sink.Begin(ctx, spec(t, r.snapshot, "forgotten")); err != nil {
		t.Fatal(err)
	}
	leave(t, r)
	if r.build, err = sink.Begin(ctx, spec(t, r.snapshot, "anew")); err != nil {
		t.Fatal(err)
	}
	if err := r.build.Abort(); err != nil {
		t.Fatal(err)
	}
	none("after a new run that was aborted")
	noLeftovers(t, to)
}
