package tasks

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

func TestRun(t *testing.T) {
	for workers := 1; workers <= 4; workers++ {
		var done, now [3]atomic.Int32
		var list []Task
		for i := range 60 {
			lock := i % 3
			list = append(list, Task{Locks: []string{fmt.Sprint(lock)}, Do: func(context.Context) error {
				if now[lock].Add(1) > 1 {
					t.Errorf("two tasks hold lock %d", lock)
				}
				done[lock].Add(1)
				now[lock].Add(-1)
				return nil
			}})
		}
		if err := Run(t.Context(), workers, list); err != nil {
			t.Fatal(err)
		}
		for lock := range done {
			if n := done[lock].Load(); n != 20 {
				t.Errorf("%d workers: %d of 20 tasks done", workers, n)
			}
		}
	}
}

// The first error ends what is being done, and what has not begun is left.
func TestRunFails(t *testing.T) {
	broken := errors.New("broken")
	began := make(chan bool)
	var after atomic.Bool
	err := Run(t.Context(), 2, []Task{
		{Do: func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		}},
		{Do: func(context.Context) error {
			<-began
			return broken
		}},
		{Do: func(context.Context) error {
			after.Store(true)
			return nil
		}},
	})
	if !errors.Is(err, broken) || after.Load() {
		t.Errorf("error %v, the third was done: %v", err, after.Load())
	}
}
