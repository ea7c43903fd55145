package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// How sessions are ended: by the rights of the role that an account works under, and by its own.

// terminate ends the sessions in a database that the account may end, or its own alone, but some, by
// their processes' numbers. It returns how many there were.
func (c *config) terminate(ctx context.Context, conn *pgx.Conn, database string, spared []uint32, own bool) (n int, err error) {
	pids := make([]int64, len(spared)) // not NULL, which would be none's
	for i, pid := range spared {
		pids[i] = int64(pid)
	}
	err = c.byEach(ctx, conn, func(by queryer) error {
		var some int
		err := by.QueryRow(ctx, query("terminate"), database, pids, own).Scan(&some)
		n += some
		return err
	})
	return n, err
}

// queryer is a session, or a transaction of one.
type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// byEach does something by the rights of the role that the account works under, and by its own as
// well where these are another's: its sessions are its own.
func (c *config) byEach(ctx context.Context, conn *pgx.Conn, do func(queryer) error) error {
	if err := do(conn); err != nil || c.account == c.conn.User {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL ROLE NONE"); err != nil {
			return err
		}
		return do(tx)
	})
}

// ends ends a session by a query that says whether it was there, by whichever right may.
func (c *config) ends(ctx context.Context, conn *pgx.Conn, sql string, args ...any) (ended bool, err error) {
	err = c.byEach(ctx, conn, func(by queryer) error {
		var does bool
		err := by.QueryRow(ctx, sql, args...).Scan(&does)
		ended = ended || does
		if stateOf(err) == "42501" && c.account != c.conn.User {
			return nil // perhaps the other may
		}
		return err
	})
	return ended, err
}

// emptied ends the sessions in a database, all that the account may end or its own, but some, by
// their processes' numbers, and waits until they are gone.
func (c *config) emptied(ctx context.Context, conn *pgx.Conn, database string, spared []uint32, everybody bool) error {
	for until := time.Now().Add(cleanupTimeout); ; {
		n, err := c.terminate(ctx, conn, database, spared, !everybody)
		if err != nil || n == 0 {
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("%d sessions in it do not end", n)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
