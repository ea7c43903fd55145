package postgres

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// One loss of all readers, most of them idle, costs one try of a chunk, not one for each of them.
func TestIdleReadersLost(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 5000) i")
	opened, err := openSnapshot(t, dsn, connectors.Options{Workers: 5})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*snapshot)
	layout, err := s.Layout(catalog.TableID{Schema: "public", Name: "t"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunk := connectors.Chunk{ID: "all", Table: layout.Table.ID, Last: true}
	read := func() (rows int, err error) {
		open, err := s.Read(t.Context(), chunk, layout)
		if err != nil {
			return 0, err
		}
		defer open.Close()
		for {
			batch, err := open.Next(t.Context())
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				return rows, err
			}
			rows += batch.Rows
			batch.Release()
		}
	}
	// All are open at once, and idle then.
	var all []*session
	for range cap(s.slots) {
		held, err := s.reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, held)
	}
	for _, held := range all {
		s.release(held)
		pid := fmt.Sprint(peerOf(held.conn).pid)
		a.Value(t, dsn, "SELECT pg_terminate_backend("+pid+")")
		for a.Value(t, dsn, "SELECT count(*) FROM pg_stat_activity WHERE pid = "+pid) != "0" {
			runtime.Gosched()
		}
	}
	if _, err := read(); !connectors.Retryable(err) {
		t.Errorf("the first: %v", err)
	}
	for range cap(s.slots) {
		if rows, err := read(); err != nil || rows != 5000 {
			t.Errorf("behind the first: %d rows, %v", rows, err)
		}
	}
}
