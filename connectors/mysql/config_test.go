package mysql

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

func TestConnectionStrings(t *testing.T) {
	t.Setenv("MYSQL_PWD", "from-the-environment")
	for _, test := range []struct {
		dsn  string
		want string // account, password, network, address, database; or what the error says
	}{
		{"mysql://ann:pw@db.example/shop", "ann pw tcp db.example:3306 shop"},
		{"mariadb://ann@db.example:3307/shop", "ann from-the-environment tcp db.example:3307 shop"},
		{"mysql://ann:p%40ss%2Fword@h/shop", "ann p@ss/word tcp h:3306 shop"},
		{"mysql://ann@[::1]:3307/shop", "ann from-the-environment tcp [::1]:3307 shop"},
		{"mysql://ann@/shop?socket=/run/mysqld/mysqld.sock", "ann from-the-environment unix /run/mysqld/mysqld.sock shop"},
		{"mysql://ann@h/a%2Fb%20c", "ann from-the-environment tcp h:3306 a/b c"},
		{"mysql://ann@h/shop?compress=true&ssl-mode=disabled", "ann from-the-environment tcp h:3306 shop"},
		{"mysql://ann@h", "names no database"},
		{"mysql://ann@h/shop?socket=/s", "names both a host and a socket"},
		{"mysql://ann@h/shop?sslmode=require", `the parameter "sslmode" is not known`},
		{"mysql://ann@h/shop?ssl-mode=maybe", `ssl-mode "MAYBE" is not known`},
		{"mysql://ann@h/shop?ssl-ca=/nowhere/ca.pem", "the file of ssl-ca cannot be read"},
		{"mysql://ann@h/shop?compress=perhaps", "compress is neither true nor false"},
		{"mysql://ann:hunter2@x@h/shop", "there is an @"},
		{"mysql://ann@h/mysql", "of the server itself"},
		{"postgres://ann@h/shop", "is no URL of MySQL or MariaDB"},
	} {
		c, err := newConfig(connectors.SourceSide, test.dsn, connectors.Options{})
		got := ""
		if err == nil {
			got = strings.Join([]string{c.conn.User, c.conn.Passwd, c.conn.Net, c.conn.Addr, c.database}, " ")
		} else if got = err.Error(); strings.Contains(got, "hunter2") {
			t.Errorf("%s: the error shows the password", test.dsn)
		}
		if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
			t.Errorf("%s: %s, want %s", test.dsn, got, test.want)
		}
	}
}

// A database is shown by host, port and name, or by its socket, wherever that was named from.
func TestDisplay(t *testing.T) {
	t.Chdir("/")
	for dsn, want := range map[string]string{
		"mysql://u@db.internal/shop":                         "db.internal:3306/shop",
		"mysql://u@[2001:db8::5]/shop":                       "[2001:db8::5]:3306/shop",
		"mysql://u@/shop?socket=/run/mysqld/mysqld.sock":     "/run/mysqld/mysqld.sock/shop",
		"mysql://u@/shop?socket=run/../run/mysqld.sock":      "/run/mysqld.sock/shop",
		"mysql://u@/shop?socket=" + url.QueryEscape("@shop"): "@shop/shop",
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

// certificates makes an authority and a server's certificate for 127.0.0.1, and returns the
// files: of the authority, the certificate and its key.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as another account
		t.Fatal(err)
	}
	made := func(name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, string, string) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		if parent == nil {
			parent, signer, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = c, k, true, true, x509.KeyUsageCertSign
		} else {
			c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		certFile, keyFile := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
		for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
			if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return c, k, certFile, keyFile
	}
	authority, signer, ca, _ := made("authority", nil, nil)
	_, _, cert, key = made("server", authority, signer)
	return ca, cert, key
}

// Each ssl-mode does what MySQL's own programs do by it, with compression and without; a
// copy goes through both.
func TestTLS(t *testing.T) {
	connectortest.NoRaces(t)
	ca, cert, key := certificates(t)
	otherCA, _, _ := certificates(t)
	for _, flavor := range connectortest.PrivateMySQLs(t) {
		t.Run(flavor, func(t *testing.T) {
			s := connectortest.PrivateMySQLServer(t, flavor, 0, "ssl-ca="+ca, "ssl-cert="+cert, "ssl-key="+key)
			database := s.Database(t)
			s.Exec(t, database, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)", "INSERT INTO t VALUES (1, REPEAT('x', 100000))")
			for _, test := range []struct {
				parameters string
				encrypted  bool
				refused    bool
			}{
				{"ssl-mode=disabled", false, false},
				{"", true, false},
				{"ssl-mode=required&compress=true", true, false},
				{"ssl-ca=" + url.QueryEscape(ca), true, false},
				{"ssl-mode=verify_identity&ssl-ca=" + url.QueryEscape(ca), true, false},
				{"ssl-ca=" + url.QueryEscape(otherCA), false, true},
				{"ssl-mode=verify-identity&ssl-ca=" + url.QueryEscape(otherCA), false, true},
				{"ssl-mode=verify_identity", false, true}, // the machine's own authorities do not know it
			} {
				u, err := url.Parse(s.DSN(database))
				if err != nil {
					t.Fatal(err)
				}
				u.RawQuery = test.parameters
				c, err := newConfig(connectors.SourceSide, u.String(), connectors.Options{})
				if err != nil {
					t.Fatal(err)
				}
				conn, err := c.connect(t.Context(), database)
				if kind, _ := connectors.KindOf(err); test.refused != (err != nil) || err != nil && kind != connectors.KindUnavailable {
					t.Errorf("%s: %v", test.parameters, err)
				}
				if err != nil {
					continue
				}
				cipher := ""
				if err := conn.query(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'", func(r row) error {
					cipher = r.text(1)
					return nil
				}); err != nil {
					t.Error(err)
				}
				conn.close()
				if (cipher != "") != test.encrypted {
					t.Errorf("%s: the cipher is %q", test.parameters, cipher)
				}
			}
			u, err := url.Parse(s.DSN(database))
			if err != nil {
				t.Fatal(err)
			}
			u.RawQuery = "compress=true&ssl-mode=verify_identity&ssl-ca=" + url.QueryEscape(ca)
			target := *u
			target.Path += "_copy"
			if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, u.String(), target.String()); err != nil {
				t.Fatal(err)
			}
			if n := s.Value(t, database+"_copy", "SELECT LENGTH(v) FROM t"); n != "100000" {
				t.Errorf("the copy has a value of %s bytes", n)
			}
		})
	}
}
