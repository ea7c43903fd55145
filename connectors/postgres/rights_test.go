package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// What a database as a whole has is said: settings for a role, rights that somebody has been given
// or PUBLIC has lost, tablespaces. With grants its rights come along, and the copy is no more open
// than production.
func TestRightsOnTheDatabase(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	app, gone, space := a.Name(t)+"_app", a.Name(t)+"_gone", a.Name(t)+"_space"
	name := ident(databaseOf(from))
	a.Exec(t, a.DSN("postgres"), "CREATE ROLE "+app+" LOGIN PASSWORD 'enters'", "CREATE ROLE "+gone)
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+app+" LOGIN PASSWORD 'enters'", "CREATE ROLE "+app+"_other LOGIN PASSWORD 'enters'")
	dir := a.Value(t, a.DSN("postgres"), "SHOW data_directory") + "/" + space
	a.Exec(t, a.DSN("postgres"), "COPY (SELECT) TO PROGRAM "+literal("mkdir "+dir)) // the server's own folder
	t.Cleanup(func() {
		a.Exec(t, from, "DROP TABLE t", "DROP OWNED BY "+app+", "+gone)
		a.Exec(t, a.DSN("postgres"), "DROP TABLESPACE "+space)
		a.Exec(t, a.DSN("postgres"), "DROP ROLE "+app+", "+gone)
		b.Exec(t, to, "DROP OWNED BY "+app)
		b.Exec(t, b.DSN("postgres"), "DROP ROLE "+app+", "+app+"_other")
	})
	a.Exec(t, a.DSN("postgres"), "CREATE TABLESPACE "+space+" LOCATION "+literal(dir))
	a.Exec(t, from, "CREATE TABLE t (n int) TABLESPACE "+space, "CREATE INDEX ON t (n) TABLESPACE "+space, "INSERT INTO t VALUES (1)",
		"ALTER ROLE "+app+" IN DATABASE "+name+" SET search_path = never_to_travel", "ALTER ROLE ALL IN DATABASE "+name+" SET work_mem = '5MB'",
		"REVOKE ALL ON DATABASE "+name+" FROM PUBLIC", "GRANT CONNECT ON DATABASE "+name+" TO "+app+" WITH GRANT OPTION", "GRANT CONNECT, CREATE ON DATABASE "+name+" TO "+gone,
		"REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", "GRANT USAGE ON LANGUAGE plpgsql TO "+app)
	const lines = `left behind: database rights CONNECT given to APP: are for the target's owner to give or to take; --grants copies those of roles that exist there
left behind: database rights CONNECT, CREATE given to GONE: are for the target's owner to give or to take; --grants copies those of roles that exist there
left behind: database rights CONNECT, TEMPORARY taken from PUBLIC: are for the target's owner to give or to take; --grants copies those of roles that exist there
left behind: grants 3: are for the target's owner to give or to take; --grants copies those of roles that exist there
left behind: language rights USAGE on plpgsql given to APP: are for a superuser of the target's server to give
left behind: language rights USAGE on plpgsql taken from PUBLIC: are for a superuser of the target's server to give
left behind: role APP: belongs to the server and not to the database, and may log in with a password
left behind: role setting APP.search_path: is for a role of the source's server
left behind: tablespace SPACE: is a folder of the source's server; the target's tables lie where its owner has them
`
	said := func(c *catalog.Catalog) string {
		return strings.NewReplacer(gone, "GONE", space, "SPACE").Replace(fateLines(c.Fates(), app))
	}
	c, err := catalogKeeping(t, from)
	if err != nil {
		t.Fatal(err)
	}
	if got := said(c); got != lines {
		t.Errorf("fates\n%s, want\n%s", got, lines)
	}
	if c, err = catalogKeeping(t, from, catalog.Grants); err != nil || strings.Contains(said(c), "database rights") {
		t.Errorf("with grants: %v\n%s", err, said(c))
	}
	for keep, want := range map[string]string{"": "{postgres=CTc/postgres,=Tc/postgres}", catalog.Grants: "{postgres=CTc/postgres,APP=c*/postgres}"} {
		options := connectors.Options{Workers: 2}
		if keep != "" {
			options.Keep = []string{keep}
		}
		if err := connectortest.Copy(t, Connector{}, options, from, to); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(b.Value(t, to, "SELECT coalesce(datacl::text, '') FROM pg_database WHERE datname = current_database()"), app, "APP"); got != want {
			t.Errorf("kept %q: rights %s, want %s", keep, got, want)
		}
	}
}
