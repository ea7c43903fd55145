package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// One policy, without a line for an engine, copies the same shop on PostgreSQL and on each
// server of MySQL's family: the same rows by condition, sample and limit, and the same masks.
func TestOnePolicyForEveryEngine(t *testing.T) {
	t.Parallel()
	policy := writePolicy(t, []byte(caseKeys+`classes:
  person_id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email, unique: true}}
  name: {kind: direct, do: {fake: person_name}}
tables:
  people: {columns: {id: person_id, email: email, name: name}}
  orders: {rows: {where: "amount >= 50 AND placed < '2026-01-20'"}, keep: [id, amount, placed]}
  visits: {rows: {sample: 25%}, keep: [id, page]}
  news: {rows: {limit: 7}, keep: [id]}
`))
	// The types have one name in both dialects; the collation of the email is MySQL's alone.
	shop := func(collation string) (script []string) {
		script = []string{
			"CREATE TABLE people (id INT NOT NULL PRIMARY KEY, email VARCHAR(80)" + collation + " NOT NULL UNIQUE, name VARCHAR(80))",
			"CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, person INT NOT NULL, amount DECIMAL(8,2) NOT NULL, placed DATE NOT NULL, FOREIGN KEY (person) REFERENCES people (id))",
			"CREATE TABLE visits (id INT NOT NULL PRIMARY KEY, page VARCHAR(20))",
			"CREATE TABLE news (id INT NOT NULL PRIMARY KEY)",
		}
		var people, orders, visits, news []string
		for i := 1; i <= 60; i++ {
			people = append(people, fmt.Sprintf("(%d, 'person%d@source.example', 'ada quillfeather')", i, i))
			orders = append(orders, fmt.Sprintf("(%d, %d, %d.50, '2026-01-%02d')", i, 1+i*7%60, i, 1+i%28))
			visits = append(visits, fmt.Sprintf("(%d, '/%d')", i, i))
			news = append(news, fmt.Sprintf("(%d)", i))
		}
		for _, t := range []struct {
			name string
			rows []string
		}{{"people", people}, {"orders", orders}, {"visits", visits}, {"news", news}} {
			script = append(script, "INSERT INTO "+t.name+" VALUES "+strings.Join(t.rows, ", "))
		}
		return script
	}
	queries := []string{"SELECT id, email, name FROM people", "SELECT o.id, person, amount, placed, p.email FROM orders o JOIN people p ON p.id = o.person", "SELECT id, page FROM visits", "SELECT COUNT(*) FROM news"}

	a, b := connectortest.PostgresPair(t)
	source, target := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, source, append(shop(""), "CREATE PUBLICATION nightly FOR TABLE people")...)
	sanitize(t, "run", "--policy", policy, "--from", source, "--to", target, "--quiet", "--keep-object", "publication:nightly")
	var want [][]string
	for i, q := range queries {
		want = append(want, sorted(lines(t, target, q)))
		if n := len(want[i]); n == 0 || strings.Contains(strings.Join(want[i], " "), "source.example") {
			t.Fatalf("%s: %q", q, want[i])
		}
	}
	if n := len(want[1]); n != len(lines(t, source, "SELECT id FROM orders WHERE amount >= 50 AND placed < '2026-01-20'")) {
		t.Errorf("%d orders", n)
	}
	if n := len(want[2]); n < 3 || n > 30 || want[3][0] != "7" {
		t.Errorf("%d visits, %s news", n, want[3][0])
	}
	for _, s := range connectortest.MySQLServers(t) {
		t.Run(s.Flavor(), func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, s)
			s.Exec(t, p.source, append(shop(" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"), "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DO DELETE FROM news")...)
			p.run(t, policy, "--keep-object", "event:nightly")
			for i, q := range queries {
				if got := sorted(p.lines(t, p.target, q)); !slices.Equal(got, want[i]) {
					t.Errorf("%s:\n%q, and PostgreSQL has\n%q", q, got, want[i])
				}
			}
			if status := s.Value(t, p.target, "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()"); status != "ENABLED" {
				t.Errorf("the event that was kept is %s", status)
			}
		})
	}
}
