package pipeline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/mysql"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/pipeline/pipelinetest"
)

// mysqlFaultTables is what the fault table copies between servers of the MySQL family: keys
// both ways, a unique column that is masked, partitions, a table without a key, one without
// rows, and one of each thing that no RENAME TABLE moves.
var mysqlFaultTables = []string{
	"CREATE TABLE users (id bigint AUTO_INCREMENT PRIMARY KEY, email varchar(80) NOT NULL, invited_by bigint, plan varchar(20), UNIQUE KEY users_email_key (email), CONSTRAINT users_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users (id))",
	"CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, total int, note text, KEY orders_user_id (user_id), CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id))",
	"CREATE TABLE events (id bigint, at date NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (TO_DAYS(at)) (PARTITION a VALUES LESS THAN (TO_DAYS('2026-07-01')), PARTITION b VALUES LESS THAN MAXVALUE)",
	"CREATE TABLE log (line text)",
	"CREATE TABLE nothing (i int UNIQUE)",
	"CREATE TABLE d (i int PRIMARY KEY)",
	"INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
	"SET foreign_key_checks = 0",
	"INSERT INTO users SELECT i, CONCAT('user', i, '@source.example'), NULLIF(i DIV 2, 0), 'basic' FROM (" + mysqlSeries + ") x WHERE i <= 2000",
	"INSERT INTO orders SELECT i, 1 + i * 7 % 2000, i % 1000, REPEAT('note ', 12) FROM (" + mysqlSeries + ") x WHERE i <= 6000",
	"INSERT INTO events SELECT i, DATE '2026-01-01' + INTERVAL i % 365 DAY, REPEAT('x', 30) FROM (" + mysqlSeries + ") x WHERE i <= 3000",
	"INSERT INTO log SELECT REPEAT('line ', 20) FROM (" + mysqlSeries + ") x WHERE i <= 1000",
	"DROP TABLE d",
	"CREATE FUNCTION twice (i int) RETURNS int DETERMINISTIC RETURN 2 * i",
	"CREATE PROCEDURE forget () DELETE FROM log",
	"CREATE VIEW totals AS SELECT user_id, SUM(twice(total)) AS total FROM orders GROUP BY user_id",
	"CREATE TRIGGER noted BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = OLD.note",
	"CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' DISABLE DO CALL forget()",
	"ANALYZE TABLE users, orders, events, log, nothing",
}

const mysqlSeries = "SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i + 1 AS i FROM d a, d b, d c, d e"

// mysqlWorld is two servers of its own, which a fault may treat as it likes.
type mysqlWorld struct {
	t              *testing.T
	source, target *connectortest.PrivateMySQL
	from, to       string // through the proxies
	fromProxy      *connectortest.Proxy
	toProxy        *connectortest.Proxy
	key            *masking.Key
	exact          string // content of an undisturbed run
	stale          string // content of the former target, which differs
	temp           string
	mu             sync.Mutex // guards undo: faults strike on any goroutine
	undo           []func()
	room           []func() // give a server its disk back, without which it may not start
}

func newMySQLWorld(t *testing.T, flavor string) *mysqlWorld {
	t.Helper()
	key, err := masking.KeyFromBytes(bytes.Repeat([]byte{7}, masking.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w := &mysqlWorld{t: t, key: key, temp: t.TempDir()}
	w.source = connectortest.PrivateMySQLServer(t, flavor, 0)
	w.target = connectortest.PrivateMySQLServer(t, flavor, 320<<20, "max-connections=40")
	if w.target.Limited == "" {
		t.Log("THIS ACCOUNT MAY NOT MOUNT A SMALL DISK: the disk of the target is never full")
	}
	w.source.CreateDatabase(t, "shop")
	w.source.Exec(t, "shop", mysqlFaultTables...)
	// The proxies read statements, so there is no TLS.
	w.fromProxy, w.from = connectortest.NewProxy(t, w.source.DSN("shop")+"?ssl-mode=DISABLED")
	w.toProxy, w.to = connectortest.NewProxy(t, w.target.DSN(faultTarget)+"?ssl-mode=DISABLED")
	t.Setenv("TMPDIR", w.temp)
	if _, err := w.run(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	w.exact = w.content()
	w.makeStale()
	return w
}

// makeStale changes the target, so that it can be told from what the next run makes: rows,
// and one of each thing that does not move with them.
func (w *mysqlWorld) makeStale() {
	w.t.Helper()
	w.target.Exec(w.t, faultTarget, "DELETE FROM log", "INSERT INTO log VALUES ('former')",
		"CREATE OR REPLACE VIEW totals AS SELECT user_id, 1 AS total FROM orders", "CREATE OR REPLACE VIEW formerly AS SELECT line FROM log",
		"DROP FUNCTION IF EXISTS twice", "CREATE FUNCTION twice (i int) RETURNS int DETERMINISTIC RETURN 3 * i",
		"DROP TRIGGER IF EXISTS noted", "CREATE TRIGGER noted AFTER INSERT ON log FOR EACH ROW SET @noted = 1")
	w.stale = w.content()
}

// content is one line for each thing of the target that a run promises: the definitions of
// tables with their keys, rows by the sum of their hashes, views, routines, triggers, events.
func (w *mysqlWorld) content() string {
	w.t.Helper()
	var all []string
	db := w.target.DB(w.t, faultTarget)
	defer db.Close()
	db.SetMaxOpenConns(1)
	list := func(query string, columns ...int) (lines []string) {
		rows, err := db.Query(query)
		if err != nil {
			w.t.Fatal(query, err)
		}
		defer rows.Close()
		names, _ := rows.Columns()
		for rows.Next() {
			values, into := make([]sql.NullString, len(names)), make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				w.t.Fatal(err)
			}
			var line []string
			for i, v := range values {
				if len(columns) == 0 || slices.Contains(columns, i) {
					line = append(line, fmt.Sprintf("%v:%s", v.Valid, v.String))
				}
			}
			lines = append(lines, strings.Join(line, "|"))
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
		return lines
	}
	names := func(query string) (plain []string) {
		for _, l := range list(query) {
			plain = append(plain, strings.TrimPrefix(l, "true:"))
		}
		return plain
	}
	for _, t := range names("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_sanitize%' AND table_schema = '" + faultTarget + "' ORDER BY 1") {
		all = append(all, list("SHOW CREATE TABLE "+connectortest.QuoteMySQL(t), 1)...)
		var sum uint64
		rows := list("SELECT * FROM " + connectortest.QuoteMySQL(t))
		for _, r := range rows {
			h := sha256.Sum256([]byte(r))
			sum += binary.BigEndian.Uint64(h[:])
		}
		all = append(all, fmt.Sprintf("%s: %d rows, %x", t, len(rows), sum))
	}
	all = append(all, notTables)
	for _, query := range []string{
		"SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = 'X' ORDER BY 1",
		"SELECT routine_name, routine_type, routine_definition FROM information_schema.routines WHERE routine_schema = 'X' ORDER BY 1, 2",
		"SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_statement FROM information_schema.triggers WHERE trigger_schema = 'X' ORDER BY 1",
		"SELECT event_name, status, event_definition, interval_value, interval_field FROM information_schema.events WHERE event_schema = 'X' ORDER BY 1",
		"SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = 'X'",
	} {
		all = append(all, list(strings.ReplaceAll(query, "'X'", "'"+faultTarget+"'"))...)
	}
	return strings.Join(all, "\n")
}

// notTables stands before what no RENAME TABLE moves.
const notTables = "-- views, routines, triggers, events"

// tablesOf returns the part of a content that moves all at once.
func tablesOf(content string) string {
	tables, _, _ := strings.Cut(content, notTables)
	return tables
}

// run copies the shop, struck by chaos, with the plan that change makes of the usual one.
func (w *mysqlWorld) run(ctx context.Context, chaos *pipelinetest.Chaos, change func(*pipeline.Run)) (*pipeline.Summary, error) {
	warn := func(s string) { w.t.Log(s) }
	source, err := mysql.Connector{}.OpenSource(ctx, w.from, connectors.Options{Workers: 2, LockTimeout: 1000, Warn: warn})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	sink, err := mysql.Connector{}.OpenSink(ctx, w.to, connectors.Options{Workers: 2, Warn: warn})
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	if chaos != nil {
		source, sink = chaos.Source(source), chaos.Sink(sink)
	}
	r := &pipeline.Run{Source: source, Sink: sink, Compile: faultPlan(w.key, "users.id", "users.invited_by", "orders.user_id", "users.email"),
		Options: pipeline.Options{Workers: 2, ChunkBytes: 128 << 10, RetryWait: 20 * time.Millisecond, Limits: pipeline.Limits{Every: 50 * time.Millisecond}}}
	if change != nil {
		change(r)
	}
	return r.Do(ctx)
}

// later notes what ends with the fault.
func (w *mysqlWorld) later(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.undo = append(w.undo, f)
}

// over ends a fault: what it holds is given back, and both servers run.
func (w *mysqlWorld) over() {
	w.toProxy.OnStatement(nil)
	w.mu.Lock()
	undo, room := w.undo, w.room
	w.undo, w.room = nil, nil
	w.mu.Unlock()
	for _, f := range room {
		f()
	}
	for _, s := range []*connectortest.PrivateMySQL{w.source, w.target} {
		if err := s.Start(); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, f := range slices.Backward(undo) {
		f()
	}
}

// session opens a session beside the run, which ends when the fault is over.
func (w *mysqlWorld) session(s *connectortest.PrivateMySQL, database string) *sql.DB {
	db := s.DB(w.t, database)
	db.SetMaxOpenConns(1)
	w.later(func() { db.Close() })
	return db
}

// do runs statements of the fault, one of which may fail as part of it.
func (w *mysqlWorld) do(db *sql.DB, statements ...string) error {
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			return err
		}
	}
	return nil
}

// must is do of what has to succeed.
func (w *mysqlWorld) must(db *sql.DB, statements ...string) {
	if err := w.do(db, statements...); err != nil {
		w.t.Error(err)
	}
}

// setGlobal changes a setting of the server until the fault is over.
func (w *mysqlWorld) setGlobal(s *connectortest.PrivateMySQL, name, value string) {
	db := w.session(s, "")
	var was string
	if err := db.QueryRow("SELECT @@GLOBAL." + name).Scan(&was); err != nil {
		w.t.Error(err)
		return
	}
	// A setting may wait for what the run holds, which waits for this very strike.
	w.must(db, "SET lock_wait_timeout = 1")
	if err := w.do(db, "SET GLOBAL "+name+" = "+value); err != nil && !strings.Contains(err.Error(), "1205") {
		w.t.Error(err)
	}
	w.later(func() { w.must(db, "SET GLOBAL "+name+" = "+was) })
}

// sessionsOf does something to every session of the run there: KILL, KILL QUERY.
func (w *mysqlWorld) sessionsOf(s *connectortest.PrivateMySQL, what string) {
	db := w.session(s, "")
	rows, err := db.Query("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root'")
	if err != nil {
		w.t.Error(err)
		return
	}
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			w.t.Error(err)
		}
		ids = append(ids, id)
	}
	rows.Close()
	for _, id := range ids {
		w.do(db, fmt.Sprintf("%s %d", what, id)) // it may have ended by itself
	}
}

// building returns the database that is being built, or "".
func (w *mysqlWorld) building() string {
	return w.target.Value(w.t, "", "SELECT COALESCE(MAX(schema_name), '') FROM information_schema.schemata WHERE schema_name LIKE 'discovery\\_\\_building\\_%'")
}

// deadlock holds what the run will want, and then wants what the run holds. It has more to
// lose than the run, which the server therefore ends.
func (w *mysqlWorld) deadlock(mine, theirs string) {
	name := w.building()
	if name == "" {
		w.t.Error("there is no build to attack")
		return
	}
	met := func() string {
		return w.target.Value(w.t, "", "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'")
	}
	before := met()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	db := w.session(w.target, name)
	w.must(db, "CREATE DATABASE IF NOT EXISTS attacker", "CREATE TABLE IF NOT EXISTS attacker.weight (i bigint PRIMARY KEY, t varchar(100))",
		"START TRANSACTION", "INSERT INTO attacker.weight SELECT id, 'heavy' FROM discovery.orders", mine)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		db.ExecContext(ctx, theirs) // whose end it is that tells
		db.Exec("ROLLBACK")
	}()
	w.later(func() {
		<-done
		if met() == before {
			w.t.Error("there was no deadlock")
		}
		w.target.Exec(w.t, "", "DROP DATABASE IF EXISTS attacker")
	})
	time.Sleep(50 * time.Millisecond) // until it waits
}

// holdBriefly locks tables of a build, as a person who looks into it would, for a moment.
func (w *mysqlWorld) holdBriefly(database, tables string) {
	db := w.session(w.target, database)
	// A chunk whose commit waits for this very strike may hold one of them.
	w.must(db, "SET lock_wait_timeout = 1")
	w.do(db, "LOCK TABLES "+tables)
	released := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() {
		db.Exec("UNLOCK TABLES")
		close(released)
	})
	w.later(func() { <-released })
}

// left names what a run has left behind, once everybody had time to notice its end.
func (w *mysqlWorld) left(goroutines int) (left []string) {
	lock := sha256.Sum256([]byte("sanitize target " + faultTarget))
	leftSQL := fmt.Sprintf(`SELECT COALESCE(GROUP_CONCAT(x SEPARATOR ', '), '') FROM (
SELECT CONCAT('database ', schema_name) x FROM information_schema.schemata WHERE schema_name NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema', 'shop', 'discovery') UNION ALL
SELECT CONCAT('session ', id, ' ', COALESCE(info, '')) FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID() UNION ALL
SELECT CONCAT('table ', table_name) FROM information_schema.tables WHERE table_name LIKE '\_sanitize\_%%' UNION ALL
SELECT 'the lock' WHERE IS_FREE_LOCK('sanitize %x') = 0) l`, lock[:16])
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left = nil
		for what, s := range map[string]*connectortest.PrivateMySQL{"source": w.source, "target": w.target} {
			if l := s.Value(w.t, "", leftSQL); l != "" {
				left = append(left, "left at the "+what+": "+l)
			}
		}
		files, err := os.ReadDir(w.temp)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range files {
			left = append(left, "left the file "+f.Name())
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			left = append(left, fmt.Sprintf("%d goroutines more than before", n-goroutines))
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}
