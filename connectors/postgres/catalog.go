package postgres

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

//go:embed queries/*.sql
var queries embed.FS

// query returns the SQL of a file in queries.
func query(name string) string {
	b, err := queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic("postgres: " + err.Error())
	}
	return string(b)
}

// oldest and newest are the major versions that the connector is made for.
const oldest, newest = 12, 18

// picture is a catalog with what only this connector needs to know.
type picture struct {
	*catalog.Catalog
	oids   map[catalog.TableID]uint32
	stored []uint32 // of the tables that store rows here
	heap   map[catalog.TableID]bool
	major  int
}

// serverMajor returns the major version of the server behind a connection, and
// its version in words.
func serverMajor(conn *pgx.Conn) (int, string) {
	version := conn.PgConn().ParameterStatus("server_version")
	major := 0
	fmt.Sscanf(version, "%d", &major)
	if i := strings.IndexByte(version, ' '); i > 0 {
		version = version[:i]
	}
	return major, version
}

// readPicture reads the catalog by one query per subject, however many tables
// there are. The caller has begun a transaction, so that they fit together.
func readPicture(ctx context.Context, conn *pgx.Conn) (*picture, error) {
	major, version := serverMajor(conn)
	p := &picture{oids: map[catalog.TableID]uint32{}, heap: map[catalog.TableID]bool{}, major: major}
	byOID := map[uint32]*catalog.Table{}
	partition := map[uint32]bool{}
	var tables []*catalog.Table
	var ids []uint32

	err := each(ctx, conn, "tables", nil, func(row pgx.CollectableRow) error {
		var oid uint32
		var kind string
		var isPartition, heap bool
		t := &catalog.Table{}
		if err := row.Scan(&oid, &t.ID.Schema, &t.ID.Name, &kind, &isPartition, &t.Rows, &t.Bytes, &t.Comment, &heap); err != nil {
			return err
		}
		switch kind {
		case "p":
			t.Kind = catalog.Partitioned
		case "f":
			t.Kind = catalog.Foreign
		default:
			t.Kind = catalog.Ordinary
			p.stored = append(p.stored, oid)
		}
		tables, ids = append(tables, t), append(ids, oid)
		byOID[oid], partition[oid] = t, isPartition
		p.oids[t.ID], p.heap[t.ID] = oid, heap
		return nil
	})
	if err != nil {
		return nil, err
	}
	types, err := readTypes(ctx, conn, ids)
	if err != nil {
		return nil, err
	}
	if err := readColumns(ctx, conn, ids, byOID, types); err != nil {
		return nil, err
	}
	err = each(ctx, conn, "keys", []any{ids}, func(row pgx.CollectableRow) error {
		var oid uint32
		var primary bool
		var k catalog.Key
		if err := row.Scan(&oid, &k.Name, &primary, &k.Partial, &k.NullsEqual, &k.Columns); err != nil {
			return err
		}
		if t := byOID[oid]; primary {
			t.PrimaryKey = &k
		} else {
			t.Unique = append(t.Unique, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, conn, "foreign_keys", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, ref uint32
		var f catalog.ForeignKey
		var from, to []string
		if err := row.Scan(&oid, &f.Name, &ref, &f.Deferrable, &f.Validated, &from, &to); err != nil {
			return err
		}
		target := byOID[ref]
		if target == nil {
			return nil // points to a table of an extension
		}
		f.References = target.ID
		for i := range from {
			f.Pairs = append(f.Pairs, catalog.Pair{Column: from[i], References: to[i]})
		}
		byOID[oid].ForeignKeys = append(byOID[oid].ForeignKeys, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, conn, "parents", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, parent uint32
		if err := row.Scan(&oid, &parent); err != nil {
			return err
		}
		if above := byOID[parent]; above != nil {
			t := byOID[oid]
			t.Parents = append(t.Parents, above.ID)
			t.IsPartition = partition[oid]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, conn, "partition_keys", []any{ids}, func(row pgx.CollectableRow) error {
		var oid uint32
		var column string
		var num int16
		if err := row.Scan(&oid, &column, &num); err != nil {
			return err
		}
		byOID[oid].PartitionKey = append(byOID[oid].PartitionKey, column)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var objects []catalog.Object
	err = each(ctx, conn, "objects", nil, func(row pgx.CollectableRow) error {
		var o catalog.Object
		err := row.Scan(&o.Kind, &o.Name)
		objects = append(objects, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.Catalog = catalog.New("postgres", version, "public", tables, objects)
	return p, nil
}

func readColumns(ctx context.Context, conn *pgx.Conn, ids []uint32, byOID map[uint32]*catalog.Table, types map[uint32]*pgType) error {
	return each(ctx, conn, "columns", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, typ uint32
		var mod int32
		var c catalog.Column
		var name, identity, generated string
		if err := row.Scan(&oid, &c.Name, &typ, &mod, &name, &c.NotNull, &identity, &generated, &c.Default, &c.Collation, &c.Comment); err != nil {
			return err
		}
		var notNull bool
		c.Type, notNull = meaning(types, typ, mod)
		c.Type.Name = name
		c.NotNull = c.NotNull || notNull
		switch {
		case identity == "a":
			c.Generation = catalog.IdentityAlways
		case identity == "d":
			c.Generation = catalog.IdentityByDefault
		case generated == "s":
			c.Generation = catalog.Stored
		case generated == "v":
			c.Generation = catalog.Virtual
		}
		t := byOID[oid]
		t.Columns = append(t.Columns, c)
		return nil
	})
}

// pgType is a row of pg_type, as far as it matters to us.
type pgType struct {
	oid, base uint32
	name      string
	kind      string // typtype: b base, c composite, d domain, e enum, r range, m multirange
	mod       int32
	notNull   bool
	noBinary  bool     // lacks a binary form, or one that another server understands
	parts     []uint32 // types that a value of this type holds values of
	labels    []string
	textOnly  int8 // 0 not known yet, 1 yes, −1 no
}

func readTypes(ctx context.Context, conn *pgx.Conn, ids []uint32) (map[uint32]*pgType, error) {
	types := map[uint32]*pgType{}
	err := each(ctx, conn, "types", []any{ids}, func(row pgx.CollectableRow) error {
		t := &pgType{}
		var parts []int64
		if err := row.Scan(&t.oid, &t.name, &t.kind, &t.base, &t.mod, &t.notNull, &t.noBinary, &parts, &t.labels); err != nil {
			return err
		}
		for _, id := range parts {
			t.parts = append(t.parts, uint32(id))
		}
		t.noBinary = t.noBinary || slices.Contains(byName, t.oid)
		types[t.oid] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	if major, _ := serverMajor(conn); major < 14 {
		noForeignIDs(types)
	}
	for _, id := range slices.Sorted(maps.Keys(types)) {
		textOnly(types, id)
	}
	return types, nil
}

// byName lists the built-in types whose binary form is the id of an object, which
// at the target is another object's. Their text is its name.
var byName = []uint32{24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191}

// noForeignIDs keeps binary forms from servers that would refuse them: an array
// and a composite name the types in them by id, and before PostgreSQL 14 the
// server wants its own ids there, even of types that users define.
func noForeignIDs(types map[uint32]*pgType) {
	for _, t := range types {
		for _, part := range t.parts {
			if t.kind != "d" && t.kind != "r" && part >= firstUserOID {
				t.noBinary = true
			}
		}
	}
}

// textOnly reports whether a value of the type, or a value inside it, has no
// binary form of use. An array of such a type has a binary function of its own, which fails.
func textOnly(types map[uint32]*pgType, id uint32) bool {
	t := types[id]
	if t == nil {
		return false
	}
	if t.textOnly == 0 {
		t.textOnly = -1 // a type cannot hold itself; this only ends a loop
		if t.noBinary {
			t.textOnly = 1
		}
		for _, part := range t.parts {
			if textOnly(types, part) {
				t.textOnly = 1
			}
		}
	}
	return t.textOnly == 1
}

// meaning resolves domains and gives the meaning of a column's type.
func meaning(types map[uint32]*pgType, id uint32, mod int32) (_ catalog.Type, notNull bool) {
	only := textOnly(types, id)
	t := types[id]
	for t != nil && t.kind == "d" {
		notNull = notNull || t.notNull
		mod = t.mod
		id = t.base
		t = types[id]
	}
	if t == nil {
		return catalog.Type{TextOnly: only}, notNull
	}
	m, ok := builtin[id]
	switch {
	case ok:
	case t.kind == "e":
		m = catalog.Type{Kind: catalog.Text, Labels: t.labels}
	case t.kind == "b" && t.name == "citext":
		// An extension's type has another id in each database; its form on the
		// wire is that of text.
		m = catalog.Type{Kind: catalog.Text}
	}
	if id < firstUserOID {
		m.OID = id // others differ between databases with the same definitions
	}
	m.TextOnly = only
	return modified(m, mod), notNull
}

// each runs a query of queries and hands its rows over.
func each(ctx context.Context, conn *pgx.Conn, name string, args []any, row func(pgx.CollectableRow) error) error {
	rows, err := conn.Query(ctx, query(name), args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", strings.ReplaceAll(name, "_", " "), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("read %s: %w", strings.ReplaceAll(name, "_", " "), err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", strings.ReplaceAll(name, "_", " "), err)
	}
	return nil
}

// source reads from one database.
type source struct {
	*config
	props connectors.Properties

	mu     sync.Mutex
	open   map[*snapshot]bool
	closed bool
}

func openSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	c, err := newConfig(connectors.SourceSide, dsn, opts)
	if err != nil {
		return nil, err
	}
	conn, err := c.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	major, version := serverMajor(conn)
	if err := c.supported(major, version); err != nil {
		return nil, err
	}
	// The driver may have chosen the name; from now on it is the same for all sessions.
	var database string
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.current_database()::text").Scan(&database); err != nil {
		return nil, failDefinition(ctx, c.side, "connect to "+c.display(c.conn.Database), err)
	}
	c.conn.Database = database
	return &source{config: c, open: map[*snapshot]bool{}, props: connectors.Properties{
		Connector: "postgres", Server: "PostgreSQL " + version, Formats: []connectors.WireFormat{Binary, Text},
		JoinableSnapshot: true, ParallelReads: true,
	}}, nil
}

// supported refuses versions that the connector was not made for.
func (c *config) supported(major int, version string) error {
	if major >= oldest {
		if major > newest {
			c.warn(fmt.Sprintf("PostgreSQL %s is newer than %d, the newest version this connector was tried with", version, newest))
		}
		return nil
	}
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: c.side, Op: "connect to " + c.display(c.conn.Database),
		Err: fmt.Errorf("PostgreSQL %s is too old: the oldest that works is %d", version, oldest)}
}

func (s *source) Properties() connectors.Properties { return s.props }

func (s *source) Identity(ctx context.Context) (connectors.Identity, error) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return connectors.Identity{}, err
	}
	defer closeConn(conn)
	return s.identity(ctx, conn, s.conn.Database)
}

// identity tells servers apart by the microsecond at which they started. The
// identifier of the data folder would be no better: standbys share it, and not
// every account may ask for it, so that two accounts would see two servers.
func (c *config) identity(ctx context.Context, conn *pgx.Conn, database string) (connectors.Identity, error) {
	var server string
	if err := conn.QueryRow(ctx, query("identity")).Scan(&server); err != nil {
		return connectors.Identity{}, failDefinition(ctx, c.side, "identify "+c.display(database), err)
	}
	return connectors.Identity{Server: server, Database: database, Display: c.display(database)}, nil
}

// Catalog reads the definitions in a transaction of its own.
func (s *source) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	op := "read the catalog of " + s.display(s.conn.Database)
	if _, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	p, err := readPicture(ctx, conn)
	if stateOf(err) == "55P03" {
		return nil, s.lockedError(ctx)
	}
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	return p.Catalog, nil
}
