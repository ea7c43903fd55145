package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
	"github.com/sanitize-db/sanitize/policies/report"
)

// terminal returns a ui that talks to a terminal of so many cells, and its screen.
func terminal(columns int) (*ui, *bytes.Buffer) {
	var b bytes.Buffer
	return &ui{out: &bytes.Buffer{}, talk: &b, live: true, columns: func() int { return columns }}, &b
}

// A display that wraps, or that is erased in part, leaves rubbish behind.
func TestLiveDisplay(t *testing.T) {
	u, screen := terminal(20)
	u.Live(func() string { return "first line that is far too long\nsecond" })
	u.Say("in between")
	u.Live(nil)
	want := "first line that is…\nsecond\n" + "\x1b[2A\x1b[J" + "sanitize: in between\n" +
		"first line that is…\nsecond\n" + "\x1b[2A\x1b[J"
	if got := screen.String(); got != want {
		t.Errorf("the screen got\n%q, want\n%q", got, want)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain – ünïcödé 東京\n\t": "plain – ünïcödé 東京\n\t",
		"table \x1b]0;owned\x07": `table \u001b]0;owned\u0007`,
		"\x1b[31mred\x1b[0m":     "\x1b[31mred\x1b[0m",
		"\x1b[2J":                `\u001b[2J`,
		"\x1b[8mhidden":          `\u001b[8mhidden`,
		"bell\a and \xff":        `bell\u0007 and \xff`,
		"right\u202eleft":        `right\u202eleft`,
		"e\u0301":                "e\u0301",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

// A table whose columns are named to forge a result cannot: neither in what commands
// print nor in what they say.
func TestForgedNames(t *testing.T) {
	const evil = "pw\x1b[31m\n\n0 findings"
	const shown = `pw\u001b[31m\u000a\u000a0 findings`
	u, screen := terminal(200)
	c := &catalog.Catalog{Tables: []*catalog.Table{{ID: catalog.TableID{Schema: "s", Name: evil}, Columns: []catalog.Column{{Name: evil, Type: catalog.Type{Name: evil}}}}}}
	inspected := printable(catalogText(u, report.InertCopy(c)))
	u.Warn(evil + " is odd")
	u.Fail(policies.Errors{{File: "p.yaml", Line: 1, At: evil, Message: evil + " is undecided", Help: "add " + evil, Excerpt: "  1 | a\n    | ^"}})
	for what, text := range map[string]string{"inspect": inspected, "talk": screen.String()} {
		if !strings.Contains(text, shown) || strings.Contains(text, "\n0 findings") || strings.Contains(text, "pw\x1b") {
			t.Errorf("%s: %q", what, text)
		}
	}
	if !strings.Contains(screen.String(), "1 | a\n") {
		t.Error("an excerpt is no longer lines")
	}
}

func TestCells(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "abc": 3, "東京": 4, "e\u0301": 1, "🎉": 2, "\x1b[1mbold\x1b[0m": 4, "ａ": 2,
	} {
		if got := cells(in); got != want {
			t.Errorf("cells(%q) = %d, want %d", in, got, want)
		}
	}
	if got := truncate("\x1b[1m東京タワー\x1b[0m", 6); got != "\x1b[1m東京…\x1b[0m" {
		t.Errorf("truncate cuts to %q", got)
	}
}

// Whatever a database calls its tables, the terminal is not driven by it.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J", "\x1b[31mred\x1b[0m", "\xff\x00", "東京🎉e\u0301\u202e"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(2, limit%1000)
		p := printable(s)
		for i, r := range p {
			if r == '\x1b' && colour(p[i:]) == 0 || r != '\x1b' && r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q holds %U", p, r)
			}
		}
		if cut := truncate(p, limit); cells(cut) > limit {
			t.Fatalf("%q takes %d cells, not %d", cut, cells(cut), limit)
		}
	})
}

func TestTable(t *testing.T) {
	var b table
	b.Row("a", "東京", "x")
	b.Row("long", "y", "")
	b.Row("")
	b.Row("one cell that is wider than its column")
	want := "a     東京  x\nlong  y\n\none cell that is wider than its column\n"
	if got := b.String(); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(46273), "46,273"}, {count(-1234567), "-1,234,567"},
		{plural(1, "row"), "1 row"}, {plural(0, "row"), "0 rows"},
		{volume(0), "0 B"}, {volume(1023), "1023 B"}, {volume(1024), "1.0 KiB"}, {volume(96 << 20), "96 MiB"}, {volume(math.MaxInt64), "8.0 EiB"},
		{duration(1500 * time.Microsecond), "1.5 ms"}, {duration(250 * time.Millisecond), "250 ms"}, {duration(2100 * time.Millisecond), "2.1 s"},
		{duration(61 * time.Second), "1 min 1 s"}, {duration(119*time.Minute + 59*time.Second), "2 h 0 min"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int64{"1": 1, "1048576": 1 << 20, "64MiB": 64 << 20, "64 mib": 64 << 20, "500MB": 500e6, "2g": 2 << 30, "7B": 7} {
		var s size
		if err := s.Set(in); err != nil || int64(s) != want {
			t.Errorf("size %q = %d, %v, want %d", in, int64(s), err, want)
		}
		var again size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("size %q is written %q, which is %d, %v", in, s.String(), int64(again), err)
		}
	}
	for _, in := range []string{"", "0", "-1", "1.5MB", "many", "9223372036854775807GB", "MiB"} {
		var s size
		if err := s.Set(in); err == nil {
			t.Errorf("size %q is taken as %d", in, int64(s))
		}
	}
}

func TestShape(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, "NULL"}, {"", "(empty)"}, {"Anna Müller", "Aaaa Aaaaaa"}, {"+49 7531-55", "+99 9999-99"}, {int64(42), "99"},
		{"ليلى", "aaaa"}, {"e\u0301", "a"}, {"hi 🎉\n", "aa * "}, {[]byte("x@Y.z"), "a@A.a"}, {"東京", "aa"},
	} {
		if got := shapeOf(c.in); got != c.want {
			t.Errorf("the shape of case %q is %q", c.want, got)
		}
	}
}

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestProgressLine(t *testing.T) {
	u, _ := terminal(200)
	u.live = false
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	p := newProgress(u)
	defer p.Close()
	p.now = c.now
	p.PhaseBegan(pipeline.Preflight)
	if got := p.line(); got != "preflight" {
		t.Errorf("line %q", got)
	}
	p.PhaseBegan(pipeline.Open)
	c.t = c.t.Add(time.Second)
	p.PhaseBegan(pipeline.Copy)
	big, small := catalog.TableID{Name: "big"}, catalog.TableID{Name: "small"}
	p.Scheduled([]pipeline.TableEstimate{
		{Table: small, Chunks: 1, Rows: 10, Bytes: 100, Chunked: 100},
		{Table: catalog.TableID{Name: "empty"}},
		{Table: big, Chunks: 6, Rows: 900, Bytes: 900, Chunked: 900},
	})
	// One long chunk, of which one hears before it is in.
	long := connectors.Chunk{ID: "long", Table: big, Rows: 400, Bytes: 400}
	p.ChunkMoved(long, 0, 0)
	c.t = c.t.Add(20 * time.Second)
	p.ChunkMoved(long, 200, 4096)
	if got, want := p.line(), "copy, 20 %, about 1 min 20 s left, 0 of 2 tables, 200 rows, 4.0 KiB, 10 rows/s, 204 B/s"; got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
	p.ChunkRetried("long", 1, errors.New("lost"))
	if s := p.look(); s.rows != 0 || s.share != 0 || len(s.inFlight) != 0 {
		t.Errorf("after a chunk was lost: %+v", s)
	}
	p.ChunkMoved(long, 0, 0)
	c.t = c.t.Add(60 * time.Second)
	p.ChunkLoaded(big, "long", 400, 4*2048, time.Second)
	part := connectors.Chunk{ID: "part", Table: big, Rows: 100, Bytes: 100}
	p.ChunkMoved(part, 0, 0)
	c.t = c.t.Add(20 * time.Second)
	p.ChunkLoaded(big, "part", 100, 2048, time.Second)
	p.ChunkMoved(part, 0, 0)
	want := "copy, 50 %, about 1 min 40 s left, 0 of 2 tables, 500 rows, 10 KiB, 6 rows/s, 128 B/s, snapshot 1 min 41 s old"
	if got := p.line(); got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
	s := p.look()
	if len(s.inFlight) != 1 || s.inFlight[0].name != "big" || s.inFlight[0].chunks != 2 {
		t.Errorf("in flight are %+v", s.inFlight)
	}
	for range 4 {
		p.ChunkMoved(part, 0, 0)
		p.ChunkLoaded(big, "part", 100, 2048, time.Second)
	}
	p.ChunkMoved(connectors.Chunk{ID: "small", Table: small, Rows: 10, Bytes: 100}, 0, 0)
	if s = p.look(); len(s.inFlight) != 1 || s.inFlight[0].name != "small" || len(s.indexBuild) != 1 {
		t.Errorf("in flight are %+v, indexes of %+v", s.inFlight, s.indexBuild)
	}
	p.TableLoaded(big)
	p.ChunkLoaded(small, "small", 10, 100, time.Second)
	p.TableLoaded(small)
	if s = p.look(); s.whole != 2 || s.share != 1 || s.eta != 0 {
		t.Errorf("at the end: %+v", s)
	}
}

// A run that goes on shows all that is in, and reckons with what it does itself.
func TestProgressLineOfResume(t *testing.T) {
	u, screen := terminal(200)
	u.live = false
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	p := newProgress(u)
	defer p.Close()
	p.now = c.now
	p.PhaseBegan(pipeline.Copy)
	big, small := catalog.TableID{Name: "big"}, catalog.TableID{Name: "small"}
	p.Scheduled([]pipeline.TableEstimate{
		{Table: big, Chunks: 6, Rows: 900, Bytes: 900, Chunked: 900},
		{Table: small, Chunks: 1, Rows: 10, Bytes: 100, Chunked: 100},
	})
	c.t = c.t.Add(5 * time.Second)
	p.Resumed(pipeline.Resumed{Chunks: 3, Rows: 550, Bytes: 11 << 10, Began: c.t}, map[catalog.TableID]pipeline.FoundTable{
		big: {Chunks: 3, Rows: 550, Bytes: 11 << 10, Chunked: 600},
	})
	if !strings.Contains(screen.String(), "goes on: 3 chunks of 550 rows had been loaded since ") {
		t.Errorf("said %q", screen.String())
	}
	if got, want := p.line(), "copy, 60 %, 0 of 2 tables, 550 rows, 11 KiB, 0 rows/s, 0 B/s"; got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
	part := connectors.Chunk{ID: "part", Table: big, Rows: 100, Bytes: 100}
	p.ChunkMoved(part, 0, 0)
	c.t = c.t.Add(20 * time.Second)
	p.ChunkMoved(part, 50, 2048)
	// 50 of the 400 bytes that were missing took 20 s.
	if got, want := p.line(), "copy, 65 %, about 2 min 20 s left, 0 of 2 tables, 600 rows, 13 KiB, 2 rows/s, 102 B/s"; got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
	if s := p.look(); len(s.inFlight) != 1 || s.inFlight[0].rate != 2 || s.inFlight[0].eta.Round(time.Second) != 100*time.Second {
		t.Errorf("in flight are %+v", s.inFlight)
	}
	// A phase that is done again begins with what is in.
	p.ChunkLoaded(big, "part", 100, 4096, 20*time.Second)
	p.ChunkMoved(connectors.Chunk{ID: "lost", Table: big, Rows: 100, Bytes: 100}, 90, 4096)
	p.PhaseBegan(pipeline.Finish)
	c.t = c.t.Add(time.Hour)
	p.PhaseBegan(pipeline.Copy)
	c.t = c.t.Add(10 * time.Second)
	p.ChunkLoaded(small, "small", 10, 2048, 10*time.Second)
	if got, want := p.line(), "copy, 80 %, about 20.0 s left, 0 of 2 tables, 660 rows, 17 KiB, 1 rows/s, 204 B/s"; got != want {
		t.Errorf("line\n%s, want\n%s", got, want)
	}
}

// A time of another day is nothing without its date.
func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 26, 23, 30, 0, 0, time.Local)
	for at, want := range map[time.Time]string{
		now.Add(29 * time.Minute): "23:59:00", now.Add(30 * time.Minute): "2026-11-27 00:00:00",
		now.Add(24 * time.Hour): "2026-11-27 23:30:00", now.Add(-24 * time.Hour): "2026-11-25 23:30:00",
	} {
		if got := moment(at.UTC(), now); got != want {
			t.Errorf("%s is written %q, want %q", at, got, want)
		}
	}
}

// What an error says comes with its hint, whatever wraps it, and both in one voice.
func TestFail(t *testing.T) {
	u, screen := terminal(80)
	u.Fail(&pipeline.PhaseError{Phase: pipeline.Preflight, Err: fmt.Errorf("x: %w", &connectors.Error{Op: "connect to h", Err: errors.New("refused"), Hint: "start it"})})
	if got, want := screen.String(), "sanitize: preflight: x: connect to h: refused\nhint: start it\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

// Of a run that was interrupted what broke of that is no news; what it could not put away is.
func TestFailInterrupted(t *testing.T) {
	broke := errors.Join(pipeline.ErrInterrupted, errors.New("x"))
	left := &pipeline.CleanupError{What: "the build k3 of h/shop", Err: &connectors.Error{Op: "drop database shop__building_k3", Err: errors.New("in use")}}
	run := &runOptions{flags: pflag.NewFlagSet("run", pflag.ContinueOnError)}
	for want, err := range map[string]error{
		"interrupted; the target is as it was\n": &pipeline.PhaseError{Phase: pipeline.Copy, Err: broke},
		"interrupted; the target is as it was\nsanitize: the build k3 of h/shop may still be there: drop database shop__building_k3: in use\nhint: the next run removes it\n"://
		&pipeline.PhaseError{Phase: pipeline.Copy, Err: errors.Join(broke, left)},
		"interrupted; the target is as it was\nhint: go on with: sanitize resume, and --from and --to as before (while x)\n"://
		&keptError{run: run, when: "while x", err: &pipeline.PhaseError{Phase: pipeline.Copy, Err: broke, Kept: true}},
	} {
		u, screen := terminal(80)
		u.Fail(err)
		if got := screen.String(); got != "sanitize: "+want {
			t.Errorf("said\n%s, want\nsanitize: %s", got, want)
		}
	}
}

func TestSearch(t *testing.T) {
	s := newSearch()
	for _, w := range []string{"Anna.Quillfeather@post.example", "short", "Лунотравова"} {
		s.Add(w)
	}
	if s.Len() != 2 {
		t.Errorf("searches for %d texts", s.Len())
	}
	for text, want := range map[string]int{
		"": 0,
		"write to ANNA.quillfeather@POST.example, twice anna.quillfeather@post.example": 2,
		"anna.quillfeather@post.exampl": 0,
		"… Лунотравова":                 1,
	} {
		if got := s.Count(text); got != want {
			t.Errorf("found %d, want %d", got, want)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:secret@h:5432/shop?sslmode=require": "shop",
		"postgres://u:secret@h":                           "database",
		"sqlite:/var/lib/shop.db":                         "shop",
		"sqlite:shop.sqlite3":                             "shop",
		"path/to/my-shop.db":                              "my-shop",
		"service=prod":                                    "prod",
		"host=h password=secret dbname=shop user=u":       "shop",
		"host=h password=secret":                          "database",
		"postgres://h/the%20shop":                         "database",
	} {
		if got := databaseName(dsn); got != want {
			t.Errorf("the name of %s is %q, want %q", connectors.RedactURL(dsn), got, want)
		}
	}
}
