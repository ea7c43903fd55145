package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/sanitize-db/sanitize/pipeline"
)

// halt is how the first signal stops a run.
type halt struct {
	drain    chan struct{}            // closed by it
	progress atomic.Pointer[progress] // how far the run is; nil before its first phase
}

// interrupts turns signals into the two ways to stop. The first SIGINT, SIGTERM
// or SIGHUP closes the drain, the second cancels the context, and a third kills, as if
// nobody had caught it. A hangup that nohup has made harmless stays so. The caller
// calls stop.
func interrupts(parent context.Context, u *ui) (ctx context.Context, h *halt, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	h = &halt{drain: make(chan struct{})}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-signals:
			words := h.words()
			close(h.drain)
			u.Say("interrupted: %s", words)
		case <-done:
			return
		}
		select {
		case <-signals:
			u.Say("interrupted again: stopping at once")
			cancel()
			signal.Stop(signals)
		case <-done:
		}
	})
	return ctx, h, func() {
		signal.Stop(signals)
		close(done)
		wg.Wait()
		cancel()
	}
}

// words says what the first signal leads to now.
func (h *halt) words() string {
	const again = "; interrupt again to stop at once"
	phase, chunks := pipeline.Preflight, false
	if p := h.progress.Load(); p != nil {
		phase, chunks = p.chunked()
	}
	switch {
	case phase == pipeline.Promote:
		return "the copy is whole and is being put in its place"
	case phase == pipeline.Seal:
		return "the copy is whole and will be put in its place" + again
	case chunks:
		return "finishing the chunks in flight" + again
	case phase == pipeline.Copy, phase == pipeline.Finish:
		return "no chunk is in flight, stopping at once"
	}
	return "stopping before the next step" + again
}
