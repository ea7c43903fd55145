package policies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

func TestKey(t *testing.T) {
	folder := t.TempDir()
	key := masking.NewKey()
	secret := strings.Fields(string(key.Marshal()))[2]
	write := func(name string, text []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), text, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("good.key", key.Marshal(), 0o600)
	write("open.key", key.Marshal(), 0o644)
	write("short.key", []byte(strings.Replace(string(key.Marshal()), secret, secret[:len(secret)-4], 1)), 0o600)
	t.Setenv("KEYS", folder)
	os.Unsetenv("NO_SUCH_FOLDER")
	for _, c := range []struct{ from, want string }{
		{"file:good.key", ""},
		{"file:${KEYS}/good.key", ""},
		{"file:" + filepath.Join(folder, "good.key"), ""},
		{"file:none.key", "does not exist"},
		{"file:open.key", "can be read or changed by others (mode 0644)"},
		{"file:short.key", "must have 32"},
		{"file:${NO_SUCH_FOLDER}/good.key", "environment variable NO_SUCH_FOLDER is not set"},
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
		if !errors.As(err, &errs) || errs[0].Code != KeyProblem || errs[0].Line != 3 || errs.Drift() {
			t.Errorf("%s: got %v", c.from, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", c.from, err, c.want)
		}
		if !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: no hint in %q", c.from, err)
		}
		if strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: the complaint shows the key", c.from)
		}
	}
}

func TestKeyEphemeral(t *testing.T) {
	p, err := Parse("p.yaml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.Key()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Key()
	if err != nil {
		t.Fatal(err)
	}
	if a.Check() == b.Check() {
		t.Error("two ephemeral keys are equal")
	}
}
