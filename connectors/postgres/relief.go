package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// relievedTables is how many tables of a build are dropped one by one to make room.
const relievedTables = 16

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
// once. What goes wrong here goes wrong there as well, and is said there.
func (s *sink) relieve(ctx context.Context, database string) {
	conn, err := s.connect(ctx, database)
	if err != nil {
		return
	}
	defer closeConn(conn)
	var names []string
	add := func(row pgx.CollectableRow) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	}
	// First what would let somebody go on with a build that has lost tables.
	err = each(ctx, conn, "states", nil, add)
	if err == nil {
		err = each(ctx, conn, "largest", []any{relievedTables}, add)
	}
	for _, name := range names {
		if err == nil {
			_, err = conn.Exec(ctx, "DROP TABLE IF EXISTS "+name+" CASCADE")
		}
	}
}
