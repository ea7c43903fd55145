package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// The memory of a sort grows with the root of what is sorted, within bounds.
func TestSortKB(t *testing.T) {
	for _, c := range []struct{ bytes, want int64 }{
		{0, leastSortKB},
		{1 << 30, 16637},
		{16 << 30, 4 * 16637},
		{1 << 40, 32 * 16637},
		{1 << 60, mostSortKB},
	} {
		if got := sortKB(c.bytes); got < c.want || got > c.want+3*32 {
			t.Errorf("%d bytes: %d KiB, want %d", c.bytes, got, c.want)
		}
		// All runs of a sort that is not bounded are merged at once.
		if kb := sortKB(c.bytes); kb < mostSortKB && c.bytes>>10/kb > kb/runKB+1 {
			t.Errorf("%d bytes in %d KiB: %d runs, of which %d can be merged", c.bytes, kb, c.bytes>>10/kb, kb/runKB)
		}
	}
}

// Memory that pays for a sort is not what other indexes need: GIN is built the faster the
// more there is, and ivfflat of pgvector is not built at all with less than it asks for. An
// index that could be made with the memory of the server's owner can be made in a copy.
func TestIndexesHaveTheOwnersMemory(t *testing.T) {
	defer func(two int64) { twoStepBytes = two }(twoStepBytes)
	twoStepBytes = 0
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	// As ivfflat does.
	a.Exec(t, from, `CREATE FUNCTION needs(i integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$BEGIN
		IF pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('60MB') THEN
			RAISE 'memory required is 60 MB, maintenance_work_mem is %', current_setting('maintenance_work_mem');
		END IF; RETURN i; END$$`,
		"CREATE TABLE t AS SELECT i FROM generate_series(1, 10) i", "CREATE INDEX ON t USING gin ((ARRAY[needs(i)]))")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 1) // all workers are busy
	if _, err := copyTable(ctx, snap, build, snap.Catalog().Tables[0], nil); err != nil {
		t.Fatal(err)
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
}
