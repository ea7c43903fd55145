package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// database is a database of the test server as the suite sees it.
type database struct {
	server *connectortest.PostgresServer
	name   string
	conn   *pgx.Conn // of a Session, otherwise nil
}

func newDatabase(t testing.TB) connectortest.Database {
	s := connectortest.Postgres(t)
	return &database{server: s, name: s.Name(t)}
}

var dialect = connectortest.Dialect{Placeholder: func(n int) string { return "$" + strconv.Itoa(n) }}

func (d *database) DSN() string { return d.server.DSN(d.name) }

func (d *database) Exists(t testing.TB) bool {
	return d.server.Value(t, d.server.DSN("postgres"), "SELECT count(*) FROM pg_database WHERE datname = "+literal(d.name)) == "1"
}

func (d *database) Leftovers(t testing.TB) []string {
	names := d.server.Value(t, d.server.DSN("postgres"), "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database WHERE starts_with(datname, "+literal(d.name+"__")+")")
	return strings.Fields(names)
}

// with runs f on a session in the database.
func (d *database) with(t testing.TB, f func(context.Context, *pgx.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := d.conn
	if conn == nil {
		var err error
		if conn, err = pgx.Connect(ctx, d.DSN()); err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
	}
	if err := f(ctx, conn); err != nil {
		t.Fatal(err)
	}
}

// Session implements connectortest.Sessioner.
func (d *database) Session(t testing.TB) (connectortest.Database, func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	conn, err := pgx.Connect(ctx, d.DSN())
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	return &database{d.server, d.name, conn}, func() {
		conn.Close(ctx)
		cancel()
	}
}

// Clone implements connectortest.Cloner.
func (d *database) Clone(t testing.TB, of connectortest.Database) {
	t.Helper()
	d.server.CloneDatabase(t, d.name, of.(*database).name)
}

func (d *database) exec(t testing.TB, statements ...string) {
	t.Helper()
	d.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		for _, sql := range statements {
			if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
				return fmt.Errorf("%.300s: %w", sql, err)
			}
		}
		return nil
	})
}

func (d *database) Create(t testing.TB, tables ...*catalog.Table) {
	t.Helper()
	if !d.Exists(t) {
		d.server.CreateDatabase(t, d.name, "")
	}
	var now, later []string
	needs := map[string]string{"hstore": "CREATE EXTENSION hstore", "pair": "CREATE TYPE pair AS (n integer, t text)"}
	for _, table := range tables {
		for _, c := range table.Columns {
			name := strings.TrimSuffix(c.Type.Name, "[]")
			if sql, ok := needs[name]; ok {
				now = append(now, sql)
				delete(needs, name)
			}
		}
		create, alter := dialect.CreateTable(table)
		now, later = append(now, create...), append(later, alter...)
	}
	d.exec(t, append(now, later...)...)
}

// sqlValue writes a value of the suite as SQL.
func sqlValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case connectortest.Expr:
		return string(v)
	case string:
		return literal(v)
	case []byte:
		return `'\x` + hex.EncodeToString(v) + "'"
	case float64:
		return "'" + strconv.FormatFloat(v, 'g', -1, 64) + "'"
	}
	return fmt.Sprint(v)
}

func (d *database) Insert(t testing.TB, id catalog.TableID, columns []string, rows ...[]any) {
	t.Helper()
	if len(columns) == 0 {
		d.exec(t, strings.Repeat("INSERT INTO "+table(id)+" DEFAULT VALUES;", len(rows)))
		return
	}
	var names, lists []string
	for _, c := range columns {
		names = append(names, ident(c))
	}
	for _, row := range rows {
		var values []string
		for _, v := range row {
			values = append(values, sqlValue(v))
		}
		lists = append(lists, "("+strings.Join(values, ", ")+")")
	}
	d.exec(t, "INSERT INTO "+table(id)+" ("+strings.Join(names, ", ")+") VALUES "+strings.Join(lists, ", "))
}

func (d *database) Update(t testing.TB, id catalog.TableID, set string, value any, where string, is any) {
	t.Helper()
	d.exec(t, "UPDATE "+table(id)+" SET "+ident(set)+" = "+sqlValue(value)+" WHERE "+ident(where)+" = "+sqlValue(is))
}

func (d *database) Delete(t testing.TB, id catalog.TableID, where string, is any) {
	t.Helper()
	d.exec(t, "DELETE FROM "+table(id)+" WHERE "+ident(where)+" = "+sqlValue(is))
}

func (d *database) Rows(t testing.TB, id catalog.TableID) (all [][]string) {
	t.Helper()
	d.with(t, func(ctx context.Context, conn *pgx.Conn) error {
		// By the simple protocol every cell comes as the server's own text.
		results, err := conn.PgConn().Exec(ctx, "SELECT * FROM "+table(id)).ReadAll()
		if err != nil {
			return err
		}
		for _, cells := range results[0].Rows {
			row := make([]string, len(cells))
			for i, c := range cells {
				if row[i] = "NULL"; c != nil {
					row[i] = "=" + string(c)
				}
			}
			all = append(all, row)
		}
		return nil
	})
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

func TestConformance(t *testing.T) {
	major, _ := strconv.Atoi(connectortest.Postgres(t).Value(t, connectortest.Postgres(t).DSN("postgres"), "SELECT current_setting('server_version_num')::int / 10000"))
	sample := func(typ string, values ...any) connectortest.Sample {
		return connectortest.Sample{Name: typ, Type: typ, Values: values}
	}
	e := func(s string) any { return connectortest.Expr(s) }
	var late []connectortest.Sample // types that came later
	if major >= 14 {
		late = append(late, sample("int4multirange", "{}", "{[1,5),[7,)}"))
	}
	connectortest.Run(t, connectortest.Harness{
		Connector: Connector{},
		Options:   connectors.Options{Workers: 3},
		Database:  newDatabase,
		Quirks: connectortest.Quirks{
			Schema: "public", NoNUL: true, NoColumns: true, NoVirtual: major < 18,
			Types: map[catalog.Kind]string{
				catalog.Int: "bigint", catalog.Text: "text", catalog.Bytes: "bytea", catalog.Bool: "boolean", catalog.Float: "double precision",
				catalog.Numeric: "numeric", catalog.UUID: "uuid", catalog.Date: "date", catalog.Timestamp: "timestamp without time zone",
				catalog.TimestampTZ: "timestamp with time zone", catalog.JSON: "json", catalog.XML: "xml", catalog.IP: "inet", catalog.MAC: "macaddr",
				catalog.Point: "point", catalog.Array: "text[]", catalog.Composite: "pair", catalog.Range: "int8range", catalog.Hstore: "hstore",
			},
			Samples: append(late, []connectortest.Sample{
				sample("smallint", int64(math.MinInt16), int64(math.MaxInt16), int64(0)),
				sample("integer", int64(math.MinInt32), int64(math.MaxInt32), int64(-1)),
				sample("real", e("'NaN'"), e("'-0'"), e("'Infinity'"), e("'-Infinity'"), e("1e-45"), e("3.4028235e38"), e("0.1")),
				{Name: "double precision at its edges", Type: "double precision", Values: []any{e("'NaN'"), e("'Infinity'"), e("'-Infinity'"), e("5e-324")}},
				{Name: "numeric at its edges", Type: "numeric", Values: []any{e("'NaN'"), e("repeat('9', 1000)::numeric"), e("('0.' || repeat('0', 999) || '1')::numeric"), e("1.0"), e("1.00"), e("-0.0"), e("10000"), e("99990000.0001")}},
				sample("numeric(12,2)", e("1234567890.12"), e("-0.01")),
				{Name: "date at its edges", Type: "date", Values: []any{e("'infinity'"), e("'-infinity'"), e("'4713-01-01 BC'"), e("'0001-12-31 BC'"), e("'5874897-12-31'"), e("'1999-12-31'")}},
				{Name: "timestamp at its edges", Type: "timestamp without time zone", Values: []any{e("'infinity'"), e("'-infinity'"), e("'4713-01-01 00:00:00 BC'"), e("'294276-12-31 23:59:59.999999'"), e("'1999-12-31 23:59:60'")}},
				{Name: "timestamptz at its edges", Type: "timestamp with time zone", Values: []any{e("'infinity'"), e("'-infinity'"), e("'4713-01-01 00:00:00+00 BC'"), e("'294276-12-31 23:59:59.999999+00'")}},
				sample("character varying(20)", "", `tab	and \ back`, "twenty characters ok"),
				sample("character(5)", "ab", "     ", "abcde"),
				sample(`"char"`, "a", ""),
				sample("name", "a name", strings.Repeat("n", 63)),
				sample("jsonb", e(`'{"b": 1, "a": [null, "\u00e9 \\ \t", 1.0]}'`), e(`'"text"'`), e("'[]'")),
				sample("cidr", "10.0.0.0/8", "::/0"),
				sample("macaddr8", "08:00:2b:01:02:03:04:05"),
				sample("money", e("'-92233720368547758.08'"), e("0")),
				sample("tsrange", "[2021-01-02,2021-01-03)", `["2021-01-02 03:04:05.5",infinity]`),
				sample("numeric[]", "{1.50,NaN,NULL,-0.01}"),
				sample("bytea[]", `{"\\x00ff","\\x"}`),
				sample("pair[]", `{"(1,\"a \"\"b\"\" ,\")",NULL,"(,)"}`),
				sample("hstore[]", `{"\"a\"=>\"1\"",""}`),
				// No binary form: aclitem has no send function, nor have its arrays.
				sample("aclitem", e("'postgres=r*w/postgres'")),
			}...),
		},
	})
}
