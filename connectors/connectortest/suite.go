// Package connectortest is the conformance suite of the contract in package
// connectors. Every connector runs all of it: memory, SQLite, PostgreSQL.
//
// A connector's test makes a Harness, declares its Quirks, and calls Run. It
// is for tests only.
package connectortest

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
)

// Harness is what the suite needs of an engine.
type Harness struct {
	Connector connectors.Connector
	Options   connectors.Options
	Quirks    Quirks
	// Database returns a handle on a database of a name not used before, which
	// does not exist yet: Database.Create or a promoted build makes it. What the
	// test leaves there is removed when the test ends.
	Database func(t testing.TB) Database
}

// Run proves the contract, law by law.
func Run(t *testing.T, h Harness) {
	s := &suite{Harness: h}
	if s.Database == nil || s.Connector == nil {
		t.Fatal("connectortest: a harness needs a connector and a database")
	}
}

type suite struct {
	Harness
}
