package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// object is a row of sqlite_schema.
type object struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Table string `json:"table"`
	SQL   string `json:"sql,omitempty"` // empty for what a constraint implies
}

// schema is what a file holds, before it is read column by column.
type schema struct {
	objects []object // in the order in which they were made
	kinds   map[string]listed
}

// listed is a row of PRAGMA table_list.
type listed struct {
	kind         string // table, view, shadow, virtual
	withoutRowID bool
}

func readSchema(ctx context.Context, s *session) (schema, error) {
	c := schema{kinds: map[string]listed{}}
	err := s.query(ctx, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", nil, func(v []driver.Value) error {
		o := object{Type: text(v[0]), Name: text(v[1]), Table: text(v[2]), SQL: text(v[3])}
		c.objects = append(c.objects, o)
		return nil
	})
	if err != nil {
		return c, err
	}
	err = s.query(ctx, "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'", nil, func(v []driver.Value) error {
		c.kinds[text(v[0])] = listed{kind: text(v[1]), withoutRowID: v[2] == int64(1)}
		return nil
	})
	return c, err
}

func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

// internal reports whether SQLite keeps the object for itself.
func internal(name string) bool { return strings.HasPrefix(strings.ToLower(name), "sqlite_") }

// ordinary reports whether an object is a table whose rows are copied. Shadow
// tables belong to virtual ones, which hold derived or outside data.
func (c schema) ordinary(o object) bool {
	return o.Type == "table" && !internal(o.Name) && c.kinds[o.Name].kind == "table"
}

// readCatalog reads all ordinary tables.
func readCatalog(ctx context.Context, s *session, server string) (*catalog.Catalog, schema, error) {
	c, err := readSchema(ctx, s)
	if err != nil {
		return nil, c, err
	}
	pageSize, err := s.number(ctx, "PRAGMA page_size")
	if err != nil {
		return nil, c, err
	}
	var tables []*catalog.Table
	var objects []catalog.Object
	for _, o := range c.objects {
		switch {
		case c.ordinary(o):
			t, err := readTable(ctx, s, c, o)
			if err != nil {
				return nil, c, err
			}
			tables = append(tables, t)
		case o.Type == "view" || o.Type == "trigger":
			objects = append(objects, catalog.Object{Kind: o.Type, Name: o.Name, Definition: o.SQL})
		case c.kinds[o.Name].kind == "virtual":
			objects = append(objects, catalog.Object{Kind: "virtual table", Name: o.Name, Definition: o.SQL})
		}
	}
	resolveForeignKeys(tables)
	for i := range objects {
		if objects[i].Kind == "view" {
			objects[i].Reads = viewReads(tables, objects[i].Definition)
		}
	}
	connectors.RedactDefinitions(tables, objects)
	if err := estimate(ctx, s, c, tables, pageSize); err != nil {
		return nil, c, err
	}
	return catalog.New("sqlite", server, "", tables, objects), c, nil
}

func readTable(ctx context.Context, s *session, c schema, o object) (*catalog.Table, error) {
	t := &catalog.Table{ID: catalog.TableID{Name: o.Name}, Kind: catalog.Ordinary}
	declared := parseTable(o.SQL)
	type keyColumn struct {
		position int64
		name     string
	}
	var key []keyColumn
	err := s.query(ctx, "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid", bind(o.Name), func(v []driver.Value) error {
		col := catalog.Column{Name: text(v[0]), Type: typeOf(text(v[1])), NotNull: v[2] == int64(1), Default: text(v[3])}
		switch v[5] {
		case int64(1):
			return nil // a hidden column of a virtual table
		case int64(2):
			col.Generation = catalog.Virtual
		case int64(3):
			col.Generation = catalog.Stored
		}
		if col.Generation.Computed() {
			// GENERATED ALWAYS is how the pragma spells part of the type.
			col.Type = typeOf(strings.TrimSpace(trimFold(text(v[1]), "GENERATED ALWAYS")))
		}
		for name, collation := range declared.collations {
			if strings.EqualFold(name, col.Name) && !strings.EqualFold(collation, "BINARY") {
				col.Collation = strings.ToUpper(collation)
			}
		}
		if col.Type.Kind == catalog.Text {
			col.Type.Equality = equalityOf(col.Collation)
		}
		if n := v[4].(int64); n > 0 {
			key = append(key, keyColumn{n, col.Name})
		}
		t.Columns = append(t.Columns, col)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(key, func(a, b keyColumn) int { return int(a.position - b.position) })
	if len(key) > 0 {
		t.PrimaryKey = &catalog.Key{}
		for _, k := range key {
			t.PrimaryKey.Columns = append(t.PrimaryKey.Columns, k.name)
		}
		if t.PrimaryKey.Name = declared.keyName(true, t.PrimaryKey.Columns); t.PrimaryKey.Name == "" {
			t.PrimaryKey.Name = o.Name + "_pkey"
		}
	}
	statements := map[string]string{}
	for _, index := range c.objects {
		if index.Type == "index" {
			statements[index.Name] = index.SQL
		}
	}
	indexed, err := readUnique(ctx, s, t, declared, statements)
	if err != nil {
		return nil, err
	}
	if len(key) == 1 && !indexed {
		// A primary key without an index of its own is the rowid: never NULL.
		col := t.Column(key[0].name)
		col.NotNull = true
		if declared.autoincrement {
			col.Generation = catalog.IdentityByDefault
		}
	}
	c.define(t, declared)
	return t, readForeignKeys(ctx, s, t, declared)
}

func trimFold(s, suffix string) string {
	if len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s[:len(s)-len(suffix)]
	}
	return s
}

// readUnique reads unique constraints and unique indexes over plain columns,
// and reports whether the primary key has an index.
// statements are those that made the indexes, by name.
func readUnique(ctx context.Context, s *session, t *catalog.Table, declared statement, statements map[string]string) (indexed bool, err error) {
	type index struct {
		name, origin string
		partial      bool
	}
	var all []index
	err = s.query(ctx, "SELECT name, origin, partial FROM pragma_index_list(?) WHERE \"unique\" = 1 ORDER BY seq DESC", bind(t.ID.Name), func(v []driver.Value) error {
		all = append(all, index{text(v[0]), text(v[1]), v[2] == int64(1)})
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, i := range all {
		if i.origin == "pk" {
			indexed = true
			continue
		}
		k := catalog.Key{Name: i.name, Partial: i.partial}
		plain := true
		var collations []string
		err := s.query(ctx, "SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno", bind(i.name), func(v []driver.Value) error {
			plain = plain && v[0].(int64) >= 0
			k.Columns = append(k.Columns, text(v[1]))
			collations = append(collations, text(v[2]))
			return nil
		})
		if err != nil {
			return false, err
		}
		if r, is := ruleOf(t, k, collations, statements[i.name]); is {
			t.Rules = append(t.Rules, r)
		}
		if !plain {
			continue // an expression, or the rowid
		}
		if i.origin == "u" {
			if name := declared.keyName(false, k.Columns); name != "" {
				k.Name = name
			}
		}
		t.Unique = append(t.Unique, k)
	}
	return indexed, nil
}

// readForeignKeys reads the pairs as they are declared; resolveForeignKeys
// completes them. They are listed in the order of the CREATE TABLE, which is
// the reverse of SQLite's ids.
func readForeignKeys(ctx context.Context, s *session, t *catalog.Table, declared statement) error {
	last := int64(-1)
	err := s.query(ctx, "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq", bind(t.ID.Name), func(v []driver.Value) error {
		if id := v[0].(int64); id != last {
			last = id
			t.ForeignKeys = append(t.ForeignKeys, catalog.ForeignKey{References: catalog.TableID{Name: text(v[1])}, Validated: true})
		}
		k := &t.ForeignKeys[len(t.ForeignKeys)-1]
		k.Pairs = append(k.Pairs, catalog.Pair{Column: text(v[2]), References: text(v[3])})
		return nil
	})
	if err != nil {
		return err
	}
	for i := range t.ForeignKeys {
		k := &t.ForeignKeys[i]
		if len(declared.foreign) == len(t.ForeignKeys) {
			k.Name, k.Deferrable = declared.foreign[i].name, declared.foreign[i].deferrable
		}
		if k.Name == "" {
			k.Name = t.ID.Name + "_" + strings.Join(k.Columns(), "_") + "_fkey"
		}
	}
	return nil
}

// resolveForeignKeys gives each reference the spelling of the table and columns
// that it means, and a reference without columns those of the primary key.
func resolveForeignKeys(tables []*catalog.Table) {
	for _, t := range tables {
		for i := range t.ForeignKeys {
			k := &t.ForeignKeys[i]
			at := slices.IndexFunc(tables, func(to *catalog.Table) bool { return strings.EqualFold(to.ID.Name, k.References.Name) })
			for p := range k.Pairs {
				k.Pairs[p].Column = spelling(t, k.Pairs[p].Column)
			}
			if at < 0 {
				k.Validated = false // SQLite lets a key point to a table that is missing
				continue
			}
			to := tables[at]
			k.References = to.ID
			for p := range k.Pairs {
				pair := &k.Pairs[p]
				if pair.References == "" && to.PrimaryKey != nil && p < len(to.PrimaryKey.Columns) {
					pair.References = to.PrimaryKey.Columns[p]
				}
				pair.References = spelling(to, pair.References)
				// Nor to a column that is missing: such a key holds for no row.
				k.Validated = k.Validated && to.Column(pair.References) != nil
			}
		}
	}
}

func spelling(t *catalog.Table, column string) string {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, column) {
			return c.Name
		}
	}
	return column
}

// rowIDName returns a name by which SQL reaches the rowid, or "" if the table
// has none or its columns hide them all.
func rowIDName(t *catalog.Table, c schema) string {
	if c.kinds[t.ID.Name].withoutRowID {
		return ""
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(t.Columns, func(col catalog.Column) bool { return strings.EqualFold(col.Name, name) }) {
			return name
		}
	}
	return ""
}

// estimate sets the tables' sizes. No count is kept by SQLite, and counting
// reads everything: the span of the rowids bounds the rows from above, and the
// file's pages are shared out by rows.
func estimate(ctx context.Context, s *session, c schema, tables []*catalog.Table, pageSize int64) error {
	pages, err := s.number(ctx, "PRAGMA page_count")
	if err != nil {
		return err
	}
	total := 0.0
	for _, t := range tables {
		query := "SELECT count(*), 1 FROM " + quote(t.ID.Name)
		if rowid := rowIDName(t, c); rowid != "" {
			query = "SELECT max(" + rowid + "), (SELECT min(" + rowid + ") FROM " + quote(t.ID.Name) + ") FROM " + quote(t.ID.Name)
		}
		err := s.query(ctx, query, nil, func(v []driver.Value) error {
			high, okHigh := v[0].(int64)
			low, okLow := v[1].(int64)
			if okHigh && okLow {
				// As floats, since the span of two integers may be no integer. A
				// row takes four bytes of the file, however sparse its rowids are.
				span := float64(high) - float64(low) + 1
				t.Rows = int64(min(span, float64(pages*pageSize)/4, math.MaxInt64/2))
			}
			return nil
		})
		if err != nil {
			return err
		}
		total += float64(t.Rows) * float64(1+len(t.Columns))
	}
	for _, t := range tables {
		if total > 0 {
			t.Bytes = int64(float64(pages*pageSize) * float64(t.Rows) * float64(1+len(t.Columns)) / total)
		}
	}
	return nil
}
