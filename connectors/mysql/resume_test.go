package mysql

import (
	"context"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A seal that fails when it sets the mark leaves a build that can be gone on with, with its
// ledger; the promotion leaves no ledger in the target.
func TestSealCut(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "cut")
		counts := b.fill(t, c)
		if err := b.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		other, err := g.connect(t.Context(), b.database)
		if err != nil {
			t.Fatal(err)
		}
		defer other.close()
		exec := func(s *session, sql string) {
			if err := s.exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		exec(other, "START TRANSACTION")
		if _, err := other.word(t.Context(), "SELECT mark FROM "+markTable+" FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		exec(b.holder, "SET SESSION innodb_lock_wait_timeout = 1")
		if err := b.Seal(t.Context(), counts); numberOf(err) != 1205 {
			t.Fatalf("the mark is locked: %v", err)
		}
		if err := b.Keep(); err != nil {
			t.Fatal(err)
		}
		exec(other, "ROLLBACK")
		u, err := g.Unfinished(t.Context())
		if err != nil || u == nil || len(u.Receipts) != 2 {
			t.Fatalf("what was left: %+v, %v", u, err)
		}
		spec := c.spec("cut")
		spec.Definitions, spec.Fingerprint = u.Definitions, u.Fingerprint
		again, err := g.Resume(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Abort()
		for _, step := range []func(context.Context) error{again.Finish, func(ctx context.Context) error { return again.Seal(ctx, counts) }, again.Promote} {
			if err := step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := again.Abort(); err != nil {
			t.Fatal(err)
		}
		if v := g.version(t); v != "1" {
			t.Errorf("version %s", v)
		}
		g.alone(t)
	})
}
