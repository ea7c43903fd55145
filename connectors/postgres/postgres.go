// Package postgres reads from and loads into PostgreSQL 12 to 18.
//
// A source exports one snapshot, which every reader joins, and reads each table
// in ranges of pages by COPY. A sink builds a new database beside the target,
// under the name <target>__building_<run>, and renames it over the target when it is
// whole. Definitions come from pg_dump, read under the same snapshot: nothing
// else is as faithful.
//
// # Servers before 14
//
// They cannot scan a range of pages, so a large table is read in ranges of a key that
// is one integer there, and one without such a key as one chunk. Arrays and composites
// of types that users define travel as text.
//
// # Text of errors
//
// A server's messages may quote values: Key (email)=(…), invalid input syntax
// for type integer: "…". So an error never carries the server's message where
// rows were in reach; it says the condition, its SQLSTATE, and the constraint,
// table and column that the server names in fields of their own.
package postgres

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors"
)

// The wire formats. Both are the rows of COPY without its header and trailer.
const (
	// Binary is COPY … (FORMAT binary). A Field spans a value without its
	// length word.
	Binary connectors.WireFormat = "postgres binary"
	// Text is COPY … (FORMAT text), for tables with a column whose type has no
	// binary form. A Field spans a value as it is escaped.
	Text connectors.WireFormat = "postgres text"
)

// Connector opens PostgreSQL sources and sinks. The zero value is ready.
type Connector struct{}

var _ connectors.Connector = Connector{}

// Name returns "postgres".
func (Connector) Name() string { return "postgres" }

// Accepts reports whether dsn is a postgres:// or postgresql:// URL, or
// keywords and values as libpq reads them (service=shop, host=/run dbname=shop).
func (Connector) Accepts(dsn string) bool { return accepts(dsn) }

// Redact returns the connection string without its password.
func (Connector) Redact(dsn string) string { return connectors.RedactURL(dsn) }

// OpenSource connects to the database to read from.
func (Connector) OpenSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	return openSource(ctx, dsn, opts)
}

// OpenSink connects to the server of the target database.
func (Connector) OpenSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	return openSink(ctx, dsn, opts)
}
