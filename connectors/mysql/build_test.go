package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// checked is a part of the shop that a server may not have: see Begin.
const checked = ", CONSTRAINT `positive` CHECK (`version` > 0)"

// Begin is that of the sink. A server that has no CHECKs gets the shop without its own.
func (g *target) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	if g.bare {
		d, err := parseDefinitions(spec.Definitions)
		if err != nil {
			return nil, err
		}
		for i := range d.Tables {
			d.Tables[i].Create = strings.Replace(d.Tables[i].Create, checked, "", 1)
		}
		bare := *spec.Definitions
		bare.Data = d.encode()
		spec.Definitions = &bare
	}
	return g.sink.Begin(ctx, spec)
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
			{Name: "customers", Create: "CREATE TABLE `customers` (`id` INT NOT NULL AUTO_INCREMENT, `version` INT NOT NULL, PRIMARY KEY (`id`)" + checked + ") ENGINE=InnoDB",
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
	c.sequences = []connectors.Sequence{{ID: catalog.TableID{Name: "customers"}, Last: 41, Increment: 1, Min: 1, Max: 1<<31 - 1, Fills: []catalog.ColumnID{{Table: catalog.TableID{Name: "customers"}, Column: "id"}}}}
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
	bare   bool // the server has no CHECKs
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
	return &target{sink: s, srv: srv, name: s.target, warned: warned, bare: srv != nil && !newer(srv, 8, 0)}
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
		for i, run := range []string{"first", "second", "second"} {
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
		refused := []string{"INSERT INTO orders VALUES (13, 99, NULL)", "DELETE FROM customers WHERE id = 1"}
		if newer(srv, 8, 0) {
			refused = append(refused, "UPDATE customers SET version = -1")
		}
		for _, sql := range refused {
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

func kindOf(err error) connectors.Kind {
	kind, _ := connectors.KindOf(err)
	return kind
}

// TestUnsupported has what a server lacks: nothing is made.
func TestUnsupported(t *testing.T) {
	onServers(t, func(t *testing.T, srv *connectortest.MySQLServer) {
		g := openTarget(t, srv, srv.DSN(srv.Name(t)))
		c := shop(1)
		lacking, spec := "an index over an expression", connectors.BuildSpec{}
		c.defs.Tables[0].Indexes = []string{"ADD KEY `next` ((`id` + 1))"}
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
