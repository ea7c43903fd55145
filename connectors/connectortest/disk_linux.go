package connectortest

import (
	"fmt"
	"syscall"
)

// mountDisk makes a folder a disk of so many bytes. It needs the right to mount.
func mountDisk(dir string, bytes int64) error {
	return syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes))
}

func unmountDisk(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }

// fill gives a file so many bytes that are really there.
func fill(fd uintptr, bytes int64) error { return syscall.Fallocate(int(fd), 0, 0, bytes) }
