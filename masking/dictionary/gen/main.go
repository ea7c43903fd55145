// Command gen makes the lists of package dictionary: from gofakeit's data, from
// the lists in ours/, and from Go's Unicode tables; and the pools, from gofakeit's
// generators.
//
// The files of a version are frozen once they are released. gen therefore
// compares, and writes only files that do not exist yet; with -force it
// overwrites, which is right only before a version is released. What gofakeit or
// Unicode shares in is compared only while go.mod asks for the version of gofakeit,
// and Go has the version of Unicode, that the files were made from: a newer one
// leaves them as they are.
//
// Other words, a newer gofakeit or a newer Unicode make a new version: raise
// dictionary.Version and the folder that is embedded, gofakeitOf and lettersOf
// here, run `go generate`, and commit the new folder beside the old one.
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

// The versions of Unicode and of gofakeit that this version was made from.
const (
	lettersOf  = "15.0.0"
	gofakeitOf = "v7.18.1"
)

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
	version, err := gofakeitVersion()
	if err != nil {
		return err
	}
	files, err := makeFiles(unicode.Version == lettersOf || force, version == gofakeitOf || force)
	if err != nil {
		return err
	}
	dir := fmt.Sprintf("v%d", dictionary.Version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		switch {
		case err == nil && same(name, old, files[name]):
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

// makeFiles returns the files of a version by their names: of those that Unicode's
// or gofakeit's version shares in, only what is asked for.
func makeFiles(withUnicode, withGofakeit bool) (map[string][]byte, error) {
	lists := map[string][]string{}
	for _, k := range kinds {
		scripts := dictionary.Scripts()
		if k.alone {
			scripts = []string{""}
		}
		for _, script := range scripts {
			name := strings.TrimSuffix(k.name+"_"+script, "_")
			if k.gofakeit != nil && script == "latin" && !withGofakeit {
				continue
			}
			entries, err := collect(k, name, script)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			lists[name] = entries
		}
	}
	files := map[string][]byte{}
	if withGofakeit {
		roman, err := romanized(lists)
		if err != nil {
			return nil, fmt.Errorf("romanized: %w", err)
		}
		lists["romanized"] = roman
		text, err := pools()
		if err != nil {
			return nil, err
		}
		if files["pools.txt.gz"], err = pack(text); err != nil {
			return nil, err
		}
	}
	for name, entries := range lists {
		files[name+".txt"] = []byte(strings.Join(entries, "\n") + "\n")
	}
	if withUnicode {
		files["letters.txt"] = letters()
	}
	return files, nil
}

// same reports whether two files say the same: compressed ones, inside.
func same(name string, a, b []byte) bool {
	if !strings.HasSuffix(name, ".gz") || bytes.Equal(a, b) {
		return bytes.Equal(a, b)
	}
	textA, errA := unpack(a)
	textB, errB := unpack(b)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// gofakeitVersion returns the version of gofakeit that go.mod asks for.
func gofakeitVersion() (string, error) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mod)) {
		if _, version, ok := strings.Cut(line, "github.com/brianvoe/gofakeit/v7 "); ok {
			return strings.Fields(version)[0], nil
		}
	}
	return "", fmt.Errorf("go.mod does not ask for gofakeit")
}
