package sqlite

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// config is what a connection string and the options come to.
type config struct {
	path        string // absolute
	lockTimeout int    // milliseconds
	warn        func(string)
}

const defaultLockTimeout = 10_000

func accepts(dsn string) bool {
	if strings.HasPrefix(dsn, "sqlite:") {
		return true
	}
	if strings.Contains(dsn, "://") {
		return false
	}
	switch filepath.Ext(dsn) {
	case ".db", ".sqlite", ".sqlite3":
		return true
	}
	return false
}

func configOf(dsn string, side connectors.Side, opts connectors.Options) (config, error) {
	c := config{lockTimeout: opts.LockTimeout, warn: opts.Warn}
	if c.lockTimeout <= 0 {
		c.lockTimeout = defaultLockTimeout
	}
	if c.warn == nil {
		c.warn = func(string) {}
	}
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if ok {
		path = strings.TrimPrefix(path, "//")
	}
	err := error(nil)
	switch {
	case !accepts(dsn):
		err = errors.New("this is no connection string of SQLite")
	case path == "":
		err = errors.New("the path is missing")
	case path == ":memory:" || strings.HasPrefix(path, "file:"):
		err = errors.New("only files can be copied, by their plain path")
	case strings.ContainsRune(path, 0):
		err = errors.New("the path holds the byte 0")
	default:
		c.path, err = filepath.Abs(path)
	}
	if err != nil {
		return config{}, &connectors.Error{
			Kind: connectors.KindUsage, Side: side, Op: "connect to " + connectors.RedactURL(dsn), Err: err,
			Hint: "write it as sqlite:path/to/file.db",
		}
	}
	return c, nil
}
