package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

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

// picture is a catalog with what only this connector needs to know.
type picture struct {
	*catalog.Catalog
	oids    map[catalog.TableID]uint32
	stored  []uint32 // of the tables that store rows here
	heap    map[catalog.TableID]bool
	foreign map[catalog.TableID]bool // tables whose rows, in binary form, have ids of types of one's own
	spans   map[catalog.TableID]bool // tables whose rows hold intervals
	major   int
	session [][2]string // settings by which the database computes

	// What is decided about the objects; see tether.go.
	objects  []catalog.Object // the catalog's, until it is made
	at       []archiveID      // their keys in the server's catalogs, as far as they have one
	beside   map[int]string   // what is said beside a view: its columns' defaults, and its indexes
	neutral  map[archiveID]string
	settings map[archiveID][]string // of functions, that may be secrets
	denying  map[archiveID]string   // policies that restrict, as ones that let nobody through
	closes   bool                   // PUBLIC may not call a function that runs with the rights of its owner
	defaults map[catalog.TableID][]defaulted
	// Those that may stay: CHECKs of tables and domains, and what excludes.
	constraints map[catalog.TableID][]string
	domains     []domainPart
	given       []givenDefault // all defaults of columns, of tables and of views
	leaves      []string       // extensions
	looking     lookers
	lateDomains []domainPart
	late        map[catalog.TableID][]catalog.Definition // CHECKs that call one, in the server's own words
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
//
// keep names objects that come along though they would stay behind, leave extensions that stay
// though they would come.
func readPicture(ctx context.Context, conn *pgx.Conn, keep, leave []string) (*picture, error) {
	major, version := serverMajor(conn)
	p := &picture{leaves: leave, oids: map[catalog.TableID]uint32{}, heap: map[catalog.TableID]bool{}, foreign: map[catalog.TableID]bool{}, spans: map[catalog.TableID]bool{}, major: major,
		beside: map[int]string{}, late: map[catalog.TableID][]catalog.Definition{}, defaults: map[catalog.TableID][]defaulted{}, constraints: map[catalog.TableID][]string{}}
	byOID := map[uint32]*catalog.Table{}
	partition := map[uint32]bool{}
	var tables []*catalog.Table
	var ids []uint32

	err := each(ctx, conn, "tables", nil, func(row pgx.CollectableRow) error {
		var oid uint32
		var kind string
		var isPartition, heap bool
		t := &catalog.Table{}
		if err := row.Scan(&oid, &t.ID.Schema, &t.ID.Name, &kind, &isPartition, &t.Rows, &t.Bytes, &t.Comment, &heap, &t.Bounds); err != nil {
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
	charset := catalog.ASCII
	var encoding string
	if err := conn.QueryRow(ctx, query("encoding")).Scan(&encoding, &types.plainCase); err != nil {
		return nil, fmt.Errorf("read the encoding: %w", err)
	}
	switch encoding {
	case "UTF8":
		charset = catalog.Unicode
	case "LATIN1", "WIN1252":
		charset = catalog.Latin1
	}
	if err := p.readColumns(ctx, conn, ids, byOID, types); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := nameable(t); err != nil {
			return nil, err
		}
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
	if err := readRules(ctx, conn, ids, byOID, types); err != nil {
		return nil, err
	}
	for _, t := range tables {
		// An index by another collation that calls the same texts equal is a key.
		t.Rules = slices.DeleteFunc(t.Rules, func(r catalog.Rule) bool {
			return !r.Exclusion && !slices.ContainsFunc(r.Parts, func(p catalog.Part) bool { return p.Column == "" || p.Equality != 0 })
		})
	}
	err = each(ctx, conn, "foreign_keys", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, ref uint32
		var f catalog.ForeignKey
		var from, to []string
		if err := row.Scan(&oid, &f.Name, &ref, &f.Deferrable, &f.Validated, &f.MatchFull, &from, &to); err != nil {
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
		var leaving bool
		if err := row.Scan(&oid, &parent, &leaving); err != nil {
			return err
		}
		if above := byOID[parent]; above != nil {
			t := byOID[oid]
			if leaving {
				return detachedError(t.ID, above.ID)
			}
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
	if err := readDefinitions(ctx, conn, ids, byOID); err != nil {
		return nil, err
	}
	if err := p.readObjects(ctx, conn); err != nil {
		return nil, err
	}
	if err := p.decideFates(ctx, conn, tables); err != nil {
		return nil, err
	}
	connectors.RedactDefinitions(tables, p.objects)
	p.Catalog = catalog.New("postgres", version, "public", tables, p.objects)
	p.Encoding, p.Charset = encoding, charset
	return p, p.keep(keep)
}

func (p *picture) readColumns(ctx context.Context, conn *pgx.Conn, ids []uint32, byOID map[uint32]*catalog.Table, types *pgTypes) error {
	return each(ctx, conn, "columns", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, typ, collation uint32
		var mod int32
		var c catalog.Column
		var name, identity, generated string
		if err := row.Scan(&oid, &c.Name, &typ, &mod, &name, &c.NotNull, &identity, &generated, &c.Default, &c.Collation, &collation, &c.Comment); err != nil {
			return err
		}
		var notNull bool
		c.Type, notNull = types.meaning(typ, mod, collation)
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
		if c.Generation.Computed() {
			c.Default, c.Computation = "", c.Default
		}
		t := byOID[oid]
		t.Columns = append(t.Columns, c)
		if !c.Generation.Computed() {
			p.foreign[t.ID] = p.foreign[t.ID] || types.foreign(typ)
			p.spans[t.ID] = p.spans[t.ID] || types.holds(typ, oidInterval)
		}
		return nil
	})
}

// readRules reads what keeps rows apart beside the keys over plain columns.
func readRules(ctx context.Context, conn *pgx.Conn, ids []uint32, byOID map[uint32]*catalog.Table, types *pgTypes) error {
	return each(ctx, conn, "rules", []any{ids}, func(row pgx.CollectableRow) error {
		var oid, own, collation uint32
		var r catalog.Rule
		var p catalog.Part
		var column, expression string
		var folds []string // by the columns that it reads
		if err := row.Scan(&oid, &r.Name, &r.Exclusion, &r.NullsEqual, &column, &expression, &own, &collation, &p.Operator, &p.Reads, &r.Condition, &folds); err != nil {
			return err
		}
		t := byOID[oid]
		if p.Operator == "=" {
			p.Operator = ""
		}
		name, function := foldedColumn(expression, p.Reads)
		if c := t.Column(name); c != nil && c.Type.Kind == catalog.Range {
			name, function = "", "" // lower() of a range is where it begins
		}
		fold := ""
		if function != "" {
			fold = folds[slices.Index(p.Reads, name)]
		}
		switch {
		case column != "":
			p.Column = column
		case function == "casefold" && fold == "full":
			p.Expression = expression // ß is ss by it, and no equality of ours says so
		case function == "citext":
			p.Column, p.Equality, p.Reads = name, types.foldCase(), nil
		case function != "":
			p.Column, p.Equality, p.Reads = name, catalog.FoldCase, nil
			if fold == "a to z" {
				p.Equality = catalog.FoldASCII
			}
		default:
			p.Expression = expression
		}
		if collation != own && p.Column != "" {
			p.Equality |= types.collations[collation]
		}
		if len(r.Condition) == 0 {
			r.Condition = nil
		}
		if len(p.Reads) == 0 {
			p.Reads = nil
		}
		if n := len(t.Rules); n == 0 || t.Rules[n-1].Name != r.Name {
			t.Rules = append(t.Rules, r)
		}
		last := &t.Rules[len(t.Rules)-1]
		last.Parts = append(last.Parts, p)
		return nil
	})
}

// foldedColumn returns the column of which an expression is one of the cases, and what makes it so:
// lower(email), upper((name)::text), casefold(name), (login)::citext. Of several it is the one that
// goes furthest, for a fold of the case is one of what is folded less.
func foldedColumn(expression string, reads []string) (column, function string) {
	for {
		was := expression
		for _, name := range []string{"lower", "upper", "casefold"} {
			if inner, found := strings.CutPrefix(expression, name+"("); found && strings.HasSuffix(inner, ")") {
				expression, function = strings.TrimSuffix(inner, ")"), furthest(function, name)
			}
		}
		for _, cast := range []string{"::text", "::character varying"} {
			expression = strings.TrimSuffix(expression, cast)
		}
		if i := strings.LastIndex(expression, "::"); i >= 0 && (expression[i+2:] == "citext" || strings.HasSuffix(expression[i:], ".citext")) {
			expression, function = expression[:i], furthest(function, "citext")
		}
		if strings.HasPrefix(expression, "(") && strings.HasSuffix(expression, ")") {
			expression = expression[1 : len(expression)-1]
		}
		if expression == was {
			break
		}
	}
	for _, name := range reads {
		if expression == name || expression == ident(name) {
			return name, function
		}
	}
	return "", ""
}

// furthest returns which of two functions folds more: casefold, then citext, which goes by the
// database's own collation, then one case.
func furthest(a, b string) string {
	if a == "casefold" || a == "citext" && b != "casefold" {
		return a
	}
	return b
}

// each runs a query of queries and hands its rows over.
func each(ctx context.Context, conn *pgx.Conn, name string, args []any, row func(pgx.CollectableRow) error) error {
	rows, err := conn.Query(ctx, query(name), args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", strings.ReplaceAll(name, "_", " "), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := absent(row(rows)); err != nil {
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
	at    connectors.Identity

	older  atomic.Bool  // the target does not take the ids of another server's types
	target atomic.Int32 // the target's major version, 0 if nobody has said it
	finite atomic.Bool  // the target takes an infinite interval for a long one

	sampler chan *pgx.Conn // the one session for samples; nil in it where none is open yet

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
	at, err := c.identity(ctx, conn, database)
	if err != nil {
		return nil, err
	}
	sampler := make(chan *pgx.Conn, 1)
	sampler <- nil
	return &source{config: c, at: at, sampler: sampler, open: map[*snapshot]bool{}, props: connectors.Properties{
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

// Suit implements connectors.Suiter.
func (s *source) Suit(target connectors.Properties) {
	major := versionOf(target.Server)
	s.target.Store(int32(major))
	s.older.Store(major > 0 && !takesForeignIDs.in(major))
	s.finite.Store(major > 0 && !infiniteSpans.in(major) && infiniteSpans.in(versionOf(s.props.Server)))
}

// Identity says where the source was when it was opened.
func (s *source) Identity(ctx context.Context) (connectors.Identity, error) {
	return s.at, ctx.Err()
}

// identity tells servers apart by the microsecond at which they started. The identifier of
// the data folder would be no better: standbys share it, which is what it is asked for beside, and
// not every account may ask for it, so that two accounts would see two servers.
func (c *config) identity(ctx context.Context, conn *pgx.Conn, database string) (connectors.Identity, error) {
	at := c.reached(conn)
	c.answered = &at
	c.prefer(at)
	id := connectors.Identity{Database: database, Display: c.display(database)}
	var may bool
	err := conn.QueryRow(ctx, query("identity")).Scan(&id.Server, &id.Follows, &may, &c.account)
	if err == nil && may {
		err = conn.QueryRow(ctx, query("cluster")).Scan(&id.Cluster)
	}
	return id, failDefinition(ctx, c.side, "identify "+c.display(database), err)
}

// nameable refuses a table that a policy cannot name, for a policy is UTF-8: a database in
// SQL_ASCII may have names of any bytes.
func nameable(t *catalog.Table) error {
	names := []string{t.ID.Schema, t.ID.Name}
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	for _, name := range names {
		if !utf8.ValidString(name) {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: fmt.Sprintf("read table %q.%q", t.ID.Schema, t.ID.Name),
				Err: fmt.Errorf("the name %q is not UTF-8, and no policy can speak of it", name), Hint: "rename it at the source: ALTER … RENAME … TO …"}
		}
	}
	return nil
}

// detachedError refuses a partition whose detachment was begun and is not done: its rows are none of
// its table's any more, and its definition says that they are.
func detachedError(partition, of catalog.TableID) error {
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: "read partition " + words(partition),
		Err: errors.New("it is being detached from " + words(of)), Hint: "wait until that is done; where it was cut short, finish it at the source: ALTER TABLE " + words(of) + " DETACH PARTITION " + words(partition) + " FINALIZE"}
}

// Catalog reads the definitions in a transaction of its own.
func (s *source) Catalog(ctx context.Context) (*catalog.Catalog, error) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	op := "read the catalog of " + s.display(s.conn.Database)
	var p *picture
	err = anew(ctx, conn, func() (err error) {
		if _, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err == nil {
			p, err = s.look(ctx, conn)
		}
		return err
	})
	if stateOf(err) == "55P03" {
		return nil, s.lockedError(ctx)
	}
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	return p.Catalog, nil
}
