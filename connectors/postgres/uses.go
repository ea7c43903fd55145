package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What uses a function without its name: by an operator, a cast, an operator class, or as a
// part of an aggregate. Words do not show it, and the server's own list of dependencies does.

// part is what uses something and is no object by itself: a constraint, an index, a default.
type part struct {
	kind, name string
	of         catalog.TableID // a table or a domain
}

// blame adds to what is to blame for something, and reports whether that is more.
func blame[K comparable](to map[K][]string, key K, refs []string) (more bool) {
	for _, ref := range refs {
		if !slices.Contains(to[key], ref) {
			to[key], more = append(to[key], ref), true
		}
	}
	return more
}

// byUse follows what is to blame to those who use it, by one step.
func (t *taint) byUse(ctx context.Context, conn *pgx.Conn) (more bool, err error) {
	var classes, ids []uint32
	for at, refs := range t.keys {
		if len(refs) > t.asked[at] {
			classes, ids, t.asked[at] = append(classes, at.class), append(ids, at.oid), len(refs)
		}
	}
	if len(ids) == 0 {
		return false, nil
	}
	err = each(ctx, conn, "users", []any{classes, ids}, func(row pgx.CollectableRow) error {
		var from, at archiveID
		var u part
		if err := row.Scan(&from.class, &from.oid, &at.class, &at.oid, &u.kind, &u.of.Schema, &u.of.Name, &u.name); err != nil {
			return err
		}
		i, known := t.at[at]
		switch {
		case known && t.p.objects[i].Fate == catalog.Stays:
		case known:
			more = t.blames(i, t.keys[from]) || more
		case u.kind != "":
			if blame(t.used, u, t.keys[from]) && !slices.Contains(t.parts, u) {
				t.parts = append(t.parts, u)
			}
		default:
			more = blame(t.keys, at, t.keys[from]) || more
		}
		return nil
	})
	return more, err
}

// leaveUsers decides about what uses what is to blame, as is decided about what calls it.
func (t *taint) leaveUsers() {
	for i := range t.p.objects {
		switch o := t.p.objects[i]; o.Kind {
		case "rule", "trigger", "extended statistics":
			if refs := t.keys[t.p.keyOf(i)]; len(refs) > 0 {
				t.leave(o.Kind, o.Name, refs) // a row, or ANALYZE, would meet it
			}
		}
	}
	for _, u := range t.parts {
		t.leavePart(u, t.used[u])
	}
}

func (t *taint) leavePart(u part, refs []string) {
	switch u.kind {
	case "column":
		t.stop("column", u.of.String()+"."+u.name, "is computed by ", refs)
	case "partition key":
		t.stop("partition key", u.of.String(), "is computed by ", refs)
	case "key":
		t.stop("constraint", u.of.String()+"."+u.name, "compares by ", refs)
	case "index":
		t.leave("index", u.of.Schema+"."+u.name, refs)
	case "constraint":
		t.leaveConstraint(u.of, u.name, refs)
	case "domain default":
		t.leaveDomain(domainPart{domain: u.of}, refs)
	case "default":
		for _, d := range t.p.given {
			if d.of == u.of && d.column == u.name {
				t.leaveDefault(d, refs)
			}
		}
	}
}
