package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
)

// A pooler that shares the server's sessions by transactions would hand what we set in ours
// (read only, an empty search path) to whoever comes next: production's own programs. So who
// answers is asked before anything is set.

// peer is who answers on a connection: the process, by the number that its server gives it,
// and the server, by when it was started.
type peer struct {
	pid     uint32
	started string
}

// The isolation is that of this one transaction: a standby has none that are serializable, and that may
// be the default.
const peerSQL = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT pg_catalog.pg_backend_pid(), pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())"

// peerKey is where a connection keeps its peer.
const peerKey = "sanitize.peer"

// peerOf returns who answers on a session that connect has opened.
func peerOf(conn *pgx.Conn) peer {
	p, _ := conn.PgConn().CustomData()[peerKey].(peer)
	return p
}

// answering asks a connection who answers, and then runs sql in the same breath: no pooler
// gives the two to different processes.
func answering(ctx context.Context, conn *pgconn.PgConn, sql string) (peer, error) {
	results, err := conn.Exec(ctx, peerSQL+sql).ReadAll()
	if err != nil {
		return peer{}, err
	}
	row := results[1].Rows[0]
	pid, err := strconv.ParseUint(string(row[0]), 10, 32)
	return peer{uint32(pid), string(row[1])}, err
}

// poolMode is the parameter of a connection string that says of a pooler how it shares sessions,
// as PgBouncer calls it. It is for us, and not for the server.
const poolMode = "pool_mode"

// stickiness is whether the sessions behind a pooler are ours alone, once it has been found out.
type stickiness struct {
	mu    sync.Mutex
	known bool
}

const (
	// pooledRounds is how often a pooler has to pass: others' transactions come between.
	pooledRounds = 5
	// pooledWait is how long a question may take that nothing should hold up, and poolWait how
	// long a session of the pool may be waited for.
	pooledWait, poolWait = 3 * time.Second, 15 * time.Second
)

// ownSession returns an error unless the connection string says of a pooler that each client has
// a session of its own, and nothing speaks against it: a connection keeps the process that answers
// on it, while others work. That alone would prove little, for there may be several pools at one
// address. The driver knows that somebody stands between, who has given it another number than
// the server's.
func (c *config) ownSession(ctx context.Context, conn *pgx.Conn) error {
	c.sticky.mu.Lock()
	defer c.sticky.mu.Unlock()
	if c.sticky.known {
		return nil
	}
	op := "connect to " + c.display(conn.Config().Database)
	if !c.pooled {
		return &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: op,
			Err:  errors.New("a connection pooler answers: if it shares the server's sessions by transactions, what a run sets in its own would befall those of others"),
			Hint: "give the address of the server itself; or, of a pooler that gives each client a session of its own, pool_mode=session in the connection string"}
	}
	shared := &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: op,
		Err:  errors.New("the connection pooler shares the server's sessions by transactions, whatever the connection string says of it: what a run sets in its own would befall those of others"),
		Hint: "give the address of the server itself, or of a pool by sessions"}
	soon, cancel := context.WithTimeout(ctx, poolWait)
	defer cancel()
	full := func(err error) error {
		if soon.Err() == nil || ctx.Err() != nil {
			return err
		}
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: op, Retry: true,
			Err: errors.New("the connection pooler has no session left: a run needs several"), Hint: "let the pool have more sessions, or give the address of the server itself"}
	}
	other, err := pgx.ConnectConfig(asSession(soon), conn.Config().Copy())
	if err != nil {
		return full(err)
	}
	defer closeConn(other)
	for range pooledRounds {
		before, err := answering(ctx, conn.PgConn(), "")
		if err != nil {
			return err
		}
		// The last process that was given back is the first to be given away.
		if _, err := other.PgConn().Exec(soon, "BEGIN READ ONLY").ReadAll(); err != nil {
			if strings.Contains(err.Error(), "statement pooling") {
				return shared // it does not even know transactions
			}
			return full(err)
		}
		beside, err := answering(soon, other.PgConn(), "")
		if err != nil {
			return full(err)
		}
		after, err := c.answeringSoon(ctx, conn)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || after != before || beside.pid == before.pid && beside.started == before.started {
			return shared
		}
		if _, err := other.PgConn().Exec(soon, "ROLLBACK").ReadAll(); err != nil {
			return full(err)
		}
	}
	c.sticky.known = true
	return nil
}

// answeringSoon asks who answers, and does not wait until somebody else is done.
func (c *config) answeringSoon(ctx context.Context, conn *pgx.Conn) (peer, error) {
	ctx, cancel := context.WithTimeout(ctx, pooledWait)
	defer cancel()
	return answering(ctx, conn.PgConn(), "")
}

// severalError is the error of a session at another server than that of the snapshot.
func (s *snapshot) severalError() error {
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "join the snapshot of " + s.display(s.conn.Database),
		Err:  errors.New("a session does not reach the server at which it was opened"),
		Hint: "the server was restarted, or the connection string leads to several: name one of them"}
}
