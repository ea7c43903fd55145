package pipeline_test

import (
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// Once all rows are in, the source of a run can clean up and alter its tables, and may even go
// away; what the run lost then it would have needed no more.
func TestSourceIsFreeBehindTheRows(t *testing.T) {
	w := newWorld(t)
	const busy = `SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND (backend_xmin IS NOT NULL OR xact_start IS NOT NULL) AND pid <> pg_backend_pid())
		+ (SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND pid <> pg_backend_pid())`
	for name, at := range map[string]pipelinetest.Effect{"while it makes keys": pipelinetest.Finish, "when it is sealed": pipelinetest.Seal} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			chaos := &pipelinetest.Chaos{At: at, Nth: 1, Strike: func() {
				for until := time.Now().Add(10 * time.Second); w.source.Value(t, w.source.DSN("shop"), busy) != "0"; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(until) {
						t.Error("the source is not free")
						break
					}
				}
				if err := w.source.Stop(); err != nil {
					t.Error(err)
				}
			}}
			summary, err := w.run(t.Context(), chaos, nil)
			w.over()
			if err != nil {
				t.Fatal(err)
			}
			if content := w.content(); content != w.exact {
				t.Errorf("the target is not exact:\n%s\nwant:\n%s", content, w.exact)
			}
			if !chaos.Struck() || summary.Watch == nil {
				t.Errorf("struck %t, watched %v", chaos.Struck(), summary.Watch)
			}
			w.makeStale()
		})
	}
	w.t = t
	// Where a crash may empty a table, its rows are to be had until its keys are there.
	w.source.Exec(t, w.source.DSN("shop"), "ALTER TABLE log SET UNLOGGED")
	phase := ""
	chaos := &pipelinetest.Chaos{At: pipelinetest.Finish, Nth: 1, Strike: func() {
		phase = w.source.Value(t, w.source.DSN("shop"), busy)
	}}
	if _, err := w.run(t.Context(), chaos, func(r *pipeline.Run) { r.Options.Workers = 1 }); err != nil {
		t.Fatal(err)
	}
	if phase == "0" {
		t.Error("the snapshot was let go though a crash may cost rows")
	}
	if content := w.content(); content != w.exact {
		t.Errorf("the target is not exact:\n%s", content)
	}
}
