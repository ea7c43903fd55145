//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// fileID names a file whatever path leads to it.
func fileID(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("device %d inode %d", st.Dev, st.Ino)
	}
	return ""
}

// errHeld says that another run holds the lock.
var errHeld = errors.New("another run holds the target")

// lock is a file that one process at a time has locked. The lock ends with the
// process, however it ends.
type lock struct {
	file *os.File
}

// acquire takes the lock or fails with errHeld at once.
func acquire(path string) (*lock, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, errHeld
			}
			return nil, err
		}
		// The former holder may have removed the file between the two steps: then
		// this lock is on a file that nobody else can find.
		mine, err := f.Stat()
		if err == nil {
			var now os.FileInfo
			if now, err = os.Stat(path); err == nil && os.SameFile(mine, now) {
				return &lock{file: f}, nil
			}
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
}

// release removes the file while it is still locked, then gives the lock away.
func (l *lock) release() error {
	return errors.Join(os.Remove(l.file.Name()), l.file.Close())
}

// drop gives the lock away and leaves the file, as a killed process would.
func (l *lock) drop() error { return l.file.Close() }

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
