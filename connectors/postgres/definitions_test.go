package postgres

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// TestCatalogOfDefinitions reads the words of everything that says more than tables,
// columns and keys do; none of them with a password.
func TestCatalogOfDefinitions(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	name := a.Name(t)
	dsn := a.DSN(name)
	a.CreateDatabase(t, name, "")
	reader := name + "_reader"
	a.Exec(t, dsn, "CREATE ROLE "+reader+" NOLOGIN")
	t.Cleanup(func() {
		a.Exec(t, dsn, "DROP OWNED BY "+reader)
		a.Exec(t, dsn, "DROP ROLE "+reader)
	})
	a.Exec(t, dsn,
		`CREATE TYPE mood AS ENUM ('glad', 'it''s complicated')`,
		`CREATE DOMAIN age AS int DEFAULT 42 CHECK (VALUE > 0)`,
		`CREATE TABLE people (id int PRIMARY KEY, email text, born date, "full name" text, password text DEFAULT 'hunter2-never-shown',
			loud text GENERATED ALWAYS AS (upper("full name")) STORED,
			CONSTRAINT "has a way" CHECK (email IS NOT NULL OR "full name" <> 'nobody'))`,
		`COMMENT ON TABLE people IS 'everyone; see postgres://app:hunter2-never-shown@prod/shop'`,
		`CREATE INDEX plain ON people (born)`,
		`CREATE INDEX folded ON people (lower(email), born)`,
		`CREATE INDEX few ON people (id) WHERE email = 'ceo@shop.example'`,
		`CREATE TABLE log (was text)`,
		`CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO log VALUES (OLD.email);
			PERFORM 'host=prod user=app password=hunter2-never-shown';
			RETURN NEW; END $$`,
		`COMMENT ON FUNCTION remember() IS 'keeps the old one'`,
		`CREATE TRIGGER on_change AFTER UPDATE OF email ON people FOR EACH ROW WHEN (OLD.born IS NOT NULL) EXECUTE FUNCTION remember()`,
		`CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM log'`,
		`CREATE AGGREGATE longest (text) (sfunc = textcat, stype = text)`,
		`CREATE VIEW adults AS SELECT id, email FROM people WHERE born < '2000-01-01'`,
		`CREATE VIEW above AS SELECT email FROM adults`,
		`CREATE MATERIALIZED VIEW kept AS SELECT email, count(*) FROM people GROUP BY email`,
		`CREATE RULE quiet AS ON DELETE TO log DO INSTEAD NOTHING`,
		`CREATE PUBLICATION p FOR TABLE people`,
		`CREATE SUBSCRIPTION s CONNECTION 'host=prod password=hunter2-never-shown' PUBLICATION far WITH (connect = false)`,
		`CREATE FOREIGN DATA WRAPPER w`,
		`CREATE SERVER prod FOREIGN DATA WRAPPER w OPTIONS (host 'prod.shop.example', apikey 'hunter2-never-shown')`,
		`CREATE USER MAPPING FOR CURRENT_USER SERVER prod OPTIONS (user 'app', password 'hunter2-never-shown')`,
		`CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`,
		`CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watch()`,
		`CREATE SCHEMA cron`,
		`CREATE TABLE cron.job (jobid int, schedule text, command text, database text, username text, active bool, jobname text)`,
		`INSERT INTO cron.job VALUES (7, '0 3 * * *', 'SELECT dblink(''host=prod password=hunter2-never-shown'')', 'shop', 'app', true, 'nightly')`,
		`CREATE SCHEMA pgagent`,
		`CREATE TABLE pgagent.pga_job (jobid int, jobname text, jobenabled bool)`,
		`CREATE TABLE pgagent.pga_jobstep (jstjobid int, jstname text, jstenabled bool, jstdbname text, jstconnstr text, jstcode text)`,
		`INSERT INTO pgagent.pga_job VALUES (1, 'weekly', true)`,
		`INSERT INTO pgagent.pga_jobstep VALUES (1, 'push', false, '', 'host=prod password=hunter2-never-shown', 'VACUUM')`,
		`GRANT SELECT ON people TO `+reader,
	)
	t.Cleanup(func() {
		a.Exec(t, dsn, `ALTER SUBSCRIPTION s SET (slot_name = NONE)`)
		a.Exec(t, dsn, `DROP SUBSCRIPTION s`)
	})
	c := catalogOf(t, dsn)
	var b strings.Builder
	for _, id := range []string{"people", "log"} {
		table := c.Find(id)
		for _, col := range table.Columns {
			if col.Computation != "" || col.Default != "" {
				fmt.Fprintf(&b, "%s.%s: default %q, computed %q\n", id, col.Name, col.Default, col.Computation)
			}
		}
		for _, list := range []struct {
			what string
			all  []catalog.Definition
		}{{"check", table.Checks}, {"index", table.Indexes}, {"trigger", table.Triggers}} {
			for _, d := range list.all {
				fmt.Fprintf(&b, "%s: %s %s: %s\n  reads %q, calls %q\n", id, list.what, d.Name, d.Text, d.Reads, d.Function)
			}
		}
		if table.Comment != "" {
			fmt.Fprintf(&b, "%s: %s\n", id, table.Comment)
		}
	}
	for _, o := range c.Objects {
		if o.Kind == "role" && o.Name != reader || o.Kind == "user mapping" || o.Kind == "extension" || o.Kind == "schema" {
			continue // named after whoever runs the test
		}
		fmt.Fprintf(&b, "%s %s", o.Kind, strings.Replace(o.Name, name, "DB", 1))
		if o.Definition != "" {
			// Before 16 a server names the table of every column.
			fmt.Fprintf(&b, ": %s", strings.NewReplacer("people.", "", "adults.", "").Replace(o.Definition))
		}
		b.WriteString("\n")
		if len(o.Reads) > 0 {
			fmt.Fprintf(&b, "  reads %v\n", o.Reads)
		}
		if o.Comment != "" {
			fmt.Fprintf(&b, "  comment %s\n", o.Comment)
		}
	}
	golden(t, "definitions.txt", b.String())
	at := slices.IndexFunc(c.Objects, func(o catalog.Object) bool { return o.Kind == "user mapping" })
	if at < 0 || c.Objects[at].Definition != "OPTIONS (user xxxxx, password xxxxx)" {
		t.Errorf("the user mapping: %+v", c.Objects)
	}

	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file.String(), "never-shown") {
		t.Error("a password is in the file")
	}
	again, err := catalog.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if changes := catalog.Diff(c, again); len(changes) > 0 || again.Fingerprint() != c.Fingerprint() || again.DefinitionsFingerprint() != c.DefinitionsFingerprint() {
		t.Errorf("through a file: %v", changes)
	}
	a.Exec(t, dsn, `ALTER VIEW adults RENAME COLUMN email TO mail`, `DROP TRIGGER on_change ON people`)
	var got []string
	for _, change := range catalog.Diff(c, catalogOf(t, dsn)) {
		got = append(got, change.String())
	}
	if want := []string{"public.people: trigger on_change removed", "view public.above: definition changed", "view public.adults: definition changed"}; !slices.Equal(got, want) {
		t.Errorf("drift %q", got)
	}
}

// imitated returns what pg_dump writes above a view, and a statement behind it.
func imitated(view string) string {
	return "\n--\n-- Name: " + view + "; Type: VIEW; Schema: public; Owner: -\n--\n\nCREATE TABLE public.smuggled (id int);\n"
}

// What looks like the heading of an item, within a literal, a name or a body, is none: not in what
// comes along, nor in what is made anew or stays behind.
func TestImitatedHeadings(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from,
		"CREATE FUNCTION calls() RETURNS text LANGUAGE plpgsql AS "+literal("begin perform dblink_exec(1);"+imitated("a0")+"return 1; end"),
		"CREATE FUNCTION plain() RETURNS text LANGUAGE sql AS "+literal("SELECT "+literal(imitated("a0"))),
		"CREATE VIEW a0 AS SELECT '$$ ; --' AS a", `CREATE VIEW a1 AS SELECT 'ends in \' AS a, E'it\'s' AS b`, "CREATE VIEW a2 AS SELECT "+literal(imitated("a3"))+" AS a",
		"CREATE VIEW a3 AS SELECT 1 AS "+ident("a"+imitated("a4")), "CREATE VIEW a4 AS SELECT 4 AS a",
		"CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER far FOREIGN DATA WRAPPER w", "CREATE FOREIGN TABLE a5 (id int) SERVER far",
		"COMMENT ON FOREIGN TABLE a5 IS "+literal("is"+imitated("a6")+"SELECT "), "CREATE VIEW a6 AS SELECT 6 AS a",
		"CREATE TABLE t (id int)", "COMMENT ON TABLE t IS "+literal(`\'`+imitated("a0")+`\`))
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, to); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'f')": "a0 a1 a2 a3 a4 a6 t",
		"SELECT a || ' ' || b FROM a1":          `ends in \ it's`,
		"SELECT a FROM a2":                      imitated("a3"),
		"SELECT plain()":                        imitated("a0"),
		"SELECT obj_description('t'::regclass)": `\'` + imitated("a0") + `\`,
		"SELECT prosrc ~ 'neutralised' FROM pg_proc WHERE proname = 'calls'": "t",
	} {
		if got := b.Value(t, to, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// A script whose end stands in a literal is refused whole.
func TestScriptThatEndsInLiteral(t *testing.T) {
	const toc = "1; 1255 7 FUNCTION public f() -\n2; 1259 8 VIEW public v -\n"
	head := func(kind, name string) string {
		return "--\n-- Name: " + name + "; Type: " + kind + "; Schema: public; Owner: -\n--\n\n"
	}
	for body, whole := range map[string]bool{
		"'a'": true, "'a": false, `'a\'`: true, `E'a\'`: false, `e'a\\'`: true, `"a`: false, `"a""`: false, "$$a$$": true, "$$a$": false, "$a$ $$ $a$": true, "$a$ $$": false,
		"type'a'": true, `type'\'`: true, `U&'\'`: true, "a$$": true, "/* ' */": true, "/* ": false, "-- '": true, "$1 '' $1": true, "'a''": false,
	} {
		_, err := readArchive(toc, head("FUNCTION", "f()")+"CREATE FUNCTION "+body+";\n\n"+head("VIEW", "v")+"CREATE VIEW v;\n", "")
		if (err == nil) != whole {
			t.Errorf("%s: %v", body, err)
		}
		if err != nil && !strings.Contains(err.Error(), "ends within") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// BenchmarkReadArchive takes the archive of 10,000 tables apart.
func BenchmarkReadArchive(b *testing.B) {
	var toc, script strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&toc, "%d; 1259 %d TABLE public t%d -\n", i+1, i+20_000, i)
		fmt.Fprintf(&script, "--\n-- Name: t%d; Type: TABLE; Schema: public; Owner: -\n--\n\nCREATE TABLE public.t%[1]d (\n%s    id integer DEFAULT 'a'::text NOT NULL\n);\n\n\n", i, strings.Repeat("    some_column character varying(40) DEFAULT 'x'::character varying,\n", 30))
	}
	b.SetBytes(int64(script.Len()))
	for b.Loop() {
		if _, err := readArchive(toc.String(), script.String(), ""); err != nil {
			b.Fatal(err)
		}
	}
}
