package mysql

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

func TestGuard(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Database(t)
		refused := func(what string) {
			t.Helper()
			g := openTarget(t, srv, srv.DSN(name))
			_, err := g.Begin(t.Context(), shop(1).spec("guarded"))
			if kindOf(err) != connectors.KindGuard || connectors.Hint(err) == "" {
				t.Errorf("%s: %v", what, err)
			}
			g.alone(t)
		}
		for what, sql := range map[string][2]string{
			"somebody's view": {"CREATE VIEW work AS SELECT 1", "DROP VIEW work"}, "somebody's function": {"CREATE FUNCTION work() RETURNS INT DETERMINISTIC RETURN 1", "DROP FUNCTION work"},
			"somebody's event": {"CREATE EVENT work ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1", "DROP EVENT work"},
		} {
			srv.Exec(t, name, sql[0])
			refused(what)
			srv.Exec(t, name, sql[1])
		}
		srv.Exec(t, name, "CREATE TABLE work (id INT)")
		refused("somebody's work")
		// A copy of a target, under another name, is somebody's work.
		other := openTarget(t, srv, srv.DSN(srv.Name(t)))
		other.replace(t, shop(1), "first")
		srv.Exec(t, name, "CREATE TABLE _sanitize SELECT * FROM "+within(other.name, "_sanitize"))
		refused("a copy of a target")
		if n := srv.Value(t, name, "SELECT COUNT(*) FROM work"); n != "0" {
			t.Errorf("%s rows", n)
		}

		// What comes while the build is made is refused too.
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "late")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		srv.Exec(t, "", "CREATE DATABASE "+ident(g.name))
		srv.Exec(t, g.name, "CREATE TABLE work (id INT)")
		if err := b.Promote(t.Context()); kindOf(err) != connectors.KindGuard {
			t.Errorf("promote: %v", err)
		}
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		if n := srv.Value(t, g.name, "SELECT COUNT(*) FROM work"); n != "0" {
			t.Errorf("%s rows", n)
		}
		g.alone(t)
	})
}

// A database that is there and empty, as hosters give it, is taken, with the source's
// character set. A run that fails leaves it there.
func TestGivenTarget(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		srv.Exec(t, "", "CREATE DATABASE "+ident(g.name)+" CHARACTER SET latin1")
		there := func() string {
			return srv.Value(t, "", "SELECT COALESCE(MAX(DEFAULT_COLLATION_NAME), 'gone') FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(g.name))
		}
		c := shop(1)
		b := g.begin(t, c, "failing")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		g.between = func(step string) error {
			if step == "rename" {
				cancel()
			}
			return nil
		}
		if err := b.Promote(ctx); err == nil {
			t.Fatal("it goes on")
		}
		g.between = nil
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		if got := there(); got != "latin1_swedish_ci" {
			t.Fatalf("after a run that failed the target is %s", got)
		}
		g.replace(t, c, "third")
		if v := g.version(t); v != "1" || there() != "utf8mb4_bin" {
			t.Errorf("version %s in %s", v, there())
		}
		g.replace(t, shop(2), "fourth")
		g.alone(t)
	})
}

func TestBusy(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "holder")
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), c.spec("other")); kindOf(err) != connectors.KindBusy {
			t.Fatalf("a second run: %v", err)
		}
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		if err := b.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		if err := h.begin(t, c, "other").Abort(); err != nil {
			t.Fatal(err)
		}
		g.alone(t)
	})
}

// TestLostHolder cuts the session that holds the target: the lock is taken again, unless
// another run has it.
func TestLostHolder(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "holder")
		srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken))
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), c.spec("other")); kindOf(err) != connectors.KindBusy {
			t.Fatalf("a second run: %v", err)
		}
		// Should the server never notice that it is gone, the lock does not stay for a week.
		if idle, err := b.holder.number(t.Context(), "SELECT @@SESSION.wait_timeout"); err != nil || idle != int64(holderIdle/time.Second) {
			t.Errorf("wait_timeout is %d, %v", idle, err)
		}
		srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken))
		for { // the server ends it a moment later
			other, err := h.Begin(t.Context(), shop(2).spec("other"))
			if err == nil {
				defer other.Abort()
				break
			}
			if kindOf(err) != connectors.KindBusy {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := b.Promote(t.Context()); kindOf(err) != connectors.KindBusy {
			t.Errorf("a run that has lost its target promotes: %v", err)
		}
		if err := b.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
	})
}

// TestCrashedServer has a server lose what it had committed, as one does that does not wait
// for its disk: the run fails for want of the server, not of the copy.
func TestCrashedServer(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "crashed")
		counts := b.fill(t, c)
		srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken)) // no crash spares a session
		srv.Exec(t, b.database, "DELETE FROM orders", "DELETE FROM "+ledgerTable+" WHERE name = 'orders'")
		if err := b.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Seal(t.Context(), counts); kindOf(err) != connectors.KindUnavailable || !strings.Contains(err.Error(), "orders") {
			t.Errorf("%v", err)
		}
	})
}

// TestLeftovers leaves builds of two targets whose names begin alike; each run removes
// what is of its own target.
func TestLeftovers(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		long := name + strings.Repeat("x", nameLimit-len(name)-1)
		targets := []*target{openTarget(t, srv, srv.DSN(name)), openTarget(t, srv, srv.DSN(name+"__building_b")), openTarget(t, srv, srv.DSN(long+"1")), openTarget(t, srv, srv.DSN(long+"2"))}
		if stem(long+"1") == stem(long+"2") {
			t.Fatal("two targets share a stem")
		}
		var names []string
		for i, g := range targets {
			c := shop(i + 1)
			g.replace(t, c, "first")
			b := g.begin(t, c, "left")
			b.fill(t, c)
			names = append(names, b.database)
			g.sink.Close()
			srv.Exec(t, "", "CREATE DATABASE "+ident(g.sink.name(building, "early"))) // killed before it was marked
			srv.Exec(t, "", "CREATE DATABASE "+ident(g.sink.name(former, "early")), "CREATE TABLE "+within(g.sink.name(former, "early"), markTable)+createMark)
		}
		exists := func(database string) bool {
			return srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(database)) == "1"
		}
		for i, g := range targets {
			h := openTarget(t, srv, srv.DSN(g.name))
			if err := h.begin(t, shop(9), "next").Abort(); err != nil {
				t.Fatal(err)
			}
			for j, n := range names {
				if exists(n) != (j > i) {
					t.Errorf("after a run to the target %d, the build of %d exists: %t", i, j, exists(n))
				}
			}
			for _, infix := range []string{building, former} {
				if exists(h.sink.name(infix, "early")) {
					t.Errorf("an empty database is left: %s", h.sink.name(infix, "early"))
				}
			}
			if v := h.version(t); v != fmt.Sprint(i+1) {
				t.Errorf("version %s stands at the target", v)
			}
		}
	})
}

var accounts atomic.Int64

// account makes an account that has those rights, and returns its name.
func account(t *testing.T, srv *connectortest.MySQLServer, grants ...string) string {
	t.Helper()
	name := fmt.Sprintf("u%d_%d", time.Now().UnixNano()%1e9, accounts.Add(1))
	srv.Exec(t, "", "CREATE USER "+name+"@'%' IDENTIFIED BY 'pass'")
	t.Cleanup(func() { srv.Exec(t, "", "DROP USER "+name+"@'%'") })
	for _, g := range grants {
		srv.Exec(t, "", "GRANT "+g+" TO "+name+"@'%'")
	}
	return name
}

// likeName is a name within the pattern of a grant.
func likeName(name string) string { return strings.ReplaceAll(name, "_", `\_`) }

// TestRights says what an account lacks before anything is made.
func TestRights(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		g := openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+"`.*"), "pass"))
		_, err := g.Begin(t.Context(), shop(1).spec("first"))
		if kindOf(err) != connectors.KindUnavailable || !strings.Contains(connectors.Hint(err), likeName(name)+`\_\_%`) {
			t.Errorf("%v; %s", err, connectors.Hint(err))
		}
		g.alone(t)
		g = openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+`\_\_%`+"`.*"), "pass"))
		if _, err := g.Begin(t.Context(), shop(1).spec("first")); kindOf(err) != connectors.KindUnavailable {
			t.Errorf("%v", err)
		}
		g.alone(t)
		if srv.Flavor() != "mysql" {
			return // the server's log of changes asks for more there
		}
		g = openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+"%`.*"), "pass"))
		if _, err := g.Begin(t.Context(), shop(1).spec("first")); kindOf(err) != connectors.KindUnavailable || !strings.Contains(connectors.Hint(err), "log_bin_trust_function_creators") {
			t.Errorf("%v; %s", err, connectors.Hint(err))
		}
		g.alone(t)
	})
}

func TestIdentity(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		a, err := openTarget(t, srv, srv.DSN(name)).Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := openTarget(t, srv, strings.Replace(srv.DSN(name), "127.0.0.1", "localhost", 1)).Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !a.Same(b) || a.Display == b.Display {
			t.Errorf("%+v and %+v", a, b)
		}
		for _, other := range connectortest.MySQLServers(t) {
			c, err := openTarget(t, other, other.DSN(name)).Identity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if a.Same(c) != (other == srv) {
				t.Errorf("%+v and %+v", a, c)
			}
		}
	})
}

// logged reports whether the server's binary log tells of a database.
func logged(t *testing.T, srv *connectortest.MySQLServer, database string) bool {
	t.Helper()
	db := srv.DB(t, "")
	last := func(query string, each func(columns []sql.RawBytes)) {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, at := make([]sql.RawBytes, len(names)), make([]any, len(names))
		for i := range values {
			at[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			each(values)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	var logs []string
	last("SHOW BINARY LOGS", func(v []sql.RawBytes) { logs = append(logs, string(v[0])) })
	found := false
	for _, log := range logs {
		last("SHOW BINLOG EVENTS IN "+literal(log), func(v []sql.RawBytes) {
			found = found || strings.Contains(string(v[len(v)-1]), database)
		})
	}
	return found
}

// TestUnlogged builds outside of the binary log where the account may, and goes on in the
// way that the former copy was built in: a replica that has it would miss what is renamed.
func TestUnlogged(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		if srv.Value(t, "", "SELECT @@log_bin") != "1" {
			return // there is nothing to keep out of
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		g.replace(t, shop(1), "first")
		g.replace(t, shop(2), "second")
		followed := srv.Value(t, "", "SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'") == "1"
		if logged(t, srv, g.name) != followed {
			t.Errorf("the log tells of the target: %t", !followed)
		}
		name := srv.Name(t)
		c := shop(1)
		c.defs.Rest = slices.DeleteFunc(c.defs.Rest, func(o object) bool {
			return o.Kind == "trigger" || o.Kind == "function" || o.Name == "who" || o.Name == "who_else"
		})
		h := openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+"%`.*"), "pass"))
		h.replace(t, c, "first")
		openTarget(t, srv, srv.DSN(name)).replace(t, c, "second")
		if !logged(t, srv, name+former+"second") {
			t.Error("the log does not tell of the promotion of a target that is in it")
		}
	})
}

// TestKilled kills a process with SIGKILL at stages of its run. Whatever it was doing, the
// next run succeeds and leaves nothing.
func TestKilled(t *testing.T) {
	if stage := os.Getenv("KILLED_STAGE"); stage != "" {
		runUntil(t, os.Getenv("KILLED_TO"), stage)
		return
	}
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			name := srv.Name(t)
			openTarget(t, srv, srv.DSN(name)).replace(t, shop(1), "first")
			for _, stage := range []string{"begun", "loading", "loaded", "finished", "sealed", "rename", "view who"} {
				cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
				cmd.Env = append(os.Environ(), "KILLED_STAGE="+stage, "KILLED_TO="+srv.DSN(name), fmt.Sprint("KILLED_BARE=", !newer(srv, 8, 0)))
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				reached := false
				for !reached && lines.Scan() {
					reached = lines.Text() == "reached "+stage
				}
				cmd.Process.Kill()
				cmd.Wait()
				if !reached {
					t.Fatalf("%s: the process ended before", stage)
				}
				want := "1"
				if stage == "view who" {
					want = "2" // of its tables
				}
				if got := srv.Value(t, name, "SELECT MIN(version) FROM customers"); got != want {
					t.Errorf("%s: version %s stands at the target", stage, got)
				}
				if stage == "rename" {
					want = "2" // it was begun, so the next run ends it
				}
				g := openTarget(t, srv, srv.DSN(name))
				for until := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					// The server may need a moment to notice that the process is gone.
					b, err := g.Begin(t.Context(), shop(3).spec("next"))
					if kindOf(err) == connectors.KindBusy && time.Now().Before(until) {
						continue
					}
					if err != nil {
						t.Fatalf("%s: %v", stage, err)
					}
					if err := b.Abort(); err != nil {
						t.Fatal(err)
					}
					break
				}
				if v := g.version(t); v != want {
					t.Errorf("%s: version %s stands at the target", stage, v)
				}
				g.alone(t)
				g.replace(t, shop(1), "again")
			}
		})
	}
}

// runUntil runs a copy to a stage, says so, and waits to be killed.
func runUntil(t *testing.T, to, stage string) {
	reach := func(s string) error {
		if s == stage {
			fmt.Println("reached " + s)
			time.Sleep(time.Minute)
		}
		return nil
	}
	g := openTarget(t, nil, to)
	g.between, g.bare = reach, os.Getenv("KILLED_BARE") == "true"
	c := shop(2)
	b := g.begin(t, c, "killed")
	reach("begun")
	if stage == "loading" {
		s, err := b.take(t.Context(), "load")
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{"BEGIN", "INSERT INTO customers VALUES (1, 1)"} {
			if err := s.exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		reach(stage)
	}
	counts := b.fill(t, c)
	reach("loaded")
	if err := b.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	reach("finished")
	if err := b.Seal(t.Context(), counts); err != nil {
		t.Fatal(err)
	}
	reach("sealed")
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestNames has names that need quotes, everywhere.
func TestNames(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)+" T`ü%_'\"?"))
		c := shop(1)
		c.table("a `b` ü'%", "CREATE TABLE `a ``b`` ü'%` (id INT)", "(1)")
		c.defs.Rest = append(c.defs.Rest, object{Kind: "view", Name: "v `w` é", Create: "CREATE VIEW `v ``w`` é` AS SELECT 'é' AS `x ü`", Charset: "latin1", Collation: "latin1_swedish_ci"},
			object{Kind: "trigger", Name: "t `u` é", Table: "orders", Mode: "ANSI_QUOTES", Create: "CREATE TRIGGER \"t `u` é\" BEFORE DELETE ON \"orders\" FOR EACH ROW SET @x = 'é'", Charset: "utf8mb4", Collation: "utf8mb4_bin"})
		for i := range 2 {
			g.replace(t, c, fmt.Sprintf("run%d", i))
		}
		if got := srv.Value(t, g.name, "SELECT HEX(CONVERT(`x ü` USING utf8mb4)) FROM `v ``w`` é`"); got != "C3A9" {
			t.Errorf("the view gives %s", got)
		}
		g.alone(t)
		first, last := openTarget(t, srv, srv.DSN(srv.Name(t)+"_"+strings.Repeat("ü", 30))), 0
		for n := range stem(first.name) {
			last = n
		}
		if last == 0 || utf8.RuneCountInString(first.sink.name(building, strings.Repeat("r", runLimit))) > nameLimit {
			t.Errorf("the name beside the target is too long: %s", first.sink.name(building, strings.Repeat("r", runLimit)))
		}
		first.replace(t, shop(1), strings.Repeat("r", runLimit))
	})
}

// A lock that its owner lets go of between the question for it and the question for the owner
// is taken.
func TestLockLetGo(t *testing.T) {
	onServers(t, func(t *testing.T, s *connectortest.MySQLServer) {
		name := s.Name(t)
		g := openTarget(t, s, s.DSN(name))
		b := g.begin(t, shop(1), "first")
		defer b.Abort()
		u, err := url.Parse(s.DSN(name))
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = "ssl-mode=disabled"
		proxy, through := connectortest.NewProxy(t, u.String())
		conn, err := openTarget(t, s, through).admin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer b.sink.release(conn)
		proxy.OnStatement(func(sql string) connectortest.Cut {
			if strings.Contains(sql, "IS_USED_LOCK") {
				if err := b.holder.exec(t.Context(), "DO RELEASE_LOCK("+literal(b.lock())+")"); err != nil {
					t.Error(err)
				}
			}
			return connectortest.CutNothing
		})
		if _, err := b.retake(t.Context(), conn); err != nil {
			t.Error(err)
		}
	})
}

// A session that has taken the lock again, and was given up before anybody could use it, is
// known to be ours.
func TestLockOfAGivenUpSession(t *testing.T) {
	onServers(t, func(t *testing.T, s *connectortest.MySQLServer) {
		g := openTarget(t, s, s.DSN(s.Name(t)))
		b := g.begin(t, shop(1), "first")
		defer b.Abort()
		b.holder.close()
		again := func() error {
			conn, err := g.admin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.close() })
			_, err = b.retake(t.Context(), conn)
			return err
		}
		s.Exec(t, b.database, "RENAME TABLE _sanitize TO aside")
		if err := again(); kindOf(err) != connectors.KindBusy || !strings.Contains(err.Error(), "not there any more") {
			t.Fatal(err)
		}
		s.Exec(t, b.database, "RENAME TABLE aside TO _sanitize")
		if err := again(); err != nil {
			t.Error(err)
		}
	})
}
