package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
)

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 30 * time.Second
	// tablesShown is how many tables in flight the display names.
	tablesShown = 4
	// rateWindow is how far back the rate on a terminal looks: long enough to be
	// calm, short enough to notice a stall. A line looks back to the line before the last.
	rateWindow = 10 * time.Second
	// oldSnapshot is when the age of the snapshot begins to matter: an old one keeps
	// the source from cleaning up after its writers.
	oldSnapshot = time.Minute
)

// progress is the observer that talks: a display that is drawn anew on a
// terminal, a line every 30 s elsewhere. Close ends it.
type progress struct {
	pipeline.Silence
	u      *ui
	window time.Duration
	now    func() time.Time

	stop chan struct{}
	done sync.WaitGroup
	once sync.Once

	mu       sync.Mutex
	phase    pipeline.Phase
	snapshot time.Time // when it was opened
	copying  time.Time // when the first chunk may have begun
	tables   []*tableProgress
	byID     map[catalog.TableID]*tableProgress
	rows     int64
	bytes    int64
	moving   map[string]*moving // chunks that have begun
	samples  []sample
	watch    pipeline.Watch // what is known of the source
	before   float64        // work, in estimated bytes, that was done when copying began
}

// moving is a chunk in flight, of which so much has been written.
type moving struct {
	connectors.Chunk
	rows, bytes int64
	began       time.Time
}

// share is the part of the chunk that has been written, as far as one can tell.
func (m *moving) share() float64 {
	switch {
	case m.Rows > 0:
		return min(float64(m.rows)/float64(m.Rows), 1)
	case m.Bytes > 0:
		return min(float64(m.bytes)/float64(m.Bytes), 1)
	}
	return 0
}

type tableProgress struct {
	pipeline.TableEstimate
	loaded int     // chunks
	done   float64 // bytes of these, as estimated
	rows   int64
	bytes  int64
	began  time.Time // of its first chunk, since copying began
	whole  bool      // with its indexes
	// When copying began, so many rows were in, and such a share of the table.
	rowsBefore  int64
	shareBefore float64
}

// share is the part of the table that is in if so many of its estimated bytes are.
func (t *tableProgress) share(done float64) float64 {
	switch {
	case t.loaded >= t.Chunks:
		return 1
	case t.Chunked > 0:
		return min(done/float64(t.Chunked), 1)
	}
	return 0
}

// weight is the table's part of the work.
func (t *tableProgress) weight() float64 { return float64(max(t.Bytes, 1)) }

// sample is the number of bytes at a time, for the current rate.
type sample struct {
	at    time.Time
	bytes int64
	rows  int64
}

// newProgress starts to talk.
func newProgress(u *ui) *progress {
	p := &progress{u: u, window: 2 * lineEvery, now: time.Now, stop: make(chan struct{}),
		byID: map[catalog.TableID]*tableProgress{}, moving: map[string]*moving{}}
	if u.quiet {
		return p
	}
	every := lineEvery
	if u.live {
		every, p.window = redrawEvery, rateWindow
		u.Live(p.display)
	}
	p.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				if u.live {
					u.Refresh()
				} else {
					u.Say("%s", p.line())
				}
			}
		}
	})
	return p
}

// Close removes the display. It may be called more than once.
func (p *progress) Close() {
	p.once.Do(func() {
		close(p.stop)
		p.done.Wait()
		p.u.Live(nil)
	})
}

// PhaseBegan implements pipeline.Observer.
func (p *progress) PhaseBegan(phase pipeline.Phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase
	switch phase {
	case pipeline.Open:
		p.snapshot = p.now()
	case pipeline.Copy:
		p.copies()
	}
}

// copies notes that copying begins now, for the first time or once more: what is in
// already took no time of what is to come, so that rates and times left are of the rest
// alone. The caller holds mu.
func (p *progress) copies() {
	p.copying = p.now()
	clear(p.moving)
	p.samples = []sample{{p.copying, p.bytes, p.rows}}
	p.before = 0
	for _, t := range p.tables {
		t.began, t.rowsBefore, t.shareBefore = time.Time{}, t.rows, t.share(t.done)
		p.before += t.weight() * t.shareBefore
	}
}

// Scheduled implements pipeline.Observer.
func (p *progress) Scheduled(estimates []pipeline.TableEstimate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range estimates {
		if e.Chunks == 0 {
			continue
		}
		t := &tableProgress{TableEstimate: e}
		p.tables = append(p.tables, t)
		p.byID[e.Table] = t
	}
	// The longest first: of those in flight, the display names the first few.
	slices.SortStableFunc(p.tables, func(a, b *tableProgress) int { return cmp.Compare(b.Bytes, a.Bytes) })
}

// ChunkMoved implements pipeline.Observer.
func (p *progress) ChunkMoved(chunk connectors.Chunk, rows, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.moving[chunk.ID]
	if m == nil {
		m = &moving{Chunk: chunk, began: p.now()}
		p.moving[chunk.ID] = m
	}
	m.rows, m.bytes = rows, bytes
}

// ChunkLoaded implements pipeline.Observer.
func (p *progress) ChunkLoaded(table catalog.TableID, chunk string, rows, bytes int64, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += rows
	p.bytes += bytes
	m := p.moving[chunk]
	delete(p.moving, chunk)
	if t := p.byID[table]; t != nil {
		if m != nil {
			t.done += float64(m.Bytes)
		}
		if t.began.IsZero() {
			t.began = p.now().Add(-took)
		}
		t.loaded++
		t.rows += rows
		t.bytes += bytes
	}
}

// ChunkRetried implements pipeline.Observer.
func (p *progress) ChunkRetried(chunk string, attempt int, cause error) {
	p.mu.Lock()
	delete(p.moving, chunk)
	p.mu.Unlock()
	p.u.Warn(fmt.Sprintf("chunk %s is done again (attempt %d failed: %s)", chunk, attempt, connectors.RedactURL(cause.Error())))
}

// TableLoaded implements pipeline.Observer.
func (p *progress) TableLoaded(table catalog.TableID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.byID[table]; t != nil {
		t.whole = true
	}
}

// chunked returns the phase, and whether there are chunks in it that are not in.
func (p *progress) chunked() (phase pipeline.Phase, chunks bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lacks := func(t *tableProgress) bool { return t.loaded < t.Chunks }
	return p.phase, p.phase == pipeline.Copy && (len(p.moving) > 0 || slices.ContainsFunc(p.tables, lacks))
}

// state is what there is to say at one moment.
type state struct {
	phase                pipeline.Phase
	tables, whole        int
	rows, bytes          int64
	share                float64 // of the work, by chunks and bytes; −1 before it is known
	rowsRate, bytesRate  int64
	eta                  time.Duration // −1 if unknown
	snapshot             time.Duration // its age; 0 before it is open
	watch                []string      // how the source fares, as far as that is notable
	inFlight, indexBuild []tableState
}

type tableState struct {
	name        string
	share       float64
	rows, rate  int64
	eta         time.Duration
	chunks, all int
}

// look takes the state, and a sample for the rate.
func (p *progress) look() state {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	s := state{phase: p.phase, tables: len(p.tables), rows: p.rows, bytes: p.bytes, share: -1, eta: -1, watch: watchWords(p.watch)}
	flying := map[catalog.TableID][]*moving{}
	for _, m := range p.moving {
		flying[m.Table] = append(flying[m.Table], m)
		s.rows += m.rows
		s.bytes += m.bytes
	}
	if !p.snapshot.IsZero() {
		s.snapshot = now.Sub(p.snapshot)
	}
	p.samples = append(p.samples, sample{now, s.bytes, s.rows})
	for len(p.samples) > 2 && now.Sub(p.samples[0].at) > p.window {
		p.samples = p.samples[1:]
	}
	first := p.samples[0]
	s.bytesRate, s.rowsRate = rate(max(s.bytes-first.bytes, 0), now.Sub(first.at)), rate(max(s.rows-first.rows, 0), now.Sub(first.at))

	// Chunks weigh their estimated bytes, so that an estimate that is wrong in
	// absolute terms (compression, dead rows) does no harm.
	var all, done float64
	for _, t := range p.tables {
		all += t.weight()
		x := t.state(now, flying[t.Table])
		done += t.weight() * x.share
		switch {
		case t.whole:
			s.whole++
		case t.loaded >= t.Chunks:
			s.indexBuild = append(s.indexBuild, tableState{name: t.Table.String()})
		case len(flying[t.Table]) > 0:
			s.inFlight = append(s.inFlight, x)
		}
	}
	if all > 0 {
		s.share = done / all
		since := done - p.before
		if elapsed := now.Sub(p.copying); since > 0.01*(all-p.before) && elapsed > time.Second {
			s.eta = time.Duration(float64(elapsed) * (all - done) / since)
		}
	}
	return s
}

func (t *tableProgress) state(now time.Time, flying []*moving) tableState {
	s := tableState{name: t.Table.String(), rows: t.rows, chunks: t.loaded, all: t.Chunks, eta: -1}
	began, done := t.began, t.done
	for _, m := range flying {
		if began.IsZero() || m.began.Before(began) {
			began = m.began
		}
		s.rows += m.rows
		done += m.share() * float64(m.Bytes)
	}
	s.share = t.share(done)
	since := s.share - t.shareBefore
	if elapsed := now.Sub(began); since > 0 && elapsed > 0 && !began.IsZero() {
		s.rate = rate(s.rows-t.rowsBefore, elapsed)
		s.eta = time.Duration(float64(elapsed) * (1 - s.share) / since)
	}
	return s
}

// line is what is said every 30 s where nothing can be drawn anew.
func (p *progress) line() string {
	s := p.look()
	words := []string{string(s.phase)}
	if s.phase == pipeline.Copy {
		words = append(words, copyWords(s)...)
	}
	if s.snapshot > oldSnapshot {
		words = append(words, "snapshot "+duration(s.snapshot)+" old")
	}
	return strings.Join(append(words, s.watch...), ", ")
}

func copyWords(s state) []string {
	var words []string
	if s.share >= 0 {
		words = append(words, fmt.Sprintf("%.0f %%", 100*s.share))
	}
	if s.eta >= 0 {
		words = append(words, left(s.eta))
	}
	words = append(words,
		fmt.Sprintf("%d of %d tables", s.whole, s.tables),
		plural(s.rows, "row"), volume(s.bytes),
		count(s.rowsRate)+" rows/s", volume(s.bytesRate)+"/s")
	return words
}

// left says how long something will take. It is an estimate, and below a second
// not even that.
func left(eta time.Duration) string {
	if eta = eta.Round(time.Second); eta > 0 {
		return "about " + duration(eta) + " left"
	}
	return "a moment left"
}

// display is what is drawn on a terminal.
func (p *progress) display() string {
	s := p.look()
	var b strings.Builder
	b.WriteString(p.u.paint(string(s.phase), bold))
	if s.phase == pipeline.Copy {
		if s.share >= 0 {
			b.WriteString("  " + bar(s.share, 20))
		}
		b.WriteString("  " + strings.Join(copyWords(s), "  "))
	}
	if s.snapshot > oldSnapshot {
		b.WriteString("  snapshot " + duration(s.snapshot) + " old")
	}
	for _, w := range s.watch {
		b.WriteString("  " + w)
	}
	if s.phase != pipeline.Copy {
		return b.String()
	}
	b.WriteByte('\n')
	var t table
	for i, x := range s.inFlight {
		if i == tablesShown {
			break
		}
		rest := ""
		if x.eta >= 0 {
			rest = left(x.eta)
		}
		t.Row("  "+x.name, fmt.Sprintf("%3.0f %%", 100*x.share), fmt.Sprintf("chunk %d of %d", x.chunks, x.all),
			plural(x.rows, "row"), count(x.rate)+" rows/s", rest)
	}
	for i, x := range s.indexBuild {
		if i == tablesShown {
			break
		}
		t.Row("  "+x.name, "100 %", "indexes")
	}
	b.WriteString(t.String())
	return b.String()
}

// bar draws a share as so many cells.
func bar(share float64, width int) string {
	full := min(max(int(share*float64(width)+0.5), 0), width)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}
