package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// tainting makes a function f that is neutralised, and what calls it by other names than its own.
var tainting = []string{
	"CREATE FUNCTION f(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN IF n < 0 THEN PERFORM pg_read_file('/etc/hostname'); END IF; RETURN n; END$$",
	"CREATE FUNCTION next_state(s int, n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN s + public.f(n); END'",
	"CREATE FUNCTION below(a int, b text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.f(a) < length(b); END'",
	"CREATE AGGREGATE total (int) (SFUNC = next_state, STYPE = int, INITCOND = '0')",
	"CREATE AGGREGATE last_of (int) (SFUNC = int4larger, STYPE = int, FINALFUNC = f)",
	"CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = text, FUNCTION = below)",
	"CREATE TYPE small AS (n int)", "CREATE FUNCTION to_small(n int) RETURNS small IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN ROW(public.f(n)); END'", "CREATE CAST (int AS small) WITH FUNCTION to_small(int)",
	"CREATE FUNCTION compared(a small, b small) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.f(($1).n) - ($2).n; END'",
	"CREATE OPERATOR CLASS small_ops DEFAULT FOR TYPE small USING btree AS OPERATOR 1 *< (record, record), OPERATOR 3 *= (record, record), FUNCTION 1 compared(small, small)",
	`CREATE TABLE t (a int, b text, s small, CONSTRAINT "is below" CHECK (a <<< b), CONSTRAINT fine CHECK (a < 99))`, "INSERT INTO t SELECT i, repeat('x', 50), i::small FROM generate_series(1, 10) i",
	`COMMENT ON CONSTRAINT "is below" ON t IS 'goes with it'`,
	"CREATE INDEX by_operator ON t (id_of((a <<< b)))", "CREATE INDEX by_cast ON t (((a::small).n))", "CREATE INDEX by_class ON t (s small_ops)", "CREATE INDEX fine_one ON t (a) WHERE a < 5",
	"CREATE MATERIALIZED VIEW totals AS SELECT total(a) AS n, last_of(a) AS l FROM t", "CREATE MATERIALIZED VIEW belows AS SELECT a <<< b AS is FROM t",
	"CREATE MATERIALIZED VIEW kept AS SELECT a FROM t", "CREATE INDEX of_kept ON kept (f(a))", "CREATE INDEX of_kept_fine ON kept (a)", "CREATE INDEX of_kept_by ON kept ((a <<< 'x'))",
	"CREATE VIEW total_seen AS SELECT total(a) AS n FROM t", "CREATE VIEW casted AS SELECT a::small AS s FROM t",
	"CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	"CREATE TRIGGER sometimes BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.a) > 0) EXECUTE FUNCTION noted()", "CREATE TRIGGER by_operator BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a <<< NEW.b) EXECUTE FUNCTION noted()",
	"CREATE TRIGGER always BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION noted()",
	"CREATE DOMAIN lower_one AS int CHECK (VALUE <<< 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')", "CREATE TABLE d (x lower_one, y int DEFAULT (1::small).n, z bool DEFAULT 1 <<< 'x')", "INSERT INTO d VALUES (1, 1)",
	// What is a part of a view is not computed by it.
	"CREATE UNIQUE INDEX of_totals ON totals (n)", "CREATE TRIGGER instead INSTEAD OF INSERT ON total_seen FOR EACH ROW EXECUTE FUNCTION noted()",
	"ALTER VIEW total_seen ALTER n SET DEFAULT 5",
	"CREATE POLICY p ON t USING (a <<< b)", "CREATE TABLE l (a int)", "CREATE RULE r AS ON INSERT TO l DO ALSO SELECT NEW.a <<< 'x'",
}

// What would call a neutralised function by an aggregate, an operator, a cast or an operator
// class has the fate of what calls it by its name.
func TestUsersOfNeutralised(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE FUNCTION id_of(b bool) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT b'")
	a.Exec(t, from, tainting...)
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fates_users.txt", fateLines(c.Fates(), "nobody"))
	if a.Value(t, from, "SELECT current_setting('server_version_num')::int >= 140000") == "t" {
		a.Exec(t, from, "CREATE STATISTICS expressed ON (f(a)), b FROM t", "CREATE STATISTICS by_operator ON (a <<< b), b FROM t")
	}
	a.Exec(t, from, "CREATE STATISTICS fine_stats ON a, b FROM t")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"SELECT count(*) FROM t":    "10",
		"SELECT count(*) FROM kept": "10",
		"SELECT string_agg(relname || relispopulated::text, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'm'":                                                               "belowsfalse kepttrue totalsfalse",
		"SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indexrelid > 16383 AND indrelid::regclass::text !~ 'pg_toast'": "fine_one of_kept_fine of_totals",
		"SELECT string_agg(conname, ' ') FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass":                                                                      "fine",
		"SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger":                                                                                                           "always instead",
		"SELECT string_agg(stxname, ' ') FROM pg_statistic_ext":                                                                                                                    "fine_stats",
		"SELECT count(*) FROM pg_attrdef": "1",
		"SELECT string_agg(conname, ' ') FROM pg_constraint WHERE contypid = 'lower_one'::regtype": "",
	} {
		if got := b.Value(t, to, "SELECT coalesce(("+what+")::text, '')"); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	b.Exec(t, to, "INSERT INTO t VALUES (11, 'y')", "INSERT INTO d VALUES (DEFAULT)", "INSERT INTO l VALUES (1)", "ANALYZE")
}

// Neither a partition key nor a stored column can be done without.
func TestKeysByNeutralised(t *testing.T) {
	a := connectortest.Postgres(t)
	for what, sql := range map[string]string{
		"partition key public.parts":      "CREATE TABLE parts (n int) PARTITION BY RANGE (f(n))",
		"column public.computed.is":       "CREATE TABLE computed (n int, b text, is_one bool, \"is\" bool GENERATED ALWAYS AS (n <<< b) STORED)",
		"constraint public.once.once_key": "CREATE TABLE once (s small CONSTRAINT once_key UNIQUE)",
	} {
		from := a.Database(t)
		a.Exec(t, from, "CREATE FUNCTION id_of(b bool) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT b'")
		a.Exec(t, from, tainting...)
		a.Exec(t, from, sql)
		c, err := catalogKeeping(t, from)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := "stops: "+what+": ", fateLines(c.Fates(), "nobody"); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
		if kept, err := catalogKeeping(t, from, "function:f(n integer)"); err != nil || strings.Contains(fateLines(kept.Fates(), "nobody"), "stops: ") {
			t.Errorf("with the function: %v\n%s", err, fateLines(kept.Fates(), "nobody"))
		}
	}
}
