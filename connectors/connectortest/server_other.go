//go:build !linux

package connectortest

import "syscall"

// dieWithParent does nothing where the kernel knows no such signal: there the
// reaper alone stops the server.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
