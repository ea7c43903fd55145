package postgres

import (
	"context"
	"fmt"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The shares of the server's room for locks from which a run warns, and from which it does not begin:
// who finds no room, be it one of production's own sessions, fails with "out of shared memory".
const (
	warnRoom = 0.5
	mostRoom = 0.9
)

// lockRoom asks whether the server has room for the locks of all tables, beside those of others. That of the
// holder is one object for each table; those of pg_dump and the readers on the same table are
// others' shares in it, for which there is twice as much room.
func (s *snapshot) lockRoom(ctx context.Context) error {
	tables := int64(0)
	for _, t := range s.picture.Tables {
		if t.Kind != catalog.Foreign {
			tables++
		}
	}
	var room, taken int64
	if err := s.holder.QueryRow(ctx, query("lock_room")).Scan(&room, &taken); err != nil {
		return fmt.Errorf("read the room for locks: %w", err)
	}
	share := float64(tables+taken) / float64(max(room, 1))
	said := fmt.Sprintf("a run locks all %d tables for as long as it reads, and the server has room for about %d locks, of which %d are taken (max_locks_per_transaction)", tables, room, taken)
	switch {
	case share > mostRoom:
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "lock the tables of " + s.display(s.conn.Database),
			Err:  fmt.Errorf("%s: its other sessions would find none", said),
			Hint: "raise max_locks_per_transaction at the server, which is to be started anew, or read from a standby that has more; tables that the policy drops are locked as well"}
	case share > warnRoom && !s.roomy:
		s.roomy = true
		s.warn(said + ": if its other sessions lock many as well, they may find none; raise it, or read from a standby")
	}
	return nil
}
