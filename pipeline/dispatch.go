package pipeline

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors"
)

// Dispatcher runs a function on each chunk.
type Dispatcher interface {
	// Dispatch calls do for the chunks in about the order given, several at a time, and
	// returns when every call has returned. After the first error, or when ctx
	// ends, it starts no more and cancels the context of those that run. When
	// drain is closed it starts no more and lets those that run finish; then it
	// returns ErrInterrupted if a chunk was left.
	Dispatch(ctx context.Context, drain <-chan struct{}, chunks []connectors.Chunk, do func(context.Context, connectors.Chunk) error) error
}

// Local is a Dispatcher of so many goroutines in this process; at least one.
type Local int

// Dispatch implements Dispatcher.
func (n Local) Dispatch(ctx context.Context, drain <-chan struct{}, chunks []connectors.Chunk, do func(context.Context, connectors.Chunk) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, int(n)))
	var left atomic.Bool
	for _, c := range chunks {
		// Go blocks while all goroutines are busy, so the drain is asked again when
		// the chunk's turn has come. It is no error in there: that would cancel the others.
		if gctx.Err() != nil || left.Load() {
			break
		}
		g.Go(func() error {
			if closed(drain) {
				left.Store(true)
				return nil
			}
			return do(gctx, c)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if left.Load() {
		return ErrInterrupted
	}
	return context.Cause(ctx)
}

func closed(drain <-chan struct{}) bool {
	select {
	case <-drain:
		return true
	default:
		return false
	}
}
