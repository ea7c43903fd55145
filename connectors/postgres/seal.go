package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Seal proves that the build is whole, sets the mark, and drops the ledger last: until
// then the build can be gone on with.
func (b *build) Seal(ctx context.Context, rows map[catalog.TableID]int64) error {
	op := "seal " + b.display(b.target)
	last := false // the transaction that drops the ledger has been sent
	return b.again(ctx, func(try int) (bool, error) {
		if try > 0 {
			b.freshen()
		}
		return true, b.seal(ctx, op, rows, &last)
	})
}

func (b *build) seal(ctx context.Context, op string, rows map[catalog.TableID]int64, last *bool) error {
	var faults []string
	if err := b.hold(ctx); err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	done := false
	err := b.with(ctx, func(held *session) error {
		if err := b.endLost(ctx, held); err != nil {
			return err
		}
		if b.made.doubted() {
			if err := b.stillWhole(ctx, held.conn, op, rows); err != nil {
				return err
			}
		}
		if *last { // and nobody knows whether it got through
			var there bool
			err := held.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", b.ledger).Scan(&there)
			if done = !there; done || err != nil {
				return err
			}
		}
		receipts, err := readLedger(ctx, held.conn, b.ledger)
		if err != nil {
			return err
		}
		faults = append(faults, compareRows(rows, receipts)...)
		unsound, err := readUnsound(ctx, held.conn)
		if err != nil {
			return err
		}
		for _, name := range unsound {
			if !slices.Contains(b.defs.Unsound, name) {
				faults = append(faults, name+" is not valid")
			}
		}
		keys, err := b.compareKeys(ctx, held.conn)
		if err != nil {
			return err
		}
		faults = append(faults, keys...)
		filled, err := readTables(ctx, held.conn, "matviews")
		if err != nil {
			return err
		}
		for _, id := range b.defs.Views {
			if !slices.Contains(filled, id) && !b.unfilled[id] {
				faults = append(faults, "materialized view "+words(id)+" is not filled")
			}
		}
		return nil
	})
	if err != nil {
		return fail(ctx, b.side, op, err)
	}
	if done {
		b.nowSealed(rows)
		return nil
	}
	if len(faults) > 0 {
		return &connectors.Error{Kind: connectors.KindIntegrity, Side: b.side, Op: op, Err: errors.New(list(faults))}
	}
	err = b.withAdmin(ctx, func(admin *pgx.Conn) error {
		if _, err := admin.Exec(ctx, "ALTER DATABASE "+ident(b.name)+" CONNECTION LIMIT -1"); err != nil {
			return err
		}
		own, err := b.readOwn(ctx, admin)
		if err != nil {
			return err
		}
		return b.setMark(ctx, admin, stateReady, digests(b.spec.Run, own)...)
	})
	if err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	*last = true
	err = b.with(ctx, func(held *session) error { return held.exec(ctx, durable(b.lastSQL())) })
	if err != nil {
		return failDefinition(ctx, b.side, op, err)
	}
	b.nowSealed(rows)
	return nil
}

// nowSealed notes that all is on the disk, and that there is no ledger any more.
func (b *build) nowSealed(rows map[catalog.TableID]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state, b.rows = sealed, rows
}

func compareRows(want map[catalog.TableID]int64, receipts []connectors.Receipt) (faults []string) {
	got := map[catalog.TableID]int64{}
	for _, r := range receipts {
		got[r.Table] += r.Rows
	}
	ids := slices.Collect(maps.Keys(want))
	for id := range got {
		if _, ok := want[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, catalog.TableID.Compare)
	for _, id := range ids {
		if got[id] != want[id] {
			faults = append(faults, fmt.Sprintf("%s: %d rows were read, %d loaded", words(id), want[id], got[id]))
		}
	}
	return faults
}

// compareKeys compares foreign keys with the source's catalog: all there, and valid where the
// source vouches for them. They are known by their columns: what a partition brought along when
// it was attached has a name of its own at the source, and its parent's in a copy.
func (b *build) compareKeys(ctx context.Context, conn *pgx.Conn) (faults []string, err error) {
	type key struct {
		table, references catalog.TableID
		pairs             string
	}
	identity := func(from, to catalog.TableID, columns, references []string) key {
		pairs := make([]string, len(columns))
		for i := range columns {
			pairs[i] = fmt.Sprintf("%q to %q", columns[i], references[i])
		}
		slices.Sort(pairs)
		return key{from, to, strings.Join(pairs, ", ")}
	}
	there, valid := map[key]int{}, map[key]int{}
	err = each(ctx, conn, "keys_built", nil, func(row pgx.CollectableRow) error {
		var from, to catalog.TableID
		var columns, references []string
		var ok bool
		if err := row.Scan(&from.Schema, &from.Name, &to.Schema, &to.Name, &columns, &references, &ok); err != nil {
			return err
		}
		k := identity(from, to, columns, references)
		there[k]++
		if ok {
			valid[k]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range b.spec.Catalog.Tables {
		if t.Kind == catalog.Foreign {
			continue
		}
		for _, f := range t.ForeignKeys {
			var columns, references []string
			for _, p := range f.Pairs {
				columns, references = append(columns, p.Column), append(references, p.References)
			}
			k := identity(t.ID, f.References, columns, references)
			there[k]--
			if f.Validated {
				valid[k]--
			}
			switch {
			case there[k] < 0:
				faults = append(faults, fmt.Sprintf("foreign key %s of %s is missing", word(f.Name), words(t.ID)))
			case valid[k] < 0:
				faults = append(faults, fmt.Sprintf("foreign key %s of %s is not valid", word(f.Name), words(t.ID)))
			}
		}
	}
	return faults, nil
}

// lastSQL drops the ledger, turns row security on and makes the event triggers that somebody keeps,
// in one transaction: earlier they would act on the build.
func (b *build) lastSQL() string {
	sql := "DROP SCHEMA " + ident(b.ledger) + " CASCADE"
	for _, e := range b.defs.After {
		if e.Phase == phaseLast {
			sql += ";\n" + strings.TrimSuffix(strings.TrimSpace(e.SQL), ";")
		}
	}
	return sql
}
