package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// Every generator of gofakeit has a pool, or a reason to have none; and none has both.
func TestEveryGeneratorHasAPoolOrAReason(t *testing.T) {
	t.Chdir("..")
	version, err := gofakeitVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version != gofakeitOf {
		t.Logf("gofakeit is %s; the pools stay with the generators of %s", version, gofakeitOf)
		return
	}
	names := dictionary.Pools()
	for name := range gofakeit.FuncLookups {
		_, pooled := slices.BinarySearch(names, name)
		if _, out := leftOut[name]; out == pooled {
			t.Errorf("%s: a pool is %v, a reason to have none is %v", name, pooled, out)
		}
	}
	for _, name := range slices.Concat(names, slices.Collect(maps.Keys(leftOut))) {
		if gofakeit.GetFuncLookup(name) == nil {
			t.Errorf("gofakeit has no %s", name)
		}
	}
}

// Those that are left out for want of parameters do want them.
func TestReasonsHold(t *testing.T) {
	for name, reason := range leftOut {
		info := gofakeit.GetFuncLookup(name)
		if info == nil {
			continue
		}
		needs := false
		for _, p := range info.Params {
			needs = needs || !p.Optional && p.Default == ""
		}
		if strings.Contains(reason, "needs parameters") && !needs {
			t.Errorf("%s: %s, but every one has a default", name, reason)
		}
		if reason == "a record" || reason == "a list" {
			if _, err := pool(name); err == nil {
				t.Errorf("%s is no record and no list", name)
			}
		}
	}
}

func TestReserve(t *testing.T) {
	for in, want := range map[string]string{
		"a.b@mail.biz":                    "a.b@example.com",
		"write to me@mail.biz now":        "write to me@example.com now",
		"https://tiktok.com/@Me":          "https://tiktok.test/@Me",
		"http://www.some-shop.co.uk/a/b?": "http://www.some-shop.co.test/a/b?",
		"https://host":                    "https://host.test",
		"some-shop.org":                   "some-shop.test",
		"Pa@ss!w":                         "Pa@ss!w",
		"@handle":                         "@handle",
		"1.2.3":                           "1.2.3",
		"say...no":                        "say...no",
		"ASP.NET":                         "ASP.NET",
		"a word. Another.":                "a word. Another.",
		"application/vnd.oasis.formula":   "application/vnd.oasis.formula",
		"Mozilla/5.0 (X11; rv:5.0) x.y.z": "Mozilla/5.0 (X11; rv:5.0) x.y.z",
	} {
		if got := reserve(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, bad := range []string{"", " a", "a ", "a\nb", "a\tb", "a\u2028b", "a\xff", strings.Repeat("a", poolValue+1)} {
		if fit(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
	if !fit("ünïcode 🌙") {
		t.Error("a line of text is not taken")
	}
}

func TestPackedIsWhatItWas(t *testing.T) {
	packed, err := pack([]byte("a 1\nb\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := unpack(packed)
	if err != nil || string(text) != "a 1\nb\n" {
		t.Errorf("%q, %v", text, err)
	}
	if !same("x.gz", packed, packed) || same("x.gz", packed, []byte("b")) || same("x.txt", packed, text) {
		t.Error("files are not compared by what they say")
	}
}
