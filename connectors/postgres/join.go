package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
)

var (
	_ connectors.Joiner  = (*source)(nil)
	_ connectors.Held    = (*snapshot)(nil)
	_ connectors.Voucher = (*snapshot)(nil)
	_ connectors.Timed   = (*snapshot)(nil)
)

// Join opens a view of a snapshot that another session has exported and still holds. A
// standby exports and joins as a primary does, since PostgreSQL 10.
func (s *source) Join(ctx context.Context, token string) (connectors.Snapshot, error) {
	op := "join the snapshot of " + s.display(s.conn.Database)
	if token == "" {
		return nil, &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: op, Err: errors.New("it has no token")}
	}
	return s.view(ctx, op, token)
}

// Taken implements connectors.Timed: when the transaction began that has exported the snapshot.
func (s *snapshot) Taken() time.Time { return s.taken }

// exportedAt returns when the transaction began that has exported a snapshot, or zero. The session
// is in no transaction yet: one that joins has another beginning, and would end by what fails here.
func exportedAt(ctx context.Context, conn *pgx.Conn, token string) time.Time {
	var began *time.Time
	if err := conn.QueryRow(ctx, query("exported"), virtualTransaction(token)).Scan(&began); err != nil || began == nil {
		return time.Time{}
	}
	return *began
}

// Alive asks the holder.
func (s *snapshot) Alive(ctx context.Context) error {
	if err := s.ask(ctx); err != nil {
		return err
	}
	return s.alive()
}

// Vouch asks the holder, whose locks keep the tables as the snapshot knows them: of one that
// somebody has emptied or rewritten, a reader would see no row.
func (s *snapshot) Vouch(ctx context.Context) error { return s.Alive(ctx) }

// gone reports whether the server says that it knows no such snapshot (any more): one
// that does not exist, one whose session has ended, a name that is none, one of another database.
func gone(err error) bool {
	switch stateOf(err) {
	case "22023", "42704", "55000", "0A000":
		return true
	}
	return false
}

// unknown is the error of a snapshot that cannot be joined.
func (s *snapshot) unknown(ctx context.Context, err error) error {
	if ctx.Err() != nil || !gone(err) {
		return err
	}
	return &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "join the snapshot of " + s.display(s.conn.Database),
		Err:  wrap(context.Background(), s.side, "the server knows none of this token", err, spoken),
		Hint: "the process that held it has ended, or the server was restarted; run again"}
}

// rejoin takes a joined snapshot anew when our own holder was lost: while the process
// that had it first holds it, and no table was rewritten meanwhile, nothing is missed. The
// caller has the gate.
func (s *snapshot) rejoin(ctx context.Context) error {
	if !s.joined {
		return errors.New("postgres: the snapshot has no other holder")
	}
	conn, err := s.connect(ctx, "")
	if err != nil {
		return err
	}
	if peerOf(conn).started != s.server {
		closeConn(conn)
		return s.severalError()
	}
	was := s.holder
	s.holder = conn
	if err = s.take(ctx); err == nil {
		err = s.secure(ctx)
	}
	if err != nil {
		s.holder = was
		closeConn(conn)
		return err
	}
	closeConn(was)
	return nil
}

// exported returns the token by which sessions join.
func (s *snapshot) exported() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.export
}
