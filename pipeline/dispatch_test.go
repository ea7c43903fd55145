package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

func chunks(n int) []connectors.Chunk {
	list := make([]connectors.Chunk, n)
	for i := range list {
		list[i] = connectors.Chunk{ID: fmt.Sprint(i), Index: i}
	}
	return list
}

func TestLocalRunsEveryChunkOnceWithinItsBound(t *testing.T) {
	var running, most, ran atomic.Int64
	err := Local(3).Dispatch(t.Context(), nil, chunks(100), func(context.Context, connectors.Chunk) error {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(100 * time.Microsecond)
		running.Add(-1)
		ran.Add(1)
		return nil
	})
	if err != nil || ran.Load() != 100 || most.Load() > 3 {
		t.Fatalf("err %v, ran %d, at most %d at once; want nil, 100, at most 3", err, ran.Load(), most.Load())
	}
}

func TestLocalStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var ran atomic.Int64
	err := Local(2).Dispatch(t.Context(), nil, chunks(1000), func(ctx context.Context, c connectors.Chunk) error {
		ran.Add(1)
		if c.Index == 5 {
			return broken
		}
		if c.Index > 5 {
			<-ctx.Done() // those in flight are cancelled
		}
		return nil
	})
	if !errors.Is(err, broken) || ran.Load() > 10 {
		t.Fatalf("err %v after %d chunks; want the first error, and soon", err, ran.Load())
	}
}

func TestLocalDrainFinishesWhatRuns(t *testing.T) {
	drain := make(chan struct{})
	var began, ended atomic.Int64
	var once sync.Once
	err := Local(2).Dispatch(t.Context(), drain, chunks(1000), func(ctx context.Context, c connectors.Chunk) error {
		began.Add(1)
		once.Do(func() { close(drain) })
		time.Sleep(time.Millisecond)
		if ctx.Err() == nil {
			ended.Add(1)
		}
		return nil
	})
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("err %v, want ErrInterrupted", err)
	}
	if began.Load() != ended.Load() || began.Load() > 4 {
		t.Fatalf("%d chunks began and %d ended undisturbed; want as many, and few", began.Load(), ended.Load())
	}
}

func TestLocalEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Local(2).Dispatch(ctx, nil, chunks(1000), func(ctx context.Context, c connectors.Chunk) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("err %v, want context.Canceled", err)
	}
}

func TestBudgetBoundsAndNeverDeadlocks(t *testing.T) {
	b := newBudget(16<<20, 1)
	var held, most atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				share, err := b.take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				// Larger than the whole budget: gets all of it, alone.
				if share, err = b.fit(t.Context(), share, 100<<20); err != nil {
					t.Error(err)
					return
				}
				n := held.Add(share)
				if m := most.Load(); n > m {
					most.Store(n)
				}
				held.Add(-share)
				b.give(share)
			}
		})
	}
	wg.Wait()
	if most.Load() > 16<<20 {
		t.Fatalf("%d bytes were held at once, of 16 MiB", most.Load())
	}
}

// A connector may let one huge row through at a time, and make the readers of others
// wait while they keep their shares. Whoever has the row must get what it needs.
func TestBudgetLetsAHugeRowThrough(t *testing.T) {
	const workers = 3
	for _, total := range []int64{usualBatch, 8 << 20, 96 << 20} {
		b := newBudget(total, workers)
		gate := make(chan struct{}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range 50 {
					share, err := b.take(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					select {
					case gate <- struct{}{}:
					case <-ctx.Done():
						t.Error("the row never came through")
						return
					}
					if share, err = b.fit(ctx, share, 100<<20); err != nil {
						t.Error(err)
						return
					}
					<-gate
					b.give(share)
				}
			})
		}
		wg.Wait()
	}
}

func TestBudgetGivesUpWithItsContext(t *testing.T) {
	b := newBudget(usualBatch, 1)
	share, err := b.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.take(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("err %v, want context.Canceled", err)
	}
	b.give(share)
	if _, err := b.take(t.Context()); err != nil {
		t.Fatal(err)
	}
}
