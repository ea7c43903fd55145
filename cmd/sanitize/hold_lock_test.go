package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A snapshot whose opening waits for a lock at the source ends with the run that it is for,
// however that ends, and with its own time.
func TestHolderWaitsForALock(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	conn, err := pgx.Connect(t.Context(), s.source)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE people"); err != nil {
		t.Fatal(err)
	}
	waits := func() string {
		return a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'")
	}
	gone := func() {
		t.Helper()
		eventually(t, "the end of the session that waits", func() bool { return waits() == "0" })
	}
	begun := func(hold string) *process {
		t.Helper()
		p := start(t, s.args("run", "--hold-snapshot="+hold, "--lock-timeout", "10m")...)
		eventually(t, "the lock", func() bool { return waits() == "1" })
		return p
	}
	p := begun("1h")
	s.signal(p, os.Kill)
	p.wait(t)
	gone()

	p = begun("1h")
	s.signal(p, os.Interrupt)
	s.signal(p, syscall.SIGTERM) // another signal: of two that are alike one may be lost
	if code := p.wait(t); code != exitInterrupted {
		t.Errorf("interrupted: exit code %d, %s", code, p.stderr.String())
	}
	gone()

	p = begun("2s")
	if code := p.wait(t); code != exitSource || !strings.Contains(p.stderr.String(), "it took longer to open than the 2.0 s that it was to be held") {
		t.Errorf("its own time: exit code %d, %s", code, p.stderr.String())
	}
	gone()
	conn.Close(context.WithoutCancel(t.Context()))
	s.clean()
}

// The same of a MySQL source, where a snapshot waits for whoever has a table for himself.
func TestHolderWaitsForALockOfMySQL(t *testing.T) {
	s := newMySQLStage(t, connectortest.MySQL(t))
	conn, err := s.s.DB(t, s.source).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "LOCK TABLES people WRITE"); err != nil {
		t.Fatal(err)
	}
	waits := func() string {
		return s.s.Value(t, "", "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for%lock'")
	}
	for what, signal := range map[string]func(*process){
		"killed":      func(p *process) { p.cmd.Process.Kill() },
		"interrupted": func(p *process) { p.cmd.Process.Signal(os.Interrupt); p.cmd.Process.Signal(syscall.SIGTERM) },
	} {
		p := start(t, s.with("run", "--hold-snapshot", "--lock-timeout", "10m")...)
		eventually(t, "the lock", func() bool { return waits() != "0" })
		signal(p)
		p.wait(t)
		eventually(t, "the end of the session that waits, "+what, func() bool { return waits() == "0" })
	}
	p := start(t, s.with("run", "--hold-snapshot=2s", "--lock-timeout", "10m")...)
	if code := p.wait(t); code != exitSource || !strings.Contains(p.stderr.String(), "it took longer to open than the 2.0 s that it was to be held") {
		t.Errorf("its own time: exit code %d, %s", code, p.stderr.String())
	}
	eventually(t, "the end of the session that waits", func() bool { return waits() == "0" })
}

// A run of a target that another holds says so before it opens anything at production.
func TestBusyBeforeProductionIsRead(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	first := start(t, s.args("run", "--hold-snapshot")...)
	s.copying(first) // and stands still
	s.source = a.Database(t)
	a.Exec(t, s.source, queue)
	conn, err := pgx.Connect(t.Context(), s.source)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE people"); err != nil { // for which a snapshot would wait
		t.Fatal(err)
	}
	for _, args := range [][]string{s.args("run"), s.args("run", "--hold-snapshot"), s.args("resume")} {
		p := start(t, append(args, "--lock-timeout", "1s")...)
		if code := p.wait(t); code != exitBusy || !strings.Contains(p.stderr.String(), "another run holds it") {
			t.Errorf("%q: exit code %d, %s", args, code, p.stderr.String())
		}
	}
	conn.Close(context.WithoutCancel(t.Context()))
	s.signal(first, syscall.SIGCONT)
	if code := first.wait(t); code != 0 {
		t.Errorf("the first: exit code %d, %s", code, first.stderr.String())
	}
	s.clean(s.name)
}
