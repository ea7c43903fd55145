package mysql

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What has been written to a table of an engine without transactions stays when its loader
// is aborted, or its process killed: the next try empties the table, which is one chunk.
func TestUntransacted(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		database := srv.Database(t)
		engines := []string{"MyISAM", "MEMORY", "CSV"}
		if strings.Contains(srv.Flavor(), "mariadb") {
			engines = append(engines, "Aria")
		}
		const n = 3000
		for _, e := range engines {
			key := "PRIMARY KEY"
			if e == "CSV" {
				key = "NOT NULL" // it has no keys
			}
			srv.Exec(t, database, fmt.Sprintf("CREATE TABLE %s (id INT %s, v VARCHAR(100) NOT NULL) ENGINE=%[1]s", e, key))
			var rows []string
			for i := range n {
				rows = append(rows, fmt.Sprintf("(%d, '%s')", i, strings.Repeat("x", 90)))
			}
			srv.Exec(t, database, "INSERT INTO "+e+" VALUES "+strings.Join(rows, ", "))
		}
		view := opened(t, srv.DSN(database), 2)
		if o := fateOf(view.Catalog(), "storage engine", "MEMORY"); !strings.Contains(o.Reason, "no rows any more once the target's server has started anew") {
			t.Errorf("%+v", o)
		}
		defs, err := view.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		made, err := g.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Workers: 2, Catalog: view.Catalog(), Definitions: defs})
		if err != nil {
			t.Fatal(err)
		}
		b := made.(*build)
		defer b.Abort()
		counts := map[catalog.TableID]int64{}
		for _, e := range engines {
			id := catalog.TableID{Name: e}
			chunks, err := view.Split(t.Context(), id, 16<<10)
			if err != nil || len(chunks) != 1 {
				t.Fatalf("%s is divided into %d chunks: %v", e, len(chunks), err)
			}
			layout, err := view.Layout(id, nil)
			if err != nil {
				t.Fatal(err)
			}
			load := func(rest int) error { // which is how many batches are left out
				l, err := b.Load(t.Context(), chunks[0], layout)
				if err != nil {
					return err
				}
				batches, err := view.Read(t.Context(), chunks[0], layout)
				if err != nil {
					t.Fatal(err)
				}
				defer batches.Close()
				for {
					batch, err := batches.Next(t.Context())
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					err = l.Write(t.Context(), batch)
					batch.Release()
					if err != nil {
						t.Fatal(err)
					}
				}
				if rest > 0 {
					return l.Abort()
				}
				_, err = l.Commit(t.Context())
				return err
			}
			// As a run that dies between the rows and the ledger leaves it.
			srv.Exec(t, b.database, "INSERT INTO "+ident(e)+" SELECT * FROM "+within(database, e)+" LIMIT 700")
			if err := load(1); err != nil {
				t.Fatal(err)
			}
			if err := load(0); err != nil {
				t.Fatalf("%s: %v", e, err)
			}
			if err := load(0); kindOf(err) != connectors.KindIntegrity || !strings.Contains(err.Error(), "the ledger has this chunk already") {
				t.Errorf("%s, again: %v", e, err)
			}
			counts[id] = n
			part := chunks[0]
			part.Last, part.Hi = false, 1
			if _, err := b.Load(t.Context(), part, layout); kindOf(err) != connectors.KindUnsupported {
				t.Errorf("%s, in part: %v", e, err)
			}
		}
		if err := b.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		srv.Exec(t, b.database, "DELETE FROM MyISAM WHERE id = 5")
		if err := b.Seal(t.Context(), counts); err == nil || !strings.Contains(err.Error(), "MyISAM has no transactions: a server that ends may lose") {
			t.Errorf("a row that is gone: %v", err)
		}
		srv.Exec(t, b.database, "INSERT INTO MyISAM SELECT * FROM "+within(database, "MyISAM")+" WHERE id = 5")
		if err := b.Seal(t.Context(), counts); err != nil {
			t.Error(err)
		}
	})
}
