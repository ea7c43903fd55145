package mysql

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// lent opens a snapshot with so many readers, and a view of it that has joined.
func lent(t *testing.T, dsn string, readers int) (held, joined *snapshot) {
	t.Helper()
	var holders connectortest.Holders
	open := func() *source {
		opened, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Workers: readers, Holder: holders.Dial})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { opened.Close() })
		return opened.(*source)
	}
	first, err := open().Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	holders.Hold(first)
	second, err := open().Join(t.Context(), first.Token())
	if err != nil {
		t.Fatal(err)
	}
	return first.(*snapshot), second.(*snapshot)
}

// lending opens a snapshot of a table of 20,000 rows, and of what else there shall be, with so
// many readers, and a view of it that has joined.
func lending(t *testing.T, s *connectortest.MySQLServer, readers int, more ...string) (held, joined *snapshot, database string) {
	t.Helper()
	database = s.Database(t)
	s.Exec(t, database, "CREATE TABLE d (i int PRIMARY KEY)", "INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"CREATE TABLE t (id int PRIMARY KEY, v varchar(200))",
		"INSERT INTO t SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i + 10000 * f.i, REPEAT('v', 200) FROM d a, d b, d c, d e, d f WHERE f.i < 2")
	s.Exec(t, database, more...)
	held, joined = lent(t, s.DSN(database), readers)
	return held, joined, database
}

// A process that goes away in the middle of an answer, of one that has rows and of one that
// has none yet, leaves its reader to the next, at the same instant.
func TestLoanCutShort(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		held, joined, database := lending(t, s, 1)
		s.Exec(t, database, "DELETE FROM t WHERE id >= 100")
		for _, statement := range []string{"SELECT a.v, b.v FROM t a, t b", "SELECT SLEEP(600)"} {
			r, err := joined.take(t.Context(), "read")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			rows, err := r.asker.ask(ctx, statement)
			for err == nil {
				err = rows.next(make([][]byte, len(rows.columns())))
			}
			if ctx.Err() == nil {
				t.Fatalf("%s ended by itself: %v", statement, err)
			}
			joined.give(r, false)
			// There is only one reader: it is had when the statement has ended.
			wait, done := context.WithTimeout(t.Context(), time.Minute)
			r, err = joined.take(wait, "read")
			done()
			if err != nil {
				t.Fatalf("after %s: %v", statement, err)
			}
			if n, err := r.number(t.Context(), "SELECT COUNT(*) FROM t"); n != 20000 || err != nil {
				t.Errorf("after %s: %d rows, %v", statement, n, err)
			}
			joined.give(r, true)
		}
		if err := held.Alive(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Who reads nothing of a wide row that was sent to him keeps no other reader from his: he may
// wait for what that one has, the counter of a table or room in the pipeline.
func TestLoanLeftWaiting(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		_, joined, _ := lending(t, s, 2, "CREATE TABLE w (id int PRIMARY KEY, v longtext)", "INSERT INTO w VALUES (1, REPEAT('w', 12000000)), (2, REPEAT('w', 12000000))")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		query := func(r *session, id int) texts {
			t.Helper()
			rows, err := r.asker.ask(ctx, fmt.Sprintf("SELECT v FROM w WHERE id = %d", id))
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		take := func() *session {
			t.Helper()
			r, err := joined.take(ctx, "read")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		waiting, other := take(), take()
		rows := query(waiting, 1)
		for range 3 { // by then the first row is on its way
			read := query(other, 2)
			into := make([][]byte, 1)
			if err := read.next(into); err != nil {
				t.Fatal(err)
			}
			if len(into[0]) != 12000000 {
				t.Errorf("%d bytes", len(into[0]))
			}
			other.turn.end()
			if err := read.next(into); err != io.EOF {
				t.Fatal(err)
			}
			read.close()
		}
		joined.give(other, true)
		into := make([][]byte, 1)
		if err := rows.next(into); err != nil || len(into[0]) != 12000000 {
			t.Error(err)
		}
		waiting.turn.end()
		rows.close()
		joined.give(waiting, false)
	})
}

// A reader that its server has ended is counted out; without any, the snapshot is lost.
func TestLoanLost(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		held, joined, _ := lending(t, s, 1)
		r, err := joined.take(t.Context(), "read")
		if err != nil {
			t.Fatal(err)
		}
		id, err := r.number(t.Context(), "SELECT CONNECTION_ID()")
		if err != nil {
			t.Fatal(err)
		}
		s.Exec(t, "", fmt.Sprintf("KILL %d", id))
		_, err = r.number(t.Context(), "SELECT 1")
		if !connectors.Retryable(err) {
			t.Errorf("a lost reader: %v", err)
		}
		joined.give(r, false)
		_, err = joined.take(t.Context(), "read")
		if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot {
			t.Errorf("no reader is left: kind %d: %v", kind, err)
		}
		for _, view := range []*snapshot{joined, held} {
			err := view.Alive(t.Context())
			if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot {
				t.Errorf("it lives without readers: kind %d: %v", kind, err)
			}
		}
	})
}

// The holder divides tables, and a view that has not asked for a chunk reads it all the same;
// catalog and definitions are those of the instant.
func TestJoinedChunks(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		held, joined, database := lending(t, s, 1)
		id := catalog.TableID{Name: "t"}
		var divided [][]connectors.Chunk
		for _, target := range []int64{256 << 10, 512 << 10} {
			chunks, err := joined.Split(t.Context(), id, target)
			if err != nil || len(chunks) < 4 {
				t.Fatalf("%d chunks, %v", len(chunks), err)
			}
			divided = append(divided, chunks)
		}
		s.Exec(t, database, "CREATE TABLE later (i int)", "DELETE FROM t")
		for _, chunks := range divided {
			other, err := joined.source.Join(t.Context(), held.Token())
			if err != nil {
				t.Fatal(err)
			}
			if other.Catalog().Table(catalog.TableID{Name: "later"}) != nil {
				t.Error("a table is there that was made later")
			}
			layout, err := other.Layout(id, nil)
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for _, c := range chunks {
				batches, err := other.Read(t.Context(), c, layout)
				if err != nil {
					t.Fatal(err)
				}
				for batch, err := batches.Next(t.Context()); err == nil; batch, err = batches.Next(t.Context()) {
					rows += batch.Rows
					batch.Release()
				}
				batches.Close()
			}
			if rows != 20000 {
				t.Errorf("%d rows", rows)
			}
			other.Close()
		}
	})
}
