package policies

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
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
	if string(got) == string(want) {
		return
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	line := func(l []string) string {
		if n < len(l) {
			return l[n]
		}
		return "(the end)"
	}
	t.Errorf("differs from %s in line %d; after reading the difference, run with -update\ngot:  %s\nwant: %s", path, n+1, line(a), line(b))
}

func TestInit(t *testing.T) {
	for _, name := range []string{"shop", "pagila", "odd"} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "init", name+".yaml"), Init(readCatalog(t, name), name))
		})
	}
}

// What init writes compiles as soon as its questions have been answered, and before
// that each question is reported, as something that nobody has decided.
func TestInitAnswered(t *testing.T) {
	for _, name := range []string{"shop", "pagila", "odd"} {
		t.Run(name, func(t *testing.T) {
			c := readCatalog(t, name)
			text := string(Init(c, name))
			questions := strings.Count(text, ": TODO #")
			p, err := Parse("p.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Compile(p, c, testKey(t), masking.Standard())
			var errs Errors
			if !errors.As(err, &errs) || !errs.Drift() || len(errs) != questions {
				t.Errorf("%d questions; compiling says %v", questions, err)
			}
			p, err = Parse("p.yaml", []byte(strings.ReplaceAll(text, ": TODO #", ": public #")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Compile(p, c, testKey(t), masking.Standard()); err != nil {
				t.Errorf("with every question answered by keep: %v", err)
			}
		})
	}
}

func TestInitEmpty(t *testing.T) {
	text := Init(catalog.New("postgres", "17", "public", nil, nil), "")
	p, err := Parse("p.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if p.Header.Name != "database" {
		t.Errorf("name %q", p.Header.Name)
	}
}
