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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/brianvoe/gofakeit/v7/data"
	"golang.org/x/text/unicode/norm"

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
	lists := map[string][]byte{}
	for _, kind := range []string{"given", "family"} {
		for _, script := range dictionary.Scripts() {
			names, err := collect(kind, script)
			if err != nil {
				return fmt.Errorf("%s names, %s: %w", kind, script, err)
			}
			lists[kind+"_"+script+".txt"] = []byte(strings.Join(names, "\n") + "\n")
		}
	}
	// A newer Go knows newer letters; the table stays with the ones that it was made from.
	if unicode.Version == lettersOf || force {
		lists["letters.txt"] = letters()
	}
	dir := fmt.Sprintf("v%d", dictionary.Version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(keys(lists)) {
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		switch {
		case err == nil && bytes.Equal(old, lists[name]):
			continue
		case err == nil && !force:
			return fmt.Errorf("%s differs from what its sources give: version %d is frozen, and other words are a new version", path, dictionary.Version)
		case err != nil && !os.IsNotExist(err):
			return err
		}
		if err := os.WriteFile(path, lists[name], 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	return nil
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// collect returns the names of one kind and script, each once, sorted.
func collect(kind, script string) ([]string, error) {
	var words []string
	if script == "latin" {
		if kind == "given" {
			words = append(data.Person["first"], data.Person["middle"]...)
		} else {
			words = append(words, data.Person["last"]...)
		}
	}
	files, err := ours.ReadDir("ours")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		// given_latin.txt and given_latin_diacritics.txt both are lists of given_latin.
		if base := strings.TrimSuffix(f.Name(), ".txt"); base == kind+"_"+script || strings.HasPrefix(base, kind+"_"+script+"_") {
			text, err := ours.ReadFile("ours/" + f.Name())
			if err != nil {
				return nil, err
			}
			words = append(words, strings.Fields(string(text))...)
		}
	}
	for i, w := range words {
		w = norm.NFC.String(w)
		if err := checkName(w, script); err != nil {
			return nil, err
		}
		words[i] = w
	}
	slices.Sort(words)
	return slices.Compact(words), nil
}

// checkName makes sure that a name is one word of letters of its script.
func checkName(name, script string) error {
	tables := []*unicode.RangeTable{unicode.Inherited}
	switch script {
	case "kana":
		tables = append(tables, unicode.Katakana)
	default:
		tables = append(tables, unicode.Scripts[strings.ToUpper(script[:1])+script[1:]])
	}
	for i, r := range name {
		inside := i > 0 && (r == '-' || r == '\'')
		if !inside && !(unicode.In(r, tables...) && (unicode.IsLetter(r) || unicode.IsMark(r))) {
			return fmt.Errorf("%q is not one word in that script", name)
		}
	}
	return nil
}
