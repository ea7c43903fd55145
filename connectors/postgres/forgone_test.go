package postgres

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What a copy can do without is found in what a dump says of it, and taken out for a server that
// does not know it. "as it is" stands for what such a server takes, and understands otherwise.
func TestForgoing(t *testing.T) {
	id := func(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }
	c := &catalog.Catalog{Connector: "postgres", Server: "18.4", Tables: []*catalog.Table{{ID: id("the parts"), Kind: catalog.Partitioned}, {ID: id("t"), Kind: catalog.Ordinary}}}
	found := map[string]bool{}
	for _, l := range []struct {
		since           int
		what            string
		kind, name, sql string
		left            string
	}{
		{13, "targets of statistics objects", "STATISTICS", "s", "CREATE STATISTICS public.s ON a, b FROM public.t;\n\n\nALTER STATISTICS public.s SET STATISTICS 400;", "CREATE STATISTICS public.s ON a, b FROM public.t;"},
		{13, "deduplication in B-trees", "CONSTRAINT", "d du", "ALTER TABLE ONLY public.d\n    ADD CONSTRAINT du UNIQUE (u) WITH (deduplicate_items=off);", "ALTER TABLE ONLY public.d\n    ADD CONSTRAINT du UNIQUE (u);"},
		{13, "deduplication in B-trees", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (a) WITH (deduplicate_items='off', fillfactor='70') WHERE (a > 1);", "CREATE INDEX i ON public.t USING btree (a) WITH (fillfactor='70') WHERE (a > 1);"},
		{13, "autovacuum by inserted rows", "TABLE", "t", "CREATE TABLE public.t (\n    id integer\n)\nWITH (autovacuum_vacuum_insert_threshold='5', fillfactor='70', toast.autovacuum_vacuum_insert_scale_factor='0.1');", "CREATE TABLE public.t (\n    id integer\n)\nWITH (fillfactor='70');"},
		{13, "autovacuum by inserted rows", "MATERIALIZED VIEW", "v", "CREATE MATERIALIZED VIEW public.v\nWITH (autovacuum_vacuum_insert_threshold='5') AS\n SELECT 1 AS one\n  WITH NO DATA;", "CREATE MATERIALIZED VIEW public.v AS\n SELECT 1 AS one\n  WITH NO DATA;"},
		{14, "compression methods of columns", "TABLE", "t", "CREATE TABLE public.t (\n    a text,\n    b text\n);\nALTER TABLE ONLY public.t ALTER COLUMN a SET COMPRESSION pglz;\nALTER TABLE ONLY public.t ALTER COLUMN b SET STORAGE EXTERNAL;\nALTER TABLE ONLY public.t ALTER COLUMN b SET COMPRESSION lz4;", "CREATE TABLE public.t (\n    a text,\n    b text\n);\nALTER TABLE ONLY public.t ALTER COLUMN b SET STORAGE EXTERNAL;"},
		{14, "a multirange beside a range", "TYPE", "spans", "CREATE TYPE public.spans AS RANGE (\n    subtype = interval,\n    multirange_type_name = public.\"many spans\",\n    subtype_diff = public.apart\n);", "CREATE TYPE public.spans AS RANGE (\n    subtype = interval,\n    subtype_diff = public.apart\n);"},
		{14, "vacuum_index_cleanup=auto", "TABLE", "t", "CREATE TABLE public.t (\n    id integer\n)\nWITH (vacuum_index_cleanup=auto);", "CREATE TABLE public.t (\n    id integer\n);"},
		{14, "EXTRACT as a numeric", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT EXTRACT(epoch FROM at) AS s\n   FROM public.t;", "as it is"},
		{14, "EXTRACT as a numeric", "MATERIALIZED VIEW", "v", "CREATE MATERIALIZED VIEW public.v AS\n SELECT EXTRACT(year FROM at) AS y,\n    'EXTRACT(epoch FROM '::text AS s,\n    (EXTRACT(isodow FROM (at + '1 day'::interval)))::integer AS d\n   FROM public.t\n  WITH NO DATA;", "as it is"},
		{15, "unlogged sequences", "SEQUENCE", "s", "CREATE UNLOGGED SEQUENCE public.s\n    START WITH 4;", "CREATE SEQUENCE public.s\n    START WITH 4;"},
		{15, "unlogged sequences", "SEQUENCE", "s", "ALTER TABLE public.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n    SEQUENCE NAME public.s\n);\nALTER SEQUENCE public.s SET LOGGED;", "ALTER TABLE public.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n    SEQUENCE NAME public.s\n);"},
		{17, "the right MAINTAIN", "ACL", "GRANT MAINTAIN ON TABLE public.t TO r", "GRANT MAINTAIN ON TABLE public.t TO r", ""},
		{17, "access methods of partitioned tables", "TABLE", "p", "CREATE TABLE public.p (\n    id integer\n)\nPARTITION BY LIST (id);\nALTER TABLE public.p SET ACCESS METHOD heap_too;", "CREATE TABLE public.p (\n    id integer\n)\nPARTITION BY LIST (id);"},
		{17, "identity columns of partitions", "SEQUENCE", "parts_id_seq", "ALTER TABLE public.\"the parts\" ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n    SEQUENCE NAME public.parts_id_seq\n);", "as it is"},
		{17, "a comment on a domain's NOT NULL", "COMMENT", "CONSTRAINT nn ON DOMAIN dd", "COMMENT ON CONSTRAINT nn ON DOMAIN public.dd IS 'x';", ""},
		{18, "a comment on a NOT NULL constraint", "COMMENT", `CONSTRAINT "n n" ON dt`, `COMMENT ON CONSTRAINT "n n" ON public.dt IS 'y';`, ""},
		{18, "the most that autovacuum or eager freezing may do", "TABLE", "t", "CREATE TABLE public.t (\n    id integer\n)\nWITH (autovacuum_vacuum_max_threshold='-1', autovacuum_vacuum_threshold='9');", "CREATE TABLE public.t (\n    id integer\n)\nWITH (autovacuum_vacuum_threshold='9');"},
	} {
		e := entry{Kind: l.kind, Schema: "public", Name: l.name, SQL: l.sql}
		d := definitions{Before: []entry{{Kind: "DOMAIN", SQL: "CREATE DOMAIN public.dd AS text CONSTRAINT nn NOT NULL;"}, {Kind: "TABLE", SQL: "SET default_table_access_method = heap;\nCREATE TABLE public.dt (\n    a integer CONSTRAINT \"n n\" NOT NULL\n);"}}, After: []entry{e}}
		for _, needs := range lacking(&d, c, l.since-1) {
			t.Errorf("PostgreSQL %d: %s has %s, which is not refused any more", l.since-1, needs.object, needs.name)
		}
		for i, f := range forgoable {
			if _, finds := f.finds(e, &d, c); !finds {
				continue
			}
			left := f.forgoing(e.SQL)
			if left == e.SQL {
				left = "as it is"
			}
			if f.name != l.what || f.since != l.since || left != l.left {
				t.Errorf("%s of %d in %s leaves %q, want %q of %d", f.name, f.since, e, left, l.left, l.since)
			}
			found[fmt.Sprint(i)], found[l.sql] = true, true
		}
		if !found[l.sql] {
			t.Errorf("%s is not found in %s", l.what, l.sql)
		}
	}
	for i, f := range forgoable {
		if !found[fmt.Sprint(i)] {
			t.Errorf("no line for %s of PostgreSQL %d", f.name, f.since)
		}
	}
}

// majorOf returns a server's major version.
func majorOf(t *testing.T, s *connectortest.PostgresServer) int {
	t.Helper()
	major, err := strconv.Atoi(s.Value(t, s.DSN("postgres"), "SELECT current_setting('server_version_num')::int / 10000"))
	if err != nil {
		t.Fatal(err)
	}
	return major
}

// A server that lacks what changes no row gets a copy without it, and the run says so.
func TestCopyThatForgoes(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	since := func(major int, statements ...string) {
		if majorOf(t, a) >= major {
			a.Exec(t, from, statements...)
		}
	}
	a.Exec(t, from, "CREATE TABLE t (id int, a text, at timestamp)", "INSERT INTO t SELECT i, i, '2024-01-01'::timestamp + i * interval '0.1 s' FROM generate_series(1, 100) i",
		"CREATE VIEW seen AS SELECT EXTRACT(epoch FROM at) AS s FROM t", "CREATE MATERIALIZED VIEW years AS SELECT EXTRACT(year FROM at) AS y, count(*) FROM t GROUP BY 1", "CREATE STATISTICS pairs ON id, a FROM t", "CREATE INDEX by_id ON t (id) WITH (fillfactor = 90)")
	since(13, "ALTER STATISTICS pairs SET STATISTICS 400", "ALTER INDEX by_id SET (deduplicate_items = off)", "ALTER TABLE t ADD CONSTRAINT once UNIQUE (a) WITH (deduplicate_items = off)",
		"ALTER TABLE t SET (autovacuum_vacuum_insert_threshold = 5, fillfactor = 70)")
	since(14, "CREATE TYPE spans AS RANGE (subtype = interval)", "ALTER TABLE t ADD s spans", "ALTER TABLE t ALTER a SET COMPRESSION pglz", "ALTER TABLE t SET (vacuum_index_cleanup = auto)")
	since(15, "CREATE UNLOGGED SEQUENCE unlogged")
	since(17, "CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, d date) PARTITION BY RANGE (d)", "CREATE TABLE n1 PARTITION OF n FOR VALUES FROM ('2020-01-01') TO ('2030-01-01')", "INSERT INTO n (d) VALUES ('2024-05-05')",
		"GRANT ALL ON t TO pg_monitor", "CREATE DOMAIN d AS text CONSTRAINT nn NOT NULL", "COMMENT ON CONSTRAINT nn ON DOMAIN d IS 'must'")
	since(18, "ALTER TABLE t SET (autovacuum_vacuum_max_threshold = 1000000)", "CREATE TABLE named (id int CONSTRAINT nn NOT NULL)", "COMMENT ON CONSTRAINT nn ON named IS 'must'")
	var said strings.Builder
	opts := connectors.Options{Workers: 2, Keep: []string{catalog.Grants}, Warn: func(m string) { said.WriteString(m + "\n") }}
	if err := connectortest.Copy(t, Connector{}, opts, from, to); err != nil {
		t.Fatalf("%v, %s", err, connectors.Hint(err))
	}
	snap, err := openSnapshot(t, from, connectors.Options{Keep: []string{catalog.Grants}})
	if err != nil {
		t.Fatal(err)
	}
	build := beginBuild(t, snap, b.DSN(b.Name(t)), 1).(*build)
	left := fateLines(build.spec.Definitions.LeftBehind, "nobody")
	for _, f := range forgoable {
		lacks := f.missing(&catalog.Catalog{Server: a.Value(t, from, "SHOW server_version")}, majorOf(t, b))
		if says := strings.Contains(said.String(), f.name+", which PostgreSQL "); says != lacks && f.name != "access methods of partitioned tables" {
			t.Errorf("%s is warned of: %t\n%s", f.name, says, &said)
		}
		if says := strings.Contains(left, f.name); says != lacks && f.name != "access methods of partitioned tables" {
			t.Errorf("%s is listed: %t\n%s", f.name, says, left)
		}
	}
	const state = "SELECT (SELECT count(*) FROM t) || ' ' || (SELECT reloptions::text LIKE '%fillfactor=90%' FROM pg_class WHERE relname = 'by_id') || ' ' || (SELECT count(*) FROM pg_constraint WHERE conname = 'once') || ' ' || (SELECT string_agg(y || ': ' || count, ', ') FROM years)"
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("the copy has %s, want %s", got, want)
	}
}

// A NOT NULL that pg_dump 18 writes as a constraint of the table, whatever the source's version, is
// set behind the table for servers that know it only of columns.
func TestNotNullOfTables(t *testing.T) {
	id := catalog.TableID{Schema: "public", Name: "t"}
	for sql, want := range map[string]string{
		"CREATE TABLE public.t (\n    NOT NULL a\n)\nINHERITS (public.s);": "CREATE TABLE public.t (\n)\nINHERITS (public.s);\nALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN a SET NOT NULL;",
		"CREATE TABLE public.t (\n    b integer,\n    CONSTRAINT \"n n\" NOT NULL \"a, b\",\n    NOT NULL c\n)\nINHERITS (public.s);": "CREATE TABLE public.t (\n    b integer\n)\nINHERITS (public.s);\n" +
			"ALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN \"a, b\" SET NOT NULL;\nALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN c SET NOT NULL;",
		"CREATE TABLE public.t (\n    NOT NULL a,\n    CONSTRAINT zzz CHECK ((a > 1))\n)\nINHERITS (public.s);":            "CREATE TABLE public.t (\n    CONSTRAINT zzz CHECK ((a > 1))\n)\nINHERITS (public.s);\nALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN a SET NOT NULL;",
		"CREATE TABLE public.t (\n    a integer CONSTRAINT x NOT NULL,\n    b text DEFAULT '\n    NOT NULL c\n'::text\n);": "",
	} {
		if want == "" {
			want = sql
		}
		if got := notNullBehind(id, sql); got != want {
			t.Errorf("%s\nis\n%s\nwant\n%s", sql, got, want)
		}
	}
}

// Whatever pg_dump reads the source, a table that inherits has its own NOT NULL in the copy.
func TestOwnNotNullOfChildren(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE a (x int, y int)", "CREATE TABLE b () INHERITS (a)", "ALTER TABLE b ALTER x SET NOT NULL", "CREATE TABLE c (z int NOT NULL, CHECK (z > 0)) INHERITS (a)", "ALTER TABLE c ALTER y SET NOT NULL",
		"INSERT INTO b VALUES (1, NULL)", "INSERT INTO c VALUES (NULL, 1, 1)")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if want, got := a.Value(t, from, nullable), b.Value(t, to, nullable); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// nullable says of all columns whether they take NULLs.
const nullable = "SELECT string_agg(attrelid::regclass || '.' || attname || ' ' || attnotnull, ', ' ORDER BY attrelid::regclass::text, attname) FROM pg_attribute JOIN pg_class ON oid = attrelid WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0"

// A server may have been built without a method of compression.
func TestCompressionThatIsMissing(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	method := func(s *connectortest.PostgresServer) string {
		return s.Value(t, s.DSN("postgres"), "SELECT coalesce((SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END FROM pg_settings WHERE name = 'default_toast_compression'), '')")
	}
	a.Exec(t, from, "CREATE TABLE t (a text, b text)", "INSERT INTO t VALUES ('x', 'y')")
	if m := method(a); m != "" {
		a.Exec(t, from, "ALTER TABLE t ALTER a SET COMPRESSION "+m, "ALTER TABLE t ALTER b SET COMPRESSION pglz")
	}
	var said strings.Builder
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2, Warn: func(m string) { said.WriteString(m + "\n") }}, from, to); err != nil {
		t.Fatal(err)
	}
	lost := method(a) == "lz4" && method(b) == "pglz"
	if warned := strings.Contains(said.String(), "compression by lz4, which the target's server was built without: "); warned != lost {
		t.Errorf("warned: %t\n%s", warned, &said)
	}
	const chosen = "SELECT string_agg(attname || coalesce(to_jsonb(a) ->> 'attcompression', ''), ' ' ORDER BY attnum) FROM pg_attribute a WHERE attrelid = 't'::regclass AND attnum > 0"
	want := a.Value(t, from, chosen)
	switch {
	case lost:
		want = strings.Replace(want, "al", "a", 1)
	case method(b) == "":
		want = "a b"
	}
	if got := b.Value(t, to, chosen); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
