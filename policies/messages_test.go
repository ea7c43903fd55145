package policies

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// nastyFile is what is said of nasty inputs.
const nastyFile = "testdata/nasty.golden"

// readMessages returns the policies of testdata/messages.txtar and what is said of each.
func readMessages(t testing.TB) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(messagesFile)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const messagesFile = "testdata/messages.txtar"

// TestMessages reads every policy of testdata/messages.txtar, beside the bases of
// testdata/extends, and compares what it says: place, message, excerpt, caret, hint.
func TestMessages(t *testing.T) {
	a := readMessages(t)
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		name, isPolicy := strings.CutSuffix(f.Name, ".yaml")
		if !isPolicy {
			continue // what was said the last time
		}
		if strings.Contains(name, "/") {
			t.Fatalf("%s: the policies stand side by side", f.Name)
		}
		_, err := Parse(filepath.Join("testdata/extends", f.Name), f.Data)
		errs, ok := err.(Errors)
		if !ok || len(errs) == 0 {
			t.Errorf("%s: want Errors, got %v", f.Name, err)
			continue
		}
		for _, d := range errs {
			if d.Line == 0 && d.Code != Syntax {
				t.Errorf("%s: without a line: %s", f.Name, d.Message)
			}
			if d.Line > 0 && d.Excerpt == "" {
				t.Errorf("%s: without an excerpt: %s", f.Name, d.Message)
			}
		}
		said := strings.ReplaceAll(err.Error(), "testdata/extends/", "")
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s: the complaint shows a secret", f.Name)
		}
		out.Files = append(out.Files, f, txtar.File{Name: name + ".said", Data: []byte(said + "\n\n")})
	}
	golden(t, messagesFile, txtar.Format(out))
}

// Each message of the reader's own source stands in a golden file: what stands in
// no golden file has never been read by anybody.
func TestMessagesAreAllThere(t *testing.T) {
	var said bytes.Buffer
	files, _ := filepath.Glob("testdata/errors/*.golden")
	for _, file := range append(files, messagesFile, nastyFile) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said.Write(text)
	}
	for _, call := range complaints(t) {
		if !call.pattern.Match(said.Bytes()) {
			t.Errorf("%s: in no golden file: %s", call.at, call.format)
		}
	}
}
