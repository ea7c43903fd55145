package postgres

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
)

var _ connectors.Hosted = Connector{}

func TestHosts(t *testing.T) {
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[shop]\nhost=discovery-1.internal\ndbname=shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSERVICEFILE", services)
	t.Setenv("PGHOST", "from-the-environment.internal")
	for dsn, want := range map[string][]string{
		"postgres://u:p@db.internal:5433/shop":              {"db.internal"},
		"postgres://a.internal,b.internal:5433/shop":        {"a.internal", "b.internal"},
		"postgres://[fd00::1]/shop":                         {"fd00::1"},
		"postgres:///shop?host=/var/run/postgresql":         {"localhost"},
		"postgres://ignored.internal/shop?host=db.internal": {"db.internal"},
		"host=/run dbname=shop":                             {"localhost"},
		"service=shop":                                      {"discovery-1.internal"},
		"dbname=shop":                                       {"from-the-environment.internal"},
	} {
		got, err := (Connector{}).Hosts(dsn)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", dsn, got, err)
		}
	}
	if got, err := (Connector{}).Hosts("postgres://u:hunter2@x@y/shop"); err == nil {
		t.Errorf("got %v", got)
	}
}
