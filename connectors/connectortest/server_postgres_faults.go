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
	"sync"
	"syscall"
	"testing"
	"time"
)

// PrivatePostgres is a server of one test, which may stop it, start it again and starve
// it. Its port and its data folder stay the same.
type PrivatePostgres struct {
	*PostgresServer
	// Limited says how the server's room is limited: "" is not at all, else "tmpfs" or,
	// where mounting is not allowed, "ulimit".
	Limited string

	bin, dir, data string
	wal            string // folder of the log; "" is in data
	port           int
	settings       []string
	account        *syscall.Credential
	fileBlocks     int64 // ulimit -f; 0 is no limit

	mu   sync.Mutex
	cmd  *exec.Cmd
	done <-chan struct{}
	logs *tail
}

// PrivateOptions say what a private server is like. The zero value is an empty one.
type PrivateOptions struct {
	Settings []string // name=value
	// Room is how many bytes its disk has; 0 is as many as the machine has. It needs
	// about 100 MB for itself.
	Room int64
	// StandbyOf makes it a standby of another, which streams.
	StandbyOf *PrivatePostgres
}

// PrivatePostgresServer starts a server that ends with the test. It needs the server's
// programs on this machine, and installs them where startPostgres would.
func PrivatePostgresServer(tb testing.TB, o PrivateOptions) *PrivatePostgres {
	tb.Helper()
	s, err := startPrivate(o)
	if err != nil {
		tb.Fatalf("connectortest: a private PostgreSQL server: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("connectortest: end a private server: %v", err)
		}
	})
	return s
}

func startPrivate(o PrivateOptions) (_ *PrivatePostgres, err error) {
	bin := postgresBin()
	if bin == "" {
		if err := aptInstall("postgresql", "postgresql-contrib"); err != nil {
			return nil, fmt.Errorf("it needs initdb and postgres: apt-get install postgresql (%w)", err)
		}
		if bin = postgresBin(); bin == "" {
			return nil, errors.New("it needs initdb and postgres: apt-get install postgresql")
		}
	}
	s := &PrivatePostgres{bin: bin, settings: o.Settings}
	if s.account, err = serverAccount("postgres", "nobody"); err != nil {
		return nil, err
	}
	if s.dir, err = serverFolder("sanitize-postgres-"); err != nil {
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
	if o.Room > 0 {
		if err := mountDisk(s.dir, o.Room); err == nil {
			s.Limited = "tmpfs"
			clean = append(clean, func() error { return unmountDisk(s.dir) })
			// The log is elsewhere: a server without room for it dies, and that is another fault.
			if s.wal, err = serverFolder("sanitize-wal-"); err != nil {
				return nil, err
			}
			clean = append(clean, func() error { return os.RemoveAll(s.wal) })
		} else {
			s.Limited, s.fileBlocks = "ulimit", o.Room/8/1024
		}
	}
	s.data = filepath.Join(s.dir, "data")
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := reapFolders(&clean, s.dir, s.wal); err != nil {
		return nil, err
	}
	if o.StandbyOf != nil {
		err = s.baseBackup(o.StandbyOf)
	} else {
		err = s.init()
	}
	if err != nil {
		return nil, err
	}
	s.PostgresServer = &PostgresServer{base: url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", postgresPassword),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), RawQuery: "sslmode=disable",
	}}
	s.PostgresServer.clean = func() error { return errors.Join(s.Stop(), end()) }
	return s, s.Start()
}

func (s *PrivatePostgres) own(paths ...string) error {
	if s.account == nil {
		return nil
	}
	for _, p := range paths {
		if err := os.Chown(p, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func (s *PrivatePostgres) client(program string, env []string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

func (s *PrivatePostgres) init() error {
	pw := filepath.Join(s.dir, "password")
	if err := os.WriteFile(pw, []byte(postgresPassword), 0o600); err != nil {
		return err
	}
	if err := s.own(s.dir, pw); err != nil {
		return err
	}
	args := []string{"-D", s.data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-A", "trust", "--pwfile", pw, "--wal-segsize=1"}
	if s.wal != "" {
		if err := s.own(s.wal); err != nil {
			return err
		}
		args = append(args, "--waldir", filepath.Join(s.wal, "pg_wal"))
	}
	return s.client("initdb", nil, args...)
}

func (s *PrivatePostgres) baseBackup(primary *PrivatePostgres) error {
	if err := s.own(s.dir); err != nil {
		return err
	}
	return s.client("pg_basebackup", []string{"PGPASSWORD=" + postgresPassword}, "-D", s.data, "-h", "127.0.0.1", "-p", strconv.Itoa(primary.port),
		"-U", "postgres", "--checkpoint=fast", "--no-sync", "--wal-method=stream", "--write-recovery-conf")
}

// Start starts the server that has been stopped, or has died, and waits until it answers.
func (s *PrivatePostgres) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		select {
		case <-s.done: // it has died
		default:
			return s.answers() // perhaps not at once: it replays its log after a crash
		}
	}
	args := []string{"-D", s.data, "-p", strconv.Itoa(s.port), "-k", s.dir, "-h", "127.0.0.1",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off", "-c", "wal_level=replica", "-c", "max_connections=50",
		"-c", "max_wal_size=8MB", "-c", "min_wal_size=2MB", "-c", "shared_buffers=16MB", "-c", "checkpoint_timeout=1h"}
	for _, kv := range s.settings {
		args = append(args, "-c", kv)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	if s.fileBlocks > 0 {
		cmd = exec.Command("/bin/sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, s.fileBlocks), cmd.Path}, args...)...)
	}
	cmd.Dir = s.dir
	s.logs = &tail{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = s.logs, s.logs
	var err error
	if s.done, err = runServer(cmd, s.account, "", syscall.SIGQUIT); err != nil {
		return err
	}
	s.cmd = cmd
	return s.answers()
}

// answers waits until the server that has been started takes sessions.
func (s *PrivatePostgres) answers() error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := s.ping(2 * time.Second)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			s.cmd = nil
			return fmt.Errorf("postgres ended\n%s", s.logs)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres does not answer: %w\n%s", err, s.logs)
		}
	}
}

// Stop ends the server at once, as a crash would: the log is replayed when it starts again.
func (s *PrivatePostgres) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.done
	s.cmd = nil
	return nil
}

// Configure replaces the settings, name=value; the server has them when it starts again.
func (s *PrivatePostgres) Configure(settings ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = settings
}

// Restart stops the server as a crash would, and starts it.
func (s *PrivatePostgres) Restart(tb testing.TB) {
	tb.Helper()
	if err := errors.Join(s.Stop(), s.Start()); err != nil {
		tb.Error(err)
	}
}

// Log returns the end of what the server has logged since it was started.
func (s *PrivatePostgres) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs == nil {
		return ""
	}
	return s.logs.String()
}

// Ballast fills the server's disk but for so many bytes, until the function that it
// returns is called. Of a server whose files are limited it does nothing.
func (s *PrivatePostgres) Ballast(tb testing.TB, leave int64) (remove func()) {
	tb.Helper()
	if s.Limited != "tmpfs" {
		return func() {}
	}
	return ballast(tb, s.dir, leave)
}
