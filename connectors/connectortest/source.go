package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func (s *suite) sourceLaws(t *testing.T) {
	t.Run("a source that is not there is unavailable", beside(s.unavailable))
	t.Run("identity", beside(s.identity))
	t.Run("catalog", beside(s.catalogLaw))
	t.Run("layout", beside(s.layoutLaw))
	t.Run("chunks have stable ids and cover a table exactly", beside(s.chunkLaw))
	t.Run("values are counted", beside(s.counting))
	t.Run("a filter keeps the same rows every night, whatever the chunks", beside(s.filtering))
	t.Run("a filter that cannot be is known without a snapshot", beside(s.checkingFilters))
	t.Run("samples are a few rows as text", beside(s.sampling))
	t.Run("writes during the run do not arrive, at any reader", beside(s.isolation))
	t.Run("cancellation ends a reader", beside(s.cancelRead))
	t.Run("readers and batches close in any order", beside(s.closing))
	t.Run("a closed snapshot is lost", beside(s.lost))
	t.Run("a snapshot is joined", beside(s.joining))
	t.Run("every batch is released", s.released) // alone: the allocator is the process's
}

func (s *suite) unavailable(t *testing.T) {
	db := s.Database(t)
	source, err := s.Connector.OpenSource(deadline(t), db.DSN(), s.Options)
	if err == nil {
		_, err = source.Open(deadline(t))
		source.Close()
	}
	if kind, side := connectors.KindOf(err); kind != connectors.KindUnavailable || side != connectors.SourceSide {
		t.Fatalf("kind %d, side %d: %v", kind, side, err)
	}
	if db.Exists(t) {
		t.Fatal("opening made the database")
	}
}

func (s *suite) identity(t *testing.T) {
	db := s.still
	source, _ := s.open(t, db)
	a, err := source.Identity(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.sink(t, db).Identity(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if !a.Same(b) {
		t.Errorf("source %+v and sink %+v are the same database", a, b)
	}
	other, err := s.sink(t, s.Database(t)).Identity(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if a.Same(other) {
		t.Errorf("source %+v and sink %+v are two databases", a, other)
	}
	p := source.Properties()
	if p.Connector != s.Connector.Name() || len(p.Formats) == 0 {
		t.Errorf("properties %+v", p)
	}
	if !s.Connector.Accepts(db.DSN()) {
		t.Errorf("the connector does not accept %s", s.Connector.Redact(db.DSN()))
	}
}

func (s *suite) catalogLaw(t *testing.T) {
	db := s.still
	source, snapshot := s.open(t, db)
	plain, err := source.Catalog(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if changes := catalog.Diff(plain, snapshot.Catalog()); len(changes) > 0 {
		t.Errorf("the snapshot's catalog differs: %v", changes)
	}
	if first, second := snapshot.Catalog(), snapshot.Catalog(); first != second {
		t.Error("two calls return two catalogs")
	}
	if snapshot.Token() == "" {
		t.Error("a snapshot without a token")
	}
	if timed, ok := snapshot.(connectors.Timed); !ok {
		t.Error("the snapshot cannot be asked when it was taken")
	} else if ago := time.Since(timed.Taken()); ago < -time.Second || ago > 10*time.Minute {
		t.Errorf("it was taken at %s, which is %s ago", timed.Taken(), ago)
	}
	for _, want := range s.tables() {
		got := plain.Table(want.ID)
		if got == nil {
			t.Errorf("table %s is missing", want.ID)
			continue
		}
		sameTable(t, want, got)
	}
	if n := len(s.tables()); len(plain.Tables) != n {
		t.Errorf("%d tables, want %d", len(plain.Tables), n)
	}
}

func sameTable(t *testing.T, want, got *catalog.Table) {
	t.Helper()
	describe := func(table *catalog.Table) (lines []string) {
		for _, c := range table.Columns {
			lines = append(lines, fmt.Sprintf("column %s %s not null %t %s", c.Name, c.Type.Kind, c.NotNull, c.Generation))
		}
		if k := table.PrimaryKey; k != nil {
			lines = append(lines, fmt.Sprintf("primary key %q", k.Columns))
		}
		for _, k := range table.Unique {
			lines = append(lines, fmt.Sprintf("unique %q %t %t", k.Columns, k.Partial, k.NullsEqual))
		}
		for _, k := range table.ForeignKeys {
			// The order of the pairs is the engine's; what pairs with what is not.
			pairs := slices.Clone(k.Pairs)
			slices.SortFunc(pairs, func(a, b catalog.Pair) int {
				return slices.Compare([]string{a.Column, a.References}, []string{b.Column, b.References})
			})
			lines = append(lines, fmt.Sprintf("foreign key %s to %q %v %t %t", k.Name, k.References, pairs, k.Deferrable, k.Validated))
		}
		return append(lines, string(table.Kind))
	}
	if w, g := describe(want), describe(got); !slices.Equal(w, g) {
		t.Errorf("table %s:\n got %q\nwant %q", want.ID, g, w)
	}
}

func (s *suite) layoutLaw(t *testing.T) {
	_, snapshot := s.open(t, s.still)
	computed := s.Quirks.id("computed")
	layout, err := snapshot.Layout(computed, []string{"tail", "id"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range layout.Columns {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"id", "name", "tail"}) || !slices.Equal(layout.Decoded, []int{0, 2}) {
		t.Errorf("columns %q, decoded %v", names, layout.Decoded)
	}
	for what, ask := range map[string]func() error{
		"a computed column": func() error { _, err := snapshot.Layout(computed, []string{"loud"}); return err },
		"a missing column":  func() error { _, err := snapshot.Layout(computed, []string{"nobody"}); return err },
		"a missing table":   func() error { _, err := snapshot.Layout(s.Quirks.id("nobody"), nil); return err },
		"to split a missing table": func() error {
			_, err := snapshot.Split(deadline(t), s.Quirks.id("nobody"), 0)
			return err
		},
	} {
		if ask() == nil {
			t.Errorf("no error for %s", what)
		}
	}
}

func (s *suite) chunkLaw(t *testing.T) {
	db := s.world(t)
	// Holes and rows that came later, so that no position is what it seems.
	events := s.Quirks.id("events")
	for _, gone := range []int64{1, 17, 2500, 4999, 5000} {
		db.Delete(t, events, "id", gone)
	}
	db.Insert(t, events, []string{"id", "payload"}, []any{int64(100_000), "late"}, []any{int64(-5), "negative"})
	_, snapshot := s.open(t, db)
	want := map[int64]bool{100_000: true, -5: true}
	for i := int64(2); i < 4999; i++ {
		want[i] = i != 17 && i != 2500
	}
	for _, size := range []int64{0, 1 << 30, smallChunk, 1000} {
		chunks, err := snapshot.Split(deadline(t), events, size)
		if err != nil {
			t.Fatal(err)
		}
		again, err := snapshot.Split(deadline(t), events, size)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(chunks, again) {
			t.Fatalf("target %d: a second split gives other chunks", size)
		}
		if size == smallChunk && len(chunks) < 2 {
			t.Errorf("target %d: %d chunk of a table of 5,000 rows", size, len(chunks))
		}
		ids := map[string]bool{}
		found := map[int64]int{}
		layout, err := snapshot.Layout(events, []string{"id"})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range chunks {
			if ids[c.ID] || c.ID == "" {
				t.Errorf("target %d: chunk id %q is not its own", size, c.ID)
			}
			ids[c.ID] = true
			if c.Index != i || c.Last != (i == len(chunks)-1) || c.Table != events {
				t.Errorf("target %d: chunk %d is %+v", size, i, c)
			}
			for _, v := range s.readInts(t, snapshot, c, layout) {
				found[v]++
			}
		}
		for id, is := range want {
			if n := found[id]; is && n != 1 || !is && n != 0 {
				t.Fatalf("target %d: row %d was read %d times", size, id, n)
			}
			delete(found, id)
		}
		if len(found) > 0 {
			t.Errorf("target %d: %d rows that are not there", size, len(found))
		}
	}
	seen := map[string]bool{}
	for _, table := range s.tables() {
		chunks, err := snapshot.Split(deadline(t), table.ID, smallChunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			if seen[c.ID] {
				t.Errorf("two tables have a chunk %q", c.ID)
			}
			seen[c.ID] = true
		}
	}
}

// readInts returns the values of the first decoded column of a chunk.
func (s *suite) readInts(t testing.TB, snapshot connectors.Snapshot, c connectors.Chunk, layout *connectors.Layout) []int64 {
	t.Helper()
	ctx := deadline(t)
	batches, err := snapshot.Read(ctx, c, layout)
	if err != nil {
		t.Fatalf("read %s: %v", c.ID, err)
	}
	defer closes(t, "reader", batches)
	var all []int64
	for {
		b, err := batches.Next(ctx)
		if errors.Is(err, io.EOF) {
			if _, err := batches.Next(ctx); err == nil {
				t.Error("a batch after the last")
			}
			return all
		}
		if err != nil {
			t.Fatalf("read %s: %v", c.ID, err)
		}
		if b.Rows != b.Decoded[0].Len() || len(b.Fields) != b.Rows*len(layout.Decoded) || b.Rows == 0 {
			t.Errorf("a batch of %d rows, %d fields, %d values", b.Rows, len(b.Fields), b.Decoded[0].Len())
		}
		all = append(all, b.Decoded[0].(*array.Int64).Int64Values()...)
		b.Release()
	}
}

func (s *suite) isolation(t *testing.T) {
	db := s.world(t)
	before := s.rowsOf(t, db, s.tables()...)
	to := s.Database(t)
	r := s.begin(t, db, to, "isolated")
	write := func(i int64) {
		events := s.Quirks.id("events")
		db.Insert(t, events, []string{"id", "payload"}, []any{10_000 + i, "late"})
		db.Update(t, events, "payload", "changed", "id", 4000+i)
		db.Delete(t, events, "id", 4500+i)
		db.Insert(t, s.Quirks.id("empty"), []string{"id", "name"}, []any{i, "late"})
		db.Update(t, s.Quirks.id("people"), "name", "changed", "id", int64(3))
	}
	write(1)
	// All readers at once, with writes between their batches.
	chunks := r.chunks(t, decoding{})
	ctx := deadline(t)
	var once sync.Once
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan chunk)
	for range 3 {
		wg.Go(func() {
			for c := range work {
				receipt, err := r.copy(ctx, c, decoding{})
				if err != nil {
					t.Errorf("copy %s: %v", c.ID, err)
					continue
				}
				mu.Lock()
				r.rows[c.Table] += receipt.Rows
				mu.Unlock()
			}
		})
	}
	for i, c := range chunks {
		work <- c
		if i == len(chunks)/2 {
			once.Do(func() { write(2) })
		}
	}
	close(work)
	wg.Wait()
	write(3)
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	after := s.rowsOf(t, to, s.tables()...)
	for id, want := range before {
		if got := after[id]; !slices.EqualFunc(want, got, slices.Equal[[]string]) {
			t.Errorf("table %s is not what it was when the snapshot was opened: %d rows, want %d", id, len(got), len(want))
		}
	}
}

func (s *suite) cancelRead(t *testing.T) {
	_, snapshot := s.open(t, s.still)
	events := s.Quirks.id("events")
	layout, err := snapshot.Layout(events, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snapshot.Split(deadline(t), events, 1<<30)
	if err != nil || len(chunks) == 0 {
		t.Fatal(len(chunks), err)
	}
	ctx, cancel := context.WithCancel(deadline(t))
	batches, err := snapshot.Read(ctx, chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	b, err := batches.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	cancel()
	if _, err = batches.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("next: %v", err)
	}
	if _, err = batches.Next(ctx); err == nil {
		t.Fatal("a batch after an error")
	}
	closes(t, "reader", batches)
	if _, err := snapshot.Read(ctx, chunks[0], layout); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if _, err := snapshot.Split(ctx, events, 1000); !errors.Is(err, context.Canceled) {
		t.Errorf("split: %v", err)
	}
}

func (s *suite) closing(t *testing.T) {
	_, snapshot := s.open(t, s.still)
	events := s.Quirks.id("events")
	layout, err := snapshot.Layout(events, []string{"payload"})
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snapshot.Split(deadline(t), events, 1<<30)
	if err != nil || len(chunks) == 0 {
		t.Fatal(len(chunks), err)
	}
	batches, err := snapshot.Read(deadline(t), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	first, err := batches.Next(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	payload := func(b *connectors.Batch) string { return string(bytesOf(b.Decoded[0])(0)) }
	was := payload(first)
	second, err := batches.Next(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
	closes(t, "reader", batches)
	if got := payload(first); got != was {
		t.Error("a batch changed when its reader was closed")
	}
	if _, err := batches.Next(deadline(t)); err == nil {
		t.Error("a closed reader gives a batch")
	}
	first.Release()
	defer func() {
		if recover() == nil {
			t.Error("a second release does not panic")
		}
	}()
	first.Release()
}

func (s *suite) lost(t *testing.T) {
	source, snapshot := s.open(t, s.still)
	events := s.Quirks.id("events")
	layout, err := snapshot.Layout(events, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snapshot.Split(deadline(t), events, smallChunk)
	if err != nil {
		t.Fatal(err)
	}
	closes(t, "snapshot", snapshot)
	if _, err := snapshot.Read(deadline(t), chunks[0], layout); err == nil {
		t.Error("a reader of a closed snapshot")
	}
	// The source lives on, and closing it ends its snapshots.
	next, err := source.Open(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	closes(t, "source", source)
	if _, err := next.Read(deadline(t), chunks[0], layout); err == nil {
		t.Error("a reader of a closed source")
	}
	closes(t, "snapshot", next)
	if _, err := source.Open(deadline(t)); err == nil {
		t.Error("a snapshot of a closed source")
	}
}

// released reads with Arrow's checked allocator in the place of the default
// one, which connectors use.
func (s *suite) released(t *testing.T) {
	usual := memory.DefaultAllocator
	checked := memory.NewCheckedAllocator(usual)
	memory.DefaultAllocator = checked
	t.Cleanup(func() {
		memory.DefaultAllocator = usual
		checked.AssertSize(t, 0)
	})
	from, to := s.still, s.Database(t)
	r := s.begin(t, from, to, "checked")
	if err := r.load(t, s.decodeAll(r.snapshot)); err != nil {
		t.Fatal(err)
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	if checked.CurrentAlloc() != 0 {
		t.Errorf("%d bytes are not released", checked.CurrentAlloc())
	}
	s.equalRows(t, from, to, s.tables()...)
}

// counting is the law of connectors.Counter: the values by their text, sorted byte for
// byte, of this table and of no other, under the snapshot.
func (s *suite) counting(t *testing.T) {
	db := s.world(t)
	_, snapshot := s.open(t, db)
	counter, ok := snapshot.(connectors.Counter)
	if !ok {
		t.Fatal("the snapshot is no Counter")
	}
	id := s.Quirks.id("people")
	db.Insert(t, id, []string{"id", "name"}, []any{int64(99), "too late"})
	for _, c := range []struct {
		column string
		limit  int
		texts  []string
		counts []int64
		nulls  int64
	}{
		{"name", 4, []string{"", "Ann", "José 😀", "سارة"}, []int64{1, 1, 1, 1}, 0},
		{"boss", 3, []string{"1", "2", "4"}, []int64{1, 1, 1}, 1},
		{"email", 2, []string{"ann@shop.example", "bob@shop.example"}, []int64{1, 1}, 2},
	} {
		v, err := counter.Values(deadline(t), id, c.column, connectors.Filter{}, c.limit, 0)
		if err != nil {
			t.Fatalf("%s: %v", c.column, err)
		}
		if !slices.Equal(v.Texts, c.texts) || !slices.Equal(v.Counts, c.counts) || v.Nulls != c.nulls {
			t.Errorf("%s: %+v", c.column, *v)
		}
		if _, err := counter.Values(deadline(t), id, c.column, connectors.Filter{}, c.limit-1, 0); err == nil {
			t.Errorf("%s: no error for more values than %d", c.column, c.limit-1)
		}
		size := len(strings.Join(c.texts, ""))
		if _, err := counter.Values(deadline(t), id, c.column, connectors.Filter{}, c.limit, size); err != nil {
			t.Errorf("%s: %d bytes of values are not held: %v", c.column, size, err)
		}
		var many interface{ TooManyValues() bool }
		if _, err := counter.Values(deadline(t), id, c.column, connectors.Filter{}, c.limit, size-1); !errors.As(err, &many) || !many.TooManyValues() {
			t.Errorf("%s: more bytes of values than %d: %v", c.column, size-1, err)
		}
	}
	if v, err := counter.Values(deadline(t), s.Quirks.id("notes"), "body", connectors.Filter{}, 1, 0); err != nil || !slices.Equal(v.Counts, []int64{2}) || v.Nulls != 2 {
		t.Errorf("a value that occurs twice: %+v, %v", v, err)
	}
	if v, err := counter.Values(deadline(t), s.Quirks.id("empty"), "name", connectors.Filter{}, 1, 0); err != nil || len(v.Texts) != 0 || v.Nulls != 0 {
		t.Errorf("an empty table: %+v, %v", v, err)
	}
	if _, err := counter.Values(deadline(t), id, "no such column", connectors.Filter{}, 1, 0); err == nil {
		t.Error("no error for a column that does not exist")
	}
	s.countingChosen(t, snapshot)
}

// countingChosen proves that the values of rows that stay behind are not counted.
func (s *suite) countingChosen(t *testing.T, snapshot connectors.Snapshot) {
	events := s.Quirks.id("events")
	filters := []connectors.Filter{{Sample: 0.2, Seed: [32]byte{1}}, {Limit: 7, Seed: [32]byte{1}}}
	if !s.Quirks.NoWhere {
		filters = append(filters, connectors.Filter{Where: "id > 4990 OR id = 17"}, connectors.Filter{Where: "id < 0"}, connectors.Filter{Where: "id > 4000", Sample: 0.5, Limit: 9})
	}
	for _, f := range filters {
		ids, err := s.filtered(t, snapshot, events, f, smallChunk)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]string, len(ids))
		for i, id := range ids {
			want[i] = strconv.FormatInt(id, 10)
		}
		slices.Sort(want)
		v, err := snapshot.(connectors.Counter).Values(deadline(t), events, "id", f, 5000, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v.Texts, want) {
			t.Errorf("%d values of the rows of %+v, want %d", len(v.Texts), f, len(want))
		}
	}
	if _, err := snapshot.(connectors.Counter).Values(deadline(t), events, "id", connectors.Filter{Sample: 1.5}, 10, 0); kindOf(err) != connectors.KindFilter {
		t.Errorf("the values of a filter that cannot be: %v", err)
	}
}
