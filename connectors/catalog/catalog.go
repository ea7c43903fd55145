// Package catalog holds an immutable picture of a database: its tables, columns
// and keys, as data. It knows how keys pair their columns, in which order
// tables can be loaded, and where two pictures differ. It speaks to no server.
//
// A catalog can be written as a file and read again (Write, Read, Load): the file of a
// production database is what a policy is planned and audited against by those who have
// no access to it. It holds definitions and estimates of sizes, and no row.
package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// TableID names a table. It becomes SQL only in the quoting code of a connector.
type TableID struct {
	Schema string `json:"schema,omitempty"` // empty where an engine has no schemas
	Name   string `json:"name"`
}

// String returns schema.name, or the bare name where there is no schema.
// It is for people; it is not quoted and not for SQL.
func (t TableID) String() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Compare orders tables by schema, then by name, byte for byte.
func (t TableID) Compare(u TableID) int {
	if c := strings.Compare(t.Schema, u.Schema); c != 0 {
		return c
	}
	return strings.Compare(t.Name, u.Name)
}

// ColumnID names a column of a table.
type ColumnID struct {
	Table  TableID `json:"table"`
	Column string  `json:"column"`
}

// String returns schema.table.column, for people.
func (c ColumnID) String() string { return c.Table.String() + "." + c.Column }

// Kind is what a value is, whatever an engine calls its type.
type Kind uint8

// The kinds. Opaque values can be kept, suppressed to NULL and nothing else.
const (
	Opaque Kind = iota
	Bool
	Int
	Float
	Numeric
	Text
	Bytes
	UUID
	Date
	Timestamp
	TimestampTZ
	JSON
	XML
	IP        // an address, perhaps with the length of its network's prefix
	MAC       // 6 or 8 bytes
	Point     // (x,y)
	Array     // {1,2,NULL}
	Composite // (1,"a b",)
	Range     // [1,5), or several of them: {[1,5),[7,)}
	Hstore    // "key"=>"value"
)

var kindNames = [...]string{"opaque", "bool", "int", "float", "numeric", "text", "bytes", "uuid", "date", "timestamp", "timestamptz", "json",
	"xml", "ip", "mac", "point", "array", "composite", "range", "hstore"}

// String returns the kind's lower-case name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText writes the kind by name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(b []byte) error {
	i := slices.Index(kindNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("catalog: unknown kind %q", b)
	}
	*k = Kind(i)
	return nil
}

// TravelsAsText reports whether decoded values of the kind are the text that the
// server prints, rather than a form of their own.
func (k Kind) TravelsAsText() bool { return k >= XML }

// Type is a column's type: what the engine calls it, and what it means to us.
// Domains are resolved to their base type; Name keeps the domain's name.
type Type struct {
	Name      string   `json:"name"`                // as the engine spells it: character varying(50)
	Kind      Kind     `json:"kind"`                //
	Bits      int      `json:"bits,omitempty"`      // width of Int (16, 32, 64) and Float (32, 64)
	Length    int      `json:"length,omitempty"`    // most characters of Text (bytes of Bytes); 0 is no limit
	MaxBytes  int      `json:"max_bytes,omitempty"` // most bytes of Text, where the engine counts them; 0 is no limit
	Precision int      `json:"precision,omitempty"` // digits of Numeric in all; 0 is no limit
	Scale     int      `json:"scale,omitempty"`     // of Numeric
	Labels    []string `json:"labels,omitempty"`    // of an enum, which is Text
	Equality  Equality `json:"equality,omitempty"`  // of Text: what else the database calls equal
	Charset   Charset  `json:"charset,omitempty"`   // of Text, where columns have their own: what it can hold
	Element   *Type    `json:"element,omitempty"`   // of Array and Range, and the values of Hstore
	Fields    []Field  `json:"fields,omitempty"`    // of Composite, in its order
	OID       uint32   `json:"oid,omitempty"`       // PostgreSQL's id of the base type; 0 elsewhere
	// TextOnly is set for a type that has no binary wire form.
	TextOnly bool `json:"text_only,omitempty"`
}

// Field is an attribute of a composite type.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// bare returns the type without what differs between two servers that have the
// same definitions: the ids.
func (t Type) bare() Type {
	t.OID = 0
	if t.Element != nil {
		e := t.Element.bare()
		t.Element = &e
	}
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Type = t.Fields[i].Type.bare()
	}
	return t
}

// Generation tells how a column gets its value.
type Generation string

// The generations. A computed column is never copied: the target computes it anew.
const (
	Plain             Generation = ""
	Stored            Generation = "stored"              // GENERATED ALWAYS AS (…) STORED
	Virtual           Generation = "virtual"             // GENERATED ALWAYS AS (…) VIRTUAL
	IdentityAlways    Generation = "identity always"     // GENERATED ALWAYS AS IDENTITY
	IdentityByDefault Generation = "identity by default" // GENERATED BY DEFAULT AS IDENTITY, AUTO_INCREMENT
)

// Computed reports whether the target computes the column's value from others.
func (g Generation) Computed() bool { return g == Stored || g == Virtual }

// Column is one column of a table.
type Column struct {
	Name        string     `json:"name"`
	Type        Type       `json:"type"`
	NotNull     bool       `json:"not_null,omitempty"`
	Generation  Generation `json:"generation,omitempty"`
	Default     string     `json:"default,omitempty"`     // as the engine prints the expression
	Computation string     `json:"computation,omitempty"` // of a computed column: the expression
	Collation   string     `json:"collation,omitempty"`   // empty is the database's own
	Comment     string     `json:"comment,omitempty"`
}

// TableKind tells what kind of relation a table is.
type TableKind string

// The kinds of table. A Partitioned table stores no rows itself.
const (
	Ordinary    TableKind = "table"
	Partitioned TableKind = "partitioned"
	Foreign     TableKind = "foreign"
)

// Table is one table with its columns in the engine's order.
type Table struct {
	ID      TableID   `json:"id"`
	Kind    TableKind `json:"kind"`
	Columns []Column  `json:"columns"`
	// PrimaryKey is nil for a table without one.
	PrimaryKey *Key `json:"primary_key,omitempty"`
	// Unique lists the other unique constraints and unique indexes over plain columns.
	Unique []Key `json:"unique,omitempty"`
	// Rules lists what else keeps rows apart: unique indexes over expressions, or
	// under an equality that is not the column's, and exclusion constraints.
	Rules []Rule `json:"rules,omitempty"`
	// Foreign lists the foreign keys that this table declares.
	ForeignKeys []ForeignKey `json:"foreign_keys,omitempty"`
	// Parents lists what the table inherits from, or is a partition of.
	Parents []TableID `json:"parents,omitempty"`
	// IsPartition is set when Parents[0] is a partitioned table.
	IsPartition bool `json:"is_partition,omitempty"`
	// PartitionKey lists the columns that route rows; it is set on a Partitioned table, and
	// on one whose partitions are no tables of their own.
	PartitionKey []string `json:"partition_key,omitempty"`
	// Bounds are the values at which partitions begin and end, in the engine's words: of
	// the table's own, or of this one among others.
	Bounds string `json:"bounds,omitempty"`
	// Checks lists the CHECK constraints, Indexes the indexes that say more than the
	// keys do: over expressions, or for some rows only.
	Checks   []Definition `json:"checks,omitempty"`
	Indexes  []Definition `json:"indexes,omitempty"`
	Triggers []Definition `json:"triggers,omitempty"`
	Rows     int64        `json:"rows,omitempty"`  // estimate
	Bytes    int64        `json:"bytes,omitempty"` // estimate, without indexes
	Comment  string       `json:"comment,omitempty"`
}

// StoresRows reports whether rows are read from the table itself, rather than
// from its partitions or from another server.
func (t *Table) StoresRows() bool { return t.Kind == Ordinary }

// Column returns the column of that exact name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// UniqueKeys returns the primary key and the unique keys.
func (t *Table) UniqueKeys() []Key {
	var keys []Key
	if t.PrimaryKey != nil {
		keys = append(keys, *t.PrimaryKey)
	}
	return append(keys, t.Unique...)
}

// Definition is a part of a table in the engine's own words: a CHECK constraint, an
// index over an expression, a trigger.
type Definition struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Reads lists the table's columns that the text names, as far as the engine tells.
	Reads []string `json:"reads,omitempty"`
	// Function is what a trigger calls: the name of an Object.
	Function string `json:"function,omitempty"`
	// Disabled is set on a trigger that does not fire for rows that are written here.
	Disabled bool `json:"disabled,omitempty"`
}

// Object is something beside tables that a catalog reports but does not model:
// a sequence, a view, a subscription.
type Object struct {
	Kind string `json:"kind"` // view, materialized view, sequence, foreign server, subscription, publication, event trigger, function …
	Name string `json:"name"`
	// Definition is the engine's text of a view, a function or a job, without passwords.
	Definition string `json:"definition,omitempty"`
	// Reads lists the columns that a view reads, as far as the engine tells.
	Reads   []ColumnID `json:"reads,omitempty"`
	Comment string     `json:"comment,omitempty"`
	// Fate is what becomes of the object in a copy, and Reason why, as the words that
	// follow its name: "would connect to another server".
	Fate   Fate   `json:"fate,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Causes names the objects (kind:name) for whose sake alone it has its fate.
	Causes []string `json:"causes,omitempty"`
	// Still is what remains to be noted of it when these come along; empty is nothing.
	Still string `json:"still,omitempty"`
	// Fixed is set where nobody can ask for the object to come along.
	Fixed bool `json:"fixed,omitempty"`
}

// Catalog is an immutable picture of a database. Build one with New.
// All methods are safe for concurrent use.
type Catalog struct {
	Connector     string   `json:"connector"`                // postgres, sqlite …
	Server        string   `json:"server,omitempty"`         // the server's version
	DefaultSchema string   `json:"default_schema,omitempty"` // may be left out in a policy
	Encoding      string   `json:"encoding,omitempty"`       // as the engine spells it: UTF8; empty where there is no choice
	Charset       Charset  `json:"charset,omitempty"`        // what the encoding can hold
	Tables        []*Table `json:"tables"`
	Objects       []Object `json:"objects,omitempty"`

	byID map[TableID]*Table
}

// New returns a catalog of the given tables, sorted by id. The caller hands the
// tables over and does not change them again.
func New(connector, server, defaultSchema string, tables []*Table, objects []Object) *Catalog {
	c := &Catalog{Connector: connector, Server: server, DefaultSchema: defaultSchema, Tables: tables, Objects: objects}
	c.index()
	return c
}

func (c *Catalog) index() {
	slices.SortFunc(c.Tables, func(a, b *Table) int { return a.ID.Compare(b.ID) })
	c.byID = make(map[TableID]*Table, len(c.Tables))
	for _, t := range c.Tables {
		c.byID[t.ID] = t
	}
}

// Table returns the table of that exact id, or nil.
func (c *Catalog) Table(id TableID) *Table { return c.byID[id] }

// Find returns the table that a person calls name: `schema.table`, or `table`
// in the default schema. Exact spelling wins; else a spelling that differs in
// case is taken if only one table has it. It returns nil when there is none.
func (c *Catalog) Find(name string) *Table {
	var folded []*Table
	for _, t := range c.Tables {
		for _, n := range c.names(t) {
			if n == name {
				return t
			}
			if strings.EqualFold(n, name) {
				folded = append(folded, t)
				break
			}
		}
	}
	if len(folded) == 1 {
		return folded[0]
	}
	return nil
}

func (c *Catalog) names(t *Table) []string {
	if t.ID.Schema == c.DefaultSchema && t.ID.Schema != "" {
		return []string{t.ID.String(), t.ID.Name}
	}
	return []string{t.ID.String()}
}

// Display returns the shortest name by which Find finds the table.
func (c *Catalog) Display(id TableID) string {
	if id.Schema != c.DefaultSchema {
		return id.String()
	}
	// A name with a dot may be another table's schema and name.
	if strings.Contains(id.Name, ".") {
		if t := c.Find(id.Name); t != nil && t.ID != id {
			return id.String()
		}
	}
	return id.Name
}

// Root returns the topmost partitioned table above t, or t itself.
func (c *Catalog) Root(t *Table) *Table {
	for t.IsPartition && len(t.Parents) > 0 {
		p := c.Table(t.Parents[0])
		if p == nil {
			return t
		}
		t = p
	}
	return t
}
