package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/pipeline"
)

// mysqlStage is a source and a target, on one server, for runs that are cut.
type mysqlStage struct {
	mysqlKills
	sockets string
}

func newMySQLStage(t *testing.T, server *connectortest.MySQLServer) *mysqlStage {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sockets") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(socketsVariable, dir)
	s := &mysqlStage{mysqlKills{t: t, s: server, source: server.Database(t), name: server.Name(t), policy: writePolicy(t, []byte(crowdPolicy)), temp: t.TempDir()}, dir}
	t.Setenv("TMPDIR", s.temp)
	server.Exec(t, s.source, mysqlCrowd...)
	sanitize(t, s.args()...)
	s.exact = s.content()
	s.makeStale()
	return s
}

func (s *mysqlStage) with(command string, more ...string) []string {
	args := []string{command, "--policy", s.policy, "--from", s.s.DSN(s.source), "--to", s.s.DSN(s.name), "--workers", "2"}
	if command == "run" {
		args = append(args, "--chunk-size", "8KiB")
	}
	return append(args, more...)
}

// late writes to the source what the snapshot does not see.
func (s *mysqlStage) late() {
	s.t.Helper()
	s.s.Exec(s.t, s.source, "UPDATE visits SET page = 'late' WHERE id % 3 = 0", "DELETE FROM visits WHERE id % 3 = 1",
		"INSERT INTO people VALUES (100001, 'late@source.example', 'late')", "CREATE TABLE later (id int PRIMARY KEY)")
}

// early takes it back.
func (s *mysqlStage) early() {
	s.t.Helper()
	s.s.Exec(s.t, s.source, "DROP TABLE IF EXISTS later, visits, people", "DROP VIEW busy", "DROP FUNCTION twice", "DROP EVENT nightly")
	s.s.Exec(s.t, s.source, mysqlCrowd...)
}

// building returns the database that is being built, or was left; "" if there is none.
func (s *mysqlStage) building() string {
	return s.s.Value(s.t, "", "SELECT COALESCE(MAX(schema_name), '') FROM information_schema.schemata WHERE schema_name LIKE '"+s.name+`\_\_building\_%'`)
}

// copying waits until a run has committed some chunks, and stops its process there.
func (s *mysqlStage) copying(p *process) {
	s.t.Helper()
	eventually(s.t, "the first chunks", func() bool {
		defer p.cmd.Process.Signal(syscall.SIGCONT)
		name := s.building()
		if name == "" || s.s.Value(s.t, "", "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+name+"' AND table_name = '_sanitize_ledger'") == "0" {
			return false
		}
		p.cmd.Process.Signal(syscall.SIGSTOP)
		return s.s.Value(s.t, name, "SELECT COUNT(*) >= 10 FROM _sanitize_ledger") == "1"
	})
	p.cmd.Process.Signal(syscall.SIGSTOP)
}

// finishing waits until a run has made a foreign key: all rows are there.
func (s *mysqlStage) finishing(p *process) {
	s.t.Helper()
	eventually(s.t, "a foreign key", func() bool {
		name := s.building()
		return name != "" && s.s.Value(s.t, "", "SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_type = 'FOREIGN KEY' AND constraint_schema = '"+name+"'") == "1"
	})
	p.cmd.Process.Signal(syscall.SIGSTOP)
}

// over fails if anything is left: of a build, sessions, sockets.
func (s *mysqlStage) over(when string) {
	s.t.Helper()
	s.left(when)
	eventually(s.t, "the holder's socket to go", func() bool {
		names, err := filepath.Glob(filepath.Join(s.sockets, "*", "*.sock"))
		return err == nil && len(names) == 0
	})
}

// A run of a held snapshot is killed while it copies and while it finishes, and production
// writes meanwhile: what resume makes of it is what an undisturbed run would have made at
// the snapshot's instant. Without its holder a run cannot be resumed; and runs that join a
// snapshot see its instant.
func TestResumeMySQL(t *testing.T) {
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			s := newMySQLStage(t, server)
			for name, reach := range map[string]func(*process){"copy": s.copying, "finish": s.finishing} {
				p := start(t, s.with("run", "--hold-snapshot")...)
				reach(p)
				p.cmd.Process.Signal(syscall.SIGKILL)
				if code := p.wait(t); code != -1 {
					t.Fatalf("%s: exit code %d before it was killed\n%s", name, code, p.stderr.String())
				}
				if content := s.content(); content != s.stale {
					t.Fatalf("%s: the former target was changed:\n%s", name, content)
				}
				s.late()
				resumed := start(t, s.with("resume", "--json")...)
				if code := resumed.wait(t); code != exitDone {
					t.Fatalf("%s: resume: exit code %d\n%s", name, code, resumed.stderr.String())
				}
				var sum pipeline.Summary
				if err := json.Unmarshal(resumed.stdout.Bytes(), &sum); err != nil {
					t.Fatal(err)
				}
				if got := s.content(); got != s.exact {
					t.Errorf("%s: resumed:\n%s\nundisturbed:\n%s", name, got, s.exact)
				}
				if sum.Resumed == nil || sum.Resumed.Chunks < 10 || name == "finish" && sum.Resumed.Rows != sum.Rows {
					t.Errorf("%s: resumed %+v of %d rows", name, sum.Resumed, sum.Rows)
				} else if at := sum.SnapshotAt; at.IsZero() || !at.Before(sum.Resumed.Began) || !sum.Resumed.Began.Before(sum.Began) {
					t.Errorf("%s: the snapshot was taken at %s, the build begun at %s, and gone on with at %s", name, at, sum.Resumed.Began, sum.Began)
				}
				s.over(name)
				s.early()
				s.makeStale()
			}

			p := start(t, s.with("run", "--hold-snapshot")...)
			s.copying(p)
			p.cmd.Process.Signal(syscall.SIGKILL)
			p.wait(t)
			var pid int
			if m := holderSaid.FindStringSubmatch(p.stderr.String()); m != nil {
				fmt.Sscan(m[1], &pid)
			}
			if pid == 0 {
				t.Fatalf("no word of a holder in %s", p.stderr.String())
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			p = start(t, s.with("resume")...)
			if code := p.wait(t); code != exitSnapshot || !strings.Contains(p.stderr.String(), "nobody holds its snapshot any more") {
				t.Errorf("without its holder: exit code %d\n%s", code, p.stderr.String())
			}
			s.hold()
			s.over("hold")
		})
	}
}

// hold has two runs join one snapshot, and one that comes when its holder is gone.
func (s *mysqlStage) hold() {
	t := s.t
	t.Helper()
	p := prepare("hold", "--from", s.s.DSN(s.source), "--json", "--workers", "2")
	p.cmd.Stdout = nil
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.run(t)
	var held holdReport
	if err := json.NewDecoder(output).Decode(&held); err != nil {
		t.Fatal(err)
	}
	s.late()
	for range 2 {
		sanitize(t, s.with("run", "--snapshot", held.Snapshot, "--quiet")...)
		if got := s.content(); got != s.exact {
			t.Errorf("joined:\n%s\nundisturbed:\n%s", got, s.exact)
		}
	}
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != exitDone || !strings.Contains(p.stderr.String(), "gave the snapshot back") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	began := time.Now()
	if code := start(t, s.with("run", "--snapshot", held.Snapshot)...).wait(t); code != exitSnapshot {
		t.Errorf("a snapshot that nobody holds: exit code %d after %s", code, time.Since(began))
	}
}

// What a source warns of when its snapshot is opened, a run says too whose snapshot another
// process holds.
func TestHeldWarnings(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "sockets") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(socketsVariable, dir)
	policy := writePolicy(t, []byte("version: 1\nkeys: {discovery: {from: \"file:lone.key\"}}\ntables: {t: {keep: [id]}}\n"))
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			source, account := server.Database(t), "lone"+fmt.Sprint(os.Getpid())
			server.Exec(t, source, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
			server.Exec(t, "", "CREATE USER "+account+" IDENTIFIED BY 'only-for-tests'", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `"+source+"`.* TO "+account)
			t.Cleanup(func() { server.Exec(t, "", "DROP USER "+account) })
			p := start(t, "run", "--policy", policy, "--from", server.DSNAs(source, account, "only-for-tests"), "--to", server.DSN(server.Name(t)), "--workers", "2", "--hold-snapshot", "--quiet")
			if code := p.wait(t); code != exitDone || strings.Count(p.stderr.String(), "warning: the snapshot is read by one session") != 1 {
				t.Errorf("exit code %d\n%s", code, p.stderr.String())
			}
		})
	}
}
