package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// strangersEvery is how often a build is asked who holds it up. Who does so twice in a row is said.
// Tests set it.
var strangersEvery = 3 * time.Second

// stranger is a session, or a prepared transaction, that is none of the run's and holds a lock for which the
// run waits in its build: that of a person who looks in, or of a tool that visits every database.
type stranger struct {
	pid     int32 // 0 of a prepared transaction
	account string
	since   string // when it began, as far as it may be seen
	inside  bool   // it is in the build, and can be ended
}

// watchStrangers ends those who hold up the build, and says so, until the build's life ends. The build
// is the run's, which ends whoever is in it when it is promoted; and no wait for a lock in it is
// bounded, since sessions of the run wait for each other there.
func (b *build) watchStrangers() {
	defer b.beating.Done()
	tick := time.NewTicker(strangersEvery)
	defer tick.Stop()
	var before []stranger
	said := map[stranger]bool{}
	for {
		select {
		case <-b.life.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(b.life, pulse)
			before = b.meetStrangers(ctx, before, said)
			cancel()
		}
	}
}

// meetStrangers asks once who holds up the build, ends those who did so the last time, and returns
// who they are now.
func (b *build) meetStrangers(ctx context.Context, before []stranger, said map[stranger]bool) (now []stranger) {
	b.mu.Lock()
	ours := make([]int32, 0, len(b.ours))
	for pid := range b.ours {
		ours = append(ours, int32(pid))
	}
	b.mu.Unlock()
	if len(ours) == 0 {
		return nil
	}
	b.withAdmin(ctx, func(admin *pgx.Conn) error { // what is wrong is said by the next step that needs the lock
		err := b.byEach(ctx, admin, func(queryer) error {
			now = nil // who works under a role may see more by itself, and never less
			return each(ctx, admin, "strangers", []any{b.name, ours}, func(row pgx.CollectableRow) error {
				var s stranger
				err := row.Scan(&s.pid, &s.account, &s.since, &s.inside)
				now = append(now, s)
				return err
			})
		})
		if err != nil {
			return err
		}
		for _, s := range now {
			if !slices.Contains(before, s) {
				continue
			}
			ended := b.end(ctx, admin, s)
			if ctx.Err() == nil && !said[s] {
				said[s] = true
				b.warn(s.words(b.name, ended))
			}
		}
		return nil
	})
	return now
}

// end ends the session of a stranger, if it is in the build and the account may.
func (b *build) end(ctx context.Context, admin *pgx.Conn, s stranger) bool {
	if !s.inside {
		return false
	}
	const sql = "SELECT coalesce(pg_catalog.bool_or(pg_catalog.pg_terminate_backend(pid)), false) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND datname = $2"
	ended, err := b.ends(ctx, admin, sql, s.pid, b.name)
	return err == nil && ended
}

// words says who holds up a build.
func (s stranger) words(build string, ended bool) string {
	switch {
	case s.pid == 0:
		return fmt.Sprintf("the run waits for a lock in %s that a prepared transaction holds: see pg_prepared_xacts", word(build))
	case s.account == "":
		return fmt.Sprintf("the run waits in %s for a lock that process %d holds", word(build), s.pid)
	case ended:
		return fmt.Sprintf("process %d of %s held a lock in %s for which the run waited: its session has been ended", s.pid, word(s.account), word(build))
	}
	return fmt.Sprintf("the run waits in %s for a lock that process %d of %s holds, and may not end its session; to go on before it ends: SELECT pg_terminate_backend(%d)",
		word(build), s.pid, word(s.account), s.pid)
}
