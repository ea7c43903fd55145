package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
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
// their indexes; those of a partitioned table do, and those that fill a statistics object.
func TestGoesAhead(t *testing.T) {
	defer func(two int64) { twoStepBytes = two }(twoStepBytes)
	twoStepBytes = 0
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE hub AS SELECT i AS id FROM generate_series(1, 1000) i", "ALTER TABLE hub ADD PRIMARY KEY (id)",
		"CREATE TABLE spoke AS SELECT i AS id, 1 + i % 1000 AS hub_id FROM generate_series(1, 3000) i",
		"ALTER TABLE spoke ADD PRIMARY KEY (id), ADD CONSTRAINT to_hub FOREIGN KEY (hub_id) REFERENCES hub, ADD CONSTRAINT to_itself FOREIGN KEY (id) REFERENCES spoke",
		"CREATE TABLE parted (hub_id integer REFERENCES hub) PARTITION BY RANGE (hub_id)", "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (2000)",
		"INSERT INTO parted SELECT id FROM hub",
		"CREATE TABLE paired AS SELECT i AS a, i % 7 AS b FROM generate_series(1, 1000) i", "CREATE STATISTICS of_paired ON a, b FROM paired")
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
		{"paired", "to_hub to_itself and hub spoke"},
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
	made("parted_hub_id_fkey parted_hub_id_fkey to_hub to_itself and hub paired parted parted_1 spoke")
}

// What a round has made, the next one does not make again.
func TestFinishAgain(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i", "CREATE MATERIALIZED VIEW seen AS SELECT i FROM t WHERE i < 10")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 2).(*build)
	if _, err := copyTable(ctx, snap, build, snap.Catalog().Tables[0], nil); err != nil {
		t.Fatal(err)
	}
	var made [2]string
	for round := range made {
		if err := build.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		// A view that is filled has a new file, and statistics that are gathered are new rows.
		made[round] = b.Value(t, b.DSN(build.name), `SELECT (SELECT count(*) FROM seen) || ' in ' || pg_relation_filenode('seen') || ', ' ||
			(SELECT string_agg(starelid::regclass || ' at ' || xmin, ', ' ORDER BY starelid) FROM pg_statistic WHERE starelid IN ('t'::regclass, 'seen'::regclass))`)
	}
	if !strings.HasPrefix(made[0], "9 in ") || made[1] != made[0] {
		t.Errorf("first %s; again %s", made[0], made[1])
	}
}

// What takes longest comes first, and of equals who came first.
func TestHeaviest(t *testing.T) {
	var list []weighed
	var did []string
	for i, bytes := range []int64{1, 30, 2, 30, 0} {
		list = append(list, weighed{tasks.Task{Do: func(context.Context) error {
			did = append(did, fmt.Sprint(i, " of ", bytes))
			return nil
		}}, bytes})
	}
	if err := tasks.Run(t.Context(), 1, heaviest(list)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 of 30", "3 of 30", "2 of 2", "0 of 1", "4 of 0"}; !slices.Equal(did, want) {
		t.Errorf("done in the order %q, want %q", did, want)
	}
}

// The keys of a partitioned table weigh what all its partitions do, and are validated a
// partition at a time.
func TestWeightOfPartitions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE top (k integer) PARTITION BY RANGE (k)", "CREATE TABLE low PARTITION OF top FOR VALUES FROM (0) TO (100)",
		"CREATE TABLE high PARTITION OF top FOR VALUES FROM (100) TO (1000) PARTITION BY RANGE (k)", "CREATE TABLE higher PARTITION OF high FOR VALUES FROM (500) TO (1000)",
		"CREATE TABLE parent (k integer)", "CREATE TABLE child () INHERITS (parent)",
		"INSERT INTO top SELECT i FROM generate_series(1, 99) i UNION ALL SELECT i FROM generate_series(600, 899) i", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1), (2)")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 1).(*build)
	for _, table := range snap.Catalog().Tables {
		if _, err := copyTable(ctx, snap, build, table, nil); err != nil {
			t.Fatal(err)
		}
	}
	const row = 10 // a count of fields, a length, a value
	for name, want := range map[string][2]int64{"top": {399 * row, 300 * row}, "high": {300 * row, 300 * row}, "low": {99 * row, 99 * row}, "parent": {row, row}, "child": {2 * row, 2 * row}} {
		all, largest := build.loaded(catalog.TableID{Schema: "public", Name: name})
		if [2]int64{all, largest} != want {
			t.Errorf("%s: %d bytes, at most %d at once, want %v", name, all, largest, want)
		}
	}
}

// A sequence that fills several columns is set past all of them, whatever number types they
// have; and what partitions draw is in the table above them. One that has been round stays where
// it was.
func TestSequencesOfSeveralColumns(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE SEQUENCE shared", "CREATE TABLE small (id bigint DEFAULT nextval('shared'))", "CREATE TABLE large (id numeric(30, 5) DEFAULT nextval('shared'), also integer DEFAULT nextval('shared'))",
		"INSERT INTO small VALUES (10)", "INSERT INTO large VALUES (500.7, 600), (1e24, 4)",
		"CREATE TABLE parted (id bigserial, k integer) PARTITION BY LIST (k)", "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)", "INSERT INTO parted VALUES (77, 1)",
		"CREATE SEQUENCE numbered", "CREATE TABLE numbered_by (id oid DEFAULT nextval('numbered'))", "INSERT INTO numbered_by VALUES (4000000000)",
		"CREATE SEQUENCE circling MAXVALUE 100 CYCLE", "CREATE TABLE circled (id integer DEFAULT nextval('circling'))", "INSERT INTO circled VALUES (100)", "SELECT setval('circling', 7)",
		"CREATE SEQUENCE straight CYCLE", "CREATE TABLE straightened (id bigint DEFAULT nextval('straight'))", "INSERT INTO straightened VALUES (9000)", "SELECT setval('straight', 7)",
		"CREATE SEQUENCE real", "CREATE TABLE real_by (id real DEFAULT nextval('real'))", "INSERT INTO real_by VALUES (12345678)")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range d.Sequences {
		if want := map[string]int{"shared": 3, "parted_id_seq": 1, "numbered": 1, "real": 1, "circling": 1, "straight": 1}[q.ID.Name]; len(q.Fills) != want {
			t.Errorf("%s fills %v, want %d", q.ID, q.Fills, want)
		}
	}
	name := b.Name(t)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, b.DSN(name)); err != nil {
		t.Fatal(err)
	}
	for sequence, want := range map[string]string{"shared": "601", "parted_id_seq": "78", "numbered": "4000000001", "real": "12345679", "circling": "8", "straight": "9001"} {
		if got := b.Value(t, b.DSN(name), "SELECT nextval('"+sequence+"')::text"); got != want {
			t.Errorf("the next of %s is %s, want %s", sequence, got, want)
		}
	}
}

// Of a session whose connection was cut the server may run the last statement to its end. The
// next round ends it, and no other, before it makes the same.
func TestLostStatementEnds(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t (id integer)", "INSERT INTO t SELECT generate_series(1, 100)", "CREATE UNIQUE INDEX t_id ON t (id)")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, b.DSN(b.Name(t)), 2).(*build)
	lost, err := build.enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close(context.Background())
	if _, err := lost.Exec(ctx, "BEGIN; CREATE UNIQUE INDEX t_id ON public.t (id)"); err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 1)
	go func() {
		_, err := lost.Exec(ctx, "SELECT pg_sleep(600); COMMIT")
		running <- err
	}()
	if err := build.with(ctx, func(held *session) error {
		// As release does with a session that was cut.
		build.cut.Store(true)
		if _, err := build.Receipts(ctx); err != nil {
			return err
		}
		if err := <-running; stateOf(err) != "57P01" {
			t.Errorf("the lost statement ends with %v", err)
		}
		return held.exec(ctx, "SELECT 1") // nobody has ended it
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := copyTable(ctx, snap, build, snap.Catalog().Table(catalog.TableID{Schema: "public", Name: "t"}), nil); err != nil {
		t.Fatal(err)
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
}

// What nobody waits for holds no session while another has its table.
func TestAtLeisure(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	ctx := t.Context()
	snap, err := openSnapshot(t, a.Database(t), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, b.DSN(b.Name(t)), 1).(*build)
	unlock, err := build.ahead.Lock(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	var unlocked atomic.Bool
	done := make(chan error, 1)
	go func() {
		done <- build.atLeisure(ctx, "t", func(held *session) error {
			if !unlocked.Load() {
				t.Error("it has a table that another holds")
			}
			return held.exec(ctx, "SELECT 1")
		})
	}()
	for range 20 { // of a single session
		if err := build.with(ctx, func(held *session) error { return held.exec(ctx, "SELECT 1") }); err != nil {
			t.Fatal(err)
		}
	}
	unlocked.Store(true)
	unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// What a sequence is set past is read from an index: of a large table nothing else is quick.
func TestSequencesReadTheIndex(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 5000)", "ANALYZE t")
	q := connectors.Sequence{Min: 1, Max: 9000, Increment: 1}
	c := catalog.ColumnID{Table: catalog.TableID{Schema: "public", Name: "t"}, Column: "id"}
	edge := func(typeName string) string {
		return a.Value(t, dsn, "SELECT coalesce(("+edgeSQL(q, c, typeName)+"), 0)")
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, typeName := range []string{"bigint", "numeric", "real"} {
		if got := edge(typeName); got != "5000" {
			t.Errorf("the edge within bounds is %s", got)
		}
		rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF) "+edgeSQL(q, c, typeName))
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
		for _, typeName := range []string{"bigint", "numeric", "real"} {
			if got := edge(typeName); got != step.want {
				t.Errorf("after %s the edge is %s, want %s", step.sql, got, step.want)
			}
		}
	}
	q = connectors.Sequence{Min: math.MinInt64, Max: -1, Increment: -1}
	a.Exec(t, dsn, "INSERT INTO t VALUES (-5), (-70), (3)")
	for _, typeName := range []string{"bigint", "numeric", "real"} {
		if got := edge(typeName); got != "-70" {
			t.Errorf("downwards the edge is %s", got)
		}
	}
}
