// Package dictionary holds the embedded lists that realistic values are chosen
// from: names of people with their romanization, places, companies, jobs, user
// agents, plain words, a pool of values for each of gofakeit's generators; and the
// table of letters that shape-keeping masks stay within.
//
// The lists are data, not code: text files, one entry a line, made by
// `go generate` from gofakeit's data and from lists of our own (gen/ours), and
// frozen from then on. A masked value is a place in a list, so a list that
// changed would change yesterday's pseudonyms: whoever wants other words makes a
// new version beside the old one. HashOf tells one content of a list from
// another, and what chooses from a list pins the hash of that list and of no
// other: a list that joins the dictionary changes nobody's fingerprint.
//
// The names of people are common ones and belong to nobody. Towns are real towns,
// streets bear names that many streets bear, companies are put together from
// neutral words.
//
// Everything here is read once, when it is first asked for, and immutable after
// that: callers do not change the slices that they are given. All functions are
// safe for concurrent use.
package dictionary

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:generate go run ./gen

// Version is the version of the lists: the folder that they are read from.
const Version = 1

//go:embed v1/*.txt v1/*.gz
var files embed.FS

const folder = "v1/"

// Script is a writing system that there are lists in.
type Script uint8

// The scripts. Han is Chinese in simplified characters; kana is katakana.
const (
	Latin Script = iota
	Cyrillic
	Greek
	Arabic
	Hebrew
	Devanagari
	Han
	Kana
	Hangul
	scripts
)

var scriptNames = [scripts]string{"latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "han", "kana", "hangul"}

// String returns the script's name in lower case.
func (s Script) String() string { return scriptNames[s] }

// ParseScript returns the script of that lower-case name, and whether there is one.
func ParseScript(name string) (Script, bool) {
	for s, n := range scriptNames {
		if n == name {
			return Script(s), true
		}
	}
	return 0, false
}

// Scripts returns the names of all scripts.
func Scripts() []string { return scriptNames[:] }

// Hash returns the SHA-256 of all lists and their names, in hex: the same hash,
// the same words in the same places.
func Hash() string {
	return hashOf(slices.Sorted(maps.Keys(fileHashes())))
}

// HashOf returns the SHA-256 of some lists and their names, in hex, as Hash does
// of all. A list is named as its file is: "words", "given_latin"; "given" stands
// for the given names in all scripts. The order in which lists are named makes no
// difference. A list that there is not is a mistake of the caller, and panics.
// Pools have hashes of their own: see Pool.
func HashOf(lists ...string) string {
	var names []string
	for _, list := range lists {
		found := false
		for file := range fileHashes() {
			name, _, _ := strings.Cut(file, ".")
			if name == list || strings.HasPrefix(name, list+"_") {
				names = append(names, file)
				found = true
			}
		}
		if !found {
			panic("dictionary: there is no list " + list)
		}
	}
	slices.Sort(names)
	return hashOf(slices.Compact(names))
}

func hashOf(names []string) string {
	all, h := fileHashes(), sha256.New()
	for _, name := range names {
		sum := all[name]
		h.Write([]byte(name + "\n"))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fileHashes holds the hash of each file.
var fileHashes = sync.OnceValue(func() map[string][sha256.Size]byte {
	entries, err := files.ReadDir(strings.TrimSuffix(folder, "/"))
	if err != nil {
		panic("dictionary: " + err.Error()) // the files are part of the program
	}
	hashes := make(map[string][sha256.Size]byte, len(entries))
	for _, e := range entries {
		hashes[e.Name()] = sha256.Sum256([]byte(read(e.Name())))
	}
	return hashes
})

func read(name string) string {
	b, err := files.ReadFile(folder + name)
	if err != nil {
		panic("dictionary: " + err.Error()) // the file is part of the program
	}
	return string(b)
}

// readList returns the lines of a file.
func readList(name string) []string {
	return strings.Split(strings.TrimSuffix(read(name+".txt"), "\n"), "\n")
}

// perScript reads the lists of one kind in all scripts.
func perScript(kind string) func() [scripts][]string {
	return sync.OnceValue(func() (lists [scripts][]string) {
		for s := range lists {
			lists[s] = readList(kind + "_" + scriptNames[s])
		}
		return lists
	})
}
