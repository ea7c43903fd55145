package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

type sink struct {
	server *Server
	name   string

	mu     sync.Mutex
	closed bool
	builds []*build
}

func (s *sink) Properties() connectors.Properties { return properties() }

func (s *sink) Identity(context.Context) (connectors.Identity, error) {
	return s.server.identity(s.name), nil
}

func sinkError(kind connectors.Kind, op string, err error) error {
	return &connectors.Error{Kind: kind, Side: connectors.SinkSide, Op: op, Err: err}
}

func (s *sink) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	op := "build " + s.name
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if d := spec.Definitions; d == nil || d.Connector != "memory" {
		return nil, sinkError(connectors.KindUnsupported, op, errors.New("the definitions are not of a memory database"))
	}
	source := new(catalog.Catalog)
	if err := json.Unmarshal(spec.Definitions.Data, source); err != nil {
		return nil, sinkError(connectors.KindOther, op+": read the definitions", err)
	}
	if len(spec.Derived) > 0 {
		return nil, sinkError(connectors.KindUnsupported, op, errors.New("no trigger can fill a column here, and "+spec.Derived[0].Column.String()+" is to be derived"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, sinkError(connectors.KindUnavailable, op, errors.New("the sink is closed"))
	}
	server := s.server
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.held[s.name] != nil {
		return nil, &connectors.Error{
			Kind: connectors.KindBusy, Side: connectors.SinkSide, Op: op, Err: errors.New("another run holds the target"),
			Hint: "wait until it has ended",
		}
	}
	if target := server.databases[s.name]; target != nil && !target.Marked() {
		return nil, &connectors.Error{
			Kind: connectors.KindGuard, Side: connectors.SinkSide, Op: op, Err: errors.New("the target exists and no run has built it"),
			Hint: "name a target that does not exist, or drop this one",
		}
	}
	aside := s.name + ".building-"
	for name := range server.databases {
		if strings.HasPrefix(name, aside) {
			delete(server.databases, name)
		}
	}
	b := &build{sink: s, db: newDatabase(server, aside+spec.Run), spec: spec, catalog: source, began: time.Now()}
	if err := b.db.Create(source.Tables...); err != nil {
		return nil, sinkError(connectors.KindOther, op, err)
	}
	server.databases[b.db.name] = b.db
	server.held[s.name], server.left[s.name] = b, b
	s.builds = append(s.builds, b)
	return b, nil
}

// Close gives the targets of open builds free, as the end of a process would,
// and leaves the builds where they are: the next Begin removes them.
func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, b := range s.builds {
		b.mu.Lock()
		if b.state != promoted && b.state != kept {
			b.state = ended
		}
		b.mu.Unlock()
		b.free()
	}
	s.builds = nil
	return nil
}

// state is how far a build has come.
type state int

const (
	building state = iota
	finished
	sealed
	promoted
	ended
	kept
)

type build struct {
	sink    *sink
	db      *Database
	spec    connectors.BuildSpec
	catalog *catalog.Catalog
	began   time.Time

	mu    sync.Mutex
	state state
	last  time.Time // of the last commit
}

// check fails unless the build is in one of the states that an operation needs.
func (b *build) check(ctx context.Context, op string, want ...state) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(want, b.state) {
		return sinkError(connectors.KindOther, op, errors.New("the build has ended, or the order of its steps is another"))
	}
	return nil
}

func (b *build) advance(to state) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = to
}

func (b *build) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	op := "load " + chunk.ID
	if err := b.check(ctx, op, building); err != nil {
		return nil, err
	}
	if layout.Format != rows.Format || layout.Table.ID != chunk.Table {
		return nil, sinkError(connectors.KindUnsupported, op, errors.New("the layout is of another table or format"))
	}
	t := b.catalog.Table(chunk.Table)
	if t == nil || !t.StoresRows() {
		return nil, sinkError(connectors.KindOther, op, errors.New("there is no such table"))
	}
	return &loader{build: b, op: op, chunk: chunk, layout: layout, encoder: rows.NewEncoder(layout)}, nil
}

func (b *build) Receipts(ctx context.Context) ([]connectors.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return b.db.receipts(), nil
}

func (d *Database) receipts() (all []connectors.Receipt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.ledger)) {
		all = append(all, d.ledger[id])
	}
	return all
}

func (b *build) TableLoaded(ctx context.Context, id catalog.TableID) error {
	op := "index " + id.String()
	if err := b.check(ctx, op, building, finished); err != nil {
		return err
	}
	t := b.catalog.Table(id)
	if t == nil {
		return sinkError(connectors.KindOther, op, errors.New("there is no such table"))
	}
	for _, k := range t.UniqueKeys() {
		if k.Partial {
			continue // without expressions there is no predicate to check it by
		}
		if n := b.db.duplicates(id, k); n > 0 {
			return sinkError(connectors.KindIntegrity, op, fmt.Errorf("unique key %s: %d rows repeat another's values", k.Name, n))
		}
	}
	return nil
}

func (b *build) Finish(ctx context.Context) error {
	if err := b.check(ctx, "finish "+b.sink.name, building, finished); err != nil {
		return err
	}
	for _, t := range b.catalog.Tables {
		for _, k := range t.ForeignKeys {
			op := "validate foreign key " + k.Name + " of " + t.ID.String()
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s: %w", op, err)
			}
			if n := b.db.orphans(t.ID, k); n > 0 {
				return sinkError(connectors.KindIntegrity, op, fmt.Errorf("%d rows point to no row of %s", n, k.References))
			}
		}
	}
	for _, s := range b.spec.Definitions.Sequences {
		b.db.SetSequence(b.db.past(s))
	}
	b.advance(finished)
	return nil
}

func (b *build) Seal(ctx context.Context, want map[catalog.TableID]int64) error {
	op := "seal " + b.sink.name
	if err := b.check(ctx, op, finished); err != nil {
		return err
	}
	if err := b.seal(op, want); err != nil {
		return err
	}
	b.forget()
	return nil
}

func (b *build) seal(op string, want map[catalog.TableID]int64) error {
	b.db.mu.Lock()
	defer b.db.mu.Unlock()
	ledger := map[catalog.TableID]int64{}
	for _, r := range b.db.ledger {
		ledger[r.Table] += r.Rows
	}
	for id := range want {
		if b.db.tables[id] == nil {
			return sinkError(connectors.KindIntegrity, op, fmt.Errorf("rows were read of %s, which was not built", id))
		}
	}
	for id, t := range b.db.tables {
		have := int64(len(t.rows))
		if have != want[id] || have != ledger[id] {
			return sinkError(connectors.KindIntegrity, op, fmt.Errorf("table %s: %d rows read, %d in the ledger, %d in the table", id, want[id], ledger[id], have))
		}
	}
	b.db.ledger = map[string]connectors.Receipt{}
	b.db.marked = true
	b.advance(sealed)
	return nil
}

func (b *build) Promote(ctx context.Context) error {
	if err := b.check(ctx, "promote "+b.sink.name, sealed); err != nil {
		return err
	}
	server := b.sink.server
	server.mu.Lock()
	defer server.mu.Unlock()
	delete(server.databases, b.db.name)
	b.db.mu.Lock()
	b.db.name = b.sink.name
	b.db.mu.Unlock()
	server.databases[b.sink.name] = b.db
	b.advance(promoted)
	return nil
}

func (b *build) Abort() error {
	b.mu.Lock()
	if b.state == kept {
		b.mu.Unlock()
		return nil
	}
	done := b.state == promoted
	if !done {
		b.state = ended
	}
	b.mu.Unlock()
	server := b.sink.server
	server.mu.Lock()
	if !done && server.databases[b.db.name] == b.db {
		delete(server.databases, b.db.name)
	}
	server.mu.Unlock()
	b.forget()
	b.free()
	return nil
}

// free gives the target to other runs.
func (b *build) free() {
	server := b.sink.server
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.held[b.sink.name] == b {
		delete(server.held, b.sink.name)
	}
}

type loader struct {
	build   *build
	op      string
	chunk   connectors.Chunk
	layout  *connectors.Layout
	encoder *rows.Encoder
	pending [][]byte
	bytes   int64
	err     error // why nothing more can be done
}

var errEnded = errors.New("the loader has ended")

func (l *loader) Write(ctx context.Context, b *connectors.Batch) error {
	if l.err != nil {
		return fmt.Errorf("%s: %w", l.op, l.err)
	}
	if l.err = l.build.check(ctx, l.op, building); l.err != nil {
		return l.err
	}
	if l.err = l.write(b); l.err != nil {
		kind, _ := connectors.KindOf(l.err)
		return sinkError(kind, l.op, l.err)
	}
	return nil
}

func (l *loader) write(b *connectors.Batch) error {
	wire, err := l.encoder.Encode(b)
	if err != nil {
		return err
	}
	wire = bytes.Clone(wire) // it is the encoder's, or the batch's
	l.bytes += int64(len(wire))
	off := 0
	for range b.Rows {
		start := off
		for i := range l.layout.Columns {
			v, end, err := rows.Parse(wire, off)
			if err != nil {
				return err
			}
			if c := l.layout.Columns[i]; c.NotNull && v.Tag == rows.Null {
				return &connectors.Error{
					Kind: connectors.KindIntegrity, Side: connectors.SinkSide,
					Op: fmt.Sprintf("row %d, column %s", len(l.pending), c.Name), Err: errors.New("NULL in a column that is NOT NULL"),
				}
			}
			off = end
		}
		l.pending = append(l.pending, wire[start:off:off])
	}
	if off != len(wire) {
		return errors.New("the batch holds more bytes than rows")
	}
	return nil
}

func (l *loader) Commit(ctx context.Context) (connectors.Receipt, error) {
	if l.err != nil {
		return connectors.Receipt{}, fmt.Errorf("%s: %w", l.op, l.err)
	}
	if l.err = l.build.check(ctx, l.op, building); l.err != nil {
		return connectors.Receipt{}, l.err
	}
	l.err = errEnded
	db := l.build.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if _, done := db.ledger[l.chunk.ID]; done {
		return connectors.Receipt{}, sinkError(connectors.KindIntegrity, l.op, errors.New("the ledger has this chunk already"))
	}
	t := db.tables[l.chunk.Table]
	t.rows = append(t.rows, l.pending...)
	r := connectors.Receipt{Chunk: l.chunk.ID, Table: l.chunk.Table, Rows: int64(len(l.pending)), Bytes: l.bytes}
	db.ledger[l.chunk.ID] = r
	db.version++
	l.build.mu.Lock()
	l.build.last = time.Now()
	l.build.mu.Unlock()
	return r, nil
}

func (l *loader) Abort() error {
	l.pending = nil
	l.err = errEnded
	return nil
}
