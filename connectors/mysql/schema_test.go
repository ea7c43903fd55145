package mysql

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// connected returns a session of a source or a sink on a database of a server.
func connected(t *testing.T, side connectors.Side, dsn string) *session {
	t.Helper()
	cfg, err := newConfig(side, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cfg.connect(t.Context(), cfg.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// defined reads catalog and definitions of a database.
func defined(t *testing.T, s *session, database string) (*catalog.Catalog, *schema, *connectors.Definitions, definitions) {
	t.Helper()
	c, sc, err := readCatalog(t.Context(), s, database)
	if err != nil {
		t.Fatal(err)
	}
	out := readDefinitions(sc, c)
	d, err := parseDefinitions(out)
	if err != nil {
		t.Fatal(err)
	}
	return c, sc, out, d
}

// replay makes a database of definitions, as a build does.
func replay(t *testing.T, s *session, database string, d definitions) {
	t.Helper()
	exec := func(what, statement string) {
		t.Helper()
		if err := s.exec(t.Context(), statement); err != nil {
			t.Errorf("%s: %v\n%s", what, err, statement)
		}
	}
	exec("database", "CREATE DATABASE "+ident(database)+" CHARACTER SET "+d.Charset+" COLLATE "+d.Collation)
	exec("database", "USE "+ident(database))
	if s.server.mariadb {
		exec("history", "SET system_versioning_alter_history = KEEP")
	}
	object := func(o object) {
		t.Helper()
		if err := makeObject(t.Context(), s, o); err != nil {
			t.Errorf("%v\n%s", err, o.Create)
		}
	}
	for _, o := range d.First {
		object(o)
	}
	for _, table := range d.Tables {
		exec(table.Name, table.Create)
	}
	for _, clauses := range []func(tableDefinition) []string{
		func(d tableDefinition) []string { return d.Indexes }, func(d tableDefinition) []string { return d.ForeignKeys },
	} {
		for _, table := range d.Tables {
			if list := clauses(table); len(list) > 0 {
				exec(table.Name, "ALTER TABLE "+ident(table.Name)+" "+strings.Join(list, ", "))
			}
		}
	}
	for _, o := range d.Rest {
		object(o)
	}
}

// What a copy of a definition need not share with it: who made it, whose rights it has,
// where it stands, and what MySQL prints by how a thing was written.
var (
	apart       = regexp.MustCompile("DEFINER=(`[^`]*`@`[^`]*`|\"[^\"]*\"@\"[^\"]*\") ?|\\s*SQL SECURITY (DEFINER|INVOKER)| AUTO_INCREMENT=\\d+|ENABLE|DISABLE ON (SLAVE|REPLICA)|DISABLE")
	introducers = regexp.MustCompile("_(utf8mb4|latin1|utf8mb3)('| X')")
	explicit    = regexp.MustCompile(`CHARACTER SET \w+ COLLATE `)
	packaged    = regexp.MustCompile("(CREATE PACKAGE (BODY )?[\"`]\\w+[\"`])\\s+")
	leftKey     = regexp.MustCompile(",\n  CONSTRAINT `out_there`.*")
)

// printed returns what SHOW CREATE prints of each object of a database, by kind and name.
func printed(t *testing.T, s *session, database string) map[string]string {
	t.Helper()
	_, sc, err := readCatalog(t.Context(), s, database)
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile("`" + database + "`\\.|\\b" + database + "\\.")
	bare := func(s string) string {
		s = own.ReplaceAllString(apart.ReplaceAllString(s, ""), "")
		// A CHECK is printed as it was written until it is read again: then in the column's own set.
		s = strings.ReplaceAll(s, " X'e928'", "'é('")
		return packaged.ReplaceAllString(explicit.ReplaceAllString(introducers.ReplaceAllString(s, "$2"), "COLLATE "), "$1 ")
	}
	all := map[string]string{}
	for name, table := range sc.tables {
		all["table "+name] = bare(table.create)
	}
	for _, o := range sc.objects {
		all[o.Kind+" "+o.Name] = bare(o.Create) + "\n-- " + o.Mode + " " + o.Charset + " " + o.Collation + " " + o.Zone
	}
	return all
}

// same compares what a source has with what was made of its definitions.
func same(t *testing.T, want, got map[string]string, left []catalog.Object) {
	t.Helper()
	for _, o := range left {
		if o.Fate == catalog.Stays {
			delete(want, strings.TrimPrefix(o.Kind, "foreign ")+" "+o.Name)
		}
	}
	var names []string
	for n := range want {
		names = append(names, n)
	}
	for n := range got {
		if _, has := want[n]; !has {
			t.Errorf("%s was made, and is not to be", n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if want := leftKey.ReplaceAllString(want[n], ""); got[n] != want {
			t.Errorf("%s is\n%s\nwant\n%s", n, got[n], want)
		}
	}
}

// scripted makes a database by a script, in which DATABASE. stands for its name.
func scripted(t *testing.T, server *connectortest.MySQLServer, text string) string {
	t.Helper()
	database := server.Database(t)
	server.Script(t, database, strings.ReplaceAll(text, "DATABASE.", database+"."))
	return database
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fromVersion matches what a script has for servers from a version on.
var fromVersion = regexp.MustCompile(`(?s)/\*M?!(\d{5,6}) (.*?) \*/`)

// tortureScript returns our own torture schema for a family, as a server of a version has it:
// what newer ones add is left out here, so that another server makes the same of it.
func tortureScript(t *testing.T, flavor string, version int) string {
	t.Helper()
	text := read(t, "../../testdata/schemas", flavor, "torture.sql")
	return fromVersion.ReplaceAllStringFunc(text, func(s string) string {
		part := fromVersion.FindStringSubmatch(s)
		if first, err := strconv.Atoi(part[1]); err != nil || first > version {
			return ""
		}
		return part[2]
	})
}

// serverOf is a test server as the connector takes it.
func serverOf(t *testing.T, s *connectortest.MySQLServer) server {
	t.Helper()
	parsed, err := parseServer(s.Version())
	if err != nil {
		t.Fatal(err)
	}
	parsed.mariadb = s.Flavor() == "mariadb"
	return parsed
}

// torture makes the database of our own torture schema for the server's family.
func torture(t *testing.T, server *connectortest.MySQLServer) string {
	t.Helper()
	server.Exec(t, "", "DROP DATABASE IF EXISTS elsewhere_db", "CREATE DATABASE elsewhere_db", "CREATE TABLE elsewhere_db.t (a int NOT NULL PRIMARY KEY)")
	// Dropped after what points to it, since clean-ups run in reverse.
	t.Cleanup(func() { server.Exec(t, "", "SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS elsewhere_db") })
	return scripted(t, server, tortureScript(t, server.Flavor(), serverOf(t, server).version))
}

// realData returns a file of the sample databases in REALDATA_DIR, or "".
func realData(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("REALDATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		fmt.Fprintf(os.Stderr, "%s: NOT RUN: there is no %s in REALDATA_DIR\n", t.Name(), name)
		return ""
	}
	return path
}

// ownDatabase matches how the sample databases make databases of their own.
var ownDatabase = regexp.MustCompile("(?im)^(DROP|CREATE) (SCHEMA|DATABASE)[^;]*;|^USE [^;]*;")

// TestReplay makes databases anew of their definitions, and compares every object.
func TestReplay(t *testing.T) {
	connectortest.NoRaces(t)
	samples := map[string]func(t *testing.T, server *connectortest.MySQLServer) string{"torture": torture}
	for name, path := range map[string]string{"sakila": "sakila-mysql/schema.sql", "chinook": "chinook/mysql.sql"} {
		if file := realData(t, path); file != "" {
			samples[name] = func(t *testing.T, server *connectortest.MySQLServer) string {
				text := strings.ReplaceAll(ownDatabase.ReplaceAllString(read(t, file), ""), "sakila.", "DATABASE.")
				return scripted(t, server, text)
			}
		}
	}
	for _, server := range connectortest.MySQLServers(t) {
		for name, make := range samples {
			t.Run(server.Flavor()+"/"+name, func(t *testing.T) {
				database := make(t, server)
				s := connected(t, connectors.SourceSide, server.DSN(database))
				_, _, out, d := defined(t, s, database)
				sink := connected(t, connectors.SinkSide, server.DSN(server.Database(t)))
				copied := server.Name(t)
				t.Cleanup(func() { sink.exec(context.Background(), "DROP DATABASE IF EXISTS "+ident(copied)) })
				replay(t, sink, copied, d)
				same(t, printed(t, s, database), printed(t, sink, copied), out.LeftBehind)
			})
		}
	}
}
