//go:build !race

package policies

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// mostAllocated bounds what reading a policy may allocate, in MiB. Under the race detector
// pools forget and all is made anew, so that the bound says nothing there.
const mostAllocated = 300

// What no person writes, and a hostile one may. Each ends soon, in bounded memory, with
// one clear complaint.
func TestNasty(t *testing.T) {
	repeat := func(s string, bytes int) string { return strings.Repeat(s, bytes/len(s)) }
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 20; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	cases := []struct{ name, text string }{
		{"bomb of aliases", bomb},
		{"bomb of merge keys", "a: &a {b: c}\n" + repeat("- <<: *a\n", 1<<16)},
		{"alias to itself", "a: &a [*a]\n"},
		{"100 MB of nesting", "version: " + repeat("[", 100<<20)},
		{"nesting in flow", "version: " + repeat("[", 400<<10)},
		{"nesting of mappings", "version: " + repeat("{a: ", 1<<20)},
		{"nesting in blocks", func() string {
			var b strings.Builder
			for i := range 2000 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}()},
		{"nesting of items", repeat("- ", 1<<20)},
		{"nesting of keys", repeat("? ", 1<<20)},
		{"many items", "version: 1\nx: [" + repeat("a,", 1<<20-64) + "a]\n"},
		{"too many items", "version: 1\nx: [" + repeat("a,", 4<<20) + "a]\n"},
		{"many fields", func() string {
			var b strings.Builder
			b.WriteString("version: 1\nkeys: {k: {from: ephemeral}}\ntables:\n")
			for i := range 200_000 {
				fmt.Fprintf(&b, "  t%d: drop\n", i)
			}
			return b.String() + "  t0: drop\n"
		}()},
		{"many classes", func() string {
			var b strings.Builder
			b.WriteString("version: 1\nkeys: {k: {from: ephemeral}}\nclasses:\n")
			for i := range 20_000 {
				fmt.Fprintf(&b, "  c%d: {kind: direct, do: {each: c%d}}\n", i, i+1)
			}
			b.WriteString("tables:\n  t:\n    columns:\n")
			for i := range 100_000 {
				fmt.Fprintf(&b, "      c%d: d%d\n", i, i)
			}
			return b.String()
		}()},
		{"many rules of risk", minimal + "risk:\n" + repeat("  - {table: t, quasi: [a, b, c], k: 5}\n", 1<<20)},
		{"many hosts", minimal + "environments: {hosts: [" + repeat("a, b, c, ", 1<<20) + "d]}\n"},
		{"many waivers", minimal + "waivers:\n" + repeat("  - {rule: SAN-Q01, because: a, by: b, expires: 2099-01-31}\n", 1<<21)},
		{"many lines", repeat("\n", 7<<20)},
		{"many lines about keys", repeat("keys: {\n", 1<<20)},
		{"one long line", "version: 1\nx: " + repeat("a b ", 7<<20) + "\n"},
		{"one long text", "version: 1\nx: \"" + repeat(`\u0041`, 2<<20) + "\"\n"},
		{"one long number", "version: " + repeat("1", 2<<20) + "\n"},
		{"long escapes", "version: 1\nx: \"" + repeat(`\x`, 1<<20) + "\"\n"},
		{"NUL", "version: 1\x00\n"},
		{"only NUL", repeat("\x00", 1<<20)},
		{"UTF-16", "\xff\xfev\x00e\x00r\x00"},
		{"byte order mark", "\ufeff" + minimal},
		{"byte order mark within", "version: 1\n\ufeffkeys: {}\n"},
		{"old line ends", "version: 1\rkeys: {}\r"},
		{"CRLF and a mistake", strings.ReplaceAll("version: 1\nkeys: {k: {from: ephemeral}}\ntables: []\n", "\n", "\r\n")},
		{"half a character", "version: 1\nx: \xe2\x82\n"},
		{"document marks", repeat("---\n", 1<<20)},
		{"comments", repeat("#\n", 1<<20)},
		{"unclosed", "version: 1\nx: \"" + repeat("a\n", 1<<19)},
		{"block scalar", "x: |99999999999\n  a\n"},
		{"tag", "version: !!binary " + repeat("AAAA", 1<<20)},
	}
	var out strings.Builder
	for _, c := range cases {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Parse("p.yaml", []byte(c.text))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		// All that was allocated, which is more than what was held at once.
		if all := (after.TotalAlloc - before.TotalAlloc) >> 20; all > mostAllocated {
			t.Errorf("%s: %d MiB were allocated", c.name, all)
		}
		if took > time.Minute {
			t.Errorf("%s: took %v", c.name, took)
		}
		if testing.Verbose() {
			t.Logf("%-24s %4d MiB, %v", c.name, (after.TotalAlloc-before.TotalAlloc)>>20, took)
		}
		errs, ok := err.(Errors)
		if !ok || len(errs) == 0 {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		if said := len(err.Error()); said > 100_000 {
			t.Errorf("%s: %d bytes of complaint", c.name, said)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, errs[0])
		if len(errs) > 1 {
			fmt.Fprintf(&out, "and %d more\n", len(errs)-1)
		}
	}
	for _, deep := range []bool{true, false} {
		name := "many bases"
		if deep {
			name = "a tower of bases"
		}
		_, err := Load(tower(t, deep))
		errs, ok := err.(Errors)
		if !ok || len(errs) != 1 {
			t.Fatalf("%s: got %v", name, err)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", name, errs[0].Message)
	}
	golden(t, nastyFile, []byte(out.String()))
}

// tower writes policies that build on one another, or one on many, and returns the path
// of the last.
func tower(t *testing.T, deep bool) string {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%q", fmt.Sprintf("%s#sha256:%x", name, sha256.Sum256([]byte(text))))
	}
	var pins []string
	for i := range maxBases + 1 {
		on := ""
		if deep && i > 0 {
			on = "extends: [" + pins[i-1] + "]\n"
		}
		pins = append(pins, write(fmt.Sprintf("b%d.yaml", i), "version: 1\n"+on+fmt.Sprintf("policy: {name: b%d}\n", i)))
	}
	if deep {
		pins = pins[maxExtends:][:1]
	}
	write("top.yaml", "extends: ["+strings.Join(pins, ", ")+"]\n"+minimal)
	return filepath.Join(folder, "top.yaml")
}

// A file that does not end is read up to the limit.
func TestLoadBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(path, bytes.Repeat([]byte("#"), maxSize+100), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if errs, ok := err.(Errors); !ok || !strings.Contains(errs[0].Message, "MiB") {
		t.Errorf("got %v", err)
	}
}
