package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

// A file that a transform names stands beside the policy, wherever the program was started.
func TestFilesStandBesideThePolicy(t *testing.T) {
	dir := t.TempDir()
	policy := "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {secret: {kind: secret, do: {password: bcrypt, from: %}}}\ntables: {t: {columns: {password: secret}}}\n"
	compile := func(from string) error {
		path := filepath.Join(dir, "p.yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(policy, "%", from, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Compile(p, parseCatalog(t, "schema public\ntable t\npassword text\n"), testKey(t), masking.Standard())
		return err
	}
	if err := compile("hash"); err == nil {
		t.Error("no error for a file that does not exist")
	}
	hash := "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n"
	if err := os.WriteFile(filepath.Join(dir, "hash"), []byte(hash), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"hash", filepath.Join(dir, "hash")} {
		if err := compile(from); err != nil {
			t.Errorf("%s: %v", filepath.Base(from), err)
		}
	}
	if err := compile("."); err == nil {
		t.Error("no error for a folder")
	}
	if err := os.WriteFile(filepath.Join(dir, "hash"), []byte(strings.Repeat("x", mostFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := compile("hash"); err == nil {
		t.Error("no error for a file that is no line")
	}
}
