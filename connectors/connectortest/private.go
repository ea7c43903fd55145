package connectortest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// ballast fills the disk of a folder but for so many bytes, until the function that it
// returns is called.
func ballast(tb testing.TB, dir string, leave int64) (remove func()) {
	tb.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	// In pieces: a signal interrupts a long one, and takes back what it had. What others
	// write meanwhile is missing in the end.
	all := int64(fs.Bavail)*int64(fs.Bsize) - leave
	for n := int64(0); n < all; {
		const piece = 16 << 20
		switch err := fill(f.Fd(), min(n+piece, all)); {
		case err == nil:
			n += piece
		case errors.Is(err, syscall.ENOSPC) && all > 64<<10:
			all -= 64 << 10
		case !errors.Is(err, syscall.EINTR):
			tb.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			tb.Error(err)
		}
	}
}

// reapFolders sees to it that the folders of a private server, the first of which may be
// a disk, go even if this process is killed. The servers die with it by themselves.
// clean gets what ends that, behind its first step.
func reapFolders(clean *[]func() error, folders ...string) error {
	reaper := exec.Command("/bin/sh", append([]string{"-c", `cat >/dev/null; sleep 2; umount -l "$1" 2>/dev/null; rm -rf "$@"`, "sh"}, folders...)...)
	reaper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := reaper.StdinPipe()
	if err != nil {
		return err
	}
	if err := reaper.Start(); err != nil {
		return err
	}
	*clean = append([]func() error{(*clean)[0], func() error {
		reaper.Process.Kill() // what it would do has been done
		reaper.Wait()         // which closes the pipe
		pipe.Close()
		return nil
	}}, (*clean)[1:]...)
	return nil
}
