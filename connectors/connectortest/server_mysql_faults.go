package connectortest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// PrivateMySQL is a server of one test, which may kill it, start it again and starve it.
// Its port and its data folder stay the same. Unlike others it writes its log at every
// commit, so what is committed outlives its death.
type PrivateMySQL struct {
	*MySQLServer
	// Limited says whether the server's room is limited: "tmpfs", or "" where that was not
	// asked for or mounting is not allowed.
	Limited string

	program   *mysqlProgram
	dir, data string
	logs      string // folder of its logs and temporary files
	port      int
	settings  []string
	account   *syscall.Credential

	mu     sync.Mutex
	cmd    *exec.Cmd
	done   <-chan struct{}
	stderr *tail
}

// PrivateMySQLs names the flavours whose programs are on this machine; MariaDB's is
// installed where it can be. MySQL is said to be missing if it is. It fails the test when
// there is neither.
func PrivateMySQLs(tb testing.TB) []string {
	tb.Helper()
	if routed() {
		p, err := programMySQL("")
		if err != nil {
			tb.Fatal(err)
		}
		return []string{p.flavor}
	}
	var found []string
	for _, flavor := range mysqlFlavors {
		_, err := programMySQL(flavor)
		switch {
		case err == nil:
			found = append(found, flavor)
		case errors.Is(err, errNoMySQL):
			tb.Logf("DID NOT RUN on one server of the family: %v", err)
		default:
			tb.Fatal(err)
		}
	}
	if len(found) == 0 {
		tb.Fatalf("connectortest: no MariaDB or MySQL server to test with: apt-get install mariadb-server, or set %s to the folder of a mysqld", mysqlBinEnv[mySQL])
	}
	return found
}

// programMySQL finds the program of a flavour, and installs MariaDB's where it can. Of a run
// about one source it is the source's.
func programMySQL(flavor string) (*mysqlProgram, error) {
	if env := mysqlRouteEnv[0]; routed() {
		if strings.Contains(os.Getenv(env), "://") {
			return nil, fmt.Errorf("connectortest: a server that is killed, or has settings of its own, is started here: %s has to be a folder", env)
		}
		return unpackedMySQL(os.Getenv(env))
	}
	if bin := os.Getenv(mysqlBinEnv[flavor]); bin != "" {
		return unpackedMySQL(bin)
	}
	if p := installedMySQL(flavor); p != nil {
		return p, nil
	}
	if flavor == mariaDB {
		if err := aptInstall("mariadb-server"); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errNoMySQL, flavor, err)
		}
		if p := installedMySQL(flavor); p != nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: %s: its program is not on this machine, and a server that is killed has to be; %s names its folder", errNoMySQL, flavor, mysqlBinEnv[flavor])
}

// PrivateMySQLServer starts a server of a flavour that PrivateMySQLs names, with a disk of
// so many bytes (0 is as many as the machine has; it needs about 150 MB for itself), and
// with settings, flags without their dashes. It ends with the test.
func PrivateMySQLServer(tb testing.TB, flavor string, room int64, settings ...string) *PrivateMySQL {
	tb.Helper()
	s, err := startPrivateMySQL(flavor, room, settings)
	if err != nil {
		tb.Fatalf("connectortest: a private server: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("connectortest: end a private server: %v", err)
		}
	})
	return s
}

func startPrivateMySQL(flavor string, room int64, settings []string) (_ *PrivateMySQL, err error) {
	s := &PrivateMySQL{settings: settings}
	if s.program, err = programMySQL(flavor); err != nil {
		return nil, err
	}
	if s.account, err = serverAccount("mysql", "nobody"); err != nil {
		return nil, err
	}
	if s.dir, err = serverFolder("sanitize-mysql-"); err != nil {
		return nil, err
	}
	clean := []func() error{func() error { return os.RemoveAll(s.dir) }}
	end := func() (err error) {
		for i := len(clean) - 1; i >= 0; i-- {
			err = errors.Join(err, clean[i]())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	if room > 0 && mountDisk(s.dir, room) == nil {
		s.Limited = "tmpfs"
		clean = append(clean, func() error { return unmountDisk(s.dir) })
	}
	// The logs are elsewhere: a server without room for them waits or dies, and that is
	// another fault.
	if s.logs, err = serverFolder("sanitize-logs-"); err != nil {
		return nil, err
	}
	clean = append(clean, func() error { return os.RemoveAll(s.logs) })
	if err := reapFolders(&clean, s.dir, s.logs); err != nil {
		return nil, err
	}
	if err := own(s.account, s.dir, s.logs); err != nil {
		return nil, err
	}
	s.data = filepath.Join(s.dir, "data")
	if err := s.program.dataWith(s.data, s.account, settings); err != nil {
		return nil, err
	}
	accounts := filepath.Join(s.logs, "accounts.sql")
	if err := os.WriteFile(accounts, []byte(mysqlAccounts), 0o600); err != nil {
		return nil, err
	}
	if err := own(s.account, accounts); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	s.MySQLServer = &MySQLServer{base: url.URL{
		Scheme: "mysql", User: url.UserPassword("root", mysqlPassword), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
	}}
	s.MySQLServer.clean = func() error { return errors.Join(s.Kill(), end()) }
	return s, s.Start()
}

// Start starts the server that has died, and waits until it answers. It does nothing to
// one that lives.
func (s *PrivateMySQL) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		select {
		case <-s.done: // it has died
		default:
			return awaitServer(s.program.flavor, s.done, s.stderr, s.identify)
		}
	}
	args := append(s.program.flags(s.data, s.logs, s.port), "--init-file="+filepath.Join(s.logs, "accounts.sql"),
		"--log-bin="+filepath.Join(s.logs, "binlog"), "--innodb-flush-log-at-trx-commit=1", "--loose-binlog-error-action=IGNORE_ERROR")
	for _, kv := range s.settings {
		args = append(args, "--"+kv)
	}
	cmd := exec.Command(s.program.server, args...)
	cmd.Dir = s.logs
	s.stderr = &tail{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = s.stderr, s.stderr
	done, err := runServer(cmd, s.account, "", syscall.SIGKILL)
	if err != nil {
		return err
	}
	s.cmd, s.done = cmd, done
	return awaitServer(s.program.flavor, s.done, s.stderr, s.identify)
}

// Kill ends the server by SIGKILL: when it starts again, it recovers from its log.
func (s *PrivateMySQL) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.done
	s.cmd = nil
	return nil
}

// Restart kills the server, and starts it.
func (s *PrivateMySQL) Restart(tb testing.TB) {
	tb.Helper()
	if err := errors.Join(s.Kill(), s.Start()); err != nil {
		tb.Error(err)
	}
}

// Log returns the end of what the server has logged since it was started.
func (s *PrivateMySQL) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stderr == nil {
		return ""
	}
	return s.stderr.String()
}

// Ballast fills the server's disk but for so many bytes, until the function that it
// returns is called. Of a server whose room is not limited it does nothing.
func (s *PrivateMySQL) Ballast(tb testing.TB, leave int64) (remove func()) {
	tb.Helper()
	if s.Limited == "" {
		return func() {}
	}
	return ballast(tb, s.dir, leave)
}
