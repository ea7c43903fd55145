package postgres

import (
	"context"
	"slices"

	"github.com/sanitize-db/sanitize/connectors/catalog"
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

// refreshAll fills the materialized views. One may read another by a function, which no catalog
// tells: those that cannot be filled yet are tried again when others are.
func (b *build) refreshAll(ctx context.Context) error {
	for todo := b.defs.Views; len(todo) > 0; {
		var wait []catalog.TableID
		var last error
		for _, id := range todo {
			err := b.refresh(ctx, id)
			if stateOf(err) == "55000" {
				wait, last = append(wait, id), err
				continue
			}
			if err != nil {
				return hintPath(fail(ctx, b.side, "refresh materialized view "+words(id), err), err)
			}
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
