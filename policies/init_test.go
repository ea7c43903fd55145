package policies

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/sanitize-db/sanitize/masking"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a golden file, or writes it under -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("differs from %s; after reading the difference, run with -update\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

func TestInit(t *testing.T) {
	for _, name := range []string{"shop", "pagila", "odd"} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "init", name+".yaml"), Init(readCatalog(t, name), name))
		})
	}
}

var _ = masking.Standard
