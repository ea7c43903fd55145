package mysql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// globally makes settings of the whole server, and takes them back when the test ends.
func globally(t *testing.T, s *connectortest.MySQLServer, settings map[string]string) {
	t.Helper()
	for name, value := range settings {
		before := s.Value(t, "", "SELECT @@GLOBAL."+name)
		s.Exec(t, "", "SET GLOBAL "+name+" = "+value)
		t.Cleanup(func() {
			if strings.Trim(before, "0123456789") != "" {
				before = "DEFAULT"
			}
			s.Exec(t, "", "SET GLOBAL "+name+" = "+before)
		})
	}
}

// Whatever a server has for settings of its own, all rows arrive, and definitions are what
// they were.
func TestSettingsOfTheServer(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from, to := newDatabase(t, s), newDatabase(t, s)
		number := &catalog.Table{ID: catalog.TableID{Name: "numbers"}, Columns: []catalog.Column{{Name: "id", Type: catalog.Type{Name: "int"}, NotNull: true}},
			PrimaryKey: &catalog.Key{Name: "PRIMARY", Columns: []string{"id"}}}
		from.Create(t, number)
		var rows [][]any
		for i := range 100 {
			rows = append(rows, []any{int64(i)})
		}
		from.Insert(t, number.ID, []string{"id"}, rows...)
		s.Exec(t, from.name, "SET SESSION explicit_defaults_for_timestamp = ON", "CREATE TABLE moments (id INT PRIMARY KEY, a TIMESTAMP NOT NULL, b TIMESTAMP NOT NULL)",
			"INSERT INTO moments VALUES (1, '2021-01-02 03:04:05', '2021-01-02 03:04:05')")
		s.Exec(t, from.name, "CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(5) DEFAULT 'x', t TEXT, v INT AS (id - 1), CHECK (t <> 'a\\\\b'))", `INSERT INTO texts (id, c, t) VALUES (1, 'a', 'back\\slash'), (2, '', 'it''s "x"\n')`,
			"CREATE VIEW joined AS SELECT CONCAT(c, t) AS x FROM texts", `CREATE FUNCTION marked() RETURNS VARCHAR(20) DETERMINISTIC RETURN "a\\b"`)
		tables := []string{"numbers", "moments", "texts"}
		settings := map[string]string{"sql_select_limit": "7", "sql_notes": "0", "explicit_defaults_for_timestamp": "OFF",
			"sql_mode": "'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE'"}
		if s.Flavor() == "mariadb" {
			s.Exec(t, from.name, "CREATE TABLE versions (id INT PRIMARY KEY) WITH SYSTEM VERSIONING", "INSERT INTO versions VALUES (1)")
			tables = append(tables, "versions")
			settings["system_versioning_asof"] = "'2001-01-01'"
		}
		globally(t, s, settings)
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from.DSN(), to.DSN()); err != nil {
			t.Fatal(err)
		}
		for _, name := range tables {
			counts, defined := map[string]bool{}, map[string]bool{}
			for _, d := range []string{from.name, to.name} {
				s.Exec(t, d, "SET SESSION sql_select_limit = DEFAULT")
				count := "SELECT COUNT(*) FROM " + name
				if name == "versions" {
					count += " FOR SYSTEM_TIME AS OF NOW(6)"
				}
				if name == "texts" {
					count = "SELECT CONCAT(GROUP_CONCAT(HEX(c), '/', HEX(t), '/', v ORDER BY id), (SELECT GROUP_CONCAT(HEX(x) ORDER BY 1) FROM joined), HEX(marked())) FROM texts"
				}
				counts[s.Value(t, d, count)] = true
				var create string
				c := connected(t, connectors.SourceSide, s.DSN(d))
				if err := c.query(t.Context(), "SHOW CREATE TABLE "+within(d, name), func(r row) error {
					create = r.text(1)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				defined[create] = true
			}
			if len(counts) != 1 || len(defined) != 1 {
				t.Errorf("%s: %v rows, definitions %q", name, counts, slices.Sorted(maps.Keys(defined)))
			}
		}
	})
}

// A key by dates that no calendar has, and a unique key that the optimiser may not use,
// divide no table wrongly and name no value.
func TestOddKeys(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		database := s.Database(t)
		hidden := "INVISIBLE"
		if !newer(s, 8, 0) {
			hidden = ""
		}
		if s.Flavor() == "mariadb" {
			hidden = "IGNORED"
			if !atLeast(s, 10, 6) {
				hidden = "" // what it does not have hides nothing
			}
		}
		var values []string
		for i := range 900 {
			values = append(values, fmt.Sprintf("('%d-02-%d', %d)", 1000+i, 28+i%4, i))
		}
		s.Exec(t, database, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "CREATE TABLE days (id DATE PRIMARY KEY, v INT)", "INSERT INTO days VALUES "+strings.Join(values, ", "), "ANALYZE TABLE days",
			"CREATE TABLE hidden (f DOUBLE PRIMARY KEY, a INT NOT NULL, UNIQUE KEY u (a) "+hidden+")", "INSERT INTO hidden SELECT v + 0.5, v FROM days")
		view := opened(t, s.DSN(database), 1)
		for name, several := range map[string]bool{"days": true, "hidden": hidden == ""} {
			sum := 0
			rows := sizes(t, view, catalog.TableID{Name: name}, 200)
			for _, n := range rows {
				sum += n
			}
			if sum != 900 || (len(rows) > 1) != several {
				t.Errorf("%s: %d rows in %d ranges", name, sum, len(rows))
			}
		}
	})
}

// What others hang on is refused before anything is made: a foreign key of another database
// into the target, and a source that is called as what runs leave.
func TestOthersHangOnTheTarget(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from, to := newDatabase(t, s), newDatabase(t, s)
		s.CreateDatabase(t, from.name)
		s.Exec(t, from.name, "CREATE TABLE p (id INT PRIMARY KEY)", "INSERT INTO p VALUES (1)")
		copied := func(from string) error {
			return connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, to.DSN())
		}
		if err := copied(from.DSN()); err != nil {
			t.Fatal(err)
		}
		other := s.Database(t)
		s.Exec(t, other, "CREATE TABLE o (id INT PRIMARY KEY, CONSTRAINT hangs FOREIGN KEY (id) REFERENCES "+within(to.name, "p")+" (id))")
		if kind, _ := connectors.KindOf(copied(from.DSN())); kind != connectors.KindGuard {
			t.Errorf("a foreign key of another database: kind %d", kind)
		}
		s.Exec(t, other, "DROP TABLE o")
		left := to.name + "__former_x1"
		s.Exec(t, "", "CREATE DATABASE "+ident(left), "CREATE TABLE "+within(left, "p")+" (id INT PRIMARY KEY)",
			"CREATE TABLE "+within(left, markTable)+" AS SELECT * FROM "+within(to.name, markTable))
		t.Cleanup(func() { s.Exec(t, "", "DROP DATABASE IF EXISTS "+ident(left)) })
		if kind, _ := connectors.KindOf(copied(s.DSN(left))); kind != connectors.KindGuard {
			t.Errorf("a source that is called as what runs leave: kind %d", kind)
		}
		if s.Value(t, left, "SELECT COUNT(*) FROM p") != "0" {
			t.Error("the source was touched")
		}
	})
}

// A right that would be lacking when the former copy has gone is said before anything is made.
func TestRightsToTheEnd(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from, to := newDatabase(t, s), newDatabase(t, s)
		s.CreateDatabase(t, from.name)
		s.Exec(t, from.name, "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE VIEW v AS SELECT id FROM p", "CREATE TRIGGER t BEFORE INSERT ON p FOR EACH ROW SET NEW.id = NEW.id")
		const most = "SELECT, INSERT, UPDATE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW"
		dsn := accountOf(t, s, to.name, most, "")
		name := dsn[strings.Index(dsn, "//")+2:]
		name, _, _ = strings.Cut(name, ":")
		pattern := strings.NewReplacer("_", `\_`).Replace(to.name) + `\_\_%`
		s.Exec(t, "", "GRANT ALL ON `"+pattern+"`.* TO '"+name+"'@'%'")
		if s.Flavor() == "mysql" {
			globally(t, s, map[string]string{"log_bin_trust_function_creators": "ON"})
		}
		err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from.DSN(), dsn)
		if err == nil || !strings.Contains(err.Error(), "lacks rights on the database "+to.name+": TRIGGER") || !strings.Contains(connectors.Hint(err), "GRANT ALL PRIVILEGES") {
			t.Errorf("the error: %v", err)
		}
		if to.Exists(t) || len(to.Leftovers(t)) > 0 {
			t.Errorf("something was made: %v", to.Leftovers(t))
		}
	})
}

// Who may not read a table is told that, and the condition is not blamed.
func TestCheckFilterOfWhoMayNotRead(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE secrets (id INT PRIMARY KEY)")
		source, err := Connector{}.OpenSource(t.Context(), s.DSNAs(database, account(t, s, "INSERT ON `"+likeName(database)+"`.*"), "pass"), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		id := catalog.TableID{Name: "secrets"}
		c := catalog.New("mysql", "", "", []*catalog.Table{{ID: id, Columns: []catalog.Column{{Name: "id"}}}}, nil)
		err = source.(connectors.FilterChecker).CheckFilter(t.Context(), c, id, connectors.Filter{Where: "id < 3"})
		if kind, side := connectors.KindOf(err); kind != connectors.KindUnavailable || side != connectors.SourceSide || connectors.Retryable(err) {
			t.Errorf("the error: %v", err)
		}
	})
}

// A backslash in a condition's literal is one, as elsewhere, and ends no literal.
func TestBackslashInCondition(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE paths (id INT PRIMARY KEY, v VARCHAR(20), CHECK (v <> 'it''s'))", `INSERT INTO paths VALUES (1, 'C:\\New'), (2, 'C:\nNew'), (3, '\\')`)
		view := opened(t, s.DSN(database), 1)
		id := catalog.TableID{Name: "paths"}
		for where, want := range map[string]int{`v = 'C:\New'`: 1, `v = '\'`: 1, `v = '\' OR v LIKE 'C:%'`: 3, `"v" <> '\\'`: 3, "`v` = 'it''s'": 0} {
			layout, err := view.Layout(id, nil)
			if err != nil {
				t.Fatal(err)
			}
			if layout, err = view.Filter(t.Context(), layout, connectors.Filter{Where: where}); err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			chunks, err := view.Split(t.Context(), id, 0)
			if err != nil {
				t.Fatal(err)
			}
			batches, err := view.Read(t.Context(), chunks[0], layout)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			if batch, err := batches.Next(t.Context()); err == nil {
				n = batch.Rows
				batch.Release()
			}
			batches.Close()
			if n != want {
				t.Errorf("%s: %d rows, want %d", where, n, want)
			}
		}
	})
}
