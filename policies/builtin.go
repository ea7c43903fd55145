package policies

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"
)

// The policies of this program that others build on. A changed byte is a changed
// digest: whoever has pinned one is told.
//
//go:embed builtin/*.yaml
var builtins embed.FS

// builtinPrefix begins the path of such a policy in extends.
const builtinPrefix = "builtin/"

// Builtins returns the names of the policies that Builtin takes, sorted.
func Builtins() []string {
	entries, err := builtins.ReadDir("builtin")
	if err != nil {
		panic("policies: " + err.Error()) // embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

func builtinText(name string) ([]byte, bool) {
	text, err := builtins.ReadFile(path.Join("builtin", name+".yaml"))
	return text, err == nil && !strings.Contains(name, "/")
}

// Builtin returns the built-in policy of that name as it was read, and its exact bytes.
func Builtin(name string) (*Policy, []byte, error) {
	text, ok := builtinText(name)
	if !ok {
		return nil, nil, fmt.Errorf("there is no built-in policy %q: there are %s", clip(name), strings.Join(Builtins(), ", "))
	}
	file := builtinPrefix + name
	p, errs := parse(file, text, newBases(file, time.Now()), true)
	if len(errs) > 0 {
		return nil, nil, errs
	}
	return p, text, nil
}

// Pin returns what extends says to build on the built-in policy of that name:
// builtin/eu-pii#sha256:…, or "" if there is none.
func Pin(name string) string {
	text, ok := builtinText(name)
	if !ok {
		return ""
	}
	sum := sha256.Sum256(text)
	return builtinPrefix + name + "#sha256:" + hex.EncodeToString(sum[:])
}
