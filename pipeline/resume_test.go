package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	dbmemory "github.com/sanitize-db/sanitize/connectors/memory"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// hold opens a snapshot that others may join, and returns its token and its end.
func (s *shop) hold() (token string, end func()) {
	s.t.Helper()
	source, err := s.server.OpenSource(s.t.Context(), s.db.DSN(), connectors.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	snapshot, err := source.Open(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return snapshot.Token(), func() {
		if err := source.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

// held is like run, of a snapshot that is held.
func (s *shop) held(token string, chaos *pipelinetest.Chaos) *pipeline.Run {
	s.t.Helper()
	r := s.run(chaos)
	r.Snapshot = token
	return r
}

// late writes to the source what no run of an older snapshot may bring along.
func (s *shop) late() {
	s.t.Helper()
	err := errors.Join(
		s.db.Insert(pipelinetest.Users, dbmemory.Row{int64(users + 1), "late@shop.example", nil, "late"}),
		s.db.Update(pipelinetest.Orders, func(r dbmemory.Row) dbmemory.Row { return dbmemory.Row{r[0], r[1], int64(-1)} }),
		s.db.Delete(pipelinetest.Users, func(r dbmemory.Row) bool { return r[0] == int64(users) }),
	)
	if err != nil {
		s.t.Fatal(err)
	}
}

// lost is the error of a connection that is not to be had.
var lost = &connectors.Error{Kind: connectors.KindUnavailable, Side: connectors.SinkSide, Op: "strike"}

// loads notes what a run that goes on has found.
type loads struct {
	pipeline.Silence
	found *pipeline.Resumed
	wrong []string // tables of which the estimate does not fit the chunks that were found
	all   map[catalog.TableID]pipeline.TableEstimate
}

func (l *loads) Scheduled(tables []pipeline.TableEstimate) {
	l.all = map[catalog.TableID]pipeline.TableEstimate{}
	for _, t := range tables {
		l.all[t.Table] = t
	}
}

func (l *loads) Resumed(found pipeline.Resumed, tables map[catalog.TableID]pipeline.FoundTable) {
	l.found = &found
	for id, t := range tables {
		all := l.all[id]
		if whole := t.Chunks == all.Chunks; whole != (t.Chunked == all.Chunked) || t.Chunked <= 0 || t.Chunked > all.Chunked {
			l.wrong = append(l.wrong, fmt.Sprintf("%s: %d of %d bytes in %d of %d chunks", id, t.Chunked, all.Chunked, t.Chunks, all.Chunks))
		}
	}
}

func (l *loads) PhaseRetried(pipeline.Phase, int, error) {}

// Wherever a run of a held snapshot is cut, Resume makes of it what an undisturbed run
// would have made at that instant, and loads no chunk twice.
func TestResumeGoesOnWhereARunWasCut(t *testing.T) {
	undisturbed := newShop(t)
	if _, err := undisturbed.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := undisturbed.content()
	for _, at := range []pipelinetest.Effect{pipelinetest.Read, pipelinetest.Next, pipelinetest.Load, pipelinetest.Write, pipelinetest.Commit,
		pipelinetest.TableLoaded, pipelinetest.Finish} {
		for _, after := range []bool{false, true} {
			for _, nth := range []int{1, 6} {
				chaos := &pipelinetest.Chaos{At: at, After: after, Nth: nth, Err: lost}
				t.Run(chaos.String(), func(t *testing.T) {
					s := newShop(t)
					token, end := s.hold()
					_, err := s.held(token, chaos).Do(t.Context())
					if !chaos.Struck() {
						return // no sixth call
					}
					var failed *pipeline.PhaseError
					if !errors.As(err, &failed) || !failed.Kept {
						t.Fatalf("the build was not kept: %v", err)
					}
					s.late()
					later := time.Now()
					r := s.run(nil)
					watch := &loads{}
					r.Observer = watch
					summary, err := r.Resume(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(s.content(), want) {
						t.Error("the result is not that of an undisturbed run at the snapshot's instant")
					}
					if summary.Resumed == nil || watch.found == nil || *watch.found != *summary.Resumed {
						t.Fatalf("resumed %+v, and the observer was told %+v", summary.Resumed, watch.found)
					}
					if len(watch.wrong) > 0 {
						t.Errorf("the observer was told %q", watch.wrong)
					}
					if summary.Rows != users+orders || summary.Snapshot != token {
						t.Errorf("%d rows of snapshot %s, want %d of %s", summary.Rows, summary.Snapshot, users+orders, token)
					}
					if summary.SnapshotAt.IsZero() || !summary.SnapshotAt.Before(later) {
						t.Errorf("the snapshot was taken at %s, before %s", summary.SnapshotAt, later)
					}
					if at == pipelinetest.Finish && summary.Resumed.Rows != users+orders {
						t.Errorf("only %d rows were found of a run that had loaded all", summary.Resumed.Rows)
					}
					end()
					if got := s.server.Names(); !slices.Equal(got, []string{"discovery", "shop"}) {
						t.Errorf("left behind: %q", got)
					}
				})
			}
		}
	}
}

// A run that goes on may be cut again, any number of times.
func TestResumeAgainAndAgain(t *testing.T) {
	undisturbed := newShop(t)
	if _, err := undisturbed.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newShop(t)
	token, end := s.hold()
	defer end()
	strike := func() *pipelinetest.Chaos {
		return &pipelinetest.Chaos{At: pipelinetest.Commit, After: true, Nth: 2, Err: lost}
	}
	if _, err := s.held(token, strike()).Do(t.Context()); err == nil {
		t.Fatal("the run was not cut")
	}
	found := -1
	for range 100 {
		chaos := strike()
		r := s.run(chaos)
		watch := &loads{}
		r.Observer = watch
		_, err := r.Resume(t.Context())
		if watch.found.Chunks <= found {
			t.Fatalf("%d chunks were found after %d", watch.found.Chunks, found)
		}
		found = watch.found.Chunks
		if err == nil {
			if !reflect.DeepEqual(s.content(), undisturbed.content()) {
				t.Error("the result differs from an undisturbed run")
			}
			return
		}
		if !chaos.Struck() {
			t.Fatal(err)
		}
	}
	t.Fatal("it never ends")
}

// Without a held snapshot nothing is kept, and what nobody can mend is kept in no case.
func TestWhatIsKept(t *testing.T) {
	drain := make(chan struct{})
	for name, c := range map[string]struct {
		chaos *pipelinetest.Chaos
		held  bool
		kept  bool
	}{
		"a lost connection":                          {&pipelinetest.Chaos{At: pipelinetest.Write, Nth: 2, Err: lost}, true, true},
		"a lost connection, and nobody holds":        {&pipelinetest.Chaos{At: pipelinetest.Write, Nth: 2, Err: lost}, false, false},
		"a duplicate key":                            {&pipelinetest.Chaos{At: pipelinetest.TableLoaded, Nth: 2, Err: &connectors.Error{Kind: connectors.KindIntegrity, Op: "strike"}}, true, false},
		"a lost snapshot":                            {&pipelinetest.Chaos{At: pipelinetest.Next, Nth: 2, Err: &connectors.Error{Kind: connectors.KindSnapshot, Op: "strike"}}, true, false},
		"what no kind names":                         {&pipelinetest.Chaos{At: pipelinetest.Next, Nth: 2, Err: errors.New("strike")}, true, false},
		"a lost connection when all is but in place": {&pipelinetest.Chaos{At: pipelinetest.Promote, Nth: 1, Err: lost}, true, false},
		"an interrupt":                               {&pipelinetest.Chaos{At: pipelinetest.Commit, After: true, Nth: 2, Strike: func() { close(drain) }}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			token := ""
			if c.held {
				var end func()
				token, end = s.hold()
				defer end()
			}
			r := s.held(token, c.chaos)
			r.Options.Drain = drain
			if c.chaos.Strike == nil {
				r.Options.Drain = nil
			}
			_, err := r.Do(t.Context())
			var failed *pipeline.PhaseError
			if !errors.As(err, &failed) || failed.Kept != c.kept {
				t.Errorf("kept %t, want %t: %v", failed != nil && failed.Kept, c.kept, err)
			}
			if left := len(s.server.Names()) > 1; left != c.kept {
				t.Errorf("databases %q", s.server.Names())
			}
			if _, err = s.run(nil).Resume(t.Context()); (err == nil) != c.kept {
				t.Errorf("resume: %v", err)
			}
		})
	}
}

func TestResumeRefusals(t *testing.T) {
	s := newShop(t)
	refused := func(r *pipeline.Run, want string, differs ...string) *pipeline.ResumeError {
		t.Helper()
		before := s.server.Names()
		_, err := r.Resume(t.Context())
		var e *pipeline.ResumeError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), want) || !slices.Equal(e.Differs, differs) || connectors.Hint(err) == "" {
			t.Fatalf("err %v, want a refusal that says %q and names %q", err, want, differs)
		}
		if after := s.server.Names(); !slices.Equal(before, after) {
			t.Fatalf("a refusal has changed %q to %q", before, after)
		}
		return e
	}
	if e := refused(s.run(nil), "no run has left"); e.Cost != nil {
		t.Errorf("nothing was left, and going on would cost %+v", e.Cost)
	}
	token, end := s.hold()
	strike := &pipelinetest.Chaos{At: pipelinetest.Commit, Nth: 9, Err: lost}
	if _, err := s.held(token, strike).Do(t.Context()); err == nil {
		t.Fatal("the run was not cut")
	}

	otherKey, err := masking.KeyFromBytes(bytes.Repeat([]byte{8}, masking.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	r := s.run(nil)
	r.Compile = pipelinetest.Compile(otherKey)
	refused(r, "another run", "key")
	r = s.run(nil)
	r.Compile = pipelinetest.Compile(otherKey)
	r.Source = elsewhere{r.Source, ""} // that a server does not tell which it is makes no difference
	refused(r, "another run", "key")
	r = s.run(nil)
	r.Options.ChunkBytes = 9 << 10
	refused(r, "another run", "chunk bytes")
	r = filtering(s.run(nil), pipelinetest.Orders, connectors.Filter{Limit: 7})
	refused(r, "another run", "rows")
	r = s.run(nil)
	r.Compile = func(ctx context.Context, snapshot connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
		p, f, err := pipelinetest.Compile(s.key)(ctx, snapshot)
		f["policy"], f["masking"] = "p", "m"
		return p, f, err
	}
	if e := refused(r, "another run", "masking", "policy"); e.Why() != e.Reason+": masking, policy" {
		t.Errorf("the reason is %q", e.Why())
	}
	// Another source is named as such: nobody asks it for a snapshot that it never had.
	r = s.run(nil)
	r.Source = elsewhere{r.Source, "elsewhere"}
	refused(r, "another database", "source")

	end()
	e := refused(s.run(nil), "nobody holds its snapshot")
	c := e.Cost
	if c == nil || c.Rows != users+orders || c.LoadedRows <= 0 || c.LoadedRows >= c.Rows || c.Chunks <= c.LoadedChunks || c.LoadedChunks < 8 || c.LoadedBytes <= 0 || c.LoadedBytes >= c.Bytes || c.Took <= 0 {
		t.Errorf("cost %+v", c)
	}
	// A new run takes the place of what was left.
	if _, err := s.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.server.Names(); !slices.Equal(got, []string{"discovery", "shop"}) {
		t.Errorf("left behind: %q", got)
	}
}

// A source whose snapshots end with the process refuses, with a reason.
func TestResumeWithoutJoinableSnapshots(t *testing.T) {
	s := newShop(t)
	r := s.run(nil)
	r.Source = alone{r.Source}
	_, err := r.Resume(t.Context())
	var e *pipeline.ResumeError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "ends with the process") {
		t.Errorf("resume: %v", err)
	}
	r = s.run(nil)
	r.Source, r.Snapshot = alone{r.Source}, "token"
	if _, err := r.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be joined") {
		t.Errorf("run: %v", err)
	}
}

// elsewhere is a source on a server of another name.
type elsewhere struct {
	connectors.Source
	server string
}

func (e elsewhere) Identity(ctx context.Context) (connectors.Identity, error) {
	id, err := e.Source.Identity(ctx)
	id.Server = e.server
	return id, err
}

func (e elsewhere) Join(ctx context.Context, token string) (connectors.Snapshot, error) {
	return e.Source.(connectors.Joiner).Join(ctx, token)
}

type alone struct{ connectors.Source }

func (a alone) Properties() connectors.Properties {
	p := a.Source.Properties()
	p.JoinableSnapshot = false
	return p
}

// A target that loses its last commits, as a server that crashes may, gets them again.
func TestLostCommitsAreLoadedAgain(t *testing.T) {
	undisturbed := newShop(t)
	if _, err := undisturbed.run(nil).Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, times := range []int{1, 2, 100} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			s := newShop(t)
			r := s.run(nil)
			crashing := &crashing{Sink: r.Sink, times: times}
			r.Sink = crashing
			summary, err := r.Do(t.Context())
			if times == 100 { // it does not go on for ever
				if err == nil || !strings.Contains(err.Error(), "lost its last commits") {
					t.Fatalf("err %v", err)
				}
				if got := s.server.Names(); !slices.Equal(got, []string{"shop"}) {
					t.Errorf("left behind: %q", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(s.content(), undisturbed.content()) || summary.Rows != users+orders {
				t.Error("the result differs from an undisturbed run")
			}
			if summary.Retries != times {
				t.Errorf("%d retries, want %d", summary.Retries, times)
			}
		})
	}
}

// crashing is a sink whose builds lose a chunk that is not in yet, when all seem to be.
type crashing struct {
	connectors.Sink
	times int
}

func (c *crashing) Unfinished(ctx context.Context) (*connectors.Unfinished, error) {
	return c.Sink.(connectors.Resumer).Unfinished(ctx)
}

func (c *crashing) Resume(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	return c.Sink.(connectors.Resumer).Resume(ctx, spec)
}

func (c *crashing) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	b, err := c.Sink.Begin(ctx, spec)
	return &losing{Build: b, sink: c, victim: spec.Chunks[len(spec.Chunks)/2].ID}, err
}

// losing pretends that a chunk was committed, so many times.
type losing struct {
	connectors.Build
	sink   *crashing
	victim string
}

func (l *losing) Load(ctx context.Context, chunk connectors.Chunk, layout *connectors.Layout) (connectors.Loader, error) {
	loader, err := l.Build.Load(ctx, chunk, layout)
	if err == nil && chunk.ID == l.victim && l.sink.times > 0 {
		l.sink.times--
		return &pretending{Loader: loader, chunk: chunk}, nil
	}
	return loader, err
}

type pretending struct {
	connectors.Loader
	chunk connectors.Chunk
	rows  int64
}

func (p *pretending) Write(ctx context.Context, b *connectors.Batch) error {
	p.rows += int64(b.Rows)
	return p.Loader.Write(ctx, b)
}

func (p *pretending) Commit(context.Context) (connectors.Receipt, error) {
	return connectors.Receipt{Chunk: p.chunk.ID, Table: p.chunk.Table, Rows: p.rows}, p.Loader.Abort()
}
