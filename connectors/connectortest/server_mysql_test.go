package connectortest

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
)

func TestMySQLServers(t *testing.T) {
	for _, s := range MySQLServers(t) {
		t.Run(s.Flavor()+" "+s.Version(), func(t *testing.T) {
			name := s.Database(t)
			s.Exec(t, name, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2)")
			if got := s.Value(t, name, "SELECT count(*) FROM t"); got != "2" {
				t.Errorf("rows: got %s, want 2", got)
			}
			if got := s.Value(t, name, "SELECT NULL"); got != "" {
				t.Errorf("NULL: got %q", got)
			}
			// What tests of a source and a sink need of a server.
			for setting, want := range map[string]string{
				"log_bin": "1", "binlog_format": "ROW", "local_infile": "1", "character_set_server": "utf8mb4",
			} {
				if got := s.Value(t, "", "SELECT @@global."+setting); got != want {
					t.Errorf("%s: got %s, want %s", setting, got, want)
				}
			}
			if version := s.Value(t, "", "SELECT VERSION()"); !strings.HasPrefix(version, s.Version()) || strings.Contains(version, "MariaDB") != (s.Flavor() == "mariadb") {
				t.Errorf("%s %s is a %s", s.Flavor(), s.Version(), version)
			}
		})
	}
}

// TestMySQLName leaves databases and, in one of them, a session with an open transaction,
// which would keep the database for as long as it lives.
func TestMySQLName(t *testing.T) {
	s := MySQL(t)
	var name string
	var left *sql.DB
	t.Run("leaves", func(t *testing.T) {
		name = s.Database(t)
		s.CreateDatabase(t, name+"__building_x")
		s.Exec(t, name, "CREATE TABLE t (a int)")
		var err error
		if left, err = s.open(name); err != nil {
			t.Fatal(err)
		}
		tx, err := left.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	})
	defer left.Close()
	if n := s.Value(t, "", "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE '"+name+"%'"); n != "0" {
		t.Errorf("%s databases are left", n)
	}
}

func TestMySQLPair(t *testing.T) {
	a, b := MySQLPair(t)
	if a.Flavor() != b.Flavor() {
		t.Errorf("the pair is of %s and %s", a.Flavor(), b.Flavor())
	}
	name := a.Database(t)
	if found := b.Value(t, "", "SELECT count(*) FROM information_schema.schemata WHERE schema_name = '"+name+"'"); found != "0" {
		t.Error("the pair is one server")
	}
	if want := "mysql://root:" + mysqlPassword + "@" + a.Addr() + "/" + name; a.DSN(name) != want {
		t.Errorf("the DSN is %s", a.DSN(name))
	}
}

func TestSplitMySQL(t *testing.T) {
	got := splitMySQL("-- a; comment\n/* and; one */ SELECT 1; # two; of them\n\nSELECT '\\';--', \"a;\"\"b\", `c;\\`;\n/*!50003 SET @a = 1 */;\n" +
		"DELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\n  -- stays; here\n  SELECT 1;\nEND;;\ndelimiter ;\nSELECT 2--1;;SELECT 3")
	want := []string{"SELECT 1", "SELECT '\\';--', \"a;\"\"b\", `c;\\`", "/*!50003 SET @a = 1 */",
		"CREATE PROCEDURE p()\nBEGIN\n  -- stays; here\n  SELECT 1;\nEND", "SELECT 2--1", "SELECT 3"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
