package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A table of an extension comes with the extension, and with the rows that this brings. An extension may
// say which rows are the database's own (pg_extension_config_dump): spatial_ref_sys of PostGIS holds systems
// of one's own beside those of the EPSG. No policy decides about them, so they stay behind unless
// somebody keeps them by name; and where a key of another table may need them, somebody has to.

// extensionRows is the kind of the object that stands for the rows of one's own in such a table,
// and keptRows that of the entry that makes them.
const (
	extensionRows = "extension rows"
	keptRows      = "EXTENSION ROWS"
)

// mostExtensionRows bounds what is copied of such a table: it travels among the definitions, and in
// memory. Tests set it.
var mostExtensionRows = 10000

// lent is a table of an extension that may hold rows of the database's own.
type lent struct {
	id        catalog.TableID
	condition string // WHERE …: of the rows of one's own; all of them if it is empty
	readable  bool
	columns   []string
	keys      []string // that refer to it, as the catalog calls constraints
}

func readLent(ctx context.Context, conn *pgx.Conn) (found []lent, err error) {
	err = each(ctx, conn, "extension_rows", nil, func(row pgx.CollectableRow) error {
		var l lent
		err := row.Scan(&l.id.Schema, &l.id.Name, &l.condition, &l.readable, &l.columns, &l.keys)
		found = append(found, l)
		return err
	})
	return found, err
}

// from is the part of a query behind the columns, for the rows of one's own.
func (l lent) from() string { return " FROM " + table(l.id) + " " + l.condition }

// referring stops for keys that refer to a table of an extension in which there are rows of one's
// own: they may refer to these, and then no key could be made behind the rows.
func (p *picture) referring(ctx context.Context, conn *pgx.Conn) error {
	if !slices.ContainsFunc(p.objects, func(o catalog.Object) bool { return o.Kind == extensionRows }) {
		return nil
	}
	found, err := readLent(ctx, conn)
	if err != nil {
		return err
	}
	for _, l := range found {
		if len(l.keys) == 0 || !l.readable || !p.has(extensionRows, l.id.String()) {
			continue
		}
		var own bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT"+l.from()+")").Scan(&own); err != nil {
			return fmt.Errorf("read whether %s has rows of its own: %w", words(l.id), err)
		}
		for _, key := range l.keys {
			if own {
				p.stop("constraint", key, extensionRows+":"+l.id.String())
			}
		}
	}
	return nil
}

// readExtensionRows returns what makes the rows that somebody keeps. They come before all other
// rows, for functions that look into them (ST_Transform) may compute columns.
func (s *snapshot) readExtensionRows(ctx context.Context, conn *pgx.Conn) (entries []entry, err error) {
	kept := map[string]bool{}
	for _, o := range s.picture.Objects {
		kept[o.Name] = kept[o.Name] || o.Kind == extensionRows && o.Fate.Along()
	}
	if !slices.ContainsFunc(s.picture.Objects, func(o catalog.Object) bool { return kept[o.Name] }) {
		return nil, nil
	}
	found, err := readLent(ctx, conn)
	if err != nil {
		return nil, err
	}
	for _, l := range found {
		if !kept[l.id.String()] {
			continue
		}
		rows, err := s.readOwnRows(ctx, conn, l)
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			entries = append(entries, entry{Kind: keptRows, Schema: l.id.Schema, Name: l.id.Name, Columns: l.columns, Rows: rows})
		}
	}
	return entries, nil
}

// readOwnRows returns the rows of one's own in a table, as literals.
func (s *snapshot) readOwnRows(ctx context.Context, conn *pgx.Conn, l lent) ([][]string, error) {
	op := "read the rows of " + words(l.id) + " that are no extension's"
	var literals []string
	for _, c := range l.columns {
		literals = append(literals, "pg_catalog.format('%L', "+ident(c)+")")
	}
	sql := fmt.Sprintf("SELECT ARRAY[%s]::pg_catalog.text[]%s LIMIT %d", strings.Join(literals, ", "), l.from(), mostExtensionRows+1)
	found, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, fail(ctx, s.side, op, err)
	}
	rows, err := pgx.CollectRows(found, pgx.RowTo[[]string])
	switch {
	case err != nil:
		return nil, fail(ctx, s.side, op, err)
	case len(rows) > mostExtensionRows:
		return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: op, Err: fmt.Errorf("there are more than %d", mostExtensionRows),
			Hint: "leave them behind, and drop the keys that refer to them at the source"}
	}
	return rows, nil
}

// makeKept inserts such rows. A column that people have added to the table, or that the target's version of
// the extension does not make, stays behind, and with it what is in it.
func (b *build) makeKept(ctx context.Context, held *session, e entry) error {
	id := catalog.TableID{Schema: e.Schema, Name: e.Name}
	var here []string
	err := held.conn.QueryRow(ctx, `SELECT ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute
		WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '')`, table(id)).Scan(&here)
	if err != nil {
		return err
	}
	if len(here) == 0 {
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: "make " + e.String(), Err: errors.New("the extension does not make this table at the target"),
			Hint: cmp.Or(b.hintTable(id), "use the version of the extension that the source has, or "+forgoRows)}
	}
	var names, without []string
	var at []int
	for i, c := range e.Columns {
		if slices.Contains(here, c) {
			names, at = append(names, ident(c)), append(at, i)
		} else {
			without = append(without, word(c))
		}
	}
	if len(without) > 0 {
		b.notes(catalog.Object{Kind: extensionRows, Name: id.String(), Fate: catalog.Noted, Reason: "come without " + list(without) + ", which the table does not have in the copy"})
	}
	var values []string
	for _, row := range e.Rows {
		var of []string
		for _, i := range at {
			of = append(of, row[i])
		}
		values = append(values, "("+strings.Join(of, ", ")+")")
	}
	return b.keptRowsError(ctx, e, held.exec(ctx, "INSERT INTO "+table(id)+" ("+strings.Join(names, ", ")+") OVERRIDING SYSTEM VALUE VALUES\n"+strings.Join(values, ",\n")))
}

// forgoRows is what somebody may do without whom rows of one's own come along.
const forgoRows = "leave --keep-object out for them, and drop the keys that refer to them at the source"

// keptRowsError is the error of such an INSERT: it says no value.
func (b *build) keptRowsError(ctx context.Context, e entry, err error) error {
	failed := fail(ctx, b.side, "make "+e.String(), err)
	var ours *connectors.Error
	if !errors.As(failed, &ours) {
		return failed
	}
	switch state := stateOf(err); {
	case state == "42501":
		ours.Hint = "the table belongs to the superuser of the target's server, as those of an extension do that others may create: connect as a superuser there"
		if writesAllData.in(b.major) {
			ours.Hint += ", or GRANT pg_write_all_data TO " + word(b.account)
		}
		ours.Hint += "; or " + forgoRows
	case ours.Hint == "" && state == "23505":
		ours.Hint = "the target's version of the extension brings rows with the same keys: use that of the source, or " + forgoRows
	case ours.Hint == "" && (strings.HasPrefix(state, "23") || refused(err)):
		ours.Hint = "the target's version of the extension wants other rows: use that of the source, or " + forgoRows
	}
	return failed
}

// hintLent says of a key that rows break what they miss, if it refers to a table of an extension: one that does
// not say which rows are one's own, or does not let the account read them.
func (b *build) hintLent(failed, err error, e entry) error {
	var ours *connectors.Error
	if errors.As(failed, &ours) && ours.Hint == "" && stateOf(err) == "23503" && e.References != nil && b.spec.Catalog.Table(*e.References) == nil {
		ours.Hint = words(*e.References) + " belongs to an extension, which does not say what rows there are one's own: leave out by the policy what refers to these, or drop the key at the source"
	}
	return failed
}
