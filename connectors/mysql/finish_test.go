package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// TestBroken breaks a copy in each way that its keys forbid. The error names what is
// broken, and no value.
func TestBroken(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, test := range []struct {
			what, table, constraint string
			orders                  string
		}{
			{"a foreign key", "orders", "customer_exists", "(777001, 777002, NULL)"},
			{"a foreign key to its own table", "orders", "chained", "(777001, NULL, 777002)"},
			{"a unique key", "orders", "chain", "(777001, NULL, 10)"},
		} {
			t.Run(test.what, func(t *testing.T) {
				g := openTarget(t, srv, srv.DSN(srv.Name(t)))
				c := shop(1)
				c.rows["orders"] = append(c.rows["orders"], test.orders)
				b := g.begin(t, c, "broken")
				err := b.seal(t, c)
				if kindOf(err) != connectors.KindIntegrity {
					t.Fatalf("%v", err)
				}
				v := connectors.ViolationOf(err)
				if v == nil || v.Constraint != test.constraint || v.Table.Name != test.table || !strings.Contains(err.Error(), test.constraint) || !strings.Contains(err.Error(), test.table) {
					t.Errorf("%+v: %v", v, err)
				}
				if strings.Contains(err.Error()+connectors.Hint(err), "77700") {
					t.Errorf("a value is in the error: %v", err)
				}
				if err := b.Abort(); err != nil {
					t.Fatal(err)
				}
				g.alone(t)
			})
		}
	})
}

// TestRefusedObject has an object that the server does not take: the run ends before rows
// are loaded, and the error names it.
func TestRefusedObject(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		c.defs.Rest = append(c.defs.Rest, object{Kind: "view", Name: "wrong", Create: "CREATE VIEW `wrong` AS SELECT no_column FROM customers"})
		if _, err := g.Begin(t.Context(), c.spec("refused")); err == nil || !strings.Contains(err.Error(), "create view wrong") {
			t.Errorf("%v", err)
		}
		g.alone(t)
		// A view that asks for an index can be made when the index is there.
		c = shop(1)
		c.defs.Rest = append(c.defs.Rest, object{Kind: "view", Name: "hinted", Create: "CREATE VIEW `hinted` AS SELECT id FROM customers FORCE INDEX (by_version)"})
		g.replace(t, c, "hinted")
		g.alone(t)
	})
}

// TestDerived lets a trigger compute a column that does not travel.
func TestDerived(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(7)
		c.rows["customers"] = []string{"(1)", "(2)"}
		c.derived = []connectors.Derived{{Column: catalog.ColumnID{Table: catalog.TableID{Name: "customers"}, Column: "version"}, Trigger: "noted"}}
		g.replace(t, c, "derived")
		if v := g.version(t); v != "7" {
			t.Errorf("version %s stands at the target", v)
		}
		c.derived[0].Trigger = "nobody"
		if _, err := g.Begin(t.Context(), c.spec("derived2")); kindOf(err) != connectors.KindUnsupported {
			t.Errorf("%v", err)
		}
		g.alone(t)
	})
}

// TestSequences moves a sequence of MariaDB with the tables whose defaults call it. What it cannot
// give does not move it.
func TestSequences(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		if srv.Flavor() != "mariadb" {
			return // MySQL has none
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		for i := range 2 {
			c := shop(i + 1)
			c.defs.First = []object{{Kind: "sequence", Name: "numbers", Create: "CREATE SEQUENCE `numbers` START WITH 1 INCREMENT BY 1"}}
			c.sequences = append(c.sequences, connectors.Sequence{ID: catalog.TableID{Name: "numbers"}, Last: int64(50 + i), Increment: 1, Min: 1, Max: 1000,
				Fills: []catalog.ColumnID{{Table: catalog.TableID{Name: "numbered"}, Column: "id"}, {Table: catalog.TableID{Name: "also"}, Column: "n"}}})
			c.table("numbered", "CREATE TABLE `numbered` (id INT NOT NULL DEFAULT nextval(`numbers`), x INT)", fmt.Sprintf("(%d, 1)", 40+i))
			c.table("also", "CREATE TABLE `also` (n INT NOT NULL DEFAULT nextval(`numbers`), x INT)", fmt.Sprintf("(%d, 1)", 100+i), "(5000, 1)")
			g.replace(t, c, fmt.Sprintf("run%d", i))
			srv.Exec(t, g.name, "INSERT INTO numbered (x) VALUES (2)")
			if n := srv.Value(t, g.name, "SELECT MAX(id) FROM numbered"); n != fmt.Sprint(101+i) {
				t.Errorf("the next number is %s", n)
			}
			g.alone(t)
		}
	})
}

// TestSequenceThatCycles leaves a sequence that has been at its end, and begins again there, where
// it was. One that has not been round goes past what the columns hold that it fills.
func TestSequenceThatCycles(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		if srv.Flavor() != "mariadb" {
			return // MySQL has none
		}
		from, to := srv.Database(t), srv.Name(t)
		srv.Exec(t, from, "CREATE SEQUENCE circling MINVALUE 1 MAXVALUE 100 NOCACHE CYCLE", "CREATE TABLE circled (id INT PRIMARY KEY DEFAULT NEXTVAL(circling), x INT)",
			"INSERT INTO circled VALUES (100, 1)", "DO SETVAL(circling, 7)",
			"CREATE SEQUENCE straight NOCACHE CYCLE", "CREATE TABLE straightened (id INT PRIMARY KEY DEFAULT NEXTVAL(straight), x INT)", "INSERT INTO straightened VALUES (9000, 1)")
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, srv.DSN(from), srv.DSN(to)); err != nil {
			t.Fatal(err)
		}
		srv.Exec(t, to, "INSERT INTO circled (x) VALUES (2)", "INSERT INTO straightened (x) VALUES (2)")
		if got := srv.Value(t, to, "SELECT CONCAT(a.id, ' ', b.id) FROM circled a, straightened b WHERE a.x = 2 AND b.x = 2"); got != "8 9001" {
			t.Errorf("the next are %s", got)
		}
	})
}

// TestIndexes makes indexes that a server makes in other ways than the usual ones.
func TestIndexes(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		c.table("texts", "CREATE TABLE `texts` (`id` INT PRIMARY KEY, `a` TEXT, `b` TEXT, `place` POINT NOT NULL) ENGINE=InnoDB", "(1, 'one two', 'three', ST_GeomFromText('POINT(1 1)'))")
		c.defs.Tables[2].Indexes = []string{"ADD FULLTEXT KEY `of_a` (`a`)", "ADD KEY `start` (`b`(10))", "ADD FULLTEXT KEY `of_b` (`a`, `b`)", "ADD SPATIAL KEY `where` (`place`)"}
		g.replace(t, c, "indexes")
		if got := srv.Value(t, g.name, "SELECT GROUP_CONCAT(DISTINCT INDEX_NAME ORDER BY INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'texts'"); got != "of_a,of_b,PRIMARY,start,where" {
			t.Errorf("indexes %s", got)
		}
		if got := srv.Value(t, g.name, "SELECT id FROM texts WHERE MATCH (a, b) AGAINST ('three')"); got != "1" {
			t.Errorf("found %q", got)
		}
	})
}

// TestIndexesAgain makes the indexes of a table of which a first call has made some.
func TestIndexesAgain(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		c.table("texts", "CREATE TABLE `texts` (`id` INT PRIMARY KEY, `a` TEXT, `n` INT) ENGINE=InnoDB", "(1, 'one', 1)", "(2, 'two', 1)")
		c.defs.Tables[2].Indexes = []string{"ADD FULLTEXT KEY `of_a` (`a`)", "ADD UNIQUE KEY `of_n` (`n`)"}
		b := g.begin(t, c, "again")
		b.fill(t, c)
		id := catalog.TableID{Name: "texts"}
		if err := b.TableLoaded(t.Context(), id); kindOf(err) != connectors.KindIntegrity {
			t.Fatalf("two equal values: %v", err)
		}
		srv.Exec(t, b.database, "UPDATE texts SET n = id")
		if err := b.TableLoaded(t.Context(), id); err != nil {
			t.Error(err)
		}
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		g.alone(t)
	})
}

// TestOrphansAmongFewValues looks for orphans among the values of a key rather than the
// rows that have them.
func TestOrphansAmongFewValues(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, test := range []struct {
			orphan string
			rows   int
			want   connectors.Kind
		}{
			{"(10001, NULL, NULL)", 2000, connectors.KindOther}, {"(10001, 777001, NULL)", 2000, connectors.KindIntegrity}, {"(10001, NULL, NULL)", 2, connectors.KindOther},
		} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			c := shop(1)
			c.rows["orders"] = []string{test.orphan}
			for i := range test.rows {
				c.rows["orders"] = append(c.rows["orders"], fmt.Sprintf("(%d, %d, NULL)", i, 1+i%2))
			}
			b := g.begin(t, c, "few")
			b.fill(t, c)
			if err := b.Finish(t.Context()); kindOf(err) != test.want {
				t.Errorf("%+v: %v", test, err)
			}
			s, err := b.take(t.Context(), "ask")
			if err != nil {
				t.Fatal(err)
			}
			if few, err := b.repeats(t.Context(), s, c.catalog[1].ID, c.catalog[1].ForeignKeys[0]); err != nil || few != (test.rows > 2) {
				t.Errorf("%+v: few values: %t, %v", test, few, err)
			}
			b.give(s, true)
		}
	})
}

// TestStrictServer builds at a server that asks for more of new tables than the source's.
func TestStrictServer(t *testing.T) {
	connectortest.NoRaces(t)
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			settings := []string{"innodb_strict_mode"}
			if srv.Flavor() == "mysql" {
				for _, name := range []string{"sql_require_primary_key", "sql_generate_invisible_primary_key", "restrict_fk_on_non_standard_key"} {
					if srv.Value(t, "", "SELECT COUNT(*) FROM performance_schema.global_variables WHERE VARIABLE_NAME = '"+name+"'") == "1" { // from 8.0.13, 8.0.30 and 8.4 on
						settings = append(settings, name)
					}
				}
			}
			for _, name := range settings {
				before := srv.Value(t, "", "SELECT @@GLOBAL."+name)
				srv.Exec(t, "", "SET GLOBAL "+name+" = 1")
				t.Cleanup(func() { srv.Exec(t, "", "SET GLOBAL "+name+" = "+before) })
			}
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			c := shop(1)
			c.table("keyless", "CREATE TABLE `keyless` (`id` INT, KEY `id` (`id`)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=4", "(1)", "(1)")
			c.table("points", "CREATE TABLE `points` (`id` INT) ENGINE=InnoDB", "(1)")
			c.defs.Tables[3].Indexes = []string{"ADD KEY `to_keyless` (`id`)"}
			c.defs.Tables[3].ForeignKeys = []string{"ADD CONSTRAINT `loose` FOREIGN KEY (`id`) REFERENCES `keyless` (`id`)"}
			c.catalog[3].ForeignKeys = []catalog.ForeignKey{points("loose", "keyless", catalog.Pair{Column: "id", References: "id"})}
			g.replace(t, c, "strict")
			if n := srv.Value(t, g.name, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'keyless'"); n != "1" {
				t.Errorf("%s columns", n)
			}
			g.alone(t)
		})
	}
}

// TestAddingServer builds at a server that would add a default to a timestamp, and a column
// to a table without a key, by an account that may not turn that off: then nothing is made.
func TestAddingServer(t *testing.T) {
	connectortest.NoRaces(t)
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			name := srv.Name(t)
			account := accountOf(t, srv, name, "ALL", "CREATE, ALTER, DROP, INDEX, REFERENCES, SELECT, INSERT, UPDATE, DELETE, TRIGGER, EVENT, CREATE ROUTINE, ALTER ROUTINE, CREATE VIEW, SHOW VIEW, EXECUTE")
			with := func(setting, table string) {
				variable, value, _ := strings.Cut(setting, " = ")
				before := srv.Value(t, "", "SELECT @@GLOBAL."+variable)
				srv.Exec(t, "", "SET GLOBAL "+variable+" = "+value)
				defer srv.Exec(t, "", "SET GLOBAL "+variable+" = "+before)
				c := copied{rows: map[string][]string{}}
				c.defs = definitions{Database: "source", Charset: "utf8mb4", Collation: "utf8mb4_bin"}
				c.table("added", table)
				g := openTarget(t, srv, account)
				built, err := g.Begin(t.Context(), c.spec("added"))
				if err == nil { // the account may turn it off
					create := srv.Value(t, built.(*build).database, "SELECT CONCAT(COUNT(*), IFNULL(MAX(COLUMN_DEFAULT), '')) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'added' AND COLUMN_NAME NOT IN ('b', 'c')")
					if create != "2" {
						t.Errorf("%s: the columns: %s", setting, create)
					}
					built.Abort()
				} else if kindOf(err) != connectors.KindUnsupported || !strings.Contains(err.Error(), "would add") || !strings.Contains(err.Error(), "added") || !strings.Contains(connectors.Hint(err), variable) {
					t.Errorf("%s: %v", setting, err)
				}
				g.alone(t)
			}
			with("explicit_defaults_for_timestamp = 0", "CREATE TABLE `added` (`id` INT NOT NULL, `a` TIMESTAMP NOT NULL, `b` TIMESTAMP NULL, `c` TIMESTAMP NOT NULL DEFAULT '2000-01-01', PRIMARY KEY (`id`)) ENGINE=InnoDB")
			if srv.Flavor() == "mysql" && atLeast(srv, 8, 1) {
				with("sql_generate_invisible_primary_key = 1", "CREATE TABLE `added` (`id` INT) ENGINE=InnoDB")
			}
		})
	}
}

// What a server would add to: a moment that is never NULL and has no default, and a table
// without a key. No server here keeps an account from turning the first off.
func TestPlain(t *testing.T) {
	columns, tables := plain([]tableDefinition{
		{Name: "t", Create: "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `a` timestamp NOT NULL,\n  `b` timestamp NULL DEFAULT NULL,\n  `c` timestamp NOT NULL DEFAULT '2000-01-01 00:00:00',\n  `d` timestamp(6) NOT NULL,\n  `e` datetime NOT NULL,\n  `s` timestamp(6) GENERATED ALWAYS AS ROW START,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB"},
		{Name: "k", Create: "CREATE TABLE `k` (\n  `id` int NOT NULL,\n  UNIQUE KEY `u` (`id`)\n) ENGINE=InnoDB"},
	})
	if fmt.Sprint(columns) != "[t.a t.d]" || fmt.Sprint(tables) != "[k]" {
		t.Errorf("columns %v, tables %v", columns, tables)
	}
}

// TestVersions gives keys to a table of MariaDB that keeps its history.
func TestVersions(t *testing.T) {
	connectortest.NoRaces(t)
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		if srv.Flavor() != "mariadb" {
			return // MySQL has none
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		c.table("kept", "CREATE TABLE `kept` (`id` INT PRIMARY KEY AUTO_INCREMENT, `customer` INT) ENGINE=InnoDB WITH SYSTEM VERSIONING", "(1, 1)")
		c.defs.Tables[2].Indexes = []string{"ADD KEY `by_customer` (`customer`)"}
		c.defs.Tables[2].ForeignKeys = []string{"ADD CONSTRAINT `kept_customer` FOREIGN KEY (`customer`) REFERENCES `customers` (`id`)"}
		c.catalog[2].ForeignKeys = []catalog.ForeignKey{points("kept_customer", "customers", catalog.Pair{Column: "customer", References: "id"})}
		c.sequences = append(c.sequences, connectors.Sequence{ID: catalog.TableID{Name: "kept"}, Last: 90, Increment: 1, Min: 1, Max: 1<<31 - 1, Fills: []catalog.ColumnID{{Table: catalog.TableID{Name: "kept"}, Column: "id"}}})
		for i := range 2 {
			g.replace(t, c, fmt.Sprintf("run%d", i))
		}
		srv.Exec(t, g.name, "INSERT INTO kept (customer) VALUES (2)")
		if id := srv.Value(t, g.name, "SELECT MAX(id) FROM kept"); id != "90" {
			t.Errorf("the next id is %s", id)
		}
		g.alone(t)
	})
}
