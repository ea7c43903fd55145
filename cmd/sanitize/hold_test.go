package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Hold, for a script: two runs see one instant, and the end of its input ends it.
func TestHold(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	s := newStage(t, a, b)
	want := s.undisturbed()
	p := prepare("hold", "--from", s.source, "--json")
	p.cmd.Stdout = nil
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.run(t)
	var held holdReport
	if err := json.NewDecoder(output).Decode(&held); err != nil {
		t.Fatal(err)
	}
	s.late()
	for range 2 {
		sanitize(t, s.args("run", "--snapshot", held.Snapshot, "--quiet")...)
		if got := s.content(s.target); got != want {
			t.Errorf("joined:\n%s\nundisturbed:\n%s", got, want)
		}
	}
	// A run whose key ends with it joins as well, and nobody is told to go on with it.
	policy := read(t, s.policy)
	if err := os.WriteFile(s.policy, []byte(strings.Replace(string(policy), `{from: "file:queue.key"}`, "{from: ephemeral}", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	once := start(t, s.args("run", "--snapshot", held.Snapshot)...)
	s.copying(once)
	s.signal(once, os.Interrupt)
	s.signal(once, syscall.SIGCONT)
	if code := once.wait(t); code != exitInterrupted || !strings.Contains(once.stderr.String(), "hint: run anew: the key of the run was ephemeral, ") || strings.Contains(once.stderr.String(), "resume") {
		t.Errorf("exit code %d: %s", code, once.stderr.String())
	}
	sanitize(t, s.args("run", "--snapshot", held.Snapshot, "--quiet")...)
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 || !strings.Contains(p.stderr.String(), "gave the snapshot back") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	if code := start(t, s.args("run", "--snapshot", held.Snapshot)...).wait(t); code != exitSnapshot {
		t.Errorf("a snapshot that nobody holds: exit code %d", code)
	}
	s.clean(s.name)
}

// A script that waits for a token learns that none came: hold that is interrupted while it opens
// its snapshot says so, and its exit code, too.
func TestHoldInterruptedBefore(t *testing.T) {
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
	p := start(t, "hold", "--from", s.source, "--lock-timeout", "10m")
	eventually(t, "the lock", func() bool {
		return a.Value(t, a.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'") == "1"
	})
	s.signal(p, syscall.SIGTERM)
	code := p.wait(t)
	if want := "sanitize: interrupted before there was a snapshot to hold: no token was printed\n"; code != exitInterrupted || p.stdout.Len() > 0 || p.stderr.String() != want {
		t.Errorf("exit code %d, printed %q, said %q", code, p.stdout.String(), p.stderr.String())
	}
}
