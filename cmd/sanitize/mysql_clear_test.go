package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Definitions come as they are: where a value of a column that is not kept stands in one,
// plan and summary name it, and show nothing of it. Rows go where their masked value sends
// them; one that no partition takes names the column and the policy's line.
func TestClearDefinitionsOfMySQL(t *testing.T) {
	t.Parallel()
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, server)
			p.s.Exec(t, p.source,
				"CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(60) DEFAULT 'Quillfeather' COMMENT 'as in ''Quillfeather''', kind ENUM('quillish','other'), n INT NOT NULL DEFAULT 0, city VARCHAR(40) DEFAULT 'kept', CHECK (name <> 'quillfeather-x'), CHECK (LENGTH(name) < 61), CHECK (city <> 'kept-x'))",
				"INSERT INTO people VALUES (1, 'Ann', 'other', 3, 'x')",
				"CREATE VIEW known AS SELECT id FROM people WHERE name = 'Quillfeather'", "CREATE VIEW plain AS SELECT id, CONCAT(name, ', ', city) AS t FROM people", "CREATE VIEW cities AS SELECT id FROM people WHERE city = 'kept'",
				"CREATE TABLE moved (name VARCHAR(60) NOT NULL, n INT, KEY (name)) PARTITION BY RANGE COLUMNS(name) (PARTITION p_quill VALUES LESS THAN ('quillfeather'), PARTITION p_rest VALUES LESS THAN (MAXVALUE))",
				"INSERT INTO moved VALUES ('a', 1), ('z', 2)",
				"CREATE TABLE hashed (name VARCHAR(60) NOT NULL, PRIMARY KEY (name)) PARTITION BY KEY () PARTITIONS 2", "INSERT INTO hashed VALUES ('a')",
				"CREATE TABLE months (id INT, list INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1000))", "INSERT INTO months VALUES (7, 7)")
			const classes = `classes: {note: {kind: free_text, do: {shape: text}}, label: {kind: quasi, do: {"null": true}}, number: {kind: quasi, do: {constant: 7}}, token: {kind: pseudonym, do: {token: base32}}}` + "\n"
			policy := writePolicy(t, []byte(caseKeys+classes+
				"tables: {people: {columns: {name: note, kind: label, n: number}, keep: [id, city]}, moved: {columns: {name: note}, keep: [n]}, hashed: {columns: {name: token}}, months: {columns: {list: number}, keep: [id]}}\n"))
			file := filepath.Join(t.TempDir(), "shop.catalog.json")
			from, to := p.s.DSN(p.source), p.s.DSN(p.target)
			if err := os.WriteFile(file, []byte(sanitize(t, "inspect", "--from", from, "--json")), 0o600); err != nil {
				t.Fatal(err)
			}
			planned := spellFates(leftOf(t, sanitize(t, "plan", "--policy", policy, "--from", from, "--json")))
			filed := spellFates(leftOf(t, sanitize(t, "plan", "--policy", policy, "--catalog", file, "--json")))
			run := start(t, "run", "--policy", policy, "--from", from, "--to", to, "--json")
			if run.wait(t) != 0 {
				t.Fatal(run.stderr.String())
			}
			ran := spellFates(leftOf(t, run.stdout.String()))
			if planned != ran || filed != ran {
				t.Errorf("of the source\n%s\nof the file\n%s\nof the run\n%s", planned, filed, ran)
			}
			checked := "people.people_chk_1"
			if strings.Contains(server.Flavor(), "mariadb") {
				checked = "people.CONSTRAINT_1"
			}
			for _, want := range []string{"default people.name: holds a value", "labels people.kind: are the values", "comment people.name: may hold a value", "constraint " + checked + ": holds a value",
				"view known: holds a value", "partition bounds moved: may hold values"} {
				if !strings.Contains(ran, "noted "+want) {
					t.Errorf("no %q in\n%s", want, ran)
				}
			}
			for _, not := range []string{"uill", "people.n:", "people.city", "_2", "_3", "view plain", "view cities", "bounds hashed", "bounds months"} {
				if strings.Contains(ran, not) {
					t.Errorf("%q in\n%s", not, ran)
				}
			}
			if !strings.Contains(run.stderr.String(), "moved.name: is masked and decides in which partition a row stands") {
				t.Error(run.stderr.String())
			}
			if got := p.lines(t, p.target, "SELECT (SELECT COUNT(*) FROM moved), (SELECT COUNT(*) FROM hashed), (SELECT COUNT(*) FROM months)"); got[0] != "2|1|1" {
				t.Errorf("%q rows", got)
			}
			p.s.Exec(t, p.source, "CREATE TABLE days (at DATE) PARTITION BY LIST (TO_DAYS(at)) (PARTITION p VALUES IN (TO_DAYS('2026-01-01')))", "INSERT INTO days VALUES ('2026-01-01')")
			broken := writePolicy(t, []byte(caseKeys+"classes: {day: {kind: quasi, do: {shift_days: 3000}}}\ntables:\n  people: drop\n  moved: drop\n  hashed: drop\n  months: drop\n  days:\n    columns:\n      at: day\n"))
			r := start(t, "run", "--policy", broken, "--from", from, "--to", to, "--quiet")
			code := r.wait(t)
			for _, w := range []string{`load "days"`, "no partition takes the row", "masked by", ":11: days.at, as {shift_days: 3000}"} {
				if code != exitIntegrity || !strings.Contains(r.stderr.String(), w) {
					t.Errorf("exit code %d, no %q in\n%s", code, w, r.stderr.String())
				}
			}
		})
	}
}
