package main

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Case 16: numbers above 2^63−1 and dates that no calendar has. What looks at them says so
// and where, what does not look masks them, and keep keeps them; no value is made another
// by chance. The zero date stays what it is, save where null or a constant takes its place.
func TestValuesBeyondOfMySQL(t *testing.T) {
	t.Parallel()
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, server)
			p.s.Exec(t, p.source, "CREATE TABLE big (id INT PRIMARY KEY, n BIGINT UNSIGNED, d DATE, t DATETIME(3), z DATE)")
			if _, err := p.db.Exec("INSERT INTO " + back(p.source) + ".big VALUES (1, 18446744073709551615, '2020-00-10', '2020-01-00 01:02:03.004', '0000-00-00'), (2, 9223372036854775808, NULL, NULL, NULL), (3, 41, '2020-02-03', '2020-02-03', '2020-02-03')"); err != nil {
				t.Fatal(err)
			}
			const all = "SELECT * FROM big ORDER BY id"
			const classes = `classes: {none: {kind: quasi, do: {"null": true}}, seven: {kind: quasi, do: {constant: 7}}, day: {kind: quasi, do: {constant: 2021-05-06}}, id: {kind: pseudonym, do: {pseudonym: id}}, month: {kind: quasi, do: {truncate_to: month}}, ten: {kind: quasi, do: {bucket: 10}}}` + "\n"
			policy := func(columns string) string {
				return writePolicy(t, []byte(caseKeys+classes+"tables: {big: {columns: {"+columns+"}, keep: [id]}}\n"))
			}
			for columns, want := range map[string]string{
				"n: seven, d: day, t: day, z: month":   "1|7|2021-05-06|2021-05-06 00:00:00.000|0000-00-00 2|7|NULL|NULL|NULL 3|7|2021-05-06|2021-05-06 00:00:00.000|2020-02-01",
				"n: none, d: none, t: none, z: day":    "1|NULL|NULL|NULL|2021-05-06 2|NULL|NULL|NULL|NULL 3|NULL|NULL|NULL|2021-05-06",
				"n: seven, d: none, t: day}, keep: [z": "1|7|NULL|2021-05-06 00:00:00.000|0000-00-00 2|7|NULL|NULL|NULL 3|7|NULL|2021-05-06 00:00:00.000|2020-02-03",
			} {
				text := columns
				if strings.Contains(columns, "keep: [z") {
					text = strings.Replace(columns, "}, keep: [z", "", 1)
					p.run(t, writePolicy(t, []byte(caseKeys+classes+"tables: {big: {columns: {"+text+"}, keep: [id, z]}}\n")))
				} else {
					p.run(t, policy(text))
				}
				if got := strings.Join(p.lines(t, p.target, all), " "); got != want {
					t.Errorf("%s: %s, want %s", columns, got, want)
				}
			}
			kept := writePolicy(t, []byte(caseKeys+"tables: {big: {keep: [id, n, d, t, z]}}\n"))
			p.run(t, kept)
			p.both(t, "kept", all)
			for column, of := range map[string]struct{ do, words string }{
				"n": {"id", "a whole number above 9223372036854775807, which no transform of numbers reads"},
				"d": {"month", "a date that no calendar has, which no transform of dates reads"},
				"t": {"month", "a date that no calendar has"},
			} {
				others := strings.NewReplacer(column+": none, ", "", ", "+column+": none", "").Replace("n: none, d: none, t: none, z: none")
				r := start(t, "run", "--policy", policy(column+": "+of.do+", "+others), "--from", p.s.DSN(p.source), "--to", p.s.DSN(p.target))
				code := r.wait(t)
				said := r.stderr.String()
				for _, w := range []string{`read "big" all rows: row 0, column ` + column + ": " + of.words, "hint: mend the value at the source, or do not mask " + column + " by a transform that reads it"} {
					if code != exitIntegrity || !strings.Contains(said, w) || strings.Contains(said, "18446744073709551615") || strings.Contains(said, "2020-0") {
						t.Errorf("%s: exit code %d, no %q in\n%s", column, code, w, said)
					}
				}
				if warned := strings.Contains(said, "big.n: is unsigned: a value above 9223372036854775807, if there is one, ends a run"); warned != (column == "n") {
					t.Errorf("%s: it warns: %t\n%s", column, warned, said)
				}
			}
			p.both(t, "kept, after runs that failed", all)
		})
	}
}

// Foreign keys over differing lengths, and links over differing character sets, which no
// server lets a key span: masked values join as those of the source do.
func TestKeysOverDifferentTypesOfMySQL(t *testing.T) {
	t.Parallel()
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, server)
			p.s.Exec(t, p.source,
				"CREATE TABLE users (login VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY)", "INSERT INTO users VALUES ('José'), ('anna'), ('Zoë-12345678901'), ('x')",
				"CREATE TABLE logins (id INT PRIMARY KEY, login VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, FOREIGN KEY (login) REFERENCES users (login))", "INSERT INTO logins VALUES (1, 'jose'), (2, 'ANNA'), (3, 'zoe-12345678901'), (4, NULL), (5, 'x')",
				"CREATE TABLE old (id INT PRIMARY KEY, login CHAR(30) CHARACTER SET latin1 COLLATE latin1_general_ci)", "INSERT INTO old VALUES (1, 'José'), (2, 'anna'), (3, 'Zoë-12345678901'), (4, 'nobody')",
				"CREATE TABLE mid (id INT PRIMARY KEY, login VARCHAR(25) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci)", "INSERT INTO mid VALUES (1, 'JOSÉ'), (2, 'Anna'), (3, 'x')",
				"CREATE TABLE numbers (n INT UNSIGNED PRIMARY KEY)", "INSERT INTO numbers VALUES (0), (7), (4294967295)", "CREATE TABLE counted (id INT PRIMARY KEY, n INT UNSIGNED, FOREIGN KEY (n) REFERENCES numbers (n))", "INSERT INTO counted VALUES (1, 4294967295), (2, 7), (3, 7)")
			policy := writePolicy(t, []byte(caseKeys+`classes: {login: {kind: pseudonym, do: {token: base32}}, id: {kind: pseudonym, do: {pseudonym: id}}}
tables: {users: {columns: {login: login}}, logins: {keep: [id]}, old: {keep: [id]}, mid: {keep: [id]}, numbers: {columns: {n: id}}, counted: {keep: [id]}}
links: [[users.login, old.login, mid.login]]
`))
			p.run(t, policy)
			p.sameJoins(t)
			for _, join := range []string{"SELECT l.id FROM users u JOIN logins l ON u.login = l.login ORDER BY 1", "SELECT o.id FROM users u JOIN old o ON u.login = CONVERT(o.login USING utf8mb4) COLLATE utf8mb4_general_ci ORDER BY 1",
				"SELECT m.id FROM users u JOIN mid m ON u.login = m.login ORDER BY 1", "SELECT c.id FROM numbers n JOIN counted c ON n.n = c.n ORDER BY 1"} {
				if len(p.both(t, join, join)) < 3 {
					t.Errorf("%s: few rows", join)
				}
			}
			if got := p.lines(t, p.target, "SELECT COUNT(*) FROM users WHERE login IN ('José', 'anna', 'x')"); got[0] != "0" {
				t.Errorf("%s logins are in clear", got[0])
			}
		})
	}
}
