package tasks

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

func TestLocks(t *testing.T) {
	var l Locks
	var now [3]atomic.Int32
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			one, other := i%3, (i/3)%3 // the same, now and then
			unlock, err := l.Lock(t.Context(), fmt.Sprint(one), fmt.Sprint(other))
			if err != nil {
				t.Error(err)
				return
			}
			for _, n := range []int{one, other} {
				if now[n].Add(1) > 1 && one != other {
					t.Errorf("%d has two holders", n)
				}
			}
			for _, n := range []int{one, other} {
				now[n].Add(-1)
			}
			unlock()
		})
	}
	group.Wait()
	unlock, err := l.Lock(t.Context(), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Lock(ctx, "b", "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting ends with %v", err)
	}
	unlock()
	if _, err := l.Lock(t.Context(), "c", "b"); err != nil {
		t.Errorf("what a waiter wanted is held: %v", err)
	}
}

func TestTryLock(t *testing.T) {
	var l Locks
	unlock, ok := l.TryLock("a", "b")
	if !ok {
		t.Fatal("nobody has them")
	}
	if _, ok := l.TryLock("b", "c"); ok {
		t.Error("b has two holders")
	}
	if free, ok := l.TryLock("c"); !ok {
		t.Error("c was taken by who did not get b")
	} else {
		free()
	}
	unlock()
	if _, err := l.Lock(t.Context(), "b"); err != nil {
		t.Error(err)
	}
}
