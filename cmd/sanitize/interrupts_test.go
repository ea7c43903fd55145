package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
)

// What the first signal leads to is said as it is in each phase: there are chunks to bring to
// their end only while rows are copied, and a copy that is whole is not dropped.
func TestWordsOfInterrupt(t *testing.T) {
	table := catalog.TableID{Name: "people"}
	chunk := connectors.Chunk{ID: "1", Table: table}
	begin := func(phase pipeline.Phase) func(*progress) {
		return func(p *progress) { p.PhaseBegan(phase) }
	}
	const next, finishing, stopping = "stopping before the next step; interrupt again", "finishing the chunks in flight; interrupt again", "no chunk is in flight, stopping at once"
	u, _ := terminal(200)
	u.live = false
	h := &halt{}
	if got := h.words(); !strings.HasPrefix(got, next) {
		t.Errorf("before the ends are open: %q", got)
	}
	p := newProgress(u)
	defer p.Close()
	h.progress.Store(p)
	for _, c := range []struct {
		when  string
		event func(*progress)
		want  string
	}{
		{"preflight", begin(pipeline.Preflight), next},
		{"compile", begin(pipeline.Compile), next},
		{"build aside", begin(pipeline.Prepare), next},
		{"copy, nothing scheduled", begin(pipeline.Copy), stopping},
		{"two chunks to come", func(p *progress) { p.Scheduled([]pipeline.TableEstimate{{Table: table, Chunks: 2}}) }, finishing},
		{"one in flight", func(p *progress) { p.ChunkMoved(chunk, 0, 0) }, finishing},
		{"one in, one to come", func(p *progress) { p.ChunkLoaded(table, "1", 1, 1, time.Second) }, finishing},
		{"all rows in, indexes being made", func(p *progress) { p.ChunkLoaded(table, "2", 1, 1, time.Second) }, stopping},
		{"keys", begin(pipeline.Finish), stopping},
		{"copy once more", begin(pipeline.Copy), stopping},
		{"a chunk that was lost", func(p *progress) { p.ChunkMoved(chunk, 0, 0) }, finishing},
		{"it is in again", func(p *progress) { p.ChunkLoaded(table, "1", 1, 1, time.Second) }, stopping},
		{"seal", begin(pipeline.Seal), "the copy is whole and will be put in its place; interrupt again"},
		{"promote", begin(pipeline.Promote), "the copy is whole and is being put in its place"},
	} {
		c.event(p)
		if got := h.words(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.when, got, c.want)
		}
	}
}

// The first signal closes the drain and says what it leads to; the second ends the context.
func TestInterrupts(t *testing.T) {
	u, screen := terminal(200)
	ctx, h, stop := interrupts(t.Context(), u)
	p := newProgress(u)
	h.progress.Store(p)
	p.PhaseBegan(pipeline.Seal)
	for _, done := range []<-chan struct{}{h.drain, ctx.Done()} {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("the signal did nothing")
		}
	}
	p.Close()
	stop()
	said := screen.String()
	for _, want := range []string{"interrupted: the copy is whole and will be put in its place; interrupt again to stop at once\n", "interrupted again: stopping at once\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, not %q", said, want)
		}
	}
}
