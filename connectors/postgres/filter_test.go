package postgres

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// chosen reads the first column of the rows of a table, and of its partitions, that a
// filter lets through.
func chosen(t *testing.T, snapshot connectors.Snapshot, id catalog.TableID, f connectors.Filter) (keys []string, err error) {
	t.Helper()
	return chosenAs(t, snapshot, id, f, Text) // whose rows a test can read
}

// chosenAs is chosen of rows in a format. In binary, the column is a text.
func chosenAs(t *testing.T, snapshot connectors.Snapshot, id catalog.TableID, f connectors.Filter, format connectors.WireFormat) (keys []string, err error) {
	t.Helper()
	c := snapshot.Catalog()
	for _, table := range c.Tables {
		if !table.StoresRows() || c.Root(table).ID != id {
			continue
		}
		layout, err := snapshot.Layout(table.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if layout, err = snapshot.(connectors.Filterer).Filter(t.Context(), layout, f); err != nil {
			return nil, err
		}
		layout.Format = format
		chunks, err := snapshot.Split(t.Context(), table.ID, 100<<10)
		if err != nil {
			t.Fatal(err)
		}
		for _, chunk := range chunks {
			batches, err := snapshot.Read(t.Context(), chunk, layout)
			if err != nil {
				return nil, err
			}
			for {
				b, err := batches.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					batches.Close()
					return nil, err
				}
				for wire := b.Wire; format == Binary && len(wire) > 0; {
					n := int(binary.BigEndian.Uint32(wire[2:]))
					keys = append(keys, string(wire[6:6+n]))
					wire = wire[skip(wire, 2, len(layout.Columns)):]
				}
				for line := range strings.Lines(string(b.Wire)) {
					if format == Binary {
						break
					}
					key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
					keys = append(keys, key)
				}
				b.Release()
			}
			if err := batches.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func opened(t *testing.T, dsn string) connectors.Snapshot {
	t.Helper()
	source, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snapshot.Close(); source.Close() })
	return snapshot
}

func TestFilterOfPartitions(t *testing.T) {
	a := connectortest.Postgres(t)
	name := a.Name(t)
	dsn := a.DSN(name)
	a.CreateDatabase(t, name, "")
	a.Exec(t, dsn, `CREATE TABLE events (id int, year int, note text, PRIMARY KEY (id, year)) PARTITION BY LIST (year)`,
		`CREATE TABLE events_1 (note text, year int NOT NULL, id int NOT NULL)`, // another order of columns
		`ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES IN (1)`,
		`CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2) PARTITION BY RANGE (id)`,
		`CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES FROM (0) TO (500)`,
		`CREATE TABLE events_2b PARTITION OF events_2 FOR VALUES FROM (500) TO (5000)`,
		`INSERT INTO events SELECT i, 1 + i % 2, 'n' || i FROM generate_series(1, 3000) i`)
	snapshot := opened(t, dsn)
	id := catalog.TableID{Schema: "public", Name: "events"}
	for _, f := range []connectors.Filter{{Limit: 100}, {Limit: 2999}, {Limit: 3000}, {Limit: 10_000}, {Where: "events.id <= 700", Limit: 650}} {
		keys, err := chosen(t, snapshot, id, f)
		if want := min(f.Limit, 3000); err != nil || int64(len(keys)) != want {
			t.Errorf("%+v: %d rows of all partitions: %v", f, len(keys), err)
		}
	}
	half, err := chosen(t, snapshot, id, connectors.Filter{Sample: 0.5})
	if err != nil || len(half) < 1300 || len(half) > 1700 {
		t.Errorf("half of 3,000: %d, %v", len(half), err)
	}
}

// A condition is asked for where rows would be read: of a partition that the account may read,
// though it may not read the whole. Where it may read nothing, or somebody has locked the table,
// that is said, and not the condition blamed; and no lock or transaction stays.
func TestCheckFilter(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	role := a.Name(t) + "_part"
	a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+role+" LOGIN PASSWORD 'reads'")
	a.Exec(t, dsn, `CREATE TABLE events (id int, year int) PARTITION BY LIST (year)`, `CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1)`,
		`CREATE TABLE none (id int) PARTITION BY LIST (id)`, `CREATE TABLE secrets (id int)`, "GRANT SELECT ON events_1 TO "+role)
	t.Cleanup(func() {
		a.Exec(t, dsn, "DROP OWNED BY "+role)
		a.Exec(t, a.DSN("postgres"), "DROP ROLE "+role)
	})
	source, err := Connector{}.OpenSource(t.Context(), a.DSNAs(databaseOf(dsn), role, "reads"), connectors.Options{LockTimeout: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	c, err := source.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check := func(table, where string, want connectors.Kind, retry bool) {
		t.Helper()
		err := source.(connectors.FilterChecker).CheckFilter(t.Context(), c, c.Find(table).ID, connectors.Filter{Where: where})
		if kind, _ := connectors.KindOf(err); kind != want || connectors.Retryable(err) != retry {
			t.Errorf("%s where %s: %v", table, where, err)
		}
	}
	check("events", "events.id < 3 AND year > extract(year FROM now())", connectors.KindOther, false)
	check("events", "nobody < 3", connectors.KindFilter, false)
	check("none", "id < 3", connectors.KindOther, false)
	check("secrets", "id < 3", connectors.KindUnavailable, false)
	check("events", "id IN (SELECT id FROM public.secrets)", connectors.KindFilter, false)
	check("events", "id < 3", connectors.KindOther, false)
	// A session that was closed is there until its server's process has heard of it.
	busy := "SELECT count(*) FROM pg_stat_activity WHERE usename = '" + role + "' AND state <> 'idle'"
	for until := time.Now().Add(10 * time.Second); a.Value(t, a.DSN("postgres"), busy) != "0"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Error("a session is in a transaction still")
			break
		}
	}
	err = connectortest.PostgresSession(t.Context(), dsn, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE events_1"); err != nil {
			return err
		}
		check("events", "id < 3", connectors.KindUnavailable, true)
		_, err := conn.Exec(t.Context(), "ROLLBACK")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// More rows than one statement names by their places, in one chunk and in one session.
func TestFilterOfManyRows(t *testing.T) {
	a := connectortest.Postgres(t)
	name := a.Name(t)
	dsn := a.DSN(name)
	a.CreateDatabase(t, name, "")
	a.Exec(t, dsn, `CREATE TABLE many (id int PRIMARY KEY)`, `INSERT INTO many SELECT generate_series(1, 130000)`)
	snapshot := opened(t, dsn)
	table := snapshot.Catalog().Find("many")
	for _, format := range []connectors.WireFormat{Binary, Text} {
		layout, err := snapshot.Layout(table.ID, []string{"id"})
		if err != nil {
			t.Fatal(err)
		}
		layout.Format = format
		layout, err = snapshot.(connectors.Filterer).Filter(t.Context(), layout, connectors.Filter{Limit: 120_001})
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := snapshot.Split(t.Context(), table.ID, 1<<30)
		if err != nil || len(chunks) != 1 {
			t.Fatal(len(chunks), err)
		}
		batches, err := snapshot.Read(t.Context(), chunks[0], layout)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for {
			b, err := batches.Next(t.Context())
			if err != nil {
				break
			}
			if b.Rows != b.Decoded[0].Len() {
				t.Fatalf("a batch of %d rows and %d values", b.Rows, b.Decoded[0].Len())
			}
			rows += b.Rows
			b.Release()
		}
		if err := batches.Close(); err != nil || rows != 120_001 {
			t.Errorf("%s: %d rows, %v", format, rows, err)
		}
	}
}

func TestConditions(t *testing.T) {
	a := connectortest.Postgres(t)
	name := a.Name(t)
	dsn := a.DSN(name)
	a.CreateDatabase(t, name, "")
	a.Exec(t, dsn, `CREATE TABLE t (id int PRIMARY KEY, at timestamptz, j jsonb)`,
		`INSERT INTO t VALUES (1, now() - interval '1 day', '{"a": 1}'), (2, now() + interval '1 day', '{"b": 1}'), (3, NULL, NULL)`,
		`CREATE FUNCTION wild() RETURNS bool LANGUAGE sql AS 'SELECT true'`,
		`CREATE FUNCTION tame() RETURNS bool LANGUAGE sql STABLE AS 'SELECT true'`,
		`CREATE FUNCTION sly() RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN DELETE FROM public.t; RETURN true; END'`)
	snapshot := opened(t, dsn)
	id := catalog.TableID{Schema: "public", Name: "t"}
	for where, want := range map[string]string{
		"at < now() AND at < CURRENT_TIMESTAMP AND at < pg_catalog.now() and at < localtimestamp": "1",
		"at::date > current_date":                          "2",
		`j ? 'a' OR (at IS NULL AND public.tame())`:        "1 3",
		"'now()' <> 'it''s current_date' AND t.\"id\" = 3": "3",
		`id = ANY ('{1,2}'::int[])`:                        "1 2",
	} {
		keys, err := chosen(t, snapshot, id, connectors.Filter{Where: where})
		if err != nil || strings.Join(keys, " ") != want {
			t.Errorf("%s: %q, %v", where, keys, err)
		}
	}
	for where, want := range map[string]string{
		"public.wild()":                     "calls public.wild, which may answer otherwise",
		`"public"."wild" ()`:                "calls public.wild, which may answer otherwise",
		"set_config('a.b', 'c', true) = ''": "calls set_config",
		"clock_timestamp() > at":            "calls clock_timestamp",
		"created > now()":                   `column "created" does not exist`,
		"id":                                "argument of WHERE must be type boolean",
		"tame()":                            "function tame() does not exist",
		"id = 'x-never-shown'":              "invalid value for its type",
	} {
		_, err := chosen(t, snapshot, id, connectors.Filter{Where: where})
		if kind, _ := connectors.KindOf(err); kind != connectors.KindFilter || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "never-shown") {
			t.Errorf("%s: %v", where, err)
		}
	}
	// A function that lies about itself meets a session that may not write.
	if _, err := chosen(t, snapshot, id, connectors.Filter{Where: "public.sly()"}); err == nil || !strings.Contains(err.Error(), "25006") && !strings.Contains(err.Error(), "0A000") {
		t.Errorf("a function that deletes: %v", err)
	}
	if keys, err := chosen(t, opened(t, dsn), id, connectors.Filter{}); err != nil || len(keys) != 3 {
		t.Errorf("after it: %q, %v", keys, err)
	}
}

func TestFilterSQL(t *testing.T) {
	tab := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "p 1"}, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "id"}, {Name: "the year"}}}
	layout, err := connectors.NewLayout(tab, Binary, nil)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := connectors.ParseCondition(`at > now() - interval '1 day' AND note <> 'now()' AND day < Current_Date`, "")
	if err != nil {
		t.Fatal(err)
	}
	rows := &choice{as: "events", where: pinned(parsed, "2026-01-02 03:04:05+00"), filter: connectors.Filter{Key: []string{"id", "the year"}, Sample: 0.1, Seed: [32]byte{7}}}
	part := connectors.Chunk{Table: tab.ID, Lo: 10, Hi: 20}
	whole := connectors.Chunk{Table: tab.ID, Last: true}
	var b strings.Builder
	say := func(what, sql string) { fmt.Fprintf(&b, "-- %s\n%s;\n\n", what, sql) }
	say("the keys of a range", rows.keysSQL(rows.from(part.Table)+rows.and(rangeSQL(part))))
	say("the rows that stay", copySelectSQL(columnList(layout.Columns), layout, placesFrom(tab.ID, []string{"(0,1)", "(0,7)"})))
	layout.Rows = rows
	say("a condition alone, a range", copyOutSQL(part, rangeSQL(part), layout))
	say("a condition alone, a whole table", copyOutSQL(whole, rangeSQL(whole), layout))
	rows.where = ""
	say("the keys of a whole table", rows.keysSQL(rows.from(whole.Table)+rows.and(rangeSQL(whole))))
	say("a sample of a small table", sampleSQL(tab, nil, 0, 100))
	say("a sample of a large table", sampleSQL(&catalog.Table{ID: tab.ID, Columns: []catalog.Column{{Name: "id"}, {Name: "photo", Type: catalog.Type{Kind: catalog.Bytes}}, {Name: "v", Generation: catalog.Virtual}, {Name: "mood"}}}, []string{"mood"}, 0.125, 100))
	golden(t, "rows.sql", b.String())
	for _, tt := range []struct {
		rows  int64
		pages int64
		want  float64
	}{{0, 10, 0}, {1_000_000, 10_000, 0.16}, {100, 10_000, 15}, {1_000_000, 129, 16 * 100. / 129}} {
		if got := sampleShare(&catalog.Table{Rows: tt.rows}, tt.pages, 1000); got != tt.want {
			t.Errorf("%d rows on %d pages: share %g, want %g", tt.rows, tt.pages, got, tt.want)
		}
	}
}

// A condition that cannot be asked of a row is what the error is about, and not the table.
func TestConditionThatFails(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE FUNCTION astray(id integer) RETURNS boolean STABLE LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM entries e WHERE e.id = astray.id); END'",
		"CREATE TABLE entries (id integer PRIMARY KEY, number text)", "INSERT INTO entries SELECT i, i::text FROM generate_series(1, 5000) i", "UPDATE entries SET number = 'none of these' WHERE id = 4000")
	snap, err := openSnapshot(t, dsn, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := snap.Catalog().Find("entries").ID
	for where, want := range map[string]string{
		"number::int > 17":  "choose the rows of public.entries: its condition fails for a row: invalid value for its type (SQLSTATE 22P02)",
		"public.astray(id)": "choose the rows of public.entries: what its condition calls fails: table does not exist: function public.astray(integer) (SQLSTATE 42P01)",
		"1 / (id - 1) < 9":  "choose the rows of public.entries: its condition fails for a row: division by zero (SQLSTATE 22012)",
		"CASE WHEN number ~ '^\\d+$' THEN number::int > 17 END": "",
	} {
		layout, err := snap.Layout(id, nil)
		if err == nil {
			layout, err = snap.(connectors.Filterer).Filter(t.Context(), layout, connectors.Filter{Where: where})
		}
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := snap.Split(t.Context(), id, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		batches, err := snap.Read(t.Context(), chunks[0], layout)
		for err == nil {
			var b *connectors.Batch
			if b, err = batches.Next(t.Context()); err == nil {
				b.Release()
			}
		}
		if batches != nil {
			batches.Close()
		}
		if err != io.EOF {
			got = err.Error()
			if kind, _ := connectors.KindOf(err); kind != connectors.KindFilter {
				t.Errorf("%s: kind %v", where, kind)
			}
		}
		if got != want {
			t.Errorf("%s:\n%q, want\n%q", where, got, want)
		}
	}
}

// A condition's functions run when it is planned, too, and what they raise may quote rows: of that the
// class is said, and which function it was. What the server itself says of names is said as it is.
func TestConditionThatRaises(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE c (id integer PRIMARY KEY, email text)", "INSERT INTO c VALUES (1, 'tell-tale')",
		`CREATE FUNCTION raised(k int) RETURNS int LANGUAGE plpgsql STABLE AS $$DECLARE e text; BEGIN SELECT email INTO e FROM public.c WHERE id = k; RAISE EXCEPTION 'no contract for %', e USING ERRCODE = 'insufficient_privilege'; END$$`,
		"CREATE FUNCTION named(k int) RETURNS int LANGUAGE sql STABLE AS $$SELECT max(length(email::regclass::text)) FROM public.c WHERE id = k$$",
		"CREATE FUNCTION asked(k int) RETURNS int LANGUAGE plpgsql STABLE AS $$DECLARE n int; BEGIN EXECUTE (SELECT 'SELECT id FROM ' || quote_ident(email) FROM public.c WHERE id = k) INTO n; RETURN n; END$$",
		"CREATE FUNCTION hidden() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'", "REVOKE ALL ON FUNCTION hidden() FROM PUBLIC")
	reader := role(t, a, dsn, "reads_conditions")
	a.Exec(t, dsn, "GRANT SELECT ON c TO reads_conditions")
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	c, err := src.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := c.Find("c").ID
	for where, want := range map[string]string{
		"id < public.raised(1)":          "missing right: function public.raised(integer) (SQLSTATE 42501)",
		"id < public.named(1)":           "table does not exist: function named (SQLSTATE 42P01)",
		"id < public.asked(1)":           "table does not exist: function public.asked(integer) (SQLSTATE 42P01)",
		"id < public.unknown(1)":         "function public.unknown(integer) does not exist (SQLSTATE 42883)",
		"id = 1 AND email = 'x'::nosuch": `type "nosuch" does not exist (SQLSTATE 42704)`,
	} {
		_, err := chosen(t, opened(t, dsn), id, connectors.Filter{Where: where})
		for from, err := range map[string]error{"run": err, "plan": src.(connectors.FilterChecker).CheckFilter(t.Context(), c, id, connectors.Filter{Where: where})} {
			kind, _ := connectors.KindOf(err)
			if kind != connectors.KindFilter || !strings.Contains(err.Error(), "cannot be used: "+want) || strings.Contains(err.Error(), "tell-tale") {
				t.Errorf("%s, %s: %v", where, from, err)
			}
		}
	}
	if _, err := chosen(t, opened(t, reader), id, connectors.Filter{Where: "public.hidden() = id"}); err == nil || !strings.Contains(err.Error(), "permission denied for function hidden") {
		t.Errorf("a function that the account may not call: %v", err)
	}
}
