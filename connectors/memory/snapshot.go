package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// defaultChunkBytes is the size of a chunk if the caller names none.
const defaultChunkBytes = 4 << 20

type source struct {
	db *Database

	mu        sync.Mutex
	closed    bool
	snapshots []*snapshot
}

func (s *source) Properties() connectors.Properties { return properties() }

func (s *source) Identity(context.Context) (connectors.Identity, error) {
	return s.db.server.identity(s.db.name), nil
}

func (s *source) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	if err := s.check(ctx, "read the catalog"); err != nil {
		return nil, err
	}
	return s.db.Catalog(), nil
}

func (s *source) check(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return sourceError(connectors.KindUnavailable, op, errors.New("the source is closed"))
	}
	return nil
}

func (s *source) Open(ctx context.Context) (connectors.Snapshot, error) {
	if err := s.check(ctx, "open a snapshot"); err != nil {
		return nil, err
	}
	d := s.db
	d.mu.Lock()
	d.snapshots++
	view := &snapshot{
		token:     fmt.Sprintf("%s/%s/%d/%d", d.server.id, d.name, d.version, d.snapshots),
		taken:     time.Now(),
		catalog:   d.catalog(),
		rows:      make(map[catalog.TableID][][]byte, len(d.tables)),
		sequences: append([]connectors.Sequence(nil), d.sequences...),
	}
	for id, t := range d.tables {
		view.rows[id] = t.rows[:len(t.rows):len(t.rows)]
	}
	d.mu.Unlock()
	s.add(view)
	return view, nil
}

// add notes a snapshot that is open.
func (s *source) add(view *snapshot) {
	s.db.mu.Lock()
	s.db.views = slices.DeleteFunc(s.db.views, func(v *snapshot) bool { return v.closed.Load() })
	s.db.views = append(s.db.views, view)
	s.db.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots = append(s.snapshots, view)
}

// Join implements connectors.Joiner.
func (s *source) Join(ctx context.Context, token string) (connectors.Snapshot, error) {
	op := "join a snapshot"
	if err := s.check(ctx, op); err != nil {
		return nil, err
	}
	s.db.mu.Lock()
	i := slices.IndexFunc(s.db.views, func(v *snapshot) bool { return v.token == token && !v.closed.Load() })
	var view *snapshot
	if i >= 0 {
		v := s.db.views[i]
		view = &snapshot{token: v.token, taken: v.taken, catalog: v.catalog, rows: v.rows, sequences: v.sequences}
	}
	s.db.mu.Unlock()
	if view == nil {
		return nil, sourceError(connectors.KindSnapshot, op, errors.New("nobody holds it any more"))
	}
	s.add(view)
	return view, nil
}

// Alive implements connectors.Held.
func (s *snapshot) Alive(ctx context.Context) error { return s.check(ctx, "hold a snapshot") }

func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, view := range s.snapshots {
		view.closed.Store(true)
	}
	s.snapshots = nil
	return nil
}

func sourceError(kind connectors.Kind, op string, err error) error {
	return &connectors.Error{Kind: kind, Side: connectors.SourceSide, Op: op, Err: err}
}

// snapshot is what the database was: its rows cannot change, since nobody
// writes below the length of a slice that has been given out.
type snapshot struct {
	token     string
	taken     time.Time
	catalog   *catalog.Catalog
	rows      map[catalog.TableID][][]byte
	sequences []connectors.Sequence
	closed    atomic.Bool
}

func (s *snapshot) Token() string { return s.token }

// Taken implements connectors.Timed.
func (s *snapshot) Taken() time.Time { return s.taken }

func (s *snapshot) Catalog() *catalog.Catalog { return s.catalog }

func (s *snapshot) check(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if s.closed.Load() {
		return sourceError(connectors.KindSnapshot, op, errors.New("the snapshot is closed"))
	}
	return nil
}

func (s *snapshot) Definitions(ctx context.Context) (*connectors.Definitions, error) {
	if err := s.check(ctx, "read the definitions"); err != nil {
		return nil, err
	}
	data, err := json.Marshal(s.catalog)
	if err != nil {
		return nil, sourceError(connectors.KindOther, "read the definitions", err)
	}
	return &connectors.Definitions{
		Connector: "memory", Version: properties().Server, Data: data,
		Sequences: append([]connectors.Sequence(nil), s.sequences...),
	}, nil
}

func (s *snapshot) table(op string, id catalog.TableID) (*catalog.Table, error) {
	t := s.catalog.Table(id)
	switch {
	case t == nil:
		return nil, sourceError(connectors.KindOther, op, errors.New("there is no such table"))
	case !t.StoresRows():
		return nil, sourceError(connectors.KindOther, op, errors.New("the table stores no rows itself"))
	}
	return t, nil
}

func (s *snapshot) Layout(id catalog.TableID, decoded []string) (*connectors.Layout, error) {
	t, err := s.table("layout of "+id.String(), id)
	if err != nil {
		return nil, err
	}
	return connectors.NewLayout(t, rows.Format, decoded)
}

func (s *snapshot) Split(ctx context.Context, id catalog.TableID, targetBytes int64) ([]connectors.Chunk, error) {
	op := "split " + id.String()
	if err := s.check(ctx, op); err != nil {
		return nil, err
	}
	if _, err := s.table(op, id); err != nil {
		return nil, err
	}
	if targetBytes <= 0 {
		targetBytes = defaultChunkBytes
	}
	var chunks []connectors.Chunk
	all := s.rows[id]
	for lo := 0; lo < len(all); {
		hi, size := lo, int64(0)
		for hi < len(all) && (hi == lo || size+int64(len(all[hi])) <= targetBytes) {
			size += int64(len(all[hi]))
			hi++
		}
		chunk := connectors.Chunk{Table: id, Index: len(chunks), Lo: uint64(lo), Hi: uint64(hi), Rows: int64(hi - lo), Bytes: size}
		chunk.ID = fmt.Sprintf("%s rows %d to %d", spell(id), lo, hi)
		if chunk.Last = hi == len(all); chunk.Last {
			chunk.Hi = 0
			chunk.ID = fmt.Sprintf("%s rows from %d", spell(id), lo)
		}
		chunks = append(chunks, chunk)
		lo = hi
	}
	return chunks, nil
}

// spell returns a table's name for a chunk id, so that no two tables share one.
func spell(id catalog.TableID) string {
	word := func(s string) string {
		if s == "" || strings.ContainsAny(s, ".\" ") {
			return strconv.Quote(s)
		}
		return s
	}
	if id.Schema == "" {
		return word(id.Name)
	}
	return word(id.Schema) + "." + word(id.Name)
}

func (s *snapshot) Read(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Batches, error) {
	op := "read " + chunk.ID
	if err := s.check(ctx, op); err != nil {
		return nil, err
	}
	if layout.Table.ID != chunk.Table || layout.Format != rows.Format {
		return nil, sourceError(connectors.KindOther, op, errors.New("the layout is of another table or format"))
	}
	if _, err := s.table(op, chunk.Table); err != nil {
		return nil, err
	}
	all := s.rows[chunk.Table]
	hi := uint64(len(all))
	if !chunk.Last {
		hi = chunk.Hi
	}
	if chunk.Lo > hi || hi > uint64(len(all)) {
		return nil, sourceError(connectors.KindOther, op, errors.New("the chunk is not of this snapshot"))
	}
	left := all[chunk.Lo:hi]
	if chosen, ok := layout.Rows.(*choice); ok {
		left = chosen.of(left)
	}
	return &batches{snapshot: s, op: op, left: left, layout: layout, builder: rows.NewBuilder(layout)}, nil
}

// Close ends the snapshot. Readers that are open fail.
func (s *snapshot) Close() error {
	s.closed.Store(true)
	return nil
}

type batches struct {
	snapshot *snapshot
	op       string
	left     [][]byte
	layout   *connectors.Layout
	builder  *rows.Builder
	err      error
}

func (b *batches) Next(ctx context.Context) (*connectors.Batch, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.err = b.snapshot.check(ctx, b.op); b.err != nil {
		return nil, b.err
	}
	if len(b.left) == 0 {
		b.err = io.EOF
		return nil, b.err
	}
	for len(b.left) > 0 && !b.builder.Full() {
		row := b.left[0]
		b.left = b.left[1:]
		off := 0
		for range b.layout.Columns {
			_, end, err := rows.Parse(row, off)
			if err != nil {
				b.err = sourceError(connectors.KindOther, b.op, err)
				return nil, b.err
			}
			b.builder.Raw(row[off:end])
			off = end
		}
		b.builder.EndRow()
	}
	batch, err := b.builder.Batch(nil)
	if err != nil {
		b.err = sourceError(connectors.KindUnsupported, b.op, err)
		return nil, b.err
	}
	return batch, nil
}

func (b *batches) Close() error {
	b.builder.Drop()
	if b.err == nil {
		b.err = errors.New(b.op + ": the reader is closed")
	}
	return nil
}

// Values implements connectors.Counter.
func (s *snapshot) Values(ctx context.Context, table catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	return rows.Values(ctx, s, table, column, f, limit, bytes)
}
