package memory

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Database is a set of tables and sequences. Its methods are safe for
// concurrent use; each is one transaction.
type Database struct {
	server *Server
	name   string

	mu        sync.Mutex
	tables    map[catalog.TableID]*table
	sequences []connectors.Sequence
	snapshots int // how many were taken, for their tokens
	version   int // counts changes
	marked    bool
	ledger    map[string]connectors.Receipt
	views     []*snapshot // that were opened here; some may be closed
}

// table holds the rows of one table. A snapshot copies the header of rows:
// what stands below its length is never changed, only replaced by a new slice.
type table struct {
	def  *catalog.Table
	rows [][]byte // one row each in format rows-v1, without computed columns
}

// Row is a row: one value per column that is not computed, in the table's order.
// A value is nil, bool (stored as 0 or 1), int, int64, float64, string or
// []byte. Dates, times, numbers with digits beyond a float's and UUIDs are strings.
type Row []any

func newDatabase(s *Server, name string) *Database {
	return &Database{server: s, name: name, tables: map[catalog.TableID]*table{}, ledger: map[string]connectors.Receipt{}}
}

// Name returns the database's name.
func (d *Database) Name() string { return d.name }

// DSN returns the connection string, memory:NAME.
func (d *Database) DSN() string { return scheme + d.name }

// Server returns the server that holds the database.
func (d *Database) Server() *Server { return d.server }

// Create adds empty tables. Keys are declared here and enforced in a build, not
// by Insert, so that a test can have a source whose keys do not hold. A computed
// column has upper(COLUMN) as its Default: the only expression that there is.
// The caller does not change the tables afterwards.
func (d *Database) Create(tables ...*catalog.Table) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range tables {
		if d.tables[t.ID] != nil {
			return fmt.Errorf("memory: create %s: it exists", t.ID)
		}
		seen := map[string]bool{}
		for _, c := range t.Columns {
			if seen[c.Name] {
				return fmt.Errorf("memory: create %s: two columns %s", t.ID, c.Name)
			}
			seen[c.Name] = true
			if c.Generation.Computed() && computedFrom(t, c) < 0 {
				return fmt.Errorf("memory: create %s: column %s is computed by %q, which is not upper(COLUMN)", t.ID, c.Name, c.Default)
			}
		}
		for _, k := range keyColumns(t) {
			for _, c := range k {
				if !seen[c] {
					return fmt.Errorf("memory: create %s: a key on column %s, which does not exist", t.ID, c)
				}
			}
		}
	}
	for _, t := range tables {
		d.tables[t.ID] = &table{def: t}
	}
	d.version++
	return nil
}

func keyColumns(t *catalog.Table) [][]string {
	var all [][]string
	for _, k := range t.UniqueKeys() {
		all = append(all, k.Columns)
	}
	for _, k := range t.ForeignKeys {
		all = append(all, k.Columns())
	}
	return all
}

// computedFrom returns the index among the stored columns of the one whose
// upper case a computed column holds, or −1.
func computedFrom(t *catalog.Table, c catalog.Column) int {
	from, ok := strings.CutPrefix(c.Default, "upper(")
	from, closed := strings.CutSuffix(from, ")")
	if !ok || !closed {
		return -1
	}
	return position(t, from)
}

// position returns where a column stands in a stored row, or −1.
func position(t *catalog.Table, name string) int {
	at := 0
	for _, c := range t.Columns {
		if c.Generation.Computed() {
			continue
		}
		if c.Name == name {
			return at
		}
		at++
	}
	return -1
}

// Insert adds rows, all or none.
func (d *Database) Insert(id catalog.TableID, added ...Row) error {
	return d.change(id, "insert into", func(t *table) ([][]byte, error) {
		all := t.rows
		for i, r := range added {
			b, err := t.encode(r)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", i, err)
			}
			all = append(all, b)
		}
		return all, nil
	})
}

// Update replaces each row by what with returns for it, all or none. A row that
// stays is returned as it came.
func (d *Database) Update(id catalog.TableID, with func(Row) Row) error {
	return d.change(id, "update", func(t *table) ([][]byte, error) {
		all := make([][]byte, len(t.rows))
		for i, b := range t.rows {
			var err error
			if all[i], err = t.encode(with(t.decode(b))); err != nil {
				return nil, fmt.Errorf("row %d: %w", i, err)
			}
		}
		return all, nil
	})
}

// Delete removes the rows for which gone returns true.
func (d *Database) Delete(id catalog.TableID, gone func(Row) bool) error {
	return d.change(id, "delete from", func(t *table) ([][]byte, error) {
		var left [][]byte
		for _, b := range t.rows {
			if !gone(t.decode(b)) {
				left = append(left, b)
			}
		}
		return left, nil
	})
}

func (d *Database) change(id catalog.TableID, op string, do func(*table) ([][]byte, error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[id]
	if t == nil {
		return fmt.Errorf("memory: %s %s: there is no such table", op, id)
	}
	changed, err := do(t)
	if err != nil {
		return fmt.Errorf("memory: %s %s: %w", op, id, err)
	}
	t.rows = changed
	d.version++
	return nil
}

// Rows returns the rows of a table with its computed columns, in the table's
// order of columns and in the order in which they were inserted; nil if there is
// no such table. A value is nil, int64, float64, string or []byte.
func (d *Database) Rows(id catalog.TableID) []Row {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[id]
	if t == nil {
		return nil
	}
	all := make([]Row, len(t.rows))
	for i, b := range t.rows {
		all[i] = t.full(b)
	}
	return all
}

// full returns a row with its computed columns.
func (t *table) full(b []byte) Row {
	stored := t.decode(b)
	full := make(Row, 0, len(t.def.Columns))
	next := 0
	for _, c := range t.def.Columns {
		if !c.Generation.Computed() {
			full = append(full, stored[next])
			next++
			continue
		}
		v := stored[computedFrom(t.def, c)]
		if s, ok := v.(string); ok {
			v = strings.ToUpper(s)
		}
		full = append(full, v)
	}
	return full
}

// Catalog returns the tables with their sizes as they are now.
func (d *Database) Catalog() *catalog.Catalog {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.catalog()
}

func (d *Database) catalog() *catalog.Catalog {
	var tables []*catalog.Table
	schema := ""
	for _, id := range slices.SortedFunc(maps.Keys(d.tables), catalog.TableID.Compare) {
		t := d.tables[id]
		def := *t.def
		def.Rows, def.Bytes = int64(len(t.rows)), t.bytes()
		tables = append(tables, &def)
		if schema == "" {
			schema = id.Schema
		}
	}
	var objects []catalog.Object
	for _, s := range d.sequences {
		objects = append(objects, catalog.Object{Kind: "sequence", Name: s.ID.String()})
	}
	return catalog.New("memory", properties().Server, schema, tables, objects)
}

func (t *table) bytes() int64 {
	var n int64
	for _, r := range t.rows {
		n += int64(len(r))
	}
	return n
}

// SetSequence adds a sequence, or sets one of the same id.
func (d *Database) SetSequence(s connectors.Sequence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version++
	if i := slices.IndexFunc(d.sequences, func(have connectors.Sequence) bool { return have.ID == s.ID }); i >= 0 {
		d.sequences[i] = s
		return
	}
	d.sequences = append(d.sequences, s)
}

// Sequences returns the sequences, in the order in which they were added.
func (d *Database) Sequences() []connectors.Sequence {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sequences)
}

// Marked reports whether a run has built the database.
func (d *Database) Marked() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.marked
}

func (t *table) encode(r Row) ([]byte, error) {
	columns := 0
	for _, c := range t.def.Columns {
		if !c.Generation.Computed() {
			columns++
		}
	}
	if len(r) != columns {
		return nil, fmt.Errorf("%d values for %d columns", len(r), columns)
	}
	b := []byte{} // never nil: a row without columns is a row
	for i, v := range r {
		switch v := v.(type) {
		case nil:
			b = rows.AppendNull(b)
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			b = rows.AppendInt(b, n)
		case int:
			b = rows.AppendInt(b, int64(v))
		case int64:
			b = rows.AppendInt(b, v)
		case float64:
			b = rows.AppendFloat(b, v)
		case string:
			b = rows.AppendText(b, v)
		case []byte:
			b = rows.AppendBlob(b, v)
		default:
			return nil, fmt.Errorf("value %d is a %T", i, v)
		}
	}
	return b, nil
}

func (t *table) decode(b []byte) Row {
	r := Row{}
	for off := 0; off < len(b); {
		v, end, err := rows.Parse(b, off)
		if err != nil {
			panic("memory: a stored row that is none")
		}
		off = end
		switch v.Tag {
		case rows.Null:
			r = append(r, nil)
		case rows.Int:
			r = append(r, v.Int())
		case rows.Float:
			r = append(r, v.Float())
		case rows.Text:
			r = append(r, string(v.Bytes))
		case rows.Blob:
			r = append(r, bytes.Clone(v.Bytes))
		}
	}
	return r
}
