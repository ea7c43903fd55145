package postgres

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
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

// needsSQL makes a function that, as ivfflat does, fails where memory is short.
const needsSQL = `CREATE FUNCTION needs(i integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$BEGIN
	IF pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('60MB') THEN
		RAISE 'memory required is 60 MB, maintenance_work_mem is %', current_setting('maintenance_work_mem');
	END IF; RETURN i; END$$`

// Memory that pays for a sort is not what other indexes need: GIN is built the faster the
// more there is, and ivfflat of pgvector is not built at all with less than it asks for. An
// index that could be made with the memory of the server's owner can be made in a copy.
func TestIndexesHaveTheOwnersMemory(t *testing.T) {
	defer func(two int64) { twoStepBytes = two }(twoStepBytes)
	twoStepBytes = 0
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, needsSQL,
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

// Nor does what is made in one go inherit the little memory that a session had for the index
// before: a small table's, or a materialized view's.
func TestOthersHaveTheOwnersMemory(t *testing.T) {
	defer func(two int64) { twoStepBytes = two }(twoStepBytes)
	twoStepBytes = 100_000
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, needsSQL, "CREATE TABLE large AS SELECT i, repeat('x', 100) AS v FROM generate_series(1, 5000) i", "CREATE INDEX ON large (i)",
		"CREATE TABLE small AS SELECT i FROM generate_series(1, 10) i", "CREATE INDEX ON small USING gin ((ARRAY[needs(i)]))",
		"CREATE MATERIALIZED VIEW seen AS SELECT i FROM small", "CREATE INDEX ON seen USING gin ((ARRAY[needs(i)]))")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 1)
	for _, table := range snap.Catalog().Tables {
		if _, err := copyTable(ctx, snap, build, table, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
}

// Of tables that are by themselves, statistics and keys do not wait until all others have
// their indexes; those of a partitioned table do.
func TestGoesAhead(t *testing.T) {
	defer func(two int64) { twoStepBytes = two }(twoStepBytes)
	twoStepBytes = 0
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE hub AS SELECT i AS id FROM generate_series(1, 1000) i", "ALTER TABLE hub ADD PRIMARY KEY (id)",
		"CREATE TABLE spoke AS SELECT i AS id, 1 + i % 1000 AS hub_id FROM generate_series(1, 3000) i",
		"ALTER TABLE spoke ADD PRIMARY KEY (id), ADD CONSTRAINT to_hub FOREIGN KEY (hub_id) REFERENCES hub, ADD CONSTRAINT to_itself FOREIGN KEY (id) REFERENCES spoke",
		"CREATE TABLE parted (hub_id integer REFERENCES hub) PARTITION BY RANGE (hub_id)", "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (2000)",
		"INSERT INTO parted SELECT id FROM hub")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 2).(*build)
	made := func(want string) {
		t.Helper()
		const sql = `SELECT concat_ws(' ', (SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND convalidated), 'and',
			(SELECT string_agg(DISTINCT tablename, ' ') FROM pg_stats WHERE schemaname = 'public'))`
		if got := b.Value(t, b.DSN(build.name), sql); got != want {
			t.Errorf("there are %q, want %q", got, want)
		}
	}
	for _, step := range []struct{ table, want string }{
		{"spoke", "to_itself and spoke"},
		{"parted_1", "to_itself and spoke"},
		{"hub", "to_hub to_itself and hub spoke"},
	} {
		id := catalog.TableID{Schema: "public", Name: step.table}
		if _, err := copyTable(ctx, snap, build, snap.Catalog().Table(id), nil); err != nil {
			t.Fatal(err)
		}
		made(step.want)
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	made("parted_hub_id_fkey parted_hub_id_fkey to_hub to_itself and hub parted parted_1 spoke")
}

// What a sequence is set past is read from an index: of a large table nothing else is quick.
func TestSequencesReadTheIndex(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 5000)", "ANALYZE t")
	q := connectors.Sequence{Owner: catalog.ColumnID{Table: catalog.TableID{Schema: "public", Name: "t"}, Column: "id"}, Min: 1, Max: 9000, Increment: 1}
	edge := func(integer bool) string { return a.Value(t, dsn, "SELECT coalesce(("+edgeSQL(q, integer)+"), 0)") }
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, integer := range []bool{true, false} {
		if got := edge(integer); got != "5000" {
			t.Errorf("the edge within bounds is %s", got)
		}
		rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF) "+edgeSQL(q, integer))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Only Scan Backward") ||
			slices.ContainsFunc(plan, func(line string) bool {
				return strings.Contains(line, "Seq Scan") && !strings.Contains(line, "never executed")
			}) {
			t.Error(text)
		}
	}
	// What the sequence cannot give is not what it is set past: it would be at its end.
	q.Max = 1000
	for _, step := range []struct{ sql, want string }{
		{"DELETE FROM t WHERE id > 300; INSERT INTO t VALUES (-7), (1000000000000)", "300"},
		{"DELETE FROM t WHERE id BETWEEN 1 AND 1000", "0"},
		{"TRUNCATE t", "0"},
	} {
		a.Exec(t, dsn, step.sql)
		for _, integer := range []bool{true, false} {
			if got := edge(integer); got != step.want {
				t.Errorf("after %s the edge is %s, want %s", step.sql, got, step.want)
			}
		}
	}
	q = connectors.Sequence{Owner: q.Owner, Min: math.MinInt64, Max: -1, Increment: -1}
	a.Exec(t, dsn, "INSERT INTO t VALUES (-5), (-70), (3)")
	for _, integer := range []bool{true, false} {
		if got := edge(integer); got != "-70" {
			t.Errorf("downwards the edge is %s", got)
		}
	}
}
