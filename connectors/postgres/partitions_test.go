package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A partition that is being detached, and is not yet, is none of its table's at the source. Nothing
// that a copy could make of it would be the same.
func TestPartitionsBeingDetached(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE p (id int) PARTITION BY LIST (id)", "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)", "INSERT INTO p VALUES (1), (2)")
	pending := majorOf(t, a) >= 14
	if pending { // as DETACH PARTITION … CONCURRENTLY leaves it that is interrupted
		a.Exec(t, from, "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass")
	}
	src, err := Connector{}.OpenSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = src.Catalog(t.Context())
	if !pending {
		if err == nil {
			err = connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "public.p1") || !strings.Contains(connectors.Hint(err), "ALTER TABLE public.p DETACH PARTITION public.p1 FINALIZE") {
		t.Errorf("%v, hint %q", err, connectors.Hint(err))
	}
}

// A key of a partition is made at the target as a part of the key above it, and is valid if
// that is.
func TestKeysUnderOneThatIsNotValid(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) < 18 {
		return // a partitioned table has no such key
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE base (id int PRIMARY KEY)", "INSERT INTO base VALUES (1)", "CREATE TABLE p (id int, ref int) PARTITION BY LIST (id)",
		"CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (id)", "CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1)", "INSERT INTO p VALUES (1, 1)",
		"ALTER TABLE p ADD CONSTRAINT fk FOREIGN KEY (ref) REFERENCES base NOT VALID", "ALTER TABLE p1 VALIDATE CONSTRAINT fk")
	if got := a.Value(t, from, "SELECT string_agg(conrelid::regclass || ' ' || convalidated, ', ' ORDER BY conrelid::regclass::text) FROM pg_constraint WHERE contype = 'f'"); !strings.Contains(got, "p false, p1 true, p11 true") {
		t.Fatalf("the source's keys: %s", got)
	}
	err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
	if majorOf(t, b) < 18 {
		if err == nil || !strings.Contains(err.Error(), "does not know") {
			t.Errorf("%v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A server attaches no index of a key WITHOUT OVERLAPS to that of a partitioned table, as it
// attaches none of an exclusion: all are made in one step.
func TestTemporalKeysOfPartitions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) < 18 || majorOf(t, b) < 18 {
		return // there are none
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION btree_gist", "CREATE TABLE p (id int, v daterange, PRIMARY KEY (id, v WITHOUT OVERLAPS)) PARTITION BY LIST (id)",
		"CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (id)", "CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1)", "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)",
		"ALTER TABLE p ADD CONSTRAINT once UNIQUE (id, v WITHOUT OVERLAPS)", "COMMENT ON CONSTRAINT p_pkey ON p IS 'no two'",
		"INSERT INTO p VALUES (1, '[2020-01-01,2021-01-01)'), (1, '[2021-01-01,2022-01-01)'), (2, '[2020-01-01,2021-01-01)')",
		"CREATE TABLE q (id int, v daterange, FOREIGN KEY (id, PERIOD v) REFERENCES p (id, PERIOD v))", "INSERT INTO q VALUES (1, '[2020-06-01,2021-06-01)')")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const keys = "SELECT string_agg(conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || (conparentid <> 0), ', ' ORDER BY conrelid::regclass::text, conname) FROM pg_constraint WHERE contype IN ('p', 'u', 'f')"
	if want, got := a.Value(t, from, keys), b.Value(t, to, keys); got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
}

// Before version 18 a table that inherits may take NULLs where the one above does not. From 18 on
// none may: the run says so, and ends where a row has one.
func TestNullsBeneathNotNull(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) >= 18 {
		return // the server refuses it
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE TABLE "the a" (x int NOT NULL, y int NOT NULL)`, `CREATE TABLE b (z int NOT NULL) INHERITS ("the a")`, "ALTER TABLE b ALTER x DROP NOT NULL", "INSERT INTO b VALUES (NULL, 1, 1)",
		"CREATE TABLE c () INHERITS (b)", "INSERT INTO c VALUES (1, 1, 1)", "CREATE TABLE d () INHERITS (b)", "ALTER TABLE d ALTER x SET NOT NULL")
	var said strings.Builder
	opts := connectors.Options{Workers: 2, Warn: func(m string) { said.WriteString(m + "\n") }}
	err := connectortest.Copy(t, Connector{}, opts, from, to)
	want := a.Value(t, from, nullable)
	if majorOf(t, b) >= 18 {
		if err == nil || !strings.Contains(err.Error(), "23502") || !strings.Contains(connectors.Hint(err), `drop NOT NULL from public."the a".x`) {
			t.Errorf("%v, hint %q", err, connectors.Hint(err))
		}
		a.Exec(t, from, "DELETE FROM b WHERE x IS NULL")
		said.Reset()
		err = connectortest.Copy(t, Connector{}, opts, from, to)
		want = strings.NewReplacer("b.x false", "b.x true", "c.x false", "c.x true").Replace(want)
	}
	if err != nil {
		t.Fatal(err)
	}
	if warned := strings.Contains(said.String(), "public.b.x, public.c.x"); warned != (majorOf(t, b) >= 18) {
		t.Errorf("warned: %t\n%s", warned, &said)
	}
	if got := b.Value(t, to, nullable); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Before version 18 a partitioned table could be unlogged, which meant nothing. Its partitions are
// what they are.
func TestUnloggedPartitionedTables(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) >= 18 {
		return // the server refuses it
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE UNLOGGED TABLE "the p" (id int, t text DEFAULT 'CREATE UNLOGGED TABLE') PARTITION BY LIST (id)`, `CREATE UNLOGGED TABLE p1 PARTITION OF "the p" FOR VALUES IN (1)`,
		`CREATE TABLE p2 PARTITION OF "the p" FOR VALUES IN (2)`, `INSERT INTO "the p" VALUES (1), (2)`)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const state = `SELECT string_agg(relname || ' ' || relpersistence::text, ', ' ORDER BY relname) || ' ' || (SELECT count(*) FILTER (WHERE t = 'CREATE UNLOGGED TABLE') FROM "the p") FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`
	want, got := a.Value(t, from, state), b.Value(t, to, state)
	if majorOf(t, b) >= 18 {
		want = strings.Replace(want, "the p u", "the p p", 1)
	}
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A NOT NULL that is not validated says nothing of the rows that are there, nor of those of tables
// that inherit: it is made behind them all.
func TestNotNullThatIsNotValid(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) < 18 || majorOf(t, b) < 18 {
		return // there is none
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE a (x int, y int NOT NULL)", "CREATE TABLE b () INHERITS (a)", "CREATE TABLE parts (x int) PARTITION BY LIST (x)", "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1, NULL)",
		"INSERT INTO a VALUES (NULL, 1)", "INSERT INTO b VALUES (NULL, 1)", "INSERT INTO parts VALUES (NULL), (1)",
		"ALTER TABLE a ADD CONSTRAINT later NOT NULL x NOT VALID", "COMMENT ON CONSTRAINT later ON a IS 'some day'", "ALTER TABLE parts ADD CONSTRAINT later NOT NULL x NOT VALID")
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "parts", "parts_1"} {
		if c.Find(name).Column("x").NotNull {
			t.Errorf("%s.x is NOT NULL, and holds a NULL", name)
		}
	}
	if !c.Find("b").Column("y").NotNull {
		t.Error("b.y is not NOT NULL")
	}
	// The table above is loaded before those beneath it.
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 2)
	rows := map[catalog.TableID]int64{}
	for _, table := range snap.Catalog().Tables {
		if !table.StoresRows() {
			continue
		}
		if rows[table.ID], err = copyTable(t.Context(), snap, build, table, nil); err == nil {
			err = build.TableLoaded(t.Context(), table.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []func() error{func() error { return build.Finish(t.Context()) }, func() error { return build.Seal(t.Context(), rows) }, func() error { return build.Promote(t.Context()) }} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	const state = "SELECT string_agg(conrelid::regclass || ' ' || conname || ' ' || convalidated || ' ' || coalesce(obj_description(oid), ''), ', ' ORDER BY conrelid::regclass::text, conname) FROM pg_constraint WHERE contype = 'n'"
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
