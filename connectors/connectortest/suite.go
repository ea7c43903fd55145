// Package connectortest is the conformance suite of the contract in package
// connectors. Every connector runs all of it: memory, SQLite, PostgreSQL, MySQL and MariaDB.
//
// A connector's test makes a Harness, declares its Quirks, and calls Run. It
// is for tests only.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Harness is what the suite needs of an engine.
type Harness struct {
	Connector connectors.Connector
	Options   connectors.Options
	Quirks    Quirks
	// Holders, if not nil, is where Options.Holder leads.
	Holders *Holders
	// Database returns a handle on a database of a name not used before, which
	// does not exist yet: Database.Create or a promoted build makes it. What the
	// test leaves there is removed when the test ends.
	Database func(t testing.TB) Database
}

// Run proves the contract, law by law.
func Run(t *testing.T, h Harness) {
	s := &suite{Harness: h}
	if s.Database == nil || s.Connector == nil {
		t.Fatal("connectortest: a harness needs a connector and a database")
	}
	if db := s.Database(t); isCloner(db) {
		s.fill(t, db)
		s.model = db
	}
	s.still = s.world(t)
	before := s.rowsOf(t, s.still, s.tables()...)
	s.stillRows = before
	t.Run("source", s.sourceLaws)
	end := s.openStill(t)
	t.Run("sink", s.sinkLaws)
	end()
	t.Run("round trip", s.roundTripLaws)
	t.Run("a source is as it was", func(t *testing.T) {
		s.stillRows = nil // which are believed until here
		now := s.rowsOf(t, s.still, s.tables()...)
		for id, want := range before {
			sameRows(t, id, want, now[id])
		}
		noLeftovers(t, s.still)
	})
}

// beside lets a law be tried beside others. Each has its own target.
func beside(law func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		law(t)
	}
}

type suite struct {
	Harness
	still     Database // a world that laws read and copy, and never write to; a law that writes makes its own
	stillRows map[catalog.TableID][][]string

	model Database // a world that nobody opens, for clones

	// What laws build of the world that stands still: one snapshot for all of them, as one is
	// for all readers of a run. A law about snapshots opens its own.
	source      connectors.Source
	snapshot    connectors.Snapshot
	definitions *connectors.Definitions
}

// openStill opens what laws share, and returns what closes it.
func (s *suite) openStill(t *testing.T) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	source, err := s.Connector.OpenSource(ctx, s.still.DSN(), s.Options)
	if err != nil {
		t.Fatalf("open the source: %v", err)
	}
	end = sync.OnceFunc(func() {
		if s.snapshot != nil {
			closes(t, "snapshot", s.snapshot)
		}
		closes(t, "source", source)
		cancel()
	})
	t.Cleanup(end)
	s.source = source
	if s.snapshot, err = source.Open(ctx); err != nil {
		t.Fatalf("open a snapshot: %v", err)
	}
	if s.definitions, err = s.snapshot.Definitions(ctx); err != nil {
		t.Fatalf("read the definitions: %v", err)
	}
	return end
}

// Copy copies a whole database with a connector, every column kept, and returns
// the first error: of opening the sink, or of any step of the build. What it
// opens is closed when the test ends; a build that fails is aborted.
func Copy(t testing.TB, c connectors.Connector, opts connectors.Options, from, to string) error {
	t.Helper()
	s := &suite{Harness: Harness{Connector: c, Options: opts}}
	r := &run{rows: map[catalog.TableID]int64{}}
	r.source, r.snapshot = s.open(t, dsn(from))
	sink, err := c.OpenSink(deadline(t), to, opts)
	if err != nil {
		return err
	}
	t.Cleanup(func() { closes(t, "sink", sink) })
	if suiter, ok := r.source.(connectors.Suiter); ok {
		suiter.Suit(sink.Properties())
	}
	if r.build, err = sink.Begin(deadline(t), spec(t, r.snapshot, "copy")); err != nil {
		return err
	}
	defer func() {
		if err := r.build.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
		closes(t, "snapshot", r.snapshot)
	}()
	if err := r.load(t, decoding{}); err != nil {
		return err
	}
	return r.finish(t)
}

// end is one end of a copy.
type end interface{ DSN() string }

type dsn string

func (d dsn) DSN() string { return string(d) }

// deadline bounds each test: a contract that hangs is broken.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// smallChunk makes several chunks of the suite's larger tables.
const smallChunk = 32 << 10

// world is the suite's schema with rows in it: self references, composite and
// reversed foreign keys, a cycle, a table without a key, an empty one, computed
// columns, hard names, and one table of several chunks.
func (s *suite) world(t testing.TB) Database {
	t.Helper()
	db := s.Database(t)
	if s.model != nil {
		db.(Cloner).Clone(t, s.model)
	} else {
		s.fill(t, db)
	}
	return db
}

func isCloner(db Database) bool {
	_, is := db.(Cloner)
	return is
}

func (s *suite) fill(t testing.TB, db Database) {
	t.Helper()
	db.Create(t, s.tables()...)
	db, end := session(t, db)
	defer end()
	q := s.Quirks
	db.Insert(t, q.id("people"), []string{"id", "name", "email", "boss"},
		[]any{int64(1), "Ann", "ann@shop.example", nil},
		[]any{int64(2), "", "bob@shop.example", int64(1)},
		[]any{int64(3), "José 😀", nil, int64(2)},
		[]any{int64(4), "سارة", nil, int64(4)})
	db.Insert(t, q.id("orders"), []string{"number", "line", "person"},
		[]any{int64(10), int64(1), int64(1)}, []any{int64(10), int64(2), int64(1)}, []any{int64(1), int64(10), nil})
	db.Insert(t, q.id("parcels"), []string{"id", "line", "number"},
		[]any{int64(1), int64(2), int64(10)}, []any{int64(2), int64(10), int64(1)}, []any{int64(3), nil, int64(99)})
	for i, name := range []string{"coop", "egg", "hen"} {
		db.Insert(t, q.id(name), []string{"id", "next"}, []any{int64(1 + i), nil}, []any{int64(11 + i), nil})
	}
	for i, name := range []string{"coop", "egg", "hen"} {
		db.Update(t, q.id(name), "next", int64(1+(i+1)%3), "id", int64(1+i))
	}
	db.Insert(t, q.id("notes"), []string{"body"}, []any{"twice"}, []any{"twice"}, []any{nil}, []any{nil})
	hard, columns := q.hard()
	db.Insert(t, q.id(hard), columns, []any{int64(1), "a", "b", "c"}, []any{int64(2), nil, "", `"`})
	db.Insert(t, q.id("computed"), []string{"id", "name", "tail"}, []any{int64(1), "ann", "x"}, []any{int64(2), "Bob", "y"}, []any{int64(3), nil, nil})
	var events [][]any
	for i := range 5000 {
		events = append(events, []any{int64(i + 1), fmt.Sprintf("event %d of the suite, with some text to make it wide", i+1)})
	}
	db.Insert(t, q.id("events"), []string{"id", "payload"}, events...)
}

func (s *suite) tables() []*catalog.Table {
	q := s.Quirks
	integer, text := q.typeOf(catalog.Int), q.typeOf(catalog.Text)
	table := func(name string, columns ...catalog.Column) *catalog.Table {
		return &catalog.Table{ID: q.id(name), Kind: catalog.Ordinary, Columns: columns}
	}
	column := func(name string, t catalog.Type) catalog.Column { return catalog.Column{Name: name, Type: t} }
	id := catalog.Column{Name: "id", Type: integer, NotNull: true}
	key := func(t *catalog.Table, name string, columns ...string) {
		t.PrimaryKey = &catalog.Key{Name: name, Columns: columns}
	}
	points := func(t *catalog.Table, name, to string, deferrable bool, pairs ...catalog.Pair) {
		t.ForeignKeys = append(t.ForeignKeys, catalog.ForeignKey{Name: name, References: q.id(to), Pairs: pairs, Deferrable: deferrable && !q.NoDeferrable, Validated: true})
	}

	people := table("people", id, catalog.Column{Name: "name", Type: text, NotNull: true}, column("email", q.keyText()), column("boss", integer))
	key(people, "people_key", "id")
	people.Unique = []catalog.Key{{Name: "people_email_once", Columns: []string{"email"}}}
	points(people, "people_boss_exists", "people", true, catalog.Pair{Column: "boss", References: "id"})

	orders := table("orders", catalog.Column{Name: "number", Type: integer, NotNull: true}, catalog.Column{Name: "line", Type: integer, NotNull: true}, column("person", integer))
	key(orders, "orders_key", "number", "line")
	points(orders, "orders_person_exists", "people", false, catalog.Pair{Column: "person", References: "id"})

	parcels := table("parcels", id, column("line", integer), column("number", integer))
	key(parcels, "parcels_key", "id")
	reversed := []catalog.Pair{{Column: "line", References: "line"}, {Column: "number", References: "number"}}
	if q.KeyOrder {
		slices.Reverse(reversed)
	}
	points(parcels, "parcels_order_exists", "orders", false, reversed...)

	all := []*catalog.Table{people, orders, parcels}
	names := []string{"coop", "egg", "hen"}
	for i, name := range names {
		t := table(name, id, column("next", integer))
		key(t, name+"_key", "id")
		points(t, name+"_next_exists", names[(i+1)%3], true, catalog.Pair{Column: "next", References: "id"})
		all = append(all, t)
	}

	name, hardColumns := q.hard()
	hard := table(name, catalog.Column{Name: hardColumns[0], Type: integer, NotNull: true}, column(hardColumns[1], text), column(hardColumns[2], text), column(hardColumns[3], text))
	key(hard, `the key's "name"`, hardColumns[0])

	computed := table("computed", id, column("name", text), catalog.Column{Name: "loud", Type: text, Generation: catalog.Stored, Default: q.upper("name")}, column("tail", text))
	if !q.NoVirtual {
		computed.Columns = append(computed.Columns, catalog.Column{Name: "louder", Type: text, Generation: catalog.Virtual, Default: q.upper("tail")})
	}
	key(computed, "computed_key", "id")

	empty := table("empty", id, column("name", text))
	key(empty, "empty_key", "id")

	events := table("events", id, column("payload", text))
	key(events, "events_key", "id")

	return append(all, hard, computed, empty, events, table("notes", column("body", text)))
}

// run is one copy from source to sink, step by step.
type run struct {
	source   connectors.Source
	snapshot connectors.Snapshot
	sink     connectors.Sink
	build    connectors.Build
	rows     map[catalog.TableID]int64
}

func (s *suite) open(t testing.TB, from end) (connectors.Source, connectors.Snapshot) {
	t.Helper()
	source, err := s.Connector.OpenSource(deadline(t), from.DSN(), s.Options)
	if err != nil {
		t.Fatalf("open the source: %v", err)
	}
	t.Cleanup(func() { closes(t, "source", source) })
	snapshot, err := source.Open(deadline(t))
	if err != nil {
		t.Fatalf("open a snapshot: %v", err)
	}
	t.Cleanup(func() { closes(t, "snapshot", snapshot) })
	return source, snapshot
}

// closes closes twice, as the contract allows.
func closes(t testing.TB, what string, c io.Closer) {
	t.Helper()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("close the %s: %v", what, err)
		}
	}
}

func (s *suite) sink(t testing.TB, to end) connectors.Sink {
	t.Helper()
	sink, err := s.Connector.OpenSink(deadline(t), to.DSN(), s.Options)
	if err != nil {
		t.Fatalf("open the sink: %v", err)
	}
	t.Cleanup(func() { closes(t, "sink", sink) })
	return sink
}

// spec returns what to build of a snapshot.
func spec(t testing.TB, snapshot connectors.Snapshot, id string) connectors.BuildSpec {
	t.Helper()
	definitions, err := snapshot.Definitions(deadline(t))
	if err != nil {
		t.Fatalf("read the definitions: %v", err)
	}
	return specOf(snapshot, definitions, id)
}

func specOf(snapshot connectors.Snapshot, definitions *connectors.Definitions, id string) connectors.BuildSpec {
	return connectors.BuildSpec{
		Run: id, Fingerprint: map[string]string{"policy": "none"}, Catalog: snapshot.Catalog(), Definitions: definitions, Workers: 2,
	}
}

// begin opens both ends and begins a build.
func (s *suite) begin(t testing.TB, from, to end, id string) *run {
	t.Helper()
	r := &run{rows: map[catalog.TableID]int64{}}
	r.sink = s.sink(t, to)
	var built connectors.BuildSpec
	if from == end(s.still) && s.snapshot != nil {
		r.source, r.snapshot = s.source, s.snapshot
		built = specOf(r.snapshot, s.definitions, id)
	} else {
		r.source, r.snapshot = s.open(t, from)
		built = spec(t, r.snapshot, id)
	}
	var err error
	if r.build, err = r.sink.Begin(deadline(t), built); err != nil {
		t.Fatalf("begin: %v", err)
	}
	t.Cleanup(func() {
		if err := r.build.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
	})
	return r
}

// chunk is a chunk with the layout to read it by.
type chunk struct {
	connectors.Chunk
	layout *connectors.Layout
}

// decoding says which columns of a table to decode, and what to put in their place.
type decoding struct {
	columns func(*catalog.Table) []string
	replace func(*connectors.Layout, *connectors.Batch) []arrow.Array
}

func (r *run) chunks(t testing.TB, d decoding) []chunk {
	t.Helper()
	var all []chunk
	for _, table := range r.snapshot.Catalog().Tables {
		if !table.StoresRows() {
			continue
		}
		var decoded []string
		if d.columns != nil {
			decoded = d.columns(table)
		}
		layout, err := r.snapshot.Layout(table.ID, decoded)
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := r.snapshot.Split(deadline(t), table.ID, smallChunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			all = append(all, chunk{c, layout})
		}
	}
	return all
}

// copy reads a chunk and loads it, and commits it unless told otherwise.
func (r *run) copy(ctx context.Context, c chunk, d decoding) (receipt connectors.Receipt, err error) {
	loader, err := r.fill(ctx, c, d)
	if err != nil {
		return receipt, err
	}
	receipt, err = loader.Commit(ctx)
	if err != nil {
		loader.Abort()
		return receipt, err
	}
	return receipt, loader.Abort() // after Commit it does nothing
}

// fill reads a chunk into a loader that the caller ends.
func (r *run) fill(ctx context.Context, c chunk, d decoding) (loader connectors.Loader, err error) {
	batches, err := r.snapshot.Read(ctx, c.Chunk, c.layout)
	if err != nil {
		return nil, err
	}
	defer batches.Close()
	loader, err = r.build.Load(ctx, c.Chunk, c.layout)
	if err != nil {
		return nil, err
	}
	for {
		batch, err := batches.Next(ctx)
		if errors.Is(err, io.EOF) {
			return loader, nil
		}
		if err == nil {
			if d.replace != nil && len(batch.Decoded) > 0 {
				err = batch.Replace(d.replace(c.layout, batch))
			}
			if err == nil {
				err = loader.Write(ctx, batch)
			}
			batch.Release()
		}
		if err != nil {
			loader.Abort()
			return nil, err
		}
	}
}

// load copies every chunk that the ledger does not have.
func (r *run) load(t testing.TB, d decoding) error {
	t.Helper()
	ctx := deadline(t)
	receipts, err := r.build.Receipts(ctx)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, c := range receipts {
		done[c.Chunk] = true
		r.rows[c.Table] += c.Rows
	}
	for _, c := range r.chunks(t, d) {
		if done[c.ID] {
			continue
		}
		receipt, err := r.copy(ctx, c, d)
		if err != nil {
			return err
		}
		if receipt.Chunk != c.ID || receipt.Table != c.Table {
			return fmt.Errorf("a receipt of chunk %s for chunk %s", receipt.Chunk, c.ID)
		}
		r.rows[c.Table] += receipt.Rows
	}
	return nil
}

// finish takes a loaded build to its end.
func (r *run) finish(t testing.TB) error {
	t.Helper()
	ctx := deadline(t)
	for _, table := range r.snapshot.Catalog().Tables {
		if err := r.build.TableLoaded(ctx, table.ID); err != nil {
			return fmt.Errorf("table loaded: %w", err)
		}
	}
	if err := r.build.Finish(ctx); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	if err := r.build.Seal(ctx, r.rows); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if err := r.build.Promote(ctx); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	return nil
}

// copyAll copies a whole database.
func (s *suite) copyAll(t testing.TB, from, to Database, id string, d decoding) {
	t.Helper()
	r := s.begin(t, from, to, id)
	if err := r.load(t, d); err != nil {
		t.Fatalf("load: %v", err)
	}
	if err := r.finish(t); err != nil {
		t.Fatal(err)
	}
	if err := r.build.Abort(); err != nil {
		t.Fatalf("abort after promote: %v", err)
	}
}

// equalRows fails where the two databases differ in a table of the suite.
func (s *suite) equalRows(t testing.TB, want, got Database, tables ...*catalog.Table) {
	t.Helper()
	from, to := s.rowsOf(t, want, tables...), s.rowsOf(t, got, tables...)
	for _, table := range tables {
		sameRows(t, table.ID, from[table.ID], to[table.ID])
	}
}

// rowsOf returns the rows of tables of a database.
func (s *suite) rowsOf(t testing.TB, db Database, tables ...*catalog.Table) map[catalog.TableID][][]string {
	t.Helper()
	rows := map[catalog.TableID][][]string{}
	if db == s.still && s.stillRows != nil {
		for _, table := range tables {
			rows[table.ID] = s.stillRows[table.ID] // nobody writes to it, which is proven at the end
		}
		return rows
	}
	db, end := session(t, db)
	defer end()
	for _, table := range tables {
		rows[table.ID] = db.Rows(t, table.ID)
	}
	return rows
}

func sameRows(t testing.TB, id catalog.TableID, want, got [][]string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("table %s: %d rows, want %d", id, len(got), len(want))
		return
	}
	for i := range want {
		if !slices.Equal(want[i], got[i]) {
			t.Errorf("table %s, row %d: %.200q, want %.200q", id, i, got[i], want[i])
			return
		}
	}
}

func noLeftovers(t testing.TB, db Database) {
	t.Helper()
	if left := db.Leftovers(t); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}
