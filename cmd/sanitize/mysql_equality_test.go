package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// collationsInUse are those that databases of the family are made with.
var collationsInUse = []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_0900_ai_ci", "utf8mb4_0900_as_ci", "utf8mb4_0900_as_cs",
	"utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_as_cs", "latin1_swedish_ci", "utf8mb4_bin"}

// equalWords are words, and letters of many scripts, some of which each collation calls equal.
func equalWords() []string {
	list := []string{"José", "jose", "JOSE", "José ", "José  ", "jose\u0301", "Jose\u200d", "\ufeffJosé", "Ｊｏｓｅ", "Straße", "strasse", "STRASSE", "strase", "STRAẞE",
		"Æsop", "aesop", "ÆSOP", "Œuvre", "oeuvre", "Øre", "ore", "Łódź", "lodz", "Đuro", "đuro", "duro", "ΟΔΟΣ", "οδος", "οδοσ", "Οδός", "йод", "иод", "ЙОД", "ёлка", "елка", "ЁЛКА",
		"ґанок", "ганок", "Isparta", "isparta", "ısparta", "İsparta", "i\u0307sparta", "שלום", "שלומ", "カッパ", "かっぱ", "ｶｯﾊﾟ", "がく", "か\u3099く", "かく", "ﬁn", "fin", "x²", "x2", "x٢", "x२",
		"Ann 😀", "Ann 😁", "ann 😀", "Ann", "Ann\t", "𠮷野", "吉野", "né", "ne\u0301", "ne", "Ne\u0301", "Zoë", "zoe", "Ångström", "Angstrom", "A\u030angstro\u0308m", "\u212bngström"}
	for _, r := range [][2]rune{{'A', 'Z'}, {'a', 'z'}, {0xA1, 0x17F}, {0x218, 0x21B}, {0x386, 0x3CE}, {0x400, 0x45F}, {0x490, 0x4FF}, {0x5D0, 0x5EA}, {0x621, 0x64A}, {0x660, 0x669}, {0x966, 0x96F}, {0x1E00, 0x1EFF},
		{0x3041, 0x3096}, {0x30A1, 0x30FA}, {0xFF10, 0xFF5A}, {0xFF66, 0xFF9D}, {0x1F600, 0x1F610}} {
		for c := r[0]; c <= r[1]; c++ {
			list = append(list, "x"+string(c)+"y")
		}
	}
	return list
}

// What a server calls equal masks to what it calls equal: by tokens, names, emails and
// letter by letter. Values that mask alike though the server tells them apart are counted.
func TestEqualityOfMySQL(t *testing.T) {
	t.Parallel()
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, server)
			known := p.lines(t, p.source, "SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE COLLATION_NAME IS NOT NULL")
			if server.Value(t, "", "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema' AND COLUMN_NAME = 'FULL_COLLATION_NAME'") == "1" {
				known = p.lines(t, p.source, "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
			}
			policy := caseKeys + "classes:\n  tokened: {kind: pseudonym, do: {token: hex}}\n  named: {kind: direct, do: {fake: person_name}}\n" +
				"  mailed: {kind: direct, do: {fake: email}}\n  shaped: {kind: free_text, do: {shape: text}}\n  coded: {kind: pseudonym, do: {fake: account}}\ntables:\n"
			classes := []string{"tokened", "named", "mailed", "shaped", "coded"}
			var tables []string
			list := equalWords()
			for _, collation := range collationsInUse {
				if !strings.Contains("|"+strings.Join(known, "|")+"|", "|"+collation+"|") {
					continue
				}
				tables = append(tables, collation)
				set, _, _ := strings.Cut(collation, "_")
				var columns, same, words []string
				for _, c := range classes {
					columns = append(columns, fmt.Sprintf("%s VARCHAR(120) CHARACTER SET %s COLLATE %s, KEY (%[1]s)", c, set, collation))
					same = append(same, c+": "+c)
				}
				for i, w := range list {
					if set != "latin1" || !strings.ContainsFunc(w, func(r rune) bool { return r > 0xFF }) {
						words = append(words, fmt.Sprintf("(%d%s)", i, strings.Repeat(fmt.Sprintf(", CONVERT(X'%x' USING utf8mb4)", w), len(classes))))
					}
				}
				p.s.Exec(t, p.source, "CREATE TABLE "+collation+" (id INT PRIMARY KEY, "+strings.Join(columns, ", ")+")",
					"INSERT INTO "+collation+" VALUES "+strings.Join(words, ", "))
				policy += fmt.Sprintf("  %s: {columns: {%s}, keep: [id]}\n", collation, strings.Join(same, ", "))
			}
			if len(tables) < 5 { // as MariaDB 10.5, without names of utf8mb3
				t.Fatalf("the server knows only %q", tables)
			}
			p.run(t, writePolicy(t, []byte(policy)))
			for _, collation := range tables {
				for _, c := range classes {
					// The pairs that are equal on a side are the pairs within its groups.
					group := func(database string) string {
						return fmt.Sprintf("(SELECT a.id AS a, b.id AS b FROM %[1]s.%[2]s a JOIN %[1]s.%[2]s b ON a.%[3]s = b.%[3]s AND a.id < b.id)", connectortest.QuoteMySQL(database), collation, c)
					}
					from := map[string]bool{}
					for _, pair := range p.lines(t, p.source, group(p.source)) {
						from[pair] = true
					}
					equal, more := len(from), 0
					for _, pair := range p.lines(t, p.source, group(p.target)) {
						if !from[pair] {
							more++
						}
						delete(from, pair)
					}
					if c == "tokened" {
						t.Logf("%s: %d of %d words make %d equal pairs, and %d mask alike beside", collation, len(list), len(list), equal, more)
					}
					if equal == 0 {
						t.Errorf("%s: nothing is equal", collation)
					}
					n := 0
					for pair := range from {
						if n++; n > 12 {
							t.Errorf("… %d in all", len(from))
							break
						}
						var a, b int
						if _, err := fmt.Sscanf(pair, "%d|%d", &a, &b); err != nil {
							t.Fatal(err)
						}
						t.Errorf("%s, %s: %+q and %+q are equal, and not so masked", collation, c, list[a], list[b])
					}
				}
			}
		})
	}
}

// Rows of child tables point to what the collation finds, in whatever spelling; a unique column stays
// unique; and what a collation tells apart, though we cannot, is an error that names the
// column and what to do, not a row that is lost.
func TestKeysOfTextInMySQL(t *testing.T) {
	t.Parallel()
	const policy = caseKeys + `classes:
  handle: {kind: pseudonym, do: {token: hex}}
  email: {kind: direct, do: {fake: email, unique: true}}
tables:
  people: {columns: {name: handle, email: email}, keep: [id]}
  visits: {keep: [id]}
`
	for _, server := range connectortest.MySQLServers(t) {
		for _, c := range []struct{ collation, set string }{{"utf8mb4_general_ci", "utf8mb4"}, {"utf8mb4_unicode_ci", "utf8mb4"}, {"latin1_swedish_ci", "latin1"}, {"utf8mb3_general_ci", "utf8mb3"}} {
			t.Run(server.Flavor()+" "+c.collation, func(t *testing.T) {
				t.Parallel()
				p := newMySQLPair(t, server)
				in := " CHARACTER SET " + c.set + " COLLATE " + c.collation
				p.s.Exec(t, p.source, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(50)"+in+" NOT NULL UNIQUE, email VARCHAR(80)"+in+" NOT NULL UNIQUE)",
					"CREATE TABLE visits (id INT PRIMARY KEY, name VARCHAR(60)"+in+", FOREIGN KEY (name) REFERENCES people (name))",
					"INSERT INTO people VALUES (1, 'José', 'José@source.example'), (2, 'ann', 'ANN@source.example'), (3, 'Zoë', 'zoë@source.example'), (4, 'bo', 'bo@source.example')",
					"INSERT INTO visits VALUES (1, 'jose'), (2, 'JOSÉ '), (3, 'Ann'), (4, 'ÁNN'), (5, 'zoe'), (6, NULL), (7, 'BO  ')")
				p.run(t, writePolicy(t, []byte(policy)))
				join := "SELECT v.id, p.id FROM visits v JOIN people p ON v.name = p.name"
				if n := len(p.both(t, join, join)); n != 6 {
					t.Errorf("%d rows join", n)
				}
				if n := p.s.Value(t, p.target, "SELECT COUNT(DISTINCT name) + COUNT(DISTINCT email) FROM people"); n != "8" {
					t.Errorf("%s different values", n)
				}
				p.sameDefinitions(t)
			})
		}
		t.Run(server.Flavor()+" apart", func(t *testing.T) {
			t.Parallel()
			p := newMySQLPair(t, server)
			// Swedish tells a from å, and y from u; we take å for a.
			p.s.Exec(t, p.source, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL UNIQUE, email VARCHAR(80) NOT NULL UNIQUE)",
				"INSERT INTO people VALUES (1, 'Hakan', 'a@source.example'), (2, 'Håkan', 'b@source.example')", "CREATE TABLE visits (id INT PRIMARY KEY)")
			r := start(t, "run", "--policy", writePolicy(t, []byte(policy)), "--from", p.s.DSN(p.source), "--to", p.s.DSN(p.target), "--quiet")
			code := r.wait(t)
			said := r.stderr.String()
			t.Log(said)
			if code != exitIntegrity || !strings.Contains(said, "people") || !strings.Contains(said, "name") || !strings.Contains(said, "hint: ") || strings.Contains(said, "kan") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if n := p.s.Value(t, p.source, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, "+fmt.Sprint(len(p.target))+") = '"+p.target+"'"); n != "0" {
				t.Errorf("%s databases are left", n)
			}
		})
	}
}
