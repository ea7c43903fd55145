package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A setting of a function may be a secret, as one of the database may: it stays behind, and the
// function comes along without it.
func TestSecretSettingsOfFunctions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE SCHEMA s",
		`CREATE FUNCTION sec(v text DEFAULT 'SET "app.api_key" TO x') RETURNS text LANGUAGE sql SET app.api_key = E's3cr3t\n    SET "app.api_key" TO ''s3cr3t' SET search_path = public, s SET work_mem = '8MB' SET enable_seqscan = off SET statement_timeout = '5s' SET application_name = 's3cr3t' AS $$SELECT current_setting('app.api_key', true)$$`,
		`CREATE PROCEDURE s."do it"() LANGUAGE plpgsql SET "App.Key" = 's3cr3t' SET temp_tablespaces = '' AS $$BEGIN
    NULL; /*
    SET "App.Key" TO 'in a body'
*/ END$$`,
		"CREATE FUNCTION gone() RETURNS text LANGUAGE sql SET app.api_key = 's3cr3t' AS $$SELECT pg_read_file('/etc/hostname')$$")
	const reason = ": is none of those that are known to be harmless, and may be a secret\n"
	const stays = "left behind: function setting: public.gone() app.api_key" + reason + "left behind: function setting: public.sec(v text) app.api_key" + reason +
		"left behind: function setting: public.sec(v text) application_name" + reason + "left behind: procedure setting: s.do it() App.Key" + reason
	for _, keep := range [][]string{nil, {"function setting:sec(v text) app.api_key", "procedure setting:s.do it() App.Key", "function:gone()"}} {
		c, err := catalogKeeping(t, from, keep...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(fateLines(c.Fates(), "nobody"), "setting ", "setting: "); keep == nil && !strings.HasSuffix(got, stays) {
			t.Errorf("fates\n%s, want\n%s", got, stays)
		}
		for _, o := range c.Objects {
			if strings.Contains(o.Definition, "s3cr3t") {
				t.Errorf("the words of %s hold the secret: %s", o.Name, o.Definition)
			}
		}
		snap, err := openSnapshot(t, from, connectors.Options{Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		defs, err := snap.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if plan, run := fateLines(c.Fates(), "nobody"), fateLines(defs.LeftBehind, "nobody"); plan != run {
			t.Errorf("the run leaves behind\n%s\nthe plan\n%s", run, plan)
		}
		if keep == nil && strings.Contains(string(defs.Data), "s3cr3t") {
			t.Errorf("the secret travels: %s", defs.Data)
		}
		to := b.DSN(b.Name(t))
		if err := copySnapshot(t, t.Context(), snap, to, "r1", nil); err != nil {
			t.Fatal(err)
		}
		of := map[string]string{
			"sec":   `search_path=public, s work_mem=8MB enable_seqscan=off statement_timeout=5s`,
			"do it": `temp_tablespaces=""`,
			"gone":  "",
		}
		if keep != nil {
			of["sec"] = "app.api_key=s3cr3t\n    SET \"app.api_key\" TO 's3cr3t " + of["sec"]
			of["do it"] = "App.Key=s3cr3t " + of["do it"]
		}
		for name, want := range of {
			if got := b.Value(t, to, "SELECT coalesce(array_to_string(proconfig, ' '), '') FROM pg_proc WHERE proname = "+literal(name)); got != want {
				t.Errorf("%s has %q, want %q", name, got, want)
			}
		}
		if got := b.Value(t, to, "SELECT prosrc FROM pg_proc WHERE proname = 'do it'"); !strings.Contains(got, `SET "App.Key" TO 'in a body'`) {
			t.Errorf("a body was cut: %s", got)
		}
	}
}

// What a function sets is said by lines that stand outside of its literals.
func TestSettingsIn(t *testing.T) {
	for sql, want := range map[string]string{
		"CREATE FUNCTION f()\n    LANGUAGE sql\n    SET \"a.b\" TO 'x', 'y\nz'\n    SET c TO 'd'\n    AS $$$$;": "CREATE FUNCTION f()\n    LANGUAGE sql\n    SET c TO 'd'\n    AS $$$$;",
		"CREATE FUNCTION f()\n SET a.b TO 'x'\nAS $$\n SET a.b TO 'y'\n$$":                                      "CREATE FUNCTION f()\nAS $$\n SET a.b TO 'y'\n$$",
		"CREATE FUNCTION f(v text DEFAULT '\n SET a.b TO 1\n')\n SET \"a.b\" TO E'\\'\n'\nAS ''":                "CREATE FUNCTION f(v text DEFAULT '\n SET a.b TO 1\n')\nAS ''",
		"CREATE FUNCTION f()\nAS '\n SET a.b TO 1'":                                                             "",
		"CREATE FUNCTION f()\n SET a.bc TO '1'\nAS ''":                                                          "",
		"CREATE FUNCTION f()\nBEGIN ATOMIC\n SET a.b TO 1;\n":                                                   "",
	} {
		got, found := cutSetting(sql, "a.b")
		if found != (want != "") || found && got != want {
			t.Errorf("%s\nis cut to\n%s, %t", sql, got, found)
		}
	}
}
