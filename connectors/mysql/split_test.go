package mysql

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// sizes reads every chunk and returns how many rows each has, having looked that no row
// comes twice.
func sizes(t *testing.T, view connectors.Snapshot, id catalog.TableID, target int64) (rows []int) {
	t.Helper()
	chunks, err := view.Split(t.Context(), id, target)
	if err != nil {
		t.Fatal(err)
	}
	again, err := view.Split(t.Context(), id, target)
	if err != nil || !slices.Equal(chunks, again) {
		t.Errorf("%s is divided otherwise the second time: %v", id, err)
	}
	layout, err := view.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range chunks {
		batches, err := view.Read(t.Context(), c, layout)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		n := 0
		for {
			batch, err := batches.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			n += batch.Rows
			for row := range strings.SplitSeq(string(batch.Wire), "\x00end") {
				if row != "" && seen[row] {
					t.Errorf("%s: a row comes twice", c.ID)
				}
				seen[row] = true
			}
			batch.Release()
		}
		batches.Close()
		rows = append(rows, n)
	}
	return rows
}

// Whatever the key is, the ranges cover its table exactly and are about as large as each
// other: by halving where the range is large, by walking where it is not.
func TestRanges(t *testing.T) {
	connectortest.NoRaces(t)
	const n, perChunk = 3000, 60
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		numbers := "SELECT %s, CONCAT(RPAD(i, 40, 'x'), '" + `\0end` + "') FROM numbers"
		hash := "CONCAT(LPAD(HEX(i * 2654435761 % 4294967296), 8, '0'), LPAD(HEX(i * 2246822519 % 4294967296), 8, '0'), LPAD(HEX(i * 3266489917 % 4294967296), 8, '0'), LPAD(HEX(i), 8, '0'))"
		cases := []struct{ name, columns, key, values string }{
			{"dense", "id INT", "id", "i"},
			{"negative", "id BIGINT", "id", "i - 1500"},
			{"gaps", "id BIGINT", "id", "CASE WHEN i < 1000 THEN i WHEN i < 2000 THEN i + 1000000000000 ELSE i * 3000000000000000 END"},
			{"unsigned", "id BIGINT UNSIGNED", "id", "18446744073709551615 - i * 17"},
			{"decimal", "id DECIMAL(12,3)", "id", "i * 1.001 - 1000"},
			{"moments", "id DATETIME(6)", "id", "'1999-12-31 23:59:59.5' + INTERVAL i HOUR"},
			{"days", "id DATE", "id", "'1900-01-01' + INTERVAL i DAY"},
			{"texts of a UUID", "id CHAR(36) CHARACTER SET ascii", "id", "CONCAT(SUBSTR(" + hash + ", 1, 8), '-', SUBSTR(" + hash + ", 9, 4), '-', SUBSTR(" + hash + ", 13, 20))"},
			{"words", "id VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "id", "CONCAT(ELT(1 + i % 4, 'Zoë ', 'émile ', 'ADA ', 'user'), i)"},
			{"latin words", "id VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "id", "CONCAT(ELT(1 + i % 3, 'Ö', 'a', '_'), i)"},
			{"wide letters", "id VARCHAR(60) CHARACTER SET utf16", "id", "CONCAT('k', i)"},
			{"bytes", "id BINARY(16)", "id", "UNHEX(" + hash + ")"},
			{"pairs", "a INT, b INT", "a, b", "i % 7, i"},
			{"one leads many", "a VARCHAR(10), b BIGINT", "a, b", "IF(i < 10, 'few', 'most'), i * 1000"},
			{"three", "a DATE, b CHAR(2), c INT", "a, b, c", "'2024-01-01' + INTERVAL i % 3 DAY, CHAR(65 + i % 26), i"},
			{"behind an enum", "a INT, e ENUM('x', 'y')", "a, e", "i, 'y'"},
			{"led by an enum", "e ENUM('x', 'y'), a INT", "e, a", "'y', i"},
		}
		if s.Flavor() == "mysql" {
			cases = append(cases, struct{ name, columns, key, values string }{"downwards", "a INT, b INT", "a DESC, b DESC", "i % 11, i"},
				struct{ name, columns, key, values string }{"up and down", "a INT, b INT", "a, b DESC", "i, i"})
		}
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE digits (d INT)", "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
			"CREATE TABLE numbers (i INT PRIMARY KEY)", "INSERT INTO numbers SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d FROM digits a, digits b, digits c, digits e WHERE e.d < 3")
		for i, c := range cases {
			s.Exec(t, database, fmt.Sprintf("CREATE TABLE t%d (%s, v VARCHAR(60) CHARACTER SET utf8mb4, PRIMARY KEY (%s))", i, c.columns, c.key),
				fmt.Sprintf("INSERT INTO t%d "+numbers, i, c.values), fmt.Sprintf("ANALYZE TABLE t%d", i))
		}
		s.Exec(t, database, "CREATE TABLE loose (id INT, v INT)", "INSERT INTO loose VALUES (1, 1), (1, 1), (NULL, NULL)",
			"CREATE TABLE unique_only (id INT NOT NULL, v INT, UNIQUE KEY other (id))", "INSERT INTO unique_only SELECT a, b FROM t12 WHERE 0", "CREATE TABLE none (id INT PRIMARY KEY)")
		view := opened(t, s.DSN(database), 1)
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				id := catalog.TableID{Name: fmt.Sprintf("t%d", i)}
				width, _, err := view.width(t.Context(), view.Catalog().Table(id))
				if err != nil {
					t.Fatal(err)
				}
				rows := sizes(t, view, id, width*perChunk)
				sum := 0
				for _, r := range rows {
					sum += r
				}
				if sum != n {
					t.Fatalf("%d of %d rows are read, in %v", sum, n, rows)
				}
				if c.name == "led by an enum" {
					if len(rows) != 1 {
						t.Errorf("%d ranges of a key that cannot be divided", len(rows))
					}
					return
				}
				// The last chunk of a walk, and a half that is small, may be smaller.
				if most := slices.Max(rows); most > 3*perChunk || len(rows) < n/perChunk/2 || len(rows) > 4*n/perChunk {
					t.Errorf("%d ranges, the largest of %d rows: %v", len(rows), most, rows)
				}
			})
		}
		for name, want := range map[string][]int{"loose": {3}, "none": nil, "unique_only": nil} {
			if rows := sizes(t, view, catalog.TableID{Name: name}, 64); !slices.Equal(rows, want) {
				t.Errorf("%s: %v", name, rows)
			}
		}
	})
}
