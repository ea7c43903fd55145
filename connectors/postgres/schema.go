package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// definitions is what Definitions.Data holds, as JSON.
type definitions struct {
	Encoding string   `json:"encoding"`
	Collate  string   `json:"collate"`
	CType    string   `json:"ctype"`
	Provider string   `json:"provider"` // c libc, i ICU, b builtin
	Locale   string   `json:"locale,omitempty"`
	Rules    string   `json:"rules,omitempty"`
	Settings []string `json:"settings,omitempty"` // name=value
	// Session has settings of the source by which views, triggers and CHECKs compute.
	Session  [][2]string `json:"session,omitempty"`
	NoPublic bool        `json:"no_public,omitempty"`
	Before   []entry     `json:"before"` // what rows need: schemas, types, functions, tables
	After    []entry     `json:"after"`  // what needs rows: indexes, keys, triggers
	// Views lists the materialised views that hold rows, in an order in which
	// they can be refreshed.
	Views []catalog.TableID `json:"views,omitempty"`
	// Scattered lists partitioned tables whose rows may belong to another partition at another server.
	Scattered []catalog.TableID `json:"scattered,omitempty"`
	// Ordered lists tables that inherit, whose columns a dump would put in another order.
	Ordered    []ordered   `json:"ordered,omitempty"`
	Extensions []extension `json:"extensions,omitempty"` // that are made at the target
	// Unsound names indexes that are not valid at the source itself.
	Unsound []string `json:"unsound,omitempty"`
}

// entry is one object of an archive of pg_dump.
type entry struct {
	Kind       string           `json:"kind"` // as the archive says it: TABLE, FK CONSTRAINT
	Schema     string           `json:"schema,omitempty"`
	Name       string           `json:"name"`
	SQL        string           `json:"sql"`
	Phase      phase            `json:"phase,omitempty"`
	Table      *catalog.TableID `json:"table,omitempty"`      // whose index or key it is
	References *catalog.TableID `json:"references,omitempty"` // of a foreign key
	// Steps make the same object in two steps, of which the first lets others work on
	// the table; nil where there are none.
	Steps *steps `json:"steps,omitempty"`
	// Roles are those that a policy or a right is for, and Spelled the same in SQL.
	Roles   []string `json:"roles,omitempty"`
	Spelled []string `json:"spelled,omitempty"`
	// Denying is the SQL of a policy that restricts as one that lets nobody through: without it rows
	// would be open.
	Denying string `json:"denying,omitempty"`
	// Columns and Rows are kept rows of a table of an extension: literals, column by column.
	Columns []string   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows,omitempty"`
}

// phase says when an entry is run.
type phase string

const (
	phaseTable    phase = "table"    // as soon as its table is loaded
	phaseAttach   phase = "attach"   // indexes of partitioned tables, and their parts
	phaseExtended phase = "extended" // statistics over several columns, for ANALYZE to fill
	phaseForeign  phase = "foreign"  // foreign keys
	phaseRest     phase = "rest"     // in the archive's order, at the end
	phaseFilled   phase = "filled"   // what looks into materialized views
	// phaseLast is what acts on changes of definitions, when there are no more, and what may keep
	// the account from reading rows. It is not noted as made: what comes before may have to be done again.
	phaseLast phase = "last"
	// phaseOpen is what lets others into the database, when it is the target: see openingSQL.
	phaseOpen phase = "open"
)

func (e entry) String() string {
	kind := strings.ToLower(e.Kind)
	if e.Schema == "" {
		return kind + " " + inLine(e.Name)
	}
	return kind + " " + inLine(word(e.Schema)+"."+e.Name)
}

// stay lists the kinds of items that stay at the source unless somebody keeps them
// (tether.go says why), and those that hold no definition.
var stay = map[string]bool{
	"FOREIGN DATA WRAPPER": true, "SERVER": true, "USER MAPPING": true, "FOREIGN TABLE": true, "EVENT TRIGGER": true,
	"PUBLICATION": true, "PUBLICATION TABLE": true, "PUBLICATION TABLES IN SCHEMA": true,
	"SUBSCRIPTION": true, "SUBSCRIPTION TABLE": true, "SECURITY LABEL": true,
	"BLOB": true, "BLOBS": true, "BLOB METADATA": true, "BLOB COMMENTS": true,
	"ACL": true, "DEFAULT ACL": true, "ACL LANGUAGE": true,
	"TABLE DATA": true, "SEQUENCE SET": true, "MATERIALIZED VIEW DATA": true, "STATISTICS DATA": true,
}

// harmless lists the settings of a database that travel. Others may be secrets
// of an application, or name what the target's server does not have.
var harmless = map[string]bool{
	"search_path": true, "datestyle": true, "intervalstyle": true, "timezone": true, "default_text_search_config": true, "bytea_output": true,
	"extra_float_digits": true, "lc_messages": true, "lc_monetary": true, "lc_numeric": true, "lc_time": true, "xmloption": true, "xmlbinary": true,
	"default_transaction_isolation": true, "default_transaction_deferrable": true, "escape_string_warning": true, "standard_conforming_strings": true,
	"backslash_quote": true, "array_nulls": true, "transform_null_equals": true, "plpgsql.variable_conflict": true, "plpgsql.extra_warnings": true,
	"plpgsql.extra_errors": true, "work_mem": true, "jit": true, "random_page_cost": true, "constraint_exclusion": true,
}

// Definitions reads everything but rows, by pg_dump under the same snapshot.
func (s *snapshot) Definitions(ctx context.Context) (*connectors.Definitions, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	op := "read the definitions of " + s.display(s.conn.Database)
	d := &definitions{Session: s.picture.session}
	out := &connectors.Definitions{Connector: "postgres", Version: s.picture.Server}
	fates := s.picture.fates()
	owners := map[archiveID]owner{}
	populated := map[catalog.TableID]bool{}
	var keys map[archiveID]step
	var exclusions []exclusion
	var encoding string
	err := s.holding(ctx, func(conn *pgx.Conn) error {
		var settings []string
		err := conn.QueryRow(ctx, query("database")).Scan(&d.Encoding, &d.Collate, &d.CType, &d.Provider, &d.Locale, &d.Rules, &settings)
		if err != nil {
			return err
		}
		for _, kv := range settings {
			name, _, _ := strings.Cut(kv, "=")
			if fate, known := fates.byName["database setting:"+name]; harmless[strings.ToLower(name)] || known && fate.Along() {
				d.Settings = append(d.Settings, kv)
			}
		}
		encoding = conn.PgConn().ParameterStatus("client_encoding")
		if err := readOwners(ctx, conn, owners); err != nil {
			return err
		}
		views, err := readTables(ctx, conn, "matviews")
		if err != nil {
			return err
		}
		for _, id := range views {
			populated[id] = true
		}
		if d.Scattered, err = readTables(ctx, conn, "scattered"); err != nil {
			return err
		}
		if d.Ordered, err = readOrders(ctx, conn); err != nil {
			return err
		}
		if d.Extensions, err = readExtensions(ctx, conn, s.picture.traveling()); err != nil {
			return err
		}
		if d.Unsound, err = readUnsound(ctx, conn); err != nil {
			return err
		}
		if keys, err = readSteps(ctx, conn); err != nil {
			return err
		}
		if exclusions, err = readExclusions(ctx, conn); err != nil {
			return err
		}
		out.Sequences, err = s.readSequences(ctx, conn)
		return err
	})
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	a, err := s.dump(ctx, encoding)
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	err = s.holding(ctx, func(conn *pgx.Conn) error { return a.restoreNames(ctx, conn) })
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	if err := s.picture.apply(a); err != nil {
		return nil, err
	}
	left, err := a.leave(s.picture.Catalog)
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	for _, o := range left {
		asked := func(c catalog.Object) bool {
			return c.KeptByName() && c.Kind == o.Kind && c.Name == o.Name
		}
		if slices.ContainsFunc(s.picture.Objects, asked) {
			return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: "bring " + o.Kind + " " + o.Name + " along",
				Err: errors.New("it " + o.Reason), Hint: "keep what it needs as well, or leave it out"}
		}
	}
	var grants, rows []entry
	err = s.holding(ctx, func(conn *pgx.Conn) error {
		if err := a.readPolicyRoles(ctx, conn); err != nil {
			return err
		}
		if rows, err = s.readExtensionRows(ctx, conn); err != nil {
			return err
		}
		grants, err = s.readGrants(ctx, conn)
		return err
	})
	if err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	a.wholeExclusions(exclusions, s.picture)
	a.place(owners, s.picture)
	a.divide(keys)
	for _, e := range a.items {
		if e.left || e.SQL == "" {
			continue
		}
		if e.after {
			d.After = append(d.After, e.entry)
		} else {
			d.Before = append(d.Before, e.entry)
		}
		// One that is grouped by a primary key stands behind the rows, as the key does.
		id := catalog.TableID{Schema: e.Schema, Name: e.Name}
		if e.Kind == "MATERIALIZED VIEW" && populated[id] && fates.byKey[e.at].Along() {
			d.Views = append(d.Views, id)
		}
	}
	d.Before = append(d.Before, rows...)
	d.After = append(d.After, grants...)
	d.NoPublic = true
	for _, o := range s.picture.Objects {
		if o.Kind == "schema" && o.Name == "public" {
			d.NoPublic = false
		}
	}
	out.LeftBehind = append(s.picture.Fates(), left...)
	if out.Data, err = encodeJSON(d); err != nil {
		return nil, failDefinition(ctx, s.side, op, err)
	}
	return out, nil
}

// holding runs f on the session that holds the snapshot.
func (s *snapshot) holding(ctx context.Context, f func(*pgx.Conn) error) error {
	if err := s.asking.enter(ctx); err != nil {
		return err
	}
	defer s.asking.leave()
	return f(s.holder)
}

// archiveID is how an archive names an object: the catalog that it is in, and its id there.
type archiveID struct{ class, oid uint32 }

type owner struct{ table, references catalog.TableID }

func readOwners(ctx context.Context, conn *pgx.Conn, owners map[archiveID]owner) error {
	return each(ctx, conn, "owners", nil, func(row pgx.CollectableRow) error {
		var id archiveID
		var o owner
		var ref uint32
		err := row.Scan(&id.class, &id.oid, &o.table.Schema, &o.table.Name, &ref, &o.references.Schema, &o.references.Name)
		owners[id] = o
		return err
	})
}

// readTables returns the tables that a query names.
func readTables(ctx context.Context, conn *pgx.Conn, name string, args ...any) (ids []catalog.TableID, err error) {
	err = each(ctx, conn, name, args, func(row pgx.CollectableRow) error {
		var id catalog.TableID
		err := row.Scan(&id.Schema, &id.Name)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

func readUnsound(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	return readNames(ctx, conn, "unsound")
}

// readNames returns the names that a query gives.
func readNames(ctx context.Context, conn *pgx.Conn, query string, args ...any) (names []string, err error) {
	err = each(ctx, conn, query, args, func(row pgx.CollectableRow) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// readSequences reads the positions too. A position is not part of a snapshot:
// it may be later than the rows, never earlier.
func (s *snapshot) readSequences(ctx context.Context, conn *pgx.Conn) ([]connectors.Sequence, error) {
	var seqs []connectors.Sequence
	err := each(ctx, conn, "sequences", nil, func(row pgx.CollectableRow) error {
		var q connectors.Sequence
		var c catalog.ColumnID
		err := row.Scan(&q.ID.Schema, &q.ID.Name, &q.Increment, &q.Min, &q.Max, &q.Cycles, &q.Last, &c.Table.Schema, &c.Table.Name, &c.Column)
		if n := len(seqs); n == 0 || seqs[n-1].ID != q.ID {
			seqs = append(seqs, q)
		}
		if last := &seqs[len(seqs)-1]; c.Column != "" {
			last.Fills = append(last.Fills, c)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.checkSequences(seqs); err != nil {
		return nil, err
	}
	const batch = 200
	for from := 0; from < len(seqs); from += batch {
		var sql strings.Builder
		for i, q := range seqs[from:min(from+batch, len(seqs))] {
			if s.without[q.ID] {
				continue
			}
			if sql.Len() > 0 {
				sql.WriteString(" UNION ALL ")
			}
			fmt.Fprintf(&sql, "SELECT %d, last_value, is_called FROM %s", from+i, table(q.ID))
		}
		if sql.Len() == 0 {
			continue
		}
		rows, err := conn.Query(ctx, sql.String())
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var i int
			var last int64
			var called bool
			if err := rows.Scan(&i, &last, &called); err != nil {
				rows.Close()
				return nil, err
			}
			seqs[i].Last, seqs[i].Called = last, called
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return seqs, nil
}

// dump runs pg_dump and takes its archive apart. The archive stays in memory:
// definitions may quote values, in defaults and constraints.
func (s *snapshot) dump(ctx context.Context, encoding string) (*archive, error) {
	p, err := s.findDump(ctx, s.picture.major)
	if err != nil {
		return nil, err
	}
	restore, err := s.findRestore(p)
	if err != nil {
		return nil, err
	}
	var at endpoint
	err = s.holding(ctx, func(conn *pgx.Conn) error {
		at = s.reached(conn)
		return s.plain(ctx, conn)
	})
	if err != nil {
		return nil, err
	}
	env, services, err := s.environment(s.conn.Database, at)
	if err != nil {
		return nil, err
	}
	args := []string{"--format=custom", "--compress=0", "--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels",
		"--no-subscriptions", "--no-password", "--encoding=" + encoding, "--snapshot=" + s.exported(),
		"--lock-wait-timeout=" + strconv.FormatInt(s.lockTimeout.Milliseconds(), 10)}
	common := []string{"--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels", "--no-subscriptions"}
	if !slices.ContainsFunc(s.picture.Objects, func(o catalog.Object) bool { return o.Kind == "publication" && o.Fate.Along() }) {
		args, common = append(args, "--no-publications"), append(common, "--no-publications")
	}
	if dumpsStatistics.in(p.major) {
		args = append(args, "--no-statistics") // the most common values are values
	}
	release, err := s.room(ctx)
	if err != nil {
		return nil, err
	}
	dump, err := run(ctx, env, services, nil, p.path, args...)
	release()
	if err != nil {
		return nil, s.dumpError(ctx, err)
	}
	toc, err := run(ctx, env, nil, dump, restore, append(common, "--list", "--verbose")...)
	if err != nil {
		return nil, err
	}
	before, err := run(ctx, env, nil, dump, restore, append(common, "--section=pre-data", "--file=-")...)
	if err != nil {
		return nil, err
	}
	after, err := run(ctx, env, nil, dump, restore, append(common, "--section=post-data", "--file=-")...)
	if err != nil {
		return nil, err
	}
	return readArchive(string(toc), string(before), string(after))
}
