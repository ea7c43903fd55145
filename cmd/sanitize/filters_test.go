package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
	"github.com/sanitize-db/sanitize/policies"
)

// A run that leaves rows behind is whole on either engine, chunk by chunk; one whose
// foreign keys then point to nothing fails, names the table, and leaves no target.
func TestFilteredRun(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	sanitize(t, "keys", "new", "k.key")
	policy := "version: 1\nkeys: {discovery: {from: \"file:k.key\"}}\nclasses:\n  id: {kind: pseudonym, do: {pseudonym: id}}\n" +
		"tables:\n  people: {columns: {id: id}, keep: [name]}\n  visits: {columns: {id: id}, keep: [page]}\n"
	if err := os.WriteFile("p.yaml", []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	script := []string{"CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name TEXT)",
		"CREATE TABLE visits (id INTEGER NOT NULL PRIMARY KEY, person INTEGER REFERENCES people (id), page TEXT)"}
	for i := 1; i <= 20; i++ {
		script = append(script, fmt.Sprintf("INSERT INTO people VALUES (%d, 'person %d')", i, i))
		for v := range 10 {
			script = append(script, fmt.Sprintf("INSERT INTO visits VALUES (%d, %d, 'page %d')", 10*i+v, i, v))
		}
	}
	lite, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lite.Exec(strings.Join(script, ";\n")); err != nil {
		t.Fatal(err)
	}
	if err := lite.Close(); err != nil {
		t.Fatal(err)
	}
	server := connectortest.Postgres(t)
	postgres := server.Database(t)
	server.Exec(t, postgres, script...)
	for _, c := range []struct{ from, to, schema string }{
		{"sqlite:" + filepath.Join(dir, "shop.db"), "sqlite:" + filepath.Join(dir, "copy.db"), ""},
		{postgres, server.DSN(server.Name(t)), "public"},
	} {
		people, visits := catalog.TableID{Schema: c.schema, Name: "people"}, catalog.TableID{Schema: c.schema, Name: "visits"}
		seed := [32]byte{1}
		summary, err := filteredRun(t, c.from, c.to, map[catalog.TableID]connectors.Filter{visits: {Where: "page <> 'page 3'", Sample: 0.5, Limit: 50, Seed: seed}})
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		if summary.Rows != 70 {
			t.Errorf("%q: %d rows, want 20 people and 50 visits", c.schema, summary.Rows)
		}
		_, err = filteredRun(t, c.from, c.to, map[catalog.TableID]connectors.Filter{people: {Limit: 3, Seed: seed}})
		if exitCode(err) != exitIntegrity || !strings.Contains(err.Error(), "rows were left behind of "+people.String()) {
			t.Errorf("%q: %v", c.schema, err)
		}
		// By the same condition on both sides the keys hold.
		summary, err = filteredRun(t, c.from, c.to, map[catalog.TableID]connectors.Filter{people: {Where: "id <= 3"}, visits: {Where: "person <= 3"}})
		if err != nil || summary.Rows != 33 {
			t.Errorf("%q: %+v, %v", c.schema, summary, err)
		}
		_, err = filteredRun(t, c.from, c.to, map[catalog.TableID]connectors.Filter{people: {Where: "id <= 3) OR (true"}})
		if exitCode(err) != exitPolicy {
			t.Errorf("%q: %v", c.schema, err)
		}
	}
}

func filteredRun(t *testing.T, from, to string, filters map[catalog.TableID]connectors.Filter) (*pipeline.Summary, error) {
	t.Helper()
	policy, key, err := loadPolicy("p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source, err := openSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	sink, err := openSink(t.Context(), to, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	run := pipeline.Run{Source: source, Sink: sink,
		Compile: func(_ context.Context, s connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
			compiled, err := policies.Compile(policy, s.Catalog(), key, masking.Standard())
			if err != nil {
				return nil, nil, err
			}
			return compiled.Plan, pipeline.Fingerprint(compiled.Fingerprint), nil
		},
		Filters: func(*catalog.Catalog) (map[catalog.TableID]connectors.Filter, error) { return filters, nil },
		Options: pipeline.Options{ChunkBytes: 500},
	}
	return run.Do(t.Context())
}
