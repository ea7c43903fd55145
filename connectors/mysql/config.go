package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
)

// config is what a source or a sink knows of its server, and the bounds it keeps.
type config struct {
	side        connectors.Side
	conn        *driverpkg.Config
	database    string
	workers     int           // sessions at once, beside the one that reads the catalog or holds the lock
	sessions    int           // bound of all sessions at the source; 0 is none
	lockTimeout time.Duration // longest wait for a lock
	warn        func(string)
	inserts     bool                                                                 // rows are loaded by INSERT even where LOAD DATA LOCAL is allowed
	keep        []string                                                             // objects of the source that come along; see catalog.Catalog.Keep
	holder      func(context.Context, connectors.Identity, string) (net.Conn, error) // connectors.Options.Holder
	compress    bool
}

const (
	defaultWorkers     = 4
	defaultLockTimeout = 10 * time.Second
	connectTimeout     = 15 * time.Second
	// cleanupTimeout bounds what Close and Abort do after a context has ended.
	cleanupTimeout = 20 * time.Second
)

const dsnHint = "write it as mysql://user@host:3306/database or mariadb://…; parameters: socket, ssl-mode, ssl-ca, ssl-cert, ssl-key, compress"

// systemDatabases are the server's own: accounts, settings and views of its state. They are
// neither read nor, above all, replaced.
var systemDatabases = []string{"mysql", "sys", "information_schema", "performance_schema"}

func accepts(dsn string) bool {
	scheme, _, ok := strings.Cut(dsn, "://")
	return ok && (scheme == "mysql" || scheme == "mariadb")
}

// newConfig reads a URL: mysql://user:password@host:port/database?parameters. A password
// that is missing is taken from MYSQL_PWD. Parameters are called as MySQL's own programs
// call their options: socket, ssl-mode (DISABLED, PREFERRED, REQUIRED, VERIFY_CA,
// VERIFY_IDENTITY; PREFERRED is usual), ssl-ca, ssl-cert, ssl-key, compress.
func newConfig(side connectors.Side, dsn string, opts connectors.Options) (*config, error) {
	fail := func(err error, hint string) (*config, error) {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: side, Op: "read the connection string", Err: err, Hint: hint}
	}
	if connectors.AmbiguousURL(dsn) {
		return fail(errors.New("there is an @ where host or database should be: a piece of a password would be taken for one of them"),
			"in a password or a name write @ as %40, / as %2F, ? as %3F, # as %23; or leave the password to MYSQL_PWD")
	}
	u, err := url.Parse(dsn)
	if err != nil || !accepts(dsn) || u.Opaque != "" || u.Fragment != "" {
		return fail(errors.New("it is no URL of MySQL or MariaDB"), dsnHint)
	}
	c := &config{side: side, workers: opts.Workers, sessions: opts.Sessions, warn: opts.Warn, keep: opts.Keep, holder: opts.Holder}
	if c.workers <= 0 {
		c.workers = defaultWorkers
	}
	c.lockTimeout = time.Duration(opts.LockTimeout) * time.Millisecond
	if c.lockTimeout <= 0 {
		c.lockTimeout = defaultLockTimeout
	}
	if c.warn == nil {
		c.warn = func(string) {}
	}
	if c.database = strings.TrimPrefix(u.Path, "/"); c.database == "" {
		return fail(errors.New("it names no database"), dsnHint)
	}
	if slices.Contains(systemDatabases, strings.ToLower(c.database)) {
		return fail(fmt.Errorf("%s is a database of the server itself", strings.ToLower(c.database)), "name the database of an application")
	}
	cc := driverpkg.NewConfig()
	cc.User, cc.Passwd = u.User.Username(), os.Getenv("MYSQL_PWD")
	if password, has := u.User.Password(); has {
		cc.Passwd = password
	}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	cc.Net, cc.Addr = "tcp", net.JoinHostPort(host, port)
	cc.Timeout = connectTimeout
	cc.MaxAllowedPacket = 0 // the server's own bound is asked for
	cc.ConnectionAttributes = "program_name:sanitize"
	cc.Logger = &driverpkg.NopLogger{}
	cc.CheckConnLiveness = false
	var t tlsOptions
	for name, values := range u.Query() {
		v := values[len(values)-1]
		switch name {
		case "socket":
			if u.Host != "" {
				return fail(errors.New("it names both a host and a socket"), "leave one of them out")
			}
			cc.Net, cc.Addr = "unix", v
		case "ssl-mode":
			t.mode = strings.ToUpper(strings.ReplaceAll(v, "-", "_"))
		case "ssl-ca":
			t.ca = v
		case "ssl-cert":
			t.cert = v
		case "ssl-key":
			t.key = v
		case "compress":
			switch v {
			case "", "1", "true":
				if err := cc.Apply(driverpkg.EnableCompression(true)); err != nil {
					return fail(errors.New("compression cannot be switched on"), "leave compress out")
				}
				c.compress = true
			case "0", "false":
			default:
				return fail(errors.New("compress is neither true nor false"), dsnHint)
			}
		default:
			return fail(fmt.Errorf("the parameter %.40q is not known", name), dsnHint)
		}
	}
	if err := t.apply(cc, host); err != nil {
		return fail(err, "see ssl-mode, ssl-ca, ssl-cert and ssl-key: files in PEM form")
	}
	c.conn = cc
	return c, nil
}

// tlsOptions are the options of MySQL's own programs that speak of TLS.
type tlsOptions struct{ mode, ca, cert, key string }

func (t tlsOptions) apply(cc *driverpkg.Config, host string) error {
	if t.mode == "" {
		t.mode = "PREFERRED"
		if t.ca != "" {
			t.mode = "VERIFY_CA" // who names an authority wants it asked
		}
	}
	tc := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return errors.New("the file of ssl-ca cannot be read")
		}
		tc.RootCAs = x509.NewCertPool()
		if !tc.RootCAs.AppendCertsFromPEM(pem) {
			return errors.New("the file of ssl-ca holds no certificate")
		}
	}
	if t.cert != "" || t.key != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return errors.New("ssl-cert and ssl-key are no pair of files that can be read")
		}
		tc.Certificates = []tls.Certificate{pair}
	}
	switch t.mode {
	case "DISABLED":
		return nil
	case "PREFERRED":
		if cc.Net == "unix" {
			return nil // nobody listens on a socket
		}
		tc.InsecureSkipVerify = true
		cc.AllowFallbackToPlaintext = true
	case "REQUIRED":
		tc.InsecureSkipVerify = true
	case "VERIFY_CA":
		// The certificate has to be of the authority, whatever host it names.
		tc.InsecureSkipVerify = true
		roots := tc.RootCAs
		tc.VerifyConnection = func(s tls.ConnectionState) error {
			opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
			for _, c := range s.PeerCertificates[1:] {
				opts.Intermediates.AddCert(c)
			}
			_, err := s.PeerCertificates[0].Verify(opts)
			return err
		}
	case "VERIFY_IDENTITY":
	default:
		return fmt.Errorf("ssl-mode %.40q is not known", t.mode)
	}
	cc.TLS = tc
	return nil
}

// host returns the host that is connected to, as it is written.
func (c *config) host() string {
	if c.conn.Net == "unix" {
		return connectors.Local
	}
	host, _, err := net.SplitHostPort(c.conn.Addr)
	if err != nil {
		return c.conn.Addr
	}
	return host
}

// display returns host and port, or the socket, and the database, if one is named, for people.
func (c *config) display(database string) string {
	at := c.conn.Addr
	if c.conn.Net == "unix" && !strings.HasPrefix(at, "@") {
		if path, err := filepath.Abs(at); err == nil { // or it could be taken for a host
			at = path
		}
	}
	if database == "" {
		return at
	}
	return at + "/" + database
}

// settings are made in every session, so that no default of the server or the account
// decides what a row looks like or when a run ends.
func (c *config) settings(s server) []string {
	set := []string{
		"time_zone = '+00:00'",
		"autocommit = 1",
		"sql_select_limit = 18446744073709551615", "sql_safe_updates = 0", "sql_big_selects = 1", "sql_quote_show_create = 1", "sql_notes = 1",
		"net_write_timeout = 3600", "net_read_timeout = 3600", // a chunk may wait for its other end
		"wait_timeout = 604800",
	}
	if s.mariadb {
		set = append(set, "max_statement_time = 0", "idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0", "idle_write_transaction_timeout = 0",
			"system_versioning_asof = DEFAULT", // now, whatever the server's own is
			"max_error_count = 65535")          // of warnings a load looks at every one; elsewhere an account may not ask for more than 1,024
	} else if c.side == connectors.SourceSide {
		set = append(set, "max_execution_time = 0")
	}
	if s.has(statsExpiry) {
		set = append(set, "information_schema_stats_expiry = 0")
	}
	seconds := max(1, int((c.lockTimeout+time.Second-1)/time.Second))
	if c.side == connectors.SourceSide {
		return append(set, "sql_mode = 'ALLOW_INVALID_DATES'", fmt.Sprintf("lock_wait_timeout = %d", seconds))
	}
	// Without unique_checks MariaDB sorts what is loaded into an empty table before it stores
	// it, which takes twice the processor's time of rows that come in order already; and a
	// table that an index is added to row by row would not have its unique keys looked at.
	return append(set, "sql_mode = '"+buildMode+"'", "lock_wait_timeout = 3600", "innodb_lock_wait_timeout = 3600", "foreign_key_checks = 0", "unique_checks = 1")
}

// buildMode is the sql_mode of a build: what stood in the source may stand here, zero
// dates and dates that no calendar has too, and what does not fit is a warning, which a
// load takes for an error.
const buildMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// connect opens a session, on a database if one is named, and makes the settings.
func (c *config) connect(ctx context.Context, database string) (*session, error) {
	return c.connectBy(ctx, database, nil)
}

// connectBy opens one whose wide rows go through a gate, if there is one.
func (c *config) connectBy(ctx context.Context, database string, g gate) (*session, error) {
	cc := c.conn.Clone()
	cc.DBName = database
	op := "connect to " + c.display(database)
	var conn driver.Conn
	w, err := c.wired(ctx, cc, g)
	if err == nil {
		made, bad := driverpkg.NewConnector(cc)
		if bad != nil {
			w.failed(bad)
			return nil, &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: op, Err: errors.New("the driver does not take the connection string"), Hint: dsnHint}
		}
		if conn, err = made.Connect(ctx); err != nil {
			err = w.failed(err)
		}
	}
	if err != nil {
		e := failDefinition(ctx, c.side, op, err)
		var ours *connectors.Error
		if errors.As(e, &ours) && ctx.Err() == nil && numberOf(err) == 0 {
			ours.Kind, ours.Retry = connectors.KindUnavailable, true
			ours.Hint = "is the server running, and do host, port and ssl-mode fit?"
		}
		return nil, e
	}
	s := &session{side: c.side, conn: conn}
	if w != nil {
		s.asker, s.turn = w, w.turn
	}
	if err := c.prepare(ctx, s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (c *config) prepare(ctx context.Context, s *session) error {
	text, err := s.word(ctx, "SELECT VERSION()")
	if err != nil {
		return err
	}
	if s.server, err = parseServer(text); err != nil || s.server.tooOld() {
		if err == nil {
			err = fmt.Errorf("the server is %s", s.server)
		}
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: c.side, Op: "connect to " + c.display(""), Err: err, Hint: "MySQL from 5.7 and MariaDB from 10.5 are supported"}
	}
	// The names of objects come in UTF-8, whatever their character sets are.
	if err := s.exec(ctx, "SET NAMES utf8mb4"); err != nil {
		return err
	}
	if err := s.exec(ctx, "SET "+strings.Join(c.settings(s.server), ", ")); err != nil {
		return err
	}
	if c.side == connectors.SourceSide {
		if err := s.exec(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
			return err
		}
		return s.exec(ctx, "SET SESSION TRANSACTION READ ONLY")
	}
	return s.query(ctx, "SELECT @@GLOBAL.local_infile, @@SESSION.max_allowed_packet", func(r row) error {
		s.infile, s.packet = r.number(0) == 1 && !c.inserts, r.number(1)
		return nil
	})
}
