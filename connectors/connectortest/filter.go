package connectortest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// filtered returns the values of the column id that a filter lets through, and the
// first error of Filter.
func (s *suite) filtered(t testing.TB, snapshot connectors.Snapshot, id catalog.TableID, f connectors.Filter, chunk int64) ([]int64, error) {
	t.Helper()
	layout, err := snapshot.Layout(id, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	was := *layout
	layout, err = snapshot.(connectors.Filterer).Filter(deadline(t), layout, f)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(layout.Decoded, was.Decoded) || layout.Format != was.Format || layout.Table != was.Table {
		t.Errorf("the filter makes another layout")
	}
	chunks, err := snapshot.Split(deadline(t), id, chunk)
	if err != nil {
		t.Fatal(err)
	}
	ids := []int64{}
	for _, c := range chunks {
		ids = append(ids, s.readInts(t, snapshot, c, layout)...)
	}
	slices.Sort(ids)
	return ids, nil
}

// filtering is the law of connectors.Filterer.
func (s *suite) filtering(t *testing.T) {
	db := s.world(t)
	q := s.Quirks
	events := q.id("events")
	_, snapshot := s.open(t, db)
	if _, ok := snapshot.(connectors.Filterer); !ok {
		t.Fatal("the snapshot is no Filterer")
	}
	seed := [32]byte{1, 2, 3}
	read := func(f connectors.Filter, chunk int64) []int64 {
		t.Helper()
		ids, err := s.filtered(t, snapshot, events, f, chunk)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	// What stays is what the hash of the key says, computed here: so it is the same for
	// every engine, however the table is divided.
	want := func(sample float64, limit int64, which func(int64) bool) []int64 {
		f := connectors.Filter{Sample: sample, Limit: limit, Seed: seed}
		chooser, lowest := f.Chooser(nil), connectors.NewLowest(max(limit, 1))
		ids := []int64{}
		for range 2 {
			ids = ids[:0]
			for id := int64(1); id <= 5000; id++ {
				if !which(id) {
					continue
				}
				if !f.Zero() {
					h := chooser.Hash(strconv.AppendInt(nil, id, 10))
					if !chooser.Keeps(h) {
						continue
					}
					lowest.Add(h)
				}
				ids = append(ids, id)
			}
			if limit == 0 {
				break
			}
			chooser = f.Chooser(lowest.Most())
		}
		return ids
	}
	all := func(int64) bool { return true }
	for _, c := range []struct {
		sample float64
		limit  int64
	}{{0.2, 0}, {0.001, 0}, {0.999, 0}, {0, 1}, {0, 777}, {0, 4999}, {0, 5000}, {0, 100_000}, {0.5, 100}, {1, 0}, {1, 10}} {
		f := connectors.Filter{Sample: c.sample, Limit: c.limit, Seed: seed}
		expected := want(c.sample, c.limit, all)
		for _, chunk := range []int64{0, smallChunk} {
			if got := read(f, chunk); !slices.Equal(got, expected) {
				t.Errorf("sample %g, limit %d, chunks of %d: %d rows, want %d", c.sample, c.limit, chunk, len(got), len(expected))
			}
		}
		if n := int64(len(expected)); c.limit > 0 && n > c.limit {
			t.Errorf("limit %d: %d rows", c.limit, n)
		}
	}
	if slices.Equal(read(connectors.Filter{Sample: 0.2, Seed: [32]byte{9}}, 0), want(0.2, 0, all)) {
		t.Error("another seed chooses the same rows")
	}
	// Rows that come and go do not change what becomes of the others.
	db.Insert(t, events, []string{"id", "payload"}, []any{int64(6001), "late"})
	db.Delete(t, events, "id", int64(1))
	_, tomorrow := s.open(t, db)
	old, err := s.filtered(t, tomorrow, events, connectors.Filter{Sample: 0.5, Seed: seed}, smallChunk)
	if err != nil {
		t.Fatal(err)
	}
	stayed := func(ids []int64) []int64 {
		return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == 1 || id == 6001 })
	}
	if !slices.Equal(stayed(old), stayed(read(connectors.Filter{Sample: 0.5, Seed: seed}, 0))) {
		t.Error("the sample of another night is another one")
	}
	if !q.NoWhere {
		s.conditions(t, snapshot, want)
	}
	for what, f := range noFilters {
		s.noFilter(t, snapshot, events, f, what)
	}
	layout, err := snapshot.Layout(q.id("notes"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.(connectors.Filterer).Filter(deadline(t), layout, connectors.Filter{Sample: 0.5}); kindOf(err) != connectors.KindFilter {
		t.Errorf("a sample of a table without a key: %v", err)
	}
	if again, err := snapshot.(connectors.Filterer).Filter(deadline(t), layout, connectors.Filter{}); err != nil || again.Rows != nil {
		t.Errorf("no filter: %v", err)
	}
	closes(t, "snapshot", snapshot)
	if _, err := s.filtered(t, snapshot, events, connectors.Filter{Limit: 3}, 0); err == nil {
		t.Error("a filter of a closed snapshot")
	}
}

// noFilters are filters that cannot be of a table with the key id.
var noFilters = map[string]connectors.Filter{
	"half a row more than all": {Sample: 1.5}, "less than nothing": {Sample: -0.1}, "a limit below 0": {Limit: -1},
	"a key that is not there": {Sample: 0.5, Key: []string{"nobody"}},
}

// checkingFilters is the law of connectors.FilterChecker: it says what Filter says.
func (s *suite) checkingFilters(t *testing.T) {
	db := s.world(t)
	q := s.Quirks
	events := q.id("events")
	source, snapshot := s.open(t, db)
	checker, ok := source.(connectors.FilterChecker)
	if !ok {
		t.Fatal("the source is no FilterChecker")
	}
	c := snapshot.Catalog()
	fine := []connectors.Filter{{}, {Sample: 0.5}, {Limit: 7}, {Sample: 1, Limit: 10, Key: []string{"id"}}}
	wrong := slices.Collect(maps.Values(noFilters))
	if q.NoWhere {
		wrong = append(wrong, connectors.Filter{Where: "id = 1"})
	} else {
		for _, where := range s.goodConditions() {
			fine = append(fine, connectors.Filter{Where: where}, connectors.Filter{Where: where, Limit: 3})
		}
		for _, where := range s.badConditions() {
			wrong = append(wrong, connectors.Filter{Where: where})
		}
	}
	for _, f := range fine {
		if err := checker.CheckFilter(deadline(t), c, events, f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	layout, err := snapshot.Layout(events, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range wrong {
		err := checker.CheckFilter(deadline(t), c, events, f)
		var e *connectors.Error
		if !errors.As(err, &e) || e.Kind != connectors.KindFilter || e.Side != connectors.SourceSide {
			t.Errorf("%+v: %v", f, err)
			continue
		}
		if _, want := snapshot.(connectors.Filterer).Filter(deadline(t), layout, f); want == nil || err.Error() != want.Error() || connectors.Hint(err) != connectors.Hint(want) {
			t.Errorf("%+v: %v; of the snapshot: %v", f, err, want)
		}
	}
	if err := checker.CheckFilter(deadline(t), c, q.id("notes"), connectors.Filter{Sample: 0.5}); kindOf(err) != connectors.KindFilter {
		t.Errorf("a sample of a table without a key: %v", err)
	}
	if err := checker.CheckFilter(deadline(t), c, q.id("nobody"), connectors.Filter{Limit: 1}); kindOf(err) != connectors.KindFilter {
		t.Errorf("a filter of a table that is not there: %v", err)
	}
	cancelled, cancel := context.WithCancel(deadline(t))
	cancel()
	condition := connectors.Filter{Where: "id = 1"}
	if err := checker.CheckFilter(cancelled, c, events, condition); !q.NoWhere && !errors.Is(err, context.Canceled) {
		t.Errorf("of a context that has ended: %v", err)
	}
	closes(t, "source", source)
	if err := checker.CheckFilter(deadline(t), c, events, condition); err == nil {
		t.Error("a condition is checked by a closed source")
	}
}

func kindOf(err error) connectors.Kind {
	kind, _ := connectors.KindOf(err)
	return kind
}

func (s *suite) noFilter(t testing.TB, snapshot connectors.Snapshot, id catalog.TableID, f connectors.Filter, what string) {
	t.Helper()
	var e *connectors.Error
	if _, err := s.filtered(t, snapshot, id, f, 0); !errors.As(err, &e) || e.Kind != connectors.KindFilter || e.Side != connectors.SourceSide {
		t.Errorf("%s: %v", what, err)
	}
}

// goodConditions let the rows of events through whose id is at most 100 or above 4990.
func (s *suite) goodConditions() []string {
	quoted, quotedEvents := s.Quirks.quote("id"), s.Quirks.quote("events")
	return []string{"id <= 100 OR id > 4990", "events.id <= 100 or (id > 4990 and payload <> ')--;''/*')", quoted + " <= 100 OR " + quotedEvents + "." + quoted + " > 4990",
		"id IN (SELECT e.id FROM " + s.Quirks.table("events") + " e WHERE e.id <= 100 OR e.id > 4990)"}
}

// badConditions are none of events.
func (s *suite) badConditions() []string {
	return []string{
		" ", "id = ", "nobody = 1", s.Quirks.quote("nobody") + " = 1", "id = 1; DELETE FROM people", "true) OR (true", "id = 1) UNION SELECT (id", "(id = 1", "id = 1 -- ", "id = 1 /* */", "id = 1 /*! OR true */", "id = 1 # ",
		"id = 'x", "id = $1", "id = [1", "random() < 0.5", "rand() < 0.5", "count(*) > 1", "id = 1 ORDER BY id", "id = 1 LIMIT 1", "id IN (DELETE FROM people RETURNING id)", "id = 1\x00",
	}
}

// conditions proves that a condition is one expression, and stays one.
func (s *suite) conditions(t *testing.T, snapshot connectors.Snapshot, want func(float64, int64, func(int64) bool) []int64) {
	events := s.Quirks.id("events")
	seed := [32]byte{1, 2, 3}
	few := func(id int64) bool { return id <= 100 || id > 4990 }
	for _, where := range s.goodConditions() {
		for _, c := range []struct {
			sample float64
			limit  int64
		}{{0, 0}, {0.3, 0}, {0, 7}, {0.7, 40}} {
			got, err := s.filtered(t, snapshot, events, connectors.Filter{Where: where, Sample: c.sample, Limit: c.limit, Seed: seed}, smallChunk)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			expected := want(c.sample, c.limit, few)
			if !slices.Equal(got, expected) {
				t.Errorf("%s, sample %g, limit %d: %d rows, want %d", where, c.sample, c.limit, len(got), len(expected))
			}
		}
	}
	if got, err := s.filtered(t, snapshot, events, connectors.Filter{Where: "id < 0"}, smallChunk); err != nil || len(got) > 0 {
		t.Errorf("a condition that holds for no row: %d rows, %v", len(got), err)
	}
	for _, where := range s.badConditions() {
		s.noFilter(t, snapshot, events, connectors.Filter{Where: where}, where)
	}
	// The session is as good as before.
	if got, err := s.filtered(t, snapshot, events, connectors.Filter{Where: "id = 1"}, 0); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("after conditions that cannot be: %d rows, %v", len(got), err)
	}
}
