// Package mysql reads from and loads into MySQL 5.7 to 9 and MariaDB 10.5 to 11.
//
// # Source
//
// All readers see one instant. They get it by the first of these that the account may
// do: a global read lock, or read locks on all tables, held while each reader opens its
// consistent snapshot; else agreement of the binary log's position before and after all
// have opened theirs; else a single reader. No lock outlives the opening. Tables are
// read in ranges of a key.
//
// # Sink
//
// A database cannot be renamed here. A run builds <target>__building_<run>, then moves
// all tables by one RENAME TABLE, which is one step: the former ones to
// <target>__former_<run>, the new ones to the target. Views, routines, triggers and
// events cannot be moved; they are made anew right after, from a list that lies in the
// target itself, so that whoever comes next can finish what was cut in the middle.
//
// # Text of errors
//
// A server's messages may quote values: Duplicate entry '…' for key …. So an error
// never carries the server's message where rows were in reach; it says the condition,
// its number, and the names of what the server names beside values.
package mysql

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// Connector opens MySQL and MariaDB sources and sinks. The zero value is ready.
type Connector struct{}

var (
	_ connectors.Connector = Connector{}
	_ connectors.Hosted    = Connector{}
)

// Name returns "mysql", for both families.
func (Connector) Name() string { return "mysql" }

// Accepts reports whether dsn is a mysql:// or mariadb:// URL.
func (Connector) Accepts(dsn string) bool { return accepts(dsn) }

// Redact returns the connection string without its password.
func (Connector) Redact(dsn string) string { return connectors.RedactURL(dsn) }

// Hosts implements connectors.Hosted.
func (Connector) Hosts(dsn string) ([]string, error) {
	c, err := newConfig(connectors.NoSide, dsn, connectors.Options{})
	if err != nil {
		return nil, err
	}
	return []string{c.host()}, nil
}

// OpenSource connects to the database to read from.
func (Connector) OpenSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	return openSource(ctx, dsn, opts)
}

// OpenSink connects to the server of the target database, which need not exist.
func (Connector) OpenSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	return openSink(ctx, dsn, opts)
}

func properties(s server) connectors.Properties {
	return connectors.Properties{
		Connector: "mysql", Server: s.String(), Formats: []connectors.WireFormat{rows.Format},
		ParallelReads: true, ParallelLoads: true,
		// LOAD DATA holds the counter of an AUTO_INCREMENT column to its end, where
		// innodb_autoinc_lock_mode is not 2 (MySQL's manual, "AUTO_INCREMENT Handling in InnoDB").
		LoadsWait: true,
	}
}
