package mysql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// user is a session of somebody at the server.
type user struct {
	id   int64
	name string
}

// terminator ends, again and again until stopped, those who stand in the way in the
// databases: who is in them, or who holds their tables, but not our own sessions. It begins
// after the grace. The function that it returns stops it, and tells whom it saw last and
// could not end.
func (s *sink) terminator(ctx context.Context, grace time.Duration, inside bool, databases []string, own ...*session) (stop func() []string, err error) {
	conn, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	spared := map[int64]bool{}
	for _, o := range own {
		id, err := o.number(ctx, "SELECT CONNECTION_ID()")
		if err != nil {
			conn.close()
			return nil, err
		}
		spared[id] = true
	}
	left := map[int64]string{}
	round := func() {
		clear(left)
		for _, name := range databases {
			users, err := s.users(ctx, conn, name, inside)
			if err != nil {
				return
			}
			for _, u := range users {
				if spared[u.id] {
					continue
				}
				if conn.exec(ctx, fmt.Sprintf("KILL %d", u.id)) != nil {
					left[u.id] = fmt.Sprintf("%d (%s)", u.id, u.name)
				}
			}
		}
	}
	quit, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		wait := grace
		for {
			select {
			case <-quit:
				return
			case <-ctx.Done():
				return
			case <-time.After(wait):
				round()
			}
			wait = 100 * time.Millisecond
		}
	}()
	return func() []string {
		close(quit)
		<-finished
		conn.close()
		return slices.Sorted(maps.Values(left))
	}, nil
}

// users lists who is in a database, or, if the server tells, who holds its tables.
// MySQL tells in performance_schema.metadata_locks (its manual, 29.12.13.3), MariaDB in a
// plugin, information_schema.METADATA_LOCK_INFO.
func (s *sink) users(ctx context.Context, conn *session, database string, inside bool) (users []user, err error) {
	read := func(sql string) (told bool, err error) {
		users = nil
		err = conn.query(ctx, sql, func(r row) error {
			told = true
			if r.number(2) != 0 {
				users = append(users, user{r.number(0), r.text(1)})
			}
			return nil
		})
		return told, err
	}
	if !inside {
		// Our own statement waits, and is listed too: if it is not, the server does not tell.
		holders := `SELECT DISTINCT t.PROCESSLIST_ID, t.PROCESSLIST_USER, l.LOCK_STATUS = 'GRANTED'
			FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID
			WHERE t.PROCESSLIST_ID <> CONNECTION_ID() AND l.OBJECT_SCHEMA = ` + literal(database)
		if s.server.mariadb {
			holders = `SELECT DISTINCT p.ID, p.USER, 1 FROM information_schema.METADATA_LOCK_INFO l JOIN information_schema.PROCESSLIST p ON p.ID = l.THREAD_ID
				WHERE p.ID <> CONNECTION_ID() AND l.TABLE_SCHEMA = ` + literal(database)
		}
		if told, err := read(holders); err == nil && told {
			return users, nil
		}
	}
	_, err = read("SELECT ID, USER, 1 FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = " + literal(database))
	return slices.DeleteFunc(users, func(u user) bool { return strings.HasPrefix(u.name, "event_scheduler") }), err
}
