package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

// pulseEvery is how often a build asks whether it still holds its target: more often than
// what stands between forgets a connection that says nothing.
const pulseEvery = 20 * time.Second

// holderIdle is how long the session that holds the target may say nothing: it is asked far
// more often. MySQL 5.7 may close a session that is ended while it answers and leave its
// thread waiting, on no descriptor, until wait_timeout is over; the target's lock stays with it.
const holderIdle = time.Hour

// toHold readies a session to hold the target.
func toHold(ctx context.Context, s *session) error {
	if err := equip(ctx, s); err != nil {
		return err
	}
	return s.exec(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", holderIdle/time.Second))
}

// claim opens the session that holds the target, takes its lock, ends what a killed run
// has begun to promote, and refuses a target that is somebody's work. again is set where
// it was done before, and its session was lost: then it waits for a moment.
func (b *build) claim(ctx context.Context, again bool) (err error) {
	connect, wait := b.admin, 0
	if again {
		connect, wait = func(ctx context.Context) (*session, error) { return b.patiently(ctx, b.admin) }, 5
	}
	if b.holder, err = connect(ctx); err != nil {
		return err
	}
	if err := toHold(ctx, b.holder); err != nil {
		return err
	}
	if err := b.sink.take(ctx, b.holder, wait); err != nil {
		return err
	}
	if b.taken, err = b.holder.number(ctx, "SELECT CONNECTION_ID()"); err != nil {
		return err
	}
	list, err := b.neighbours(ctx, b.holder)
	if err != nil {
		return err
	}
	if done, err := b.resumePromotion(ctx, b.holder, list); err != nil {
		return err
	} else if done {
		if list, err = b.neighbours(ctx, b.holder); err != nil {
			return err
		}
	}
	if err := b.guard(list); err != nil {
		return err
	}
	return b.decideLog(ctx, b.holder, list)
}

// resumePromotion ends a promotion that a killed run has begun. It reports whether there
// was one.
func (b *build) resumePromotion(ctx context.Context, conn *session, list []neighbour) (bool, error) {
	var found *neighbour
	for i, n := range list {
		if n.ours && n.mark.Target == b.target && n.mark.State == statePromoting && (found == nil || n.name == b.target) {
			found = &list[i]
		}
	}
	if found == nil {
		return false, nil
	}
	m := found.mark
	b.unlogged = m.Unlogged
	if err := b.unlog(ctx, conn); err != nil {
		return false, err
	}
	p := &promotion{sink: b.sink, run: m.Run, build: b.name(building, m.Run), old: b.name(former, m.Run), unlogged: m.Unlogged, conn: conn}
	late, cancel := after(ctx, promotePatience)
	defer cancel()
	err := p.goOn(ctx, late)
	switch kind, _ := connectors.KindOf(err); {
	case err == nil:
	case errors.As(err, new(errStopped)):
		return false, err
	case ctx.Err() != nil && (p.moved || p.doubt):
		return false, p.halfway(err)
	case !p.moved:
		undone := p.undo(late, false)
		if ctx.Err() != nil && p.bare && undone != nil {
			return false, p.halfway(undone)
		}
		return false, errors.Join(err, undone)
	case kind == connectors.KindUnavailable:
		return false, err
	default:
		// All tables are those of the killed run. What the server does not take now is
		// missing until this run replaces it all.
		b.warn(fmt.Sprintf("the promotion that a killed run had begun could not be ended: %v", err))
		if err := errors.Join(p.ready(late), p.end(late)); err != nil {
			return false, err
		}
	}
	b.warn("ended the promotion that a killed run had begun: " + m.Run)
	return true, nil
}

// decideLog decides whether the build goes into the binary log of its server. It need not:
// what is in it is made anew by the next run. But a target whose tables a replica has is
// renamed there too, or its replication would break; and one that no replica knows cannot be.
func (b *build) decideLog(ctx context.Context, conn *session, list []neighbour) error {
	if n := find(list, b.target); n != nil {
		b.unlogged = n.mark.Unlogged
		return b.unlog(ctx, conn)
	}
	logs, err := conn.number(ctx, "SELECT @@log_bin")
	if err != nil || logs == 0 {
		return err
	}
	// Whether somebody follows is shown to those only who may see all sessions.
	sees, err := conn.number(ctx, "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'PROCESS'")
	if err != nil || sees == 0 {
		return err
	}
	followers, err := conn.number(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")
	if err != nil || followers > 0 {
		return err
	}
	grouped := false
	err = conn.query(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'group_replication_group_name')", func(r row) error {
		grouped = grouped || r.text(0) == "wsrep_on" && r.text(1) == "ON" || r.text(0) != "wsrep_on" && r.text(1) != ""
		return nil
	})
	if err != nil || grouped {
		return err
	}
	if err := conn.exec(ctx, "SET SESSION sql_log_bin = 0"); err != nil {
		if numberOf(err) == 0 {
			return err
		}
		return nil // the account may not
	}
	b.unlogged = true
	return nil
}

// unlog keeps a session's changes out of the binary log, if the build's are.
func (b *build) unlog(ctx context.Context, s *session) error {
	if !b.unlogged {
		return nil
	}
	err := s.exec(ctx, "SET SESSION sql_log_bin = 0")
	var e *connectors.Error
	if errors.As(err, &e) && numberOf(err) == 1227 {
		e.Op = "keep " + word(b.target) + " out of the binary log"
		e.Hint = "an earlier run has built it outside of the log; run as an account that may set sql_log_bin, or drop the target first"
	}
	return err
}

// withHolder runs f on the session that holds the target's lock. Where that was lost,
// another takes the lock again; if a run has it meanwhile, that is KindBusy.
func (b *build) withHolder(ctx context.Context, f func(*session) error) error {
	b.holderMu.Lock()
	defer b.holderMu.Unlock()
	b.mu.Lock()
	closed := b.state == ended
	b.mu.Unlock()
	if closed {
		return &connectors.Error{Side: b.side, Op: "use the build " + word(b.database), Err: errors.New("it is no longer open")}
	}
	if b.holder != nil {
		held, err := b.holder.number(ctx, "SELECT COALESCE(IS_USED_LOCK("+literal(b.lock())+") = CONNECTION_ID(), 0)")
		if err == nil && held == 1 {
			return f(b.holder)
		}
		if ctx.Err() != nil {
			return failDefinition(ctx, b.side, "hold "+b.display(b.target), err)
		}
	}
	conn, err := b.patiently(ctx, b.admin)
	if err != nil {
		return err
	}
	taken, err := b.retake(ctx, conn)
	if err != nil {
		b.sink.release(conn)
		return err
	}
	b.holder.close()
	b.holder, b.taken, b.asked = conn, taken, nil
	b.lost.Store(true)
	b.mu.Lock()
	b.doubt = true
	b.mu.Unlock()
	return f(conn)
}

// retake takes the target's lock again, which a session of our own may still seem to have: the
// server has not noticed yet that it is gone. That one is ended, and nobody else.
func (b *build) retake(ctx context.Context, conn *session) (taken int64, err error) {
	if err := toHold(ctx, conn); err != nil {
		return 0, err
	}
	if taken, err = conn.number(ctx, "SELECT CONNECTION_ID()"); err != nil {
		return 0, err
	}
	b.asked = append(b.asked, taken)
	err = b.sink.take(ctx, conn, 0)
	if kind, _ := connectors.KindOf(err); kind == connectors.KindBusy {
		owner, e := conn.number(ctx, "SELECT IS_USED_LOCK("+literal(b.lock())+")")
		if e != nil {
			return 0, e
		}
		ours := owner == b.taken || slices.Contains(b.asked, owner)
		if ours {
			// The number is ours as long as the server has not started anew, and it has
			// not if somebody by that number holds our lock.
			conn.exec(ctx, fmt.Sprintf("KILL %d", owner))
		}
		if ours || owner == 0 { // 0: it was let go of just now
			for range 30 { // the server may be slow to end a session that waits for others
				err = b.sink.take(ctx, conn, 1)
				if kind, _ := connectors.KindOf(err); kind != connectors.KindBusy {
					break
				}
			}
		}
	}
	if err != nil {
		return 0, err
	}
	m, ours, err := readMark(ctx, conn, b.database)
	if err != nil {
		return 0, err
	}
	if moved, is, err := readMark(ctx, conn, b.target); err != nil {
		return 0, err
	} else if is && !ours && !b.sealedAt.IsZero() && moved.At.Equal(b.sealedAt) {
		m, ours = moved, is
	}
	if !ours || m.Run != b.spec.Run {
		return 0, b.removedError()
	}
	return taken, b.unlog(ctx, conn)
}

func (b *build) removedError() error {
	return &connectors.Error{Kind: connectors.KindBusy, Side: b.side, Op: "use the build " + word(b.database),
		Err: errors.New("it is not there any more"), Hint: "another run has taken the target meanwhile, and removed it"}
}

// hold sees to it that the target is held.
func (b *build) hold(ctx context.Context) error {
	return b.withHolder(ctx, func(*session) error { return nil })
}

// pulse asks now and then whether the target is still held, until the build's life ends.
func (b *build) pulse() {
	defer b.beating.Done()
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.life.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(b.life, pulseEvery)
			// What is wrong is said by the next step that needs the lock.
			b.hold(ctx)
			cancel()
		}
	}
}

// stopPulse ends the pulse. It may be called more than once.
func (b *build) stopPulse() {
	b.die()
	b.beating.Wait()
}

// patience is how long a build waits for a server that does not take connections: longer
// than most need to start, shorter than a person would wait for an error. Tests set it.
var patience = 30 * time.Second

const (
	firstRetry   = 100 * time.Millisecond
	longestRetry = time.Second
)

// patiently connects, and tries again for a while if the server is not to be had: it was
// there when the build was begun.
func (b *build) patiently(ctx context.Context, connect func(context.Context) (*session, error)) (*session, error) {
	until := time.Now().Add(patience)
	if b.gone.Load() {
		until = time.Now() // it was waited for in vain: the cleaning up need not wait again
	}
	for wait := firstRetry; ; wait = min(2*wait, longestRetry) {
		conn, err := connect(ctx)
		late := time.Now().After(until)
		if err == nil || !connectors.Retryable(err) || ctx.Err() != nil || late {
			b.gone.Store(err != nil && late)
			return conn, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// enter opens a session in the build.
func (b *build) enter(ctx context.Context) (*session, error) {
	conn, err := b.patiently(ctx, func(ctx context.Context) (*session, error) { return b.connect(ctx, b.database) })
	if numberOf(err) == 1049 {
		return nil, b.removedError()
	}
	if err != nil {
		return nil, err
	}
	err = b.unlog(ctx, conn)
	if err == nil {
		err = equip(ctx, conn)
	}
	if err != nil {
		conn.close()
		return nil, err
	}
	return conn, nil
}

// lenient are settings that let tables be made, and moved, as they are at the source,
// whatever the target's server asks of new ones. An account may not be allowed to make
// them; then the server says what it does not take.
var lenient = map[bool][]string{ // by whether it is MariaDB
	false: {
		"explicit_defaults_for_timestamp = ON",     // or a timestamp would get a default, and change with its row
		"sql_generate_invisible_primary_key = OFF", // or a table without a key would get a column more
		"sql_require_primary_key = OFF",
		"restrict_fk_on_non_standard_key = OFF", // a key may point to columns that are not unique
		"innodb_strict_mode = OFF",              // a row may be longer than a page holds, if its values are
	},
	true: {
		"explicit_defaults_for_timestamp = ON",
		"innodb_strict_mode = OFF",
		"system_versioning_alter_history = KEEP", // a table with versions may get keys: its rows are new
	},
}

// equip makes the settings of a session that makes or moves tables.
func equip(ctx context.Context, s *session) error {
	for _, setting := range lenient[s.server.mariadb] {
		if err := s.exec(ctx, "SET SESSION "+setting); err != nil && numberOf(err) == 0 {
			return err
		}
	}
	return nil
}
