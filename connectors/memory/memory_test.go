package memory_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/memory"
)

// database is a memory database as the suite sees it.
type database struct {
	server *memory.Server
	name   string
}

func (d *database) DSN() string { return "memory:" + d.name }

func (d *database) Exists(testing.TB) bool { return d.server.Database(d.name) != nil }

func (d *database) db(t testing.TB) *memory.Database {
	t.Helper()
	if db := d.server.Database(d.name); db != nil {
		return db
	}
	db, err := d.server.Create(d.name)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (d *database) Create(t testing.TB, tables ...*catalog.Table) {
	t.Helper()
	if err := d.db(t).Create(tables...); err != nil {
		t.Fatal(err)
	}
}

// stored returns the names of the columns that are not computed.
func (d *database) stored(t testing.TB, id catalog.TableID) (names []string) {
	t.Helper()
	for _, c := range d.db(t).Catalog().Table(id).Columns {
		if !c.Generation.Computed() {
			names = append(names, c.Name)
		}
	}
	return names
}

func (d *database) Insert(t testing.TB, id catalog.TableID, columns []string, rows ...[]any) {
	t.Helper()
	var all []memory.Row
	names := d.stored(t, id)
	for _, r := range rows {
		full := make(memory.Row, len(names))
		for i, c := range columns {
			full[slices.Index(names, c)] = r[i]
		}
		all = append(all, full)
	}
	if err := d.db(t).Insert(id, all...); err != nil {
		t.Fatal(err)
	}
}

func (d *database) Update(t testing.TB, id catalog.TableID, set string, value any, where string, is any) {
	t.Helper()
	names := d.stored(t, id)
	err := d.db(t).Update(id, func(r memory.Row) memory.Row {
		if r[slices.Index(names, where)] == is {
			r[slices.Index(names, set)] = value
		}
		return r
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (d *database) Delete(t testing.TB, id catalog.TableID, where string, is any) {
	t.Helper()
	at := slices.Index(d.stored(t, id), where)
	if err := d.db(t).Delete(id, func(r memory.Row) bool { return r[at] == is }); err != nil {
		t.Fatal(err)
	}
}

func (d *database) Rows(t testing.TB, id catalog.TableID) [][]string {
	t.Helper()
	var all [][]string
	for _, r := range d.db(t).Rows(id) {
		row := []string{}
		for _, v := range r {
			if b, ok := v.([]byte); ok {
				v = fmt.Sprintf("%x", b)
			}
			row = append(row, fmt.Sprintf("%T:%v", v, v))
		}
		all = append(all, row)
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

func (d *database) Leftovers(testing.TB) (left []string) {
	for _, n := range d.server.Names() {
		if strings.HasPrefix(n, d.name+".") {
			left = append(left, n)
		}
	}
	return left
}

func TestConformance(t *testing.T) {
	for _, schema := range []string{"", "app"} {
		t.Run("schema "+schema, func(t *testing.T) {
			server := memory.NewServer()
			var n atomic.Int64
			connectortest.Run(t, connectortest.Harness{
				Connector: server,
				Quirks: connectortest.Quirks{
					NoWhere: true,
					Schema:  schema,
					Types: map[catalog.Kind]string{
						catalog.Int: "int", catalog.Text: "text", catalog.Bytes: "bytes", catalog.Bool: "bool", catalog.Float: "float",
						catalog.Numeric: "numeric", catalog.UUID: "uuid", catalog.Date: "date", catalog.Timestamp: "timestamp",
						catalog.TimestampTZ: "timestamptz", catalog.JSON: "json", catalog.XML: "xml", catalog.IP: "ip", catalog.MAC: "mac",
						catalog.Point: "point", catalog.Array: "array", catalog.Composite: "composite", catalog.Range: "range", catalog.Hstore: "hstore",
					},
					Samples:   []connectortest.Sample{{Name: "opaque", Type: "anything", Opaque: true, Values: []any{int64(1), "text", []byte("blob"), 1.5}}},
					Upper:     func(column string) string { return "upper(" + column + ")" },
					NoColumns: true,
				},
				Database: func(t testing.TB) connectortest.Database {
					return &database{server: server, name: fmt.Sprintf("db%d", n.Add(1))}
				},
			})
		})
	}
}

var users = catalog.TableID{Name: "users"}

func usersTable() *catalog.Table {
	return &catalog.Table{
		ID: users, Kind: catalog.Ordinary,
		Columns: []catalog.Column{
			{Name: "id", Type: catalog.Type{Name: "int", Kind: catalog.Int, Bits: 64}, NotNull: true},
			{Name: "email", Type: catalog.Type{Name: "text", Kind: catalog.Text}},
		},
		PrimaryKey: &catalog.Key{Name: "users_key", Columns: []string{"id"}},
	}
}

func TestInsertIsAllOrNothing(t *testing.T) {
	db := memory.New("shop")
	if err := db.Create(usersTable()); err != nil {
		t.Fatal(err)
	}
	if err := db.Insert(users, memory.Row{1, "a"}, memory.Row{2}); err == nil {
		t.Fatal("a row of one value for two columns")
	}
	if n := len(db.Rows(users)); n != 0 {
		t.Fatalf("%d rows", n)
	}
	blob := []byte("blob")
	if err := db.Insert(users, memory.Row{1, blob}); err != nil {
		t.Fatal(err)
	}
	blob[0] = 'X'
	if got := db.Rows(users)[0][1].([]byte); !bytes.Equal(got, []byte("blob")) {
		t.Fatal("a row shares memory with its caller")
	}
	if db.Rows(catalog.TableID{Name: "nobody"}) != nil {
		t.Fatal("rows of a table that is not there")
	}
}

func TestCreateRefusesWhatCannotBe(t *testing.T) {
	twice := usersTable()
	twice.Columns = append(twice.Columns, twice.Columns[0])
	key := usersTable()
	key.PrimaryKey.Columns = []string{"nobody"}
	computed := usersTable()
	computed.Columns = append(computed.Columns, catalog.Column{Name: "c", Generation: catalog.Stored, Default: "lower(email)"})
	for what, table := range map[string]*catalog.Table{"a column twice": twice, "a key on no column": key, "an unknown expression": computed} {
		if memory.New("db").Create(table) == nil {
			t.Errorf("%s is taken", what)
		}
	}
	db := memory.New("db")
	if err := db.Create(usersTable()); err != nil {
		t.Fatal(err)
	}
	if db.Create(usersTable()) == nil {
		t.Error("a table twice is taken")
	}
}

func TestSequencesAreSetPastWhatWasLoaded(t *testing.T) {
	ctx := context.Background()
	db := memory.New("shop")
	if err := db.Create(usersTable()); err != nil {
		t.Fatal(err)
	}
	if err := db.Insert(users, memory.Row{5, "a"}, memory.Row{41, "b"}); err != nil {
		t.Fatal(err)
	}
	db.SetSequence(connectors.Sequence{ID: catalog.TableID{Name: "users_seq"}, Last: 7, Increment: 1, Fills: []catalog.ColumnID{{Table: users, Column: "id"}}})
	copyDatabase(ctx, t, db, "memory:copy")
	got := db.Server().Database("copy").Sequences()
	if len(got) != 1 || got[0].Last != 41 || !got[0].Called {
		t.Fatalf("sequences %+v", got)
	}
}

func copyDatabase(ctx context.Context, t testing.TB, db *memory.Database, to string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	source, err := db.Server().OpenSource(ctx, db.DSN(), connectors.Options{})
	must(err)
	defer source.Close()
	snapshot, err := source.Open(ctx)
	must(err)
	defer snapshot.Close()
	definitions, err := snapshot.Definitions(ctx)
	must(err)
	sink, err := db.Server().OpenSink(ctx, to, connectors.Options{})
	must(err)
	defer sink.Close()
	build, err := sink.Begin(ctx, connectors.BuildSpec{Run: "r1", Catalog: snapshot.Catalog(), Definitions: definitions})
	must(err)
	defer build.Abort()
	rows := map[catalog.TableID]int64{}
	for _, table := range snapshot.Catalog().Tables {
		layout, err := snapshot.Layout(table.ID, nil)
		must(err)
		chunks, err := snapshot.Split(ctx, table.ID, 0)
		must(err)
		for _, c := range chunks {
			batches, err := snapshot.Read(ctx, c, layout)
			must(err)
			loader, err := build.Load(ctx, c, layout)
			must(err)
			for {
				b, err := batches.Next(ctx)
				if err != nil {
					break
				}
				must(loader.Write(ctx, b))
				b.Release()
			}
			receipt, err := loader.Commit(ctx)
			must(err)
			rows[c.Table] += receipt.Rows
			must(batches.Close())
		}
		must(build.TableLoaded(ctx, table.ID))
	}
	must(build.Finish(ctx))
	must(build.Seal(ctx, rows))
	must(build.Promote(ctx))
}
