package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readUnreadable notes what a standby lacks: what is unlogged at the primary is not in the log
// that a standby lives on, and cannot be read there. Whether anybody has to read it is up
// to the policy, which comes later: of a table that is dropped no row is read.
func (s *snapshot) readUnreadable(ctx context.Context) error {
	unreadable, err := readTables(ctx, s.holder, "unreadable")
	s.without = map[catalog.TableID]bool{}
	for _, id := range unreadable {
		s.without[id] = true
	}
	return err
}

// readable fails if the rows of a table, or of one of its partitions, are not here.
func (s *snapshot) readable(t *catalog.Table) error {
	return s.readableOr(t, "drop it in the policy, if nobody needs its rows")
}

// readableOr is like readable, and hints at another way out.
func (s *snapshot) readableOr(t *catalog.Table, hint string) error {
	var names []string
	for _, p := range s.picture.Tables {
		if s.without[p.ID] && p.StoresRows() && s.picture.within(p, t) {
			names = append(names, words(p.ID))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read " + words(t.ID),
		Err:  fmt.Errorf("the source is a standby, which has no rows of what is unlogged: %s", list(names)),
		Hint: hint + "; read from the primary; or there: ALTER TABLE " + names[0] + " SET LOGGED"}
}

// within reports whether p is t, or one of its partitions at any depth.
func (p *picture) within(part, t *catalog.Table) bool {
	for part != t {
		if !part.IsPartition || len(part.Parents) == 0 {
			return false
		}
		if part = p.Table(part.Parents[0]); part == nil {
			return false
		}
	}
	return true
}

// checkSequences fails if the position of a sequence is not here. That of a table whose rows
// are not here is not looked for: the table is dropped, and the sequence begins anew, or
// after the rows of those partitions that are here.
func (s *snapshot) checkSequences(seqs []connectors.Sequence) error {
	var names []string
	for _, q := range seqs {
		if s.without[q.ID] && (len(q.Fills) == 0 || slices.ContainsFunc(q.Fills, func(c catalog.ColumnID) bool { return !s.without[c.Table] })) {
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
