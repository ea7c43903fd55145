package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// fileID returns "": the resolved path names a file.
func fileID(os.FileInfo) string { return "" }

// errHeld says that another run holds the lock.
var errHeld = errors.New("another run holds the target")

// lock is a file that one process at a time has open. It ends with the process.
type lock struct {
	file *os.File
}

const sharingViolation = syscall.Errno(32)

// acquire takes the lock or fails with errHeld at once.
func acquire(path string) (*lock, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	return &lock{file: os.NewFile(uintptr(h), path)}, nil
}

// release gives the lock away and removes the file, unless another has it already.
func (l *lock) release() error {
	err := l.file.Close()
	os.Remove(l.file.Name())
	return err
}

// drop gives the lock away and leaves the file, as a killed process would.
func (l *lock) drop() error { return l.file.Close() }

// syncFolder does nothing: NTFS keeps its own journal of names.
func syncFolder(string) error { return nil }
