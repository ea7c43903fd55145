package mysql

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// collected adds a table for each sample of values: those of every type, at their edges.
func (d *database) collected(t *testing.T, list []connectortest.Sample) {
	t.Helper()
	for i, sample := range list {
		id := catalog.TableID{Name: fmt.Sprintf("sample_%d", i)}
		d.server.Exec(t, d.name, "CREATE TABLE "+ident(id.Name)+" (id int NOT NULL PRIMARY KEY, `v` "+sample.Type+") COMMENT='"+strings.ReplaceAll(sample.Name, "'", "''")+"'")
		rows := [][]any{{int64(0), nil}}
		for k, v := range sample.Values {
			rows = append(rows, []any{int64(k + 1), v})
		}
		d.Insert(t, id, []string{"id", "v"}, rows...)
	}
}

// drop drops what a target cannot have.
func (d *database) drop(t *testing.T, object string) {
	t.Helper()
	kind, name, _ := strings.Cut(object, " ")
	if after, is := strings.CutPrefix(name, "body "); is && kind == "package" {
		kind, name = "package body", after
	}
	mode := ""
	if strings.HasPrefix(kind, "package") {
		mode = "ORACLE" // without which older servers do not know the word
	}
	d.server.Exec(t, d.name, "SET foreign_key_checks = 0", "SET sql_mode = '"+mode+"'", "DROP "+kind+" IF EXISTS "+ident(name))
}

// Our torture schema and a sample of every type go from one server to another: from the
// same or an older version of a family all, and else what is not refused. What is, is
// named before anything is made.
func TestAcross(t *testing.T) {
	connectortest.NoRaces(t)
	routes := connectortest.MySQLRoutes(t)
	if len(routes) == 0 {
		t.Log("DID NOT RUN: it takes a server of either family")
	}
	for _, route := range routes {
		from, to := route[0], route[1]
		t.Run(serverOf(t, from).String()+" to "+serverOf(t, to).String(), func(t *testing.T) { across(t, from, to) })
	}
}

func across(t *testing.T, a, b *connectortest.MySQLServer) {
	from, to := newDatabase(t, a), newDatabase(t, b)
	a.Exec(t, "", "DROP DATABASE IF EXISTS elsewhere_db", "CREATE DATABASE elsewhere_db", "CREATE TABLE elsewhere_db.t (a int NOT NULL PRIMARY KEY)")
	t.Cleanup(func() { a.Exec(t, "", "SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS elsewhere_db") })
	a.Exec(t, "", "CREATE DATABASE "+ident(from.name)+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci") // which all have
	a.Script(t, from.name, strings.ReplaceAll(tortureScript(t, a.Flavor(), serverOf(t, a).version), "DATABASE.", from.name+"."))
	fill(t, a, from.name)
	if matrix() {
		from.collected(t, samples(a))
	}

	copied := func() error {
		return connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from.DSN(), to.DSN())
	}
	session := connected(t, connectors.SourceSide, from.DSN())
	older := serverOf(t, a).mariadb == serverOf(t, b).mariadb && serverOf(t, a).version <= serverOf(t, b).version
	_, sc, _, d := defined(t, session, from.name)
	refused := compatible(sc.server, serverOf(t, b), d)
	alike := a.Flavor() == "mysql" && b.Flavor() == "mysql" && !atLeast(a, 9, 0) && atLeast(b, 8, 0) // what the schema holds 8.4 has from 8.0
	if older != (len(refused) == 0) && !alike {
		t.Errorf("refused: %+v", refused)
	}
	if len(refused) > 0 {
		err := copied()
		if kind, _ := connectors.KindOf(err); kind != connectors.KindUnsupported || !strings.Contains(err.Error(), refused[0].Object+" has ") || !strings.Contains(err.Error(), b.Version()) || connectors.Hint(err) == "" {
			t.Fatalf("the error: %v", err)
		}
		if to.Exists(t) || len(to.Leftovers(t)) > 0 {
			t.Fatalf("something was made: %v", to.Leftovers(t))
		}
	}
	for _, r := range refused {
		from.drop(t, r.Object)
	}
	c, _, out, d := defined(t, session, from.name)
	if left := compatible(sc.server, serverOf(t, b), d); len(left) > 0 {
		t.Fatalf("refused still: %+v", left)
	}
	if err := copied(); err != nil {
		t.Fatalf("%v\nhint: %s", err, connectors.Hint(err))
	}
	sink := connected(t, connectors.SinkSide, to.DSN())
	if a.Flavor() == b.Flavor() && newer(a, 8, 0) && newer(b, 8, 0) { // 5.7 prints much otherwise
		want, got := printed(t, session, from.name), printed(t, sink, to.name)
		for _, all := range []map[string]string{want, got} {
			for name, text := range all {
				all[name] = plainly(text)
			}
		}
		same(t, want, got, out.LeftBehind)
	} else {
		sameShape(t, from, to, out.LeftBehind)
	}
	compared, tables, rows := newFloats(from, to), 0, 0
	for _, table := range c.Tables {
		if !table.StoresRows() || strings.HasPrefix(table.ID.Name, "versioned") {
			continue // whose times are those of the copy
		}
		if table.Comment == jsonOfTheServer && !newer(b, 8, 0) {
			continue // of 1.0 it makes 1
		}
		want, got := from.Rows(t, table.ID), to.Rows(t, table.ID)
		compared(t, table, want, got)
		if !slices.EqualFunc(want, got, slices.Equal[[]string]) {
			t.Errorf("%s (%s):\n%.600q\nwant\n%.600q", table.ID, table.Comment, got, want)
		}
		tables, rows = tables+1, rows+len(want)
	}
	if tables < 25 || rows < 20 || len(d.Rest) < 10 || matrix() && (tables < 90 || rows < 350) {
		t.Errorf("only %d tables, %d rows and %d objects were compared", tables, rows, len(d.Rest))
	}
	t.Logf("%d objects refused; %d tables, %d rows, %d other objects", len(refused), tables, rows, len(d.Rest))
}

// matrix reports whether this is a run of make test-matrix-mysql.
func matrix() bool { return os.Getenv("SANITIZE_TEST_MATRIX") != "" }

// newFloats returns what compares the columns of floating point of two tables by their bits,
// and takes them out of the rows: how a server prints them is its own. MariaDB has no
// negative zero.
func newFloats(from, to *database) func(t *testing.T, table *catalog.Table, want, got [][]string) {
	read := func(t *testing.T, d *database, table, column string) (all []uint64) {
		t.Helper()
		// A statement with an argument is answered in the server's own form.
		rows, err := d.server.DB(t, d.name).QueryContext(t.Context(), "SELECT "+ident(column)+" FROM "+ident(table)+" WHERE "+ident(column)+" IS NOT NULL AND 1 = ?", 1)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var f float64
			if err := rows.Scan(&f); err != nil {
				t.Fatal(err)
			}
			all = append(all, math.Float64bits(f+0))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all)
		return all
	}
	return func(t *testing.T, table *catalog.Table, want, got [][]string) {
		t.Helper()
		for i, c := range table.Columns {
			if c.Type.Kind != catalog.Float {
				continue
			}
			if a, b := read(t, from, table.ID.Name, c.Name), read(t, to, table.ID.Name, c.Name); !slices.Equal(a, b) {
				t.Errorf("%s.%s (%s): %x, want %x", table.ID, c.Name, table.Comment, b, a)
			}
			for _, rows := range [][][]string{want, got} {
				for _, row := range rows {
					row[i] = ""
				}
			}
		}
	}
}

// What a version prints otherwise than another one.
var (
	shortSet    = regexp.MustCompile(`\butf8(_|\b)`)
	usualOf3    = regexp.MustCompile(` COLLATE[ =](utf8mb3_general_ci|utf8mb4_general_ci|latin1_swedish_ci|ucs2_general_ci|utf16_general_ci|ascii_general_ci|koi8r_general_ci|sjis_japanese_ci)`)
	invisible   = regexp.MustCompile(` INVISIBLE( DEFAULT [^, ]+)`)
	quotedUnits = regexp.MustCompile("(`=)'(\\d+)'")
	partitioned = regexp.MustCompile(`(?s)\n/\*!\d+ PARTITION BY .*`)
	afterObject = regexp.MustCompile(`\n-- .*`)
)

// plainly is the text of a definition without what depends on the server's version alone.
func plainly(text string) string {
	text = strings.NewReplacer("/*!100301 ", "/*M!100301 ", "_utf8'", "'", "  X'", " x'").Replace(text)
	text = quotedUnits.ReplaceAllString(invisible.ReplaceAllString(text, "$1 INVISIBLE"), "$1$2")
	text = shortSet.ReplaceAllString(text, "utf8mb3$1")
	text = partitioned.ReplaceAllStringFunc(text, func(by string) string { return strings.ReplaceAll(by, "`", "") })
	return afterObject.ReplaceAllString(usualOf3.ReplaceAllString(text, ""), "")
}

// sameShape compares two databases of different families by what both tell alike: the
// columns of tables and views, keys, foreign keys, triggers, routines and events.
func sameShape(t *testing.T, from, to *database, left []catalog.Object) {
	t.Helper()
	stays := map[string]bool{}
	for _, o := range left {
		if o.Fate == catalog.Stays {
			stays[o.Name] = true
			_, name, _ := strings.Cut(o.Name, ".") // a foreign key's
			stays[name] = true
		}
	}
	for what, query := range map[string]string{
		"columns": `SELECT TABLE_NAME, CONCAT_WS(' ', COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, REPLACE(DATA_TYPE, 'geomcoll', 'geometrycoll'), CHARACTER_MAXIMUM_LENGTH, IF(DATA_TYPE = 'mediumint', NULL, NUMERIC_PRECISION), NUMERIC_SCALE, DATETIME_PRECISION,
			REPLACE(CHARACTER_SET_NAME, 'mb3', ''), REPLACE(COLLATION_NAME, 'mb3', ''), COLUMN_COMMENT, COLUMN_TYPE LIKE '%unsigned%') FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME)
			WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, 9) <> '_sanitize' AND TABLE_TYPE <> 'VIEW' AND DATA_TYPE <> 'json' AND TABLE_COMMENT NOT LIKE 'json %'`,
		"columns of views": `SELECT TABLE_NAME, CONCAT_WS(' ', COLUMN_NAME, ORDINAL_POSITION) FROM information_schema.COLUMNS JOIN information_schema.VIEWS USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_SCHEMA = DATABASE()`,
		"keys":             `SELECT TABLE_NAME, CONCAT_WS(' ', INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, NON_UNIQUE, COLLATION, INDEX_TYPE, INDEX_COMMENT) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, 9) <> '_sanitize'`,
		"foreign keys":     `SELECT CONSTRAINT_NAME, CONCAT_WS(' ', TABLE_NAME, REPLACE(UPDATE_RULE, 'RESTRICT', 'NO ACTION'), REPLACE(DELETE_RULE, 'RESTRICT', 'NO ACTION'), REFERENCED_TABLE_NAME) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()`,
		"checks":           `SELECT CONSTRAINT_NAME, '' FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() AND CHECK_CLAUSE NOT LIKE 'json_valid(%'`,
		"triggers":         `SELECT TRIGGER_NAME, CONCAT_WS(' ', EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`,
		"routines":         `SELECT ROUTINE_NAME, CONCAT_WS(' ', ROUTINE_TYPE, DATA_TYPE, IS_DETERMINISTIC, SQL_DATA_ACCESS, ROUTINE_COMMENT) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()`,
		"events":           `SELECT EVENT_NAME, CONCAT_WS(' ', EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, STARTS, ENDS, ON_COMPLETION, TIME_ZONE, EVENT_COMMENT) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()`,
	} {
		if what == "checks" && (!newer(from.server, 8, 0) || !newer(to.server, 8, 0)) {
			continue // one of them has none
		}
		read := func(d *database) (all []string) {
			db := d.server.DB(t, d.name, "time_zone='+00:00'")
			rows, err := db.QueryContext(t.Context(), query)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			defer rows.Close()
			for rows.Next() {
				var name, text string
				if err := rows.Scan(&name, &text); err != nil {
					t.Fatal(err)
				}
				if !stays[name] {
					all = append(all, strconv.Quote(name)+": "+text)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			slices.Sort(all)
			return all
		}
		want, got := read(from), read(to)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: missing: %s", what, w)
			}
		}
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Errorf("%s: not at the source: %s", what, g)
			}
		}
		if len(want) == 0 && what != "checks" {
			t.Errorf("there are no %s", what)
		}
	}
}
