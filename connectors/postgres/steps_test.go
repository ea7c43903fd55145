package postgres

import (
	"encoding/json"
	"errors"
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

// stepped is every kind of index and key that is made beside others, in two steps, or
// has to be made the direct way.
var stepped = []string{
	`CREATE EXTENSION btree_gist`,
	`CREATE TABLE hub (id bigint CONSTRAINT "the; key" PRIMARY KEY WITH (fillfactor = 70), code text UNIQUE, d integer UNIQUE DEFERRABLE INITIALLY DEFERRED,
		a integer, b integer, c text COLLATE "C", UNIQUE (a, b) INCLUDE (c), CONSTRAINT "Über" UNIQUE (b, a) DEFERRABLE)`,
	`COMMENT ON CONSTRAINT "Über" ON hub IS 'of a key; made in two steps'`,
	`CREATE INDEX hub_lower ON hub (lower(code))`,
	`COMMENT ON INDEX hub_lower IS 'of an index'`,
	`ALTER INDEX hub_lower ALTER COLUMN 1 SET STATISTICS 500`,
	`CREATE INDEX "semi;colon" ON hub (c) WHERE c <> 'x;y'`,
	`CREATE INDEX hub_c ON hub USING hash (c)`,
	`CREATE TABLE turned (id integer NOT NULL, at tstzrange, CONSTRAINT turned_id UNIQUE (id), EXCLUDE USING gist (id WITH =, at WITH &&))`,
	`CREATE UNIQUE INDEX turned_replica ON turned (id)`,
	`ALTER TABLE turned REPLICA IDENTITY USING INDEX turned_replica`,
	`ALTER TABLE turned CLUSTER ON turned_id`,
	`CREATE TABLE spoke (id bigint PRIMARY KEY, hub_id bigint CONSTRAINT to_hub REFERENCES hub ON DELETE CASCADE, code text REFERENCES hub (code),
		a integer, b integer, parent bigint REFERENCES spoke DEFERRABLE, FOREIGN KEY (a, b) REFERENCES hub (a, b) MATCH FULL)`,
	`CREATE STATISTICS spoke_ab ON a, b FROM spoke`,
	`COMMENT ON STATISTICS spoke_ab IS 'of two columns'`,
	`CREATE TABLE parted (id bigint NOT NULL, hub_id bigint REFERENCES hub, PRIMARY KEY (id)) PARTITION BY RANGE (id)`,
	`CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000)`,
	`CREATE TABLE parted_2 (hub_id bigint, id bigint NOT NULL, CONSTRAINT own UNIQUE (hub_id, id))`,
	`ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (1000) TO (9000)`,
	`INSERT INTO hub SELECT i, 'c' || i, i, i, -i, 'x' FROM generate_series(1, 3000) i`,
	`INSERT INTO turned SELECT i, tstzrange(to_timestamp(i), to_timestamp(i + 1)) FROM generate_series(1, 300) i`,
	`INSERT INTO spoke SELECT i, 1 + i % 3000, 'c' || (1 + i % 3000), 1 + i % 3000, -1 - i % 3000, NULL FROM generate_series(1, 9000) i`,
	`INSERT INTO parted SELECT i, 1 + i % 3000 FROM generate_series(0, 2999) i`,
	`ALTER TABLE spoke ADD CONSTRAINT of_old FOREIGN KEY (id) REFERENCES hub NOT VALID`,
	`ANALYZE`,
}

// TestSteps makes every table's indexes and keys as those of a large one are made: what
// comes out is what the direct way makes, to the letter of pg_dump.
func TestSteps(t *testing.T) {
	defer func(two, frozen int64) { twoStepBytes, frozenBytes = two, frozen }(twoStepBytes, frozenBytes)
	twoStepBytes, frozenBytes = 0, 0
	a := connectortest.Postgres(t)
	from, to := a.Database(t), a.DSN(a.Name(t))
	a.Exec(t, from, stepped...)
	if a.Value(t, from, "SELECT (current_setting('server_version_num')::integer >= 150000)::text") == "true" {
		a.Exec(t, from, `ALTER TABLE turned ADD CONSTRAINT one_null UNIQUE NULLS NOT DISTINCT (id, at)`)
	}
	if err := copyAll(t, from, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	sameDatabases(t, from, to)
	if got := a.Value(t, to, "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('hub', 'spoke', 'turned') AND reltuples > 0"); got != "hub spoke turned" {
		t.Errorf("statistics of %q", got)
	}
	if got := a.Value(t, to, "SELECT count(*) FROM pg_statistic_ext_data"); got != "1" {
		t.Errorf("%s statistics over several columns are filled", got)
	}
	// The one chunk of this table was loaded frozen: its pages are
	// known to be visible to everybody without a vacuum.
	a.Exec(t, to, "CREATE EXTENSION pg_visibility")
	if got := a.Value(t, to, "SELECT (all_frozen > 0)::text FROM pg_visibility_map_summary('turned')"); got != "true" {
		t.Errorf("the table was not loaded frozen: %s", got)
	}
}

// TestStepsOf says which definitions are made in two steps.
func TestStepsOf(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, stepped...)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var d definitions
	if err := json.Unmarshal(defs.Data, &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range d.After {
		if e.Steps != nil {
			got = append(got, e.Steps.First+"\n\t"+e.Steps.Second)
		}
	}
	slices.Sort(got)
	golden(t, "steps.sql", strings.Join(got, "\n")+"\n")
}

// ledTable makes a table, and divides it in a lead and other chunks. Tables of any size are
// loaded frozen until the test ends.
func ledTable(t *testing.T) (a *connectortest.PostgresServer, from string, snap connectors.Snapshot, chunks []connectors.Chunk) {
	t.Helper()
	frozen := frozenBytes
	t.Cleanup(func() { frozenBytes = frozen })
	frozenBytes = 0
	a = connectortest.Postgres(t)
	from = a.Database(t)
	a.Exec(t, from, "CREATE TABLE t AS SELECT i AS id, repeat('x', 500) AS v FROM generate_series(1, 3000) i")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chunks, err = snap.(connectors.LeadSplitter).SplitLead(t.Context(), catalog.TableID{Schema: "public", Name: "t"}, 800<<10, 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	return a, from, snap, chunks
}

// A lead chunk empties the table before it. It must never take away what is there.
func TestLead(t *testing.T) {
	ctx := t.Context()
	a, from, snap, chunks := ledTable(t)
	id := chunks[0].Table
	if len(chunks) < 3 || !chunks[0].Lead || chunks[1].Lead || chunks[0].Bytes < 2*chunks[1].Bytes {
		t.Fatalf("chunks are %+v", chunks)
	}
	layout, err := snap.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	load := func(b connectors.Build, c connectors.Chunk, commit bool) {
		t.Helper()
		in, err := snap.Read(ctx, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := b.Load(ctx, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Abort()
		for {
			batch, err := in.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			err = out.Write(ctx, batch)
			batch.Release()
			if err != nil {
				t.Fatal(err)
			}
		}
		if commit {
			if _, err := out.Commit(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, order := range map[string][]int{"in order": {0, 0, 1, 2}, "a replay of the lead comes late": {1, 0, 0, 2}} {
		t.Run(name, func(t *testing.T) {
			to := a.DSN(a.Name(t))
			b := beginBuild(t, snap, to, 0)
			seen := map[int]bool{}
			for _, i := range order {
				// The first time the lead is given up half way: then it is done again.
				load(b, chunks[i], i != 0 || seen[i])
				seen[i] = true
			}
			for _, c := range chunks[3:] {
				load(b, c, true)
			}
			if err := b.Finish(ctx); err != nil {
				t.Fatal(err)
			}
			if err := b.Seal(ctx, map[catalog.TableID]int64{id: 3000}); err != nil {
				t.Fatal(err)
			}
			if err := b.Promote(ctx); err != nil {
				t.Fatal(err)
			}
			sameDatabases(t, from, to)
		})
	}
}

// A lead chunk of a build that is gone on with looks into the ledger under the table's lock:
// it leaves the rows of a sister that came before it, and of one whose commit is on its way.
func TestLateLead(t *testing.T) {
	ctx := t.Context()
	a, from, snap, chunks := ledTable(t)
	id := chunks[0].Table
	layout, err := snap.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"before the resume", "while the lead begins"} {
		t.Run(when, func(t *testing.T) {
			to := a.DSN(a.Name(t))
			spec := connectors.BuildSpec{Run: "late", Catalog: snap.Catalog(), Definitions: defs, Chunks: chunks}
			open := func() connectors.Sink {
				sink, err := Connector{}.OpenSink(ctx, to, connectors.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { sink.Close() })
				return sink
			}
			b, err := open().Begin(ctx, spec)
			if err != nil {
				t.Fatal(err)
			}
			if when == "before the resume" {
				if _, err := copyChunk(ctx, snap, b, chunks[1], layout); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.(connectors.Keeper).Keep(); err != nil {
				t.Fatal(err)
			}
			if b, err = open().(connectors.Resumer).Resume(ctx, spec); err != nil {
				t.Fatal(err)
			}
			defer b.Abort()
			if when == "before the resume" {
				if _, err := copyChunk(ctx, snap, b, chunks[0], layout); err != nil {
					t.Fatal(err)
				}
			} else {
				inside := a.DSN(b.(*build).name)
				sister, err := pgx.Connect(ctx, inside)
				if err != nil {
					t.Fatal(err)
				}
				defer sister.Close(ctx)
				if _, err := sister.Exec(ctx, "BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE"); err != nil { // as COPY does
					t.Fatal(err)
				}
				lead := make(chan error, 1)
				go func() {
					_, err := copyChunk(ctx, snap, b, chunks[0], layout)
					lead <- err
				}()
				waiting := "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
				for until := time.Now().Add(30 * time.Second); a.Value(t, inside, waiting) == "0"; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(until) {
						t.Fatal("the lead does not wait for the table's lock")
					}
				}
				sql := fmt.Sprintf("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 3) i; INSERT INTO %s.ledger VALUES (%s, 'public', 't', 3, 1500); COMMIT",
					ident(b.(*build).ledger), literal(chunks[1].ID))
				if _, err := sister.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
				if err := <-lead; err != nil {
					t.Fatal(err)
				}
				receipts, err := b.Receipts(ctx)
				if err != nil {
					t.Fatal(err)
				}
				var rows int64
				for _, r := range receipts {
					rows += r.Rows
				}
				if got := a.Value(t, inside, "SELECT count(*) FROM t"); len(receipts) != 2 || got != fmt.Sprint(rows) {
					t.Errorf("%s rows in the table, %d in %d receipts", got, rows, len(receipts))
				}
				return
			}
			for _, c := range chunks[2:] {
				if _, err := copyChunk(ctx, snap, b, c, layout); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Finish(ctx); err != nil {
				t.Fatal(err)
			}
			if err := b.Seal(ctx, map[catalog.TableID]int64{id: 3000}); err != nil {
				t.Fatal(err)
			}
			if err := b.Promote(ctx); err != nil {
				t.Fatal(err)
			}
			sameDatabases(t, from, to)
		})
	}
}
