package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// number returns an environment variable, or what stands for it.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is no number", name)
	}
	return n
}

// kills is a source and a target for runs that are killed.
type kills struct {
	t            *testing.T
	a, b         *connectortest.PostgresServer
	source, name string // of the target
	policy       string
	temp         string
	exact, stale string
}

func (k *kills) args(command string, more ...string) []string {
	args := []string{command, "--policy", k.policy, "--from", k.source, "--to", k.b.DSN(k.name), "--workers", "2", "--quiet"}
	if command == "run" {
		args = append(args, "--chunk-size", "32KiB")
	}
	return append(args, more...)
}

// settle waits until the server has ended what a killed run was waiting for. A login in the middle of
// a promotion waits for it, and is then refused once: the database has just been renamed.
func (k *kills) settle() {
	k.t.Helper()
	eventually(k.t, "the killed run's last statement", func() bool {
		return k.b.Value(k.t, k.b.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sanitize' AND state = 'active' AND query ~ 'RENAME TO'") == "0"
	})
}

// content is a digest of every row, key and index of the target.
func (k *kills) content() string {
	k.t.Helper()
	return k.b.Value(k.t, k.b.DSN(k.name), `SELECT concat_ws(E'\n',
		(SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)::numeric) FROM people r),
		(SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)::numeric) FROM visits r),
		(SELECT string_agg(conname || convalidated, ' ' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
		(SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE relnamespace = 'public'::regnamespace),
		(SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'))`)
}

// makeStale changes the target, so that it can be told from what the next run makes.
func (k *kills) makeStale() {
	k.t.Helper()
	k.b.Exec(k.t, k.b.DSN(k.name), "UPDATE visits SET page = 'former' WHERE id <= 10")
	k.stale = k.content()
}

// left fails if anything of a run is left: databases, sessions, locks, files.
func (k *kills) left(when string) {
	k.t.Helper()
	var left string
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left = k.b.Value(k.t, k.b.DSN("postgres"), `SELECT concat_ws(', ',
			(SELECT string_agg('database ' || datname, ', ') FROM pg_database WHERE starts_with(datname, '`+k.name+`') AND datname <> '`+k.name+`'),
			(SELECT string_agg('session ' || application_name, ', ') FROM pg_stat_activity WHERE starts_with(datname, '`+k.name+`')),
			(SELECT string_agg('lock ' || pid, ', ') FROM pg_locks WHERE locktype = 'advisory'))`)
		left += k.a.Value(k.t, k.a.DSN("postgres"), "SELECT coalesce(string_agg(' session ' || application_name, ', '), '') FROM pg_stat_activity WHERE datname = '"+nameOf(k.source)+"'")
		// A folder that holders share stays; what stands in it does not.
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
			k.t.Errorf("%s: left over: %s", when, left)
			return
		}
	}
}

// kill −9 at random moments, of a run and of one whose snapshot another process holds.
// After each the former target is untouched, or the new one is there and whole; then
// resume, or where there is nothing to resume the next run, makes the target exact, row
// for row, and nothing is left. FAULTS_KILLS is how many are killed, FAULTS_SEED what
// chooses the moments.
func TestKillPostgres(t *testing.T) {
	n, seed := number(t, "FAULTS_KILLS", 2), number(t, "FAULTS_SEED", 1)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	a, b := connectortest.PostgresPair(t)
	k := &kills{t: t, a: a, b: b, source: a.Database(t), name: b.Name(t), policy: writePolicy(t, []byte(crowdPolicy))}
	temp, err := os.MkdirTemp("/tmp", "kill") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	k.temp = temp
	t.Setenv("TMPDIR", temp)
	t.Setenv(socketsVariable, temp)
	a.Exec(t, k.source, crowd)
	kinds := [][]string{{}, {"--hold-snapshot", "--max-rate", "1MiB"}} // slowly, so that many are killed while they copy
	windows := make([]killWindow, len(kinds))
	for i, more := range kinds {
		began := time.Now()
		sanitize(t, k.args("run", more...)...)
		windows[i] = killWindow(time.Since(began))
	}
	k.exact = k.content()
	k.makeStale()

	killed, promoted, resumed, anew, missed := 0, 0, 0, 0, 0
	for killed < n {
		kind := killed % len(kinds)
		share := random.Float64()
		if kind == 1 {
			share = 0.4 + 0.6*share // before, there is nothing to resume
		}
		moment := windows[kind].at(share)
		when := fmt.Sprintf("seed %d, killed %d, %s after %s of %s", seed, killed, strings.Join(kinds[kind], " "), moment, time.Duration(windows[kind]))
		p := start(t, k.args("run", kinds[kind]...)...)
		time.Sleep(moment)
		p.cmd.Process.Signal(syscall.SIGKILL)
		code := p.wait(t)
		k.settle()
		content := k.content()
		windows[kind].learn(moment, content == k.exact)
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
		switch content {
		case k.stale:
		case k.exact:
			promoted++
		default:
			t.Fatalf("%s: the target is neither the former copy nor the new one:\n%s", when, content)
		}
		// The servers need a moment to notice that the sessions are gone: until then a run
		// is refused with another exit code, and says why.
		again := func(command string) (code int, said string) {
			eventually(t, "the killed run's sessions to end", func() bool {
				p := start(t, k.args(command)...)
				code = p.wait(t)
				said = p.stderr.String()
				return code != exitBusy
			})
			return code, said
		}
		command := "run"
		if kind == 1 {
			command = "resume"
		}
		code, said := again(command)
		if command == "resume" && code == exitSnapshot {
			// Killed before there was a build, or after it was promoted.
			if !strings.Contains(said, "no run has left a build") && !strings.Contains(said, "nobody holds its snapshot any more") {
				t.Errorf("%s: resume says %s", when, said)
			}
			reason, _, _ := strings.Cut(said, "\n")
			t.Logf("%s: %s", when, reason)
			command = "run"
			code, said = again(command)
		}
		if code != 0 {
			t.Fatalf("%s: then %s: exit code %d\n%s", when, command, code, said)
		}
		if command == "resume" {
			resumed++
		} else {
			anew++
		}
		if content := k.content(); content != k.exact {
			t.Fatalf("%s: then %s is not exact:\n%s\nwant:\n%s", when, command, content, k.exact)
		}
		k.left(when)
		k.makeStale()
	}
	t.Logf("seed %d: %d killed (%d of them after the promotion; %d more had ended), %d resumed, %d run anew, all exact", seed, killed, promoted, missed, resumed, anew)
}

// killWindow is how long a run can be killed that has promoted nothing yet, and a little more: the
// first runs find a cold machine, and what comes after the promotion takes its time.
type killWindow time.Duration

// at returns the moment of a share of it.
func (w killWindow) at(share float64) time.Duration { return time.Duration(share * float64(w)) }

// learn narrows the window where a run had promoted at a moment within it, and widens it where
// one had not at its end.
func (w *killWindow) learn(moment time.Duration, promoted bool) {
	switch late := killWindow(moment + moment/8); {
	case promoted:
		*w = min(*w, late)
	case late > *w:
		*w = late
	}
}
