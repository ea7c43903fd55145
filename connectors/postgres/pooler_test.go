package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// pooler shares sessions of a server among its clients: for a transaction each, or for as long as
// a client stays. The one given back last is the first to be given away.
type pooler struct {
	t        *testing.T
	dsn      string
	sessions bool // one for each client

	mu   sync.Mutex
	idle []*pgconn.HijackedConn
}

// pool starts one before a database, and returns its connection string.
func pool(t *testing.T, dsn string, sessions bool) (*pooler, string) {
	t.Helper()
	p := &pooler{t: t, dsn: dsn, sessions: sessions}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		clients.Wait()
		for _, server := range p.idle {
			server.Conn.Close()
		}
	})
	go func() {
		for n := uint32(1); ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			clients.Add(1)
			go func() {
				defer clients.Done()
				defer conn.Close()
				p.serve(conn, n)
			}()
		}
	}()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return p, fmt.Sprintf("postgres://nobody@%s%s?sslmode=disable", l.Addr(), u.Path)
}

// take gives away a session of the server.
func (p *pooler) take() (*pgconn.HijackedConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle) - 1; n >= 0 {
		server := p.idle[n]
		p.idle = p.idle[:n]
		return server, nil
	}
	conn, err := pgconn.Connect(context.Background(), p.dsn)
	if err != nil {
		return nil, err
	}
	return conn.Hijack()
}

// serve answers one client until it goes. Its number is not the server's.
func (p *pooler) serve(conn net.Conn, number uint32) {
	client := pgproto3.NewBackend(conn, conn)
	started, err := client.ReceiveStartupMessage()
	if err != nil {
		return
	}
	if _, ssl := started.(*pgproto3.SSLRequest); ssl {
		conn.Write([]byte("N"))
		if started, err = client.ReceiveStartupMessage(); err != nil {
			return
		}
	}
	if m, is := started.(*pgproto3.StartupMessage); is && m.Parameters["options"] != "" { // as PgBouncer does
		client.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: options"})
		client.Flush()
		return
	}
	server, err := p.take()
	if err != nil {
		return
	}
	defer func() {
		if server != nil {
			server.Conn.Close()
		}
	}()
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1<<30 + number, SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if client.Flush() != nil {
		return
	}
	giveBack := func() {
		if p.sessions {
			return
		}
		p.mu.Lock()
		p.idle = append(p.idle, server)
		p.mu.Unlock()
		server = nil
	}
	giveBack()
	for {
		m, err := client.Receive()
		if err != nil {
			return
		}
		if _, over := m.(*pgproto3.Terminate); over {
			return
		}
		if server == nil {
			if server, err = p.take(); err != nil {
				return
			}
		}
		server.Frontend.Send(m)
		switch m.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
		default:
			continue
		}
		if server.Frontend.Flush() != nil {
			return
		}
		for {
			answer, err := server.Frontend.Receive()
			if err != nil {
				return
			}
			client.Send(answer)
			ready, is := answer.(*pgproto3.ReadyForQuery)
			if !is {
				continue
			}
			if client.Flush() != nil {
				return
			}
			if ready.TxStatus == 'I' {
				giveBack()
			}
			break
		}
	}
}

// A pooler that shares sessions by transactions is refused, and what it hands to the next
// program is as it was.
func TestPoolerByTransactions(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE people (id int)")
	p, pooled := pool(t, dsn, false)
	for dsn, words := range map[string]string{pooled: "pool_mode=session in the connection string", pooled + "&pool_mode=session": "shares the server's sessions by transactions",
		pooled + "&pool_mode=transaction": "pool_mode is session or nothing"} {
		src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
		if err == nil {
			_, err = src.Catalog(t.Context())
			src.Close()
		}
		wants(t, err, connectors.KindUsage, connectors.SourceSide, words, "give the address of the server itself")
	}
	if sink, err := (Connector{}).OpenSink(t.Context(), pooled, connectors.Options{}); err == nil {
		sink.Close()
		t.Error("a target behind it is taken")
	}
	p.mu.Lock()
	left := len(p.idle)
	p.mu.Unlock()
	for range left {
		server, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgconn.Construct(server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), "INSERT INTO people VALUES (1)").ReadAll(); err != nil {
			t.Errorf("the next program gets %v", err)
		}
	}
}

// One that gives each client a session of its own is as good as none.
func TestPoolerBySessions(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE people (id int PRIMARY KEY)", "INSERT INTO people SELECT generate_series(1, 100)")
	_, pooled := pool(t, dsn, true)
	src, err := Connector{}.OpenSource(t.Context(), pooled+"&pool_mode=session", connectors.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	snap, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(snap.Catalog().Tables); n != 1 {
		t.Errorf("%d tables", n)
	}
	held, err := snap.(*snapshot).reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap.(*snapshot).release(held)
}

// Through a pooler, which takes no options, pg_dump writes as the account's sessions are.
func TestDumpBehindPooler(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE people (id int PRIMARY KEY)")
	for _, odd := range []bool{false, true} {
		if odd {
			a.Exec(t, dsn, "ALTER DATABASE "+ident(a.Value(t, dsn, "SELECT current_database()"))+" SET standard_conforming_strings = off")
			connectortest.ClosePostgresSessions()
		}
		_, pooled := pool(t, dsn, true)
		snap, err := openSnapshot(t, pooled+"&pool_mode=session", connectors.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = snap.Definitions(t.Context()); !odd && err != nil {
			t.Error(err)
		}
		if odd {
			wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "standard_conforming_strings = off", "the server itself")
		}
		snap.Close()
	}
}

// Readers that reach another server than the snapshot's are refused, whatever its token says there.
func TestReadersAtSeveralServers(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE people (id int PRIMARY KEY)")
	snap, err := openSnapshot(t, from, connectors.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := snap.(*snapshot)
	s.server += "0" // as that of another
	_, err = s.reader(t.Context())
	wants(t, err, connectors.KindSnapshot, connectors.SourceSide, "does not reach the server at which it was opened", "name one of them")
	if _, err := s.Vitals(t.Context()); err == nil || !strings.Contains(err.Error(), "at which it was opened") {
		t.Errorf("the watch says %v", err)
	}
}

// What a connection string sets that no server knows is a mistake in it.
func TestUnknownSetting(t *testing.T) {
	dsn := connectortest.Postgres(t).Database(t)
	_, err := Connector{}.OpenSource(t.Context(), dsn+"&nosuch=1", connectors.Options{})
	wants(t, err, connectors.KindUsage, connectors.SourceSide, "nosuch", "settings of the server")
}
