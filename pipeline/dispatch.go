package pipeline

import (
	"context"

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
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, int(n)))
	for _, c := range chunks {
		// Go blocks while all goroutines are busy, so both are asked before and after.
		if stopped(ctx, drain) {
			break
		}
		g.Go(func() error {
			if closed(drain) {
				return ErrInterrupted
			}
			return do(ctx, c)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if closed(drain) {
		return ErrInterrupted
	}
	return context.Cause(ctx)
}

func stopped(ctx context.Context, drain <-chan struct{}) bool {
	return ctx.Err() != nil || closed(drain)
}

func closed(drain <-chan struct{}) bool {
	select {
	case <-drain:
		return true
	default:
		return false
	}
}
