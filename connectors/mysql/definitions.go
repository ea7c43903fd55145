package mysql

import (
	"encoding/json"
	"errors"

	"github.com/sanitize-db/sanitize/connectors"
)

// definitions is everything that makes a database but its rows, as statements that name
// nothing with its database: they are run in whatever database is being built.
type definitions struct {
	Database  string `json:"database"` // of the source
	Charset   string `json:"charset"`  // of the database
	Collation string `json:"collation"`
	// Folds tells that the source's server takes names of tables that differ in case for one.
	Folds  bool              `json:"folds,omitempty"`
	Tables []tableDefinition `json:"tables"`
	// Rest is made when all rows are there, in this order: functions and procedures,
	// views (those that read others behind them), triggers, events. Sequences stand in
	// First, since defaults of tables may call them.
	First []object `json:"first,omitempty"`
	Rest  []object `json:"rest,omitempty"`
}

// tableDefinition makes a table.
type tableDefinition struct {
	Name string `json:"name"`
	// Engine is the storage engine of a table that no transaction covers; else empty.
	Engine string `json:"engine,omitempty"`
	// Create makes it without what can wait until its rows are there.
	Create string `json:"create"`
	// Indexes are the clauses of one ALTER TABLE that makes its secondary indexes.
	Indexes []string `json:"indexes,omitempty"`
	// ForeignKeys are clauses too: ADD CONSTRAINT … FOREIGN KEY ….
	ForeignKeys []string `json:"foreign_keys,omitempty"`
}

// object is something beside tables, with the session settings that its words need.
type object struct {
	Kind   string `json:"kind"` // sequence, function, procedure, package, package body, view, trigger, event
	Name   string `json:"name"`
	Create string `json:"create"`
	Table  string `json:"table,omitempty"` // of a trigger
	// Mode, Charset, Collation are sql_mode, character_set_client and
	// collation_connection under which the words were written; empty leaves the session's.
	Mode      string `json:"mode,omitempty"`
	Charset   string `json:"charset,omitempty"`
	Collation string `json:"collation,omitempty"`
	// Zone is the time zone that an event's times are in.
	Zone string `json:"zone,omitempty"`
}

func (d definitions) encode() []byte {
	b, err := json.Marshal(d)
	if err != nil {
		panic("mysql: definitions: " + err.Error()) // plain data always encodes
	}
	return b
}

// parseDefinitions reads what a source of this connector has written.
func parseDefinitions(from *connectors.Definitions) (d definitions, err error) {
	if from == nil || from.Connector != "mysql" || json.Unmarshal(from.Data, &d) != nil {
		return d, &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SinkSide, Op: "read the definitions",
			Err: errors.New("they are not those of a MySQL or MariaDB source"), Hint: "copy between two databases of one kind"}
	}
	return d, nil
}
