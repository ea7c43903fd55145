package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// crowd is a schema with a parent and two children per row, large enough that a
// run takes a moment.
const crowd = `
CREATE TABLE people (id bigint PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, note text);
CREATE TABLE visits (id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES people (id), page text NOT NULL);
CREATE INDEX ON visits (person_id);
INSERT INTO people SELECT i, 'person' || i || '@source.example', repeat('note ', 20) FROM generate_series(1, 4000) i;
INSERT INTO visits SELECT i, 1 + i % 4000, 'early' FROM generate_series(1, 8000) i;
ANALYZE;`

const crowdPolicy = `version: 1
keys: {discovery: {from: "file:crowd.key"}}
classes:
  person_id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email, unique: true}}
  free_text: {kind: free_text, do: {shape: text}}
tables:
  people:
    columns: {id: person_id, email: email, note: free_text}
  visits:
    keep: [id, page]
`

// Writes to the source during the run do not arrive.
func TestSnapshot(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	source, target := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, source, crowd)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	writer, err := pgx.Connect(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close(context.Background())

	p := start(t, "run", "--policy", writePolicy(t, []byte(crowdPolicy)), "--from", source, "--to", target, "--chunk-size", "64KiB", "--quiet")
	done := make(chan int, 1)
	go func() { done <- p.wait(t) }()
	// The run locks what it reads under its snapshot: from then on nothing may arrive.
	eventually(t, "the run's locks on the source", func() bool {
		var n int
		err := writer.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE relation = 'visits'::regclass AND mode = 'AccessShareLock' AND granted AND pid <> pg_backend_pid()`).Scan(&n)
		return err != nil || n > 0 || len(done) > 0
	})
	// However fast it is, it waits for the first writes.
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	writes := 0
	for ; len(done) == 0; writes++ {
		if writes == 20 {
			if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := writer.Exec(ctx, `WITH p AS (INSERT INTO people VALUES ($1, $2, 'late') RETURNING id)
			INSERT INTO visits SELECT $1, id, 'late' FROM p`, 1_000_000+writes, fmt.Sprintf("late%d@source.example", writes)); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Exec(ctx, `UPDATE visits SET page = 'late' WHERE id = $1`, 1+writes); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // the run needs the server too
	}
	if code := <-done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.stderr.String())
	}
	if writes < 20 {
		t.Fatalf("only %d writes during the run", writes)
	}
	t.Logf("%d rows written and updated during the run", writes)
	for query, want := range map[string]string{
		"SELECT count(*) FROM people":                                       "4000",
		"SELECT count(*) FROM visits":                                       "8000",
		"SELECT count(*) FROM visits WHERE page <> 'early'":                 "0",
		"SELECT count(*) FROM visits v JOIN people p ON p.id = v.person_id": "8000",
	} {
		if got := b.Value(t, target, query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// kill −9 at any moment of a run on SQLite; kill_test.go does it on PostgreSQL.
func TestKillSQLite(t *testing.T) {
	dir := t.TempDir()
	sanitize(t, "demo", "--dir", filepath.Join(dir, "shop"), "--rows", "40000")
	shop := filepath.Join(dir, "shop")
	target := filepath.Join(shop, "discovery.db")
	args := []string{"run", "--policy", filepath.Join(shop, "shop.yaml"), "--from", "sqlite:" + filepath.Join(shop, "production.db"), "--to", "sqlite:" + target, "--quiet"}
	began := time.Now()
	sanitize(t, args...)
	whole := time.Since(began)
	mark := func() []byte { // only the former copy has it
		db, err := openSQLite(target, "rw")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS former (x)"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return read(t, target)
	}
	former := mark()
	killed := 0
	for _, share := range []float64{0.15, 0.4, 0.6, 0.8, 0.9} {
		p := start(t, args...)
		time.Sleep(time.Duration(share * float64(whole)))
		p.cmd.Process.Signal(syscall.SIGKILL)
		if p.wait(t) == 0 {
			former = mark()
			continue
		}
		killed++
		if bytes.Equal(read(t, target), former) {
			continue
		}
		t.Logf("at %.0f %%: killed after the promotion", 100*share)
		if got := queryTexts(t, openDB(t, target), "SELECT count(*) FROM events"); !slices.Equal(got, queryTexts(t, openDB(t, filepath.Join(shop, "production.db")), "SELECT count(*) FROM events")) {
			t.Errorf("at %.0f %%: the target is not whole: %s events", 100*share, got)
		}
		former = mark()
	}
	if killed < 2 {
		t.Fatalf("only %d runs were killed in time", killed)
	}
	sanitize(t, args...)
	names, err := filepath.Glob(filepath.Join(shop, "discovery.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if n != target && n != target+".lock" {
			t.Errorf("left over: %s", filepath.Base(n))
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Ctrl-C once finishes the chunks in flight, twice stops at once, and a terminal
// that is closed is like the first; either way the run says so, exits 130 and leaves the target as it was.
func TestInterrupt(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	source, name := a.Database(t), b.Name(t)
	a.Exec(t, source, crowd)
	evidence := t.TempDir()
	args := []string{"run", "--policy", writePolicy(t, []byte(crowdPolicy)), "--from", source, "--to", b.DSN(name), "--chunk-size", "16KiB", "--workers", "1",
		"--summary", filepath.Join(evidence, "s.json")}
	databases := func() []string {
		return lines(t, b.DSN("postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, '"+name+"') ORDER BY 1")
	}
	for _, signals := range [][]os.Signal{{os.Interrupt}, {syscall.SIGTERM}, {syscall.SIGHUP}, {os.Interrupt, os.Interrupt}} {
		p := start(t, args...)
		eventually(t, "the build", func() bool { return len(databases()) > 0 || p.cmd.ProcessState != nil })
		for _, s := range signals {
			if err := p.cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond) // two of the same that are pending are one
		}
		if code := p.wait(t); code != exitInterrupted {
			t.Errorf("%v: exit code %d\n%s", signals, code, p.stderr.String())
		}
		if said := p.stderr.String(); !strings.Contains(said, "; interrupt again to stop at once\n") || !strings.Contains(said, "interrupted; the target is as it was") {
			t.Errorf("%v: said %q", signals, said)
		}
		if left := databases(); len(left) > 0 {
			t.Errorf("%v: left over: %s", signals, left)
		}
		if left, err := os.ReadDir(evidence); err != nil || len(left) > 0 {
			t.Errorf("%v: left over of the summary: %v, %v", signals, left, err)
		}
	}
}
