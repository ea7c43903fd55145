package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sanitize-db/sanitize/masking"
)

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// badVariable reports a ${ that is not followed by a name and a brace.
func badVariable(s string) bool {
	return strings.Contains(variable.ReplaceAllString(s, ""), "${")
}

// mostFile bounds a file that a transform names: it is about one line long.
const mostFile = 4096

// readFile reads a file that a transform names, as the policy spells its path: relative to
// the folder of the policy file.
func (p *Policy) readFile(path string) ([]byte, error) {
	path = p.beside(path)
	info, err := os.Stat(path) // a pipe that nobody writes to would block an open
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostFile {
		return nil, fmt.Errorf("%s is not a regular file of at most 4 KiB", path)
	}
	return os.ReadFile(path)
}

// beside returns a path that is relative to the folder of the policy file.
func (p *Policy) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(p.File), path)
}

// Key returns the key that the policy names. `file:` is read from the path, in
// which ${VAR} stands for an environment variable, and which is relative to the
// folder of the policy file. `exec:` runs a command there and takes what it prints
// (see commandKey). `ephemeral` makes a fresh key at every call. Errors are of type
// Errors and show nothing of the key.
func (p *Policy) Key() (*masking.Key, error) {
	source := p.Keys[0]
	fail := func(help, format string, args ...any) error {
		return Errors{p.diagnose(KeyProblem, source.At, "", help, "key %s: "+format, append([]any{source.Name}, args...)...)}
	}
	failed := func(err error) error {
		var hinted interface{ Hint() string }
		help := ""
		if errors.As(err, &hinted) {
			help = hinted.Hint()
		}
		return fail(help, "%v", err)
	}
	if source.From == "ephemeral" {
		return masking.NewKey(), nil
	}
	kind, rest, _ := strings.Cut(source.From, ":")
	missing := ""
	expand := func(s string) string {
		return variable.ReplaceAllStringFunc(s, func(v string) string {
			name := v[2 : len(v)-1]
			value := os.Getenv(name)
			if value == "" && missing == "" {
				missing = name
			}
			return value
		})
	}
	if kind == "exec" {
		words, _ := commandWords(rest) // the reader has checked it
		for i := range words {
			words[i] = expand(words[i])
		}
		if missing != "" {
			return nil, fail("set it before the run", "the environment variable %s is not set", missing)
		}
		key, err := commandKey(filepath.Dir(p.File), words, commandTime)
		if err != nil {
			return nil, failed(err)
		}
		return key, nil
	}
	path := expand(rest)
	if missing != "" {
		return nil, fail("set it to the folder of the key file", "the environment variable %s is not set", missing)
	}
	key, err := masking.LoadKey(p.beside(path))
	if err != nil {
		return nil, failed(err)
	}
	return key, nil
}
