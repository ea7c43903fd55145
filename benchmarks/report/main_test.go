package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const figures = `goos: linux
goarch: amd64
cpu: A processor
BenchmarkVariants/token_hex/batched-2         	  100	        40.0 ns/op	  50.0 MB/s
BenchmarkVariants/token_hex/batched-2         	  100	        60.0 ns/op	  50.0 MB/s
BenchmarkVariants/token_hex/batched-2         	  100	        50.0 ns/op	  50.0 MB/s
BenchmarkVariants/token_hex/single-2          	  100	       300.5 ns/op
BenchmarkVariants/token_hex/otherwise=HMAC-SHA256-2 	  100	       600 ns/op
BenchmarkVariants/null/batched-2              	  100	         0.5 ns/op
BenchmarkVariants/null/otherwise=HMAC-SHA256-2	  100	       600 ns/op
PASS
`

func TestTableOfARun(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := "before\n" + begin + `
linux, amd64, A processor, medians of 3 counts of one run.

| transform | batched | one by one | otherwise | ratio |
|---|---|---|---|---|
| token hex | 50 | 300 | 600, HMAC-SHA256 | 12 |
| null | 0.5 | – | 600, HMAC-SHA256 | 1200 |
` + end + "\nafter\n"
	for range 2 { // a second time changes nothing
		if err := run(strings.NewReader(figures), page); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Fatalf("the page is\n%s\nnot\n%s", got, want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("no marks\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"PASS\n": "no figures",
		figures + "--- FAIL: BenchmarkVariants/json\n":   "failed",
		"BenchmarkVariants/a/batched-2 100 many ns/op\n": "no number",
		figures: "missing",
	} {
		if err := run(strings.NewReader(in), page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v where %q was due", err, want)
		}
	}
	if text, _ := os.ReadFile(page); string(text) != "no marks\n" {
		t.Error("the page was changed")
	}
}
