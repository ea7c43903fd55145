package postgres

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A materialized view grouped by a primary key can be made when the key is there: pg_dump lists
// it behind the rows, and it is filled like others.
func TestViewsBehindKeys(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE people (id int PRIMARY KEY, name text)", "CREATE TABLE orders (id int PRIMARY KEY, person int)",
		"INSERT INTO people SELECT i, 'n' || i FROM generate_series(1, 9) i", "INSERT INTO orders SELECT i, 1 + i % 9 FROM generate_series(1, 90) i",
		"CREATE MATERIALIZED VIEW per_person AS SELECT p.id, p.name, count(*) AS n FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id",
		"CREATE UNIQUE INDEX ON per_person (id)", "CREATE STATISTICS of_view ON id, name FROM per_person",
		"CREATE MATERIALIZED VIEW above AS SELECT sum(n) AS n FROM per_person", "CREATE MATERIALIZED VIEW void AS SELECT p.id, p.name, 1 AS one FROM people p GROUP BY p.id WITH NO DATA",
		// It holds rows, but nobody could fill it now.
		"CREATE MATERIALIZED VIEW emptied AS SELECT id FROM people", "CREATE MATERIALIZED VIEW stale AS SELECT id FROM emptied", "REFRESH MATERIALIZED VIEW emptied WITH NO DATA")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, to, "SELECT (SELECT count(*) || ' of ' || sum(n) FROM per_person) || ', ' || (SELECT n FROM above) || ', ' || relispopulated FROM pg_class WHERE relname = 'void'"); got != "9 of 90, 90, false" {
		t.Errorf("the views hold %s", got)
	}
	if got := b.Value(t, to, "SELECT count(*) FROM pg_statistic_ext JOIN pg_statistic_ext_data ON oid = stxoid"); got != "1" {
		t.Errorf("%s statistics objects are filled", got)
	}
}

// What looks into a materialized view waits until that is filled: an index, a CHECK.
func TestWhatLooksIntoViews(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE zones (id int PRIMARY KEY, name text)", "INSERT INTO zones SELECT i, 'z' || i FROM generate_series(0, 9) i",
		"CREATE MATERIALIZED VIEW known AS SELECT id, name FROM zones GROUP BY id", "CREATE UNIQUE INDEX ON known (id)",
		"CREATE FUNCTION name_of(i int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT name FROM public.known WHERE id = i'",
		"CREATE FUNCTION is_known(i int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN public.name_of(i) IS NOT NULL; END'",
		"CREATE TABLE large (zone int CONSTRAINT is_known CHECK (is_known(zone)))", "INSERT INTO large SELECT i % 10 FROM generate_series(1, 100) i", "CREATE INDEX by_name ON large (name_of(zone))", "COMMENT ON INDEX by_name IS 'of an index'",
		"CREATE TABLE parts (zone int) PARTITION BY RANGE (zone)", "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5)", "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (5) TO (10)",
		"INSERT INTO parts SELECT i % 10 FROM generate_series(1, 100) i", "CREATE INDEX of_parts ON parts (name_of(zone))")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const parts = "SELECT string_agg(relname, ' ' ORDER BY relname) || ' ' || (SELECT string_agg(conname, ' ') FROM pg_constraint WHERE contype = 'c' AND conrelid = 'large'::regclass) FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
	if want, got := a.Value(t, from, parts), b.Value(t, to, parts); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := b.Value(t, to+"&enable_seqscan=off", "SELECT current_setting('enable_seqscan') || ' ' || count(*) FROM large WHERE name_of(zone) = 'z3'"); got != "off 10" {
		t.Errorf("by the index there are %s rows", got)
	}
	if got := b.Value(t, to, "SELECT obj_description('by_name'::regclass) || ' ' || (SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'i')"); got != "of an index 2" {
		t.Errorf("the index's comment, and indexes that are attached: %s", got)
	}
}

// A view that reads another by a function may come first by its name. What cannot be filled at all
// is an error where every view is filled at the source.
func TestViewsThatReadByFunctions(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE t AS SELECT generate_series(1, 10) AS x", "CREATE MATERIALIZED VIEW z AS SELECT sum(x) AS s FROM t",
		"CREATE FUNCTION top() RETURNS bigint LANGUAGE sql AS 'SELECT s FROM public.z'", "CREATE MATERIALIZED VIEW a AS SELECT top() AS s",
		"CREATE FUNCTION of_a() RETURNS bigint LANGUAGE sql AS 'SELECT s FROM public.a'", "CREATE MATERIALIZED VIEW \"0\" AS SELECT of_a() AS s")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, to, "SELECT (SELECT s FROM a) || ' ' || (SELECT s FROM \"0\")"); got != "55 55" {
		t.Errorf("the views hold %s", got)
	}
	a.Exec(t, from, "CREATE OR REPLACE FUNCTION top() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now' USING ERRCODE = '55000'; END $$")
	err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, b.DSN(b.Name(t)))
	if err == nil || !strings.Contains(err.Error(), "refresh materialized view public.") {
		t.Errorf("a view that cannot be filled: %v", err)
	}
}

// Views that take their time are filled beside each other; and one that reads another, which is
// being filled, has its rows.
func TestViewsAreFilledBesideEachOther(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE t AS SELECT generate_series(1, 10) AS x",
		// In the build it waits for the other to begin.
		`CREATE FUNCTION met() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
			FOR i IN 1 .. 1000 LOOP
				PERFORM pg_catalog.pg_stat_clear_snapshot();
				IF pg_catalog.current_database() NOT LIKE '%building%' OR (SELECT count(*) > 1 FROM pg_catalog.pg_stat_activity
					WHERE datname = pg_catalog.current_database() AND state = 'active' AND query LIKE 'REFRESH%') THEN
					PERFORM pg_catalog.pg_sleep(0.1);
					RETURN true;
				END IF;
				PERFORM pg_catalog.pg_sleep(0.01);
			END LOOP;
			RETURN false; END $$`,
		"CREATE MATERIALIZED VIEW one AS SELECT x, met() AS m FROM t WHERE x = 1", "CREATE MATERIALIZED VIEW two AS SELECT x, met() AS m FROM t WHERE x = 2",
		"CREATE MATERIALIZED VIEW upon AS SELECT * FROM one UNION ALL SELECT * FROM two")
	for range 3 {
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 3}, from, to); err != nil {
			t.Fatal(err)
		}
		if got := b.Value(t, to, "SELECT string_agg(x || ' ' || m, ', ' ORDER BY x) FROM upon"); got != "1 true, 2 true" {
			t.Errorf("the views hold %s", got)
		}
	}
}

// What a partition brought along when it was attached keeps its name at the source. At the target
// its key is a part of its parent's.
func TestKeysOfAttachedPartitions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE cust (id int PRIMARY KEY)", "CREATE TABLE ord (id int, c int CONSTRAINT ord_c_fkey REFERENCES cust) PARTITION BY RANGE (id)",
		"CREATE TABLE ord_1 (id int, c int CONSTRAINT by_another_name REFERENCES cust, d int CONSTRAINT its_own REFERENCES cust)", "ALTER TABLE ord ADD d int",
		"ALTER TABLE ord ATTACH PARTITION ord_1 FOR VALUES FROM (0) TO (1000)",
		"INSERT INTO cust SELECT generate_series(1, 9)", "INSERT INTO ord SELECT i, 1 + i % 9, 1 + i % 9 FROM generate_series(1, 90) i")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const keys = `SELECT string_agg(conrelid::regclass || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated, ', ' ORDER BY conrelid::regclass::text, conkey) FROM pg_constraint WHERE contype = 'f'`
	if want, got := a.Value(t, from, keys), b.Value(t, to, keys); got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
}

// The hash of an enum is that of the number which the server gave to its label: at the target the
// same rows belong to other partitions.
func TestPartitionsByHashOfNumbersGiven(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TYPE plan AS ENUM ('free', 'pro', 'team', 'more', 'most')", "CREATE DOMAIN kind AS plan", "CREATE TYPE pair AS (p plan, n int)")
	keys := map[string]string{"acct": "p", "doms": "k", "lists": "l", "pairs": "r", "exprs": "(p)", "mixed": "n, p", "plain": "n", "texts": "t"}
	if a.Value(t, from, "SELECT current_setting('server_version_num')::int < 140000") == "t" {
		delete(keys, "pairs") // a row has no hash before
	}
	for name, key := range keys {
		a.Exec(t, from, "CREATE TABLE "+name+" (p plan NOT NULL, k kind, l plan[], r pair, n int, t text) PARTITION BY HASH ("+key+")")
		for i := range 3 {
			a.Exec(t, from, "CREATE TABLE "+name+"_"+string(rune('0'+i))+" PARTITION OF "+name+" FOR VALUES WITH (MODULUS 3, REMAINDER "+string(rune('0'+i))+")")
		}
		a.Exec(t, from, "INSERT INTO "+name+" SELECT p, p, ARRAY[p], ROW(p, i)::pair, i, i FROM generate_series(1, 100) i, unnest(enum_range(NULL::plan)) p",
			"CREATE INDEX ON "+name+" (n)")
	}
	// Beneath another, and beside tables of the same tree that go by what travels.
	a.Exec(t, from, "CREATE TABLE deep (p plan, n int) PARTITION BY RANGE (n)", "CREATE TABLE deep_low PARTITION OF deep FOR VALUES FROM (0) TO (50) PARTITION BY HASH (p)",
		"CREATE TABLE deep_low_0 PARTITION OF deep_low FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "CREATE TABLE deep_low_1 PARTITION OF deep_low FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
		"CREATE TABLE deep_high PARTITION OF deep FOR VALUES FROM (50) TO (101)", "INSERT INTO deep SELECT p, n FROM acct")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(slices.Sorted(maps.Keys(keys)), "deep") {
		columns := "p, k, l, r, n, t"
		if name == "deep" {
			columns = "p, n"
		}
		sum := "SELECT count(*) || ' ' || md5(string_agg(ROW(" + columns + ")::text, ' ' ORDER BY n, p)) FROM " + name
		if want, got := a.Value(t, from, sum), b.Value(t, to, sum); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		// A lookup by the key goes to the partition that the server computes.
		if got := b.Value(t, to, "SELECT count(*) FROM "+name+" WHERE p = 'team'"); got != "100" {
			t.Errorf("%s: %s rows are found by their key", name, got)
		}
	}
}

// Where the target's library sorts texts otherwise, rows of a partition by ranges of texts belong to
// its neighbour.
func TestPartitionsByRangeOfTexts(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE COLLATION before (provider = libc, locale = 'C')`, `CREATE COLLATION after (provider = icu, locale = 'und')`,
		`CREATE TABLE people (name text COLLATE before, n int) PARTITION BY RANGE (name)`,
		"CREATE TABLE people_low PARTITION OF people FOR VALUES FROM (MINVALUE) TO ('a')", "CREATE TABLE people_high PARTITION OF people FOR VALUES FROM ('a') TO (MAXVALUE)",
		"INSERT INTO people SELECT name, n FROM unnest(ARRAY['Z', 'z', 'A', 'a', '0', NULL]) name, generate_series(1, 5) n WHERE name IS NOT NULL",
		// As if the library had become another.
		`UPDATE pg_attribute SET attcollation = (SELECT oid FROM pg_collation WHERE collname = 'after') WHERE attcollation = (SELECT oid FROM pg_collation WHERE collname = 'before')`,
		`UPDATE pg_partitioned_table SET partcollation = (SELECT oid::text FROM pg_collation WHERE collname = 'after')::oidvector WHERE partrelid = 'people'::regclass`)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, to, "SELECT count(*) || ' ' || count(*) FILTER (WHERE name = 'Z') || ' ' || count(DISTINCT tableoid) FROM people"); got != "25 5 2" {
		t.Errorf("the copy holds %s", got)
	}
}

// An account that row security holds for cannot fill a view of such a table: the views come first,
// also where they come again.
func TestViewsUnderRowSecurity(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, account := a.Database(t), b.Name(t)
	a.Exec(t, from, "CREATE TABLE visits (tenant int, n int)", "INSERT INTO visits SELECT i % 3, i FROM generate_series(1, 30) i",
		"ALTER TABLE visits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", "CREATE POLICY p ON visits USING (tenant = current_setting('app.tenant')::int)",
		"CREATE MATERIALIZED VIEW seen AS SELECT count(*) AS n FROM visits")
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+ident(account)+" LOGIN CREATEDB PASSWORD 'maker'")
	t.Cleanup(func() { b.Exec(t, b.DSN("postgres"), "DROP ROLE "+ident(account)) })
	name := b.Name(t)
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, b.DSNAs(name, account, "maker"), 2).(*build)
	rows, err := copyTable(ctx, snap, build, snap.Catalog().Tables[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a crash of the server in the middle may have cost the rows of the view
		clear(build.refreshed)
		if err := build.Finish(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := build.Seal(ctx, map[catalog.TableID]int64{snap.Catalog().Tables[0].ID: rows}); err != nil {
		t.Fatal(err)
	}
	if err := build.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, b.DSN(name), "SELECT n || ' ' || relrowsecurity || ' ' || relforcerowsecurity FROM seen, pg_class WHERE relname = 'visits'"); got != "30 true true" {
		t.Errorf("the view and the table: %s", got)
	}
	b.Exec(t, b.DSN("postgres"), "DROP DATABASE "+ident(name))
}

// A function that finds another by the search path of those who call it finds none in a build: the
// error says how to mend that, for a row, an index and a view alike.
func TestFunctionsWithoutTheirSchema(t *testing.T) {
	a, b := connectortest.Postgres(t), connectortest.Postgres(t)
	for what, sql := range map[string]string{
		"row":   "CREATE TABLE people (id int PRIMARY KEY, name text CHECK (outer_one(name) <> '')); INSERT INTO people VALUES (1, 'Ann')",
		"index": "CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'Ann'); CREATE INDEX ON people (outer_one(name))",
		"view":  "CREATE MATERIALIZED VIEW kept AS SELECT outer_one('Ann')",
	} {
		from, to := a.Database(t), b.DSN(b.Name(t))
		if what != "row" && a.Value(t, from, "SELECT current_setting('server_version_num')::int < 170000") == "f" {
			continue // the server itself has no search path there from 17 on
		}
		a.Exec(t, from, "CREATE FUNCTION inner_one(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN upper(t); END'",
			"CREATE FUNCTION outer_one(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN inner_one(t); END'", sql)
		err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
		if err == nil || !strings.Contains(err.Error(), "42883") || !strings.Contains(connectors.Hint(err), "SET search_path = public") {
			t.Errorf("%s: %v, hint %q", what, err, connectors.Hint(err))
		}
	}
}

// What people have written beside a table's parts travels, and so the catalog has it, for the
// audit to look into.
func TestWordsOfParts(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE people (id int CONSTRAINT once PRIMARY KEY, email text)", "CREATE INDEX quick ON people (email)", "CREATE VIEW seen AS SELECT id, email FROM people",
		"CREATE STATISTICS paired (ndistinct) ON id, email FROM people",
		"ALTER VIEW seen ALTER email SET DEFAULT 'of a view'", "CREATE MATERIALIZED VIEW kept AS SELECT id, email FROM people", "CREATE INDEX of_kept ON kept (id) WHERE email <> 'of an index'",
		"CREATE AGGREGATE joined (text) (SFUNC = textcat, STYPE = text, INITCOND = 'of an aggregate')",
		"COMMENT ON TABLE people IS 'of the table'", "COMMENT ON CONSTRAINT once ON people IS 'of a key'", "COMMENT ON INDEX quick IS 'of an index'",
		"COMMENT ON VIEW seen IS 'of the view'", "COMMENT ON COLUMN seen.email IS 'of its column'",
		"COMMENT ON INDEX of_kept IS 'beside an index'")
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := snap.Catalog()
	if got := c.Tables[0].Comment; got != "of the table\nof a key\nof an index" {
		t.Errorf("of the table: %q", got)
	}
	for _, want := range []catalog.Object{{Kind: "view", Name: "public.seen", Comment: "of the view\nof its column", Definition: "\nDEFAULT 'of a view'::text"},
		{Kind: "materialized view", Name: "public.kept", Comment: "beside an index", Definition: "(email <> 'of an index'::text)"},
		{Kind: "aggregate", Name: "public.joined(text)", Definition: "INITCOND 'of an aggregate'"},
		{Kind: "extended statistics", Name: "public.paired", Definition: "ON id, email FROM public.people"}} {
		i := slices.IndexFunc(c.Objects, func(o catalog.Object) bool { return o.Kind == want.Kind && o.Name == want.Name })
		if i < 0 || c.Objects[i].Comment != want.Comment || !strings.HasSuffix(c.Objects[i].Definition, want.Definition) {
			t.Errorf("%+v is not in %+v", want, c.Objects)
		}
	}
}

// An index over a function that looks into another table is made when all rows are in, whatever
// order the tables come in.
func TestIndexesOverOtherTables(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE TABLE "Names" (id int PRIMARY KEY, name text)`, `INSERT INTO "Names" SELECT i, 'n' || i FROM generate_series(0, 9) i`,
		"CREATE TABLE large (id int PRIMARY KEY, other int)", "INSERT INTO large SELECT i, i % 10 FROM generate_series(1, 1000) i",
		`CREATE FUNCTION name_of(i int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT name FROM public."Names" WHERE id = i'`,
		`CREATE FUNCTION year_of(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT extract(year FROM date ''2000-01-01'' + i)::int'`,
		"CREATE FUNCTION called(i int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN upper(public.name_of(i)); END'", "CREATE INDEX by_call ON large (called(other))",
		`CREATE VIEW names_seen AS SELECT * FROM "Names"`, "CREATE FUNCTION seen_name(i int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT name FROM unnest(ARRAY[i]) n(j), public.names_seen WHERE id = j'", "CREATE INDEX by_view ON large (seen_name(other))",
		"CREATE INDEX by_name ON large (name_of(other))", "CREATE INDEX of_name ON large (id) WHERE name_of(other) = 'n3'", "CREATE INDEX by_year ON large (year_of(other))",
		"ALTER TABLE large ADD CONSTRAINT apart EXCLUDE USING btree ((name_of(other) || id) WITH =)")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, to, 2).(*build)
	for _, name := range []string{"large", "Names"} {
		if _, err := copyTable(ctx, snap, build, snap.Catalog().Table(catalog.TableID{Schema: "public", Name: name}), nil); err != nil {
			t.Fatal(err)
		}
		if name == "large" {
			if got := b.Value(t, b.DSN(build.name), "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = 'large'::regclass"); got != "by_year large_pkey" {
				t.Errorf("before the other table's rows the indexes are %s", got)
			}
		}
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, b.DSN(build.name)+"&enable_seqscan=off", "SELECT count(*) FROM large WHERE name_of(other) = 'n3'"); got != "100" {
		t.Errorf("by the index there are %s rows", got)
	}
	for _, condition := range []string{"called(other) = 'N3'", "seen_name(other) = 'n3'"} {
		if got := b.Value(t, b.DSN(build.name)+"&enable_seqscan=off", "SELECT count(*) FROM large WHERE "+condition); got != "100" {
			t.Errorf("by the index there are %s rows where %s", got, condition)
		}
	}
}

// A CHECK that looks into other tables, or into its own, cannot be asked row by row while these are
// loaded: it is added when all rows are in, with its comment, in a tree of tables at each that has it.
func TestChecksOverOtherTables(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE zones (id int PRIMARY KEY, name text)", "INSERT INTO zones SELECT i, 'z' || i FROM generate_series(0, 9) i",
		"CREATE FUNCTION is_zone(i int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.zones WHERE id = i)'",
		"CREATE FUNCTION is_zone_still(i int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.is_zone(i); END'",
		`CREATE TABLE "a large" (id int PRIMARY KEY, zone int CONSTRAINT "in a zone" CHECK (is_zone(zone)), n int CONSTRAINT positive CHECK (n > 0), token_type text DEFAULT 'bot', CONSTRAINT secret CHECK (token_type = 'bot' AND is_zone(zone)))`,
		`COMMENT ON CONSTRAINT "in a zone" ON "a large" IS 'late'`, `INSERT INTO "a large" SELECT i, i % 10, i FROM generate_series(1, 1000) i`,
		"CREATE TABLE above (zone int CONSTRAINT z CHECK (is_zone(zone)), local int CONSTRAINT l CHECK (is_zone(local)) NO INHERIT)", "CREATE TABLE beneath (n int) INHERITS (above)",
		"CREATE TABLE both_ways (CONSTRAINT z CHECK (is_zone(zone))) INHERITS (above)", "INSERT INTO above VALUES (1, 1)", "INSERT INTO beneath VALUES (2, 20)", "INSERT INTO both_ways VALUES (3, 30)",
		"CREATE TABLE parts (zone int, CONSTRAINT z CHECK (is_zone(zone))) PARTITION BY RANGE (zone)", "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5) PARTITION BY LIST (zone)",
		"CREATE TABLE parts_1_all PARTITION OF parts_1 DEFAULT", "CREATE TABLE parts_2 (x text, zone int, CONSTRAINT z CHECK (is_zone(zone)), CONSTRAINT own CHECK (is_zone(zone - 1)))",
		"ALTER TABLE parts_2 DROP x", "ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (5) TO (10)", "INSERT INTO parts SELECT i % 10 FROM generate_series(1, 100) i",
		"CREATE TABLE computed (zone int, named bool GENERATED ALWAYS AS (is_zone_still(zone)) STORED)",
		"CREATE DOMAIN zone AS int CONSTRAINT known CHECK (is_zone(VALUE))", "CREATE DOMAIN zones_in AS int CONSTRAINT known CHECK (VALUE > 0)", "COMMENT ON CONSTRAINT known ON DOMAIN zone IS 'of a domain'",
		"ALTER DOMAIN zones_in ADD CONSTRAINT late CHECK (is_zone(VALUE)) NOT VALID", "CREATE DOMAIN near AS zone", "CREATE TABLE of_domain (z zone, n near)", "INSERT INTO of_domain VALUES (4, 5)",
		"CREATE DOMAIN zoned AS int CONSTRAINT within CHECK (is_zone(VALUE))", "CREATE TYPE stop AS (at zoned)", "CREATE TABLE of_arrays (z zoned[], s stop)", "INSERT INTO of_arrays VALUES ('{}', NULL)",
		"CREATE TABLE later (zone int)", "INSERT INTO later VALUES (77)", "ALTER TABLE later ADD CONSTRAINT z CHECK (is_zone(zone)) NOT VALID")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if fates, want := fateLines(snap.Catalog().Fates(), "nobody"), "noted: computed column public.computed.named: is computed when its row is loaded"; !strings.Contains(fates, want) {
		t.Errorf("no %q in\n%s", want, fates)
	}
	build := beginBuild(t, snap, to, 2).(*build)
	rows := map[catalog.TableID]int64{}
	for _, first := range []bool{true, false} {
		for _, table := range snap.Catalog().Tables {
			if table.StoresRows() && (table.ID.Name == "zones") != first {
				if rows[table.ID], err = copyTable(ctx, snap, build, table, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := build.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	if err := build.Seal(ctx, rows); err != nil {
		t.Fatal(err)
	}
	if err := build.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	const checks = `SELECT string_agg(conrelid::regclass || '.' || conname || ' ' || pg_get_constraintdef(o.oid) || ' ' || conislocal || coninhcount || connoinherit || convalidated || coalesce(' ' || description, ''),
		', ' ORDER BY conrelid::regclass::text, conname, contypid) FROM pg_constraint o LEFT JOIN pg_description d ON d.objoid = o.oid WHERE contype = 'c' AND (conrelid <> 0 OR contypid >= 16384)`
	if want, got := a.Value(t, from, checks), b.Value(t, to, checks); got != want {
		t.Errorf("checks\n%s, want\n%s", strings.ReplaceAll(got, ", ", "\n"), strings.ReplaceAll(want, ", ", "\n"))
	}
}

// What is computed anew is computed as at the source: in its time zone, and by its configuration
// of text search, be it one of the database's own.
func TestComputedAsAtTheSource(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	name := a.Value(t, from, "SELECT current_database()")
	a.Exec(t, from, "CREATE TEXT SEARCH CONFIGURATION public.de (COPY = german)",
		"ALTER DATABASE "+ident(name)+" SET timezone = 'Asia/Kolkata'", "ALTER DATABASE "+ident(name)+" SET default_text_search_config = 'de'",
		"ALTER DATABASE "+ident(name)+" SET array_nulls = off")
	connectortest.ClosePostgresSessions() // the settings are those of new sessions
	a.Exec(t, from, "CREATE TABLE sales (id int PRIMARY KEY, at timestamptz, day date CONSTRAINT its_day CHECK (day = at::date), what text, tags aclitem[])",
		"INSERT INTO sales SELECT i, at, at::date, 'die Katzen', NULL FROM generate_series(1, 100) i, LATERAL (SELECT timestamptz '2020-01-01 00:00:00+00' + i * interval '50 minutes' AS at) a",
		"UPDATE sales SET tags = ARRAY['postgres=r/postgres'::aclitem, NULL]",
		"CREATE MATERIALIZED VIEW per_day AS SELECT date_trunc('day', at) AS day, count(*) AS n, string_agg(to_tsvector(what)::text, '') AS words FROM sales GROUP BY 1")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"SELECT string_agg(p::text, ' ' ORDER BY day) FROM per_day p", "SELECT string_agg(s::text, ' ' ORDER BY id) FROM sales s", "SHOW timezone"} {
		if want, got := a.Value(t, from, sql), b.Value(t, to, sql); got != want {
			t.Errorf("%s: %.300s\nwant %.300s", sql, got, want)
		}
	}
}

// Arrays and composites name the types in them by numbers of their server, which one before
// PostgreSQL 14 does not take in binary form: they get there all the same, up and down.
func TestOwnTypesToAnyVersion(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN word AS text", "CREATE TYPE pair AS (m mood, n int, words word[])",
		"CREATE DOMAIN many AS mood[]", "CREATE TABLE own (id int PRIMARY KEY, e mood, a mood[], p pair, ps pair[], w word[], m many, plain int[])",
		`INSERT INTO own SELECT i, 'ok', '{sad,NULL}', ROW('sad', i, '{a,"b c"}')::pair, ARRAY[ROW('ok', i, NULL)::pair, NULL], '{x}', '{ok}', '{1,2}' FROM generate_series(1, 100) i`)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const rows = "SELECT string_agg(own::text, ' ' ORDER BY id) FROM own"
	if want, got := a.Value(t, from, rows), b.Value(t, to, rows); got != want {
		t.Errorf("the rows are %.300s, want %.300s", got, want)
	}
}

// Backslashes arrive as they are from a database, or an account, to which they are escapes in
// plain literals.
func TestBackslashesOfOldStrings(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, `CREATE TABLE a (id int PRIMARY KEY, zip text DEFAULT 'a\b' CONSTRAINT digits CHECK (zip ~ '^[\w\\]+$'))`, `INSERT INTO a VALUES (1, '123'), (2, 'x\y')`,
		`CREATE VIEW v AS SELECT * FROM a WHERE zip ~ '^\d+$'`, `CREATE INDEX few ON a (id) WHERE zip ~ '\d'`, `COMMENT ON TABLE a IS 'c:\temp'`,
		"ALTER DATABASE "+ident(a.Value(t, from, "SELECT current_database()"))+" SET standard_conforming_strings = off", "CREATE TABLE "+`"Quoted"`+" (id int CONSTRAINT plain CHECK (id > 0))",
		"ALTER DATABASE "+ident(a.Value(t, from, "SELECT current_database()"))+" SET quote_all_identifiers = on")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	a.Exec(t, from, "ALTER DATABASE "+ident(a.Value(t, from, "SELECT current_database()"))+" RESET ALL")
	b.Exec(t, to, "ALTER DATABASE "+ident(b.Value(t, to, "SELECT current_database()"))+" RESET ALL")
	connectortest.ClosePostgresSessions()
	const all = `SELECT (SELECT count(*) FROM v) || ' ' || (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef) || ' ' || obj_description('a'::regclass) || ' ' || (SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0)
		|| ' ' || pg_get_viewdef('v'::regclass) || pg_get_indexdef('few'::regclass)`
	if want, got := a.Value(t, from, all), b.Value(t, to, all); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What the target's owner has said of the former copy holds for the next one: a night that opened it
// to everybody would do harm. A template is replaced like others.
func TestWhatWasSaidOfTheTarget(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, name, tester := a.Database(t), b.Name(t), b.Name(t)
	to := b.DSN(name)
	a.Exec(t, from, "CREATE TABLE t AS SELECT 1 AS id", "ALTER DATABASE "+ident(a.Value(t, from, "SELECT current_database()"))+" SET work_mem = '9MB'")
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+ident(tester))
	t.Cleanup(func() { b.Exec(t, b.DSN("postgres"), "DROP OWNED BY "+ident(tester), "DROP ROLE "+ident(tester)) })
	copied := func() {
		t.Helper()
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
			t.Fatal(err)
		}
	}
	copied()
	db := ident(name)
	b.Exec(t, b.DSN("postgres"), "REVOKE ALL ON DATABASE "+db+" FROM PUBLIC", "GRANT CONNECT ON DATABASE "+db+" TO "+ident(tester), "ALTER DATABASE "+db+" CONNECTION LIMIT 7", "ALTER DATABASE "+db+" IS_TEMPLATE true",
		"ALTER DATABASE "+db+" SET search_path = \"$user\", public", "ALTER DATABASE "+db+" SET work_mem = '1MB'", "ALTER ROLE "+ident(tester)+" IN DATABASE "+db+" SET statement_timeout = '1min'")
	said := "SELECT concat_ws(' ', datconnlimit, datistemplate, datacl, (SELECT string_agg(concat_ws(' ', setrole <> 0, setconfig), ', ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)) FROM pg_database d WHERE datname = " + literal(name)
	want := strings.Replace(b.Value(t, b.DSN("postgres"), said), "work_mem=1MB", "work_mem=9MB", 1) // the source's own comes first
	for range 2 {
		copied()
		got := b.Value(t, b.DSN("postgres"), said)
		sorted := func(s string) string {
			w := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("{}, ", r) })
			slices.Sort(w)
			return strings.Join(w, " ")
		}
		if sorted(got) != sorted(want) {
			t.Errorf("of the next copy is said\n%s, want\n%s", got, want)
		}
	}
	if got := b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE starts_with(datname, "+literal(name)+")"); got != "1" {
		t.Errorf("there are %s databases", got)
	}
	// What the source no longer says is not said any more; what the owner has closed stays closed.
	a.Exec(t, from, "ALTER DATABASE "+ident(a.Value(t, from, "SELECT current_database()"))+" RESET ALL")
	b.Exec(t, b.DSN("postgres"), "ALTER DATABASE "+db+" IS_TEMPLATE false", "ALTER DATABASE "+db+" ALLOW_CONNECTIONS false")
	copied()
	if got := b.Value(t, b.DSN("postgres"), said); strings.Contains(got, "work_mem") || !strings.Contains(got, "search_path") || !strings.Contains(got, "statement_timeout=1min") {
		t.Errorf("of the copy is said %s", got)
	}
	if got := b.Value(t, b.DSN("postgres"), "SELECT datallowconn FROM pg_database WHERE datname = "+literal(name)); got != "f" {
		t.Error("the copy lets everybody in again")
	}
}
