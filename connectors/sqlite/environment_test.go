package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/sqlite"
)

const small = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('new');"

func copyFile(t testing.TB, from, to string) error {
	t.Helper()
	return connectortest.Copy(t, sqlite.Connector{}, connectors.Options{}, "sqlite:"+from, "sqlite:"+to)
}

func source(t testing.TB, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source.db")
	build(t, path, script)
	return path
}

func wantKind(t testing.TB, err error, kind connectors.Kind) {
	t.Helper()
	if got, _ := connectors.KindOf(err); got != kind {
		t.Errorf("kind %d, want %d: %v", got, kind, err)
	}
	if connectors.Hint(err) == "" {
		t.Errorf("no hint: %v", err)
	}
}

func files(t testing.TB, folder string) (names []string) {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

func TestConnectionStrings(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]string{
		"sqlite:shop.db": filepath.Join(here, "shop.db"), "sqlite:///tmp/shop.db": "/tmp/shop.db", "sqlite:/tmp/a b?c#d.db": "/tmp/a b?c#d.db",
		"sqlite://shop": filepath.Join(here, "shop"), "./shop.sqlite": filepath.Join(here, "shop.sqlite"), "shop.sqlite3": filepath.Join(here, "shop.sqlite3"),
	} {
		sink, err := sqlite.Connector{}.OpenSink(t.Context(), dsn, connectors.Options{})
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		id, err := sink.Identity(t.Context())
		if err != nil || id.Display != want {
			t.Errorf("%s is %s, want %s; %v", dsn, id.Display, want, err)
		}
		sink.Close()
	}
	for _, dsn := range []string{"sqlite:", "sqlite://", "sqlite::memory:", "sqlite:file:x.db?mode=rw", "sqlite:a\x00b.db"} {
		_, err := sqlite.Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
		wantKind(t, err, connectors.KindUsage)
	}
	for dsn, want := range map[string]bool{"sqlite:x": true, "x.db": true, "postgres://h/x.db": false, "memory:x": false, "x": false} {
		if got := (sqlite.Connector{}).Accepts(dsn); got != want {
			t.Errorf("accepts %q: %t", dsn, got)
		}
	}
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	text, empty := filepath.Join(dir, "text.db"), filepath.Join(dir, "empty.db")
	if err := errors.Join(os.WriteFile(text, []byte(strings.Repeat("no database ", 1000)), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "missing.db"), filepath.Join(dir, "no", "folder.db"), dir, text, empty} {
		_, err := sqlite.Connector{}.OpenSource(t.Context(), "sqlite:"+path, connectors.Options{})
		wantKind(t, err, connectors.KindUnavailable)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"empty.db", "text.db"}) {
		t.Errorf("files: %q", got)
	}
}

func TestTargetsThatAreNotOurs(t *testing.T) {
	from := source(t, small)
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "text": strings.Repeat("somebody's work ", 1000)} {
		to := filepath.Join(dir, name+".db")
		if err := os.WriteFile(to, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		wantKind(t, copyFile(t, from, to), connectors.KindGuard)
		if raw, err := os.ReadFile(to); err != nil || string(raw) != content {
			t.Errorf("%s: changed, or %v", name, err)
		}
	}
	folder := filepath.Join(dir, "folder.db")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	wantKind(t, copyFile(t, from, folder), connectors.KindGuard)
	// The source itself, by its own name and by a link.
	wantKind(t, copyFile(t, from, from), connectors.KindGuard)
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(from, link); err != nil {
		t.Fatal(err)
	}
	wantKind(t, copyFile(t, from, link), connectors.KindGuard)
	if got := ask(t, from, "SELECT v FROM t"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("the source has %q", got)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"empty.db", "folder.db", "link.db", "text.db"}) {
		t.Errorf("files: %q", got)
	}
}

func TestIdentityIsTheFile(t *testing.T) {
	from := source(t, small)
	hard, soft := from+".hard.db", from+".soft.db"
	if err := errors.Join(os.Link(from, hard), os.Symlink(from, soft)); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Connector{}.OpenSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{from, hard, soft} {
		sink, err := sqlite.Connector{}.OpenSink(t.Context(), path, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		if b, err := sink.Identity(t.Context()); err != nil || !a.Same(b) {
			t.Errorf("%s is another file: %v", path, err)
		}
	}
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	from := source(t, small)
	wantKind(t, copyFile(t, from, filepath.Join(t.TempDir(), "no", "such", "to.db")), connectors.KindUnavailable)
	wantKind(t, copyFile(t, from, filepath.Join(from, "to.db")), connectors.KindUnavailable)
	// A folder is no lock: for root, whom modes do not stop, too.
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "to.db.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantKind(t, copyFile(t, from, filepath.Join(dir, "to.db")), connectors.KindUnavailable)
}

// The lock, the build and its companions that a killed run left are removed; what
// only looks like them is not.
func TestLeftoversOfAKilledRun(t *testing.T) {
	from, dir := source(t, small), t.TempDir()
	to := filepath.Join(dir, "to.db")
	kept := []string{"to.db.building-this is a note", "to.db2.building-r1", "x.db.building-r1"}
	for _, name := range append(slices.Clone(kept), "to.db.lock", "to.db.building-r1", "to.db.building-r1-journal", "to.db.building-R2", "to.db.building-R2-wal") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, dir), append([]string{"to.db"}, kept...); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// Journals beside the target belong to a file that is gone: SQLite would apply
// them to the new one.
func TestStaleJournalsAreNotApplied(t *testing.T) {
	connectortest.NoRaces(t)
	from, dir := source(t, small), t.TempDir()
	to := filepath.Join(dir, "to.db")
	// A WAL with frames in it, of a database whose file was deleted.
	other := filepath.Join(dir, "other.db")
	db := openSQL(t, other, "&_pragma=journal_mode(WAL)")
	if _, err := db.Exec("CREATE TABLE old (v TEXT); INSERT INTO old VALUES ('stale')"); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		raw, err := os.ReadFile(other + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, to, "SELECT v FROM t"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("rows %q", got)
	}
	if got := ask(t, to, "SELECT count(*) FROM sqlite_schema WHERE name = 'old'"); got[0] != "0" {
		t.Error("the stale journal was applied")
	}
}

// A user who has turned the copy to WAL mode and still has it open keeps the
// promotion waiting; once closed, the next run brings the WAL in and replaces all.
func TestFormerCopyInWALMode(t *testing.T) {
	connectortest.NoRaces(t)
	from, dir := source(t, small), t.TempDir()
	to := filepath.Join(dir, "to.db")
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	user := openSQL(t, to, "&_pragma=journal_mode(WAL)")
	if _, err := user.Exec("INSERT INTO t VALUES ('by a user')"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, copyFile(t, from, to), connectors.KindBusy)
	if got := ask(t, to, "SELECT v FROM t ORDER BY rowid"); !slices.Equal(got, []string{"new", "by a user"}) {
		t.Errorf("the former copy has %q", got)
	}
	user.Close()
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, to, "SELECT v FROM t"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("rows %q", got)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"to.db"}) {
		t.Errorf("files %q", got)
	}
}

// Readers of the former copy read on; its mode and the link to it stay.
func TestReplacingUnderReaders(t *testing.T) {
	from, dir := source(t, small), t.TempDir()
	to, link := filepath.Join(dir, "to.db"), filepath.Join(dir, "link.db")
	if err := copyFile(t, from, to); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(to, 0o640), os.Symlink(to, link)); err != nil {
		t.Fatal(err)
	}
	reader := openSQL(t, to, "")
	defer reader.Close()
	tx, err := reader.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	count := func() (n int) {
		if err := tx.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	build(t, from, "INSERT INTO t VALUES ('newer')")
	if err := copyFile(t, from, link); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before {
		t.Errorf("a reader saw %d rows, then %d", before, after)
	}
	tx.Rollback()
	if got := ask(t, to, "SELECT count(*) FROM t"); got[0] != "2" {
		t.Errorf("%s rows", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A source in WAL mode is only read: its file keeps its bytes.
func TestSourceIsOnlyRead(t *testing.T) {
	from := source(t, "PRAGMA journal_mode = WAL; "+small)
	before, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFile(t, from, filepath.Join(t.TempDir(), "to.db")); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, after) {
		t.Error("the source's file changed")
	}
	if err := os.Chmod(from, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(t, from, filepath.Join(t.TempDir(), "to.db")); err != nil {
		t.Errorf("a file that may only be read: %v", err)
	}
}

func BenchmarkCopy(b *testing.B) {
	from := filepath.Join(b.TempDir(), "from.db")
	build(b, from, `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, email TEXT, at DATETIME, amount REAL);
		INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
		SELECT i, 'Person number ' || i, 'person' || i || '@shop.example', '2021-01-02 03:04:05', i * 1.5 FROM n;`)
	info, err := os.Stat(from)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := copyFile(b, from, filepath.Join(b.TempDir(), fmt.Sprintf("to%d.db", n))); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(200_000*float64(n)/b.Elapsed().Seconds(), "rows/s")
}
