package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// mysqlCrowd is crowd, with one of each thing that no RENAME TABLE moves.
var mysqlCrowd = []string{
	"CREATE TABLE people (id bigint PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, note text)",
	"CREATE TABLE visits (id bigint PRIMARY KEY, person_id bigint NOT NULL, page varchar(20) NOT NULL, KEY (person_id), CONSTRAINT visits_person_id_fkey FOREIGN KEY (person_id) REFERENCES people (id))",
	"CREATE TABLE d (i int PRIMARY KEY)",
	"INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
	"INSERT INTO people SELECT i, CONCAT('person', i, '@source.example'), REPEAT('note ', 20) FROM (SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i + 1 AS i FROM d a, d b, d c, d e) x WHERE i <= 4000",
	"INSERT INTO visits SELECT i, 1 + i % 4000, 'early' FROM (SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i + 1 AS i FROM d a, d b, d c, d e) x WHERE i <= 8000",
	"DROP TABLE d",
	"CREATE FUNCTION twice (i int) RETURNS int DETERMINISTIC RETURN 2 * i",
	"CREATE VIEW busy AS SELECT person_id, twice(COUNT(*)) AS pages FROM visits GROUP BY person_id",
	"CREATE TRIGGER noted BEFORE UPDATE ON visits FOR EACH ROW SET NEW.person_id = OLD.person_id",
	"CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' DISABLE DO DELETE FROM visits",
	"ANALYZE TABLE people, visits",
}

// mysqlKills is a source and a target, on one server, for runs that are killed.
type mysqlKills struct {
	t            *testing.T
	s            *connectortest.MySQLServer
	source, name string // of the databases
	policy, temp string
	exact, stale mysqlContent
}

// mysqlContent is a digest of a target: of what moves all at once, which is every row, key
// and index, and of what is made anew behind it.
type mysqlContent struct{ tables, rest string }

func (k *mysqlKills) args(more ...string) []string {
	return append([]string{"run", "--policy", k.policy, "--from", k.s.DSN(k.source), "--to", k.s.DSN(k.name), "--workers", "2", "--quiet", "--chunk-size", "32KiB"}, more...)
}

// resume is what comes after a run of a held snapshot.
func (k *mysqlKills) resume() []string {
	return []string{"resume", "--policy", k.policy, "--from", k.s.DSN(k.source), "--to", k.s.DSN(k.name), "--workers", "2", "--quiet"}
}

func (k *mysqlKills) content() mysqlContent {
	k.t.Helper()
	k.s.Exec(k.t, k.name, "DO 1")
	name := "'" + k.name + "'"
	list := func(of, from string) string {
		return "(SELECT COALESCE(GROUP_CONCAT(" + of + " ORDER BY " + of + " SEPARATOR '\\n'), '') FROM information_schema." + from + " = " + name + ")"
	}
	digest := func(columns string) string {
		return "SELECT CONCAT(COUNT(*), ' ', SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|', " + columns + "), 256), 15), 16, 10) AS UNSIGNED))) FROM "
	}
	return mysqlContent{
		tables: k.s.Value(k.t, k.name, "SELECT CONCAT_WS('\\n', ("+digest("id, email, note")+"people), ("+digest("id, person_id, page")+"visits), "+
			list("CONCAT_WS(' ', table_name, constraint_name, constraint_type)", "table_constraints WHERE table_name NOT LIKE '\\_sanitize%' AND constraint_schema")+", "+
			list("CONCAT_WS(' ', table_name, index_name, column_name, non_unique)", "statistics WHERE table_name NOT LIKE '\\_sanitize%' AND table_schema")+")"),
		rest: k.s.Value(k.t, k.name, "SELECT CONCAT_WS('\\n', "+list("CONCAT_WS(' ', table_name, view_definition)", "views WHERE table_schema")+", "+
			list("CONCAT_WS(' ', routine_name, routine_definition)", "routines WHERE routine_schema")+", "+
			list("CONCAT_WS(' ', trigger_name, event_object_table, action_timing, action_statement)", "triggers WHERE trigger_schema")+", "+
			list("CONCAT_WS(' ', event_name, status, event_definition)", "events WHERE event_schema")+")"),
	}
}

// makeStale changes the target, so that it can be told from what the next run makes.
func (k *mysqlKills) makeStale() {
	k.t.Helper()
	k.s.Exec(k.t, k.name, "UPDATE visits SET page = 'former' WHERE id <= 10", "CREATE OR REPLACE VIEW busy AS SELECT person_id, 1 AS pages FROM visits",
		"DROP FUNCTION IF EXISTS twice", "CREATE FUNCTION twice (i int) RETURNS int DETERMINISTIC RETURN 3 * i",
		"DROP TRIGGER IF EXISTS noted", "CREATE TRIGGER noted BEFORE UPDATE ON visits FOR EACH ROW SET NEW.page = OLD.page")
	k.stale = k.content()
}

// left fails if anything of a run is left: databases, tables of ours, sessions, files. A
// lock is its session's.
func (k *mysqlKills) left(when string) {
	k.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := k.s.Value(k.t, "", `SELECT CONCAT(
			COALESCE((SELECT GROUP_CONCAT(' database ', schema_name) FROM information_schema.schemata WHERE schema_name LIKE '`+k.name+`\_\_%'), ''),
			COALESCE((SELECT GROUP_CONCAT(' table ', table_name) FROM information_schema.tables WHERE table_schema = '`+k.name+`' AND table_name LIKE '\_sanitize\_%'), ''),
			COALESCE((SELECT GROUP_CONCAT(' session ', id) FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()), ''))`)
		err := filepath.WalkDir(k.temp, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				left += " file " + strings.TrimPrefix(path, k.temp)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			k.t.Fatal(err)
		}
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			k.t.Errorf("%s: left over:%s", when, left)
			return
		}
	}
}

// kill −9 at random moments of a run between databases of each server of the MySQL family,
// every other one of a snapshot that another process holds. After each the tables of the
// former target are untouched, or those of the new one are all there; then resume, or where
// there is nothing to resume the next run, makes the target exact, row for row, and nothing
// is left.
// FAULTS_KILLS is how many are killed at each server, FAULTS_SEED what chooses the moments.
func TestKillMySQL(t *testing.T) {
	n, seed := number(t, "FAULTS_KILLS", 2), number(t, "FAULTS_SEED", 1)
	for _, s := range connectortest.MySQLServers(t) {
		t.Run(s.Flavor(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			k := &mysqlKills{t: t, s: s, source: s.Database(t), name: s.Name(t), policy: writePolicy(t, []byte(crowdPolicy)), temp: t.TempDir()}
			t.Setenv("TMPDIR", k.temp)
			sockets, err := os.MkdirTemp("/tmp", "kill") // the path of a socket is short
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(sockets) })
			t.Setenv(socketsVariable, sockets)
			s.Exec(t, k.source, mysqlCrowd...)
			sanitize(t, k.args()...)
			kinds := [][]string{{}, {"--hold-snapshot", "--max-rate", "1MiB"}} // slowly, so that many are killed while they copy
			windows := make([]killWindow, len(kinds))
			for i, more := range kinds { // each replaces one that is there
				began := time.Now()
				sanitize(t, k.args(more...)...)
				windows[i] = killWindow(time.Since(began))
			}
			k.exact = k.content()
			k.makeStale()
			promoted, missed, resumed := 0, 0, 0
			for killed := 0; killed < n; {
				kind := killed % len(kinds)
				share := random.Float64()
				if kind == 1 {
					share = 0.4 + 0.6*share // before, there is nothing to resume
				}
				moment := windows[kind].at(share)
				when := fmt.Sprintf("seed %d, killed %d, %s after %s of %s", seed, killed, strings.Join(kinds[kind], " "), moment, time.Duration(windows[kind]))
				p := start(t, k.args(kinds[kind]...)...)
				time.Sleep(moment)
				p.cmd.Process.Signal(syscall.SIGKILL)
				code := p.wait(t)
				content := k.content()
				windows[kind].learn(moment, content.tables == k.exact.tables)
				if code != -1 {
					if code != 0 || content != k.exact {
						t.Fatalf("%s: exit code %d\n%s", when, code, p.stderr.String())
					}
					if missed++; missed > n+10 {
						t.Fatalf("only %d of %d runs were killed in time", killed, killed+missed)
					}
					k.makeStale()
					continue
				}
				killed++
				switch {
				case content == k.stale:
				case content.tables == k.exact.tables:
					promoted++ // the rest is made by whoever comes next
				case content.tables == k.stale.tables:
					// Triggers keep a table where it is: those of the former copy go a moment
					// before its tables do, and are made again by whoever comes next.
					if without, _, _ := strings.Cut(k.stale.rest, "\nnoted "); !strings.HasPrefix(content.rest, without) {
						t.Fatalf("%s: the former target was changed:\n%s\nwas:\n%s", when, content.rest, k.stale.rest)
					}
				default:
					t.Fatalf("%s: the target is neither the former copy nor the new one:\n%s", when, content)
				}
				var said string
				again := func(args []string) {
					eventually(t, "the killed run's sessions to end", func() bool {
						p := start(t, args...)
						code = p.wait(t)
						said = p.stderr.String()
						return code != exitBusy
					})
				}
				if kind == 1 {
					again(k.resume())
				}
				if kind == 1 && code == 0 {
					resumed++
				} else {
					// Killed before there was a build, or after it was sealed.
					if kind == 1 && (code != exitSnapshot || !strings.Contains(said, "no run has left a build") && !strings.Contains(said, "nobody holds its snapshot any more")) {
						t.Errorf("%s: resume: exit code %d\n%s", when, code, said)
					}
					again(k.args())
				}
				if code != 0 {
					t.Fatalf("%s: then run: exit code %d\n%s", when, code, said)
				}
				if content := k.content(); content != k.exact {
					t.Fatalf("%s: the next run is not exact:\n%s\nwant:\n%s", when, content, k.exact)
				}
				k.left(when)
				k.makeStale()
			}
			t.Logf("%s %s, seed %d: %d killed (%d of them after the tables had moved; %d more had ended), %d resumed, all exact after that or the next run", s.Flavor(), s.Version(), seed, n, promoted, missed, resumed)
		})
	}
}

// listener is talk that is listened to until a text is in it.
type listener struct {
	said  bytes.Buffer
	text  string
	heard chan struct{}
	done  bool
}

func (l *listener) Write(b []byte) (int, error) {
	l.said.Write(b)
	if !l.done && strings.Contains(l.said.String(), l.text) {
		l.done = true
		close(l.heard)
	}
	return len(b), nil
}

// A second interrupt, when the tables have moved, stops nothing any more: the run makes what
// stands behind them, ends as it would have, and says so.
func TestInterruptLateMySQL(t *testing.T) {
	for _, s := range connectortest.MySQLServers(t) {
		t.Run(s.Flavor(), func(t *testing.T) {
			k := &mysqlKills{t: t, s: s, source: s.Database(t), name: s.Name(t), policy: writePolicy(t, []byte(crowdPolicy)), temp: t.TempDir()}
			s.Exec(t, k.source, mysqlCrowd...)
			sanitize(t, k.args()...)
			k.exact = k.content()
			k.makeStale()
			proxy, through := connectortest.NewProxy(t, s.DSN(k.name))
			p := prepare("run", "--policy", k.policy, "--from", s.DSN(k.source), "--to", through+"?ssl-mode=disabled")
			talk := &listener{text: "interrupted again", heard: make(chan struct{})}
			p.cmd.Stderr = talk
			var moved atomic.Bool
			var once sync.Once
			started := make(chan struct{})
			proxy.OnStatement(func(sql string) connectortest.Cut {
				if strings.HasPrefix(sql, "RENAME TABLE") {
					moved.Store(true)
				} else if moved.Load() && strings.HasPrefix(sql, "CREATE ") {
					once.Do(func() {
						<-started
						p.cmd.Process.Signal(os.Interrupt)
						p.cmd.Process.Signal(syscall.SIGTERM) // two of the same that are pending are one
						<-talk.heard
					})
				}
				return connectortest.CutNothing
			})
			p.run(t)
			close(started)
			if code := p.wait(t); code != exitDone || !talk.done || strings.Contains(talk.said.String(), "as it was") {
				t.Fatalf("exit code %d\n%s", code, talk.said.String())
			}
			if got := k.content(); got != k.exact {
				t.Errorf("the target is\n%s\nwant\n%s", got, k.exact)
			}
			k.left("after an interrupt")
		})
	}
}
