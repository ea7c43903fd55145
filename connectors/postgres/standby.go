package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// checkUnlogged fails on a standby that lacks the rows of a table: what is unlogged at
// the primary is not in the log that a standby lives on, and cannot be read there.
func (s *snapshot) checkUnlogged(ctx context.Context) error {
	var names []string
	err := each(ctx, s.holder, "unreadable", nil, func(row pgx.CollectableRow) error {
		var id catalog.TableID
		err := row.Scan(&id.Schema, &id.Name)
		names = append(names, words(id))
		return err
	})
	if err != nil || len(names) == 0 {
		return err
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "open a snapshot of " + s.display(s.conn.Database),
		Err:  fmt.Errorf("the source is a standby, which has no rows of what is unlogged: %s", list(names)),
		Hint: "read from the primary, or there: ALTER TABLE " + names[0] + " SET LOGGED"}
}
