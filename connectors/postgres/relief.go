package postgres

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// relievedTables is how many tables of a build are dropped one by one to make room.
const relievedTables = 16

// stubbornTries is how often a statement is tried on a full disk. Each try moves on by some
// of the server's buffers.
const stubbornTries = 50

// notesFull makes a configuration note that the server's disk was full.
func (c *config) notesFull() {
	c.full = new(atomic.Bool)
	before := c.conn.OnPgError
	c.conn.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		c.noteFull(err)
		if before != nil {
			return before(conn, err)
		}
		return true
	}
}

func (c *config) noteFull(err error) {
	if stateOf(err) == "53100" {
		c.full.Store(true)
	}
}

// relieve drops the largest tables of a database that is about to be dropped itself. DROP
// DATABASE begins with a checkpoint, and a server that has no room to write one ends with
// all its databases; to drop a table asks for next to none, and gives its room back at
// once. Who holds a lock in it is not waited for long. What goes wrong here goes wrong there as well,
// and is said there.
func (s *sink) relieve(ctx context.Context, database string) {
	conn, err := s.connect(ctx, database)
	if err != nil {
		return
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "SET lock_timeout = '3s'"); err != nil {
		return // who holds a lock for longer is ended when the database is dropped
	}
	var names []string
	add := func(row pgx.CollectableRow) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	}
	// First what would let somebody go on with a build that has lost tables.
	err = stubborn(func() error { names = nil; return each(ctx, conn, "states", nil, add) })
	if err == nil {
		states := names
		err = stubborn(func() error {
			names = slices.Clone(states)
			return each(ctx, conn, "largest", []any{relievedTables}, add)
		})
	}
	for _, name := range names {
		if err == nil {
			err = stubborn(func() error {
				_, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+name+" CASCADE")
				return err
			})
		}
	}
}

// stubborn does something again as long as the disk is full. A server without room fails
// where it has to write one page out to take another in, and which one that is is chance:
// the next try meets others.
func stubborn(do func() error) (err error) {
	for range stubbornTries {
		if err = do(); stateOf(err) != "53100" {
			return err
		}
	}
	return err
}
