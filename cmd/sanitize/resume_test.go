package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/pipeline"
)

// queue is a schema whose copy takes many chunks, and whose last step, when it is made in
// a build, takes as long as the table pace says.
const queue = `
CREATE TABLE pace (seconds float8 NOT NULL);
INSERT INTO pace VALUES (0);
CREATE TABLE people (id bigint PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, note text);
CREATE TABLE visits (id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES people (id), page text NOT NULL);
CREATE UNLOGGED TABLE carts (id bigint PRIMARY KEY, goods text);
CREATE INDEX ON visits (person_id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO people SELECT i, 'person' || i || '@source.example', repeat('note ', 20) FROM generate_series(1, 6000) i;
INSERT INTO visits SELECT i, 1 + i % 6000, 'early' || repeat('.', 40) FROM generate_series(1, 12000) i;
INSERT INTO carts SELECT i, repeat('goods ', 20) FROM generate_series(1, 3000) i;
CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n, CASE WHEN current_database() LIKE '%building%' THEN pg_sleep((SELECT seconds FROM pace))::text END AS slept FROM visits;
ANALYZE;`

const queuePolicy = `version: 1
keys: {discovery: {from: "file:queue.key"}}
classes:
  person_id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email, unique: true}}
  free_text: {kind: free_text, do: {shape: text}}
tables:
  people:
    columns: {id: person_id, email: email, note: free_text}
  visits:
    keep: [id, page]
  carts:
    keep: [id, goods]
  pace:
    keep: [seconds]
`

// stage is a source and a target for runs that are cut.
type stage struct {
	t              *testing.T
	a, b           *connectortest.PostgresServer
	source, target string
	name           string // of the target
	policy         string
	sockets        string
	left           string // the last build that was seen
}

func newStage(t *testing.T, a, b *connectortest.PostgresServer) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sockets") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(socketsVariable, dir)
	s := &stage{t: t, a: a, b: b, source: a.Database(t), name: b.Name(t), policy: writePolicy(t, []byte(queuePolicy)), sockets: dir}
	s.target = b.DSN(s.name)
	a.Exec(t, s.source, queue)
	return s
}

func (s *stage) args(command string, more ...string) []string {
	args := []string{command, "--policy", s.policy, "--from", s.source, "--to", s.target, "--workers", "2"}
	if command == "run" {
		args = append(args, "--chunk-size", "8KiB")
	}
	return append(args, more...)
}

// content is a digest of every row of a target.
func (s *stage) content(dsn string) string {
	s.t.Helper()
	var all []string
	for _, table := range []string{"people", "visits", "carts"} {
		all = append(all, table+" "+s.b.Value(s.t, dsn, fmt.Sprintf("SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM %s t", table)))
	}
	all = append(all, "keys "+s.b.Value(s.t, dsn, "SELECT string_agg(conname, ' ' ORDER BY conname) || ' ' || (SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE NOT tgisinternal) || ' ' || (SELECT n FROM slow) FROM pg_constraint WHERE contype IN ('p', 'f', 'u')"))
	return strings.Join(all, "\n")
}

// undisturbed is the content that a run makes of the source as it is now.
func (s *stage) undisturbed() string {
	s.t.Helper()
	other := s.b.DSN(s.b.Name(s.t))
	sanitize(s.t, "run", "--policy", s.policy, "--from", s.source, "--to", other, "--quiet")
	return s.content(other)
}

// pace makes the last step of runs that begin from now on take a while, or not.
func (s *stage) pace(slow bool) {
	s.t.Helper()
	s.a.Exec(s.t, s.source, fmt.Sprintf("UPDATE pace SET seconds = 0.7 * %t::int", slow))
}

// late writes to the source what the snapshot does not see.
func (s *stage) late() {
	s.t.Helper()
	s.a.Exec(s.t, s.source, `UPDATE visits SET page = 'late' WHERE id % 3 = 0`, `DELETE FROM visits WHERE id % 3 = 1`,
		`INSERT INTO people SELECT i, 'late' || i || '@source.example', 'late' FROM generate_series(100001, 100500) i`, `VACUUM people`)
}

// build returns the name of the database that is being built, or was left, "" if there is none.
func (s *stage) build() string {
	s.t.Helper()
	names := lines(s.t, s.b.DSN("postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, '"+s.name+"__building_')")
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// chunks returns how many chunks the ledger of the build has, −1 if there is none yet.
func (s *stage) chunks() (n int) {
	build := s.build()
	if build == "" {
		return -1
	}
	_, run, _ := strings.Cut(build, "__building_")
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	err := connectortest.PostgresSession(ctx, s.b.DSN(build), func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT count(*) FROM sanitize_"+run+".ledger").Scan(&n)
	})
	if err != nil {
		return -1 // the build is not there, or has no ledger yet
	}
	return n
}

// copying waits until the run has committed some chunks of a build of its own, and stops
// its process there: however slow the machine is, it does not get further meanwhile.
func (s *stage) copying(p *process) {
	s.t.Helper()
	defer connectortest.ClosePostgresSessions() // before the run goes on
	eventually(s.t, "the build", func() bool { b := s.build(); return b != "" && b != s.left })
	s.signal(p, syscall.SIGSTOP)
	eventually(s.t, "the first chunks", func() bool {
		if s.chunks() >= 15 {
			return true
		}
		s.signal(p, syscall.SIGCONT)
		time.Sleep(5 * time.Millisecond)
		s.signal(p, syscall.SIGSTOP)
		return false
	})
	s.left = s.build()
	if n := s.chunks(); n > 250 {
		s.t.Fatalf("%d chunks: too late to cut the copy\n%s", n, p.stderr.String())
	}
}

func (s *stage) signal(p *process, signal os.Signal) {
	s.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		s.t.Fatalf("%v: %v\n%s", signal, err, p.stderr.String())
	}
}

// finishing waits until the run makes what comes last.
func (s *stage) finishing(*process) {
	s.t.Helper()
	defer func() { s.left = s.build() }()
	eventually(s.t, "the last step", func() bool {
		return s.b.Value(s.t, s.b.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'REFRESH MATERIALIZED VIEW%' AND starts_with(datname, '"+s.name+"')") != "0"
	})
}

// clean fails if anything is left: databases, sessions, sockets.
func (s *stage) clean(want ...string) {
	s.t.Helper()
	got := lines(s.t, s.b.DSN("postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, '"+s.name+"') ORDER BY 1")
	if strings.Join(got, " ") != strings.Join(want, " ") {
		s.t.Errorf("databases %q, want %q", got, want)
	}
	s.released()
}

// released waits until nobody holds a snapshot of the source.
func (s *stage) released() {
	s.t.Helper()
	_, database, _ := strings.Cut(strings.TrimPrefix(s.source, "postgres://"), "/")
	database, _, _ = strings.Cut(database, "?")
	eventually(s.t, "every session at the source to end", func() bool {
		return s.a.Value(s.t, s.a.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+database+"'") == "0"
	})
	eventually(s.t, "the holder's socket to go", func() bool {
		names, err := filepath.Glob(filepath.Join(s.sockets, "*", "*.sock"))
		return err == nil && len(names) == 0
	})
}

var holderSaid = regexp.MustCompile(`process (\d+) holds the snapshot until`)

func (s *stage) holder(p *process) int {
	s.t.Helper()
	m := holderSaid.FindStringSubmatch(p.stderr.String())
	if m == nil {
		s.t.Fatalf("no word of a holder in %q", p.stderr.String())
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// ended reports whether a process has ended, though its parent may not know yet.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	// The first thread may be gone while others still have the process's files.
	if threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)); err == nil && len(threads) > 1 {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ") // pid (name) state …
	return strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

// resume resumes, which must succeed, and returns what it says.
func (s *stage) resume() *pipeline.Summary {
	s.t.Helper()
	var sum pipeline.Summary
	file := filepath.Join(s.t.TempDir(), "summary.json")
	said := sanitize(s.t, s.args("resume", "--json", "--quiet", "--summary", file)...)
	if err := json.Unmarshal([]byte(said), &sum); err != nil {
		s.t.Fatal(err)
	}
	if got := string(read(s.t, file)); got != said {
		s.t.Errorf("the file has %s, and was told %s", got, said)
	}
	return &sum
}

// kill −9 while chunks are copied and while the rest is made, with writes to the source
// meanwhile: what resume makes of it is what an undisturbed run would have made at the
// snapshot's instant, and then nothing is left.
func TestResumeAfterKill(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	for name, reach := range map[string]func(*stage, *process){"copy": (*stage).copying, "finish": (*stage).finishing} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, a, b)
			want := s.undisturbed()
			s.pace(name == "finish")
			p := start(t, s.args("run", "--hold-snapshot")...)
			reach(s, p)
			s.signal(p, syscall.SIGKILL)
			if code := p.wait(t); code != -1 {
				t.Fatalf("exit code %d before it was killed\n%s", code, p.stderr.String())
			}
			s.late()
			sum := s.resume()
			if got := s.content(s.target); got != want {
				t.Errorf("resumed:\n%s\nundisturbed:\n%s", got, want)
			}
			if sum.Resumed == nil || sum.Resumed.Chunks < 15 || sum.Rows != 21001 || name == "finish" && sum.Resumed.Rows != sum.Rows {
				t.Errorf("resumed %+v of %d rows", sum.Resumed, sum.Rows)
			}
			if at := sum.SnapshotAt; at.IsZero() || !at.Before(sum.Resumed.Began) || !sum.Resumed.Began.Before(sum.Began) {
				t.Errorf("the snapshot was taken at %s, the build begun at %s, and gone on with at %s", at, sum.Resumed.Began, sum.Began)
			}
			s.clean(s.name)
		})
	}
}

// A resumed run that is killed while it puts its build in place leaves nothing to resume:
// so nobody would come to end the holder, which must have ended before.
func TestResumeKilledAtPromotion(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	sanitize(t, s.args("run", "--quiet")...)
	p := start(t, s.args("run", "--hold-snapshot")...)
	s.copying(p)
	s.signal(p, syscall.SIGKILL)
	p.wait(t)
	conn, err := pgx.Connect(t.Context(), b.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	// The former copy cannot be renamed as long as somebody holds its row.
	if _, err := conn.Exec(t.Context(), "BEGIN; SELECT FROM pg_database WHERE datname = '"+s.name+"' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	p = start(t, s.args("resume")...)
	eventually(t, "the promotion", func() bool {
		return b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE \""+s.name+"\" RENAME%'") == "1"
	})
	s.signal(p, syscall.SIGKILL)
	if code := p.wait(t); code != -1 {
		t.Fatalf("exit code %d before it was killed\n%s", code, p.stderr.String())
	}
	s.released()
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the killed run's sessions to end", func() bool { // a server notices when it has answered
		p := start(t, s.args("run", "--quiet")...)
		return p.wait(t) == exitDone
	})
	s.clean(s.name)
}

// A run that is killed while it seals takes the holder with it, be it its own or that of the
// run that it goes on with: the ledger may be gone, and nobody would come to tell the holder.
func TestHoldKilledAtSeal(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	for _, command := range []string{"run", "resume"} {
		t.Run(command, func(t *testing.T) {
			s := newStage(t, a, b)
			p := start(t, s.args("run", "--hold-snapshot")...)
			s.copying(p)
			conn, err := pgx.Connect(t.Context(), b.DSN("postgres"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			if _, err := conn.Exec(t.Context(), "BEGIN; SELECT FROM pg_database WHERE starts_with(datname, '"+s.name+"__building_') FOR UPDATE"); err != nil {
				t.Fatal(err)
			}
			if command == "resume" {
				s.signal(p, syscall.SIGKILL)
				p.wait(t)
				p = start(t, s.args("resume")...)
			} else {
				s.signal(p, syscall.SIGCONT)
			}
			eventually(t, "the sealing", func() bool {
				return b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE \""+s.name+"__building_%CONNECTION LIMIT -1'") == "1"
			})
			s.signal(p, syscall.SIGKILL)
			p.wait(t)
			s.released()
			if err := conn.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the killed run's sessions to end", func() bool {
				return start(t, s.args("run", "--quiet")...).wait(t) == exitDone
			})
			s.clean(s.name)
		})
	}
}

// An interrupt leaves the build to be resumed, and says so. Another policy is refused, and
// named; when the holder is gone, so is the snapshot, and the cost of a new run is said.
func TestResumeRefused(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	a.Exec(t, s.source, "CREATE EXTENSION isn")
	otherwise := []string{"--json"}
	refused := func(want ...string) string {
		t.Helper()
		p := start(t, s.args("resume", otherwise...)...)
		if code := p.wait(t); code != exitSnapshot {
			t.Errorf("exit code %d", code)
		}
		for _, w := range want {
			if !strings.Contains(p.stderr.String(), w) {
				t.Errorf("%q is not in %q", w, p.stderr.String())
			}
		}
		return p.stdout.String()
	}
	refused("no run has left", "hint: run anew")
	p := start(t, s.args("run", "--hold-snapshot=10m")...)
	s.copying(p)
	s.signal(p, os.Interrupt)
	s.signal(p, syscall.SIGCONT)
	if code := p.wait(t); code != exitInterrupted || !strings.Contains(p.stderr.String(), "interrupted; the target is as it was\nhint: go on with: sanitize resume --policy") {
		t.Fatalf("exit code %d: %s", code, p.stderr.String())
	}
	otherwise = append(otherwise, "--leave-extension", "isn")
	refused("what was left belongs to another run, which differs in: extensions left behind (--leave-extension)\n")
	otherwise = otherwise[:1]
	policy := read(t, s.policy)
	if err := os.WriteFile(s.policy, []byte(strings.Replace(string(policy), "shape: text", "lorem: words", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := refused("what was left belongs to another run, which differs in: ", "policy"); !strings.Contains(said, `"policy"`) || !strings.Contains(said, "\"refused\": \"what was left belongs to another run, which differs in: ") {
		t.Errorf("as JSON: %s", said)
	}
	if err := os.WriteFile(s.policy, policy, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.holder(p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the holder's session to end", func() bool {
		return a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND state = 'idle in transaction'") == "0"
	})
	var said resumeReport
	if err := json.Unmarshal([]byte(refused("nobody holds its snapshot any more", "hint: a new run copies about 2", "what was left has ", "loaded in ")), &said); err != nil {
		t.Fatal(err)
	}
	if c := said.Cost; c == nil || c.LoadedChunks < 15 || c.LoadedRows <= 0 || c.LoadedRows >= c.Rows || c.Took <= 0 {
		t.Errorf("cost %+v", said.Cost)
	}
	p = start(t, s.args("run", "--hold-snapshot")...) // it also removes the killed holder's socket
	s.copying(p)
	s.signal(p, syscall.SIGKILL)
	p.wait(t)
	// A new run that does not wait to be resumed ends the holder of what it removes.
	p = start(t, s.args("run")...)
	if code := p.wait(t); code != 0 || !strings.Contains(p.stderr.String(), "removed what a killed run had left") || !strings.Contains(p.stderr.String(), "gave back the snapshot that was held") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	s.clean(s.name)
}

// A holder that dies is said at once, and nobody is told to go on with what is lost.
func TestHolderDies(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	for _, stop := range []bool{true, false} {
		t.Run(fmt.Sprintf("interrupted=%t", stop), func(t *testing.T) {
			s.t = t
			p := start(t, s.args("run", "--hold-snapshot", "--grants")...)
			s.copying(p)
			holder := s.holder(p)
			if err := syscall.Kill(holder, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the holder's end", func() bool { return ended(holder) }) // a busy machine takes its time
			want, code, left := []string{"warning: the holder has ended: this run can no longer be resumed\n"}, exitDone, s.name
			if stop {
				s.signal(p, os.Interrupt)
				want, code, left = append(want, "hint: run anew: the holder of the snapshot has ended"), exitInterrupted, s.build()
			}
			s.signal(p, syscall.SIGCONT)
			if got := p.wait(t); got != code {
				t.Errorf("exit code %d, want %d", got, code)
			}
			for _, w := range want {
				if strings.Count(p.stderr.String(), w) != 1 {
					t.Errorf("%q is not there once: %s", w, p.stderr.String())
				}
			}
			if strings.Contains(p.stderr.String(), "gave back") || strings.Contains(p.stderr.String(), "sanitize resume") {
				t.Errorf("said %s", p.stderr.String())
			}
			s.clean(left)
		})
	}
}

// Where a holder can have no socket, the run says what that means, and so does its resume.
func TestHolderWithoutSocket(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	folder := filepath.Join(s.sockets, fmt.Sprintf("sanitize-%d", os.Getuid()))
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, s.args("run", "--hold-snapshot")...)
	s.copying(p)
	s.signal(p, syscall.SIGKILL)
	p.wait(t)
	holder := s.holder(p)
	if want := fmt.Sprintf("cannot end process %d, which then holds the snapshot until its time is over: %s is not a folder", holder, folder); !strings.Contains(p.stderr.String(), want) {
		t.Errorf("%q is not in %q", want, p.stderr.String())
	}
	p = start(t, s.args("resume")...)
	if code := p.wait(t); code != exitDone || !strings.Contains(p.stderr.String(), "the holder of the snapshot cannot be told from here") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	if err := syscall.Kill(holder, syscall.SIGTERM); err != nil {
		t.Errorf("the holder has ended by itself: %v", err)
	}
	s.clean(s.name)
}

// Connections that are lost in the middle, the lock's included, cost a retry and nothing else.
func TestLostConnections(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	want := s.undisturbed()
	_, database, _ := strings.Cut(strings.TrimPrefix(s.source, "postgres://"), "/")
	database, _, _ = strings.Cut(database, "?")
	for name, end := range map[string]func(){
		"readers": func() {
			a.Value(t, a.DSN("postgres"), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '"+database+"' AND query LIKE 'COPY%' AND pid <> pg_backend_pid()")
		},
		"loaders and the lock": func() {
			b.Value(t, b.DSN("postgres"), "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE starts_with(datname, '"+s.name+"__building') OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')")
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i, reach := range []func(*stage, *process){(*stage).copying, (*stage).finishing} {
				s.pace(i == 1)
				p := start(t, s.args("run", "--json")...)
				reach(s, p)
				for range 3 {
					end()
					s.signal(p, syscall.SIGCONT)
					time.Sleep(10 * time.Millisecond)
				}
				if code := p.wait(t); code != 0 {
					t.Fatalf("exit code %d\n%s", code, p.stderr.String())
				}
				if got := s.content(s.target); got != want {
					t.Errorf("disturbed:\n%s\nundisturbed:\n%s", got, want)
				}
				s.clean(s.name)
			}
		})
	}
}

// A target whose server crashes in the middle gets an exact copy all the same: commits that
// the crash has cost are done again, and so is what was in unlogged tables.
func TestTargetCrashes(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.CrashablePostgres(t)
	s := newStage(t, a, b)
	want := s.undisturbed()
	for name, reach := range map[string]func(*stage, *process){"copy": (*stage).copying, "finish": (*stage).finishing} {
		t.Run(name, func(t *testing.T) {
			s.pace(name == "finish")
			p := start(t, s.args("run", "--json")...)
			reach(s, p)
			b.Crash(t)
			s.signal(p, syscall.SIGCONT)
			if code := p.wait(t); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.stderr.String())
			}
			if got := s.content(s.target); got != want {
				t.Errorf("after the crash:\n%s\nundisturbed:\n%s", got, want)
			}
			var sum pipeline.Summary
			if err := json.Unmarshal(p.stdout.Bytes(), &sum); err != nil || sum.Retries == 0 {
				t.Errorf("%d retries, %v", sum.Retries, err)
			}
			s.clean(s.name)
		})
	}
}

// A source that crashes has lost the snapshot, whoever holds it: exit code 12, and nothing is left.
func TestSourceCrashes(t *testing.T) {
	a, b := connectortest.CrashablePostgres(t), connectortest.Postgres(t)
	s := newStage(t, a, b)
	p := start(t, s.args("run", "--hold-snapshot")...)
	s.copying(p)
	a.Crash(t)
	s.signal(p, syscall.SIGCONT)
	if code := p.wait(t); code != exitSnapshot {
		t.Errorf("exit code %d, want %d\n%s", code, exitSnapshot, p.stderr.String())
	}
	s.clean()
}
