package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/sqlite"
)

// build makes a database file by a script.
func build(t testing.TB, path, script string) {
	t.Helper()
	db := openSQL(t, path, "")
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
}

// ask returns the rows of a query as text.
func ask(t testing.TB, path, query string) []string {
	t.Helper()
	db := openSQL(t, path, "&mode=ro")
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		row := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range row {
			if c.Valid {
				cells = append(cells, c.String)
			} else {
				cells = append(cells, "NULL")
			}
		}
		all = append(all, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func catalogOf(t testing.TB, path string) *catalog.Catalog {
	t.Helper()
	source, err := sqlite.Connector{}.OpenSource(t.Context(), "sqlite:"+path, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	c, err := source.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// copied copies a file made by a script and returns both paths.
func copied(t testing.TB, script string) (from, to string) {
	t.Helper()
	from, to = filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "to.db")
	build(t, from, script)
	if err := connectortest.Copy(t, sqlite.Connector{}, connectors.Options{}, "sqlite:"+from, "sqlite:"+to); err != nil {
		t.Fatal(err)
	}
	return from, to
}

const corners = `
PRAGMA user_version = 42;
CREATE TABLE parent (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	"Code" VARCHAR(20) COLLATE NOCASE CONSTRAINT code_once UNIQUE, -- UNIQUE in a comment, (
	b INT, a INT,
	price DECIMAL(10, 2) DEFAULT '(,)',
	total REAL GENERATED ALWAYS AS (price * 2) STORED,
	twice INT AS (a * 2),
	CONSTRAINT pair_once UNIQUE (a, b)
	CHECK (a < b OR "Code" <> 'CONSTRAINT x FOREIGN KEY')
);
CREATE TABLE child (
	id TEXT NOT NULL,
	line INT NOT NULL,
	parent_id int REFERENCES PARENT,
	x INT, y INT,
	boss TEXT, boss_line INT,
	PRIMARY KEY (id, line),
	CONSTRAINT to_pair FOREIGN KEY (y, x) REFERENCES parent (B, A) DEFERRABLE INITIALLY DEFERRED,
	CONSTRAINT [to boss] FOREIGN KEY (boss, boss_line) REFERENCES child NOT DEFERRABLE
) WITHOUT ROWID;
CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, v ANY) STRICT;
CREATE TABLE bare (a, b);
CREATE UNIQUE INDEX adults ON parent (b) WHERE a > 18;
CREATE UNIQUE INDEX lower_code ON parent (lower("Code"));
CREATE INDEX plain_index ON child (x DESC);
CREATE VIEW dear AS SELECT * FROM parent WHERE price > 10;
CREATE TABLE log (what TEXT);
CREATE TRIGGER logged AFTER INSERT ON parent BEGIN INSERT INTO log VALUES ('inserted ' || new.id); END;
CREATE TRIGGER dear_insert INSTEAD OF INSERT ON dear BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE search USING fts5("Code", content='parent', content_rowid='id');
CREATE VIRTUAL TABLE letters USING fts5(body);
CREATE VIEW uses_letters AS SELECT body FROM letters;
INSERT INTO parent (id, "Code", b, a, price) VALUES (1, 'Alpha', 2, 1, 10.5), (7, 'beta', 4, 3, 11);
DELETE FROM parent WHERE id = 7;
INSERT INTO parent (id, "Code", b, a, price) VALUES (3, 'Gamma', 40, 30, '12.00');
INSERT INTO search (search) VALUES ('rebuild');
INSERT INTO letters VALUES ('dear bob');
INSERT INTO child VALUES ('a', 1, 1, 1, 2, NULL, NULL), ('a', 2, 3, NULL, NULL, 'a', 1);
INSERT INTO hidden (rowid, _rowid_, oid) VALUES ('1', '2', '3'), ('4', '5', '6');
INSERT INTO strict_one VALUES (1, '001'), (2, 2);
INSERT INTO bare VALUES (1, '1'), (1.0, x'31');
ANALYZE;
`

func TestCatalogOfCorners(t *testing.T) {
	connectortest.NoRaces(t)
	path := filepath.Join(t.TempDir(), "corners.db")
	build(t, path, corners)
	c := catalogOf(t, path)
	var names []string
	for _, table := range c.Tables {
		names = append(names, table.ID.Name)
	}
	if want := []string{"bare", "child", "hidden", "log", "parent", "strict_one"}; !slices.Equal(names, want) {
		t.Fatalf("tables %q, want %q", names, want)
	}
	parent, child := c.Table(catalog.TableID{Name: "parent"}), c.Table(catalog.TableID{Name: "child"})
	var columns []string
	for _, col := range parent.Columns {
		columns = append(columns, fmt.Sprintf("%s %s %d/%d %q %q %t", col.Name, col.Type.Kind, col.Type.Length, col.Type.Scale, col.Generation, col.Collation, col.NotNull))
	}
	want := []string{
		`id int 0/0 "identity by default" "" true`,
		`Code text 20/0 "" "NOCASE" false`,
		`b int 0/0 "" "" false`, `a int 0/0 "" "" false`,
		`price numeric 0/2 "" "" false`,
		`total float 0/0 "stored" "" false`, `twice int 0/0 "virtual" "" false`,
	}
	if !slices.Equal(columns, want) {
		t.Errorf("columns of parent\n got %q\nwant %q", columns, want)
	}
	unique := []catalog.Key{
		{Name: "code_once", Columns: []string{"Code"}},
		{Name: "pair_once", Columns: []string{"a", "b"}},
		{Name: "adults", Columns: []string{"b"}, Partial: true},
	}
	if !reflect.DeepEqual(parent.Unique, unique) {
		t.Errorf("unique keys of parent %+v", parent.Unique)
	}
	keys := []catalog.ForeignKey{
		{Name: "child_parent_id_fkey", References: parent.ID, Pairs: []catalog.Pair{{Column: "parent_id", References: "id"}}, Validated: true},
		{Name: "to_pair", References: parent.ID, Pairs: []catalog.Pair{{Column: "y", References: "b"}, {Column: "x", References: "a"}}, Deferrable: true, Validated: true},
		{Name: "to boss", References: child.ID, Pairs: []catalog.Pair{{Column: "boss", References: "id"}, {Column: "boss_line", References: "line"}}, Validated: true},
	}
	if !reflect.DeepEqual(child.ForeignKeys, keys) {
		t.Errorf("foreign keys of child\n got %+v\nwant %+v", child.ForeignKeys, keys)
	}
	if k := child.PrimaryKey; k == nil || !slices.Equal(k.Columns, []string{"id", "line"}) {
		t.Errorf("primary key of child %+v", k)
	}
}

func TestCopyOfCorners(t *testing.T) {
	connectortest.NoRaces(t)
	from, to := copied(t, corners)
	for _, query := range []string{
		"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE '%letters%' ORDER BY type, name",
		`SELECT id, "Code", b, a, typeof(price), price, total, twice FROM parent ORDER BY id`,
		"SELECT * FROM child ORDER BY id, line", `SELECT "rowid", _rowid_, oid FROM hidden ORDER BY 1`,
		"SELECT id, typeof(v), v FROM strict_one ORDER BY id", "SELECT typeof(a), a, typeof(b), b FROM bare ORDER BY 1, 3",
		"SELECT * FROM log", "SELECT * FROM dear", "SELECT * FROM sqlite_sequence ORDER BY name", "PRAGMA user_version", "PRAGMA page_size", "PRAGMA encoding",
		"SELECT rowid FROM search WHERE search MATCH 'gamma'", "SELECT tbl, idx FROM sqlite_stat1 WHERE tbl NOT LIKE '%letters%' ORDER BY tbl, idx",
	} {
		if a, b := ask(t, from, query), ask(t, to, query); !slices.Equal(a, b) {
			t.Errorf("%s\n got %q\nwant %q", query, b, a)
		}
	}
	if left := ask(t, to, "SELECT name FROM sqlite_schema WHERE name LIKE '%letters%'"); len(left) > 0 {
		t.Errorf("a full-text table with rows of its own is there: %q", left)
	}
	if got := ask(t, to, "PRAGMA application_id"); got[0] != fmt.Sprint(0x534E5A31) {
		t.Errorf("application id %s", got)
	}
	if got := ask(t, to, "PRAGMA integrity_check"); got[0] != "ok" {
		t.Errorf("integrity check: %q", got)
	}
	if raw, err := os.ReadFile(to); err != nil || strings.Contains(string(raw), "dear bob") {
		t.Errorf("what was left behind is in the file, or %v", err)
	}
	// The next id is the source's next id, though row 7 was deleted there.
	build(t, to, `INSERT INTO parent ("Code") VALUES ('next')`)
	if got := ask(t, to, `SELECT id FROM parent WHERE "Code" = 'next'`); got[0] != "8" {
		t.Errorf("the next id is %s, want 8", got)
	}
}

func TestWhatIsLeftBehindIsNamed(t *testing.T) {
	connectortest.NoRaces(t)
	path := filepath.Join(t.TempDir(), "corners.db")
	build(t, path, corners)
	source, err := sqlite.Connector{}.OpenSource(t.Context(), path, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	snapshot, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	definitions, err := snapshot.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []catalog.Object{
		{Kind: "virtual table", Name: "letters", Fate: catalog.Stays, Reason: "keeps its rows in tables of its own, which no policy speaks of"},
		{Kind: "view", Name: "uses_letters", Fate: catalog.Stays, Reason: "needs a virtual table that stays behind"},
	}
	if !reflect.DeepEqual(definitions.LeftBehind, want) {
		t.Errorf("left behind %v, want %v", definitions.LeftBehind, want)
	}
	if len(definitions.Sequences) != 1 || definitions.Sequences[0].Last != 7 || definitions.Sequences[0].Fills[0].Column != "id" {
		t.Errorf("sequences %+v", definitions.Sequences)
	}
}

func TestDeclaredTypes(t *testing.T) {
	connectortest.NoRaces(t)
	for declared, want := range map[string]string{
		"INT": "int 0 0", "integer": "int 0 0", "UNSIGNED BIG INT": "int 0 0", "BIGINT(20)": "int 0 0", "int8": "int 0 0",
		"VARCHAR(50)": "text 50 0", "CHARACTER VARYING ( 50 )": "text 50 0", "NVARCHAR": "text 0 0", "CLOB": "text 0 0", "TEXT": "text 0 0",
		"date": "date 0 0", "DATETIME": "timestamp 0 0", "TIMESTAMP": "timestamp 0 0", "TIMESTAMP  WITH TIME ZONE": "timestamptz 0 0",
		"BOOLEAN": "bool 0 0", "DECIMAL(10,2)": "numeric 0 2", "NUMERIC": "numeric 0 0",
		"REAL": "float 0 0", "DOUBLE PRECISION": "float 0 0", "FLOAT": "float 0 0", "FLOATING POINT": "float 0 0",
		"UUID": "uuid 0 0", "JSON": "json 0 0", "BLOB": "bytes 0 0", "VARBINARY(16)": "bytes 16 0", "": "opaque 0 0", "INET": "ip 0 0", "MACADDR": "mac 0 0", "XML": "xml 0 0", "POINT": "point 0 0", "TIME": "text 0 0",
	} {
		path := filepath.Join(t.TempDir(), "t.db")
		build(t, path, "CREATE TABLE t (c "+declared+")")
		col := catalogOf(t, path).Tables[0].Columns[0]
		if got := fmt.Sprintf("%s %d %d", col.Type.Kind, col.Type.Length, col.Type.Scale); got != want || !strings.EqualFold(strings.Join(strings.Fields(col.Type.Name), ""), strings.Join(strings.Fields(declared), "")) {
			t.Errorf("%q is %s (%q), want %s", declared, got, col.Type.Name, want)
		}
	}
}

// A chain of chunks over rowids with holes as large as they can be, both signs.
func TestRowIDsAtTheirLimits(t *testing.T) {
	connectortest.NoRaces(t)
	from, to := copied(t, `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
		INSERT INTO t VALUES (-9223372036854775808, 'lowest'), (-1, 'minus one'), (0, 'zero'), (9223372036854775807, 'highest');
		INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i * 1000000007, printf('%0100d', i) FROM n;`)
	query := "SELECT id, v FROM t ORDER BY id"
	if a, b := ask(t, from, query), ask(t, to, query); !slices.Equal(a, b) || len(a) != 5004 {
		t.Errorf("%d rows, want %d", len(b), len(a))
	}
}

func TestTextInUTF16(t *testing.T) {
	connectortest.NoRaces(t)
	from, to := copied(t, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('José 😀'), (''), (NULL), (char(1114111));")
	for _, query := range []string{"PRAGMA encoding", "SELECT hex(v) FROM t ORDER BY rowid"} {
		if a, b := ask(t, from, query), ask(t, to, query); !slices.Equal(a, b) {
			t.Errorf("%s: %q, want %q", query, b, a)
		}
	}
}

func TestChecksHold(t *testing.T) {
	connectortest.NoRaces(t)
	from := filepath.Join(t.TempDir(), "from.db")
	build(t, from, `CREATE TABLE t (id INTEGER PRIMARY KEY, v INT CONSTRAINT small CHECK (v < 10));
		PRAGMA ignore_check_constraints = 1; INSERT INTO t VALUES (1, 4711);`)
	err := connectortest.Copy(t, sqlite.Connector{}, connectors.Options{}, from, filepath.Join(t.TempDir(), "to.db"))
	if kind, _ := connectors.KindOf(err); kind != connectors.KindIntegrity || !strings.Contains(err.Error(), "small") || strings.Contains(err.Error(), "4711") {
		t.Errorf("kind %d: %v", kind, err)
	}
}

func TestUniqueIndexIsNamed(t *testing.T) {
	connectortest.NoRaces(t)
	dir := t.TempDir()
	from := filepath.Join(dir, "from.db")
	build(t, from, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE); INSERT INTO t VALUES (1, 'secret'), (2, 'Secret2')")
	db := openSQL(t, from, "")
	defer db.Close()
	source, err := sqlite.Connector{}.OpenSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	// An index that the source has, over rows that it does not have: as a mask
	// that is not injective would make them.
	if _, err := db.Exec("CREATE UNIQUE INDEX v_once ON t (v)"); err != nil {
		t.Fatal(err)
	}
	snapshot, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	definitions, err := snapshot.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Close()
	if _, err := db.Exec("DROP INDEX v_once; UPDATE t SET v = 'SECRET' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	later, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	sink, err := sqlite.Connector{}.OpenSink(t.Context(), filepath.Join(dir, "to.db"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	b, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r1", Catalog: later.Catalog(), Definitions: definitions})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	id := catalog.TableID{Name: "t"}
	layout, err := later.Layout(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	loadAll(t.Context(), t, later, b, id, layout)
	err = b.TableLoaded(t.Context(), id)
	if kind, _ := connectors.KindOf(err); kind != connectors.KindIntegrity || !strings.Contains(err.Error(), "v_once") || strings.Contains(strings.ToLower(err.Error()), "secret") {
		t.Errorf("kind %d: %v", kind, err)
	}
}

func loadAll(ctx context.Context, t testing.TB, snapshot connectors.Snapshot, b connectors.Build, id catalog.TableID, layout *connectors.Layout) {
	t.Helper()
	chunks, err := snapshot.Split(ctx, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		batches, err := snapshot.Read(ctx, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		loader, err := b.Load(ctx, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		for {
			batch, err := batches.Next(ctx)
			if err != nil {
				break
			}
			if err := loader.Write(ctx, batch); err != nil {
				t.Fatal(err)
			}
			batch.Release()
		}
		if _, err := loader.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		batches.Close()
	}
}

// Writers of a source in a rollback mode wait, are told of, and lose nothing.
func TestSourceInRollbackMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollback.db")
	build(t, path, "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
	var mu sync.Mutex
	var warned []string
	source, err := sqlite.Connector{}.OpenSource(t.Context(), path, connectors.Options{Warn: func(m string) {
		mu.Lock()
		defer mu.Unlock()
		warned = append(warned, m)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	snapshot, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := openSQL(t, path, "&_pragma=busy_timeout(10)")
	defer db.Close()
	if _, err := db.Exec("INSERT INTO t VALUES (2)"); err == nil {
		t.Error("a writer did not wait for the snapshot")
	}
	snapshot.Close()
	if _, err := db.Exec("INSERT INTO t VALUES (2)"); err != nil {
		t.Errorf("a writer after the snapshot: %v", err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "wait") {
		t.Errorf("warned: %q", warned)
	}
}

// Collations and unique indexes over expressions say what is equal to what.
func TestEqualities(t *testing.T) {
	connectortest.NoRaces(t)
	path := filepath.Join(t.TempDir(), "t.db")
	build(t, path, `CREATE TABLE t (a TEXT COLLATE nocase, b TEXT COLLATE RTRIM, c TEXT, "d e" TEXT, gone INT);
		CREATE UNIQUE INDEX t_lower ON t (lower("d e"), c) WHERE gone IS NULL;
		CREATE UNIQUE INDEX t_expr ON t (c || a);
		CREATE UNIQUE INDEX t_coll ON t (c COLLATE NOCASE);
		CREATE UNIQUE INDEX t_same ON t (a COLLATE NOCASE);
		CREATE UNIQUE INDEX t_own ON t (c COLLATE RTRIM)`)
	c := catalogOf(t, path).Tables[0]
	for name, want := range map[string]catalog.Equality{"a": catalog.FoldASCII, "b": catalog.PadSpace, "c": 0} {
		if got := c.Column(name).Type.Equality; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	want := []catalog.Rule{
		{Name: "t_lower", Parts: []catalog.Part{{Column: "d e", Equality: catalog.FoldASCII}, {Column: "c"}}, Condition: []string{"gone"}},
		{Name: "t_expr", Parts: []catalog.Part{{Expression: "c | | a", Reads: []string{"a", "c"}}}},
		{Name: "t_coll", Parts: []catalog.Part{{Column: "c", Equality: catalog.FoldASCII}}},
		{Name: "t_own", Parts: []catalog.Part{{Column: "c", Equality: catalog.PadSpace}}},
	}
	if !reflect.DeepEqual(c.Rules, want) {
		t.Errorf("rules %+v\nwant %+v", c.Rules, want)
	}
}
