package connectortest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// databaseNumber tells apart the databases of this process, on whichever server.
var databaseNumber atomic.Int64

// serverFolder makes a temporary folder, in memory when there is a gigabyte of it.
func serverFolder(pattern string) (string, error) {
	var fs syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &fs) == nil && uint64(fs.Bavail)*uint64(fs.Bsize) >= 1<<30 {
		if dir, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", pattern)
}

// serverAccount returns the credential to run a server with: nil unless this is
// root, which the servers refuse to be run by.
func serverAccount(names ...string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if errors.Join(err1, err2) == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("root needs one of the accounts %s to run a server", strings.Join(names, ", "))
}

// runServer starts a server that ends with this process, and returns a channel
// that is closed when it has ended. Two things see to its end, since each has a
// gap: the kernel's signal, and a reaper that waits for this process's end of a
// pipe to close, stops the server and removes its folder.
//
// The signal is what the server takes for an end at once: what it stores is thrown away.
func runServer(cmd *exec.Cmd, account *syscall.Credential, dir string, end syscall.Signal) (<-chan struct{}, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setpgid: true}
	dieWithParent(cmd.SysProcAttr, end)
	started := make(chan error)
	done := make(chan struct{})
	go func() {
		// The kernel sends the signal when the starting thread ends, so the
		// thread must not be one that the runtime may retire.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		cmd.Wait()
		close(done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	const script = `cat >/dev/null; kill -"$3" "$1" 2>/dev/null; n=0
while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; rm -rf "$2"`
	reaper := exec.Command("/bin/sh", "-c", script, "sh", strconv.Itoa(cmd.Process.Pid), dir, strconv.Itoa(int(end)))
	reaper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the test, not for its reaper
	pipe, err := reaper.StdinPipe()
	if err == nil {
		err = reaper.Start()
	}
	if err != nil {
		cmd.Process.Signal(end)
		<-done
		return nil, err
	}
	go func() {
		<-done
		pipe.Close()
		reaper.Wait()
	}()
	return done, nil
}

// awaitServer waits until a server that has been started answers, for a minute.
func awaitServer(name string, done <-chan struct{}, logs *tail, ping func(time.Duration) error) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := ping(2 * time.Second)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("%s ended at once\n%s", name, logs)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer: %w\n%s", name, err, logs)
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu    sync.Mutex
	limit int
	b     []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - t.limit; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// aptInstall installs packages on Debian as root. Test processes that need the
// same packages wait for each other.
func aptInstall(packages ...string) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return errors.New("this is not root on Debian")
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "sanitize-apt.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, packages...)} {
		cmd := exec.Command(apt, append([]string{"-q", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}
