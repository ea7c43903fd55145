package connectortest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// mysqlProgram is a server on this machine.
type mysqlProgram struct {
	server  string   // the program: mariadbd, mysqld
	folders []string // flags that name the folders of one that was unpacked somewhere
	install string   // MariaDB's program that makes a data folder
	flavor  string
	version string // what the program says of itself
}

// mysqlFolders are where servers are installed, beside PATH, which often lacks sbin.
var mysqlFolders = []string{"/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin"}

// installedMySQL returns the server of a flavour that is installed on the machine, or nil.
func installedMySQL(flavor string) *mysqlProgram {
	var paths []string
	for _, name := range []string{"mariadbd", "mysqld"} {
		if p, err := exec.LookPath(name); err == nil {
			paths = append(paths, p)
		}
		for _, dir := range mysqlFolders {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	for _, path := range paths {
		if p, err := mysqlAt(path); err == nil && p.flavor == flavor {
			return p
		}
	}
	return nil
}

// mysqlAt asks a program what it is: mysqld may be MariaDB too.
func mysqlAt(path string) (*mysqlProgram, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "--no-defaults", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", path, err)
	}
	p := &mysqlProgram{server: path, flavor: mySQL, version: strings.TrimSpace(string(out))}
	if !strings.Contains(p.version, "MariaDB") {
		return p, nil
	}
	p.flavor = mariaDB
	base := filepath.Dir(filepath.Dir(path))
	for _, name := range []string{"mariadb-install-db", "mysql_install_db"} {
		for _, dir := range []string{"bin", "scripts"} {
			if at := filepath.Join(base, dir, name); p.install == "" && exists(at) {
				p.install = at
			}
		}
		if at, err := exec.LookPath(name); p.install == "" && err == nil {
			p.install = at
		}
	}
	if p.install == "" {
		return nil, fmt.Errorf("%s is here, but mariadb-install-db is not", path)
	}
	return p, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// unpackedMySQL returns the server whose program is in a folder, with flags that name the
// folders around it. A server looks for them where it was meant to be installed, which is
// not where it was unpacked.
func unpackedMySQL(bin string) (p *mysqlProgram, err error) {
	bin, err = filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"mariadbd", "mysqld"} {
		if path := filepath.Join(bin, name); exists(path) {
			p, err = mysqlAt(path)
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("neither mariadbd nor mysqld is in %s", bin)
	}
	base := filepath.Dir(bin)
	p.folders = []string{"--basedir=" + base}
	for _, f := range []struct {
		flag, marker string
		patterns     []string
	}{
		{"--lc-messages-dir=", "english/errmsg.sys", []string{"share/mysql*", "share/mariadb*", "share"}},
		{"--character-sets-dir=", "Index.xml", []string{"share/mysql*/charsets", "share/mariadb*/charsets", "share/charsets"}},
		{"--plugin-dir=", "", []string{"lib*/mysql/plugin", "lib*/mariadb/plugin", "lib/*/mariadb*/plugin", "lib*/plugin"}},
	} {
		for _, pattern := range f.patterns {
			if found, _ := filepath.Glob(filepath.Join(base, pattern, f.marker)); len(found) > 0 {
				p.folders = append(p.folders, f.flag+strings.TrimSuffix(found[0], f.marker))
				break
			}
		}
	}
	return p, nil
}

// mysqlSizes keep a server small, which many of have to stand in memory beside each other.
// They hold for the making of the data folder too. A flag that a version does not know is
// loose, and is left out by it.
var mysqlSizes = []string{
	"--innodb-buffer-pool-size=64M", "--innodb-doublewrite=0", "--innodb-flush-log-at-trx-commit=0",
	"--loose-innodb-log-file-size=16M", "--loose-innodb-redo-log-capacity=32M", "--loose-mysqlx=OFF",
	"--innodb-use-native-aio=0", // its slots are the machine's, and few
}

// mysqlAccounts is what a server runs before it takes a connection: root comes from anywhere,
// which is this machine, and only with its password.
const mysqlAccounts = `SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '` + mysqlPassword + `';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', ''@'localhost';
ALTER USER 'root'@'localhost' IDENTIFIED BY '` + mysqlPassword + `';
`

// startLocalMySQL tries three times, with a new folder and port each time: the port was
// free a moment before, and another process may have been faster.
func startLocalMySQL(p *mysqlProgram) (s *MySQLServer, err error) {
	account, err := serverAccount("mysql", "nobody")
	if err != nil {
		return nil, err
	}
	for range 3 {
		if s, err = p.start(account); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (p *mysqlProgram) start(account *syscall.Credential) (*MySQLServer, error) {
	dir, err := serverFolder("sanitize-mysql-")
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*MySQLServer, error) {
		os.RemoveAll(dir)
		return nil, err
	}
	accounts := filepath.Join(dir, "accounts.sql")
	if err := os.WriteFile(accounts, []byte(mysqlAccounts), 0o600); err != nil {
		return fail(err)
	}
	if err := own(account, dir, accounts); err != nil {
		return fail(err)
	}
	data := filepath.Join(dir, "data")
	if err := p.data(data, account); err != nil {
		return fail(err)
	}
	port, err := freePort()
	if err != nil {
		return fail(err)
	}
	args := append(p.flags(data, dir, port), "--init-file="+accounts)
	cmd := exec.Command(p.server, args...)
	cmd.Dir = dir
	logs := &tail{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = logs, logs
	// Killed: the data is thrown away, so nothing needs to be written.
	done, err := runServer(cmd, account, dir, syscall.SIGKILL)
	if err != nil {
		return fail(err)
	}
	s := &MySQLServer{base: url.URL{
		Scheme: "mysql", User: url.UserPassword("root", mysqlPassword), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
	}}
	s.clean = func() error {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-done
		return os.RemoveAll(dir)
	}
	if err := awaitServer(filepath.Base(p.server), done, logs, s.identify); err != nil {
		s.clean()
		return nil, err
	}
	return s, nil
}

// flags are what a server is started with, whose data folder and socket these are.
func (p *mysqlProgram) flags(data, dir string, port int) []string {
	args := append([]string{"--no-defaults"}, p.folders...)
	return append(append(args, mysqlSizes...), "--datadir="+data, "--port="+strconv.Itoa(port), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(dir, "s"), "--pid-file="+filepath.Join(dir, "pid"), "--tmpdir="+dir,
		"--skip-name-resolve", "--character-set-server=utf8mb4", "--local-infile=1", "--secure-file-priv=",
		"--max-connections=200", "--max-allowed-packet=64M",
		// The log of changes, by whose position readers agree on an instant.
		"--log-bin=binlog", "--server-id=1", "--sync-binlog=0", "--loose-binlog-format=ROW", "--max-binlog-size=16M")
}

// data makes a data folder: a copy of one that is kept in the temporary folder, since MySQL
// takes seconds for a new one, of which a copy takes a tenth.
func (p *mysqlProgram) data(to string, account *syscall.Credential) error {
	kept, err := p.keptData(account)
	if err == nil {
		if err = copyTree(to, kept, account); err == nil {
			return nil
		}
		os.RemoveAll(to)
	}
	// What is kept may be gone in the middle, or somebody else's: this goes without.
	return p.initialise(to, account)
}

// dataWith makes a data folder for a server with settings, of which one holds from the
// making of the folder on: such a folder is not kept.
func (p *mysqlProgram) dataWith(to string, account *syscall.Credential, settings []string) error {
	for _, kv := range settings {
		if strings.HasPrefix(kv, "lower-case-table-names=") {
			return p.initialise(to, account, "--"+kv)
		}
	}
	return p.data(to, account)
}

// keptData returns the folder that new ones are copied from, which it makes first if need be.
// Its name tells what shaped it, so it is never changed; of two processes one makes it.
func (p *mysqlProgram) keptData(account *syscall.Credential) (string, error) {
	shape := fmt.Sprintf("%d %s %q %q", os.Geteuid(), p.version, p.folders, mysqlSizes)
	kept := filepath.Join(os.TempDir(), fmt.Sprintf("sanitize-%s-%.6x", p.flavor, sha256.Sum256([]byte(shape))))
	lock, err := os.OpenFile(kept+".lock", os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	owner := os.Geteuid()
	if account != nil {
		owner = int(account.Uid)
	}
	if info, err := os.Lstat(kept); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != owner {
			return "", fmt.Errorf("%s is somebody else's", kept)
		}
		return kept, nil
	}
	parent, err := os.MkdirTemp("", "sanitize-mysql-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(parent)
	if err := own(account, parent); err != nil {
		return "", err
	}
	made := filepath.Join(parent, "data")
	if err := p.initialise(made, account); err != nil {
		return "", err
	}
	// Each server makes an identity of its own.
	if err := os.Remove(filepath.Join(made, "auto.cnf")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return kept, os.Rename(made, kept)
}

// initialise makes a new data folder.
func (p *mysqlProgram) initialise(to string, account *syscall.Credential, settings ...string) error {
	program, args := p.server, []string{"--no-defaults", "--initialize-insecure", "--skip-log-bin"}
	if p.flavor == mariaDB {
		program, args = p.install, []string{"--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"}
	}
	args = append(append(append(append(args, p.folders...), mysqlSizes...), settings...), "--datadir="+to)
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Dir(to)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// own gives files to the account that a server runs with.
func own(account *syscall.Credential, paths ...string) error {
	if account == nil {
		return nil
	}
	for _, p := range paths {
		if err := os.Chown(p, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a folder of files, and gives them to the account.
func copyTree(to, from string, account *syscall.Credential) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			err = os.Mkdir(target, 0o700)
		} else {
			err = copyFile(target, path)
		}
		if err != nil {
			return err
		}
		return own(account, target)
	})
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
