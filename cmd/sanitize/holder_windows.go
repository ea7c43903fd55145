package main

import (
	"context"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/sanitize-db/sanitize/connectors"
)

// holderBase is where the folders of the sockets are. Tests have another.
var holderBase = os.TempDir()

// detached gives a process a group of its own: no Ctrl-C of the console reaches it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// oursAlone leaves it to the rights of the temporary folder, which is the account's own.
func oursAlone(fs.FileInfo) bool { return true }

// reachHolder is connectors.Options.Holder: no snapshot is lent here.
var reachHolder func(context.Context, connectors.Identity, string) (net.Conn, error)
