package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// errCut ends a promotion where a test wants its process to die.
var errCut = errors.New("cut")

// TestCutPromotion ends the process between any two steps of a promotion: the target is
// one whole copy, and the next run ends or removes what it finds.
func TestCutPromotion(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, again := range []bool{true, false} { // a former copy is there, or not
			for stop, more := 0, true; more; stop++ {
				g := openTarget(t, srv, srv.DSN(srv.Name(t)))
				if again {
					g.replace(t, shop(1), "cut") // two runs may have the same id
				}
				c := shop(2)
				b := g.begin(t, c, "cut")
				if err := b.seal(t, c); err != nil {
					t.Fatal(err)
				}
				n, at := 0, "the end"
				g.between = func(step string) error {
					if n++; n > stop {
						at = step
						return errCut
					}
					return nil
				}
				err := b.Promote(t.Context())
				if more = errors.Is(err, errCut); !more && err != nil {
					t.Fatalf("step %d: %v", stop, err)
				}
				// From there on it is the same with a former copy and without.
				more = more && (again || at != "drop the former rest")
				g.sink.Close()
				// The next run ends it before it makes anything of its own.
				h := openTarget(t, srv, srv.DSN(g.name))
				begun, err := h.Begin(t.Context(), shop(3).spec("next"))
				if err != nil {
					t.Fatalf("before %q: %v", at, err)
				}
				want := "2"
				if at == "begin" {
					want = "1"
				}
				if exists := srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(g.name)); exists == "0" {
					if again || at != "begin" {
						t.Errorf("before %q: the target is gone", at)
					}
				} else if v := h.version(t); v != want {
					t.Errorf("before %q: version %s stands at the target, want %s", at, v, want)
				}
				if err := begun.Abort(); err != nil {
					t.Fatal(err)
				}
				h.alone(t)
			}
		}
	})
}

// TestCutTwice ends the process that ends a promotion, too.
func TestCutTwice(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		g.replace(t, shop(1), "first")
		c := shop(2)
		b := g.begin(t, c, "cut")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		cutAt := func(s *sink, step string) {
			s.between = func(at string) error {
				if strings.HasPrefix(at, step) {
					return errCut
				}
				return nil
			}
		}
		cutAt(g.sink, "rename")
		if err := b.Promote(t.Context()); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		g.sink.Close()
		for _, step := range []string{"drop the former rest", "view who_else", "trigger noted", "mark", "drop the list", "drop "} {
			h := openTarget(t, srv, srv.DSN(g.name))
			cutAt(h.sink, step)
			_, err := h.Begin(t.Context(), shop(3).spec("next"))
			if step != "drop " && !errors.Is(err, errCut) {
				// Once the mark says ready, what is left is removed without a promotion.
				if step != "drop the list" {
					t.Fatalf("%s: %v", step, err)
				}
			}
			h.sink.Close()
		}
		h := openTarget(t, srv, srv.DSN(g.name))
		if err := h.begin(t, shop(3), "last").Abort(); err != nil {
			t.Fatal(err)
		}
		if v := h.version(t); v != "2" {
			t.Errorf("version %s stands at the target", v)
		}
		h.alone(t)
	})
}

// TestGuardCutPromotion has somebody put work into the target of a promotion that was cut.
func TestGuardCutPromotion(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "cut")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		g.between = func(step string) error {
			if step == "rename" {
				return errCut
			}
			return nil
		}
		if err := b.Promote(t.Context()); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		g.sink.Close()
		srv.Exec(t, g.name, "CREATE TABLE work (id INT)", "INSERT INTO work VALUES (1)")
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), shop(2).spec("next")); kindOf(err) != connectors.KindGuard {
			t.Fatalf("begin: %v", err)
		}
		if n := srv.Value(t, g.name, "SELECT COUNT(*) FROM work"); n != "1" {
			t.Errorf("%s rows", n)
		}
	})
}

// TestOtherObjects has views, tables and routines change places between two copies.
func TestOtherObjects(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		first := shop(1)
		first.table("gone", "CREATE TABLE `gone` (id INT)", "(1)")
		first.defs.Rest = append(first.defs.Rest,
			object{Kind: "view", Name: "turns", Create: "CREATE VIEW `turns` AS SELECT 1 AS id"},
			object{Kind: "trigger", Name: "old_one", Table: "orders", Create: "CREATE TRIGGER `old_one` AFTER DELETE ON `orders` FOR EACH ROW SET @x = 1"},
			object{Kind: "trigger", Name: "old_two", Table: "orders", Create: "CREATE TRIGGER `old_two` AFTER DELETE ON `orders` FOR EACH ROW SET @x = 2"},
			object{Kind: "procedure", Name: "old_procedure", Create: "CREATE PROCEDURE `old_procedure`() SELECT 1"},
			object{Kind: "event", Name: "old_event", Create: "CREATE EVENT `old_event` ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1"})
		first.defs.Rest = slices.DeleteFunc(first.defs.Rest, func(o object) bool { return o.Name == "nightly" })
		g.replace(t, first, "first")
		second := shop(2)
		second.table("turns", "CREATE TABLE `turns` (id INT)", "(2)")
		second.defs.Rest = append(second.defs.Rest, object{Kind: "view", Name: "gone", Create: "CREATE VIEW `gone` AS SELECT id FROM `turns`"})
		g.replace(t, second, "second")
		if v := g.version(t); v != "2" {
			t.Errorf("version %s stands at the target", v)
		}
		for query, want := range map[string]string{
			"SELECT id FROM gone": "2",
			"SELECT GROUP_CONCAT(TABLE_NAME ORDER BY BINARY TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()":  "_sanitize,customers,gone,orders,turns,who,who_else",
			"SELECT GROUP_CONCAT(ROUTINE_NAME ORDER BY ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()": "nothing,version_of",
			"SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()":                       "noted",
			"SELECT GROUP_CONCAT(EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()":                             "nightly",
		} {
			if got := srv.Value(t, g.name, query); got != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		g.alone(t)
	})
}

// TestUsersOfTheTarget promotes while somebody has a transaction open on a table.
func TestUsersOfTheTarget(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, triggers := range []bool{true, false} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			c := shop(1)
			if !triggers {
				c.defs.Rest = slices.DeleteFunc(c.defs.Rest, func(o object) bool { return o.Kind == "trigger" })
			}
			g.replace(t, c, "first")
			tx, err := srv.DB(t, g.name).BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("SELECT * FROM customers"); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("UPDATE customers SET version = 9"); err != nil {
				t.Fatal(err)
			}
			g.replace(t, shop(2), "second")
			if v := g.version(t); v != "2" {
				t.Errorf("version %s stands at the target", v)
			}
			if err := tx.Commit(); err == nil {
				t.Error("the session in the former copy was not ended")
			}
			g.alone(t)
		}
	})
}

// TestUsersFromElsewhere promotes while a session that is in another database has a
// transaction open on a table. MySQL tells from 8.0 on who that is; MariaDB does where its plugin is
// installed, and else the run fails and says what it waits for.
func TestUsersFromElsewhere(t *testing.T) {
	beforePatience, beforeGrace := promotePatience, promoteGrace
	promotePatience, promoteGrace = 2*time.Second, 10*time.Millisecond
	t.Cleanup(func() { promotePatience, promoteGrace = beforePatience, beforeGrace })
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			tells := srv.Flavor() == "mysql" && atLeast(srv, 8, 0) || srv.Flavor() == "mariadb" && srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO'") == "1"
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			tx, err := srv.DB(t, "").BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("UPDATE " + within(g.name, "orders") + " SET customer = NULL"); err != nil {
				t.Fatal(err)
			}
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			want := "1"
			if err := b.Promote(t.Context()); tells {
				want = "2"
				if err != nil {
					t.Fatal(err)
				}
			} else if kindOf(err) != connectors.KindUnavailable || !strings.Contains(err.Error(), "sessions hold tables") {
				t.Fatal(err)
			}
			if err := tx.Commit(); (err != nil) != tells {
				t.Errorf("the session in the former copy: %v", err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != want {
				t.Errorf("version %s stands at the target", v)
			}
			g.alone(t)
		})
	}
}

// TestStubbornUsers promotes as an account that may not end the sessions of others: after
// a while the run fails, says who waits, and the target is as it was.
func TestStubbornUsers(t *testing.T) {
	beforePatience, beforeGrace := promotePatience, promoteGrace
	promotePatience, promoteGrace = time.Second, 10*time.Millisecond
	t.Cleanup(func() { promotePatience, promoteGrace = beforePatience, beforeGrace })
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			name := srv.Name(t)
			all := []string{"ALL ON `" + likeName(name) + "%`.*"}
			switch {
			case srv.Flavor() != "mysql":
			case atLeast(srv, 8, 2):
				all = append(all, "SET_ANY_DEFINER ON *.*")
			case atLeast(srv, 8, 0):
				all = append(all, "SET_USER_ID ON *.*")
			default:
				all = append(all, "SUPER ON *.*")
			}
			trust := srv.Value(t, "", "SELECT @@GLOBAL.log_bin_trust_function_creators")
			srv.Exec(t, "", "SET GLOBAL log_bin_trust_function_creators = 1")
			t.Cleanup(func() { srv.Exec(t, "", "SET GLOBAL log_bin_trust_function_creators = "+trust) })
			g := openTarget(t, srv, srv.DSNAs(name, account(t, srv, all...), "pass"))
			g.replace(t, shop(1), "first")
			other := srv.DB(t, name)
			tx, err := other.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("UPDATE orders SET customer = NULL"); err != nil {
				t.Fatal(err)
			}
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			err = b.Promote(t.Context())
			if kindOf(err) != connectors.KindUnavailable || connectors.Hint(err) == "" || !strings.Contains(err.Error(), "sessions hold tables") {
				t.Fatalf("%v", err)
			}
			if v := g.version(t); v != "1" {
				t.Errorf("version %s stands at the target", v)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
			// Nothing was lost: the same build can be promoted now.
			if err := b.Promote(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != "2" {
				t.Errorf("version %s stands at the target", v)
			}
			g.alone(t)
		})
	}
}

// TestLostWhilePromoting cuts the session that promotes, before any step that it takes: the
// promotion goes on where it was.
func TestLostWhilePromoting(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, at := range []string{"make databases", "rename", "view who", "drop the list"} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			cut := false
			g.between = func(step string) error {
				if step == at && !cut {
					cut = true
					srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken))
				}
				return nil
			}
			if err := b.Promote(t.Context()); err != nil || !cut {
				t.Fatalf("%s: %v", at, err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != "2" {
				t.Errorf("%s: version %s stands at the target", at, v)
			}
			g.alone(t)
		}
	})
}

// TestHalfRename does some of the renames by hand, as a server may have that crashed within
// the statement and is older than those that undo it: the next run does the others.
func TestHalfRename(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for done, of := 1, 2; done <= of; done++ {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			first := shop(1)
			first.table("gone", "CREATE TABLE `gone` (id INT)", "(1)")
			first.defs.Rest = append(first.defs.Rest, object{Kind: "view", Name: "turns", Create: "CREATE VIEW `turns` AS SELECT 1 AS id"})
			g.replace(t, first, "first")
			c := shop(2)
			c.table("turns", "CREATE TABLE `turns` (id INT)", "(2)")
			b := g.begin(t, c, "cut")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			g.between = func(step string) error {
				if step == "rename" {
					return errCut
				}
				return nil
			}
			if err := b.Promote(t.Context()); !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			p := &promotion{sink: g.sink, run: "cut", build: b.database, old: g.sink.name(former, "cut"), conn: b.holder}
			renames, err := p.renames(t.Context(), b.database)
			if err != nil {
				t.Fatal(err)
			}
			g.sink.Close()
			of = len(renames)
			for _, r := range renames[:done] {
				srv.Exec(t, "", "RENAME TABLE "+r)
			}
			h := openTarget(t, srv, srv.DSN(g.name))
			if err := h.begin(t, shop(3), "next").Abort(); err != nil {
				t.Fatal(err)
			}
			if v := h.version(t); v != "2" {
				t.Errorf("%d of %d: version %s stands at the target", done, of, v)
			}
			if names := srv.Value(t, g.name, "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY BINARY TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"); names != "_sanitize,customers,orders,turns,who,who_else" {
				t.Errorf("%d of %d: %s", done, of, names)
			}
			h.alone(t)
		}
	})
}
