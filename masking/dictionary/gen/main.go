// Command gen makes the lists of package dictionary: names from gofakeit's data
// and from the lists in ours/, letters from Go's Unicode tables.
//
// The lists of a version are frozen once they are released. gen therefore
// compares, and writes only files that do not exist yet; with -force it
// overwrites, which is right only before a version is released.
//
// It runs in the folder of package dictionary, by `go generate`.
package main

import (
	"bytes"
	"embed"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// lettersOf is the version of Unicode of this version of the table.
const lettersOf = "15.0.0"

//go:embed ours/*.txt
var ours embed.FS

func main() {
	force := flag.Bool("force", false, "overwrite lists that differ")
	flag.Parse()
	if err := generate(*force); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate(force bool) error {
	lists := map[string][]string{}
	for _, k := range kinds {
		scripts := dictionary.Scripts()
		if k.alone {
			scripts = []string{""}
		}
		for _, script := range scripts {
			name := strings.TrimSuffix(k.name+"_"+script, "_")
			entries, err := collect(k, name, script)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			lists[name] = entries
		}
	}
	var err error
	if lists["romanized"], err = romanized(lists); err != nil {
		return fmt.Errorf("romanized: %w", err)
	}
	files := map[string][]byte{}
	for name, entries := range lists {
		files[name+".txt"] = []byte(strings.Join(entries, "\n") + "\n")
	}
	// A newer Go knows newer letters; the table stays with the ones that it was made from.
	if unicode.Version == lettersOf || force {
		files["letters.txt"] = letters()
	}
	dir := fmt.Sprintf("v%d", dictionary.Version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		switch {
		case err == nil && bytes.Equal(old, files[name]):
			continue
		case err == nil && !force:
			return fmt.Errorf("%s differs from what its sources give: version %d is frozen, and other words are a new version", path, dictionary.Version)
		case err != nil && !os.IsNotExist(err):
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	return nil
}
