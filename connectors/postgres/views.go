package postgres

import (
	"context"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/tasks"
)

// lookingIntoViews returns the tables that got an index behind the views, for ANALYZE to look at.
func (b *build) lookingIntoViews() (ids []catalog.TableID) {
	for _, e := range b.defs.After {
		if e.Phase == phaseFilled && e.Table != nil && !slices.Contains(ids, *e.Table) {
			ids = append(ids, *e.Table)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.analyzed, id)
	}
	return ids
}

// refreshAll fills the materialized views, several at once. One may read another, also by a
// function, which no catalog tells: those that cannot be filled yet are tried again when others are.
func (b *build) refreshAll(ctx context.Context) error {
	for todo := b.defs.Views; len(todo) > 0; {
		wait, last, err := b.refreshRound(ctx, todo)
		if err != nil {
			return err
		}
		if len(wait) < len(todo) {
			todo = wait
			continue
		}
		if !b.holdsUnfilled() {
			return fail(ctx, b.side, "refresh materialized view "+words(wait[len(wait)-1]), last)
		}
		// At the source they were filled while what they read was: nobody could refresh them there either.
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, id := range wait {
			b.unfilled[id] = true
			b.warn("materialized view " + words(id) + " is not filled, for it reads one that is not")
		}
		return nil
	}
	return nil
}

// refreshRound tries to fill views once. It returns those that read one which is not filled, and
// what the server says of the last of them. What reads one that is being filled waits for its lock,
// and sees its rows, which are frozen (PostgreSQL's matview.c).
func (b *build) refreshRound(ctx context.Context, views []catalog.TableID) (wait []catalog.TableID, last error, err error) {
	refused := make([]error, len(views))
	var list []tasks.Task
	for i, id := range views {
		list = append(list, tasks.Task{Do: func(ctx context.Context) error {
			err := b.refresh(ctx, id)
			if stateOf(err) == "55000" {
				refused[i] = err
				return nil
			}
			if err != nil {
				return whileComputing(hintPath(fail(ctx, b.side, "refresh materialized view "+words(id), err), err), err, connectors.Violation{Table: id})
			}
			return nil
		}})
	}
	if err := b.parallel(ctx, list); err != nil {
		return nil, nil, err
	}
	for i, id := range views {
		if refused[i] != nil {
			wait, last = append(wait, id), refused[i]
		}
	}
	return wait, last, nil
}

// holdsUnfilled reports whether a materialized view that comes along is not filled at the source.
func (b *build) holdsUnfilled() bool {
	filled := map[string]bool{}
	for _, id := range b.defs.Views {
		filled[id.String()] = true
	}
	return slices.ContainsFunc(b.spec.Catalog.Objects, func(o catalog.Object) bool {
		return o.Kind == "materialized view" && !filled[o.Name]
	})
}

// refresh fills a materialized view, unless it has been filled. That is not noted in the ledger: of
// all that is made behind the rows this alone depends on what they are at the moment, and who takes
// a session does not know whether the server has crashed since, and lost those of unlogged tables.
func (b *build) refresh(ctx context.Context, id catalog.TableID) error {
	b.mu.Lock()
	done := b.refreshed[id] || b.unfilled[id]
	b.mu.Unlock()
	if done {
		return nil
	}
	err := b.ample(ctx, func(held *session) error { return held.exec(ctx, "REFRESH MATERIALIZED VIEW "+table(id)) })
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refreshed[id] = true
	return nil
}
