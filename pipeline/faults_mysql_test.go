package pipeline_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// mysqlFault is one thing that goes wrong, and how a run may end of it.
type mysqlFault struct {
	name   string
	at     []pipelinetest.Effect // nil is all
	before bool                  // only before the effect
	// statement, if not nil, is struck in place of an effect: the first one at the target
	// that it matches, before the server has it.
	statement *regexp.Regexp
	strike    func(w *mysqlWorld)
	change    func(w *mysqlWorld, r *pipeline.Run)
	ends      []int  // exit codes that are right
	says      string // what the message has to name
	// leaves is set where the fault lasts until the run has given up, and may keep it from
	// dropping its build: the next run does it.
	leaves bool
	only   string // a flavour
}

const lostWords = `connection lost|session was ended|server is shutting down|was lost|is lost|refused|reset by peer|error (1927|3169|1053|4031)|EOF`

var mysqlFaults = []mysqlFault{
	{name: "sessions at the source ended", strike: func(w *mysqlWorld) { w.sessionsOf(w.source, "KILL") },
		ends: []int{0, 10, 12}, says: lostWords},
	{name: "connections to the source reset", strike: func(w *mysqlWorld) { w.fromProxy.Reset() },
		ends: []int{0, 10, 12}, says: lostWords},
	{name: "source killed and started", strike: func(w *mysqlWorld) { w.source.Restart(w.t) },
		ends: []int{0, 10, 12}, says: lostWords},
	{name: "statements at the source ended", strike: func(w *mysqlWorld) { w.sessionsOf(w.source, "KILL QUERY") },
		ends: []int{0, 10, 12}, says: `error 1317|cancelled|` + lostWords},
	{name: "a table altered at the source", at: []pipelinetest.Effect{pipelinetest.Split, pipelinetest.Definitions, pipelinetest.Begin}, strike: func(w *mysqlWorld) {
		w.must(w.session(w.source, "shop"), "SET lock_wait_timeout = 5", "ALTER TABLE log ENGINE = InnoDB, ALGORITHM = COPY")
	}, ends: []int{12}, says: `log.*error 1412`},
	{name: "a table locked at the source", at: []pipelinetest.Effect{pipelinetest.Begin}, before: true, strike: func(w *mysqlWorld) {
		w.must(w.session(w.source, "shop"), "LOCK TABLES log WRITE")
	}, ends: []int{10}, says: `log.*error 1205`},
	{name: "sessions at the target ended", strike: func(w *mysqlWorld) { w.sessionsOf(w.target, "KILL") },
		ends: []int{0, 11}, says: lostWords},
	{name: "connections to the target reset", strike: func(w *mysqlWorld) { w.toProxy.Reset() },
		ends: []int{0, 11}, says: lostWords},
	{name: "target killed and started", strike: func(w *mysqlWorld) { w.target.Restart(w.t) },
		ends: []int{0, 11}, says: lostWords},
	{name: "statements at the target ended", strike: func(w *mysqlWorld) { w.sessionsOf(w.target, "KILL QUERY") },
		ends: []int{0, 11}, says: `error 1317|cancelled`},
	{name: "disk of the target full", strike: func(w *mysqlWorld) {
		remove := w.target.Ballast(w.t, 64<<10)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.room = append(w.room, remove)
	}, ends: []int{0, 11}, says: `no room|is full|error (3|20|1114|1021|1030|1005|1006|3675|1025|1026|1878|3678)\b|` + lostWords, leaves: true},
	{name: "a session that holds the build", at: []pipelinetest.Effect{pipelinetest.Load, pipelinetest.Commit, pipelinetest.TableLoaded, pipelinetest.Finish, pipelinetest.Seal}, before: true,
		strike: func(w *mysqlWorld) { w.holdBriefly(w.building(), "orders READ, _sanitize_ledger READ") },
		change: func(w *mysqlWorld, r *pipeline.Run) { r.Options.RetryWait = 300 * time.Millisecond }, ends: []int{0}}, // who holds them ends what waits for them
	{name: "a session that holds the target", at: []pipelinetest.Effect{pipelinetest.Promote}, before: true,
		strike: func(w *mysqlWorld) { w.must(w.session(w.target, faultTarget), "LOCK TABLES users READ, log READ") }, ends: []int{0}},
	{name: "deadlock with the ledger", statement: regexp.MustCompile("^INSERT INTO `_sanitize_ledger`"),
		strike: func(w *mysqlWorld) {
			w.deadlock("SELECT COUNT(*) FROM _sanitize_ledger FOR UPDATE", "SELECT (SELECT COUNT(*) FROM users FOR UPDATE) + (SELECT COUNT(*) FROM orders FOR UPDATE) + (SELECT COUNT(*) FROM events FOR UPDATE) + (SELECT COUNT(*) FROM log FOR UPDATE)")
		}, ends: []int{0}},
	{name: "LOAD DATA LOCAL switched off", at: []pipelinetest.Effect{pipelinetest.Definitions, pipelinetest.Begin, pipelinetest.Load, pipelinetest.Write, pipelinetest.Commit},
		strike: func(w *mysqlWorld) { w.setGlobal(w.target, "local_infile", "0") }, ends: []int{0, 11}, says: `LOAD DATA LOCAL`},
	{name: "LOAD DATA LOCAL switched off, sessions ended", at: []pipelinetest.Effect{pipelinetest.Load, pipelinetest.Commit},
		strike: func(w *mysqlWorld) {
			w.setGlobal(w.target, "local_infile", "0")
			w.sessionsOf(w.target, "KILL")
		}, ends: []int{0, 11}, says: `LOAD DATA LOCAL|` + lostWords},
	{name: "max_allowed_packet lowered", at: []pipelinetest.Effect{pipelinetest.Definitions, pipelinetest.Begin, pipelinetest.Load, pipelinetest.Commit, pipelinetest.Finish, pipelinetest.Promote},
		strike: func(w *mysqlWorld) { w.setGlobal(w.target, "max_allowed_packet", "1024") }, ends: []int{0, 11}, says: `max_allowed_packet`, leaves: true},
	{name: "target turned read-only", only: "mysql", strike: func(w *mysqlWorld) { w.setGlobal(w.target, "super_read_only", "1") },
		ends: []int{0, 11}, says: `error (1290|1836)`, leaves: true},
	{name: "a row that collides", statement: regexp.MustCompile("^LOAD DATA LOCAL .* INTO TABLE `[^`]*`.`orders`"),
		strike: func(w *mysqlWorld) {
			w.must(w.session(w.target, w.building()), "SET foreign_key_checks = 0", "INSERT INTO orders (id, user_id) SELECT id, 1 FROM discovery.orders")
		}, ends: []int{6}, says: `orders.*error 1062`},
	{name: "a mask that collides", at: []pipelinetest.Effect{pipelinetest.Open}, before: true,
		change: func(w *mysqlWorld, r *pipeline.Run) {
			r.Compile = faultPlan(w.key, "users.id", "users.invited_by", "orders.user_id", "users.email=")
		}, ends: []int{6}, says: `users_email_key.*error 1062`},
	{name: "a key of which one side is masked", at: []pipelinetest.Effect{pipelinetest.Open}, before: true,
		change: func(w *mysqlWorld, r *pipeline.Run) { r.Compile = faultPlan(w.key, "users.id", "users.invited_by") },
		ends:   []int{6}, says: `orders_user_id_fkey`},
}

// endure runs, struck by a fault that strike says how to set up, and tells what is not as
// it has to be.
func (w *mysqlWorld) endure(f mysqlFault, promoting bool, chaos *pipelinetest.Chaos, struck func() bool) (ended string, faults []string) {
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	_, err := w.run(ctx, chaos, func(r *pipeline.Run) {
		if f.change != nil {
			f.change(w, r)
		}
	})
	if os.Getenv("FAULTS_LOG") != "" {
		w.t.Logf("ended: %v\n%s", err, w.target.Log()[max(0, len(w.target.Log())-6000):])
	}
	w.over()
	if !struck() {
		wrong("what was to be struck never came")
	}
	if ctx.Err() != nil {
		wrong("it took more than two minutes")
	}
	exit := code(err)
	if exit >= 10 && exit < 20 && connectors.Hint(err) == "" {
		wrong("there is no hint: %v", err)
	}
	if ended = fmt.Sprintf("exit %d", exit); !slices.Contains(f.ends, exit) {
		wrong("exit code %d, want one of %d: %v", exit, f.ends, err)
	}
	if err != nil {
		w.t.Log(err)
		if f.says != "" && !regexp.MustCompile(f.says).MatchString(err.Error()) {
			wrong("the message does not name the cause: %v", err)
		}
		if faultValues.MatchString(err.Error()) {
			wrong("the message shows a value")
		}
	}
	content := w.content()
	switch {
	case err == nil && content != w.exact:
		wrong("the run succeeded, and the target is not exact:\n%s\nwant:\n%s", content, w.exact)
	case err != nil && promoting && tablesOf(content) == tablesOf(w.exact):
		// The tables have moved, and the next run ends what remains.
		ended += ", promoted"
	case err != nil && content != w.stale:
		wrong("the former target was changed:\n%s\nwas:\n%s", content, w.stale)
	}
	if err == nil || !f.leaves && content == w.stale {
		faults = append(faults, w.left(goroutines)...)
	}
	if err != nil {
		if _, err := w.run(w.t.Context(), nil, nil); err != nil {
			wrong("the next run fails: %v", err)
		} else if content := w.content(); content != w.exact {
			wrong("the next run is not exact:\n%s\nwant:\n%s", content, w.exact)
		}
		faults = append(faults, w.left(goroutines)...)
	}
	w.makeStale()
	return ended, faults
}

// mysqlFaultSample is what every test run tries of the table: one of each sort.
var mysqlFaultSample = []string{
	"a table altered at the source: before begin", "target killed and started: after write",
	"deadlock with the ledger", "disk of the target full: before read",
}

// TestFaultsMySQL is TestFaults between servers of the MySQL family: of each that is to be
// had. Beside the effects it strikes each statement by which a run changes its target.
func TestFaultsMySQL(t *testing.T) {
	all := os.Getenv("FAULTS") == "all"
	only := regexp.MustCompile(os.Getenv("FAULTS_ONLY"))
	sample := mysqlFaultSample
	if testing.Short() {
		sample = sample[:1]
	}
	for _, flavor := range connectortest.PrivateMySQLs(t) {
		t.Run(flavor, func(t *testing.T) {
			w := newMySQLWorld(t, flavor)
			c := counts{}
			for _, f := range mysqlFaults {
				if !only.MatchString(f.name) || f.only != "" && f.only != flavor {
					continue
				}
				for _, s := range f.strikes() {
					name := f.name + s.when
					if !all && !slices.Contains(sample, name) {
						continue
					}
					t.Run(strings.ReplaceAll(name, ": ", "/"), func(t *testing.T) { c.note(t, w, f.name, func() (string, []string) { return s.endure(w, f) }) })
				}
			}
			w.cutStatements(t, c, all, only)
			t.Logf("fault, survived/tried, how it ended:\n%s", c)
		})
	}
}

// strike is one moment at which a fault strikes.
type strike struct {
	when   string
	endure func(w *mysqlWorld, f mysqlFault) (string, []string)
}

// strikes lists the moments at which a fault strikes.
func (f mysqlFault) strikes() (all []strike) {
	if f.statement != nil {
		return []strike{{"", func(w *mysqlWorld, f mysqlFault) (string, []string) {
			var once sync.Once
			var struck atomic.Bool
			w.toProxy.OnStatement(func(text string) connectortest.Cut {
				if f.statement.MatchString(text) {
					once.Do(func() {
						struck.Store(true)
						f.strike(w)
					})
				}
				return connectortest.CutNothing
			})
			return w.endure(f, false, nil, struck.Load)
		}}}
	}
	effects := f.at
	if effects == nil {
		effects = pipelinetest.Effects
	}
	for _, at := range effects {
		for _, after := range []bool{false, true} {
			if after && f.before {
				continue
			}
			chaos := &pipelinetest.Chaos{At: at, After: after}
			all = append(all, strike{": " + strings.TrimSuffix(chaos.String(), " 0"), func(w *mysqlWorld, f mysqlFault) (string, []string) {
				chaos.Nth, chaos.Strike = 1, func() {
					if f.strike != nil {
						f.strike(w)
					}
				}
				if slices.Contains(inChunk, at) {
					chaos.Nth = 4 // in the middle
				}
				return w.endure(f, at == pipelinetest.Promote, chaos, chaos.Struck)
			}})
		}
	}
	return all
}

// changes matches a statement that changes something at the target.
var changes = regexp.MustCompile(`^(?:SELECT GET_LOCK|(?:CREATE|ALTER|DROP|RENAME|INSERT|REPLACE|DELETE|LOAD|COMMIT|START|ANALYZE)\b)`)

// cutStatements resets the connection of each statement that changes something at the
// target, before the server has it, and when the server has done it and the answer is under way.
func (w *mysqlWorld) cutStatements(t *testing.T, c counts, all bool, only *regexp.Regexp) {
	const name = "a statement's connection reset"
	if !only.MatchString(name) {
		return
	}
	// How many there are, an undisturbed run tells; chunks are in no order, so what the
	// n-th is differs, and is said.
	var n atomic.Int64
	w.toProxy.OnStatement(func(text string) connectortest.Cut {
		if changes.MatchString(text) {
			n.Add(1)
		}
		return connectortest.CutNothing
	})
	if _, err := w.run(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	w.toProxy.OnStatement(nil)
	w.makeStale()
	total := n.Load()
	if total < 50 {
		t.Fatalf("a run has %d statements that change something", total)
	}
	step := int64(1)
	if !all {
		step = total / 2
	}
	for at := step; at <= total; at += step {
		for _, cut := range []connectortest.Cut{connectortest.CutBefore, connectortest.CutAfter} {
			when := map[connectortest.Cut]string{connectortest.CutBefore: "before", connectortest.CutAfter: "after"}[cut]
			t.Run(fmt.Sprintf("%s/%s %d of %d", name, when, at, total), func(t *testing.T) {
				c.note(t, w, name+", "+when, func() (string, []string) {
					var n atomic.Int64
					var text atomic.Value
					var promoting atomic.Bool
					w.toProxy.OnStatement(func(sql string) connectortest.Cut {
						if !changes.MatchString(sql) {
							return connectortest.CutNothing
						}
						if strings.Contains(sql, `"promoting"`) {
							promoting.Store(true)
						}
						if n.Add(1) != at {
							return connectortest.CutNothing
						}
						text.Store(fmt.Sprintf("%.100s", strings.Join(strings.Fields(sql), " ")))
						return cut
					})
					ended, wrong := w.endure(mysqlFault{ends: []int{0}}, true, nil, func() bool { return text.Load() != nil })
					t.Logf("%v", text.Load())
					if strings.HasSuffix(ended, "promoted") && !promoting.Load() {
						wrong = append(wrong, "the target was changed before the promotion")
					}
					return ended, wrong
				})
			})
		}
	}
}

// counts tells, of each fault, how often it was tried and survived, and how runs ended.
type counts map[string]*count

type count struct {
	tried, survived int
	ends            map[string]int
	n               int // in which order it came
}

func (c counts) note(t *testing.T, w *mysqlWorld, name string, endure func() (string, []string)) {
	was := w.t
	w.t = t
	defer func() { w.t = was }()
	ended, wrong := endure()
	if c[name] == nil {
		c[name] = &count{ends: map[string]int{}, n: len(c)}
	}
	c[name].tried++
	c[name].ends[ended]++
	t.Log(ended)
	if len(wrong) == 0 && !t.Failed() {
		c[name].survived++
	}
	for _, s := range wrong {
		t.Error(s)
	}
}

// String is one line of a table for each fault.
func (c counts) String() string {
	var b strings.Builder
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int { return c[a].n - c[b].n })
	for _, name := range names {
		var ends []string
		for _, e := range slices.Sorted(maps.Keys(c[name].ends)) {
			ends = append(ends, fmt.Sprintf("%d × %s", c[name].ends[e], e))
		}
		fmt.Fprintf(&b, "| %s | %d/%d | %s |\n", name, c[name].survived, c[name].tried, strings.Join(ends, ", "))
	}
	return b.String()
}
