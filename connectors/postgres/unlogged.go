package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readUnlogged finds the tables whose rows a crash of the target's server takes away, and
// those among which their rows are routed. It is called once all tables have been made.
func (b *build) readUnlogged(ctx context.Context, conn *pgx.Conn) error {
	unlogged, err := readTables(ctx, conn, "unlogged")
	if err != nil {
		return failDefinition(ctx, b.side, "look for unlogged tables of "+word(b.name), err)
	}
	roots := map[catalog.TableID]bool{}
	for _, id := range unlogged {
		if t := b.spec.Catalog.Table(id); t != nil {
			roots[b.spec.Catalog.Root(t).ID] = true
		}
	}
	b.unlogged = map[catalog.TableID][]catalog.TableID{}
	for _, t := range b.spec.Catalog.Tables {
		if root := b.spec.Catalog.Root(t).ID; t.StoresRows() && roots[root] {
			b.unlogged[root] = append(b.unlogged[root], t.ID)
		}
	}
	return nil
}

// countSQL returns an expression for how many rows there are in all of some tables.
func countSQL(ids []catalog.TableID) string {
	counts := make([]string, len(ids))
	for i, id := range ids {
		counts[i] = "(SELECT pg_catalog.count(*) FROM ONLY " + table(id) + ")"
	}
	return strings.Join(counts, " + ")
}

// emptyUnlogged empties the unlogged tables that have not the rows of their receipts, with
// the tables among which their rows are routed, and takes their chunks off the ledger: a
// crash empties them, while the ledger is logged and still has their receipts.
func (b *build) emptyUnlogged(ctx context.Context, held *session) error {
	for root, ids := range b.unlogged {
		var names, pairs []string
		for _, id := range ids {
			names = append(names, table(id))
			pairs = append(pairs, "("+literal(id.Schema)+", "+literal(id.Name)+")")
		}
		receipts := ident(b.ledger) + ".ledger WHERE (table_schema, table_name) IN (" + strings.Join(pairs, ", ") + ")"
		var whole bool
		// One statement sees one instant, though chunks may be committed meanwhile.
		sql := "SELECT " + countSQL(ids) + " = (SELECT coalesce(pg_catalog.sum(rows), 0) FROM " + receipts + ")"
		if err := held.conn.QueryRow(ctx, sql).Scan(&whole); err != nil {
			return err
		}
		if whole {
			continue
		}
		var acts bool
		sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = ANY ($1::pg_catalog.regclass[])) OR EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = ANY ($1::pg_catalog.regclass[]))"
		if err := held.conn.QueryRow(ctx, sql, names).Scan(&acts); err != nil {
			return err
		}
		if acts {
			// Rows that came now would meet triggers, rules and foreign keys.
			return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: "load " + words(root) + " again", Hint: "run again",
				Err: errors.New("a crash of the server has emptied it, since it is unlogged, when its keys or triggers were made already")}
		}
		if err := held.exec(ctx, "BEGIN; TRUNCATE ONLY "+strings.Join(names, ", ONLY ")+"; DELETE FROM "+receipts+"; COMMIT"); err != nil {
			return err
		}
	}
	return nil
}

// stillWhole returns nil if no crash can have cost the build, all of which is on the disk, any
// row: what only a crash takes away is still there.
func (b *build) stillWhole(ctx context.Context, conn *pgx.Conn, op string, rows map[catalog.TableID]int64) error {
	for _, ids := range b.unlogged {
		var want, got int64
		for _, id := range ids {
			want += rows[id]
		}
		if err := conn.QueryRow(ctx, "SELECT "+countSQL(ids)).Scan(&got); err != nil {
			return failDefinition(ctx, b.side, op, err)
		}
		if got != want {
			return b.crashedError(op, false) // keys and triggers are there: no row can be loaded again
		}
	}
	b.made.mu.Lock()
	b.made.doubt = false
	b.made.mu.Unlock()
	return nil
}

// Settle implements connectors.Settler. What is on the disk is safe, save the rows of unlogged
// tables, and of a server that standbys follow at a distance; but one that has crashed may have
// lost chunks before they got there.
func (b *build) Settle(ctx context.Context) (safe bool, err error) {
	err = b.withAdmin(ctx, func(admin *pgx.Conn) error {
		b.made.mu.Lock()
		safe = !b.made.lost && len(b.unlogged) == 0
		b.made.mu.Unlock()
		if !safe {
			return nil
		}
		// A standby that is promoted in the server's place lacks what has not reached it.
		var lags bool
		err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_replication) AND pg_catalog.current_setting('synchronous_standby_names') = ''").Scan(&lags)
		if safe = !lags; lags || err != nil {
			return err
		}
		// All databases of a server share one log: this commit waits until it is on the disk up to here.
		return b.setMark(ctx, admin, stateBuilding)
	})
	return safe && err == nil, failDefinition(ctx, b.side, "put the rows of "+word(b.name)+" on the disk", err)
}
