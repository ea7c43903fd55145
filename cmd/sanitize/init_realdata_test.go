package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A developer gets from a database that people know to a policy that compiles by
// answering the questions, and there are few.
func TestInitRealData(t *testing.T) {
	t.Parallel()
	const mostQuestions = 4
	compiles := func(t *testing.T, from string) {
		t.Helper()
		for _, samples := range []string{"0", "200"} {
			draft := sanitize(t, "init", "--from", from, "--name", "sample", "--samples", samples)
			questions := strings.Count(draft, ": TODO #")
			if questions > mostQuestions {
				t.Errorf("--samples %s: %d questions\n%s", samples, questions, draft)
			}
			policy := writePolicy(t, []byte(strings.ReplaceAll(draft, ": TODO #", ": public #")))
			if plan := sanitize(t, "plan", "--policy", policy, "--from", from); !strings.Contains(plan, "mask") {
				t.Errorf("--samples %s: the plan masks nothing\n%s", samples, plan)
			}
		}
	}
	for _, c := range []struct {
		name  string
		files []string
	}{
		{"Pagila", []string{"pagila/pagila.sql"}},
		{"Sakila", []string{"sakila/schema.sql", "sakila/data.sql"}},
		{"Chinook", []string{"chinook/postgres.sql"}},
	} {
		t.Run("PostgreSQL/"+c.name, func(t *testing.T) {
			t.Parallel()
			server, _ := connectortest.PostgresPair(t)
			source := server.Database(t)
			for _, f := range c.files {
				file, ok := realData(t, f)
				if !ok {
					return
				}
				loadSample(t, server, source, file)
			}
			compiles(t, source)
		})
	}
	t.Run("SQLite/Chinook", func(t *testing.T) {
		t.Parallel()
		file, ok := realData(t, "chinook/chinook.sqlite")
		if !ok {
			return
		}
		// A copy: SQLite may want to write beside the file that it reads.
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(t.TempDir(), "chinook.db")
		if err := os.WriteFile(own, text, 0o600); err != nil {
			t.Fatal(err)
		}
		compiles(t, "sqlite:"+own)
	})
}
