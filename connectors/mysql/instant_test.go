package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// opened opens a snapshot that is closed when the test ends.
func opened(t *testing.T, dsn string, workers int) *snapshot {
	t.Helper()
	source, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	view, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return view.(*snapshot)
}

// accountOf makes an account with rights on the database, and on all, and returns its DSN.
func accountOf(t *testing.T, s *connectortest.MySQLServer, database, onDatabase, onAll string) string {
	t.Helper()
	const password = "only-for-tests"
	name := strings.ReplaceAll(s.Name(t), "_", "")
	name = "a" + name[max(0, len(name)-24):]
	s.Exec(t, "", fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", name, password),
		fmt.Sprintf("GRANT %s ON %s.* TO '%s'@'%%'", onDatabase, ident(database), name))
	if onAll != "" {
		s.Exec(t, "", fmt.Sprintf("GRANT %s ON *.* TO '%s'@'%%'", onAll, name))
	}
	t.Cleanup(func() { s.Exec(t, "", fmt.Sprintf("DROP USER '%s'@'%%'", name)) })
	return s.DSNAs(database, name, password)
}

// transfers writes to two tables in one transaction after the other, and now and then
// leaves the log in peace. It stops when the test does.
func transfers(t *testing.T, s *connectortest.MySQLServer, database string, peace time.Duration) {
	t.Helper()
	s.Exec(t, database, "CREATE TABLE debit (id INT PRIMARY KEY, v BIGINT NOT NULL)", "CREATE TABLE credit (id INT PRIMARY KEY, v BIGINT NOT NULL)",
		"INSERT INTO debit VALUES (1, 0)", "INSERT INTO credit VALUES (1, 0)")
	db := s.DB(t, database)
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			for range 10 {
				tx, err := db.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				for _, sql := range []string{"UPDATE debit SET v = v - 1", "UPDATE credit SET v = v + 1"} {
					if err == nil {
						_, err = tx.Exec(sql)
					}
				}
				if err == nil {
					err = tx.Commit()
				}
				// Who locks the tables may meet a transaction halfway, which is then tried again.
				var me *driverpkg.MySQLError
				if errors.As(err, &me) && me.Number == 1213 {
					tx.Rollback()
				} else if err != nil {
					t.Error(err)
					return
				}
			}
			pause(ctx, peace)
		}
	})
	t.Cleanup(func() {
		stop()
		done.Wait()
	})
}

// seen is what every session of a snapshot has before it.
func seen(t *testing.T, view *snapshot) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, r := range append([]*session{view.main}, view.all...) {
		at, err := r.word(t.Context(), "SELECT CONCAT((SELECT v FROM debit), ' ', (SELECT v FROM credit))")
		if err != nil {
			t.Fatal(err)
		}
		all[at]++
	}
	return all
}

// Every way brings all readers to one instant while others write, and is the one that the
// account's rights allow.
func TestOneInstant(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		monitor := "REPLICATION CLIENT"
		if s.Flavor() == "mariadb" {
			monitor = "BINLOG MONITOR"
		}
		for _, way := range []struct {
			name, onDatabase, onAll string
			locks, position         bool
			readers                 int
			peace                   time.Duration
		}{
			{wayGlobal, "SELECT", "RELOAD, " + monitor, true, true, 3, 0},
			{wayTables, "SELECT, LOCK TABLES", monitor, true, true, 3, 0},
			{wayAgreement, "SELECT", monitor, false, true, 3, 150 * time.Millisecond},
			{waySingle, "SELECT", "", false, false, 1, 0},
		} {
			t.Run(way.name, func(t *testing.T) {
				database := s.Database(t)
				transfers(t, s, database, way.peace)
				var warned []string
				source, err := Connector{}.OpenSource(t.Context(), accountOf(t, s, database, way.onDatabase, way.onAll),
					connectors.Options{Workers: 3, Warn: func(m string) { warned = append(warned, m) }})
				if err != nil {
					t.Fatal(err)
				}
				defer source.Close()
				for range 5 {
					opened, err := source.Open(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					view := opened.(*snapshot)
					i := view.Instant()
					if i.Way != way.name || i.Readers != way.readers || (i.Locked > 0) != way.locks || (i.Position != "") != (way.position || s.Flavor() == "mariadb") {
						t.Errorf("the instant: %+v", i)
					}
					now := seen(t, view)
					if way.readers == 1 {
						now = map[string]int{}
						for range 2 {
							at, err := view.all[0].word(t.Context(), "SELECT CONCAT((SELECT v FROM debit), ' ', (SELECT v FROM credit))")
							if err != nil {
								t.Fatal(err)
							}
							now[at]++
						}
					}
					if len(now) != 1 {
						t.Errorf("the readers see different instants: %v", now)
					}
					for at := range now {
						var debit, credit int
						if fmt.Sscan(at, &debit, &credit); debit != -credit {
							t.Errorf("half a transaction is seen: %s", at)
						}
					}
					if again := seen(t, view); way.readers > 1 && fmt.Sprint(again) != fmt.Sprint(now) {
						t.Errorf("%v a moment later, %v before", again, now)
					}
					view.Close()
				}
				if single := strings.Contains(strings.Join(warned, ""), "read by one session"); single != (way.name == waySingle) {
					t.Errorf("warned of %q", warned)
				}
			})
		}
	})
}

// No lock is held while rows are read: whoever writes, locks or alters a table goes on.
func TestNothingIsLocked(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)", "INSERT INTO b VALUES (1, 1)")
		view := opened(t, s.DSN(database), 2)
		read := func(name string) error {
			id := view.Catalog().Find(name).ID
			chunks, err := view.Split(t.Context(), id, 0)
			if err != nil {
				return err
			}
			layout, err := view.Layout(id, nil)
			if err != nil {
				return err
			}
			batches, err := view.Read(t.Context(), chunks[0], layout)
			if err != nil {
				return err
			}
			defer batches.Close()
			batch, err := batches.Next(t.Context())
			if err != nil {
				return err
			}
			defer batch.Release()
			if _, err = batches.Next(t.Context()); !errors.Is(err, io.EOF) {
				return fmt.Errorf("after the last batch: %w", err)
			}
			return nil
		}
		if err := read("a"); err != nil {
			t.Fatal(err)
		}
		s.Exec(t, database, "SET SESSION lock_wait_timeout = 1", "UPDATE a SET v = 2", "INSERT INTO b VALUES (2, 2)")
		s.Exec(t, database, "SET SESSION lock_wait_timeout = 5", "ALTER TABLE a ADD COLUMN w INT, FORCE", "FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES")
		// What was altered cannot be read any more, and is said to be the snapshot's end.
		if kind, _ := connectors.KindOf(read("a")); kind != connectors.KindSnapshot {
			t.Errorf("reading what was altered: %v", read("a"))
		}
		if err := read("b"); err != nil {
			t.Errorf("another table: %v", err)
		}
	})
}
