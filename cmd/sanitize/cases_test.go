package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// The cases that break, or broke, tools that people use for this: each a database,
// a policy and a whole copy from one server to another, judged by SQL on both sides.

// caseKeys is the head of the policies of the cases.
const caseKeys = "version: 1\nkeys: {case: {from: \"file:case.key\"}}\n"

// encodings are the ways in which the databases of the cases are made.
const (
	inUTF8   = "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
	inLatin1 = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
	inASCII  = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
)

// caseSource makes a database of the statements.
func caseSource(t *testing.T, s *connectortest.PostgresServer, encoding string, statements ...string) (dsn string) {
	t.Helper()
	name := s.Name(t)
	s.CreateDatabase(t, name, encoding)
	s.Exec(t, s.DSN(name), statements...)
	return s.DSN(name)
}

// copied makes a database of the statements and copies it by the policy.
func copied(t *testing.T, encoding, policy string, statements ...string) postgresPair {
	t.Helper()
	a, b := connectortest.PostgresPair(t)
	p := postgresPair{a, b, caseSource(t, a, encoding, statements...), b.DSN(b.Name(t))}
	sanitize(t, "run", "--policy", writePolicy(t, []byte(caseKeys+policy)), "--from", p.source, "--to", p.target, "--quiet")
	return p
}

// refused compiles a policy that must not compile, and returns what is said of it.
func refused(t *testing.T, source, policy string) string {
	t.Helper()
	p := start(t, "plan", "--policy", writePolicy(t, []byte(caseKeys+policy)), "--from", source)
	if code := p.wait(t); code != exitPolicy {
		t.Errorf("exit code %d, want %d\n%s", code, exitPolicy, p.stderr.String())
	}
	return p.stderr.String()
}

// masked complains if a column has the values that it had, row by row of the key.
func (p postgresPair) masked(t *testing.T, columns ...string) {
	t.Helper()
	for _, column := range columns {
		table, name, _ := strings.Cut(column, ".")
		query := fmt.Sprintf(`SELECT coalesce(string_agg(md5(v), ''), '') FROM (SELECT format('%%s', %s) COLLATE "C" AS v FROM %s ORDER BY 1) x WHERE v <> ''`, name, table)
		if was, is := lines(t, p.source, query)[0], lines(t, p.target, query)[0]; was == "" || was == is {
			t.Errorf("%s is what it was", column)
		}
	}
}

func (p postgresPair) distinct(t *testing.T, table, expression string) {
	t.Helper()
	p.both(t, "different values of "+expression, fmt.Sprintf("SELECT count(%s), count(DISTINCT %s) FROM %s", expression, expression, table))
}

func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"1 backslashes and control characters", case1},
		{"2 lengths and widths", case2},
		{"3 values at the edge of their types", case3},
		{"4 scripts and encodings", case4},
		{"5 all of a range, and many keys", case5},
		{"6 foreign keys of every kind", case6},
		{"7 a parent's transform reaches its children", case7},
		{"8 what the database calls equal", case8},
		{"9 unique keys of every kind", case9},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

const shapes = `classes:
  text: {kind: free_text, do: {shape: text}}
  id: {kind: pseudonym, do: {pseudonym: id}}
  key: {kind: pseudonym, do: {token: base32}}
`

// signs leaves of a text what shape keeps.
func signs(column string) string {
	return "encode(convert_to(regexp_replace(" + column + ", '[[:alnum:]]', 'x', 'g'), 'UTF8'), 'hex')"
}

func case1(t *testing.T) {
	const texts = `(VALUES (1, 'C:\New'), (2, 'a\.b'), (3, '\'), (4, E'tab\there'), (5, E'line\nbreak'), (6, E'return\rhere'), (7, E'escape\x1b[0m'),
		(8, '\N'), (9, '\.'), (10, E'\b\f\v'), (11, '\x41'), (12, ''), (13, NULL), (14, '\\N\'), (15, '"quoted", {braced}'), (16, '\t\n')) v(id, t)`
	p := copied(t, inUTF8, shapes+`tables:
  narrow: {columns: {masked: text}, keep: [id, kept]}
  wide: {columns: {masked: text, list: {each: text}}, keep: [id, kept, kept_list]}
`,
		"CREATE TABLE narrow AS SELECT id, t AS kept, t AS masked FROM "+texts,
		// The values of an array travel as text, and so does the whole row.
		"CREATE TABLE wide AS SELECT id, t AS kept, t AS masked, ARRAY[t, t, NULL, ''] AS list, ARRAY[t] AS kept_list FROM "+texts)
	for _, table := range []string{"narrow", "wide"} {
		p.both(t, "kept", "SELECT id, encode(convert_to(kept, 'UTF8'), 'hex') FROM "+table+" ORDER BY id")
		p.both(t, "masked", "SELECT id, "+signs("masked")+" FROM "+table+" ORDER BY id")
		p.masked(t, table+".masked")
	}
	p.both(t, "a kept array", "SELECT id, encode(convert_to(kept_list::text, 'UTF8'), 'hex') FROM wide ORDER BY id")
	p.both(t, "a masked array", "SELECT id, n, "+signs("v")+" FROM wide, unnest(list) WITH ORDINALITY u(v, n) ORDER BY id, n")
	p.masked(t, "wide.list")
	if n := p.b.Value(t, p.target, "SELECT count(*) FROM wide WHERE masked IS DISTINCT FROM list[1]"); n != "0" {
		t.Errorf("%s values are masked in one way in a column and in another in an array", n)
	}
	// No type of text holds the byte 0; a document may speak of it.
	p = copied(t, inUTF8, shapes+"tables: {docs: {columns: {d: {json: {$.a: text, \"*\": keep}}}, keep: [id]}}\n",
		`CREATE TABLE docs AS SELECT 1 AS id, '{"a": "x\u0000y", "b": "\u0000"}'::json AS d`)
	p.both(t, "a document", `SELECT regexp_replace(d::text, '"a": "[a-z](.*)[a-z]", ', '\1') FROM docs`)
	p.masked(t, "docs.d")
}

func case2(t *testing.T) {
	var columns, values, decided []string
	for i := range 1600 {
		columns = append(columns, fmt.Sprintf("c%d %s", i, []string{"integer", "text"}[i%2]))
		values = append(values, []string{"1", "'ab'"}[i%2])
		if i%100 == 1 {
			decided = append(decided, fmt.Sprintf("c%d: text", i))
		}
	}
	var kept []string
	for i := range 1600 {
		if i%100 != 1 {
			kept = append(kept, fmt.Sprintf("c%d", i))
		}
	}
	p := copied(t, inUTF8, shapes+`tables:
  lengths: {columns: {t: text, v: text, k: key}, keep: [id]}
  empty: {columns: {t: text}, keep: [id]}
  bare: {}
  wide: {columns: {`+strings.Join(decided, ", ")+"}, keep: ["+strings.Join(kept, ", ")+"]}\n",
		"CREATE TABLE lengths (id integer PRIMARY KEY, t text, v varchar(20), k varchar(30) UNIQUE)",
		`INSERT INTO lengths SELECT n, repeat('aé9', n / 3) || repeat('x', n % 3), left(repeat('é', n), 20), 'key ' || n
			FROM unnest(ARRAY[1, 2, 19, 20, 21, 22, 255, 256, 65535, 65536, 65537, 1048577]) n`,
		"INSERT INTO lengths VALUES (12000000, repeat('large ', 2000000), '', NULL)",
		"CREATE TABLE empty (id integer PRIMARY KEY, t text)",
		"CREATE TABLE bare ()", "INSERT INTO bare DEFAULT VALUES", "INSERT INTO bare DEFAULT VALUES",
		"CREATE TABLE wide ("+strings.Join(columns, ", ")+")", "INSERT INTO wide VALUES ("+strings.Join(values, ", ")+")")
	p.both(t, "lengths", "SELECT id, length(t), octet_length(t), length(v), octet_length(v), k IS NULL FROM lengths ORDER BY id")
	p.masked(t, "lengths.t", "lengths.v", "lengths.k", "wide.c101")
	p.distinct(t, "lengths", "k")
	p.both(t, "rows", "SELECT (SELECT count(*) FROM empty), (SELECT count(*) FROM bare), (SELECT count(*) FROM wide)")
	p.both(t, "what is kept of a wide row", "SELECT md5(concat("+strings.Join(kept[:90], ", ")+")) FROM wide")
}

func case3(t *testing.T) {
	p := copied(t, inUTF8, `classes:
  day: {kind: quasi, do: {shift_days: 30}}
  amount: {kind: quasi, do: {noise: 10%}}
  price: {kind: quasi, do: {number: permute, range: [-1000, 1000], scale: 2}}
tables:
  edges: {columns: {d: day, s: day, z: day, n: amount, f: amount, r: amount}, keep: [id, m, kept]}
  prices: {columns: {price: price}}
  sales: {keep: [id]}
`,
		"CREATE TABLE edges (id serial PRIMARY KEY, d date, s timestamp, z timestamptz, n numeric, f double precision, r real, m money, kept real)",
		`INSERT INTO edges (d, s, z, n, f, r, m, kept) VALUES
			('infinity', 'infinity', '-infinity', 'NaN', 'NaN', 'NaN', '-92233720368547758.08', 'NaN'),
			('-infinity', '-infinity', 'infinity', 'Infinity', 'Infinity', '-Infinity', '92233720368547758.07', '-Infinity'),
			('4713-01-01 BC', '4713-01-01 BC', '4713-01-01 BC', 0, '-0', '-0', '0', '-0'),
			('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', -0.00, 0, 0, NULL, 1e-45),
			('2024-02-29', '1999-12-31 23:59:60', '2016-12-31 23:59:60+00', repeat('9', 1000)::numeric, 5e-324, 1e-45, '12.34', 0.1),
			('0001-12-31 BC', '0001-01-01', NULL, ('0.' || repeat('0', 999) || '1')::numeric, 1.7e308, 3e38, NULL, NULL)`,
		// 1.0 and 1.00 are one key.
		"CREATE TABLE prices (price numeric PRIMARY KEY)", "INSERT INTO prices VALUES (1.0), (2), (-3.50), (0)",
		"CREATE TABLE sales (id serial, price numeric REFERENCES prices)", "INSERT INTO sales (price) VALUES (1.00), (1), (2.0), (-3.5), (0.00), (NULL)")
	for _, column := range []string{"d", "s", "z", "n", "f", "r"} {
		p.both(t, "what stays of "+column, fmt.Sprintf("SELECT id, %[1]s IS NULL, CASE WHEN %[1]s::text ~* 'inf|nan' THEN %[1]s::text END FROM edges ORDER BY id", column))
	}
	p.both(t, "what is kept", "SELECT id, m, kept FROM edges ORDER BY id")
	// A zero is a zero, whatever its sign was: the database calls both equal.
	p.both(t, "signs, zeros and scales", "SELECT id, sign(n), sign(f), sign(r), scale(n) FROM edges WHERE n <> 'NaN' ORDER BY id")
	p.both(t, "times of day", "SELECT id, s::time, (z AT TIME ZONE 'UTC')::time FROM edges WHERE isfinite(s) ORDER BY id")
	p.masked(t, "edges.d", "edges.s", "edges.z", "prices.price")
	p.sameJoins(t)
	p.distinct(t, "sales", "price")
	if n := p.b.Value(t, p.target, "SELECT count(*) FROM edges WHERE id = 5 AND length(n::text) BETWEEN 999 AND 1001"); n != "1" {
		t.Error("a number of 1,000 digits has become another kind of number")
	}
}

func case4(t *testing.T) {
	scripts := `(VALUES (1, 'emoji 😀👩‍👩‍👧 🏳️‍🌈'), (2, U&'e\0301tude na\0308iv'), (3, 'שלום עולם'), (4, 'سارة ١٢٣'), (5, '王小明'), (6, 'Ünïcödé straße ẞ ŉ ﬁ'), (7, 'Ωμέγα'), (8, 'हिन्दी'), (9, '한국어'), (10, E'\ufeffbom')) v(id, t)`
	p := copied(t, inUTF8, shapes+`tables:
  scripts: {columns: {masked: text, short: text}, keep: [id, kept]}
  docs: {columns: {j: {json: {$.name: text, $.emoji: text, "*": keep}}, b: {json: {$.name: text, "*": keep}}}, keep: [id]}
  raw: {columns: {token: key}, keep: [id, kept]}
`,
		"CREATE TABLE scripts AS SELECT id, t AS kept, t AS masked, left(t, 3)::varchar(3) AS short FROM "+scripts,
		"CREATE TABLE docs (id integer, j json, b jsonb)",
		`INSERT INTO docs VALUES (1, '{"name": "J\u00fcrgen \ud83d\ude00", "emoji": "\uD83D\uDE00 ok", "left": "\ud83d\ude00"}', '{"name": "J\u00fcrgen"}'), (2, '{"name": "plain", "n": [1.0, 1e2]}', '{"name": ""}')`,
		"CREATE TABLE raw (id integer, kept bytea, token bytea)", `INSERT INTO raw VALUES (1, '\xfffe00c328', '\xc328ff'), (2, '\x', '\x')`)
	p.both(t, "kept", "SELECT id, encode(convert_to(kept, 'UTF8'), 'hex') FROM scripts ORDER BY id")
	p.both(t, "lengths in characters", "SELECT id, length(masked), length(short) FROM scripts ORDER BY id")
	p.both(t, "emoji and marks", `SELECT id, regexp_replace(masked, '[[:alpha:][:digit:]]', '', 'g') FROM scripts WHERE id IN (1, 2, 10) ORDER BY id`)
	p.both(t, "what is kept of documents", "SELECT id, j ->> 'left', j -> 'n', length(j ->> 'name'), right(j ->> 'name', 1) IN ('😀') FROM docs ORDER BY id")
	p.both(t, "bytes that are no text", "SELECT id, kept, length(token) > 0 FROM raw ORDER BY id")
	p.masked(t, "scripts.masked", "docs.j", "docs.b", "raw.token")

	names := `classes:
  name: {kind: direct, do: {fake: person_name}}
  text: {kind: free_text, do: {shape: text}}
tables: {people: {columns: {name: name, note: text}, keep: [id, kept]}}
`
	people := "CREATE TABLE people (id integer, kept text, name text, note text)"
	p = copied(t, inLatin1, names, people, "INSERT INTO people SELECT n, convert_from('\\xe9e8fc', 'LATIN1') || n, convert_from('\\x4a6f73e9204de4647267', 'LATIN1') || n, convert_from('\\xfc62657220e0', 'LATIN1') FROM generate_series(1, 500) n")
	p.both(t, "kept in LATIN1", "SELECT id, encode(convert_to(kept, 'LATIN1'), 'hex') FROM people ORDER BY id")
	p.both(t, "rows in LATIN1", "SELECT count(*), pg_encoding_to_char(encoding) FROM people, pg_database WHERE datname = current_database() GROUP BY 2")
	p.masked(t, "people.name", "people.note")
	// What a document spells, since the database has no character for it, is spelt in the mask.
	for _, encoding := range []string{inLatin1, "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C'", "ENCODING 'WIN1251' LC_COLLATE 'C' LC_CTYPE 'C'"} {
		p = copied(t, encoding, `classes:
  text: {kind: free_text, do: {shape: text}}
tables: {docs: {columns: {j: {json: {$.n: text, "*": keep}}, x: {xml: {/a/n: text, "*": keep}}}, keep: [id]}}
`, "CREATE TABLE docs (id integer, j json, x xml)", `INSERT INTO docs VALUES (1, '{"n": "\u674e\ud83d\ude00 Ann", "k": "\u674e"}', '<a><n>&#26446;&#128512; Ann</n><k>&#26446;</k></a>')`)
		p.both(t, "what is kept of documents that spell", "SELECT id, right(j::text, 17), right(x::text, 11) FROM docs")
		p.masked(t, "docs.j", "docs.x")
	}
	// All bytes of an encoding, also those that are no characters: what documents keep of them stays, and masks are such that the database takes.
	p = copied(t, "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C'", `classes:
  text: {kind: free_text, do: {shape: text}}
  found: {kind: free_text, do: {redact: [email], else: shape}}
tables: {bytes: {columns: {t: text, r: found, j: {json: {$.n: text, "*": keep}}, b: {json: {$.n: text, "*": keep}}, x: {xml: {/a/n: text, "*": keep}}}, keep: [id]}}
`, "CREATE TABLE bytes (id integer, t text, r text, j json, b jsonb, x text)", `INSERT INTO bytes SELECT i, 'Ann ' || v, v || ' ann@corp.example ' || v,
  format('{"n": "Ann %s", "k": "%s"}', v, v)::json, format('{"n": "Ann %s", "k": "%s"}', v, v)::jsonb, format('<a><n>Ann %s</n><k>%s</k></a>', v, v)
  FROM (SELECT i, convert_from(decode(to_hex(i), 'hex'), 'WIN1252') AS v FROM generate_series(128, 255) i) x`)
	p.both(t, "every byte that documents keep", `SELECT id, encode(convert_to(j->>'k', 'WIN1252'), 'hex'), encode(convert_to(b->>'k', 'WIN1252'), 'hex'), encode(convert_to(right(x, 12), 'WIN1252'), 'hex') FROM bytes ORDER BY id`)
	p.masked(t, "bytes.t", "bytes.r", "bytes.j", "bytes.b", "bytes.x")
	if n := p.b.Value(t, p.target, `SELECT string_agg(to_hex(id) || t, ' ' ORDER BY id) FROM bytes WHERE t LIKE '%?'`); len(strings.Fields(n)) != 10 {
		t.Errorf("signs stand in %s, and not for 81, 8d, 8f, 90 and 9d", n)
	}
	p = copied(t, inASCII, names, people, "INSERT INTO people SELECT n, chr(233) || chr(255) || n, 'Jos' || chr(233) || ' M' || n, 'caf' || chr(195) || chr(169) FROM generate_series(1, 500) n")
	p.both(t, "kept in SQL_ASCII", "SELECT id, encode(kept::bytea, 'hex') FROM people ORDER BY id")
	p.both(t, "rows in SQL_ASCII", "SELECT count(*), pg_encoding_to_char(encoding) FROM people, pg_database WHERE datname = current_database() GROUP BY 2")
	p.masked(t, "people.name", "people.note")
}

func case5(t *testing.T) {
	p := copied(t, inUTF8, `classes:
  small: {kind: pseudonym, do: {pseudonym: id, range: [-1, 1]}}
  id: {kind: pseudonym, do: {pseudonym: id}}
tables:
  signs: {columns: {n: small}}
  many: {columns: {id: id}, keep: [n]}
  lines: {keep: [n]}
`,
		"CREATE TABLE signs (n integer PRIMARY KEY)", "INSERT INTO signs VALUES (-1), (0), (1)",
		"CREATE TABLE many (id integer PRIMARY KEY, n integer)", "INSERT INTO many SELECT i, i FROM generate_series(1, 300000) i",
		"CREATE TABLE lines (many_id integer REFERENCES many, n integer)", "INSERT INTO lines SELECT 1 + i * 7 % 300000, i FROM generate_series(1, 1000) i")
	p.both(t, "all of a range", "SELECT n FROM signs ORDER BY n")
	p.distinct(t, "many", "id")
	p.both(t, "joins", "SELECT l.n, m.n FROM lines l JOIN many m ON m.id = l.many_id ORDER BY 1")
	p.masked(t, "many.id")
	if n := p.b.Value(t, p.target, "SELECT count(*) FROM many WHERE id = n"); len(n) > 1 {
		t.Errorf("%s of 300,000 keys are what they were", n)
	}
}
