package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// sampling is the law of connectors.Sampler.
func (s *suite) sampling(t *testing.T) {
	db := s.world(t)
	q := s.Quirks
	source, _ := s.open(t, db)
	sampler, ok := source.(connectors.Sampler)
	if !ok {
		t.Fatal("the source is no Sampler")
	}
	c, err := source.Catalog(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	sample := func(name string, rows int) [][]string {
		t.Helper()
		var all [][]string
		table := c.Table(q.id(name))
		err := sampler.Sample(deadline(t), table, rows, func(row [][]byte) error {
			if len(row) != len(table.Columns) {
				t.Fatalf("%s: a row of %d values for %d columns", name, len(row), len(table.Columns))
			}
			cells := make([]string, len(row))
			for i, v := range row {
				if cells[i] = string(v); v == nil {
					cells[i] = "NULL"
				}
				clear(v) // a row is the callee's until it returns
			}
			all = append(all, cells)
			return nil
		})
		if err != nil {
			t.Fatalf("sample %s: %v", name, err)
		}
		return all
	}
	people := sample("people", 100)
	slices.SortFunc(people, slices.Compare[[]string])
	want := [][]string{{"1", "Ann", "ann@shop.example", "NULL"}, {"2", "", "bob@shop.example", "1"}, {"3", "José 😀", "NULL", "2"}, {"4", "سارة", "NULL", "4"}}
	if !slices.EqualFunc(people, want, slices.Equal[[]string]) {
		t.Errorf("people: %q", people)
	}
	hard, _ := q.hard()
	if got := sample(hard, 1); len(got) != 1 {
		t.Errorf("one row of a hard name: %q", got)
	}
	if got := sample("notes", 10); len(got) != 4 {
		t.Errorf("a table without a key: %q", got)
	}
	for name, rows := range map[string]int{"empty": 10, "people": 0} {
		if got := sample(name, rows); len(got) != 0 {
			t.Errorf("%d rows of %s: %q", rows, name, got)
		}
	}
	for _, row := range sample("computed", 10) {
		// name, its upper case or nothing, tail, and of a virtual one the same.
		for i, of := range map[int]int{2: 1, 4: 3} {
			if i < len(row) && row[i] != "NULL" && row[i] != strings.ToUpper(row[of]) {
				t.Errorf("a computed column: %q", row)
			}
		}
	}
	for _, n := range []int{1, 7, 50} {
		seen := map[int]bool{}
		for _, row := range sample("events", n) {
			id, err := strconv.Atoi(row[0])
			if err != nil || row[1] != fmt.Sprintf("event %d of the suite, with some text to make it wide", id) || seen[id] {
				t.Errorf("an event: %q", row)
			}
			seen[id] = true
		}
		if len(seen) == 0 || len(seen) > n {
			t.Errorf("%d events, asked for %d", len(seen), n)
		}
	}
	// Holes are stepped over, and long values cut, never within a character.
	for id := int64(1); id < 5000; id += 1250 {
		db.Delete(t, q.id("events"), "id", id)
	}
	db.Insert(t, q.id("events"), []string{"id", "payload"}, []any{int64(1_000_000_000), strings.Repeat("é😀x", 3000)})
	rows := sample("events", 10_000)
	if len(rows) != 4997 {
		t.Errorf("%d events of 4,997, asked for 10,000", len(rows))
	}
	for _, row := range rows {
		if row[0] == "1000000000" && (len(row[1]) > connectors.SampleBytes || len(row[1]) < connectors.SampleBytes-utf8.UTFMax || !utf8.ValidString(row[1])) {
			t.Errorf("a long value has %d bytes", len(row[1]))
		}
	}
	if q.has(catalog.Bytes) {
		s.sampleBytes(t)
	}

	// The callee's word ends it; so does the context.
	enough := errors.New("enough")
	calls := 0
	err = sampler.Sample(deadline(t), c.Table(q.id("events")), 100, func([][]byte) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	if got := sample("people", 2); len(got) != 2 {
		t.Errorf("a sample after one that was ended: %q", got)
	}
	ctx, cancel := context.WithCancel(deadline(t))
	cancel()
	if err := sampler.Sample(ctx, c.Table(q.id("events")), 100, func([][]byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	gone := *c.Table(q.id("people"))
	gone.ID.Name = "nobody"
	if err := sampler.Sample(deadline(t), &gone, 1, func([][]byte) error { return nil }); err == nil {
		t.Error("a sample of a table that is not there")
	}
	root := *c.Table(q.id("people"))
	root.Kind = catalog.Partitioned
	if err := sampler.Sample(deadline(t), &root, 1, func([][]byte) error { return nil }); err == nil {
		t.Error("a sample of a table that stores no rows")
	}
	closes(t, "source", source)
	if err := sampler.Sample(deadline(t), c.Table(q.id("people")), 1, func([][]byte) error { return nil }); err == nil {
		t.Error("a sample of a closed source")
	}
}

// sampleBytes proves that bytes do not leave as text.
func (s *suite) sampleBytes(t *testing.T) {
	db := s.Database(t)
	q := s.Quirks
	table := &catalog.Table{ID: q.id("blobs"), Kind: catalog.Ordinary, Columns: []catalog.Column{
		{Name: "id", Type: q.typeOf(catalog.Int)}, {Name: "photo", Type: q.typeOf(catalog.Bytes)}}}
	db.Create(t, table)
	db.Insert(t, table.ID, []string{"id", "photo"}, []any{int64(1), []byte{0, 1, 255}})
	source, _ := s.open(t, db)
	c, err := source.Catalog(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = source.(connectors.Sampler).Sample(deadline(t), c.Table(table.ID), 10, func(row [][]byte) error {
		if n++; string(row[0]) != "1" || row[1] != nil {
			t.Errorf("a row with bytes: %q", row)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d rows: %v", n, err)
	}
}
