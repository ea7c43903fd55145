package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// exclusion is an exclusion constraint of a partitioned table, or of a partition that has it from there.
type exclusion struct {
	at          archiveID
	above       uint32 // the constraint of the table above; 0 if there is none
	of          catalog.TableID
	name        string
	partitioned bool     // so is its table
	options     []string // names of what is said of its index
	set         []string // and the same with values
}

func readExclusions(ctx context.Context, conn *pgx.Conn) (found []exclusion, err error) {
	err = each(ctx, conn, "exclusions", nil, func(row pgx.CollectableRow) error {
		var x exclusion
		err := row.Scan(&x.at.class, &x.at.oid, &x.above, &x.of.Schema, &x.of.Name, &x.name, &x.partitioned, &x.options, &x.set)
		found = append(found, x)
		return err
	})
	return found, err
}

// wholeExclusions makes an exclusion constraint of a partitioned table in one step with
// those of its partitions. A dump makes each by itself and attaches them, which servers up
// to 18 refuse: they never find the indexes of two exclusion constraints alike
// (CompareIndexInfo in catalog/index.c). A key WITHOUT OVERLAPS is one of them. The server
// gives those of the partitions names and options, which are then made the source's; what else a
// dump says of them stands behind.
func (a *archive) wholeExclusions(found []exclusion, p *picture) {
	items := map[archiveID]*item{}
	for _, it := range a.items {
		if it.Kind == "CONSTRAINT" && !it.left {
			items[it.at] = it
		}
	}
	roots := map[uint32]exclusion{} // by those beneath them
	beneath := map[uint32][]exclusion{}
	merged := map[int]bool{}
	for _, x := range found { // from above to below
		if x.above == 0 {
			roots[x.at.oid] = x
			continue
		}
		root := roots[x.above]
		roots[x.at.oid] = root
		if items[root.at] != nil && items[x.at] != nil {
			beneath[root.at.oid] = append(beneath[root.at.oid], x)
		}
	}
	for _, root := range found {
		parts := beneath[root.at.oid]
		if len(parts) == 0 {
			continue
		}
		it := items[root.at]
		it.Phase = p.looks(it.SQL)
		sql := []string{strings.Replace(it.SQL, "ALTER TABLE ONLY ", "ALTER TABLE ", 1), renameSQL(root, parts)}
		for _, x := range parts {
			part := items[x.at]
			sql = append(append(sql, optionsSQL(root, x)...), behindFirst(part.SQL))
			part.left, part.Phase = true, it.Phase
			merged[part.id] = true
		}
		it.SQL = strings.Join(slices.DeleteFunc(sql, func(s string) bool { return s == "" }), "\n")
	}
	for _, it := range a.items {
		if it.Kind == "INDEX ATTACH" {
			it.left = it.left || slices.ContainsFunc(it.deps, func(id int) bool { return merged[id] })
		}
	}
}

// renameSQL gives the constraints that a server has made of partitions the names of the source. Each is
// found by its table, beneath that of the partitioned one. The server may have given one the name of
// another: first all get names that nobody has.
func renameSQL(root exclusion, parts []exclusion) string {
	var want []string
	for _, x := range parts {
		want = append(want, fmt.Sprintf("(%s, %s, %s)", literal(x.of.Schema), literal(x.of.Name), literal(x.name)))
	}
	body := fmt.Sprintf(`
DECLARE r record;
BEGIN
  FOR pass IN 1..2 LOOP
    FOR r IN
      WITH RECURSIVE down AS (
          SELECT o.oid FROM pg_catalog.pg_constraint o WHERE o.conrelid = pg_catalog.to_regclass(%s) AND o.conname = %s
        UNION ALL
          SELECT o.oid FROM down JOIN pg_catalog.pg_constraint o ON o.conparentid = down.oid AND o.contype <> 'f')
      SELECT w.*, o.oid, o.conname
      FROM down JOIN pg_catalog.pg_constraint o ON o.oid = down.oid
      JOIN pg_catalog.pg_class c ON c.oid = o.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN (VALUES %s) AS w (of_schema, of_table, name) ON w.of_schema = n.nspname AND w.of_table = c.relname
      WHERE o.conname <> w.name
    LOOP
      EXECUTE pg_catalog.format('ALTER TABLE ONLY %%I.%%I RENAME CONSTRAINT %%I TO %%I', r.of_schema, r.of_table, r.conname,
        CASE pass WHEN 1 THEN 'sanitize_' || r.oid ELSE r.name END);
    END LOOP;
  END LOOP;
END
`, literal(table(root.of)), literal(root.name), strings.Join(want, ", "))
	return "DO LANGUAGE plpgsql " + literal(body) + ";"
}

// optionsSQL makes the options of a partition's index, which are the root's when it is made, its own.
func optionsSQL(root, x exclusion) (sql []string) {
	if x.partitioned || slices.Equal(root.set, x.set) {
		return nil
	}
	index := "ALTER INDEX " + table(catalog.TableID{Schema: x.of.Schema, Name: x.name})
	if len(x.set) > 0 {
		sql = append(sql, index+" SET ("+strings.Join(x.set, ", ")+");")
	}
	var reset []string
	for _, name := range root.options {
		if !slices.Contains(x.options, name) {
			reset = append(reset, ident(name))
		}
	}
	if len(reset) > 0 {
		sql = append(sql, index+" RESET ("+strings.Join(reset, ", ")+");")
	}
	return sql
}

// behindFirst returns what stands behind the first statement of an item's SQL: CLUSTER ON, REPLICA
// IDENTITY, DEPENDS ON EXTENSION.
func behindFirst(sql string) string {
	for i := 0; i < len(sql); {
		switch c := sql[i]; c {
		case '\'', '"':
			i = afterQuote(sql, i, c, false)
		case ';':
			return strings.TrimSpace(sql[i+1:])
		default:
			i++
		}
	}
	return ""
}
