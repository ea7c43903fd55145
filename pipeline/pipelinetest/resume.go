package pipelinetest

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors"
)

// The effects of a run that goes on, in place of Open and Begin.
const (
	Join   Effect = "join"
	Resume Effect = "resume"
)

// source wraps a source, and joins where that one can.
func (c *Chaos) source(s connectors.Source) connectors.Source {
	if j, ok := s.(connectors.Joiner); ok {
		return &joiner{&source{s, c}, j}
	}
	return &source{s, c}
}

type joiner struct {
	*source
	inner connectors.Joiner
}

func (s *joiner) Join(ctx context.Context, token string) (snap connectors.Snapshot, err error) {
	err = s.chaos.around(Join, func() (err error) { snap, err = s.inner.Join(ctx, token); return err })
	if err != nil {
		if snap != nil {
			snap.Close()
		}
		return nil, err
	}
	return &snapshot{snap, s.chaos}, nil
}

// sink wraps a sink, and resumes where that one can.
func (c *Chaos) sink(s connectors.Sink) connectors.Sink {
	if r, ok := s.(connectors.Resumer); ok {
		return &resumer{&sink{s, c}, r}
	}
	return &sink{s, c}
}

type resumer struct {
	*sink
	inner connectors.Resumer
}

func (s *resumer) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	return keeping(s.sink.Begin(ctx, spec))
}

func (s *resumer) Unfinished(ctx context.Context) (*connectors.Unfinished, error) {
	return s.inner.Unfinished(ctx)
}

func (s *resumer) Resume(ctx context.Context, spec connectors.BuildSpec) (b connectors.Build, err error) {
	err = s.chaos.around(Resume, func() (err error) { b, err = s.inner.Resume(ctx, spec); return err })
	if err != nil {
		if b != nil {
			b.(connectors.Keeper).Keep()
		}
		return nil, err
	}
	return keeping(&build{b, s.chaos}, nil)
}

func keeping(b connectors.Build, err error) (connectors.Build, error) {
	if err != nil {
		return nil, err
	}
	k := &keeper{b, b.(*build).Build.(connectors.Keeper)}
	if s, ok := b.(*build).Build.(connectors.Settler); ok {
		return &settler{k, s}, nil
	}
	return k, nil
}

type keeper struct {
	connectors.Build
	inner connectors.Keeper
}

func (k *keeper) Keep() error { return k.inner.Keep() }

type settler struct {
	*keeper
	inner connectors.Settler
}

func (s *settler) Settle(ctx context.Context) (bool, error) { return s.inner.Settle(ctx) }
