package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// restoreNames gives the items of an archive the names that the catalog has. A dump calls its items in
// one line each: where a name has a line break, it has a blank.
func (a *archive) restoreNames(ctx context.Context, conn *pgx.Conn) error {
	found := map[archiveID]catalog.TableID{}
	err := each(ctx, conn, "names", nil, func(row pgx.CollectableRow) error {
		var at archiveID
		var id catalog.TableID
		err := row.Scan(&at.class, &at.oid, &id.Schema, &id.Name)
		found[at] = id
		return err
	})
	if err != nil || len(found) == 0 {
		return err
	}
	for _, it := range a.items {
		if id, known := found[it.at]; known {
			it.call(id)
		}
	}
	for _, it := range a.items { // comments have no key of their own, and are in the schema of what they are on
		for _, id := range it.deps {
			if d := a.byID[id]; d != nil && it.at.class == 0 && inLine(d.Schema) == it.Schema {
				it.Schema = d.Schema
			}
		}
	}
	return nil
}

// call gives an item its name, if that is what the archive calls it. Behind it may stand more: the
// parameters of a function.
func (it *item) call(id catalog.TableID) {
	if inLine(id.Schema) == it.Schema {
		it.Schema = id.Schema
	}
	if line := inLine(id.Name); strings.HasPrefix(it.Name, line) {
		it.Name = id.Name + it.Name[len(line):]
	}
}

// inLine is how a dump writes a name into one line.
func inLine(name string) string { return breaks.Replace(name) }

var breaks = strings.NewReplacer("\n", " ", "\r", " ")
