package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// realData returns the folder of the sample databases, or says aloud that the
// test does not run.
func realData(t *testing.T) string {
	dir := os.Getenv("REALDATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "pagila")); err != nil {
		t.Logf("DID NOT RUN: no sample databases in %s; set REALDATA_DIR", dir)
		return ""
	}
	return dir
}

// TestRealData copies databases that people know: one kept as it is, one with every column
// decoded, and for make test-matrix each in both ways.
func TestRealData(t *testing.T) {
	connectortest.NoRaces(t)
	dir := realData(t)
	if dir == "" {
		return
	}
	a, b := connectortest.PostgresPair(t)
	for _, db := range []struct {
		name, now string
		files     []string
	}{
		{"pagila", "decoded", []string{"pagila.sql"}},
		{"sakila", "kept", []string{"schema.sql", "data.sql"}},
	} {
		from := a.Database(t)
		for _, f := range db.files {
			a.Load(t, from, filepath.Join(dir, db.name, f))
		}
		if db.name == "pagila" {
			a.Exec(t, from, "REFRESH MATERIALIZED VIEW public.rental_by_category")
		}
		for _, decode := range []struct {
			name string
			f    func(*catalog.Table) []string
		}{{"kept", nil}, {"decoded", everything}} {
			if decode.name != db.now && os.Getenv("SANITIZE_TEST_MATRIX") == "" {
				continue
			}
			t.Run(db.name+" "+decode.name, func(t *testing.T) {
				to := b.DSN(b.Name(t))
				if err := copyAll(t, from, to, "r1", decode.f); err != nil {
					t.Fatal(err)
				}
				sameDatabases(t, from, to)
			})
		}
	}
}

// sameDatabases compares definitions, rows and the positions of sequences.
func sameDatabases(t *testing.T, from, to string) {
	t.Helper()
	if x, y := schemaOf(t, from), schemaOf(t, to); x != y {
		t.Errorf("definitions differ:\n%s", firstDifference(x, y))
	}
	if x, y := rowsOf(t, from), rowsOf(t, to); x != y {
		t.Errorf("rows differ:\n%s", firstDifference(x, y))
	}
}

func schemaOf(t *testing.T, dsn string) string {
	t.Helper()
	out, err := exec.Command("pg_dump", "--schema-only", "--no-owner", "--no-privileges", "-d", dsn).Output()
	if err != nil {
		t.Fatal(err)
	}
	var keep []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) && !strings.HasPrefix(line, "-- Dumped ") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "")
}

// rowsOf returns a line per table and sequence: its name, how many rows it has,
// and a digest of all of them, in an order of their own.
func rowsOf(t *testing.T, dsn string) string {
	t.Helper()
	s := connectortest.Postgres(t)
	names := strings.Split(s.Value(t, dsn, `SELECT string_agg(format('%I.%I', n.nspname, c.relname), E'\n' ORDER BY n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`), "\n")
	var queries []string
	for _, name := range names {
		queries = append(queries, fmt.Sprintf(`SET DateStyle = ISO; SET TimeZone = 'UTC'; SET extra_float_digits = 3;
			SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(x::text), '' ORDER BY md5(x::text))), '') FROM ONLY %s AS x`, name))
	}
	rows := s.Values(t, dsn, append(queries, `SELECT coalesce(string_agg(format('%I.%I %s', schemaname, sequencename, last_value), E'\n' ORDER BY schemaname, sequencename), '') FROM pg_sequences`)...)
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, rows[i])
	}
	fmt.Fprintln(&b, rows[len(names)])
	return b.String()
}

func firstDifference(x, y string) string {
	a, b := strings.Split(x, "\n"), strings.Split(y, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n\tsource %s\n\ttarget %s\n", i+1, a[i], b[i])
		}
	}
	sum := sha256.Sum256([]byte(x))
	return fmt.Sprintf("%d lines and %d lines (%s)", len(a), len(b), hex.EncodeToString(sum[:4]))
}
