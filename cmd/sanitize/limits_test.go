package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/pipeline"
)

// limitedPolicy asks for whatever opens a session: it counts values, and chooses rows by
// their keys.
const limitedPolicy = `version: 1
keys: {discovery: {from: "file:crowd.key"}}
classes:
  person_id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email, unique: true}}
  page: {kind: quasi, do: {shuffle: column, by: id}}
  free_text: {kind: free_text, do: {shape: text}}
tables:
  people:
    columns: {id: person_id, email: email, note: free_text}
  visits:
    rows: {limit: 6000}
    columns: {page: page}
    keep: [id]
`

// However many workers are asked for, the source never has more sessions of a run than
// --max-source-connections says: the one that holds the snapshot, the one that watches
// it, readers and pg_dump included. The rate is kept as well.
func TestLimits(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	source, name := a.Database(t), b.Name(t)
	target := b.DSN(name)
	a.Exec(t, source, crowd)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	counter, err := pgx.Connect(ctx, a.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer counter.Close(context.Background())
	database := nameOf(source)
	p := start(t, "run", "--policy", writePolicy(t, []byte(limitedPolicy)), "--from", source, "--to", target,
		"--chunk-size", "16KiB", "--workers", "8", "--max-source-connections", "4", "--max-rate", "1MiB", "--json")
	done := make(chan int, 1)
	go func() { done <- p.wait(t) }()
	most := 0
	for len(done) == 0 {
		time.Sleep(2 * time.Millisecond)
		var n int
		if err := counter.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", database).Scan(&n); err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if code := <-done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	if most != 4 {
		t.Errorf("at most %d sessions at the source, want 4", most)
	}
	var summary pipeline.Summary
	if err := json.Unmarshal(p.stdout.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	w := summary.Watch
	if w == nil || w.SnapshotAge <= 0 || w.SnapshotAge > summary.Took || w.Held == nil {
		t.Errorf("the summary says %+v", w)
	}
	// 4,000 rows of 160 bytes and more, at 1 MiB a second.
	if copied := summary.PhaseTook(pipeline.Copy); copied < 400*time.Millisecond {
		t.Errorf("copied in %s, which is faster than the rate allows", copied)
	}
	if said := p.stderr.String(); !strings.Contains(said, "\n  snapshot  ") || !strings.Contains(said, " old") {
		t.Errorf("the age of the snapshot is not said:\n%s", said)
	}

	// A snapshot that may not get that old: the target is what it was.
	b.Exec(t, target, "CREATE TABLE former (x int)")
	p = start(t, "run", "--policy", writePolicy(t, []byte(crowdPolicy)), "--from", source, "--to", target,
		"--chunk-size", "64KiB", "--max-rate", "256KiB", "--max-snapshot-age", "700ms", "--quiet")
	if code := p.wait(t); code != exitSnapshot {
		t.Errorf("exit code %d, want %d", code, exitSnapshot)
	}
	if said := p.stderr.String(); !strings.Contains(said, "hold the snapshot: it is older than 700ms") || !strings.Contains(said, "hint: let it be older (--max-snapshot-age)") {
		t.Errorf("said:\n%s", said)
	}
	if b.Value(t, target, "SELECT to_regclass('former') IS NOT NULL") != "t" {
		t.Error("the former target was changed")
	}
	if left := lines(t, b.DSN("postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, '"+name+"')"); len(left) != 1 {
		t.Errorf("left over: %s", left)
	}
}

// The governor is there unless it is told to stay away. When it slows a run down is a matter
// of latencies, which pipeline's tests choose: those of a busy machine are anything.
func TestLimitFlags(t *testing.T) {
	for args, want := range map[string]pipeline.Limits{
		"":                                       {},
		"--no-governor":                          {Ungoverned: true},
		"--max-rate=2MiB --max-snapshot-age=90m": {Rate: 2 << 20, SnapshotAge: 90 * time.Minute},
	} {
		var o limitOptions
		flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
		o.bind(flags)
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		if got := o.run(); got != want {
			t.Errorf("%q: %+v, want %+v", args, got, want)
		}
	}
}

// Where another process holds the snapshot, one of the sessions is its own.
func TestSessionsBesideAHolder(t *testing.T) {
	for want, held := range map[int][]heldOptions{4: {{}}, 3: {{hold: time.Hour}, {snapshot: "token"}, {resume: true}}} {
		for _, h := range held {
			o := runOptions{policy: "p", from: "a", to: "b", connectOptions: connectOptions{lockTimeout: time.Second}, held: h}
			cmd := &cobra.Command{}
			o.limits.bind(cmd.Flags())
			if err := cmd.Flags().Set("max-source-connections", "4"); err != nil {
				t.Fatal(err)
			}
			if err := o.check(cmd); err != nil {
				t.Fatal(err)
			}
			if got := o.limits.connector(connectors.Options{}).Sessions; got != want {
				t.Errorf("%+v: %d sessions for the run itself, want %d", h, got, want)
			}
		}
	}
}

// nameOf returns the database of a URL.
func nameOf(dsn string) string {
	name, _, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	return name
}

// What is said of the source is what is notable.
func TestWatchWords(t *testing.T) {
	i := func(n int64) *int64 { return &n }
	d := func(d time.Duration) *time.Duration { return &d }
	for want, v := range map[string]connectors.Vitals{
		"": {Age: d(time.Hour), Held: i(99_999), LagBytes: i(1 << 20), Lag: d(time.Second), Replay: d(time.Second)},
		"clean-up of dead rows held back by 2,500,000 transactions": {Held: i(2_500_000)},
		"standby 80 MiB and 12.0 s behind":                          {LagBytes: i(80 << 20), Lag: d(12 * time.Second)},
		"standby 80 MiB behind":                                     {LagBytes: i(80 << 20)},
		"standby 1 min 0 s behind":                                  {LagBytes: i(5), Lag: d(time.Minute)},
		"source 45.0 s behind its primary":                          {Replay: d(45 * time.Second)},
	} {
		if got := strings.Join(watchWords(pipeline.Watch{Vitals: v, Share: 1}), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	slow := pipeline.Watch{Share: 0.25, Usual: time.Millisecond, Latency: 80 * time.Millisecond}
	if got := strings.Join(watchWords(slow), ", "); got != "slowed to 25 %: the source answers in 80 ms" {
		t.Errorf("slowed: %q", got)
	}
	if got := strings.Join(watchText(&pipeline.WatchSummary{SnapshotAge: 63 * time.Second, Held: i(400_000), Slowed: 2, Latency: time.Second}), " · "); got != "1 min 3 s old · clean-up of dead rows held back by 400,000 transactions · slowed 2 times, the slowest answer of the source took 1.0 s" {
		t.Errorf("summary: %q", got)
	}
}
