package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// TestInterruptedPromotion interrupts before each step of a promotion. Up to the moving of
// the tables the target stays as it was; what comes behind it is done all the same.
func TestInterruptedPromotion(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for stop, more, moved := 0, true, false; more; stop++ {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			n, at := 0, "the end"
			more = false
			g.between = func(step string) error {
				if n++; n == stop+1 {
					at, more = step, true
					cancel()
				}
				return nil
			}
			err := b.Promote(ctx)
			cancel()
			want := "1"
			if moved {
				want = "2"
				if err != nil {
					t.Fatalf("before %q: %v", at, err)
				}
			} else if !errors.Is(err, context.Canceled) {
				t.Fatalf("before %q: %v", at, err)
			}
			moved = moved || at == "rename"
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != want {
				t.Errorf("before %q: version %s stands at the target, want %s", at, v, want)
			}
			g.alone(t)
		}
	})
}

// TestInterruptedResumption interrupts a run that ends the promotion of a killed one: the
// target is one whole copy, too.
func TestInterruptedResumption(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for at, want := range map[string]string{"make databases": "1", "rename": "1", "drop the former rest": "2", "trigger noted": "2", "drop the list": "2"} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			c := shop(2)
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
			h := openTarget(t, srv, srv.DSN(g.name))
			ctx, cancel := context.WithCancel(t.Context())
			h.between = func(step string) error {
				if step == at {
					cancel()
				}
				return nil
			}
			_, err := h.Begin(ctx, shop(3).spec("next"))
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("before %q: %v", at, err)
			}
			if v := h.version(t); v != want {
				t.Errorf("before %q: version %s stands at the target, want %s", at, v, want)
			}
			h.between = nil
			if err := h.begin(t, shop(3), "last").Abort(); err != nil {
				t.Fatal(err)
			}
			if v := h.version(t); v != "2" {
				t.Errorf("before %q: version %s stands at the target in the end", at, v)
			}
			h.alone(t)
		}
	})
}

// hold begins a transaction in a database, with a statement that locks a table of the target.
func (g *target) hold(t *testing.T, database, statement string) *sql.Tx {
	t.Helper()
	tx, err := g.srv.DB(t, database).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return tx
}

// waits tells whether a statement about the target waits for others.
func (g *target) waits(t *testing.T) bool {
	return g.srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%' AND LOCATE("+literal(ident(g.name))+", INFO) > 0") != "0"
}

// patient has a promotion wait for others, and end nobody.
func patient(t *testing.T, wait time.Duration) {
	beforePatience, beforeGrace := promotePatience, promoteGrace
	promotePatience, promoteGrace = wait, time.Hour
	t.Cleanup(func() { promotePatience, promoteGrace = beforePatience, beforeGrace })
}

// TestInterruptedWait interrupts while the promotion waits for somebody who reads or has
// changed a table of the target: it gives up, at the server too, and nothing has moved.
func TestInterruptedWait(t *testing.T) {
	patient(t, time.Minute)
	for _, srv := range connectortest.MySQLServers(t) {
		for what, statement := range map[string]string{"reader": "SELECT COUNT(*) FROM %s", "writer": "UPDATE %s SET customer = NULL"} {
			t.Run(srv.Flavor()+"/"+what, func(t *testing.T) {
				g := openTarget(t, srv, srv.DSN(srv.Name(t)))
				first := shop(1)
				// A trigger of the target is dropped before, and would wait in its place.
				first.defs.Rest = slices.DeleteFunc(first.defs.Rest, func(o object) bool { return o.Kind == "trigger" })
				g.replace(t, first, "first")
				c := shop(2)
				b := g.begin(t, c, "second")
				if err := b.seal(t, c); err != nil {
					t.Fatal(err)
				}
				tx := g.hold(t, "", fmt.Sprintf(statement, within(g.name, "orders")))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- b.Promote(ctx) }()
				for !g.waits(t) {
					select {
					case err := <-ended:
						t.Fatalf("it does not wait: %v", err)
					case <-time.After(10 * time.Millisecond):
					}
				}
				cancel()
				select {
				case err := <-ended:
					if !errors.Is(err, context.Canceled) || connectors.Changed(err) {
						t.Fatal(err)
					}
				case <-time.After(15 * time.Second):
					t.Fatal("it goes on waiting")
				}
				if g.waits(t) {
					t.Error("the statement waits on at the server")
				}
				if n := srv.Value(t, g.name, "SELECT MAX(version) FROM customers"); n != "1" {
					t.Errorf("version %s stands at the target", n)
				}
				if err := tx.Commit(); err != nil {
					t.Errorf("who holds the table: %v", err)
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
}

// TestInterruptedRename interrupts when the statement that moves the tables is under way, or
// when its connection was lost before the server had it, or before the answer came: the run
// says what has become of the target.
func TestInterruptedRename(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, c := range []struct {
			name string
			at   string // the statement at which the interrupt comes
			cut  connectortest.Cut
			want string // the version at the target; "" is either
		}{
			{"under way", "RENAME TABLE", connectortest.CutNothing, ""},
			{"lost before", "SELECT GET_LOCK", connectortest.CutBefore, "1"},
			{"lost behind", "SELECT GET_LOCK", connectortest.CutAfter, "2"},
		} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			u, err := url.Parse(srv.DSN(g.name))
			if err != nil {
				t.Fatal(err)
			}
			u.RawQuery = "ssl-mode=disabled"
			proxy, through := connectortest.NewProxy(t, u.String())
			b := openTarget(t, srv, through).begin(t, shop(2), "second")
			if err := b.seal(t, shop(2)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var sent atomic.Bool
			proxy.OnStatement(func(sql string) connectortest.Cut {
				cut := connectortest.CutNothing
				if strings.HasPrefix(sql, "RENAME TABLE") && !sent.Swap(true) {
					cut = c.cut
				}
				if sent.Load() && strings.HasPrefix(sql, c.at) {
					cancel()
				}
				return cut
			})
			err = b.Promote(ctx)
			if err != nil && (!errors.Is(err, context.Canceled) || connectors.Changed(err)) || ctx.Err() == nil {
				t.Errorf("%s: %v", c.name, err)
			}
			want := map[bool]string{true: "2", false: "1"}[err == nil]
			if c.want != "" && c.want != want {
				t.Errorf("%s: %v", c.name, err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != want {
				t.Errorf("%s: version %s stands at the target, want %s", c.name, v, want)
			}
			g.alone(t)
		}
	})
}

// TestInterruptedForLong has the server not do in time what remains when the tables have
// moved: the run says that the target is not as it was, and the next one ends it.
func TestInterruptedForLong(t *testing.T) {
	patient(t, time.Second)
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			g.replace(t, shop(1), "first")
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var tx *sql.Tx
			g.between = func(step string) error {
				if step == "trigger noted" {
					cancel()
					tx = g.hold(t, "", "UPDATE "+within(g.name, "customers")+" SET version = version")
				}
				return nil
			}
			err := b.Promote(ctx)
			if !connectors.Changed(err) || errors.Is(err, context.Canceled) || kindOf(err) != connectors.KindUnavailable || connectors.Hint(err) == "" {
				t.Fatal(err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			g.between = nil
			if err := g.begin(t, shop(3), "third").Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != "2" {
				t.Errorf("version %s stands at the target", v)
			}
			g.alone(t)
		})
	}
}

// TestInterruptedWithoutTriggers interrupts when the triggers of the target are gone, and
// somebody reads its table: they are put back, or the run says that they are not.
func TestInterruptedWithoutTriggers(t *testing.T) {
	for _, srv := range connectortest.MySQLServers(t) {
		for _, ends := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", srv.Flavor(), ends), func(t *testing.T) {
				patient(t, time.Second)
				if ends {
					promotePatience, promoteGrace = time.Minute, 10*time.Millisecond
				}
				g := openTarget(t, srv, srv.DSN(srv.Name(t)))
				g.replace(t, shop(1), "first")
				b := g.begin(t, shop(2), "second")
				if err := b.seal(t, shop(2)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				g.between = func(step string) error {
					if step == "rename" {
						cancel() // from here on the promotion ends nobody, up to its undoing
						g.hold(t, g.name, "SELECT COUNT(*) FROM customers")
					}
					return nil
				}
				err := b.Promote(ctx)
				if connectors.Changed(err) == ends || errors.Is(err, context.Canceled) != ends {
					t.Fatal(err)
				}
				if err := b.Abort(); err != nil {
					t.Fatal(err)
				}
				if !ends {
					return
				}
				if v := g.version(t); v != "1" {
					t.Errorf("version %s stands at the target", v)
				}
				g.alone(t)
			})
		}
	}
}
