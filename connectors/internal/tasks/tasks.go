// Package tasks does several things beside each other, some of which lock the same.
package tasks

import (
	"context"
	"slices"
	"sync"
)

// Task is one of several things to do, with the names of what it locks.
type Task struct {
	Locks []string
	Do    func(context.Context) error
}

// Run does tasks by as many goroutines, and never two at once that lock the same thing, in
// the given order as far as that allows. The first error is returned: it ends the context
// of what is being done, and what has not begun is left. All goroutines have ended then.
func Run(ctx context.Context, workers int, tasks []Task) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tasks = slices.Clone(tasks)
	var mu sync.Mutex
	wake := sync.NewCond(&mu)
	held := map[string]bool{}
	var first error
	next := func() (Task, bool) {
		mu.Lock()
		defer mu.Unlock()
		for {
			if len(tasks) == 0 || first != nil {
				return Task{}, false
			}
			for i, t := range tasks {
				if !slices.ContainsFunc(t.Locks, func(l string) bool { return held[l] }) {
					tasks = slices.Delete(tasks, i, i+1)
					for _, l := range t.Locks {
						held[l] = true
					}
					return t, true
				}
			}
			wake.Wait()
		}
	}
	var group sync.WaitGroup
	for range min(workers, len(tasks)) {
		group.Go(func() {
			for {
				t, ok := next()
				if !ok {
					return
				}
				err := t.Do(ctx)
				mu.Lock()
				for _, l := range t.Locks {
					delete(held, l)
				}
				if err != nil && first == nil {
					first = err
					cancel(err)
				}
				wake.Broadcast()
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return first
}

// Locks are names of which each has one holder at a time. The zero value has none held. It is
// safe for concurrent use.
type Locks struct {
	mu    sync.Mutex
	held  map[string]bool
	freed chan struct{} // closed when one is let go; nil while nobody waits
}

// Lock takes all of the names at once, when none has a holder, or returns the error of ctx.
// The caller calls unlock, once.
func (l *Locks) Lock(ctx context.Context, names ...string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		if l.free(names) {
			break
		}
		if l.freed == nil {
			l.freed = make(chan struct{})
		}
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer l.mu.Unlock()
	return l.take(names), nil
}

// TryLock is Lock for who does not wait: ok is false if one of the names has a holder.
func (l *Locks) TryLock(names ...string) (unlock func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.free(names) {
		return nil, false
	}
	return l.take(names), true
}

// free reports whether no name has a holder. The caller holds the mutex, as that of take does.
func (l *Locks) free(names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return l.held[n] })
}

func (l *Locks) take(names []string) (unlock func()) {
	if l.held == nil {
		l.held = map[string]bool{}
	}
	for _, n := range names {
		l.held[n] = true
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, n := range names {
			delete(l.held, n)
		}
		if l.freed != nil {
			close(l.freed)
			l.freed = nil
		}
	}
}
