package pipelinetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Effect is a call of a connector that chaos can strike.
type Effect string

// The effects, in about the order in which a run has them.
const (
	Open        Effect = "open"
	Split       Effect = "split"
	Definitions Effect = "definitions"
	Begin       Effect = "begin"
	Read        Effect = "read"
	Next        Effect = "next"
	Load        Effect = "load"
	Write       Effect = "write"
	Commit      Effect = "commit"
	TableLoaded Effect = "table loaded"
	Finish      Effect = "finish"
	Seal        Effect = "seal"
	Promote     Effect = "promote"
)

// Effects lists all effects.
var Effects = []Effect{Open, Split, Definitions, Begin, Read, Next, Load, Write, Commit, TableLoaded, Finish, Seal, Promote}

// Chaos makes one call of a connector fail: before the call has done anything,
// or after it has done all. It is safe for concurrent use.
type Chaos struct {
	At    Effect
	After bool // the effect has happened when the error comes
	Nth   int  // which call of the effect is struck, from 1
	Err   error
	// Strike, if not nil, is called in place of returning Err before the call goes on.
	Strike func()

	mu     sync.Mutex
	calls  int
	struck bool
}

// Struck reports whether the call has come.
func (c *Chaos) Struck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.struck
}

// String says what is struck, for names of tests.
func (c *Chaos) String() string {
	when := "before"
	if c.After {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, c.At, c.Nth)
}

func (c *Chaos) around(at Effect, do func() error) error {
	if at != c.At {
		return do()
	}
	c.mu.Lock()
	c.calls++
	strike := c.calls == c.Nth
	c.struck = c.struck || strike
	c.mu.Unlock()
	if !strike {
		return do()
	}
	if c.Strike != nil {
		if !c.After {
			c.Strike()
			return do()
		}
		err := do()
		c.Strike()
		return err
	}
	if c.After {
		if err := do(); err != nil && err != io.EOF { // the end of a chunk is an effect too
			return err
		}
	}
	return c.Err
}

// Source wraps a source.
func (c *Chaos) Source(s connectors.Source) connectors.Source { return c.source(s) }

// Sink wraps a sink.
func (c *Chaos) Sink(s connectors.Sink) connectors.Sink { return c.sink(s) }

type source struct {
	connectors.Source
	chaos *Chaos
}

func (s *source) Open(ctx context.Context) (snap connectors.Snapshot, err error) {
	err = s.chaos.around(Open, func() (err error) { snap, err = s.Source.Open(ctx); return err })
	if err != nil {
		if snap != nil {
			snap.Close() // the caller sees no snapshot that it could close
		}
		return nil, err
	}
	return &snapshot{snap, s.chaos}, nil
}

type snapshot struct {
	connectors.Snapshot
	chaos *Chaos
}

// Suit passes on.
func (s *source) Suit(target connectors.Properties) {
	if suiter, ok := s.Source.(connectors.Suiter); ok {
		suiter.Suit(target)
	}
}

// Filter passes on: the source behind it is a Filterer.
func (s *snapshot) Filter(ctx context.Context, l *connectors.Layout, f connectors.Filter) (*connectors.Layout, error) {
	return s.Snapshot.(connectors.Filterer).Filter(ctx, l, f)
}

// Values passes on, of a source that can count.
func (s *snapshot) Values(ctx context.Context, t catalog.TableID, column string, f connectors.Filter, limit, bytes int) (*connectors.Values, error) {
	return s.Snapshot.(connectors.Counter).Values(ctx, t, column, f, limit, bytes)
}

// Vitals passes on; of a snapshot that cannot be watched it fails.
func (s *snapshot) Vitals(ctx context.Context) (connectors.Vitals, error) {
	if w, ok := s.Snapshot.(connectors.Watcher); ok {
		return w.Vitals(ctx)
	}
	return connectors.Vitals{}, errUnwatched
}

// Latency passes on; of a snapshot that cannot be watched it fails.
func (s *snapshot) Latency(ctx context.Context) (time.Duration, error) {
	if w, ok := s.Snapshot.(connectors.Watcher); ok {
		return w.Latency(ctx)
	}
	return 0, errUnwatched
}

// Vouch passes on; a snapshot that does not vouch has no need to.
func (s *snapshot) Vouch(ctx context.Context) error {
	if v, ok := s.Snapshot.(connectors.Voucher); ok {
		return v.Vouch(ctx)
	}
	return nil
}

var errUnwatched = errors.New("the snapshot cannot be watched")

func (s *snapshot) Split(ctx context.Context, t catalog.TableID, size int64) (chunks []connectors.Chunk, err error) {
	err = s.chaos.around(Split, func() (err error) { chunks, err = s.Snapshot.Split(ctx, t, size); return err })
	return chunks, err
}

func (s *snapshot) Definitions(ctx context.Context) (d *connectors.Definitions, err error) {
	err = s.chaos.around(Definitions, func() (err error) { d, err = s.Snapshot.Definitions(ctx); return err })
	return d, err
}

func (s *snapshot) Read(ctx context.Context, chunk connectors.Chunk, l *connectors.Layout) (r connectors.Batches, err error) {
	err = s.chaos.around(Read, func() (err error) { r, err = s.Snapshot.Read(ctx, chunk, l); return err })
	if err != nil {
		if r != nil {
			r.Close()
		}
		return nil, err
	}
	return &batches{r, s.chaos}, nil
}

type batches struct {
	connectors.Batches
	chaos *Chaos
}

func (b *batches) Next(ctx context.Context) (batch *connectors.Batch, err error) {
	err = b.chaos.around(Next, func() (err error) { batch, err = b.Batches.Next(ctx); return err })
	if err != nil {
		if batch != nil {
			batch.Release()
		}
		return nil, err
	}
	return batch, nil
}

type sink struct {
	connectors.Sink
	chaos *Chaos
}

func (s *sink) Begin(ctx context.Context, spec connectors.BuildSpec) (b connectors.Build, err error) {
	err = s.chaos.around(Begin, func() (err error) { b, err = s.Sink.Begin(ctx, spec); return err })
	if err != nil {
		if b != nil {
			b.Abort()
		}
		return nil, err
	}
	return &build{b, s.chaos}, nil
}

type build struct {
	connectors.Build
	chaos *Chaos
}

func (b *build) Load(ctx context.Context, chunk connectors.Chunk, l *connectors.Layout) (w connectors.Loader, err error) {
	err = b.chaos.around(Load, func() (err error) { w, err = b.Build.Load(ctx, chunk, l); return err })
	if err != nil {
		if w != nil {
			w.Abort()
		}
		return nil, err
	}
	return &loader{w, b.chaos}, nil
}

func (b *build) TableLoaded(ctx context.Context, t catalog.TableID) error {
	return b.chaos.around(TableLoaded, func() error { return b.Build.TableLoaded(ctx, t) })
}

func (b *build) Finish(ctx context.Context) error {
	return b.chaos.around(Finish, func() error { return b.Build.Finish(ctx) })
}

func (b *build) Seal(ctx context.Context, rows map[catalog.TableID]int64) error {
	return b.chaos.around(Seal, func() error { return b.Build.Seal(ctx, rows) })
}

func (b *build) Promote(ctx context.Context) error {
	return b.chaos.around(Promote, func() error { return b.Build.Promote(ctx) })
}

type loader struct {
	connectors.Loader
	chaos *Chaos
}

func (l *loader) Write(ctx context.Context, b *connectors.Batch) error {
	return l.chaos.around(Write, func() error { return l.Loader.Write(ctx, b) })
}

func (l *loader) Commit(ctx context.Context) (r connectors.Receipt, err error) {
	err = l.chaos.around(Commit, func() (err error) { r, err = l.Loader.Commit(ctx); return err })
	return r, err
}
