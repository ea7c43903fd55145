package connectortest

import "syscall"

// dieWithParent makes the kernel stop the server when this process ends,
// however it ends. It holds for the thread that starts the server, which is
// therefore locked for as long as the server lives.
func dieWithParent(attr *syscall.SysProcAttr, end syscall.Signal) { attr.Pdeathsig = end }
