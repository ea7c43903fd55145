package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// rehearse makes what stands behind the rows of each table on the empty table, and unmakes it: what
// the target's version refuses, and no list has, is said before the first row. Between servers of
// one version there is nothing to find out, unless an extension is another in the copy: these have
// versions too, and people change what they make.
func (b *build) rehearse(ctx context.Context) error {
	if b.sameVersion() && !b.unlike {
		return nil
	}
	var acts [][]entry // of one table each
	at := map[catalog.TableID]int{}
	for _, e := range b.defs.After {
		switch {
		case e.Phase == phaseTable:
			i, known := at[*e.Table]
			if !known {
				i = len(acts)
				at[*e.Table] = i
				acts = append(acts, nil)
			}
			acts[i] = append(acts[i], e)
		case e.Phase == phaseAttach && (e.Kind == "INDEX" || e.Kind == "CONSTRAINT"):
			acts = append(acts, []entry{e})
		}
	}
	var list []tasks.Task
	for share := range slices.Chunk(acts, max(1, (len(acts)+cap(b.slots)-1)/cap(b.slots))) {
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			return b.with(ctx, func(held *session) error {
				for _, act := range share {
					if err := b.rehearseTable(ctx, held, act); err != nil {
						return err
					}
				}
				return nil
			})
		}})
	}
	return b.parallel(ctx, list)
}

// rehearseTable makes entries in a transaction that is rolled back, in one message. Where that is
// refused it asks for one after the other.
func (b *build) rehearseTable(ctx context.Context, held *session, entries []entry) error {
	var all strings.Builder
	for _, e := range entries {
		all.WriteString(e.SQL + "\n;")
	}
	err := held.exec(ctx, "BEGIN;"+all.String()+"ROLLBACK")
	if err == nil {
		return nil
	}
	const op = "try the indexes on empty tables"
	if stateOf(err) == "" || broken(err) {
		return failDefinition(ctx, b.side, op, err)
	}
	if refused(err) {
		if err := held.exec(ctx, "ROLLBACK;BEGIN"); err != nil {
			return failDefinition(ctx, b.side, op, err)
		}
		for _, e := range entries {
			if err := held.exec(ctx, e.SQL); err != nil {
				return errors.Join(b.refusedError(ctx, e, err), failDefinition(ctx, b.side, op, held.exec(ctx, "ROLLBACK")))
			}
		}
	}
	// What else may be wrong is so of empty tables alone, or comes again.
	return failDefinition(ctx, b.side, op, held.exec(ctx, "ROLLBACK"))
}

// refused reports whether a server does not understand a definition, or cannot do what it says.
func refused(err error) bool {
	state := stateOf(err)
	return strings.HasPrefix(state, "42") || state == "0A000" || state == "22023"
}

// refusedError says what differs between both ends, unless a function names something without its schema:
// that may be refused in any version.
func (b *build) refusedError(ctx context.Context, e entry, err error) error {
	failed := failDefinition(ctx, b.side, "make "+e.String(), err)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && inFunction.MatchString(pg.Where) {
		failed = hintPath(failed, err)
	}
	b.blame(ctx, failed, err, e)
	return failed
}

// blameVersion says of an error without a hint that the versions differ, if they do.
func (b *build) blameVersion(ctx context.Context, failed error) {
	var ours *connectors.Error
	if errors.As(failed, &ours) && ours.Hint == "" && ctx.Err() == nil && !b.sameVersion() {
		ours.Kind = connectors.KindUnsupported
		source := versionOf(b.spec.Catalog.Server)
		ours.Hint = fmt.Sprintf("PostgreSQL %d refuses what version %d has taken: drop or change it at the source, or use a target of version %[2]d", b.major, source)
	}
}
