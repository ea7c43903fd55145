//go:build !linux

package connectortest

import "errors"

var errNoDisk = errors.New("a disk of a given size can be made on Linux only")

func mountDisk(string, int64) error { return errNoDisk }

func unmountDisk(string) error { return errNoDisk }

func fill(uintptr, int64) error { return errNoDisk }
