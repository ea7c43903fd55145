package mysql

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Servers that do not tell capitals from small letters in the names of tables are sources
// and targets like others, of each other and of those that do.
func TestFoldedNames(t *testing.T) {
	if !matrix() {
		t.Log("NOT RUN: make test-matrix-mysql copies from and to servers with lower_case_table_names = 1")
		return
	}
	for _, flavor := range connectortest.PrivateMySQLs(t) {
		t.Run(flavor, func(t *testing.T) {
			plain := connectortest.PrivateMySQLServer(t, flavor, 0)
			folds := connectortest.PrivateMySQLServer(t, flavor, 0, "lower-case-table-names=1")
			for _, c := range []struct {
				name     string
				from, to *connectortest.PrivateMySQL
			}{{"both", folds, folds}, {"the source", folds, plain}, {"the target", plain, folds}} {
				t.Run(c.name, func(t *testing.T) {
					from := c.from.Database(t)
					to := newDatabase(t, c.to.MySQLServer)
					to.name = "T" + to.name // its folder has a capital, where the server keeps one
					t.Cleanup(func() { c.to.Exec(t, "", "DROP DATABASE IF EXISTS "+ident(to.name)) })
					dsn := c.to.DSN(to.name)
					c.from.Script(t, from, `CREATE TABLE Customers (Id INT NOT NULL, Name VARCHAR(20), PRIMARY KEY (Id), UNIQUE KEY (Name));
						CREATE TABLE Orders (Id INT NOT NULL AUTO_INCREMENT, Customer INT, PRIMARY KEY (Id), CONSTRAINT Of_Customer FOREIGN KEY (Customer) REFERENCES Customers (Id));
						CREATE TABLE Parts (Id INT NOT NULL, PRIMARY KEY (Id)) PARTITION BY HASH (Id) PARTITIONS 2;
						INSERT INTO Customers VALUES (1, 'a'), (2, 'b');
						INSERT INTO Orders VALUES (1, 1), (2, 2), (3, NULL);
						INSERT INTO Parts VALUES (1), (2), (3);
						CREATE VIEW Busy AS SELECT c.Name, COUNT(*) AS n FROM Customers c JOIN Orders o ON o.Customer = c.Id GROUP BY c.Name;
						CREATE TRIGGER Counted BEFORE INSERT ON Orders FOR EACH ROW SET NEW.Customer = 1;
						CREATE FUNCTION How_Many() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM Orders)`)
					if c.from == folds && c.to == plain { // where they would be other tables
						err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, c.from.DSN(from), dsn)
						if kindOf(err) != connectors.KindUnsupported || !strings.Contains(err.Error(), "function How_Many names orders as Orders") || to.Exists(t) {
							t.Errorf("names in other spellings: %v", err)
						}
						c.from.Script(t, from, `DROP TRIGGER Counted; DROP FUNCTION How_Many;
							CREATE TRIGGER Counted BEFORE INSERT ON orders FOR EACH ROW SET NEW.Customer = 1;
							CREATE FUNCTION How_Many() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM orders)`)
					}
					spell := func(sql string) string { return sql }
					if c.from == folds {
						spell = strings.ToLower // as the tables are called there
					}
					for range 2 { // the second replaces the first
						if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, c.from.DSN(from), dsn); err != nil {
							t.Fatalf("%v\nhint: %s", err, connectors.Hint(err))
						}
						if got := c.to.Value(t, to.name, spell("SELECT CONCAT((SELECT SUM(n) FROM Busy), How_Many(), (SELECT COUNT(*) FROM Parts))")); got != "233" {
							t.Errorf("the copy has %s", got)
						}
					}
					c.to.Exec(t, to.name, spell("INSERT INTO Orders VALUES (NULL, NULL)"))
					if got := c.to.Value(t, to.name, spell("SELECT CONCAT(Id, Customer) FROM Orders ORDER BY Id DESC LIMIT 1")); got != "41" {
						t.Errorf("the trigger or the counter made %s", got)
					}
					if n := c.to.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) LIKE LOWER('"+to.name+"%')"); n != "1" {
						t.Errorf("%s databases at the target", n)
					}
				})
			}
			// Two tables that would be one are refused, and nothing is made.
			from, to := plain.Database(t), folds.Name(t)
			plain.Exec(t, from, "CREATE TABLE Same (id INT PRIMARY KEY)", "CREATE TABLE same (id INT PRIMARY KEY)")
			err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, plain.DSN(from), folds.DSN(to))
			if kindOf(err) != connectors.KindUnsupported || !strings.Contains(err.Error(), "would be one") || connectors.Hint(err) == "" {
				t.Errorf("two tables that would be one: %v", err)
			}
			if n := folds.Value(t, "", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '"+to+"%'"); n != "0" {
				t.Errorf("%s databases were made", n)
			}
		})
	}
}
