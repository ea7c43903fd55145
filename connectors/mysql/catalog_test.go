package mysql

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

func fateOf(c *catalog.Catalog, kind, name string) catalog.Object {
	at := slices.IndexFunc(c.Objects, func(o catalog.Object) bool { return o.Kind == kind && o.Name == name })
	if at < 0 {
		return catalog.Object{}
	}
	return c.Objects[at]
}

// TestUnseen: what an account may not see is an error or is said, and never missing in silence.
func TestUnseen(t *testing.T) {
	connectortest.NoRaces(t)
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			database := scripted(t, server, "CREATE TABLE a (x int, y int); CREATE TABLE b (x int); CREATE VIEW v AS SELECT x FROM a; CREATE FUNCTION f() RETURNS int NO SQL RETURN 1; "+
				"CREATE VIEW w AS SELECT f() AS n; CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1")
			account := "rights_of_" + server.Flavor()
			on := func(what string) string { return " ON " + ident(database) + "." + what + " TO " + account }
			as := func(t *testing.T, grants ...string) (*catalog.Catalog, error) {
				t.Helper()
				server.Exec(t, "", append([]string{"DROP USER IF EXISTS " + account, "CREATE USER " + account + " IDENTIFIED BY 'pass'"}, grants...)...)
				s := connected(t, connectors.SourceSide, server.DSNAs(database, account, "pass"))
				c, _, err := readCatalog(t.Context(), s, database)
				return c, err
			}
			t.Cleanup(func() { server.Exec(t, "", "DROP USER IF EXISTS "+account) })

			for what, grants := range map[string][]string{
				"a column":                 {"GRANT SELECT (x)" + on("a")},
				"no reading of a table":    {"GRANT SELECT" + on("a"), "GRANT INSERT" + on("b")},
				"no reading of the tables": {"GRANT TRIGGER, EVENT, SHOW VIEW" + on("*")},
			} {
				var e *connectors.Error
				if _, err := as(t, grants...); !errors.As(err, &e) || e.Kind != connectors.KindUnavailable || e.Hint == "" {
					t.Errorf("%s: %v", what, err)
				}
			}
			c, err := as(t, "GRANT SELECT"+on("a"))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []string{"tables", "triggers", "events", "routines"} {
				if o := fateOf(c, "hidden", n); o.Fate != catalog.Stays {
					t.Errorf("one table: nothing says that %s are hidden", n)
				}
			}
			if c, err = as(t, "GRANT SELECT, EXECUTE"+on("*")); err != nil {
				t.Fatal(err)
			}
			for n, hidden := range map[string]bool{"tables": false, "triggers": true, "events": true, "routines": false} {
				if o := fateOf(c, "hidden", n); (o.Fate == catalog.Stays) != hidden {
					t.Errorf("reading all: %s: %+v", n, o)
				}
			}
			for _, n := range []string{"view:v", "view:w", "function:f"} {
				kind, name, _ := strings.Cut(n, ":")
				if o := fateOf(c, kind, name); o.Fate != catalog.Stays || !strings.Contains(o.Reason, "may not read") {
					t.Errorf("%s: %+v", n, o)
				}
			}
			if c, err = as(t, "GRANT SELECT, EXECUTE, SHOW VIEW, TRIGGER, EVENT"+on("*")); err != nil {
				t.Fatal(err)
			}
			if o := fateOf(c, "view", "w"); o.Fate != catalog.Stays || !slices.Equal(o.Causes, []string{"function:f"}) {
				t.Errorf("a view over a function without words: %+v", o)
			}
			for _, o := range c.Objects {
				if o.Kind == "hidden" {
					t.Errorf("hidden: %+v", o)
				}
			}
			if o := fateOf(c, catalog.Grants, "5"); o.Fate != catalog.Stays {
				t.Errorf("grants: %+v", c.Fates())
			}
			if _, _, err := readCatalog(t.Context(), connected(t, connectors.SourceSide, server.DSN(database)), database+"_not"); err == nil {
				t.Error("a database that is missing is read")
			}
		})
	}
}

// TestKept: what somebody asks for by name comes as it is, and with it what stayed for its sake.
func TestKept(t *testing.T) {
	connectortest.NoRaces(t)
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			database := torture(t, server)
			s := connected(t, connectors.SourceSide, server.DSN(database))
			c, sc, _, _ := defined(t, s, database)
			c, err := keep(c, []string{"event:daily", "view:reads_elsewhere", "function:reads_file", "foreign key:points_elsewhere.out_there"})
			if err != nil {
				t.Fatal(err)
			}
			out := readDefinitions(sc, c)
			d, err := parseDefinitions(out)
			if err != nil {
				t.Fatal(err)
			}
			made := map[string]string{}
			for _, o := range d.Rest {
				made[o.Kind+":"+o.Name] = o.Create
			}
			for n, want := range map[string]string{
				"event:daily": " ENABLE ", "event:elsewhere": " DISABLE ", "view:reads_elsewhere": "`elsewhere_db`.`t`", "view:over_elsewhere": "`reads_elsewhere`", "trigger:calls_file": "reads_file()",
			} {
				if !strings.Contains(made[n], want) {
					t.Errorf("%s is %q, want %q in it", n, made[n], want)
				}
			}
			if at := slices.IndexFunc(d.Tables, func(t tableDefinition) bool { return t.Name == "points_elsewhere" }); len(d.Tables[at].ForeignKeys) != 2 {
				t.Errorf("foreign keys: %q", d.Tables[at].ForeignKeys)
			}
			for name, hint := range map[string]string{"event:none": "KIND:NAME", "foreign table:e_merge": "by hand", "view:z_base": "leave --keep-object out", "view:over_merge": "leave it out"} {
				var e *connectors.Error
				if _, err := keep(sc.catalogAgain(), []string{name}); !errors.As(err, &e) || e.Kind != connectors.KindUsage || !strings.Contains(e.Hint, hint) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// catalogAgain is the catalog as it was read.
func (sc *schema) catalogAgain() *catalog.Catalog {
	sc.beside = nil
	return sc.catalog()
}

// TestEquality asks servers which letters each of their collations calls equal. What they
// call equal we have to as well, or to say that we cannot follow.
func TestEquality(t *testing.T) {
	connectortest.NoRaces(t)
	pairs := []struct {
		a, b string
		is   catalog.Equality // one of these
		only bool             // and else none of them
	}{
		{"E", "e", catalog.FoldASCII | catalog.FoldCase, true},
		{"É", "é", catalog.FoldCase, false}, {"Ж", "ж", catalog.FoldCase, false},
		{"é", "e", catalog.FoldAccents, false}, {"ß", "s", catalog.FoldSharpS, false}, {"ß", "ss", catalog.FoldAccents, false},
		{"e\u0301", "é", catalog.FoldForms, false}, {"a\u200d", "a", catalog.FoldForms, false}, {"か", "カ", catalog.FoldForms, false}, {"1", "١", catalog.FoldForms, false},
		{"ü", "y", catalog.FoldSwedish | catalog.FoldUnknown, false},
		{"😀", "😁", catalog.FoldAstral, false},
		{"a", "a ", catalog.PadSpace, true},
		{"ö", "oe", catalog.FoldUnknown, false}, {"å", "aa", catalog.FoldUnknown, false},
	}
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			s := connected(t, connectors.SourceSide, server.DSN(server.Database(t)))
			from := "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
			if s.server.mariadb && s.server.version >= 101001 {
				from = "SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
			}
			sets := map[string]string{}
			if err := s.query(t.Context(), from, func(r row) error {
				if r.text(1) != "binary" && r.text(1) != "swe7" {
					sets[r.text(0)] = r.text(1)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for collation, set := range sets {
				e := equalityOf(collation)
				var asked []string
				for _, p := range pairs {
					in := func(text string) string { return "CONVERT(" + literal(text) + " USING " + set + ")" }
					held := func(text string) string {
						return "CONVERT(" + in(text) + " USING utf8mb4) = " + literal(text) + " COLLATE utf8mb4_bin"
					}
					asked = append(asked, fmt.Sprintf("IF(%s AND %s, %s = %s COLLATE %s, NULL)", held(p.a), held(p.b), in(p.a), in(p.b), collation))
				}
				err := s.query(t.Context(), "SELECT "+strings.Join(asked, ", "), func(r row) error {
					for i, p := range pairs {
						equal := r.number(i) == 1
						if equal && e&(p.is|catalog.FoldUnknown) == 0 {
							t.Errorf("%s calls %q and %q equal, and is taken for %q", collation, p.a, p.b, e)
						}
						if !equal && !r.null(i) && p.only && e&p.is != 0 {
							t.Errorf("%s keeps %q and %q apart, and is taken for %q", collation, p.a, p.b, e)
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("%s: %v", collation, err)
				}
			}
			if len(sets) < 100 {
				t.Errorf("%d collations", len(sets))
			}
		})
	}
}

// TestOver: a server drops an event of the past as soon as it is made, without an error.
func TestOver(t *testing.T) {
	connectortest.NoRaces(t)
	for _, server := range connectortest.MySQLServers(t) {
		t.Run(server.Flavor(), func(t *testing.T) {
			database := scripted(t, server, "SET time_zone = '+03:00'; CREATE EVENT once ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 SECOND DISABLE DO SELECT 1; "+
				"CREATE EVENT kept ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 SECOND ON COMPLETION PRESERVE DISABLE DO SELECT 1; "+
				"CREATE EVENT ended ON SCHEDULE EVERY 1 DAY ENDS CURRENT_TIMESTAMP + INTERVAL 1 SECOND DISABLE DO SELECT 1; DO SLEEP(2.1)")
			s := connected(t, connectors.SourceSide, server.DSN(database))
			c, _, _, d := defined(t, s, database)
			for name, fate := range map[string]catalog.Fate{"once": catalog.Stays, "ended": catalog.Stays, "kept": catalog.Comes} {
				if o := fateOf(c, "event", name); o.Name == "" || o.Fate != fate {
					t.Errorf("%s: %+v", name, o)
				}
			}
			if len(d.Rest) != 1 || d.Rest[0].Name != "kept" {
				t.Errorf("%+v", d.Rest)
			}
		})
	}
}

// TestForeign: what has its rows on another server stays, with all that needs it; nobody
// connects there, and its password goes nowhere.
func TestForeign(t *testing.T) {
	connectortest.NoRaces(t)
	for _, server := range connectortest.MySQLServers(t) {
		if server.Flavor() != "mariadb" {
			continue
		}
		db := server.DB(t, "mysql")
		if _, err := db.ExecContext(t.Context(), "INSTALL SONAME 'ha_federatedx'"); err != nil && !strings.Contains(err.Error(), "already") {
			t.Logf("DID NOT RUN: the server has no FEDERATED: %v", err)
			return
		}
		host, port, err := net.SplitHostPort(server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		far := server.Database(t)
		server.Exec(t, far, "CREATE TABLE t (a int PRIMARY KEY)", "CREATE OR REPLACE USER far_away IDENTIFIED BY 'only-theirs'", "GRANT ALL ON "+ident(far)+".* TO far_away")
		database := scripted(t, server, "CREATE TABLE near (a int PRIMARY KEY); CREATE TABLE f (a int PRIMARY KEY) ENGINE=FEDERATED CONNECTION='mysql://far_away:only-theirs@"+host+":"+port+"/"+far+"/t'; "+
			"CREATE VIEW v AS SELECT a FROM f; CREATE TRIGGER tr BEFORE INSERT ON near FOR EACH ROW INSERT INTO f VALUES (NEW.a); CREATE PROCEDURE p() SELECT * FROM f; CREATE PROCEDURE q() SELECT * FROM near")
		// Whoever connects now is refused.
		server.Exec(t, "", "DROP USER far_away", "FLUSH TABLES")
		s := connected(t, connectors.SourceSide, server.DSN(database))
		c, _, out, d := defined(t, s, database)
		if f := c.Table(catalog.TableID{Name: "f"}); f == nil || f.Kind != catalog.Foreign || len(f.Columns) != 1 {
			t.Errorf("%+v", f)
		}
		for _, n := range []string{"foreign table:f", "view:v", "trigger:tr", "procedure:p"} {
			kind, name, _ := strings.Cut(n, ":")
			if o := fateOf(c, kind, name); o.Fate != catalog.Stays {
				t.Errorf("%s: %+v", n, o)
			}
		}
		if len(d.Tables) != 1 || len(d.Rest) != 1 || d.Rest[0].Name != "q" {
			t.Errorf("made: %+v", d)
		}
		var file strings.Builder
		if err := c.Write(&file); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file.String(), "only-theirs") || strings.Contains(string(out.Data), "only-theirs") {
			t.Error("the password of the other server is in what was read")
		}
	}
}
