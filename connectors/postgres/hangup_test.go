package postgres

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// proxy stands between us and a server, and hangs up without a word when a
// COPY has brought so many bytes in one direction.
type proxy struct {
	toUs, away atomic.Int64 // bytes until it hangs up; 0 never does
	once       atomic.Bool  // it hangs up once, and no more
	still      sync.RWMutex // locked while nothing gets through
}

func newProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			pipe := func(to, from net.Conn, left *atomic.Int64) {
				defer to.Close()
				defer from.Close()
				buf := make([]byte, 4096)
				for {
					n, err := from.Read(buf)
					if rest := left.Load(); rest > 0 {
						if rest <= int64(n) {
							to.Write(buf[:rest])
							if p.once.Load() {
								left.Store(0)
							}
							return
						}
						left.Add(-int64(n))
					}
					p.still.RLock()
					_, e := to.Write(buf[:n])
					p.still.RUnlock()
					if e != nil || err != nil {
						return
					}
				}
			}
			go pipe(client, up, &p.toUs)
			go pipe(up, client, &p.away)
		}
	}()
	u.Host = l.Addr().String()
	return p, u.String()
}

// TestHangUp cuts connections in the middle of a chunk, at one end and at the
// other. A chunk is whole or an error that says that it may be tried again.
func TestHangUp(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 0 // the server is there: it is this test that cuts every try
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT i AS id, repeat('x', 100) AS pad FROM generate_series(1, 20000) i", "CREATE TABLE g AS SELECT 'postgres=r/postgres'::aclitem AS g, i FROM generate_series(1, 20000) i")
	in, from := newProxy(t, dsn)
	s, err := openSnapshot(t, from, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := s.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, to := newProxy(t, a.DSN(a.Name(t)))
	sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: s.Catalog(), Definitions: defs, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, name := range []string{"t", "g"} {
		id := catalog.TableID{Schema: "public", Name: name}
		layout, err := s.Layout(id, nil)
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := s.Split(t.Context(), id, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int64{1, 100, 5_000, 65_536, 262_144, 400_000} {
			for what, side := range map[string]struct {
				left *atomic.Int64
				side connectors.Side
			}{"read": {&in.toUs, connectors.SourceSide}, "load": {&out.away, connectors.SinkSide}} {
				side.left.Store(cut)
				_, err := copyChunk(t.Context(), s, b, chunks[0], layout)
				side.left.Store(0)
				if err == nil || !connectors.Retryable(err) {
					t.Errorf("%s of %s cut after %d bytes: %v", what, name, cut, err)
				}
				if _, at := connectors.KindOf(err); at != side.side {
					t.Errorf("%s of %s cut after %d bytes: side %d: %v", what, name, cut, at, err)
				}
			}
		}
		rows, err := copyChunk(t.Context(), s, b, chunks[0], layout)
		if err != nil || rows != 20000 {
			t.Errorf("%s afterwards: %d rows, %v", name, rows, err)
		}
	}
	receipts, err := b.Receipts(t.Context())
	if err != nil || len(receipts) != 2 {
		t.Errorf("%d receipts, %v", len(receipts), err)
	}
}

// TestHangUpWhileBegun cuts one connection at every place of the way to a build without rows:
// it is begun again, and of what was begun first nothing is left.
func TestHangUpWhileBegun(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TYPE mood AS ENUM ('ok', 'not ok')", "CREATE TABLE t (id integer PRIMARY KEY, m mood)", "CREATE VIEW v AS SELECT id FROM t")
	s, err := openSnapshot(t, dsn, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := s.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target := a.Name(t)
	out, to := newProxy(t, a.DSN(target))
	out.once.Store(true)
	cuts := 0
	for ; ; cuts++ {
		var said []string
		sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{Warn: func(text string) { said = append(said, text) }})
		if err != nil {
			t.Fatal(err)
		}
		at := 150 + 700*int64(cuts)
		out.away.Store(at)
		b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: s.Catalog(), Definitions: defs, Workers: 1})
		reached := out.away.Swap(0) == 0
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", at, err)
		}
		built := stem(target) + building + "r"
		if n := a.Value(t, a.DSN(built), "SELECT count(*) FROM public.v"); n != "0" {
			t.Errorf("cut after %d bytes: %s rows", at, n)
		}
		if len(said) > 0 {
			t.Errorf("cut after %d bytes: %q", at, said)
		}
		out.away.Store(1)
		if _, err := b.Receipts(t.Context()); err != nil || out.away.Load() != 0 {
			t.Errorf("what is loaded, by a connection that is cut: %v", err)
		}
		b.Abort()
		sink.Close()
		if n := a.Value(t, dsn, "SELECT count(*) FROM pg_database WHERE datname = '"+built+"'"); n != "0" {
			t.Errorf("cut after %d bytes: the build is left", at)
		}
		if !reached {
			break
		}
	}
	if cuts < 5 {
		t.Errorf("%d cuts: the way is longer", cuts)
	}
	t.Logf("%d cuts", cuts)
}
