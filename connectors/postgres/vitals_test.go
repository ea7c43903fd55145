package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// heard collects warnings.
type heard struct {
	mu   sync.Mutex
	said []string
}

func (h *heard) warn(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, s)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.said, "\n")
}

func vitals(t *testing.T, s connectors.Snapshot) connectors.Vitals {
	t.Helper()
	v, err := s.(connectors.Watcher).Vitals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What a snapshot holds back grows with the transactions of others; its age grows with
// time; a standby's lag is there when there is a standby, and only where the account may see it.
func TestVitals(t *testing.T) {
	a := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (i int)", "CREATE ROLE reader LOGIN PASSWORD 'r'", "GRANT SELECT ON t TO reader")
	s, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := vitals(t, s)
	if first.Held == nil || *first.Held > 2 || first.Age == nil || *first.Age < 0 || first.Lag != nil || first.LagBytes != nil || first.Replay != nil {
		t.Errorf("at first: %+v", first)
	}
	for range 30 {
		a.Exec(t, dsn, "INSERT INTO t VALUES (1)")
	}
	then := vitals(t, s)
	if then.Held == nil || *then.Held < 30 || *then.Held > 40 || *then.Age <= *first.Age || *then.Age > time.Minute {
		t.Errorf("after 30 transactions: held %d, %s old; at first %s", *then.Held, *then.Age, *first.Age)
	}
	if took, err := s.(connectors.Watcher).Latency(t.Context()); err != nil || took <= 0 || took > 5*time.Second {
		t.Errorf("latency %s, %v", took, err)
	}

	// A question that fails, and a session that is lost, cost the snapshot nothing.
	a.Exec(t, dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sanitize' AND backend_xmin IS NULL AND state = 'idle'")
	if _, err := s.(connectors.Watcher).Latency(t.Context()); err == nil || errors.Is(err, connectors.ErrUnanswered) {
		t.Errorf("of a session that was ended: %v", err)
	}
	if v := vitals(t, s); v.Held == nil || *v.Held < 30 {
		t.Errorf("from a new session: %+v", v)
	}
	if layout, err := s.Layout(s.Catalog().Tables[0].ID, nil); err != nil {
		t.Error(err)
	} else if chunks, err := s.Split(t.Context(), layout.Table.ID, 0); err != nil {
		t.Error(err)
	} else {
		for _, c := range chunks {
			b, err := s.Read(t.Context(), c, layout)
			if err != nil {
				t.Fatalf("the snapshot is lost: %v", err)
			}
			b.Close()
		}
	}

	standby := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{StandbyOf: a, Settings: []string{"max_standby_streaming_delay=7s"}})
	deadline := time.Now().Add(20 * time.Second)
	for v := vitals(t, s); v.LagBytes == nil; v = vitals(t, s) { // until the standby has told how far it is
		if time.Now().After(deadline) {
			t.Fatalf("of a primary with a standby: %+v", v)
		}
		time.Sleep(10 * time.Millisecond)
	}
	few, err := openSnapshot(t, a.DSNAs(nameOf(dsn), "reader", "r"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v := vitals(t, few); v.LagBytes != nil || v.Lag != nil || v.Held == nil || v.Age == nil {
		t.Errorf("of an account that may see nothing of others: %+v", v)
	}

	// A standby as the source: it is replay that is delayed, and the one who is cancelled is us.
	var h heard
	on, err := openSnapshot(t, standby.DSN(nameOf(dsn)), connectors.Options{Warn: h.warn})
	if err != nil {
		t.Fatal(err)
	}
	v := vitals(t, on)
	if v.Replay == nil || v.LagBytes != nil || v.Held != nil || v.Age == nil {
		t.Errorf("of a standby: %+v", v)
	}
	vitals(t, on)
	if said := h.String(); strings.Count(said, "hot_standby_feedback = on") != 1 || !strings.Contains(said, "7s") {
		t.Errorf("a standby that may end the run: said %q", said)
	}
	if err := on.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := on.(connectors.Watcher).Vitals(t.Context()); err == nil {
		t.Error("a snapshot that is closed has vitals")
	}
	for _, c := range []struct {
		settings []string
		want     string
		held     bool
	}{
		{[]string{"hot_standby_feedback=on"}, "once a TRUNCATE, DROP or ALTER TABLE of its primary, or a VACUUM that makes a table shorter, has waited for the run's locks for longer than max_standby_streaming_delay (30s)", true},
		{[]string{"max_standby_streaming_delay=-1"}, "waits for its readers without end", false},
	} {
		standby.Configure(c.settings...)
		standby.Restart(t)
		var h heard
		on, err := openSnapshot(t, standby.DSN(nameOf(dsn)), connectors.Options{Warn: h.warn})
		if err != nil {
			t.Fatal(err)
		}
		if v := vitals(t, on); (v.Held != nil) != c.held || v.Replay == nil {
			t.Errorf("%s: %+v", c.settings, v)
		}
		if said := h.String(); strings.Count(said, c.want) != 1 {
			t.Errorf("%s: said %q, want %q", c.settings, said, c.want)
		}
	}
}

// Who joins a snapshot says when it was taken, as far as the account may see it, and not when it
// joined; nor when it has lost its own holder and joined again.
func TestTaken(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn, role := a.Database(t), a.Name(t)
	a.Exec(t, dsn, "CREATE TABLE t (i int)", "CREATE ROLE "+role+" LOGIN PASSWORD 'r'", "GRANT SELECT ON t TO "+role)
	t.Cleanup(func() { a.Exec(t, dsn, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	before := time.Now()
	first, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	taken := first.(connectors.Timed).Taken()
	if taken.Before(before.Add(-time.Second)) || taken.After(time.Now().Add(time.Second)) {
		t.Errorf("taken at %s, which is not now", taken)
	}
	join := func(dsn string) *snapshot {
		t.Helper()
		source, err := openSource(t.Context(), dsn, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { source.Close() })
		joined, err := source.(connectors.Joiner).Join(t.Context(), first.Token())
		if err != nil {
			t.Fatal(err)
		}
		return joined.(*snapshot)
	}
	same := join(dsn)
	if !same.Taken().Equal(taken) {
		t.Errorf("taken at %s, and by who has joined it at %s", taken, same.Taken())
	}
	lost := peerOf(same.holder).pid
	a.Exec(t, a.DSN("postgres"), fmt.Sprintf("SELECT pg_terminate_backend(%d)", lost))
	for a.Value(t, a.DSN("postgres"), fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d", lost)) != "0" {
		time.Sleep(10 * time.Millisecond)
	}
	if err := same.Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !same.Taken().Equal(taken) {
		t.Errorf("taken at %s, and by who has joined it twice at %s", taken, same.Taken())
	}
	if at := join(a.DSNAs(nameOf(dsn), role, "r")).Taken(); !at.IsZero() {
		t.Errorf("an account that may not see it says that it was taken at %s", at)
	}
}

// A server that stands still is given up after a while, in the middle of a session and at the
// login, and said not to have answered; a caller who is gone is told that he is.
func TestUnanswered(t *testing.T) {
	defer func(was time.Duration) { watchTimeout = was }(watchTimeout)
	a := connectortest.Postgres(t)
	p, from := newProxy(t, a.Database(t))
	s, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap := s.(*snapshot)
	if _, err := snap.Latency(t.Context()); err != nil {
		t.Fatal(err)
	}
	watchTimeout = 200 * time.Millisecond
	p.still.Lock()
	for _, what := range []string{"a question", "a login"} {
		if _, err := snap.Latency(t.Context()); !errors.Is(err, connectors.ErrUnanswered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := snap.Vitals(t.Context()); !errors.Is(err, connectors.ErrUnanswered) {
		t.Errorf("vitals: %v", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), watchTimeout/4)
	defer cancel()
	if _, err := snap.Latency(soon); errors.Is(err, connectors.ErrUnanswered) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller who is gone: %v", err)
	}
	snap.conn.ConnectTimeout = watchTimeout / 4 // as connect_timeout says
	if _, err := snap.Latency(t.Context()); !errors.Is(err, connectors.ErrUnanswered) {
		t.Errorf("a login that the connection string cuts short: %v", err)
	}
	p.still.Unlock()
	snap.conn.ConnectTimeout, watchTimeout = connectTimeout, time.Minute
	if took, err := snap.Latency(t.Context()); err != nil || took <= 0 {
		t.Errorf("afterwards: %s, %v", took, err)
	}
}

// nameOf returns the database of a URL.
func nameOf(dsn string) string {
	name, _, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	return name
}

func TestVirtualTransaction(t *testing.T) {
	for token, want := range map[string]string{
		"00000003-0000001A-1": "3/26", "0000000F-FFFFFFFF-2": "15/4294967295", "": "", "x-y-z": "", "00000003-1": "",
	} {
		if got := virtualTransaction(token); got != want {
			t.Errorf("%q: %q, want %q", token, got, want)
		}
	}
}
