package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// onServers runs a test on every server of the family.
func onServers(t *testing.T, test func(t *testing.T, srv *connectortest.MySQLServer)) {
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			t.Parallel()
			test(t, srv)
		})
	}
}

// copied is a database as a build is given it, with the rows that are put into it.
type copied struct {
	defs      definitions
	catalog   []*catalog.Table
	rows      map[string][]string // of each table: what stands behind VALUES
	sequences []connectors.Sequence
	derived   []connectors.Derived
}

// columns returns columns of type int, of those names.
func columns(names ...string) (all []catalog.Column) {
	for _, n := range names {
		all = append(all, catalog.Column{Name: n, Type: catalog.Type{Name: "int", Kind: catalog.Int, Bits: 32}})
	}
	return all
}

func points(name, to string, pairs ...catalog.Pair) catalog.ForeignKey {
	return catalog.ForeignKey{Name: name, References: catalog.TableID{Name: to}, Pairs: pairs, Validated: true}
}

// shop is a small database with everything that a promotion moves or makes anew. Its
// rows, its views and whatever else tell which version they are of.
func shop(version int) copied {
	c := copied{rows: map[string][]string{
		"customers": {fmt.Sprintf("(1, %d)", version), fmt.Sprintf("(2, %d)", version)},
		"orders":    {"(10, 1, NULL)", "(11, 2, 10)", "(12, NULL, 12)"},
	}}
	c.defs = definitions{
		Database: "source", Charset: "utf8mb4", Collation: "utf8mb4_bin",
		Tables: []tableDefinition{
			{Name: "customers", Create: "CREATE TABLE `customers` (`id` INT NOT NULL AUTO_INCREMENT, `version` INT NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `positive` CHECK (`version` > 0)) ENGINE=InnoDB",
				Indexes: []string{"ADD KEY `by_version` (`version`)"}},
			{Name: "orders", Create: "CREATE TABLE `orders` (`id` INT NOT NULL, `customer` INT, `before_this` INT, PRIMARY KEY (`id`)) ENGINE=InnoDB",
				Indexes:     []string{"ADD KEY `by_customer` (`customer`)", "ADD UNIQUE KEY `chain` (`before_this`)"},
				ForeignKeys: []string{"ADD CONSTRAINT `customer_exists` FOREIGN KEY (`customer`) REFERENCES `customers` (`id`)", "ADD CONSTRAINT `chained` FOREIGN KEY (`before_this`) REFERENCES `orders` (`id`)"}},
		},
		Rest: []object{
			{Kind: "function", Name: "version_of", Create: fmt.Sprintf("CREATE FUNCTION `version_of`() RETURNS INT DETERMINISTIC RETURN %d", version)},
			{Kind: "procedure", Name: "nothing", Create: "CREATE PROCEDURE `nothing`() SELECT 1"},
			{Kind: "view", Name: "who", Create: fmt.Sprintf("CREATE VIEW `who` AS SELECT id, %d AS version, version_of() AS called FROM `customers`", version)},
			{Kind: "view", Name: "who_else", Create: "CREATE VIEW `who_else` AS SELECT * FROM `who`"},
			{Kind: "trigger", Name: "noted", Table: "customers", Create: fmt.Sprintf("CREATE TRIGGER `noted` BEFORE INSERT ON `customers` FOR EACH ROW SET NEW.version = %d", version)},
			{Kind: "event", Name: "nightly", Create: fmt.Sprintf("CREATE EVENT `nightly` ON SCHEDULE EVERY 1 DAY DISABLE COMMENT '%d' DO SELECT 1", version)},
		},
	}
	c.catalog = []*catalog.Table{
		{ID: catalog.TableID{Name: "customers"}, Kind: catalog.Ordinary, Columns: columns("id", "version"), PrimaryKey: &catalog.Key{Name: "PRIMARY", Columns: []string{"id"}}},
		{ID: catalog.TableID{Name: "orders"}, Kind: catalog.Ordinary, Columns: columns("id", "customer", "before_this"), PrimaryKey: &catalog.Key{Name: "PRIMARY", Columns: []string{"id"}},
			Unique:      []catalog.Key{{Name: "chain", Columns: []string{"before_this"}}},
			ForeignKeys: []catalog.ForeignKey{points("customer_exists", "customers", catalog.Pair{Column: "customer", References: "id"}), points("chained", "orders", catalog.Pair{Column: "before_this", References: "id"})}},
	}
	c.sequences = []connectors.Sequence{{ID: catalog.TableID{Name: "customers"}, Last: 41, Increment: 1, Min: 1, Max: 1<<31 - 1, Owner: catalog.ColumnID{Table: catalog.TableID{Name: "customers"}, Column: "id"}}}
	return c
}

// table adds a table without keys to other tables.
func (c *copied) table(name, create string, rows ...string) {
	c.defs.Tables = append(c.defs.Tables, tableDefinition{Name: name, Create: create})
	c.catalog = append(c.catalog, &catalog.Table{ID: catalog.TableID{Name: name}, Kind: catalog.Ordinary, Columns: columns("id")})
	c.rows[name] = rows
}

func (c copied) spec(run string) connectors.BuildSpec {
	return connectors.BuildSpec{Run: run, Fingerprint: map[string]string{"policy": "p"}, Workers: 3, Derived: c.derived,
		Catalog:     catalog.New("mysql", "", "", slices.Clone(c.catalog), nil),
		Definitions: &connectors.Definitions{Connector: "mysql", Version: "8.0.36", Data: c.defs.encode(), Sequences: c.sequences}}
}

// target is the sink of a test, and what it warns of.
type target struct {
	*sink
	srv    *connectortest.MySQLServer
	name   string
	warned chan string
}

func openTarget(t *testing.T, srv *connectortest.MySQLServer, dsn string) *target {
	t.Helper()
	warned := make(chan string, 100)
	made, err := Connector{}.OpenSink(t.Context(), dsn, connectors.Options{Warn: func(m string) { warned <- m }})
	if err != nil {
		t.Fatal(err)
	}
	s := made.(*sink)
	t.Cleanup(func() { s.Close() })
	return &target{sink: s, srv: srv, name: s.target, warned: warned}
}

func (g *target) begin(t *testing.T, c copied, run string) *build {
	t.Helper()
	made, err := g.Begin(t.Context(), c.spec(run))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Abort() })
	return made.(*build)
}

// fill puts in the rows of all tables, each as a chunk, and returns how many there are.
func (b *build) fill(t *testing.T, c copied) map[catalog.TableID]int64 {
	t.Helper()
	counts := map[catalog.TableID]int64{}
	for _, d := range c.defs.Tables {
		rows := c.rows[d.Name]
		id := catalog.TableID{Name: d.Name}
		counts[id] = int64(len(rows))
		if len(rows) == 0 {
			continue
		}
		s, err := b.take(t.Context(), "fill "+d.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{"BEGIN", "INSERT INTO " + ident(d.Name) + c.into(d.Name) + " VALUES " + strings.Join(rows, ", "),
			receiptSQL(connectors.Receipt{Chunk: "chunk of " + d.Name, Table: id, Rows: int64(len(rows)), Bytes: 7}), "COMMIT"} {
			if err := s.exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		b.give(s, true)
	}
	return counts
}

// into names the columns that travel, where some do not.
func (c copied) into(table string) string {
	if len(c.derived) == 0 || c.derived[0].Column.Table.Name != table {
		return ""
	}
	for _, t := range c.catalog {
		if t.ID.Name == table {
			var names []string
			for _, col := range t.Columns {
				if col.Name != c.derived[0].Column.Column {
					names = append(names, col.Name)
				}
			}
			return " (" + idents(names) + ")"
		}
	}
	return ""
}

// seal does everything from the rows to the seal, and returns the first error.
func (b *build) seal(t *testing.T, c copied) error {
	t.Helper()
	counts := b.fill(t, c)
	for _, d := range c.defs.Tables {
		if err := b.TableLoaded(t.Context(), catalog.TableID{Name: d.Name}); err != nil {
			return err
		}
	}
	if err := b.Finish(t.Context()); err != nil {
		return err
	}
	return b.Seal(t.Context(), counts)
}

// replace makes the copy the target.
func (g *target) replace(t *testing.T, c copied, run string) {
	t.Helper()
	b := g.begin(t, c, run)
	if err := b.seal(t, c); err != nil {
		t.Fatal(err)
	}
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}
}

// version tells which version of the shop stands at the target: of its rows, views,
// function, event and trigger. They have to agree.
func (g *target) version(t *testing.T) string {
	t.Helper()
	all := g.srv.Value(t, g.name, `SELECT CONCAT_WS(' ', (SELECT MIN(version) FROM customers), (SELECT MAX(version) FROM who_else), (SELECT MAX(called) FROM who), version_of(),
		(SELECT EVENT_COMMENT FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()),
		(SELECT SUBSTRING_INDEX(ACTION_STATEMENT, '= ', -1) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME = 'noted'))`)
	v := strings.Fields(all)
	if len(v) != 6 || len(slices.Compact(slices.Clone(v))) != 1 {
		t.Errorf("the target is a mixture: %s", all)
		return ""
	}
	return v[0]
}

// alone fails the test if anything stands beside the target, or is in it that is no part of
// the copy, or is locked.
func (g *target) alone(t *testing.T) {
	t.Helper()
	if names := g.srv.Value(t, "", "SELECT COALESCE(GROUP_CONCAT(SCHEMA_NAME), '') FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, CHAR_LENGTH("+literal(g.name+"__")+")) = "+literal(g.name+"__")); names != "" {
		t.Errorf("left over: %s", names)
	}
	if names := g.srv.Value(t, "", "SELECT COALESCE(GROUP_CONCAT(TABLE_NAME), '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+literal(g.name)+" AND LEFT(TABLE_NAME, 9) = '_sanitize' AND TABLE_NAME <> '_sanitize'"); names != "" {
		t.Errorf("left over in the target: %s", names)
	}
	if free := g.srv.Value(t, "", "SELECT IS_FREE_LOCK("+literal(g.lock())+")"); free != "1" {
		t.Error("the target is still locked")
	}
}

func TestBuild(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		for i, run := range []string{"first", "second", "third"} {
			c := shop(i + 1)
			g.replace(t, c, run)
			if v := g.version(t); v != fmt.Sprint(i+1) {
				t.Fatalf("version %s stands at the target", v)
			}
			g.alone(t)
		}
		for query, want := range map[string]string{
			"SELECT GROUP_CONCAT(id ORDER BY id) FROM orders":                                                                        "10,11,12",
			"SELECT AUTO_INCREMENT > 40 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'customers'": "1",
			"SELECT GROUP_CONCAT(CONSTRAINT_NAME ORDER BY CONSTRAINT_NAME) FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() AND CONSTRAINT_NAME NOT IN ('PRIMARY', 'positive')": "chain,chained,customer_exists",
			"SELECT GROUP_CONCAT(DISTINCT UNIQUE_CONSTRAINT_SCHEMA) = DATABASE() FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()":                                        "1",
			"SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()":                                                                                                   "utf8mb4_bin",
			"SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'orders'":                                                                  "3",
		} {
			if got := srv.Value(t, g.name, query); got != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		// Keys and checks act, between the tables of the target.
		db := srv.DB(t, g.name)
		for _, sql := range []string{"INSERT INTO orders VALUES (13, 99, NULL)", "UPDATE customers SET version = -1", "DELETE FROM customers WHERE id = 1"} {
			if _, err := db.Exec(sql); err == nil {
				t.Errorf("%s is taken", sql)
			}
		}
		if _, err := db.Exec("INSERT INTO customers (version) VALUES (1)"); err != nil {
			t.Error(err)
		}
		if id := srv.Value(t, g.name, "SELECT MAX(id) FROM customers WHERE version = 3"); id != "41" {
			t.Errorf("the next id is %s", id)
		}
	})
}

// errCut ends a promotion where a test wants its process to die.
var errCut = errors.New("cut")

// TestCutPromotion ends the process between any two steps of a promotion: the target is
// one whole copy, and the next run ends or removes what it finds.
func TestCutPromotion(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, again := range []bool{true, false} { // a former copy is there, or not
			for stop, more := 0, true; more; stop++ {
				g := openTarget(t, srv, srv.DSN(srv.Name(t)))
				if again {
					g.replace(t, shop(1), "first")
				}
				c := shop(2)
				b := g.begin(t, c, "cut")
				if err := b.seal(t, c); err != nil {
					t.Fatal(err)
				}
				n, at := 0, "the end"
				g.between = func(step string) error {
					if n++; n > stop {
						at = step
						return errCut
					}
					return nil
				}
				err := b.Promote(t.Context())
				if more = errors.Is(err, errCut); !more && err != nil {
					t.Fatalf("step %d: %v", stop, err)
				}
				// From there on it is the same with a former copy and without.
				more = more && (again || at != "drop the former rest")
				g.sink.Close()
				// The next run ends it before it makes anything of its own.
				h := openTarget(t, srv, srv.DSN(g.name))
				begun, err := h.Begin(t.Context(), shop(3).spec("next"))
				if err != nil {
					t.Fatalf("before %q: %v", at, err)
				}
				want := "2"
				if at == "begin" {
					want = "1"
				}
				if exists := srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(g.name)); exists == "0" {
					if again || at != "begin" {
						t.Errorf("before %q: the target is gone", at)
					}
				} else if v := h.version(t); v != want {
					t.Errorf("before %q: version %s stands at the target, want %s", at, v, want)
				}
				if err := begun.Abort(); err != nil {
					t.Fatal(err)
				}
				h.alone(t)
			}
		}
	})
}

// TestCutTwice ends the process that ends a promotion, too.
func TestCutTwice(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		g.replace(t, shop(1), "first")
		c := shop(2)
		b := g.begin(t, c, "cut")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		cutAt := func(s *sink, step string) {
			s.between = func(at string) error {
				if strings.HasPrefix(at, step) {
					return errCut
				}
				return nil
			}
		}
		cutAt(g.sink, "rename")
		if err := b.Promote(t.Context()); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		g.sink.Close()
		for _, step := range []string{"drop the former rest", "view who_else", "trigger noted", "mark", "drop the list", "drop "} {
			h := openTarget(t, srv, srv.DSN(g.name))
			cutAt(h.sink, step)
			_, err := h.Begin(t.Context(), shop(3).spec("next"))
			if step != "drop " && !errors.Is(err, errCut) {
				// Once the mark says ready, what is left is removed without a promotion.
				if step != "drop the list" {
					t.Fatalf("%s: %v", step, err)
				}
			}
			h.sink.Close()
		}
		h := openTarget(t, srv, srv.DSN(g.name))
		if err := h.begin(t, shop(3), "last").Abort(); err != nil {
			t.Fatal(err)
		}
		if v := h.version(t); v != "2" {
			t.Errorf("version %s stands at the target", v)
		}
		h.alone(t)
	})
}

func kindOf(err error) connectors.Kind {
	kind, _ := connectors.KindOf(err)
	return kind
}

func TestGuard(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Database(t)
		refused := func(what string) {
			t.Helper()
			g := openTarget(t, srv, srv.DSN(name))
			_, err := g.Begin(t.Context(), shop(1).spec("guarded"))
			if kindOf(err) != connectors.KindGuard || connectors.Hint(err) == "" {
				t.Errorf("%s: %v", what, err)
			}
			g.alone(t)
		}
		refused("an empty database")
		srv.Exec(t, name, "CREATE TABLE work (id INT)")
		refused("somebody's work")
		// A copy of a target, under another name, is somebody's work.
		other := openTarget(t, srv, srv.DSN(srv.Name(t)))
		other.replace(t, shop(1), "first")
		srv.Exec(t, name, "CREATE TABLE _sanitize SELECT * FROM "+within(other.name, "_sanitize"))
		refused("a copy of a target")
		if n := srv.Value(t, name, "SELECT COUNT(*) FROM work"); n != "0" {
			t.Errorf("%s rows", n)
		}

		// What comes while the build is made is refused too.
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "late")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		srv.Exec(t, "", "CREATE DATABASE "+ident(g.name))
		srv.Exec(t, g.name, "CREATE TABLE work (id INT)")
		if err := b.Promote(t.Context()); kindOf(err) != connectors.KindGuard {
			t.Errorf("promote: %v", err)
		}
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		if n := srv.Value(t, g.name, "SELECT COUNT(*) FROM work"); n != "0" {
			t.Errorf("%s rows", n)
		}
		g.alone(t)
	})
}

// TestGuardCutPromotion has somebody put work into the target of a promotion that was cut.
func TestGuardCutPromotion(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "cut")
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		g.between = func(step string) error {
			if step == "rename" {
				return errCut
			}
			return nil
		}
		if err := b.Promote(t.Context()); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		g.sink.Close()
		srv.Exec(t, g.name, "CREATE TABLE work (id INT)", "INSERT INTO work VALUES (1)")
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), shop(2).spec("next")); kindOf(err) != connectors.KindGuard {
			t.Fatalf("begin: %v", err)
		}
		if n := srv.Value(t, g.name, "SELECT COUNT(*) FROM work"); n != "1" {
			t.Errorf("%s rows", n)
		}
	})
}

func TestBusy(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "holder")
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), c.spec("other")); kindOf(err) != connectors.KindBusy {
			t.Fatalf("a second run: %v", err)
		}
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		if err := b.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Abort(); err != nil {
			t.Fatal(err)
		}
		if err := h.begin(t, c, "other").Abort(); err != nil {
			t.Fatal(err)
		}
		g.alone(t)
	})
}

// TestLostHolder cuts the session that holds the target: the lock is taken again, unless
// another run has it.
func TestLostHolder(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		b := g.begin(t, c, "holder")
		srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken))
		if err := b.seal(t, c); err != nil {
			t.Fatal(err)
		}
		h := openTarget(t, srv, srv.DSN(g.name))
		if _, err := h.Begin(t.Context(), c.spec("other")); kindOf(err) != connectors.KindBusy {
			t.Fatalf("a second run: %v", err)
		}
		srv.Exec(t, "", fmt.Sprintf("KILL %d", b.taken))
		for { // the server ends it a moment later
			other, err := h.Begin(t.Context(), shop(2).spec("other"))
			if err == nil {
				defer other.Abort()
				break
			}
			if kindOf(err) != connectors.KindBusy {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := b.Promote(t.Context()); kindOf(err) != connectors.KindBusy {
			t.Errorf("a run that has lost its target promotes: %v", err)
		}
		if err := b.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
	})
}

// TestLeftovers leaves builds of two targets whose names begin alike; each run removes
// what is of its own target.
func TestLeftovers(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		long := name + strings.Repeat("x", nameLimit-len(name)-1)
		targets := []*target{openTarget(t, srv, srv.DSN(name)), openTarget(t, srv, srv.DSN(name+"__building_b")), openTarget(t, srv, srv.DSN(long+"1")), openTarget(t, srv, srv.DSN(long+"2"))}
		if stem(long+"1") == stem(long+"2") {
			t.Fatal("two targets share a stem")
		}
		var names []string
		for i, g := range targets {
			c := shop(i + 1)
			g.replace(t, c, "first")
			b := g.begin(t, c, "left")
			b.fill(t, c)
			names = append(names, b.database)
			g.sink.Close()
			srv.Exec(t, "", "CREATE DATABASE "+ident(g.sink.name(building, "early"))) // killed before it was marked
			srv.Exec(t, "", "CREATE DATABASE "+ident(g.sink.name(former, "early")))
		}
		exists := func(database string) bool {
			return srv.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(database)) == "1"
		}
		for i, g := range targets {
			h := openTarget(t, srv, srv.DSN(g.name))
			if err := h.begin(t, shop(9), "next").Abort(); err != nil {
				t.Fatal(err)
			}
			for j, n := range names {
				if exists(n) != (j > i) {
					t.Errorf("after a run to the target %d, the build of %d exists: %t", i, j, exists(n))
				}
			}
			for _, infix := range []string{building, former} {
				if exists(h.sink.name(infix, "early")) {
					t.Errorf("an empty database is left: %s", h.sink.name(infix, "early"))
				}
			}
			if v := h.version(t); v != fmt.Sprint(i+1) {
				t.Errorf("version %s stands at the target", v)
			}
		}
	})
}

// TestOtherObjects has views, tables and routines change places between two copies.
func TestOtherObjects(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		first := shop(1)
		first.table("gone", "CREATE TABLE `gone` (id INT)", "(1)")
		first.defs.Rest = append(first.defs.Rest,
			object{Kind: "view", Name: "turns", Create: "CREATE VIEW `turns` AS SELECT 1 AS id"},
			object{Kind: "trigger", Name: "old_one", Table: "orders", Create: "CREATE TRIGGER `old_one` AFTER DELETE ON `orders` FOR EACH ROW SET @x = 1"},
			object{Kind: "trigger", Name: "old_two", Table: "orders", Create: "CREATE TRIGGER `old_two` AFTER DELETE ON `orders` FOR EACH ROW SET @x = 2"},
			object{Kind: "procedure", Name: "old_procedure", Create: "CREATE PROCEDURE `old_procedure`() SELECT 1"},
			object{Kind: "event", Name: "old_event", Create: "CREATE EVENT `old_event` ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1"})
		first.defs.Rest = slices.DeleteFunc(first.defs.Rest, func(o object) bool { return o.Name == "nightly" })
		g.replace(t, first, "first")
		second := shop(2)
		second.table("turns", "CREATE TABLE `turns` (id INT)", "(2)")
		second.defs.Rest = append(second.defs.Rest, object{Kind: "view", Name: "gone", Create: "CREATE VIEW `gone` AS SELECT id FROM `turns`"})
		g.replace(t, second, "second")
		if v := g.version(t); v != "2" {
			t.Errorf("version %s stands at the target", v)
		}
		for query, want := range map[string]string{
			"SELECT id FROM gone": "2",
			"SELECT GROUP_CONCAT(TABLE_NAME ORDER BY BINARY TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()":  "_sanitize,customers,gone,orders,turns,who,who_else",
			"SELECT GROUP_CONCAT(ROUTINE_NAME ORDER BY ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()": "nothing,version_of",
			"SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()":                       "noted",
			"SELECT GROUP_CONCAT(EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()":                             "nightly",
		} {
			if got := srv.Value(t, g.name, query); got != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		g.alone(t)
	})
}

// TestBroken breaks a copy in each way that its keys forbid. The error names what is
// broken, and no value.
func TestBroken(t *testing.T) {
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

// TestUnsupported has what a server lacks: nothing is made.
func TestUnsupported(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		lacking, spec := "a collation of Unicode 9", connectors.BuildSpec{}
		c.defs.Tables[0].Create = "CREATE TABLE `customers` (`id` INT NOT NULL, `name` VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, PRIMARY KEY (`id`)) ENGINE=InnoDB"
		if srv.Flavor() == "mysql" {
			lacking = "a sequence"
			c = shop(1)
			c.defs.First = []object{{Kind: "sequence", Name: "numbers", Create: "CREATE SEQUENCE `numbers`"}}
		}
		spec = c.spec("lacking")
		if srv.Flavor() == "mysql" {
			spec.Definitions.Version = "10.11.6-MariaDB"
		}
		if _, err := g.Begin(t.Context(), spec); kindOf(err) != connectors.KindUnsupported || !strings.Contains(err.Error(), lacking) || connectors.Hint(err) == "" {
			t.Errorf("%v", err)
		}
		g.alone(t)
	})
}

func TestCounts(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for what, wrong := range map[string]func(b *build, counts map[catalog.TableID]int64){
			"more read": func(b *build, counts map[catalog.TableID]int64) { counts[catalog.TableID{Name: "orders"}]++ },
			"none read": func(b *build, counts map[catalog.TableID]int64) { delete(counts, catalog.TableID{Name: "orders"}) },
			"no such":   func(b *build, counts map[catalog.TableID]int64) { counts[catalog.TableID{Name: "nobody"}] = 1 },
			"one row gone": func(b *build, counts map[catalog.TableID]int64) {
				srv.Exec(t, b.database, "DELETE FROM orders WHERE id = 11")
			},
			"a key gone": func(b *build, counts map[catalog.TableID]int64) {
				srv.Exec(t, b.database, "ALTER TABLE orders DROP FOREIGN KEY chained", "ALTER TABLE orders DROP KEY chain")
			},
		} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			c := shop(1)
			b := g.begin(t, c, "counted")
			counts := b.fill(t, c)
			if err := b.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			wrong(b, counts)
			if err := b.Seal(t.Context(), counts); kindOf(err) != connectors.KindIntegrity {
				t.Errorf("%s: %v", what, err)
			}
			if err := b.Promote(t.Context()); err == nil {
				t.Errorf("%s: a build without a seal was promoted", what)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestReceipts reads a ledger back, and notes a chunk twice in vain.
func TestReceipts(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		b := g.begin(t, shop(1), "ledger")
		want := []connectors.Receipt{
			{Chunk: "a\x00\xff" + strings.Repeat("long ", 1000), Table: catalog.TableID{Name: "orders"}, Rows: 3, Bytes: 1 << 40},
			{Chunk: "b", Table: catalog.TableID{Name: "💡 customers"}, Rows: 0, Bytes: 0},
		}
		s, err := b.take(t.Context(), "note")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range want {
			if err := s.exec(t.Context(), receiptSQL(r)); err != nil {
				t.Fatal(err)
			}
			if err := s.exec(t.Context(), receiptSQL(r)); numberOf(err) != 1062 {
				t.Errorf("a chunk is noted twice: %v", err)
			}
		}
		b.give(s, true)
		got, err := b.Receipts(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestPool breaks a session: another takes its place, and no more are out at once than
// there are workers.
func TestPool(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		b := g.begin(t, shop(1), "pool")
		var held []*session
		for range 3 {
			s, err := b.take(t.Context(), "take")
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := b.take(ctx, "take"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a fourth: %v", err)
		}
		held[0].close()
		b.give(held[0], false)
		s, err := b.take(t.Context(), "take")
		if err != nil {
			t.Fatal(err)
		}
		if name, err := s.word(t.Context(), "SELECT DATABASE()"); err != nil || name != b.database {
			t.Errorf("%s, %v", name, err)
		}
		for _, s := range append(held[1:], s) {
			b.give(s, true)
		}
	})
}

// TestUsersOfTheTarget promotes while somebody has a transaction open on a table.
func TestUsersOfTheTarget(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		for _, triggers := range []bool{true, false} {
			g := openTarget(t, srv, srv.DSN(srv.Name(t)))
			c := shop(1)
			if !triggers {
				c.defs.Rest = slices.DeleteFunc(c.defs.Rest, func(o object) bool { return o.Kind == "trigger" })
			}
			g.replace(t, c, "first")
			tx, err := srv.DB(t, g.name).BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("SELECT * FROM customers"); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("UPDATE customers SET version = 9"); err != nil {
				t.Fatal(err)
			}
			g.replace(t, shop(2), "second")
			if v := g.version(t); v != "2" {
				t.Errorf("version %s stands at the target", v)
			}
			if err := tx.Commit(); err == nil {
				t.Error("the session in the former copy was not ended")
			}
			g.alone(t)
		}
	})
}

var accounts atomic.Int64

// account makes an account that has those rights, and returns its name.
func account(t *testing.T, srv *connectortest.MySQLServer, grants ...string) string {
	t.Helper()
	name := fmt.Sprintf("u%d_%d", time.Now().UnixNano()%1e9, accounts.Add(1))
	srv.Exec(t, "", "CREATE USER "+name+"@'%' IDENTIFIED BY 'pass'")
	t.Cleanup(func() { srv.Exec(t, "", "DROP USER "+name+"@'%'") })
	for _, g := range grants {
		srv.Exec(t, "", "GRANT "+g+" TO "+name+"@'%'")
	}
	return name
}

// likeName is a name within the pattern of a grant.
func likeName(name string) string { return strings.ReplaceAll(name, "_", `\_`) }

// TestStubbornUsers promotes as an account that may not end the sessions of others: after
// a while the run fails, says who waits, and the target is as it was.
func TestStubbornUsers(t *testing.T) {
	beforePatience, beforeGrace := promotePatience, promoteGrace
	promotePatience, promoteGrace = time.Second, 10*time.Millisecond
	t.Cleanup(func() { promotePatience, promoteGrace = beforePatience, beforeGrace })
	for _, srv := range connectortest.MySQLServers(t) {
		t.Run(srv.Flavor(), func(t *testing.T) {
			name := srv.Name(t)
			all := []string{"ALL ON `" + likeName(name) + "%`.*"}
			if srv.Flavor() == "mysql" {
				all = append(all, "SET_ANY_DEFINER ON *.*")
			}
			trust := srv.Value(t, "", "SELECT @@GLOBAL.log_bin_trust_function_creators")
			srv.Exec(t, "", "SET GLOBAL log_bin_trust_function_creators = 1")
			t.Cleanup(func() { srv.Exec(t, "", "SET GLOBAL log_bin_trust_function_creators = "+trust) })
			g := openTarget(t, srv, srv.DSNAs(name, account(t, srv, all...), "pass"))
			g.replace(t, shop(1), "first")
			other := srv.DB(t, name)
			tx, err := other.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("UPDATE orders SET customer = NULL"); err != nil {
				t.Fatal(err)
			}
			c := shop(2)
			b := g.begin(t, c, "second")
			if err := b.seal(t, c); err != nil {
				t.Fatal(err)
			}
			err = b.Promote(t.Context())
			if kindOf(err) != connectors.KindUnavailable || connectors.Hint(err) == "" || !strings.Contains(err.Error(), "sessions hold tables") {
				t.Fatalf("%v", err)
			}
			if v := g.version(t); v != "1" {
				t.Errorf("version %s stands at the target", v)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
			// Nothing was lost: the same build can be promoted now.
			if err := b.Promote(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.Abort(); err != nil {
				t.Fatal(err)
			}
			if v := g.version(t); v != "2" {
				t.Errorf("version %s stands at the target", v)
			}
			g.alone(t)
		})
	}
}

// TestRights says what an account lacks before anything is made.
func TestRights(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		g := openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+"`.*"), "pass"))
		_, err := g.Begin(t.Context(), shop(1).spec("first"))
		if kindOf(err) != connectors.KindUnavailable || !strings.Contains(connectors.Hint(err), likeName(name)+`\_\_%`) {
			t.Errorf("%v; %s", err, connectors.Hint(err))
		}
		g.alone(t)
		g = openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+`\_\_%`+"`.*"), "pass"))
		if _, err := g.Begin(t.Context(), shop(1).spec("first")); kindOf(err) != connectors.KindUnavailable {
			t.Errorf("%v", err)
		}
		g.alone(t)
		if srv.Flavor() != "mysql" {
			return // the server's log of changes asks for more there
		}
		g = openTarget(t, srv, srv.DSNAs(name, account(t, srv, "ALL ON `"+likeName(name)+"%`.*"), "pass"))
		if _, err := g.Begin(t.Context(), shop(1).spec("first")); kindOf(err) != connectors.KindUnavailable || !strings.Contains(connectors.Hint(err), "log_bin_trust_function_creators") {
			t.Errorf("%v; %s", err, connectors.Hint(err))
		}
		g.alone(t)
	})
}

// TestDerived lets a trigger compute a column that does not travel.
func TestDerived(t *testing.T) {
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

// TestSequences moves a sequence of MariaDB with the table whose default calls it.
func TestSequences(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		if srv.Flavor() != "mariadb" {
			return // MySQL has none
		}
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		for i := range 2 {
			c := shop(i + 1)
			c.defs.First = []object{{Kind: "sequence", Name: "numbers", Create: "CREATE SEQUENCE `numbers` START WITH 1 INCREMENT BY 1"}}
			c.sequences = append(c.sequences, connectors.Sequence{ID: catalog.TableID{Name: "numbers"}, Last: int64(50 + i), Increment: 1, Min: 1, Max: 1000,
				Owner: catalog.ColumnID{Table: catalog.TableID{Name: "numbered"}, Column: "id"}})
			c.table("numbered", "CREATE TABLE `numbered` (id INT NOT NULL DEFAULT nextval(`numbers`), x INT)", fmt.Sprintf("(%d, 1)", 100+i))
			g.replace(t, c, fmt.Sprintf("run%d", i))
			srv.Exec(t, g.name, "INSERT INTO numbered (x) VALUES (2)")
			if n := srv.Value(t, g.name, "SELECT MAX(id) FROM numbered"); n != fmt.Sprint(101+i) {
				t.Errorf("the next number is %s", n)
			}
			g.alone(t)
		}
	})
}

func TestIdentity(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		name := srv.Name(t)
		a, err := openTarget(t, srv, srv.DSN(name)).Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := openTarget(t, srv, strings.Replace(srv.DSN(name), "127.0.0.1", "localhost", 1)).Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !a.Same(b) || a.Display == b.Display {
			t.Errorf("%+v and %+v", a, b)
		}
		for _, other := range connectortest.MySQLServers(t) {
			c, err := openTarget(t, other, other.DSN(name)).Identity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if a.Same(c) != (other == srv) {
				t.Errorf("%+v and %+v", a, c)
			}
		}
	})
}

// TestAbort ends a build at every stage, twice.
func TestAbort(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		g.replace(t, shop(1), "first")
		for _, stage := range []string{"begun", "finished", "sealed"} {
			c := shop(2)
			b := g.begin(t, c, stage)
			counts := b.fill(t, c)
			if stage != "begun" {
				if err := b.Finish(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if stage == "sealed" {
				if err := b.Seal(t.Context(), counts); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := b.Abort(); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Promote(t.Context()); err == nil {
				t.Errorf("%s: an aborted build was promoted", stage)
			}
			if v := g.version(t); v != "1" {
				t.Errorf("version %s stands at the target", v)
			}
			g.alone(t)
		}
	})
}
