package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readUnreadable notes what a standby lacks: what is unlogged at the primary is not in the log
// that a standby lives on, and cannot be read there. Whether anybody has to read it is up
// to the policy, which comes later: of a table that is dropped no row is read.
func (s *snapshot) readUnreadable(ctx context.Context) error {
	s.without = map[catalog.TableID]bool{}
	return each(ctx, s.holder, "unreadable", nil, func(row pgx.CollectableRow) error {
		var id catalog.TableID
		err := row.Scan(&id.Schema, &id.Name)
		s.without[id] = true
		return err
	})
}

// readable fails if the rows of a table, or of one of its partitions, are not here.
func (s *snapshot) readable(t *catalog.Table) error {
	var names []string
	for _, p := range s.picture.Tables {
		if s.without[p.ID] && (p == t || t.Kind == catalog.Partitioned && s.picture.Root(p) == s.picture.Root(t)) {
			names = append(names, words(p.ID))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read " + words(t.ID),
		Err:  fmt.Errorf("the source is a standby, which has no rows of what is unlogged: %s", list(names)),
		Hint: "drop it in the policy, if nobody needs its rows; read from the primary; or there: ALTER TABLE " + names[0] + " SET LOGGED"}
}

// checkSequences fails if the position of a sequence is not here. That of a table whose rows
// are not here is not looked for: the table is dropped, and the sequence begins anew.
func (s *snapshot) checkSequences(seqs []connectors.Sequence) error {
	var names []string
	for _, q := range seqs {
		if s.without[q.ID] && !s.without[q.Owner.Table] {
			names = append(names, words(q.ID))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read the sequences of " + s.display(s.conn.Database),
		Err:  fmt.Errorf("the source is a standby, which has no position of what is unlogged: %s", list(names)),
		Hint: "read from the primary, or there: ALTER SEQUENCE " + names[0] + " SET LOGGED"}
}
