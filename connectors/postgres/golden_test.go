package postgres

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file, so that a reviewer reads SQL.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, firstDifference(string(want), got))
	}
}

func TestCopySQL(t *testing.T) {
	var b strings.Builder
	say := func(what, sql string) { fmt.Fprintf(&b, "-- %s\n%s;\n\n", what, sql) }
	column := func(name string) catalog.Column {
		return catalog.Column{Name: name, Type: catalog.Type{Kind: catalog.Text}}
	}
	hard := catalog.TableID{Schema: "select", Name: `Two Words; DROP TABLE "x"`}
	tab := &catalog.Table{ID: hard, Kind: catalog.Ordinary, Columns: []catalog.Column{column("from"), column(`a"b`), column("naïve 🙂"),
		{Name: "computed", Generation: catalog.Stored}}}
	bare := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "bare"}, Kind: catalog.Ordinary}
	layout := func(t *catalog.Table, f connectors.WireFormat) *connectors.Layout {
		l, err := connectors.NewLayout(t, f, nil)
		if err != nil {
			panic(err)
		}
		return l
	}
	whole := connectors.Chunk{Table: hard, Last: true}
	for _, f := range []connectors.WireFormat{Binary, Text} {
		say("a whole table, "+string(f), copyOutSQL(whole, rangeSQL(whole), layout(tab, f)))
		say("the first range, "+string(f), copyOutSQL(connectors.Chunk{Table: hard, Hi: 6144}, rangeSQL(connectors.Chunk{Table: hard, Hi: 6144}), layout(tab, f)))
		say("the last range, "+string(f), copyOutSQL(connectors.Chunk{Table: hard, Lo: 6144, Hi: 12288, Last: true}, rangeSQL(connectors.Chunk{Table: hard, Lo: 6144, Hi: 12288, Last: true}), layout(tab, f)))
		say("a table without columns, "+string(f), copyOutSQL(connectors.Chunk{Table: bare.ID, Last: true}, rangeSQL(connectors.Chunk{Table: bare.ID, Last: true}), layout(bare, f)))
		say("into a table, "+string(f), copyInSQL(hard, layout(tab, f), false))
		say("into an emptied table, "+string(f), copyInSQL(hard, layout(tab, f), true))
		say("into a table without columns, "+string(f), copyInSQL(bare.ID, layout(bare, f), false))
	}
	say("the values of a column", valuesSQL((*choice)(nil).from(tab.ID), `a"b`, 10))
	say("the values of a column in some rows", valuesSQL((&choice{as: "t"}).from(hard)+(&choice{where: "id > 1"}).and(""), "from", 10))
	golden(t, "copy.sql", b.String())
}

func TestCreateSQL(t *testing.T) {
	var text strings.Builder
	for _, c := range []struct {
		what  string
		major int
		defs  definitions
	}{
		{"libc, before 15", 14, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "c"}},
		{"libc", 17, definitions{Encoding: "LATIN1", Collate: "de_DE.iso88591", CType: "de_DE.iso88591", Provider: "c"}},
		{"ICU", 15, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "i", Locale: "de-u-co-phonebk"}},
		{"ICU with rules", 16, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "i", Locale: "und", Rules: "&a < 'g'"}},
		{"ICU, too old", 14, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "i", Locale: "de"}},
		{"built in", 17, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "b", Locale: "C.UTF-8"}},
		{"built in, too old for its locale", 17, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "b", Locale: "PG_UNICODE_FAST"}},
		{"built in, too old", 16, definitions{Encoding: "UTF8", Collate: "C", CType: "C", Provider: "b", Locale: "C.UTF-8"}},
	} {
		b := &build{sink: &sink{config: &config{side: connectors.SinkSide}, target: `my "db"`, major: c.major}, defs: c.defs, name: `my "db"` + building + "r1"}
		sql, err := b.createSQL()
		if err != nil {
			sql = "-- " + err.Error() + "\n-- hint: " + connectors.Hint(err)
		} else {
			sql += ";"
		}
		fmt.Fprintf(&text, "-- %s\n%s\n\n", c.what, sql)
	}
	golden(t, "create.sql", text.String())
}

func TestSplit(t *testing.T) {
	id := catalog.TableID{Schema: "public", Name: "t"}
	for _, c := range []struct {
		size   size
		target int64
		ranges bool
		want   string
	}{
		{size{}, 0, true, ""},
		{size{}, 0, false, "public.t"},
		{size{pages: 10, bytes: 81920}, 0, true, "public.t"},
		{size{pages: 10, bytes: 81920}, 1, true, "public.t pages 0-0|public.t pages 1-1|public.t pages 2-2|public.t pages 3-3|public.t pages 4-4|public.t pages 5-5|public.t pages 6-6|public.t pages 7-7|public.t pages 8-8|public.t pages 9-"},
		{size{pages: 10, bytes: 81920}, 32768, true, "public.t pages 0-3|public.t pages 4-7|public.t pages 8-"},
		{size{pages: 10, bytes: 1 << 40}, 0, false, "public.t"},
		// Out-of-line values: few pages, much to copy.
		{size{pages: 2, bytes: 100 << 20}, 60 << 20, true, "public.t pages 0-0|public.t pages 1-"},
	} {
		var ids []string
		chunks := split(id, c.size, 0, c.target, c.ranges)
		for i, ch := range chunks {
			ids = append(ids, ch.ID)
			if i > 0 && ch.Lo != chunks[i-1].Hi || ch.Last != (i == len(chunks)-1) {
				t.Errorf("%+v: chunk %d is %+v", c, i, ch)
			}
		}
		if got := strings.Join(ids, "|"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestNamesOfTables(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range []catalog.TableID{{Schema: "a", Name: "b.c"}, {Schema: "a.b", Name: "c"}, {Schema: "a", Name: `b"."c`}, {Schema: `a"."b`, Name: "c"}, {Schema: "a", Name: "b c"}} {
		if w := words(id); seen[w] {
			t.Errorf("two tables are called %s", w)
		} else {
			seen[w] = true
		}
	}
	if got := literal(`it's`); got != `'it''s'` {
		t.Error(got)
	}
	if got := literal(`a\'b`); got != ` E'a\\''b'` {
		t.Error(got)
	}
}

func TestAccepts(t *testing.T) {
	for dsn, want := range map[string]bool{
		"postgres://u@h/db": true, "postgresql:///db": true, "service=shop": true, "host=/run dbname=shop": true, "dbname = 'my db' user=u": true,
		"sqlite:shop.db": false, "mysql://u@h/db": false, "shop.db": false, "file=shop.db": false, "": false, "/a=b/shop.db": false,
	} {
		if got := (Connector{}).Accepts(dsn); got != want {
			t.Errorf("%s: %t", dsn, got)
		}
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	service := filepath.Join(dir, "services")
	if err := os.WriteFile(service, []byte("[shop]\nhost=from.service\nport=6543\nuser=ann\ndbname=shop\npassword=from-file\nconnect_timeout=7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSERVICEFILE", service)
	t.Setenv("PGSSLMODE", "")
	for dsn, want := range map[string][]string{
		"postgres://bob:pw%20x@h:1/db?sslmode=disable&sslrootcert=&application_name=x": {"PGHOST=h", "PGPORT=1", "PGUSER=bob", "PGPASSWORD=pw x", "PGDATABASE=db", "PGSSLMODE=disable"},
		`host=h user=bob password='p''w' dbname=db`:                                    nil,
		`host=h user=bob password='p\'w' dbname=db options='-c work_mem=1MB'`:          {"PGHOST=h", "PGPASSWORD=p'w", "PGDATABASE=db"},
		"service=shop": {"PGHOST=from.service", "PGPORT=6543", "PGUSER=ann", "PGPASSWORD=from-file", "PGDATABASE=shop", "PGCONNECT_TIMEOUT=7"},
		"service=shop host=other dbname=b user=bob": {"PGHOST=other", "PGPORT=6543", "PGUSER=bob", "PGPASSWORD=from-file", "PGDATABASE=b", "PGCONNECT_TIMEOUT=7"},
	} {
		c, err := newConfig(connectors.SourceSide, dsn, connectors.Options{})
		if want == nil {
			if err == nil {
				t.Errorf("%s: no error", dsn)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		env, _, err := c.environment(c.conn.Database, endpoint{host: c.conn.Host, port: int(c.conn.Port)})
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		all := "\n" + strings.Join(env, "\n") + "\n"
		if strings.Contains(all, "\nPGSERVICE=") {
			t.Errorf("%s: to libpq the service comes before what is beside it", dsn)
		}
		for _, w := range want {
			if !strings.Contains(all, "\n"+w+"\n") {
				t.Errorf("%s: no %s", dsn, w)
			}
		}
		if strings.Contains(dsn, "options=") && !strings.Contains(all, "PGOPTIONS=-c work_mem=1MB -c statement_timeout=0") {
			t.Errorf("%s: the options are lost", dsn)
		}
	}
}

// A password with a bare @, /, ? or # would be read as a host, a port or a
// database, which messages name.
func TestAmbiguous(t *testing.T) {
	const piece = "never-shown"
	for _, dsn := range []string{
		"postgres://u:12@" + piece + "@h/shop", "postgres://u:12/" + piece + "@h/shop", "postgres://u:12?" + piece + "@h/shop",
		"postgres://u:12#" + piece + "@h/shop", "postgres://u:12?a=" + piece + "#@h/shop", "postgres://u:@" + piece + "@h/shop",
	} {
		_, err := newConfig(connectors.SourceSide, dsn, connectors.Options{})
		if kind, _ := connectors.KindOf(err); kind != connectors.KindUsage || strings.Contains(err.Error(), piece) {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	for _, dsn := range []string{
		"postgres://u:p%40%2F@h/shop", "postgres://h/shop?user=ann@corp", "postgres://ann@h:5432/sh%40p?sslmode=disable&user=a@b",
		"host=h user=ann@corp password=a@b/c", "postgres:///shop?host=@/run", "postgres://u@[::1]:5432,h2/shop",
	} {
		if _, err := newConfig(connectors.SourceSide, dsn, connectors.Options{}); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestArchive(t *testing.T) {
	toc := strings.Join([]string{";", "; Archive", ";", "1; 0 0 ENCODING - ENCODING ", "5; 0 0 COMMENT - DATABASE shop ann", "2; 1255 10 FUNCTION public f() ann", "3; 1259 11 TABLE public t ann", ";\tdepends on: 2", "4; 1259 12 INDEX public i ann", ";\tdepends on: 3", ""}, "\n")
	heading := func(name, kind string) string {
		return "--\n-- Name: " + name + "; Type: " + kind + "; Schema: public; Owner: -\n--\n\n"
	}
	before := "\\restrict x\nSET a = b;\n\n" + heading("f()", "FUNCTION") + "CREATE FUNCTION f() AS '\n" + heading("i", "INDEX") + heading("nobody", "TABLE") + "';\n\n\n" +
		"SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n" + heading("t", "TABLE") + "CREATE TABLE t ();\n\n\n" + strings.TrimPrefix(scriptEnd, "\n") + "\n\\unrestrict x\n"
	after := heading("i", "INDEX") + "CREATE INDEX i;\n"
	// A function's body holds the headings of an item that comes later, and of none.
	a, err := readArchive(toc, before, after)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "", "CREATE FUNCTION f() AS '\n" + heading("i", "INDEX") + heading("nobody", "TABLE") + "';", "SET default_table_access_method = heap;\nCREATE TABLE t ();", "CREATE INDEX i;"} {
		if got := a.items[i].SQL; got != want {
			t.Errorf("item %d: %q, want %q", i, got, want)
		}
	}
	if _, err := readArchive(toc, before, ""); err == nil {
		t.Error("an item without SQL is not missed")
	}
}

// A connection string that leads to several servers leads pg_dump to the one that the snapshot is of.
func TestDumpFollowsItsSnapshot(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE TABLE people (id int PRIMARY KEY)")
	u, err := url.Parse(from)
	if err != nil || u.Port() == "" {
		t.Fatalf("%q, %v", u.Redacted(), err)
	}
	u.Host = "127.0.0.1:1," + u.Host // nobody is there
	snap, err := openSnapshot(t, u.String(), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snap.Definitions(t.Context()); err != nil {
		t.Error(err)
	}
}
