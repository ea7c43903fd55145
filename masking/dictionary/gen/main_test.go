package main

import (
	"os"
	"testing"
)

// The lists that are embedded are those that the sources give.
func TestGenerateFindsNothingToWrite(t *testing.T) {
	t.Chdir("..")
	before, err := os.ReadDir("v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := generate(false); err != nil {
		t.Error(err)
	}
	after, err := os.ReadDir("v1")
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != len(after) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
}

func TestNamesThatAreNoneAreRefused(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"Anna2", "latin"}, {"Анна", "latin"}, {"Anna Maria", "latin"}, {"-Anna", "latin"}, {"アナ1", "kana"}, {"さくら", "kana"},
	} {
		if checkName(c.name, c.script) == nil {
			t.Errorf("%q passes for %s", c.name, c.script)
		}
	}
}
