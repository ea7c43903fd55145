package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresEnv names the DSNs of the first and the second server.
var postgresEnv = [2]string{"SANITIZE_TEST_POSTGRES", "SANITIZE_TEST_POSTGRES_2"}

// postgresBinEnv names the folders of the binaries that they are started from, where
// it is not to be the newest on the machine. The servers' own libraries are looked
// for in ../lib, as archives have them that can be unpacked anywhere.
var postgresBinEnv = [2]string{"SANITIZE_TEST_POSTGRES_BIN", "SANITIZE_TEST_POSTGRES_BIN_2"}

// postgresPassword is the password of the servers started here. They listen on
// the loopback address and die with the test.
const postgresPassword = "only-for-tests"

// PostgresServer is a real PostgreSQL server for tests. Its methods are safe
// for concurrent use.
type PostgresServer struct {
	base  url.URL // without a database
	clean func() error
	once  sync.Once

	bin, data string // of a server started here from binaries
	strategy  string // how it makes databases, as SQL: "" is the server's own choice
}

var postgresServers [2]struct {
	once   sync.Once
	server *PostgresServer
	err    error
}

// Postgres returns this process's PostgreSQL server, which the first call
// starts. It fails the test, and says what to do, when there is none to be had.
func Postgres(tb testing.TB) *PostgresServer {
	tb.Helper()
	return postgresServer(tb, 0)
}

// PostgresPair returns two separate servers.
func PostgresPair(tb testing.TB) (a, b *PostgresServer) {
	tb.Helper()
	return postgresServer(tb, 0), postgresServer(tb, 1)
}

func postgresServer(tb testing.TB, n int) *PostgresServer {
	tb.Helper()
	s := &postgresServers[n]
	s.once.Do(func() { s.server, s.err = startPostgres(n) })
	if s.err != nil {
		tb.Fatal(s.err)
	}
	return s.server
}

// StartPostgres finds or starts a server of its own, for a TestMain. The caller
// closes it; if the process ends without, the server goes all the same.
func StartPostgres() (*PostgresServer, error) { return startPostgres(0) }

func startPostgres(n int) (*PostgresServer, error) {
	env := postgresEnv[n]
	if dsn := os.Getenv(env); dsn != "" {
		u, err := url.Parse(dsn)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("connectortest: %s is not a URL such as postgres://user:password@host:5432", env)
		}
		u.Path = ""
		s := &PostgresServer{base: *u, clean: func() error { return nil }}
		if err := s.ping(10 * time.Second); err != nil {
			return nil, fmt.Errorf("connectortest: the server in %s does not answer: %w", env, err)
		}
		return s, nil
	}
	if bin := os.Getenv(postgresBinEnv[n]); bin != "" {
		s, err := startLocalPostgres(bin)
		if err != nil {
			return nil, fmt.Errorf("connectortest: the server in %s does not start: %w", postgresBinEnv[n], err)
		}
		return s, nil
	}
	var tried []string
	if bin := postgresBin(); bin != "" {
		s, err := startLocalPostgres(bin)
		if err == nil {
			return s, nil
		}
		tried = append(tried, fmt.Sprintf("%s: %v", bin, err))
	} else {
		tried = append(tried, "binaries: no initdb and postgres in PATH or /usr/lib/postgresql/*/bin")
	}
	s, err := startDockerPostgres()
	if err == nil {
		return s, nil
	}
	tried = append(tried, fmt.Sprintf("Docker: %v", err))
	if postgresBin() == "" {
		if err = aptInstall("postgresql", "postgresql-contrib"); err == nil {
			bin := postgresBin()
			if s, err = startLocalPostgres(bin); err == nil {
				return s, nil
			}
		}
		tried = append(tried, fmt.Sprintf("apt: %v", err))
	}
	return nil, fmt.Errorf("connectortest: no PostgreSQL server to test with\n\t%s\n"+
		"do one of: set %s=postgres://superuser:password@host:5432; apt-get install postgresql; start Docker",
		strings.Join(tried, "\n\t"), env)
}

// postgresBin returns the folder of the newest server on the machine, one in
// PATH before all others, or "".
func postgresBin() string {
	complete := func(dir string) bool {
		for _, p := range []string{"initdb", "postgres"} {
			if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
				return false
			}
		}
		return true
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil && complete(filepath.Dir(p)) {
			return filepath.Dir(p)
		}
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return postgresMajor(b) - postgresMajor(a) })
	for _, d := range dirs {
		if complete(d) {
			return d
		}
	}
	return ""
}

func postgresMajor(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// startLocalPostgres tries three times, with a new folder and port each time: the
// port was free a moment before, and another process may have been faster.
func startLocalPostgres(bin string) (s *PostgresServer, err error) {
	for range 3 {
		if s, err = startLocalPostgresOnce(bin); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func startLocalPostgresOnce(bin string) (*PostgresServer, error) {
	account, err := serverAccount("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	dir, err := serverFolder("sanitize-postgres-")
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*PostgresServer, error) {
		os.RemoveAll(dir)
		return nil, err
	}
	pw := filepath.Join(dir, "password")
	if err := os.WriteFile(pw, []byte(postgresPassword), 0o600); err != nil {
		return fail(err)
	}
	if account != nil {
		for _, p := range []string{dir, pw} {
			if err := os.Chown(p, int(account.Uid), int(account.Gid)); err != nil {
				return fail(err)
			}
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C",
		"--no-sync", "-A", "scram-sha-256", "--pwfile", pw)
	initdb.Dir, initdb.Env = dir, libraryPath(bin)
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("initdb: %w\n%s", err, out))
	}
	s, err := runPostgres(bin, dir, data, account)
	if err != nil {
		return fail(err)
	}
	// The client programs of tests are then the server's own. In front of them
	// Debian has a script that looks for the right version, at each of the many
	// calls for longer than the program itself runs.
	path := os.Getenv("PATH")
	_, err = os.Stat(filepath.Join(bin, "psql"))
	if first, _, _ := strings.Cut(path, string(os.PathListSeparator)); first != bin && err == nil {
		os.Setenv("PATH", bin+string(os.PathListSeparator)+path)
	}
	return s, nil
}

// libraryPath returns the environment of a server's programs: its own libraries come first.
func libraryPath(bin string) []string {
	lib := filepath.Join(filepath.Dir(bin), "lib")
	if libs, _ := filepath.Glob(filepath.Join(lib, "libpq.so*")); len(libs) == 0 {
		return nil // installed, so that they are found
	}
	return append(os.Environ(), "LD_LIBRARY_PATH="+lib)
}

func runPostgres(bin, dir, data string, account *syscall.Credential) (*PostgresServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-k", dir, "-h", "127.0.0.1",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off",
		"-c", "max_connections=200", "-c", "wal_level=logical")
	cmd.Dir, cmd.Env = dir, libraryPath(bin)
	logs := &tail{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = logs, logs
	done, err := runServer(cmd, account, dir, syscall.SIGQUIT)
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{base: url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", postgresPassword),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), RawQuery: "sslmode=disable",
	}, bin: bin, data: data}
	s.clean = func() error {
		// SIGQUIT: the data is thrown away, so nothing needs to be written.
		if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-done
		return os.RemoveAll(dir)
	}
	if err := awaitServer("postgres", done, logs, s.ping); err != nil {
		cmd.Process.Signal(syscall.SIGQUIT)
		<-done
		return nil, err
	}
	// What it stores is in memory or not waited for, and a checkpoint costs nothing:
	// files are copied in a quarter of the time that a log of them is written in.
	if v, err := serverVersion(bin); err == nil && v >= 15 {
		s.strategy = " STRATEGY file_copy"
	}
	return s, nil
}

// serverVersion asks the program for its major version.
func serverVersion(bin string) (int, error) {
	cmd := exec.Command(filepath.Join(bin, "postgres"), "--version")
	cmd.Env = libraryPath(bin)
	out, err := cmd.Output() // postgres (PostgreSQL) 17.2 (Debian 17.2-1)
	if err != nil {
		return 0, err
	}
	_, version, _ := strings.Cut(string(out), ") ")
	return strconv.Atoi(version[:len(version)-len(strings.TrimLeft(version, "0123456789"))])
}

func (s *PostgresServer) ping(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Close stops the server if StartPostgres started it. A second call does nothing.
func (s *PostgresServer) Close() (err error) {
	s.once.Do(func() { err = s.clean() })
	return err
}

// DSN returns the URL of a database of this server, with its superuser and password.
func (s *PostgresServer) DSN(database string) string {
	u := s.base
	u.Path = "/" + database
	return u.String()
}

// DSNAs returns the URL of a database for another account.
func (s *PostgresServer) DSNAs(database, account, password string) string {
	u := s.base
	u.User = url.UserPassword(account, password)
	u.Path = "/" + database
	return u.String()
}

// Name returns a database name that no other test uses, and drops whatever
// databases begin with it when the test ends.
func (s *PostgresServer) Name(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("t%d_%d_%04d", os.Getpid(), time.Now().UnixMilli()%1e6, databaseNumber.Add(1))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err := s.with(ctx, s.DSN("postgres"), func(conn *pgx.Conn) error {
			rows, _ := conn.Query(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, name)
			names, err := pgx.CollectRows(rows, pgx.RowTo[string])
			for _, n := range names {
				id := pgx.Identifier{n}.Sanitize()
				_, e := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, n)
				err = errors.Join(err, e)
				_, e = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+id)
				err = errors.Join(err, e)
			}
			return err
		})
		if err != nil {
			tb.Errorf("drop database %s: %v", name, err)
		}
	})
	return name
}

// Database returns the URL of a new empty database, which is dropped when the
// test ends, together with every database whose name begins with its name.
func (s *PostgresServer) Database(tb testing.TB) string {
	tb.Helper()
	name := s.Name(tb)
	s.CreateDatabase(tb, name, "")
	return s.DSN(name)
}

// CreateDatabase makes an empty database. The options are SQL, such as an encoding.
func (s *PostgresServer) CreateDatabase(tb testing.TB, name, options string) {
	tb.Helper()
	s.Exec(tb, s.DSN("postgres"), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0 "+options+s.strategy)
}

// CloneDatabase makes a copy of a database in which nobody has a session.
func (s *PostgresServer) CloneDatabase(tb testing.TB, name, of string) {
	tb.Helper()
	s.Exec(tb, s.DSN("postgres"), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{of}.Sanitize()+s.strategy)
}

// Exec runs statements, each by itself.
func (s *PostgresServer) Exec(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := s.with(ctx, dsn, func(conn *pgx.Conn) error {
		for _, sql := range statements {
			if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
				return fmt.Errorf("%.200s: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Value returns the only value of a query, as text; NULL is "".
func (s *PostgresServer) Value(tb testing.TB, dsn, query string) string {
	tb.Helper()
	return s.Values(tb, dsn, query)[0]
}

// Values returns the only value of each of the queries, which one session is asked, as text; NULL is "".
func (s *PostgresServer) Values(tb testing.TB, dsn string, queries ...string) (values []string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := s.with(ctx, dsn, func(conn *pgx.Conn) error {
		for _, query := range queries {
			results, err := conn.PgConn().Exec(ctx, query).ReadAll()
			if err != nil {
				return fmt.Errorf("%.200s: %w", query, err)
			}
			last := results[len(results)-1]
			if len(last.Rows) != 1 || len(last.Rows[0]) != 1 {
				return fmt.Errorf("%.200s: wanted one value", query)
			}
			values = append(values, string(last.Rows[0][0]))
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return values
}

// Load runs an SQL file by psql, and fails at its first error.
func (s *PostgresServer) Load(tb testing.TB, dsn, path string) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if err := LoadPostgres(dsn, f); err != nil {
		tb.Fatalf("load %s: %v", path, err)
	}
}

// LoadPostgres runs an SQL script by psql, for a TestMain.
func LoadPostgres(dsn string, script io.Reader) error {
	psql, err := exec.LookPath("psql")
	if err != nil {
		if psql = filepath.Join(postgresBin(), "psql"); postgresBin() == "" {
			return errors.New("psql is not on this machine: apt-get install postgresql-client")
		}
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("the DSN is not a URL")
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	cmd := exec.Command(psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", u.String(), "-f", "-")
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	cmd.Stdin = script
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("psql: %w\n%s", err, stderr.Bytes())
	}
	return nil
}
