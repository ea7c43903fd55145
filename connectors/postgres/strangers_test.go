package postgres

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A stranger in the build who holds a lock for which the run waits is named, and ended where the
// account may: nobody is waited for in silence.
func TestStrangerInTheBuild(t *testing.T) {
	defer func(d time.Duration) { strangersEvery = d }(strangersEvery)
	strangersEvery = 20 * time.Millisecond
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE t (id bigint PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 100)")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	underRole, _ := makerUnderARole(t, b)
	for name, c := range map[string]struct {
		to    string
		ended bool
		by    string // whose session it is
	}{"may end": {b.DSN(b.Name(t)), true, b.DSN("postgres")}, "may not end": {maker(t, b), false, b.DSN("postgres")}, "may itself end, and its role not": {underRole, true, underRole}} {
		t.Run(name, func(t *testing.T) {
			said := make(chan string, 10)
			sink, err := Connector{}.OpenSink(t.Context(), c.to, connectors.Options{Warn: func(text string) { said <- text }})
			if err != nil {
				t.Fatal(err)
			}
			defer sink.Close()
			begun, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer begun.Abort()
			u, err := url.Parse(c.by)
			if err != nil {
				t.Fatal(err)
			}
			u.Path = "/" + begun.(*build).name
			stranger, err := pgx.Connect(t.Context(), u.String())
			if err != nil {
				t.Fatal(err)
			}
			defer closeConn(stranger)
			if _, err := stranger.Exec(t.Context(), "BEGIN; SELECT FROM t"); err != nil {
				t.Fatal(err)
			}
			finished := make(chan error, 1)
			go func() {
				_, err := copyTable(t.Context(), snap, begun, snap.Catalog().Tables[0], nil)
				finished <- err
			}()
			want := fmt.Sprintf("process %d of %s held", stranger.PgConn().PID(), u.User.Username())
			if !c.ended {
				want = fmt.Sprintf("a lock that process %d of postgres holds, and may not end its session; to go on before it ends: SELECT pg_terminate_backend(%[1]d)", stranger.PgConn().PID())
			}
			if got := <-said; !strings.Contains(got, want) {
				t.Errorf("said %q, want %q", got, want)
			}
			if _, err := stranger.Exec(t.Context(), "ROLLBACK"); (err != nil) != c.ended {
				t.Errorf("the stranger: %v", err)
			}
			if err := <-finished; err != nil {
				t.Error(err)
			}
			pid := fmt.Sprint(stranger.PgConn().PID())
			closeConn(stranger)
			for b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_stat_activity WHERE pid = "+pid) != "0" {
				runtime.Gosched()
			}
			if err := begun.Abort(); err != nil {
				t.Error(err)
			}
			if n := len(said); n > 0 {
				t.Errorf("%d more warnings: %q …", n, <-said)
			}
		})
	}
}
