package main

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// copyFile copies a file that may be read-only to one that may be written.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(g, f); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
}

// The same value under the same class and key masks alike on every engine: the same
// sample database, from PostgreSQL, SQLite, and every server of MySQL's family.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	script, ok := realData(t, "chinook", "postgres.sql")
	if !ok {
		return
	}
	file, ok := realData(t, "chinook", "chinook.sqlite")
	if !ok {
		return
	}
	a, b := connectortest.PostgresPair(t)
	source, target := a.Database(t), b.DSN(b.Name(t))
	loadSample(t, a, source, script)
	policy := policyFile(t, "chinook-postgres.yaml")
	sanitize(t, "run", "--policy", policy, "--from", source, "--to", target, "--quiet")
	postgres := byTable(planned(t, policy, source, "mask"))

	dir := t.TempDir()
	from, to := filepath.Join(dir, "chinook.db"), filepath.Join(dir, "copy.db")
	copyFile(t, file, from)
	policyLite := policyFile(t, "chinook-sqlite.yaml")
	sanitize(t, "run", "--policy", policyLite, "--from", "sqlite:"+from, "--to", "sqlite:"+to, "--quiet")

	before, after := openDB(t, from), openDB(t, to)
	lite := planned(t, policyLite, "sqlite:"+from, "mask")
	// agree compares the values of columns, in two states, with those of PostgreSQL.
	agree := func(engine string, columns []plannedColumn, original, masked func(plannedColumn) []string) {
		compared := 0
		for _, m := range columns {
			other := postgres[plain(m.table)]
			i := slices.IndexFunc(other, func(o plannedColumn) bool { return plain(o.column) == plain(m.column) })
			if i < 0 {
				t.Errorf("%s.%s is masked on %s only", m.table, m.column, engine)
				continue
			}
			query := "SELECT %s FROM %s WHERE %s IS NOT NULL"
			c := other[i]
			others := func(dsn string) []string {
				return lines(t, dsn, fmt.Sprintf(query, c.column+"::text", c.table, c.column))
			}
			original, masked := original(m), masked(m)
			// The two editions of the sample differ in a few values (a blank at the end
			// of a city); in so many the copies may differ, and in no more.
			differ := differences(moments(original), moments(others(source)))
			if n := differences(moments(masked), moments(others(target))); n != differ || differ > len(original)/4 {
				t.Errorf("%s, %s.%s: %d of %d values differ between the sources, and %d between the copies", engine, m.table, m.column, differ, len(original), n)
			}
			if len(original) > 0 && slices.Equal(masked, original) {
				t.Errorf("%s, %s.%s is what it was", engine, m.table, m.column)
			}
			compared += len(masked)
		}
		t.Logf("%s: compared %d masked values", engine, compared)
		if compared < 500 {
			t.Errorf("%s: compared only %d values", engine, compared)
		}
	}
	values := func(db *sql.DB) func(plannedColumn) []string {
		return func(m plannedColumn) []string {
			return sorted(queryTexts(t, db, fmt.Sprintf("SELECT CAST(%s AS TEXT) FROM %s WHERE %[1]s IS NOT NULL", m.column, m.table)))
		}
	}
	agree("SQLite", lite, values(before), values(after))
	if script, ok := realData(t, "chinook", "mysql.sql"); ok {
		for _, s := range connectortest.MySQLServers(t) {
			p := newMySQLPair(t, s)
			// A collation that tells all letters apart, as those of the other two do: under another
			// what it calls equal masks alike, which is more.
			p.load(t, script, "chinook")
			for _, table := range p.lines(t, p.source, "SHOW TABLES") {
				s.Exec(t, p.source, "ALTER TABLE "+connectortest.QuoteMySQL(table)+" CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
			}
			p.run(t, policyLite)
			values := func(database string) func(plannedColumn) []string {
				return func(m plannedColumn) []string {
					return sorted(p.lines(t, database, fmt.Sprintf("SELECT %s FROM %s WHERE %[1]s IS NOT NULL", back(m.column), back(m.table))))
				}
			}
			agree(s.Flavor(), planned(t, policyLite, s.DSN(p.source), "mask"), values(p.source), values(p.target))
		}
	}
	for _, table := range queryTexts(t, before, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		count := "SELECT count(*) FROM " + quoted(table)
		if x, y := queryTexts(t, before, count), queryTexts(t, after, count); !slices.Equal(x, y) {
			t.Errorf("%s has %s rows, the copy %s", table, x, y)
		}
	}
	if broken := queryTexts(t, after, "SELECT \"table\" FROM pragma_foreign_key_check"); len(broken) > 0 {
		t.Errorf("foreign keys of %v are broken", broken)
	}
}

func openDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := openSQLite(path, "ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func queryTexts(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	if err := eachText(t.Context(), db, query, func(v string) { list = append(list, v) }); err != nil {
		t.Fatal(err)
	}
	return list
}

// plain returns a name as both engines would spell it: InvoiceLine, invoice_line.
func plain(name string) string {
	if i := strings.LastIndex(name, `."`); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(strings.NewReplacer(`"`, "", "_", "").Replace(name))
}

func byTable(columns []plannedColumn) map[string][]plannedColumn {
	m := map[string][]plannedColumn{}
	for _, c := range columns {
		m[plain(c.table)] = append(m[plain(c.table)], c)
	}
	return m
}

// differences returns how many values two lists do not share, each as often as it occurs.
func differences(a, b []string) (n int) {
	times := map[string]int{}
	for _, v := range a {
		times[v]++
	}
	for _, v := range b {
		times[v]--
	}
	for _, d := range times {
		n += max(d, -d)
	}
	return n
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// moments spells a day at midnight as a day: SQLite has no types to tell the two apart.
func moments(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = strings.TrimSuffix(v, " 00:00:00")
	}
	return sorted(out)
}
