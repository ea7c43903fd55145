package connectortest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// The flavours of the MySQL family, in the order in which they are looked for.
const (
	mariaDB = "mariadb"
	mySQL   = "mysql"
)

var mysqlFlavors = [2]string{mariaDB, mySQL}

// mysqlEnv names the DSNs of the first and the second server of a flavour.
var mysqlEnv = map[string][2]string{
	mariaDB: {"SANITIZE_TEST_MARIADB", "SANITIZE_TEST_MARIADB_2"},
	mySQL:   {"SANITIZE_TEST_MYSQL", "SANITIZE_TEST_MYSQL_2"},
}

// mysqlBinEnv names the folder of the server's program, where it is not to be the one on
// the machine. What else belongs to the server is looked for around that folder, as
// archives have it that can be unpacked anywhere.
var mysqlBinEnv = map[string]string{mariaDB: "SANITIZE_TEST_MARIADB_BIN", mySQL: "SANITIZE_TEST_MYSQL_BIN"}

// mysqlRouteEnv names the servers of a run that is about one source and one target, such as
// a cell of make test-matrix-mysql: each is the folder of a server's program, or a DSN. With
// the first set, no other server is looked for.
var mysqlRouteEnv = [2]string{"SANITIZE_TEST_MYSQL_FROM", "SANITIZE_TEST_MYSQL_TO"}

// mysqlPassword is the password of root at the servers started here. They listen on the
// loopback address and die with the test.
const mysqlPassword = "only-for-tests"

// MySQLServer is a real MariaDB or MySQL server for tests. Its methods are safe for
// concurrent use.
type MySQLServer struct {
	base    url.URL // without a database
	clean   func() error
	once    sync.Once
	flavor  string
	version string
}

// errNoMySQL says that a server is neither configured, nor found, nor to be installed.
var errNoMySQL = errors.New("no such server")

var mysqlServers struct {
	mu      sync.Mutex
	started map[string]func() (*MySQLServer, error) // by flavour and number, each called once
}

// MySQL returns this process's server, MariaDB if it is to be had and else MySQL, which the
// first call starts. It fails the test, and says what to do, when there is none.
func MySQL(tb testing.TB) *MySQLServer {
	tb.Helper()
	if routed() {
		return routeMySQL(tb, 0)
	}
	return firstMySQL(tb, 0)
}

// MySQLPair returns two separate servers of the flavour that MySQL returns, or those of the
// route.
func MySQLPair(tb testing.TB) (a, b *MySQLServer) {
	tb.Helper()
	if routed() {
		return routeMySQL(tb, 0), routeMySQL(tb, 1)
	}
	a = firstMySQL(tb, 0)
	return a, firstMySQL(tb, 1)
}

// MySQLRoutes returns from which server to which other one copies are to be tried: the route
// of the run, or from each family to the other. One that has a single family says so, and
// has no routes.
func MySQLRoutes(tb testing.TB) (routes [][2]*MySQLServer) {
	tb.Helper()
	if routed() {
		a, b := MySQLPair(tb)
		return [][2]*MySQLServer{{a, b}}
	}
	if s := MySQLServers(tb); len(s) == 2 {
		return [][2]*MySQLServer{{s[0], s[1]}, {s[1], s[0]}}
	}
	return nil
}

// MySQLCopies returns from which server to which one copies are tried that need no second
// server: from each one to itself, or the route of the run.
func MySQLCopies(tb testing.TB) (copies [][2]*MySQLServer) {
	tb.Helper()
	if os.Getenv(mysqlRouteEnv[1]) != "" {
		return MySQLRoutes(tb)
	}
	for _, s := range MySQLServers(tb) {
		copies = append(copies, [2]*MySQLServer{s, s})
	}
	return copies
}

// routed reports whether the run is about one source and one target.
func routed() bool { return os.Getenv(mysqlRouteEnv[0]) != "" }

// routeMySQL returns the source of the run, or the target, which without one of its own is
// another server of the source's program.
func routeMySQL(tb testing.TB, n int) *MySQLServer {
	tb.Helper()
	s, err := onceMySQL(mysqlRouteEnv[n], func() (*MySQLServer, error) {
		env := mysqlRouteEnv[n]
		if os.Getenv(env) == "" {
			env = mysqlRouteEnv[0]
		}
		if !strings.Contains(os.Getenv(env), "://") {
			return startMySQLIn(env)
		}
		return configuredMySQL(env)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func firstMySQL(tb testing.TB, n int) *MySQLServer {
	tb.Helper()
	var tried []error
	for _, flavor := range mysqlFlavors {
		s, err := mysqlServer(flavor, n)
		if err == nil {
			return s
		}
		if tried = append(tried, err); !errors.Is(err, errNoMySQL) {
			break
		}
	}
	tb.Fatal(noMySQL(tried))
	return nil
}

// MySQLServers returns a server of every flavour that is configured or found: MariaDB, which
// is installed where it can be, and MySQL, which is said to be missing if it is. It fails
// the test when there is neither.
func MySQLServers(tb testing.TB) []*MySQLServer {
	tb.Helper()
	if routed() {
		return []*MySQLServer{routeMySQL(tb, 0)}
	}
	var wg sync.WaitGroup
	for _, flavor := range mysqlFlavors { // both at once: what each start comes to is asked for below
		wg.Go(func() { mysqlServer(flavor, 0) })
	}
	wg.Wait()
	var servers []*MySQLServer
	var missing []error
	for _, flavor := range mysqlFlavors {
		s, err := mysqlServer(flavor, 0)
		switch {
		case err == nil:
			servers = append(servers, s)
		case errors.Is(err, errNoMySQL):
			missing = append(missing, err)
		default:
			tb.Fatal(err)
		}
	}
	if len(servers) == 0 {
		tb.Fatal(noMySQL(missing))
	}
	for _, err := range missing {
		tb.Logf("DID NOT RUN on one server of the family: %v", err)
	}
	return servers
}

func noMySQL(tried []error) error {
	return fmt.Errorf("connectortest: no MariaDB or MySQL server to test with\n%w\n"+
		"do one of: set %s or %s=mysql://root:password@host:3306; apt-get install mariadb-server; "+
		"set %s to the folder of a mysqld; start Docker", errors.Join(tried...), mysqlEnv[mariaDB][0], mysqlEnv[mySQL][0], mysqlBinEnv[mySQL])
}

func mysqlServer(flavor string, n int) (*MySQLServer, error) {
	return onceMySQL(fmt.Sprintf("%s %d", flavor, n), func() (*MySQLServer, error) { return startMySQL(flavor, n) })
}

// onceMySQL starts a server at the first call, and returns it at every one.
func onceMySQL(key string, start func() (*MySQLServer, error)) (*MySQLServer, error) {
	s := &mysqlServers
	s.mu.Lock()
	once := s.started[key]
	if once == nil {
		if s.started == nil {
			s.started = map[string]func() (*MySQLServer, error){}
		}
		once = sync.OnceValues(start)
		s.started[key] = once
	}
	s.mu.Unlock()
	return once()
}

// StartMySQL finds or starts a server of its own, MariaDB if it is to be had and else MySQL,
// for a TestMain. The caller closes it; if the process ends without, the server goes all the
// same.
func StartMySQL() (*MySQLServer, error) {
	var tried []error
	for _, flavor := range mysqlFlavors {
		s, err := startMySQL(flavor, 0)
		if err == nil {
			return s, nil
		}
		if tried = append(tried, err); !errors.Is(err, errNoMySQL) {
			break
		}
	}
	return nil, noMySQL(tried)
}

func startMySQL(flavor string, n int) (*MySQLServer, error) {
	if env := mysqlEnv[flavor][n]; os.Getenv(env) != "" {
		return configuredMySQL(env)
	}
	if env := mysqlBinEnv[flavor]; os.Getenv(env) != "" {
		return startMySQLIn(env)
	}
	var tried []string
	if p := installedMySQL(flavor); p != nil {
		s, err := startLocalMySQL(p)
		if err == nil {
			return s, nil
		}
		return nil, fmt.Errorf("connectortest: %s does not start: %w", p.server, err)
	}
	tried = append(tried, "binaries: none in PATH or the usual folders")
	s, err := startDockerMySQL(flavor)
	if err == nil {
		return s, nil
	}
	tried = append(tried, fmt.Sprintf("Docker: %v", err))
	if flavor == mariaDB { // MySQL is no package of Debian
		if err = aptInstall("mariadb-server"); err == nil {
			if p := installedMySQL(flavor); p == nil {
				err = errors.New("no program after the installation")
			} else if s, err = startLocalMySQL(p); err == nil {
				return s, nil
			}
		}
		tried = append(tried, fmt.Sprintf("apt: %v", err))
	}
	return nil, fmt.Errorf("%w: %s\n\t%s", errNoMySQL, flavor, strings.Join(tried, "\n\t"))
}

// configuredMySQL returns the server whose DSN is in a variable of the environment.
func configuredMySQL(env string) (*MySQLServer, error) {
	u, err := url.Parse(os.Getenv(env))
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("connectortest: %s is not a URL such as mysql://root:password@host:3306", env)
	}
	s, err := reachMySQL(u, 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("connectortest: the server in %s does not answer: %w", env, err)
	}
	return s, nil
}

// startMySQLIn starts the server whose program is in the folder that a variable of the
// environment names.
func startMySQLIn(env string) (*MySQLServer, error) {
	p, err := unpackedMySQL(os.Getenv(env))
	if err == nil {
		var s *MySQLServer
		if s, err = startLocalMySQL(p); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("connectortest: the server in %s does not start: %w", env, err)
}

// startDockerMySQL starts a server in a container, which ends with this process.
func startDockerMySQL(flavor string) (*MySQLServer, error) {
	u, end, err := startDocker(flavor, mysqlPassword)
	if err != nil {
		return nil, err
	}
	s, err := reachMySQL(u, 60*time.Second)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	s.clean = end
	return s, nil
}

// reachMySQL waits until a server that somebody else started answers, and asks what it is.
func reachMySQL(u *url.URL, patience time.Duration) (*MySQLServer, error) {
	s := &MySQLServer{base: *u, clean: func() error { return nil }}
	s.base.Path = ""
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := s.identify(patience)
		if err == nil || time.Now().After(deadline) {
			return s, err
		}
	}
}

// identify asks the server for its version: 10.11.19-MariaDB-0+deb12u1, 9.7.4-2.
func (s *MySQLServer) identify(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	db, err := s.open("")
	if err != nil {
		return err
	}
	defer db.Close()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return err
	}
	s.flavor = mySQL
	if strings.Contains(version, "MariaDB") {
		s.flavor = mariaDB
	}
	s.version, _, _ = strings.Cut(version, "-")
	return nil
}

// Flavor is "mariadb" or "mysql".
func (s *MySQLServer) Flavor() string { return s.flavor }

// Version is the server's version, such as 10.11.19.
func (s *MySQLServer) Version() string { return s.version }

// Close stops the server if StartMySQL started it. A second call does nothing.
func (s *MySQLServer) Close() (err error) {
	s.once.Do(func() { err = s.clean() })
	return err
}

// DSN returns the URL of a database of this server, with root and its password. An empty
// name gives the server's, without a database.
func (s *MySQLServer) DSN(database string) string {
	u := s.base
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}

// DSNAs returns the URL of a database for another account.
func (s *MySQLServer) DSNAs(database, account, password string) string {
	u := s.base
	u.User = url.UserPassword(account, password)
	u.Path = "/" + database
	return u.String()
}

// Addr returns the server's address, as host:port.
func (s *MySQLServer) Addr() string { return s.base.Host }

// open returns a handle, each of whose sessions begins with the settings: name=value, in SQL.
func (s *MySQLServer) open(database string, settings ...string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Params = map[string]string{}
	for _, kv := range settings {
		name, value, _ := strings.Cut(kv, "=")
		c.Params[name] = value
	}
	c.User = s.base.User.Username()
	c.Passwd, _ = s.base.User.Password()
	c.Net, c.Addr, c.DBName = "tcp", s.base.Host, database
	if s.base.Port() == "" {
		c.Addr += ":3306"
	}
	c.Logger = &mysql.NopLogger{} // it tells of each connection that a test cuts
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// DB returns a handle on a database, or on the server if the name is empty. It is closed when
// the test ends. Each of its sessions begins with the settings, such as sql_mode='ANSI'.
func (s *MySQLServer) DB(tb testing.TB, database string, settings ...string) *sql.DB {
	tb.Helper()
	db, err := s.open(database, settings...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// Name returns a database name that no other test uses, and drops whatever databases begin
// with it when the test ends.
func (s *MySQLServer) Name(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("t%d_%d_%04d", os.Getpid(), time.Now().UnixMilli()%1e6, databaseNumber.Add(1))
	tb.Cleanup(func() {
		if err := s.drop(name); err != nil {
			tb.Errorf("drop database %s: %v", name, err)
		}
	})
	return name
}

// drop ends the sessions in all databases whose names begin with a prefix, and drops them.
func (s *MySQLServer) drop(prefix string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := s.open("")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	list := func(query string) (all []string, err error) {
		rows, err := conn.QueryContext(ctx, query, prefix, prefix)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, rows.Err()
	}
	sessions, err := list("SELECT id FROM information_schema.processlist WHERE LEFT(db, CHAR_LENGTH(?)) = ?")
	if err != nil {
		return err
	}
	for _, id := range sessions {
		_, e := conn.ExecContext(ctx, "KILL "+id)
		var gone *mysql.MySQLError
		if !errors.As(e, &gone) || gone.Number != 1094 { // it has ended by itself
			err = errors.Join(err, e)
		}
	}
	names, e := list("SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, CHAR_LENGTH(?)) = ?")
	err = errors.Join(err, e)
	for _, n := range names {
		_, e := conn.ExecContext(ctx, "DROP DATABASE IF EXISTS "+QuoteMySQL(n))
		err = errors.Join(err, e)
	}
	return err
}

// QuoteMySQL writes a name as SQL.
func QuoteMySQL(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// Database returns the name of a new empty database, which is dropped when the test ends,
// together with every database whose name begins with its name.
func (s *MySQLServer) Database(tb testing.TB) string {
	tb.Helper()
	name := s.Name(tb)
	s.CreateDatabase(tb, name)
	return name
}

// CreateDatabase makes an empty database.
func (s *MySQLServer) CreateDatabase(tb testing.TB, name string) {
	tb.Helper()
	s.Exec(tb, "", "CREATE DATABASE "+QuoteMySQL(name))
}

// Exec runs statements, each by itself, in one session.
func (s *MySQLServer) Exec(tb testing.TB, database string, statements ...string) {
	tb.Helper()
	s.with(tb, database, func(ctx context.Context, conn *sql.Conn) error {
		for _, text := range statements {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%.200s: %w", text, err)
			}
		}
		return nil
	})
}

// Value returns the only value of a query, as text; NULL is "".
func (s *MySQLServer) Value(tb testing.TB, database, query string) (value string) {
	tb.Helper()
	s.with(tb, database, func(ctx context.Context, conn *sql.Conn) error {
		rows, err := conn.QueryContext(ctx, query)
		if err != nil {
			return fmt.Errorf("%.200s: %w", query, err)
		}
		defer rows.Close()
		var v sql.NullString
		n := 0
		for ; rows.Next(); n++ {
			if err := rows.Scan(&v); err != nil {
				return fmt.Errorf("%.200s: %w", query, err)
			}
		}
		if n != 1 && rows.Err() == nil {
			return fmt.Errorf("%.200s: wanted one value", query)
		}
		value = v.String
		return rows.Err()
	})
	return value
}

// with runs f on a session in the database.
func (s *MySQLServer) with(tb testing.TB, database string, f func(context.Context, *sql.Conn) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	db, err := s.open(database)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	if err := f(ctx, conn); err != nil {
		tb.Fatal(err)
	}
}
