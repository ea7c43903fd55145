package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// tortured is a database with the torture schema in it, and where its copy goes.
type tortured struct {
	postgresPair
	from, to int // major versions of the servers
}

func majorOf(t *testing.T, s *connectortest.PostgresServer) int {
	t.Helper()
	n, err := strconv.Atoi(s.Value(t, s.DSN("postgres"), "SELECT current_setting('server_version_num')::int / 10000"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The roles that the torture schema names. They belong to the servers, which are this test's.
const tortureOwner, tortureReader = "torture_owner", "torture_reader"

// ownLanguage is a function in a language that nobody knows, which is neutralised unless it is asked for.
const ownLanguage = "function:public.in_mine(n integer)"

// torture makes a source with the torture schema: what its server's version has of it, in
// the spelling of an encoding; nil is UTF-8, in which it is written.
func torture(t *testing.T, in *spelling) tortured {
	t.Helper()
	a, b := connectortest.PostgresPair(t)
	for _, s := range []*connectortest.PostgresServer{a, b} {
		for _, role := range []string{tortureOwner, tortureReader} {
			s.Exec(t, s.DSN("postgres"), fmt.Sprintf("DO $$ BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object THEN NULL; END $$", role))
		}
	}
	name := "" // of the tablespace and the subscription, which belong to the whole server
	t.Cleanup(func() { a.Exec(t, a.DSN("postgres"), "DROP TABLESPACE IF EXISTS "+name) })
	source := ""
	if in == nil {
		source = a.Database(t)
	} else {
		source = caseSource(t, a, in.database)
	}
	t.Cleanup(func() { a.Exec(t, source, "DROP SUBSCRIPTION IF EXISTS "+name) })
	p := tortured{postgresPair{a, b, source, b.DSN(b.Name(t))}, majorOf(t, a), majorOf(t, b)}
	name = a.Value(t, source, "SELECT current_database()")
	for v := 12; v <= p.from; v++ {
		file := "torture.sql"
		if v > 12 {
			file = fmt.Sprintf("torture-%d.sql", v)
		}
		text, err := os.ReadFile(filepath.Join(repository(t), "testdata", "schemas", "postgres", file))
		if err != nil {
			t.Fatal(err)
		}
		encoding := "UTF8"
		if in != nil {
			text, encoding = []byte(in.respell(string(text))), in.client
		}
		script := fmt.Sprintf("\\encoding %s\n", encoding) + fmt.Sprintf("\\o /dev/null\n\\set owner %s\n\\set reader %s\n\\set tablespace %s\n\\set subscription %[3]s\n%s", tortureOwner, tortureReader, name, text)
		if err := connectortest.LoadPostgres(source, strings.NewReader(script)); err != nil {
			t.Fatalf("load %s: %v", file, err)
		}
	}
	return p
}

// complete adds to the text of a policy the columns that it does not speak of, as
// kept, and returns the columns that are masked: its own, and those that inherit.
func (p tortured) complete(t *testing.T, text string) (policy []byte, masked map[catalog.ColumnID]bool) {
	t.Helper()
	c, err := catalog.Read(strings.NewReader(sanitize(t, "inspect", "--from", p.source)))
	if err != nil {
		t.Fatal(err)
	}
	return completed(t, c, text)
}

// completed is complete by a catalog.
func completed(t *testing.T, c *catalog.Catalog, text string) (policy []byte, masked map[catalog.ColumnID]bool) {
	t.Helper()
	// As nodes: in a transform the order of the words counts.
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	tables := field(doc.Content[0], "tables")
	rules := map[catalog.TableID]*yaml.Node{}
	masked = map[catalog.ColumnID]bool{}
	for i := 0; i < len(tables.Content); i += 2 {
		table := c.Find(tables.Content[i].Value)
		if table == nil {
			t.Fatalf("the policy names %s, which is not there", tables.Content[i].Value)
		}
		rules[table.ID] = tables.Content[i+1]
		columns := field(tables.Content[i+1], "columns")
		for k := 0; k < len(columns.Content); k += 2 {
			masked[catalog.ColumnID{Table: table.ID, Column: columns.Content[k].Value}] = true
		}
	}
	for n := -1; n < len(masked); { // until nothing inherits any more
		n = len(masked)
		for _, table := range c.Tables {
			for _, f := range table.ForeignKeys {
				for _, pair := range f.Pairs {
					if masked[catalog.ColumnID{Table: f.References, Column: pair.References}] {
						masked[catalog.ColumnID{Table: table.ID, Column: pair.Column}] = true
					}
				}
			}
			for _, column := range table.Columns {
				for _, parent := range table.Parents {
					if masked[catalog.ColumnID{Table: parent, Column: column.Name}] {
						masked[catalog.ColumnID{Table: table.ID, Column: column.Name}] = true
					}
				}
			}
		}
	}
	for _, table := range c.Tables {
		if table.Kind == catalog.Foreign {
			continue
		}
		rule := rules[table.ID]
		if rule == nil {
			rule = &yaml.Node{Kind: yaml.MappingNode}
			tables.Content = append(tables.Content, scalar(table.ID.String()), rule)
		}
		keep := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, column := range table.Columns {
			if !column.Generation.Computed() && !masked[catalog.ColumnID{Table: table.ID, Column: column.Name}] {
				keep.Content = append(keep.Content, scalar(column.Name))
			}
		}
		rule.Content = append(rule.Content, scalar("keep"), keep)
	}
	policy, err := yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	return policy, masked
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
}

// field returns the value of a field of a mapping, an empty one if it is not there.
func field(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return &yaml.Node{}
}

// policy is that of the torture schema, without the columns that are kept.
func (p tortured) policy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(t), "testdata", "policies", "torture.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for since, line := range map[int]string{15: "  nulls_equal: {columns: {email: email}}\n", 18: "  virtually: {columns: {name: text}}\n"} {
		if p.from >= since {
			text = append(text, line...)
		}
	}
	return string(text)
}

// matrix reports whether this is a run of make test-matrix: on servers of several versions.
func matrix() bool { return os.Getenv("SANITIZE_TEST_MATRIX") != "" }

// TestTorture copies a database that has every kind of object and type, with its
// hardest columns masked, and compares both sides object by object and row by row.
func TestTorture(t *testing.T) {
	t.Parallel()
	p := torture(t, nil)
	text := p.policy(t)
	if p.from > p.to {
		p.lacks(t, text)
		return
	}
	t.Run("masked", func(t *testing.T) { p.copyAndCompare(t, text) })
	if !matrix() {
		return // the second copy costs as much as the first, and finds less
	}
	t.Run("kept", func(t *testing.T) {
		head, _, _ := strings.Cut(text, "\ntables:\n")
		p.target = p.b.DSN(p.b.Name(t))
		p.copyAndCompare(t, head+"\ntables: {}\n")
	})
}

func (p tortured) copyAndCompare(t *testing.T, text string) {
	policy, masked := p.complete(t, text)
	path := writePolicy(t, policy)
	summary := sanitize(t, "run", "--policy", path, "--from", p.source, "--to", p.target, "--keep-object", ownLanguage, "--quiet", "--json", "--chunk-size", "64KiB", "--workers", "3")
	p.sameObjects(t)
	p.sameStates(t)
	p.sameValues(t, masked)
	p.sameJoins(t)
	p.rightPartitions(t)
	p.leftBehind(t, summary)
}

// lacks runs against a server that does not know all that the source has: the run says
// what and where before it makes anything.
func (p tortured) lacks(t *testing.T, text string) {
	policy, _ := p.complete(t, text)
	r := start(t, "run", "--policy", writePolicy(t, policy), "--from", p.source, "--to", p.target, "--quiet")
	if code := r.wait(t); code != 6 {
		t.Errorf("exit code %d", code)
	}
	said := r.stderr.String()
	one, several := `\S+ has .+, which PostgreSQL %d does not know`, `PostgreSQL %d does not know what the source needs: \S+ .*has .+; \S+ .*has `
	if !regexp.MustCompile(fmt.Sprintf(one+"|"+several, p.to, p.to)).MatchString(said) || !strings.Contains(said, "hint: use a target of version ") {
		t.Errorf("not said what the target lacks:\n%s", said)
	}
	if n := p.b.Value(t, p.b.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE datname ~ '^t[0-9]'"); n != "0" {
		t.Errorf("%s databases at the target", n)
	}
}

// TestStandby copies from a standby: of the torture schema all but the tables that
// have no log, which a standby does not have.
func TestStandby(t *testing.T) {
	if !matrix() {
		t.Log("NOT RUN: make test-matrix copies from standbys")
		return
	}
	p := torture(t, nil)
	standby := p.a.Standby(t)
	primary := p.source
	p.source = standby.DSN(p.a.Value(t, primary, "SELECT current_database()"))
	policy := func() string {
		text, _ := p.complete(t, "version: 1\nkeys:\n  discovery: {from: \"file:discovery.key\"}\ntables: {}\n")
		return writePolicy(t, text)
	}
	r := start(t, "run", "--policy", policy(), "--from", p.source, "--to", p.target, "--quiet")
	if code := r.wait(t); code != 10 || !strings.Contains(r.stderr.String(), "public.unlogged") {
		t.Errorf("a standby with an unlogged table: exit code %d\n%s", code, r.stderr.String())
	}
	p.a.Exec(t, primary, "DROP TABLE unlogged", "DROP SEQUENCE IF EXISTS forgetful")
	p.a.Value(t, primary, "SELECT pg_switch_wal()")
	eventually(t, "the standby has dropped it", func() bool {
		return standby.Value(t, p.source, "SELECT count(*) FROM pg_class WHERE relname IN ('unlogged', 'forgetful')") == "0"
	})
	sanitize(t, "run", "--policy", policy(), "--from", p.source, "--to", p.target, "--keep-object", ownLanguage, "--quiet", "--chunk-size", "64KiB")
	p.sameObjects(t)
	p.sameStates(t)
	p.sameValues(t, nil)
}

// stays are the objects of the torture schema that do not come along, as pg_dump heads them.
var stays = []string{
	"EVENT TRIGGER sleeper", "EVENT TRIGGER watcher", "COMMENT EVENT TRIGGER watcher",
	"FOREIGN DATA WRAPPER nowhere", "SERVER production", "COMMENT SERVER production", "USER MAPPING USER MAPPING public SERVER production",
	"USER MAPPING USER MAPPING " + tortureOwner + " SERVER production", "FOREIGN TABLE public.remote", "COMMENT public.FOREIGN TABLE remote", "VIEW public.over_remote",
}

// staysOf are kinds of which none comes along.
var staysOf = []string{"PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "BLOB", "BLOB METADATA", "BLOB COMMENTS", "BLOBS"}

// object is a heading of pg_dump's output, and the SQL beneath it.
var object = regexp.MustCompile(`(?m)^--\n-- Name: (.*); Type: (.*?); Schema: (.*?); Owner: -\n--\n`)

// objects returns the definitions of a database by kind and name, as pg_dump writes them.
func objects(t *testing.T, dsn string) map[string]string {
	t.Helper()
	cmd := exec.Command("pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "-d", dsn)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.Bytes())
	}
	text, _, _ := strings.Cut(string(out), "\n--\n-- PostgreSQL database dump complete")
	found := map[string]string{}
	heads := object.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		name, kind, schema := text[h[2]:h[3]], text[h[4]:h[5]], text[h[6]:h[7]]
		if schema != "-" {
			name = schema + "." + name
		}
		var sql []string
		for line := range strings.Lines(text[h[1]:end]) {
			// Settings for what follows, in whose order the two sides may differ.
			if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "SET default_table") && !strings.HasPrefix(line, `\unrestrict`) {
				sql = append(sql, line)
			}
		}
		key := kind + " " + name
		for found[key] != "" { // an overloaded name has its arguments in it; what is left are views in two parts
			key += " again"
		}
		found[key] = strings.Join(sql, "\n")
	}
	return found
}

// sameObjects compares what pg_dump says of both, but for what stays behind.
func (p tortured) sameObjects(t *testing.T) {
	t.Helper()
	if n := p.sameObjectsBut(t, stays, staysOf); n < 350 {
		t.Errorf("only %d objects in the source", n)
	}
}

// sameObjectsBut compares object by object, and returns how many the source has. Those
// that are named, and those of the kinds, have to be in the source and not in the target.
func (p tortured) sameObjectsBut(t *testing.T, names, kinds []string) int {
	t.Helper()
	from, to := objects(t, p.source), objects(t, p.target)
	for _, name := range names {
		if from[name] == "" {
			t.Errorf("%s, which has to stay behind, is not in the source", name)
		}
	}
	if p.from != p.to {
		// Of a server before 15 a dump has it always: its owner is another there.
		delete(from, "SCHEMA public")
		delete(to, "SCHEMA public")
	}
	for _, key := range slices.Sorted(maps.Keys(from)) {
		stay := slices.Contains(names, key) || slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(key, kind+" ") })
		have, there := to[key]
		switch {
		case stay && there:
			t.Errorf("%s has come along", key)
		case stay:
		case !there:
			t.Errorf("%s is missing", key)
		case !sameWords(have, from[key]) && (p.from == p.to || !wordedAnew(key)):
			t.Errorf("%s differs:\nsource %s\ntarget %s", key, from[key], have)
		}
		delete(to, key)
	}
	for _, key := range slices.Sorted(maps.Keys(to)) {
		t.Errorf("%s is in the target only", key)
	}
	return len(from)
}

// sameWords compares SQL but for blanks behind a bracket, which a server sets by
// what stands around.
func sameWords(a, b string) bool {
	plain := strings.NewReplacer("( ", "(")
	return plain.Replace(a) == plain.Replace(b)
}

// wordedAnew reports whether servers of two versions print an object in other words.
func wordedAnew(key string) bool {
	for _, kind := range []string{"VIEW", "MATERIALIZED VIEW", "RULE", "FUNCTION", "PROCEDURE", "POLICY", "TYPE", "OPERATOR CLASS", "OPERATOR FAMILY"} {
		if strings.HasPrefix(key, kind+" ") {
			return true
		}
	}
	return false
}

// sameStates compares what pg_dump does not say.
func (p tortured) sameStates(t *testing.T) {
	t.Helper()
	var asked []question
	const ours = `n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`
	for what, query := range map[string]string{
		"validity of indexes": `SELECT i.indexrelid::regclass, indisvalid, indisready, indislive, indisunique, indimmediate, indisclustered, indisreplident FROM pg_index i
			JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + ours + ` ORDER BY i.indexrelid::regclass::text`,
		"access methods": `SELECT c.oid::regclass, a.amname, c.relpersistence FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + ours + ` ORDER BY c.oid::regclass::text`,
		"triggers":       `SELECT tgrelid::regclass, tgname, tgenabled, tgtype, tgdeferrable, tginitdeferred FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, 2`,
		"constraints": `SELECT conrelid::regclass, contypid::regtype, conname, contype, convalidated, condeferrable, condeferred, confmatchtype, confupdtype, confdeltype FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
			WHERE ` + ours + ` AND conrelid::regclass::text NOT LIKE '%remote' AND contype <> 'n' AND (contype <> 'f' OR conparentid = 0) ORDER BY conrelid::regclass::text, contypid::regtype::text, 3`,
		"comments": `SELECT count(*) FROM pg_description d WHERE d.objoid >= 16384 AND d.classoid NOT IN ('pg_event_trigger'::regclass, 'pg_foreign_server'::regclass)
			AND d.objoid <> coalesce(to_regclass('public.remote'), 0)`,
		"order of columns": `SELECT c.oid::regclass, string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'c') AND c.relname NOT IN ('over_remote') AND ` + ours + ` GROUP BY 1 ORDER BY c.oid::regclass::text`,
		"extensions":         `SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension ORDER BY 1`,
		"encoding":           `SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()`,
		"settings":           `SELECT s FROM pg_db_role_setting r, unnest(setconfig) s WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s NOT LIKE 'my.%' ORDER BY 1`,
		"materialised views": `SELECT oid::regclass, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY oid::regclass::text`,
	} {
		if p.from != p.to && (what == "extensions" || what == "triggers") {
			continue // their versions belong to the server; some count triggers of partitions by themselves
		}
		asked = append(asked, question{what, query})
	}
	p.compare(t, asked)
	if n := p.b.Value(t, p.target, `SELECT count(*) FROM pg_largeobject_metadata`); n != "0" {
		t.Errorf("%s large objects have come along", n)
	}
	// Every table has statistics of its own, made of the masked rows.
	for _, table := range lines(t, p.target, `SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'm') AND `+ours+` AND c.relispopulated AND pg_relation_size(c.oid) > 0 AND reltuples <= 0 ORDER BY c.oid::regclass::text`) {
		t.Errorf("%s has not been analysed", table)
	}
}

// sameValues compares rows: of each table the same number; of kept columns the same
// values, row by row; of masked ones as many, and other ones.
func (p tortured) sameValues(t *testing.T, masked map[catalog.ColumnID]bool) {
	t.Helper()
	var asked []question
	// What is made of masked columns, and is made anew.
	derived := map[string]bool{}
	for _, d := range []string{"scarred.loud", "computed.d", "mails.mail", "late_one.natural_key", "virtually.loud"} {
		derived["public."+d] = len(masked) > 0
	}
	// Partitions are compared as one table: where the key is masked, rows change theirs.
	for _, line := range lines(t, p.source, `SELECT json_build_array(n.nspname, c.relname, c.relkind, ARRAY(SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY attnum))
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT c.relispartition AND (c.relkind IN ('r', 'p') OR c.relkind = 'm' AND c.relispopulated) ORDER BY c.oid`) {
		var schema, name, kind string
		var columns []string
		if err := json.Unmarshal([]byte(line), &[]any{&schema, &name, &kind, &columns}); err != nil {
			t.Fatal(err)
		}
		from := quoted(schema) + "." + quoted(name)
		if kind != "p" {
			from = "ONLY " + from
		}
		kept := []string{}
		for _, c := range columns {
			at := catalog.ColumnID{Table: catalog.TableID{Schema: schema, Name: name}, Column: c}
			if masked[at] || derived[at.String()] {
				v := quoted(c)
				asked = append(asked, question{"values and NULLs of " + from + "." + v, fmt.Sprintf(`SELECT count(*), count(%s) FROM %s`, v, from)},
					question{from + "." + v, fmt.Sprintf(otherwise+`SELECT md5(string_agg(md5(%s::text), '' ORDER BY md5(%[1]s::text) COLLATE "C")) FROM %s WHERE length(%[1]s::text) > 2`, v, from)})
			} else {
				kept = append(kept, "x."+quoted(c))
			}
		}
		asked = append(asked, question{"kept values of " + from, fmt.Sprintf(`SELECT count(*), md5(coalesce(string_agg(v, '' ORDER BY v), '')) FROM (SELECT md5(ROW(%s)::text) COLLATE "C" AS v FROM %s x) y`, strings.Join(kept, ", "), from)})
	}
	asked = append(asked, question{"positions of sequences that fill no column", `SELECT schemaname, sequencename, last_value FROM pg_sequences WHERE sequencename IN ('called_once', 'downwards', 'round_and_round', 'the last', 'forgetful') ORDER BY 1, 2`})
	p.compare(t, asked)
}

// plainly are settings by which every server prints values alike.
const plainly = `SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3; SET bytea_output = hex; `

// otherwise marks a question to which the two sides must not give the same answer, unless it is none.
const otherwise = "/* otherwise */ "

// question is what to ask both sides, and what about.
type question struct{ what, query string }

// compare asks both sides, each on one connection, and complains of each line that only one has.
func (p tortured) compare(t *testing.T, asked []question) {
	t.Helper()
	answers := func(dsn string, into *[][]string) func() error {
		return func() error {
			conn, err := pgx.Connect(t.Context(), dsn)
			if err != nil {
				return err
			}
			defer conn.Close(context.Background())
			for _, q := range asked {
				results, err := conn.PgConn().Exec(t.Context(), plainly+q.query).ReadAll()
				if err != nil {
					return fmt.Errorf("%.200s: %w", q.query, err)
				}
				var answer []string
				for _, row := range results[len(results)-1].Rows {
					answer = append(answer, string(bytes.Join(row, []byte("|"))))
				}
				*into = append(*into, answer)
			}
			return nil
		}
	}
	var was, is [][]string
	var sides errgroup.Group
	sides.Go(answers(p.source, &was))
	sides.Go(answers(p.target, &is))
	if err := sides.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, q := range asked {
		if strings.HasPrefix(q.query, otherwise) {
			if slices.Equal(was[i], is[i]) && was[i][0] != "" {
				t.Errorf("%s is not masked", q.what)
			}
			continue
		}
		for _, line := range was[i] {
			if !slices.Contains(is[i], line) {
				t.Errorf("%s: the source alone has %s", q.what, line)
			}
		}
		for _, line := range is[i] {
			if !slices.Contains(was[i], line) {
				t.Errorf("%s: the target alone has %s", q.what, line)
			}
		}
	}
}

// leftBehind compares what the run says that it left behind.
func (p tortured) leftBehind(t *testing.T, summary string) {
	t.Helper()
	for _, name := range []string{"watcher", "sleeper", "production", "nowhere", "public.remote", "public.over_remote", "everything", "some_tables", "my.secret"} {
		if !strings.Contains(summary, name) {
			t.Errorf("the summary does not say that %s stays behind", name)
		}
	}
	if strings.Contains(summary, "hunter2") {
		t.Error("a password is in the summary")
	}
}
