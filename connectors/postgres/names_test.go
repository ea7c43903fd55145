package postgres

import "testing"

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
