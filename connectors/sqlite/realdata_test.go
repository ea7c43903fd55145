package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// realData returns a file of the sample databases in REALDATA_DIR, or "".
func realData(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("REALDATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		fmt.Fprintf(os.Stderr, "%s: NOT RUN: there is no %s in REALDATA_DIR\n", t.Name(), name)
		return ""
	}
	return path
}

func TestChinook(t *testing.T) {
	connectortest.NoRaces(t)
	from := realData(t, filepath.Join("chinook", "chinook.sqlite"))
	if from == "" {
		return
	}
	to := filepath.Join(t.TempDir(), "chinook.db")
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	schema := "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
	if a, b := ask(t, from, schema), ask(t, to, schema); !slices.Equal(a, b) {
		t.Error("the definitions differ")
	}
	a, b, total := newDatabase(from), newDatabase(to), 0
	for _, table := range catalogOf(t, from).Tables {
		want, got := a.Rows(t, table.ID), b.Rows(t, table.ID)
		total += len(want)
		if !slices.EqualFunc(want, got, slices.Equal[[]string]) {
			t.Errorf("table %s differs: %d rows, want %d", table.ID, len(got), len(want))
		}
	}
	if total != 15607 {
		t.Errorf("%d rows, want 15,607", total)
	}
	if violated := ask(t, to, "PRAGMA foreign_key_check"); len(violated) > 0 {
		t.Errorf("%d foreign keys do not hold", len(violated))
	}
}
