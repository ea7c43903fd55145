package mysql

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// database is a database of a test server as the suite sees it.
type database struct {
	connectortest.SQL
	server *connectortest.MySQLServer
	name   string
}

// loose is a value that a server takes in a session without strict mode only: it warns, and
// stores what it makes of it.
type loose string

// sessionSettings are those of an application of another age, but for strictness.
var sessionSettings = []string{"time_zone='+00:00'", "sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"}

func newDatabase(t testing.TB, s *connectortest.MySQLServer) *database {
	d := &database{server: s, name: s.Name(t)}
	d.SQL = connectortest.SQL{
		Name: s.DSN(d.name),
		Dialect: connectortest.Dialect{
			Placeholder: func(int) string { return "?" },
			Quote:       connectortest.QuoteMySQL,
			EmptyRow:    "() VALUES ()",
		},
		Open: func(t testing.TB) *sql.DB {
			t.Helper()
			if !d.Exists(t) {
				s.CreateDatabase(t, d.name)
			}
			return d.open(t)
		},
	}
	return d
}

func (d *database) open(t testing.TB) *sql.DB { return d.server.DB(t, d.name, sessionSettings...) }

func (d *database) Exists(t testing.TB) bool {
	return d.server.Value(t, "", "SELECT count(*) FROM information_schema.schemata WHERE schema_name = "+literal(d.name)) == "1"
}

func (d *database) Leftovers(t testing.TB) []string {
	prefix := literal(d.name + "__")
	names := d.server.Value(t, "", "SELECT group_concat(schema_name SEPARATOR ' ') FROM information_schema.schemata WHERE LEFT(schema_name, CHAR_LENGTH("+prefix+")) = "+prefix)
	return strings.Fields(names)
}

// sqlValue writes a value of the suite as SQL.
func sqlValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case connectortest.Expr:
		return string(v)
	case loose:
		return string(v)
	case string:
		return "_utf8mb4 x'" + hex.EncodeToString([]byte(v)) + "'"
	case []byte:
		return "x'" + hex.EncodeToString(v) + "'"
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return fmt.Sprint(v)
}

// Insert adds many rows by one statement, of at most a few MiB.
func (d *database) Insert(t testing.TB, id catalog.TableID, columns []string, rows ...[]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := d.open(t)
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	into := "INSERT INTO " + ident(id.Name) + " (" + idents(columns) + ") VALUES "
	var lists []string
	size := 0
	flush := func() {
		t.Helper()
		if len(lists) == 0 {
			return
		}
		if _, err := tx.ExecContext(ctx, into+strings.Join(lists, ", ")); err != nil {
			t.Fatalf("insert into %s: %v", id, err)
		}
		lists, size = nil, 0
	}
	for _, row := range rows {
		values := make([]string, len(row))
		strict := true
		for i, v := range row {
			values[i] = sqlValue(v)
			_, is := v.(loose)
			strict = strict && !is
		}
		list := "(" + strings.Join(values, ", ") + ")"
		if !strict {
			if _, err := tx.ExecContext(ctx, strings.Replace(into, "INSERT", "INSERT IGNORE", 1)+list); err != nil {
				t.Fatalf("insert into %s: %v", id, err)
			}
			continue
		}
		if lists = append(lists, list); size+len(list) > 4<<20 {
			flush()
		}
		size += len(list)
	}
	flush()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// exact returns the expression of a column's value, as bytes that tell it from every other.
func exact(column, dataType string) string {
	c := ident(column)
	switch dataType {
	case "float", "double":
		return "CAST(" + c + " * 1e0 AS CHAR)" // a float's own text is rounded
	case "bit":
		return "CAST(" + c + " + 0 AS CHAR)"
	case "enum", "set": // the member '' is not the error value '', which has number 0
		return "CONCAT(" + c + " | 0, ' ', " + c + ")"
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year", "date", "time", "datetime", "timestamp",
		"json", "uuid", "inet4", "inet6":
		return "CAST(" + c + " AS CHAR)"
	}
	return c // bytes in the column's own character set, or the engine's own form
}

// Rows returns each cell as its length and its bytes in hexadecimal, or their digest.
func (d *database) Rows(t testing.TB, id catalog.TableID) (all [][]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := d.open(t)
	defer db.Close()
	columns, err := db.QueryContext(ctx, "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", d.name, id.Name)
	if err != nil {
		t.Fatalf("columns of %s: %v", id, err)
	}
	defer columns.Close()
	var cells []string
	for columns.Next() {
		var name, dataType string
		if err := columns.Scan(&name, &dataType); err != nil {
			t.Fatal(err)
		}
		x := exact(name, dataType)
		cells = append(cells, fmt.Sprintf("CASE WHEN %s IS NULL THEN 'NULL' ELSE CONCAT('=', LENGTH(%[2]s), ':', IF(LENGTH(%[2]s) > 100000, SHA2(%[2]s, 256), HEX(%[2]s))) END", ident(name), x))
	}
	if err := columns.Err(); err != nil || len(cells) == 0 {
		t.Fatalf("%d columns of %s: %v", len(cells), id, err)
	}
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(cells, ", ")+" FROM "+ident(id.Name))
	if err != nil {
		t.Fatalf("rows of %s: %v", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]string, len(cells))
		into := make([]any, len(cells))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("rows of %s: %v", id, err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("rows of %s: %v", id, err)
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

// atLeast reports whether a server's version is major.minor or newer.
func atLeast(s *connectortest.MySQLServer, major, minor int) bool {
	parts := strings.SplitN(s.Version(), ".", 3)
	a, _ := strconv.Atoi(parts[0])
	b, _ := strconv.Atoi(parts[1])
	return a > major || a == major && b >= minor
}

// jsonOfTheServer is the sample of what no JSON text can say.
const jsonOfTheServer = "json of the server's own types"

// newer reports whether a server has what MySQL has from a version on, and MariaDB otherwise.
func newer(s *connectortest.MySQLServer, major, minor int) bool {
	return s.Flavor() != "mysql" || atLeast(s, major, minor)
}

// eachServer runs a test on every server of the family that is to be had.
func eachServer(t *testing.T, test func(*testing.T, *connectortest.MySQLServer)) {
	for _, s := range connectortest.MySQLServers(t) {
		version := strings.SplitN(s.Version(), ".", 3)
		t.Run(s.Flavor()+" "+strings.Join(version[:2], "."), func(t *testing.T) { test(t, s) })
	}
}

// TestExact proves that Rows tells apart what differs by little: a comparison that cannot
// would let every copy pass.
func TestExact(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		d := newDatabase(t, s)
		e := func(s string) any { return connectortest.Expr(s) }
		large := strings.Repeat("x", 200_000)
		zeros := []any{0.0, math.Copysign(0, -1)}
		if s.Flavor() == "mariadb" {
			zeros = zeros[:1] // it makes 0 of -0
		}
		for i, c := range []struct {
			typ    string
			values []any
		}{
			{"float", []any{e("0e0"), e("0.1"), e("0.10000001"), e("16777215"), e("16777214")}},
			{"double", []any{0.0, 0.1, math.Nextafter(0.1, 1), math.SmallestNonzeroFloat64, math.MaxFloat64}},
			{"double", zeros},
			{"decimal(65,30)", []any{"0.1", "0.100000000000000000000000000001"}},
			{"bigint unsigned", []any{e("18446744073709551615"), e("18446744073709551614"), e("9223372036854775808")}},
			{"bit(64)", []any{e("0"), e("18446744073709551615"), e("18446744073709551614")}},
			{"varchar(20)", []any{"", "a", "A", "á", "a ", "a  ", "a\x00", "NULL", nil}},
			{"longtext", []any{large + "x", large + "y", large, large[1:]}},
			{"varbinary(20)", []any{[]byte{}, []byte{0}, []byte{0, 0}, nil}},
			{"enum('','a')", []any{"", loose("'b'"), "a"}},
			{"set('a','b')", []any{"", "a", "b", "a,b"}},
			{"datetime(6)", []any{e("'2021-01-02 03:04:05.000001'"), e("'2021-01-02 03:04:05'"), e("'0000-00-00'"), nil}},
			{"time(6)", []any{e("'-00:00:00.000001'"), e("'00:00:00.000001'"), e("'00:00:00'")}},
			{"year", []any{e("0"), e("2000")}},
			{"geometry", []any{e("ST_GeomFromText('POINT(1 2)')"), e("ST_GeomFromText('POINT(1 2)', 4326)"), e("ST_GeomFromText('POINT(1 2.0000000000000004)')")}},
			{"json", []any{`{"a": 1}`, `{"a": 1.5}`, `{"a": "1"}`, "null", nil}},
		} {
			id := catalog.TableID{Name: fmt.Sprintf("t%d", i)}
			d.Create(t, &catalog.Table{ID: id, Columns: []catalog.Column{{Name: "v", Type: catalog.Type{Name: c.typ}}}})
			var rows [][]any
			for _, v := range c.values {
				rows = append(rows, []any{v})
			}
			d.Insert(t, id, []string{"v"}, rows...)
			cells := map[string]bool{}
			for _, row := range d.Rows(t, id) {
				cells[row[0]] = true
			}
			if len(cells) != len(c.values) {
				t.Errorf("%s: %d of %d values are told apart: %.300q", c.typ, len(cells), len(c.values), slices.Sorted(maps.Keys(cells)))
			}
		}
	})
}

func TestConformance(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		var holders connectortest.Holders
		connectortest.Run(t, connectortest.Harness{
			Connector: Connector{},
			Options:   connectors.Options{Workers: 3, Holder: holders.Dial},
			Holders:   &holders,
			Database:  func(t testing.TB) connectortest.Database { return newDatabase(t, s) },
			Quirks: connectortest.Quirks{
				Quote: connectortest.QuoteMySQL, PlainNames: true, KeyOrder: true, NoDeferrable: true,
				KeyText: "varchar(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
				// InnoDB takes 1,017 columns, of which all values have to fit into half a page.
				Width:   990,
				Types:   kinds(s),
				Samples: samples(s),
			},
		})
	})
}

// kinds leaves out timestamp: the suite's reach back before 1970.
func kinds(s *connectortest.MySQLServer) map[catalog.Kind]string {
	types := map[catalog.Kind]string{
		catalog.Int: "bigint", catalog.Text: "longtext", catalog.Bytes: "longblob", catalog.Bool: "bit(1)", catalog.Float: "double",
		catalog.Numeric: "decimal(40,6)", catalog.Date: "date", catalog.Timestamp: "datetime(6)", catalog.JSON: "json",
	}
	if s.Flavor() == "mariadb" && atLeast(s, 10, 7) {
		types[catalog.UUID] = "uuid"
	}
	return types
}

// samples are values of every type of both families, at their edges.
func samples(s *connectortest.MySQLServer) []connectortest.Sample {
	named := func(name, typ string, values ...any) connectortest.Sample {
		return connectortest.Sample{Name: name, Type: typ, Values: values}
	}
	sample := func(typ string, values ...any) connectortest.Sample { return named("of "+typ, typ, values...) }
	e := func(s string) any { return connectortest.Expr(s) }
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	// What stands for something in LOAD DATA, in a literal, or in a shell.
	marks := []any{"", `\N`, `\`, `\\`, `a\`, "tab\t", "line\n", "\r\n", "\x1a", "\x00", `'"` + "`", "NULL", `\0`, "%_"}
	members := make([]string, 64)
	for i := range members {
		members[i] = fmt.Sprintf("'m%d'", i+1)
	}
	list := []connectortest.Sample{
		sample("tinyint", int64(math.MinInt8), int64(math.MaxInt8), int64(0)),
		sample("tinyint unsigned", int64(0), int64(math.MaxUint8)),
		sample("tinyint(1)", int64(0), int64(1), int64(-1), int64(100)),
		sample("smallint", int64(math.MinInt16), int64(math.MaxInt16)),
		sample("smallint unsigned", int64(0), int64(math.MaxUint16)),
		sample("mediumint", int64(-1<<23), int64(1<<23-1)),
		sample("mediumint unsigned", int64(0), int64(1<<24-1)),
		sample("int", int64(math.MinInt32), int64(math.MaxInt32), int64(-1)),
		sample("int unsigned", int64(0), int64(math.MaxUint32)),
		sample("int(5) unsigned zerofill", int64(0), int64(42), int64(math.MaxUint32)),
		sample("bigint unsigned", e("0"), e("9223372036854775807")),
		sample("bit(8)", e("b'0'"), e("b'11111111'"), e("b'1011100'"), e("b'1001'"), e("b'1010'")),
		sample("bit(12)", e("0"), e("b'10000000000'"), e("b'101110001001'")),
		sample("bit(64)", e("0"), e("18446744073709551615"), e("9223372036854775808"), e("9223372036854775807"), e("1")),
		sample("decimal(65,30)", "0", "-0.000000000000000000000000000001", strings.Repeat("9", 35)+"."+strings.Repeat("9", 30), "1.5"),
		sample("decimal(65,0)", strings.Repeat("9", 65), "-"+strings.Repeat("9", 65), "0"),
		sample("decimal(10,2) unsigned zerofill", "0", "1.5", "99999999.99"),
		sample("float", e("0.1"), e("3.4028234e38"), e("-3.4028234e38"), e("1.17549435e-38"), e("-0e0"), e("16777215"), e("0")),
		named("double at its edges", "double", e("1.7976931348623157e308"), e("2.2250738585072014e-308"), e("-0e0"), e("0.1"), e("9007199254740993")),
		named("date that is none", "date", e("'0000-00-00'"), e("'0000-01-01'"), e("'9999-12-31'")),
		{Name: "dates that no calendar has", Type: "date", Kept: true, Values: []any{e("'2021-00-00'"), e("'2021-01-00'"), e("'2021-02-31'")}},
		{Name: "times of days that no calendar has", Type: "datetime", Kept: true, Values: []any{e("'2021-02-31 23:59:59'"), e("'2021-00-00 00:00:00'")}},
		sample("datetime", e("'0000-00-00 00:00:00'"), e("'9999-12-31 23:59:59'"), e("'0001-01-01 00:00:00'")),
		sample("datetime(3)", e("'2021-01-02 03:04:05.678'"), e("'0000-00-00 00:00:00'")),
		sample("timestamp NULL", e("'1970-01-01 00:00:01'"), e("'2038-01-19 03:14:07'"), e("'0000-00-00 00:00:00'"), e("'2021-03-28 01:30:00'"), e("'2021-10-31 02:30:00'")),
		sample("timestamp(6) NULL", e("'1970-01-01 00:00:01.000001'"), e("'2038-01-19 03:14:07.999999'"), e("'0000-00-00 00:00:00'")),
		sample("timestamp(3) NULL", e("'1970-01-01 00:00:01.001'"), e("'2038-01-19 03:14:07.999'"), e("'0000-00-00 00:00:00'")),
		sample("time", e("'-838:59:59'"), e("'838:59:59'"), e("'00:00:00'"), e("'-00:00:01'"), e("'24:00:00'")),
		sample("time(6)", e("'-838:59:58.999999'"), e("'838:59:58.999999'"), e("'-00:00:00.500000'"), e("'00:00:00.000001'"), e("'23:59:59.999999'")),
		sample("year", e("0"), e("1901"), e("2155"), e("2000")),
		sample("char(5)", "", "a", "ab\t", "abcde", `\N`, "é😀"),
		sample("char(1)", "", `\`, "'", "\x00", "\n"),
		sample("varchar(40)", append([]any{"a  ", "  ", " \t ", "é😀", "José", "JOSE", "jose "}, marks...)...),
		sample("tinytext", append([]any{strings.Repeat("é", 127)}, marks...)...),
		sample("text", append([]any{strings.Repeat(`\`, 65535)}, marks...)...),
		sample("mediumtext", append([]any{strings.Repeat("\x00\n\t", 30000)}, marks...)...),
		sample("binary(4)", []byte{}, []byte{0}, []byte(`\N`), []byte("ab\x00\x00"), []byte("\xff\xfe\t\n")),
		sample("varbinary(300)", []byte{}, all, []byte("a  "), []byte(`\N`), []byte("\x00")),
		sample("tinyblob", all[1:], []byte{}, []byte("trailing  ")),
		sample("blob", all, []byte(`\`), []byte(strings.Repeat("\x00", 65535))),
		sample("mediumblob", all, []byte(strings.Repeat(`\'"`+"\n", 20000))),
		sample("varchar(40) CHARACTER SET ascii", "", "plain", "trailing ", `\N`, "\x00"),
		sample("varchar(40) CHARACTER SET latin1", "", "é", "€ Š", "trailing ", `\N`, e("_latin1 x'81a0ff'"), "\x00"),
		sample("char(20) CHARACTER SET latin1", "é", "ÿ\t"),
		sample("varchar(40) CHARACTER SET utf8mb3", "", "é中", "e\u0301 ", `\N`),
		sample("varchar(40) CHARACTER SET ucs2", "", "é中", `\N`, "\n", "\t\\"),
		sample("varchar(40) CHARACTER SET utf16", "", "é中😀", `\N`, "\n ", "ਊ\u5c5c"),
		sample("varchar(40) CHARACTER SET utf16le", "", "é中😀", "\n\\"),
		sample("varchar(40) CHARACTER SET utf32", "", "é中😀", "\n\\"),
		sample("longtext CHARACTER SET utf16", "", "é中😀", `\N`, "\u5c5c\u0a0a\u0909", strings.Repeat("\n", 40000)),
		// The second byte of these is a backslash.
		sample("varchar(40) CHARACTER SET sjis", "", "ソ能表", `\N`, "ｱ"),
		sample("varchar(40) CHARACTER SET cp932", "", "ソ能表", "①"),
		sample("varchar(40) CHARACTER SET gbk", "", "誠", "中", e("_gbk x'815c'"), `\N`),
		sample("varchar(40) CHARACTER SET big5", "", "功許蓋", "中"),
		sample("varchar(40) CHARACTER SET koi8r", "", "Привет"),
		sample("varchar(40) COLLATE utf8mb4_bin", "a", "A", "a ", "😀"),
		sample("varchar(40) COLLATE utf8mb4_unicode_ci", "José", "jose", "JOSE "),
		named("enum with an empty member", "enum('','a','b''c','é','x y',',')", "", "a", "b'c", "é", ","),
		{Name: "enum with an empty member, and none", Type: "enum('','a')", Kept: true, Values: []any{"", "a", loose("'no such member'")}},
		named("enum with a member that looks like NULL", "enum('a','\\\\N')", "a", loose("''"), e(`'\\N'`)),
		sample("enum('a','b') CHARACTER SET latin1", "a", "b"),
		sample("set('a','b c','é','''')", "", "a", "a,b c,é", "'"),
		named("set of 64", "set("+strings.Join(members, ",")+")", e("0"), e("1"), e("9223372036854775808"), e("18446744073709551615")),
	}
	opaque := func(typ string, values ...any) {
		list = append(list, connectortest.Sample{Name: "of " + typ, Type: typ, Values: values, Opaque: true})
	}
	list = append(list, connectortest.Sample{Name: "bigint unsigned above an int64", Type: "bigint unsigned", Kept: true,
		Values: []any{e("9223372036854775808"), e("18446744073709551615"), e("9223372036854775807")}})
	opaque("point", e("ST_GeomFromText('POINT(1.5 -2)')"), e("ST_GeomFromText('POINT(0 0)', 4326)"), e("ST_GeomFromText('POINT(1e300 -1e-300)')"))
	opaque("geometry", e("ST_GeomFromText('POINT(92 10)')"), e("ST_GeomFromText('LINESTRING(0 0, 1 1, 2 3)')"),
		e("ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 0), (4 2, 5 2, 5 3, 4 2))', 4326)"),
		e("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), MULTIPOINT(1 1, 2 2))')"))
	opaque("polygon", e("ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 0))')"))
	opaque("multilinestring", e("ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (9 9, 13 92))')"))
	if s.Flavor() == "mariadb" {
		list = append(list, sample("inet6", "2001:db8::ff00:42:8329", "::", "::ffff:192.0.2.1", "::ffff:92.9.10.0"))
		if atLeast(s, 10, 10) {
			list = append(list, sample("inet4", "192.0.2.1", "0.0.0.0", "255.255.255.255", "92.9.10.0"))
		}
		list = append(list, sample("varchar(500) COMPRESSED", "", strings.Repeat("compressed ", 40), `\N`))
		list = append(list, sample("longtext CHECK (json_valid(`v`))", `{"a":  1}`, `[1, "é"]`))
	} else {
		list = append(list, named(jsonOfTheServer, "json",
			e("CAST('\"a\\\\\\\\N\\\\n\"' AS JSON)"), e("JSON_OBJECT('d', CAST('2021-01-02' AS DATE), 't', CAST('2021-01-02 03:04:05.123456' AS DATETIME(6)))"),
			e("JSON_OBJECT('n', CAST(1.5 AS DECIMAL(10,1)), 'u', 18446744073709551615, 'f', 1e0)"), e("CAST('null' AS JSON)")))
		list = append(list, sample("varchar(40) CHARACTER SET gb18030", "", "é中😀", "誠"))
		if atLeast(s, 8, 0) {
			list = append(list, sample("varchar(40) COLLATE utf8mb4_0900_ai_ci", "José", "jose", "jose "))
		}
	}
	switch {
	case s.Flavor() == "mysql" && atLeast(s, 9, 0):
		opaque("vector(3)", e("STRING_TO_VECTOR('[1, -2.5, 0]')"), e("STRING_TO_VECTOR('[9,10,92]')"), e("x'5c5c5c5c0a0a0a0a09090909'"))
	case s.Flavor() == "mariadb" && atLeast(s, 11, 7):
		opaque("vector(3)", e("VEC_FromText('[1, -2.5, 0]')"), e("x'5c5c5c5c0a0a0a0a09090909'"))
	}
	return list
}
