package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
)

// While a chunk has not begun, nothing that comes after the rows may take a session.
func TestSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpare(3)
		free := false
		go func() {
			if s.wait(t.Context()) == nil {
				free = true
			}
		}()
		for _, step := range []struct {
			name string
			do   func()
			free bool
		}{
			{"two of three begin", func() { s.began(); s.began() }, false},
			{"one ends", s.ended, false},
			{"the last begins", s.began, false},
			{"the second ends", s.ended, true},
			{"the last ends", s.ended, true},
		} {
			step.do()
			synctest.Wait()
			if free != step.free {
				t.Errorf("%s: free is %t", step.name, free)
			}
		}
	})
	if err := newSpare(0).wait(t.Context()); err != nil {
		t.Errorf("a run without chunks waits: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newSpare(1).wait(ctx); err == nil {
		t.Error("an interrupted run goes on waiting")
	}
}
