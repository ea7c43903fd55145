package main

import (
	"fmt"
	"strings"
	"testing"
)

func case6(t *testing.T) {
	p := copied(t, inUTF8, shapes+`  code: {kind: pseudonym, do: {token: base32, length: 20}}
  town: {kind: quasi, do: keep}
tables:
  users: {columns: {id: id, login: code, boss: id}}
  visits: {keep: [n]}
  shelves: {columns: {y: id, x: code}}
  books: {keep: [n]}
  hens: {columns: {id: id}}
  eggs: {columns: {id: id}}
  coops: {columns: {id: id}}
  c1: {columns: {k: code}}
  c2: {}
  c3: {}
  c4: {}
  c5: {keep: [n]}
  wide: {columns: {id: id}}
  narrow: {keep: [n]}
  events: {columns: {id: id}, keep: [day]}
  notes: {keep: [n]}
  computed: {keep: [a]}
  points: {keep: [n, b]}
`,
		// To a UNIQUE that is no primary key, and to itself.
		"CREATE TABLE users (id integer PRIMARY KEY, login text NOT NULL UNIQUE, boss integer REFERENCES users)",
		"INSERT INTO users SELECT i, 'login ' || i, nullif(i / 2, 0) FROM generate_series(1, 50) i",
		"CREATE TABLE visits (login text REFERENCES users (login), n integer)", "INSERT INTO visits SELECT 'login ' || 1 + i % 50, i FROM generate_series(1, 200) i",
		// Pairs in another order than the table's, the key's, and the other side's.
		"CREATE TABLE shelves (y integer, x text, PRIMARY KEY (x, y))", "INSERT INTO shelves SELECT i, 'x ' || i % 5 FROM generate_series(1, 20) i",
		"CREATE TABLE books (n integer, b text, a integer, FOREIGN KEY (a, b) REFERENCES shelves (y, x))", "INSERT INTO books SELECT i, 'x ' || i % 5, i FROM generate_series(1, 20) i", "INSERT INTO books VALUES (21, 'nowhere', NULL)",
		// A cycle over three tables, of which one key is not deferrable.
		"CREATE TABLE hens (id integer PRIMARY KEY, egg integer)", "CREATE TABLE eggs (id integer PRIMARY KEY, coop integer)", "CREATE TABLE coops (id integer PRIMARY KEY, hen integer)",
		"INSERT INTO hens SELECT i, 1 + i % 9 FROM generate_series(1, 9) i", "INSERT INTO eggs SELECT i, 1 + i % 9 FROM generate_series(1, 9) i", "INSERT INTO coops SELECT i, 1 + i % 9 FROM generate_series(1, 9) i",
		"ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs", "ALTER TABLE eggs ADD FOREIGN KEY (coop) REFERENCES coops DEFERRABLE INITIALLY DEFERRED", "ALTER TABLE coops ADD FOREIGN KEY (hen) REFERENCES hens DEFERRABLE",
		// A chain of five that shares one natural key, in columns of several widths.
		"CREATE TABLE c1 (k varchar(40) PRIMARY KEY)", "CREATE TABLE c2 (k varchar(30) PRIMARY KEY REFERENCES c1)", "CREATE TABLE c3 (k text PRIMARY KEY REFERENCES c2)",
		"CREATE TABLE c4 (k varchar(20) PRIMARY KEY REFERENCES c3)", "CREATE TABLE c5 (k text REFERENCES c4, n integer)",
		"INSERT INTO c1 SELECT 'key ' || i FROM generate_series(1, 20) i", "INSERT INTO c2 TABLE c1", "INSERT INTO c3 TABLE c2", "INSERT INTO c4 TABLE c3", "INSERT INTO c5 SELECT k, row_number() OVER () FROM c4",
		// int4 that references int8.
		"CREATE TABLE wide (id bigint PRIMARY KEY)", "CREATE TABLE narrow (id integer REFERENCES wide, n integer)",
		"INSERT INTO wide SELECT i FROM generate_series(1, 100) i", "INSERT INTO narrow SELECT i, i FROM generate_series(1, 100) i",
		// A key that a partition has from its parent, and one that points to it.
		"CREATE TABLE events (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
		"CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')", "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01')",
		"INSERT INTO events SELECT i, '2024-01-01'::date + i FROM generate_series(1, 300) i",
		"CREATE TABLE notes (n integer, day date, event integer, FOREIGN KEY (event, day) REFERENCES events)", "INSERT INTO notes SELECT i, '2024-01-01'::date + i, i FROM generate_series(1, 300) i",
		// A generated column that references another table.
		"CREATE TABLE computed (a integer PRIMARY KEY)", "INSERT INTO computed SELECT i * 2 FROM generate_series(0, 10) i",
		"CREATE TABLE points (n integer, b integer, a integer GENERATED ALWAYS AS (b * 2) STORED REFERENCES computed)", "INSERT INTO points (n, b) SELECT i, i FROM generate_series(0, 10) i")
	p.sameRows(t)
	p.validKeys(t)
	p.sameJoins(t)
	for what, query := range map[string]string{
		"visits":  "SELECT v.n, u.boss IS NULL FROM visits v JOIN users u USING (login) ORDER BY 1",
		"books":   "SELECT n FROM books JOIN shelves ON (a, b) = (y, x) ORDER BY 1",
		"a chain": "SELECT n FROM c5 JOIN c4 USING (k) JOIN c3 USING (k) JOIN c2 USING (k) JOIN c1 USING (k) ORDER BY 1",
		"widths":  "SELECT n FROM narrow JOIN wide USING (id) ORDER BY 1",
		"events":  "SELECT n, events.tableoid = 'events_1'::regclass FROM notes JOIN events ON event = id AND notes.day = events.day ORDER BY 1",
		"circles": "SELECT count(*) FROM hens JOIN eggs ON egg = eggs.id JOIN coops ON coop = coops.id JOIN hens h ON hen = h.id",
		"bosses":  "WITH RECURSIVE up(id, depth) AS (SELECT id, 0 FROM users WHERE boss IS NULL UNION ALL SELECT u.id, depth + 1 FROM users u JOIN up ON u.boss = up.id) SELECT depth, count(*) FROM up GROUP BY 1 ORDER BY 1",
	} {
		p.both(t, what, query)
	}
	p.masked(t, "users.id", "users.login", "shelves.x", "hens.id", "c1.k", "c5.k", "wide.id", "narrow.id", "events.id", "notes.event")
}

func case7(t *testing.T) {
	schema := []string{
		"CREATE TABLE customers (id integer PRIMARY KEY, email text UNIQUE, tags integer[])",
		"CREATE TABLE orders (customer integer REFERENCES customers, n integer)",
		"CREATE TABLE log (who integer, mail text, doc jsonb, note text, n integer)",
		"INSERT INTO customers SELECT i, 'user' || i || '@shop.example', ARRAY[i, i + 1] FROM generate_series(1, 30) i",
		"INSERT INTO orders SELECT 1 + i % 30, i FROM generate_series(1, 90) i",
		"INSERT INTO log SELECT id, email, jsonb_build_object('id', id, 'email', email), 'Please write to ' || email || ' today.', id FROM customers",
	}
	const classes = `classes:
  id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email}}
  doc: {kind: direct, do: {json: {$.id: id, $.email: email, "*": drop}}}
  note: {kind: free_text, do: {redact: [email], else: keep}}
`
	p := copied(t, inUTF8, classes+`tables:
  customers: {columns: {id: id, email: email, tags: {each: id}}}
  orders: {keep: [n]}
  log: {columns: {doc: doc, note: note}, keep: [n]}
links:
  - [customers.id, log.who]
  - [customers.email, log.mail]
`, schema...)
	p.both(t, "a foreign key", "SELECT n FROM orders JOIN customers ON customer = id ORDER BY 1")
	p.both(t, "links", "SELECT n, mail = email FROM log JOIN customers ON who = id ORDER BY 1")
	p.both(t, "documents", "SELECT n, (doc ->> 'id')::integer = who, doc ->> 'email' = mail FROM log ORDER BY 1")
	p.both(t, "texts", "SELECT n, note = 'Please write to ' || mail || ' today.' FROM log ORDER BY 1")
	p.both(t, "arrays", "SELECT count(*) FROM customers c JOIN customers d ON d.id = c.tags[2]")
	p.masked(t, "customers.id", "orders.customer", "log.who", "log.mail", "log.doc", "customers.tags")

	said := refused(t, p.source, classes+`tables:
  customers: {columns: {id: id, email: email}, keep: [tags]}
  orders: {keep: [n, customer]}
  log: {columns: {who: id, mail: id, doc: doc, note: note}, keep: [n]}
links: [[customers.email, log.mail]]
`)
	for _, want := range []string{"public.orders.customer is kept", "references public.customers.id", "is linked (line"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in\n%s", want, said)
		}
	}
}

func case8(t *testing.T) {
	p := copied(t, inUTF8, shapes+`tables:
  users: {columns: {login: key}, keep: [id]}
  visits: {keep: [n]}
  names: {columns: {name: key}, keep: [id]}
  mentions: {keep: [n]}
  codes: {columns: {code: key}}
  uses: {keep: [n]}
`,
		"CREATE EXTENSION citext",
		"CREATE COLLATION nobody (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
		"CREATE TABLE users (id integer, login citext PRIMARY KEY)", "INSERT INTO users VALUES (1, 'José'), (2, 'Ann'), (3, 'STRASSE')",
		"CREATE TABLE visits (n integer, login citext REFERENCES users)", "INSERT INTO visits VALUES (1, 'JOSÉ'), (2, 'josé'), (3, 'ann'), (4, 'ANN'), (5, 'strasse')",
		"CREATE TABLE names (id integer, name text COLLATE nobody PRIMARY KEY)", "INSERT INTO names VALUES (1, 'José'), (2, 'Zoë'), (3, 'Ann')",
		"CREATE TABLE mentions (n integer, name text COLLATE nobody REFERENCES names)", "INSERT INTO mentions VALUES (1, 'JOSE'), (2, 'jose'), (3, 'zoe'), (4, U&'Zoe\\0308'), (5, 'Ánn')",
		"CREATE TABLE codes (code character(30) PRIMARY KEY)", "INSERT INTO codes VALUES ('a'), ('b  '), ('c')",
		"CREATE TABLE uses (n integer, code varchar(30))", "INSERT INTO uses VALUES (1, 'a'), (2, 'b'), (3, 'b ')",
		"ALTER TABLE uses ADD FOREIGN KEY (code) REFERENCES codes")
	p.validKeys(t)
	p.sameJoins(t)
	p.both(t, "citext", "SELECT n, id FROM visits JOIN users USING (login) ORDER BY n")
	p.both(t, "a collation", "SELECT n, id FROM mentions m JOIN names USING (name) ORDER BY n")
	p.both(t, "blanks", "SELECT n FROM uses JOIN codes ON codes.code = uses.code ORDER BY n")
	p.distinct(t, "visits", "login")
	p.distinct(t, "mentions", "name")
	p.masked(t, "users.login", "visits.login", "names.name", "mentions.name", "codes.code", "uses.code")

	said := refused(t, caseSource(t, p.a, inUTF8, "CREATE COLLATION odd (provider = icu, locale = 'ja-u-ks-level1-kn-true', deterministic = false)",
		"CREATE TABLE t (k text COLLATE odd PRIMARY KEY)"), shapes+"tables: {t: {columns: {k: key}}}\n")
	if !strings.Contains(said, "public.odd") || !strings.Contains(said, "public.t.k") {
		t.Errorf("the collation is not named:\n%s", said)
	}
}

func case9(t *testing.T) {
	const classes = `classes:
  id: {kind: pseudonym, do: {pseudonym: id}}
  email: {kind: direct, do: {fake: email}}
  text: {kind: free_text, do: {shape: text}}
`
	schema := []string{
		"CREATE EXTENSION btree_gist",
		`CREATE TABLE people (id integer PRIMARY KEY, email text, alias text, tenant integer, gone boolean NOT NULL DEFAULT false, room integer, during tsrange, bio text,
			UNIQUE (tenant, alias), CONSTRAINT one_at_a_time EXCLUDE USING gist (room WITH =, during WITH &&))`,
		"CREATE UNIQUE INDEX people_email ON people (lower(email))",
		"CREATE UNIQUE INDEX people_live ON people (alias) WHERE NOT gone",
		"CREATE UNIQUE INDEX people_bio ON people (md5(bio))",
		`INSERT INTO people SELECT i, 'User' || i || '@Shop.example', 'alias' || i || '@shop.example', i % 3, i % 7 = 0, i % 5,
			tsrange('2024-01-01'::timestamp + i * interval '1 day', '2024-01-01'::timestamp + (i + 1) * interval '1 day'), 'bio ' || i FROM generate_series(1, 200) i`,
	}
	p := copied(t, inUTF8, classes+"tables: {people: {columns: {id: id, email: email, alias: email, tenant: id, room: id}, keep: [gone, during, bio]}}\n", schema...)
	p.sameDefinitions(t)
	for _, expression := range []string{"id", "lower(email)", "alias", "(tenant, alias)", "tenant"} {
		p.distinct(t, "people", expression)
	}
	p.masked(t, "people.id", "people.email", "people.alias")
	for column, want := range map[string]string{
		"email: text, alias: email": "unique index people_email",
		"bio: text, alias: email":   "unique index people_bio",
		"alias: text":               "unique",
	} {
		keep := []string{"id", "tenant", "gone", "during"}
		for _, c := range []string{"email", "alias", "room", "bio"} {
			if !strings.Contains(column, c+":") {
				keep = append(keep, c)
			}
		}
		policy := classes + fmt.Sprintf("tables: {people: {columns: {%s}, keep: [%s]}}\n", column, strings.Join(keep, ", "))
		if said := refused(t, p.source, policy); !strings.Contains(said, want) {
			t.Errorf("%s: %q is not said in\n%s", column, want, said)
		}
	}
	// A digest tells apart what the masks do; and times that all move alike keep each other out.
	p = copied(t, inUTF8, classes+"  nights: {kind: quasi, do: {each: {shift_days: 30}}}\ntables: {people: {columns: {bio: email, alias: email, during: nights}, keep: [id, email, tenant, gone, room]}}\n", schema...)
	p.sameDefinitions(t)
	p.distinct(t, "people", "md5(bio)")
	p.masked(t, "people.bio", "people.during")
}
