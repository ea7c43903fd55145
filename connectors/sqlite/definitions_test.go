package sqlite_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

func TestCatalogOfDefinitions(t *testing.T) {
	connectortest.NoRaces(t)
	path := filepath.Join(t.TempDir(), "shop.db")
	build(t, path, `
		CREATE TABLE People (id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) > 0), email TEXT, loud TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL,
			CONSTRAINT "has one" CHECK (name IS NOT NULL OR email IS NOT NULL));
		CREATE TABLE log (was TEXT, at TEXT);
		CREATE TABLE broken (x REFERENCES People (nowhere));
		CREATE INDEX plain ON People (name COLLATE NOCASE, email DESC);
		CREATE INDEX folded ON people (lower(email));
		CREATE INDEX few ON People (name) WHERE email = 'ceo@shop.example';
		CREATE TRIGGER remember AFTER UPDATE OF email ON people BEGIN INSERT INTO log VALUES (old.email, 'password=hunter2-never-shown'); END;
		CREATE VIEW named (email) AS SELECT name FROM people;
		CREATE VIEW everything AS SELECT p.*, count(*) FROM People p JOIN log ON at = email;
		CREATE VIEW counted AS SELECT count(*) FROM people;
		CREATE TRIGGER instead INSTEAD OF DELETE ON named BEGIN SELECT 1; END;
	`)
	c := catalogOf(t, path)
	people := c.Find("people")
	want := catalog.Table{
		Checks: []catalog.Definition{
			{Name: "People_check", Text: "CHECK (length(name) > 0)", Reads: []string{"name"}},
			{Name: "has one", Text: "CHECK (name IS NOT NULL OR email IS NOT NULL)", Reads: []string{"name", "email"}},
		},
		Indexes: []catalog.Definition{
			{Name: "folded", Text: "CREATE INDEX folded ON people (lower(email))", Reads: []string{"email"}},
			{Name: "few", Text: "CREATE INDEX few ON People (name) WHERE email = 'ceo@shop.example'", Reads: []string{"name", "email"}},
		},
		Triggers: []catalog.Definition{{Name: "remember", Reads: []string{"email"},
			Text: "CREATE TRIGGER remember AFTER UPDATE OF email ON people BEGIN INSERT INTO log VALUES (old.email, 'xxxxx'); END"}},
	}
	for _, d := range []struct{ got, want []catalog.Definition }{{people.Checks, want.Checks}, {people.Indexes, want.Indexes}, {people.Triggers, want.Triggers}} {
		if !reflect.DeepEqual(d.got, d.want) {
			t.Errorf("got  %+v\nwant %+v", d.got, d.want)
		}
	}
	if got := people.Column("loud").Computation; got != "(upper(name))" {
		t.Errorf("computation %q", got)
	}
	reads := map[string][]string{}
	for _, o := range c.Objects {
		if o.Definition == "" {
			t.Errorf("%s %s has no definition", o.Kind, o.Name)
		}
		for _, r := range o.Reads {
			reads[o.Name] = append(reads[o.Name], r.String())
		}
	}
	for view, want := range map[string][]string{
		"named": {"People.name"}, "counted": nil, "remember": nil,
		"everything": {"People.id", "People.name", "People.email", "People.loud", "log.was", "log.at"},
	} {
		if !slices.Equal(reads[view], want) {
			t.Errorf("%s reads %q", view, reads[view])
		}
	}
	// A key that SQLite itself cannot check is in the file, and the file can be read.
	if c.Find("broken").ForeignKeys[0].Validated {
		t.Error("a key to a column that is missing is vouched for")
	}
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("hunter2-never-shown")) {
		t.Error("a password is in the file")
	}
	again, err := catalog.Read(&b)
	if err != nil || again.Fingerprint() != c.Fingerprint() || len(catalog.Diff(c, again)) > 0 {
		t.Errorf("through a file: %v, %v", err, catalog.Diff(c, again))
	}
}
