package connectortest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// CrashablePostgres starts a server of the test's own on this machine, which Crash may
// crash. It ends with the test. No server of a DSN will do: its processes may be elsewhere.
func CrashablePostgres(tb testing.TB) *PostgresServer {
	tb.Helper()
	bin := postgresBin()
	if bin == "" {
		if err := aptInstall("postgresql", "postgresql-contrib"); err != nil {
			tb.Fatalf("connectortest: a server that can be crashed needs binaries on this machine: apt-get install postgresql (%v)", err)
		}
		bin = postgresBin()
	}
	s, err := startLocalPostgres(bin)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Crash kills a process of the server. The postmaster takes shared memory for damaged, ends
// every session without a word, and recovers from the log: what was committed with
// synchronous_commit off and not written yet is lost, and unlogged tables are empty. It
// returns when the server takes connections again.
func (s *PostgresServer) Crash(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	victim, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer victim.Close(ctx)
	witness, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer witness.Close(ctx)
	process, err := os.FindProcess(int(victim.PgConn().PID()))
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		tb.Fatalf("crash: %v", err)
	}
	for err == nil { // until the postmaster has ended all sessions
		_, err = witness.Exec(ctx, "SELECT")
	}
	for {
		err := s.ping(time.Second)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			tb.Fatalf("crash: the server does not come back: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
