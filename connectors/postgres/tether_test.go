package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// tethers makes the database of testdata/tethers.sql, with rights and policies of a role
// that only its server has.
func tethers(t *testing.T, a *connectortest.PostgresServer) (dsn, role string) {
	t.Helper()
	dsn = a.Database(t)
	sql, err := os.ReadFile("testdata/tethers.sql")
	if err != nil {
		t.Fatal(err)
	}
	role = a.Name(t) + "_app"
	a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+ident(role)+" LOGIN PASSWORD 'never-to-travel'")
	t.Cleanup(func() {
		a.Exec(t, dsn, "DROP OWNED BY "+ident(role)+" CASCADE")
		a.Exec(t, a.DSN("postgres"), "DROP ROLE "+ident(role))
	})
	if v := a.Value(t, dsn, "SHOW server_version_num"); v < "140000" {
		// Bodies in standard SQL came later.
		sql = bytes.Replace(sql, []byte("LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer); END;"),
			[]byte("LANGUAGE sql AS $$SELECT count(*) FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer)$$;"), 1)
	}
	a.Exec(t, dsn, string(sql),
		"GRANT SELECT, INSERT ON people TO "+ident(role),
		"GRANT EXECUTE ON FUNCTION trusted() TO "+ident(role),
		"ALTER DATABASE "+ident(databaseOf(dsn))+" SET app.secret = 'never-to-travel'",
		"CREATE SCHEMA cron", "CREATE TABLE cron.job (jobid bigint, schedule text, command text, database text, username text, active boolean, jobname text)",
		"INSERT INTO cron.job VALUES (1, '0 3 * * *', 'SELECT public.ask(''x'')', 'crm', 'app', true, 'nightly')",
		"CREATE SUBSCRIPTION "+ident(role+"_s")+" CONNECTION 'host=192.0.2.1 password=never-to-travel' PUBLICATION p WITH (connect = false)")
	t.Cleanup(func() {
		a.Exec(t, dsn, "ALTER SUBSCRIPTION "+ident(role+"_s")+" SET (slot_name = NONE)")
		a.Exec(t, dsn, "DROP SUBSCRIPTION "+ident(role+"_s"))
	})
	return dsn, role
}

func databaseOf(dsn string) string {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		panic(err)
	}
	return c.Database
}

func fateLines(objects []catalog.Object, role string) string {
	var b strings.Builder
	for _, o := range objects {
		fmt.Fprintf(&b, "%s: %s %s: %s\n", o.Fate, o.Kind, strings.ReplaceAll(o.Name, role, "APP"), o.Reason)
	}
	return b.String()
}

func catalogKeeping(t *testing.T, dsn string, keep ...string) (*catalog.Catalog, error) {
	t.Helper()
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return src.Catalog(t.Context())
}

// TestTethers copies a database that holds on to production by all means, and tries to
// reach out from the copy.
func TestTethers(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	dsn, role := tethers(t, a)
	c, err := catalogKeeping(t, dsn)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fates.txt", fateLines(c.Fates(), role))

	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What the plan says and what a run says is one list.
	if plan, run := fateLines(c.Fates(), role), fateLines(defs.LeftBehind, role); plan != run {
		t.Errorf("the run leaves behind\n%s\nthe plan\n%s", run, plan)
	}
	if strings.Contains(string(defs.Data), "never-to-travel") || strings.Contains(string(defs.Data), "hooks.internal") {
		t.Error("a password, or an address, travels")
	}
	name := b.Name(t)
	to := b.DSN(name)
	if err := copyAll(t, dsn, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"SELECT count(*) FROM pg_foreign_server":                                "0",
		"SELECT count(*) FROM pg_user_mapping":                                  "0",
		"SELECT count(*) FROM pg_publication":                                   "0",
		"SELECT count(*) FROM pg_event_trigger":                                 "0",
		"SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension":    "pgcrypto plpgsql",
		"SELECT count(*) FROM people":                                           "20",
		"SELECT count(*) FROM lines":                                            "2",
		"SELECT innocent() || http_status(3)":                                   "call dblink('x') or COPY people TO PROGRAM 'x'3",
		"SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE NOT tgisinternal": "tidy",
		"SELECT count(*) FROM pg_class WHERE relname IN ('account_names', 'shouted', 'account_cache', 'straight', 'lines_graded')":                  "0",
		"SELECT relispopulated::text FROM pg_class WHERE relname = 'answered'":                                                                      "false",
		"SELECT coalesce(string_agg(column_default, ' '), '') FROM information_schema.columns WHERE table_name = 'lines'":                           "'a'::text",
		"SELECT count(*) FROM information_schema.role_table_grants WHERE grantee <> current_user AND table_schema = 'public'":                       "0",
		"SELECT provolatile::text || proretset::text || prosecdef::text || proisstrict::text || pronargdefaults FROM pg_proc WHERE proname = 'ask'": "struefalsefalse1",
		"SELECT count(*) FROM pg_largeobject_metadata":                                                                                              "0",
	} {
		if got := b.Value(t, to, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	conn, err := pgx.Connect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "INSERT INTO people VALUES (99)"); err != nil {
		t.Errorf("a trigger that would call out: %v", err)
	}
	for _, call := range []string{"SELECT ask('x')", "SELECT ask(NULL, true)", "SELECT standard(1)", "SELECT hidden('x')", "CALL dump_out()", "SELECT from_file()", "SELECT nightly()", "SELECT new_login()", "SELECT asks_twice()", "SELECT * FROM answers", "SELECT graded('x')"} {
		_, err := conn.Exec(t.Context(), call)
		if stateOf(err) != "0A000" || !strings.Contains(err.Error(), "sanitize has neutralised public.") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestKeepObject(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	dsn, role := tethers(t, a)
	for _, c := range []struct {
		keep  string
		words []string
	}{
		{"subscription:" + role + "_s", []string{"never comes along", "would take rows from another server"}},
		{"user mapping:public on elsewhere", []string{"never comes along", "account"}},
		{"job:cron 1 nightly", []string{"never comes along", "acts by itself"}},
		{"publication:changed", []string{"no such object", "'publication:changes'"}},
		{"table:people", []string{"no such object", "KIND:NAME"}},
		{"default:lines.id", []string{"needs extension dblink", "--keep-object 'extension:dblink'"}},
		{"function:innocent()", []string{"comes along as it is"}},
		{"view:account_names", []string{"needs foreign table public.accounts", "what it needs never comes along"}},
	} {
		_, err := catalogKeeping(t, dsn, c.keep)
		wants(t, err, connectors.KindUsage, connectors.SourceSide, c.words...)
	}

	keep := []string{"event trigger:audit_ddl", "publication:changes", "extension:dblink", "function:public.ask(q text, quietly boolean)", "database setting:app.secret"}
	c, err := catalogKeeping(t, dsn, keep...)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	snap, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan, run := fateLines(c.Fates(), role), fateLines(defs.LeftBehind, role); plan != run {
		t.Errorf("the run leaves behind\n%s\nthe plan\n%s", run, plan)
	}
	to := b.DSN(b.Name(t))
	if err := copySnapshot(t, t.Context(), snap, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"SELECT evtname || evtenabled::text FROM pg_event_trigger":                                                "audit_ddlO",
		"SELECT count(*) FROM ddl_log":                                                                            a.Value(t, dsn, "SELECT count(*) FROM ddl_log"),
		"SELECT string_agg(pubname || tablename, ' ') FROM pg_publication_tables":                                 "changespeople",
		"SELECT prosecdef::text FROM pg_proc WHERE proname = 'ask'":                                               "true",
		"SELECT current_setting('app.secret')":                                                                    "never-to-travel",
		"SELECT column_default FROM information_schema.columns WHERE table_name = 'lines' AND column_name = 'id'": "length(dblink_current_query())",
		"SELECT count(*) FROM pg_foreign_server":                                                                  "0",
	} {
		if got := b.Value(t, to, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// Policies of row security and rights, for roles that the target's server has and lacks.
func TestRoles(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	dsn := a.Database(t)
	both, gone := a.Name(t)+"_both", a.Name(t)+`_"gone" TO`
	for _, role := range []string{both, gone} {
		a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+ident(role))
	}
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+ident(both))
	to := b.DSN(b.Name(t))
	t.Cleanup(func() {
		a.Exec(t, dsn, "DROP OWNED BY "+ident(both)+", "+ident(gone)+" CASCADE")
		a.Exec(t, a.DSN("postgres"), "DROP ROLE "+ident(both)+", "+ident(gone))
		b.Exec(t, to, "DROP OWNED BY "+ident(both)+" CASCADE")
		b.Exec(t, b.DSN("postgres"), "DROP ROLE "+ident(both))
	})
	a.Exec(t, dsn, "CREATE TABLE t (id integer, v text)", "INSERT INTO t VALUES (1, 'x')", "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY everybody ON t USING (id > 0)",
		"CREATE POLICY for_both ON t FOR SELECT TO "+ident(both)+" USING (true)",
		"CREATE POLICY \"of TO all\" ON t AS RESTRICTIVE TO "+ident(gone)+", "+ident(both)+" USING (v <> ' TO ')",
		"CREATE POLICY for_gone ON t TO "+ident(gone)+" USING (true)",
		"COMMENT ON POLICY for_gone ON t IS 'goes with it'", "COMMENT ON POLICY for_both ON t IS 'stays'",
		"CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
		"GRANT EXECUTE ON FUNCTION f() TO "+ident(both)+" WITH GRANT OPTION",
		"GRANT SELECT, UPDATE ON t TO "+ident(gone), "GRANT SELECT (id) ON t TO "+ident(both), "GRANT INSERT ON t TO PUBLIC")
	var warned []string
	var left string
	copyIt := func(keep ...string) {
		t.Helper()
		warned = nil
		snap, err := openSnapshot(t, dsn, connectors.Options{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		defs, err := snap.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sink, err := Connector{}.OpenSink(t.Context(), to, connectors.Options{Warn: func(m string) { warned = append(warned, strings.ReplaceAll(m, gone, "GONE")) }})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		build, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Catalog: snap.Catalog(), Definitions: defs})
		if err != nil {
			t.Fatal(err)
		}
		left = fateLines(defs.LeftBehind, gone)
		defer build.Abort()
		if err := build.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := build.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := build.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	value := func(sql, want string) {
		t.Helper()
		if got := strings.ReplaceAll(b.Value(t, to, sql), both, "BOTH"); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	const rights = "SELECT coalesce(string_agg(g, ' ' ORDER BY g), '') FROM (SELECT privilege_type || ':' || grantee AS g FROM information_schema.role_table_grants WHERE table_name = 't' AND grantee <> current_user UNION SELECT privilege_type || '(id):' || grantee FROM information_schema.column_privileges WHERE table_name = 't' AND grantee LIKE '%both') x"
	copyIt()
	value("SELECT string_agg(policyname || ' ' || array_to_string(roles, ','), '; ' ORDER BY policyname) FROM pg_policies", "everybody public; for_both BOTH; of TO all public")
	value("SELECT relrowsecurity::text FROM pg_class WHERE relname = 't'", "true")
	value(rights, "")
	want := []string{"policy public.t of TO all restricts all roles: the target's server has no role GONE, whose members may have accounts there",
		"policy public.t for_gone stays behind: the target's server has no role GONE; row security stays on, and shows the rows to those alone whom another policy lets see them"}
	slices.Sort(want)
	slices.Sort(warned)
	if !slices.Equal(warned, want) {
		t.Errorf("warned %q", warned)
	}
	if want := "left behind: policy public.t.for_gone: is for roles that the target's server does not have\n"; !strings.Contains(left, want) || !strings.Contains(left, "noted: policy public.t.of TO all: restricts all roles: ") {
		t.Errorf("the summary would say\n%s", left)
	}
	copyIt(catalog.Grants)
	if !strings.Contains(left, "left behind: rights of role ") {
		t.Errorf("the summary would say\n%s", left)
	}
	value(rights, "INSERT:PUBLIC SELECT(id):BOTH")
	value("SELECT proacl::text FROM pg_proc WHERE proname = 'f'", `{postgres=X/postgres,BOTH=X*/postgres}`)
	if !slices.Contains(warned, `2 rights of role "`+strings.ReplaceAll(strings.ReplaceAll("GONE", "GONE", gone), `"`, `""`)+`" stay behind: the target's server has no such role`) {
		t.Errorf("warned %q", warned)
	}
}

// What holds on to production by ways that are seldom gone: compiled code without an
// extension, names that hide others, definitions that call the server's own functions.
func TestTethersByways(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE SCHEMA app", "CREATE EXTENSION btree_gist",
		// As a database has them that was upgraded from the time before extensions.
		"CREATE FUNCTION dblink(text, text) RETURNS SETOF record LANGUAGE c STRICT AS '$libdir/dblink', 'dblink_record'",
		"CREATE FUNCTION app.dblink(q json) RETURNS text LANGUAGE sql AS 'SELECT $1::text'",
		"CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE c IMMUTABLE STRICT AS '$libdir/pgcrypto', 'pg_digest'",
		"CREATE FUNCTION rd(text) RETURNS SETOF text LANGUAGE internal STRICT AS 'pg_ls_dir_1arg'",
		"CREATE FUNCTION asks() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM * FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer); END$$",
		"CREATE VIEW remote AS SELECT a FROM dblink('host=prod.internal', 'SELECT 1') AS t(a integer)",
		"CREATE FUNCTION app.pg_read_file(text, integer) RETURNS text LANGUAGE sql AS 'SELECT $1'",
		"CREATE FUNCTION reads() RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN pg_read_file('/etc/hostname'); END$$",
		"CREATE FUNCTION app.http_get(u text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN http_get(u, 1); END$$",
		"CREATE FUNCTION calls(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF false THEN PERFORM dblink('x', 'y'); END IF; RETURN n; END$$",
		`CREATE TABLE "a b" (n integer, "the host" text DEFAULT pg_read_file('/etc/hostname'), CONSTRAINT hosts CHECK (n > 0 OR "the host" <> pg_read_file('/etc/hostname')))`,
		`INSERT INTO "a b" VALUES (1, 'x'), (2, NULL)`,
		`COMMENT ON CONSTRAINT hosts ON "a b" IS 'goes with it'`,
		"CREATE DOMAIN host AS text DEFAULT pg_read_file('/etc/hostname') CONSTRAINT known CHECK (VALUE IS NULL OR VALUE <> pg_read_file('/etc/hostname')) CONSTRAINT short CHECK (calls(length(VALUE)) < 99) CHECK (VALUE <> '')",
		"COMMENT ON CONSTRAINT known ON DOMAIN host IS 'goes with it'", "CREATE TABLE hosts (h host)", "INSERT INTO hosts VALUES ('x')",
		// A type, and a table, by the name of a function that is neutralised, are not that function.
		"CREATE FUNCTION level(n integer) RETURNS integer LANGUAGE plpgsql AS $$BEGIN PERFORM dblink('x', 'y'); RETURN n; END$$", "CREATE TYPE level AS ENUM ('low', 'high')",
		"CREATE TABLE levels (n integer, l level DEFAULT 'low', CONSTRAINT named CHECK (l <> 'high'::level))", "INSERT INTO levels VALUES (1, 'low')",
		"CREATE DOMAIN given AS integer DEFAULT calls(1)", "CREATE TABLE givens (n integer, g given)",
		`ALTER TABLE "a b" ADD CONSTRAINT "ex c" EXCLUDE USING gist (calls(n) WITH =)`,
		`COMMENT ON CONSTRAINT "ex c" ON "a b" IS 'goes with it'`,
		`ALTER TABLE "a b" ADD CONSTRAINT later CHECK (calls(n) > 1) NOT VALID`,
		"CREATE TABLE defaults (n integer, m integer DEFAULT calls(1) + 1, k integer NOT NULL DEFAULT calls(2), d text DEFAULT 'calls(2)')", "INSERT INTO defaults VALUES (1, 2, 3, 'y')",
		"CREATE TABLE default_parts (n integer, m integer DEFAULT calls(1)) PARTITION BY LIST (n)", "CREATE TABLE default_parts_1 PARTITION OF default_parts FOR VALUES IN (1)",
		// What only somebody's use calls: defaults of views and of parameters, bodies, policies; and a rule, which a write calls.
		"CREATE VIEW wide AS SELECT n, m, d FROM defaults", "ALTER VIEW wide ALTER m SET DEFAULT calls(7)", "ALTER VIEW wide ALTER d SET DEFAULT pg_read_file('/etc/hostname')", "ALTER VIEW wide ALTER n SET DEFAULT 3",
		"CREATE FUNCTION defaulting(a integer, b text DEFAULT ') calls(3)', c integer DEFAULT calls(3)) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT a'",
		"CREATE FUNCTION spelling(a integer, b text DEFAULT 'calls(3)') RETURNS text LANGUAGE sql AS 'SELECT b'", "CREATE FUNCTION calls(t text) RETURNS text LANGUAGE sql AS 'SELECT t'",
		"CREATE POLICY seen ON levels USING (calls(n) > 0)", "CREATE RULE also AS ON INSERT TO levels DO ALSO SELECT calls(1)",
		"CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM reads(); PERFORM asks(); RETURN NEW; END$$",
		`CREATE TRIGGER tells BEFORE INSERT ON "a b" FOR EACH ROW EXECUTE FUNCTION tells()`)
	c, err := catalogKeeping(t, dsn)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fates_byways.txt", fateLines(c.Fates(), "nobody"))
	kept, err := catalogKeeping(t, dsn, "function:reads()")
	if err != nil {
		t.Fatal(err)
	}
	if got := fateLines(kept.Fates(), "nobody"); !strings.Contains(got, "left behind: trigger public.a b.tells: calls function public.asks(), which is neutralised") {
		t.Errorf("with one of two functions that it calls, the trigger is not left behind for the other:\n%s", got)
	}
	to := b.DSN(b.Name(t))
	if err := copyAll(t, dsn, to, "r1", nil); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		`SELECT count(*) FROM "a b"`: "2",
		"SELECT count(*) FROM pg_constraint WHERE conrelid = '\"a b\"'::regclass AND contype <> 'n'": "0",
		"SELECT count(*) FROM pg_constraint WHERE conname = 'named'":                                 "1",
		"SELECT h FROM hosts": "x",
		"SELECT string_agg(conname, ' ') FROM pg_constraint WHERE contypid = 'host'::regtype AND contype <> 'n'":   "host_check",
		"SELECT coalesce(typdefault, '') FROM pg_type WHERE oid = 'host'::regtype":                                 "",
		"SELECT coalesce(typdefault, '') FROM pg_type WHERE oid = 'given'::regtype":                                "",
		"SELECT string_agg(pg_get_expr(adbin, adrelid), ' ' ORDER BY pg_get_expr(adbin, adrelid)) FROM pg_attrdef": "'calls(2)'::text 'low'::level 3",
		"SELECT count(*) FROM pg_rules WHERE schemaname = 'public'":                                                "0",
		"SELECT count(*) FROM pg_policies":                                                                         "1",
		"SELECT spelling(1)":                                                                                       "calls(3)",
		"SELECT count(*) FROM pg_trigger":                                                                          "0",
		"SELECT length(digest('x', 'sha256'))":                                                                     "32",
		"SELECT count(*) FROM pg_proc WHERE proname IN ('dblink', 'rd') AND pronamespace = 'public'::regnamespace": "0",
	} {
		if got := b.Value(t, to, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	// What leaves the columns out goes in: their defaults stay behind, and would fail.
	b.Exec(t, to, "INSERT INTO defaults (k) VALUES (7)", "INSERT INTO default_parts (n) VALUES (1)", "INSERT INTO givens (n) VALUES (1)")
	if got := b.Value(t, to, "SELECT string_agg(coalesce(m::text, 'none'), ' ' ORDER BY k) FROM defaults"); got != "2 none" {
		t.Errorf("defaults: %s", got)
	}
	if kept, err := catalogKeeping(t, dsn, "function:calls(n integer)", "function:dblink(text, text)"); err != nil || strings.Contains(fateLines(kept.Fates(), "nobody"), "default public.defaults.m") {
		t.Errorf("a default stays behind though what it calls is kept: %v", err)
	}
	a.Exec(t, dsn, "CREATE TABLE sums (n integer, m integer GENERATED ALWAYS AS (calls(n)) STORED)")
	for _, keep := range [][]string{nil, {"function:calls(n integer)", "function:dblink(text, text)"}} {
		snap, err := openSnapshot(t, dsn, connectors.Options{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = snap.Definitions(t.Context()); keep != nil && err != nil {
			t.Error(err)
		} else if keep == nil {
			wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "public.sums.m", "--keep-object 'function:public.calls(n integer)'")
		}
	}
}

// A setting of the database that somebody keeps, and that the target's account may not
// set, is left behind, and the run says so at its end, too. What the server says of it may
// quote the value, as of a role that may not be taken: it is not repeated.
func TestRefusedSetting(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	dsn := a.Database(t)
	quoted := a.Name(t)
	for _, sql := range []string{"CREATE ROLE " + ident(quoted), "ALTER DATABASE " + ident(databaseOf(dsn)) + " SET role = " + literal(quoted), "DROP ROLE " + ident(quoted)} {
		a.Exec(t, a.DSN("postgres"), sql)
	}
	a.Exec(t, dsn, "ALTER DATABASE "+ident(databaseOf(dsn))+" SET log_statement = 'all'", "ALTER DATABASE "+ident(databaseOf(dsn))+" SET statement_timeout = '7min'")
	snap, err := openSnapshot(t, dsn, connectors.Options{Keep: []string{"database setting:log_statement", "database setting:role", "database setting:statement_timeout"}})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	account := b.Name(t)
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+ident(account)+" LOGIN CREATEDB PASSWORD 'maker'", "CREATE ROLE "+ident(quoted))
	t.Cleanup(func() { b.Exec(t, b.DSN("postgres"), "DROP ROLE "+ident(account)+", "+ident(quoted)) })
	var warned []string
	sink, err := Connector{}.OpenSink(t.Context(), b.DSNAs(b.Name(t), account, "maker"), connectors.Options{Warn: func(m string) { warned = append(warned, m) }})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	build, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Catalog: snap.Catalog(), Definitions: defs})
	if err != nil {
		t.Fatal(err)
	}
	defer build.Abort()
	left := fateLines(defs.LeftBehind, "nobody")
	for _, want := range []string{"log_statement: is refused by the target: set it: missing right (SQLSTATE 42501)\n", "role: is refused by the target: set it: missing right (SQLSTATE 42501)\n"} {
		if want = "left behind: database setting " + want; !strings.Contains(left, want) {
			t.Errorf("no %q in\n%s", want, left)
		}
	}
	if said := left + strings.Join(warned, "\n"); strings.Contains(said, quoted) {
		t.Errorf("a value is shown in\n%s", said)
	}
	if strings.Contains(left, "log_statement: is kept") || !strings.Contains(left, "noted: database setting statement_timeout: is kept by name") {
		t.Errorf("the summary would say\n%s", left)
	}
	if !slices.ContainsFunc(warned, func(m string) bool { return strings.HasPrefix(m, "the database setting log_statement stays behind: ") }) {
		t.Errorf("warned %q", warned)
	}
}

// An account that may not make an event trigger is told before anything is made.
func TestKeepEventTrigger(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE FUNCTION acts() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'", "CREATE EVENT TRIGGER acts ON ddl_command_end EXECUTE FUNCTION acts()")
	snap, err := openSnapshot(t, dsn, connectors.Options{Keep: []string{"event trigger:acts"}})
	if err != nil {
		t.Fatal(err)
	}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	account := b.Name(t)
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+ident(account)+" LOGIN CREATEDB PASSWORD 'maker'")
	t.Cleanup(func() { b.Exec(t, b.DSN("postgres"), "DROP ROLE "+ident(account)) })
	name := b.Name(t)
	sink, err := Connector{}.OpenSink(t.Context(), b.DSNAs(name, account, "maker"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	_, err = sink.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Catalog: snap.Catalog(), Definitions: defs})
	wants(t, err, connectors.KindUnavailable, connectors.SinkSide, "event trigger acts", "superuser")
	if got := b.Value(t, b.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE "+literal(name+"%")); got != "0" {
		t.Errorf("%s databases are left", got)
	}
}

// The libraries that may come along are named as the server does, and no others.
func TestCompiledTether(t *testing.T) {
	for library, want := range map[string]string{
		"": "", "$libdir/plpgsql": "", "pgcrypto": "", "$libdir/hstore.so": "", "$libdir/postgis-2.5": "",
		"$libdir/dblink": reachesServer, "/usr/lib/pgsql/dblink.so": reachesServer, "$libdir/http": reachesWeb,
		"$libdir/ours": unknownLibrary, "/tmp/pgcrypto.so": unknownLibrary, "$libdir/postgis-/../x": unknownLibrary, "$libdir/rtpostgis-2.5": unknownLibrary,
	} {
		if got := (doing{library: library}).compiled(); got != want {
			t.Errorf("%s: %q, want %q", library, got, want)
		}
	}
	for symbol, want := range map[string]string{"textin": "", "pg_read_file_all": reachesFile, "be_lo_export": reachesFile, "lo_open": ""} {
		if got := (doing{symbol: symbol}).compiled(); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
}

// Code that reaches out, and code that only looks like it.
func TestReaches(t *testing.T) {
	own := map[string]bool{"public.http_get": true, "http_get": true, "app.pg_read_file": true, "pg_read_file": true}
	in := func(language, body string) string {
		return "CREATE OR REPLACE FUNCTION public.f()\n RETURNS void\n LANGUAGE " + language + "\nAS $function$" + body + "$function$"
	}
	for code, want := range map[string]string{
		"SELECT dblink_connect('x')":                                      reachesServer,
		`SELECT "dblink"('x')`:                                            reachesServer,
		"SELECT public.dblink_fdw_validator (1)":                          reachesServer,
		"SELECT dblink":                                                   "",
		"SELECT 1 -- dblink('x')\n":                                       "",
		"SELECT 'dblink(''x'')'":                                          "",
		"EXECUTE 'SELECT dblink(''x'')'":                                  reachesServer,
		"EXECUTE $q$SELECT dblink('x')$q$":                                reachesServer,
		"/* dblink( /* nested */ dblink('x') */ SELECT 1":                 "",
		"SELECT http_get('x')":                                            "",
		"SELECT app.pg_read_file('x')":                                    "",
		"SELECT pg_read_file('x')":                                        reachesFile,
		"SELECT ext.http_get('x')":                                        reachesWeb,
		"SELECT http((1)::http_request)":                                  reachesWeb,
		"SELECT net.http_delete('x')":                                     reachesWeb,
		"SELECT net.amount FROM net":                                      "",
		"SELECT aws_lambda.invoke('x')":                                   reachesWeb,
		"SELECT cron.schedule('x', 'y')":                                  reachesLater,
		"INSERT INTO cron.job (command) VALUES ('x')":                     reachesLater,
		"COPY t FROM PROGRAM 'x'":                                         reachesProgram,
		"COPY (SELECT 1) TO '/tmp/x'":                                     reachesFile,
		"COPY t TO STDOUT":                                                "",
		"SELECT copy FROM t; SELECT 'x'":                                  "",
		"SELECT pg_catalog.lo_import('/etc/passwd')":                      reachesFile,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p":              reachesServer,
		"CREATE USER MAPPING FOR a SERVER b":                              reachesServer,
		"IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y":                    reachesServer,
		"ALTER SYSTEM SET x = 1":                                          "would change the server's settings",
		"ALTER ROLE a WITH LOGIN PASSWORD 'x'":                            setsPassword,
		"ALTER ROLE a PASSWORD NULL":                                      "",
		"UPDATE accounts SET password = 'x'":                              "",
		"SELECT query_to_xml('SELECT dblink(''x'')', true, true, '')":     reachesServer,
		"CREATE FUNCTION f() AS $function$ SELECT dblink('x') $function$": reachesServer,
		"SELECT 'unterminated dblink('":                                   "",
		"SELECT E'\\' dblink(' || 'x'":                                    "",

		// Words that are other things elsewhere.
		"SELECT copy FROM ads WHERE status IS DISTINCT FROM 'draft'":                                 "",
		"SELECT ads.copy FROM ads WHERE extract(year from '2020-01-01'::date) > 1":                   "",
		"CHECK (copy IS DISTINCT FROM '')":                                                           "",
		"BEGIN IF NEW.copy IS DISTINCT FROM 'x' THEN copy := substring(NEW.a from 'b'); END IF; END": "",
		"SELECT CASE WHEN a THEN copy ELSE b END, substring(c from 'd')":                             "",
		"INSERT INTO http_request (url) VALUES ('x')":                                                "",
		"INSERT INTO public.http_get (url) SELECT 'x'":                                               "",
		"CREATE TABLE IF NOT EXISTS dblink_log (n integer)":                                          "",
		"ALTER TABLE a ADD FOREIGN KEY (n) REFERENCES dblink_log (n)":                                "",
		"SELECT h.n FROM t AS http(n)":                                                               "",
		"INSERT INTO net.prices (n) VALUES (1)":                                                      "",
		"INSERT INTO net.http_request_queue (url) VALUES ('x')":                                      reachesWeb,
		"INSERT INTO t (a) SELECT dblink('x')":                                                       reachesServer,
		"BEGIN COPY t FROM '/x'; END":                                                                reachesFile,
		"BEGIN IF a THEN COPY t (a, b) TO '/x'; ELSE NULL; END IF; END":                              reachesFile,
		"BEGIN <<again>> COPY BINARY s.t FROM '/x'; END":                                             reachesFile,
		"SELECT 1; COPY (SELECT a FROM t WHERE b <> ';') TO PROGRAM 'x'":                             reachesProgram,
		// Code that is put together, and code of other languages.
		`EXECUTE 'COPY ' || quote_ident(t) || ' TO PROGRAM ''curl -T - https://x'''`:                              reachesProgram,
		`EXECUTE 'COPY ' || quote_ident(s) || '.' || quote_ident(t) || ' (' || c || ') FROM ''/srv/in.csv'' CSV'`: reachesFile,
		`EXECUTE 'COPY ' || t || ' FROM ' || quote_literal(f)`:                                                    reachesFile,
		`EXECUTE ('COPY ' || t) || ' FROM ''/srv/in.csv'''`:                                                       reachesFile,
		`EXECUTE format('COPY %I.%2$I (%s) TO PROGRAM %L', a, b, c, d)`:                                           reachesProgram,
		`EXECUTE format('COPY %I ', t) || format('TO %L', f)`:                                                     reachesFile,
		`EXECUTE concat('COPY ', t, ' TO PROGRAM ''x''')`:                                                         reachesProgram,
		"EXECUTE 'COPY t '\n'TO PROGRAM ''x'''":                                                                   reachesProgram,
		`c := 'COPY ' || t || ' TO ''' || f || ''''; EXECUTE c`:                                                   reachesFile,
		`EXECUTE E'COPY t FROM \'/x\''`:                                                                           reachesFile,
		`EXECUTE 'SELECT dblink' || suffix || '_exec(''x'')'`:                                                     reachesServer,
		`EXECUTE 'COPY ' || t || ' FROM STDIN'`:                                                                   "",
		`EXECUTE 'SELECT copy FROM ' || t || ' WHERE a IS DISTINCT FROM ''b'''`:                                   "",
		`EXECUTE 'INSERT INTO http_request (url) VALUES (' || quote_literal(u) || ')'`:                            "",
		`RAISE NOTICE '%', 'COPY ' || t || ' TO PROGRAM ''x'''`:                                                   "",
		`EXECUTE format('ALTER ROLE %I PASSWORD %L', r, p)`:                                                       setsPassword,
		`EXECUTE 'ALTER ROLE a PASSWORD ' || quote_literal(p)`:                                                    setsPassword,
		in("plperl", `spi_exec_query("COPY t TO PROGRAM 'curl https://x'");`):                                     reachesProgram,
		in("plperl", `my $q = "COPY " . quote_ident($t) . " FROM '/srv/in.csv'"; spi_exec_query($q);`):            reachesFile,
		in("plperl", `spi_exec_query('COPY ' . quote_ident($t) . ' TO PROGRAM \'curl\'');`):                       reachesProgram,
		in("plperl", "# it's ours\nspi_exec_query(\"SELECT dblink('x', 'y')\");"):                                 reachesServer,
		in("plperl", `spi_exec_query("COPY $t TO $f");`):                                                          reachesFile,
		in("plperl", `my $copy = shift; return "$copy from here";`):                                               "",
		in("plv8", `spi_exec_query("SELECT net.http_post('https://x')");`):                                        reachesWeb,
	} {
		if got := reaches(code, own); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

func FuzzReaches(f *testing.F) {
	f.Add("SELECT dblink('x') -- $a$ /* ")
	f.Add("E'\\'")
	f.Add(`EXECUTE format('COPY %I' || x, y) || ' TO PROGRAM ''z''' || concat('a', b`)
	f.Add(`LANGUAGE plperl AS $function$ 'COPY ' . "x" . ' FROM \'a\'' $function$`)
	f.Fuzz(func(t *testing.T, code string) {
		reaches(code+" copy server", nil)
		mentions(code, func(name string) bool { return name == "a.b" })
	})
}

// An extension that the target cannot have is left behind by name, and what needs it with it; a
// table that cannot do without it stops the run.
func TestExtensionsLeftByName(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION pg_trgm", "CREATE EXTENSION citext", "CREATE TABLE people (id int PRIMARY KEY, name text)", "INSERT INTO people VALUES (1, 'Ann')",
		"CREATE INDEX by_likeness ON people USING gin (name gin_trgm_ops)", "CREATE VIEW alike AS SELECT similarity(name, 'An') AS s FROM people")
	opts := connectors.Options{Workers: 2, Leave: []string{"pg_trgm"}}
	snap, err := openSnapshot(t, from, opts)
	if err != nil {
		t.Fatal(err)
	}
	fates := fateLines(snap.Catalog().Fates(), "nobody")
	for _, want := range []string{"left behind: extension pg_trgm: is left behind by name\n", "index public.by_likeness", "view public.alike"} {
		if !strings.Contains(fates, want) {
			t.Errorf("no %q in\n%s", want, fates)
		}
	}
	if err := connectortest.Copy(t, Connector{}, opts, from, to); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, to, "SELECT string_agg(extname, ' ' ORDER BY extname) || ' ' || (SELECT count(*) FROM people) FROM pg_extension"); got != "citext plpgsql 1" {
		t.Errorf("the copy has %s", got)
	}
	_, err = openSnapshot(t, from, connectors.Options{Leave: []string{"hstore"}})
	wants(t, err, connectors.KindUsage, connectors.SourceSide, "the source has no such extension", "citext, pg_trgm, plpgsql")
	typed := a.Database(t)
	a.Exec(t, typed, "CREATE EXTENSION citext", "CREATE TABLE people (mail citext)")
	if snap, err = openSnapshot(t, typed, connectors.Options{Leave: []string{"citext"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := snap.Definitions(t.Context()); err == nil || !strings.Contains(err.Error(), "extension citext") {
		t.Errorf("a column of its type: %v", err)
	}
}

// What an extension that is left behind has made goes with it whole: the checks of its domains and tables, and the
// columns of these. What people have made of it stops a copy as ever.
func TestMembersOfExtensionsLeftByName(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION cube", "CREATE EXTENSION earthdistance", "CREATE TABLE shops (id int PRIMARY KEY, lat float8)", "INSERT INTO shops VALUES (1, 2)",
		"CREATE TABLE places (at earth CHECK (latitude(at) > -100), lat float8 DEFAULT latitude(NULL), twice float8 GENERATED ALWAYS AS (earth_distance(at, at)) STORED)", "ALTER EXTENSION earthdistance ADD TABLE places",
		"CREATE INDEX far ON shops (sec_to_gc(lat))")
	opts := connectors.Options{Workers: 2, Leave: []string{"earthdistance"}}
	snap, err := openSnapshot(t, from, opts)
	if err != nil {
		t.Fatal(err)
	}
	const want = "left behind: extension earthdistance: is left behind by name\nleft behind: extension table public.places: needs extension earthdistance, which stays behind\nleft behind: index public.far: needs extension earthdistance, which stays behind\n"
	if got := fateLines(snap.Catalog().Fates(), "nobody"); got != want {
		t.Errorf("fates\n%s, want\n%s", got, want)
	}
	if err := connectortest.Copy(t, Connector{}, opts, from, to); err != nil {
		t.Fatalf("%v, hint %q", err, connectors.Hint(err))
	}
	if got := b.Value(t, to, "SELECT string_agg(extname, ' ' ORDER BY extname) || ' ' || (SELECT count(*) FROM shops) FROM pg_extension"); got != "cube plpgsql 1" {
		t.Errorf("the copy has %s", got)
	}
	for _, own := range []string{"ADD CHECK (sec_to_gc(lat) > 0)", "ADD far float8 GENERATED ALWAYS AS (sec_to_gc(lat)) STORED", "ADD at earth"} {
		from := a.Database(t)
		a.Exec(t, from, "CREATE EXTENSION earthdistance CASCADE", "CREATE TABLE shops (lat float8)", "ALTER TABLE shops "+own)
		snap, err := openSnapshot(t, from, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := connectors.Stopped(snap.Catalog()); err == nil || !strings.Contains(err.Error(), "public.shops") {
			t.Errorf("%s: %v", own, err)
		}
	}
}
