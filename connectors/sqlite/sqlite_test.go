package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/sqlite"
)

// database is a file as the suite sees it.
type database struct {
	connectortest.SQL
	path string
}

// exact tells values apart by storage class, bits and bytes.
func exact(c string) string {
	return fmt.Sprintf(`typeof(%[1]s) || ':' || CASE typeof(%[1]s) WHEN 'null' THEN '' WHEN 'real' THEN printf('%%!.20g', %[1]s) ELSE hex(CAST(%[1]s AS BLOB)) END`, c)
}

func newDatabase(path string) *database {
	return &database{path: path, SQL: connectortest.SQL{
		Name: "sqlite:" + path,
		Dialect: connectortest.Dialect{
			Placeholder:       func(int) string { return "?" },
			Exact:             exact,
			InlineForeignKeys: true,
		},
		Open: func(t testing.TB) *sql.DB {
			t.Helper()
			// A source that is made here is in WAL mode, so that writers go on
			// while a snapshot is open. A target stays as it is.
			settings := ""
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				settings = "&_pragma=journal_mode(WAL)"
			}
			return openSQL(t, path, settings)
		},
	}}
}

func openSQL(t testing.TB, path, settings string) *sql.DB {
	t.Helper()
	uri := url.URL{Scheme: "file", Path: path}
	db, err := sql.Open("sqlite", uri.String()+"?_pragma=busy_timeout(5000)"+settings)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func (d *database) Exists(testing.TB) bool {
	_, err := os.Stat(d.path)
	return err == nil
}

// Leftovers lists all files beside the database that begin with its name.
func (d *database) Leftovers(t testing.TB) (left []string) {
	t.Helper()
	found, err := os.ReadDir(filepath.Dir(d.path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if name := e.Name(); name != filepath.Base(d.path) && strings.HasPrefix(name, filepath.Base(d.path)) {
			left = append(left, name)
		}
	}
	return left
}

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	var n atomic.Int64
	connectortest.Run(t, connectortest.Harness{
		Connector: sqlite.Connector{},
		Quirks: connectortest.Quirks{
			Types: map[catalog.Kind]string{
				catalog.Int: "INTEGER", catalog.Text: "TEXT", catalog.Bytes: "BLOB", catalog.Bool: "BOOLEAN", catalog.Float: "REAL",
				catalog.Numeric: "NUMERIC(20,3)", catalog.UUID: "UUID", catalog.Date: "DATE", catalog.Timestamp: "DATETIME",
				catalog.TimestampTZ: "TIMESTAMP WITH TIME ZONE", catalog.JSON: "JSON", catalog.XML: "XML", catalog.IP: "INET", catalog.MAC: "MACADDR",
				catalog.Point: "POINT",
			},
			Samples: []connectortest.Sample{
				{Name: "untyped", Type: "", Opaque: true, Values: []any{int64(1), "1", 1.0, 1.5, []byte("1"), "", []byte{}, math.Inf(1), int64(math.MinInt64)}},
				{Name: "invalid UTF-8", Type: "TEXT", Values: []any{connectortest.Expr(`CAST(x'ff00fe' AS TEXT)`), connectortest.Expr(`CAST(x'' AS TEXT)`), "a\x00b"}},
				{Name: "numbers in text", Type: "STRING", Values: []any{int64(123), "0123", 1.5, "x", []byte("blob")}},
				{Name: "numbers as blobs' neighbours", Type: "BLOB", Values: []any{"text", []byte("blob")}},
				{Name: "infinite reals", Type: "REAL", Values: []any{math.Inf(1), math.Inf(-1), int64(1) << 53, 1e300}},
				{Name: "dates in all shapes", Type: "DATE", Values: []any{"2021-01-02", "2021-01-02 00:00:00", "2021-01-02T03:04:05.123Z", "-4713-11-24", int64(1609556645), 2459216.5}},
				{Name: "times in all shapes", Type: "DATETIME", Values: []any{
					"2021-01-02", "2021-01-02 03:04", "2021-01-02 03:04:05", "2021-01-02T03:04:05.123Z", "2021-01-02 03:04:05.123456789 +0100 CET",
					int64(0), int64(1609556645), int64(1609556645123), -1.5e9, 2459216.5}},
				{Name: "booleans in all shapes", Type: "BOOL", Values: []any{int64(0), int64(1), "t", "f", "TRUE", "no"}},
				{Name: "numbers where addresses are due", Type: "INET", Values: []any{int64(10), 10.5, "10.0.0.1"}},
				{Name: "identifiers in all shapes", Type: "GUID", Values: []any{"123E4567-E89B-12D3-A456-426614174000", "{123e4567-e89b-12d3-a456-426614174000}", []byte("0123456789abcdef")}},
			},
		},
		Database: func(testing.TB) connectortest.Database {
			return newDatabase(filepath.Join(dir, fmt.Sprintf("db %d?#%%.db", n.Add(1))))
		},
	})
}
