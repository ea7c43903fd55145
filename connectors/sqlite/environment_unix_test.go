//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Nobody but its owner reads what is built, nor what is made of it where nothing stood. A
// target that others may read stays so.
func TestModeOfTheBuild(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	from, dir := source(t, small), t.TempDir()
	to := filepath.Join(dir, "to.db")
	mode := func(what, path string, want os.FileMode) {
		t.Helper()
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, want %v; %v", what, info.Mode(), want, err)
		}
	}
	_, b := begun(t, from, to)
	for _, name := range files(t, dir) {
		mode(name, filepath.Join(dir, name), 0o600)
	}
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		want os.FileMode
	}{{"the first copy", 0o600}, {"one that others may read", 0o644}, {"one of a group", 0o640}} {
		if step.want != 0o600 {
			if err := os.Chmod(to, step.want); err != nil {
				t.Fatal(err)
			}
		}
		if err := copyFile(t, from, to); err != nil {
			t.Fatal(err)
		}
		mode(step.what, to, step.want)
	}
}
