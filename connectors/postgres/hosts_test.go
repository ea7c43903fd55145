package postgres

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
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
		"postgres://db.internal/shop?hostaddr=10.0.0.7":     {"db.internal", "10.0.0.7"},
		"host=a,b hostaddr=10.0.0.7,10.0.0.8 dbname=shop":   {"a", "b", "10.0.0.7", "10.0.0.8"},
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

// A database is shown by host, port and name, so that the host can be told from the port.
func TestDisplay(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u@db.internal:5433/shop":                "db.internal:5433/shop",
		"postgres://u@10.0.0.7/shop":                        "10.0.0.7:5432/shop",
		"postgres://u@[2001:db8::5]/shop":                   "[2001:db8::5]:5432/shop",
		"host=fe80::1%eth0 dbname=shop":                     "[fe80::1%eth0]:5432/shop",
		"postgres:///shop?host=/var/run/postgresql&port=54": "/var/run/postgresql:54/shop",
	} {
		c, err := newConfig(connectors.SourceSide, dsn, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.display("shop"); got != want {
			t.Errorf("%s is shown as %s, want %s", dsn, got, want)
		}
	}
}

// Of several hosts the one that answers is shown.
func TestDisplayOfSeveralHosts(t *testing.T) {
	s := connectortest.Postgres(t)
	u, err := url.Parse(s.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	name, answers := u.Path, u.Host
	for _, hosts := range []string{"localhost:1," + answers, answers + ",localhost:1"} {
		u.Host = hosts
		source, err := openSource(t.Context(), u.String(), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if at, err := source.Identity(t.Context()); err != nil || at.Display != answers+name {
			t.Errorf("%s: the source is shown as %s, want %s", hosts, at.Display, answers+name)
		}
		source.Close()
		sink, err := openSink(t.Context(), u.String(), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if at, err := sink.Identity(t.Context()); err != nil || at.Display != answers+name {
			t.Errorf("%s: the target is shown as %s, want %s", hosts, at.Display, answers+name)
		}
		sink.Close()
	}
}

// Where TLS is only preferred, the way without it has more to say.
func TestTelling(t *testing.T) {
	for failures, want := range map[string]string{
		"10.0.0.1:1 (db): dial error":                                                                      "10.0.0.1:1 (db): dial error",
		"10.0.0.1:1 (db): tls error: server refused TLS connection":                                        "10.0.0.1:1 (db): tls error: server refused TLS connection",
		"10.0.0.1:1 (db): tls error: server refused TLS connection\n10.0.0.1:1 (db): read only connection": "10.0.0.1:1 (db): read only connection",
		"10.0.0.1:1 (db): dial error\n10.0.0.2:1 (db): tls error: server refused TLS connection":           "10.0.0.1:1 (db): dial error",
	} {
		if got := telling(failures); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
