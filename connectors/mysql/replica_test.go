package mysql

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// replicated starts a primary and a replica of it with settings of its own. The replica
// follows by GTIDs.
func replicated(t *testing.T, flavor string, settings ...string) (primary, replica *connectortest.PrivateMySQL) {
	t.Helper()
	var both []string
	if flavor == "mysql" {
		both = []string{"gtid-mode=ON", "enforce-gtid-consistency=ON"}
	}
	primary = connectortest.PrivateMySQLServer(t, flavor, 0, both...)
	replica = connectortest.PrivateMySQLServer(t, flavor, 0, append(append(both, "server-id=2", "read-only=1"), settings...)...)
	primary.Exec(t, "", "CREATE USER 'replica'@'%' IDENTIFIED BY 'only-for-tests'", "GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%'")
	host, port, err := net.SplitHostPort(primary.Addr())
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case flavor == "mysql" && !atLeast(replica.MySQLServer, 8, 1):
		replica.Exec(t, "", fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %s, MASTER_USER = 'replica', MASTER_PASSWORD = 'only-for-tests', MASTER_AUTO_POSITION = 1%s", host, port,
			map[bool]string{true: ", GET_MASTER_PUBLIC_KEY = 1"}[atLeast(replica.MySQLServer, 8, 0)]), "START SLAVE")
	case flavor == "mysql":
		replica.Exec(t, "", fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '%s', SOURCE_PORT = %s, SOURCE_USER = 'replica', SOURCE_PASSWORD = 'only-for-tests', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1", host, port), "START REPLICA")
	default:
		verify := ""
		if atLeast(replica.MySQLServer, 11, 3) {
			verify = ", MASTER_SSL_VERIFY_SERVER_CERT = 0" // it asks for a certificate by default
		}
		replica.Exec(t, "", fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %s, MASTER_USER = 'replica', MASTER_PASSWORD = 'only-for-tests', MASTER_USE_GTID = slave_pos%s", host, port, verify), "START SLAVE")
	}
	return primary, replica
}

// lastOf returns the number of the last transaction of a position's set of GTIDs: of
// 0-1-42 or uuid:1-42.
func lastOf(t *testing.T, position string) int {
	t.Helper()
	n, err := strconv.Atoi(position[strings.LastIndexAny(position, "-:")+1:])
	if err != nil {
		t.Errorf("the position %q", position)
	}
	return n
}

// A replica is a source like others while its primary writes: all readers see one instant,
// and the position names it.
func TestReplica(t *testing.T) {
	for _, flavor := range connectortest.PrivateMySQLs(t) {
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			logs := map[string]bool{"log-slave-updates=1": true}
			if matrix() && flavor == "mariadb" {
				logs["log-slave-updates=0"] = false
			}
			for setting, logged := range logs {
				t.Run(setting, func(t *testing.T) { ofReplica(t, flavor, setting, logged) })
			}
		})
	}
}

func ofReplica(t *testing.T, flavor, setting string, logged bool) {
	primary, replica := replicated(t, flavor, setting)
	database := primary.Database(t)
	transfers(t, primary.MySQLServer, database, 100*time.Millisecond)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if replica.Value(t, "", "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+literal(database)) == "2" &&
			replica.Value(t, database, "SELECT COUNT(*) FROM credit") == "1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the replica does not follow:\n%s", replica.Log())
		}
	}
	monitor := "REPLICATION CLIENT"
	if flavor == "mariadb" {
		monitor = "BINLOG MONITOR"
	}
	// Every transaction adds one to the value and to the log: their difference stays.
	offset, first := 0, true
	for _, way := range []struct {
		name, onDatabase, onAll string
	}{{wayGlobal, "SELECT", "RELOAD, " + monitor}, {wayTables, "SELECT, LOCK TABLES", monitor}, {wayAgreement, "SELECT", monitor}} {
		// An account of the replica's own, as those for reading are, which no log has.
		account := "reads_" + strings.ReplaceAll(strings.SplitN(way.name, " ", 2)[0], " ", "_") + strconv.Itoa(len(way.name))
		replica.Exec(t, "", "SET sql_log_bin = 0", fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY 'only-for-tests'", account),
			fmt.Sprintf("GRANT %s ON %s.* TO '%s'@'%%'", way.onDatabase, ident(database), account), fmt.Sprintf("GRANT %s ON *.* TO '%s'@'%%'", way.onAll, account))
		var warned []string
		source, err := Connector{}.OpenSource(t.Context(), replica.DSNAs(database, account, "only-for-tests"),
			connectors.Options{Workers: 3, Warn: func(m string) { warned = append(warned, m) }})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		for range 3 {
			opened, err := source.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			view := opened.(*snapshot)
			i := view.Instant()
			want, readers := way.name, 3
			if !logged && way.name == wayAgreement {
				want, readers = waySingle, 1
			}
			if i.Way != want || i.Readers != readers {
				t.Errorf("%s: the instant: %+v; %q", way.name, i, warned)
			}
			now := seen(t, view)
			if len(now) != 1 && readers > 1 {
				t.Errorf("%s: the readers see different instants: %v", way.name, now)
			}
			for at := range now {
				var debit, credit int
				if fmt.Sscan(at, &debit, &credit); debit != -credit {
					t.Errorf("%s: half a transaction is seen: %s", way.name, at)
				}
				// Under the global lock the position is that of all that was applied.
				if way.name != wayGlobal {
					continue
				}
				if n := lastOf(t, i.Position) - credit; first {
					offset, first = n, false
				} else if n != offset {
					t.Errorf("the position %s is %d transactions from what is seen", i.Position, n-offset)
				}
			}
			if logged && i.Position == "" {
				t.Errorf("%s: no position", way.name)
			}
			view.Close()
		}
	}
	if first {
		t.Error("no position was compared")
	}
	// A copy of it goes through as well, to where it came from.
	to := newDatabase(t, primary.MySQLServer)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, replica.DSN(database), to.DSN()); err != nil {
		t.Fatalf("%v\nhint: %s", err, connectors.Hint(err))
	}
	if sum := primary.Value(t, to.name, "SELECT (SELECT SUM(v) FROM debit) + (SELECT SUM(v) FROM credit)"); sum != "0" {
		t.Errorf("the copy is off by %s", sum)
	}
}
