package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

func TestCommandWords(t *testing.T) {
	for s, want := range map[string][]string{
		"vault read key":         {"vault", "read", "key"},
		" a  b ":                 {"a", "b"},
		`a 'b c' "d 'e" f'g h'i`: {"a", "b c", "d 'e", "fg hi"},
		`a '' ""`:                {"a", "", ""},
		`a $(b) | c; d > e \n *`: {"a", "$(b)", "|", "c;", "d", ">", "e", `\n`, "*"},
	} {
		got, problem := commandWords(s)
		if problem != "" || !slices.Equal(got, want) {
			t.Errorf("%q: %q %s", s, got, problem)
		}
	}
	for _, s := range []string{"", "  ", "''", `a "b`, "a 'b"} {
		if got, problem := commandWords(s); problem == "" {
			t.Errorf("%q: %q", s, got)
		}
	}
}

// What the command prints is the key file, found as the policy's folder sees it.
func TestKeyFromCommand(t *testing.T) {
	folder := t.TempDir()
	key := masking.NewKey()
	secret := strings.Fields(string(key.Marshal()))[2]
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("the key", string(key.Marshal()))
	write("get", "#!/bin/sh\ncat \"$1\"\n")
	write("fail", "#!/bin/sh\ncat 'the key'; cat 'the key' >&2; exit 7\n")
	write("long", "#!/bin/sh\nwhile cat 'the key'; do :; done\n")
	write("bad", "#!/bin/sh\necho hunter2\n")
	t.Setenv("KEY_NAME", "the key")
	os.Unsetenv("NO_SUCH_NAME")
	for _, c := range []struct{ from, want string }{
		{"exec:./get 'the key'", ""},
		{"exec:./get ${KEY_NAME}", ""},
		{"exec:cat 'the key'", ""},
		{"exec:" + filepath.Join(folder, "get") + " 'the key'", ""},
		{"exec:./get ${NO_SUCH_NAME}", "environment variable NO_SUCH_NAME is not set"},
		{"exec:./fail", "the command failed (exit status 7)"},
		{"exec:./long", "more than a key file"},
		{"exec:./bad hunter2", "the output of the command: not a key file"},
		{"exec:hunter2-is-no-program", "the command cannot be run"},
	} {
		text := fmt.Sprintf("version: 1\nkeys:\n  k:\n    from: %q\ntables: {}\n", c.from)
		p, err := Parse(filepath.Join(folder, "shop.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Key()
		if c.want == "" {
			if err != nil || got.Check() != key.Check() {
				t.Errorf("%s: %v", c.from, err)
			}
			continue
		}
		var errs Errors
		if !errors.As(err, &errs) || errs[0].Code != KeyProblem || errs[0].Line != 3 {
			t.Errorf("%s: got %v", c.from, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: %q does not say %q", c.from, err, c.want)
		}
		if strings.Contains(err.Error(), secret[:8]) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the complaint shows a secret: %v", c.from, err)
		}
	}
}

// A command that waits is ended, and a child of it that holds on to its output too.
func TestKeyCommandTime(t *testing.T) {
	start := time.Now()
	_, err := commandKey(t.TempDir(), []string{"sh", "-c", "sleep 30 & sleep 30"}, 100*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not end within") || time.Since(start) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}
