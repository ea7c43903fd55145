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
		engines = append(engines, map[bool]string{true: "Aria", false: "ARCHIVE"}[strings.Contains(srv.Flavor(), "mariadb")])
		const n = 3000
		for _, e := range engines {
			key := "PRIMARY KEY"
			if e == "CSV" || e == "ARCHIVE" {
				key = "NOT NULL" // they have no keys
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

// A build that is gone on with has of a table without transactions all rows of its receipt,
// or none of either: what a cut chunk has left goes, and so does what a crash has damaged.
func TestResumeUntransacted(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		database := srv.Database(t)
		names := []string{"whole", "cut", "short", "archived"}
		for _, name := range names {
			kind := "(id INT PRIMARY KEY) ENGINE=MyISAM"
			if name == "archived" && !strings.Contains(srv.Flavor(), "mariadb") {
				kind = "(id INT) ENGINE=ARCHIVE" // MariaDB has it in a plugin of its own
			}
			srv.Exec(t, database, "CREATE TABLE "+name+" "+kind, "INSERT INTO "+name+" VALUES (1), (2), (3)")
		}
		view := opened(t, srv.DSN(database), 2)
		defs, err := view.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		spec := connectors.BuildSpec{Run: "r1", Workers: 2, Catalog: view.Catalog(), Definitions: defs}
		for _, name := range names {
			spec.Chunks = append(spec.Chunks, connectors.Chunk{ID: name, Table: catalog.TableID{Name: name}, Last: true})
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		made, err := g.Begin(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		b := made.(*build)
		for _, name := range names {
			srv.Exec(t, b.database, "INSERT INTO "+name+" VALUES (1), (2), (3)")
		}
		for _, name := range []string{"whole", "short"} {
			srv.Exec(t, b.database, receiptSQL(connectors.Receipt{Chunk: name, Table: catalog.TableID{Name: name}, Rows: 3}))
		}
		srv.Exec(t, b.database, "DELETE FROM short WHERE id = 2")
		if err := b.Keep(); err != nil {
			t.Fatal(err)
		}
		again, err := g.Resume(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Abort()
		receipts, err := again.Receipts(t.Context())
		if err != nil || len(receipts) != 1 || receipts[0].Chunk != "whole" {
			t.Errorf("receipts %v, %v", receipts, err)
		}
		if n := srv.Value(t, b.database, "SELECT CONCAT((SELECT COUNT(*) FROM whole), ' ', (SELECT COUNT(*) FROM cut), ' ', (SELECT COUNT(*) FROM short), ' ', (SELECT COUNT(*) FROM archived))"); n != "3 0 0 0" {
			t.Errorf("rows %s", n)
		}
	})
}
