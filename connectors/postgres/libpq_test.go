package postgres

import (
	"encoding/base64"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// also returns a connection string of a server with more parameters.
func also(t *testing.T, dsn, parameters string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+parameters, "&")
	return u.String()
}

// What libpq knows is no setting of the server: it is heeded, or passed over where it changes nothing.
func TestKeywordsOfLibpq(t *testing.T) {
	s := connectortest.Postgres(t)
	dsn := s.Database(t)
	s.Exec(t, dsn, "CREATE TABLE t (id integer PRIMARY KEY)")
	for _, more := range []string{
		"hostaddr=127.0.0.1", "gssencmode=disable", "gssencmode=prefer", "keepalives=1", "keepalives=0", "keepalives_idle=30&keepalives_interval=5&keepalives_count=3", "load_balance_hosts=random",
		"sslcompression=0", "fallback_application_name=cron", "client_encoding=auto", "client_encoding=LATIN1", "tcp_user_timeout=1000", "replication=false", "gssdelegation=0",
		"ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3", "requirepeer=postgres", "sslcrl=/etc/crl.pem&sslmode=disable",
	} {
		source, err := openSource(t.Context(), also(t, dsn, more), connectors.Options{})
		if err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		if _, err := source.Catalog(t.Context()); err != nil {
			t.Errorf("%s: %v", more, err)
		}
		source.Close()
	}
	// A name that leads nowhere, and where it is all the same.
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "nowhere.invalid:" + u.Port()
	nameless := "postgres://" + u.User.String() + "@" + u.Path + "?port=" + u.Port()
	for _, dsn := range []string{also(t, u.String(), "hostaddr=127.0.0.1"), also(t, nameless, "hostaddr=127.0.0.1")} {
		if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, dsn, s.DSN(s.Name(t))); err != nil {
			t.Error(err)
		}
	}
	// What is named is meant: a variable would lead source and target to one server.
	t.Setenv("PGHOSTADDR", "127.0.0.1")
	if source, err := openSource(t.Context(), u.String(), connectors.Options{}); err == nil {
		source.Close()
		t.Error("PGHOSTADDR leads elsewhere than the name")
	}
	if source, err := openSource(t.Context(), nameless, connectors.Options{}); err != nil {
		t.Error(err)
	} else {
		source.Close()
	}
}

// What would guard a connection and cannot be had here is refused, and so is a setting that the server
// does not take. It is named, and its value is not.
func TestKeywordsRefused(t *testing.T) {
	s := connectortest.Postgres(t)
	dsn := s.Database(t)
	for more, want := range map[string]string{
		"requirepeer=postgres&host=/run":      "requirepeer cannot be heeded",
		"sslcrl=/etc/crl.pem&sslmode=require": "sslcrl cannot be heeded",
		"gssencmode=require":                  "gssencmode cannot be heeded",
		"replication=database":                "replication cannot be heeded",
		"hostaddr=127.0.0.1,127.0.0.2":        "hostaddr cannot be heeded",
		"ssl_min_protocol_version=TLSv9":      "ssl_min_protocol_version cannot be heeded",
		"keepalives_idle=soon":                "keepalives cannot be heeded",
		"TimeZone=Mars":                       "the server does not take what is set for TimeZone",
		"options=-c%20work_mem%3Dhunter2":     "the server does not take what is set for work_mem",
		"work_mem=1":                          "the server does not take what is set for work_mem",
		"nonsense=1":                          `unrecognized configuration parameter "nonsense"`,
		"shared_buffers=1GB":                  "the server does not take what is set for shared_buffers",
	} {
		source, err := openSource(t.Context(), also(t, dsn, more), connectors.Options{})
		if err == nil {
			source.Close()
			t.Errorf("%s: it connects", more)
			continue
		}
		var e *connectors.Error
		if !errors.As(err, &e) || e.Kind != connectors.KindUsage || !strings.Contains(err.Error(), want) || e.Hint == "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %s", more, err, want)
		}
	}
}

// pg_dump works under what PGOPTIONS says, as the run's own sessions do.
func TestOptionsOfTheEnvironment(t *testing.T) {
	s := connectortest.Postgres(t)
	dsn := s.Database(t)
	s.Exec(t, dsn, "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	dumper := role(t, s, dsn, "dumper_"+s.Name(t))
	u, err := url.Parse(dumper)
	if err != nil {
		t.Fatal(err)
	}
	reads := s.Name(t) + "_reads"
	s.Exec(t, dsn, "CREATE ROLE "+reads, "GRANT SELECT ON t TO "+reads, "ALTER ROLE "+u.User.Username()+" NOINHERIT", "GRANT "+reads+" TO "+u.User.Username())
	t.Cleanup(func() { s.Exec(t, dsn, "DROP OWNED BY "+reads, "DROP ROLE "+reads) })
	t.Setenv("PGOPTIONS", "-c role="+reads)
	snap, err := openSnapshot(t, dumper, connectors.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snap.Definitions(t.Context()); err != nil {
		t.Error(err)
	}
}

// A service of the system is found where the account has none of that name.
func TestServicesOfTheSystem(t *testing.T) {
	s := connectortest.Postgres(t)
	u, err := url.Parse(s.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	dir, home := t.TempDir(), t.TempDir()
	t.Setenv("PGSYSCONFDIR", dir)
	t.Setenv("HOME", home)
	password, _ := u.User.Password()
	entry := "host=" + u.Hostname() + "\nport=" + u.Port() + "\nuser=" + u.User.Username() + "\npassword=" + password + "\ndbname=" + strings.TrimPrefix(u.Path, "/") + "\nkeepalives=1\n"
	if err := os.WriteFile(filepath.Join(dir, "pg_service.conf"), []byte("[shop]\n"+entry), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() error {
		source, err := openSource(t.Context(), "service=shop", connectors.Options{})
		if err == nil {
			source.Close()
		}
		return err
	}
	if err := open(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".pg_service.conf"), []byte("[shop]\nhost=nowhere.invalid\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(); err == nil {
		t.Error("the account's own service comes first")
	}
}

// A client's key that is encrypted serves pg_dump as well, and its password stands nowhere.
func TestEncryptedKey(t *testing.T) {
	s := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	dsn := s.DSN("postgres")
	for _, name := range []string{"server.crt", "server.key"} {
		content, err := os.ReadFile(filepath.Join("testdata", "tls", name))
		if err != nil {
			t.Fatal(err)
		}
		s.Exec(t, dsn, "COPY (SELECT) TO PROGRAM "+literal("umask 077; echo "+base64.StdEncoding.EncodeToString(content)+" | base64 -d > "+name))
	}
	s.Exec(t, dsn, "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()", "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	dir := t.TempDir()
	for _, name := range []string{"client.crt", "client.key", "client-pkcs8.key"} {
		content, err := os.ReadFile(filepath.Join("testdata", "tls", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	q := url.Values{"sslmode": {"require"}, "sslcert": {filepath.Join(dir, "client.crt")}, "sslkey": {filepath.Join(dir, "client.key")}, "sslpassword": {"its 'own' pw"}}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	target := connectortest.Postgres(t)
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, u.String(), target.DSN(target.Name(t))); err != nil {
		t.Error(err)
	}
	q.Set("sslkey", filepath.Join(dir, "client-pkcs8.key"))
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	_, err = openSource(t.Context(), u.String(), connectors.Options{})
	wants(t, err, connectors.KindUsage, connectors.SourceSide, "PKCS #8", "openssl rsa -aes256 -traditional")
}

func TestHostsOf(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u@db.internal:5433/shop": "db.internal", "postgres://u:p%40w@[::1]:5432,h2/shop?x=/y@z": "::1,h2", "postgres:///shop": "", "postgres://h1,h2:2": "h1,h2",
		"host=h dbname=x": "", "postgres://%2Frun/shop": "%2Frun",
	} {
		if got := hostsOf(dsn); got != want {
			t.Errorf("%s: %q, want %q", dsn, got, want)
		}
	}
}
