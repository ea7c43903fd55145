package mysql

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// fill adds rows of defaults to all tables, as far as the keys let them in: nothing is asked
// of a value.
func fill(t *testing.T, s *connectortest.MySQLServer, database string) {
	t.Helper()
	db := s.DB(t, database, "sql_mode=''")
	for _, name := range strings.Fields(s.Value(t, database, "SELECT GROUP_CONCAT(HEX(TABLE_NAME) SEPARATOR ' ') FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND ENGINE = 'InnoDB' AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')")) {
		table, err := hex.DecodeString(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			db.Exec("INSERT IGNORE INTO " + ident(string(table)) + " () VALUES ()") // a key or a CHECK may not let it in
		}
	}
}

// Our torture schema goes from end to end: what comes along is the same object by object,
// and row by row.
func TestTorture(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from := newDatabase(t, s)
		from.name = torture(t, s)
		fill(t, s, from.name)
		to := newDatabase(t, s)
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, s.DSN(from.name), to.DSN()); err != nil {
			t.Fatalf("%v\nhint: %s", err, connectors.Hint(err))
		}
		asked := connected(t, connectors.SourceSide, s.DSN(from.name))
		c, _, out, _ := defined(t, asked, from.name)
		same(t, printed(t, asked, from.name), printed(t, asked, to.name), out.LeftBehind)
		tables, rows := 0, 0
		for _, table := range c.Tables {
			if !table.StoresRows() || strings.HasPrefix(table.ID.Name, "versioned") {
				continue // whose times are those of the copy
			}
			want, got := from.Rows(t, table.ID), to.Rows(t, table.ID)
			if !slices.EqualFunc(want, got, slices.Equal[[]string]) {
				t.Errorf("%s:\n%.600q\nwant\n%.600q", table.ID, got, want)
			}
			tables, rows = tables+1, rows+len(want)
		}
		if rows < 20 {
			t.Errorf("only %d rows were compared", rows)
		}
		t.Logf("%d objects of the catalog, %d tables, %d rows", len(c.Objects), tables, rows)
	})
}
