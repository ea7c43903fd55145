package connectors_test

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestRedactText(t *testing.T) {
	const piece = "never-shown-7"
	for _, text := range []string{
		"SELECT dblink('host=prod user=app password=" + piece + " dbname=x', 'SELECT 1')",
		"SELECT dblink('host=prod password = ''" + piece + "'' dbname=x')",
		`connect('{"user": "app", "password": "` + piece + `"}')`,
		"SELECT http_get('https://app:" + piece + "@hooks.example/x?y')",
		"postgres://app:a@b/" + piece + "@prod/shop",
		"ALTER ROLE app PASSWORD '" + piece + "'",
		"ALTER ROLE app ENCRYPTED PASSWORD E'" + piece + "'",
		"CREATE USER app IDENTIFIED BY '" + piece + "'",
		"SET app.api_key = '" + piece + "';",
		"v_secret := '" + piece + "';",
		"set_config('app.token', '" + piece + "', true)",
		"-- the admin's PASSWORD: '" + piece + "'",
		"PGPASSWORD=" + piece + " psql -h prod",
		"mysql --password=" + piece,
		"perform http('Authorization: Bearer abcdefghij" + piece + "')",
		"password => $q$" + piece + "$q$",
		"password = 'it''s " + piece + "'",
		"OPTIONS (user 'app', password '" + piece + "')",
		"CHECK (password <> '" + piece + "')", "CHECK ((password)::text <> '" + piece + "'::text)", "WHERE password NOT LIKE '" + piece + "%'",
		"password IN ('" + piece + "')", "token = ANY (ARRAY['" + piece + "'::text])", "WHERE '" + piece + "' = u.password",
		"INSERT INTO conf (name, password) VALUES ('app', '" + piece + "')", "https://hooks.example/x?a=1&token=" + piece,
		"https://" + piece + "@hooks.example/", "'Bearer " + piece + "'", "password = /* the admin's */ '" + piece + "'",
	} {
		got := connectors.RedactText(text)
		if strings.Contains(got, piece) || !strings.Contains(got, "xxxxx") {
			t.Errorf("%s\n became %s", text, got)
		}
	}
	for _, text := range []string{
		"", "SELECT id, password FROM users", "NEW.password = crypt(NEW.password, gen_salt('bf'))",
		"UPDATE log SET password = NEW.password WHERE token = OLD.token", "WHERE password = $1",
		"WHERE token IN (SELECT id FROM old)", "CHECK (length(password) > 8)", "CHECK ((password <> ''::text))", "CREATE TABLE t (password text, token uuid)", "https://docs.example/x",
	} {
		if got := connectors.RedactText(text); got != text {
			t.Errorf("%s\n became %s", text, got)
		}
	}
}

func TestRedactDefinitions(t *testing.T) {
	const piece = "never-shown-7"
	at := "password='" + piece + "'"
	tables := []*catalog.Table{{
		Comment: at, Columns: []catalog.Column{{Name: "a", Comment: at, Default: at, Computation: at}, {Name: "password", Default: "'" + piece + "'::text"}, {Name: "n", Default: "'new'::text"}},
		Checks: []catalog.Definition{{Text: at}}, Indexes: []catalog.Definition{{Text: at}}, Triggers: []catalog.Definition{{Text: at}},
	}}
	objects := []catalog.Object{{Kind: "view", Name: "v", Definition: at, Comment: at}}
	connectors.RedactDefinitions(tables, objects)
	c := catalog.New("x", "", "", tables, objects)
	var b strings.Builder
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), piece) || strings.Count(b.String(), "xxxxx") != 10 {
		t.Errorf("%s", b.String())
	}
	if tables[0].Columns[1].Default != "'xxxxx'::text" || tables[0].Columns[2].Default != "'new'::text" {
		t.Errorf("defaults %q, %q", tables[0].Columns[1].Default, tables[0].Columns[2].Default)
	}
}
