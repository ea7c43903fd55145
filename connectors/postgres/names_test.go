package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What an item says is cut where its settings begin, and nowhere else: the text of a comment, or a name,
// may hold such a line.
func TestCutSettings(t *testing.T) {
	for _, l := range []struct{ sql, rest, method string }{
		{"CREATE TABLE a ();\n\n\nSET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n", "CREATE TABLE a ();", "SET default_table_access_method = heap;\n"},
		{"CREATE TABLE a ();\n\n\nSET default_table_access_method = \"my \"\"own\";\n\n", "CREATE TABLE a ();", "SET default_table_access_method = \"my \"\"own\";\n"},
		{"CREATE TABLE a ();\n\n\nSET default_table_access_method = '';\n\n", "CREATE TABLE a ();", "SET default_table_access_method = '';\n"},
		{"SET default_table_access_method = heap;\n", "", "SET default_table_access_method = heap;\n"},
		{"COMMENT ON TABLE t IS 'run before a reload:\nSET default_tablespace = fast;';\n\n", "COMMENT ON TABLE t IS 'run before a reload:\nSET default_tablespace = fast;';", ""},
		{"COMMENT ON TABLE t IS 'run before a reload:\n\nSET default_tablespace = ''';\n\n", "COMMENT ON TABLE t IS 'run before a reload:\n\nSET default_tablespace = ''';", ""},
		{"COMMENT ON TABLE t IS '\n\nSET default_tablespace = ';", "COMMENT ON TABLE t IS '\n\nSET default_tablespace = ';", ""},
		{"CREATE VIEW v AS SELECT 1 AS \"\n\nSET default_table_access_method = a\";", "CREATE VIEW v AS SELECT 1 AS \"\n\nSET default_table_access_method = a\";", ""},
		{"CREATE VIEW v AS SELECT 1 AS \"\n\nSET default_table_access_method = \"\"a\"\"\";", "CREATE VIEW v AS SELECT 1 AS \"\n\nSET default_table_access_method = \"\"a\"\"\";", ""},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n\nSET default_table_access_method = a$$;", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n\nSET default_table_access_method = a$$;", ""},
		{"CREATE RULE r AS\n    ON INSERT TO t DO ALSO NOTHING;\nSET default_tablespace = a;", "CREATE RULE r AS\n    ON INSERT TO t DO ALSO NOTHING;\nSET default_tablespace = a;", ""},
	} {
		if rest, method := cutSettings(l.sql); rest != l.rest || method != l.method {
			t.Errorf("%q: %q and %q, want %q and %q", l.sql, rest, method, l.rest, l.method)
		}
	}
}

// A dump calls its items in one line each. What a name is to the catalog, line breaks and all, decides
// what becomes of it.
func TestNamesWithLineBreaks(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE SCHEMA \"x\ny\"", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)",
		"COMMENT ON TABLE t IS 'run before a reload:\nSET default_tablespace = fast;'",
		"CREATE MATERIALIZED VIEW \"monthly\r\ntotals\" AS SELECT * FROM t", "CREATE MATERIALIZED VIEW \"x\ny\".mv AS SELECT * FROM t", "CREATE MATERIALIZED VIEW \"x\ny\".\"m\nv\" AS SELECT * FROM t",
		"CREATE MATERIALIZED VIEW \"m v\" AS SELECT * FROM t WITH NO DATA", "CREATE MATERIALIZED VIEW after AS SELECT * FROM \"monthly\r\ntotals\"",
		"CREATE TABLE \"p\nt\" (id int, d int, PRIMARY KEY (id)) PARTITION BY LIST (id)", "CREATE TABLE \"p\nt1\" PARTITION OF \"p\nt\" FOR VALUES IN (1)", "INSERT INTO \"p\nt\" VALUES (1, 2)",
		"CREATE FUNCTION in_t(i int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.t WHERE id = i); END'", // decides by rows
		"CREATE TABLE \"x\ny\".\"c\nk\" (a int CONSTRAINT \"in\nt\" CHECK (in_t(a)))", "COMMENT ON CONSTRAINT \"in\nt\" ON \"x\ny\".\"c\nk\" IS 'of t'", "INSERT INTO \"x\ny\".\"c\nk\" VALUES (2)",
		`CREATE FUNCTION far() RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM dblink_exec('a', 'b'); RETURN 1; END$$`,
		"CREATE TABLE \"w\nd\" (a int DEFAULT far(), b int)", "ALTER TABLE \"w\nd\" ADD CONSTRAINT \"b\nd\" CHECK (b > far()) NOT VALID", "COMMENT ON CONSTRAINT \"b\nd\" ON \"w\nd\" IS 'goes with it'",
		"CREATE DOMAIN \"d\nm\" AS int DEFAULT far()", "CREATE INDEX \"i\nx\" ON t ((id + 1))")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	const state = `SELECT concat_ws(', ', (SELECT string_agg(relname || ' ' || relispopulated, ', ' ORDER BY relname) FROM pg_class WHERE relkind = 'm'), (SELECT count(*) FROM "monthly` + "\r\n" + `totals"), (SELECT count(*) FROM "x` + "\ny" + `".mv),
		(SELECT count(*) FROM after), obj_description('t'::regclass), (SELECT string_agg(conname || ' ' || coalesce(obj_description(oid), ''), ', ') FROM pg_constraint WHERE contype = 'c' AND conname !~ '^b'),
		(SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class WHERE relname ~ '\n'))`
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := b.Value(t, to, "SELECT concat_ws(' ', count(*), (SELECT count(*) FROM pg_constraint WHERE conname ~ '^b'), (SELECT count(typdefault) FROM pg_type WHERE typname ~ '^d\nm')) FROM pg_attrdef"); got != "0 0 0" {
		t.Errorf("what reaches out came: %s", got)
	}
}
