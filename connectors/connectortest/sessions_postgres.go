package connectortest

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresSessions are sessions that nobody uses now, by DSN. A server makes a process for
// each, which costs more than most of what tests ask: on a virtual machine fifty times as much.
type postgresSessions struct {
	mu   sync.Mutex
	idle map[string][]*pgx.Conn
}

var sessions = postgresSessions{idle: map[string][]*pgx.Conn{}}

// use calls f with a session of a DSN: one that is idle, or a new one. A session whose server
// has ended it meanwhile is not used.
func (p *postgresSessions) use(ctx context.Context, dsn string, f func(*pgx.Conn) error) error {
	conn, err := p.take(ctx, dsn)
	if err != nil {
		return err
	}
	err = f(conn)
	// As a new one: without settings, locks and temporary tables.
	if conn.PgConn().TxStatus() == 'I' {
		if _, e := conn.PgConn().Exec(ctx, "DISCARD ALL").ReadAll(); e == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.idle[dsn] = append(p.idle[dsn], conn)
			return err
		}
	}
	conn.Close(ctx)
	return err
}

func (p *postgresSessions) take(ctx context.Context, dsn string) (*pgx.Conn, error) {
	for {
		p.mu.Lock()
		idle := p.idle[dsn]
		if len(idle) == 0 {
			p.mu.Unlock()
			config, err := pgx.ParseConfig(dsn)
			if err != nil {
				return nil, err
			}
			config.DefaultQueryExecMode = pgx.QueryExecModeExec // DISCARD ALL forgets what is prepared
			return pgx.ConnectConfig(ctx, config)
		}
		conn := idle[len(idle)-1]
		p.idle[dsn] = idle[:len(idle)-1]
		p.mu.Unlock()
		if conn.Ping(ctx) == nil {
			return conn, nil
		}
		conn.Close(ctx)
	}
}

// PostgresSession calls f with a session, which may be one that was used before and is then as
// a new one. It stays idle in its database until ClosePostgresSessions: so it is for tests in
// which nobody counts sessions, and no run builds, renames or drops the database meanwhile.
func PostgresSession(ctx context.Context, dsn string, f func(*pgx.Conn) error) error {
	return sessions.use(ctx, dsn, f)
}

// ClosePostgresSessions closes what PostgresSession has left idle, but for sessions in the
// servers' own databases, which are called postgres and disturb nobody.
func ClosePostgresSessions() {
	sessions.mu.Lock()
	var closing []*pgx.Conn
	for dsn, idle := range sessions.idle {
		if !inServersOwn(dsn) {
			closing = append(closing, idle...)
			delete(sessions.idle, dsn)
		}
	}
	sessions.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, conn := range closing {
		conn.Close(ctx)
	}
}

func inServersOwn(dsn string) bool {
	u, err := url.Parse(dsn)
	return err == nil && u.Path == "/postgres"
}

// with calls f with a session in a database: one of its own, unless that is the server's.
func (s *PostgresServer) with(ctx context.Context, dsn string, f func(*pgx.Conn) error) error {
	if inServersOwn(dsn) {
		return sessions.use(ctx, dsn, f)
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return f(conn)
}
