package main

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// mysqlPair is a source and its masked copy, on one server of the family or two.
type mysqlPair struct {
	s, to          *connectortest.MySQLServer
	source, target string // databases
	db, toDB       *sql.DB
}

func newMySQLPair(t *testing.T, s *connectortest.MySQLServer) mysqlPair {
	t.Helper()
	return newMySQLRoute(t, s, s)
}

// newMySQLRoute makes a pair from one server to another. If these are two, the source has a
// collation that all have, and not that of its server.
func newMySQLRoute(t *testing.T, s, to *connectortest.MySQLServer) mysqlPair {
	t.Helper()
	p := mysqlPair{s, to, s.Database(t), to.Name(t), s.DB(t, "", "sql_mode=''"), to.DB(t, "", "sql_mode=''")}
	if s != to {
		s.Exec(t, "", "ALTER DATABASE "+connectortest.QuoteMySQL(p.source)+" COLLATE utf8mb4_general_ci")
	}
	return p
}

// run copies the source to the target by a policy, and returns what was said.
func (p mysqlPair) run(t *testing.T, policy string, args ...string) {
	t.Helper()
	sanitize(t, append([]string{"run", "--policy", policy, "--from", p.s.DSN(p.source), "--to", p.to.DSN(p.target), "--quiet"}, args...)...)
}

// back writes a name as SQL of MySQL, from one that is quoted as the standard has it.
func back(name string) string {
	return connectortest.QuoteMySQL(strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`))
}

// lines returns the rows of a query in one of the databases as lines.
func (p mysqlPair) lines(t *testing.T, database, query string) (list []string) {
	t.Helper()
	ctx := t.Context()
	db := p.db
	if database == p.target {
		db = p.toDB
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "USE "+connectortest.QuoteMySQL(database)); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		t.Fatalf("%.300s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	row, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		words := make([]string, len(row))
		for i, v := range row {
			if words[i] = "NULL"; v.Valid {
				words[i] = v.String
			}
		}
		list = append(list, strings.Join(words, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%.300s: %v", query, err)
	}
	return list
}

// both runs a query on both sides, complains if the answers differ, and returns one.
func (p mysqlPair) both(t *testing.T, what, query string) []string {
	t.Helper()
	from, to := sorted(p.lines(t, p.source, query)), sorted(p.lines(t, p.target, query))
	if !slices.Equal(from, to) {
		t.Errorf("%s: %d of %d rows differ", what, differences(from, to), len(from))
	}
	return from
}

// What of a definition is the source's server's, and stays behind.
var (
	definerOf   = regexp.MustCompile("DEFINER=`[^`]*`@`[^`]*` ")
	securityOf  = regexp.MustCompile(`(?i)SQL SECURITY (DEFINER|INVOKER) ?`)
	incrementOf = regexp.MustCompile(` AUTO_INCREMENT=\d+`)
)

// definitions returns SHOW CREATE of every object of a database, and the rest that it tells
// (sql_mode, collations), by kind and name.
func (p mysqlPair) definitions(t *testing.T, database string) map[string]string {
	t.Helper()
	all := map[string]string{}
	add := func(kind, names string) {
		for _, name := range p.lines(t, database, names) {
			text := strings.Join(p.lines(t, database, "SHOW CREATE "+kind+" "+connectortest.QuoteMySQL(name)), "\n")
			text = definerOf.ReplaceAllString(strings.ReplaceAll(text, connectortest.QuoteMySQL(database)+".", ""), "")
			text = incrementOf.ReplaceAllString(securityOf.ReplaceAllString(text, ""), "")
			if kind == "TRIGGER" {
				text = text[:strings.LastIndex(text, "|")] // when it was made
			}
			all[kind+" "+name] = strings.Join(strings.Fields(text), " ")
		}
	}
	in := " AND " + "LEFT(%s, 9) <> '_sanitize' ORDER BY 1"
	add("TABLE", "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"+fmt.Sprintf(in, "TABLE_NAME"))
	add("VIEW", "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()")
	add("TRIGGER", "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")
	for _, kind := range []string{"FUNCTION", "PROCEDURE"} {
		add(kind, "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = '"+kind+"'")
	}
	add("EVENT", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()")
	return all
}

// sameDefinitions compares object by object, and returns how many there are of each kind.
func (p mysqlPair) sameDefinitions(t *testing.T) map[string]int {
	t.Helper()
	from, to := p.definitions(t, p.source), p.definitions(t, p.target)
	kinds := map[string]int{}
	for name, text := range from {
		kind, _, _ := strings.Cut(name, " ")
		kinds[kind]++
		if kind == "EVENT" {
			text = strings.ReplaceAll(text, " ENABLE ", " DISABLE ")
		}
		if _, made := to[name]; !made || to[name] != text && p.s == p.to { // another server prints it otherwise
			t.Errorf("%s\nsource: %s\ntarget: %s", name, text, to[name])
		}
		delete(to, name)
	}
	for name := range to {
		t.Errorf("%s is in the target alone", name)
	}
	return kinds
}

// sameRows compares the kept columns of every table row by row, and that no masked column is
// what it was. It returns the masked values.
func (p mysqlPair) sameRows(t *testing.T, policy string) (masked []string) {
	t.Helper()
	from := p.s.DSN(p.source)
	kept := map[string][]string{}
	for _, c := range planned(t, policy, from, "keep") {
		kept[c.table] = append(kept[c.table], back(c.column))
	}
	for table, columns := range kept {
		if n := len(p.both(t, "kept columns of "+table, "SELECT "+strings.Join(columns, ", ")+" FROM "+back(table))); n == 0 {
			t.Errorf("%s is empty", table)
		}
	}
	for _, c := range planned(t, policy, from, "mask") {
		query := fmt.Sprintf("SELECT %s FROM %s WHERE %[1]s IS NOT NULL", back(c.column), back(c.table))
		before, after := sorted(p.lines(t, p.source, query)), sorted(p.lines(t, p.target, query))
		if strings.Join(before, "") != "" && slices.Equal(before, after) { // what is empty stays empty
			t.Errorf("%s.%s is what it was", c.table, c.column)
		}
		masked = append(masked, c.table+c.column+": "+strings.Join(after, " "))
	}
	return masked
}

// sameJoins joins each foreign key in both.
func (p mysqlPair) sameJoins(t *testing.T) {
	t.Helper()
	keys := p.lines(t, p.source, `SELECT CONCAT('SELECT COUNT(*), COUNT(DISTINCT ', GROUP_CONCAT('y.', REFERENCED_COLUMN_NAME ORDER BY ORDINAL_POSITION), ') FROM ', TABLE_NAME, ' x JOIN ', REFERENCED_TABLE_NAME,
		' y ON ', GROUP_CONCAT('x.', COLUMN_NAME, ' = y.', REFERENCED_COLUMN_NAME ORDER BY ORDINAL_POSITION SEPARATOR ' AND '))
		FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL GROUP BY TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME`)
	if len(keys) == 0 {
		t.Error("there is no foreign key")
	}
	for _, join := range keys {
		p.both(t, join, join)
	}
}

// load runs a script of a sample database. One that makes a database of its own is taken at
// its word's effect: it is loaded into ours. What only a MySQL is to have here a MariaDB has too.
func (p mysqlPair) load(t *testing.T, file, own string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?mi)^(DROP|CREATE) (SCHEMA|DATABASE) .*;|^USE .*;").ReplaceAllString(string(text), "")
	script = strings.ReplaceAll(script, "/*!50705 ", "/*!50600 ")
	if p.s != p.to {
		script = strings.ReplaceAll(script, "/*!80003 SRID 0 */", "") // which MariaDB lacks
	}
	script = strings.ReplaceAll(script, own+".", connectortest.QuoteMySQL(p.source)+".")
	p.s.Script(t, p.source, script)
	if p.s == p.to {
		return
	}
	for _, table := range p.lines(t, p.source, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'") {
		p.s.Exec(t, p.source, "SET foreign_key_checks = 0", "SET sql_mode = ''", "ALTER TABLE "+connectortest.QuoteMySQL(table)+" CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	}
}

// From and to each server of the family, with the databases that people know.
func TestRealMySQL(t *testing.T) {
	t.Parallel()
	for _, servers := range connectortest.MySQLCopies(t) {
		server := servers[0]
		for _, c := range []struct {
			name, policy string
			files        []string
			kinds        map[string]int
			same         []string // queries whose answers no masked value is part of
		}{
			{"Sakila", "sakila-mysql.yaml", []string{"sakila-mysql/schema.sql", "sakila-mysql/data.sql"},
				map[string]int{"TABLE": 16, "VIEW": 7, "TRIGGER": 6, "FUNCTION": 3, "PROCEDURE": 3}, []string{
					"SELECT COUNT(*) FROM customer_list", "SELECT FID, title, category, price, length, rating FROM film_list", "SELECT COUNT(*) FROM actor_info", "SELECT * FROM sales_by_film_category",
					"SELECT COUNT(*), MIN(total_sales) FROM sales_by_store", "SELECT COUNT(*) FROM staff_list", "SELECT COUNT(*) FROM nicer_but_slower_film_list",
					"SELECT inventory_id, inventory_in_stock(inventory_id) FROM inventory WHERE inventory_id < 50",
					"SELECT film_id FROM film_text WHERE MATCH (title, description) AGAINST ('ACADEMY DINOSAUR')",
					"SELECT address_id, ST_AsText(location), ST_SRID(location) FROM address WHERE ST_X(location) <> 0",
					"SELECT special_features + 0, rating + 0, COUNT(*) FROM film GROUP BY 1, 2",
				}},
			{"Chinook", "chinook-sqlite.yaml", []string{"chinook/mysql.sql"}, map[string]int{"TABLE": 11}, nil},
		} {
			t.Run(c.name+" on "+server.Flavor(), func(t *testing.T) {
				t.Parallel()
				p := newMySQLRoute(t, server, servers[1])
				for _, f := range c.files {
					file, ok := realData(t, f)
					if !ok {
						return
					}
					p.load(t, file, strings.ToLower(c.name))
				}
				policy := policyFile(t, c.policy)
				p.run(t, policy, "--chunk-size", "64KiB", "--workers", "3")
				kinds := p.sameDefinitions(t)
				for kind, n := range c.kinds {
					if kinds[kind] != n {
						t.Errorf("%d of kind %s, want %d", kinds[kind], kind, n)
					}
				}
				first := p.sameRows(t, policy)
				p.sameJoins(t)
				for _, query := range c.same {
					if len(p.both(t, query, query)) == 0 {
						t.Errorf("no rows: %s", query)
					}
				}
				if c.name == "Sakila" { // the copy lives: triggers fire there, and new rows get numbers
					p.to.Exec(t, p.target, "UPDATE film SET title = 'MASKED' WHERE film_id = 1", "INSERT INTO film (title, language_id) VALUES ('NEW', 1)")
					if got := p.lines(t, p.target, "SELECT film_id, title FROM film_text WHERE title IN ('MASKED', 'NEW') ORDER BY 1"); !slices.Equal(got, []string{"1|MASKED", "1001|NEW"}) {
						t.Errorf("the triggers made %q", got)
					}
				}
				p.run(t, policy)
				if second := p.sameRows(t, policy); !slices.Equal(first, second) {
					t.Error("a second run masks otherwise")
				}
				if left := p.lines(t, p.target, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, "+fmt.Sprint(len(p.target))+") = '"+p.target+"'"); len(left) != 1 {
					t.Errorf("there are %q", left)
				}
			})
		}
	}
}
