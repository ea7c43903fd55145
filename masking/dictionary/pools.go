package dictionary

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Pools returns the names of the pools, sorted: those of gofakeit's generators
// that make one line of text and need neither parameters nor the clock, in lower
// case, as gofakeit's own table of them has it.
func Pools() []string { return poolNames() }

// Pool returns the values of a pool, its hash, and whether there is one of that
// name; capitals make no difference. The values are distinct and sorted by code
// point, 512 or all that the generator has; each is one line of text. The hash is
// the SHA-256 of the values, each with a line feed behind it, in hex: what draws
// from a pool pins it.
//
// Emails, URLs and domain names are at reserved domains. All else is as gofakeit
// makes it: celebrities and companies are real ones, and a phone, card or
// insurance number that is made by chance may be somebody's. Masks of their own
// stay within what is nobody's.
//
// The pools are decompressed when the first is asked for, and take some two
// megabytes from then on.
func Pool(name string) (values []string, hash string, ok bool) {
	p, ok := pools()[strings.ToLower(name)]
	return p.values, p.hash, ok
}

type pool struct {
	values []string
	hash   string
}

var (
	pools     = sync.OnceValue(readPools)
	poolNames = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(pools())) })
)

// readPools reads lines of a name and a number, and behind each as many values.
func readPools() map[string]pool {
	z, err := gzip.NewReader(bytes.NewReader([]byte(read("pools.txt.gz"))))
	if err != nil {
		panic("dictionary: pools: " + err.Error()) // the file is part of the program
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("dictionary: pools: " + err.Error())
	}
	all := map[string]pool{}
	for rest := string(text); rest != ""; {
		head, values, _ := strings.Cut(rest, "\n")
		name, count, _ := strings.Cut(head, " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			panic("dictionary: pools: " + err.Error())
		}
		p := pool{values: make([]string, n)}
		rest = values
		for i := range p.values {
			p.values[i], rest, _ = strings.Cut(rest, "\n")
		}
		sum := sha256.Sum256([]byte(values[:len(values)-len(rest)]))
		p.hash = hex.EncodeToString(sum[:])
		all[name] = p
	}
	return all
}
