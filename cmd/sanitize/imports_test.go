package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sanitize-db/sanitize"

// room is one line of the import table: which packages of ours a room may
// import, and which third parties it may meet. "x/..." is x and what is below it.
type room struct {
	packages string
	ours     []string
	others   []string
}

const (
	arrow = "github.com/apache/arrow/go/v17/..."
	xtext = "golang.org/x/text/..."
	xsync = "golang.org/x/sync/..."
	xcpu  = "golang.org/x/sys/cpu"
	xtime = "golang.org/x/time/rate"
)

// rooms is the import table of the design. The first line that matches a package counts.
var rooms = []room{
	{"masking/dictionary/gen", []string{"masking/dictionary", "masking/dictionary/..."}, []string{"github.com/brianvoe/gofakeit/v7/...", xtext}},
	{"masking/dictionary/gen/...", []string{"masking/dictionary/..."}, []string{"github.com/brianvoe/gofakeit/v7/...", xtext}},
	{"masking/dictionary/...", nil, []string{xtext}},
	{"masking", []string{"masking/dictionary"}, []string{arrow, xcpu, xtext}},
	{"connectors/catalog", nil, nil},
	{"connectors", []string{"connectors/catalog"}, []string{arrow}},
	{"connectors/internal/...", []string{"connectors", "connectors/catalog"}, []string{arrow}},
	{"connectors/postgres", []string{"connectors", "connectors/catalog", "connectors/internal/..."}, []string{arrow, xsync, "github.com/jackc/pgx/v5/...", "github.com/jackc/pgservicefile"}},
	{"connectors/mysql", []string{"connectors", "connectors/catalog", "connectors/internal/..."}, []string{arrow, xsync, "github.com/go-sql-driver/mysql"}},
	{"connectors/sqlite", []string{"connectors", "connectors/catalog", "connectors/internal/..."}, []string{arrow, "modernc.org/sqlite/..."}},
	{"connectors/memory", []string{"connectors", "connectors/catalog", "connectors/internal/..."}, []string{arrow}},
	{"policies/report", nil, nil},
	{"policies", []string{"masking", "connectors/catalog", "policies/report"}, []string{"go.yaml.in/yaml/v3", "golang.org/x/crypto/ssh"}},
	{"pipeline", []string{"connectors", "connectors/catalog", "masking"}, []string{arrow, xsync, xtime}},
	{"connectors/connectortest/servers/docker", nil, []string{"github.com/testcontainers/testcontainers-go/..."}},
	{"cmd/sanitize", []string{"..."}, []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term", xtext}},
	{"benchmarks/...", belowCmd, []string{"*"}},
}

// belowCmd is everything of ours but the command.
var belowCmd = []string{"connectors/...", "masking/...", "pipeline/...", "policies/..."}

// testRoom is the line of every package that helps tests.
var testRoom = room{"*test", belowCmd, []string{"*"}}

// testOnly are packages that are imported from _test.go files alone.
func testOnly(pkg string) bool { return strings.HasSuffix(path.Base(pkg), "test") }

type listed struct {
	ImportPath string
	Imports    []string
}

// TestImports checks the import table against what the packages really import.
func TestImports(t *testing.T) {
	for _, p := range goList(t, "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		r := roomOf(name)
		if r == nil {
			t.Errorf("%s is in no room of the import table", name)
			continue
		}
		for _, i := range p.Imports {
			ours, isOurs := strings.CutPrefix(i, module+"/")
			switch {
			case standard(i):
			case isOurs && testOnly(ours) && !testOnly(name):
				t.Errorf("%s imports %s, which is for _test.go files only", name, ours)
			case isOurs && !matchAny(r.ours, ours):
				t.Errorf("%s imports %s, which the import table does not allow", name, ours)
			case !isOurs && !matchAny(r.others, i):
				t.Errorf("%s meets %s, which the import table does not allow", name, i)
			}
		}
	}
}

// TestProgramLinks checks what must never be part of the program.
func TestProgramLinks(t *testing.T) {
	for _, p := range goList(t, "-deps", "./cmd/sanitize") {
		for _, never := range []string{
			"github.com/brianvoe/gofakeit", "github.com/testcontainers", "github.com/rogpeppe", "testing",
			module + "/connectors/connectortest", module + "/connectors/memory", module + "/benchmarks",
		} {
			if p.ImportPath == never || strings.HasPrefix(p.ImportPath, never+"/") {
				t.Errorf("the program links %s", p.ImportPath)
			}
		}
	}
}

func roomOf(name string) *room {
	if testOnly(name) {
		return &testRoom
	}
	for i := range rooms {
		if match(rooms[i].packages, name) {
			return &rooms[i]
		}
	}
	return nil
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

func match(pattern, name string) bool {
	switch {
	case pattern == "*", pattern == "...":
		return true
	case strings.HasSuffix(pattern, "/..."):
		base := strings.TrimSuffix(pattern, "/...")
		return name == base || strings.HasPrefix(name, base+"/")
	default:
		return name == pattern
	}
}

// standard reports whether a package belongs to Go itself: its first element has no dot.
func standard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = repository(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
