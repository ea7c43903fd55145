package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
)

// watchTimeout bounds a question of the watch: a server that needs longer is not asked
// on, and what is not known is absent. Tests set it.
var watchTimeout = 10 * time.Second

// freezeShare is the share of autovacuum_freeze_max_age from which a held horizon is
// worth a warning: beyond all of it the server vacuums against a wraparound, in vain.
const freezeShare = 0.5

// watch is the session by which a snapshot is watched. It is one of its own, since the
// session that holds the snapshot is in one transaction for the whole run: there age()
// counts from that transaction's first call, and the statistics of sessions are those
// of the first look; and a question that fails would end the snapshot.
type watch struct {
	mu     sync.Mutex // one question at a time
	conn   *pgx.Conn
	holder int   // process that holds the snapshot; 0 is not known
	freeze int64 // autovacuum_freeze_max_age
	closed bool
	warned bool // of the horizon
}

// askWatch calls f with the watch's session, which it opens first if need be. A session on
// which something failed is not used again.
func (s *snapshot) askWatch(ctx context.Context, f func(context.Context, *pgx.Conn) error) error {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := s.alive(); err != nil || w.closed {
		return err
	}
	began := time.Now()
	asked, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	err := s.openWatch(asked)
	login := err != nil
	if err == nil {
		err = f(asked, w.conn)
	}
	if err == nil {
		return nil
	}
	w.drop()
	op := "watch " + s.display(s.conn.Database)
	if ctx.Err() == nil && (asked.Err() != nil || login && time.Since(began) >= s.conn.ConnectTimeout) {
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: op, Err: connectors.ErrUnanswered}
	}
	return failDefinition(ctx, s.side, op, err)
}

// openWatch opens the watch's session if it is not open.
func (s *snapshot) openWatch(ctx context.Context) (err error) {
	w := &s.watch
	if w.conn != nil {
		return nil
	}
	if w.conn, err = s.connect(ctx, ""); err != nil {
		return err
	}
	if peerOf(w.conn).started != s.server {
		return s.severalError()
	}
	return s.forewarn(ctx, w.conn)
}

func (w *watch) drop() {
	closeConn(w.conn)
	w.conn = nil
}

// close ends the watch for good.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.drop()
}

// forewarn finds who holds the snapshot and, the first time, warns of what may end it.
func (s *snapshot) forewarn(ctx context.Context, conn *pgx.Conn) error {
	w := &s.watch
	first := w.freeze == 0
	var standby, feedback bool
	var delay string
	err := conn.QueryRow(ctx, query("horizon"), virtualTransaction(s.token)).Scan(&w.holder, &standby, &feedback, &delay, &w.freeze)
	if err != nil || !first || !standby {
		return err
	}
	switch {
	case delay == "-1":
		s.warn("the source is a standby that waits for its readers without end (max_standby_streaming_delay = -1): while the snapshot needs a row that its primary has removed, it falls behind")
	case !feedback:
		s.warn(fmt.Sprintf("the source is a standby without hot_standby_feedback: once the run holds up its replay for longer than max_standby_streaming_delay (%s), it ends the run's sessions; set hot_standby_feedback = on, or a longer delay", delay))
	default:
		s.warn(fmt.Sprintf("the source is a standby: once a TRUNCATE, DROP or ALTER TABLE of its primary, or a VACUUM that makes a table shorter, has waited for the run's locks for longer than max_standby_streaming_delay (%s), it ends the run's sessions; a longer delay helps", delay))
	}
	return nil
}

// virtualTransaction returns the virtual transaction that exported a snapshot, as
// pg_locks writes it: the snapshot's name begins with its two numbers in hex.
func virtualTransaction(token string) string {
	parts := strings.Split(token, "-")
	if len(parts) != 3 {
		return ""
	}
	backend, err1 := strconv.ParseUint(parts[0], 16, 32)
	local, err2 := strconv.ParseUint(parts[1], 16, 32)
	if err1 != nil || err2 != nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", backend, local)
}

// Vitals implements connectors.Watcher.
func (s *snapshot) Vitals(ctx context.Context) (v connectors.Vitals, err error) {
	var age, lag, replay *float64
	err = s.askWatch(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, query("vitals"), s.watch.holder).Scan(&age, &v.Held, &v.LagBytes, &lag, &replay)
		if err == nil && v.Held != nil && float64(*v.Held) > freezeShare*float64(s.watch.freeze) && !s.watch.warned {
			s.watch.warned = true
			s.warn(fmt.Sprintf("the snapshot holds back vacuum by %d transactions, and the server freezes rows from %d on (autovacuum_freeze_max_age): end the run soon", *v.Held, s.watch.freeze))
		}
		return err
	})
	v.Age, v.Lag, v.Replay = seconds(age), seconds(lag), seconds(replay)
	return v, err
}

// seconds returns a number of seconds as a duration, never below 0: clocks differ.
func seconds(n *float64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(max(*n, 0) * float64(time.Second))
	return &d
}

// Latency implements connectors.Watcher: a statement that does nothing.
func (s *snapshot) Latency(ctx context.Context) (took time.Duration, err error) {
	err = s.askWatch(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		began := time.Now()
		_, err := conn.Exec(ctx, "SELECT")
		took = time.Since(began)
		return err
	})
	return took, err
}
