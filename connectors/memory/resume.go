package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/sanitize-db/sanitize/connectors"
)

// Unfinished implements connectors.Resumer.
func (s *sink) Unfinished(ctx context.Context) (*connectors.Unfinished, error) {
	op := "look for a build of " + s.name
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	server := s.server
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.held[s.name] != nil {
		return nil, sinkError(connectors.KindBusy, op, errors.New("another run holds the target"))
	}
	b := server.left[s.name]
	if b == nil || server.databases[b.db.name] != b.db {
		return nil, nil
	}
	u := &connectors.Unfinished{
		Run: b.spec.Run, Fingerprint: maps.Clone(b.spec.Fingerprint), Definitions: b.spec.Definitions, Chunks: b.spec.Chunks,
		Receipts: b.db.receipts(), Began: b.began,
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	u.Last = b.last
	return u, nil
}

// Resume implements connectors.Resumer.
func (s *sink) Resume(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	op := "resume the build of " + s.name
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
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
		return nil, sinkError(connectors.KindBusy, op, errors.New("another run holds the target"))
	}
	if target := server.databases[s.name]; target != nil && !target.Marked() {
		return nil, sinkError(connectors.KindGuard, op, errors.New("the target exists and no run has built it"))
	}
	was := server.left[s.name]
	if was == nil || was.spec.Run != spec.Run || server.databases[was.db.name] != was.db {
		return nil, sinkError(connectors.KindSnapshot, op, errors.New("it is not there any more"))
	}
	b := &build{sink: s, db: was.db, spec: was.spec, catalog: was.catalog, began: was.began, last: was.last}
	server.held[s.name], server.left[s.name] = b, b
	s.builds = append(s.builds, b)
	return b, nil
}

// Keep implements connectors.Keeper.
func (b *build) Keep() error {
	b.mu.Lock()
	if b.state == building || b.state == finished {
		b.state = kept
	}
	b.mu.Unlock()
	b.free()
	return nil
}

// forget makes a build one that cannot be gone on with.
func (b *build) forget() {
	server := b.sink.server
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.left[b.sink.name] == b {
		delete(server.left, b.sink.name)
	}
}

var (
	_ connectors.Joiner  = (*source)(nil)
	_ connectors.Held    = (*snapshot)(nil)
	_ connectors.Resumer = (*sink)(nil)
	_ connectors.Keeper  = (*build)(nil)
)
