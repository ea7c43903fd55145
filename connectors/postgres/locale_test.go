package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A database that cannot be made as the source's is says what is wrong with its locale.
func TestLocalesThatTheTargetRefuses(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	name := a.Name(t)
	a.CreateDatabase(t, name, "ENCODING 'SQL_ASCII' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
	plain := a.Database(t)
	for what, c := range map[string]struct {
		from    string
		to      string
		change  func(*definitions)
		words   []string
		without string
	}{
		"unknown": {plain, a.DSN(a.Name(t)), func(d *definitions) { d.Collate, d.CType = "xx_YY.UTF-8", "xx_YY.UTF-8" }, []string{"xx_YY.UTF-8", "install that locale"}, "superuser"},
		"of Windows": {plain, a.DSN(a.Name(t)), func(d *definitions) { d.Collate, d.CType = "German_Germany.1252", "German_Germany.1252" },
			[]string{"German_Germany.1252", "Windows", "locale"}, "install that locale"},
		"any bytes": {a.DSN(name), maker(t, a), nil, []string{"SQL_ASCII", "C.UTF-8", "superuser", "locale C"}, "install"},
	} {
		t.Run(what, func(t *testing.T) {
			snap, err := openSnapshot(t, c.from, connectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = copyNoting(t, snap, c.to, c.change)
			wants(t, err, connectors.KindUnsupported, connectors.SinkSide, c.words...)
			if hint := connectors.Hint(err); strings.Contains(hint, c.without) {
				t.Errorf("it hints %q", hint)
			}
		})
	}
	if _, err := copyNoting(t, func() connectors.Snapshot {
		snap, err := openSnapshot(t, a.DSN(name), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}(), a.DSN(a.Name(t)), nil); err != nil {
		t.Errorf("a superuser: %v", err)
	}
}
