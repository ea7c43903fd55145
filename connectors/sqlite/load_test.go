package sqlite_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/sqlite"
)

// wideTable has one chunk, since it has no rowids, and more bytes than a loader
// holds back.
const wideTable = `CREATE TABLE wide (id INT PRIMARY KEY, v TEXT) WITHOUT ROWID;
	INSERT INTO wide WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, printf('%08000d', i) FROM n;
	CREATE TABLE other (v TEXT); INSERT INTO other VALUES ('x');`

// begun opens both ends of a copy.
func begun(t testing.TB, from, to string) (connectors.Snapshot, connectors.Build) {
	t.Helper()
	source, err := sqlite.Connector{}.OpenSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	snapshot, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := snapshot.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := sqlite.Connector{}.OpenSink(t.Context(), to, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Catalog: snapshot.Catalog(), Definitions: definitions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Abort() })
	return snapshot, b
}

// filled returns a loader that has got all of a table and is not committed.
func filled(t testing.TB, snapshot connectors.Snapshot, b connectors.Build, name string) connectors.Loader {
	t.Helper()
	id := catalog.TableID{Name: name}
	layout, err := snapshot.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := snapshot.Split(t.Context(), id, 0)
	if err != nil || len(chunks) != 1 {
		t.Fatal(len(chunks), err)
	}
	batches, err := snapshot.Read(t.Context(), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	defer batches.Close()
	loader, err := b.Load(t.Context(), chunks[0], layout)
	if err != nil {
		t.Fatal(err)
	}
	for {
		batch, err := batches.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return loader
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := loader.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		batch.Release()
	}
}

// A chunk larger than what is held back is written as it comes, in one
// transaction all the same; others wait for it, and stop waiting when told.
func TestLargeChunk(t *testing.T) {
	connectortest.NoRaces(t)
	from, to := source(t, wideTable), filepath.Join(t.TempDir(), "to.db")
	snapshot, b := begun(t, from, to)
	large := filled(t, snapshot, b, "wide")
	small := filled(t, snapshot, b, "other")
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := small.Commit(waiting); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("commit while another writes: %v", err)
	}
	if err := large.Abort(); err != nil {
		t.Fatal(err)
	}
	if receipts, err := b.Receipts(t.Context()); err != nil || len(receipts) != 0 {
		t.Fatalf("%d receipts, %v", len(receipts), err)
	}
	rows := map[catalog.TableID]int64{}
	for _, name := range []string{"wide", "other"} {
		receipt, err := filled(t, snapshot, b, name).Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows[receipt.Table] = receipt.Rows
		if err := b.TableLoaded(t.Context(), receipt.Table); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.Finish(t.Context()), b.Seal(t.Context(), rows), b.Promote(t.Context())); err != nil {
		t.Fatal(err)
	}
	query := "SELECT count(*), sum(id), sum(length(v)), min(v), max(v) FROM wide"
	if a, b := ask(t, from, query), ask(t, to, query); !slices.Equal(a, b) {
		t.Errorf("%q, want %q", b, a)
	}
}

// An abort while a chunk is being written ends the build, and the loader fails.
func TestAbortUnderALoader(t *testing.T) {
	dir := t.TempDir()
	snapshot, b := begun(t, source(t, wideTable), filepath.Join(dir, "to.db"))
	large := filled(t, snapshot, b, "wide")
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := large.Commit(t.Context()); err == nil {
		t.Error("a chunk was committed to an aborted build")
	}
	if err := large.Abort(); err != nil {
		t.Error(err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("files %q", got)
	}
}

// The steps of a build have an order.
func TestStepsInOrder(t *testing.T) {
	_, b := begun(t, source(t, small), filepath.Join(t.TempDir(), "to.db"))
	if b.Seal(t.Context(), nil) == nil || b.Promote(t.Context()) == nil {
		t.Error("a build that is not finished was sealed or promoted")
	}
	if err := b.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Promote(t.Context()) == nil {
		t.Error("a build that is not sealed was promoted")
	}
}
