package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Tables that inherit have their columns in the source's order, since values of their row types go by
// places; and all else that is theirs, or that they have of a table above, as it is there.
func TestInheritedOrder(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from,
		"CREATE TABLE base (first_name text NOT NULL DEFAULT 'nobody')", "CREATE TABLE staff (badge text) INHERITS (base)",
		`ALTER TABLE base ADD last_name text COLLATE "C" CONSTRAINT named CHECK (last_name <> '')`, "ALTER TABLE base ALTER last_name SET STORAGE EXTERNAL",
		"ALTER TABLE base ADD loud text GENERATED ALWAYS AS (upper(first_name)) STORED", "INSERT INTO staff VALUES ('ann', 'B-17', 'Smith')",
		"CREATE TABLE audit (id int PRIMARY KEY, was staff, many staff[])", "INSERT INTO audit SELECT 1, s, ARRAY[s] FROM staff s",
		"CREATE MATERIALIZED VIEW badges AS SELECT (was).badge AS b, (many[1]).last_name AS l FROM audit",
		// Told to inherit later, of two tables, and a chain below.
		"CREATE TABLE p1 (a text, b text NOT NULL)", `CREATE TABLE "p 2" (b text, c numeric(7,2) CONSTRAINT pos CHECK (c > 0))`,
		"CREATE TABLE child (x int DEFAULT 7, c numeric(7,2) DEFAULT 3 CONSTRAINT pos CHECK (c > 0), b text NOT NULL, twice int GENERATED ALWAYS AS (x * 2) STORED, a text)",
		`ALTER TABLE child INHERIT "p 2"`, "ALTER TABLE child INHERIT p1", "CREATE TABLE grandchild (y int) INHERITS (child)", "ALTER TABLE p1 ADD late text DEFAULT 'l'",
		"INSERT INTO grandchild (x, c, b, a, y) VALUES (1, 2, 'secret-b', 'open-a', 5)", "CREATE TABLE holds (id int PRIMARY KEY, g grandchild)", "INSERT INTO holds SELECT 1, g FROM grandchild g",
		// And one as a dump makes it.
		"CREATE TABLE plain (z int) INHERITS (base)", `CREATE TABLE "the odd" (n text DEFAULT E'\n)\nINHERITS (') INHERITS (base)`, "ALTER TABLE base ADD last text")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	for _, q := range []string{
		"SELECT string_agg(attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || attislocal || attinhcount || attnotnull || attgenerated::text || attstorage::text || attcollation::regcollation, E'\\n' ORDER BY attrelid::regclass::text COLLATE \"C\", %s) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped",
		"SELECT string_agg(conrelid::regclass || '.' || conname || ' ' || conislocal || coninhcount || pg_get_constraintdef(oid), E'\\n' ORDER BY conrelid::regclass::text COLLATE \"C\", conname) FROM pg_constraint WHERE contype IN ('c', 'n')",
		"SELECT string_agg(adrelid::regclass || '.' || attname || ' ' || pg_get_expr(adbin, adrelid), E'\\n' ORDER BY adrelid::regclass::text COLLATE \"C\", attname) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum",
		"SELECT string_agg(inhrelid::regclass || '<' || inhparent::regclass, E'\\n' ORDER BY inhrelid::regclass::text COLLATE \"C\", inhseqno) FROM pg_inherits WHERE inhrelid::regclass::text !~ '_idx|pg_toast'",
		"SELECT b || l || (SELECT was::text || many::text FROM audit) || (SELECT g::text FROM holds) FROM badges",
	} {
		if strings.Contains(q, "%s") {
			q = fmt.Sprintf(q, "attnum")
		}
		if major(t, a) < 13 || major(t, b) < 13 {
			q = strings.ReplaceAll(q, "attcollation::regcollation", "attcollation")
		}
		if (major(t, a) < 18) != (major(t, b) < 18) {
			q = strings.ReplaceAll(q, "('c', 'n')", "('c')")
		}
		want, got := a.Value(t, from, q), b.Value(t, to, q)
		if want != got {
			t.Errorf("%s\n%s, want\n%s", q, got, want)
		}
	}
}
