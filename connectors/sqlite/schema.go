package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// definitions is the content of connectors.Definitions.Data.
type definitions struct {
	PageSize    int64    `json:"page_size"`
	Encoding    string   `json:"encoding"` // of text in the file: UTF-8, UTF-16le, UTF-16be
	AutoVacuum  int64    `json:"auto_vacuum"`
	UserVersion int64    `json:"user_version"`
	Analyzed    bool     `json:"analyzed"` // statistics are there, to be gathered anew
	Objects     []object `json:"objects"`  // tables, indexes, views, triggers, as they were made
	// Derived lists the full-text tables that index another table's rows: they
	// are filled anew from what has been loaded.
	Derived []string `json:"derived,omitempty"`
}

// readDefinitions reads everything but rows. Virtual tables hold what they hold
// in shadow tables of their own, which no policy speaks of: those that index
// another table are made anew, the others stay behind, with whatever needs them.
func readDefinitions(ctx context.Context, s *session, c schema, cat *catalog.Catalog, server string) (*connectors.Definitions, error) {
	var d definitions
	for pragma, into := range map[string]*int64{"page_size": &d.PageSize, "auto_vacuum": &d.AutoVacuum, "user_version": &d.UserVersion} {
		var err error
		if *into, err = s.number(ctx, "PRAGMA "+pragma); err != nil {
			return nil, err
		}
	}
	var err error
	if d.Encoding, err = s.word(ctx, "PRAGMA encoding"); err != nil {
		return nil, err
	}
	out := &connectors.Definitions{Connector: "sqlite", Version: server}
	var left []string
	leave := func(kind, name, reason string) {
		left = append(left, name)
		out.LeftBehind = append(out.LeftBehind, catalog.Object{Kind: kind, Name: name, Fate: catalog.Stays, Reason: reason})
	}
	for _, o := range c.objects {
		if c.kinds[o.Name].kind == "virtual" && o.Type == "table" {
			if indexesTable(o.SQL) {
				d.Derived = append(d.Derived, o.Name)
			} else {
				leave("virtual table", o.Name, "keeps its rows in tables of its own, which no policy speaks of")
			}
		}
	}
	hasSequence := false
	for _, o := range c.objects {
		hasSequence = hasSequence || o.Name == "sqlite_sequence"
		d.Analyzed = d.Analyzed || o.Name == "sqlite_stat1"
		keep := o.SQL != "" && !internal(o.Name)
		switch o.Type {
		case "table":
			keep = keep && (c.ordinary(o) || slices.Contains(d.Derived, o.Name))
		case "index":
			keep = keep && c.kinds[o.Table].kind == "table" && !internal(o.Table)
		case "view", "trigger":
			if keep && mentions(o.SQL, left) {
				leave(o.Type, o.Name, "needs a virtual table that stays behind")
				keep = false
			}
		}
		if keep {
			d.Objects = append(d.Objects, o)
		}
	}
	if hasSequence {
		if out.Sequences, err = readSequences(ctx, s, cat); err != nil {
			return nil, err
		}
	}
	out.Data, err = json.Marshal(d)
	if err != nil {
		return nil, sourceError(connectors.KindOther, "read the definitions of "+s.path, err)
	}
	return out, nil
}

// indexesTable reports whether a virtual table is a full-text index over the
// rows of another table (FTS3, 4, 5 with content=TABLE).
func indexesTable(sql string) bool {
	all := tokens(sql)
	fts := false
	for i, t := range all {
		fts = fts || t.is("fts3") || t.is("fts4") || t.is("fts5")
		if fts && t.is("content") && i+2 < len(all) && all[i+1].is("=") {
			return all[i+2].text != ""
		}
	}
	return false
}

func readSequences(ctx context.Context, s *session, cat *catalog.Catalog) ([]connectors.Sequence, error) {
	var all []connectors.Sequence
	err := s.query(ctx, "SELECT name, seq FROM sqlite_sequence ORDER BY name", nil, func(v []driver.Value) error {
		last, ok := v[1].(int64)
		t := cat.Table(catalog.TableID{Name: text(v[0])})
		if !ok || t == nil || t.PrimaryKey == nil {
			return nil
		}
		all = append(all, connectors.Sequence{
			ID: t.ID, Last: last, Called: true, Increment: 1, Min: 1, Max: math.MaxInt64,
			Fills: []catalog.ColumnID{{Table: t.ID, Column: t.PrimaryKey.Columns[0]}},
		})
		return nil
	})
	return all, err
}

func parseDefinitions(d *connectors.Definitions) (definitions, error) {
	var out definitions
	if d == nil || d.Connector != "sqlite" {
		return out, sinkError(connectors.KindUnsupported, "read the definitions", errors.New("they are not of a SQLite database"))
	}
	if err := json.Unmarshal(d.Data, &out); err != nil {
		return out, sinkError(connectors.KindOther, "read the definitions", err)
	}
	return out, nil
}

// ledgerTable and fingerprintTable live in a build until it is sealed.
const (
	ledgerTable      = "__sanitize_ledger"
	fingerprintTable = "__sanitize_fingerprint"
)

// createTables makes the ledger and the empty tables.
func (d definitions) createTables(ctx context.Context, s *session, fingerprint map[string]string) error {
	for _, statement := range []string{
		fmt.Sprintf("PRAGMA page_size = %d", d.PageSize),
		"PRAGMA encoding = " + quoteText(d.Encoding),
		fmt.Sprintf("PRAGMA auto_vacuum = %d", d.AutoVacuum),
		"CREATE TABLE " + ledgerTable + " (chunk TEXT PRIMARY KEY, name TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID",
		"CREATE TABLE " + fingerprintTable + " (part TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
	} {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	for part, value := range fingerprint {
		if err := s.exec(ctx, "INSERT INTO "+fingerprintTable+" VALUES (?, ?)", bind(part, value)...); err != nil {
			return err
		}
	}
	for _, o := range d.Objects {
		if o.Type == "table" && !slices.Contains(d.Derived, o.Name) {
			if err := s.make(ctx, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// createIndexes makes the indexes of one table.
func (d definitions) createIndexes(ctx context.Context, s *session, table string) error {
	for _, o := range d.Objects {
		if o.Type == "index" && o.Table == table {
			if err := s.make(ctx, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// createRest makes what needs all tables: full-text indexes, views, triggers,
// and the positions of the sequences.
func (d definitions) createRest(ctx context.Context, s *session, sequences []connectors.Sequence) error {
	for _, o := range d.Objects {
		derived := slices.Contains(d.Derived, o.Name)
		if o.Type != "view" && o.Type != "trigger" && !derived {
			continue
		}
		if err := s.make(ctx, o); err != nil {
			return err
		}
		if derived {
			name := quote(o.Name)
			if err := s.exec(ctx, "INSERT INTO "+name+" ("+name+") VALUES ('rebuild')"); err != nil {
				return err
			}
		}
	}
	for _, q := range sequences {
		// Loading has moved the position to the largest id already; it may have
		// been further in the source.
		have, err := s.number(ctx, "SELECT count(*) FROM sqlite_sequence WHERE name = ?", bind(q.ID.Name)...)
		if err != nil {
			return err
		}
		statement := "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
		if have == 0 {
			statement = "INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)"
		}
		if err := s.exec(ctx, statement, bind(q.Last, q.ID.Name)...); err != nil {
			return err
		}
	}
	if d.Analyzed {
		if err := s.exec(ctx, "ANALYZE"); err != nil {
			return err
		}
	}
	return s.exec(ctx, fmt.Sprintf("PRAGMA user_version = %d", d.UserVersion))
}

// make runs the statement that makes an object, with the object's name in the error.
func (s *session) make(ctx context.Context, o object) error {
	err := s.exec(ctx, o.SQL)
	var e *connectors.Error
	if errors.As(err, &e) {
		e.Op = fmt.Sprintf("create %s %s", o.Type, o.Name)
		if e.Kind == connectors.KindIntegrity {
			e.Op += " on " + o.Table
		}
	}
	return err
}
