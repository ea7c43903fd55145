package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// program is a client program and the major version that it says it has.
type program struct {
	path  string
	major int
}

// usualPlaces are where packages put the client programs of one version beside those of others.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian
	"/usr/pgsql-*/bin",                                   // Red Hat
	"/usr/libexec/postgresql*",                           // Alpine
	"/usr/local/pgsql/bin",                               // built by hand
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew
	"/opt/homebrew/opt/libpq/bin",                        //
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
	"/usr/local/opt/libpq/bin",                           //
	"/Library/PostgreSQL/*/bin",                          // EDB
	"/Applications/Postgres.app/Contents/Versions/*/bin", //
}

// dumpFolders returns where to look for pg_dump: the folder that was named and no
// other, else every folder of PATH and the usual places.
func (c *config) dumpFolders() []string {
	if c.binDir != "" {
		return []string{c.binDir}
	}
	folders := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range usualPlaces {
		more, _ := filepath.Glob(pattern)
		folders = append(folders, more...)
	}
	return folders
}

// findDump finds a pg_dump that can read the server: one of its own version, else
// the next newer one. Of several of one version the first in PATH wins.
func (c *config) findDump(ctx context.Context, server int) (program, error) {
	var best, found program
	tried := map[string]bool{}
	for _, folder := range c.dumpFolders() {
		path := filepath.Join(folder, "pg_dump")
		if tried[path] || folder == "" {
			continue
		}
		tried[path] = true
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "--version").Output()
		if err != nil {
			continue
		}
		p := program{path: path, major: versionIn(string(out))}
		if p.major > found.major {
			found = p
		}
		if p.major >= server && (best.major == 0 || p.major < best.major) {
			best = p
		}
		if best.major == server {
			return best, nil
		}
	}
	if best.major > 0 {
		return best, nil
	}
	e := &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: "find pg_dump",
		Hint: fmt.Sprintf("apt-get install postgresql-client-%d (or dnf install postgresql%d), or name the folder that has it by --pg-bin", server, server)}
	switch {
	case found.major > 0:
		e.Err = fmt.Errorf("%s is of version %d, the server of version %d: pg_dump must not be older than the server", found.path, found.major, server)
	case c.binDir != "":
		e.Err = fmt.Errorf("there is none in %s that runs", c.binDir)
	default:
		e.Err = errors.New("there is none in PATH, nor in the usual places")
	}
	return program{}, e
}

// findRestore finds the pg_restore that reads what a pg_dump has written: the one
// beside it. One from elsewhere may be older, and know less of the archive.
func (c *config) findRestore(dump program) (string, error) {
	path, err := exec.LookPath(filepath.Join(filepath.Dir(dump.path), "pg_restore"))
	if err != nil {
		return "", &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: "find pg_restore",
			Err:  fmt.Errorf("it is not beside %s", dump.path),
			Hint: fmt.Sprintf("apt-get install postgresql-client-%d, or name the folder that has both by --pg-bin", dump.major)}
	}
	return path, nil
}

// versionIn reads the major version from "pg_dump (PostgreSQL) 15.13 (Debian …)".
func versionIn(s string) int {
	_, s, _ = strings.Cut(s, "(PostgreSQL) ")
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	major, _ := strconv.Atoi(s[:n])
	return major
}
