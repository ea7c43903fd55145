//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// holderBase is where the folders of the sockets are: in the shortest place in which every
// account may make one. Tests have another.
var holderBase = "/tmp"

// detached gives a process a session of its own: no signal of the terminal reaches it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// oursAlone reports whether a file belongs to this account, and to no other.
func oursAlone(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid() && info.Mode().Perm()&0o077 == 0
}

// reachHolder is connectors.Options.Holder.
var reachHolder = dialHolder
