package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A run that would use up the room that the server has for locks, and so make production's own statements
// fail, does not begin; near that it warns.
func TestRoomForLocks(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{Settings: []string{"max_connections=20", "max_locks_per_transaction=10", "max_wal_senders=2", "max_worker_processes=4"}})
	dsn := a.Database(t) // 10 × (20 + 2 + 4 + autovacuum's)
	tables := func(from, to string) {
		a.Exec(t, dsn, "DO $$ BEGIN FOR i IN "+from+".."+to+" LOOP EXECUTE format('CREATE TABLE t%s (id int)', i); COMMIT; END LOOP; END $$")
	}
	open := func() (*heard, error) {
		var said heard
		src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Warn: said.warn})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		_, err = src.Open(t.Context())
		return &said, err
	}
	tables("1", "100")
	if said, err := open(); err != nil || said.String() != "" {
		t.Errorf("of 100 tables: %v, %s", err, said)
	}
	// Who joins what another session holds locks the same again, and reads of serializable transactions are kept elsewhere.
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	held, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var said heard
	joining, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Warn: said.warn})
	if err != nil {
		t.Fatal(err)
	}
	defer joining.Close()
	if joined, err := joining.(connectors.Joiner).Join(t.Context(), held.Token()); err != nil || said.String() != "" {
		t.Errorf("joined: %v, %s", err, said.String())
	} else {
		joined.Close()
	}
	held.Close()
	tables("101", "200")
	if said, err := open(); err != nil || strings.Count(said.String(), "a run locks all 200 tables") != 1 {
		t.Errorf("of 200 tables: %v, %s", err, said)
	}
	tables("201", "450")
	_, err = open()
	wants(t, err, connectors.KindUnavailable, connectors.SourceSide, "all 450 tables", "max_locks_per_transaction")
}
