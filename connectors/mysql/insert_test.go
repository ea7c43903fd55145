package mysql

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// inserting is the connector to a server that forbids LOAD DATA LOCAL.
type inserting struct{ Connector }

func (inserting) OpenSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	opened, err := openSink(ctx, dsn, opts)
	if err == nil {
		opened.(*sink).inserts = true
	}
	return opened, err
}

// Where the server forbids LOAD DATA LOCAL, every value of every type comes through INSERT
// as well.
func TestInsertEverything(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from, to := newDatabase(t, s), newDatabase(t, s)
		var tables []*catalog.Table
		for i, sample := range samples(s) {
			tables = append(tables, &catalog.Table{ID: catalog.TableID{Name: fmt.Sprintf("t%d", i)}, Comment: sample.Name,
				Columns:    []catalog.Column{{Name: "id", Type: catalog.Type{Name: "int"}, NotNull: true}, {Name: "v", Type: catalog.Type{Name: sample.Type}}},
				PrimaryKey: &catalog.Key{Name: "PRIMARY", Columns: []string{"id"}}})
		}
		from.Create(t, tables...)
		for i, sample := range samples(s) {
			var rows [][]any
			for j, v := range append(slices.Clone(sample.Values), nil) {
				rows = append(rows, []any{int64(j), v})
			}
			from.Insert(t, tables[i].ID, []string{"id", "v"}, rows...)
		}
		if err := connectortest.Copy(t, inserting{}, connectors.Options{Workers: 2}, from.DSN(), to.DSN()); err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			want, got := from.Rows(t, table.ID), to.Rows(t, table.ID)
			if !slices.EqualFunc(want, got, slices.Equal[[]string]) {
				t.Errorf("%s:\n%.400q\nwant\n%.400q", table.Comment, got, want)
			}
		}
	})
}

// A value that is longer than the server takes is called that, where NULL may stand in its
// place and where it may not.
func TestInsertTooLong(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		database := s.Database(t)
		s.Exec(t, database, "CREATE TABLE nullable (v longblob)", "CREATE TABLE required (v longblob NOT NULL)")
		to := openTarget(t, s, s.DSN(s.Name(t)))
		session, err := to.connect(t.Context(), database)
		if err != nil {
			t.Fatal(err)
		}
		defer session.close()
		long := bytes.Repeat([]byte{'v'}, 1<<20)
		for _, table := range []string{"nullable", "required"} {
			w := newInserter(session, "INSERT INTO "+table+" (v) VALUES ", []loadColumn{{name: "v"}}, func(*driverpkg.MySQLError) bool { return false })
			for range session.packet/int64(len(long)) + 1 {
				if err := w.write(t.Context(), long); err != nil {
					t.Fatal(err)
				}
			}
			err := w.write(t.Context(), []byte{'\n'})
			if err == nil {
				_, err = w.end(t.Context())
			}
			if kind, _ := connectors.KindOf(err); kind != connectors.KindUnsupported || !strings.Contains(err.Error(), "max_allowed_packet") {
				t.Errorf("%s: kind %d: %v", table, kind, err)
			}
			s.Exec(t, database, "DELETE FROM "+table)
		}
	})
}
